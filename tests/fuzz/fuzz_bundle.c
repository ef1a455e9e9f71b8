/* Evidence bundles by way of their judge. A line that nobody sealed ends at the seal; so the input
 * is a line, or {"bundle": PAYLOAD, "testimony": CLAIMS, "amd_root": PEM}, which is signed here as
 * a controller and a keeper would, with the digests of what it holds, to reach what lies behind. */
#include <string.h>

#include "lib/attest/bundle_judge.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static struct party {
    struct key *key;
    struct cert *cert;
} controller, keeper;
static struct cert *root;

static bool make_party(const struct key *root_key, enum cert_role role, struct moment from,
                       struct party *out)
{
    static const char *const names[] = {"localhost"};
    return key_generate(KEY_P256, &out->key, NULL) == OK &&
           cert_make_role(root_key, root, out->key, role, names, role == ROLE_CONTROLLER, from, 90,
                          &out->cert, NULL) == OK;
}

static bool is_ready(void)
{
    const struct moment from = clock_at_seconds(1795478400);
    OWNED(key_drop) struct key *root_key = NULL;
    return root != NULL || (key_generate(KEY_P384, &root_key, NULL) == OK &&
                            cert_make_root(root_key, REALM_SIMULATION, from, &root, NULL) == OK &&
                            make_party(root_key, ROLE_CONTROLLER, from, &controller) &&
                            make_party(root_key, ROLE_KEEPER_OPINION, from, &keeper));
}

static void judge_it(struct span in, const struct snp_roots *simulator)
{
    const struct bundle_terms terms = {.roots = &root,
                                       .root_count = 1,
                                       .simulator = simulator,
                                       .at = clock_at_seconds(1795482000 + 86400)};
    OWNED(bundle_answer_done) struct bundle_answer answer = {0};
    bundle_judge(in, &terms, &answer);
    json_decref(bundle_answer_to_json(&answer));
}

static void put_digest(json_t *claims, const char *name, const json_t *parts, const char *part)
{
    uint8_t made[SHA256_SIZE];
    OWNED(bytes_done) struct bytes matter = {0};
    if (json_get_base64(parts, "", part, INPUT_MAX, &matter, NULL) != OK)
        return;
    digest(DIGEST_SHA256, bytes_span(&matter), made);
    json_put_hex(claims, name, SPAN_OF(made));
}

static void put_printed(json_t *claims, const char *name, const json_t *value)
{
    uint8_t made[SHA256_SIZE];
    if (value == NULL)
        return;
    testimony_digest(value, made);
    json_put_hex(claims, name, SPAN_OF(made));
}

static void put_charter(json_t *claims, const json_t *parts)
{
    size_t count;
    OWNED(bytes_done) struct bytes jws = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    if (json_get_base64(parts, "", "charter", INPUT_MAX, &jws, NULL) != OK ||
        token_set_look(bytes_span(&jws), CHARTER_SIZE_MAX, &payload, &count, NULL) != OK ||
        charter_parse(bytes_span(&payload), &charter, NULL) != OK)
        return;
    json_put_hex(claims, "charter_digest", SPAN_OF(charter->digest));
    const char *name = json_string_value(json_object_get(claims, "policy"));
    const struct charter_policy *policy = name != NULL ? charter_find_policy(charter, name) : NULL;
    if (policy != NULL)
        json_put_hex(claims, "policy_digest", SPAN_OF(policy->digest));
}

static void testify(json_t *parts, json_t *told)
{
    uint8_t deployment[SHA256_SIZE];
    OWNED(mem_drop) char *token = NULL;
    json_t *claims = json_object_get(told, "muster");
    if (!json_is_object(claims))
        return;
    cert_spki_sha256(root, deployment);
    json_put_hex(claims, "deployment", SPAN_OF(deployment));
    put_digest(claims, "evidence_digest", parts, "evidence");
    put_digest(claims, "crl_digest", parts, "crl");
    put_printed(claims, "claims_digest", json_object_get(parts, "claims"));
    put_printed(claims, "checks_digest", json_object_get(parts, "checks"));
    put_charter(claims, parts);
    if (token_sign(keeper.key, SIMULATED_TESTIMONY_TYP, told, &token, NULL) == OK)
        json_put_text(parts, "testimony", token);
}

static void put_cert(json_t *parts, const char *name, const struct cert *cert)
{
    OWNED(bytes_done) struct bytes der = {0};
    if (cert_to_der(cert, &der, NULL) == OK)
        json_put_base64(parts, name, bytes_span(&der));
}

static void judge_parts(const json_t *in)
{
    OWNED(mem_drop) char *payload = NULL;
    OWNED(mem_drop) char *sealed = NULL;
    OWNED(snp_roots_drop) struct snp_roots *simulator = NULL;
    json_t *parts = json_object_get(in, "bundle");
    const char *pem = json_string_value(json_object_get(in, "amd_root"));
    if (!json_is_object(parts))
        return;
    if (pem != NULL) {
        const struct span blob = span_of_text(pem);
        error_ignore(snp_roots_custom(&blob, 1, &simulator, NULL));
    }
    testify(parts, json_object_get(in, "testimony"));
    put_cert(parts, "certificate", controller.cert);
    put_cert(parts, "testimony_cert", keeper.cert);
    payload = json_print(parts);
    if (token_seal(controller.key, BUNDLE_TYP, span_of_text(payload), BUNDLE_SIZE_MAX, &sealed,
                   NULL) == OK)
        judge_it(span_of_text(sealed), simulator);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(json_drop) json_t *in = NULL;
    if (!is_ready())
        return 0;
    if (json_parse(SPAN(data, size), INPUT_MAX, &in, NULL) == OK && json_is_object(in))
        judge_parts(in);
    else
        judge_it(SPAN(data, size), NULL);
    return 0;
}
