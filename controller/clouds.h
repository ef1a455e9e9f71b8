/* The clouds that one thread has open, by project and account. */
#ifndef MUSTER_CONTROLLER_CLOUDS_H
#define MUSTER_CONTROLLER_CLOUDS_H

#include "controller/worker.h"
#include "db/db.h"

struct open_cloud {
    char project[NAME_SIZE];
    struct account account;
    char *spec; /* as it was when opened; another one means open again */
    const struct driver *driver;
    struct cloud *cloud;
    struct open_cloud *next;
};

struct clouds {
    driver_finder *drivers;
    struct open_cloud *first;
};

/* What comes out is valid until the next call. Reads the account's row each time; the first call
 * learns what its cloud calls it. */
enum outcome clouds_get(struct clouds *clouds, struct db *db, const char *project,
                        const char *account, struct open_cloud **out, struct error *err);
/* Opened anew with the next call: other credentials may be there. */
void clouds_forget(struct clouds *clouds, const char *project, const char *account);
void clouds_done(struct clouds *clouds);

#endif
