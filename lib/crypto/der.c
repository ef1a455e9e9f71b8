#include "lib/crypto/der.h"

/* Lengths over 2^24 do not occur in what is read here. */
static size_t read_length(struct reader *r)
{
    uint8_t first = read_u8(r);
    if (first < 0x80)
        return first;
    size_t count = first & 0x7f;
    size_t len = 0;
    for (size_t i = 0; i < count && count <= 3; i++)
        len = len << 8 | read_u8(r);
    bool shortest = count >= 1 && count <= 3 && len >= 0x80 && len >> (8 * (count - 1)) != 0;
    if (!shortest)
        r->ran_short = true;
    return shortest ? len : 0;
}

unsigned der_peek(const struct reader *r)
{
    return r->ran_short || reader_left(r) == 0 ? 0 : r->in.at[r->at];
}

struct span der_next(struct reader *r, unsigned tag)
{
    if (der_peek(r) != tag) {
        r->ran_short = true;
        return (struct span){0};
    }
    (void)read_u8(r);
    size_t len = read_length(r);
    return r->ran_short ? (struct span){0} : read_span(r, len);
}

struct reader der_enter(struct reader *r, unsigned tag)
{
    struct span content = der_next(r, tag);
    struct reader inner = reader_of(content);
    inner.ran_short = r->ran_short;
    return inner;
}

bool der_is(struct reader *r, struct span element)
{
    struct span there = read_span(r, element.len);
    return !r->ran_short && span_equal(there, element);
}
