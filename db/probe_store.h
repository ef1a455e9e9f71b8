/* What probes say of keepers: those that a keeper makes of its own judges, and those that
 * controllers make of it (doc/keeper.md). */
#ifndef MUSTER_DB_PROBE_STORE_H
#define MUSTER_DB_PROBE_STORE_H

#include "db/db_row.h"
#include "lib/model/instance.h"

enum prober { PROBER_KEEPER, PROBER_CONTROLLER, PROBER_COUNT };
extern const struct names prober_names; /* "keeper", "controller" */

struct probe_row {
    char keeper[NAME_SIZE]; /* its name in rows */
    uint8_t boot_id[8];
    enum prober prober;
    int64_t every_seconds;
    int64_t samples; /* what there is to probe with */
    int64_t held;    /* since this start of the keeper, like the next */
    int64_t wrong;   /* refused, with another code than it must be */
    int64_t accepted;
    char fault_kind[32]; /* the first acceptance, else the latest wrong code; "": none */
    char fault_alteration[32];
    char fault_code[ERROR_CODE_SIZE];
    struct moment fault_at;
    bool halted; /* it releases nothing until two people say so */
    int64_t halt;
    struct moment ran_at; /* when the counts last moved, by the database's clock */
};
extern const struct record probe_row_record;
RECORD_LIST(probe_row);

/* What a keeper tells of its own; that it has halted is audited. Nothing for one that is forgotten.
 */
enum outcome probe_store_note(struct db *db, const struct probe_row *row, const char *actor,
                              struct error *err);
/* What a controller's round brought; the counts are added. The first acceptance is audited. */
enum outcome probe_store_add(struct db *db, const struct probe_row *row, const char *actor,
                             struct error *err);
enum outcome probe_store_is_distrusted(struct db *db, const uint8_t boot_id[static 8], bool *out,
                                       struct error *err);
/* Of each keeper's newest start. */
enum outcome probe_store_list(struct db *db, struct probe_row_list *out, struct error *err);
/* Evidence that passed within the hour; empty when there is none. */
enum outcome probe_store_sample(struct db *db, struct bytes *out, char out_kind[static 32],
                                struct error *err);

#endif
