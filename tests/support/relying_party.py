"""A relying party that knows nothing of Muster but its documentation: it checks opinions and passports with PyJWT and
cryptography, as OpenBao's and Vault's JWT auth would (bound_audiences, bound_issuer, bound_claims by JSON pointer,
user_claim, leeways). Refusals end with 3 and the reason on standard error."""
import argparse
import base64
import hashlib
import json
import sys

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import load_pem_x509_certificate


class Refused(Exception):
    pass


def bytes_of(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def b64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def thumbprint(jwk):  # RFC 7638
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64url(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())


def at(document, pointer):  # RFC 6901
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def pin(args):
    """Which keys to believe: those that the root signed, whoever handed them over."""
    with open(args.root, "rb") as file:
        root = load_pem_x509_certificate(file.read()).public_key()
    with open(args.jwks, encoding="utf-8") as file:
        served = json.load(file)
    pinned = {}
    for signed in served["signed_jwks"]:
        if jwt.get_unverified_header(signed)["typ"] != "jwk-set+jwt":
            raise Refused("a set of another type")
        claims = jwt.decode(signed, root, algorithms=["ES384"], options={"require": ["iss", "sub", "iat", "exp"]})
        for key in claims["keys"]:
            if key["kid"] != thumbprint(key):
                raise Refused("a kid that is no thumbprint")
            if key["muster_role"] == args.role:
                pinned[key["kid"]] = key
    for key in served["keys"]:
        if key["muster_role"] == args.role and key["kid"] not in pinned:
            raise Refused("a key that the root did not sign")
    json.dump({"keys": list(pinned.values())}, sys.stdout)


def key_for(token, path):
    with open(path, encoding="utf-8") as file:
        keys = {key["kid"]: key for key in json.load(file)["keys"]}
    kid = jwt.get_unverified_header(token)["kid"]
    if kid not in keys:
        raise Refused("unknown key")
    return jwt.PyJWK(keys[kid]).key


def login(args):
    """One login by the role's configuration; prints the alias and the claims."""
    with open(args.token, encoding="utf-8") as file:
        token = file.read().strip()
    if jwt.get_unverified_header(token)["typ"] != args.typ:
        raise Refused("type")
    claims = jwt.decode(
        token,
        key_for(token, args.jwks),
        algorithms=["ES256"],
        audience=args.bound_audience,
        issuer=args.bound_issuer,
        leeway=args.leeway,
        options={
            "require": ["exp", "iat", "jti"],
            # a leeway below 0 looks from later on, when what begins has long begun
            "verify_iat": args.leeway >= 0,
            "verify_nbf": args.leeway >= 0,
        },
    )
    for bound in args.bound_claim:
        pointer, values = bound.split("=", 1)
        if str(at(claims, pointer)) not in values.split(","):
            raise Refused(f"claim {pointer} is {at(claims, pointer)}")
    print(json.dumps({"alias": at(claims, args.user_claim), "claims": claims}))


def possession(args):
    """Does whoever shows the passport hold its key? Prints SHA-256 of that key's SubjectPublicKeyInfo."""
    with open(args.passport, encoding="utf-8") as file:
        passport = file.read().strip()
    with open(args.proof, encoding="utf-8") as file:
        proof = file.read().strip()
    cnf = jwt.decode(passport, options={"verify_signature": False})["cnf"]  # login() has checked it
    header = jwt.get_unverified_header(proof)
    if thumbprint(cnf["jwk"]) != cnf["jkt"] or header["typ"] != "muster-proof+jwt":
        raise Refused("confirmation")
    key = jwt.PyJWK({**cnf["jwk"], "alg": "ES256"}).key
    claims = jwt.decode(proof, key, algorithms=["ES256"])
    if claims["nonce"] != args.challenge:
        raise Refused("another challenge")
    if claims["ath"] != b64url(hashlib.sha256(passport.encode()).digest()):
        raise Refused("of another passport")
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    print(hashlib.sha256(spki).hexdigest())


def read_shown(path):
    with open(path, encoding="utf-8") as file:
        shown = json.load(file)
    return shown["evidence"], shown["link_key"]


def question(args):
    """What to ask of POST /v1/verify about evidence that a guest handed over: the nonce is our own."""
    evidence, link_key = read_shown(args.shown)
    if args.link_key_of:
        link_key = read_shown(args.link_key_of)[1]
    shown = {"nonce": args.nonce, "link_key": link_key}
    json.dump({"evidence": evidence, "policy": args.policy, "shown": shown}, sys.stdout)


def over(args):
    """Is a report over our nonce and the key that came with it? Prints SHA-256 of that key."""
    evidence, link_key = read_shown(args.shown)
    nonce = bytes.fromhex(args.nonce)
    key_hash = hashlib.sha256(base64.b64decode(link_key)).digest()
    kind = {"snp": 1, "simulated": 5}[evidence["kind"]]
    expected = hashlib.sha512(
        b"muster-shown-v1\0" + bytes([kind]) + len(nonce).to_bytes(2, "big") + nonce + key_hash
    ).digest()
    if base64.b64decode(evidence["report"])[0x50:0x90] != expected:
        raise Refused("report data")
    print(key_hash.hex())


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    verb = verbs.add_parser("pin")
    verb.set_defaults(run=pin)
    for option in ("--root", "--jwks", "--role"):
        verb.add_argument(option, required=True)
    verb = verbs.add_parser("login")
    verb.set_defaults(run=login)
    for option in ("--jwks", "--typ", "--bound-audience", "--bound-issuer", "--user-claim"):
        verb.add_argument(option, required=True)
    verb.add_argument("--bound-claim", action="append", default=[])
    verb.add_argument("--leeway", type=int, default=0)
    verb.add_argument("token")
    verb = verbs.add_parser("possession")
    verb.set_defaults(run=possession)
    for option in ("--passport", "--proof", "--challenge"):
        verb.add_argument(option, required=True)
    verb = verbs.add_parser("question")
    verb.set_defaults(run=question)
    for option in ("--shown", "--nonce", "--policy"):
        verb.add_argument(option, required=True)
    verb.add_argument("--link-key-of")
    verb = verbs.add_parser("over")
    verb.set_defaults(run=over)
    for option in ("--shown", "--nonce"):
        verb.add_argument(option, required=True)
    args = parser.parse_args()
    try:
        args.run(args)
    except (Refused, jwt.PyJWTError, KeyError) as why:
        print(f"{type(why).__name__}: {why}", file=sys.stderr)
        sys.exit(3)


main()
