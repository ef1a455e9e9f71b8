#include "db/secret_store.h"

#include <stdio.h>
#include <string.h>

#include "db/audit_store.h"

RECORD_LIST_BODY(secret, &secret_record)
RECORD_LIST_BODY(secret_version, &secret_version_record)

static enum outcome tell(struct db *db, const struct secret *secret, int64_t version,
                         const char *verb, const char *actor, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    OWNED(json_drop) json_t *detail = json_object();
    snprintf(object, sizeof object, "secret:%s", secret->name);
    json_put_text(detail, "kind", name_of(&secret_kind_names, (int)secret->kind));
    json_put_text(detail, "scope", name_of(&secret_scope_names, (int)secret->scope));
    json_put_text(detail, "grant", secret->grant_name);
    json_put_int(detail, "version", version);
    return audit_store_add(db, secret->project, actor, verb, object, detail, NULL, err);
}

enum outcome secret_store_add_version(struct db *db, const struct secret *secret,
                                      const struct secret_version *version, const char *actor,
                                      struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_SECRET_VERSION_ADD,
               PARAMS(p_uuid(&version->id), p_uuid(&secret->id), p_int(version->version),
                      p_uuid(&version->instance), p_hex(version->anchor, sizeof version->anchor),
                      p_bytes(bytes_span(&version->record)),
                      p_hex(version->check_digest, sizeof version->check_digest),
                      p_text(version->public_part)),
               NULL, err));
    TRY(db_run(db, SQL_SECRET_GROW, PARAMS(p_uuid(&secret->id), p_int(version->version)), NULL,
               err));
    TRY(tell(db, secret, version->version, "secret.version-stored", actor, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome secret_store_add(struct db *db, const struct secret *secret,
                              const struct secret_version *version, const char *actor,
                              struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_SECRET_ADD,
               PARAMS(p_uuid(&secret->id), p_text(secret->project), p_text(secret->name),
                      p_name(&secret_kind_names, (int)secret->kind),
                      p_name(&secret_scope_names, (int)secret->scope),
                      p_name(&secret_origin_names, (int)secret->origin),
                      p_text(secret->grant_name)),
               NULL, err));
    TRY(tell(db, secret, version != NULL ? version->version : 0, "secret.added", actor, err));
    if (version != NULL)
        TRY(secret_store_add_version(db, secret, version, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome secret_store_find(struct db *db, const char *project, const char *name,
                               struct secret *out, struct error *err)
{
    return db_one(db, SQL_SECRET_FIND, PARAMS(p_text(project), p_text(name)), &secret_record, out,
                  "secret", err);
}

enum outcome secret_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                               struct secret_list *out, struct error *err)
{
    return secret_list_of(db, SQL_SECRET_LIST, PARAMS(p_text(project), p_text(after), p_int(limit)),
                          out, err);
}

enum outcome secret_store_versions(struct db *db, const struct uuid *secret, int64_t limit,
                                   struct secret_version_list *out, struct error *err)
{
    return secret_version_list_of(db, SQL_SECRET_VERSIONS, PARAMS(p_uuid(secret), p_int(limit)),
                                  out, err);
}

/* The record of a row of secret_wanting: a secret and two columns more. */
struct wanting {
    struct secret secret;
    struct uuid for_instance;
    uint8_t for_anchor[SHA256_SIZE];
};

enum outcome secret_store_wanting(struct db *db, const struct uuid *instance,
                                  struct secret_want *out, size_t room, size_t *out_count,
                                  struct error *err)
{
    static const struct field more[] = {
        FIELD(wanting, for_instance, FIELD_UUID),
        FIELD(wanting, for_anchor, FIELD_HEX),
    };
    struct field fields[32];
    size_t count = secret_record.count;
    memcpy(fields, secret_record.fields, count * sizeof *fields);
    memcpy(fields + count, more, sizeof more);
    const struct record record = {.name = "wanting",
                                  .size = sizeof(struct wanting),
                                  .count = count + countof(more),
                                  .fields = fields};
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_SECRET_WANTING,
               PARAMS(instance != NULL ? p_uuid(instance) : p_null(), p_int((int64_t)room)), &rows,
               err));
    for (size_t i = 0; i < rows_count(rows); i++) {
        struct wanting w = {0};
        TRY(rows_read(rows, i, &record, &w, err));
        out[i] = (struct secret_want){.secret = w.secret, .instance = w.for_instance};
        memcpy(out[i].anchor, w.for_anchor, sizeof out[i].anchor);
    }
    *out_count = rows_count(rows);
    return OK;
}
