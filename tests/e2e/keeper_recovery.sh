#!/bin/bash
# The key-encryption key is lost with its machine, and comes back by a recovery key: with muster, and
# with nothing but OpenSSL.
set -u
. "${MUSTER_SRC:-.}/tests/support/muster.sh"
. "${MUSTER_SRC:-.}/tests/support/tap.sh"
muster_home "$(mktemp -d "${TMPDIR:-/tmp}/muster-recovery.XXXXXX")"
d=$home/deployment
kek=$d/keeper/kek
umask 077

holder() { # holder NAME: a recovery key and its certificate
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$home/$1.key" -out "$home/$1.pem" \
        -subj "/CN=recovery $1" -days 3650 2>/dev/null
}
exits() { # exits CODE COMMAND...
    local code=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$code" ] || { echo "exit code $got, not $code"; return 1; }
}
says() { local what=$1; shift; "$@" 2>&1 | grep -q -- "$what"; }
init() { "$muster" keeper init --realm production "$@"; }
proves() { "$muster" keeper recovery-test --dir "$d/recovery" --key "$home/$1.key"; }
recover() { "$muster" keeper recover --dir "$d/recovery" --key "$home/$1.key" --out "$kek"; }

for who in first second stranger; do holder "$who"; done
check "production is not made without recovery" says "needs recovery certificates" init --dir "$home/none"
check "nor with one" says "1 recovery certificates" init --dir "$home/one" --recovery "$home/first.pem"
check "nor with one twice" says "have one key" init --dir "$home/one" --recovery "$home/first.pem" \
    --recovery "$home/first.pem"
check "and nothing is left of it" exits 1 test -e "$home/one/keeper"
check "two recovery certificates do" init --dir "$d" --recovery "$home/first.pem" --recovery "$home/second.pem"
check "the first key opens it" says "realm, generation 1" proves first
check "so does the second" says "$(cat "$d/recovery/kek.sha256")" proves second
check "a stranger's does not" exits 3 proves stranger
check "a stranger's says why" says "wrapped to other keys" proves stranger
check "what is kept for recovery holds no key" exits 1 grep -q "$(sed -n 2p "$kek")" -r "$d/recovery"
check "OpenSSL alone opens it" sh -c "openssl cms -decrypt -inform DER -in '$d/recovery/kek.cms' \
    -inkey '$home/second.key' -recip '$home/second.pem' | cmp - '$kek'"
cp "$kek" "$home/kek.before"
check "a key that is there is not written over" exits 1 recover first
rm "$kek"
check "without the key the keeper does not start" exits 1 "$build/keeper/muster-keeper" \
    --config "$d/keeper/keeper.conf" --check-config
check "the recovery key brings it back" recover second
check "as it was" cmp "$kek" "$home/kek.before"
check "for the keeper's user alone" test "$(stat -c %a "$kek")" = 600
check "and the keeper opens its memory with it" "$build/keeper/muster-keeper" --config "$d/keeper/keeper.conf" \
    --check-config
init --dir "$home/other" --recovery "$home/first.pem" --recovery "$home/second.pem" >"$home/check.log" 2>&1
cp "$home/other/recovery/kek.cms" "$d/recovery/kek.cms"
check "another deployment's key in its place is noticed" says "another key than" proves first
plan
rm -rf "$home" "$run_dir"
