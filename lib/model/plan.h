/* The planner: what to do next for a fleet, as a pure function of what is seen, what is wanted,
 * the budgets and the clock. The worker carries it out; rehearsals and tests call the same code.
 *
 * Of the instances of a fleet
 *   leaving  are those wanted gone or terminating: they count no more,
 *   apart    are quarantined: a person decides, they count no more but hold back new launches when
 *            they become many,
 *   bad      failed or were rejected: no capacity, but they stand until retired,
 *   good     are all others, on their way or serving.
 * plan() sees to it that good becomes desired, that good and bad never exceed desired + surge by
 * its own doing, and that what keeps going bad is tried ever more slowly. */
#ifndef MUSTER_MODEL_PLAN_H
#define MUSTER_MODEL_PLAN_H

#include "lib/model/fleet.h"
#include "lib/model/placement.h"

struct plan_instance {
    struct uuid id;
    enum phase phase;
    enum trust trust;
    enum wanted wanted;
    bool has_machine; /* a cloud machine stands behind it, or may */
    struct moment created;
    struct moment phase_since;
    struct moment trust_since;
    struct moment next_due; /* failed: not before */
    char account[NAME_SIZE];
    char zone[NAME_SIZE]; /* empty: not known */
};

struct plan_observed {
    struct plan_instance *at; /* all that are not terminated, in any order */
    size_t count;
    int64_t bad_in_a_row; /* went bad since the last one was proven */
    struct moment last_bad;
    const struct placement *where; /* what each place is to hold; NULL: that does not matter */
};

struct plan_desired {
    int64_t count;
    bool paused;
};

struct budgets {
    int64_t surge;         /* good and bad together: at most desired + surge */
    int64_t launching_max; /* at once on their way to trusted */
    int64_t backoff_base_seconds;
    int64_t backoff_cap_seconds;
    int64_t rejected_hold_seconds; /* a rejected one stands that long, for people to look at */
    int64_t brake_percent;         /* rejected among judged: more is the vendor's or our fault */
    int64_t brake_least;
    int64_t brake_hold_seconds; /* the brake holds that long after the latest rejection */
    int64_t apart_max;          /* quarantined, before launching stops */
};

struct budgets budgets_of(const struct fleet *fleet); /* the defaults and the fleet's own */

enum plan_act { PLAN_LAUNCH, PLAN_RETIRE, PLAN_RETRY, PLAN_WAIT, PLAN_ACT_COUNT };
extern const struct names plan_act_names;

enum plan_why {
    WHY_TOO_FEW,   /* launch */
    WHY_TOO_MANY,  /* retire */
    WHY_FAILED,    /* retire */
    WHY_REJECTED,  /* retire */
    WHY_TIME_CAME, /* retry */
    WHY_PAUSED,    /* the rest: wait */
    WHY_BACKING_OFF,
    WHY_BRAKE,        /* too many of the judged are rejected */
    WHY_HOLDING,      /* rejected ones stand to be looked at */
    WHY_APART,        /* too many are quarantined */
    WHY_ON_THEIR_WAY, /* as many as may start at once */
    WHY_NO_ROOM,      /* desired + surge stand already */
    WHY_NOT_YET,      /* a failed launch waits for its time */
    WHY_COUNT
};
extern const struct names plan_why_names;

struct plan_action {
    enum plan_act act;
    enum plan_why why;
    int64_t count;        /* launch: how many; wait: how many are missing */
    struct uuid instance; /* retire, retry */
    struct moment until;  /* wait: look again then; none when only an event can help */
};

struct plan {
    struct plan_action *at;
    size_t count;
    size_t room;
    struct moment look_again; /* the earliest `until`; none: nothing depends on time */
};
void plan_done(struct plan *plan);

/* Deterministic: the same facts in any order give the same plan, and a plan carried out leaves
 * nothing to do at the same moment. */
void plan(const struct plan_observed *observed, struct plan_desired desired,
          const struct budgets *budgets, struct moment now, struct plan *out);

/* How long to wait after so many bad ones in a row. */
int64_t plan_backoff_seconds(const struct budgets *budgets, int64_t bad_in_a_row);

/* For the API's dry run and the rehearsals. */
json_t *plan_to_json(const struct plan *plan);

#endif
