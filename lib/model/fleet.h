/* Desired state: how many instances, of what, where, under which policy and with which secrets. */
#ifndef MUSTER_MODEL_FLEET_H
#define MUSTER_MODEL_FLEET_H

#include "lib/model/catalogue.h"
#include "lib/model/instance.h"
#include "lib/model/place.h"

enum {
    FLEET_DESIRED_MAX = 10000,
    FLEET_SECRETS_MAX = 64,
    FLEET_SURGE_DEFAULT = 1,
    FLEET_HOLD_DEFAULT_SECONDS = 300,
    FLEET_WITHIN_LEAST_SECONDS = 60,
    FLEET_WITHIN_MOST_SECONDS = 604800,
};

struct fleet {
    struct uuid id;
    char project[PROJECT_SIZE];
    char name[NAME_SIZE];
    int64_t desired;
    char account[NAME_SIZE]; /* short for one place that is all of it; empty with `places` */
    json_t *places;          /* array: see place.h */
    int64_t zone_most;       /* of it in one zone of a place; 0: any number */
    char image[NAME_SIZE];
    char size[NAME_SIZE];
    char policy[NAME_SIZE];
    json_t *secrets;   /* array of secret names; each instance gets each */
    bool paused;       /* plan nothing */
    json_t *objective; /* {"verified_percent", "within_seconds"}: so much of it verified within so
                          long; NULL: none */
    json_t *features;  /* array of the catalogue's words; ["snp"] where nothing is said */
    json_t *enclaves;  /* {"count", "vcpus", "memory_mib", "os"}: what its parents are to have room
                          for, for the catalogue's rules; NULL: not said */
    /* Budgets of the planner (plan.h). */
    int64_t surge;                 /* how many more than desired may stand at once */
    int64_t rejected_hold_seconds; /* keep a rejected one that long for people to look at */
    int64_t epoch;                 /* ETag and If-Match; grows with every change */
    struct moment created;
    struct moment updated;
};

extern const struct record fleet_record; /* strict JSON, with defaults for what is optional */

void fleet_done(struct fleet *fleet);

/* A spec from the API: names are names, secrets are distinct names, counts in bounds. Whether
 * a cloud has what it asks for is the catalogue's to say. */
enum outcome fleet_from_json(const json_t *value, struct fleet *out, struct error *err);
json_t *fleet_to_json(const struct fleet *fleet);

/* Are its machines to have this? */
bool fleet_has(const struct fleet *fleet, enum catalogue_feature feature);

/* Where it stands: its places, or its one account. */
enum outcome fleet_places(const struct fleet *fleet, struct place_list *out, struct error *err);

#endif
