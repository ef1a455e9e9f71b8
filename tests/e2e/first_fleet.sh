#!/usr/bin/env bash
# The main job end to end with the programs that ship: a fleet is launched through the AWS driver,
# each VM proves itself, gets a verdict and only then its secret. Closes with what must never happen.
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
everything_up >"$work/up.log" 2>&1 || bail "$work/up.log"

"$muster" secrets generate app-key --kind opaque --scope fleet --grant plain-key >/dev/null
"$muster" secrets generate vault-key --kind opaque --scope fleet --grant measured-key >/dev/null
"$muster" secrets generate ssh-key --kind ssh-host-key --scope instance --grant host-key >/dev/null
"$muster" secrets generate wrong-key --kind opaque --scope fleet --grant measured-key >/dev/null

curl -sf "$sim/_control/mischief" -d '{"action":"RunInstances","fault":"delay","times":6,"delay_ms":300}' >/dev/null
fleet_up web 4 plain plain-ec2 app-key
fleet_up vault 2 direct measured vault-key ssh-key
some_launched() { [ "$(launches)" -ge 2 ]; }
check "machines are launched" await 60 "launches" some_launched
stop musterd KILL
check "a controller killed in mid-launch comes up again" controller_up
check "four machines of plain EC2 become trusted" await_trusted 4 web 90
check "two machines of measured direct boot become trusted" await_trusted 2 vault 90

exactly() { [ "$(launches)" = "$1" ] && [ "$(launch_tokens)" = "$1" ]; }
check "none is lost and none is doubled, by the cloud's own ledger" exactly 6

levels() { fleet_status "$1" | jq -e ".levels.$2 == $3"; }
# R3, R137, E13
check "plain EC2 deserves L1 and no more" levels web L1 4
says_why() { "$muster" instances list --fleet web -o json |
    jq -e '[.items[] | select(.software == "none" and (.missing | index("software")) and .simulated)] | length == 4'; }
check "each of them says that nothing proves what booted, and that it is simulated" says_why

check "each plain machine loads its secret" await_loaded 4 web 60
check "each measured machine loads its fleet's secret and a host key of its own" await_loaded 4 vault 60
alike() { [ "$(sha256sum "$run_dir"/*/secrets/"$1" | cut -d' ' -f1 | sort -u | wc -l)" = "$2" ]; }
check "a fleet's secret is one for all" alike app-key 1
check "a host key is each machine's own" alike ssh-key 2
modes() { [ "$(find "$run_dir"/*/secrets -type f ! -perm 0400 | wc -l)" = 0 ]; }
check "secrets are readable by their owner only" modes
# R99
checks_host_keys() { local f; for f in "$run_dir"/*/secrets/ssh-key; do cp "$f" "$work/k" && chmod 600 "$work/k" && ssh-keygen -y -f "$work/k" || return 1; done; }
check "OpenSSH takes the host keys" checks_host_keys

# Whoever has a token may ask again what was judged. Nothing is fresh then, and what is signed is an opinion.
opinion() {
    local id
    id=$("$muster" instances list --fleet vault -o json | jq -r '.items[0].id')
    id=$("$muster" instances verdicts "$id" -o json | jq -r '.items[0].id')
    "$muster" verdicts evidence "$id" | jq -c '{evidence: .}' >"$work/question" || return 1
    "$muster" opinions ask "$work/question" -o json >"$work/opinion" || return 1
    jq -e '.verdict == "trusted" and .simulated and (.missing | index("freshness"))' "$work/opinion" || return 1
    jq -r .token "$work/opinion" | cut -d. -f1 | tr _- /+ | base64 -di 2>/dev/null | grep -q '"typ":"muster-simulated-opinion+jwt"'
}
check "evidence that was judged is given an opinion, which is no verdict" opinion

# R1, R169: without an upgrade, and before any call.
rules_change() {
    jq -n '{edition: "ours", version: 1, issued: "2026-12-01T00:00:00Z", title: "ours", rules: [
        {id: "our-sizes", kind: "sizes", cloud: "aws", sure: "documentation", says: "what we may use", source: "our own list",
         valid_from: "2026-01-01T00:00:00Z", when: ["snp"], sizes: {"r6a.large": {}}}]}' >"$work/ours.json"
    "$muster" catalogue sign --file "$work/ours.json" --key "$home/keys/charter/key.pem" --out "$work/ours.jws" || return 1
    "$muster" catalogue load "$work/ours.jws" && "$muster" catalogue use ours || return 1
    fleet_up late 1 plain plain-ec2 2>"$work/refused" && return 1
    grep -q our-sizes "$work/refused" && "$muster" catalogue use current
}
check "a signed edition changes the rules, and a fleet that breaks one is refused with its name" rules_change
check "and the cloud was not asked for it" exactly 6
agrees() { "$muster" catalogue drift -o json | jq -e '.items[0] | .account == "sim" and .edition == "current" and .drift == []'; }
check "the catalogue in force agrees with what the cloud says it offers" await 60 "a comparison" agrees

# A third party with the root, the charter's signers and the chip maker's root needs nothing else.
roots=(--root "$home/keys/agent/root.pem" --amd-root "$home/simulator-root.pem" --charter-signers "$home/signers.json")
exports() { "$muster" evidence export --instance "$1" --out "$work/bundle"; }
bundle() {
    local id
    cp "$home/keys/keeper/signers.json" "$home/signers.json"
    id=$("$muster" instances list --fleet vault -o json | jq -r '.items[0].id')
    await 10 "the verdict's entry to be chained" exports "$id" || return 1
    env -u MUSTER_SERVER -u MUSTER_TOKEN "$muster" verify bundle --bundle "$work/bundle" "${roots[@]}" -o json >"$work/verified" || return 1
    jq -e --arg id "$id" '.bundle == "genuine" and .instance == $id and .verdict == "trusted" and .simulated
        and .appraisal.verdict == "trusted" and ([.checks[] | select(.result != "pass")] == [])' "$work/verified"
}
check "a third party judges again what a verdict rests on, without the controller" bundle
refuses() { # refuses CODE ARGUMENTS...: exit code 3, and why
    local code=$1 exit=0
    shift
    "$muster" verify bundle "$@" -o json >"$work/refused" || exit=$?
    [ "$exit" = 3 ] && jq -e --arg c "$code" '.bundle == "refused" and (.reason | test($c))' "$work/refused"
}
{ head -c 4000 "$work/bundle"; tail -c +4001 "$work/bundle" | head -c 1 | tr A-Za-z B-ZAb-za; tail -c +4002 "$work/bundle"; } >"$work/altered"
check "a changed byte is refused" refuses 'bundle-(seal|format)' --bundle "$work/altered" "${roots[@]}"
check "and so is what a simulator signed, where only the maker's roots count" refuses bundle-appraisal \
    --bundle "$work/bundle" --root "$home/keys/agent/root.pem"
usable() { "$muster" verify bundle --bundle "$work/bundle"; [ "$?" = 2 ]; }
check "without a root there is nothing to check it by" usable

# A secret whose grant does not name the fleet's policy.
fleet_up stray 1 plain plain-ec2 wrong-key
refused_release() { "$muster" instances list --fleet stray -o json | jq -r '.items[0].id' |
    xargs "$muster" instances get -o json | jq -e '.deliveries[0] | .state == "failed" and (.reason | startswith("grant"))'; }
check "the keeper refuses a secret to evidence whose policy its grant does not name" await 60 "the refusal" refused_release
nowhere() { ! find "$run_dir" -name wrong-key | grep -q .; }
check "and it is on no machine" nowhere

tampered() { # tampered AMI REASON
    image_made "bad-$1" "$1"
    fleet_up "evil-$1" 1 "bad-$1" plain-ec2 app-key
    is_refused() { "$muster" instances list --fleet "evil-$1" -o json |
        jq -e --arg r "$2" '[.items[] | select(.trust == "rejected" and .trust_reason == $r)] | length >= 1'; }
    await 60 "$1 to be refused" is_refused "$1" "$2" &&
        [ "$(fleet_status "evil-$1" | jq '[.deliveries[]?] | add // 0')" = 0 ]
}
# R15, R20
check "a report altered after signing is refused and nothing is delivered" tampered ami-0bad0000000000001 bad-signature
check "a debug policy is refused and nothing is delivered" tampered ami-0bad0000000000002 policy-debug
check "another measurement is refused and nothing is delivered" tampered ami-0bad0000000000003 policy-measurement
unknown_digest() { "$muster" cases list -o json | jq -e '[.items[] | select(.state == "open" and .instances >= 1)] | length == 1'; }
check "and is one case" unknown_digest

# Scale and retire.
"$muster" fleets scale web 2 >/dev/null
check "a fleet scaled down keeps what is asked for" await 60 "two left" has 2 web .trust.trusted
really_gone() { [ "$(ledger | jq '[.entries[] | select(.event == "terminated")] | length')" -ge 2 ]; }
check "and the cloud says that the others are gone" await 60 "terminations" really_gone

# Re-appraisal on request.
anew() { # a newer verdict of the same instance
    local id before
    id=$("$muster" instances list --fleet web -o json | jq -r '.items[] | select(.trust == "trusted") | .id' | head -1)
    before=$("$muster" instances verdicts "$id" -o json | jq '.items | length')
    "$muster" instances attest "$id" >/dev/null || return 1
    newer() { [ "$("$muster" instances verdicts "$id" -o json | jq '.items | length')" -gt "$before" ]; }
    await 30 "a newer verdict" newer
}
check "an instance that is asked for it proves itself anew" anew

# I1-I11 as far as the tables show them.
invariants() { local broken; broken=$(psql -XAtq "$database" -f tests/invariants.sql) && [ -z "$broken" ] || { echo "$broken"; return 1; }; }
check "no invariant is broken" invariants
check "the controller stops cleanly" stop musterd
plan
