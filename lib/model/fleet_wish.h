/* What a fleet asks of a cloud at one of its places, as the catalogue looks at it. Pure. */
#ifndef MUSTER_MODEL_FLEET_WISH_H
#define MUSTER_MODEL_FLEET_WISH_H

#include "lib/model/catalogue_wish.h"
#include "lib/model/fleet.h"
#include "lib/model/image.h"

/* One wish for each zone that the place names, or one for the account's own: how many. An image
 * that is not known (NULL) leaves its boot mode and system unsaid. */
size_t fleet_wishes(const struct fleet *fleet, const struct place *place,
                    const struct account *account, const struct image *image,
                    struct catalogue_wish out[static PLACE_ZONES_MAX]);

#endif
