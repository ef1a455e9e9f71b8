#!/usr/bin/env bash
# shellcheck disable=SC2319  # the condition before is what $? is asked for
# Azure's own command line takes the emulator for a cloud with an AD FS: it signs in, launches a machine,
# moves it and deletes it. (`az vm create` writes a template, which no emulator of Compute runs: the launch
# is its `az rest`, with the same sign-in.) Needs az; skips with a message without it.
set -u
# shellcheck source=tests/support/sim.sh
. "$MUSTER_SRC/tests/support/sim.sh"

command -v az >/dev/null || {
    echo "1..0 # SKIP az is not installed"
    exit 0
}

cat >"$work/sim.conf" <<EOF
state-dir = $work/state
run-dir = $work/run
psp-dir = $MUSTER_BUILD/tests/simulator-state
boot-ms = 10
stop-ms = 10
poll-seconds = 1
EOF
sim_start
tls=$(jq -r .tls "$work/ready")
REQUESTS_CA_BUNDLE=$(jq -r .tls_authority "$work/ready")
export REQUESTS_CA_BUNDLE AZURE_CONFIG_DIR=$work/azure AZURE_CORE_COLLECT_TELEMETRY=no

cloud() { timeout 60 az "$@" 2>>"$work/az.log"; }
machine() { cloud vm "$1" -g muster-sim -n vm-9 "${@:2}"; }
power() {
    [ "$(machine get-instance-view --query 'instanceView.statuses[-1].code' -o tsv)" = "PowerState/$1" ]
}

cloud cloud register -n Sim --endpoint-resource-manager "$tls" --endpoint-management "$tls" \
    --endpoint-active-directory "$tls/adfs" --endpoint-active-directory-graph-resource-id "$tls" \
    --endpoint-active-directory-resource-id https://management.azure.com/ --endpoint-gallery "$tls" \
    --profile 2020-09-01-hybrid && # with the latest one Debian's `az vm` does not start
    cloud cloud set -n Sim &&
    cloud login --service-principal -u muster-sim -p muster-sim-client-secret \
        --tenant 00000000-0000-0000-0000-00000000000a --query '[].name' -o tsv >"$work/out" &&
    [ "$(cat "$work/out")" = muster-sim ]
say $? "az signs in, and finds the subscription"

id=$(cloud account show --query id -o tsv)
jq -n '{location: "westeurope", zones: ["1"], tags: {"muster:token": "vm-9"}, properties: {
    hardwareProfile: {vmSize: "Standard_DC2as_v5"},
    securityProfile: {securityType: "ConfidentialVM",
        uefiSettings: {secureBootEnabled: true, vTpmEnabled: true}},
    storageProfile: {
        imageReference: {publisher: "muster", offer: "confidential-vm", sku: "firmware-cvm", version: "1.0.0"},
        osDisk: {createOption: "FromImage", deleteOption: "Delete", managedDisk: {
            storageAccountType: "Premium_LRS",
            securityProfile: {securityEncryptionType: "VMGuestStateOnly"}}}},
    osProfile: {computerName: "vm-9", adminUsername: "muster", linuxConfiguration: {
        disablePasswordAuthentication: true, ssh: {publicKeys: [
            {path: ("/home/" + "muster/.ssh/authorized_keys"), keyData: "ssh-ed25519 AAAA"}]}}},
    networkProfile: {networkApiVersion: "2020-11-01", networkInterfaceConfigurations: [
        {name: "vm-9", properties: {primary: true, deleteOption: "Delete", ipConfigurations: [
            {name: "vm-9", properties: {primary: true, subnet: {id: "/subscriptions/x/subnets/y"}}}]}}]}}}' \
    >"$work/machine.json"
cloud rest --method put --resource https://management.azure.com/ --body "@$work/machine.json" \
    --url "$tls/subscriptions/$id/resourceGroups/muster-sim/providers/Microsoft.Compute/virtualMachines/vm-9?api-version=2024-07-01" \
    --query properties.securityProfile.securityType -o tsv >"$work/out" && grep -qx ConfidentialVM "$work/out"
say $? "a launch by its sign-in makes a confidential machine"
[ "$(cloud vm list -g muster-sim --query '[].tags."muster:token"' -o tsv)" = vm-9 ]
say $? "az lists it, with its tag"
within 10 power running
say $? "it runs, as its instance view says"
machine deallocate && power deallocated
say $? "az deallocates it"
machine start && power running
say $? "az starts it"
machine redeploy && power running
say $? "az moves it to another host"
machine perform-maintenance && power running
say $? "az begins its maintenance"
machine delete --yes && ! machine show && grep -q ResourceNotFound "$work/az.log"
say $? "az deletes it, and finds it no more"
grep -E '^ERROR' "$work/az.log" | grep -v ResourceNotFound | sed 's/^/# /'
echo "1..$n"
