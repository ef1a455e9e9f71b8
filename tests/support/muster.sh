# shellcheck shell=bash disable=SC2120,SC2034
# A whole Muster on loopback: PostgreSQL, keeper, controller and muster-sim, for the demo and the
# end-to-end tests. Source it, call muster_home once, then what is needed. Everything it starts is
# ended by muster_down, by pid, and everything it makes is below $home.

build=${MUSTER_BUILD:-$PWD/build}
src=${MUSTER_SRC:-$PWD}
muster=$build/cli/muster
declare -A pids=()

complain() { echo "muster.sh: $*" >&2; return 1; }

# await SECONDS WHAT COMMAND...: until the command succeeds; no answer in time is a failure that says so
await() {
    local seconds=$1 what=$2 until=$((SECONDS + $1))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || { complain "waited $seconds s in vain for $what"; return 1; }
        read -rt 0.1 <> <(:) || :
    done
}

# muster_home DIR: where everything goes. Root's programs give up their rights to `nobody`, who must
# get there.
muster_home() {
    mkdir -p "$1"
    home=$(cd "$1" && pwd)
    chmod 755 "$home"
    mkdir -p "$home/log"
    run_dir=$(mktemp -d /dev/shm/muster-run.XXXXXX 2>/dev/null || mktemp -d)
    export AWS_ACCESS_KEY_ID=AKIAMUSTERSIM0000000 AWS_SECRET_ACCESS_KEY=muster-sim-secret-key
}

# start NAME COMMAND...: in the background, logging to log/NAME.log; standard output to NAME.out
start() {
    local name=$1
    shift
    : >"$home/$name.out"
    "$@" >"$home/$name.out" 2>>"$home/log/$name.log" &
    pids[$name]=$!
}

is_running() { kill -0 "${pids[$1]:-0}" 2>/dev/null; }

ready() { jq -es 'last.ready' "$home/$1.out"; }

started() { # started NAME: its ready line is there
    await 30 "$1 to be ready" ready "$1" || { tail -20 "$home/log/$1.log" >&2; return 1; }
}

stop() { # stop NAME [SIGNAL]
    local pid=${pids[$1]:-}
    [ -n "$pid" ] || return 0
    kill -"${2:-TERM}" "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
    unset "pids[$1]"
}

# ---- the parts ----

database_up() { database=$("$src/tests/support/postgres" start "$home/postgres" "$@"); }

# sim_up [key = value lines for every agent]
sim_up() {
    printf '%s\n' 'retry-first-seconds = 1' 'retry-most-seconds = 5' \
        'redial-most-seconds = 2' "$@" >"$home/agents.conf"
    cat >"$home/sim.conf" <<EOF
state-dir = $home/cloud
run-dir = $run_dir
port = ${sim_port:-0}
agent-command = ${agent_command:-$build/agent/muster-agent} --config {config}
agent-config = $home/agents.conf
psp-dir = ${MUSTER_PSP_DIR:-$home/psp}
EOF
    [ -z "${metadata_program:-}" ] || echo "metadata-program = $metadata_program" >>"$home/sim.conf"
    [ -z "${sim_more:-}" ] || echo "$sim_more" >>"$home/sim.conf"
    start sim "$build/emulator/muster-sim" --config "$home/sim.conf"
    await 60 "muster-sim to be ready" ready sim || { tail -20 "$home/log/sim.log" >&2; return 1; }
    sim=$(jq -rs 'last.ec2' "$home/sim.out")
    sim_port=$(jq -rs 'last.port' "$home/sim.out")
}

deployment_made() {
    curl -sf "$sim/_control/roots" >"$home/simulator-root.pem"
    "$muster" keeper init --dir "$home/keys" --realm simulation --controller-name 127.0.0.1 \
        --controller-name localhost --simulator-root "$home/simulator-root.pem" >/dev/null
    # Root's keeper becomes somebody else, who must own its folder.
    if [ "$(id -u)" = 0 ]; then
        chmod 755 "$home/keys"
        chown -R nobody "$home/keys/keeper"
    fi
}

# controller_up [key = value lines]: at its old ports, when it had some
controller_up() {
    cat >"$home/musterd.conf" <<EOF
database = $database
api-listen = 127.0.0.1:${api_port:-0}
link-listen = 127.0.0.1:${link_port:-0}
cert-file = $home/keys/controller/cert.pem
key-file = $home/keys/controller/key.pem
root-file = $home/keys/controller/root.pem
catalogue-signers = $home/keys/controller/signers.json
heartbeat-seconds = ${heartbeat_seconds:-2}
lease-seconds = ${lease_seconds:-8}
watch-seconds = ${watch_seconds:-1}
EOF
    printf '%s\n' "$@" >>"$home/musterd.conf"
    start musterd "$build/controller/musterd" --config "$home/musterd.conf"
    started musterd || return 1
    api=$(jq -rs 'last.api' "$home/musterd.out")
    link=$(jq -rs 'last.link' "$home/musterd.out")
    api_port=${api##*:}
    link_port=${link##*:}
    export MUSTER_SERVER=$api MUSTER_CA=$home/keys/controller/root.pem
}

# keeper_up [key = value lines]
keeper_up() {
    cat >"$home/keeper.conf" <<EOF
folder = $home/keys/keeper
controllers = $link
redial-most-seconds = 1
EOF
    [ "$(id -u)" != 0 ] || echo 'user = nobody' >>"$home/keeper.conf"
    printf '%s\n' "$@" >>"$home/keeper.conf"
    start keeper "$build/keeper/muster-keeper" --config "$home/keeper.conf"
    await 30 "the keeper on the link" keeper_is_there || { tail -20 "$home/log/keeper.log" >&2; return 1; }
}

keeper_is_there() {
    curl -sf --cacert "$MUSTER_CA" -H "Authorization: Bearer $MUSTER_TOKEN" "$api/metrics" | grep -q '^muster_keepers_connected [1-9]'
}

token_made() {
    MUSTER_TOKEN=$("$build/controller/musterd" token add --config "$home/musterd.conf" --role admin \
        --label "${1:-demo}")
    export MUSTER_TOKEN
}

# charter_set POINTER=JSON...: edit, sign, apply
charter_set() {
    local change arguments=()
    for change in "$@"; do arguments+=(--set "$change"); done
    "$muster" charter edit --file "$home/keys/charter/charter.json" "${arguments[@]}" --days 30 >/dev/null
    "$muster" charter sign --file "$home/keys/charter/charter.json" --key "$home/keys/charter/key.pem" \
        --out "$home/charter.jws" >/dev/null
    "$muster" charter apply "$home/charter.jws" >/dev/null
}

measurement_of() { curl -sf "$sim/_control/images" | jq -r --arg i "$1" '.images[$i].measurement // .[$i].measurement'; }

# What the tour and most tests begin with: policies for the two kinds of simulated image, a grant
# for each, an account and images.
first_charter() {
    local ec2 direct
    ec2=$(measurement_of ami-0ec20000000000001)
    direct=$(measurement_of ami-0d1ec700000000001)
    charter_set \
        "/references/ec2-firmware={\"measurement\":[\"$ec2\"],\"measured_boot\":false,\"anchor\":\"none\",\"provider_execution\":\"on\",\"retired\":false}" \
        "/references/direct-boot={\"measurement\":[\"$direct\"],\"measured_boot\":true,\"anchor\":\"host-data\",\"provider_execution\":\"off\",\"retired\":false}" \
        '/policies/plain-ec2={"snp":{"max_vmpl":0,"allow_debug":false},"references":["ec2-firmware"],"valid_seconds":600}' \
        '/policies/measured={"snp":{"max_vmpl":0,"allow_debug":false},"references":["direct-boot"],"valid_seconds":600}' \
        '/grants/plain-key={"policies":["plain-ec2"],"least_level":"L1","accounts":"any","regions":"any","fleets":"any","scope":"fleet","kind":"opaque","origin":"generate","max_verdict_age_seconds":600,"allow_unproven_software":true}' \
        '/grants/measured-key={"policies":["measured"],"least_level":"L1","accounts":"any","regions":"any","fleets":"any","scope":"fleet","kind":"opaque","origin":"generate","max_verdict_age_seconds":600,"allow_unproven_software":false}' \
        '/grants/host-key={"policies":["measured"],"least_level":"L1","accounts":"any","regions":"any","fleets":"any","scope":"instance","kind":"ssh-host-key","origin":"generate","max_verdict_age_seconds":600,"allow_unproven_software":false}'
}

# image NAME AMI
image_made() {
    printf '{"name":"%s","driver":"aws","ref":"%s"}' "$1" "$2" >"$home/image.json"
    "$muster" images create "$home/image.json" >/dev/null
}

account_made() {
    printf '{"name":"sim","driver":"aws","region":"us-east-2","endpoint":"%s","pace_percent":100000,"credentials":{"source":"environment"},"test":{"image":"ami-0ec20000000000001","size":"m6a.large"}}' \
        "$sim" >"$home/account.json"
    "$muster" accounts create "$home/account.json" >/dev/null
}

# fleet_up NAME COUNT IMAGE POLICY [SECRET...]
fleet_up() {
    local name=$1 count=$2 image=$3 policy=$4
    shift 4
    jq -n --arg name "$name" --argjson desired "$count" --arg image "$image" --arg policy "$policy" \
        '{name: $name, desired: $desired, account: "sim", image: $image, size: "m6a.large", policy: $policy,
          secrets: $ARGS.positional}' --args "$@" >"$home/fleet.json"
    "$muster" fleets create "$home/fleet.json" >/dev/null
}

fleet_status() { "$muster" fleets status "$1" -o json; }

# has COUNT FLEET PATH: the status has that many there, as in `has 6 web .trust.trusted`
has() { [ "$(fleet_status "$2" | jq "($3) // 0")" = "$1" ]; }

await_trusted() { await "${3:-60}" "$1 trusted in $2" has "$1" "$2" .trust.trusted; }
await_loaded() { await "${3:-60}" "$1 loaded in $2" has "$1" "$2" .deliveries.loaded; }

ledger() { curl -sf "$sim/_control/ledger"; }

# launches of the cloud's own books: all, and distinct client tokens
launches() { ledger | jq '[.entries[] | select(.event == "launched")] | length'; }
launch_tokens() { ledger | jq '[.entries[] | select(.event == "launched") | .client_token] | unique | length'; }

everything_up() {
    database_up
    sim_up
    deployment_made
    controller_up
    token_made
    keeper_up
    account_made
    image_made plain ami-0ec20000000000001
    image_made direct ami-0d1ec700000000001
    first_charter
}

muster_down() {
    local name
    for name in keeper musterd sim "${!pids[@]}"; do stop "$name"; done
    [ ! -d "${home:-}/postgres" ] || "$src/tests/support/postgres" stop "$home/postgres" >/dev/null || :
    [ -z "${run_dir:-}" ] || rm -rf "$run_dir"
}
