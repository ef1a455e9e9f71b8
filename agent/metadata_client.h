/* What a cloud's metadata service says of the machine that asks, over plain HTTP to a link-local
 * address: never through a proxy, never followed, a second or so a question, 16 KiB an answer. Any
 * part may be missing; what came is passed on as it came. */
#ifndef MUSTER_AGENT_METADATA_CLIENT_H
#define MUSTER_AGENT_METADATA_CLIENT_H

#include "lib/attest/cloud_documents.h"

struct metadata_question {
    enum cloud_kind cloud;
    const char *endpoint; /* "http://169.254.169.254" */
    const uint8_t *nonce; /* NONCE_SIZE bytes: what the documents are to answer */
    int64_t wait_ms;      /* for each request */
};

/* The first thing that was in the way is in `why`, whatever came before it is in `out`. */
enum outcome metadata_ask(const struct metadata_question *question, struct cloud_documents *out,
                          struct error *why);

#endif
