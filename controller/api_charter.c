#include "controller/api.h"

#include <stdlib.h>
#include <string.h>

#include "controller/candidate.h"
#include "db/case_store.h"
#include "db/charter_store.h"
#include "db/distrust_store.h"
#include "db/keeper_store.h"
#include "lib/crypto/random.h"
#include "lib/model/charter.h"

/* What the controller reads of a charter is for people and for its own planning; whether it counts
 * is the keeper's to say (trust.md section 5). */
static enum outcome read_charter(const char *jws, struct charter_row *row, struct charter **out,
                                 json_t **out_content, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    size_t signatures;
    TRY(token_set_look(span_of_text(jws), CHARTER_SIZE_MAX, &payload, &signatures, err));
    TRY(charter_parse(bytes_span(&payload), &charter, err));
    TRY(json_parse(bytes_span(&payload), CHARTER_SIZE_MAX, out_content, err));
    row->serial = charter->serial;
    row->realm = charter->realm;
    row->issued = charter->issued;
    row->expires = charter->expires;
    *out = TAKE(charter);
    return OK;
}

/* What is on this controller's link now, and what any controller saw. */
static enum outcome keepers_to_json(struct request *r, json_t **out, struct error *err)
{
    struct service_keepers keepers = {0};
    OWNED(keeper_row_list_done) struct keeper_row_list list = {0};
    TRY(keeper_store_list(r->db, &list, err));
    json_t *seen = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(seen, record_to_json(&keeper_row_record, &list.at[i]));
    r->api->service.keepers(r->api->service.service, &keepers);
    *out = json_object();
    json_put_int(*out, "connected", keepers.connected);
    json_put_int(*out, "charter_serial", keepers.charter_serial);
    json_put_new(*out, "seen", seen);
    return OK;
}

static enum outcome answer_charter(struct request *r, const struct charter_row *row,
                                   json_t *content, struct error *err)
{
    json_t *keepers;
    TRY(keepers_to_json(r, &keepers, err));
    json_t *out = json_object();
    json_put_int(out, "serial", row->serial);
    json_put_text(out, "realm", name_of(&realm_names, (int)row->realm));
    json_put_moment(out, "issued", row->issued);
    json_put_moment(out, "expires", row->expires);
    json_put_bool(out, "expired", row->expires.us <= clock_now().us);
    json_put_text(out, "jws", row->jws);
    json_put_new(out, "charter", json_incref(content));
    json_put_new(out, "keepers", keepers);
    request_answer(r, 200, out);
    return OK;
}

enum outcome charter_show(struct request *r, struct error *err)
{
    OWNED(charter_row_done) struct charter_row row = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(json_drop) json_t *content = NULL;
    TRY(charter_store_active(r->db, r->caller.project, &row, err));
    TRY(read_charter(row.jws, &row, &charter, &content, err));
    return answer_charter(r, &row, content, err);
}

/* A charter with what else follows from it: a keeper that the charter of its deployment no longer
 * names is not waited for, what was to be distrusted is in force, and unknown digests that it names
 * are known. */
static enum outcome add(struct request *r, const struct charter_row *row,
                        const struct charter *charter, const json_t *content, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(r->db, &tx, err));
    TRY(charter_store_add(r->db, row, r->actor, err));
    const struct bytes *keepers = &charter->keepers.at;
    if (strcmp(row->project, r->api->project) == 0 && keepers->len > 0)
        TRY(keeper_store_retire(r->db, keepers->at, keepers->len / SHA256_SIZE, r->actor, err));
    TRY(distrust_store_settle(r->db, row->project, content, r->actor, err));
    TRY(case_store_settle(r->db, row->project, charter, r->actor, err));
    return transaction_commit(&tx, err);
}

/* The same charter again is fine: an answer may have been lost. */
static enum outcome store(struct request *r, const struct charter_row *row,
                          const struct charter *charter, const json_t *content, struct error *err)
{
    enum outcome outcome = add(r, row, charter, content, err);
    if (outcome != ERR_CONFLICT)
        return outcome;
    OWNED(charter_row_done) struct charter_row active = {0};
    if (charter_store_active(r->db, row->project, &active, NULL) == OK &&
        strcmp(active.jws, row->jws) == 0)
        return OK;
    return outcome;
}

/* Only while nothing has changed since the plan that somebody looked at. */
static enum outcome check_plan(struct request *r, const json_t *content, struct error *err)
{
    uint8_t want[SHA256_SIZE];
    OWNED(charter_plan_done) struct charter_plan plan = {0};
    const struct plan_wish wish = {.project = r->caller.project, .content = content};
    if (json_object_get(r->body, "if_plan") == NULL)
        return OK;
    TRY(json_get_hex(r->body, "", "if_plan", want, sizeof want, err));
    TRY(charter_plan_make(r->db, &wish, &plan, err));
    if (memcmp(want, plan.digest, sizeof want) != 0)
        return fail_at(err, ERR_CONFLICT, "plan-changed", "/if_plan",
                       "machines, what they prove, dates or the charter changed since that plan");
    return OK;
}

/* The body is the candidate itself, signed by nobody yet. */
enum outcome charter_rehearse(struct request *r, struct error *err)
{
    OWNED(charter_plan_done) struct charter_plan plan = {0};
    struct plan_wish wish = {.project = r->caller.project, .content = r->body};
    TRY(candidate_read_at(r, &wish.at, err));
    TRY(charter_plan_make(r->db, &wish, &plan, err));
    request_answer(r, 200, TAKE(plan.shown));
    return OK;
}

/* First the keepers, who alone can tell whether it is signed; then the row. */
enum outcome charter_apply(struct request *r, struct error *err)
{
    OWNED(charter_row_done) struct charter_row row = {.id = uuid_new()};
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(json_drop) json_t *content = NULL;
    const char *jws;
    int64_t serial = 0;
    TRY(json_only(r->body, "", (const char *const[]){"jws", "if_plan", NULL}, err));
    TRY(json_get_text(r->body, "", "jws", CHARTER_SIZE_MAX, &jws, err));
    TRY(read_charter(jws, &row, &charter, &content, err));
    TRY(text_copy(row.project, sizeof row.project, r->caller.project, "project", err));
    row.jws = mem_text(jws);
    TRY(check_plan(r, content, err));
    TRY(r->api->service.charter(r->api->service.service, jws, &serial, err));
    TRY(store(r, &row, charter, content, err));
    r->api->service.wake(r->api->service.service);
    return answer_charter(r, &row, content, err);
}
