/* Launch digests that no reference names. To accept one is to sign a charter that names it, with an
 * end; what is given out here is that charter and what it would flip. */
#include "controller/api.h"

#include <stdio.h>
#include <string.h>

#include "controller/candidate.h"
#include "db/case_store.h"

enum { LISTED_MOST = 200, ACCEPT_DAYS_MOST = 90 };

static enum outcome find(struct request *r, struct unknown_case_list *out, struct error *err)
{
    struct uuid id;
    TRY(request_id(r, 0, &id, err));
    TRY(case_store_list(r->db, r->caller.project, NULL, &id, 1, out, err));
    return out->count == 1 ? OK : fail(err, ERR_NOT_FOUND, "no such case");
}

static enum outcome check_state(struct request *r, const char **out, struct error *err)
{
    int state;
    *out = request_query(r, "state");
    if (*out == NULL || name_parse(&case_state_names, *out, &state, NULL) == OK)
        return OK;
    return fail_at(err, ERR_INVALID, "bad-parameter", "?state",
                   "state: open, accepted or dismissed");
}

enum outcome cases_list(struct request *r, struct error *err)
{
    OWNED(unknown_case_list_done) struct unknown_case_list list = {0};
    json_t *overflow;
    const char *state;
    TRY(check_state(r, &state, err));
    TRY(case_store_list(r->db, r->caller.project, state, NULL, LISTED_MOST, &list, err));
    TRY(case_store_overflow(r->db, r->caller.project, &overflow, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, record_to_json(&unknown_case_record, &list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    json_put_new(page, "overflow", overflow != NULL ? overflow : json_null());
    request_answer(r, 200, page);
    return OK;
}

enum outcome cases_show(struct request *r, struct error *err)
{
    OWNED(unknown_case_list_done) struct unknown_case_list list = {0};
    TRY(find(r, &list, err));
    request_answer(r, 200, record_to_json(&unknown_case_record, &list.at[0]));
    return OK;
}

enum outcome cases_dismiss(struct request *r, struct error *err)
{
    OWNED(unknown_case_list_done) struct unknown_case_list list = {0};
    const char *reason;
    TRY(json_only(r->body, "", (const char *const[]){"reason", NULL}, err));
    TRY(json_get_text(r->body, "", "reason", CASE_REASON_SIZE - 1, &reason, err));
    if (reason[0] == '\0')
        return fail_at(err, ERR_INVALID, "wrong-value", "/reason", "/reason: say why");
    TRY(find(r, &list, err));
    TRY(case_store_dismiss(r->db, r->caller.project, &list.at[0].id, reason, r->actor, err));
    return cases_show(r, err);
}

/* ---- accept --------------------------------------------------------------------------------- */

struct acceptance {
    char reference[NAME_SIZE];
    char policy[NAME_SIZE];
    struct moment expires;
};

static enum outcome get_name(const json_t *body, const char *name, const char *fallback,
                             char out[static NAME_SIZE], struct error *err)
{
    char where[NAME_SIZE];
    const char *text;
    snprintf(where, sizeof where, "/%.30s", name);
    TRY(json_get_text_or(body, "", name, NAME_SIZE - 1, fallback, &text, err));
    if (!text_is_name(text))
        return fail_at(err, ERR_INVALID, "bad-name", where, "%s: not a name", where);
    return text_copy(out, NAME_SIZE, text, where, err);
}

static enum outcome read_acceptance(const struct request *r, const struct unknown_case *c,
                                    struct acceptance *out, struct error *err)
{
    static const char *const members[] = {"expires", "reference", "policy", NULL};
    char usual[NAME_SIZE] = "case-";
    const struct moment now = clock_now();
    hex_encode(SPAN(c->measurement, 6), usual + strlen(usual));
    TRY(json_only(r->body, "", members, err));
    TRY(get_name(r->body, "reference", usual, out->reference, err));
    TRY(get_name(r->body, "policy", c->policy, out->policy, err));
    TRY(json_get_moment(r->body, "", "expires", &out->expires, err));
    if (out->expires.us <= now.us ||
        out->expires.us > moment_add_seconds(now, ACCEPT_DAYS_MOST * INT64_C(86400)).us)
        return fail_at(err, ERR_INVALID, "wrong-value", "/expires",
                       "/expires: a time to come, within %d days", ACCEPT_DAYS_MOST);
    return OK;
}

/* Nothing is said of the image but its digest: what it proves is for people to find out. A vTPM's
 * kinds are spoken of by references of their own. */
static json_t *reference_for(const struct unknown_case *c, const struct acceptance *a)
{
    const bool has_vtpm = strcmp(c->kind, "snp-azure") == 0 || strcmp(c->kind, "snp-vtpm") == 0;
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(c->measurement));
    json_t *list = json_array();
    json_t *reference = json_object();
    json_add_new(list, json_string(hex));
    json_put_new(reference, "measurement", list);
    json_put_bool(reference, "measured_boot", false);
    json_put_text(reference, "anchor", has_vtpm ? "vtpm" : "none");
    json_put_text(reference, "provider_execution", "on");
    json_put_moment(reference, "expires", a->expires);
    return reference;
}

static enum outcome put_reference(json_t *content, const struct unknown_case *c,
                                  const struct acceptance *a, struct error *err)
{
    json_t *references, *policies, *named;
    TRY(json_get_object(content, "", "references", &references, err));
    TRY(json_get_object(content, "", "policies", &policies, err));
    json_t *policy = json_object_get(policies, a->policy);
    if (policy == NULL)
        return fail_at(err, ERR_NOT_FOUND, "no-such-policy", "/policy",
                       "the charter has no policy of that name");
    if (json_object_get(references, a->reference) != NULL)
        return fail_at(err, ERR_CONFLICT, "exists", "/reference",
                       "the charter has a reference of that name");
    TRY(json_get_array(policy, "", "references", CHARTER_LIST_MAX, &named, err));
    json_put_new(references, a->reference, reference_for(c, a));
    json_add_new(named, json_string(a->reference));
    return OK;
}

/* The case stays as it is: it closes when the charter is in force. */
enum outcome cases_accept(struct request *r, struct error *err)
{
    OWNED(unknown_case_list_done) struct unknown_case_list list = {0};
    OWNED(json_drop) json_t *content = NULL;
    OWNED(charter_plan_done) struct charter_plan plan = {0};
    struct acceptance a = {0};
    TRY(find(r, &list, err));
    if (list.at[0].state == CASE_ACCEPTED)
        return fail_code(err, ERR_CONFLICT, "case-not-open", "the charter in force names it");
    TRY(read_acceptance(r, &list.at[0], &a, err));
    TRY(candidate_next(r, (struct moment){0}, &content, err));
    TRY(put_reference(content, &list.at[0], &a, err));
    TRY(candidate_plan(r, content, NULL, &plan, err));
    request_answer(r, 200, TAKE(plan.shown));
    return OK;
}
