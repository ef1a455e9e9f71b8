#!/usr/bin/env bash
# shellcheck disable=SC2319  # the condition before is what $? is asked for
# A real client takes the emulator for EC2: @aws-sdk/client-ec2 from npm launches a machine, looks at it,
# stops, starts and ends it. (aws-cli does so in aws_cli_emulator.sh.)
set -u
# shellcheck source=tests/support/sim.sh
. "$MUSTER_SRC/tests/support/sim.sh"
# shellcheck source=tests/clients/install.sh
. "$MUSTER_SRC/tests/clients/install.sh"

cat >"$work/sim.conf" <<EOF
state-dir = $work/state
run-dir = $work/run
psp-dir = $MUSTER_BUILD/tests/simulator-state
boot-ms = 10
stop-ms = 10
EOF

sim_start
url=$(jq -r .ec2 "$work/ready")
export AWS_ACCESS_KEY_ID=AKIAMUSTERSIM0000000 AWS_SECRET_ACCESS_KEY=muster-sim-secret-key
clients_install
case $? in
0)
    SIM_URL=$url clients_run aws.mjs >"$work/round" 2>"$work/round.err"
    while IFS= read -r line; do
        case $line in
        "ok - "*) say 0 "npm: ${line#ok - }" ;;
        "not ok - "*) say 1 "npm: ${line#not ok - }" ;;
        *) echo "$line" ;;
        esac
    done <"$work/round"
    [ "$n" = 17 ]
    say $? "npm: the round comes to its end"
    [ "$n" = 18 ] || sed 's/^/# /' "$work/round.err"
    ;;
1)
    n=1
    echo "ok 1 - npm: a machine from launch to delete # SKIP $why"
    ;;
*) say 1 "npm: npm ci" ;;
esac
[ "$(curl -sS -m 10 "$url/_control/machines" | jq '[.machines[] | select(.state != "terminated")] | length')" = 0 ]
say $? "the emulator has no machine left"
echo "1..$n"
