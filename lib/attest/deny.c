#include "lib/attest/deny.h"

#include <string.h>

struct charter_case deny_case(const struct evidence_facts *facts, const struct verdict *verdict)
{
    struct charter_case c = {.region = verdict->where.region, .made = verdict->made};
    memcpy(c.anchor, verdict->anchor_hash, sizeof c.anchor);
    memcpy(c.named, verdict->named, sizeof c.named);
    memcpy(c.chip, facts->chip, sizeof c.chip);
    memcpy(c.measurement, facts->measurement, sizeof c.measurement);
    return c;
}
