#include "db/case_store.h"

#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"

enum { SETTLED_MOST = 4096 };

static const char *const state_words[] = {"open", "accepted", "dismissed"};
_Static_assert(countof(state_words) == CASE_STATE_COUNT);
const struct names case_state_names = NAMES("state of a case", state_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(unknown_case, id,          FIELD_UUID),
    FIELD(unknown_case, project,     FIELD_TEXT, .flags = FIELD_HIDDEN),
    FIELD(unknown_case, measurement, FIELD_HEX),
    FIELD(unknown_case, kind,        FIELD_TEXT),
    FIELD(unknown_case, product,     FIELD_TEXT),
    FIELD(unknown_case, policy,      FIELD_TEXT),
    FIELD(unknown_case, provider,    FIELD_TEXT),
    FIELD(unknown_case, region,      FIELD_TEXT),
    FIELD(unknown_case, state,       FIELD_NAME, .names = &case_state_names),
    FIELD(unknown_case, state_since, FIELD_MOMENT),
    FIELD(unknown_case, reason,      FIELD_TEXT),
    FIELD(unknown_case, ends,        FIELD_MOMENT),
    FIELD(unknown_case, first_seen,  FIELD_MOMENT),
    FIELD(unknown_case, last_seen,   FIELD_MOMENT),
    FIELD(unknown_case, instances,   FIELD_INT),
    FIELD(unknown_case, chips,       FIELD_INT),
    FIELD(unknown_case, samples,     FIELD_JSON),
};
/* clang-format on */
const struct record unknown_case_record = RECORD(unknown_case, fields);
RECORD_LIST_BODY(unknown_case, &unknown_case_record)

/* ---- from a verdict ------------------------------------------------------------------------- */

static bool check_says(const json_t *checks, const char *name, const char *result)
{
    size_t i;
    const json_t *check;
    json_array_foreach (json_looked_at(checks), i, check) {
        const char *said = json_string_value(json_object_get(check, "check"));
        const char *came_out = json_string_value(json_object_get(check, "result"));
        if (said != NULL && came_out != NULL && strcmp(said, name) == 0)
            return strcmp(came_out, result) == 0;
    }
    return false;
}

static bool read_measurement(const struct verdict_row *row,
                             uint8_t out[static CHARTER_MEASUREMENT_SIZE])
{
    const char *hex = json_string_value(json_object_get(row->claims, "measurement"));
    return hex != NULL && hex_decode_exact(hex, out, CHARTER_MEASUREMENT_SIZE, NULL) == OK &&
           !span_is_zero(SPAN(out, CHARTER_MEASUREMENT_SIZE));
}

/* Only what a chip signed under its maker's chain: anybody can write a digest into a report. */
bool case_is_one(const struct verdict_row *row)
{
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    return strcmp(row->verdict, "trusted") != 0 && check_says(row->checks, "signature", "pass") &&
           check_says(row->checks, "chain", "pass") &&
           check_says(row->checks, "policy-measurement", "fail") &&
           read_measurement(row, measurement);
}

/* What the report says of its chip: by itself, or inside other evidence. */
static const json_t *report_of(const struct verdict_row *row)
{
    const json_t *evidence = json_object_get(row->claims, "evidence");
    const json_t *inside = json_object_get(evidence, "snp");
    return inside != NULL ? inside : evidence;
}

static void copy_member(const json_t *object, const char *name, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (text != NULL)
        error_ignore(text_copy(out, size, text, name, NULL));
}

static void read_case(const struct verdict_row *row, struct unknown_case *out)
{
    const json_t *report = report_of(row);
    memcpy(out->project, row->project, sizeof out->project);
    memcpy(out->kind, row->kind, sizeof out->kind);
    memcpy(out->policy, row->policy, sizeof out->policy);
    (void)read_measurement(row, out->measurement);
    error_ignore(text_copy(out->product, sizeof out->product, "unknown", "", NULL));
    copy_member(report, "product_line", out->product, sizeof out->product);
    copy_member(report, "product", out->product, sizeof out->product);
    copy_member(json_object_get(report, "ek"), "csp_id", out->provider, sizeof out->provider);
    snp_csp_region(out->provider, out->region);
}

static json_t *sample_of(const struct verdict_row *row)
{
    json_t *sample = json_object();
    json_put_uuid(sample, "verdict_id", &row->id);
    json_put_hex(sample, "evidence_digest", SPAN_OF(row->evidence_digest));
    json_put_uuid(sample, "instance", &row->instance);
    json_put_moment(sample, "at", row->nonce_issued);
    return sample;
}

/* ---- writing down --------------------------------------------------------------------------- */

static enum outcome find(struct db *db, const struct unknown_case *c, const struct uuid *instance,
                         struct uuid *out, bool *out_told, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_CASE_LOOK,
               PARAMS(p_text(c->project), p_bytes(SPAN_OF(c->measurement)), p_uuid(instance)),
               &rows, err));
    *out = rows_count(rows) > 0 ? rows_uuid(rows, 0, 0) : (struct uuid){0};
    *out_told = rows_count(rows) > 0 && rows_bool(rows, 0, 1);
    return OK;
}

static enum outcome open_case(struct db *db, const struct unknown_case *c,
                              const struct uuid *instance, struct error *err)
{
    const struct uuid id = uuid_new();
    return db_run(db, SQL_CASE_OPEN,
                  PARAMS(p_uuid(&id), p_text(c->project), p_bytes(SPAN_OF(c->measurement)),
                         p_text(c->kind), p_text(c->product), p_text(c->policy),
                         p_text(c->provider), p_text(c->region), p_int(CASES_OPEN_MOST),
                         p_uuid(instance), p_int(CASES_OF_ONE_MOST)),
                  NULL, err);
}

static enum outcome sight(struct db *db, const struct uuid *id, const struct verdict_row *row,
                          struct error *err)
{
    uint8_t chip[CHARTER_CHIP_SIZE] = {0};
    OWNED(json_drop) json_t *sample = sample_of(row);
    const char *hex = json_string_value(json_object_get(row->claims, "chip"));
    if (hex != NULL)
        error_ignore(hex_decode_exact(hex, chip, sizeof chip, NULL));
    return db_run(
        db, SQL_CASE_SIGHT,
        PARAMS(p_uuid(id), p_uuid(&row->instance), p_hex(chip, sizeof chip), p_json(sample)), NULL,
        err);
}

static enum outcome write_down(struct db *db, const struct unknown_case *c,
                               const struct verdict_row *row, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    struct uuid id;
    bool told;
    TRY(transaction_begin(db, &tx, err));
    TRY(open_case(db, c, &row->instance, err));
    TRY(find(db, c, &row->instance, &id, &told, err));
    if (uuid_is_zero(&id))
        TRY(db_run(db, SQL_CASE_OVERFLOW, PARAMS(p_text(c->project)), NULL, err));
    else
        TRY(sight(db, &id, row, err));
    return transaction_commit(&tx, err);
}

enum outcome case_store_note(struct db *db, const struct verdict_row *row, struct error *err)
{
    struct unknown_case c = {0};
    struct uuid id;
    bool told;
    read_case(row, &c);
    TRY(find(db, &c, &row->instance, &id, &told, err));
    return told ? OK : write_down(db, &c, row, err);
}

/* ---- reading -------------------------------------------------------------------------------- */

enum outcome case_store_list(struct db *db, const char *project, const char *state,
                             const struct uuid *id, int64_t limit, struct unknown_case_list *out,
                             struct error *err)
{
    return unknown_case_list_of(
        db, SQL_CASE_LIST,
        PARAMS(p_text(project), p_text(state), id != NULL ? p_uuid(id) : p_null(), p_int(limit)),
        out, err);
}

enum outcome case_store_overflow(struct db *db, const char *project, json_t **out,
                                 struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_CASE_OVERFLOW_FIND, PARAMS(p_text(project)), &rows, err));
    *out = NULL;
    if (rows_count(rows) == 0)
        return OK;
    *out = json_object();
    json_put_int(*out, "intervals", rows_int(rows, 0, 0));
    json_put_moment(*out, "last_seen", rows_moment(rows, 0, 1));
    return OK;
}

/* ---- states --------------------------------------------------------------------------------- */

enum outcome case_store_dismiss(struct db *db, const char *project, const struct uuid *id,
                                const char *reason, const char *actor, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    int64_t changed = 0;
    TRY(transaction_begin(db, &tx, err));
    TRY(db_change(db, SQL_CASE_DISMISS,
                  PARAMS(p_text(project), p_uuid(id), p_text(reason), p_text(actor)), &changed,
                  err));
    if (changed == 0)
        return fail_code(err, ERR_CONFLICT, "case-not-open", "the case is not open");
    return transaction_commit(&tx, err);
}

/* Does a reference that counts name it, and until when at the latest? */
static bool is_named(const struct charter *charter, const struct unknown_case *c, struct moment now,
                     struct moment *out_ends)
{
    bool named = false;
    for (size_t i = 0; i < charter->reference_count; i++) {
        const struct charter_reference *r = &charter->references[i];
        const bool over = !moment_is_none(r->expires) && r->expires.us <= now.us;
        if (r->retired || r->measurement.any || over ||
            !charter_values_have(&r->measurement, SPAN_OF(c->measurement)))
            continue;
        const bool for_ever = moment_is_none(r->expires) || (named && moment_is_none(*out_ends));
        if (for_ever)
            *out_ends = (struct moment){0};
        else if (!named || r->expires.us > out_ends->us)
            *out_ends = r->expires;
        named = true;
    }
    return named;
}

struct named_cases {
    struct uuid ids[CASE_STATE_COUNT * SETTLED_MOST];
    struct moment ends[CASE_STATE_COUNT * SETTLED_MOST];
    size_t count;
};

/* Of each state by itself: those of one must not crowd out those of another. */
static enum outcome find_named(struct db *db, const char *project, const struct charter *charter,
                               struct named_cases *out, struct error *err)
{
    const struct moment now = clock_now();
    for (int state = 0; state < CASE_STATE_COUNT; state++) {
        OWNED(unknown_case_list_done) struct unknown_case_list list = {0};
        TRY(case_store_list(db, project, state_words[state], NULL, SETTLED_MOST, &list, err));
        for (size_t i = 0; i < list.count; i++)
            if (is_named(charter, &list.at[i], now, &out->ends[out->count]))
                out->ids[out->count++] = list.at[i].id;
    }
    return OK;
}

enum outcome case_store_settle(struct db *db, const char *project, const struct charter *charter,
                               const char *actor, struct error *err)
{
    OWNED(mem_drop) struct named_cases *named = NEW(struct named_cases);
    TRY(find_named(db, project, charter, named, err));
    return db_run(db, SQL_CASE_SETTLE,
                  PARAMS(p_text(project), p_uuids(named->ids, named->count),
                         p_moments(named->ends, named->count), p_text(actor)),
                  NULL, err);
}

enum outcome case_store_expire(struct db *db, struct moment now, const char *actor,
                               struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_CASE_EXPIRE, PARAMS(p_moment(now), p_text(actor)), NULL, err));
    return transaction_commit(&tx, err);
}
