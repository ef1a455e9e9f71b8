#include "tests/support/made_firmware.h"

#include <string.h>

#include "tests/support/test.h"

static const uint8_t footer_guid[] = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                      0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
static const uint8_t hash_guid[] = {0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
                                    0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54};
static const uint8_t reset_guid[] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                     0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
static const uint8_t metadata_guid[] = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                        0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};

struct firmware_wish firmware_wish_usual(void)
{
    return (struct firmware_wish){
        .sections = {{0x800000, 0x2000, 1},
                     {0x80d000, 0x1000, 2},
                     {0x80e000, 0x1000, 3},
                     {0x80f000, 0x1000, 4},
                     {0x810000, 0x1000, 0x10}},
        .section_count = 5,
        .metadata_version = 1,
        .metadata_from_end = METADATA_FROM_END,
    };
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* In front of what is there; gives the new start. */
static uint8_t *put_entry(uint8_t *before, const uint8_t *guid, struct span data)
{
    const size_t size = data.len + 18;
    memcpy(before - 16, guid, 16);
    before[-18] = (uint8_t)size;
    before[-17] = (uint8_t)(size >> 8);
    memcpy(before - size, data.at, data.len);
    return before - size;
}

void firmware_make(const struct firmware_wish *wish, uint8_t image[static FIRMWARE_MADE_SIZE])
{
    uint8_t number[8] = {0};
    memset(image, 0x90, FIRMWARE_MADE_SIZE);
    uint8_t *const end = image + FIRMWARE_MADE_SIZE - 32;
    uint8_t *at = end - 18;
    put_u32(number, 0x810c00);
    put_u32(number + 4, 0x400);
    at = put_entry(at, hash_guid, SPAN(number, 8));
    put_u32(number, 0x80b004);
    at = put_entry(at, reset_guid, SPAN(number, 4));
    if (wish->reset_twice)
        at = put_entry(at, reset_guid, SPAN(number, 4));
    put_u32(number, wish->metadata_from_end);
    at = put_entry(at, metadata_guid, SPAN(number, 4));
    memcpy(end - 16, footer_guid, 16);
    const size_t table = (size_t)(end - at);
    end[-18] = (uint8_t)table;
    end[-17] = (uint8_t)(table >> 8);
    uint8_t *metadata = image + FIRMWARE_MADE_SIZE - METADATA_FROM_END;
    memcpy(metadata, "ASEV", 4);
    const uint32_t count = wish->claimed_count > 0 ? wish->claimed_count : wish->section_count;
    put_u32(metadata + 4, 16 + count * 12);
    put_u32(metadata + 8, wish->metadata_version);
    put_u32(metadata + 12, count);
    for (size_t i = 0; i < wish->section_count; i++)
        for (size_t j = 0; j < 3; j++)
            put_u32(metadata + 16 + i * 12 + j * 4, wish->sections[i][j]);
}
