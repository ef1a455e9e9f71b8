#include "controller/fleet_rules.h"

#include <string.h>

#include "controller/catalogues.h"

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
