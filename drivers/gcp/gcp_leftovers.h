/* What a machine on Google Cloud has that outlives it when it is not told to end with it: disks and
 * addresses, for an interface is a part of its machine. Pure: bytes in, structs out. */
#ifndef MUSTER_DRIVERS_GCP_GCP_LEFTOVERS_H
#define MUSTER_DRIVERS_GCP_GCP_LEFTOVERS_H

#include "drivers/gcp/gcp_requests.h"

bool gcp_has_leftovers(enum leftover_kind kind);
/* Of all zones and regions. `page_token` is empty for the first page. */
void gcp_list_left(const struct account *account, enum leftover_kind kind, const char *page_token,
                   struct gcp_call *out);
/* `place` is a zone's disk, or a region's address. */
void gcp_discard(const struct account *account, enum leftover_kind kind,
                 const struct gcp_place *place, struct gcp_call *out);

/* A page: adds what is in the account's region, bears its owner's label and nothing uses;
 * `next_token` is set, or emptied. Where a part of the region did not answer the list is partial.
 */
enum outcome gcp_read_left(enum leftover_kind kind, const struct account *account, struct span body,
                           struct leftover_list *out, struct text *next_token, struct error *err);

#endif
