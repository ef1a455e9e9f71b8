#!/usr/bin/env bash
# Azure's own SDK takes the emulator for Azure: it signs in, launches, moves and ends machines there. (az does
# so in az_emulator.sh.)
set -u
work=$(mktemp -d)
sim=
trap 'test -n "$sim" && kill "$sim" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
# shellcheck source=tests/clients/install.sh
. "$MUSTER_SRC/tests/clients/install.sh"

clients_install
case $? in
1)
    echo "1..0 # SKIP $why"
    exit 0
    ;;
2)
    echo "Bail out! npm ci fails"
    exit 1
    ;;
esac

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=muster-sim -days 2 -keyout "$work/key.pem" \
    -out "$work/certificate.pem" 2>/dev/null
cat "$work/key.pem" "$work/certificate.pem" >"$work/both.pem"
cat >"$work/sim.conf" <<EOF
state-dir = $work/state
run-dir = $work/run
psp-dir = $MUSTER_BUILD/tests/simulator-state
boot-ms = 10
stop-ms = 10
page-most = 2
poll-seconds = 0
azure-certificate = $work/both.pem
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
SIM_URL=$(jq -r .arm <<<"$line") SIM_TLS=$(jq -r .tls <<<"$line")
NODE_EXTRA_CA_CERTS=$(jq -r .tls_authority <<<"$line")
SIM_CERTIFICATE=$work/both.pem SIM_FEDERATED=federated.token.1
export SIM_URL SIM_TLS NODE_EXTRA_CA_CERTS SIM_CERTIFICATE SIM_FEDERATED
clients_run azure.mjs >"$work/out" 2>"$work/err"
number=0
while IFS= read -r line; do
    case $line in
    "ok - "* | "not ok - "*)
        number=$((number + 1))
        echo "${line/ - / $number - }"
        ;;
    *) echo "$line" ;;
    esac
done <"$work/out"
[ "$number" -ge 20 ] || {
    sed 's/^/# /' "$work/err"
    echo "not ok $((number += 1)) - the round comes to its end"
}
left=$(curl -sS -m 10 "$SIM_URL/_control/machines" | jq '[.machines[] | select(.state != "terminated")] | length')
[ "$left" = 0 ] && echo "ok $((number += 1)) - nothing is left running" || echo "not ok $((number += 1)) - $left machines are left"
echo "1..$number"
