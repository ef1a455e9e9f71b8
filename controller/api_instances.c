#include "controller/api.h"

#include <stdlib.h>
#include <string.h>

#include "controller/instance_view.h"
#include "db/audit_store.h"
#include "db/verdict_store.h"

static enum outcome find(struct request *r, struct instance *out, struct error *err)
{
    struct uuid id;
    TRY(request_id(r, 0, &id, err));
    TRY(instance_store_find(r->db, &id, out, err));
    if (strcmp(out->project, r->caller.project) != 0)
        return fail(err, ERR_NOT_FOUND, "no such instance");
    return OK;
}

static enum outcome check_word(struct request *r, const char *name, const struct names *names,
                               struct error *err)
{
    const char *word = request_query(r, name);
    int value;
    if (word == NULL || name_parse(names, word, &value, NULL) == OK)
        return OK;
    char where[ERROR_WHERE_SIZE] = "?";
    strncat(where, name, sizeof where - 2);
    return fail_at(err, ERR_INVALID, "bad-parameter", where, "%s: '%.40s' is not a %s", name, word,
                   names->what);
}

static enum outcome read_filter(struct request *r, struct instance_filter *out, struct error *err)
{
    *out = (struct instance_filter){
        .project = r->caller.project,
        .fleet = request_query(r, "fleet"),
        .account = request_query(r, "account"),
        .region = request_query(r, "region"),
        .driver = request_query(r, "cloud"),
        .phase = request_query(r, "phase"),
        .trust = request_query(r, "trust"),
        .reason = request_query(r, "reason"),
        .cursor = request_query(r, "cursor"),
    };
    TRY(check_word(r, "phase", &phase_names, err));
    TRY(check_word(r, "trust", &trust_names, err));
    if (out->cursor != NULL && out->cursor[0] == '\0')
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    TRY(request_query_bool(r, "terminated", &out->with_terminated, err));
    /* Whoever asks for the terminated ones by name wants to see them. */
    if (out->phase != NULL && strcmp(out->phase, name_of(&phase_names, PHASE_TERMINATED)) == 0)
        out->with_terminated = true;
    return request_limit(r, &out->limit, err);
}

enum outcome instances_list(struct request *r, struct error *err)
{
    OWNED(instance_list_done) struct instance_list list = {0};
    struct instance_filter filter;
    char cursor[CURSOR_SIZE];
    json_t *items;
    TRY(read_filter(r, &filter, err));
    TRY(instance_store_list(r->db, &filter, &list, cursor, err));
    TRY(instance_view(r->db, &list, &items, err));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    if (cursor[0] != '\0')
        json_put_text(page, "cursor", cursor);
    request_answer(r, 200, page);
    return OK;
}

static enum outcome answer_one(struct request *r, int status, const struct instance *instance,
                               struct error *err)
{
    struct instance one = *instance;
    struct instance_list list = {&one, 1};
    OWNED(json_drop) json_t *items = NULL;
    TRY(instance_view(r->db, &list, &items, err));
    request_tag(r, instance->epoch);
    request_answer(r, status, json_incref(json_array_get(items, 0)));
    return OK;
}

/* One instance also tells how it came to be as it is. */
enum outcome instances_show(struct request *r, struct error *err)
{
    struct instance instance = {0};
    OWNED(instance_change_list_done) struct instance_change_list changes = {0};
    OWNED(json_drop) json_t *items = NULL;
    TRY(find(r, &instance, err));
    struct instance_list list = {&instance, 1};
    TRY(instance_view(r->db, &list, &items, err));
    TRY(instance_store_history(r->db, &instance.id, &changes, err));
    json_t *history = json_array();
    for (size_t i = 0; i < changes.count; i++)
        json_add_new(history, record_to_json(&instance_change_record, &changes.at[i]));
    json_t *shown = json_incref(json_array_get(items, 0));
    json_put_new(shown, "history", history);
    request_tag(r, instance.epoch);
    request_answer(r, 200, shown);
    return OK;
}

/* ---- its verdicts -------------------------------------------------------------------------- */

static enum outcome read_before(struct request *r, struct uuid *out, bool *out_given,
                                struct error *err)
{
    const char *cursor = request_query(r, "cursor");
    OWNED(bytes_done) struct bytes plain = {0};
    *out_given = cursor != NULL;
    if (cursor == NULL)
        return OK;
    if (base64url_decode(span_of_text(cursor), &plain, NULL) != OK || plain.len != sizeof out->at)
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    memcpy(out->at, plain.at, sizeof out->at);
    return OK;
}

enum outcome instances_verdicts(struct request *r, struct error *err)
{
    struct instance instance = {0};
    OWNED(verdict_row_list_done) struct verdict_row_list list = {0};
    struct uuid before;
    bool given;
    int64_t limit;
    TRY(find(r, &instance, err));
    TRY(request_limit(r, &limit, err));
    TRY(read_before(r, &before, &given, err));
    TRY(verdict_store_list(r->db, &instance.id, given ? &before : NULL, limit + 1, &list, err));
    size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, verdict_row_to_json(&list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    if (list.count > shown) {
        OWNED(mem_drop) char *cursor = base64url_of(uuid_span(&list.at[shown - 1].id));
        json_put_text(page, "cursor", cursor);
    }
    request_answer(r, 200, page);
    return OK;
}

/* ---- what may be asked of it --------------------------------------------------------------- */

/* In a transaction the row stays so until its end; an epoch is one state of phase and trust. */
static enum outcome find_meant(struct request *r, struct instance *out, struct error *err)
{
    int64_t epoch;
    struct instance locked = {0};
    TRY(request_if_match(r, &epoch, err));
    TRY(find(r, out, err));
    if (db_in_transaction(r->db)) {
        TRY(instance_store_lock(r->db, &out->id, &locked, err));
        *out = locked;
    }
    if (epoch != 0 && epoch != out->epoch)
        return fail_code(err, ERR_CONFLICT, "changed-meanwhile", "the instance is at epoch %lld",
                         (long long)out->epoch);
    return OK;
}

static enum outcome audit_asked(struct request *r, const struct instance *instance,
                                struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    char object[AUDIT_OBJECT_SIZE] = "instance:";
    strcat(object, uuid_text(&instance->id).at);
    TRY(transaction_begin(r->db, &tx, err));
    TRY(audit_store_add(r->db, r->caller.project, r->actor, "instance.attestation-asked", object,
                        NULL, NULL, err));
    return transaction_commit(&tx, err);
}

/* Its agent is asked for fresh evidence; the verdict comes later, under /verdicts. */
enum outcome instances_attest(struct request *r, struct error *err)
{
    struct instance instance = {0};
    TRY(json_only(r->body, "", (const char *const[]){NULL}, err));
    TRY(find_meant(r, &instance, err));
    TRY(r->api->service.attest(r->api->service.service, &instance.id, "asked", err));
    TRY(audit_asked(r, &instance, err));
    return answer_one(r, 202, &instance, err);
}

/* Gone for good; where its fleet wants as many as before, another takes its place. */
enum outcome instances_terminate(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    struct instance instance = {0};
    TRY(json_only(r->body, "", (const char *const[]){NULL}, err));
    TRY(transaction_begin(r->db, &tx, err));
    TRY(find_meant(r, &instance, err));
    TRY(instance_store_want(r->db, &instance.id, WANTED_GONE, "asked", r->actor, err));
    TRY(transaction_commit(&tx, err));
    TRY(find(r, &instance, err));
    r->api->service.wake(r->api->service.service);
    return answer_one(r, 202, &instance, err);
}
