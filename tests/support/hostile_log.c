#include "tests/support/hostile.h"

#include <string.h>

#include "lib/attest/event_log.h"

static void add_u16le(struct bytes *out, uint16_t value)
{
    bytes_add_u8(out, (uint8_t)value);
    bytes_add_u8(out, (uint8_t)(value >> 8));
}

static const uint16_t log_banks[][2] = {{0x04, 20}, {0x0b, 32}, {0x0c, 48}, {0x0d, 64}};

static void add_log_header(struct bytes *out)
{
    static const char signature[] = "Spec ID Event03";
    OWNED(bytes_done) struct bytes spec = {0};
    bytes_add(&spec, SPAN_OF(signature));
    bytes_add_u64be(&spec, 0);
    bytes_add_u32le(&spec, countof(log_banks));
    for (size_t i = 0; i < countof(log_banks); i++) {
        add_u16le(&spec, log_banks[i][0]);
        add_u16le(&spec, log_banks[i][1]);
    }
    bytes_add_u8(&spec, 0);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, EV_NO_ACTION);
    bytes_add_room(out, SHA1_SIZE);
    bytes_add_u32le(out, (uint32_t)spec.len);
    bytes_add(out, bytes_span(&spec));
}

/* With the digests of so many banks, right ones over `measured`, the last one wrong. */
static void add_log_event(struct bytes *out, uint32_t pcr, uint32_t type, size_t banks,
                          struct span measured, struct span data)
{
    bytes_add_u32le(out, pcr);
    bytes_add_u32le(out, type);
    bytes_add_u32le(out, (uint32_t)banks);
    for (size_t i = 0; i < banks; i++) {
        uint8_t hash[DIGEST_SIZE_MAX];
        digest(bank_digest((enum bank)i), measured, hash);
        hash[0] ^= (uint8_t)(i + 1 == BANK_COUNT);
        add_u16le(out, log_banks[i][0]);
        bytes_add(out, SPAN(hash, log_banks[i][1]));
    }
    bytes_add_u32le(out, (uint32_t)data.len);
    bytes_add(out, data);
}

static void log_of(struct bytes *out, uint32_t type, size_t banks)
{
    OWNED(bytes_done) struct bytes event = {0};
    add_log_header(out);
    add_log_event(&event, 8, type, banks, span_of_text("x"), span_of_text("x"));
    while (out->len + event.len <= EVENT_LOG_MAX)
        bytes_add(out, bytes_span(&event));
}

void log_of_many_tiny_events(struct bytes *out)
{
    log_of(out, EV_SEPARATOR, 1);
}

void log_of_many_events_with_many_digests(struct bytes *out)
{
    log_of(out, EV_IPL, BANK_COUNT);
}

void log_of_events_without_digests(struct bytes *out)
{
    log_of(out, EV_NO_ACTION, 0);
}

void log_of_as_many_types_as_events(struct bytes *out)
{
    add_log_header(out);
    for (uint32_t i = 0; out->len + 16 <= EVENT_LOG_MAX; i++)
        add_log_event(out, 0, 0x1000 + i, 0, (struct span){0}, (struct span){0});
}

void log_of_one_huge_event(struct bytes *out)
{
    OWNED(bytes_done) struct bytes words = {0};
    add_log_header(out);
    hostile_text(&words, "grub_cmd: ");
    memset(bytes_add_room(&words, EVENT_LOG_MAX - 1024), 'x', EVENT_LOG_MAX - 1024);
    add_log_event(out, 8, EV_IPL, BANK_COUNT, span_part(bytes_span(&words), 10, words.len),
                  bytes_span(&words));
}

void log_of_huge_kernel_words(struct bytes *out)
{
    OWNED(bytes_done) struct bytes words = {0};
    hostile_filled(&words, "", "vmlinu", "vmlinuz", 4096);
    add_log_header(out);
    while (out->len + words.len + 512 < EVENT_LOG_MAX)
        add_log_event(out, 9, EV_IPL, BANK_COUNT, (struct span){0}, bytes_span(&words));
}

void log_that_claims_4_gb(struct bytes *out)
{
    add_log_header(out);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, EV_SEPARATOR);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, UINT32_MAX);
}
