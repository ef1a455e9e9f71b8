/* The genuine samples in ../shared/vectors. Where the folder is absent tests skip with a message.
 */
#ifndef MUSTER_TESTS_VECTORS_H
#define MUSTER_TESTS_VECTORS_H

#include "lib/base/bytes.h"
#include "lib/base/json.h"

/* The folder, or NULL after saying so on standard error; then the test calls skip(). */
const char *vectors_folder(void);

/* A file of it, whole; fails the test when it cannot be read. */
struct bytes vectors_read(const char *path);
json_t *vectors_json(const char *path);

#endif
