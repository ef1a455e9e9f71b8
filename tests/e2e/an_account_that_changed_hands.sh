#!/usr/bin/env bash
# I2: the credentials of accounts on three clouds turn to accounts of somebody else while machines live in their own.
# Nothing is looked at, launched, ended or given up by them, however long it is so, and all goes on when they are right
# again or a person says that the account is another one now (doc/decisions/0027). Judged by the clouds' own ledger.
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

work=$(mktemp -d /tmp/muster-e2e.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"
# Keys by themselves are never renewed: on EC2 it is the session of a role that may turn out to be another account's.
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
export AWS_ROLE_ARN=arn:aws:iam::000000000000:role/muster AWS_WEB_IDENTITY_TOKEN_FILE=$home/web-identity
export AZURE_TENANT_ID=00000000-0000-0000-0000-00000000000a AZURE_CLIENT_ID=muster-sim
export AZURE_CLIENT_SECRET=muster-sim-client-secret GOOGLE_APPLICATION_CREDENTIALS=$home/cloud/gcp-key.json
subscription=00000000-0000-0000-0000-000000000001
other_tenant=00000000-0000-0000-0000-00000000000b
declare -A other=([aws]=111111111111 [azure]=11111111-0000-0000-0000-000000000000 [gcp]=somebody-else)
declare -A size=([aws]=m6a.large [azure]=Standard_DC2as_v5 [gcp]=n2d-standard-2)

# ---- a fleet without agents on three clouds ----

sim_without_agents() {
    printf '%s\n' "state-dir = $home/cloud" "run-dir = $run_dir" "psp-dir = $MUSTER_PSP_DIR" 'boot-ms = 20' 'stop-ms = 20' >"$home/sim.conf"
    start sim "$build/emulator/muster-sim" --config "$home/sim.conf"
    await 60 "muster-sim to be ready" ready sim || return
    sim=$(jq -rs 'last.ec2' "$home/sim.out")
}
account() { # account CLOUD
    jq -n --arg name "$1" --arg url "$sim" --arg subscription $subscription '{name: $name, driver: $name, endpoint: $url, pace_percent: 100000,
        credentials: {source: "environment"}} +
        {aws: {region: "us-east-2"},
         azure: {region: "westeurope", subscription: $subscription, resource_group: "fleet", subnet: "/subnet"},
         gcp: {region: "us-central1", zone: "us-central1-a", project: "muster-sim"}}[$name]' >"$home/account.json"
    "$muster" accounts create "$home/account.json"
}
fleet() { # fleet CLOUD COUNT
    jq -n --arg name "on-$1" --arg account "$1" --arg size "${size[$1]}" --argjson desired "$2" \
        '{name: $name, desired: $desired, account: $account, image: "plain", size: $size, policy: "none"}' >"$home/fleet.json"
    "$muster" fleets create "$home/fleet.json"
}
up() {
    local cloud
    echo header.claims.signature >"$AWS_WEB_IDENTITY_TOKEN_FILE"
    database_up
    sim_without_agents
    deployment_made
    controller_up
    token_made
    jq -n '{name: "plain", driver: "aws", ref: "ami-0ec20000000000001",
        refs: {azure: "muster:confidential-vm:firmware-cvm:1.0.0", gcp: "projects/muster-sim/global/images/firmware-snp"}}' >"$home/image.json"
    "$muster" images create "$home/image.json"
    for cloud in aws azure gcp; do
        account $cloud
        fleet $cloud 2
    done
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"

query() { psql -XAtq "$database" -c "$1"; }
is() { [ "$(query "SELECT count(*) FROM instances WHERE $2")" = "$1" ]; }
turn() { # turn CLOUD [MEMBER WORD]: without them to its own account
    jq -n --arg cloud "$1" --arg member "${2:-cloud}" --arg word "${3:-$1}" '{cloud: $cloud} + {($member): $word}' |
        curl -sf -d @- "$sim/_control/accounts" >/dev/null
}
events() { ledger | jq -c '[.entries[] | select(.event == "launched" or .event == "shutting-down" or .event == "stopping")] | map(.event) | sort'; }
alarms() { [ "$("$muster" alarms list -o json | jq -c '[.items[] | select(.code == "wrong-cloud-account") | .object] | sort')" = "$1" ]; }
# How often each account was looked at, since its credentials were wrong.
looked() { [ "$(query "SELECT count(*) FROM account_holds WHERE kind = 'wrong-cloud-account' AND looks >= $1")" = 3 ]; }

check "two machines come to be on each of three clouds" await 30 "six machines" is 6 "phase = 'booting'"
# Machines that were launched a moment ago may be missing from a list.
query "UPDATE instances SET launched_at = launched_at - interval '1 hour'"
before=$(events)

# ---- somebody else's ----

for cloud in aws azure gcp; do turn $cloud account "${other[$cloud]}"; done
end_one() { "$muster" instances terminate "$(query "SELECT id FROM instances WHERE fleet = 'on-$1' AND phase = 'booting' LIMIT 1")"; }
for cloud in aws azure gcp; do
    end_one $cloud >/dev/null
    "$muster" fleets scale on-$cloud 3 >/dev/null
done
check "what is to be launched and ended waits, and says for what" await 30 "nine rows that wait" is 9 \
    "reason = 'wrong-cloud-account' AND phase <> 'booting'"
check "each account raises the alarm" await 30 "three alarms" alarms '["account:aws","account:azure","account:gcp"]'
held() { "$muster" accounts get "$1" -o json | jq -e '[.held[].kind] == ["wrong-cloud-account"]'; }
check "and says itself why it is held" held gcp
check "each is looked at again" await 30 "looks" looked 2
unchanged() { [ "$(events)" = "$before" ]; }
check "nothing was launched and nothing ended, by the clouds' own ledger" unchanged
check "and no row was given up" is 6 "cloud_ref IS NOT NULL AND phase IN ('booting', 'terminating')"

# ---- its own again ----

for cloud in aws azure gcp; do turn $cloud; done
check "right credentials end the alarm" await 30 "no alarm" alarms '[]'
query "UPDATE instances SET next_due = now()"
check "what waited is launched" await 30 "nine machines" is 9 "phase = 'booting'"
check "and what was to end is gone" await 30 "three ends" is 3 "phase = 'terminated'"
once() { [ "$(launches)" = 12 ] && [ "$(launch_tokens)" = 12 ]; }
check "none was launched twice" once

# ---- a change that somebody made ----

before=$(events)
turn azure tenant $other_tenant
check "a subscription that moved to another tenant raises it too" await 30 "an alarm" alarms '["account:azure"]'
check "a person confirms that it is the same" "$muster" accounts confirm azure $subscription/$other_tenant
check "which ends the alarm" await 30 "no alarm" alarms '[]'
check "and nothing was done to its machines" unchanged
"$muster" fleets scale on-azure 4 >/dev/null
check "it goes on" await 30 "one more" is 10 "phase = 'booting'"

# ---- what signs in shows nowhere ----

# Secrets and keys, and how the tokens of Azure and Google begin.
printf '%s\n' muster-sim-client-secret muster-sim-secret-key header.claims.signature ya29. \
    "$(printf '{"alg":"HS256","typ":"JWT"}' | base64 -w0 | tr -d =)" \
    "$(jq -r .private_key "$home/cloud/gcp-key.json" | sed -n 5p)" >"$work/secrets"
shows() { LC_ALL=C grep -qaFf "$work/secrets" "$@"; }
hides() { ! shows "$@"; }
check "the search finds what signs in where it belongs" shows "/proc/${pids[musterd]}/environ"
check "no log of the controller shows it" hides "$home/log/musterd.log" "$home/musterd.out"
pg_dump "$database" >"$work/dump.sql"
check "nor does its database" hides "$work/dump.sql"
plan
