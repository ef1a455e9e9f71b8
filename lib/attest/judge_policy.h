/* The two halves of judge() that are not about authenticity: the relying party's policy, and what a
 * pass proves. Only lib/attest/judge.c calls these. */
#ifndef MUSTER_ATTEST_JUDGE_POLICY_H
#define MUSTER_ATTEST_JUDGE_POLICY_H

#include "lib/attest/judge.h"

struct policy_hearing {
    const struct snp_policy *policy; /* NULL: authenticity only */
    const struct snp_report *report;
    const struct snp_ek *ek; /* NULL: no usable certificate */
    enum snp_product product;
    enum snp_line line;
    struct span expected_report_data;
    struct moment asked_at;
    struct moment at;
    struct moment rules_at;
};

void judge_policy(const struct policy_hearing *p, struct verdict *out);
void judge_policy_unread(struct verdict *out); /* the same checks, for want of a report */

/* Hardware, software and identity with their sources, anchor, residuals, level (trust.md section
 * 2). `report` is NULL when there is none that can be read. */
void judge_proof(const struct judge_input *input, const struct snp_report *report,
                 struct verdict *out);

#endif
