#!/bin/bash
# Every code that a program can answer, print or log is one that `muster explain` knows.
set -u
build=${MUSTER_BUILD:-build}
src=${MUSTER_SRC:-.}
n=0
codes() {
    (cd "$src" && cat agent/*.c cli/*.c controller/*.c db/*.c drivers/*.c drivers/*/*.c keeper/*.c lib/*/*.c) |
        tr -s '\n\t ' ' ' | grep -oP \
        '(fail_code|fail_at|error_fill)\([^"]*"[a-z0-9-]+"( ?: ?"[a-z0-9-]+")?|static const char code\[\] = "[a-z0-9-]+"' |
        grep -oE '"[a-z0-9-]+"' | tr -d '"' | grep -vx fault | sort -u # fault: only where tests ask for it
}
for code in $(codes); do
    n=$((n + 1))
    if "$build/cli/muster" explain "$code" >/dev/null 2>&1; then echo "ok $n - $code"; else echo "not ok $n - $code"; fi
done
echo "1..$n"
[ "$n" -gt 150 ] || echo "Bail out! only $n codes found"
