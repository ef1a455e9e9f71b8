#!/usr/bin/env bash
# shellcheck disable=SC2319  # the condition before is what $? is asked for
# Real clients take the emulator for Google Cloud: @google-cloud/compute from npm and gcloud launch a
# machine, look at it and delete it, and `muster account test` does its whole round.
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
url=$(jq -r .gce "$work/ready")
key=$work/state/gcp-key.json
machines() { curl -sS -m 10 "$url/_control/machines"; }
running() { machines | jq '[.machines[] | select(.state != "terminated")] | length'; }
prank() {
    curl -sS -m 10 -f -d "{\"action\": \"$1\", \"fault\": \"$2\"}" "$url/_control/mischief" >/dev/null
}

cat >"$work/account.json" <<EOF
{"name": "sim", "driver": "gcp", "region": "us-central1", "zone": "us-central1-a", "endpoint": "$url",
 "project": "muster-sim", "credentials": {"source": "google-file", "file": "gcp-key"},
 "test": {"image": "projects/muster-sim/global/images/firmware-snp", "size": "n2d-standard-2"}}
EOF
mkdir "$work/credentials"
cp "$key" "$work/credentials/gcp-key"
export CREDENTIALS_DIRECTORY=$work/credentials
"$MUSTER_BUILD/cli/muster" account test --file "$work/account.json" >"$work/out" 2>&1
say $? "muster account test passes, confidential and all"
[ "$(running)" = 0 ]
say $? "and leaves nothing running"
prank instances.stop auth
! "$MUSTER_BUILD/cli/muster" account test --file "$work/account.json" >"$work/out" 2>&1 &&
    grep -q "missing permission: compute.instances.stop" "$work/out" && [ "$(running)" = 0 ]
say $? "a permission that is missing is named, and nothing is left running"

sed -i 's/"google-file", "file": "gcp-key"/"google-file", "file": "gcp-federated"/' "$work/account.json"
cp "$work/state/gcp-federated.json" "$work/credentials/gcp-federated"
"$MUSTER_BUILD/cli/muster" account test --file "$work/account.json" >"$work/out" 2>&1 && [ "$(running)" = 0 ]
say $? "with another provider's token the whole round passes"

# ---- npm -------------------------------------------------------------------------------------

clients_install
case $? in
0)
    SIM_URL=$url SIM_FEDERATED=$work/state/gcp-federated.json clients_run gcp.mjs >"$work/round" 2>"$work/round.err"
    while IFS= read -r line; do
        case $line in
        "ok - "*) say 0 "npm: ${line#ok - }" ;;
        "not ok - "*) say 1 "npm: ${line#not ok - }" ;;
        *) echo "$line" ;;
        esac
    done <"$work/round"
    [ "$n" = 20 ]
    say $? "npm: the round comes to its end"
    [ "$n" = 21 ] || sed 's/^/# /' "$work/round.err"
    ;;
1) skip "npm: a machine from launch to delete" "$why" ;;
*) say 1 "npm: npm ci" ;;
esac

# ---- gcloud ----------------------------------------------------------------------------------

if command -v gcloud >/dev/null; then
    export CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE=$url/compute/v1/ CLOUDSDK_CONFIG=$work/gcloud
    export CLOUDSDK_CORE_PROJECT=muster-sim CLOUDSDK_CORE_DISABLE_PROMPTS=1
    export CLOUDSDK_CORE_CHECK_GCE_METADATA=false CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=$work/token
    export CLOUDSDK_COMPUTE_ZONE=us-central1-a
    curl -sS -H 'Metadata-Flavor: Google' \
        "$url/computeMetadata/v1/instance/service-accounts/default/token" |
        jq -j .access_token >"$work/token"
    cloud() { timeout 60 gcloud compute instances "$@" --quiet 2>>"$work/gcloud.log"; }
    cloud create vm-9 --machine-type n2d-standard-2 --min-cpu-platform 'AMD Milan' \
        --confidential-compute-type SEV_SNP --maintenance-policy TERMINATE \
        --image projects/muster-sim/global/images/firmware-snp --labels muster-vm=vm-9 \
        --network-interface nic-type=GVNIC --format 'value(name,status)' >"$work/out"
    grep -q "^vm-9	RUNNING" "$work/out"
    say $? "gcloud compute instances create launches a machine"
    [ "$(cloud describe vm-9 --format 'value(confidentialInstanceConfig.confidentialInstanceType,labels.muster-vm)')" = "SEV_SNP	vm-9" ]
    say $? "gcloud describes it as confidential, with its label"
    cloud stop vm-9 && [ "$(cloud list --filter labels.muster-vm=vm-9 --format 'value(status)')" = TERMINATED ]
    say $? "gcloud stops it, and lists it as TERMINATED"
    cloud delete vm-9 && [ "$(running)" = 0 ]
    say $? "gcloud deletes it"
    sed 's/^/# /' "$work/gcloud.log" | grep -i error
else
    for what in create describe stop delete; do
        skip "gcloud: $what" "the gcloud command is not installed"
    done
fi
echo "1..$n"
