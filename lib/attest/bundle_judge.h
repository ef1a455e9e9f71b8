/* An evidence bundle, checked by somebody who trusts none of those who made it: only a deployment
 * root, the keys that sign charters and the chip makers' roots. Pure: no clock, no files, no
 * network. The evidence is judged again from the beginning, at the time of its verdict and by the
 * charter of then. */
#ifndef MUSTER_ATTEST_BUNDLE_JUDGE_H
#define MUSTER_ATTEST_BUNDLE_JUDGE_H

#include "lib/attest/evidence.h"
#include "lib/model/bundle.h"
#include "lib/model/charter.h"
#include "lib/model/testimony.h"

enum { BUNDLE_ROOTS_MAX = 4, BUNDLE_CHECKS_MAX = 16 };

/* Whom the asker trusts. */
struct bundle_terms {
    struct cert *const *roots; /* of the deployment: now, and before */
    size_t root_count;
    const struct charter_signers *signers; /* NULL: the charter's signatures are not looked at */
    const struct snp_roots *simulator;     /* NULL: AMD's roots, and no simulated evidence */
    const struct nitro_roots *enclaves;    /* NULL: AWS's root */
    struct span simulator_hashes;          /* of both, as a charter names them */
    struct moment at;                      /* now, by the asker's clock */
};

struct bundle_check {
    const char *name; /* static: "seal", "testimony", ... */
    enum check_result result;
    char detail[ERROR_TEXT_SIZE];
};

struct bundle_answer {
    bool good;                    /* everything that was looked at is as the bundle says */
    char reason[ERROR_CODE_SIZE]; /* "ok", or why: "bundle-seal", "bundle-evidence", ... */
    size_t check_count;           /* those after one that failed are skipped */
    struct bundle_check checks[BUNDLE_CHECKS_MAX];
    bool told; /* the testimony is a keeper's: the two below stand */
    struct moment exported;
    struct testimony testimony;
    bool judged;            /* so does this one */
    struct verdict verdict; /* of the evidence, from scratch */
};
void bundle_answer_done(struct bundle_answer *answer); /* also for OWNED; fine on zeroes */

/* `out` must be zero. Cannot fail: what is wrong is an answer. */
void bundle_judge(struct span in, const struct bundle_terms *terms, struct bundle_answer *out);

/* {"bundle": "genuine" | "refused", "reason", "checks", "exported", "verdict_id", "instance",
 * "policy", "charter_serial", "asked", "judged", "appraisal": as verdict_to_json()} */
json_t *bundle_answer_to_json(const struct bundle_answer *answer);

#endif
