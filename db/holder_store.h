/* On which controller's link the holder of each instance is: the connection with the link key of
 * the last verdict (trust.md section 9). A hint that its controller keeps true within a tick; of a
 * controller that is gone it says nothing. */
#ifndef MUSTER_DB_HOLDER_STORE_H
#define MUSTER_DB_HOLDER_STORE_H

#include "db/db_row.h"
#include "lib/model/instance.h"

enum { HOLDERS_MAX = 500 };

struct asked_holder {
    struct uuid instance;
    char why[ERROR_CODE_SIZE];
};
RECORD_LIST(asked_holder);

/* They are here now, wherever they were: those of whom the row says the link key that is given, of
 * SHA256_SIZE bytes each. */
enum outcome holder_store_put(struct db *db, const struct uuid *instances, const uint8_t *link_keys,
                              size_t count, const char *controller, struct error *err);
/* They are not here any more; elsewhere they may be. */
enum outcome holder_store_leave(struct db *db, const struct uuid *instances, size_t count,
                                const char *controller, struct error *err);
enum outcome holder_store_leave_all(struct db *db, const char *controller, struct error *err);

/* For a controller other than `controller` that has it and is there: ask it for new evidence. */
enum outcome holder_store_ask(struct db *db, const struct uuid *instance, const char *controller,
                              const char *why, bool *out_is_there, struct error *err);
/* Who of ours is asked, at most HOLDERS_MAX; and that they were told. */
enum outcome holder_store_asked(struct db *db, const char *controller,
                                struct asked_holder_list *out, struct error *err);
enum outcome holder_store_told(struct db *db, const struct uuid *instances, size_t count,
                               const char *controller, struct error *err);

#endif
