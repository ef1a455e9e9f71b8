#include "db/image_store.h"

#include <stdio.h>
#include <stdlib.h>

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
                      p(image, "measured_boot"), p(image, "provider_execution"), p(image, "os")),
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

enum outcome image_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                              struct image_list *out, struct error *err)
{
    return image_list_of(db, SQL_IMAGE_LIST, PARAMS(p_text(project), p_text(after), p_int(limit)),
                         out, err);
}

enum outcome image_store_update(struct db *db, const char *project, const struct image *image,
                                int64_t if_epoch, const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(image_done) struct image was = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(image_store_find(db, project, image->name, &was, err));
    TRY(db_change(db, SQL_IMAGE_UPDATE,
                  PARAMS(p_text(project), p(image, "name"), p_int(if_epoch), p(image, "driver"),
                         p(image, "ref"), p(image, "boot_mode"), p(image, "reference_values"),
                         p(image, "measured_boot"), p(image, "provider_execution"), p(image, "os")),
                  &changed, err));
    if (changed == 0)
        return fail_code(err, ERR_CONFLICT, "changed-meanwhile", "image %s is at epoch %lld",
                         image->name, (long long)was.epoch);
    TRY(tell(db, project, image->name, "image.changed", image, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome image_store_remove(struct db *db, const char *project, const char *name,
                                const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_IMAGE_REMOVE, PARAMS(p_text(project), p_text(name)), &changed, err));
    if (changed == 0)
        return fail(err, ERR_NOT_FOUND, "no image");
    TRY(tell(db, project, name, "image.removed", NULL, actor, err));
    return transaction_commit(&tx, err);
}
