# shellcheck shell=bash disable=SC2034  # n, sim and work are for the sourcing script too
# One muster-sim for a script that needs no more of Muster, and TAP without a plan. Source it, write
# $work/sim.conf, call sim_start; what it makes is below $work, and both are gone at the end.

work=$(mktemp -d)
sim=
n=0
trap 'test -n "$sim" && kill "$sim" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

say() { # say STATUS SENTENCE
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

skip() { # skip SENTENCE WHY
    n=$((n + 1))
    echo "ok $n - $1 # SKIP $2"
}

within() { # within SECONDS COMMAND...: until it succeeds
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || return 1
        read -rt 0.05 <> <(:) || true
    done
}

# Until its ready line is in $work/ready; a simulator that does not come up ends the script.
sim_start() {
    : >"$work/ready"
    "$MUSTER_BUILD/emulator/muster-sim" --config "$work/sim.conf" >"$work/ready" 2>>"$work/sim.log" &
    sim=$!
    within 120 test -s "$work/ready" || {
        sed 's/^/# /' "$work/sim.log"
        echo "Bail out! muster-sim does not start"
        exit 1
    }
}
