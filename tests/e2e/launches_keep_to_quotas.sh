#!/usr/bin/env bash
# A fleet over three emulated clouds that grant as many calls as their documents say: no call of ours is one
# too many, a machine costs few, and looking while nothing changes costs a list a cloud. How close it comes to
# the time that quotas leave is measured by the long form, `./dev campaign launches` (doc/performance.md).
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
export MUSTER_PSP_DIR=${MUSTER_BUILD:-$PWD/build}/tests/psp
said=$(boot_ms=500 poll_seconds=1 steady_watch=1 least_ratio=0 tests/campaigns/launches 30 0 2 2>&1)
status=$?
sed 's/^/# /' <<<"$said"
[ "$status" = 0 ] || printf 'not '
echo "ok 1 - thirty machines come to be within their clouds' quotas, and looking at them costs lists alone"
echo "1..1"
