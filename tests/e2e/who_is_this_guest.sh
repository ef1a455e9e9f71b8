#!/usr/bin/env bash
# Whose machine a guest is, and where, by its cloud's own signed word: what a grant asks of that opens
# where documents agree, and a hostile metadata service gets nothing opened (R5, R11).
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
metadata_program=$build/agent/muster-agent-metadata
up() {
    database_up
    sim_up 'metadata-seconds = 2'
    deployment_made
    controller_up
    token_made
    keeper_up
    account_made
    image_made plain ami-0ec20000000000001
    first_charter
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"

grant() { # grant NAME MEMBER VALUE: as plain-key, but for that
    jq -c --arg member "$2" --argjson value "$3" '.grants["plain-key"] | .[$member] = $value' \
        "$home/keys/charter/charter.json" | sed "s|^|/grants/$1=|"
}
ours() { curl -sf "$sim/_control/clouds" | jq -c '.aws.accounts = ["000000000000"]'; }
charter_set "/clouds=$(ours)" "$(grant ours-key accounts '["000000000000"]')" \
    "$(grant here-key regions '["us-east-2"]')" "$(grant eu-key regions '["eu-west-1"]')" >>"$work/up.log" 2>&1 ||
    bail "$work/up.log"
for secret in ours here eu; do
    "$muster" secrets generate $secret --kind opaque --scope fleet --grant $secret-key >/dev/null
done

lie() { # lie WORD [REF]
    jq -n --arg lie "$1" --arg ref "${2:-}" '{lie: $lie, delay_ms: 4000} + if $ref == "" then {} else {ref: $ref} end' |
        curl -sf -d @- "$sim/_control/metadata" >/dev/null
}
instances() { "$muster" instances list --fleet "$1" -o json; }
refused() { # refused FLEET SECRET REASON [REF]
    instances "$1" | jq -e --arg s "$2" --arg why "$3" --arg ref "${4:-}" \
        '.items[] | select($ref == "" or .cloud_ref == $ref) | .deliveries[] | select(.secret == $s and .reason == $why)'
}

# ---- honest ----
fleet_up good 1 plain plain-ec2 ours here eu
check "a machine becomes trusted" await_trusted 1 good 90
named() { instances good | jq -e '.items[0] | .identity == "provider" and .documents == "agree" and .proven_cloud == "aws" and
    .proven_account == "000000000000" and .proven_region == "us-east-2" and .level == "L1" and (.missing | index("identity") | not)'; }
check "its cloud's document says who it is: identity by the provider, account and region" named
loaded() { instances good | jq -e --arg s "$1" '.items[0].deliveries[] | select(.secret == $s and .state == "loaded")'; }
check "what is for our account is loaded" await 30 "ours" loaded ours
check "and what is for its region" await 30 "here" loaded here
check "what may be in the EU only is refused elsewhere (R5)" await 30 "eu" refused good eu grant-region
curl -sf "$sim/_control/mischief" -d '{"action":"RunInstances","fault":"delay","times":1,"delay_ms":2500}' >/dev/null
fleet_up early 1 plain plain-ec2 ours
seen() { "$muster" instances verdicts "$(instances early | jq -r '.items[0].id')" -o json | jq -r '.items[].claims.documents'; }
nobody_yet() { [ "$(seen)" = none ]; }
check "a machine that proves itself before its launch is answered is nobody yet" await 20 "a verdict" nobody_yet
named_soon() { instances early | jq -e '.items[0] | .documents == "agree" and .proven_account == "000000000000"'; }
check "and is somebody seconds after its launch is known" await 30 "a name" named_soon
check "so that what is for our account is loaded" await_loaded 1 early 30
cp "$home/keys/keeper/signers.json" "$home/signers.json"
verified() {
    "$muster" evidence export --instance "$(instances good | jq -r '.items[0].id')" --out "$work/bundle" || return 1
    "$muster" verify bundle --bundle "$work/bundle" --root "$home/keys/agent/root.pem" --amd-root "$home/simulator-root.pem" \
        --charter-signers "$home/signers.json" -o json | jq -e '.bundle == "genuine" and .appraisal.identity == "provider"'
}
check "a third party comes to the same from the bundle" await 20 "bundle" verified

# ---- hostile ----
lies=(forged altered expired other-machine other-account html huge slow cut)
reasons=(identity-signature identity-signature identity-time identity-instance identity-account identity-format '' '' '')
lie dark
fleet_up web ${#lies[@]} plain plain-ec2 ours here
check "a service that answers nothing makes nobody suspect: all are trusted" await_trusted ${#lies[@]} web 120
nameless() { [ "$(instances web | jq '[.items[] | select(.identity == "none" and .documents == "none" and .proven_account == null)] | length')" = ${#lies[@]} ]; }
check "and nobody is named" nameless
mapfile -t refs < <(instances web | jq -r '.items[].cloud_ref')
mapfile -t ids < <(instances web | jq -r '.items[].id')
for i in "${!lies[@]}"; do
    lie "${lies[$i]}" "${refs[$i]}"
    "$muster" instances attest "${ids[$i]}" >/dev/null 2>&1
done
suspect() { # suspect REF REASON
    instances web | jq -e --arg ref "$1" --arg why "$2" '.items[] | select(.cloud_ref == $ref) |
        .documents == "suspect" and .suspect_reason == $why and .identity == "none" and .trust == "trusted" and
        .proven_account == null and (.missing | index("clear-identity"))'
}
nothing() { instances web | jq -e --arg ref "$1" '.items[] | select(.cloud_ref == $ref) | .documents == "none" and .identity == "none"'; }
for i in "${!lies[@]}"; do
    if [ -n "${reasons[$i]}" ]; then
        check "documents that are ${lies[$i]} make it suspect, and the reason is told" \
            await 30 "${lies[$i]}" suspect "${refs[$i]}" "${reasons[$i]}"
        check "and what is for our account stays closed" await 30 "a refusal" refused web ours identity-suspect "${refs[$i]}"
    else
        check "a service that is ${lies[$i]} proves nothing" await 30 "${lies[$i]}" nothing "${refs[$i]}"
        check "and what is for our account stays closed" await 30 "a refusal" refused web ours grant-account "${refs[$i]}"
    fi
done
told() { fleet_status web | jq -e '.reasons.identity == {"identity-signature": 2, "identity-time": 1, "identity-instance": 1,
    "identity-account": 1, "identity-format": 1} and ([.alarms[] | select(.code == "identity-suspect")] | length == 1)'; }
check "the fleet's status says why, and there is an alarm" told

# ---- honest again ----
lie none
for ref in "${refs[@]}"; do lie none "$ref"; done
for id in "${ids[@]}"; do "$muster" instances attest "$id" >/dev/null 2>&1; done
clear() { fleet_status web | jq -e '.reasons.identity == {} and ([.alarms[] | select(.code == "identity-suspect")] == [])'; }
check "when the service is honest again nobody is suspect, and the alarm is over" await 60 "all clear" clear
check "and all get what is for our account and region" await 90 "secrets" has $((2 * ${#refs[@]})) web .deliveries.loaded
plan
