#include "controller/api.h"

#include <stdlib.h>
#include <string.h>

#include "controller/candidate.h"
#include "controller/fleet_rules.h"
#include "db/fleet_store.h"
#include "db/notice_store.h"
#include "db/place_store.h"
#include "db/secret_store.h"
#include "lib/model/verdict.h"

enum outcome fleets_list(struct request *r, struct error *err)
{
    OWNED(fleet_list_done) struct fleet_list list = {0};
    char after[NAME_SIZE];
    int64_t limit;
    TRY(request_limit(r, &limit, err));
    TRY(request_cursor(r, after, err));
    TRY(fleet_store_list(r->db, r->caller.project, after[0] != '\0' ? after : NULL, limit + 1,
                         &list, err));
    size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, fleet_to_json(&list.at[i]));
    request_answer_page(r, items, shown > 0 ? list.at[shown - 1].name : "", list.count > shown);
    return OK;
}

enum outcome fleets_show(struct request *r, struct error *err)
{
    OWNED(fleet_done) struct fleet fleet = {0};
    TRY(fleet_store_find(r->db, r->caller.project, r->args[0], &fleet, err));
    request_tag(r, fleet.epoch);
    request_answer(r, 200, fleet_to_json(&fleet));
    return OK;
}

/* ---- writing, or only trying ---------------------------------------------------------------- */

/* Instances that stand and are not on their way out. */
static int64_t standing(const struct fleet_counts *counts)
{
    int64_t n = 0;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        if (phase != PHASE_TERMINATING && phase != PHASE_TERMINATED)
            n += counts->phases[phase];
    return n;
}

/* What the fleet names and is not there yet. That is no refusal: it may come before its machines
 * ask; until then they are not appraised, or get less than was meant. */
static enum outcome missing_to_json(struct request *r, const struct fleet *fleet, json_t *out,
                                    struct error *err)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    size_t i;
    json_t *name;
    TRY(candidate_in_force(r, &charter, err));
    if (charter == NULL || charter_find_policy(charter, fleet->policy) == NULL)
        json_add_new(out, json_sprintf("policy:%s", fleet->policy));
    json_array_foreach (fleet->secrets, i, name) {
        struct secret secret;
        enum outcome outcome =
            secret_store_find(r->db, r->caller.project, json_string_value(name), &secret, err);
        if (outcome == ERR_NOT_FOUND)
            json_add_new(out, json_sprintf("secret:%s", json_string_value(name)));
        else
            TRY(outcome);
    }
    return OK;
}

/* What would be, and what it would come to; inside the transaction that then is given up. */
static enum outcome answer_rehearsed(struct request *r, const struct fleet *fleet, int64_t desired,
                                     json_t *catalogue, struct error *err)
{
    OWNED(fleet_counts_done) struct fleet_counts counts = {0};
    OWNED(json_drop) json_t *missing = json_array();
    TRY(fleet_store_counts(r->db, r->caller.project, fleet->name, &counts, err));
    if (desired > 0)
        TRY(missing_to_json(r, fleet, missing, err));
    int64_t more = desired - standing(&counts);
    json_t *out = json_object();
    json_put_bool(out, "dry_run", true);
    json_put_new(out, "fleet", fleet_to_json(fleet));
    json_put_int(out, "launch", more > 0 ? more : 0);
    json_put_int(out, "retire", more < 0 ? -more : 0);
    json_put_new(out, "missing", json_incref(missing));
    if (catalogue != NULL)
        json_put_new(out, "catalogue", json_incref(catalogue));
    request_answer(r, 200, out);
    return OK;
}

/* Commit and wake the workers, who make the instances. */
static enum outcome conclude(struct request *r, struct transaction *tx, struct error *err)
{
    TRY(db_wake(r->db, err));
    TRY(transaction_commit(tx, err));
    r->api->service.wake(r->api->service.service);
    return OK;
}

enum outcome fleets_add(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(fleet_done) struct fleet fleet = {0}, made = {0};
    OWNED(json_drop) json_t *catalogue = NULL;
    bool dry_run;
    TRY(request_query_bool(r, "dry_run", &dry_run, err));
    TRY(fleet_from_json(r->body, &fleet, err));
    TRY(transaction_begin(r->db, &tx, err));
    TRY(fleet_rules_check(r, &fleet, &catalogue, err));
    TRY(fleet_store_add(r->db, r->caller.project, &fleet, r->actor, err));
    TRY(fleet_store_find(r->db, r->caller.project, fleet.name, &made, err));
    if (dry_run)
        return answer_rehearsed(r, &made, made.desired, catalogue, err);
    TRY(conclude(r, &tx, err));
    request_tag(r, made.epoch);
    request_answer_made(r, "/v1/fleets", made.name, fleet_to_json(&made));
    return OK;
}

/* Whoever names an account instead of places, or the reverse, takes the other away. */
static void settle_where(const json_t *body, json_t *spec)
{
    const bool account = json_object_get(body, "account") != NULL;
    const bool places = json_object_get(body, "places") != NULL;
    if (account && !places)
        json_put_new(spec, "places", json_array());
    if (places && !account && json_array_size(json_object_get(body, "places")) > 0)
        json_put_text(spec, "account", "");
}

enum outcome fleets_change(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(fleet_done) struct fleet now = {0}, wanted = {0}, made = {0};
    OWNED(json_drop) json_t *spec = NULL;
    OWNED(json_drop) json_t *catalogue = NULL;
    int64_t epoch;
    bool dry_run;
    TRY(request_query_bool(r, "dry_run", &dry_run, err));
    TRY(request_if_match(r, &epoch, err));
    TRY(transaction_begin(r->db, &tx, err));
    /* Locked: what the members are merged into is what stands until this is done. */
    TRY(fleet_store_lock(r->db, r->caller.project, r->args[0], &now, err));
    TRY(request_merge(r, &fleet_record, &now, &spec, err));
    settle_where(r->body, spec);
    TRY(fleet_from_json(spec, &wanted, err));
    TRY(fleet_rules_keep(&now, &wanted, err));
    if (fleet_rules_concern(&now, &wanted))
        TRY(fleet_rules_check(r, &wanted, &catalogue, err));
    TRY(fleet_store_update(r->db, r->caller.project, &wanted, epoch, r->actor, &made, err));
    if (dry_run)
        return answer_rehearsed(r, &made, made.desired, catalogue, err);
    TRY(conclude(r, &tx, err));
    request_tag(r, made.epoch);
    request_answer(r, 200, fleet_to_json(&made));
    return OK;
}

enum outcome fleets_remove(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    int64_t epoch;
    bool dry_run;
    TRY(request_query_bool(r, "dry_run", &dry_run, err));
    TRY(request_if_match(r, &epoch, err));
    TRY(transaction_begin(r->db, &tx, err));
    TRY(fleet_store_find(r->db, r->caller.project, r->args[0], &fleet, err));
    if (dry_run)
        return answer_rehearsed(r, &fleet, 0, NULL, err);
    TRY(fleet_store_remove(r->db, r->caller.project, fleet.name, epoch, r->actor, err));
    TRY(conclude(r, &tx, err));
    /* The row goes when its last instance is over. */
    request_answer(r, 202, json_pack("{s:s, s:b}", "fleet", fleet.name, "removing", true));
    return OK;
}

/* ---- status --------------------------------------------------------------------------------- */

static json_t *counts_to_json(const struct names *names, const int64_t *counts)
{
    json_t *out = json_object();
    for (size_t i = 0; i < names->count; i++)
        json_put_int(out, names->words[i], counts[i]);
    return out;
}

static json_t *age_or_null(struct moment since)
{
    return moment_is_none(since) ? json_null()
                                 : json_integer(moment_seconds_between(since, clock_now()));
}

/* By what is stored now; `since` is what the clock wrote down. */
static json_t *objective_to_json(const json_t *objective, const struct fleet_freshness *f)
{
    if (objective == NULL)
        return json_null();
    json_t *out = json_deep_copy(objective);
    const double wanted = json_number_value(json_object_get(objective, "verified_percent"));
    const int64_t tenths = f->of > 0 ? f->verified * 1000 / f->of : 1000; /* never rounded up */
    json_put_int(out, "verified", f->verified);
    json_put_int(out, "of", f->of);
    json_put_new(out, "percent", json_real((double)tenths / 10));
    json_put_bool(out, "met", (double)f->verified * 100 >= wanted * (double)f->of);
    json_put_moment(out, "missed_since", f->missed_since);
    return out;
}

static void put_freshness(json_t *out, const struct fleet *fleet, const struct fleet_freshness *f)
{
    json_put_new(out, "objective", objective_to_json(fleet->objective, f));
    json_put_int(out, "never_verified", f->never);
    json_put_int(out, "renewals_overdue", f->overdue);
    json_put_new(out, "oldest_verdict_age_seconds", age_or_null(f->oldest_verdict));
}

static json_t *notices_to_json(const struct notice_sum *sum)
{
    json_t *out = json_object();
    json_put_int(out, "count", sum->count);
    json_put_int(out, "instances", sum->instances);
    if (sum->count > 0)
        json_put_moment(out, "next", sum->next);
    return out;
}

enum outcome fleets_status(struct request *r, struct error *err)
{
    struct fleet_freshness freshness = {0};
    struct notice_sum notices;
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(fleet_counts_done) struct fleet_counts counts = {0};
    OWNED(alarm_list_done) struct alarm_list alarms = {0};
    OWNED(placement_done) struct placement placement = {0};
    TRY(fleet_store_find(r->db, r->caller.project, r->args[0], &fleet, err));
    TRY(fleet_store_counts(r->db, r->caller.project, fleet.name, &counts, err));
    TRY(fleet_store_freshness(r->db, &fleet, &freshness, err));
    TRY(alarm_store_list(r->db, r->caller.project, fleet.name, &alarms, err));
    TRY(notice_store_of_fleet(r->db, r->caller.project, fleet.name, &notices, err));
    TRY(place_store_look(r->db, &fleet, &placement, err));
    json_t *out = json_object();
    json_put_text(out, "fleet", fleet.name);
    json_put_int(out, "desired", fleet.desired);
    json_put_bool(out, "paused", fleet.paused);
    json_put_int(out, "standing", standing(&counts));
    json_t *phases = counts_to_json(&phase_names, counts.phases);
    json_object_del(phases,
                    name_of(&phase_names, PHASE_TERMINATED)); /* not counted: it only grows */
    json_put_new(out, "phases", phases);
    json_put_new(out, "trust", counts_to_json(&trust_names, counts.trusts));
    json_put_new(out, "levels", counts_to_json(&level_names, counts.levels));
    json_put_new(out, "deliveries", counts_to_json(&delivery_state_names, counts.deliveries));
    json_put_new(out, "notices", notices_to_json(&notices));
    json_put_new(out, "reasons",
                 counts.reasons != NULL ? json_incref(counts.reasons) : json_object());
    json_put_bool(out, "simulated", counts.simulated > 0);
    json_put_int(out, "simulated_instances", counts.simulated);
    put_freshness(out, &fleet, &freshness);
    json_put_new(out, "alarms", alarms_to_json(&alarms));
    json_put_new(out, "places", placement_to_json(&placement, clock_now()));
    json_put_moment(out, "at", clock_now());
    request_tag(r, fleet.epoch);
    request_answer(r, 200, out);
    return OK;
}
