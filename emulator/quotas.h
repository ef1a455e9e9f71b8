/* How often each call came, and how many the clouds grant. As their documents say, and not taken
 * from what Muster's drivers keep to: so it shows who would be throttled. A pretend cloud has one
 * account; its regions share what it grants. */
#ifndef MUSTER_EMULATOR_QUOTAS_H
#define MUSTER_EMULATOR_QUOTAS_H

#include "lib/base/bucket.h"
#include "lib/base/json.h"
#include "lib/model/account.h"

enum { QUOTAS_MAX = 48, TALLIES_MAX = 128 };

struct quota_state {
    struct bucket bucket;
    int64_t minute; /* the one that `used` counts in */
    int64_t used;
};

struct call_tally {
    enum account_driver cloud;
    char action[64];
    int64_t calls;
    int64_t throttled; /* of these, over their quota */
    int64_t early;     /* of these, before the time that Retry-After had named */
};

struct quotas {
    bool kept; /* else calls are counted, and all are granted */
    struct quota_state states[QUOTAS_MAX];
    struct call_tally tallies[TALLIES_MAX];
    size_t tally_count;
};

/* Counts the call. False: it is one too many, and takes nothing. */
bool quotas_take(struct quotas *quotas, enum account_driver cloud, const char *action,
                 int64_t now_ms);
/* It was made sooner than it was asked for. */
void quotas_note_early(struct quotas *quotas, enum account_driver cloud, const char *action);

/* The quota that a call counts against first, and how many are left of it; NULL: none, or none is
 * kept. */
const char *quotas_left(const struct quotas *quotas, enum account_driver cloud, const char *action,
                        int64_t now_ms, int64_t *out_left);

/* {"kept", "calls": [{"cloud", "action", "calls", "throttled", "early"}],
 *  "quotas": [{"cloud", "action", "quota", "room", "per_minute", "by_minute"}]} */
json_t *quotas_to_json(const struct quotas *quotas);

#endif
