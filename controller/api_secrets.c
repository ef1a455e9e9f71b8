#include "controller/api.h"

#include <stdlib.h>
#include <string.h>

#include "db/secret_store.h"
#include "lib/crypto/random.h"

enum { VERSIONS_SHOWN = 1000 };

/* Names, states and check values; what is sealed stays in the rows. */
static enum outcome secret_whole(struct request *r, const struct secret *secret, json_t **out,
                                 struct error *err)
{
    OWNED(secret_version_list_done) struct secret_version_list versions = {0};
    TRY(secret_store_versions(r->db, &secret->id, VERSIONS_SHOWN, &versions, err));
    json_t *shown = json_array();
    for (size_t i = 0; i < versions.count; i++)
        json_add_new(shown, record_to_json(&secret_version_record, &versions.at[i]));
    *out = record_to_json(&secret_record, secret);
    json_put_new(*out, "versions", shown);
    return OK;
}

enum outcome secrets_list(struct request *r, struct error *err)
{
    OWNED(secret_list_done) struct secret_list list = {0};
    char after[NAME_SIZE];
    int64_t limit;
    TRY(request_limit(r, &limit, err));
    TRY(request_cursor(r, after, err));
    TRY(secret_store_list(r->db, r->caller.project, after[0] != '\0' ? after : NULL, limit + 1,
                          &list, err));
    size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, record_to_json(&secret_record, &list.at[i]));
    request_answer_page(r, items, shown > 0 ? list.at[shown - 1].name : "", list.count > shown);
    return OK;
}

enum outcome secrets_show(struct request *r, struct error *err)
{
    struct secret secret = {0};
    json_t *whole;
    TRY(secret_store_find(r->db, r->caller.project, r->args[0], &secret, err));
    TRY(secret_whole(r, &secret, &whole, err));
    request_answer(r, 200, whole);
    return OK;
}

static enum outcome must_be_new(struct request *r, const char *name, struct error *err)
{
    struct secret there = {0};
    enum outcome found = secret_store_find(r->db, r->caller.project, name, &there, err);
    if (found == OK)
        return fail_at(err, ERR_CONFLICT, "exists", "/name", "there is a secret '%s' already",
                       name);
    return found == ERR_NOT_FOUND ? OK : found;
}

/* The value is made in the keeper and leaves it sealed; here passes ciphertext only. */
static enum outcome first_version(struct request *r, const struct secret *secret,
                                  struct secret_version *out, struct error *err)
{
    struct generate_wish wish = {.secret = secret->id, .version = 1};
    struct generate_reply reply = {0};
    TRY(text_copy(wish.name, sizeof wish.name, secret->name, "/name", err));
    TRY(text_copy(wish.kind, sizeof wish.kind, name_of(&secret_kind_names, (int)secret->kind),
                  "/kind", err));
    TRY(text_copy(wish.scope, sizeof wish.scope, name_of(&secret_scope_names, (int)secret->scope),
                  "/scope", err));
    TRY(text_copy(wish.grant, sizeof wish.grant, secret->grant_name, "/grant_name", err));
    TRY(r->api->service.generate(r->api->service.service, &wish, &reply, err));
    out->id = uuid_new();
    out->secret = secret->id;
    out->version = 1;
    out->state = VERSION_STAGED;
    out->record = reply.record;
    memcpy(out->check_digest, reply.check, sizeof out->check_digest);
    out->public_part = reply.public;
    return OK;
}

/* Scope instance: its versions are made one by one, when an instance has shown its anchor. */
enum outcome secrets_generate(struct request *r, struct error *err)
{
    struct secret secret = {0}, made = {0};
    OWNED(secret_version_done) struct secret_version version = {0};
    json_t *whole;
    TRY(secret_from_json(r->body, &secret, err));
    if (secret.origin != ORIGIN_GENERATE)
        return fail_at(err, ERR_INVALID, "not-implemented", "/origin",
                       "secrets can only be generated so far");
    TRY(must_be_new(r, secret.name, err));
    secret.id = uuid_new();
    TRY(text_copy(secret.project, sizeof secret.project, r->caller.project, "project", err));
    bool of_fleet = secret.scope == SCOPE_FLEET;
    if (of_fleet)
        TRY(first_version(r, &secret, &version, err));
    TRY(secret_store_add(r->db, &secret, of_fleet ? &version : NULL, r->actor, err));
    r->api->service.wake(r->api->service.service);
    TRY(secret_store_find(r->db, r->caller.project, secret.name, &made, err));
    TRY(secret_whole(r, &made, &whole, err));
    request_answer_made(r, "/v1/secrets", made.name, whole);
    return OK;
}
