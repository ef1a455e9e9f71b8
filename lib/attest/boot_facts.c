#include "lib/attest/boot_facts.h"

#include <string.h>

static const char *const secure_boot_words[] = {"unknown", "off", "on"};
_Static_assert(countof(secure_boot_words) == SECURE_BOOT_COUNT);
const struct names secure_boot_names = NAMES("secure boot", secure_boot_words);

enum { SECURE_BOOT_PCR = 7, LOADERS_PCR = 4, WORDS_PCR = 8 };

void boot_facts_done(struct boot_facts *facts)
{
    json_decref(facts->components);
    *facts = (struct boot_facts){0};
}

/* ---- secure boot ---------------------------------------------------------------------------- */

/* What was seen of PCR7 so far. */
struct seen {
    bool handed_over; /* its separator came: what follows is not the firmware's word */
    bool contradicted;
    bool debugged;
    enum secure_boot said;
};

/* UEFI_VARIABLE_DATA: guid[16], u64 characters of the name, u64 bytes of data, name in UTF-16. */
static bool is_secure_boot(struct span data, struct span *value)
{
    static const uint8_t global[16] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                       0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
    static const char name[] = "SecureBoot";
    struct reader in = reader_of(data);
    const struct span guid = read_span(&in, sizeof global);
    const uint64_t characters = read_u64le(&in);
    const uint64_t len = read_u64le(&in);
    if (in.ran_short || !span_equal(guid, SPAN_OF(global)) || characters != sizeof name - 1 ||
        len > data.len)
        return false;
    for (size_t i = 0; i < sizeof name - 1; i++)
        if (read_u16le(&in) != (uint16_t)name[i])
            return false;
    *value = read_span(&in, (size_t)len);
    return reader_end(&in, NULL) == OK;
}

static void take_variable(const struct event *event, struct seen *seen)
{
    struct span value;
    if (!is_secure_boot(event->data, &value))
        return;
    const bool on = value.len == 1 && value.at[0] == 1;
    const enum secure_boot says = on ? SECURE_BOOT_ON : SECURE_BOOT_OFF;
    seen->contradicted =
        seen->contradicted || (seen->said != SECURE_BOOT_UNKNOWN && seen->said != says);
    seen->said = says;
}

/* By what was measured: the type beside a digest is anybody's word. */
static bool is_separator(const struct event *event, enum bank bank)
{
    static const uint8_t values[][4] = {{0, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}};
    uint8_t hash[DIGEST_SIZE_MAX];
    for (size_t i = 0; i < countof(values); i++) {
        digest(bank_digest(bank), SPAN_OF(values[i]), hash);
        if (span_equal(event->digests[bank], SPAN(hash, bank_size(bank))))
            return true;
    }
    return false;
}

/* Whoever runs later can extend PCR7 as well, so only what came before the separator counts. */
static void take_authority(const struct event *event, enum bank bank, bool proven,
                           struct seen *seen)
{
    static const char debugger[] = "UEFI Debug Mode";
    if (event->pcr != SECURE_BOOT_PCR || seen->handed_over)
        return;
    if (is_separator(event, bank))
        seen->handed_over = true;
    else if (event->type == EV_EFI_ACTION && event->data.len >= sizeof debugger - 1 &&
             memcmp(event->data.at, debugger, sizeof debugger - 1) == 0)
        seen->debugged = true; /* proven or not: nobody gains by saying it */
    else if (event->type == EV_EFI_VARIABLE_DRIVER_CONFIG && proven)
        take_variable(event, seen);
}

static enum secure_boot conclude(const struct seen *seen)
{
    if (!seen->handed_over || seen->contradicted)
        return SECURE_BOOT_UNKNOWN;
    return seen->debugged ? SECURE_BOOT_OFF : seen->said;
}

/* ---- what was started ----------------------------------------------------------------------- */

static void put_text(json_t *item, struct span text)
{
    while (text.len > 0 && text.at[text.len - 1] == '\0')
        text.len--;
    if (text.len > 0 && text.len <= BOOT_TEXT_MAX && text_is_clean(text))
        json_put_span(item, "text", text);
}

/* A loader's digest is its own; the path beside it is a hint and is left out. */
static void take_component(const struct event *event, enum bank bank, bool proven, json_t *list)
{
    const bool loader =
        event->pcr == LOADERS_PCR && event->type == EV_EFI_BOOT_SERVICES_APPLICATION;
    const bool words = event->pcr == WORDS_PCR && event->type == EV_IPL && proven;
    if ((!loader && !words) || json_array_size(list) == BOOT_COMPONENTS_MAX)
        return;
    json_t *item = json_object();
    json_put_int(item, "pcr", event->pcr);
    json_put_hex(item, "digest", event->digests[bank]);
    if (words)
        put_text(item, event_measured(event));
    json_add_new(list, item);
}

/* What firmware measures beside loaders: told by digest, for the type is anybody's word. */
static bool is_fixed_words(const struct event *event, enum bank bank)
{
    static const char *const words[] = {"Calling EFI Application from Boot Option",
                                        "Returning from EFI Application from Boot Option"};
    uint8_t hash[DIGEST_SIZE_MAX];
    for (size_t i = 0; i < countof(words); i++) {
        digest(bank_digest(bank), span_of_text(words[i]), hash);
        if (span_equal(event->digests[bank], SPAN(hash, bank_size(bank))))
            return true;
    }
    return false;
}

static void take_loader(const struct event *event, enum bank bank, struct bytes *out)
{
    if (event->pcr == LOADERS_PCR && !is_separator(event, bank) && !is_fixed_words(event, bank))
        bytes_add(out, event->digests[bank]);
}

/* The next event that reached the bank's registers; one without a digest there never did. False at
 * the end and where the log breaks off, which `*broken` tells apart. */
static bool next_measured(struct event_log *log, enum bank bank, struct event *out, bool *broken)
{
    for (;;) {
        bool done = false;
        *broken = event_log_next(log, out, &done, NULL) != OK;
        if (*broken || done)
            return false;
        if (out->type != EV_NO_ACTION && out->digests[bank].len != 0)
            return true;
    }
}

static bool take_events(struct span log, enum bank bank, struct seen *seen, json_t *components)
{
    struct event_log open;
    struct event event;
    bool broken = false;
    if (event_log_open(log, &open, NULL) != OK)
        return false;
    while (next_measured(&open, bank, &event, &broken)) {
        const bool proven = event_check(&event) == EVENT_DATA_PROVEN;
        take_authority(&event, bank, proven, seen);
        take_component(&event, bank, proven, components);
    }
    return !broken;
}

void boot_facts_read(struct span log, enum bank bank, struct boot_facts *out)
{
    struct seen seen = {0};
    *out = (struct boot_facts){.components = json_array()};
    if (take_events(log, bank, &seen, out->components))
        out->secure_boot = conclude(&seen);
    else
        json_array_clear(out->components);
}

void boot_loaders_read(struct span log, enum bank bank, struct bytes *out)
{
    struct event_log open;
    struct event event;
    bool broken = false;
    if (event_log_open(log, &open, NULL) != OK)
        return;
    while (next_measured(&open, bank, &event, &broken))
        take_loader(&event, bank, out);
    if (broken)
        bytes_done(out);
}
