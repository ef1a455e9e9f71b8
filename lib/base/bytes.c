#include "lib/base/bytes.h"

#include <stdlib.h>
#include <string.h>

struct span span_part(struct span whole, size_t from, size_t len)
{
    if (from > whole.len)
        from = whole.len;
    if (len > whole.len - from)
        len = whole.len - from;
    return SPAN(from > 0 ? whole.at + from : whole.at, len); /* what is empty may be nowhere */
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool span_is_zero(struct span s)
{
    uint8_t any = 0;
    for (size_t i = 0; i < s.len; i++)
        any |= s.at[i];
    return any == 0;
}

void bytes_done(struct bytes *b)
{
    free(b->at);
    *b = (struct bytes){0};
}

void bytes_wipe(struct bytes *b)
{
    if (b->at != NULL)
        explicit_bzero(b->at, b->room);
    bytes_done(b);
}

void bytes_reserve(struct bytes *b, size_t len)
{
    if (len == 0 || len < b->room - b->len)
        return;
    enum { LEAST_ROOM = 64 };
    const size_t needed = b->len + len + 1;
    size_t room = needed < 2 * b->room ? 2 * b->room : needed;
    if (room < LEAST_ROOM)
        room = LEAST_ROOM;
    /* Not realloc: what grows here may be secret, and the old block must not keep a copy. */
    uint8_t *at = mem_resize(NULL, room, 1);
    if (b->len > 0)
        memcpy(at, b->at, b->len);
    if (b->at != NULL)
        explicit_bzero(b->at, b->room);
    free(b->at);
    b->at = at;
    b->room = room;
}

uint8_t *bytes_add_room(struct bytes *b, size_t len)
{
    bytes_reserve(b, len);
    uint8_t *at = b->at != NULL ? b->at + b->len : NULL;
    if (len > 0)
        memset(at, 0, len + 1);
    b->len += len;
    return at;
}

void bytes_add(struct bytes *b, struct span more)
{
    if (more.len == 0)
        return;
    bytes_reserve(b, more.len);
    memcpy(b->at + b->len, more.at, more.len);
    b->len += more.len;
    b->at[b->len] = '\0';
}

void bytes_add_u8(struct bytes *b, uint8_t v)
{
    bytes_add(b, SPAN(&v, 1));
}

static void add_be(struct bytes *b, uint64_t v, size_t len)
{
    uint8_t at[sizeof v];
    for (size_t i = 0; i < len; i++)
        at[len - 1 - i] = (uint8_t)(v >> (8 * i));
    bytes_add(b, SPAN(at, len));
}

void bytes_add_u16be(struct bytes *b, uint16_t v)
{
    add_be(b, v, 2);
}

void bytes_add_u32be(struct bytes *b, uint32_t v)
{
    add_be(b, v, 4);
}

void bytes_add_u64be(struct bytes *b, uint64_t v)
{
    add_be(b, v, 8);
}

void bytes_add_u32le(struct bytes *b, uint32_t v)
{
    uint8_t *at = bytes_add_room(b, 4);
    for (size_t i = 0; i < 4; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

struct span bytes_span(const struct bytes *b)
{
    return SPAN(b->at, b->len);
}

struct bytes bytes_take(struct bytes *b)
{
    struct bytes taken = *b;
    *b = (struct bytes){0};
    return taken;
}

struct bytes bytes_copy(struct span s)
{
    struct bytes b = {0};
    bytes_add(&b, s);
    return b;
}

struct reader reader_of(struct span in)
{
    return (struct reader){.in = in};
}

struct span read_span(struct reader *r, size_t len)
{
    if (r->ran_short || len > r->in.len - r->at) {
        r->ran_short = true;
        return (struct span){0};
    }
    struct span s = SPAN(r->in.at + r->at, len);
    r->at += len;
    return s;
}

void read_into(struct reader *r, void *out, size_t len)
{
    struct span s = read_span(r, len);
    if (s.at != NULL && len > 0)
        memcpy(out, s.at, len);
    else
        memset(out, 0, len);
}

static uint64_t read_number(struct reader *r, size_t len, bool big)
{
    struct span s = read_span(r, len);
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++)
        v |= (uint64_t)s.at[i] << (8 * (big ? len - 1 - i : i));
    return v;
}

uint8_t read_u8(struct reader *r)
{
    return (uint8_t)read_number(r, 1, false);
}

uint16_t read_u16le(struct reader *r)
{
    return (uint16_t)read_number(r, 2, false);
}

uint32_t read_u32le(struct reader *r)
{
    return (uint32_t)read_number(r, 4, false);
}

uint64_t read_u64le(struct reader *r)
{
    return read_number(r, 8, false);
}

uint16_t read_u16be(struct reader *r)
{
    return (uint16_t)read_number(r, 2, true);
}

uint32_t read_u32be(struct reader *r)
{
    return (uint32_t)read_number(r, 4, true);
}

uint64_t read_u64be(struct reader *r)
{
    return read_number(r, 8, true);
}

bool read_zeroes(struct reader *r, size_t len)
{
    return span_is_zero(read_span(r, len));
}

size_t reader_left(const struct reader *r)
{
    return r->in.len - r->at;
}

enum outcome reader_ok(const struct reader *r, struct error *err)
{
    if (r->ran_short)
        return fail_code(err, ERR_INVALID, "malformed", "too short: %zu bytes", r->in.len);
    return OK;
}

enum outcome reader_end(const struct reader *r, struct error *err)
{
    TRY(reader_ok(r, err));
    if (reader_left(r) > 0)
        return fail_code(err, ERR_INVALID, "malformed", "%zu bytes too many after %zu",
                         reader_left(r), r->at);
    return OK;
}
