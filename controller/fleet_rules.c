#include "controller/fleet_rules.h"

#include <string.h>

#include "controller/catalogues.h"
#include "db/fleet_store.h"

enum { FLEETS_AT_ONCE = 100 };

static json_t *report_of(const struct catalogue *catalogue, const struct finding_list *found)
{
    json_t *out = json_object();
    json_put_text(out, "edition", catalogue->edition);
    json_put_int(out, "version", catalogue->version);
    json_put_new(out, "findings", findings_to_json(found));
    return out;
}

/* Drivers launch machines with SEV-SNP, or parents of enclaves, and nothing else yet. */
static enum outcome check_features(const struct fleet *fleet, struct error *err)
{
    if (json_array_size(fleet->features) == 1 &&
        (fleet_has(fleet, FEATURE_SNP) || fleet_has(fleet, FEATURE_ENCLAVES)))
        return OK;
    return fail_at(err, ERR_INVALID, "unsupported-feature", "/features",
                   "/features: no driver launches other machines than those with %s or %s alone",
                   name_of(&catalogue_feature_names, FEATURE_SNP),
                   name_of(&catalogue_feature_names, FEATURE_ENCLAVES));
}

enum outcome fleet_rules_check(struct request *r, const struct fleet *fleet, json_t **out_report,
                               struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    OWNED(finding_list_done) struct finding_list found = {0};
    TRY(catalogues_in_force(r->db, r->api->catalogue_signers, r->caller.project, &edition, err));
    TRY(catalogues_check(r->db, &edition, r->caller.project, fleet, &found, err));
    OWNED(json_drop) json_t *report = report_of(edition.catalogue, &found);
    if (findings_refuse(&found, err) != OK) {
        json_put_new(report, "rules", findings_broken(&found));
        r->problem = TAKE(report);
        return err->outcome;
    }
    TRY(check_features(fleet, err));
    *out_report = TAKE(report);
    return OK;
}

static bool differ(const json_t *a, const json_t *b)
{
    return a != b && !json_equal(json_looked_at(a), json_looked_at(b)); /* both may be absent */
}

enum outcome fleet_rules_keep(const struct fleet *now, const struct fleet *wanted,
                              struct error *err)
{
    if (!differ(wanted->features, now->features))
        return OK;
    return fail_at(err, ERR_CONFLICT, "features-are-fixed", "/features",
                   "/features: a machine has them from its launch on and for life: make another "
                   "fleet beside %s, and shrink that one",
                   now->name);
}

bool fleet_rules_concern(const struct fleet *now, const struct fleet *wanted)
{
    const bool resumes = now->paused && !wanted->paused;
    return resumes || wanted->desired > now->desired ||
           strcmp(wanted->account, now->account) != 0 || strcmp(wanted->image, now->image) != 0 ||
           strcmp(wanted->size, now->size) != 0 || differ(wanted->places, now->places) ||
           differ(wanted->features, now->features) || differ(wanted->enclaves, now->enclaves);
}

/* ---- what fleets name ------------------------------------------------------------------------ */

struct named {
    const char *account, *image; /* one of them, the other NULL */
    unsigned kinds;              /* of rules that look at what changed */
};
#define KIND_BIT(kind) (1U << (kind))

static enum outcome names_it(const struct fleet *fleet, const struct named *it, bool *out,
                             struct error *err)
{
    OWNED(place_list_done) struct place_list places = {0};
    *out = it->image != NULL && strcmp(fleet->image, it->image) == 0;
    TRY(fleet_places(fleet, &places, err));
    for (size_t i = 0; i < places.count && it->account != NULL; i++)
        *out |= strcmp(places.at[i].account, it->account) == 0;
    return OK;
}

/* What is broken by something else was so before. */
static void keep_kinds(struct finding_list *list, unsigned kinds)
{
    size_t kept = 0;
    list->broken = 0;
    for (size_t i = 0; i < list->count; i++) {
        if ((KIND_BIT(list->at[i].rule->kind) & kinds) == 0)
            continue;
        list->broken += list->at[i].kind == FINDING_BROKEN;
        list->at[kept++] = list->at[i];
    }
    list->count = kept;
}

static enum outcome check_one(struct request *r, const struct edition_in_force *edition,
                              const struct fleet *fleet, const struct named *it, struct error *err)
{
    OWNED(finding_list_done) struct finding_list found = {0};
    bool is_named;
    TRY(names_it(fleet, it, &is_named, err));
    if (!is_named || fleet->desired == 0)
        return OK;
    TRY(catalogues_check(r->db, edition, r->caller.project, fleet, &found, err));
    keep_kinds(&found, it->kinds);
    if (findings_refuse(&found, err) == OK)
        return OK;
    r->problem = report_of(edition->catalogue, &found);
    json_put_new(r->problem, "rules", findings_broken(&found));
    return error_context(err, "fleet %s", fleet->name);
}

static enum outcome check_fleets(struct request *r, const struct named *it, struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    char after[NAME_SIZE] = "";
    bool more = true;
    TRY(catalogues_in_force(r->db, r->api->catalogue_signers, r->caller.project, &edition, err));
    while (more) {
        OWNED(fleet_list_done) struct fleet_list fleets = {0};
        TRY(fleet_store_list(r->db, r->caller.project, after[0] != '\0' ? after : NULL,
                             FLEETS_AT_ONCE, &fleets, err));
        for (size_t i = 0; i < fleets.count; i++)
            TRY(check_one(r, &edition, &fleets.at[i], it, err));
        more = fleets.count == FLEETS_AT_ONCE;
        if (more)
            memcpy(after, fleets.at[fleets.count - 1].name, sizeof after);
    }
    return OK;
}

enum outcome fleet_rules_check_account(struct request *r, const struct account *now,
                                       const struct account *wanted, struct error *err)
{
    const struct named it = {.account = wanted->name,
                             .kinds = KIND_BIT(RULE_REGIONS) | KIND_BIT(RULE_ZONES) |
                                      KIND_BIT(RULE_FORBIDDEN)};
    if (strcmp(now->region, wanted->region) == 0 && strcmp(now->zone, wanted->zone) == 0 &&
        strcmp(now->security_encryption, wanted->security_encryption) == 0)
        return OK;
    return check_fleets(r, &it, err);
}

enum outcome fleet_rules_check_image(struct request *r, const struct image *now,
                                     const struct image *wanted, struct error *err)
{
    const struct named it = {.image = wanted->name,
                             .kinds = KIND_BIT(RULE_BOOT_MODES) | KIND_BIT(RULE_OPERATING_SYSTEMS)};
    if (strcmp(now->boot_mode, wanted->boot_mode) == 0 && !differ(now->os, wanted->os))
        return OK;
    return check_fleets(r, &it, err);
}
