/* A charter of one policy, two references, two grants and one relying party. */
#ifndef MUSTER_TESTS_SMALL_CHARTER_H
#define MUSTER_TESTS_SMALL_CHARTER_H

#include "lib/model/charter.h"

/* A relying party: audience and policies in JSON, level and seconds as they are. */
#define PARTY(audience, policies, level, valid)                                                    \
    "{\"audience\":" audience ",\"policies\":" policies ",\"least_level\":\"" level                \
    "\",\"max_verdict_age_seconds\":600,\"valid_seconds\":" valid "}"

json_t *small_charter(void); /* the caller's */
struct charter *small_charter_parsed(const json_t *json);
/* Walk "a/b/c" down; the last part stays for the caller. */
json_t *small_charter_parent(json_t *json, const char *path, const char **last);

#endif
