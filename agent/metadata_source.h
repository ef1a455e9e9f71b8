/* The cloud's signed word on which instance this is (lib/attest/cloud_documents.h), asked for by a
 * program of its own. What comes is passed on unread: the keeper judges it, and it can make this
 * machine suspect but never trusted. */
#ifndef MUSTER_AGENT_METADATA_SOURCE_H
#define MUSTER_AGENT_METADATA_SOURCE_H

#include "lib/attest/cloud_documents.h"

struct metadata_source {
    enum cloud_kind cloud; /* CLOUD_NONE: nobody is asked */
    const char *program;   /* borrowed, like the endpoint */
    const char *endpoint;
    int64_t most_seconds;
};

/* "none", "aws", "azure", "gcp", or "auto": what the firmware says of the machine's maker in
 * `vendor_file`, which is a hint that nothing rests on. ERR_INVALID "bad-setting". */
enum outcome metadata_cloud(const char *word, const char *vendor_file, enum cloud_kind *out,
                            struct error *err);

/* Leaves `out` empty when nothing came, and logs why. False: there is a service, and it said
 * nothing. */
bool metadata_source_ask(const struct metadata_source *source,
                         const uint8_t nonce[static NONCE_SIZE], struct cloud_documents *out);

#endif
