#include "controller/instance_view.h"

#include <stdlib.h>
#include <string.h>

#include "db/delivery_store.h"
#include "lib/model/verdict.h"

/* Columns of view_verdicts. */
enum { V_ID, V_HARDWARE, V_SOFTWARE, V_IDENTITY, V_VERDICT, V_REASON, V_MISSING, V_RESIDUALS };
enum {
    V_NONCE_ISSUED = V_RESIDUALS + 1,
    V_KIND,
    V_DOCUMENTS,
    V_SUSPECT,
    V_CLOUD,
    V_ACCOUNT,
    V_REGION
};

struct view {
    struct rows *verdicts;
    struct rows *notices;
    void *deliveries;
    size_t delivery_count;
};

static void view_done(struct view *view)
{
    rows_drop(&view->verdicts);
    rows_drop(&view->notices);
    record_list_done(&delivery_record, view->deliveries, view->delivery_count);
}

static void put_word(json_t *out, const char *name, const struct rows *rows, size_t row, int column)
{
    json_put_span(out, name, rows_bytes(rows, row, column));
}

/* What its cloud's documents say, and what is proven of where it is. */
static void put_whereabouts(json_t *out, const struct rows *rows, size_t row)
{
    static const struct {
        const char *name;
        int column;
    } words[] = {{"documents", V_DOCUMENTS},
                 {"suspect_reason", V_SUSPECT},
                 {"proven_cloud", V_CLOUD},
                 {"proven_account", V_ACCOUNT},
                 {"proven_region", V_REGION}};
    for (size_t i = 0; i < countof(words); i++)
        if (!rows_is_null(rows, row, words[i].column))
            put_word(out, words[i].name, rows, row, words[i].column);
}

static void put_verdict(json_t *out, const struct rows *rows, size_t row)
{
    put_word(out, "hardware", rows, row, V_HARDWARE);
    put_word(out, "software", rows, row, V_SOFTWARE);
    put_word(out, "identity", rows, row, V_IDENTITY);
    put_word(out, "evidence_kind", rows, row, V_KIND);
    put_whereabouts(out, rows, row);
    json_put_new(out, "missing", rows_json(rows, row, V_MISSING));
    json_put_new(out, "residuals", rows_json(rows, row, V_RESIDUALS));
    put_word(out, "verdict", rows, row, V_VERDICT);
    put_word(out, "verdict_reason", rows, row, V_REASON);
    struct moment issued = rows_moment(rows, row, V_NONCE_ISSUED);
    json_put_moment(out, "verified_at", issued);
    json_put_int(out, "verdict_age_seconds", moment_seconds_between(issued, clock_now()));
}

/* Before the first verdict nothing is proven, and that is said, not left out (I9). */
static void put_no_verdict(json_t *out)
{
    static const char *const proofs[] = {"hardware", "software", "identity"};
    for (size_t i = 0; i < countof(proofs); i++)
        json_put_text(out, proofs[i], "none");
    json_put_new(out, "missing", json_array());
    json_put_new(out, "residuals", json_array());
}

static void put_proof(json_t *out, const struct view *view, const struct instance *instance)
{
    for (size_t row = 0; row < rows_count(view->verdicts); row++) {
        struct uuid id = rows_uuid(view->verdicts, row, V_ID);
        if (uuid_equal(&id, &instance->verdict_id))
            return put_verdict(out, view->verdicts, row);
    }
    put_no_verdict(out);
}

static json_t *delivery_to_json(const struct delivery *delivery)
{
    json_t *out = json_object();
    json_put_text(out, "secret", delivery->name);
    json_put_int(out, "version", delivery->version);
    json_put_text(out, "state", name_of(&delivery_state_names, (int)delivery->state));
    json_put_moment(out, "since", delivery->state_since);
    if (delivery->reason[0] != '\0')
        json_put_text(out, "reason", delivery->reason);
    if (delivery->state == DELIVERY_LOADED)
        json_put_hex(out, "check", SPAN_OF(delivery->loaded_check));
    return out;
}

static json_t *deliveries_of(const struct view *view, const struct instance *instance)
{
    const struct delivery *all = view->deliveries;
    json_t *out = json_array();
    for (size_t i = 0; i < view->delivery_count; i++)
        if (uuid_equal(&all[i].instance, &instance->id))
            json_add_new(out, delivery_to_json(&all[i]));
    return out;
}

/* What its cloud will do to its host: how many notices stand, and when the first begins. */
static json_t *notices_of(const struct view *view, const struct instance *instance)
{
    json_t *out = json_object();
    json_put_int(out, "count", 0);
    for (size_t row = 0; row < rows_count(view->notices); row++) {
        struct uuid id = rows_uuid(view->notices, row, 0);
        if (!uuid_equal(&id, &instance->id))
            continue;
        json_put_int(out, "count", rows_int(view->notices, row, 1));
        json_put_moment(out, "next", rows_moment(view->notices, row, 2));
    }
    return out;
}

/* Whether the clock has written it down already or not: time alone makes stale (I9). */
static void put_trust(json_t *out, const struct instance *instance, struct moment now)
{
    const enum trust trust = instance_trust_at(instance, now);
    json_put_text(out, "trust", name_of(&trust_names, (int)trust));
    if (trust == TRUST_STALE && instance->trust == TRUST_TRUSTED) {
        json_put_text(out, "trust_reason", "verdict-expired");
        json_put_moment(out, "trust_since", instance->valid_until);
        json_object_del(out, "renew_at");
    }
    if (trust == TRUST_STALE)
        json_put_int(out, "stale_seconds", moment_seconds_between(instance->valid_until, now));
}

static json_t *show(const struct view *view, const struct instance *instance)
{
    json_t *out = record_to_json(&instance_record, instance);
    put_trust(out, instance, clock_now());
    json_put_text(out, "level", name_of(&level_names, (int)instance->level));
    json_put_moment(out, "since", instance->phase_since);
    put_proof(out, view, instance);
    json_put_new(out, "deliveries", deliveries_of(view, instance));
    json_put_new(out, "notices", notices_of(view, instance));
    return out;
}

static enum outcome read_view(struct db *db, const struct instance_list *list, struct view *view,
                              struct error *err)
{
    OWNED(mem_drop) struct uuid *ids = mem_new(list->count + 1, sizeof *ids);
    OWNED(mem_drop) struct uuid *verdicts = mem_new(list->count + 1, sizeof *verdicts);
    for (size_t i = 0; i < list->count; i++) {
        ids[i] = list->at[i].id;
        verdicts[i] = list->at[i].verdict_id;
    }
    TRY(db_run(db, SQL_VIEW_VERDICTS, PARAMS(p_uuids(verdicts, list->count)), &view->verdicts,
               err));
    TRY(db_run(db, SQL_VIEW_NOTICES, PARAMS(p_uuids(ids, list->count)), &view->notices, err));
    return db_all(db, SQL_VIEW_DELIVERIES, PARAMS(p_uuids(ids, list->count)), &delivery_record,
                  &view->deliveries, &view->delivery_count, err);
}

enum outcome instance_view(struct db *db, const struct instance_list *list, json_t **out,
                           struct error *err)
{
    OWNED(view_done) struct view view = {0};
    TRY(read_view(db, list, &view, err));
    *out = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_add_new(*out, show(&view, &list->at[i]));
    return OK;
}
