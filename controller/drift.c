#include "controller/drift.h"

#include "controller/catalogues.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { USUAL_SECONDS = 6 * 3600, AGAIN_SECONDS = 600 };

static enum outcome compare(struct worker *w, const struct account_place *place,
                            const struct open_cloud *open, const struct offer_list *offers,
                            struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force edition = {0};
    OWNED(drift_list_done) struct drift_list drift = {0};
    TRY(catalogues_in_force(w->db, w->crew->settings->catalogue_signers, place->project, &edition,
                            err));
    catalogue_compare(edition.catalogue, open->account.driver, open->account.region, clock_now(),
                      offers, &drift);
    if (drift.count > 0)
        LOG(WARN, "catalogue.drifted", TEXT("account", place->name),
            TEXT("project", place->project), TEXT("edition", edition.catalogue->edition),
            INT("differences", (int64_t)drift.count), TEXT("first", drift.at[0].subject),
            TEXT("text", drift.at[0].text));
    return catalogue_store_looked(w->db, place->project, place->name, edition.catalogue, &drift,
                                  err);
}

enum outcome drift_look(struct worker *w, const struct account_place *place,
                        struct open_cloud *open, struct error *err)
{
    OWNED(offer_list_done) struct offer_list offers = {0};
    const int64_t every = w->crew->settings->catalogue_seconds;
    struct error why = {0};
    bool is_due;
    if (open->driver->offers == NULL)
        return OK;
    TRY(catalogue_store_claim_look(w->db, place->project, place->name,
                                   every > 0 ? every : USUAL_SECONDS, &is_due, err));
    if (!is_due)
        return OK;
    enum outcome outcome = open->driver->offers(open->cloud, &offers, &why);
    metric_add(METRIC_CLOUD_CALLS, 1);
    if (outcome == OK)
        return compare(w, place, open, &offers, err);
    metric_add(METRIC_CLOUD_ERRORS, 1);
    LOG(WARN, "catalogue.not-compared", TEXT("account", place->name),
        TEXT("project", place->project), TEXT("code", why.code), TEXT("text", why.text));
    return catalogue_store_look_failed(w->db, place->project, place->name, why.code, AGAIN_SECONDS,
                                       err);
}
