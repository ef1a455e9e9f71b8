#!/usr/bin/env bash
# An enclave from end to end with the programs that ship, by the background-check flow: its agent's
# document goes to the controller, a keeper judges it, and a secret comes back in the form that only
# its RSA key opens. Its module is made up; an enclave of another image than the policy's gets none.
set -u
cd "${MUSTER_SRC:-$(dirname "$0")/../..}" || exit 99
# shellcheck source=tests/support/muster.sh
. tests/support/muster.sh
# shellcheck source=tests/support/tap.sh
. tests/support/tap.sh

work=$(mktemp -d /tmp/muster-e2e.XXXXXX)
finish() { muster_down; rm -rf "$work"; }
trap finish EXIT
export MUSTER_PSP_DIR=$build/tests/psp
muster_home "$work"

# Key and root of the module; the emulator's machines say `tee = simulated`, which this one is not.
module_made() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -nodes -days 2 \
        -subj '/CN=made-up enclaves 0' -addext keyUsage=critical,keyCertSign,digitalSignature \
        -keyout "$work/module-key.pem" -out "$work/module-root.pem" &&
        cat "$work/module-key.pem" "$work/module-root.pem" >"$work/module"
    cat >"$work/enclave" <<END
#!/bin/sh
sed -i 's/^tee = .*/tee = nitro/' "\$2"
exec "$build/tests/e2e/enclave_agent" "\$@"
END
    chmod 755 "$work/enclave"
}
agent_command=$work/enclave

pcr() { printf "%096d" 0 | sed "s/0/$1/g"; }
policy_of() { printf '{"nitro":{"pcrs":{"0":"%s"}},"references":[],"valid_seconds":600}' "$(pcr "$1")"; }
enclave_charter() {
    local root
    root=$(openssl x509 -in "$work/module-root.pem" -outform DER | sha256sum | cut -d' ' -f1)
    charter_set \
        "/simulator_roots=$(jq -c --arg root "$root" '.simulator_roots + [$root]' "$home/keys/charter/charter.json")" \
        "/policies/enclave=$(policy_of 5)" \
        "/policies/other-image=$(policy_of 6)" \
        '/grants/enclave-key={"policies":["enclave","other-image"],"least_level":"L1","accounts":"any","regions":"any","fleets":"any","scope":"fleet","kind":"opaque","origin":"generate","max_verdict_age_seconds":600,"allow_unproven_software":false}'
}
up() {
    module_made
    database_up
    sim_up "nsm-path = $work/module"
    deployment_made
    install -m 644 "$work/module-root.pem" "$home/keys/keeper/simulator-nitro-root.pem"
    controller_up
    token_made
    keeper_up
    account_made
    image_made plain ami-0ec20000000000001
    first_charter
    enclave_charter
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"
"$muster" secrets generate enclave-secret --kind opaque --scope fleet --grant enclave-key >>"$work/up.log" 2>&1 ||
    bail "$work/up.log"

fleet_up enclaves 1 plain enclave enclave-secret
fleet_up strangers 1 plain other-image enclave-secret
instance() { "$muster" instances list --fleet "$1" -o json | jq '.items[0]'; }
check "an enclave becomes trusted" await_trusted 1 enclaves 60
proven() { instance enclaves | jq -e '.evidence_kind == "nitro" and .hardware == "provider" and .software == "provider" and
    .identity == "provider" and .simulated'; }
check "hardware, image and identity are AWS's word, and its root an imitation's" proven
check "its secret comes, sealed to the key in its document" await_loaded 1 enclaves 30
opened() { [ "$(find "$run_dir"/*/secrets -name enclave-secret -size +0 | wc -l)" = 1 ]; }
check "and it opens it" opened
verdict() { "$muster" instances verdicts "$(instance "$1" | jq -r .id)" -o json | jq '.items[0]'; }
of_a_document() { verdict enclaves | jq -e '[.checks[] | select(.result != "pass" and .result != "skip")] == [] and
    ([.checks[].check] | index("policy-pcr"))'; }
check "every check of the document passed, its registers' too" of_a_document
refused() { instance strangers | jq -e '.verdict == "rejected" and .verdict_reason == "policy-pcr" and .level == "L0"'; }
check "an enclave of another image is refused by its registers" await 30 "a refusal" refused
shut() { [ "$(fleet_status strangers | jq '.deliveries.loaded // 0')" = 0 ]; }
check "and gets nothing" shut
plan
