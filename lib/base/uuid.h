/* UUIDs (RFC 9562): sixteen bytes, printed in lower case. Made by crypto/random's uuid_new(). */
#ifndef MUSTER_BASE_UUID_H
#define MUSTER_BASE_UUID_H

#include <stdint.h>

#include "lib/base/bytes.h"

enum { UUID_TEXT_SIZE = 37 };

struct uuid {
    uint8_t at[16];
};

void uuid_print(const struct uuid *id, char out[static UUID_TEXT_SIZE]);
enum outcome uuid_parse(const char *text, struct uuid *out, struct error *err);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *id);
struct span uuid_span(const struct uuid *id);

/* For one use inside an expression: `uuid_text(&id).at` lives until the end of the statement. */
struct uuid_text {
    char at[UUID_TEXT_SIZE];
};
struct uuid_text uuid_text(const struct uuid *id);

#endif
