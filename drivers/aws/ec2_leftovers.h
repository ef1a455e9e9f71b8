/* What a machine on EC2 has that outlives it when it is not told to end with it: how each kind is
 * asked for, and how it is given up. Pure. */
#ifndef MUSTER_DRIVERS_AWS_EC2_LEFTOVERS_H
#define MUSTER_DRIVERS_AWS_EC2_LEFTOVERS_H

#include "drivers/rest.h"

enum { EC2_USERS_MAX = 3 };

struct ec2_leftover_facts {
    const char *describe;
    const char *discard;
    const char *parameter; /* of discard */
    const char *set;       /* in the answer, as all below */
    const char *id;
    const char *prefix;               /* of an id */
    const char *users[EC2_USERS_MAX]; /* not empty when something has it */
    bool has_status;                  /* "available": nothing has it; and it can be filtered for */
    bool has_pages;
};
extern const struct ec2_leftover_facts ec2_leftovers[LEFTOVER_KIND_COUNT];

/* `next_token` is empty for the first page. */
void ec2_describe_leftovers(enum leftover_kind kind, const char *owner, const char *next_token,
                            struct form *out);
void ec2_discard(enum leftover_kind kind, const char *ref, struct form *out);
bool ec2_leftover_ref_is_valid(enum leftover_kind kind, const char *ref);

#endif
