/* The evidence envelope a guest sends: which kind, what proves it, and what came with it. JSON both
 * ways; blobs are base64:
 *
 *   {"kind": "snp", "report": ..., "cert_table": ..., "ek": ..., "ca": [...], "rest": ...}
 *   {"kind": "snp-azure", "hcl": ..., "quote": ..., "signature": ..., "pcrs": [HEX, ...],
 *    "cert_table": ..., "ek": ..., "ca": [...], "rest": ...}
 *
 *   {"kind": "snp-vtpm", "report": ..., "quote": ..., "signature": ..., "pcrs": [HEX, ...],
 *    "event_log": ..., "ak": ..., "ak_cert": ..., "manifest": ..., "document": ...,
 *    "cert_table": ..., "ek": ..., "ca": [...], "rest": ...}
 *   {"kind": "nitro", "document": ..., "rest": ...}
 *
 * Only "kind" and "report", "hcl" or "document" must be there; which member goes with which kind is
 * a table in evidence.c. With "snp-vtpm" the signature is a whole TPMT_SIGNATURE, "ak" the
 * TPMT_PUBLIC of the key that made it, "ak_cert" a provider's certificate of that key, "manifest"
 * what an SVSM's report speaks for, and "document" a NitroTPM's. "rest" is the canonical record
 * that the binding hashes (trust.md section 4): its bytes are kept as sent. */
#ifndef MUSTER_ATTEST_EVIDENCE_H
#define MUSTER_ATTEST_EVIDENCE_H

#include "lib/attest/identity.h"
#include "lib/attest/judge.h"
#include "lib/attest/nitro_judge.h"
#include "lib/attest/quote_judge.h"

enum {
    EVIDENCE_JSON_MAX = 512 * 1024,
    EVIDENCE_REPORT_MAX = 16 * 1024,
    EVIDENCE_SIGNATURE_MAX = 1024,
    EVIDENCE_AK_MAX = 1024,
    EVIDENCE_MANIFEST_MAX = 8 * 1024,
    EVIDENCE_LOG_MAX = QUOTE_LOG_MAX,
    EVIDENCE_REST_MAX = 64 * 1024,
    EVIDENCE_CA_MAX = 8,
};

struct evidence {
    enum evidence_kind kind;
    struct bytes report;           /* snp, snp-vtpm, simulated */
    struct bytes hcl;              /* snp-azure */
    struct bytes quote, signature; /* snp-azure, snp-vtpm, like the next two; empty: none came */
    json_t *pcrs;                  /* NULL: none came */
    struct bytes event_log;
    struct bytes ak, ak_cert, manifest; /* snp-vtpm */
    struct bytes document;              /* nitro, snp-vtpm */
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

/* The chip's report: on its own, or within the paravisor's wrapper. Empty where there is none. */
struct span evidence_report(const struct evidence *e);

/* ---- judging ------------------------------------------------------------------------------ */

/* What evidence must answer: made by whoever asked, never from fields of the evidence. */
struct evidence_binding {
    uint8_t digest[BINDING_SIZE];
    uint8_t nonce[NONCE_SIZE];
    struct span sealing_key; /* DER SubjectPublicKeyInfo */
};

enum { SHOWN_KEY_MAX = 128 }; /* DER SubjectPublicKeyInfo of a link key */

/* What evidence answers that a guest shows to a relying party, for whoever makes it and whoever
 * judges it: the link key, which is borrowed, stands in the sealing key's place, and what follows
 * from the digest in the nonce's. ERR_INVALID "wrong-value": no such nonce or key. */
enum outcome evidence_shown(enum evidence_kind kind, struct span nonce, struct span link_key,
                            struct evidence_binding *out, struct error *err);

/* What the judge knows of his own. */
struct evidence_terms {
    struct snp_cache *chains;
    const struct nitro_roots *nitro_roots;
    size_t crl_count; /* beside what came: evidence_terms_add_crl() */
    struct span crl[SNP_CRLS_MAX];
    bool simulation_realm;       /* simulated evidence is refused elsewhere */
    bool simulated;              /* the chains are a simulator's, whatever kind it imitates */
    const struct policy *policy; /* NULL: authenticity only */
    const struct evidence_binding *binding; /* NULL: nobody asked */
    struct span given; /* without a binding: what an asker says that it answers, as it stands in
                        * report data, extra data or nonce; empty: nobody says */
    struct moment at;
    struct moment rules_at; /* of a replay: see judge.h */
    struct moment asked_at; /* when the nonce was issued; none when unknown */
    bool signature_known;   /* of a replay, like the next: see judge.h */
    bool without_claims;
    bool answered; /* likewise, and the next: see vtpm_judge.h */
    struct moment document_at;
    struct documents_then documents_then; /* where it is `answered` */
    struct image_facts image;
    struct standing standing;
    const struct charter_clouds *clouds;   /* whose documents count; NULL: they are not looked at */
    const struct cloud_declared *declared; /* NULL: nobody says what it should be */
};

/* At most SNP_CRLS_MAX, borrowed; an empty one is none. */
void evidence_terms_add_crl(struct evidence_terms *terms, struct span crl);

/* The judge of the evidence's kind, with the binding where trust.md section 4 says; then that of
 * its cloud's documents, for evidence that is good. */
void evidence_judge(const struct evidence *e, const struct evidence_terms *terms,
                    struct verdict *out);

/* What is remembered of evidence beside its verdict; worth something only when that is good. Zero
 * where it names none. */
struct evidence_facts {
    uint8_t boot[SHA256_SIZE]; /* the same until the guest boots anew (trust.md section 9) */
    uint8_t measurement[SNP_MEASUREMENT_SIZE];
    uint8_t chip[SNP_CHIP_ID_SIZE];
};
void evidence_facts(const struct evidence *e, struct evidence_facts *out);

#endif
