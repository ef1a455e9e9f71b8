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
    struct moment last_seen;
    bool silent; /* not heard of for KEEPER_SILENT_SECONDS */
};
extern const struct record keeper_row_record;
RECORD_LIST(keeper_row);

enum { KEEPER_SILENT_SECONDS = 90 };

/* A keeper said hello, or is still there; the first time of a start is audited. */
enum outcome keeper_store_seen(struct db *db, const struct keeper_row *row, const char *actor,
                               struct error *err);
/* Each keeper once, as it last started. */
enum outcome keeper_store_list(struct db *db, struct keeper_row_list *out, struct error *err);

#endif
