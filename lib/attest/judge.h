/* Evidence, endorsements, policy and a time in; a verdict with every check listed out. Pure: no
 * clock, no files, no network. A rejection is a verdict, not an error, so this cannot fail. */
#ifndef MUSTER_ATTEST_JUDGE_H
#define MUSTER_ATTEST_JUDGE_H

#include "lib/attest/snp_chain.h"
#include "lib/attest/snp_report.h"
#include "lib/base/clock.h"
#include "lib/model/binding.h"
#include "lib/model/policy.h"
#include "lib/model/verdict.h"

/* The key distribution service dates certificates to the second of the request, and clocks differ.
 */
enum { JUDGE_CLOCK_SLACK_SECONDS = 300 };

struct judge_input {
    enum evidence_kind kind; /* EVIDENCE_SNP or EVIDENCE_SIMULATED; others are unsupported */
    bool simulation_realm;   /* simulated evidence is refused elsewhere */
    bool wrapped;            /* it stands in other evidence, which the caller judges */
    struct span report;
    const struct snp_endorsements *endorsements;
    const struct policy *policy; /* NULL: authenticity only */
    struct moment at;
    struct moment rules_at; /* of a replay: the floors and references of then; none: `at` */
    struct span expected_report_data; /* the binding: 64 bytes, or empty when there is none */
    struct moment asked_at;           /* when the nonce was issued; none when unknown */
    bool signature_known; /* of a replay: this signature over these bytes was good before */
    bool without_claims;  /* of a replay: only the verdict is wanted */
    struct image_facts image;
    struct standing standing;
};

void judge(const struct judge_input *input, struct verdict *out);

#endif
