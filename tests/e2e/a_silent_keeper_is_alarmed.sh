#!/bin/bash
# A keeper that is stopped, though its connection stands, and one that is killed: an alarm within two intervals, gone
# when it is back.
set -u
cd "${MUSTER_SRC:-.}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

work=$(mktemp -d /tmp/muster-silent.XXXXXX)
finish() {
    kill -CONT "${pids[keeper]:-0}" 2>/dev/null
    muster_down
    rm -rf "$work"
}
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"
up() {
    database_up && sim_up && deployment_made && controller_up "keeper-seconds = 1" "endorsements = off" && token_made &&
        keeper_up
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"

silent() { "$muster" alarms -o json | jq -e '.items | any(.code == "keeper-silent")'; }
well() { [ "$("$muster" alarms -o json | jq '[.items[] | select(.object | startswith("keeper"))] | length')" = 0 ]; }
late() { # how long after its last answer that is
    "$muster" keepers list -o json | jq -e '.items[0].last_seen | sub("\\.[0-9]+"; "") | fromdateiso8601 | (now - .) < 5'
}

check "a keeper that answers raises no alarm" await 20 "its first answer" well
kill -STOP "${pids[keeper]}"
check "one that is stopped does" await 20 "the alarm" silent
check "within two intervals" late
check "though its connection stands" keeper_is_there
kill -CONT "${pids[keeper]}"
check "until it goes on" await 20 "its answer" well
stop keeper KILL
check "one that is killed raises it too" await 20 "the alarm" silent
check "within two intervals" late
name=$("$muster" keepers list -o json | jq -r '.items[0].name')
check "until it is forgotten" "$muster" keepers forget "$name"
check "which ends the alarm" well
check "and is in the audit trail" await 10 "its entry" sh -c "'$muster' audit list -o json | grep -q keeper.forgotten"
keeper_up >/dev/null 2>&1
seen() { "$muster" keepers list -o json | jq -e '.items | length == 1 and (.[0].silent | not)'; }
check "or is started again" await 20 "its answer" seen
plan
