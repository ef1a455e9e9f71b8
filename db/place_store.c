#include "db/place_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"

/* ---- what there is ---- */

static enum outcome count_standing(struct db *db, const struct fleet *fleet,
                                   struct placement *placement, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_PLACE_STANDING, PARAMS(p_text(fleet->project), p_text(fleet->name)), &rows,
               err));
    for (size_t i = 0; i < rows_count(rows); i++) {
        OWNED(mem_drop) char *account = rows_text(rows, i, 0);
        OWNED(mem_drop) char *zone = rows_text(rows, i, 1);
        struct spot *spot = placement_spot(placement, account, zone != NULL ? zone : "");
        if (spot != NULL)
            spot->standing += rows_int(rows, i, 2);
    }
    return OK;
}

static enum outcome read_regions(struct db *db, const struct fleet *fleet,
                                 struct place_list *places, struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_PLACE_REGIONS, PARAMS(p_uuid(&fleet->id)), &rows, err));
    for (size_t i = 0; i < rows_count(rows); i++) {
        OWNED(mem_drop) char *account = rows_text(rows, i, 0);
        OWNED(mem_drop) char *region = rows_text(rows, i, 1);
        for (size_t p = 0; p < places->count; p++)
            if (strcmp(places->at[p].account, account) == 0)
                TRY(text_copy(places->at[p].region, NAME_SIZE, region, "region", err));
    }
    return OK;
}

struct closed_row {
    char account[NAME_SIZE];
    char zone[NAME_SIZE];
    char size[NAME_SIZE];
    char code[48];
    char text[ERROR_TEXT_SIZE];
    struct moment until;
};
/* clang-format off */
static const struct field closed_fields[] = {
    FIELD(closed_row, account, FIELD_TEXT),
    FIELD(closed_row, zone,    FIELD_TEXT),
    FIELD(closed_row, size,    FIELD_TEXT),
    FIELD(closed_row, code,    FIELD_TEXT),
    FIELD(closed_row, text,    FIELD_TEXT),
    FIELD(closed_row, until,   FIELD_MOMENT),
};
static const struct field closure_fields[] = {
    FIELD(closure, code,  FIELD_TEXT),
    FIELD(closure, text,  FIELD_TEXT),
    FIELD(closure, until, FIELD_MOMENT),
};
/* clang-format on */
static const struct record closed_record = RECORD(closed_row, closed_fields);
static const struct record closure_record = RECORD(closure, closure_fields);

static const char *size_in(const struct fleet *fleet, const struct place *place)
{
    return place->size[0] != '\0' ? place->size : fleet->size;
}

static void close_spots(const struct fleet *fleet, struct placement *placement,
                        const struct closed_row *closed)
{
    for (size_t i = 0; i < placement->spot_count; i++) {
        struct spot *spot = &placement->spots[i];
        const struct place *place = &placement->places.at[spot->place];
        if (strcmp(place->account, closed->account) != 0 ||
            (closed->zone[0] != '\0' && strcmp(closed->zone, spot->zone) != 0) ||
            strcmp(size_in(fleet, place), closed->size) != 0 ||
            closed->until.us <= spot->closed_until.us)
            continue;
        spot->closed_until = closed->until;
        memcpy(spot->closed_code, closed->code, sizeof spot->closed_code);
        memcpy(spot->closed_text, closed->text, sizeof spot->closed_text);
    }
}

enum outcome place_store_look(struct db *db, const struct fleet *fleet, struct placement *out,
                              struct error *err)
{
    OWNED(place_list_done) struct place_list places = {0};
    OWNED(placement_done) struct placement made = {0};
    OWNED(mem_drop) void *closed = NULL;
    size_t count = 0;
    TRY(fleet_places(fleet, &places, err));
    TRY(read_regions(db, fleet, &places, err));
    placement_begin(&places, fleet->zone_most, &made);
    TRY(count_standing(db, fleet, &made, err));
    TRY(db_all(db, SQL_PLACE_CLOSED, PARAMS(p_text(fleet->project), p_uuid(&fleet->id)),
               &closed_record, &closed, &count, err));
    for (size_t i = 0; i < count; i++)
        close_spots(fleet, &made, (const struct closed_row *)closed + i);
    *out = made;
    made = (struct placement){0};
    return OK;
}

/* ---- what clouds said of it ---- */

static enum outcome tell(struct db *db, const struct instance *row, const char *zone,
                         const char *code, const char *text, int64_t seconds, const char *actor,
                         struct error *err)
{
    char object[AUDIT_OBJECT_SIZE];
    OWNED(json_drop) json_t *detail = json_object();
    snprintf(object, sizeof object, "account:%s", row->account);
    json_put_text(detail, "zone", zone);
    json_put_text(detail, "size", row->size);
    json_put_text(detail, "code", code);
    json_put_text(detail, "text", text);
    json_put_int(detail, "seconds", seconds);
    return audit_store_add(db, row->project, actor, "place.closed", object, detail, NULL, err);
}

/* An empty text is SQL NULL elsewhere; here it says all zones, or nothing. */
static struct param p_zone(const char *zone)
{
    return (struct param){.kind = PARAM_TEXT, .at = zone, .count = strlen(zone)};
}

static struct param whose(const struct instance *row, const struct refusal *refusal)
{
    return p_zone(refusal->of_order ? row->fleet : "");
}

/* What the next order would ask for again: a zone that its fleet names, else all of the account's,
 * wherever in it the cloud put this one. */
static enum outcome zone_to_close(struct db *db, const struct instance *row,
                                  const struct refusal *refusal, const char **out,
                                  struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    *out = "";
    if (refusal->of_account || row->zone[0] == '\0')
        return OK;
    TRY(db_run(
        db, SQL_PLACE_NAMES_ZONE,
        PARAMS(p_text(row->project), p_text(row->fleet), p_text(row->account), p_text(row->zone)),
        &rows, err));
    if (rows_bool(rows, 0, 0))
        *out = row->zone;
    return OK;
}

enum outcome place_store_turned_away(struct db *db, const struct instance *row, const char *code,
                                     struct error *err)
{
    char reason[WHY_SIZE];
    OWNED(transaction_end) struct transaction tx = {0};
    snprintf(reason, sizeof reason, "%s at %.40s%s%.30s", code, row->account,
             row->zone[0] != '\0' ? "/" : "", row->zone);
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, SQL_PLACE_MOVED, PARAMS(p_uuid(&row->id), p_text(reason)), NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome place_store_close(struct db *db, const struct instance *row, const char *code,
                               const char *text, const char *actor, struct error *err)
{
    const struct refusal *refusal = refusal_of(code);
    if (refusal == NULL)
        return fail(err, ERR_INTERNAL, "%s closes no place", code);
    const char *zone;
    int64_t changed = 0;
    OWNED(rows_drop) struct rows *rows = NULL;
    OWNED(transaction_end) struct transaction tx = {0};
    const struct param project = p_text(row->project), account = p_text(row->account),
                       fleet = whose(row, refusal);
    TRY(transaction_begin(db, &tx, err));
    TRY(place_store_turned_away(db, row, code, err));
    TRY(zone_to_close(db, row, refusal, &zone, err));
    TRY(db_run(db, SQL_PLACE_FAILURES,
               PARAMS(project, account, p_zone(zone), p_text(row->size), fleet), &rows, err));
    bool known = rows_count(rows) > 0;
    if (known && rows_bool(rows, 0, 1))
        return transaction_commit(&tx, err);
    /* One that took others since counts anew, unless this is what it took. */
    bool counts_on = known && (row->cloud_ref[0] != '\0' || !rows_bool(rows, 0, 2));
    int64_t failures = counts_on ? rows_int(rows, 0, 0) + 1 : 1;
    int64_t seconds = refusal_seconds(refusal, failures);
    TRY(db_change(db, SQL_PLACE_CLOSE,
                  PARAMS(project, account, p_zone(zone), p_text(row->size), p_text(code),
                         p_zone(text_is_clean(span_of_text(text)) ? text : code), p_int(failures),
                         p_int(seconds), fleet),
                  &changed, err));
    if (changed > 0)
        TRY(tell(db, row, zone, code, text, seconds, actor, err));
    return transaction_commit(&tx, err);
}

enum outcome place_store_closed(struct db *db, const struct instance *row, struct closure *out,
                                struct error *err)
{
    return db_one(db, SQL_PLACE_CLOSED_FOR,
                  PARAMS(p_text(row->project), p_text(row->account), p_zone(row->zone),
                         p_text(row->size), p_text(row->fleet)),
                  &closure_record, out, "closure", err);
}

static enum outcome note_room(struct db *db, enum sql statement, const struct instance *row,
                              struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    TRY(db_run(db, statement,
               PARAMS(p_text(row->project), p_text(row->account), p_zone(row->zone),
                      p_text(row->size), p_text(row->fleet)),
               NULL, err));
    return transaction_commit(&tx, err);
}

enum outcome place_store_taken(struct db *db, const struct instance *row, struct error *err)
{
    return note_room(db, SQL_PLACE_TAKE, row, err);
}

enum outcome place_store_opened(struct db *db, const struct instance *row, struct error *err)
{
    return note_room(db, SQL_PLACE_OPEN, row, err);
}
