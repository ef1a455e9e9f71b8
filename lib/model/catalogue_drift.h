/* What a cloud itself says it offers, and how that differs from an edition. Pure. */
#ifndef MUSTER_MODEL_CATALOGUE_DRIFT_H
#define MUSTER_MODEL_CATALOGUE_DRIFT_H

#include "lib/model/catalogue.h"

enum { OFFERS_MAX = 20000 };

/* A size with SEV-SNP in the region of an account, as its cloud says. */
struct offer {
    char size[NAME_SIZE];
    int64_t vcpus; /* zero: not said, as memory */
    int64_t memory_mib;
    bool is_restricted; /* it is there, and not for this account */
};

struct offer_list {
    struct offer *at;
    size_t count;
    size_t room;
};
struct offer *offer_list_add(struct offer_list *list); /* zeroed; until the next add */
void offer_list_done(struct offer_list *list);

enum drift_kind {
    DRIFT_REGION_UNKNOWN,   /* the cloud has SEV-SNP there, the edition does not name the region */
    DRIFT_REGION_EMPTY,     /* the other way round */
    DRIFT_SIZE_UNKNOWN,     /* the cloud offers it, the edition does not name it */
    DRIFT_SIZE_NOT_OFFERED, /* the other way round */
    DRIFT_SIZE_DIFFERS,     /* other vCPUs or memory */
    DRIFT_KIND_COUNT
};
extern const struct names drift_kind_names; /* "region-unknown", ... */

struct drift {
    enum drift_kind kind;
    char rule[NAME_SIZE];
    char subject[NAME_SIZE]; /* a size or a region */
    char text[128];
};
extern const struct record drift_record;

struct drift_list {
    struct drift *at;
    size_t count;
};
void drift_list_done(struct drift_list *list);

/* What differs at that time. Regions that the edition does not name say nothing of its sizes. */
void catalogue_compare(const struct catalogue *catalogue, enum account_driver cloud,
                       const char *region, struct moment at, const struct offer_list *offers,
                       struct drift_list *out);

#endif
