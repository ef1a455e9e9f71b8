/* What we ask of Compute Engine. Pure: an order in, method, path and body out. */
#ifndef MUSTER_DRIVERS_GCP_GCP_REQUESTS_H
#define MUSTER_DRIVERS_GCP_GCP_REQUESTS_H

#include "drivers/driver.h"
#include "lib/base/text.h"

enum {
    GCP_PAGE_SIZE = 200, /* a machine's user-data comes with it: so many fit into one answer */
    GCP_LEFT_PAGE_SIZE = 500,
    GCP_LABELS_MAX = 64,
    GCP_NAME_SIZE = 64,
    GCP_PERMISSIONS_MAX = 8,
};

struct gcp_call {
    const char *method;
    struct text path; /* below the endpoint, with its query */
    struct text body; /* JSON; empty: none */
};
void gcp_call_done(struct gcp_call *call);

/* Where a machine or an operation is: "us-central1-a/muster-0123...-1". */
struct gcp_place {
    char zone[GCP_NAME_SIZE];
    char name[GCP_NAME_SIZE];
};
enum outcome gcp_place_parse(const char *ref, struct gcp_place *out, struct error *err);
/* RFC 1035: begins with a letter, [a-z0-9-] up to 63. */
bool gcp_name_is_valid(const char *name);
/* Of the account's region: anything else is out of our sight. */
bool gcp_zone_is_in(const char *zone, const char *region);

/* One SNP machine, named and labelled at birth: its name is its client token, and so is, as a
 * UUID, the request's id. Refuses what Compute Engine would refuse. */
enum outcome gcp_insert(const struct account *account, const struct launch_order *order,
                        struct gcp_call *out, struct gcp_place *out_place, struct error *err);
void gcp_get(const struct account *account, const struct gcp_place *place, struct gcp_call *out);
void gcp_delete(const struct account *account, const struct gcp_place *place, struct gcp_call *out);
/* "stop", "start", "performMaintenance" */
void gcp_act(const struct account *account, const struct gcp_place *place, const char *act,
             struct gcp_call *out);
/* Not `wait`, which the server holds for as long as two minutes, and a worker with it. */
void gcp_operation(const struct account *account, const struct gcp_place *operation,
                   struct gcp_call *out);
/* Machines of all zones. `page_token` is empty for the first page. */
void gcp_list(const struct account *account, const char *filter, const char *page_token,
              struct gcp_call *out);
void gcp_region(const struct account *account, struct gcp_call *out);

/* Filters: all of an owner; one launch, also when its label or its name was changed by hand. */
void gcp_filter_owner(const char *owner, struct text *out);
void gcp_filter_token(const char *client_token, struct text *out);

/* A tag of ours as a label's key: "muster:instance" is "muster-instance". */
void gcp_label_key(const char *tag, char out[static GCP_NAME_SIZE]);
void gcp_request_id(const char *client_token, struct uuid *out);

/* What an account must be allowed for each call that we make. */
struct gcp_permission_row {
    const char *call; /* as Compute Engine's documents name it */
    const char *permissions[GCP_PERMISSIONS_MAX];
};
extern const struct gcp_permission_row gcp_permissions[];
extern const size_t gcp_permission_count;

#endif
