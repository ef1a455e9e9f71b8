#!/usr/bin/env bash
# As who_is_this_guest.sh for EC2: guests on Azure and Google, with real agents, a real keeper and the
# metadata services of both clouds, honest and hostile (R5, R11; trust.md sections 2 and 5).
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
export CREDENTIALS_DIRECTORY=$work/credentials
muster_home "$work"
mkdir "$CREDENTIALS_DIRECTORY"
metadata_program=$build/agent/muster-agent-metadata

# What differs. Azure's document names no region; the machine and the challenge stand in both.
declare -A account=(
    [azure]='"region": "westeurope", "subscription": "00000000-0000-0000-0000-000000000001", "resource_group": "fleet",
             "subnet": "/subnet", "credentials": {"source": "client-secret", "tenant": "00000000-0000-0000-0000-00000000000a",
             "client_id": "muster-sim", "file": "azure"}'
    [gcp]='"region": "us-central1", "zone": "us-central1-a", "project": "muster-sim",
           "credentials": {"source": "google-file", "file": "gcp"}'
)
declare -A face=([azure]=arm [gcp]=gce) size=([azure]=Standard_DC2as_v5 [gcp]=n2d-standard-2)
declare -A image=([azure]=muster:confidential-vm:firmware-cvm:1.0.0 [gcp]=projects/muster-sim/global/images/firmware-snp)
declare -A ours=([azure]=00000000-0000-0000-0000-000000000001 [gcp]=muster-sim) proven_region=([azure]=null [gcp]='"us-central1"')
declare -A lies=(
    [azure]='forged=identity-signer altered=identity-signature expired=identity-time old-nonce=identity-nonce
             other-machine=identity-instance other-account=identity-account html=identity-format huge= cut='
    [gcp]='forged=identity-signature altered=identity-signature expired=identity-time old-nonce=identity-nonce
           other-machine=identity-instance other-account=identity-account other-region=identity-region
           not-confidential=identity-confidential html= huge= cut='
)

policies() { # policies CLOUD: what its images measure, a policy, and grants that ask who it is
    local digest
    digest=$(measurement_of "${image[$1]}")
    echo "/references/$1-firmware={\"measurement\":[\"$digest\"],\"measured_boot\":false,\"anchor\":\"none\",\"provider_execution\":\"on\",\"retired\":false}"
    echo "/policies/$1={\"snp\":{\"max_vmpl\":0,\"allow_debug\":false},\"references\":[\"$1-firmware\"],\"valid_seconds\":600}"
    grant "$1-ours" "$1" accounts "[\"${ours[$1]}\"]"
    grant "$1-here" "$1" regions '["us-central1", "westeurope"]'
}
grant() { # grant NAME POLICY MEMBER VALUE
    jq -nc --arg policy "$2" --arg member "$3" --argjson value "$4" \
        '{policies: [$policy], least_level: "L1", accounts: "any", regions: "any", fleets: "any", scope: "fleet", kind: "opaque",
          origin: "generate", max_verdict_age_seconds: 600, allow_unproven_software: true} | .[$member] = $value' |
        sed "s|^|/grants/$1=|"
}
up() {
    database_up
    sim_up 'metadata-seconds = 2'
    echo muster-sim-client-secret >"$CREDENTIALS_DIRECTORY/azure"
    cp "$home/cloud/gcp-key.json" "$CREDENTIALS_DIRECTORY/gcp"
    deployment_made
    controller_up
    token_made
    keeper_up
    mapfile -t changes < <(policies azure && policies gcp)
    charter_set "/clouds=$(curl -sf "$sim/_control/clouds" | jq -c --arg azure "${ours[azure]}" --arg gcp "${ours[gcp]}" \
        '.azure.accounts = [$azure] | .gcp.accounts = [$gcp]')" "${changes[@]}"
    for cloud in azure gcp; do
        jq -n --argjson more "{${account[$cloud]}}" --arg name $cloud --arg image "${image[$cloud]}" --arg size "${size[$cloud]}" \
            --arg url "$(jq -rs --arg face "${face[$cloud]}" 'last[$face]' "$home/sim.out")" \
            '$more + {name: $name, driver: $name, endpoint: $url, pace_percent: 100000, test: {image: $image, size: $size}}' >"$home/account.json"
        "$muster" accounts create "$home/account.json"
        jq -n --arg name $cloud --arg ref "${image[$cloud]}" '{name: $name, driver: $name, ref: $ref}' >"$home/image.json"
        "$muster" images create "$home/image.json"
        "$muster" secrets generate $cloud-ours --kind opaque --scope fleet --grant $cloud-ours
        "$muster" secrets generate $cloud-here --kind opaque --scope fleet --grant $cloud-here
    done
}
up >"$work/up.log" 2>&1 || bail "$work/up.log"

fleet() { # fleet NAME CLOUD COUNT SECRET...
    local name=$1 cloud=$2 count=$3
    shift 3
    jq -n --arg name "$name" --argjson desired "$count" --arg cloud "$cloud" --arg size "${size[$cloud]}" \
        '{name: $name, desired: $desired, account: $cloud, image: $cloud, policy: $cloud, size: $size, secrets: $ARGS.positional}' \
        --args "$@" >"$home/fleet.json"
    "$muster" fleets create "$home/fleet.json" >/dev/null
}
lie() { # lie WORD [MACHINE]
    jq -n --arg lie "$1" --arg ref "${2:-}" '{lie: $lie} + if $ref == "" then {} else {ref: $ref} end' |
        curl -sf -d @- "$sim/_control/metadata" >/dev/null
}
# One look serves many checks: whoever needs a newer one says so.
look() { "$muster" instances list --fleet "$1" -o json >"$work/$1.json"; }
one() { # one FLEET MACHINE FILTER [ARG...]: as last seen
    local fleet=$1 machine=$2 filter=$3
    shift 3
    jq -e --arg m "$machine" "$@" ".items[] | select(\$m == \"\" or .machine_id == \$m) | $filter" "$work/$fleet.json"
}
again() { look "$1" && "${@:2}"; }
soon() { # soon SECONDS WHAT FLEET COMMAND...: as last seen, or seen anew until then
    "${@:4}" >/dev/null 2>&1 || await "$1" "$2" again "${@:3}"
}

# ---- honest ----
for cloud in azure gcp; do fleet good-$cloud $cloud 1 $cloud-ours $cloud-here; done
for cloud in azure gcp; do
    check "$cloud: a machine becomes trusted" await_trusted 1 good-$cloud 90
    look good-$cloud
    check "$cloud: its document says who it is" one good-$cloud "" '.identity == "provider" and .documents == "agree" and
        .proven_cloud == $cloud and .proven_account == $ours and .proven_region == $region and .level == "L1"' \
        --arg cloud $cloud --arg ours "${ours[$cloud]}" --argjson region "${proven_region[$cloud]}"
    loaded() { one good-$cloud "" '.deliveries[] | select(.secret == $s and .state == "loaded")' --arg s "$1"; }
    refused() { one good-$cloud "" '.deliveries[] | select(.secret == $s and .reason == $why)' --arg s "$1" --arg why "$2"; }
    check "$cloud: what is for our account is loaded" soon 30 "ours" good-$cloud loaded $cloud-ours
    if [ "${proven_region[$cloud]}" = null ]; then
        check "$cloud: a region that no document names is only declared, and opens nothing (R5)" \
            soon 30 "a refusal" good-$cloud refused $cloud-here grant-region
    else
        check "$cloud: and what is for its region" soon 30 "here" good-$cloud loaded $cloud-here
    fi
done

# ---- hostile ----
lie dark
for cloud in azure gcp; do
    read -ra told <<<"$(tr '\n' ' ' <<<"${lies[$cloud]}")"
    fleet web-$cloud $cloud ${#told[@]} $cloud-ours
done
for cloud in azure gcp; do
    read -ra told <<<"$(tr '\n' ' ' <<<"${lies[$cloud]}")"
    check "$cloud: a service that answers nothing makes nobody suspect" await_trusted ${#told[@]} web-$cloud 120
    nameless() { [ "$(jq '[.items[] | select(.identity == "none" and .documents == "none")] | length' "$work/web-$cloud.json")" = ${#told[@]} ]; }
    look web-$cloud
    check "$cloud: and nobody is named" nameless
    mapfile -t rows < <(jq -r '.items[] | "\(.machine_id) \(.id)"' "$work/web-$cloud.json")
    for i in "${!told[@]}"; do
        lie "${told[$i]%%=*}" "${rows[$i]% *}"
        "$muster" instances attest "${rows[$i]#* }" >/dev/null 2>&1
    done
done
for cloud in azure gcp; do
    read -ra told <<<"$(tr '\n' ' ' <<<"${lies[$cloud]}")"
    mapfile -t rows < <(jq -r '.items[] | "\(.machine_id) \(.id)"' "$work/web-$cloud.json")
    look web-$cloud
    for i in "${!told[@]}"; do
        word=${told[$i]%%=*} why=${told[$i]#*=} machine=${rows[$i]% *}
        suspect() { one web-$cloud "$machine" '.documents == "suspect" and .suspect_reason == $why and .identity == "none" and
            .trust == "trusted" and .proven_account == null and (.missing | index("clear-identity"))' --arg why "$why"; }
        nothing() { one web-$cloud "$machine" '.documents == "none" and .identity == "none" and .trust == "trusted"'; }
        closed() { one web-$cloud "$machine" '.deliveries[] | select(.reason == $why)' --arg why "$1"; }
        if [ -n "$why" ]; then
            check "$cloud: documents that are $word make it suspect: $why" soon 30 "$word" web-$cloud suspect
            check "$cloud: and what is for our account stays closed" soon 30 "a refusal" web-$cloud closed identity-suspect
        else
            check "$cloud: a service that is $word proves nothing" soon 30 "$word" web-$cloud nothing
            check "$cloud: and what is for our account stays closed" soon 30 "a refusal" web-$cloud closed grant-account
        fi
    done
done

# ---- honest again ----
lie none
for cloud in azure gcp; do
    while read -r machine id; do
        lie none "$machine"
        "$muster" instances attest "$id" >/dev/null 2>&1
    done < <(jq -r '.items[] | "\(.machine_id) \(.id)"' "$work/web-$cloud.json")
done
for cloud in azure gcp; do
    all() { jq -e 'all(.items[]; .documents == "agree" and .deliveries[0].state == "loaded")' "$work/web-$cloud.json"; }
    check "$cloud: when the service is honest again all get what is for our account" await 60 "all clear" again web-$cloud all
done
plan
