/* An enclave's security module, with the test as the device behind the one ioctl: what it is asked,
 * what its documents are worth to a keeper, and what it may answer instead. */
#include "agent/nsm.h"

#include <errno.h>
#include <string.h>

#include "agent/tee.h"
#include "tests/support/fake_nsm.h"
#include "tests/support/nsm.h"
#include "tests/support/test.h"

static const uint8_t sealing_key[91] = {0x30, 0x59};
static const struct evidence_binding asked = {
    .digest = {1, 2, 3}, .nonce = {4, 5, 6}, .sealing_key = {sealing_key, sizeof sealing_key}};

static enum outcome attest(struct bytes *out, struct error *err)
{
    return nsm_attest(&fake_nsm_calls, "/dev/nsm", &asked, out, err);
}

/* ---- the honest way -------------------------------------------------------------------------- */

static void a_document_over_nonce_key_and_binding_is_what_a_keeper_trusts(void **state)
{
    (void)state;
    struct error err = {0};
    struct nitro_roots roots = {0};
    struct verdict v;
    OWNED(evidence_done) struct evidence got = {.kind = EVIDENCE_NITRO};
    assert_ok(attest(&got.document, &err));
    assert_ok(nitro_roots_add(&roots, nsm_root(0), &err));
    struct evidence_binding other = asked;
    struct evidence_terms terms = {
        .nitro_roots = &roots, .binding = &other, .at = clock_at_seconds(NSM_NOW)};
    evidence_judge(&got, &terms, &v);
    assert_true(v.trusted);
    verdict_done(&v);
    other.digest[0] ^= 1;
    evidence_judge(&got, &terms, &v);
    assert_false(v.trusted);
    verdict_done(&v);
}

static void a_request_is_to_the_byte_what_amazons_library_writes(void **state)
{
    (void)state;
    const struct evidence_binding nothing = {0};
    OWNED(bytes_done) struct bytes request = {0};
    OWNED(bytes_done) struct bytes empty = {0};
    static const char head[] = "\xa1\x6b"
                               "Attestation\xa3\x69user_data\x58\x40\1\2\3";
    static const char tail[] = "\x6apublic_key\xf6";
    nsm_request(&asked, &request);
    nsm_request(&nothing, &empty);
    assert_memory_equal(request.at, head, sizeof head - 1);
    assert_memory_equal(empty.at + empty.len - (sizeof tail - 1), tail, sizeof tail - 1);
}

/* ---- every other way ------------------------------------------------------------------------- */

static void what_the_kernel_says_is_told_by_its_own_code(void **state)
{
    (void)state;
    static const struct {
        int open, ioctl;
        enum outcome outcome;
        const char *code;
    } cases[] = {
        {ENOENT, 0, ERR_NOT_FOUND, "nsm-missing"},   {ENODEV, 0, ERR_NOT_FOUND, "nsm-missing"},
        {EACCES, 0, ERR_DENIED, "nsm-denied"},       {0, EPERM, ERR_DENIED, "nsm-denied"},
        {0, ETIMEDOUT, ERR_THROTTLED, "nsm-silent"}, {0, EIO, ERR_INTERNAL, "nsm-failed"},
        {0, EMSGSIZE, ERR_INTERNAL, "nsm-failed"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes got = {0};
        fake_nsm.open_number = cases[i].open;
        fake_nsm.ioctl_number = cases[i].ioctl;
        assert_fails(attest(&got, &err), cases[i].outcome, cases[i].code);
        assert_int_equal(got.len, 0);
    }
}

static void a_refusal_is_told_with_its_reason(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes got = {0};
    fake_nsm.says = "a1654572726f726d496e7465726e616c4572726f72"; /* {"Error": "InternalError"} */
    assert_fails(attest(&got, &err), ERR_DENIED, "nsm-refused");
    assert_non_null(strstr(err.text, "InternalError"));
}

#define ATTESTATION "6b4174746573746174696f6e"
#define DOCUMENT "68646f63756d656e74"
#define ERROR "654572726f72"

static void an_answer_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "a1",
        "80",
        "a0",
        "a1" ATTESTATION,
        "a1" ATTESTATION "a0",
        "a1" ATTESTATION "a1" DOCUMENT,
        "a1" ATTESTATION "a1" DOCUMENT "40",                   /* an empty one */
        "a1" ATTESTATION "a1" DOCUMENT "6161",                 /* text */
        "a1" ATTESTATION "a1" DOCUMENT "581000",               /* longer than what is there */
        "a1" ATTESTATION "a1" DOCUMENT "5bffffffffffffffff00", /* longer than anything */
        "a1" ATTESTATION "a1" DOCUMENT "410000",               /* a byte too many */
        "a2" ATTESTATION "a1" DOCUMENT "4100",                 /* a pair too few */
        "a2" ATTESTATION "a1" DOCUMENT "4100" ERROR "6161",    /* both */
        "a1" ATTESTATION "a2" DOCUMENT "4100" DOCUMENT "4101", /* twice */
        "a1" ATTESTATION "a2" DOCUMENT "4100"
        "6161"
        "00", /* more than a document */
        "a1"
        "694765745261"
        "6e646f6d"
        "a1" DOCUMENT "4100", /* GetRandom's */
        "bf" ATTESTATION "bf" DOCUMENT "4100"
        "ff", /* never ends */
        "a1" ERROR "00",
        "a1" ERROR "6100",
        "bbffffffffffffffff" ATTESTATION "a1" DOCUMENT "4100",
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes got = {0};
        fake_nsm.says = cases[i];
        assert_fails(attest(&got, &err), ERR_INVALID, "nsm-bad-answer");
        assert_int_equal(got.len, 0);
    }
}

static void maps_of_indefinite_length_are_fine(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes got = {0};
    fake_nsm.says = "bf" ATTESTATION "bf" DOCUMENT "4107"
                    "ff"
                    "ff";
    assert_ok(attest(&got, &err));
    assert_int_equal(got.len, 1);
    assert_int_equal(got.at[0], 7);
}

static void a_length_beyond_the_room_is_not_believed(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes got = {0};
    fake_nsm.claims_len = NSM_RESPONSE_MAX + 1;
    assert_fails(attest(&got, &err), ERR_INVALID, "nsm-bad-answer");
    fake_nsm.claims_len = SIZE_MAX;
    assert_fails(attest(&got, &err), ERR_INVALID, "nsm-bad-answer");
    fake_nsm.claims_len = 40;
    assert_fails(attest(&got, &err), ERR_INVALID, "nsm-bad-answer");
    fake_nsm.says = "a1" ATTESTATION "a1" DOCUMENT "594000"; /* whole, by what both lengths say */
    fake_nsm.claims_len = strlen(fake_nsm.says) / 2 + 0x4000;
    assert_fails(attest(&got, &err), ERR_INVALID, "nsm-bad-answer");
}

static void a_request_that_no_module_takes_is_not_sent(void **state)
{
    (void)state;
    struct error err = {0};
    static const uint8_t large[NSM_REQUEST_MAX];
    struct evidence_binding too_much = asked;
    OWNED(bytes_done) struct bytes got = {0};
    too_much.sealing_key = SPAN_OF(large);
    assert_int_equal(nsm_attest(&fake_nsm_calls, "/dev/nsm", &too_much, &got, &err), ERR_INVALID);
    assert_int_equal(fake_nsm.heard.len, 0);
}

static void what_is_no_enclave_says_so_at_start(void **state)
{
    (void)state;
    struct error err = {0};
    struct tee *tee = NULL;
    assert_fails(tee_open("nitro", &(struct tee_places){.nsm_path = "/nonexistent"}, &tee, &err),
                 ERR_NOT_FOUND, "nsm-missing");
    assert_fails(tee_open("nitro", &(struct tee_places){.nsm_path = "/dev/null"}, &tee, &err),
                 ERR_INTERNAL, "nsm-failed");
    assert_null(tee);
}

#define T(test) cmocka_unit_test_setup_teardown(test, fake_nsm_reset, fake_nsm_reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_document_over_nonce_key_and_binding_is_what_a_keeper_trusts),
        T(a_request_is_to_the_byte_what_amazons_library_writes),
        T(what_the_kernel_says_is_told_by_its_own_code),
        T(a_refusal_is_told_with_its_reason),
        T(an_answer_that_is_none_is_refused),
        T(maps_of_indefinite_length_are_fine),
        T(a_length_beyond_the_room_is_not_believed),
        T(a_request_that_no_module_takes_is_not_sent),
        T(what_is_no_enclave_says_so_at_start),
    };
    return cmocka_run_group_tests_name("nsm", tests, NULL, NULL);
}
