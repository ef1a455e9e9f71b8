/* What the two halves of the judge of bundles share; nobody else includes it. */
#ifndef MUSTER_ATTEST_BUNDLE_INSIDE_H
#define MUSTER_ATTEST_BUNDLE_INSIDE_H

#include "lib/attest/bundle_judge.h"

/* Grows check by check. */
struct inquiry {
    struct span in;
    const struct bundle_terms *terms;
    struct bundle_answer *out;
    const char *skipped; /* why the check at hand had nothing to look at */
    struct bundle bundle;
    const struct testimony *told; /* NULL: no keeper's word yet */
    struct charter *charter;
    const struct charter_policy *policy;
    struct evidence evidence;
    struct evidence_facts facts;
    char denied[ERROR_CODE_SIZE]; /* by charter or keeper, although the evidence is good; or "" */
};

/* The second half: what the evidence says when it is judged again, and who says otherwise. */
enum outcome bundle_check_appraisal(struct inquiry *q, struct error *err);
enum outcome bundle_check_binding(struct inquiry *q, struct error *err);
enum outcome bundle_check_verdict(struct inquiry *q, struct error *err);
enum outcome bundle_check_claims(struct inquiry *q, struct error *err);
enum outcome bundle_check_audit(struct inquiry *q, struct error *err);

#endif
