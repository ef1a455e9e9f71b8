/* Evidence that a program on this machine shows to its relying party: over that party's nonce, and
 * never the nonce itself (doc/decisions/0017). No controller has a part in it. */
#ifndef MUSTER_AGENT_SHOWN_H
#define MUSTER_AGENT_SHOWN_H

#include "agent/appraisal.h"
#include "agent/local_request.h"
#include "lib/base/bucket.h"

struct shown_desk {
    const struct appraisal_guest *guest; /* a loan */
    struct bucket bucket; /* the hardware is slow, its calls are counted, and appraisals need it */
};

void shown_init(struct shown_desk *desk, const struct appraisal_guest *guest);

/* The answer's line. Blocks for as long as the hardware does. ERR_THROTTLED "evidence-too-many";
 * ERR_INVALID "too-large"; what tee_prove() says. */
enum outcome shown_make(struct shown_desk *desk, const struct local_request *request,
                        struct bytes *out_line, struct error *err);

#endif
