/* A boot log against the registers of a TPM: does it lead there, and do its events say what was
 * measured? Registers come from a verified quote; without them only the log's form and its own
 * consistency are judged. */
#ifndef MUSTER_ATTEST_EVENT_JUDGE_H
#define MUSTER_ATTEST_EVENT_JUDGE_H

#include "lib/attest/event_log.h"
#include "lib/base/json.h"
#include "lib/model/verdict.h"

struct pcr_set {
    struct pcr_values banks[BANK_COUNT];
};

/* {"sha256": {"0": HEX, ...}, ...}. ERR_INVALID with the place. */
enum outcome pcr_set_from_json(const json_t *value, struct pcr_set *out, struct error *err);

/* `expected` may be NULL. */
void event_judge(struct span log, const struct pcr_set *expected, struct verdict *out);

#endif
