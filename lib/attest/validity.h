/* Are all certificates of a chain valid at a time? One check, mostly "validity", for every kind of
 * evidence. */
#ifndef MUSTER_ATTEST_VALIDITY_H
#define MUSTER_ATTEST_VALIDITY_H

#include "lib/base/clock.h"
#include "lib/crypto/x509.h"
#include "lib/model/verdict.h"

/* `certs` end at the first NULL or at `count`. A certificate that begins up to `slack_seconds`
 * later counts as valid. A clock outside 2020 to 2100 is wrong, whatever the certificates say. */
void validity_check(struct verdict *out, const char *name, struct x509 *const *certs, size_t count,
                    struct moment at, int64_t slack_seconds, const char *passed);

#endif
