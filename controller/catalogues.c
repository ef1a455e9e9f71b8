#include "controller/catalogues.h"

#include <stdlib.h>
#include <string.h>

#include "db/account_store.h"
#include "db/image_store.h"
#include "lib/base/log.h"

void edition_in_force_done(struct edition_in_force *edition)
{
    catalogue_free(edition->catalogue);
    catalogue_waiver_list_done(&edition->waivers);
    free(edition->waived);
    *edition = (struct edition_in_force){0};
}

/* Signed by people who count, and under the name that it is stored by: whoever can write rows could
 * else have any project go by an edition that was meant for one. */
static enum outcome open_row(const struct catalogue_edition *row,
                             const struct charter_signers *signers, struct catalogue **out,
                             struct error *err)
{
    static const struct charter_signers nobody = {0};
    OWNED(catalogue_drop) struct catalogue *made = NULL;
    TRY(catalogue_open(span_of_text(row->jws), signers != NULL ? signers : &nobody, &made, err));
    if (strcmp(made->edition, row->edition) != 0)
        return fail_code(err, ERR_DENIED, "other-edition", "it was signed as %s", made->edition);
    *out = TAKE(made);
    return OK;
}

/* *out stays NULL where nothing is there that counts. */
static enum outcome find_loaded(struct db *db, const struct charter_signers *signers,
                                const char *name, struct catalogue **out, struct error *err)
{
    struct error why = {0};
    OWNED(catalogue_edition_done) struct catalogue_edition row = {0};
    if (strcmp(name, CATALOGUE_SEED) == 0) /* never replaced */
        return OK;
    enum outcome outcome = catalogue_store_edition(db, name, &row, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    if (open_row(&row, signers, out, &why) != OK)
        LOG(WARN, "catalogue.not-counted", TEXT("edition", name), TEXT("code", why.code),
            TEXT("text", why.text));
    return OK;
}

enum outcome catalogues_find(struct db *db, const struct charter_signers *signers, const char *name,
                             struct catalogue **out, bool *is_loaded, struct error *err)
{
    OWNED(catalogue_drop) struct catalogue *loaded = NULL;
    OWNED(catalogue_drop) struct catalogue *ours = NULL;
    TRY(find_loaded(db, signers, name, &loaded, err));
    if (loaded == NULL || catalogue_is_built_in(name))
        TRY(catalogue_built_in(name, &ours, err));
    *is_loaded = loaded != NULL && (ours == NULL || loaded->version > ours->version);
    *out = *is_loaded ? TAKE(loaded) : TAKE(ours);
    return OK;
}

enum outcome catalogues_in_force(struct db *db, const struct charter_signers *signers,
                                 const char *project, struct edition_in_force *out,
                                 struct error *err)
{
    OWNED(edition_in_force_done) struct edition_in_force made = {0};
    char name[NAME_SIZE];
    TRY(catalogue_store_choice(db, project, name, err));
    TRY(catalogues_find(db, signers, name[0] != '\0' ? name : CATALOGUE_CURRENT, &made.catalogue,
                        &made.is_loaded, err));
    TRY(catalogue_store_waivers(db, project, &made.waivers, err));
    made.waived = mem_new(made.waivers.count + 1, sizeof *made.waived);
    for (size_t i = 0; i < made.waivers.count; i++)
        made.waived[i] = made.waivers.at[i].rule;
    *out = made;
    made = (struct edition_in_force){0};
    return OK;
}

/* One account of a fleet, and each zone of it that the fleet names. */
static enum outcome check_place(struct db *db, const struct edition_in_force *edition,
                                const char *project, const struct fleet *fleet,
                                const struct place *place, const struct image *image,
                                struct finding_list *out, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    struct catalogue_wish wishes[PLACE_ZONES_MAX];
    const struct catalogue_waivers waivers = {edition->waived, edition->waivers.count};
    enum outcome outcome = account_store_find(db, project, place->account, &account, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    const size_t count = fleet_wishes(fleet, place, &account, image, wishes);
    for (size_t i = 0; i < count; i++)
        catalogue_check(edition->catalogue, &waivers, &wishes[i], out);
    return OK;
}

enum outcome catalogues_check(struct db *db, const struct edition_in_force *edition,
                              const char *project, const struct fleet *fleet,
                              struct finding_list *out, struct error *err)
{
    OWNED(image_done) struct image image = {0};
    OWNED(place_list_done) struct place_list places = {0};
    enum outcome outcome = image_store_find(db, project, fleet->image, &image, err);
    if (outcome == ERR_NOT_FOUND)
        return OK;
    TRY(outcome);
    TRY(fleet_places(fleet, &places, err));
    for (size_t i = 0; i < places.count; i++)
        TRY(check_place(db, edition, project, fleet, &places.at[i], &image, out, err));
    return OK;
}
