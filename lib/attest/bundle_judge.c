#include "lib/attest/bundle_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/attest/bundle_inside.h"
#include "lib/base/text.h"

enum { CLOCK_SLACK_SECONDS = 300 };

static void inquiry_done(struct inquiry *q)
{
    bundle_done(&q->bundle);
    charter_free(q->charter);
    evidence_done(&q->evidence);
}

/* ---- who signed what ------------------------------------------------------------------------- */

static enum outcome refuse(struct error *err, const char *code, const struct error *why)
{
    return fail_code(err, ERR_DENIED, code, "%.48s: %.240s", why->code, why->text);
}

static enum outcome check_seal(struct inquiry *q, struct error *err)
{
    return bundle_open(q->in, &q->bundle, err);
}

static enum outcome read_cert(const struct bytes *der, struct cert **cert, struct key **key,
                              struct error *err)
{
    TRY(cert_from_der(bytes_span(der), cert, err));
    return cert_key(*cert, key, err);
}

/* A controller of the deployment, when it was exported. */
static enum outcome check_exporter(struct inquiry *q, struct error *err)
{
    struct error why = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    if (cert_from_der(bytes_span(&q->bundle.certificate), &cert, &why) != OK ||
        cert_check_role(cert, ROLE_CONTROLLER, q->terms->roots, q->terms->root_count,
                        q->bundle.exported, &why) != OK)
        return refuse(err, "bundle-exporter", &why);
    return OK;
}

static enum outcome check_testimony(struct inquiry *q, struct error *err)
{
    struct error why = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL;
    if (read_cert(&q->bundle.testimony_cert, &cert, &key, &why) != OK ||
        testimony_read(span_of_text(q->bundle.testimony), key, &q->out->testimony, &why) != OK ||
        cert_check_role(cert, ROLE_KEEPER_OPINION, q->terms->roots, q->terms->root_count,
                        q->out->testimony.judged, &why) != OK)
        return refuse(err, "bundle-testimony", &why);
    q->told = &q->out->testimony;
    return OK;
}

static bool is_after(struct moment later, struct moment earlier)
{
    return later.us >= earlier.us - CLOCK_SLACK_SECONDS * SECONDS_US;
}

static enum outcome check_times(struct inquiry *q, struct error *err)
{
    if (q->told->judged.us < q->told->asked.us || !is_after(q->bundle.exported, q->told->judged) ||
        !is_after(q->terms->at, q->bundle.exported))
        return fail_code(err, ERR_DENIED, "bundle-times",
                         "asked %s, judged %s, exported %s, looked at %s",
                         moment_text(q->told->asked).at, moment_text(q->told->judged).at,
                         moment_text(q->bundle.exported).at, moment_text(q->terms->at).at);
    return OK;
}

/* The root in the binding is one of the asker's, and of the realm that is told. */
static enum outcome check_deployment(struct inquiry *q, struct error *err)
{
    for (size_t i = 0; i < q->terms->root_count; i++) {
        uint8_t spki[SHA256_SIZE];
        enum realm realm;
        cert_spki_sha256(q->terms->roots[i], spki);
        if (memcmp(spki, q->told->deployment, sizeof spki) == 0 &&
            cert_realm(q->terms->roots[i], &realm, NULL) == OK && realm == q->told->realm)
            return OK;
    }
    return fail_code(err, ERR_DENIED, "bundle-deployment",
                     "the guest was bound to another deployment than that of the roots given");
}

/* ---- what was judged, by what ---------------------------------------------------------------- */

static bool is_digest_of(struct span matter, const uint8_t expected[static SHA256_SIZE])
{
    uint8_t found[SHA256_SIZE];
    digest(DIGEST_SHA256, matter, found);
    return memcmp(found, expected, sizeof found) == 0;
}

static enum outcome check_evidence(struct inquiry *q, struct error *err)
{
    struct error why = {0};
    if (!is_digest_of(bytes_span(&q->bundle.evidence), q->told->evidence_digest))
        return fail_code(err, ERR_DENIED, "bundle-evidence",
                         "not the evidence that the keeper judged");
    if (evidence_parse(bytes_span(&q->bundle.evidence), &q->evidence, &why) != OK)
        return refuse(err, "bundle-evidence", &why);
    if (q->evidence.kind != q->told->kind)
        return fail_code(err, ERR_DENIED, "bundle-evidence", "evidence of another kind than told");
    return OK;
}

/* The list beside the evidence; what is inside the evidence goes with its digest. */
static enum outcome check_endorsements(struct inquiry *q, struct error *err)
{
    const struct span crl = bytes_span(&q->bundle.crl);
    if (span_is_zero(SPAN_OF(q->told->crl_digest)) ? crl.len == 0
                                                   : is_digest_of(crl, q->told->crl_digest))
        return OK;
    return fail_code(err, ERR_DENIED, "bundle-endorsements",
                     "not the revocation list that the keeper judged with");
}

static enum outcome check_charter_signers(struct inquiry *q, struct error *err)
{
    struct error why = {0};
    if (q->terms->signers == NULL) {
        q->skipped = "no --charter-signers: only the keeper's word says who signed the charter";
        return OK;
    }
    if (charter_open(bytes_span(&q->bundle.charter), q->terms->signers, &q->charter, &why) != OK)
        return refuse(err, "bundle-charter-signers", &why);
    return OK;
}

static enum outcome read_charter(struct inquiry *q, struct error *err)
{
    size_t signatures;
    OWNED(bytes_done) struct bytes payload = {0};
    if (q->charter != NULL)
        return OK;
    TRY(token_set_look(bytes_span(&q->bundle.charter), CHARTER_SIZE_MAX, &payload, &signatures,
                       err));
    return charter_parse(bytes_span(&payload), &q->charter, err);
}

static enum outcome check_charter(struct inquiry *q, struct error *err)
{
    struct error why = {0};
    if (read_charter(q, &why) != OK)
        return refuse(err, "bundle-charter", &why);
    if (q->charter->serial != q->told->charter_serial ||
        memcmp(q->charter->digest, q->told->charter_digest, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "bundle-charter",
                         "not the charter that the keeper obeyed");
    if (charter_check(q->charter, q->told->realm, q->told->judged, &why) != OK)
        return refuse(err, "bundle-charter", &why);
    return OK;
}

static enum outcome check_policy(struct inquiry *q, struct error *err)
{
    q->policy = charter_find_policy(q->charter, q->told->policy);
    if (q->policy == NULL || memcmp(q->policy->digest, q->told->policy_digest, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "bundle-policy",
                         "the charter's policy %s is not the one that was applied",
                         q->told->policy);
    return OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

typedef enum outcome check_fn(struct inquiry *q, struct error *err);

/* In this order: each rests on those before it. */
static const struct {
    const char *name;
    check_fn *check;
} checks[] = {
    {"seal", check_seal},
    {"exporter", check_exporter},
    {"testimony", check_testimony},
    {"times", check_times},
    {"deployment", check_deployment},
    {"evidence", check_evidence},
    {"endorsements", check_endorsements},
    {"charter-signers", check_charter_signers},
    {"charter", check_charter},
    {"policy", check_policy},
    {"appraisal", bundle_check_appraisal},
    {"binding", bundle_check_binding},
    {"verdict", bundle_check_verdict},
    {"claims", bundle_check_claims},
    {"audit", bundle_check_audit},
};
_Static_assert(countof(checks) <= BUNDLE_CHECKS_MAX);

static void add(struct bundle_answer *out, const char *name, enum check_result result,
                const char *detail)
{
    struct bundle_check *check = &out->checks[out->check_count++];
    check->name = name;
    check->result = result;
    snprintf(check->detail, sizeof check->detail, "%s", detail);
    text_make_clean(check->detail); /* it may quote the bundle, cut within a character */
}

void bundle_judge(struct span in, const struct bundle_terms *terms, struct bundle_answer *out)
{
    OWNED(inquiry_done) struct inquiry q = {.in = in, .terms = terms, .out = out};
    strcpy(out->reason, "ok");
    out->good = true;
    for (size_t i = 0; i < countof(checks); i++) {
        struct error err = {0};
        q.skipped = NULL;
        if (!out->good)
            add(out, checks[i].name, CHECK_SKIP, "an earlier check failed");
        else if (checks[i].check(&q, &err) != OK) {
            out->good = false;
            memcpy(out->reason, err.code, sizeof out->reason);
            add(out, checks[i].name, CHECK_FAIL, err.text);
        } else
            add(out, checks[i].name, q.skipped != NULL ? CHECK_SKIP : CHECK_PASS,
                q.skipped != NULL ? q.skipped : "");
    }
    out->told = q.told != NULL;
    out->exported = q.bundle.exported;
}

void bundle_answer_done(struct bundle_answer *answer)
{
    testimony_done(&answer->testimony);
    verdict_done(&answer->verdict);
    *answer = (struct bundle_answer){0};
}

static json_t *checks_to_json(const struct bundle_answer *answer)
{
    json_t *list = json_array();
    for (size_t i = 0; i < answer->check_count; i++) {
        json_t *check = json_object();
        json_put_text(check, "check", answer->checks[i].name);
        json_put_text(check, "result", name_of(&check_result_names, (int)answer->checks[i].result));
        json_put_text(check, "detail", answer->checks[i].detail);
        json_add_new(list, check);
    }
    return list;
}

json_t *bundle_answer_to_json(const struct bundle_answer *answer)
{
    json_t *out = json_object();
    const struct testimony *told = &answer->testimony;
    json_put_text(out, "bundle", answer->good ? "genuine" : "refused");
    json_put_text(out, "reason", answer->reason);
    json_put_new(out, "checks", checks_to_json(answer));
    if (answer->told) {
        json_put_moment(out, "exported", answer->exported);
        json_put_uuid(out, "verdict_id", &told->verdict_id);
        json_put_uuid(out, "instance", &told->instance);
        json_put_text(out, "realm", name_of(&realm_names, (int)told->realm));
        json_put_text(out, "verdict", told->verdict);
        json_put_text(out, "verdict_reason", told->reason);
        json_put_bool(out, "simulated", told->simulated);
        json_put_text(out, "policy", told->policy);
        json_put_int(out, "charter_serial", told->charter_serial);
        json_put_moment(out, "asked", told->asked);
        json_put_moment(out, "judged", told->judged);
    }
    if (answer->judged)
        json_put_new(out, "appraisal", verdict_to_json(&answer->verdict));
    return out;
}
