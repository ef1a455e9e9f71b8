/* What a fleet asks of a cloud at one place, as the catalogue looks at it. Pure. */
#ifndef MUSTER_MODEL_FLEET_WISH_H
#define MUSTER_MODEL_FLEET_WISH_H

#include "lib/model/catalogue_wish.h"
#include "lib/model/fleet.h"
#include "lib/model/image.h"

/* The place is the account's region and `zone`; NULL: the account's own. An image that is not known
 * leaves its boot mode and system unsaid. */
void fleet_wish(const struct fleet *fleet, const struct account *account, const char *zone,
                const struct image *image, struct catalogue_wish *out);

#endif
