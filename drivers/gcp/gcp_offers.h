/* Which sizes a zone of Google Cloud has that can run SEV-SNP. Pure: bytes in, structs out. */
#ifndef MUSTER_DRIVERS_GCP_GCP_OFFERS_H
#define MUSTER_DRIVERS_GCP_GCP_OFFERS_H

#include "drivers/gcp/gcp_requests.h"

enum { GCP_ZONES_MAX = 16 };

struct gcp_zones {
    size_t count;
    char at[GCP_ZONES_MAX][GCP_NAME_SIZE];
};

/* regions.get: its zones. */
enum outcome gcp_read_region_zones(struct span body, const char *region, struct gcp_zones *out,
                                   struct error *err);

void gcp_machine_types(const struct account *account, const char *zone, const char *page_token,
                       struct gcp_call *out);

/* machineTypes.list: adds those of the series that has SEV-SNP, each once whatever its zones: the
 * machine types themselves do not say it. `ambiguous` when it cannot be read. */
enum outcome gcp_read_offers(struct span body, struct offer_list *out, struct text *next_token,
                             struct error *err);

#endif
