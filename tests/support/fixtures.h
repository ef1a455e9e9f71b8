/* Rows that tests of the stores need before they can begin. */
#ifndef MUSTER_TESTS_FIXTURES_H
#define MUSTER_TESTS_FIXTURES_H

#include "db/delivery_store.h"
#include "db/instance_store.h"
#include "db/verdict_store.h"
#include "lib/model/fleet.h"

/* Account "cloud", image "base" (once) and a fleet of this name. */
struct fleet fixture_fleet(struct db *db, const char *name, int64_t desired);
/* The same, and each instance gets this secret. */
struct fleet fixture_fleet_with(struct db *db, const char *name, const char *secret);
/* Instances in phase requested; `ids` is filled. */
void fixture_instances(struct db *db, const char *fleet, struct uuid *ids, size_t count);
/* An instance that went all the way to running; trust unknown. */
struct instance fixture_running(struct db *db, const char *fleet);
/* A verdict about it, recorded. Keys and boot are made from `boot`. */
struct verdict_row fixture_verdict(struct db *db, const struct uuid *instance, bool trusted,
                                   uint8_t boot, int64_t valid_seconds, struct instance *out_now);
/* A secret of scope fleet with one version, check digest all 7s. */
struct secret fixture_secret(struct db *db, const char *name);
/* The one delivery that is due for this trusted instance, taken as far as `to`. */
struct delivery fixture_delivery(struct db *db, const struct uuid *instance,
                                 enum delivery_state to);

#endif
