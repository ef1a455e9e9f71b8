/* The answer of Azure's host (THIM) to a guest that asks for its chip's certificates
 * (facts/attestation.md section 5.3). It comes over plain HTTP from the host: hints, which the
 * chain to a pinned root makes true or not. */
#ifndef MUSTER_ATTEST_THIM_H
#define MUSTER_ATTEST_THIM_H

#include "lib/base/bytes.h"

enum { THIM_ANSWER_MAX = 64 * 1024 };

struct thim {
    struct bytes ek; /* PEM, as it came; line ends may be CRLF */
    struct bytes ca; /* PEM: ASK, ARK */
    uint64_t tcb;    /* what the host calls the reported TCB */
    int64_t cache_seconds;
};

void thim_done(struct thim *thim); /* also for OWNED; fine on zeroes */

/* ERR_INVALID with the JSON getters' codes; members that are not known are ignored, as from every
 * cloud. `out` must be zero. */
enum outcome thim_parse(struct span in, struct thim *out, struct error *err);

#endif
