/* A verdict in the words of AR4SI (draft-ietf-rats-ar4si): eight claims about what an attester is
 * worth, each in one of four tiers, for relying parties that know no Muster. Pure. It says less
 * than the verdict: whoever can should look at level, missing and residuals. */
#ifndef MUSTER_MODEL_VERDICT_VECTOR_H
#define MUSTER_MODEL_VERDICT_VECTOR_H

#include "lib/model/verdict.h"

enum trust_claim {
    TRUST_INSTANCE_IDENTITY, /* which machine it is */
    TRUST_CONFIGURATION,     /* how the machine was launched: debug, migration, privilege */
    TRUST_EXECUTABLES,       /* what booted */
    TRUST_FILE_SYSTEM,       /* nothing here looks into file systems: always none */
    TRUST_HARDWARE,          /* processor, firmware, certificates */
    TRUST_RUNTIME_OPAQUE,    /* may anybody read its memory */
    TRUST_STORAGE_OPAQUE,    /* may anybody read its disk */
    TRUST_SOURCED_DATA,      /* no evidence speaks of data from others: always none */
    TRUST_CLAIM_COUNT
};
extern const struct names trust_claim_names; /* "instance-identity", ... */

enum trust_tier {
    TIER_NONE = 0, /* nothing is claimed */
    TIER_AFFIRMING = 2,
    TIER_WARNING = 32,
    TIER_CONTRAINDICATED = 96,
};
const char *trust_tier_word(enum trust_tier tier); /* "none", "affirming", ... */

struct trust_vector {
    enum trust_tier at[TRUST_CLAIM_COUNT];
};

/* Of a trusted verdict what it proves; of a rejection what spoke against it, and never anything for
 * it. Simulated evidence, and evidence under roots that somebody named, never affirm. */
struct trust_vector verdict_vector(const struct verdict *v);

/* Of a verdict that passed and is refused for this one claim. */
struct trust_vector trust_vector_against(enum trust_claim claim);

enum trust_tier trust_vector_worst(const struct trust_vector *vector);
json_t *trust_vector_to_json(const struct trust_vector *vector); /* all eight, as numbers */
void trust_vector_put(const struct trust_vector *vector, const char *name, struct members *out);
/* ERR_INVALID for anything but all eight, each in a tier. */
enum outcome trust_vector_from_json(const json_t *json, struct trust_vector *out,
                                    struct error *err);

#endif
