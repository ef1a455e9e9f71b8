/* A fleet's specification before the edition of the catalogue in force: before any call to a cloud.
 */
#ifndef MUSTER_CONTROLLER_FLEET_RULES_H
#define MUSTER_CONTROLLER_FLEET_RULES_H

#include "controller/http_request.h"
#include "lib/model/fleet.h"
#include "lib/model/image.h"

/* ERR_INVALID "against-the-catalogue", with every broken rule, its source and its sentence in the
 * problem; "unsupported-feature" for what no rule forbids and no driver can do yet. `out_report` is
 * {"edition", "version", "findings"}: the caller's; it is for whoever only tries. */
enum outcome fleet_rules_check(struct request *r, const struct fleet *fleet, json_t **out_report,
                               struct error *err);

/* What its machines are they are from their launch on (R162, R163): ERR_CONFLICT
 * "features-are-fixed". */
enum outcome fleet_rules_keep(const struct fleet *now, const struct fleet *wanted,
                              struct error *err);

/* Does the change ask a cloud for anything that `now` does not? What only stops, shrinks or waits
 * is never refused. */
bool fleet_rules_concern(const struct fleet *now, const struct fleet *wanted);

/* What fleets name changed: those that want machines must still be taken, by the rules of that. */
enum outcome fleet_rules_check_account(struct request *r, const struct account *now,
                                       const struct account *wanted, struct error *err);
enum outcome fleet_rules_check_image(struct request *r, const struct image *now,
                                     const struct image *wanted, struct error *err);

#endif
