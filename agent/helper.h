/* Programs of the agent's own that speak HTTP for it, so that none of it runs where secrets are:
 * run with an empty environment and none of our descriptors, heard for so long and so much. */
#ifndef MUSTER_AGENT_HELPER_H
#define MUSTER_AGENT_HELPER_H

#include "lib/base/bytes.h"

struct helper {
    const char *const *arguments; /* the program first; NULL ends them */
    int64_t most_seconds;
    size_t most_bytes;
};

/* What it said. ERR_UNREACHABLE "timeout", "no-answer" (it ended badly); ERR_INVALID "too-large".
 */
enum outcome helper_run(const struct helper *helper, struct bytes *out, struct error *err);

#endif
