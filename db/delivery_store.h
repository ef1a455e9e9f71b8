/* Deliveries: planned for trusted instances only, claimed under a lease, advanced by compare-and-
 * set on state, epoch and lease holder, with an audit entry for every step. */
#ifndef MUSTER_DB_DELIVERY_STORE_H
#define MUSTER_DB_DELIVERY_STORE_H

#include "db/db_row.h"
#include "lib/model/delivery.h"

RECORD_LIST(delivery);

/* Make what is due: each secret of the fleet, newest version, to each trusted instance without it.
 * `instance` NULL: everybody. */
enum outcome delivery_store_plan(struct db *db, const struct uuid *instance, const char *actor,
                                 struct error *err);
/* After a new verdict: another boot holds nothing, another sealing key cannot open what is under
 * way. In the verdict's transaction. */
enum outcome delivery_store_renew(struct db *db, const struct uuid *instance, const char *actor,
                                  struct error *err);

/* The instance ends: what it was still to get is withdrawn. */
enum outcome delivery_store_call_off(struct db *db, const struct uuid *instance, const char *actor,
                                     struct error *err);

/* Due ones of instances that are trusted now. With `instance` all of its open ones, whenever they
 * are due. */
enum outcome delivery_store_claim(struct db *db, const char *holder, int64_t lease_seconds,
                                  const struct uuid *instance, int64_t limit,
                                  struct delivery_list *out, struct error *err);

/* What the keeper needs, read in one statement so that it fits together. */
struct delivery_material {
    struct bytes record;
    uint8_t check_digest[SHA256_SIZE];
    char *token;
    char fleet[NAME_SIZE];
    struct uuid verdict_id;
    uint8_t sealing_key[SHA256_SIZE];
    uint8_t report_id[SHA256_SIZE];
    int64_t sequence;
};
extern const struct record delivery_material_record;
void delivery_material_done(struct delivery_material *material);
/* ERR_NOT_FOUND: the instance is not trusted any more. */
enum outcome delivery_store_material(struct db *db, const struct uuid *delivery,
                                     struct delivery_material *out, struct error *err);

struct delivery_step {
    enum delivery_event event;
    const char *reason;                     /* a code; NULL: none */
    const struct delivery_material *sealed; /* DELIVERY_RELEASED: what it was sealed with */
    struct span envelope;                   /* DELIVERY_RELEASED */
    const uint8_t *loaded_check;            /* DELIVERY_CONFIRMED */
    int64_t due_in_seconds;
    bool keep_lease;
};
/* `delivery` is replaced by the row as it is now. ERR_CONFLICT "lost", "wrong-delivery". */
enum outcome delivery_store_step(struct db *db, struct delivery *delivery,
                                 const struct delivery_step *step, const char *actor,
                                 struct error *err);
enum outcome delivery_store_defer(struct db *db, const struct delivery *delivery,
                                  int64_t due_in_seconds, const char *why, struct error *err);

enum outcome delivery_store_of_instance(struct db *db, const struct uuid *instance,
                                        struct delivery_list *out, struct error *err);
enum outcome delivery_store_counts(struct db *db, const char *project, const char *fleet,
                                   int64_t out[static DELIVERY_STATE_COUNT], struct error *err);

#endif
