#include "db/fleet_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/account_store.h"
#include "db/audit_store.h"
#include "db/image_store.h"
#include "lib/crypto/random.h"

RECORD_LIST_BODY(fleet, &fleet_record)

static enum outcome tell(struct db *db, const char *project, const char *name, const char *verb,
                         const struct fleet *fleet, const char *actor, struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    snprintf(object, sizeof object, "fleet:%s", name);
    OWNED(json_drop) json_t *detail = fleet != NULL ? fleet_to_json(fleet) : NULL;
    return audit_store_add(db, project, actor, verb, object, detail, NULL, err);
}

static struct param p(const struct fleet *fleet, const char *field)
{
    return p_field(&fleet_record, fleet, field);
}

static enum outcome check_image_in(struct db *db, const char *project, const struct image *image,
                                   const char *name, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    enum outcome outcome = account_store_find(db, project, name, &account, err);
    if (outcome == ERR_NOT_FOUND) /* refused by its reference */
        return OK;
    TRY(outcome);
    if (image_ref_in(image, &account) == NULL)
        return fail_at(err, ERR_INVALID, "other-cloud", "/image",
                       "image %s is not for the cloud of account %s", image->name, name);
    return OK;
}

/* An image has a name of its own in each cloud. */
static enum outcome check_fit(struct db *db, const char *project, const struct fleet *fleet,
                              const struct place_list *places, struct error *err)
{
    OWNED(image_done) struct image image = {0};
    enum outcome outcome = image_store_find(db, project, fleet->image, &image, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    for (size_t i = 0; i < places->count; i++)
        TRY(check_image_in(db, project, &image, places->at[i].account, err));
    return OK;
}

static enum outcome put_places(struct db *db, const char *project, const struct uuid *fleet,
                               const struct place_list *places, struct error *err)
{
    TRY(db_run(db, SQL_FLEET_DROP_PLACES, PARAMS(p_uuid(fleet)), NULL, err));
    for (size_t i = 0; i < places->count; i++)
        TRY(db_run(db, SQL_FLEET_PUT_PLACE,
                   PARAMS(p_uuid(fleet), p_text(project), p_text(places->at[i].account)), NULL,
                   err));
    return OK;
}

enum outcome fleet_store_add(struct db *db, const char *project, struct fleet *fleet,
                             const char *actor, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(place_list_done) struct place_list places = {0};
    TRY(fleet_places(fleet, &places, err));
    TRY(transaction_begin(db, &tx, err));
    TRY(check_fit(db, project, fleet, &places, err));
    fleet->id = uuid_new();
    TRY(db_run(db, SQL_FLEET_ADD,
               PARAMS(p(fleet, "id"), p_text(project), p(fleet, "name"), p(fleet, "desired"),
                      p(fleet, "account"), p(fleet, "image"), p(fleet, "size"), p(fleet, "policy"),
                      p(fleet, "secrets"), p(fleet, "paused"), p(fleet, "surge"),
                      p(fleet, "rejected_hold_seconds"), p(fleet, "objective"), p(fleet, "places"),
                      p(fleet, "zone_most"), p(fleet, "features"), p(fleet, "enclaves")),
               NULL, err));
    TRY(put_places(db, project, &fleet->id, &places, err));
    TRY(tell(db, project, fleet->name, "fleet.created", fleet, actor, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome fleet_store_find(struct db *db, const char *project, const char *name,
                              struct fleet *out, struct error *err)
{
    return db_one(db, SQL_FLEET_FIND, PARAMS(p_text(project), p_text(name)), &fleet_record, out,
                  "fleet", err);
}

enum outcome fleet_store_lock(struct db *db, const char *project, const char *name,
                              struct fleet *out, struct error *err)
{
    return db_one(db, SQL_FLEET_LOCK, PARAMS(p_text(project), p_text(name)), &fleet_record, out,
                  "fleet", err);
}

enum outcome fleet_store_list(struct db *db, const char *project, const char *after, int64_t limit,
                              struct fleet_list *out, struct error *err)
{
    return fleet_list_of(db, SQL_FLEET_LIST, PARAMS(p_text(project), p_text(after), p_int(limit)),
                         out, err);
}

/* Nothing was changed: is it not there, or has it another epoch? */
static enum outcome fail_unchanged(struct db *db, const char *project, const char *name,
                                   struct error *err)
{
    OWNED(fleet_done) struct fleet there = {0};
    TRY(fleet_store_find(db, project, name, &there, err));
    return fail_code(err, ERR_CONFLICT, "changed-meanwhile", "fleet %s is at epoch %lld", name,
                     (long long)there.epoch);
}

enum outcome fleet_store_update(struct db *db, const char *project, const struct fleet *fleet,
                                int64_t if_epoch, const char *actor, struct fleet *out,
                                struct error *err)
{
    OWNED(fleet_done) struct fleet now = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(place_list_done) struct place_list places = {0};
    TRY(fleet_places(fleet, &places, err));
    TRY(transaction_begin(db, &tx, err));
    TRY(check_fit(db, project, fleet, &places, err));
    TRY(db_run(db, SQL_PLACE_OPEN_FLEET,
               PARAMS(p_text(project), p(fleet, "name"), p(fleet, "image"), p(fleet, "features"),
                      p(fleet, "enclaves")),
               NULL, err));
    enum outcome outcome =
        db_one(db, SQL_FLEET_UPDATE,
               PARAMS(p_text(project), p(fleet, "name"), p_int(if_epoch), p(fleet, "desired"),
                      p(fleet, "account"), p(fleet, "image"), p(fleet, "size"), p(fleet, "policy"),
                      p(fleet, "secrets"), p(fleet, "paused"), p(fleet, "surge"),
                      p(fleet, "rejected_hold_seconds"), p(fleet, "objective"), p(fleet, "places"),
                      p(fleet, "zone_most"), p(fleet, "features"), p(fleet, "enclaves")),
               &fleet_record, &now, "fleet", err);
    if (outcome == ERR_NOT_FOUND)
        return fail_unchanged(db, project, fleet->name, err);
    TRY(outcome);
    TRY(put_places(db, project, &now.id, &places, err));
    TRY(tell(db, project, fleet->name, "fleet.changed", &now, actor, err));
    TRY(db_wake(db, err));
    TRY(transaction_commit(&tx, err));
    if (out != NULL) {
        *out = now;
        now = (struct fleet){0};
    }
    return OK;
}

enum outcome fleet_store_remove(struct db *db, const char *project, const char *name,
                                int64_t if_epoch, const char *actor, struct error *err)
{
    int64_t changed = 0;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_FLEET_DOOM, PARAMS(p_text(project), p_text(name), p_int(if_epoch)),
                  &changed, err));
    if (changed == 0)
        return fail_unchanged(db, project, name, err);
    TRY(tell(db, project, name, "fleet.removed", NULL, actor, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

/* ---- for the planner's worker ---- */

enum outcome fleet_store_claim(struct db *db, const char *holder, int64_t lease_seconds,
                               struct fleet *out, struct error *err)
{
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_FLEET_BURY, NO_PARAMS, NULL, err));
    enum outcome outcome = db_one(db, SQL_FLEET_CLAIM, PARAMS(p_text(holder), p_int(lease_seconds)),
                                  &fleet_record, &fleet, "fleet is due", err);
    if (outcome != OK && outcome != ERR_NOT_FOUND)
        return outcome;
    TRY(transaction_commit(&tx, err));
    if (outcome == OK) {
        *out = fleet;
        fleet = (struct fleet){0};
    }
    return outcome;
}

enum outcome fleet_store_hold(struct db *db, const struct fleet *claimed, const char *holder,
                              struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_FLEET_HOLD,
               PARAMS(p_uuid(&claimed->id), p_int(claimed->epoch), p_text(holder)), &rows, err));
    if (rows_count(rows) == 0)
        return fail_code(err, ERR_CONFLICT, "lost", "fleet %s is in other hands or was changed",
                         claimed->name);
    return OK;
}

enum outcome fleet_store_defer(struct db *db, const struct fleet *claimed, const char *holder,
                               int64_t due_in_seconds, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(
        db, SQL_FLEET_DEFER,
        PARAMS(p_uuid(&claimed->id), p_int(claimed->epoch), p_text(holder), p_int(due_in_seconds)),
        NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome fleet_store_touch(struct db *db, const char *project, const char *name,
                               struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_FLEET_TOUCH, PARAMS(p_text(project), p_text(name)), NULL, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

/* clang-format off */
static const struct field seen_fields[] = {
    FIELD(plan_instance, id,          FIELD_UUID),
    FIELD(plan_instance, phase,       FIELD_NAME, .names = &phase_names),
    FIELD(plan_instance, trust,       FIELD_NAME, .names = &trust_names),
    FIELD(plan_instance, wanted,      FIELD_NAME, .names = &wanted_names),
    FIELD(plan_instance, has_machine, FIELD_BOOL),
    FIELD(plan_instance, created,     FIELD_MOMENT),
    FIELD(plan_instance, phase_since, FIELD_MOMENT),
    FIELD(plan_instance, trust_since, FIELD_MOMENT),
    FIELD(plan_instance, next_due,    FIELD_MOMENT),
    FIELD(plan_instance, account,     FIELD_TEXT),
    FIELD(plan_instance, zone,        FIELD_TEXT),
};
/* clang-format on */
static const struct record seen_record = RECORD(plan_instance, seen_fields);

enum outcome fleet_store_observe(struct db *db, const struct fleet *fleet,
                                 struct plan_observed *out, struct error *err)
{
    OWNED(rows_drop) struct rows *past = NULL;
    const struct params which = PARAMS(p_text(fleet->project), p_text(fleet->name));
    void *seen = NULL;
    TRY(db_run(db, SQL_FLEET_PAST, which, &past, err));
    *out = (struct plan_observed){
        .bad_in_a_row = rows_int(past, 0, 0),
        .last_bad = rows_moment(past, 0, 1),
    };
    TRY(db_all(db, SQL_FLEET_OBSERVE, which, &seen_record, &seen, &out->count, err));
    out->at = seen;
    return OK;
}

/* ---- for the status ---- */

void fleet_counts_done(struct fleet_counts *counts)
{
    json_decref(counts->reasons);
    *counts = (struct fleet_counts){0};
}

static int word_at(const struct rows *rows, size_t row, int column, const struct names *names)
{
    int value = 0;
    OWNED(mem_drop) char *word = rows_text(rows, row, column);
    error_ignore(name_parse(names, word, &value, NULL));
    return value;
}

static enum outcome count_instances(struct db *db, struct params which, struct fleet_counts *out,
                                    struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_FLEET_COUNTS, which, &rows, err));
    for (size_t i = 0; i < rows_count(rows); i++) {
        int phase = word_at(rows, i, 0, &phase_names);
        int trust = word_at(rows, i, 1, &trust_names);
        int64_t n = rows_int(rows, i, 4);
        out->phases[phase] += n;
        out->trusts[trust] += n;
        if (trust == TRUST_TRUSTED)
            out->levels[rows_int(rows, i, 2)] += n;
        out->simulated += rows_bool(rows, i, 3) ? n : 0;
    }
    return OK;
}

static enum outcome count_deliveries(struct db *db, struct params which, struct fleet_counts *out,
                                     struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_FLEET_COUNT_DELIVERIES, which, &rows, err));
    for (size_t i = 0; i < rows_count(rows); i++)
        out->deliveries[word_at(rows, i, 0, &delivery_state_names)] += rows_int(rows, i, 1);
    return OK;
}

enum outcome fleet_store_counts(struct db *db, const char *project, const char *name,
                                struct fleet_counts *out, struct error *err)
{
    struct fleet_counts counts = {0};
    const struct params which = PARAMS(p_text(project), p_text(name));
    OWNED(rows_drop) struct rows *reasons = NULL;
    TRY(count_instances(db, which, &counts, err));
    TRY(count_deliveries(db, which, &counts, err));
    TRY(db_run(db, SQL_FLEET_REASONS, which, &reasons, err));
    counts.reasons = rows_json(reasons, 0, 0);
    *out = counts;
    return OK;
}

/* ---- freshness ---- */

enum outcome fleet_store_freshness(struct db *db, const struct fleet *fleet,
                                   struct fleet_freshness *out, struct error *err)
{
    OWNED(rows_drop) struct rows *counts = NULL, *since = NULL;
    const int64_t within = json_integer_value(json_object_get(fleet->objective, "within_seconds"));
    const struct param project = p_text(fleet->project), name = p_text(fleet->name);
    TRY(db_run(db, SQL_FLEET_FRESHNESS, PARAMS(project, name, p_int(within)), &counts, err));
    TRY(db_run(db, SQL_FLEET_MISSED_SINCE, PARAMS(project, name), &since, err));
    *out = (struct fleet_freshness){
        .of = rows_int(counts, 0, 0),
        .verified = rows_int(counts, 0, 1),
        .never = rows_int(counts, 0, 2),
        .overdue = rows_int(counts, 0, 3),
        .oldest_verdict = rows_moment(counts, 0, 4),
        .missed_since = rows_count(since) > 0 ? rows_moment(since, 0, 0) : (struct moment){0},
    };
    return OK;
}

enum outcome fleet_store_within(struct db *db, const char *project, const char *name,
                                int64_t *out_seconds, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_FLEET_WITHIN, PARAMS(p_text(project), p_text(name)), &rows, err));
    *out_seconds = rows_count(rows) > 0 ? rows_int(rows, 0, 0) : 0;
    return OK;
}

enum outcome fleet_store_look_at_objectives(struct db *db, const char *actor, int64_t *out_changed,
                                            struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_FLEET_OBJECTIVES, PARAMS(p_text(actor)), &rows, err));
    TRY(transaction_commit(&tx, err));
    *out_changed = rows_int(rows, 0, 0);
    return OK;
}
