/* The chip maker's certificates and revocation lists, kept for ever, and what was found not to be
 * there, kept for a while. Names and contents are lib/attest/kds's, which has checked them before
 * they come here. */
#ifndef MUSTER_DB_ENDORSEMENT_STORE_H
#define MUSTER_DB_ENDORSEMENT_STORE_H

#include "db/db_row.h"

enum { ENDORSEMENT_NAME_SIZE = 192 };

enum endorsement_source { FROM_SERVICE, FROM_IMPORT, FROM_EVIDENCE, ENDORSEMENT_SOURCE_COUNT };
extern const struct names endorsement_source_names; /* "service", "import", "evidence" */

struct endorsement {
    char name[ENDORSEMENT_NAME_SIZE];
    char what[16]; /* "vcek", "chain", "crl" */
    char line[16];
    enum endorsement_source source;
    struct bytes content;      /* not in lists */
    int64_t size;              /* only in lists */
    struct moment this_update; /* of a list */
    struct moment next_update;
    struct moment created;
    struct moment checked; /* when it last was what its source gives */
};

extern const struct record endorsement_record; /* content is in no JSON */
void endorsement_done(struct endorsement *e);
RECORD_LIST(endorsement);

enum outcome endorsement_store_find(struct db *db, const char *name, struct endorsement *out,
                                    struct error *err);
enum outcome endorsement_store_has(struct db *db, const char *name, bool *out, struct error *err);
/* In the order of names; `after` may be NULL. */
enum outcome endorsement_store_list(struct db *db, const char *after, int64_t limit,
                                    struct endorsement_list *out, struct error *err);
/* Chains and lists, which are looked at again from time to time. */
enum outcome endorsement_store_dated(struct db *db, struct endorsement_list *out,
                                     struct error *err);
/* A VCEK that is there stays as it is, an older list does not replace a newer one; both are fine.
 * What was missed is missed no more. `created` and `checked` are `now`. */
enum outcome endorsement_store_keep(struct db *db, const struct endorsement *e, struct moment now,
                                    struct error *err);

/* Not to be asked for again before `first_seconds` have passed, each time in a row twice as long,
 * up to `most_seconds`. */
enum outcome endorsement_store_miss(struct db *db, const char *name, const char *code,
                                    struct moment now, int64_t first_seconds, int64_t most_seconds,
                                    struct error *err);
/* ERR_NOT_FOUND: nothing speaks against asking. */
enum outcome endorsement_store_missed(struct db *db, const char *name, struct moment now,
                                      char out_code[static ERROR_CODE_SIZE], struct error *err);

/* All controllers ask the service from one bucket: ENDORSEMENT_TURNS at once, then one every
 * ENDORSEMENT_TURN_MS. 0: this turn is ours; else the milliseconds until there is one. */
enum { ENDORSEMENT_TURNS = 4, ENDORSEMENT_TURN_MS = 2500 };
enum outcome endorsement_store_turn(struct db *db, struct moment now, int64_t *out_wait_ms,
                                    struct error *err);
/* The service wants to be let alone by everybody until then. */
enum outcome endorsement_store_rest(struct db *db, struct moment until, struct error *err);

#endif
