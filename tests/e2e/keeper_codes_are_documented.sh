#!/bin/bash
# Every code with which the keeper says no stands in doc/keeper.md.
set -u
src=${MUSTER_SRC:-.}
n=0
for code in $(cd "$src" && grep -hoE '(fail_code|fail_at|REFUSE)\([^"]*"[a-z0-9-]+"' \
    keeper/*.c lib/model/charter.c lib/model/charter_grants.c lib/model/charter_rules.c lib/model/keeper_state.c lib/model/order.c lib/model/destroy_order.c lib/model/reset_order.c lib/model/resume_order.c lib/crypto/kek_file.c |
    grep -oE '"[a-z0-9-]+"' | tr -d '"' | sort -u); do
    n=$((n + 1))
    if grep -q -- "\`$code\`" "$src/doc/keeper.md"; then echo "ok $n - $code"; else echo "not ok $n - $code"; fi
done
echo "1..$n"
[ "$n" -gt 40 ] || echo "Bail out! only $n codes found"
