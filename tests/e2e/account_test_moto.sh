#!/usr/bin/env bash
# `muster account test` against moto's server with signatures enforced: a whole round passes, a wrong
# key is refused, and nothing is left running. Needs moto; skips with a message without it.
set -u
muster=$MUSTER_BUILD/cli/muster

python3 -c 'import moto.server' 2>/dev/null || {
    echo "1..0 # SKIP moto is not installed"
    exit 0
}

work=$(mktemp -d)
trap 'kill "$moto" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
# The first three calls need no signature: they make the key that signs all later ones.
INITIAL_NO_AUTH_ACTION_COUNT=3 MOTO_ENABLE_AMI_VALIDATION=true \
    python3 -c '
import sys
from moto.ec2 import utils
utils.filter_dict_attribute_mapping["client-token"] = "client_token"  # a filter of EC2s that moto keeps but does not know
from moto.server import main
main(sys.argv[1:])' -H 127.0.0.1 -p 0 >"$work/moto.log" 2>&1 &
moto=$!

echo 1..6
n=0
say() { # say STATUS SENTENCE
    n=$((n + 1))
    if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

deadline=$((SECONDS + 60))
until grep -qs 'Running on http' "$work/moto.log"; do
    if [ $SECONDS -ge $deadline ] || ! kill -0 "$moto" 2>/dev/null; then
        sed 's/^/# /' "$work/moto.log"
        echo "Bail out! moto_server does not start"
        exit 1
    fi
    read -rt 0.1 <> <(:) || true
done
url=$(grep -o 'http://127.0.0.1:[0-9]*' "$work/moto.log" | head -1)

iam() { # iam FORM: an unsigned call to IAM
    curl -sS -m 30 -H 'Authorization: AWS4-HMAC-SHA256 Credential=none/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=none' \
        -d "Version=2010-05-08&$1" "$url/"
}
element() { # element NAME FILE
    sed -n "s:.*<$1>\([^<]*\)</$1>.*:\1:p" "$2" | head -1
}
iam 'Action=CreateUser&UserName=muster' >/dev/null
iam 'Action=PutUserPolicy&UserName=muster&PolicyName=all&PolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D' >/dev/null
iam 'Action=CreateAccessKey&UserName=muster' >"$work/key.xml"
AWS_ACCESS_KEY_ID=$(element AccessKeyId "$work/key.xml")
AWS_SECRET_ACCESS_KEY=$(element SecretAccessKey "$work/key.xml")
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
unset AWS_SESSION_TOKEN

account() { # account IMAGE
    cat <<EOF
{"name": "moto", "driver": "aws", "region": "us-east-2", "endpoint": "$url",
 "credentials": {"source": "environment"}, "test": {"image": "$1", "size": "m6a.large"}}
EOF
}
account ami-04681a1dbd79675a5 >"$work/account.json"
account ami-00000000000000000 >"$work/no-image.json"

"$muster" account test --file "$work/account.json" -o json >"$work/report.json" 2>"$work/errors"
status=$?
sed 's/^/# /' "$work/errors"
say "$status" "a whole round passes with signatures enforced"

[ "$(jq -r '[.steps[] | select(.result == "fail")] | length' "$work/report.json")" = 0 ] &&
    [ "$(jq -r '[.steps[].step] | join(" ")' "$work/report.json")" = \
        "identify offers leftovers disks addresses interfaces launch run confidential find-token list stop start terminate clean-up" ]
say $? "every step from launch to gone was taken"

AWS_SECRET_ACCESS_KEY=wrong "$muster" account test --file "$work/account.json" >"$work/out" 2>&1
[ $? = 3 ] && grep -q '^fail identify.*auth: SignatureDoesNotMatch' "$work/out"
say $? "a wrong secret key is refused with exit code 3 and its reason"
! grep -q "$AWS_SECRET_ACCESS_KEY" "$work/out" "$work/report.json" "$work/errors"
say $? "the secret key is nowhere in what was said"

"$muster" account test --file "$work/no-image.json" >"$work/out" 2>&1
[ $? = 1 ] && grep -q '^fail launch.*not-found: InvalidAMIID.NotFound' "$work/out"
say $? "an image that is not there is told by its reason"

if command -v aws >/dev/null; then
    alive=$(AWS_DEFAULT_REGION=us-east-2 aws --endpoint-url "$url" ec2 describe-instances --output text \
        --query 'length(Reservations[].Instances[?State.Name!=`terminated`][])')
    [ "$alive" = 0 ]
    say $? "nothing is left running"
else
    n=$((n + 1))
    echo "ok $n - nothing is left running # SKIP the aws command is not installed"
fi
