/* Verdicts and the evidence they were drawn from. */
#ifndef MUSTER_DB_VERDICT_STORE_H
#define MUSTER_DB_VERDICT_STORE_H

#include "db/db_row.h"
#include "db/instance_store.h"
#include "lib/model/instance.h"
#include "lib/model/verdict.h"

/* A verdict as it is kept. `token` is for the keeper's release only: it is in no JSON. What
 * testifies to it is for its bundle. */
struct verdict_row {
    struct uuid id;
    char project[PROJECT_SIZE];
    struct uuid instance;
    char kind[32];    /* evidence kind: "snp", "simulated", ... */
    char verdict[16]; /* "trusted" | "rejected" */
    char reason[WHY_SIZE];
    int64_t level;
    enum source hardware, software, identity;
    bool simulated;
    json_t *claims;
    json_t *checks;
    char policy[NAME_SIZE];
    int64_t charter_serial;
    char keeper[NAME_SIZE];     /* boot id in hex, or its name */
    struct moment nonce_issued; /* its age counts from here */
    struct moment valid_until;
    uint8_t link_key[SHA256_SIZE];
    uint8_t sealing_key[SHA256_SIZE];
    uint8_t anchor[SHA256_SIZE];
    uint8_t report_id[SHA256_SIZE];
    uint8_t evidence_digest[SHA256_SIZE];
    char *token;
    char *testimony; /* NULL: none was given */
    struct bytes testimony_cert;
    uint8_t crl_digest[SHA256_SIZE]; /* zero: no list was looked at */
    int64_t audit_id;                /* of "verdict.given"; 0: not known */
    json_t *platform;                /* NULL, or what TCBs are counted by */
    struct moment created;
    struct moment renew_at; /* goes to the instance: when it is to be proven anew */
    struct span crl; /* borrowed and in no column: the list it was judged with, to be stored */
};

extern const struct record verdict_row_record;
void verdict_row_done(struct verdict_row *row);
RECORD_LIST(verdict_row);

/* Everything a verdict changes, in one transaction: evidence, verdict, the instance's trust,
 * history, audit. Gives `row` its id, digests and number in the trail. `out` (may be NULL): the
 * instance now. A verdict never lifts a quarantine; the row says what it became. */
enum outcome verdict_store_record(struct db *db, struct verdict_row *row, struct span evidence,
                                  const char *actor, struct instance *out, struct error *err);

enum outcome verdict_store_find(struct db *db, const struct uuid *id, struct verdict_row *out,
                                struct error *err);
/* Newest first; `before` (may be NULL) is the id to go on from. */
enum outcome verdict_store_list(struct db *db, const struct uuid *instance,
                                const struct uuid *before, int64_t limit,
                                struct verdict_row_list *out, struct error *err);
/* The accepting, unexpired verdict that the instance stands on now; ERR_NOT_FOUND otherwise. */
enum outcome verdict_store_current(struct db *db, const struct uuid *instance,
                                   struct verdict_row *out, struct error *err);

/* The bytes, whose SHA-256 is `digest`; of a revocation list the kind is "crl". */
enum outcome evidence_store_find(struct db *db, const uint8_t digest[static SHA256_SIZE],
                                 struct bytes *out, char out_kind[static 32], struct error *err);

#endif
