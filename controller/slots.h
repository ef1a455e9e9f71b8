/* When an agent may prove itself: each asks, and is admitted, held for a moment or told when to
 * come again (lib/model/admission.h says who comes first). This controller's slots are its share of
 * what the keepers that answer can do. The desk's thread only. */
#ifndef MUSTER_CONTROLLER_SLOTS_H
#define MUSTER_CONTROLLER_SLOTS_H

#include "lib/model/admission.h"
#include "lib/model/message.h"

struct desk;
struct guest;

enum { APPRAISALS_AT_ONCE = 128, APPRAISALS_PER_SECOND = 500 }; /* of each keeper, as usual */

/* A guest's place. While a keeper works for it, it is taken, even if the guest has left. */
struct slot {
    struct applicant applicant; /* the first member: it is found by it */
    struct desk *desk;
    struct guest *guest; /* NULL: it left */
    int owners;
    uint64_t id; /* of the request that is held */
    struct attest_begin begin;
};

struct slot *slot_new(struct guest *guest);
struct slot *slot_share(struct slot *slot);
void slot_free(struct slot *slot); /* one owner less */

/* A request to begin; takes over what `begin` owns. It is answered here or when its turn comes. */
void slots_ask(struct guest *guest, uint64_t id, struct attest_begin *begin);
/* Its evidence came; is there still a place for it? */
bool slots_has_place(struct guest *guest);
/* It was served, or will not be. */
void slots_end(struct guest *guest);

/* Whose turn it is; after every event. */
void slots_run(struct desk *desk);
/* Who lost its place, and how many there are; at every tick. */
void slots_tick(struct desk *desk);
struct admission_limits slots_limits(const struct desk *desk);

/* After how many seconds to renew a verdict that is good for `left`: well before it ends, and each
 * instance at a place of its own, so that what was verified together is not renewed together. */
int64_t slots_renewal(const struct uuid *instance, int64_t left);

#endif
