/* Evidence that passed, judged anew with one thing altered that must make it fail: one table says
 * what is altered and, for each kind of evidence, the code that must come of it (trust.md section
 * 10). The judge is the keeper's own; nothing of it is done here. */
#ifndef MUSTER_KEEPER_ALTERATIONS_H
#define MUSTER_KEEPER_ALTERATIONS_H

#include "keeper/inside.h"

/* A question as it was once answered with yes, whose parts may be changed: none of them is shared
 * with the keeper, except what the shallow copies merely point at. */
struct probe {
    const struct probe_sample *sample;
    int64_t turn; /* where there is a choice of what to alter */
    struct keeper keeper;
    struct charter charter;
    struct charter_policy policy;
    struct policy *terms; /* what `policy` asks for */
    struct nonce_entry nonce;
    struct evidence evidence;
    struct evidence_facts facts;
    struct bytes denied; /* the one list of the charter that was changed */
    char denied_region[1][CSP_ID_SIZE];
    struct question question;
};

struct alteration {
    const char *name;
    /* False: this evidence has nothing of the kind that could be altered. */
    bool (*alter)(struct probe *probe);
    const char *codes[EVIDENCE_KIND_COUNT]; /* NULL: not a question for this kind */
};
extern const struct alteration alterations[];
extern const size_t alteration_count;

/* The question as it was; `probe` must be zero. ERR_DENIED "policy-unknown": the charter has not
 * got that policy any more. */
enum outcome probe_prepare(const struct keeper *keeper, const struct charter *charter,
                           const struct probe_sample *sample, struct probe *probe,
                           struct error *err);
void probe_done(struct probe *probe);

/* "ok" when the judges would have trusted it, else the code with which they did not. */
bool probe_passes(const struct probe *probe, char out_code[static ERROR_CODE_SIZE]);

#endif
