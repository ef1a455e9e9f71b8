/* The catalogue of the providers' rules: what is in force, what else there is, what is overridden,
 * and how the clouds' own word differs (doc/catalogue.md). */
#include "controller/api.h"

#include <string.h>

#include "controller/catalogues.h"
#include "db/fleet_store.h"
#include "lib/model/charter.h"

enum { BREAKS_MOST = 200 };

/* ---- looking -------------------------------------------------------------------------------- */

static json_t *waivers_to_json(const struct catalogue_waiver_list *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_add_new(out, record_to_json(&catalogue_waiver_record, &list->at[i]));
    return out;
}

static const char *origin_of(bool is_loaded)
{
    return is_loaded ? "loaded" : "built-in";
}

static json_t *in_force_to_json(const struct edition_in_force *edition)
{
    json_t *out = catalogue_to_json(edition->catalogue);
    json_put_text(out, "origin", origin_of(edition->is_loaded));
    json_put_new(out, "overrides", waivers_to_json(&edition->waivers));
    return out;
}

static enum outcome read_in_force(struct request *r, struct edition_in_force *out,
                                  struct error *err)
{
    return catalogues_in_force(r->db, r->api->catalogue_signers, r->caller.project, out, err);
}

/* Another edition than the one in force, where one is asked for: for looking at it first. */
static enum outcome read_asked(struct request *r, struct edition_in_force *out, struct error *err)
{
    const char *name = request_query(r, "edition");
    TRY(read_in_force(r, out, err));
    if (name == NULL)
        return OK;
    catalogue_free(TAKE(out->catalogue));
    return catalogues_find(r->db, r->api->catalogue_signers, name, &out->catalogue, &out->is_loaded,
                           err);
}

enum outcome catalogue_show(struct request *r, struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    TRY(read_asked(r, &edition, err));
    request_answer(r, 200, in_force_to_json(&edition));
    return OK;
}

/* All in one page: an edition has a bound. */
enum outcome catalogue_rules(struct request *r, struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    TRY(read_asked(r, &edition, err));
    json_t *items = json_array();
    for (size_t i = 0; i < edition.catalogue->count; i++)
        json_add_new(items, catalogue_rule_to_json(&edition.catalogue->rules[i]));
    request_answer_page(r, items, "", false);
    return OK;
}

static enum outcome add_edition(struct request *r, const char *name, const char *in_force,
                                json_t *items, struct error *err)
{
    OWNED(catalogue_drop) struct catalogue *catalogue = NULL;
    bool is_loaded;
    enum outcome outcome =
        catalogues_find(r->db, r->api->catalogue_signers, name, &catalogue, &is_loaded, err);
    if (outcome == ERR_NOT_FOUND) /* loaded once, and its signatures do not count any more */
        return OK;
    TRY(outcome);
    json_t *item = json_object();
    json_put_text(item, "edition", name);
    json_put_int(item, "version", catalogue->version);
    json_put_moment(item, "issued", catalogue->issued);
    json_put_text(item, "title", catalogue->title);
    json_put_text(item, "origin", origin_of(is_loaded));
    json_put_int(item, "rules", (int64_t)catalogue->count);
    json_put_bool(item, "in_force", strcmp(name, in_force) == 0);
    json_add_new(items, item);
    return OK;
}

enum outcome catalogue_editions(struct request *r, struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    OWNED(catalogue_edition_list_done) struct catalogue_edition_list loaded = {0};
    OWNED(json_drop) json_t *items = json_array();
    TRY(read_in_force(r, &edition, err));
    TRY(catalogue_store_editions(r->db, &loaded, err));
    const char *in_force = edition.catalogue->edition;
    for (size_t i = 0; i < CATALOGUE_BUILT_IN_COUNT; i++)
        TRY(add_edition(r, catalogue_built_in_names[i], in_force, items, err));
    for (size_t i = 0; i < loaded.count; i++)
        if (!catalogue_is_built_in(loaded.at[i].edition))
            TRY(add_edition(r, loaded.at[i].edition, in_force, items, err));
    request_answer_page(r, json_incref(items), "", false);
    return OK;
}

enum outcome catalogue_drift(struct request *r, struct error *err)
{
    OWNED(catalogue_look_list_done) struct catalogue_look_list list = {0};
    char after[NAME_SIZE];
    int64_t limit;
    TRY(request_limit(r, &limit, err));
    TRY(request_cursor(r, after, err));
    TRY(catalogue_store_looks(r->db, r->caller.project, after[0] != '\0' ? after : NULL, limit + 1,
                              &list, err));
    size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, record_to_json(&catalogue_look_record, &list.at[i]));
    request_answer_page(r, items, shown > 0 ? list.at[shown - 1].account : "", list.count > shown);
    return OK;
}

/* ---- changing ------------------------------------------------------------------------------- */

/* Only its signatures say whether an edition counts, and only a newer one takes the place of what
 * is there. */
static enum outcome load(struct request *r, struct error *err)
{
    static const struct charter_signers nobody = {0};
    const struct charter_signers *signers = r->api->catalogue_signers;
    OWNED(catalogue_drop) struct catalogue *next = NULL;
    OWNED(catalogue_drop) struct catalogue *now = NULL;
    const char *jws;
    bool is_loaded;
    TRY(json_get_text(r->body, "", "jws", CATALOGUE_SIZE_MAX, &jws, err));
    TRY(catalogue_open(span_of_text(jws), signers != NULL ? signers : &nobody, &next, err));
    if (strcmp(next->edition, CATALOGUE_SEED) == 0)
        return fail_at(err, ERR_CONFLICT, "edition-is-fixed", "/jws", "%s is never replaced",
                       next->edition);
    enum outcome outcome = catalogues_find(r->db, signers, next->edition, &now, &is_loaded, err);
    if (outcome != ERR_NOT_FOUND)
        TRY(outcome);
    if (now != NULL)
        TRY(catalogue_check_newer(now, next, err));
    struct catalogue_edition row = {
        .version = next->version, .issued = next->issued, .jws = mem_text(jws)};
    memcpy(row.edition, next->edition, sizeof row.edition);
    outcome = catalogue_store_load(r->db, r->caller.project, &row, r->actor, err);
    catalogue_edition_done(&row);
    return outcome;
}

static enum outcome use(struct request *r, struct error *err)
{
    OWNED(catalogue_drop) struct catalogue *catalogue = NULL;
    const char *name;
    bool is_loaded;
    TRY(json_get_text(r->body, "", "use", NAME_SIZE - 1, &name, err));
    TRY(catalogues_find(r->db, r->api->catalogue_signers, name, &catalogue, &is_loaded, err));
    return catalogue_store_choose(r->db, r->caller.project, name, r->actor, err);
}

static enum outcome override(struct request *r, struct error *err)
{
    static const char *const members[] = {"rule", "reason", "ends", NULL};
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    struct catalogue_waiver waiver = {0};
    const char *rule, *reason;
    json_t *wish;
    TRY(json_get_object(r->body, "", "override", &wish, err));
    TRY(json_only(wish, "/override", members, err));
    TRY(json_get_text(wish, "/override", "rule", NAME_SIZE - 1, &rule, err));
    TRY(json_get_text(wish, "/override", "reason", CATALOGUE_REASON_SIZE - 1, &reason, err));
    if (json_object_get(wish, "ends") != NULL)
        TRY(json_get_moment(wish, "/override", "ends", &waiver.ends, err));
    if (reason[0] == '\0' || !text_is_clean(span_of_text(reason)))
        return fail_at(err, ERR_INVALID, "wrong-value", "/override/reason",
                       "/override/reason: say why, in clean text");
    TRY(read_in_force(r, &edition, err));
    if (catalogue_find(edition.catalogue, rule) == NULL)
        return fail_at(err, ERR_NOT_FOUND, "no-such-rule", "/override/rule",
                       "edition %s has no rule '%.60s'", edition.catalogue->edition, rule);
    TRY(text_copy(waiver.rule, sizeof waiver.rule, rule, "/override/rule", err));
    TRY(text_copy(waiver.reason, sizeof waiver.reason, reason, "/override/reason", err));
    return catalogue_store_waive(r->db, r->caller.project, &waiver, r->actor, err);
}

static enum outcome withdraw(struct request *r, struct error *err)
{
    const char *rule;
    TRY(json_get_text(r->body, "", "withdraw", NAME_SIZE - 1, &rule, err));
    return catalogue_store_withdraw(r->db, r->caller.project, rule, r->actor, err);
}

static const struct {
    const char *member;
    enum outcome (*change)(struct request *r, struct error *err);
} changes[] = {{"jws", load}, {"use", use}, {"override", override}, {"withdraw", withdraw}};

static enum outcome change(struct request *r, struct error *err)
{
    static const char *const members[] = {"jws", "use", "override", "withdraw", NULL};
    TRY(json_only(r->body, "", members, err));
    if (json_object_size(r->body) != 1)
        return fail_code(err, ERR_INVALID, "bad-request", "one change at a time");
    for (size_t i = 0; i < countof(changes); i++)
        if (json_object_get(r->body, changes[i].member) != NULL)
            return changes[i].change(r, err);
    return fail(err, ERR_INTERNAL, "a change that nobody knows");
}

/* Fleets that stand, and that would not be taken as they are by what is in force now. */
static enum outcome breaks_to_json(struct request *r, const struct edition_in_force *edition,
                                   json_t *out, struct error *err)
{
    OWNED(fleet_list_done) struct fleet_list fleets = {0};
    TRY(fleet_store_list(r->db, r->caller.project, NULL, BREAKS_MOST, &fleets, err));
    for (size_t i = 0; i < fleets.count; i++) {
        OWNED(finding_list_done) struct finding_list found = {0};
        TRY(catalogues_check(r->db, edition, r->caller.project, &fleets.at[i], &found, err));
        if (found.broken == 0)
            continue;
        json_t *one = json_object();
        json_put_text(one, "fleet", fleets.at[i].name);
        json_put_new(one, "findings", findings_to_json(&found));
        json_add_new(out, one);
    }
    return OK;
}

enum outcome catalogue_change(struct request *r, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    OWNED(json_drop) json_t *breaks = json_array();
    bool dry_run;
    TRY(request_query_bool(r, "dry_run", &dry_run, err));
    TRY(transaction_begin(r->db, &tx, err));
    TRY(change(r, err));
    TRY(read_in_force(r, &edition, err));
    TRY(breaks_to_json(r, &edition, breaks, err));
    if (!dry_run)
        TRY(transaction_commit(&tx, err));
    json_t *out = in_force_to_json(&edition);
    json_object_del(out, "rules");
    json_put_bool(out, "dry_run", dry_run);
    json_put_new(out, "breaks", json_incref(breaks));
    request_answer(r, 200, out);
    return OK;
}
