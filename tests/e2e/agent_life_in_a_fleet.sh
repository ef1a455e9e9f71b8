#!/bin/bash
# What happens to an agent in a fleet of real programs: it proves itself, is asked again, dies and
# comes back with new keys; all of it done and seen through the operator's command.
set -u
cd "${MUSTER_SRC:-.}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

exits() { # CODE COMMAND...
    local code=$1 got=0
    shift
    "$@" || got=$?
    [ "$got" = "$code" ]
}
says() { # WORDS COMMAND...
    local words=$1
    shift
    "$@" 2>&1 | grep -q -- "$words"
}

work=$(mktemp -d /tmp/muster-life.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"
everything_up >"$work/up.log" 2>&1 || bail "$work/up.log"

"$muster" secrets generate app-key --kind opaque --scope fleet --grant plain-key >/dev/null
fleet_up web 2 plain plain-ec2 app-key
check "two become trusted" await_trusted 2 web 60
check "and load their secret" await_loaded 2 web 60
check "the status says that all is simulated" says 'SIMULATED: web' "$muster" status
check "and counts them" says 'running 2' "$muster" status web

id=$("$muster" instances list --fleet web -o json | jq -r '.items[0].id')
verdicts() { "$muster" instances verdicts "$id" -o json | jq '.items | length'; }
more_verdicts() { [ "$(verdicts)" -gt "$1" ]; }
before=$(verdicts)
check "one is asked to prove itself again" "$muster" instances attest "$id"
check "and does" await 30 "a new verdict" more_verdicts "$before"
verdict=$("$muster" instances verdicts "$id" -o json | jq -r '.items[0].id')
check "its verdict lists every check" says policy-measurement "$muster" verdicts get "$verdict"
check "its evidence comes out as it came" says '"kind":"simulated"' "$muster" verdicts evidence "$verdict"

key_of() { "$muster" instances get "$id" -o json | jq -r .link_key; }
key=$(key_of)
ref=$("$muster" instances get "$id" -o json | jq -r .cloud_ref)
agent=$(curl -sf "$sim/_control/machines" | jq -r --arg r "$ref" '.. | objects | select(.ref? == $r) | .pid')
before=$(verdicts)
kill -9 "$agent"
new_key() { [ "$(key_of)" != "$key" ]; }
check "an agent that was killed comes back with a new key" await 60 "the agent" new_key
check "under a new verdict" more_verdicts "$before"
check "and loads its secret anew" await_loaded 2 web 60
secret_file() { find "$run_dir/$ref/secrets" -name app-key -perm 400 -size +0 | grep -q .; }
check "the secret is a file that only its owner may read" secret_file
check "no machine was launched for that" test "$(launches)" = 2

# Their chip's generation is distrusted: seen first, then signed, then asked at once.
generation=$("$muster" verdicts get "$verdict" -o json | jq -r .claims.product)
proposal() { "$muster" distrust generation "$generation" --out "$work/candidate.json" -o json >"$work/distrust.json"; }
check "distrust is proposed" proposal
check "it says whom it hits" jq -e '.plan.flips.count == 2 and .plan.cohorts[0].reason == "denied-product"' "$work/distrust.json"
check "and which secret they saw" jq -e '.exposed | any(.secret == "app-key" and .instances == 2)' "$work/distrust.json"
in_force() {
    "$muster" charter sign --file "$work/candidate.json" --key "$home/keys/charter/key.pem" --out "$work/candidate.jws" &&
        "$muster" charter apply "$work/candidate.jws" --if-plan "$(jq -r .plan.digest "$work/distrust.json")" &&
        cp "$work/candidate.json" "$home/keys/charter/charter.json"
}
check "it is signed and in force" in_force
refused() { [ "$("$muster" instances list --fleet web --reason denied-product -o json | jq '.items | length')" = 2 ]; }
check "they are asked at once, and refused" await 20 "two refusals" refused
attested() { "$muster" distrust list -o json | jq -e '.items[0].steps[] | select(.step == "attest") | .state == "done"'; }
check "which the record says" attested
check "it is lifted" charter_set '/deny/products=[]'
ask_all() { "$muster" instances list --fleet web -o json | jq -r '.items[].id' | xargs -n 1 "$muster" instances attest; }
check "and asked once more" ask_all
check "they are trusted again" await_trusted 2 web 60

check "without a token it is refused" exits 3 env MUSTER_TOKEN=wrong "$muster" fleets list
check "with another root it is unreachable" exits 4 env MUSTER_CA="$home/simulator-root.pem" "$muster" fleets list
check "an unknown name is a failure" exits 1 "$muster" fleets get nobody
echo '{"colour": "red"}' >"$home/red.json"
check "an unknown member is wrong use" says 'unknown-member' "$muster" fleets change web "$home/red.json"
check "and a file that is not there" exits 2 "$muster" fleets change web /nonexistent
watch_ends() {
    "$muster" status web --watch --every 1 >"$home/watch.out" &
    local pid=$!
    await 20 "the first table" grep -q trusted "$home/watch.out" && kill -TERM "$pid" && wait "$pid"
}
check "a watch shows the table and ends in good order" watch_ends
check "a rehearsed change does nothing" "$muster" fleets scale web 9 --dry-run
check "so two are still wanted" has 2 web .desired
check "a fleet is scaled" "$muster" fleets scale web 1
check "and one goes" await 60 "one to go" has 1 web .standing
check "a fleet is deleted" "$muster" fleets delete web
gone() { exits 1 "$muster" fleets get web; }
check "and is gone when its last machine is" await 60 "the fleet to go" gone
check "the audit trail has it" says fleet "$muster" audit list
check "an agent told to end says goodbye" says agent.stopping cat "$work"/cloud/machines/*/agent.log
plan
