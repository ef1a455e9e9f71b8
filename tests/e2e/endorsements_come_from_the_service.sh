#!/bin/bash
# Machines whose host hands out no certificates, in a fleet of real programs: they are trusted with what
# the maker's service gives, stay so while it is dark, and new ones are put off, not rejected; a closed
# network gets the same by way of a folder.
set -u
cd "${MUSTER_SRC:-.}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

work=$(mktemp -d /tmp/muster-endorse.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"

kds() { curl -sf "$sim/_control/kds" -d "{\"mode\": \"$1\"}" >/dev/null; }
asked() { curl -sf "$sim/_control/kds" | jq .asked; }
settings() { printf '%s\n' "endorsements = $1" "endorsement-roots = $home/simulator-root.pem"; }
again() { stop musterd && controller_up "$(settings "$1")" && await 30 "the keeper" keeper_is_there; }
up() {
    database_up && sim_up && deployment_made && controller_up "$(settings "$sim")" && token_made &&
        keeper_up && account_made && image_made bare ami-0bad0000000000005 && first_charter
}
measured=$(printf '11%.0s' {1..48})
measurement_of() { echo "$measured"; }
echo "{\"ami-0bad0000000000005\": {\"flavour\": \"direct-boot\", \"tamper\": \"no-table\", \"measurement\": \"$measured\"}}" \
    >"$work/images.json"
sim_up() {
    printf '%s\n' 'retry-first-seconds = 1' 'retry-most-seconds = 3' 'redial-most-seconds = 2' >"$home/agents.conf"
    cat >"$home/sim.conf" <<CONF
state-dir = $home/cloud
run-dir = $run_dir
port = ${sim_port:-0}
agent-command = $build/agent/muster-agent --config {config}
agent-config = $home/agents.conf
images = $work/images.json
psp-dir = $MUSTER_PSP_DIR
CONF
    start sim "$build/emulator/muster-sim" --config "$home/sim.conf"
    await 60 "muster-sim to be ready" ready sim || return 1
    sim=$(jq -rs 'last.ec2' "$home/sim.out")
    sim_port=$(jq -rs 'last.port' "$home/sim.out")
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"

fleet_up web 2 bare measured
check "two without a certificate table become trusted" await_trusted 2 web 90
check "with what the service gave" test "$(asked)" -ge 3
has_name() { "$muster" endorsements list -o json | jq -e --arg n "$1" '[.items[].name] | any(startswith($n))' >/dev/null; }
check "which is kept: the chain" has_name Milan-vcek-chain
check "and the chips' keys" has_name Milan-vcek-
check "and the list of what is revoked" await 90 "the list" has_name Milan-crl
check "readyz says that lists are up to date" test "$(curl -sf --cacert "$MUSTER_CA" "$api/readyz" | jq .revocation_lists)" = true

kds dark
id=$("$muster" instances list --fleet web -o json | jq -r '.items[0].id')
verdicts() { "$muster" instances verdicts "$id" -o json | jq '.items | length'; }
more_verdicts() { [ "$(verdicts)" -gt "$1" ]; }
before=$(verdicts)
check "while it is dark one is asked again" "$muster" instances attest "$id"
check "and proves itself from the cache" await 30 "a new verdict" more_verdicts "$before"
check "so both stay trusted" has 2 web .trust.trusted

check "what is kept goes to a folder" "$muster" endorsements export "$work/folder"
check "one file each" test "$(find "$work/folder" -type f | wc -l)" = "$("$muster" endorsements list -o json | jq '.items | length')"
psql "$database" -qc 'TRUNCATE endorsements' || bail "$work/up.log"
check "a controller that fetches nothing starts" again off
before=$(verdicts)
check "and one is asked again" await 30 "the link" "$muster" instances attest "$id"
put_off() { grep -q appraisal.put-off "$home/log/musterd.log"; }
check "which is put off" await 30 "the log's word" put_off
check "but not rejected" has 0 web .trust.rejected
check "the folder is imported" "$muster" endorsements import "$work/folder"
check "and then it proves itself" await 60 "a new verdict" more_verdicts "$before"
check "so both are trusted" await_trusted 2 web 60
check "nothing was rejected at any time" test "$("$muster" instances verdicts "$id" -o json | jq '[.items[] | select(.verdict == "rejected")] | length')" = 0
plan
