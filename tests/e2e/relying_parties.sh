#!/usr/bin/env bash
# Both flows of RATS with a relying party that has no code of Muster: a passport that a guest gets for it, and a
# background check of evidence over its own nonce. It checks what doc/relying-parties.md says, with PyJWT.
# shellcheck disable=SC2016,SC2034,SC2119,SC2120 # what eval is given is for it to expand
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh
if ! /usr/bin/python3 -c 'import jwt, cryptography' 2>/dev/null; then
    echo "1..0 # SKIP python3-jwt or python3-cryptography is not installed"
    exit 0
fi

work=$(mktemp -d /tmp/muster-e2e.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"
everything_up >"$work/up.log" 2>&1 || bail "$work/up.log"

audience=https://bao.example:8200
party() { printf '/relying_parties/%s={"audience":"%s","policies":["%s"],"least_level":"%s","max_verdict_age_seconds":600,"valid_seconds":300}' "$@"; }
{
    charter_set "$(party bao $audience measured L1)" "$(party strict https://strict.example measured L2)" &&
        fleet_up vault 2 direct measured && fleet_up web 1 plain plain-ec2
} >"$work/up.log" 2>&1 || bail "$work/up.log"

exits() { # exits CODE COMMAND...
    local code=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$code" ] || { echo "exit code $got, not $code"; return 1; }
}
refused() { # refused CODE COMMAND...: with exit code 3 and that word
    local word=$1 got=0
    shift
    "$@" >"$work/said" 2>&1 || got=$?
    cat "$work/said"
    [ "$got" = 3 ] && grep -q -- "$word" "$work/said"
}
relying_party() { /usr/bin/python3 tests/support/relying_party.py "$@"; }
guests() { "$muster" instances list --fleet "$1" -o json | jq -r ".items[] | $2"; }
machine() { guests "$1" .cloud_ref | sed -n "${2:-1}p"; }
passport() { "$build/agent/muster-agent" passport --config "$home/cloud/machines/$1/agent.conf" "${@:2}"; }
keys_got() { curl -sf --cacert "$MUSTER_CA" "$api/.well-known/jwks.json" >"$work/served.json"; }
pinned() { relying_party pin --root "$home/keys/root/cert.pem" --jwks "$work/served.json" --role "keeper-$1" >"$work/$1.json"; }
# The role of doc/relying-parties.md.
login() {
    relying_party login --jwks "$work/passport.json" --typ muster-simulated-passport+jwt --bound-audience $audience \
        --bound-issuer muster-passport-simulation --user-claim /sub --bound-claim /muster/level=L1,L2,L3 \
        --bound-claim /muster/policy=measured --bound-claim /muster/software=hardware \
        --bound-claim /muster/realm=simulation "$@" "$work/p"
}

check "machines of both kinds become trusted" eval 'await_trusted 2 vault 90 && await_trusted 1 web 90'
one=$(machine vault) two=$(machine vault 2) plain=$(machine web)

# ---- passports
check "a program of a guest gets a passport" eval 'passport "$one" bao >"$work/p"'
check "anybody gets the keys, and the root signed them" eval 'keys_got && pinned passport && pinned opinion'
check "the two kinds of token have keys of their own" test "$(jq -s '[.[].keys[].kid] | unique | length' "$work/passport.json" "$work/opinion.json")" = 2
check "no key of verdicts is among them" test "$(jq '[.keys[].muster_role] | index("keeper-sign")' "$work/served.json")" = null
check "the relying party lets the guest in" eval 'login >"$work/in"'
check "under the name of its instance" eval 'guests vault .id | grep -qx "$(jq -r .alias "$work/in")"'
simulated() { jq -e '.claims | .muster.simulated and .submods.muster["ear.status"] == "none" and (.muster.missing | type == "array")' "$work/in"; }
check "and sees that all of it is simulated, and affirms nothing" simulated
check "in production it would not" refused Refused login --typ muster-passport+jwt
check "nor by the issuer of production" refused InvalidIssuerError login --bound-issuer muster-passport
check "another relying party lets it not in" refused InvalidAudienceError login --bound-audience https://strict.example
check "nor does one that asks for more" refused /muster/level login --bound-claim /muster/level=L2,L3
check "nor one that asks for another image" refused /muster/policy login --bound-claim /muster/policy=plain-ec2
check "six minutes later it counts no more" refused ExpiredSignatureError login --leeway -360
check "changed in one letter it counts nothing" eval 'cp "$work/p" "$work/good"; sed -i "s/\(.*\.\)\(.\)/\1\2\2/" "$work/p"; refused Error login; mv "$work/good" "$work/p"'
check "with keys of opinions it is not known" eval 'cp "$work/passport.json" "$work/k"; cp "$work/opinion.json" "$work/passport.json"; refused "unknown key" login; mv "$work/k" "$work/passport.json"'

# ---- who shows it
challenged() { passport "$1" --challenge "$3" bao >"$work/both" && sed -n 1p "$work/both" >"$work/$2" && sed -n 2p "$work/both" >"$work/$2.proof"; }
possesses() { relying_party possession --passport "$work/$1" --proof "$work/$2.proof" --challenge "$3"; }
check "a challenge is answered with the key that the passport names" eval 'challenged "$one" mine fresh-1 && possesses mine mine fresh-1 >"$work/key"'
proven_key() { local id; id=$("$muster" instances list --fleet vault -o json | jq -r --arg r "$one" '.items[] | select(.cloud_ref == $r) | .id')
    "$muster" instances verdicts "$id" -o json | jq -e --arg k "$(cat "$work/key")" '.items[0].claims.link_key == $k'; }
check "which is the link key of the verdict" proven_key
check "an answer to another challenge is none" refused "another challenge" possesses mine mine fresh-2
check "another guest's key does not go with it" eval 'challenged "$two" theirs fresh-1 && refused Error possesses mine theirs fresh-1'
check "nor one's own with another passport" refused Error possesses theirs mine fresh-1

# ---- muster token verify
verifies() { "$muster" token verify --root "$home/keys/root/cert.pem" --jwks "$work/served.json" "$@"; }
check "muster token verify says the same, offline" eval 'verifies --audience $audience "$work/p" | jq -e ".typ == \"muster-simulated-passport+jwt\" and .claims.muster.level == \"L1\""'
check "also by the keeper's own file" eval '"$muster" token verify --root "$home/keys/root/cert.pem" --jwks "$home/keys/keeper/jwks.jwt" --audience $audience "$work/p"'
check "for another audience it refuses" refused "not for" verifies --audience https://strict.example "$work/p"
check "without one it is used wrongly" exits 2 verifies "$work/p"
check "later it refuses" refused "expired" verifies --audience $audience --at "$(date -u -d '+6 minutes' +%FT%TZ)" "$work/p"
psql -XAtq "$database" -c "SELECT token FROM verdicts WHERE verdict = 'trusted' LIMIT 1" >"$work/verdict"
check "a verdict it refuses by name" refused "a verdict is for the keeper" verifies --audience muster-keeper "$work/verdict"
"$muster" keeper init --dir "$work/other" --realm simulation >/dev/null 2>&1
check "under another root it refuses" refused "not issued by the deployment root" "$muster" token verify --root "$work/other/root/cert.pem" --jwks "$work/served.json" --audience $audience "$work/p"

# ---- who gets none
check "no passport for a party that is not in the charter" refused party-unknown passport "$one" nobody
check "none for one that asks for more than was proven" refused party-level passport "$one" strict
check "none for guests of another policy" refused party-policy passport "$plain" bao
check "a name that is none is used wrongly" exits 2 passport "$one" ../bao
flood() { for _ in $(seq 12); do passport "$two" bao >/dev/null 2>"$work/said"; done; grep -q passport-too-many "$work/said"; }
check "a guest that asks without end is told to wait" flood
audited() { "$muster" audit list -o json | jq "[.items[] | select(.verb == \"passport.issued\" and $1)] | length"; }
check "what was issued is in the audit trail" eval 'await 20 "the trail" eval "[ \$(audited true) -ge 3 ]"'
jti() { cut -d. -f2 "$1" | tr _- /+ | base64 -di 2>/dev/null | jq -r .jti; }
check "by its id and relying party" eval 'await 20 "the entry" eval "[ \$(audited \".detail.passport == \\\"$(jti "$work/p")\\\" and .detail.relying_party == \\\"bao\\\"\") = 1 ]"'
check "a flood does not flood it" test "$(audited true)" -le 12
nowhere() { ! { psql -XAtq "$database" -c 'SELECT detail FROM audit' -c 'SELECT claims FROM verdicts'; cat "$home"/log/*.log "$home"/cloud/machines/*/agent.log; } | grep -qF "$(cut -d. -f3 "$work/p")"; }
check "the passport itself is kept nowhere" nowhere

# ---- background check
new_nonce() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
nonce=$(new_nonce) other=$(new_nonce)
evidence() { "$build/agent/muster-agent" evidence --config "$home/cloud/machines/$1/agent.conf" "${@:2}"; }
asked() { relying_party question --policy measured --shown "$work/shown" --nonce "$nonce" "$@" >"$work/question" && "$muster" opinions ask "$work/question" -o json >"$work/answer" && jq -r .token "$work/answer" >"$work/p"; }
opinion() { relying_party login --jwks "$work/opinion.json" --typ muster-simulated-opinion+jwt --bound-audience muster-opinion --bound-issuer muster-keeper-simulation \
    --user-claim /muster/link_key --bound-claim /muster/verdict=trusted --bound-claim /muster/nonce_source=shown --bound-claim "/muster/nonce=$(printf %s "$nonce" | xxd -r -p | base64 -w0)" "$@" "$work/p"; }
check "a program of a guest gets evidence over a relying party's nonce" eval 'evidence "$one" --nonce "$nonce" >"$work/shown"'
check "which says no nonce, for that is the party's to say" test "$(jq -c keys "$work/shown")" = '["evidence","link_key"]'
check "and is over the digest that is documented" eval 'relying_party over --shown "$work/shown" --nonce "$nonce" >"$work/over"'
check "with the guest's link key, which its passports name" cmp "$work/over" "$work/key"
check "the party gets an opinion on it" asked
check "and checks it like any JWT, with its nonce in it" eval 'opinion >"$work/in"'
check "which names the guest's key" test "$(jq -r .alias "$work/in")" = "$(cat "$work/key")"
check "an opinion is no passport" eval 'refused Refused login && refused "unknown key" login --typ muster-simulated-opinion+jwt'
check "shown again to another nonce it is not trusted" eval 'asked --nonce "$other" && refused /muster/verdict opinion'
check "nor with another guest's key" eval 'evidence "$two" --nonce "$nonce" >"$work/theirs" && asked --link-key-of "$work/theirs" && refused /muster/verdict opinion'
raw() { jq '{evidence, policy: "measured", nonce: $nonce}' --arg nonce "$nonce" "$work/shown" >"$work/question" && "$muster" opinions ask "$work/question" -o json | jq -r .token >"$work/p"; }
check "nor as an answer to the nonce itself" eval 'raw && refused /muster/verdict opinion'
check "what the guest said is no question as it is" eval '! "$muster" opinions ask "$work/shown" >"$work/said" 2>&1 && grep -q link_key "$work/said"'
check "a nonce that is too short or none is used wrongly" eval 'exits 2 evidence "$one" --nonce 00112233 && exits 2 evidence "$one"'
greedy() { for _ in $(seq 4); do evidence "$two" --nonce "$nonce" >/dev/null 2>"$work/said"; done; grep -q evidence-too-many "$work/said"; }
check "programs that ask without end are told to wait" greedy
deaf() { sed '/^passport-socket/d' "$home/cloud/machines/$one/agent.conf" >"$work/deaf.conf"; "$build/agent/muster-agent" evidence --config "$work/deaf.conf" --nonce "$nonce" 2>"$work/said"; [ $? = 2 ] && grep -q bad-setting "$work/said"; }
check "without the socket nobody gets any" deaf

# ---- keys overlap
check "with a new key for passports" eval '"$muster" keeper renew --dir "$home/keys" --role keeper-passport --new-key && { [ "$(id -u)" != 0 ] || chown -R nobody "$home/keys/keeper"; } && stop keeper && keeper_up'
check "the list has the old one and the new one" eval 'keys_got && pinned passport && [ "$(jq ".keys | length" "$work/passport.json")" = 2 ]'
check "a passport of before still counts" eval 'cp "$work/mine" "$work/p" && login'
kid() { cut -d. -f1 "$1" | tr _- /+ | base64 -di 2>/dev/null | jq -r .kid; }
fresh() { passport "$one" bao >"$work/p" && login && [ "$(kid "$work/p")" != "$(kid "$work/mine")" ]; }
check "and the next one is signed with the new one" await 60 "a passport" fresh

# ---- who is out
anchor=$("$muster" instances list --fleet vault -o json | jq -r --arg r "$one" '.items[] | select(.cloud_ref == $r) | .id' | xargs -I{} "$muster" instances verdicts {} -o json | jq -r '.items[0].claims.anchor')
check "a machine that the charter denies gets none" eval 'charter_set "/deny/anchors=[\"$anchor\"]" && refused denied-anchor passport "$one" bao'
psql -XAtq "$database" -c "UPDATE instances SET trust = 'quarantined' WHERE cloud_ref = '$plain'"
check "nor does one that is quarantined" refused not-trusted passport "$plain" bao
stop musterd
check "without a controller evidence comes all the same" eval 'evidence "$one" --nonce "$other" >"$work/shown" && relying_party over --shown "$work/shown" --nonce "$other"'
check "without a controller the guest says so" exits 4 eval 'await 20 "the loss" eval "passport $two bao 2>&1 | grep -q no-controller"; passport "$two" bao'
plan
