#!/usr/bin/env bash
# I1, I2, I10: machines created and ended on three emulated clouds that throttle, fail, cut off and lose
# answers, by controllers that are killed again and again. The clouds' own ledger finds none doubled,
# none leaked, none lost. The long form is `./dev campaign clouds` (doc/reliability.md).
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
export MUSTER_PSP_DIR=${MUSTER_BUILD:-$PWD/build}/tests/psp
said=$(tests/campaigns/clouds "${creates:-2000}" "${seed:-1}" 2>&1)
status=$?
sed 's/^/# /' <<<"$said"
[ "$status" = 0 ] || printf 'not '
echo "ok 1 - nothing is doubled, leaked or lost"
echo "1..1"
