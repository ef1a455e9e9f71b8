/* Faults on request: the next N calls of an action are throttled, refused, lost, delayed, ... */
#ifndef MUSTER_EMULATOR_MISCHIEF_H
#define MUSTER_EMULATOR_MISCHIEF_H

#include "lib/base/json.h"
#include "lib/base/names.h"

enum fault {
    FAULT_NONE,
    FAULT_THROTTLE,      /* "slow down", each in its cloud's words, as the next */
    FAULT_CAPACITY,      /* there is no such machine to be had now */
    FAULT_UNSUPPORTED,   /* the type, or SNP with it, is not offered there */
    FAULT_LATE_CAPACITY, /* launched, then taken back for want of capacity */
    FAULT_QUOTA,         /* this account may not have more */
    FAULT_AUTH,          /* this caller may not do this */
    FAULT_SERVER_ERROR,  /* 500, nothing done */
    FAULT_BAD_GATEWAY,   /* 502 with HTML, nothing done */
    FAULT_LOST_REQUEST,  /* the connection is cut, nothing done */
    FAULT_LOST_ANSWER,   /* it is done, and the connection is cut before the answer */
    FAULT_GARBLED,       /* it is done, and the answer's body is cut in its middle */
    FAULT_LATE_ERROR,    /* it is done, and the answer is 500 */
    FAULT_DELAY,         /* it is done, and answered after delay_ms */
    FAULT_DOUBLED,     /* it is done twice, as by a proxy that repeats; the second answer counts */
    FAULT_HIDDEN,      /* a describe does not show what was launched in the last minute */
    FAULT_PARTIAL,     /* a list does not reach a part of the cloud, and says so (Compute Engine) */
    FAULT_LEFT_BEHIND, /* a machine that is told to end leaves disk, address and interface */
    FAULT_COUNT
};
extern const struct names fault_names; /* "none", "throttle", ... */

enum { PRANKS_MAX = 64 };

struct prank {
    char action[64]; /* "RunInstances", "VirtualMachines_Get", ..., or "*" */
    enum fault fault;
    int64_t times; /* left */
    int64_t delay_ms;
    char permission[96]; /* FAULT_AUTH: the one that is missing; empty: the call's own */
};

/* Where no prank waits, chance plays one: so many of a thousand calls of that kind, by a seed. */
struct chance {
    char action[64]; /* or "*" */
    enum fault fault;
    int64_t per_thousand;
    int64_t delay_ms;
};

struct mischief {
    struct prank pranks[PRANKS_MAX];
    size_t count;
    struct chance chances[PRANKS_MAX];
    size_t chance_count;
    uint64_t random;
};

/* {"action": "RunInstances" | "*", "fault": "throttle", "times": 3, "delay_ms": 0}; with "fault":
 * "auth" also {"permission": "ec2:CreateTags"} */
enum outcome mischief_add(struct mischief *mischief, const json_t *wish, struct error *err);
/* {"seed": 7, "chances": [{"action": ..., "fault": ..., "per_thousand": 20, "delay_ms": 0}]}; none:
 * nothing is left to chance. */
enum outcome mischief_mix(struct mischief *mischief, const json_t *wish, struct error *err);
json_t *mischief_to_json(const struct mischief *mischief);

/* The first prank for this action, and one time less of it, or what chance plays. FAULT_NONE when
 * there is none. */
struct prank mischief_take(struct mischief *mischief, const char *action);

#endif
