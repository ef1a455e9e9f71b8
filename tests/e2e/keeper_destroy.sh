#!/bin/bash
# Declaring a machine destroyed with the real programs and two people's keys.
set -u
. "${MUSTER_SRC:-.}/tests/support/muster.sh"
. "${MUSTER_SRC:-.}/tests/support/tap.sh"
muster_home "$(mktemp -d "${TMPDIR:-/tmp}/muster-destroy.XXXXXX")"
keeper=$build/keeper/muster-keeper
d=$home/deployment
conf=$d/keeper/keeper.conf
anchor=$(printf '%064d' 7)
link_key=$(printf '%064d' 8)

exits() { # exits CODE COMMAND...
    local code=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$code" ] || { echo "exit code $got, not $code"; return 1; }
}
order() { # order OPTION...: the first person's
    "$muster" keeper destroy-order --cert "$d/keeper/sign-cert.pem" --realm simulation --key "$d/charter/key.pem" \
        --out "$home/order.jws" "$@"
}
second() { "$muster" keeper destroy-order --signed "$home/order.jws" --key "$home/second.pem" --out "$home/order.jws" "$@"; }
destroy() { "$keeper" --config "$conf" --destroy "$home/order.jws"; }
says() { local what=$1; shift; "$@" 2>&1 | grep -q -- "$what"; }

umask 077
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/second.pem" 2>/dev/null ||
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$home/second.pem"
openssl pkey -in "$home/second.pem" -pubout -out "$home/second.pub"
check "two people sign what this keeper obeys" "$muster" keeper init --dir "$d" --realm simulation \
    --signer "$home/second.pub" --threshold 2
check "an order that names nothing is refused" exits 2 order
check "so is what is no hash" exits 2 order --anchor 12ab
check "so is one for longer than a week" exits 2 order --anchor "$anchor" --days 8
check "and for a keeper that only dials" exits 2 "$muster" keeper destroy-order --cert "$d/keeper/link-cert.pem" \
    --realm simulation --anchor "$anchor" --key "$d/charter/key.pem" --out "$home/no.jws"
check "nothing was written of it" exits 1 test -e "$home/no.jws"
check "the first person signs an order" order --anchor "$anchor" --guest-key "$link_key"
check "one signature is too few" says too-few-signatures destroy
check "an order that is signed is not changed" exits 2 second --anchor "$link_key"
check "the second person sees what is signed" says "$link_key" second
check "nobody signs twice" exits 1 second
check "two signatures do" says "destroyed: 2, and 0 before" destroy
check "the memory holds it" grep -q "^destroyed $anchor " "$d/keeper/state"
check "and opens" "$keeper" --config "$conf" --check-config
check "the same order again changes nothing" says "destroyed: 0, and 2 before" destroy
check "one thing at a time" exits 2 "$keeper" --config "$conf" --destroy "$home/order.jws" --check-config
check "no order is no order" exits 1 "$keeper" --config "$conf" --destroy "$home/none.jws"
check "another keeper does not obey it" eval "'$muster' keeper init --dir '$home/other' --realm simulation \
    --signer '$home/second.pub' && cp '$d/keeper/signers.json' '$home/other/keeper/' && conf='$home/other/keeper/keeper.conf' && says order-keeper destroy"
conf=$d/keeper/keeper.conf
"$keeper" --config "$conf" 2>"$home/log/keeper.log" &
running=$!
check "a keeper that runs holds its memory" eval 'await 20 "the keeper" grep -q keeper.started "$home/log/keeper.log" && says state-in-use destroy'
kill "$running"
wait "$running"
plan
rm -rf "$home" "$run_dir"
