/* What Compute Engine answers. Pure: bytes in, structs out. An answer that cannot be read is never
 * taken for a no, and a zone that did not answer never for an empty one. */
#ifndef MUSTER_DRIVERS_GCP_GCP_ANSWERS_H
#define MUSTER_DRIVERS_GCP_GCP_ANSWERS_H

#include "drivers/driver.h"
#include "drivers/gcp/gcp_requests.h"

enum { GCP_MACHINES_MAX = 100 * 1000 }; /* in one list: some 100 MB */

struct gcp_error {
    enum cloud_error kind;
    char code[96]; /* Google's own; "HTTP 502" where the body says nothing */
    char message[256];
    char permission[ERROR_WHERE_SIZE]; /* the one that is missing; may be empty */
    int64_t retry_seconds;             /* 0 when not told */
};

struct gcp_operation {
    struct gcp_place place;
    char target[32]; /* the number of the machine that it makes or changes; may be empty */
    bool done;
};

/* OK for 2xx; otherwise fails with the word of the error class, and the missing permission as
 * `where`. */
enum outcome gcp_check_status(int status, struct span body, struct error *err);
/* The same after a launch: a 5xx may come when the machine was made, so it leaves us in doubt. */
enum outcome gcp_check_launch(int status, struct span body, struct error *err);
struct gcp_error gcp_error_read(int status, struct span body);

/* All readers below fail with `ambiguous` on what they cannot read. */

/* instances.get; `notices` gets what is to be done to its host. */
enum outcome gcp_read_machine(struct span body, struct sighting *out, struct notice_list *notices,
                              struct error *err);

/* instances.list and instances.aggregatedList: adds to both lists, GCP_MACHINES_MAX at most;
 * `next_token` is set, or emptied. Only zones of `region` count, all with NULL; where one of them
 * did not answer the list is partial. */
enum outcome gcp_read_list(struct span body, const char *region, struct sighting_list *out,
                           struct notice_list *notices, struct text *next_token, struct error *err);

/* Any call that changes something, and zoneOperations. OK: it goes on, or is done and went well. A
 * failed one is an error of its class, though the answer was a 200. */
enum outcome gcp_read_operation(struct span body, struct gcp_operation *out, struct error *err);

/* The same for what is asked of any scope, and not followed. */
enum outcome gcp_read_accepted(struct span body, struct error *err);

/* regions.get and zones.get: whose. */
/* Whose region that is, by its address, in a word. ERR_NOT_FOUND when it has none. */
enum outcome gcp_read_region_project(struct span body, char out[static CLOUD_ACCOUNT_SIZE],
                                     struct error *err);
enum outcome gcp_read_region(struct span body, char out_name[static GCP_NAME_SIZE],
                             struct error *err);
enum outcome gcp_read_zones(struct span body, struct error *err); /* zones.list: well-formed */

/* What the metadata server tells a guest: "NONE", or what will be done to it. */
enum outcome gcp_read_maintenance_event(const struct http_answer *answer, struct notice_list *out,
                                        struct error *err);

#endif
