/* Who signs charters, and which simulator's roots one names: read from files that people write. */
#include "lib/model/charter.h"

#include <string.h>

#include "tests/support/test.h"

static void signers_need_a_threshold_they_can_reach_and_different_keys(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(key_to_public_pem(key, &pem, &err));
    static const int thresholds[] = {0, 2};
    for (size_t i = 0; i < countof(thresholds); i++) {
        struct charter_signers signers = {0};
        OWNED(json_drop)
        json_t *json = json_pack("{s:i,s:[s%]}", "threshold", thresholds[i], "keys",
                                 (const char *)pem.at, pem.len);
        OWNED(mem_drop) char *text = json_print(json);
        assert_int_equal(charter_signers_parse(span_of_text(text), &signers, &err), ERR_INVALID);
    }
    struct charter_signers signers = {0};
    OWNED(json_drop)
    json_t *twice = json_pack("{s:i,s:[s%,s%]}", "threshold", 1, "keys", (const char *)pem.at,
                              pem.len, (const char *)pem.at, pem.len);
    OWNED(mem_drop) char *text = json_print(twice);
    assert_fails(charter_signers_parse(span_of_text(text), &signers, &err), ERR_INVALID,
                 "bad-signers");
}

static void signers_are_p256_keys_and_nothing_else(void **state)
{
    (void)state;
    struct error err = {0};
    struct charter_signers signers = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(key_to_public_pem(key, &pem, &err));
    OWNED(json_drop)
    json_t *json = json_pack("{s:i,s:[s%]}", "threshold", 1, "keys", (const char *)pem.at, pem.len);
    OWNED(mem_drop) char *text = json_print(json);
    assert_fails(charter_signers_parse(span_of_text(text), &signers, &err), ERR_INVALID,
                 "bad-signers");
    static const char *const others[] = {"{}",
                                         "[]",
                                         "{\"threshold\":1,\"keys\":[]}",
                                         "{\"threshold\":1,\"keys\":[7]}",
                                         "{\"threshold\":1,\"keys\":[\"no key\"]}",
                                         "{\"threshold\":1,\"keys\":[],\"more\":1}"};
    for (size_t i = 0; i < countof(others); i++)
        assert_int_equal(charter_signers_parse(span_of_text(others[i]), &signers, &err),
                         ERR_INVALID);
    assert_int_equal(signers.count, 0);
}

static void a_file_without_roots_names_no_simulator(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes hashes = {0};
    assert_int_equal(charter_root_hashes(span_of_text(""), &hashes, &err), ERR_INVALID);
    assert_int_equal(charter_root_hashes(span_of_text("no certificate\n"), &hashes, &err),
                     ERR_INVALID);
    assert_int_equal(hashes.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signers_need_a_threshold_they_can_reach_and_different_keys),
        cmocka_unit_test(signers_are_p256_keys_and_nothing_else),
        cmocka_unit_test(a_file_without_roots_names_no_simulator),
    };
    return cmocka_run_group_tests_name("charter_signers", tests, NULL, NULL);
}
