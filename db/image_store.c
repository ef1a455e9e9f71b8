#include "db/image_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"

RECORD_LIST_BODY(image, &image_record)

static enum outcome tell(struct db *db, const char *project, const char *name, const char *verb,
                         const struct image *image, const char *actor, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "image:%s", name);
    OWNED(json_drop) json_t *detail = image != NULL ? image_to_json(image) : NULL;
    return audit_store_add(db, project, actor, verb, object, detail, NULL, err);
}

static struct param p(const struct image *image, const char *field)
{
    return p_field(&image_record, image, field);
}

enum outcome image_store_add(struct db *db, const char *project, struct image *image,
                             const char *actor, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    image->id = uuid_new();
    TRY(db_run(db, SQL_IMAGE_ADD,
               PARAMS(p(image, "id"), p_text(project), p(image, "name"), p(image, "driver"),
                      p(image, "ref"), p(image, "boot_mode"), p(image, "reference_values"),
                      p(image, "measured_boot"), p(image, "provider_execution"), p(image, "os"),
                      p(image, "refs")),
               NULL, err));
    TRY(tell(db, project, image->name, "image.created", image, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome image_store_find(struct db *db, const char *project, const char *name,
                              struct image *out, struct error *err)
{
    return db_one(db, SQL_IMAGE_FIND, PARAMS(p_text(project), p_text(name)), &image_record, out,
                  "image", err);
}

enum outcome image_store_lock(struct db *db, const char *project, const char *name,
                              struct image *out, struct error *err)
{
    return db_one(db, SQL_IMAGE_LOCK, PARAMS(p_text(project), p_text(name)), &image_record, out,
                  "image", err);
}

enum outcome image_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                              struct image_list *out, struct error *err)
{
    return image_list_of(db, SQL_IMAGE_LIST, PARAMS(p_text(project), p_text(after), p_int(limit)),
                         out, err);
}

/* In the caller's transaction. */
static enum outcome lock_at(struct db *db, const char *project, const char *name, int64_t if_epoch,
                            struct image *out, struct error *err)
{
    TRY(image_store_lock(db, project, name, out, err));
    if (if_epoch != 0 && if_epoch != out->epoch)
        return fail_code(err, ERR_CONFLICT, "changed-meanwhile", "image %s is at epoch %lld", name,
                         (long long)out->epoch);
    return OK;
}

enum outcome image_store_update(struct db *db, const char *project, const struct image *image,
                                int64_t if_epoch, const char *actor, struct image *out,
                                struct error *err)
{
    OWNED(image_done) struct image was = {0}, now = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(lock_at(db, project, image->name, if_epoch, &was, err));
    if (strcmp(was.driver, image->driver) != 0)
        return fail_at(err, ERR_CONFLICT, "driver-is-fixed", "/driver", "image %s is of driver %s",
                       was.name, was.driver);
    TRY(db_one(db, SQL_IMAGE_UPDATE,
               PARAMS(p_text(project), p(image, "name"), p(image, "ref"), p(image, "boot_mode"),
                      p(image, "reference_values"), p(image, "measured_boot"),
                      p(image, "provider_execution"), p(image, "os"), p(image, "refs")),
               &image_record, &now, "image", err));
    TRY(tell(db, project, now.name, "image.changed", &now, actor, err));
    TRY(transaction_commit(&tx, err));
    *out = now;
    now = (struct image){0};
    return OK;
}

enum outcome image_store_remove(struct db *db, const char *project, const char *name,
                                int64_t if_epoch, const char *actor, struct error *err)
{
    OWNED(image_done) struct image was = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(lock_at(db, project, name, if_epoch, &was, err));
    TRY(db_run(db, SQL_IMAGE_REMOVE, PARAMS(p_text(project), p_text(name)), NULL, err));
    TRY(tell(db, project, name, "image.removed", NULL, actor, err));
    return transaction_commit(&tx, err);
}
