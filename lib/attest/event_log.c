#include "lib/attest/event_log.h"

#include <string.h>

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)

/* ---- banks ---------------------------------------------------------------------------------- */

static const char *const bank_words[] = {"sha1", "sha256", "sha384", "sha512"};
_Static_assert(countof(bank_words) == BANK_COUNT);
const struct names bank_names = NAMES("PCR bank", bank_words);

/* TCG Algorithm Registry */
static const struct {
    uint16_t algorithm;
    enum digest_kind digest;
} banks[BANK_COUNT] = {
    [BANK_SHA1] = {0x0004, DIGEST_SHA1},
    [BANK_SHA256] = {0x000b, DIGEST_SHA256},
    [BANK_SHA384] = {0x000c, DIGEST_SHA384},
    [BANK_SHA512] = {0x000d, DIGEST_SHA512},
};

size_t bank_size(enum bank bank)
{
    return digest_size(banks[bank].digest);
}

enum digest_kind bank_digest(enum bank bank)
{
    return banks[bank].digest;
}

static enum bank bank_of(uint16_t algorithm)
{
    size_t i = 0;
    while (i < BANK_COUNT && banks[i].algorithm != algorithm)
        i++;
    return (enum bank)i;
}

/* ---- the header ----------------------------------------------------------------------------- */

static enum outcome read_bank(struct reader *in, struct event_log *out, struct error *err)
{
    const uint16_t algorithm = read_u16le(in);
    const uint16_t size = read_u16le(in);
    const enum bank bank = bank_of(algorithm);
    if (size == 0 || size > DIGEST_SIZE_MAX || (bank < BANK_COUNT && size != bank_size(bank)))
        return malformed(err, "digests of %u bytes by algorithm 0x%x", size, algorithm);
    for (size_t i = 0; i < out->bank_count; i++)
        if (out->banks[i].algorithm == algorithm)
            return malformed(err, "algorithm 0x%x twice", algorithm);
    out->banks[out->bank_count].algorithm = algorithm;
    out->banks[out->bank_count++].size = size;
    if (bank < BANK_COUNT)
        out->has_bank[bank] = true;
    return OK;
}

/* {"Spec ID Event03\0", u32 platform class, u8 minor, major, errata, uintn size, u32 count,
 * count x {u16 algorithm, u16 size}, u8 length, vendor info} */
static enum outcome read_spec(struct span data, struct event_log *out, struct error *err)
{
    static const char signature[] = "Spec ID Event03";
    struct reader in = reader_of(data);
    if (!span_equal(read_span(&in, sizeof signature), SPAN_OF(signature)))
        return malformed(err, "not a crypto-agile log");
    (void)read_span(&in, 8);
    const uint32_t count = read_u32le(&in);
    if (count == 0 || count > EVENT_BANKS_MAX)
        return malformed(err, "%u algorithms", count);
    for (uint32_t i = 0; i < count; i++)
        TRY(read_bank(&in, out, err));
    (void)read_span(&in, read_u8(&in));
    if (in.ran_short || reader_left(&in) != 0)
        return malformed(err, "the header's length is not its own");
    return OK;
}

/* The first event has the format of TPM 1.2: u32 pcr, u32 type, sha1, u32 size, data. */
enum outcome event_log_open(struct span in, struct event_log *out, struct error *err)
{
    if (in.len > EVENT_LOG_MAX)
        return malformed(err, "a log of %zu bytes", in.len);
    struct reader reader = reader_of(in);
    *out = (struct event_log){0};
    (void)read_u32le(&reader);
    const uint32_t type = read_u32le(&reader);
    (void)read_span(&reader, SHA1_SIZE);
    const struct span data = read_span(&reader, read_u32le(&reader));
    if (reader.ran_short || type != EV_NO_ACTION)
        return malformed(err, "the log does not begin with its header");
    TRY(read_spec(data, out, err));
    out->rest = span_part(in, reader.at, in.len);
    return OK;
}

/* ---- events --------------------------------------------------------------------------------- */

static enum outcome read_digest(struct reader *in, const struct event_log *log, struct event *out,
                                struct error *err)
{
    const uint16_t algorithm = read_u16le(in);
    size_t i = 0;
    while (i < log->bank_count && log->banks[i].algorithm != algorithm)
        i++;
    if (i == log->bank_count)
        return malformed(err, "a digest by algorithm 0x%x, which the header does not name",
                         algorithm);
    const struct span value = read_span(in, log->banks[i].size);
    const enum bank bank = bank_of(algorithm);
    if (bank == BANK_COUNT)
        return OK;
    if (out->digests[bank].len != 0)
        return malformed(err, "two digests for one bank");
    out->digests[bank] = value;
    return OK;
}

/* Some firmware puts notes of no action at a register that does not exist. */
static bool is_pcr(const struct event *event)
{
    return event->pcr < PCR_COUNT || event->type == EV_NO_ACTION;
}

enum outcome event_log_next(struct event_log *log, struct event *out, bool *done, struct error *err)
{
    struct reader in = reader_of(log->rest);
    *done = log->rest.len == 0;
    if (*done)
        return OK;
    *out = (struct event){.pcr = read_u32le(&in), .type = read_u32le(&in)};
    const uint32_t count = read_u32le(&in);
    if (in.ran_short || count > EVENT_BANKS_MAX)
        return malformed(err, "an event with %u digests", count);
    for (uint32_t i = 0; i < count; i++)
        TRY(read_digest(&in, log, out, err));
    out->data = read_span(&in, read_u32le(&in));
    if (in.ran_short)
        return malformed(err, "an event beyond the end of the log");
    if (!is_pcr(out))
        return malformed(err, "an event for register %u", out->pcr);
    log->rest = span_part(log->rest, in.at, log->rest.len);
    return OK;
}

/* ---- data against digest -------------------------------------------------------------------- */

static bool is_digest_of(const struct event *event, struct span data)
{
    bool any = false;
    uint8_t hash[DIGEST_SIZE_MAX];
    for (int bank = 0; bank < BANK_COUNT; bank++) {
        const struct span want = event->digests[bank];
        if (want.len == 0)
            continue;
        digest(banks[bank].digest, data, hash);
        if (!span_equal(SPAN(hash, bank_size((enum bank)bank)), want))
            return false;
        any = true;
    }
    return any;
}

/* UEFI_VARIABLE_DATA: guid[16], u64 characters of the name, u64 bytes of data, name, data. */
static struct span variable_data(struct span data)
{
    struct reader in = reader_of(data);
    (void)read_span(&in, 16);
    const uint64_t name = read_u64le(&in);
    const uint64_t len = read_u64le(&in);
    if (in.ran_short || name > data.len / 2 || len > data.len)
        return (struct span){0};
    (void)read_span(&in, (size_t)name * 2);
    const struct span value = read_span(&in, (size_t)len);
    return in.ran_short ? (struct span){0} : value;
}

/* GRUB measures the words behind a prefix of its own, older ones with their NUL. The prefix itself
 * is not measured, so it must be one of these. */
static struct span grub_words(const struct event *event)
{
    static const char *const prefixes[] = {
        "grub_cmd: ", "kernel_cmdline: ", "module_cmdline: ", "grub_cmd ", "grub_kernel_cmdline "};
    for (size_t i = 0; i < countof(prefixes); i++) {
        const size_t len = strlen(prefixes[i]);
        if (!span_equal(span_part(event->data, 0, len), span_of_text(prefixes[i])))
            continue;
        struct span words = span_part(event->data, len, event->data.len);
        if (is_digest_of(event, words))
            return words;
        while (words.len > 0 && words.at[words.len - 1] == '\0')
            words.len--;
        return is_digest_of(event, words) ? words : (struct span){0};
    }
    return (struct span){0};
}

static bool is_grub_words(const struct event *event)
{
    return grub_words(event).at != NULL;
}

/* The stubs of kernels measure a command line in UTF-16, some with one more byte of its NUL. */
static bool is_stub_words(const struct event *event)
{
    OWNED(bytes_done) struct bytes longer = bytes_copy(event->data);
    if (is_digest_of(event, event->data))
        return true;
    bytes_add_u8(&longer, 0);
    return is_digest_of(event, bytes_span(&longer));
}

static enum event_proof proof(bool right)
{
    return right ? EVENT_DATA_PROVEN : EVENT_DATA_WRONG;
}

enum event_proof event_check(const struct event *event)
{
    enum { COMMAND_LINES = 8 };
    switch (event->type) {
    case EV_SEPARATOR:
    case EV_ACTION:
    case EV_S_CRTM_VERSION:
    case EV_EFI_VARIABLE_DRIVER_CONFIG:
    case EV_EFI_GPT_EVENT:
    case EV_EFI_ACTION:
        return proof(is_digest_of(event, event->data));
    case EV_EFI_VARIABLE_BOOT: /* older firmware measures the value alone */
        return proof(is_digest_of(event, event->data) ||
                     is_digest_of(event, variable_data(event->data)));
    case EV_IPL: /* elsewhere the digest is a file's and the data its name */
        return event->pcr == COMMAND_LINES ? proof(is_grub_words(event) || is_stub_words(event))
                                           : EVENT_DATA_OPEN;
    default:
        return EVENT_DATA_OPEN;
    }
}

struct span event_measured(const struct event *event)
{
    if (event_check(event) != EVENT_DATA_PROVEN)
        return (struct span){0};
    if (event->type == EV_IPL && is_grub_words(event))
        return grub_words(event);
    if (event->type == EV_EFI_VARIABLE_BOOT && !is_digest_of(event, event->data))
        return variable_data(event->data);
    return event->data;
}

/* ---- replay --------------------------------------------------------------------------------- */

enum { DYNAMIC_FIRST = 17, DYNAMIC_LAST = 22 };

void pcr_start(enum bank bank, int pcr, uint8_t *out)
{
    const bool dynamic = pcr >= DYNAMIC_FIRST && pcr <= DYNAMIC_LAST;
    memset(out, dynamic ? 0xff : 0, bank_size(bank));
}

/* "StartupLocality\0" and the locality, before anything went to PCR0. */
static void take_locality(const struct event *event, struct event_replay *out)
{
    static const char signature[] = "StartupLocality";
    if (event->pcr != 0 || event->data.len != sizeof signature + 1 ||
        !span_equal(span_part(event->data, 0, sizeof signature), SPAN_OF(signature)))
        return;
    for (int bank = 0; bank < BANK_COUNT; bank++)
        if (!out->banks[bank].has[0])
            out->banks[bank].value[0][bank_size((enum bank)bank) - 1] =
                event->data.at[sizeof signature];
}

static void extend(struct pcr_values *values, enum bank bank, uint32_t pcr, struct span more)
{
    uint8_t joined[2 * DIGEST_SIZE_MAX];
    const size_t size = bank_size(bank);
    memcpy(joined, values->value[pcr], size);
    memcpy(joined + size, more.at, size);
    digest(banks[bank].digest, SPAN(joined, 2 * size), values->value[pcr]);
    values->has[pcr] = true;
}

static void take_event(const struct event *event, struct event_replay *out)
{
    out->events++;
    if (event->type == EV_NO_ACTION) {
        take_locality(event, out);
        return;
    }
    for (int bank = 0; bank < BANK_COUNT; bank++)
        if (event->digests[bank].len != 0)
            extend(&out->banks[bank], (enum bank)bank, event->pcr, event->digests[bank]);
    if (event_check(event) != EVENT_DATA_WRONG)
        return;
    if (out->wrong++ == 0) {
        out->wrong_pcr = event->pcr;
        out->wrong_type = event->type;
    }
}

enum outcome event_log_replay(struct span in, struct event_replay *out, struct error *err)
{
    struct event_log log;
    *out = (struct event_replay){.events = 1};
    TRY(event_log_open(in, &log, err));
    for (int bank = 0; bank < BANK_COUNT; bank++)
        for (int pcr = 0; pcr < PCR_COUNT; pcr++)
            pcr_start((enum bank)bank, pcr, out->banks[bank].value[pcr]);
    for (bool done = false; !done;) {
        struct event event;
        TRY(event_log_next(&log, &event, &done, err));
        if (!done)
            take_event(&event, out);
    }
    return OK;
}
