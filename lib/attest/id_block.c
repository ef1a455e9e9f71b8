#include "lib/attest/id_block.h"

#include <string.h>

enum {
    BLOCK_VERSION = 1,
    CURVE_P384 = 2,
    COORDINATE = 48,
    COORDINATE_ROOM = 72,
    KEY_SIZE = 0x404,
    UNCOMPRESSED = 4
};

static void put_le(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

void id_block_print(const struct id_block *block, uint8_t out[static ID_BLOCK_SIZE])
{
    memset(out, 0, ID_BLOCK_SIZE);
    memcpy(out, block->launch_digest, sizeof block->launch_digest);
    memcpy(out + 0x30, block->family_id, sizeof block->family_id);
    memcpy(out + 0x40, block->image_id, sizeof block->image_id);
    put_le(out + 0x50, BLOCK_VERSION, 4);
    put_le(out + 0x54, block->guest_svn, 4);
    put_le(out + 0x58, block->policy, 8);
}

static void put_reversed(uint8_t *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = in[len - 1 - i];
}

/* A P-384 SubjectPublicKeyInfo ends in its point: 04, X, Y. */
enum outcome id_key_digest(const struct key *key, uint8_t out[static SHA384_SIZE],
                           struct error *err)
{
    OWNED(bytes_done) struct bytes spki = {0};
    uint8_t laid_out[KEY_SIZE] = {0};
    if (key_kind_of(key) != KEY_P384)
        return fail_code(err, ERR_INVALID, "unsupported-key", "an ID key is a P-384 one");
    TRY(key_to_spki(key, &spki, err));
    if (spki.len < 1 + 2 * COORDINATE)
        return fail(err, ERR_INTERNAL, "a public key of %zu bytes", spki.len);
    const uint8_t *point = spki.at + spki.len - 2 * COORDINATE;
    if (point[-1] != UNCOMPRESSED)
        return fail_code(err, ERR_INVALID, "unsupported-key", "the key's point is compressed");
    put_le(laid_out, CURVE_P384, 4);
    put_reversed(laid_out + 4, point, COORDINATE);
    put_reversed(laid_out + 4 + COORDINATE_ROOM, point + COORDINATE, COORDINATE);
    digest(DIGEST_SHA384, SPAN_OF(laid_out), out);
    return OK;
}
