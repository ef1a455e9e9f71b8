/* What the files of the keeper share; nobody else includes it. */
#ifndef MUSTER_KEEPER_INSIDE_H
#define MUSTER_KEEPER_INSIDE_H

#include "keeper/claims.h"
#include "keeper/keeper.h"
#include "keeper/nonces.h"
#include "keeper/probes.h"
#include "keeper/vault.h"
#include "lib/attest/evidence.h"
#include "lib/base/bucket.h"
#include "lib/base/map.h"
#include "lib/model/keeper_state.h"

enum { KEEPER_ROOTS_MAX = 2 };

/* What was done for an instance since the start, so that nothing is done twice or out of date. */
struct known_instance {
    struct uuid verdict; /* the latest */
    int64_t asked_ms;    /* when its nonce was issued, by the clock that nobody sets */
    int64_t sequence;    /* the highest that was released */
    struct bucket passports;
};

struct keeper {
    enum realm realm;
    struct cert *roots[KEEPER_ROOTS_MAX]; /* current and next */
    size_t root_count;
    uint8_t deployment[SHA256_SIZE]; /* SubjectPublicKeyInfo of the current root */

    struct key *signer;
    struct cert *signer_cert;
    char *signer_pem;
    uint8_t signer_key[SHA256_SIZE];

    struct key *opinion_signer; /* NULL: a folder made before there was one */
    struct cert *opinion_cert;
    struct key *passport_signer; /* NULL: likewise */
    struct cert *passport_cert;
    char *jwks; /* what it signs for others with, signed by the root; NULL: likewise */

    struct kek *kek;
    struct keeper_state *state; /* NULL: no file, no release */
    struct error state_why;     /* then: why */
    char *state_path;

    struct charter_signers signers;
    struct charter *charter; /* NULL: none accepted yet */
    char *charter_path;

    struct nonces *nonces;
    struct snp_cache *amd;
    struct snp_roots *simulator_roots;
    struct snp_cache *simulator; /* NULL outside the simulation realm */
    struct nitro_roots nitro;    /* AWS's, or in the simulation realm a simulator's */
    struct bytes simulator_hashes;

    struct map *instances; /* struct uuid to struct known_instance; in memory only */

    struct probes probes;
    bool halted; /* a probe was accepted since the start; the memory knows of those before */

    int64_t appraisals, releases, passports, refusals;
};

/* The charter, if there is one that is in force now and names this keeper, which may still sign.
 * ERR_DENIED "no-charter", "charter-expired", "charter-realm", "keeper-not-chartered",
 * "keeper-cert-expired". */
enum outcome keeper_charter(const struct keeper *keeper, const struct charter **out,
                            struct error *err);
/* ERR_DENIED "state-missing" (or why it could not be read). */
enum outcome keeper_need_state(const struct keeper *keeper, struct error *err);

/* ERR_DENIED "probes-accepted": the keeper's own probes found its judges wrong, and no order has
 * said yet that it may be relied upon again. */
enum outcome keeper_check_halt(const struct keeper *keeper, struct error *err);

/* ERR_DENIED "keeper-cert-expired". */
enum outcome keeper_may_sign(const struct cert *cert, struct error *err);

/* What every judge of this kind is told: roots, realm, time, custody. ERR_DENIED
 * "simulator-not-chartered". */
enum outcome keeper_terms(const struct keeper *keeper, const struct charter *charter,
                          enum evidence_kind kind, struct evidence_terms *out, struct error *err);

/* One question to the judges, whole. An appraisal asks it as it came, a probe with one part of it
 * altered (keeper/alterations.c): both are judged by the same code. */
struct question {
    const struct charter *charter;
    const struct charter_policy *policy;
    const struct nonce_entry *nonce;
    const struct evidence *evidence;
    const struct cloud_declared *declared; /* what the controller says of the machine */
    struct span crl;                       /* may be empty */
    struct moment at;
};
/* Verdict, claims and vector; no id and no dates. ERR_DENIED "kind-mismatch",
 * "simulator-not-chartered". */
enum outcome keeper_judge(const struct keeper *keeper, const struct question *question,
                          struct verdict *out, struct verdict_token *token, struct error *err);

/* By the keeper's own memory; zero names nothing. */
bool keeper_is_destroyed(const struct keeper *keeper, const uint8_t what[static SHA256_SIZE]);

/* On the charter's deny lists, or destroyed by the keeper's own memory? Then the vector speaks
 * against what is denied. */
enum outcome keeper_check_denied(const struct keeper *keeper, const struct charter *charter,
                                 const struct charter_case *c, struct trust_vector *vector,
                                 struct error *err);

/* What is said of a verdict: the judges' word, unless the charter denies what it is about. */
struct conclusion {
    char verdict[16]; /* "trusted" | "rejected" */
    char reason[ERROR_CODE_SIZE];
    enum source hardware, software, identity;
    enum level level;
    struct trust_vector vector;
};
void keeper_conclude(const struct keeper *keeper, const struct charter *charter,
                     const struct charter_case *c, const struct verdict *verdict,
                     struct conclusion *out);

/* The verdict token of this instance, which it stands on now. ERR_DENIED: the codes of
 * verdict_token_read(), "verdict-instance", "verdict-deployment", "verdict-superseded",
 * "anchor-destroyed". With the state file only. */
enum outcome keeper_read_verdict(const struct keeper *keeper, const struct uuid *instance,
                                 const char *text, struct verdict_token *out, struct error *err);
/* What it says, for the charter; borrows from it. */
struct charter_case keeper_case_of(const struct verdict_token *token);
/* Adds to the reply what the books need to show the appraisal to others; where this keeper has no
 * key for opinions, or an old one, nothing: the verdict stands all the same. */
void keeper_testify(const struct keeper *keeper, const struct question *question,
                    struct span evidence, const struct verdict_token *token,
                    struct appraise_answer *out);

/* Made when it was not known. */
struct known_instance *keeper_know(struct keeper *keeper, const struct uuid *instance);

/* The work of the verbs; each takes the parsed body. What was appraised may be kept for probes. */
enum outcome keeper_challenge(struct keeper *keeper, const struct challenge_wish *wish,
                              struct challenge *out, struct error *err);
enum outcome keeper_appraise(struct keeper *keeper, struct appraise_wish *wish,
                             struct appraise_answer *out, struct error *err);
enum outcome keeper_opinion(struct keeper *keeper, const struct opinion_wish *wish,
                            struct opinion_reply *out, struct error *err);
enum outcome keeper_generate(struct keeper *keeper, const struct generate_wish *wish,
                             struct generate_reply *out, struct error *err);
enum outcome keeper_release(struct keeper *keeper, const struct release_wish *wish,
                            struct release_reply *out, struct error *err);
enum outcome keeper_passport(struct keeper *keeper, const struct passport_wish *wish,
                             struct passport_reply *out, struct error *err);
enum outcome keeper_take_charter(struct keeper *keeper, const struct charter_wish *wish,
                                 struct charter_reply *out, struct error *err);

#endif
