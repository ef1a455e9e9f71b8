#!/usr/bin/env bash
# `muster account test` on Azure, as the emulator is it: each way to sign in, and what is missing.
set -u
work=$(mktemp -d)
sim=
trap 'test -n "$sim" && kill "$sim" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT

mkdir "$work/credentials"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=muster-sim -days 2 -keyout "$work/key.pem" \
    -out "$work/certificate.pem" 2>/dev/null
cat "$work/key.pem" "$work/certificate.pem" >"$work/credentials/certificate"
echo muster-sim-client-secret >"$work/credentials/secret"
echo wrong >"$work/credentials/wrong"
echo federated.token.1 >"$work/credentials/token"
cat >"$work/sim.conf" <<EOF
state-dir = $work/state
run-dir = $work/run
psp-dir = $MUSTER_BUILD/tests/simulator-state
boot-ms = 10
stop-ms = 10
poll-seconds = 0
azure-certificate = $work/credentials/certificate
azure-federated-token = federated.token.1
EOF
mkfifo "$work/ready"
"$MUSTER_BUILD/emulator/muster-sim" --config "$work/sim.conf" >"$work/ready" 2>"$work/sim.log" &
sim=$!
read -rt 120 line <"$work/ready" || {
    sed 's/^/# /' "$work/sim.log"
    echo "Bail out! muster-sim does not start"
    exit 1
}
url=$(jq -r .arm <<<"$line")
number=0
say() { # say STATUS SENTENCE
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else
        echo "not ok $number - $2"
        sed 's/^/# /' "$work/out"
    fi
}
try() { # try CREDENTIALS
    cat >"$work/account.json" <<EOF
{"name": "sim", "driver": "azure", "region": "westeurope", "endpoint": "$url", "resource_group": "fleet",
 "subscription": "00000000-0000-0000-0000-000000000001", "subnet": "/subnet", "credentials": $1,
 "test": {"image": "muster:confidential-vm:measured-cvm:1.0.0", "size": "Standard_DC2as_v5"}}
EOF
    CREDENTIALS_DIRECTORY=$work/credentials "$MUSTER_BUILD/cli/muster" account test --file "$work/account.json" \
        >"$work/out" 2>&1
}
app='"tenant": "00000000-0000-0000-0000-00000000000a", "client_id": "muster-sim"'

try "{\"source\": \"client-secret\", $app, \"file\": \"secret\"}"
say $? "with a client's secret the whole round passes"
try "{\"source\": \"client-certificate\", $app, \"file\": \"certificate\"}"
say $? "so it does with its certificate"
try "{\"source\": \"workload-identity\", $app, \"file\": \"token\"}"
say $? "and with another issuer's token"
AZURE_TENANT_ID=00000000-0000-0000-0000-00000000000a AZURE_CLIENT_ID=muster-sim \
    AZURE_CLIENT_SECRET=muster-sim-client-secret try '{"source": "environment"}'
say $? "and from the environment"
try "{\"source\": \"client-secret\", $app, \"file\": \"wrong\"}"
[ $? = 3 ] && grep -q AADSTS7000215 "$work/out" && ! grep -qw wrong "$work/out"
say $? "a wrong secret is refused, and not shown"
for action in VirtualMachines_Deallocate VirtualMachines_Redeploy; do
    curl -sS -m 10 -f -d "{\"action\": \"$action\", \"fault\": \"auth\"}" "$url/_control/mischief" >/dev/null
done
try "{\"source\": \"client-secret\", $app, \"file\": \"secret\"}"
[ $? = 3 ] && grep -q "missing permission: Microsoft.Compute/virtualMachines/deallocate/action" "$work/out" &&
    grep -q "missing permission: Microsoft.Compute/virtualMachines/redeploy/action" "$work/out"
say $? "every permission that is missing is told in one round"
[ "$(curl -sS -m 10 "$url/_control/machines" | jq '[.machines[] | select(.state != "terminated")] | length')" = 0 ]
say $? "nothing is left running"
echo "1..$number"
