#!/bin/bash
# Every alarm is one that `muster explain` knows and that stands, with its severity, in doc/alarms.md; and the page tells
# of no other.
set -u
build=${MUSTER_BUILD:-build}
src=${MUSTER_SRC:-.}
n=0
say() { # what, whether
    n=$((n + 1))
    if [ "$2" = 0 ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
found=$(grep -oE "(SELECT |\()'[a-z-]+', '(critical|warning)'" "$src/db/queries/alarm.sql" | grep -oE "'.*" | tr -d ",'")
while read -r code severity; do
    "$build/cli/muster" explain "$code" >/dev/null 2>&1
    say "$code is explained" $?
    grep -q "^| \`$code\` | $severity |" "$src/doc/alarms.md"
    say "$code is $severity in doc/alarms.md" $?
done <<<"$found"
while read -r code; do
    grep -q "^$code " <<<"$found"
    say "$code of doc/alarms.md is an alarm" $?
done < <(grep -oE '^\| `[a-z-]+` \| (critical|warning)' "$src/doc/alarms.md" | grep -oE '`[a-z-]+`' | tr -d '`')
# A branch of several has them in a list of VALUES, each on a line of its own.
branches=$(grep -cE "SELECT ('[a-z-]+', '(critical|warning)'|r\.code, r\.severity)," "$src/db/queries/alarm.sql")
[ "$(grep -c "UNION ALL" "$src/db/queries/alarm.sql")" = $((branches - 1)) ]
say "each branch begins with its code and severity" $?
echo "1..$n"
[ "$n" -gt 12 ] || echo "Bail out! only $n found"
