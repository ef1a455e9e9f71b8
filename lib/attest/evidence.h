/* The evidence envelope a guest sends: which kind, the report, and what came with it. JSON both
 * ways; blobs are base64:
 *
 *   {"kind": "snp", "report": ..., "cert_table": ..., "ek": ..., "ca": [...], "rest": ...}
 *
 * Only "kind" and "report" must be there. "rest" is the canonical record that the binding hashes
 * (trust.md section 4): its bytes are kept as sent. */
#ifndef MUSTER_ATTEST_EVIDENCE_H
#define MUSTER_ATTEST_EVIDENCE_H

#include "lib/attest/judge.h"

enum {
    EVIDENCE_JSON_MAX = 512 * 1024,
    EVIDENCE_REPORT_MAX = 16 * 1024,
    EVIDENCE_REST_MAX = 64 * 1024,
    EVIDENCE_CA_MAX = 8,
};

struct evidence {
    enum evidence_kind kind;
    struct bytes report;
    struct bytes cert_table;
    struct bytes ek;
    size_t ca_count;
    struct bytes ca[EVIDENCE_CA_MAX];
    struct bytes rest;
};

void evidence_done(struct evidence *e); /* also for OWNED; fine on zeroes */

/* ERR_INVALID: "unsupported-evidence" for kinds that are known but not appraised here, else what
 * the JSON getters say. `out` must be zero. */
enum outcome evidence_parse(struct span in, struct evidence *out, struct error *err);
json_t *evidence_to_json(const struct evidence *e);
char *evidence_print(const struct evidence *e); /* the caller frees it */

/* Borrowed from the evidence; add revocation lists or certificates to it before use. */
struct snp_bundle evidence_bundle(const struct evidence *e);

/* judge() with kind, report and endorsements taken from the evidence, the chain from the cache and
 * `crl` (may be empty) beside it. The other members of `input` are the caller's. */
void evidence_judge(const struct evidence *e, struct snp_cache *cache, struct span crl,
                    struct judge_input *input, struct verdict *out);

#endif
