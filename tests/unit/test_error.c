#include "lib/base/error.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/metrics.h"
#include "tests/support/test.h"

/* design.md section 8: 0 done, 1 failed, 2 used wrongly, 3 refused, 4 unreachable. */
static void every_outcome_has_its_exit_code_and_status(void **state)
{
    (void)state;
    assert_int_equal(outcome_exit_code(OK), 0);
    assert_int_equal(outcome_exit_code(ERR_INTERNAL), 1);
    assert_int_equal(outcome_exit_code(ERR_INVALID), 2);
    assert_int_equal(outcome_exit_code(ERR_DENIED), 3);
    assert_int_equal(outcome_exit_code(ERR_UNREACHABLE), 4);
    for (int i = OK + 1; i < OUTCOME_COUNT; i++) {
        assert_true(outcome_http_status((enum outcome)i) >= 400);
        assert_true(outcome_exit_code((enum outcome)i) > 0);
    }
}

static void only_what_may_be_repeated_blindly_is_worth_it(void **state)
{
    (void)state;
    assert_true(outcome_is_worth_retrying(ERR_THROTTLED));
    assert_true(outcome_is_worth_retrying(ERR_UNREACHABLE));
    assert_false(outcome_is_worth_retrying(ERR_AMBIGUOUS));
    assert_false(outcome_is_worth_retrying(ERR_INVALID));
}

static void context_stands_before_the_text_and_the_code_stays(void **state)
{
    (void)state;
    struct error err = {0};
    assert_fails(fail_at(&err, ERR_DENIED, "wrong-root", "/root", "not ours"), ERR_DENIED,
                 "wrong-root");
    assert_int_equal(error_context(&err, "launching %s", "i-42"), ERR_DENIED);
    assert_string_equal(err.text, "launching i-42: not ours");
    assert_string_equal(err.code, "wrong-root");
    assert_string_equal(err.where, "/root");
}

static void a_long_text_is_cut_not_overrun(void **state)
{
    (void)state;
    struct error err = {0};
    char text[2 * ERROR_TEXT_SIZE];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_fails(fail_code(&err, ERR_INVALID, "invalid", "%s", text), ERR_INVALID, "invalid");
    assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
    assert_int_equal(error_context(&err, "%s", text), ERR_INVALID);
    assert_int_equal(strlen(err.text), ERROR_TEXT_SIZE - 1);
}

static void a_long_text_is_never_cut_inside_a_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        struct error err = {0};
        char text[2 * ERROR_TEXT_SIZE] = "";
        memset(text, 'x', shift);
        while (strlen(text) + 4 < sizeof text)
            strcat(text, "\u20ac"); /* three bytes */
        assert_fails(fail_at(&err, ERR_INVALID, "invalid", text, "%s", text), ERR_INVALID,
                     "invalid");
        assert_true(text_is_clean(span_of_text(err.text)));
        assert_true(text_is_clean(span_of_text(err.where)));
        assert_int_equal(error_context(&err, "%.*s", (int)shift, "abc"), ERR_INVALID);
        assert_true(text_is_clean(span_of_text(err.text)));
    }
}

/* Names of drafts and clouds' messages are cut by the format that quotes them. */
static void a_name_cut_within_a_text_leaves_no_half_letter(void **state)
{
    (void)state;
    static const char name[] = "n\u00e4\u20ac\U0001f600";
    for (int cut = 0; cut < (int)sizeof name; cut++) {
        struct error err = {0};
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "/%.*s/x", cut, name);
        assert_fails(fail_at(&err, ERR_INVALID, "invalid", where, "'%.*s' is new", cut, name),
                     ERR_INVALID, "invalid");
        assert_true(text_is_clean(span_of_text(err.where)));
        assert_true(text_is_clean(span_of_text(err.text)));
        assert_non_null(strstr(err.text, "' is new"));
        assert_int_equal(error_context(&err, "of '%.*s'", cut, name), ERR_INVALID);
        assert_true(text_is_clean(span_of_text(err.text)));
    }
}

static void metrics_print_in_prometheus_form(void **state)
{
    (void)state;
    metric_set(METRIC_AGENTS_CONNECTED, 3);
    metric_add(METRIC_AGENTS_CONNECTED, -1);
    OWNED(text_done) struct text out = {0};
    metrics_print(&out);
    assert_non_null(strstr(text_str(&out), "# TYPE muster_agents_connected gauge\n"
                                           "muster_agents_connected 2\n"));
}

static void an_alarm_that_is_over_is_shown_as_none(void **state)
{
    (void)state;
    OWNED(text_done) struct text out = {0};
    metric_set_alarms("no-keeper", 1);
    metric_set_alarms("keeper-silent", 2);
    metric_set_alarms("no-keeper", 0);
    metrics_print(&out);
    assert_non_null(strstr(text_str(&out), "# TYPE muster_alarms gauge\n"
                                           "muster_alarms{code=\"no-keeper\"} 0\n"
                                           "muster_alarms{code=\"keeper-silent\"} 2\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_outcome_has_its_exit_code_and_status),
        cmocka_unit_test(only_what_may_be_repeated_blindly_is_worth_it),
        cmocka_unit_test(context_stands_before_the_text_and_the_code_stays),
        cmocka_unit_test(a_long_text_is_cut_not_overrun),
        cmocka_unit_test(a_long_text_is_never_cut_inside_a_character),
        cmocka_unit_test(a_name_cut_within_a_text_leaves_no_half_letter),
        cmocka_unit_test(metrics_print_in_prometheus_form),
        cmocka_unit_test(an_alarm_that_is_over_is_shown_as_none),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
