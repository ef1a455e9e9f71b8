#include "tests/support/nitro_tpm.h"

#include <string.h>

#include "lib/attest/cbor_reader.h"
#include "lib/attest/cbor_writer.h"
#include "lib/base/text.h"
#include "lib/crypto/digest.h"

enum {
    DEFINE = 0x12a,
    UNDEFINE = 0x122,
    READ_PUBLIC = 0x169,
    WRITE = 0x137,
    READ = 0x14e,
    NO_SUCH_HANDLE = 0x18b,
    ALREADY_DEFINED = 0x14c,
    BAD_VALUE = 0x1c4,
    SESSIONS = 0x8002,
    WRITTEN = 1 << 29,
};

struct nitro_tpm nitro_tpm;
static struct {
    uint32_t attributes;
    uint8_t content[NITRO_TPM_ROOM];
    size_t request_len;
} room;

/* ---- answers --------------------------------------------------------------------------------- */

static void say(struct bytes *out, uint32_t code)
{
    bytes_done(out);
    bytes_add_u16be(out, 0x8001);
    bytes_add_u32be(out, 10);
    bytes_add_u32be(out, code);
}

/* With the empty password's end. */
static void say_all(struct bytes *out, struct span parameters)
{
    static const uint8_t end[] = {0, 0, 0, 0, 0};
    bytes_done(out);
    bytes_add_u16be(out, SESSIONS);
    bytes_add_u32be(out, (uint32_t)(14 + parameters.len + sizeof end));
    bytes_add_u32be(out, 0);
    bytes_add_u32be(out, (uint32_t)parameters.len);
    bytes_add(out, parameters);
    bytes_add(out, SPAN_OF(end));
}

/* ---- the index ------------------------------------------------------------------------------- */

static struct span read_sized(struct reader *in)
{
    return read_span(in, read_u16be(in));
}

static void skip_password(struct reader *in)
{
    read_span(in, read_u32be(in));
}

static bool define(struct reader *in, struct bytes *out)
{
    read_u32be(in); /* the owner */
    skip_password(in);
    read_sized(in);
    struct reader wanted = reader_of(read_sized(in));
    if (read_u32be(&wanted) != NITRO_TPM_INDEX)
        return false;
    read_u16be(&wanted);
    const uint32_t attributes = read_u32be(&wanted);
    read_sized(&wanted);
    const uint16_t size = read_u16be(&wanted);
    if (nitro_tpm.defined || size > NITRO_TPM_ROOM) {
        say(out, nitro_tpm.defined ? ALREADY_DEFINED : BAD_VALUE);
        return true;
    }
    room.attributes = attributes;
    nitro_tpm.size = size;
    nitro_tpm.defined = true;
    nitro_tpm.definitions++;
    memset(room.content, 0xff, sizeof room.content);
    say_all(out, (struct span){0});
    return true;
}

static void add_public(struct bytes *out)
{
    bytes_add_u32be(out, NITRO_TPM_INDEX);
    bytes_add_u16be(out, 0x000b);
    bytes_add_u32be(out, room.attributes);
    bytes_add_u16be(out, 0);
    bytes_add_u16be(out, nitro_tpm.size);
}

static void say_public(struct bytes *out)
{
    uint8_t hash[SHA256_SIZE];
    OWNED(bytes_done) struct bytes public = {0};
    add_public(&public);
    digest(DIGEST_SHA256, bytes_span(&public), hash);
    bytes_done(out);
    bytes_add_u16be(out, 0x8001);
    bytes_add_u32be(out, (uint32_t)(10 + 2 + public.len + 2 + 2 + sizeof hash));
    bytes_add_u32be(out, 0);
    bytes_add_u16be(out, (uint16_t) public.len);
    bytes_add(out, bytes_span(&public));
    bytes_add_u16be(out, 2 + sizeof hash);
    bytes_add_u16be(out, 0x000b);
    bytes_add(out, SPAN_OF(hash));
}

static void write_index(struct reader *in, struct bytes *out)
{
    skip_password(in);
    const struct span data = read_sized(in);
    const size_t at = read_u16be(in);
    if (in->ran_short || at + data.len > nitro_tpm.size) {
        say(out, BAD_VALUE);
        return;
    }
    memcpy(room.content + at, data.at, data.len);
    room.request_len = at + data.len;
    room.attributes |= WRITTEN;
    say_all(out, (struct span){0});
}

static void read_index(struct reader *in, struct bytes *out)
{
    OWNED(bytes_done) struct bytes data = {0};
    skip_password(in);
    const uint16_t size = read_u16be(in);
    const size_t at = read_u16be(in);
    if (in->ran_short || at + size > nitro_tpm.size) {
        say(out, BAD_VALUE);
        return;
    }
    bytes_add_u16be(&data, size);
    bytes_add(&data, SPAN(room.content + at, size));
    say_all(out, bytes_span(&data));
}

/* ---- the command ----------------------------------------------------------------------------- */

static struct span take_field(struct span *in)
{
    struct cbor_item key, value;
    if (!cbor_expect(in, CBOR_TEXT, &key) || !cbor_next(in, &value) || value.kind != CBOR_BYTES)
        return (struct span){0};
    return value.bytes;
}

static void make_document(struct bytes *out)
{
    struct cbor_item head, key;
    struct span in = bytes_span(&nitro_tpm.heard);
    struct nsm_wish wish = nitro_tpm.wish;
    OWNED(bytes_done) struct bytes document = {0};
    if (!cbor_expect(&in, CBOR_PAIRS, &head) || !cbor_expect(&in, CBOR_TEXT, &key) ||
        !span_equal(key.bytes, span_of_text("Attestation")) ||
        !cbor_expect(&in, CBOR_PAIRS, &head) || head.value != 3)
        return;
    wish.user_data = take_field(&in);
    wish.nonce = take_field(&in);
    wish.public_key = take_field(&in);
    nsm_make(&wish, &document);
    cbor_add_pairs(out, 1);
    cbor_add_text(out, "Attestation");
    cbor_add_pairs(out, 1);
    cbor_add_text(out, "document");
    cbor_add_bytes(out, bytes_span(&document));
}

static void obey(struct span whole, struct bytes *out)
{
    OWNED(bytes_done) struct bytes answer = {0};
    bytes_done(&nitro_tpm.command);
    bytes_done(&nitro_tpm.heard);
    nitro_tpm.command = bytes_copy(whole);
    nitro_tpm.heard = bytes_copy(SPAN(room.content, room.request_len));
    if (nitro_tpm.refuses != 0 || !nitro_tpm.defined) {
        say(out, nitro_tpm.refuses != 0 ? nitro_tpm.refuses : NO_SUCH_HANDLE);
        return;
    }
    if (nitro_tpm.says != NULL)
        error_ignore(hex_decode(nitro_tpm.says, &answer, NULL));
    else
        make_document(&answer);
    if (answer.len > 0)
        memcpy(room.content, answer.at, answer.len);
    say_all(out, (struct span){0});
}

/* ---- the wire -------------------------------------------------------------------------------- */

/* The handle that the command is about stands first, or behind who may. */
static bool is_about_it(struct span whole, size_t at)
{
    struct reader in = reader_of(span_part(whole, at, 4));
    return read_u32be(&in) == NITRO_TPM_INDEX;
}

static bool stand_in(uint32_t command, struct span whole, struct bytes *out)
{
    enum { FIRST = 10, SECOND = 14, BEHIND = 18 };
    struct reader in = reader_of(span_part(whole, FIRST, whole.len));
    struct reader behind = reader_of(span_part(whole, BEHIND, whole.len));
    if (command == DEFINE)
        return define(&in, out);
    if (command == NITRO_TPM_COMMAND) {
        obey(whole, out);
        return true;
    }
    if (!is_about_it(whole, command == READ_PUBLIC ? FIRST : SECOND))
        return false;
    if (!nitro_tpm.defined) {
        say(out, NO_SUCH_HANDLE);
    } else if (command == READ_PUBLIC) {
        say_public(out);
    } else if (command == WRITE) {
        write_index(&behind, out);
    } else if (command == READ) {
        read_index(&behind, out);
    } else if (command == UNDEFINE) {
        nitro_tpm.defined = false;
        say_all(out, (struct span){0});
    } else {
        return false;
    }
    return true;
}

void nitro_tpm_set_up(struct soft_tpm *tpm)
{
    static uint8_t registers[24][48];
    memset(registers[4], 4, sizeof registers[4]);
    nitro_tpm = (struct nitro_tpm){.wish = nsm_wish()};
    nitro_tpm.wish.of_tpm = true;
    nitro_tpm.wish.registers = registers;
    nitro_tpm.wish.module_id = "i-0123456789abcdef0-tpm0123456789abcde";
    soft_tpm_stand_in(tpm, stand_in);
}

void nitro_tpm_tear_down(void)
{
    bytes_done(&nitro_tpm.heard);
    bytes_done(&nitro_tpm.command);
}
