/* Evidence of a machine with a vTPM beside its chip's report; a verdict with every check listed
 * out. Pure, like judge(). What the vTPM says is worth what vouches for it (trust.md section 2),
 * and what came says which of three that is:
 *
 *   svsm      a manifest that a measured SVSM, at VMPL 0, put into its report names the key
 *   provider  the key has a certificate of an authority that the policy pins, or the registers
 *             stand in a NitroTPM's document
 *   unrooted  neither: root in the guest can invent such a vTPM, so that it is shown, never counted
 *
 * The order: report, what vouches for the key, quote, registers, log, policy. */
#ifndef MUSTER_ATTEST_VTPM_JUDGE_H
#define MUSTER_ATTEST_VTPM_JUDGE_H

#include "lib/attest/judge.h"
#include "lib/attest/nitro_judge.h"

struct vtpm_input {
    struct span report;
    struct span quote;     /* TPMS_ATTEST; empty: none, like all that follow */
    struct span signature; /* TPMT_SIGNATURE */
    const json_t *pcrs;    /* as in quote_judge.h, like the log */
    struct span log;
    struct span ak; /* TPMT_PUBLIC */
    struct span ak_cert;
    struct span manifest;
    struct span document;
    struct span binding; /* what it must answer; empty: nobody asked */
    struct span nonce;   /* of a document; empty where only the binding is known */
    bool answered;       /* of a replay: it answered its challenge then */
    const struct nitro_roots *nitro_roots;
    const struct snp_endorsements *endorsements;
    const struct policy *policy; /* NULL: authenticity only */
    struct moment at;
    struct moment rules_at;    /* of a replay, as in judge.h */
    struct moment document_at; /* of a replay: its certificates live for hours; none: as above */
    struct moment asked_at;    /* when the nonce was issued; none when unknown */
    bool signature_known;      /* of a replay, like the next: see judge.h */
    bool without_claims;
    struct image_facts image;
    struct standing standing;
};

void vtpm_judge(const struct vtpm_input *input, struct verdict *out);

#endif
