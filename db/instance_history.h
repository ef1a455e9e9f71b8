/* One change of phase or trust told twice: to people who look at the instance, and to the audit
 * trail. Only for the stores of instances. */
#ifndef MUSTER_DB_INSTANCE_HISTORY_H
#define MUSTER_DB_INSTANCE_HISTORY_H

#include "db/instance_store.h"

/* "instance:<uuid>" */
struct instance_object {
    char at[64];
};
struct instance_object instance_object(const struct uuid *id);

/* `now` is the row after the change. In the caller's transaction. */
enum outcome instance_history_write(struct db *db, const struct instance *now,
                                    const struct machine *machine, int from, int to,
                                    const char *reason, const char *actor, struct error *err);

#endif
