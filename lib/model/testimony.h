/* What a keeper leaves for the books beside a verdict: all that went into it, by digest or in full,
 * signed with the key for opinions. It opens nothing and release never takes it; it lets a third
 * party redo the appraisal (doc/bundles.md). */
#ifndef MUSTER_MODEL_TESTIMONY_H
#define MUSTER_MODEL_TESTIMONY_H

#include "lib/base/record.h"
#include "lib/crypto/cert.h"
#include "lib/model/binding.h"
#include "lib/model/cloud.h"
#include "lib/model/message.h"
#include "lib/model/token_types.h"

struct testimony {
    struct uuid verdict_id;
    uint8_t deployment[SHA256_SIZE]; /* SPKI of the root, as it stands in the binding */
    enum realm realm;
    struct uuid instance;
    enum evidence_kind kind;
    char verdict[16]; /* "trusted" | "rejected" */
    char reason[ERROR_CODE_SIZE];
    bool simulated;
    char policy[NAME_SIZE];
    uint8_t policy_digest[SHA256_SIZE];
    int64_t charter_serial;
    uint8_t charter_digest[SHA256_SIZE];  /* of the bytes that were signed */
    uint8_t evidence_digest[SHA256_SIZE]; /* of the envelope as it was judged */
    uint8_t crl_digest[SHA256_SIZE];      /* zero: no list was given */
    char declared_region[NAME_SIZE]; /* what the keeper was told of the machine, like the next */
    char declared_machine[CLOUD_MACHINE_SIZE];
    uint8_t nonce[NONCE_SIZE];
    uint8_t link_key[SHA256_SIZE];
    struct bytes sealing_key; /* SubjectPublicKeyInfo */
    struct moment asked;      /* when the nonce was issued */
    struct moment judged;
    uint8_t claims_digest[SHA256_SIZE]; /* of json_print() of what the books hold, like the next */
    uint8_t checks_digest[SHA256_SIZE];
};
void testimony_done(struct testimony *testimony);

/* SHA-256 of the canonical form. */
void testimony_digest(const json_t *value, uint8_t out[static SHA256_SIZE]);
void testimony_digest_printed(const char *json, uint8_t out[static SHA256_SIZE]);

/* `signer` is the key for opinions. The caller frees `out`. */
enum outcome testimony_print(const struct key *signer, const struct testimony *testimony,
                             char **out, struct error *err);
/* Signed by `signer`, for the books and nobody else. ERR_INVALID "testimony-malformed", ERR_DENIED
 * "testimony-audience" or what token_verify() says. `out` must be zero. */
enum outcome testimony_read(struct span text, const struct key *signer, struct testimony *out,
                            struct error *err);

#endif
