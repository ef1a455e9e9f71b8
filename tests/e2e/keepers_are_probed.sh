#!/bin/bash
# A fleet of real programs in which keeper and controller probe: with real evidence, over the real link, and every probe
# is refused with its own code. And the order that ends a halt, from two people's keys to a keeper that has none.
set -u
cd "${MUSTER_SRC:-.}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

work=$(mktemp -d /tmp/muster-probed.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"
up() {
    database_up && sim_up && deployment_made &&
        controller_up "keeper-seconds = 1" "probe-seconds = 1" "endorsements = off" && token_made &&
        keeper_up "probe-seconds = 1" && account_made && image_made plain ami-0ec20000000000001 && first_charter
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"

probes() { "$muster" probes list -o json | jq -e "[.items[] | select(.prober == \"$1\") | $2] | any"; }
says() { local what=$1; shift; "$@" 2>&1 | grep -q -- "$what"; }
alarms() { "$muster" alarms -o json | jq '[.items[] | select(.code | startswith("probe"))] | length'; }
metric() { curl -sf --cacert "$MUSTER_CA" -H "Authorization: Bearer $MUSTER_TOKEN" "$api/metrics" | grep -q "$1"; }

fleet_up web 1 plain plain-ec2
check "a guest becomes trusted" await_trusted 1 web 60
check "the keeper probes with its evidence" await 20 "its probes" probes keeper '.samples == 1 and .held >= 40'
check "the controller asks all three questions" await 20 "its probes" probes controller '.samples == 1 and .held >= 6'
check "nothing was accepted" probes keeper '.accepted == 0 and (.halted | not)'
check "by nobody" probes controller '.accepted == 0'
check "and all with the right code" probes keeper '.wrong == 0'
check "over the link too" probes controller '.wrong == 0'
check "the metrics count them" metric '^muster_probes_held_total [1-9]'
check "no alarm of probes stands" test "$(alarms)" = 0
check "the table names both" says controller "$muster" probes list

stop keeper
order() {
    "$muster" keeper resume-order --cert "$home/keys/keeper/sign-cert.pem" --realm simulation --halt 1 \
        --key "$home/keys/charter/key.pem" --out "$home/order.jws"
}
check "a first person signs an order to resume" order
chmod 644 "$home/order.jws"
check "a keeper that never halted has no use for it" says not-halted "$build/keeper/muster-keeper" \
    --config "$home/keeper.conf" --resume "$home/order.jws"
plan
