/* Evidence of an Azure confidential VM in; a verdict with every check listed out. Pure, like
 * judge(). The chip signs a report made by the paravisor at boot; its data is the digest of the
 * runtime claims, which name the vTPM's attestation key; that key signs a quote over the registers
 * and our challenge. The order: the wrapper, the report inside with all its checks, the claims, the
 * quote, the registers, the policy. */
#ifndef MUSTER_ATTEST_AZURE_JUDGE_H
#define MUSTER_ATTEST_AZURE_JUDGE_H

#include "lib/attest/judge.h"

struct azure_input {
    struct span hcl;
    bool has_quote;
    struct span quote;     /* TPMS_ATTEST */
    struct span signature; /* bare RSASSA */
    const json_t *pcrs;    /* as in quote_judge.h, like the log */
    struct span log;
    bool has_nonce;
    struct span nonce; /* what the quote's extra data must be */
    const struct snp_endorsements *endorsements;
    const struct policy *policy; /* NULL: authenticity only */
    struct moment at;
    struct moment rules_at; /* of a replay, as in judge.h */
    struct moment asked_at; /* when the nonce was issued; none when unknown */
    struct image_facts image;
    struct standing standing;
};

void azure_judge(const struct azure_input *input, struct verdict *out);

#endif
