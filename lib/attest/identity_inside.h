/* What the judges of each cloud's documents share; nobody else includes it. */
#ifndef MUSTER_ATTEST_IDENTITY_INSIDE_H
#define MUSTER_ATTEST_IDENTITY_INSIDE_H

#include "lib/attest/cloud_documents.h"
#include "lib/attest/identity.h"

enum { IDENTITY_SLACK_SECONDS = 300 };

/* What a document says. */
struct cloud_facts {
    char account[NAME_SIZE];
    char region[REGION_SIZE]; /* "": it says none */
    char zone[REGION_SIZE];
    char machine[NAME_SIZE];
    char name[NAME_SIZE]; /* gcp: its name, beside its number */
};

struct identity_hearing {
    const struct identity_terms *terms;
    const struct cloud_documents *documents;
    struct identity *out;
    bool readable; /* `facts` hold what the document says */
    struct cloud_facts facts;
};

/* Authenticity, time and challenge, in the order of the checks. */
void identity_judge_aws(struct identity_hearing *h);
void identity_judge_azure(struct identity_hearing *h);
void identity_judge_gcp(struct identity_hearing *h);

void identity_pass(struct identity_hearing *h, const char *detail, enum reason reason);
void identity_skip(struct identity_hearing *h, const char *detail, enum reason reason);
void identity_refuse(struct identity_hearing *h, const char *detail, enum reason reason);
void identity_check(struct identity_hearing *h, enum outcome outcome, const struct error *why,
                    const char *fine, enum reason reason);

/* What belonged to the moment, in a replay: as it was found then. */
void identity_recall(struct identity_hearing *h, bool was_bad, enum reason reason);

/* Nothing to look at: whatever came cannot be held against anybody. */
void identity_nothing(struct identity_hearing *h, const char *note);

/* From a document that somebody else made: a word, short and clean. */
enum outcome identity_get_word(const json_t *object, const char *name, char *out, size_t size,
                               struct error *err);
/* Base64 with line breaks, as metadata services print it. */
enum outcome identity_unwrap(struct span text, struct bytes *out, struct error *err);

#endif
