#include "controller/candidate.h"

#include "db/charter_store.h"

enum { LIFE_SECONDS = CHARTER_DAYS_MAX * 86400 };

static enum outcome read_active(struct request *r, json_t **out, struct error *err)
{
    OWNED(charter_row_done) struct charter_row row = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    size_t signatures;
    enum outcome outcome = charter_store_active(r->db, r->caller.project, &row, err);
    if (outcome == ERR_NOT_FOUND)
        return fail_code(err, ERR_CONFLICT, "no-charter", "there is no charter to start from");
    TRY(outcome);
    TRY(token_set_look(span_of_text(row.jws), CHARTER_SIZE_MAX, &payload, &signatures, err));
    return json_parse(bytes_span(&payload), CHARTER_SIZE_MAX, out, err);
}

enum outcome candidate_in_force(struct request *r, struct charter **out, struct error *err)
{
    OWNED(charter_row_done) struct charter_row row = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    size_t signatures;
    enum outcome outcome = charter_store_active(r->db, r->caller.project, &row, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    TRY(token_set_look(span_of_text(row.jws), CHARTER_SIZE_MAX, &payload, &signatures, err));
    error_ignore(charter_parse(bytes_span(&payload), out, NULL));
    return OK;
}

enum outcome candidate_next(struct request *r, struct moment expires, json_t **out,
                            struct error *err)
{
    OWNED(json_drop) json_t *content = NULL;
    int64_t serial;
    const struct moment now = clock_at_seconds(moment_seconds(clock_now()));
    const struct moment last = moment_add_seconds(now, LIFE_SECONDS);
    TRY(read_active(r, &content, err));
    TRY(json_get_int(content, "", "serial", 1, INT64_MAX - 1, &serial, err));
    if (moment_is_none(expires))
        expires = last;
    if (expires.us <= now.us || expires.us > last.us)
        return fail_at(err, ERR_INVALID, "wrong-value", "/expires", "a charter lives up to %d days",
                       CHARTER_DAYS_MAX);
    json_put_int(content, "serial", serial + 1);
    json_put_moment(content, "issued", now);
    json_put_moment(content, "expires", expires);
    *out = TAKE(content);
    return OK;
}

enum outcome candidate_read_at(struct request *r, struct moment *out, struct error *err)
{
    const char *value = request_query(r, "at");
    *out = (struct moment){0};
    if (value == NULL)
        return OK;
    if (moment_parse(value, out, NULL) != OK || out->us < clock_now().us)
        return fail_at(err, ERR_INVALID, "bad-parameter", "?at", "at: not a time to come");
    return OK;
}

enum outcome candidate_plan(struct request *r, json_t *content, const char *policy,
                            struct charter_plan *out, struct error *err)
{
    struct plan_wish wish = {.project = r->caller.project, .content = content, .policy = policy};
    TRY(candidate_read_at(r, &wish.at, err));
    TRY(charter_plan_make(r->db, &wish, out, err));
    json_put_new(out->shown, "charter", json_incref(content));
    return OK;
}
