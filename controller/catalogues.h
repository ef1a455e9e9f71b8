/* Which edition of the catalogue a project goes by, and what it says of a fleet. */
#ifndef MUSTER_CONTROLLER_CATALOGUES_H
#define MUSTER_CONTROLLER_CATALOGUES_H

#include "db/catalogue_store.h"
#include "drivers/catalogue.h"
#include "lib/model/fleet_wish.h"

struct edition_in_force {
    struct catalogue *catalogue;
    bool is_loaded; /* and does not come with the program */
    struct catalogue_waiver_list waivers;
    const char **waived; /* their rules */
};
void edition_in_force_done(struct edition_in_force *edition);

/* Of what comes with the program and what was loaded under that name, the newer. A loaded one whose
 * signatures do not count any more is as good as not there. ERR_NOT_FOUND "no-such-edition". */
enum outcome catalogues_find(struct db *db, const struct charter_signers *signers, const char *name,
                             struct catalogue **out, bool *is_loaded, struct error *err);

/* The one that the project chose, else "current", with what the project overrides. */
enum outcome catalogues_in_force(struct db *db, const struct charter_signers *signers,
                                 const char *project, struct edition_in_force *out,
                                 struct error *err);

/* What it says of a fleet with its account and image as they are; adds to `out`. Of those that are
 * not there it says nothing: that is the store's to refuse. */
enum outcome catalogues_check(struct db *db, const struct edition_in_force *edition,
                              const char *project, const struct fleet *fleet,
                              struct finding_list *out, struct error *err);

#endif
