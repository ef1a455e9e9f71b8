/* What keeps an account's machines from vanishing by a list that is not to be believed: credentials
 * of another account of the cloud, or too many that are missing at once. */
#ifndef MUSTER_CONTROLLER_BRAKE_H
#define MUSTER_CONTROLLER_BRAKE_H

#include "controller/crew.h"
#include "db/hold_store.h"
#include "lib/model/brake.h"

/* After a whole list: is it held? Remembers how often it was said (`looks` and `held_seconds` of
 * `seen` are filled in). */
enum outcome brake_look(struct worker *w, const struct account_place *place, struct vanishing *seen,
                        bool *out_held, struct error *err);
/* When all that is missing was looked at: what was believed of this list is said of no other. */
enum outcome brake_looked(struct worker *w, const struct account_place *place,
                          const struct vanishing *seen, struct error *err);
/* Between two lists: is it held? Then "not found" is not believed either. */
enum outcome brake_is_on(struct worker *w, const struct account_place *place, bool *out,
                         struct error *err);
/* After any list, and what came of it: whose it is is known now. */
enum outcome brake_whose(struct worker *w, const struct account_place *place,
                         const struct error *why, struct error *err);

#endif
