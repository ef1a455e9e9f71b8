/* Which cloud instance this is, by the cloud's own signed word (trust.md sections 2 and 5). Pure,
 * like the judges of evidence. Documents never make evidence good or bad: those that agree with
 * all that is known else name account, region and machine; those that do not make the instance
 * suspect, which caps its level and closes whatever asks who it is. */
#ifndef MUSTER_ATTEST_IDENTITY_H
#define MUSTER_ATTEST_IDENTITY_H

#include "lib/model/charter.h"

/* Of a replay: what belonged to the moment was looked at then, and this came of it. */
struct documents_then {
    bool bad_time, bad_nonce;
};

/* What the judge knows of his own, and what others say. */
struct identity_terms {
    const struct charter_clouds *clouds;   /* whose word counts */
    const struct cloud_declared *declared; /* by whoever launched it: hints, which only take away */
    const uint8_t *nonce;                  /* NONCE_SIZE bytes; NULL: no challenge is known */
    const struct documents_then *then;     /* NULL: it is now */
    struct moment at;
};

/* What the evidence itself proves, which a document cannot gainsay. "": nothing. */
struct identity_witness {
    const char *csp_id;  /* of a VLEK */
    const char *vm_id;   /* Azure's vmUniqueId */
    struct span enclave; /* module id */
    bool imitated;       /* by a simulator, which stands for what proves more than it can */
};

struct identity {
    enum document_state state;
    enum reason reason; /* why it is suspect: of the first check that failed */
    enum cloud_kind cloud;
    char account[NAME_SIZE]; /* like the next two: "" unless the documents agree */
    char region[REGION_SIZE];
    char machine[NAME_SIZE];
    bool fresh; /* it answers our challenge: an anchor, where the cloud's machines have no other */
    const char *note;      /* static: why there is nothing to look at; NULL: there is */
    struct verdict checks; /* its list and first reason; nothing else of it counts */
};
void identity_done(struct identity *identity);

void identity_judge(struct span record, const struct identity_terms *terms,
                    const struct identity_witness *witness, struct identity *out);

/* What follows for a verdict that is good: identity by the provider's word where nothing better
 * proves it, an anchor where the word is of now, account and region; or that it is suspect. */
void identity_prove(const struct identity *identity, enum evidence_kind kind,
                    const struct standing *standing, struct verdict *v);

/* {"state", "cloud", "reason", "account", "region", "machine", "note", "checks"}: what there is. */
json_t *identity_to_json(const struct identity *identity);

#endif
