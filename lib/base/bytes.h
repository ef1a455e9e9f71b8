/* Bytes: `span` borrows, `bytes` owns, `reader` walks a span and remembers that it ran short. */
#ifndef MUSTER_BASE_BYTES_H
#define MUSTER_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/error.h"

struct span {
    const uint8_t *at;
    size_t len;
};

#define SPAN(p, n) ((struct span){(const uint8_t *)(p), (n)})
#define SPAN_OF(array) ((struct span){(const uint8_t *)(array), sizeof(array)})

static inline struct span span_of_text(const char *text) /* without the NUL */
{
    return SPAN(text, strlen(text));
}

struct span span_part(struct span whole, size_t from, size_t len); /* clipped to what is there */
bool span_equal(struct span a, struct span b); /* not for secrets: see crypto/digest.h */
bool span_is_zero(struct span s);

/* Owned, growing. Zero-initialise; release with bytes_done (also for OWNED). A NUL follows what was
 * added, and is not counted: text among it can be read as such. `at` is NULL while empty. */
struct bytes {
    uint8_t *at;
    size_t len;
    size_t room;
};

void bytes_done(struct bytes *b);
void bytes_wipe(struct bytes *b); /* zero what it held, then release */
void bytes_add(struct bytes *b, struct span more);
void bytes_reserve(struct bytes *b, size_t len); /* so many more need no further memory */
uint8_t *bytes_add_room(struct bytes *b,
                        size_t len); /* `len` zero bytes; valid until the next add */
void bytes_add_u8(struct bytes *b, uint8_t v);
void bytes_add_u16be(struct bytes *b, uint16_t v);
void bytes_add_u32be(struct bytes *b, uint32_t v);
void bytes_add_u64be(struct bytes *b, uint64_t v);
void bytes_add_u32le(struct bytes *b, uint32_t v);
struct span bytes_span(const struct bytes *b);
struct bytes bytes_copy(struct span s);
struct bytes bytes_take(struct bytes *b); /* what it held; it is empty afterwards */

/* A cursor. Reading past the end gives zeroes and sets `ran_short`; ask once with reader_end(). */
struct reader {
    struct span in;
    size_t at;
    bool ran_short;
};

struct reader reader_of(struct span in);
uint8_t read_u8(struct reader *r);
uint16_t read_u16le(struct reader *r);
uint32_t read_u32le(struct reader *r);
uint64_t read_u64le(struct reader *r);
uint16_t read_u16be(struct reader *r);
uint32_t read_u32be(struct reader *r);
uint64_t read_u64be(struct reader *r);
struct span read_span(struct reader *r, size_t len);     /* empty when short */
void read_into(struct reader *r, void *out, size_t len); /* zeroes when short */
bool read_zeroes(struct reader *r, size_t len);          /* skip; false when any is not zero */
size_t reader_left(const struct reader *r);
enum outcome reader_ok(const struct reader *r, struct error *err);  /* not short */
enum outcome reader_end(const struct reader *r, struct error *err); /* not short and nothing left */

#endif
