/* The keepers that were seen. */
#ifndef MUSTER_DB_KEEPER_STORE_H
#define MUSTER_DB_KEEPER_STORE_H

#include "db/db_row.h"
#include "lib/crypto/cert.h"
#include "lib/model/instance.h"

struct keeper_row {
    uint8_t boot_id[8];
    char name[NAME_SIZE];
    enum realm realm;
    uint8_t certificate[SHA256_SIZE];
    int64_t charter_serial;
    char version[32];
    struct moment first_seen; /* this start of it */
    struct moment last_seen;  /* its last answer */
    int64_t interval_seconds; /* so often it is asked how it is */
    bool silent;              /* it did not answer for two intervals */
    int64_t appraisals;       /* since this start of it, as it says */
    int64_t releases;
    int64_t refusals;
};
extern const struct record keeper_row_record;
RECORD_LIST(keeper_row);

/* A keeper said hello, or answered; the first time of a start is audited. */
enum outcome keeper_store_seen(struct db *db, const struct keeper_row *row, const char *actor,
                               struct error *err);
/* Each keeper once, as it last started. */
enum outcome keeper_store_list(struct db *db, struct keeper_row_list *out, struct error *err);
/* It is gone for good: nobody waits for it any more. If it comes back it is seen again.
 * ERR_NOT_FOUND. */
enum outcome keeper_store_forget(struct db *db, const char *name, const char *actor,
                                 struct error *err);
/* All but those whose signing key is one of `keys`, `count` hashes in a row, are forgotten. */
enum outcome keeper_store_retire(struct db *db, const uint8_t *keys, size_t count,
                                 const char *actor, struct error *err);

#endif
