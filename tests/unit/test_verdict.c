/* A check's detail is printable whatever it quotes, and the same with a format as without. */
#include "lib/model/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static void add(struct verdict *v, enum check_result result, const char *detail)
{
    switch (result) {
    case CHECK_PASS:
        return verdict_pass(v, "name", detail);
    case CHECK_SKIP:
        return verdict_skip(v, "name", detail);
    case CHECK_FAIL:
        return verdict_refuse(v, "name", REASON_MALFORMED, detail);
    case CHECK_RESULT_COUNT:
        break;
    }
    abort();
}

static void assert_alike(const char *detail)
{
    char expected[CHECK_DETAIL_SIZE];
    snprintf(expected, sizeof expected, "%s", detail);
    text_make_clean(expected);
    for (int result = 0; result < CHECK_RESULT_COUNT; result++) {
        struct verdict plain = {0};
        struct verdict formatted = {0};
        const enum reason reason = result == CHECK_FAIL ? REASON_MALFORMED : REASON_OK;
        add(&plain, (enum check_result)result, detail);
        verdict_add(&formatted, "name", (enum check_result)result, reason, "%s", detail);
        assert_string_equal(plain.checks[0].detail, expected);
        assert_string_equal(formatted.checks[0].detail, expected);
        assert_int_equal(plain.checks[0].result, result);
        assert_int_equal(plain.checks[0].reason, reason);
        assert_int_equal(plain.reason, reason);
        assert_int_equal(formatted.reason, reason);
    }
}

static void a_detail_is_the_same_without_a_format(void **state)
{
    (void)state;
    assert_alike("");
    assert_alike("100%s of \x01 what came %n");
    assert_alike("\xff\xc3");
}

static void a_long_detail_is_cut_and_stays_clean(void **state)
{
    (void)state;
    static const char *const ends[] = {"aaaa", "\xc3\xa9\xc3\xa9", "\xe2\x82\xac\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < countof(ends); i++)
        for (size_t len = CHECK_DETAIL_SIZE - 10; len < CHECK_DETAIL_SIZE + 10; len++) {
            char detail[2 * CHECK_DETAIL_SIZE] = "";
            memset(detail, 'a', len);
            memcpy(detail + len, ends[i], strlen(ends[i]));
            assert_alike(detail);
        }
}

static void the_first_failure_names_the_reason(void **state)
{
    (void)state;
    struct verdict v = {0};
    verdict_pass(&v, "first", "fine");
    verdict_refuse(&v, "second", REASON_REVOKED, "revoked");
    verdict_add(&v, "third", CHECK_FAIL, REASON_POLICY_AGE, "%d s", 7);
    assert_int_equal(v.reason, REASON_REVOKED);
    assert_int_equal(verdict_check(&v, "first")->reason, REASON_OK);
    assert_int_equal(verdict_check(&v, "third")->reason, REASON_POLICY_AGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_detail_is_the_same_without_a_format),
        cmocka_unit_test(a_long_detail_is_cut_and_stays_clean),
        cmocka_unit_test(the_first_failure_names_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
