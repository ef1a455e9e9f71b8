/* Which sizes a region of Azure has with SEV-SNP: resource SKUs. Pure: bytes in, structs out. */
#ifndef MUSTER_DRIVERS_AZURE_AZURE_OFFERS_H
#define MUSTER_DRIVERS_AZURE_AZURE_OFFERS_H

#include "drivers/driver.h"
#include "lib/base/text.h"

/* A page: adds the region's sizes with SEV-SNP; `next` is set, or emptied. `ambiguous` when it
 * cannot be read. */
enum outcome arm_read_offers(struct span body, const char *region, struct offer_list *out,
                             struct text *next, struct error *err);

#endif
