/* One version of a secret on its way to one instance. Loaded means that the guest confirmed use,
 * not receipt. */
#ifndef MUSTER_MODEL_DELIVERY_H
#define MUSTER_MODEL_DELIVERY_H

#include "lib/model/secret.h"

enum delivery_state {
    DELIVERY_DUE,
    DELIVERY_SEALED,
    DELIVERY_SENT,
    DELIVERY_LOADED,
    DELIVERY_FAILED,
    DELIVERY_WITHDRAWN,
    DELIVERY_STATE_COUNT
};

enum delivery_event {
    DELIVERY_RELEASED,  /* the keeper sealed it to the guest's key */
    DELIVERY_HANDED,    /* the envelope went out */
    DELIVERY_CONFIRMED, /* the guest uses it and named its digest */
    DELIVERY_REFUSED,   /* by the keeper, or by the guest: see reason */
    DELIVERY_RENEWED,   /* again: a new boot or key, or its retry time came */
    DELIVERY_CALLED_OFF,
    DELIVERY_EVENT_COUNT
};

extern const struct names delivery_state_names, delivery_event_names;
extern const struct machine delivery_machine;

struct delivery {
    struct uuid id;
    char project[PROJECT_SIZE];
    struct uuid instance;
    struct uuid secret;
    char name[NAME_SIZE]; /* the secret's: also the file's name in the guest */
    int64_t version;
    struct uuid secret_version;
    enum delivery_state state;
    struct moment state_since;
    char reason[WHY_SIZE];
    struct uuid verdict_id;            /* that the release stands on */
    uint8_t sealing_key[SHA256_SIZE];  /* sealed to */
    uint8_t report_id[SHA256_SIZE];    /* the boot it was sealed for */
    struct bytes envelope;             /* gone once loaded, failed or withdrawn */
    int64_t sequence;                  /* of the envelope's header; grows per instance */
    uint8_t loaded_check[SHA256_SIZE]; /* salted digest of the value, as the guest confirmed it */
    int64_t failures;
    char lease_holder[HOLDER_SIZE];
    struct moment lease_until;
    struct moment next_due;
    int64_t epoch;
    struct moment created;
    struct moment sent_at;
    struct moment loaded_at;
};

extern const struct record delivery_record; /* its JSON has no envelope */

void delivery_done(struct delivery *delivery);

#endif
