/* Asking an edition of the catalogue about one wish. */
#ifndef MUSTER_TESTS_RULES_H
#define MUSTER_TESTS_RULES_H

#include "drivers/catalogue.h"
#include "lib/model/catalogue_wish.h"

struct catalogue *rules_edition(const char *name); /* one that comes with muster; the caller's */

/* `wish` is its JSON. The ids of the broken rules with a comma between, in the edition's order;
 * until the next call. */
const char *rules_broken(const struct catalogue *catalogue, const char *wish);
/* The same of findings of another kind. */
const char *rules_found(const struct catalogue *catalogue, const struct catalogue_waivers *waivers,
                        const char *wish, enum finding_kind kind);

#endif
