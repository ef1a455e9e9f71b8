#include "lib/attest/nitro_judge.h"

#include <string.h>

#include "lib/attest/anchor.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/validity.h"
#include "lib/crypto/x509_path.h"

/* Clocks differ a little; a document from further ahead is not of this time. */
enum { AHEAD_SECONDS = 300 };

_Static_assert(COSE_SIGNATURE_SIZE == 2 * P384_NUMBER_SIZE);

/* clang-format off */
const struct nitro_roots nitro_roots_aws = {
    .count = 1,
    .sha256 = {{0x64, 0x1a, 0x03, 0x21, 0xa3, 0xe2, 0x44, 0xef, 0xe4, 0x56, 0x46, 0x31, 0x95, 0xd6,
                0x06, 0x31, 0x7e, 0xd7, 0xcd, 0xcc, 0x3c, 0x17, 0x56, 0xe0, 0x98, 0x93, 0xf3, 0xc6,
                0x8f, 0x79, 0xbb, 0x5b}},
};
/* clang-format on */

enum outcome nitro_roots_add(struct nitro_roots *roots, struct span blob, struct error *err)
{
    OWNED(x509_list_done) struct x509_list list = {0};
    TRY(x509_list_read(&list, blob, err));
    roots->custom = true;
    if (roots->count + list.count > NITRO_ROOTS_MAX)
        return fail(err, ERR_INVALID, "more than %d roots", NITRO_ROOTS_MAX);
    for (size_t i = 0; i < list.count; i++)
        x509_sha256(list.at[i], roots->sha256[roots->count++]);
    return OK;
}

/* ---- what the checks share ------------------------------------------------------------------ */

struct hearing {
    const struct nitro_input *in;
    const struct nitro_policy *policy; /* NULL: none */
    struct verdict *out;
    bool readable;
    struct cose_sign1 cose;
    struct nitro_document document;
    size_t count; /* root first, leaf last; 0: not all can be read */
    struct x509 *path[NITRO_BUNDLE_MAX + 1];
};

static void hearing_done(struct hearing *h)
{
    for (size_t i = 0; i < h->count; i++)
        x509_free(h->path[i]);
}

/* ---- authenticity --------------------------------------------------------------------------- */

static void check_format(struct hearing *h)
{
    static const char name[] = "document-format";
    struct error why = {0};
    enum outcome outcome = OK;
    if (h->in->document.len > NITRO_DOCUMENT_MAX)
        outcome = fail_code(&why, ERR_INVALID, "malformed", "a document of %zu bytes",
                            h->in->document.len);
    if (outcome == OK)
        outcome = cose_sign1_read(h->in->document, &h->cose, &why);
    if (outcome == OK)
        outcome = nitro_document_read(h->cose.payload, &h->document, &why);
    h->readable = outcome == OK;
    if (h->readable)
        verdict_pass(h->out, name, "COSE_Sign1 with ES384");
    else
        verdict_refuse(h->out, name,
                       strcmp(why.code, "unsupported-algorithm") == 0 ? REASON_UNSUPPORTED_ALGORITHM
                                                                      : REASON_MALFORMED,
                       why.text);
}

/* A machine may be made to hold what an enclave's policy asks for, and the reverse. */
static void check_whose(struct hearing *h)
{
    static const char name[] = "document-kind";
    if (!h->readable)
        verdict_skip(h->out, name, "no document");
    else if (h->document.tpm != h->in->of_tpm)
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_REPORT_TYPE,
                       h->document.tpm ? "a NitroTPM's, not an enclave's"
                                       : "an enclave's, not a NitroTPM's");
    else
        verdict_pass(h->out, name, h->document.tpm ? "a NitroTPM's" : "an enclave's");
}

static bool read_path(struct hearing *h, struct error *err)
{
    const struct nitro_document *d = &h->document;
    for (size_t i = 0; i <= d->bundle_count; i++) {
        const struct span der = i < d->bundle_count ? d->bundle[i] : d->certificate;
        if (x509_from_der(der, &h->path[i], err) != OK)
            return false;
        h->count = i + 1;
    }
    return true;
}

static bool root_is_pinned(const struct hearing *h)
{
    uint8_t hash[SHA256_SIZE];
    x509_sha256(h->path[0], hash);
    for (size_t i = 0; i < h->in->roots->count; i++)
        if (memcmp(hash, h->in->roots->sha256[i], sizeof hash) == 0)
            return true;
    return false;
}

static void check_chain(struct hearing *h)
{
    static const char name[] = "chain";
    struct error why = {0};
    if (!h->readable)
        verdict_skip(h->out, name, "no document");
    else if (!read_path(h, &why))
        verdict_refuse(h->out, name, REASON_CHAIN_UNTRUSTED, why.text);
    else if (!root_is_pinned(h))
        verdict_refuse(h->out, name, REASON_CHAIN_UNTRUSTED,
                       "the first certificate is no pinned root");
    else if (x509_path_check(h->path, h->count, &why) != OK)
        verdict_refuse(h->out, name, REASON_CHAIN_UNTRUSTED, why.text);
    else
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "%zu certificates from the pinned root",
                    h->count);
}

static const struct x509 *leaf_of(const struct hearing *h)
{
    return h->count == h->document.bundle_count + 1 ? h->path[h->count - 1] : NULL;
}

static void check_dates(struct hearing *h)
{
    if (leaf_of(h) == NULL)
        verdict_skip(h->out, "validity", "not all certificates can be read");
    else
        validity_check(h->out, "validity", h->path, h->count, h->in->at, 0, "every certificate");
}

static void check_signature(struct hearing *h)
{
    static const char name[] = "signature";
    OWNED(bytes_done) struct bytes message = {0};
    OWNED(p384_drop) struct p384 *key = NULL;
    struct error why = {0};
    if (leaf_of(h) == NULL) {
        verdict_skip(h->out, name, "no document or no certificate");
        return;
    }
    cose_sign1_signed_bytes(&h->cose, &message);
    const uint8_t *r = h->cose.signature.at;
    const uint8_t *s = r + P384_NUMBER_SIZE;
    if (p384_from_cert(leaf_of(h), &key, &why) != OK)
        verdict_refuse(h->out, name, REASON_BAD_SIGNATURE, why.text);
    else if (!p384_verify(key, bytes_span(&message), r, s))
        verdict_refuse(h->out, name, REASON_BAD_SIGNATURE, "not made by the leaf's key");
    else
        verdict_pass(h->out, name, "ECDSA P-384 with SHA-384");
}

/* ---- what it is bound to -------------------------------------------------------------------- */

static void check_bound(struct hearing *h, const char *name, bool asked,
                        const struct nitro_field *field, struct span expected, enum reason reason,
                        const char *what)
{
    if (!asked)
        verdict_skip(h->out, name, "not asked for");
    else if (!h->readable)
        verdict_skip(h->out, name, "no document");
    else if (field->presence != NITRO_PRESENT || !span_equal(field->value, expected))
        verdict_refuse(h->out, name, reason, what);
    else
        verdict_pass(h->out, name, "as it should be");
}

/* The challenge, the key that secrets are sealed to, and the binding of both to the instance. */
static void check_binding(struct hearing *h)
{
    const struct nitro_input *in = h->in;
    const struct nitro_document *d = &h->document;
    check_bound(h, "bound-nonce", in->has_nonce, &d->nonce, in->nonce, REASON_POLICY_NONCE,
                "the document answers another challenge");
    check_bound(h, "bound-key", in->bound && !in->of_tpm, &d->public_key, in->public_key,
                REASON_POLICY_REPORT_DATA, "the document speaks for another sealing key");
    check_bound(h, "bound-data", in->bound, &d->user_data, in->user_data, REASON_POLICY_REPORT_DATA,
                "the document's user data is not the expected binding");
}

/* ---- policy --------------------------------------------------------------------------------- */

static void condition(struct hearing *h, enum reason reason, bool asked, bool met,
                      const char *detail)
{
    const char *name = name_of(&reason_names, (int)reason);
    if (!h->readable || !asked)
        verdict_skip(h->out, name, h->readable ? "not asked for" : "no document");
    else if (met)
        verdict_pass(h->out, name, detail);
    else
        verdict_refuse(h->out, name, reason, detail);
}

static void check_debug(struct hearing *h)
{
    const bool debug = nitro_document_is_debug(&h->document);
    condition(h, REASON_POLICY_DEBUG, h->policy != NULL && !policy_allows_nitro_debug(h->policy),
              !debug, debug ? "PCR0 is zero: the enclave runs in debug mode" : "not in debug mode");
}

/* A whole policy must say which; one that only expects asks for what it names. */
static void check_pcrs(struct hearing *h)
{
    const char *name = name_of(&reason_names, REASON_POLICY_PCR);
    const struct nitro_policy *p = h->policy;
    if (!h->readable || p == NULL || p->pcrs.any || (!p->pcrs.said && p->mode == POLICY_EXPECT)) {
        verdict_skip(h->out, name, h->readable ? "not asked for" : "no document");
        return;
    }
    size_t right = 0;
    for (size_t i = 0; i < POLICY_PCRS; i++) {
        const struct nitro_pcr *pcr = &h->document.pcrs[i];
        const enum pcr_answer answer = pcr_rules_check(&p->pcrs, i, SPAN(pcr->value, pcr->len));
        if (answer == PCR_WRONG) {
            verdict_add(h->out, name, CHECK_FAIL, REASON_POLICY_PCR, "PCR%zu is another", i);
            return;
        }
        right += answer == PCR_RIGHT;
    }
    if (right == 0 && p->mode == POLICY_WHOLE)
        verdict_refuse(h->out, name, REASON_POLICY_PCR, "the policy names no PCR");
    else
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "%zu as they should be", right);
}

static void check_nonce(struct hearing *h)
{
    const bool asked = h->policy != NULL && h->policy->has_nonce;
    const struct nitro_field *nonce = &h->document.nonce;
    condition(h, REASON_POLICY_NONCE, asked,
              asked && nonce->presence == NITRO_PRESENT &&
                  span_equal(nonce->value, SPAN(h->policy->nonce, h->policy->nonce_len)),
              "compared with the document's");
}

/* In milliseconds; what lies beyond the numbers is from the future. */
static bool age_is_fine(const struct hearing *h)
{
    const int64_t at_ms = h->in->at.us / 1000;
    if (h->document.timestamp_ms > INT64_MAX)
        return false;
    const int64_t made_ms = (int64_t)h->document.timestamp_ms;
    if (made_ms > at_ms)
        return made_ms - at_ms <= AHEAD_SECONDS * INT64_C(1000);
    return at_ms - made_ms <= h->policy->max_age_seconds * 1000;
}

static void check_age(struct hearing *h)
{
    const bool asked = h->policy != NULL && h->policy->max_age_seconds > 0;
    condition(h, REASON_POLICY_AGE, asked, asked && age_is_fine(h),
              "the document's own time against the clock");
}

static void check_kind(struct hearing *h)
{
    static const char name[] = "evidence-kind";
    if (h->in->policy != NULL && !h->in->policy->has_nitro &&
        h->in->policy->nitro.mode == POLICY_WHOLE)
        verdict_refuse(h->out, name, REASON_UNSUPPORTED_EVIDENCE, "the policy does not name nitro");
    else
        verdict_pass(h->out, name, "nitro");
}

/* ---- the verdict ---------------------------------------------------------------------------- */

static void put_chain_claims(const struct hearing *h, json_t *claims)
{
    uint8_t hash[SHA256_SIZE];
    const struct x509 *leaf = leaf_of(h);
    if (leaf == NULL)
        return;
    struct moment from = x509_not_before(leaf);
    struct moment to = x509_not_after(leaf);
    x509_sha256(h->path[0], hash);
    json_put_hex(claims, "root_sha256", SPAN_OF(hash));
    json_put_text(claims, "leaf_not_before", moment_text(from).at);
    json_put_text(claims, "leaf_not_after", moment_text(to).at);
    for (size_t i = 0; i < h->count; i++) {
        if (x509_not_before(h->path[i]).us > from.us)
            from = x509_not_before(h->path[i]);
        if (x509_not_after(h->path[i]).us < to.us)
            to = x509_not_after(h->path[i]);
    }
    json_t *window = json_array();
    json_add_new(window, json_string(moment_text(from).at));
    json_add_new(window, json_string(moment_text(to).at));
    json_put_new(claims, "chain_window", window);
}

static void put_claims(const struct hearing *h)
{
    h->out->claims = json_object();
    if (!h->readable)
        return;
    json_put_bool(h->out->claims, "cose_tagged", h->cose.tagged);
    nitro_document_claims(&h->document, h->out->claims);
    put_chain_claims(h, h->out->claims);
}

/* PCR0 is the whole image, PCR1 and 2 its parts, PCR8 who signed it. The others say who the parent
 * is, not what runs. */
/* An enclave that nobody signed has a zero there, like every other. */
static bool names_register(const struct hearing *h, size_t pcr)
{
    const struct span value = SPAN(h->document.pcrs[pcr].value, h->document.pcrs[pcr].len);
    return h->policy->pcrs.at[pcr].count > 0 && !span_is_zero(value);
}

static bool is_pinned(const struct hearing *h)
{
    if (h->policy == NULL || !verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_PCR)))
        return false;
    return names_register(h, 0) || (names_register(h, 1) && names_register(h, 2)) ||
           names_register(h, 8);
}

/* The enclave's id is a new one at each of its starts. */
static void name_machine(struct hearing *h)
{
    anchor_hash(ANCHOR_ENCLAVE, h->document.module_id, h->out->named[0]);
}

/* PCR8: the certificate that signed the image. */
static void name_signer(struct hearing *h)
{
    uint8_t *signer = h->out->made.signers[0];
    if (h->document.pcrs[8].len == SIGNER_DIGEST_SIZE)
        memcpy(signer, h->document.pcrs[8].value, SIGNER_DIGEST_SIZE);
}

/* All three rest on AWS's word: PCR0 to 2 for what runs, module id and PCR4 for where. */
static void prove(struct hearing *h)
{
    const bool fresh = verdict_passed(h->out, "bound-nonce") ||
                       verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_NONCE));
    if (h->out->trusted) {
        const bool debug = nitro_document_is_debug(&h->document);
        const bool pinned = is_pinned(h);
        h->out->hardware = SOURCE_PROVIDER;
        h->out->identity = SOURCE_PROVIDER;
        name_machine(h);
        name_signer(h);
        if (pinned && !debug)
            h->out->software = SOURCE_PROVIDER;
        if (!debug) {
            h->out->anchor = ANCHOR_ENCLAVE;
            memcpy(h->out->anchor_hash, h->out->named[0], sizeof h->out->anchor_hash);
        }
        verdict_miss(h->out, MISSING_DEBUG_OFF, debug);
        verdict_miss(h->out, MISSING_PINNED_MEASUREMENT, !pinned);
        verdict_miss(h->out, MISSING_FRESHNESS, !fresh);
    }
    verdict_grade(h->out, &h->in->standing);
}

void nitro_judge(const struct nitro_input *input, struct verdict *out)
{
    *out = (struct verdict){.custom_roots = input->roots->custom};
    OWNED(hearing_done) struct hearing h = {.in = input, .out = out};
    if (input->policy != NULL && input->policy->has_nitro)
        h.policy = &input->policy->nitro;
    check_kind(&h);
    check_format(&h);
    check_whose(&h);
    check_chain(&h);
    check_dates(&h);
    check_signature(&h);
    check_binding(&h);
    check_debug(&h);
    check_pcrs(&h);
    check_nonce(&h);
    check_age(&h);
    out->trusted = out->reason == REASON_OK;
    put_claims(&h);
    prove(&h);
}
