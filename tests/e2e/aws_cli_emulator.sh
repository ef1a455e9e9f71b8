#!/usr/bin/env bash
# shellcheck disable=SC2319  # the condition before is what $? is asked for
# muster-sim as a program: the AWS command line takes it for EC2 (where that is installed), agents
# live and die with their machines, the processor answers at its socket, and a restart forgets
# nothing.
set -u
# shellcheck source=tests/support/sim.sh
. "$MUSTER_SRC/tests/support/sim.sh"

cat >"$work/sim.conf" <<EOF
state-dir = $work/state
run-dir = $work/run
psp-dir = $MUSTER_BUILD/tests/simulator-state
agent-command = $work/agent {config}
agent-restart-ms = 0
boot-ms = 10
stop-ms = 10
EOF
# An agent that says what it was given, and stays.
cat >"$work/agent" <<'EOF'
#!/bin/sh
cat "$1"
exec sleep 600
EOF
chmod +x "$work/agent"

start() {
    sim_start
    url=$(jq -r .ec2 "$work/ready")
}
machines() { curl -sS -m 10 "$url/_control/machines"; }
is() { # is REF JQ-CONDITION
    machines | jq -e --arg ref "$1" ".machines[] | select(.ref == \$ref) | $2"
}
prank() {
    curl -sS -m 10 -f -d "{\"action\": \"$1\", \"fault\": \"$2\"}" "$url/_control/mischief" >/dev/null
}

export AWS_ACCESS_KEY_ID=AKIAMUSTERSIM0000000 AWS_SECRET_ACCESS_KEY=muster-sim-secret-key
export AWS_DEFAULT_REGION=us-east-2 AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1
unset AWS_SESSION_TOKEN AWS_PROFILE
echo 1..16
start

cat >"$work/account.json" <<EOF
{"name": "sim", "driver": "aws", "region": "us-east-2", "endpoint": "$url",
 "credentials": {"source": "environment"}, "test": {"image": "ami-0ec20000000000001", "size": "m6a.large"}}
EOF
"$MUSTER_BUILD/cli/muster" account test --file "$work/account.json" >"$work/out" 2>&1
say $? "muster account test passes, confidential and all"
[ "$(machines | jq '[.machines[] | select(.state != "terminated")] | length')" = 0 ]
say $? "and leaves nothing running"

if command -v aws >/dev/null; then
    ec2() { aws --endpoint-url "$url" ec2 "$@"; }
    run() {
        ec2 run-instances --image-id ami-0d1ec700000000001 --cpu-options AmdSevSnp=enabled \
            --user-data 'for my eyes' --client-token "$1" --instance-type "$2" --output text \
            --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=a b}]' \
            --query 'Instances[0].InstanceId'
    }
    ref=$(run one m6a.large)
    within 20 is "$ref" '.state == "running" and .pid > 0'
    say $? "aws ec2 run-instances launches a machine that runs an agent"
    [ "$(run one m6a.large)" = "$ref" ]
    say $? "the same client token gives the same machine"
    run one m6a.xlarge 2>&1 | grep -q IdempotentParameterMismatch
    say $? "and refuses another order"
    [ "$(ec2 describe-instances --filters 'Name=tag:Name,Values=a*' Name=instance-state-name,Values=running \
        --query 'Reservations[].Instances[].[InstanceId,CpuOptions.AmdSevSnp]' --output text)" = \
        "$ref	enabled" ]
    say $? "aws ec2 describe-instances finds it by tag and state"
    prank DescribeInstances throttle
    ec2 describe-instances 2>&1 | grep -q RequestLimitExceeded
    say $? "throttling on request reaches the client"
    prank RunInstances capacity
    run two m6a.large 2>&1 | grep -q InsufficientInstanceCapacity
    say $? "so does a lack of capacity"
    AWS_SECRET_ACCESS_KEY=wrong ec2 describe-instances 2>&1 | grep -q SignatureDoesNotMatch
    say $? "a wrong key is refused"
    ec2 stop-instances --instance-ids "$ref" >/dev/null && within 20 is "$ref" '.state == "stopped"' &&
        ec2 start-instances --instance-ids "$ref" >/dev/null &&
        within 20 is "$ref" '.state == "running" and .boots == 2'
    say $? "aws ec2 stop-instances and start-instances work"
else
    for what in run token mismatch describe throttle capacity key stop; do
        skip "$what" "the aws command is not installed"
    done
fi

ref=$(machines | jq -r '[.machines[] | select(.state == "running")][0].ref // empty')
if [ -n "$ref" ] && command -v python3 >/dev/null; then
    within 20 is "$ref" '.pid > 0'
    grep -q "^tee-socket = $work/run/$ref/psp$" "$work/state/machines/$ref/agent.log" &&
        [ "$(cat "$work/state/machines/$ref/user-data")" = 'for my eyes' ]
    say $? "the agent was given its settings and the user-data"
    python3 - "$work/run/$ref/psp" >"$work/report" <<'EOF'
import base64, json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(json.dumps({"report_data": "5a" * 64}).encode() + b"\n")
a = json.loads(s.makefile().readline())
r = base64.b64decode(a["report"])
print(len(r), r[0x50:0x90] == b"\x5a" * 64, r[0x90:0xc0].hex(), len(base64.b64decode(a["cert_table"])) > 1000)
EOF
    want=$(curl -sS "$url/_control/images" | jq -r '."ami-0d1ec700000000001".measurement')
    [ "$(cat "$work/report")" = "1184 True $want True" ]
    say $? "the processor reports the image's measurement over the bytes it was given"
    pid=$(machines | jq -r --arg ref "$ref" '.machines[] | select(.ref == $ref).pid')
    kill -9 "$sim"
    wait "$sim" 2>/dev/null
    within 10 sh -c "! kill -0 $pid"
    say $? "killed hard, it takes its agents with it"
    start
    within 20 is "$ref" '.state == "running" and .pid > 0'
    say $? "the next run boots the machine again"
    pid=$(machines | jq -r --arg ref "$ref" '.machines[] | select(.ref == $ref).pid')
    ec2 terminate-instances --instance-ids "$ref" >/dev/null
    within 10 is "$ref" '.state == "terminated"' && ! kill -0 "$pid" 2>/dev/null && [ ! -e "$work/run/$ref" ]
    say $? "terminating ends the agent and wipes what it had in memory"
else
    for what in settings processor killed restart terminate; do
        skip "$what" "the aws command or python3 is not installed"
    done
fi
kill "$sim"
wait "$sim"
[ $? = 0 ] && [ -z "$(ls "$work/run")" ]
say $? "told to end, it ends well and leaves nothing in memory"
