#include "lib/attest/cbor_writer.h"

enum { MAJOR_BYTES = 2, MAJOR_TEXT = 3, MAJOR_PAIRS = 5, NOTHING = 0xf6 };

static void add_head(struct bytes *out, int major, size_t value)
{
    const uint8_t top = (uint8_t)(major << 5);
    if (value < 24) {
        bytes_add_u8(out, (uint8_t)(top | value));
    } else if (value <= UINT8_MAX) {
        bytes_add_u8(out, top | 24);
        bytes_add_u8(out, (uint8_t)value);
    } else {
        bytes_add_u8(out, top | 25);
        bytes_add_u16be(out, (uint16_t)value);
    }
}

void cbor_add_pairs(struct bytes *out, uint8_t count)
{
    add_head(out, MAJOR_PAIRS, count);
}

static void add_string(struct bytes *out, int major, struct span value)
{
    add_head(out, major, value.len);
    bytes_add(out, value);
}

void cbor_add_text(struct bytes *out, const char *text)
{
    add_string(out, MAJOR_TEXT, span_of_text(text));
}

void cbor_add_bytes(struct bytes *out, struct span value)
{
    add_string(out, MAJOR_BYTES, value);
}

void cbor_add_nothing(struct bytes *out)
{
    bytes_add_u8(out, NOTHING);
}
