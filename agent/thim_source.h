/* The chip's certificates from Azure's host (lib/attest/thim.h), asked for by a program of its own,
 * so that no HTTP runs where secrets are. They are a convenience: whatever goes wrong, evidence
 * goes without them, and the controller gets them elsewhere. */
#ifndef MUSTER_AGENT_THIM_SOURCE_H
#define MUSTER_AGENT_THIM_SOURCE_H

#include "lib/attest/evidence.h"
#include "lib/attest/thim.h"

struct thim_source {
    const char *program; /* borrowed, like the URL; that is empty where nobody is to be asked */
    const char *url;
    int64_t most_seconds; /* how long it may take */
    struct thim kept;
    int64_t asked_ms; /* 0: never */
};

void thim_source_done(struct thim_source *source);

/* Adds `ek` and `ca` for the evidence's report. Asks when it has none for the report's TCB or when
 * those it has are old, at most once a minute; what is in the way is logged. */
void thim_source_add(struct thim_source *source, struct evidence *out);

#endif
