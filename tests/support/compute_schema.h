/* A cloud's own description of its API (Compute Engine v1, Microsoft.Compute): does a request or an
 * answer fit it? */
#ifndef MUSTER_TESTS_COMPUTE_SCHEMA_H
#define MUSTER_TESTS_COMPUTE_SCHEMA_H

#include "lib/base/json.h"

/* `value` is what "#/definitions/NAME" says: no member it does not know, all that it needs, and
 * every one of its type, 64-bit numbers as strings. Fails the test otherwise. */
void compute_schema_check(const json_t *schema, const char *definition, const json_t *value);

/* The operation of a method and a path, whatever its query; NULL: there is none. */
const json_t *compute_schema_find(const json_t *schema, const char *method, const char *path);

/* The operation ("compute.instances.get") that a request is: its method and path, and of its query
 * only what the operation takes. Fails the test when there is none. */
const json_t *compute_schema_operation(const json_t *schema, const char *method, const char *path);

#endif
