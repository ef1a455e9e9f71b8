/* Each refusal of keys of TPMs, of manifests, reports and registers says what it refuses, as those
 * of test_malformed.c do. */
#include <string.h>

#include "lib/attest/event_judge.h"
#include "lib/attest/nitro_judge.h"
#include "lib/attest/snp_report.h"
#include "lib/attest/svsm_manifest.h"
#include "lib/attest/tpm_key.h"
#include "tests/support/made_vtpm.h"
#include "tests/support/says.h"
#include "tests/support/test.h"

#define A16 "AAAAAAAAAAAAAAAA"
#define A32 A16 A16

/* ---- keys of a TPM, and what an SVSM says of them ------------------------------------------- */

static enum outcome parse_public(struct span in, struct error *err)
{
    struct tpm_public key;
    return tpm_public_read(in, &key, err);
}

static enum outcome parse_manifest(struct span in, struct error *err)
{
    struct svsm_manifest manifest;
    return svsm_manifest_read(in, &manifest, err);
}

/* TPMT_PUBLIC up to the sizes: type, name algorithm, attributes, no policy, no cipher. */
#define PUBLIC(type) type "\x00\x0b\x00\x05\x00\x72\x00\x00\x00\x10"
#define P256 PUBLIC("\x00\x23") "\x00\x18\x00\x0b\x00\x03\x00\x10"
#define POINT "\x00\x20" A32 "\x00\x20" A32
#define RSA PUBLIC("\x00\x01") "\x00\x14\x00\x0b\x08\x00\x00\x00\x00\x00\x01\x00"
#define A256 A32 A32 A32 A32 A32 A32 A32 A32

static void each_refusal_of_a_tpms_key_says_what_it_is(void **state)
{
    (void)state;
    static const struct says_row rows[] = {
        ROW("", "a public area of type 0x0"),
        ROW(PUBLIC("\x00\x08"), "a public area of type 0x8"),
        ROW(P256, "a public area that ends in the middle"),
        ROW(P256 "\x00\x20" A32 "\x00\x20" A16, "a public area that ends in the middle"),
        ROW(RSA A16, "a public area that ends in the middle"),
        ROW(P256 POINT "x", "1 bytes behind the public area"),
        ROW(RSA A256 A256 A256 A256, "a public area of 1048 bytes"),
    };
    each_row_says_it(parse_public, rows, countof(rows));
}

static enum outcome verify_with(const char *key, size_t key_len, struct span signature,
                                struct error *err)
{
    struct tpm_public public;
    assert_int_equal(tpm_public_read(SPAN(key, key_len), &public, err), OK);
    return tpm_public_verify(&public, span_of_text("message"), signature, err);
}

static enum outcome verify_rsa(struct span signature, struct error *err)
{
    static const char key[] = RSA A256;
    return verify_with(key, sizeof key - 1, signature, err);
}

static enum outcome verify_p256(struct span signature, struct error *err)
{
    static const char key[] = P256 POINT;
    return verify_with(key, sizeof key - 1, signature, err);
}

static void each_refusal_of_a_tpms_signature_says_what_it_is(void **state)
{
    (void)state;
    static const struct says_row by_rsa[] = {
        ROW("", "not a signature over SHA-256"),
        ROW("\x00\x14\x00", "not a signature over SHA-256"),
        ROW("\x00\x14\x00\x04\x00\x01x", "not a signature over SHA-256"),
        ROW("\x00\x14\x00\x0b\x00\x01xx", "a signature of another length"),
        ROW("\x00\x18\x00\x0b\x00\x01x\x00\x01x", "signature 0x18 by another kind of key"),
    };
    static const struct says_row by_p256[] = {
        ROW("\x00\x18\x00\x0b\x00\x01x", "a signature of another length"),
        ROW("\x00\x18\x00\x0b\x00\x01x\x00\x01xx", "a signature of another length"),
        ROW("\x00\x18\x00\x0b\x00\x21" A32 "x\x00\x01x", "a signature of another length"),
        ROW("\x00\x18\x00\x0b\x00\x01x\x00\x21" A32 "x", "a signature of another length"),
        ROW("\x00\x14\x00\x0b\x00\x01x", "signature 0x14 by another kind of key"),
    };
    each_row_says_it(verify_rsa, by_rsa, countof(by_rsa));
    each_row_says_it(verify_p256, by_p256, countof(by_p256));
}

/* A modulus that begins with a zero bit is a shorter key than it says. */
static void a_short_modulus_and_other_keys_have_no_public_key_information(void **state)
{
    (void)state;
    static const char rsa[] = RSA A256;
    static const char p384[] = PUBLIC("\x00\x23") "\x00\x18\x00\x0b\x00\x04\x00\x10" POINT;
    OWNED(bytes_done) struct bytes spki = {0};
    struct error err = {0};
    struct tpm_public key;
    assert_ok(tpm_public_read(SPAN(rsa, sizeof rsa - 1), &key, &err));
    assert_fails(tpm_public_spki(&key, &spki, &err), ERR_INVALID, "unsupported-key");
    assert_non_null(strstr(err.text, "a modulus of fewer than 2048 bits"));
    assert_ok(tpm_public_read(SPAN(p384, sizeof p384 - 1), &key, &err));
    assert_fails(tpm_public_spki(&key, &spki, &err), ERR_INVALID, "unsupported-key");
    assert_int_equal(spki.len, 0);
}

#define TABLE "\xbb\x9e\x84\x63\x92\x3d\x70\x46\xa1\xff\x58\xf9\xc9\x4b\x87\xbb"
#define VTPM "\xeb\xf1\x76\xc4\x23\x01\xa5\x45\x96\x41\xb4\xe7\xdd\xe5\xbf\xe3"

static void each_refusal_of_a_manifest_says_what_it_is(void **state)
{
    (void)state;
    static const char key[] = P256 POINT;
    static const struct says_row rows[] = {
        ROW("", "a manifest that names no key"),
        ROW(TABLE "\x18\x00\x00\x00\x00\x00\x00\x00", "no vTPM service"),
        ROW(TABLE "\x18\x00\x00\x00\x11\x00\x00\x00", "a table of 24 bytes and 17 services"),
        ROW(TABLE "\x19\x00\x00\x00\x00\x00\x00\x00", "a table of 25 bytes"),
        ROW(TABLE "\x30\x00\x00\x00\x01\x00\x00\x00" VTPM "\x30\x00\x00\x00\x01\x00\x00\x00",
            "a service beyond the manifest"),
        ROW(TABLE "\x30\x00\x00\x00\x01\x00\x00\x00" VTPM "\x17\x00\x00\x00\x01\x00\x00\x00",
            "a service beyond the manifest"),
        ROW(TABLE "\x30\x00\x00\x00\x01\x00\x00\x00" VTPM "\x30\x00\x00\x00\x00\x00\x00\x00",
            "a manifest that names no key"),
    };
    each_row_says_it(parse_manifest, rows, countof(rows));
    OWNED(bytes_done) struct bytes many = {0};
    for (size_t i = 0; i <= SVSM_KEYS_MAX; i++)
        bytes_add(&many, SPAN(key, sizeof key - 1));
    assert_says(parse_manifest, bytes_span(&many), "more than 8 keys");
    bytes_add_room(&many, SVSM_MANIFEST_MAX + 1 - many.len);
    assert_says(parse_manifest, bytes_span(&many), "a manifest of 8193 bytes");
}

/* ---- sizes and counts ----------------------------------------------------------------------- */

static enum outcome parse_report(struct span in, struct error *err)
{
    struct snp_report report;
    return snp_report_read(in, &report, err);
}

static void a_report_has_one_size(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes report = {0};
    assert_says(parse_report, bytes_span(&report), "a report has 1184 bytes, this has 0");
    bytes_add_room(&report, SNP_REPORT_SIZE + 1);
    assert_says(parse_report, bytes_span(&report), "this has 1185");
    assert_says(parse_report, span_part(bytes_span(&report), 0, SNP_REPORT_SIZE - 1), "has 1183");
}

static enum outcome parse_registers(struct span in, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    struct pcr_set set;
    TRY(json_parse(in, in.len, &value, err));
    return pcr_set_from_json(value, &set, err);
}

static void registers_are_named_by_bank_and_number(void **state)
{
    (void)state;
#define ZERO "\"0000000000000000000000000000000000000000\""
    static const struct says_row rows[] = {
        ROW("[]", "not registers by bank"),
        ROW("{\"sha1\":[]}", "not registers"),
        ROW("{\"sha1\":{\"24\":" ZERO "}}", "/sha1/24: not a register"),
        ROW("{\"sha1\":{\"-1\":" ZERO "}}", "/sha1/-1: not a register"),
        ROW("{\"sha1\":{\"x\":" ZERO "}}", "/sha1/x: not a register"),
        ROW("{\"sha1\":{\"0\":\"00\"}}", "/sha1/0: not a value in hex"),
        ROW("{\"sha1\":{\"0\":0}}", "/sha1/0: not a value in hex"),
    };
    each_row_says_it(parse_registers, rows, countof(rows));
}

static void roots_of_enclaves_are_few(void **state)
{
    (void)state;
    struct error err = {0};
    struct nitro_roots roots = {0};
    const struct span root = span_of_text(made_vtpm_authority(0));
    for (size_t i = 0; i < NITRO_ROOTS_MAX; i++)
        assert_ok(nitro_roots_add(&roots, root, &err));
    assert_fails(nitro_roots_add(&roots, root, &err), ERR_INVALID, "invalid");
    assert_int_equal(roots.count, NITRO_ROOTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refusal_of_a_tpms_key_says_what_it_is),
        cmocka_unit_test(each_refusal_of_a_tpms_signature_says_what_it_is),
        cmocka_unit_test(a_short_modulus_and_other_keys_have_no_public_key_information),
        cmocka_unit_test(each_refusal_of_a_manifest_says_what_it_is),
        cmocka_unit_test(a_report_has_one_size),
        cmocka_unit_test(registers_are_named_by_bank_and_number),
        cmocka_unit_test(roots_of_enclaves_are_few),
    };
    return cmocka_run_group_tests_name("malformed keys", tests, NULL, NULL);
}
