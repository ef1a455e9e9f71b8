/* The tokens that a keeper signs (trust.md section 6): the verdict, for its own later use; the
 * opinion, for whoever asked; the passport, for one relying party. Never confused with each other:
 * each has its typ, its audience and its key. */
#ifndef MUSTER_KEEPER_CLAIMS_H
#define MUSTER_KEEPER_CLAIMS_H

#include "lib/crypto/token.h"
#include "lib/model/charter.h"
#include "lib/model/token_types.h"
#include "lib/model/verdict_vector.h"

/* The "muster" claim. */
struct verdict_claims {
    uint8_t deployment[SHA256_SIZE];
    enum realm realm;
    struct uuid instance;
    enum evidence_kind kind;
    char verdict[16]; /* "trusted" | "rejected" */
    char reason[ERROR_CODE_SIZE];
    char policy[NAME_SIZE];
    uint8_t policy_digest[SHA256_SIZE];
    int64_t charter_serial;
    uint8_t link_key[SHA256_SIZE];
    struct bytes sealing_key; /* SubjectPublicKeyInfo */
    enum source hardware, software, identity;
    enum level level;
    json_t *missing;   /* words */
    json_t *residuals; /* words */
    uint8_t anchor[SHA256_SIZE];
    uint8_t named[VERDICT_NAMED * SHA256_SIZE]; /* machines, for the deny lists; see verdict.h */
    uint8_t report_id[32];
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    uint8_t chip[CHARTER_CHIP_SIZE];
    char region[REGION_SIZE];
    char account[NAME_SIZE]; /* by a cloud's document that agrees, like the next two */
    enum cloud_kind cloud;   /* whose document came */
    enum document_state documents;
    char suspect_reason[ERROR_CODE_SIZE];
    char product[16];         /* its line; for the deny lists, like the next */
    char csp_id[CSP_ID_SIZE]; /* whose VLEK */
    uint8_t id_key[SIGNER_DIGEST_SIZE];
    uint8_t author_key[SIGNER_DIGEST_SIZE];
    bool simulated;
};
extern const struct record verdict_claims_record;

struct verdict_token {
    struct uuid id;
    struct moment issued; /* when the nonce was, by the keeper's clock */
    struct moment expires;
    struct verdict_claims claims;
    struct trust_vector vector; /* for relying parties */
};
void verdict_token_done(struct verdict_token *token);

enum outcome verdict_token_print(const struct key *signer, const struct verdict_token *token,
                                 char **out, struct error *err);
/* The same where the claims are printed already: `said` is what members_record() made of them. */
enum outcome verdict_token_sign(const struct key *signer, const struct verdict_token *token,
                                const struct members *said, char **out, struct error *err);

/* Signed by `signer`, of the right typ, issuer and audience, not expired. ERR_DENIED "opinion-not-
 * verdict", "passport-not-verdict", "verdict-simulated" (in production), "verdict-type",
 * "verdict-key", "bad-signature", "verdict-audience", "verdict-expired"; ERR_INVALID
 * "verdict-malformed". */
enum outcome verdict_token_read(struct span text, const struct key *signer, enum realm realm,
                                struct moment now, struct verdict_token *out, struct error *err);

/* ---- opinions ------------------------------------------------------------------------------- */

enum nonce_source { NONCE_NOBODYS, NONCE_ASKERS, NONCE_SHOWN, NONCE_SOURCE_COUNT };
extern const struct names nonce_source_names; /* "none", "asker", "shown" */

/* The "muster" claim of an opinion: whose nonce and which policy it was, and no instance and no
 * anchor, for nobody was challenged; a guest's key only where the guest's hardware signed it. */
struct opinion_claims {
    uint8_t deployment[SHA256_SIZE];
    enum realm realm;
    enum evidence_kind kind;
    uint8_t evidence[SHA256_SIZE]; /* of the envelope as it came */
    char verdict[16];
    char reason[ERROR_CODE_SIZE];
    char policy[NAME_SIZE];             /* of the charter, or "" */
    uint8_t policy_digest[SHA256_SIZE]; /* zero: authenticity only */
    int64_t charter_serial;
    enum nonce_source nonce_source;
    struct bytes nonce;
    uint8_t link_key[SHA256_SIZE]; /* of the guest that showed it; zero: nobody did */
    enum source hardware, software, identity;
    enum level level;
    json_t *missing;
    json_t *residuals;
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    bool simulated;
};
extern const struct record opinion_claims_record;

enum { OPINION_SECONDS = 300 };

/* Signed by a key that is for opinions only. */
enum outcome opinion_token_print(const struct key *signer, const struct opinion_claims *claims,
                                 const struct trust_vector *vector, struct moment now, char **out,
                                 struct error *err);

/* ---- passports ------------------------------------------------------------------------------ */

/* The "muster" claim of a passport: what the verdict proved, and whose it was. Nothing of chip,
 * boot and sealing key, which are nobody's outside. */
struct passport_claims {
    uint8_t deployment[SHA256_SIZE];
    enum realm realm;
    char relying_party[NAME_SIZE];
    struct uuid instance;
    enum evidence_kind kind;
    struct uuid verdict;          /* the id of the verdict that it follows from */
    struct moment verdict_issued; /* how old that is */
    struct moment verdict_expires;
    char policy[NAME_SIZE];
    uint8_t policy_digest[SHA256_SIZE];
    int64_t charter_serial; /* that this was allowed by; the verdict's may be an older one */
    enum source hardware, software, identity;
    enum level level;
    json_t *missing;
    json_t *residuals;
    uint8_t anchor[SHA256_SIZE];
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    char region[REGION_SIZE];
    bool simulated;
};
extern const struct record passport_claims_record;

struct passport_token {
    struct uuid id;
    const char *audience;
    struct moment issued;
    struct moment expires;
    const struct key *link_key; /* the guest's: who shows it must prove to hold that */
    struct passport_claims claims;
    struct trust_vector vector;
};
void passport_token_done(struct passport_token *token);

/* Signed by a key that is for passports only. */
enum outcome passport_token_print(const struct key *signer, const struct passport_token *token,
                                  char **out, struct error *err);

#endif
