#!/bin/bash
# From a lost state file to a new one, with the real programs and two people's keys.
set -u
. "${MUSTER_SRC:-.}/tests/support/muster.sh"
. "${MUSTER_SRC:-.}/tests/support/tap.sh"
muster_home "$(mktemp -d "${TMPDIR:-/tmp}/muster-reset.XXXXXX")"
keeper=$build/keeper/muster-keeper
d=$home/deployment
conf=$d/keeper/keeper.conf

# exits CODE COMMAND...
exits() {
    local code=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$code" ] || { echo "exit code $got, not $code"; return 1; }
}
order() { # order OPTION...: the first person's
    "$muster" keeper reset-order --cert "$d/keeper/sign-cert.pem" --realm simulation --key "$d/charter/key.pem" \
        --out "$home/order.jws" "$@"
}
second() { "$muster" keeper reset-order --signed "$home/order.jws" --key "$home/second.pem" --out "$home/order.jws"; }
reset() { "$keeper" --config "$conf" --reset-state "$home/order.jws"; }
says() { local what=$1; shift; "$@" 2>&1 | grep -q -- "$what"; }

umask 077
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/second.pem" 2>/dev/null ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/second.pem"
openssl pkey -in "$home/second.pem" -pubout -out "$home/second.pub"
check "init pins a second person's key" "$muster" keeper init --dir "$d" --realm simulation --signer "$home/second.pub"
check "both keys are pinned" exits 0 jq -e '.threshold == 1 and (.keys | length) == 2' "$d/keeper/signers.json"
check "init takes no threshold that cannot be reached" exits 2 "$muster" keeper init --dir "$home/other" \
    --realm simulation --threshold 2
check "init pins nobody twice" exits 2 "$muster" keeper init --dir "$home/twice" --realm simulation \
    --signer "$home/second.pub" --signer "$home/second.pub"
check "and made nothing of it" exits 1 test -e "$home/twice/keeper"
check "the first person signs an order" order --least-serial 5
check "the keeper keeps the memory that it has" says state-there reset
rm "$d/keeper/state"
check "without a memory the keeper opens" "$keeper" --config "$conf" --check-config
check "one signature is too few" says too-few-signatures reset
check "an order that is signed is not changed" exits 2 "$muster" keeper reset-order --signed "$home/order.jws" \
    --least-serial 1 --key "$home/second.pem" --out "$home/order.jws"
check "the second person sees what is signed" says '"least_serial": 5' second
check "nobody signs twice" exits 1 second
check "two signatures do" reset
check "the new memory opens" "$keeper" --config "$conf" --check-config
check "and is the user's alone" test "$(stat -c %a "$d/keeper/state")" = 600
check "the order does not work again" exits 1 reset
check "an order for longer than a week is refused" exits 2 order --least-serial 5 --days 8
plan
rm -rf "$home" "$run_dir"
