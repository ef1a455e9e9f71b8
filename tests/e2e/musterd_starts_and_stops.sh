#!/usr/bin/env bash
# shellcheck disable=SC2319  # the condition before is what $? is asked for
# musterd as a program: settings, tokens, the ready line, TLS, a clean stop and what it does without
# its database. A private PostgreSQL and a deployment of its own.
set -u
musterd=$MUSTER_BUILD/controller/musterd
muster=$MUSTER_BUILD/cli/muster
work=$(mktemp -d)
pid=
finish() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null
    "$MUSTER_SRC/tests/support/postgres" stop "$work/pg" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT

echo 1..19
n=0
say() { # say STATUS SENTENCE
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
is() { # is GOT WANTED SENTENCE
    [ "$1" = "$2" ] || echo "# got '$1', not '$2'"
    [ "$1" = "$2" ]
    say $? "$3"
}
until_true() { # until_true SECONDS COMMAND...: wait for an event, no longer than its deadline
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        read -rt 0.05 <> <(:) || true
    done
}

database=$("$MUSTER_SRC/tests/support/postgres" start "$work/pg") || { echo "Bail out! no PostgreSQL"; exit 1; }
"$muster" keeper init --dir "$work/dep" --realm simulation --controller-name 127.0.0.1 >"$work/init" 2>&1 ||
    { sed 's/^/# /' "$work/init"; echo "Bail out! no deployment"; exit 1; }
config=$work/musterd.conf
write_config() { # write_config [LINE]...
    printf '%s\n' "database = $database" "api-listen = 127.0.0.1:0" "link-listen = 127.0.0.1:0" \
        "cert-file = $work/dep/controller/cert.pem" "key-file = $work/dep/controller/key.pem" \
        "root-file = $work/dep/controller/root.pem" "stop-seconds = 10" "$@" >"$config"
}
checks() { "$musterd" --config "$config" --check-config >/dev/null 2>"$work/err"; }

# ---- settings
write_config
checks; is $? 0 "good settings are good"
write_config "colour = blue"
checks; is $? 2 "an unknown setting is refused"
write_config "workers = 0"
checks; is $? 2 "a number out of bounds is refused"
write_config
chmod 644 "$work/dep/controller/key.pem"
checks; [ $? != 0 ]; say $? "a key that others may read is refused"
chmod 600 "$work/dep/controller/key.pem"
cp "$config" "$work/other.conf"
sed -i "s|^key-file.*|key-file = $work/dep/keeper/link-key.pem|" "$config"
checks; is $? 2 "a key of another certificate is refused"
write_config

# ---- tokens
"$musterd" token add --config "$config" --role king --label me >/dev/null 2>&1
is $? 2 "an unknown role is refused"
token=$("$musterd" token add --config "$config" --role admin --label me)
[[ $token =~ ^muster_[A-Za-z0-9_-]{43}$ ]]
say $? "a token is printed once"

# ---- running
start() {
    : >"$work/out"
    "$musterd" --config "$config" >"$work/out" 2>>"$work/log" &
    pid=$!
    until_true 20 grep -q '"ready":true' "$work/out"
}
ask() { # ask PATH [CURL OPTION]...: the status, the answer in $work/answer
    local path=$1
    shift
    curl -sS -m 20 --cacert "$work/dep/controller/root.pem" -o "$work/answer" -w '%{http_code}' \
        -H @"$work/header" "$@" "$api$path" 2>>"$work/log"
}
printf 'Authorization: Bearer %s\n' "$token" >"$work/header"
start
say $? "it says where it is when it is ready"
api=$(sed -n 's/.*"api":"\([^"]*\)".*/\1/p' "$work/out")
is "$(ask /healthz)" 200 "it is alive, over TLS under the deployment's root"
is "$(ask /readyz)" 503 "without a keeper it is not ready"
is "$(ask /v1/fleets)" 200 "the token is good"
is "$(ask /v1/fleets -H 'Content-Type: application/json' -d '{"nonsense":1}')" 422 "nonsense is refused"
curl -sS -m 20 --tls-max 1.1 --cacert "$work/dep/controller/root.pem" "$api/healthz" >/dev/null 2>&1
[ $? != 0 ]; say $? "TLS 1.1 is refused"
grep -qF "$token" "$work/log" "$work/out"
is $? 1 "the token is in no log"

"$musterd" token revoke --config "$config" --label nobody >/dev/null 2>&1
[ $? != 0 ]; say $? "a label that no token has cannot be revoked"
"$musterd" token revoke --config "$config" --label me >/dev/null
is "$(ask /v1/fleets)" 401 "a token that was revoked is good no more"

# ---- stopping
before=$SECONDS
kill -TERM "$pid"
wait "$pid"
code=$?
pid=
[ $code = 0 ] && [ $((SECONDS - before)) -le 10 ]
say $? "SIGTERM ends it cleanly and in time"
start && kill -HUP "$pid"
wait "$pid"
is $? 0 "so does SIGHUP, as when its terminal goes"
pid=
sed -i 's|^database.*|database = host=/nowhere dbname=none|' "$config"
"$musterd" --config "$config" >/dev/null 2>>"$work/log"
is $? 4 "without a database it does not start and says unreachable"
