/* What identity documents do to a verdict: nothing rests on more than trust.md section 2 grants. */
#include <string.h>

#include "lib/attest/anchor.h"
#include "lib/attest/identity.h"

/* A vTPM that nobody vouches for has no identity, whatever else is said of its machine. */
static bool may_be_named(enum evidence_kind kind, const struct verdict *v)
{
    switch (kind) {
    case EVIDENCE_SNP:
    case EVIDENCE_SIMULATED:
        return true;
    case EVIDENCE_SNP_VTPM:
        return (v->residuals >> RESIDUAL_VTPM_UNROOTED & 1) == 0;
    case EVIDENCE_SNP_AZURE: /* by vmUniqueId and key, or not at all; enclaves by their own id */
    case EVIDENCE_NITRO:
    case EVIDENCE_NONE:
    case EVIDENCE_KIND_COUNT:
        break;
    }
    return false;
}

/* Only a token that answers our challenge is of the machine that shows it. */
static void set_anchor(const struct identity *identity, struct verdict *v)
{
    OWNED(bytes_done) struct bytes value = {0};
    bytes_add(&value, span_of_text(identity->account));
    bytes_add_u8(&value, '\0');
    bytes_add(&value, span_of_text(identity->machine));
    anchor_hash(ANCHOR_CLOUD_TOKEN, bytes_span(&value), v->anchor_hash);
    v->anchor = ANCHOR_CLOUD_TOKEN;
    memcpy(v->named[VERDICT_NAMED - 1], v->anchor_hash, sizeof v->named[VERDICT_NAMED - 1]);
}

static void name_instance(const struct identity *identity, enum evidence_kind kind,
                          struct verdict *v)
{
    if (v->identity != SOURCE_NONE || !may_be_named(kind, v))
        return;
    v->identity = SOURCE_PROVIDER;
    v->missing &= ~(1u << MISSING_IDENTITY);
    if (identity->fresh)
        set_anchor(identity, v);
}

void identity_prove(const struct identity *identity, enum evidence_kind kind,
                    const struct standing *standing, struct verdict *v)
{
    struct whereabouts *where = &v->where;
    where->documents = identity->state;
    where->reason = identity->reason;
    where->cloud = identity->cloud;
    memcpy(where->account, identity->account, sizeof where->account);
    memcpy(where->region, identity->region, sizeof where->region);
    if (identity->state == DOCUMENTS_AGREE)
        name_instance(identity, kind, v);
    verdict_miss(v, MISSING_CLEAR_IDENTITY, identity->state == DOCUMENTS_SUSPECT);
    verdict_grade(v, standing);
    const bool came = identity->cloud != CLOUD_NONE || identity->state != DOCUMENTS_NONE;
    if (came && verdict_claims(v) != NULL)
        json_put_new(v->claims, "documents", identity_to_json(identity));
}
