#!/usr/bin/env bash
# The simulated metadata services count because clients of the clouds' own take them for real ones:
# each signs in through its machine's service, and what it must send is asked for.
# shellcheck disable=SC2319  # the condition before is what $? is asked for
set -u
# shellcheck source=tests/clients/install.sh
. "$MUSTER_SRC/tests/clients/install.sh"
# shellcheck source=tests/support/sim.sh
. "$MUSTER_SRC/tests/support/sim.sh"
cat >"$work/sim.conf" <<CONF
state-dir = $work/state
run-dir = $work/run
psp-dir = $MUSTER_BUILD/tests/simulator-state
boot-ms = 1
CONF
# Of machines as an earlier run left them: one on each cloud, which boot again.
machine() { # machine CLOUD REF NAME GROUP REGION ZONE IMAGE
    mkdir -p "$work/state/machines/$2"
    jq -n --arg cloud "$1" --arg ref "$2" --arg name "$3" --arg group "$4" --arg region "$5" \
        --arg zone "$6" --arg image "$7" --argjson ordinal $((n + 1)) '{ordinal: $ordinal, $cloud, $ref, $name,
        $group, $region, $zone, $image, reservation: "r-1", client_token: "", order_hash: "", size: "s", subnet: "",
        snp: true, tags: {}, state: "running", halts: false, reason: "", launched: "2026-11-25T00:00:00Z",
        changed: "2026-11-25T00:00:00Z", boots: 1, pid: 0, tamper: ""}' >"$work/state/machines/$2/machine.json"
}
aws_ref=i-00123456789abcdef
azure_ref=3f2a1c44-9d1b-4c11-8f0e-6a2f7f1f9a01
gcp_ref=4567890123456789012
machine aws $aws_ref "" "" us-east-2 us-east-2a ami-0ec20000000000001
n=1 machine azure $azure_ref vm-1 group-1 eastus 1 image
n=2 machine gcp $gcp_ref vm-1 our-project us-central1 us-central1-a image

echo 1..16
sim_start
of() { jq -r ".metadata.$1" "$work/ready"; }
aws=$(of aws)/$aws_ref azure=$(of azure)/$azure_ref gcp=$(of gcp)/$gcp_ref
control=$(jq -r .ec2 "$work/ready")/_control
status() { curl -s -o /dev/null -m 10 -w '%{http_code}' "$@"; }

# ---- what each service insists on ----
[ "$(status "$aws/latest/meta-data/instance-id")" = 401 ]
say $? "EC2's answers nothing without a session"
[ "$(status -X PUT "$aws/latest/api/token")" = 400 ]
say $? "a session says how long it is to be"
[ "$(status -X PUT -H 'X-Forwarded-For: 10.0.0.1' -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$aws/latest/api/token")" = 403 ]
say $? "and is not given through a proxy"
token=$(curl -s -m 10 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$aws/latest/api/token")
[ "$(curl -s -m 10 -H "X-aws-ec2-metadata-token: $token" "$aws/latest/meta-data/instance-id")" = $aws_ref ]
say $? "with a session it does"
[ "$(status -H "X-aws-ec2-metadata-token: ${token}0" "$aws/latest/meta-data/instance-id")" = 401 ]
say $? "and not with another one"
[ "$(status "$azure/metadata/instance?api-version=2021-02-01")" = 400 ]
say $? "Azure's wants its header"
[ "$(curl -s -m 10 -H Metadata:true "$azure/metadata/instance?api-version=2021-02-01" | jq -r .compute.vmId)" = $azure_ref ]
say $? "and then knows the machine"
[ "$(status "$gcp/computeMetadata/v1/instance/id")" = 403 ]
say $? "Google's wants its header"
curl -s -m 10 -D "$work/head" -H 'Metadata-Flavor: Google' "$gcp/computeMetadata/v1/instance/id" >"$work/id"
[ "$(cat "$work/id")" = $gcp_ref ] && grep -qi '^metadata-flavor: google' "$work/head"
say $? "and says it in its answers"

# ---- what they sign, looked at by others ----
curl -s -m 10 -H "X-aws-ec2-metadata-token: $token" "$aws/latest/dynamic/instance-identity/document" >"$work/document"
{
    echo '-----BEGIN PKCS7-----'
    curl -s -m 10 -H "X-aws-ec2-metadata-token: $token" "$aws/latest/dynamic/instance-identity/rsa2048"
    printf '\n%s\n' '-----END PKCS7-----'
} >"$work/rsa2048"
curl -s -m 10 "$control/clouds" | jq -r '.aws.certificates["us-east-2"][0]' >"$work/aws.pem"
openssl smime -verify -in "$work/rsa2048" -inform PEM -certfile "$work/aws.pem" -noverify 2>/dev/null | cmp -s - "$work/document"
say $? "EC2's document verifies as Amazon's manual says"
curl -s -m 10 "$control/clouds" | jq -r '.azure.authorities[0]' >"$work/azure.pem"
curl -s -m 10 -H Metadata:true "$azure/metadata/attested/document?api-version=2020-09-01&nonce=1234567890" |
    jq -r .signature | base64 -d >"$work/attested"
openssl cms -verify -in "$work/attested" -inform DER -CAfile "$work/azure.pem" -purpose any 2>/dev/null |
    jq -e --arg id $azure_ref '.vmId == $id and .nonce == "1234567890"' >/dev/null
say $? "Azure's attested data verifies up to its root"

# ---- clients of the clouds' own ----
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_EC2_METADATA_DISABLED
export HOME=$work AWS_DEFAULT_REGION=us-east-2 AWS_METADATA_SERVICE_TIMEOUT=10
what="the AWS command line signs in by the role of its machine, and is who it is"
if command -v aws >/dev/null && aws --version >/dev/null 2>&1; then
    AWS_EC2_METADATA_SERVICE_ENDPOINT=$aws/ timeout 60 aws sts get-caller-identity --endpoint-url "$(jq -r .ec2 "$work/ready")" \
        >"$work/who" 2>"$work/aws.err"
    grep -q muster-sim "$work/who"
    say $? "$what"
else
    skip "$what" "the aws command is not installed"
fi
what="google-auth gets a token of the machine's account"
if /usr/bin/python3 -c 'import google.auth, requests' 2>/dev/null; then
    GCE_METADATA_HOST=${gcp#http://} GCE_METADATA_ROOT=${gcp#http://} timeout 60 /usr/bin/python3 - >"$work/google" 2>&1 <<'PYTHON'
import google.auth.compute_engine, google.auth.transport.requests
credentials = google.auth.compute_engine.Credentials()
credentials.refresh(google.auth.transport.requests.Request())
print(credentials.token, credentials.service_account_email)
PYTHON
    grep -q '^ya29[^ ]* muster-sim@' "$work/google"
    say $? "$what"
else
    skip "$what" "python3-google-auth or python3-requests is not installed"
fi
what="@azure/identity gets a token of the machine's identity"
if clients_install; then
    modules=$clients/node_modules
    AZURE_POD_IDENTITY_AUTHORITY_HOST=$azure timeout 60 node -e '
        const { ManagedIdentityCredential } = require(process.argv[1] + "/@azure/identity");
        new ManagedIdentityCredential().getToken("https://management.azure.com/.default")
            .then((t) => console.log(t.token), (e) => { console.error(String(e)); process.exit(1); });' \
        "$modules" >"$work/azure" 2>"$work/azure.err"
    grep -qE '^[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]+$' "$work/azure"
    say $? "$what"
else
    skip "$what" "$why"
fi

# ---- mischief ----
curl -s -m 10 -d "{\"lie\": \"html\", \"ref\": \"$aws_ref\"}" "$control/metadata" >/dev/null
curl -s -m 10 -H "X-aws-ec2-metadata-token: $token" "$aws/latest/meta-data/instance-id" | grep -q '<html>'
say $? "a machine can be lied to"
[ "$(curl -s -m 10 -H 'Metadata-Flavor: Google' "$gcp/computeMetadata/v1/instance/id")" = $gcp_ref ]
say $? "and others not"
