/* Standing negative probes (trust.md section 10): the keeper judges its own fleet's recent evidence
 * against what it must not fit, around the clock, and asserts the exact code. Whoever asks for
 * appraisals can neither stop them nor choose what they are made of: what passed is kept, the
 * newest of each kind and policy. doc/decisions/0015-*.md says why so. */
#ifndef MUSTER_KEEPER_PROBES_H
#define MUSTER_KEEPER_PROBES_H

#include "keeper/claims.h"
#include "keeper/nonces.h"

enum { PROBE_SAMPLES_MAX = 16, PROBE_WORD_SIZE = 32 };

/* What passed once, as it was asked then. */
struct probe_sample {
    struct bytes evidence, crl;
    struct nonce_entry nonce;
    char policy[NAME_SIZE];
    uint8_t named[VERDICT_NAMED][SHA256_SIZE]; /* by its verdict, like the next */
    struct provenance made;
    struct cloud_declared declared; /* of the machine, then */
    struct moment at;
    char *token;
};

/* A probe that did not end as it must: the first acceptance, else the latest other code. */
struct probe_fault {
    char kind[PROBE_WORD_SIZE];
    char alteration[PROBE_WORD_SIZE];
    char code[ERROR_CODE_SIZE]; /* "ok": it was accepted */
    struct moment at;
};

struct probes {
    struct probe_sample samples[PROBE_SAMPLES_MAX];
    size_t count;
    size_t next; /* to be probed */
    int64_t turn;
    int64_t every_seconds;
    int64_t due_ms;
    int64_t held, wrong, accepted;
    struct moment last;
    struct probe_fault fault;
};

void probes_done(struct probes *probes);

/* Keep it in the place of the one of this kind and policy, or of the oldest. Takes over what
 * `sample` owns. */
void probes_keep(struct probes *probes, struct probe_sample *sample);
/* Probe at the next opportunity. */
void probes_hurry(struct probes *probes);

#endif
