/* What would flip, and why, before anything is signed: under another policy, under other floors. */
#include "controller/api.h"
#include "controller/candidate.h"

static void answer_plan(struct request *r, struct charter_plan *plan)
{
    request_answer(r, 200, TAKE(plan->shown));
}

/* The body is the policy, as it stands in a charter. */
enum outcome policies_plan(struct request *r, struct error *err)
{
    OWNED(json_drop) json_t *content = NULL;
    OWNED(charter_plan_done) struct charter_plan plan = {0};
    json_t *policies;
    if (!text_is_name(r->args[0]))
        return fail(err, ERR_NOT_FOUND, "not the name of a policy");
    TRY(candidate_next(r, (struct moment){0}, &content, err));
    TRY(json_get_object(content, "", "policies", &policies, err));
    json_put_new(policies, r->args[0], json_incref(r->body));
    TRY(candidate_plan(r, content, r->args[0], &plan, err));
    answer_plan(r, &plan);
    return OK;
}

/* The body is floors, as they stand in a charter; products that it does not name keep theirs. */
enum outcome tcb_plan(struct request *r, struct error *err)
{
    OWNED(json_drop) json_t *content = NULL;
    OWNED(charter_plan_done) struct charter_plan plan = {0};
    TRY(candidate_next(r, (struct moment){0}, &content, err));
    if (!json_is_object(json_object_get(content, "tcb_floors")))
        json_put_new(content, "tcb_floors", json_object());
    json_object_update(json_object_get(content, "tcb_floors"), r->body);
    TRY(candidate_plan(r, content, NULL, &plan, err));
    answer_plan(r, &plan);
    return OK;
}
