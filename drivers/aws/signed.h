/* One signed request to AWS, with a clock that learns: when AWS says that the time is wrong, its
 * own Date is taken, and the request said once more. */
#ifndef MUSTER_DRIVERS_AWS_SIGNED_H
#define MUSTER_DRIVERS_AWS_SIGNED_H

#include "drivers/aws/credentials.h"
#include "drivers/rest.h"

/* Where a request goes, and what it is signed for. */
struct service {
    const char *name; /* "ec2", "sts" */
    const char *region;
    const struct endpoint *endpoint;
    struct http *http;
    int64_t *skew_seconds; /* what to add to our clock to have AWS's */
};

/* Any status is an answer. NULL `credentials`: it is not signed. */
enum outcome signed_send(const struct service *to, const struct credentials *credentials,
                         const struct form *form, struct http_answer *out, struct error *err);

#endif
