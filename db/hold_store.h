/* Why an account's list is not believed: until it is again, nothing vanishes by it. */
#ifndef MUSTER_DB_HOLD_STORE_H
#define MUSTER_DB_HOLD_STORE_H

#include "db/account_store.h"
#include "lib/model/audit.h"

enum hold_kind {
    HOLD_WRONG_ACCOUNT,
    HOLD_MANY_VANISHED,
    HOLD_UNSEEN, /* no list comes at all */
    HOLD_KIND_COUNT
};
extern const struct names hold_kind_names; /* "wrong-cloud-account", ... */

struct account_hold {
    enum hold_kind kind;
    struct moment since;
    char text[ERROR_TEXT_SIZE];
    int64_t looks;                      /* that said so, one after another */
    char believed_by[AUDIT_ACTOR_SIZE]; /* who said that it is true; empty: nobody */
    int64_t held_seconds;
};
extern const struct record account_hold_record;
RECORD_LIST(account_hold);

/* One more look that says so; the first is audited, but of HOLD_UNSEEN, which a network may cause
 * and end every minute. */
enum outcome hold_store_add(struct db *db, const struct account_place *place, enum hold_kind kind,
                            const char *text, const char *actor, struct account_hold *out,
                            struct error *err);
/* It is over; audited as its beginning was. */
enum outcome hold_store_end(struct db *db, const struct account_place *place, enum hold_kind kind,
                            const char *actor, struct error *err);
/* A person says that those vanished; ERR_CONFLICT "not-held" when nothing waits for that. */
enum outcome hold_store_believe(struct db *db, const struct account_place *place, const char *actor,
                                struct error *err);
enum outcome hold_store_list(struct db *db, const struct account_place *place,
                             struct account_hold_list *out, struct error *err);

#endif
