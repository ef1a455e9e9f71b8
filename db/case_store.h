/* Launch digests that authentic evidence shows and no reference names: one case each, whatever the
 * number of hosts. A case changes no trust: a charter does, and then the case follows. */
#ifndef MUSTER_DB_CASE_STORE_H
#define MUSTER_DB_CASE_STORE_H

#include "db/db_row.h"
#include "db/verdict_store.h"
#include "lib/model/charter.h"

enum case_state { CASE_OPEN, CASE_ACCEPTED, CASE_DISMISSED, CASE_STATE_COUNT };
extern const struct names case_state_names; /* "open", "accepted", "dismissed" */

enum { CASES_OPEN_MOST = 64, CASES_OF_ONE_MOST = 4, CASE_REASON_SIZE = 201 };

struct unknown_case {
    struct uuid id;
    char project[PROJECT_SIZE];
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    char kind[32];
    char product[32];
    char policy[NAME_SIZE]; /* the first that refused it */
    char provider[CSP_ID_SIZE];
    char region[REGION_SIZE];
    enum case_state state;
    struct moment state_since;
    char reason[CASE_REASON_SIZE];
    struct moment ends; /* of the reference that names it; none: never, or none does */
    struct moment first_seen, last_seen;
    int64_t instances;
    int64_t chips;
    json_t *samples; /* [{"verdict_id", "evidence_digest", "instance", "at"}], the first five */
};
extern const struct record unknown_case_record;
RECORD_LIST(unknown_case);

/* Is it a verdict over authentic evidence whose launch digest no reference names? */
bool case_is_one(const struct verdict_row *row);

/* Writes it down: a new case, a new instance of one, or that it was seen again, once a minute.
 * Beyond CASES_OPEN_MOST open ones of a project, and CASES_OF_ONE_MOST that one instance shows,
 * only that there are more. */
enum outcome case_store_note(struct db *db, const struct verdict_row *row, struct error *err);

/* The open ones first; `state` and `id` may be NULL. */
enum outcome case_store_list(struct db *db, const char *project, const char *state,
                             const struct uuid *id, int64_t limit, struct unknown_case_list *out,
                             struct error *err);
/* {"intervals", "last_seen"}, or NULL. */
enum outcome case_store_overflow(struct db *db, const char *project, json_t **out,
                                 struct error *err);

/* ERR_CONFLICT "case-not-open". */
enum outcome case_store_dismiss(struct db *db, const char *project, const struct uuid *id,
                                const char *reason, const char *actor, struct error *err);

/* A charter was accepted: cases that it names close, others open again. In its transaction. */
enum outcome case_store_settle(struct db *db, const char *project, const struct charter *charter,
                               const char *actor, struct error *err);
/* References whose end has come. */
enum outcome case_store_expire(struct db *db, struct moment now, const char *actor,
                               struct error *err);

#endif
