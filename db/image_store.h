/* Machine images. */
#ifndef MUSTER_DB_IMAGE_STORE_H
#define MUSTER_DB_IMAGE_STORE_H

#include "db/db_row.h"
#include "lib/model/image.h"

RECORD_LIST(image);

/* Gives `image` its id. */
enum outcome image_store_add(struct db *db, const char *project, struct image *image,
                             const char *actor, struct error *err);
enum outcome image_store_find(struct db *db, const char *project, const char *name,
                              struct image *out, struct error *err);
/* The same, and nobody changes it before the caller's transaction ends. */
enum outcome image_store_lock(struct db *db, const char *project, const char *name,
                              struct image *out, struct error *err);
enum outcome image_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                              struct image_list *out, struct error *err);
/* `if_epoch` 0 takes any; ERR_CONFLICT "changed-meanwhile". The driver cannot change:
 * "driver-is-fixed". What is launched from now on is of the new one. */
enum outcome image_store_update(struct db *db, const char *project, const struct image *image,
                                int64_t if_epoch, const char *actor, struct image *out,
                                struct error *err);
/* ERR_CONFLICT "in-use" while a fleet refers to it. */
enum outcome image_store_remove(struct db *db, const char *project, const char *name,
                                int64_t if_epoch, const char *actor, struct error *err);

#endif
