/* Each refusal of a parser says what it refuses, so each is seen to be the one that does: what is
 * wrong in one thing is often wrong in a second one further on. */
#include <string.h>

#include "lib/attest/cose_sign1.h"
#include "lib/attest/event_log.h"
#include "lib/attest/firmware.h"
#include "lib/attest/hcl_report.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/tpm_quote.h"
#include "lib/crypto/digest.h"
#include "tests/support/made_firmware.h"
#include "tests/support/says.h"
#include "tests/support/test.h"

/* ---- COSE ----------------------------------------------------------------------------------- */

static enum outcome parse_cose(struct span in, struct error *err)
{
    struct cose_sign1 cose;
    return cose_sign1_read(in, &cose, err);
}

#define HEADER "\x44\xa1\x01\x38\x22"
#define A16 "AAAAAAAAAAAAAAAA"
#define A32 A16 A16
#define SIGNATURE "\x58\x60" A32 A32 A32

static void each_refusal_of_cose_says_what_it_is(void **state)
{
    (void)state;
    static const struct says_row rows[] = {
        ROW("\x80", "not a list of four parts"),
        ROW("\x85", "not a list of four parts"),
        ROW("\x84\x01", "the protected header is no byte string"),
        ROW("\x84\x40", "the protected header is empty"),
        ROW("\x84\x41\x80", "the protected header is no map"),
        ROW("\x84\x44\xa1\x02\x38\x22", "more than one algorithm"),
        ROW("\x84\x47\xa2\x01\x38\x22\x01\x38\x22", "more than one algorithm"),
        ROW("\x84\x42\xa1\x01", "the protected header is cut off"),
        ROW("\x84\x45\xa1\x01\x38\x22\x00", "bytes after the protected header"),
        ROW("\x84\x44\xa1\x01\x38\x21", "the algorithm is not ES384"),
        ROW("\x84" HEADER "\xa1", "the unprotected header is not an empty map"),
        ROW("\x84" HEADER "\x80", "the unprotected header is not an empty map"),
        ROW("\x84" HEADER "\xa0\x40", "the payload has 0 bytes"),
        ROW("\x84" HEADER "\xa0\x41x\x41x", "the signature has 1 bytes"),
        ROW("\x9f" HEADER "\xa0\x41x" SIGNATURE "\x00", "more than four parts"),
        ROW("\x84" HEADER "\xa0\x41x" SIGNATURE "\x00", "1 bytes after the document"),
    };
    each_row_says_it(parse_cose, rows, countof(rows));
}

/* ---- the payload of an enclave's document --------------------------------------------------- */

static enum outcome parse_document(struct span in, struct error *err)
{
    struct nitro_document document;
    return nitro_document_read(in, &document, err);
}

#define PCR0 "\x00\x58\x20" A32
#define DIGEST                                                                                     \
    "\x66"                                                                                         \
    "digest"                                                                                       \
    "\x66"                                                                                         \
    "SHA384"
#define REST                                                                                       \
    "\x69"                                                                                         \
    "module_id"                                                                                    \
    "\x61"                                                                                         \
    "i" DIGEST "\x69"                                                                              \
    "timestamp"                                                                                    \
    "\x01"                                                                                         \
    "\x6b"                                                                                         \
    "certificate"                                                                                  \
    "\x41"                                                                                         \
    "x"                                                                                            \
    "\x68"                                                                                         \
    "cabundle"                                                                                     \
    "\x81\x41"                                                                                     \
    "x"
#define X17 "\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x\x41x"

static void each_refusal_of_a_document_says_what_it_is(void **state)
{
    (void)state;
    static const struct says_row rows[] = {
        ROW("\x80", "the payload is no map"),
        ROW("\xa1\x00", "the name of a member is no text"),
        ROW("\xa1\x61x\x00", "an unknown member"),
        ROW("\xa2" DIGEST DIGEST, "digest twice"),
        ROW("\xa0", "no module_id"),
        ROW("\xa1\x69module_id\x60", "module_id is not a short text"),
        ROW("\xa1\x69module_id\x61\x07", "module_id is not a short text"),
        ROW("\xa1\x66"
            "digest"
            "\x66SHA256",
            "digest is not SHA384"),
        ROW("\xa1\x69timestamp\x00", "timestamp is not a time"),
        ROW("\xa1\x64pcrs\x80", "pcrs is no map"),
        ROW("\xa1\x64pcrs\xa0", "no PCR at all"),
        ROW("\xa1\x64pcrs\xa1\x18\x20\x40", "not the number of a PCR"),
        ROW("\xa1\x64pcrs\xa1\x00\x00", "PCR0 is no byte string"),
        ROW("\xa1\x64pcrs\xa1\x00\x41\x00", "PCR0 has 1 bytes"),
        ROW("\xa1\x64pcrs\xa2" PCR0 PCR0, "PCR0 twice"),
        ROW("\xa2\x64pcrs\xa1" PCR0 "\x6dnitrotpm_pcrs\xa1" PCR0, "registers of two kinds"),
        ROW("\xa1\x6b"
            "certificate"
            "\x40",
            "not a certificate of 1"),
        ROW("\xa1\x68"
            "cabundle"
            "\xa0",
            "cabundle is no list"),
        ROW("\xa1\x68"
            "cabundle"
            "\x80",
            "cabundle is empty"),
        ROW("\xa1\x68"
            "cabundle"
            "\x91" X17,
            "more than 16 certificates"),
        ROW("\xa1\x65nonce", "a field is cut off"),
        ROW("\xa1\x65nonce\x00", "a field is no byte string"),
        ROW("\xa1\x6apublic_key\x40", "a field is no byte string"),
        ROW("\xa5" REST, "no pcrs"),
        ROW("\xa6" REST "\x64pcrs\xa1" PCR0 "\x00", "1 bytes after the payload's map"),
    };
    each_row_says_it(parse_document, rows, countof(rows));
}

/* ---- quotes --------------------------------------------------------------------------------- */

static enum outcome parse_quote(struct span in, struct error *err)
{
    struct tpm_quote quote;
    return tpm_quote_read(in, &quote, err);
}

static void each_refusal_of_a_quote_says_what_it_is(void **state)
{
    (void)state;
    static const uint8_t head[] = {0xff, 'T', 'C', 'G', 0x80, 0x18};
    static const uint8_t selected[] = {0, 0, 0, 1, 0, 0x0b, 4, 0xff, 0xff, 0xff, 0};
    static const struct says_patch rows[] = {
        {0, 0, "not a TPM's quote"},
        {5, 0x17, "not a TPM's quote"},
        {38, 9, "9 selections"},
        {41, 5, "a selection of 5 bytes"},
        {45, 1, "a selection of registers that do not exist"},
        {47, 1, "a quote that ends in the middle"},
    };
    OWNED(bytes_done) struct bytes good = {0};
    bytes_add(&good, SPAN_OF(head));
    bytes_add_room(&good, 29);
    bytes_add(&good, SPAN_OF(selected));
    bytes_add_u16be(&good, 0);
    each_patch_says_it(parse_quote, &good, rows, countof(rows));
    bytes_add_room(&good, TPM_QUOTE_MAX);
    assert_says(parse_quote, bytes_span(&good), "a quote of 2096 bytes");
}

/* ---- the paravisor's wrapper ---------------------------------------------------------------- */

static enum outcome parse_wrapper(struct span in, struct error *err)
{
    struct hcl_report hcl;
    return hcl_report_read(in, &hcl, err);
}

static enum outcome parse_claims(struct span in, struct error *err)
{
    OWNED(hcl_claims_done) struct hcl_claims claims = {.vm_id = ""};
    return hcl_claims_read(in, &claims, err);
}

static void each_refusal_of_a_wrapper_says_what_it_is(void **state)
{
    (void)state;
    enum { HEAD = 32, DATA = HEAD + HCL_HARDWARE_SIZE };
    static const struct says_patch rows[] = {
        {0, 'h', "no paravisor report"},
        {4, 0, "version 0, request 2, status 0"},
        {4, 3, "version 3, request 2, status 0"},
        {12, 1, "version 1, request 1, status 0"},
        {16, 1, "version 1, request 2, status 1"},
        {HEAD - 1, 1, "version 1, request 2, status 0"},
        {DATA + 4, 2, "data version 2, hash type 1"},
        {DATA + 8, 3, "report type 3 over another report"},
        {DATA + 12, 0, "data version 1, hash type 0"},
        {DATA + 12, 4, "data version 1, hash type 4"},
        {DATA + 16, 3, "3 bytes of claims in 2"},
    };
    OWNED(bytes_done) struct bytes good = {0};
    bytes_add(&good, span_of_text("HCLA"));
    bytes_add_u32le(&good, 1);
    bytes_add_u32le(&good, 0);
    bytes_add_u32le(&good, 2);
    bytes_add_room(&good, HEAD - 16 + HCL_HARDWARE_SIZE);
    bytes_add_u32le(&good, 22);
    bytes_add_u32le(&good, 1);
    bytes_add_u32le(&good, 2);
    bytes_add_u32le(&good, 1);
    bytes_add_u32le(&good, 2);
    bytes_add(&good, span_of_text("{}"));
    each_patch_says_it(parse_wrapper, &good, rows, countof(rows));
    assert_says(parse_wrapper, SPAN(good.at, DATA + 19), "the report ends in the middle");
    bytes_add_room(&good, HCL_REPORT_MAX);
    assert_says(parse_wrapper, bytes_span(&good), "a paravisor report of ");
}

static void each_refusal_of_claims_says_what_it_is(void **state)
{
    (void)state;
#define KEY "{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"
    static const struct says_row rows[] = {
        ROW("{", "not JSON"),
        ROW("{\"keys\":[]}", "no attestation key"),
        ROW("{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"EC\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
            "no attestation key"),
        ROW("{\"keys\":[" KEY "," KEY "]}", "two attestation keys"),
        ROW("{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}]}",
            "the attestation key's n is no number"),
        ROW("{\"keys\":[{\"kid\":\"HCLAkPub\",\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":7}]}",
            "the attestation key's e is no number"),
    };
    each_row_says_it(parse_claims, rows, countof(rows));
    OWNED(bytes_done) struct bytes huge = {0};
    bytes_add_room(&huge, HCL_REPORT_MAX + 1);
    assert_says(parse_claims, bytes_span(&huge), "runtime claims of ");
}

/* ---- firmware ------------------------------------------------------------------------------- */

static enum outcome parse_firmware(struct span in, struct error *err)
{
    struct firmware firmware;
    return firmware_parse(in, UINT64_C(1) << 32, &firmware, err);
}

static void assert_firmware_says(const struct firmware_wish *wish, const char *says)
{
    uint8_t image[FIRMWARE_MADE_SIZE];
    firmware_make(wish, image);
    assert_says(parse_firmware, SPAN_OF(image), says);
}

static void each_refusal_of_a_firmware_says_what_it_is(void **state)
{
    (void)state;
    enum { FOOTER = FIRMWARE_MADE_SIZE - 32 - 18 };
    uint8_t image[FIRMWARE_MADE_SIZE];
    struct firmware_wish wish = firmware_wish_usual();
    firmware_make(&wish, image);
    assert_says(parse_firmware, SPAN(image, 0), "a firmware of 0 bytes");
    assert_says(parse_firmware, SPAN(image, sizeof image - 1), "a firmware of 8191 bytes");
    image[FOOTER] += 5;
    assert_says(parse_firmware, SPAN_OF(image), "5 bytes are left in the table of structures");
    image[FOOTER] = 17;
    assert_says(parse_firmware, SPAN_OF(image), "a structure of 17 bytes in a table of");
    image[FOOTER + 2] ^= 1;
    image[FOOTER] = 18;
    assert_says(parse_firmware, SPAN_OF(image), "no table of structures at the end");
    static const uint8_t reset_block[16] = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                                            0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
    firmware_make(&wish, image);
    uint8_t *reset = memmem(image, sizeof image, reset_block, sizeof reset_block);
    assert_non_null(reset);
    reset[-2] = 18; /* its size, now with no data */
    assert_says(parse_firmware, SPAN_OF(image), "a reset block of 0 bytes");
    wish.metadata_version = 2;
    assert_firmware_says(&wish, "SEV metadata of version 2");
    wish = firmware_wish_usual();
    wish.metadata_from_end = 15;
    assert_firmware_says(&wish, "SEV metadata 15 bytes before the end of 8192");
    wish = firmware_wish_usual();
    wish.claimed_count = 6000;
    assert_firmware_says(&wish, "6000 metadata sections in ");
    wish = firmware_wish_usual();
    wish.reset_twice = true;
    assert_firmware_says(&wish, "the reset block twice");
    wish = firmware_wish_usual();
    wish.sections[2][2] = 5;
    assert_firmware_says(&wish, "a metadata section of kind 5");
    wish = firmware_wish_usual();
    wish.sections[2][1] = 0;
    assert_firmware_says(&wish, "a metadata section of 0 bytes at");
}

/* ---- boot logs ------------------------------------------------------------------------------ */

static enum outcome parse_log(struct span in, struct error *err)
{
    OWNED(mem_drop) struct event_replay *replay = NEW(struct event_replay);
    return event_log_replay(in, replay, err);
}

static void add_u16le(struct bytes *out, uint16_t value)
{
    bytes_add_u8(out, (uint8_t)value);
    bytes_add_u8(out, (uint8_t)(value >> 8));
}

/* SHA-256 and, for a second one, SHA-1; and one event with digests of both. */
static void log_with_one_event(struct bytes *out)
{
    enum { SPEC_SIZE = 37 };
    static const char signature[] = "Spec ID Event03";
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, EV_NO_ACTION);
    bytes_add_room(out, SHA1_SIZE);
    bytes_add_u32le(out, SPEC_SIZE);
    bytes_add(out, SPAN_OF(signature));
    bytes_add_u64be(out, 0);
    bytes_add_u32le(out, 2);
    add_u16le(out, 0x0b);
    add_u16le(out, SHA256_SIZE);
    add_u16le(out, 0x04);
    add_u16le(out, SHA1_SIZE);
    bytes_add_u8(out, 0);
    bytes_add_u32le(out, 4);
    bytes_add_u32le(out, EV_EFI_BOOT_SERVICES_APPLICATION);
    bytes_add_u32le(out, 2);
    add_u16le(out, 0x0b);
    bytes_add_room(out, SHA256_SIZE);
    add_u16le(out, 0x04);
    bytes_add_room(out, SHA1_SIZE);
    bytes_add_u32le(out, 1);
    bytes_add_u8(out, 'x');
}

static void each_refusal_of_a_log_says_what_it_is(void **state)
{
    (void)state;
    enum { SPEC = 32, EVENT = SPEC + 37 };
    static const struct says_patch rows[] = {
        {4, EV_SEPARATOR, "the log does not begin with its header"},
        {SPEC, 's', "not a crypto-agile log"},
        {SPEC + 24, 0, "0 algorithms"},
        {SPEC + 24, 17, "17 algorithms"},
        {SPEC + 30, 33, "digests of 33 bytes by algorithm 0xb"},
        {SPEC + 30, 0, "digests of 0 bytes by algorithm 0xb"},
        {SPEC + 32, 0x0b, "digests of 20 bytes by algorithm 0xb"},
        {SPEC + 36, 1, "the header's length is not its own"},
        {28, 38, "the header's length is not its own"},
        {EVENT, PCR_COUNT, "an event for register 24"},
        {EVENT + 8, 17, "an event with 17 digests"},
        {EVENT + 12, 0x0c, "a digest by algorithm 0xc, which the header does not name"},
        {EVENT + 68, 2, "an event beyond the end of the log"},
    };
    OWNED(bytes_done) struct bytes good = {0};
    log_with_one_event(&good);
    each_patch_says_it(parse_log, &good, rows, countof(rows));
    OWNED(bytes_done) struct bytes huge = {0};
    bytes_add_room(&huge, EVENT_LOG_MAX + 1);
    assert_says(parse_log, bytes_span(&huge), "a log of ");
}

/* An algorithm of the header, and one of an event, again: by its number, whatever else is right. */
static void a_log_names_each_algorithm_once(void **state)
{
    (void)state;
    enum { SPEC = 32, EVENT = SPEC + 37 };
    OWNED(bytes_done) struct bytes twice = {0};
    log_with_one_event(&twice);
    twice.at[SPEC + 28] = 0x12; /* SM3, of a size that is SHA-1's here, so that both can be it */
    twice.at[SPEC + 30] = SHA1_SIZE;
    twice.at[SPEC + 32] = 0x12;
    assert_says(parse_log, bytes_span(&twice), "algorithm 0x12 twice");
    OWNED(bytes_done) struct bytes event = {0};
    log_with_one_event(&event);
    event.at[EVENT + 46] = 0x0b;
    bytes_add_room(&event, SHA256_SIZE - SHA1_SIZE);
    assert_says(parse_log, bytes_span(&event), "two digests for one bank");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_of_cose_says_what_it_is),
        cmocka_unit_test(each_refusal_of_a_document_says_what_it_is),
        cmocka_unit_test(each_refusal_of_a_quote_says_what_it_is),
        cmocka_unit_test(each_refusal_of_a_wrapper_says_what_it_is),
        cmocka_unit_test(each_refusal_of_claims_says_what_it_is),
        cmocka_unit_test(each_refusal_of_a_firmware_says_what_it_is),
        cmocka_unit_test(each_refusal_of_a_log_says_what_it_is),
        cmocka_unit_test(a_log_names_each_algorithm_once),
    };
    return cmocka_run_group_tests_name("malformed", tests, NULL, NULL);
}
