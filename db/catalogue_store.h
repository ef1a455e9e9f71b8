/* Editions of the catalogue that were loaded, what projects chose and waived, and what clouds said
 * when they were asked (doc/catalogue.md). */
#ifndef MUSTER_DB_CATALOGUE_STORE_H
#define MUSTER_DB_CATALOGUE_STORE_H

#include "db/db_row.h"
#include "lib/model/catalogue_drift.h"
#include "lib/model/instance.h"

enum { CATALOGUE_EDITIONS_MOST = 64, CATALOGUE_REASON_SIZE = 501, CATALOGUE_DRIFT_MOST = 200 };

struct catalogue_edition {
    char edition[NAME_SIZE];
    int64_t version;
    struct moment issued;
    char *jws;
    char *actor;
    struct moment loaded;
};
extern const struct record catalogue_edition_record;
void catalogue_edition_done(struct catalogue_edition *edition);
RECORD_LIST(catalogue_edition);

struct catalogue_waiver {
    char rule[NAME_SIZE];
    char reason[CATALOGUE_REASON_SIZE];
    struct moment ends; /* none: until it is withdrawn */
    char *actor;
    struct moment created;
};
extern const struct record catalogue_waiver_record;
RECORD_LIST(catalogue_waiver);

struct catalogue_look {
    char account[NAME_SIZE];
    struct moment due;
    struct moment looked;
    char edition[NAME_SIZE];
    int64_t version;
    char failure[ERROR_CODE_SIZE];
    json_t *drift;
    struct moment drifted_since;
};
extern const struct record catalogue_look_record;
RECORD_LIST(catalogue_look);

/* In place of what has its name; ERR_CONFLICT "edition-not-newer". `project` is whose trail tells.
 */
enum outcome catalogue_store_load(struct db *db, const char *project,
                                  const struct catalogue_edition *edition, const char *actor,
                                  struct error *err);
enum outcome catalogue_store_edition(struct db *db, const char *name, struct catalogue_edition *out,
                                     struct error *err);
enum outcome catalogue_store_editions(struct db *db, struct catalogue_edition_list *out,
                                      struct error *err);

/* "" where the project chose none. */
enum outcome catalogue_store_choice(struct db *db, const char *project, char out[static NAME_SIZE],
                                    struct error *err);
enum outcome catalogue_store_choose(struct db *db, const char *project, const char *edition,
                                    const char *actor, struct error *err);

/* Those that have not ended. */
enum outcome catalogue_store_waivers(struct db *db, const char *project,
                                     struct catalogue_waiver_list *out, struct error *err);
enum outcome catalogue_store_waive(struct db *db, const char *project,
                                   const struct catalogue_waiver *waiver, const char *actor,
                                   struct error *err);
/* ERR_NOT_FOUND. */
enum outcome catalogue_store_withdraw(struct db *db, const char *project, const char *rule,
                                      const char *actor, struct error *err);

/* Is it time to compare the account's cloud, and ours to do? The next time is so much later. */
enum outcome catalogue_store_claim_look(struct db *db, const char *project, const char *account,
                                        int64_t every_seconds, bool *out, struct error *err);
enum outcome catalogue_store_looked(struct db *db, const char *project, const char *account,
                                    const struct catalogue *catalogue,
                                    const struct drift_list *drift, struct error *err);
/* It could not be asked; again after so long. */
enum outcome catalogue_store_look_failed(struct db *db, const char *project, const char *account,
                                         const char *code, int64_t again_seconds,
                                         struct error *err);
enum outcome catalogue_store_looks(struct db *db, const char *project, const char *after,
                                   int64_t limit, struct catalogue_look_list *out,
                                   struct error *err);

#endif
