#!/bin/bash
# Certificates near their end: keeper and controller say so, are renewed where the root's key is, and
# start with the new ones while the other still has the old.
set -u
. "${MUSTER_SRC:-.}/tests/support/muster.sh"
. "${MUSTER_SRC:-.}/tests/support/tap.sh"
muster_home "$(mktemp -d "${TMPDIR:-/tmp}/muster-renew.XXXXXX")"
d=$home/keys
trap 'muster_down; rm -rf "$home"' EXIT

exits() { # exits CODE COMMAND...
    local code=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$code" ] || { echo "exit code $got, not $code"; return 1; }
}
says() { local what=$1; shift; "$@" 2>&1 | grep -q -- "$what"; }
renew() { "$muster" keeper renew --dir "$d" "$@"; }
# root's keeper becomes somebody else, who must own its folder
give() { [ "$(id -u)" != 0 ] || { chmod 755 "$d" && chown -R nobody "$d/keeper"; }; }
ends() { date -ud "$(openssl x509 -in "$d/$1" -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ; }
metric() { curl -sf --cacert "$MUSTER_CA" -H "Authorization: Bearer $MUSTER_TOKEN" "$api/metrics" | awk -v n="$1" '$1 == n {print $2}'; }
logged() { grep -q "event=certificate.ends-soon role=$2 .*days_left=$3" "$home/log/$1.log"; }

{
    "$muster" keeper init --dir "$d" --realm simulation --controller-name 127.0.0.1 && renew --days 5 && give &&
        database_up && controller_up && token_made && keeper_up
} >"$home/up.log" 2>&1 || bail "$home/up.log"

check "a controller five days before the end warns" await 10 "the warning" logged musterd controller 4
check "so does a keeper, of what it signs with" await 10 "the warning" logged keeper keeper-sign 4
check "and of what it dials with" logged keeper keeper-link 4
check "and of what it signs opinions with" logged keeper keeper-opinion 4
check "and passports" logged keeper keeper-passport 4
check "once" test "$(grep -c certificate.ends-soon "$home/log/keeper.log")" = 4
left=$(metric muster_certificate_expires_seconds)
check "the metrics count the seconds" test "${left:-0}" -gt $((4 * 86400)) -a "${left:-0}" -le $((5 * 86400))

check "nothing is renewed without --dir" exits 2 "$muster" keeper renew
check "nor for longer than 90 days" exits 2 renew --days 91
check "nor for a role that is none" exits 2 renew --role king
check "nor for a guest" exits 2 renew --role guest
check "nor all keys at once" exits 2 renew --new-key
check "an option that is none is refused" exits 2 renew --force
before=$(ends keeper/link-cert.pem)
check "it says until when, and until when the ones before" says "keeper-link .*the one before until $before" renew
check "what it says is so" says "the one before until $(ends keeper/sign-cert.pem)" renew --role keeper-sign
give
check "certificates are public" test "$(stat -c %a "$d/keeper/sign-cert.pem")" = 644
check "keys are not" test "$(stat -c %a "$d/keeper/sign-key.pem")" = 600
check "nothing else is left beside them" exits 1 sh -c "ls '$d'/keeper '$d'/controller | grep -F .new"

: >"$home/log/keeper.log"
stop keeper
check "a keeper with the new one finds a controller with the old one" keeper_up
check "and warns no more" exits 1 logged keeper keeper-sign .
: >"$home/log/musterd.log"
stop musterd
check "the controller starts with the new one, and the keeper comes back" \
    eval 'controller_up && await 30 "the keeper" keeper_is_there'
check "nor does it warn" exits 1 logged musterd controller .
left=$(metric muster_certificate_expires_seconds)
check "the metrics say 90 days" test "${left:-0}" -gt $((89 * 86400))

check "a controller's key is replaced" renew --role controller --new-key --controller-name 127.0.0.1 \
    --controller-name muster.example.net
check "it names what was said" says muster.example.net openssl x509 -in "$d/controller/cert.pem" -noout -ext subjectAltName
check "and key and certificate belong together" "$build/controller/musterd" --config "$home/musterd.conf" --check-config
stop musterd
check "it starts with them, and the keeper comes back" eval 'controller_up && await 30 "the keeper" keeper_is_there'

rm "$d"/keeper/opinion-*.pem "$d"/keeper/passport-*.pem
check "a folder from before there were opinions and passports is renewed without their keys" exits 0 renew
check "and gets them when asked for" exits 0 renew --role keeper-opinion --role keeper-passport --new-key
check "with their certificates" says CERTIFICATE cat "$d/keeper/opinion-cert.pem" "$d/keeper/passport-cert.pem"
check "but a key that another role lost is missed" eval 'mv "$d"/keeper/import-*.pem "$home"; exits 1 renew; mv "$home"/import-*.pem "$d/keeper"'

"$muster" keeper init --dir "$home/other" --realm simulation >"$home/check.log" 2>&1
mv "$d/root" "$home/root" && cp -r "$home/other/root" "$d/root"
check "another deployment's root renews nothing" exits 3 renew
check "and says so" says "not issued by the deployment root" renew
rm -r "$d/root"
check "nor does none" exits 1 renew
check "and says what is missing" says "root/key.pem: No such file" renew
plan
