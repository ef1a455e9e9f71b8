/* The keeper's word for the books beside a verdict (lib/model/testimony.h). */
#include <string.h>

#include "keeper/inside.h"
#include "lib/base/log.h"
#include "lib/model/testimony.h"

static void fill(const struct question *q, struct span evidence, const struct verdict_token *token,
                 const struct appraise_answer *reply, struct testimony *out)
{
    const struct nonce_entry *nonce = q->nonce;
    const struct verdict_claims *claims = &token->claims;
    out->verdict_id = token->id;
    memcpy(out->deployment, claims->deployment, sizeof out->deployment);
    out->realm = claims->realm;
    out->instance = claims->instance;
    out->kind = claims->kind;
    memcpy(out->verdict, claims->verdict, sizeof out->verdict);
    memcpy(out->reason, claims->reason, sizeof out->reason);
    out->simulated = claims->simulated;
    memcpy(out->policy, claims->policy, sizeof out->policy);
    memcpy(out->policy_digest, claims->policy_digest, sizeof out->policy_digest);
    out->charter_serial = q->charter->serial;
    memcpy(out->charter_digest, q->charter->digest, sizeof out->charter_digest);
    digest(DIGEST_SHA256, evidence, out->evidence_digest);
    if (q->crl.len > 0)
        digest(DIGEST_SHA256, q->crl, out->crl_digest);
    memcpy(out->declared_region, q->declared->region, sizeof out->declared_region);
    memcpy(out->declared_machine, q->declared->machine, sizeof out->declared_machine);
    memcpy(out->nonce, nonce->nonce, sizeof out->nonce);
    memcpy(out->link_key, nonce->link_key, sizeof out->link_key);
    bytes_add(&out->sealing_key, SPAN(nonce->sealing_spki, nonce->sealing_spki_len));
    out->asked = nonce->issued;
    out->judged = q->at;
    testimony_digest_printed(reply->claims, out->claims_digest);
    testimony_digest_printed(reply->checks, out->checks_digest);
}

/* A halted keeper's word is worth nothing to others. */
static enum outcome sign(const struct keeper *k, const struct testimony *testimony,
                         struct appraise_answer *out, struct error *err)
{
    TRY(keeper_check_halt(k, err));
    TRY(keeper_may_sign(k->opinion_cert, err));
    TRY(cert_to_der(k->opinion_cert, &out->testimony_cert, err));
    return testimony_print(k->opinion_signer, testimony, &out->testimony, err);
}

void keeper_testify(const struct keeper *k, const struct question *q, struct span evidence,
                    const struct verdict_token *token, struct appraise_answer *out)
{
    struct error err = {0};
    OWNED(testimony_done) struct testimony testimony = {0};
    if (k->opinion_signer == NULL)
        return;
    fill(q, evidence, token, out, &testimony);
    if (sign(k, &testimony, out, &err) == OK)
        return;
    bytes_done(&out->testimony_cert);
    log_error("testimony.not-given", &err);
}
