#!/bin/bash
# Every setting of the four programs with settings and every command of the API stands in its manual page.
set -u
build=${MUSTER_BUILD:-build}
src=${MUSTER_SRC:-.}
n=0
check() { # what, word, page
    n=$((n + 1))
    if grep -qE -- "$2" "$src/$3"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
settings() { # program, page
    while read -r key; do
        check "setting $key of ${1##*/}" "^\.B $key\$" "$2"
    done < <("$build/$1" --help | sed -n '/^settings:\|lines:$/,$p' | awk '/^  [a-z]/ {print $1}')
}
settings agent/muster-agent agent/muster-agent.8
settings keeper/muster-keeper keeper/muster-keeper.8
settings controller/musterd controller/musterd.8
settings emulator/muster-sim emulator/muster-sim.8
while read -r noun verb; do
    check "muster $noun $verb" "\"muster $noun \" .*\<$verb\>" cli/muster.1
done < <("$build/cli/muster" --help | awk '/^  muster / {print $2, $3}')
# What the keeper may answer to a controller, which is what stands in an instance's deliveries.
while read -r code; do
    n=$((n + 1))
    if "$build/cli/muster" explain "$code" >/dev/null 2>&1; then echo "ok $n - $code is explained"; else echo "not ok $n - $code is explained"; fi
done < <(sed -n '/^### Any request/,/^### charter/p' "$src/doc/keeper.md" | awk -F'|' '/^\| `/ {print $2}' | grep -oE '[a-z0-9-]+')
echo "1..$n"
[ "$n" -gt 40 ] || echo "Bail out! only $n looked at"
