#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "controller/problem.h"
#include "controller/routes.h"
#include "db/caller_store.h"
#include "lib/base/log.h"

enum { BODY_MOST = 1024 * 1024, KEY_MOST = 128, TRIES = 3 };

/* ---- for handlers -------------------------------------------------------------------------- */

void request_answer(struct request *r, int status, json_t *value)
{
    OWNED(json_drop) json_t *owned = value;
    OWNED(mem_drop) char *printed = json_print(owned);
    r->reply->status = status;
    r->reply->body.len = 0;
    bytes_add(&r->reply->body, span_of_text(printed));
}

void request_answer_made(struct request *r, const char *path, const char *name, json_t *value)
{
    snprintf(r->reply->location, sizeof r->reply->location, "%s/%s", path, name);
    request_answer(r, 201, value);
}

void request_tag(struct request *r, int64_t epoch)
{
    snprintf(r->reply->etag, sizeof r->reply->etag, "\"%lld\"", (long long)epoch);
}

enum outcome request_if_match(const struct request *r, int64_t *out_epoch, struct error *err)
{
    const char *tag = r->call->if_match;
    *out_epoch = 0;
    if (tag == NULL || strcmp(tag, "*") == 0)
        return OK;
    size_t len = strlen(tag);
    char number[24] = "";
    if (len > 2 && len < sizeof number && tag[0] == '"' && tag[len - 1] == '"')
        memcpy(number, tag + 1, len - 2);
    if (number_parse(number, 1, INT64_MAX, out_epoch, NULL) != OK)
        return fail_at(err, ERR_INVALID, "bad-request", "If-Match",
                       "If-Match is not one of our entity tags");
    return OK;
}

const char *request_query(const struct request *r, const char *name)
{
    return http_target_query(r->call->target, name);
}

static enum outcome bad_parameter(const char *name, const char *why, struct error *err)
{
    char where[ERROR_WHERE_SIZE];
    snprintf(where, sizeof where, "?%s", name);
    return fail_at(err, ERR_INVALID, "bad-parameter", where, "%s: %s", name, why);
}

enum outcome request_query_bool(const struct request *r, const char *name, bool *out,
                                struct error *err)
{
    const char *value = request_query(r, name);
    if (value != NULL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return bad_parameter(name, "neither true nor false", err);
    *out = value != NULL && strcmp(value, "true") == 0;
    return OK;
}

enum outcome request_limit(const struct request *r, int64_t *out, struct error *err)
{
    const char *value = request_query(r, "limit");
    *out = LIST_LIMIT_USUAL;
    if (value != NULL && number_parse(value, 1, LIST_LIMIT_MAX, out, NULL) != OK)
        return bad_parameter("limit", "not a number from 1 to 1000", err);
    return OK;
}

enum outcome request_id(const struct request *r, size_t arg, struct uuid *out, struct error *err)
{
    if (uuid_parse(r->args[arg], out, NULL) != OK)
        return fail(err, ERR_NOT_FOUND, "no such thing");
    return OK;
}

enum outcome request_merge(const struct request *r, const struct record *record, const void *now,
                           json_t **out, struct error *err)
{
    OWNED(json_drop) json_t *spec = record_to_json(record, now);
    OWNED(json_drop) json_t *name = json_incref(json_object_get(spec, "name"));
    for (size_t i = 0; i < record->count; i++)
        if ((record->fields[i].flags & FIELD_READ_ONLY) != 0)
            json_object_del(spec, record->fields[i].name);
    json_object_update(spec, r->body);
    const json_t *named = json_object_get(spec, "name");
    if (json_is_string(named) && !json_equal(name, named))
        return fail_at(err, ERR_INVALID, "name-is-fixed", "/name", "it keeps its name");
    *out = TAKE(spec);
    return OK;
}

static const char cursor_head[] = "n:";

enum outcome request_cursor(const struct request *r, char out_after[static NAME_SIZE],
                            struct error *err)
{
    const char *cursor = request_query(r, "cursor");
    OWNED(bytes_done) struct bytes plain = {0};
    const size_t head = sizeof cursor_head - 1;
    out_after[0] = '\0';
    if (cursor == NULL)
        return OK;
    bool good = base64url_decode(span_of_text(cursor), &plain, NULL) == OK && plain.len > head &&
                plain.len < head + NAME_SIZE && memcmp(plain.at, cursor_head, head) == 0;
    if (good) {
        memcpy(out_after, plain.at + head, plain.len - head);
        out_after[plain.len - head] = '\0';
    }
    if (!good || !text_is_name(out_after))
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    return OK;
}

void request_answer_page(struct request *r, json_t *items, const char *last_name, bool more)
{
    json_t *page = json_object();
    json_put_new(page, "items", items);
    if (more) {
        OWNED(text_done) struct text plain = {0};
        text_addf(&plain, "%s%s", cursor_head, last_name);
        OWNED(mem_drop) char *cursor = base64url_of(text_span(&plain));
        json_put_text(page, "cursor", cursor);
    }
    request_answer(r, 200, page);
}

/* ---- the steps ----------------------------------------------------------------------------- */

static bool has_body(const struct request *r)
{
    return strcmp(r->route->method, "POST") == 0 || strcmp(r->route->method, "PUT") == 0;
}

static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    if (content_type == NULL || strncasecmp(content_type, json, sizeof json - 1) != 0)
        return false;
    char next = content_type[sizeof json - 1];
    return next == '\0' || next == ';' || next == ' ';
}

static enum outcome read_body(struct request *r, struct error *err)
{
    struct span body = r->call->body;
    if (!has_body(r))
        return body.len == 0 ? OK
                             : fail_code(err, ERR_INVALID, "bad-request", "%s takes no body",
                                         r->route->method);
    if (body.len == 0) {
        r->body = json_object();
        return OK;
    }
    if (!is_json(r->call->content_type))
        return fail_code(err, ERR_INVALID, "not-json", "the content type is not application/json");
    TRY(json_parse(body, BODY_MOST, &r->body, err));
    if (!json_is_object(r->body))
        return fail_code(err, ERR_INVALID, "wrong-type", "the body is not an object");
    return OK;
}

/* What is answered again when the request comes again. */
static json_t *answer_kept(const struct request *r)
{
    json_t *kept = json_object();
    json_t *body = NULL;
    error_ignore(json_parse(bytes_span(&r->reply->body), SIZE_MAX, &body, NULL));
    json_put_new(kept, "body", body != NULL ? body : json_null());
    json_put_text(kept, "etag", r->reply->etag);
    json_put_text(kept, "location", r->reply->location);
    return kept;
}

static enum outcome answer_again(struct request *r, int64_t status, const json_t *kept,
                                 struct error *err)
{
    const char *etag, *location;
    TRY(json_get_text_or(kept, "", "etag", 31, "", &etag, err));
    TRY(json_get_text_or(kept, "", "location", 191, "", &location, err));
    TRY(text_copy(r->reply->etag, sizeof r->reply->etag, etag, "etag", err));
    TRY(text_copy(r->reply->location, sizeof r->reply->location, location, "location", err));
    request_answer(r, (int)status, json_incref(json_object_get(kept, "body")));
    return OK;
}

static enum outcome repeat_of(const struct request *r, struct repeat *out, struct error *err)
{
    const char *key = r->call->idempotency_key;
    if (key[0] == '\0' || strlen(key) > KEY_MOST || !text_is_clean(span_of_text(key)))
        return fail_at(err, ERR_INVALID, "bad-request", "Idempotency-Key",
                       "an idempotency key has 1 to %d bytes of clean text", KEY_MOST);
    *out = (struct repeat){.project = r->caller.project, .actor = r->actor, .key = key};
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, span_of_text(r->call->method));
    digest_more(&run, SPAN("", 1));
    digest_more(&run, span_of_text(r->call->raw_target));
    digest_more(&run, SPAN("", 1));
    digest_more(&run, r->call->body);
    digest_end(&run, out->request);
    return OK;
}

/* The handler's change and the memory of its answer stand or fall together. */
static enum outcome once_inside(struct request *r, const struct repeat *repeat, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(json_drop) json_t *earlier = NULL;
    int64_t status = 0;
    TRY(transaction_begin(r->db, &tx, err));
    TRY(caller_store_repeat_begin(r->db, repeat, &status, &earlier, err));
    if (earlier != NULL)
        return answer_again(r, status, earlier, err);
    TRY(r->route->handle(r, err));
    OWNED(json_drop) json_t *kept = answer_kept(r);
    TRY(caller_store_repeat_end(r->db, repeat, r->reply->status, kept, err));
    return transaction_commit(&tx, err);
}

/* A handler that asks a keeper: the key is taken before, and let go when nothing came of it. */
static enum outcome once_outside(struct request *r, const struct repeat *repeat, struct error *err)
{
    OWNED(json_drop) json_t *earlier = NULL;
    int64_t status = 0;
    TRY(caller_store_repeat_begin(r->db, repeat, &status, &earlier, err));
    if (earlier != NULL)
        return answer_again(r, status, earlier, err);
    enum outcome outcome = r->route->handle(r, err);
    if (outcome != OK) {
        error_ignore(caller_store_repeat_forget(r->db, repeat, NULL));
        return outcome;
    }
    OWNED(json_drop) json_t *kept = answer_kept(r);
    return caller_store_repeat_end(r->db, repeat, r->reply->status, kept, err);
}

static enum outcome run_handler(struct request *r, struct error *err)
{
    struct repeat repeat;
    const char *dry_run = request_query(r, "dry_run"); /* which changes nothing */
    bool keyed = r->call->idempotency_key != NULL && strcmp(r->route->method, "POST") == 0 &&
                 (dry_run == NULL || strcmp(dry_run, "true") != 0);
    if (!keyed)
        return r->route->handle(r, err);
    TRY(repeat_of(r, &repeat, err));
    return (r->route->flags & ROUTE_OUTSIDE) != 0 ? once_outside(r, &repeat, err)
                                                  : once_inside(r, &repeat, err);
}

static enum outcome know_caller(struct request *r, struct error *err)
{
    if (r->route->may == MAY_ANYBODY)
        return OK;
    if (r->db == NULL)
        return fail_code(err, ERR_UNREACHABLE, "database-unreachable",
                         "the database does not answer");
    TRY(auth_caller(r->api->guard, r->db, r->api->project, r->call->authorization, r->call->address,
                    &r->caller, err));
    snprintf(r->actor, sizeof r->actor, "token:%s", r->caller.label);
    return auth_require(&r->caller, r->route->may, err);
}

static enum outcome answer(struct request *r, struct error *err)
{
    char allow[sizeof r->reply->allow];
    enum outcome found =
        route_find(r->call->method, r->call->target, &r->route, r->args, allow, sizeof allow, err);
    if (found == ERR_INVALID)
        memcpy(r->reply->allow, allow, sizeof allow);
    if (found == ERR_INVALID && strcmp(r->call->method, "OPTIONS") == 0) {
        r->reply->status = 204;
        return OK;
    }
    TRY(found);
    TRY(know_caller(r, err));
    TRY(route_check_query(r->route, r->call->target, err));
    TRY(read_body(r, err));
    enum outcome outcome = run_handler(r, err);
    for (int i = 1; i < TRIES && outcome != OK && db_try_again(err); i++)
        outcome = run_handler(r, err);
    return outcome;
}

/* ---- the threads --------------------------------------------------------------------------- */

struct api_thread {
    const struct api *api;
    struct db *db; /* NULL until the database was there once */
};

static void *thread_open(void *owner)
{
    struct api_thread *thread = NEW(struct api_thread);
    thread->api = owner;
    return thread;
}

static void thread_close(void *context)
{
    struct api_thread *thread = context;
    db_close(thread->db);
    free(thread);
}

static void thread_answer(void *context, const struct http_call *call, struct http_reply *reply)
{
    struct api_thread *thread = context;
    struct error err = {0};
    if (thread->db == NULL && db_open(thread->api->database, &thread->db, &err) != OK)
        LOG(WARN, "database.unreachable", TEXT("text", err.text));
    struct request r = {.api = thread->api, .db = thread->db, .call = call, .reply = reply};
    if (answer(&r, &err) != OK) {
        reply->etag[0] = reply->location[0] = '\0';
        http_reply_problem(reply, call, r.problem, &err);
    }
    json_decref(r.problem);
    json_decref(r.body);
}

struct http_owner api_http_owner(struct api *api)
{
    return (struct http_owner){.owner = api,
                               .thread_open = thread_open,
                               .thread_close = thread_close,
                               .answer = thread_answer};
}
