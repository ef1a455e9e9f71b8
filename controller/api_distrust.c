/* To distrust a chip, a generation, a measurement, a region, a signer, an image, a machine or a
 * guest's key: whom it hits and what they have seen, the charter to sign, and then how far it has
 * come. Only the signed charter makes it so (trust.md section 5). */
#include "controller/api.h"

#include <string.h>

#include "controller/candidate.h"
#include "db/distrust_store.h"

enum { LISTED_MOST = 50 };

/* ---- asking --------------------------------------------------------------------------------- */

struct proposal {
    struct distrust row;
    struct moment expires;
    struct blast blast;
    struct charter_plan plan;
    json_t *content;
};

static void proposal_done(struct proposal *p)
{
    record_done(&distrust_record, &p->row);
    blast_done(&p->blast);
    charter_plan_done(&p->plan);
    json_decref(p->content);
}

static enum outcome read_proposal(struct request *r, struct proposal *p, struct error *err)
{
    static const char *const members[] = {"what", "value", "expires", NULL};
    const char *word, *value;
    int what;
    TRY(json_only(r->body, "", members, err));
    TRY(json_get_text(r->body, "", "what", NAME_SIZE, &word, err));
    if (name_parse(&distrust_kind_names, word, &what, NULL) != OK)
        return fail_at(err, ERR_INVALID, "wrong-value", "/what", "/what: nothing that is known");
    TRY(json_get_text(r->body, "", "value", DISTRUST_VALUE_SIZE - 1, &value, err));
    if (json_object_get(r->body, "expires") != NULL)
        TRY(json_get_moment(r->body, "", "expires", &p->expires, err));
    p->row.what = (enum distrust_kind)what;
    TRY(text_copy(p->row.project, sizeof p->row.project, r->caller.project, "project", err));
    TRY(text_copy(p->row.actor, sizeof p->row.actor, r->actor, "actor", err));
    return text_copy(p->row.value, sizeof p->row.value, value, "/value", err);
}

/* The candidate, whom it flips, and what they and others like them have been handed. */
static enum outcome look(struct request *r, struct proposal *p, struct error *err)
{
    struct distrust *row = &p->row;
    TRY(candidate_next(r, p->expires, &p->content, err));
    TRY(distrust_add(p->content, row->what, row->value, err));
    TRY(candidate_plan(r, p->content, NULL, &p->plan, err));
    OWNED(json_drop) json_t *claims = distrust_claims(p->content, row->what, row->value);
    TRY(distrust_store_blast(r->db, row->project, p->plan.rejected, p->plan.rejected_count, claims,
                             &p->blast, err));
    if (row->what == DISTRUST_REGION)
        TRY(distrust_store_not_reached(r->db, row->project, row->value, p->plan.rejected,
                                       p->plan.rejected_count, &p->blast.not_reached, err));
    memcpy(row->plan, p->plan.digest, sizeof row->plan);
    row->exposed = json_incref(p->blast.versions);
    return json_get_int(p->content, "", "serial", 1, INT64_MAX, &row->serial, err);
}

/* ---- its steps ------------------------------------------------------------------------------ */

struct step_text {
    const char *name, *state, *how;
    int64_t left;
};

static void add_step(json_t *steps, const struct step_text *step)
{
    json_t *out = json_object();
    json_put_text(out, "step", step->name);
    json_put_text(out, "state", step->state);
    if (step->how[0] != '\0')
        json_put_text(out, "how", step->how);
    if (step->left > 0)
        json_put_int(out, "left", step->left);
    json_add_new(steps, out);
}

/* "done", or who does it: "running" is the controller, "manual" a person; "waiting" is for the step
 * before. */
static const char *state_of(bool may_begin, bool done, const char *who)
{
    if (!may_begin)
        return "waiting";
    return done ? "done" : who;
}

static json_t *steps_of(const struct distrust *d)
{
    json_t *steps = json_array();
    const bool in_force = !moment_is_none(d->in_force_at);
    const int64_t versions = (int64_t)json_array_size(d->exposed);
    OWNED(mem_drop) char *digest_hex = hex_of(SPAN_OF(d->plan));
    OWNED(text_done) struct text apply = {0};
    text_addf(
        &apply,
        "muster charter sign --file CHARTER.json --key KEY.pem --out CHARTER.jws (as many keys "
        "as the threshold), then muster charter apply CHARTER.jws --if-plan %s",
        digest_hex);
    const struct step_text all[] = {
        {"sign", state_of(true, in_force, "manual"), in_force ? "" : text_str(&apply), 0},
        {"freeze", state_of(in_force, true, ""), "", 0},
        {"attest", state_of(in_force, d->trusted == 0, "running"), "", d->trusted},
        {"evacuate", state_of(in_force, d->there == 0, "manual"),
         d->there > 0 ? "muster instances terminate ID, for each; its fleet starts another" : "",
         d->there},
        {"rotate", state_of(in_force, versions == 0, "manual"),
         versions > 0
             ? "nothing rotates a secret yet: muster secrets generate NEW --kind K --grant "
               "G, name NEW in the fleet (muster fleets change FLEET FILE), and take the "
               "old value out of use where it opens something"
             : "",
         versions},
    };
    for (size_t i = 0; i < countof(all); i++)
        add_step(steps, &all[i]);
    return steps;
}

static json_t *distrust_to_json(const struct distrust *d)
{
    json_t *out = record_to_json(&distrust_record, d);
    json_put_new(out, "steps", steps_of(d));
    return out;
}

/* ---- the routes ----------------------------------------------------------------------------- */

static json_t *proposal_to_json(struct proposal *p, bool kept)
{
    json_t *out = json_object();
    json_object_del(p->plan.shown, "charter");
    if (kept)
        json_put_uuid(out, "id", &p->row.id);
    json_put_text(out, "what", name_of(&distrust_kind_names, (int)p->row.what));
    json_put_text(out, "value", p->row.value);
    json_put_new(out, "plan", json_incref(p->plan.shown));
    json_put_new(out, "charter", json_incref(p->content));
    json_put_new(out, "exposed", json_incref(p->blast.versions));
    json_put_new(out, "exposed_by_instance", json_incref(p->blast.by_instance));
    json_put_new(out, "deliveries", json_incref(p->blast.deliveries));
    json_put_int(out, "not_reached", p->blast.not_reached);
    json_put_new(out, "steps", steps_of(&p->row));
    return out;
}

enum outcome distrust_propose(struct request *r, struct error *err)
{
    OWNED(proposal_done) struct proposal p = {0};
    bool dry_run;
    TRY(request_query_bool(r, "dry_run", &dry_run, err));
    TRY(read_proposal(r, &p, err));
    TRY(look(r, &p, err));
    p.row.there = p.row.trusted = (int64_t)p.plan.rejected_count;
    if (!dry_run)
        TRY(distrust_store_add(r->db, &p.row, p.plan.rejected, p.plan.rejected_count, err));
    request_answer(r, 200, proposal_to_json(&p, !dry_run));
    return OK;
}

enum outcome distrusts_list(struct request *r, struct error *err)
{
    OWNED(distrust_list_done) struct distrust_list list = {0};
    TRY(distrust_store_list(r->db, r->caller.project, NULL, LISTED_MOST, &list, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, distrust_to_json(&list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    request_answer(r, 200, page);
    return OK;
}

enum outcome distrusts_show(struct request *r, struct error *err)
{
    OWNED(distrust_list_done) struct distrust_list list = {0};
    struct uuid id;
    TRY(request_id(r, 0, &id, err));
    TRY(distrust_store_list(r->db, r->caller.project, &id, 1, &list, err));
    if (list.count == 0)
        return fail(err, ERR_NOT_FOUND, "no such act");
    request_answer(r, 200, distrust_to_json(&list.at[0]));
    return OK;
}
