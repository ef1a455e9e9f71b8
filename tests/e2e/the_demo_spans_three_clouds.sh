#!/usr/bin/env bash
# The tour of README.md as a reader takes it: it is left running, and then one table has machines of
# AWS, Azure and Google Cloud, all trusted; Ctrl-C ends everything that it started.
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

home=$(mktemp -d /tmp/muster-e2e.XXXXXX)
mkdir "$home/log"
tour=
finish() {
    [ -z "$tour" ] || { kill "$tour" 2>/dev/null; wait "$tour" 2>/dev/null; }
    rm -rf "$home"
}
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp MUSTER_DEMO_DIR=$home/demo

tools/demo >"$home/log/tour.log" 2>&1 &
tour=$!
over() { grep -q 'here until Ctrl-C' "$home/log/tour.log" || ! kill -0 "$tour"; }
stays() { await 600 "the end of the tour" over && kill -0 "$tour"; }
check "the tour comes to its end, and stays" stays
told() { jq -r ".$1" "$MUSTER_DEMO_DIR/demo-state.json"; }
MUSTER_SERVER=$(told api) MUSTER_CA=$(told ca) MUSTER_TOKEN=$(told token)
export MUSTER_SERVER MUSTER_CA MUSTER_TOKEN

drivers() { "$muster" accounts list -o json | jq -e '[.items[].driver] | sort == ["aws", "azure", "gcp"]'; }
check "it has an account in each of three clouds" drivers
spread() { # spread FLEET COUNT: so many in each, all trusted, none beside
    "$muster" instances list --fleet "$1" -o json | jq -e --argjson n "$2" '
        [.items[] | select(.trust == "trusted") | .account] | group_by(.) | map({(.[0]): length}) | add ==
        {"aws-ohio": $n, "azure-west": $n, "gcp-iowa": $n}'
}
check "a fleet has trusted machines in each" spread web 2
check "and so has another" spread vault 1
one_table() {
    "$muster" status >"$home/table" && awk '
        NR == 1 { ok = $1 == "FLEET" && /WHERE/ && /TRUST/ }
        /^(web|vault) / { rows += /aws-ohio [12], azure-west [12], gcp-iowa [12] / && /trusted [36] / }
        END { exit !(ok && rows == 2) }' "$home/table"
}
check "one table of muster status has them all" one_table
by_the_clouds() { # each cloud's own books
    curl -sf "$(told ledger)" | jq -e '[.entries[] | select(.event == "launched")] |
        (map(.cloud) | unique == ["aws", "azure", "gcp"]) and (map(.client_token) | unique | length) == length'
}
check "the clouds' own books have each launch once" by_the_clouds
quick() { grep -qE '^9 things seen in [0-9]+ s' "$home/log/tour.log"; }
check "it says what was seen" quick

ends() { kill "$tour" && wait "$tour"; }
check "Ctrl-C ends it without complaint" ends
tour=
gone() { ! curl -s --max-time 5 --cacert "$MUSTER_CA" "$MUSTER_SERVER/healthz" && [ ! -e "$MUSTER_DEMO_DIR" ]; }
check "and nothing of it is left" gone
plan
