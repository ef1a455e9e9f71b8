/* What is no JSON of ours is refused before it costs anything: too long, too deep, too many items,
 * twice the same member, text that is none. */
#include "lib/base/json.h"

#include <string.h>

#include "tests/support/test.h"

static void refused(struct span in, const char *code)
{
    OWNED(json_drop) json_t *value = NULL;
    struct error err = {0};
    assert_fails(json_parse(in, 1 << 20, &value, &err), ERR_INVALID, code);
}

static void taken(struct span in)
{
    OWNED(json_drop) json_t *value = NULL;
    struct error err = {0};
    assert_ok(json_parse(in, 1 << 20, &value, &err));
}

/* `count` times `unit` between `before` and `after`. */
static struct text repeated(const char *before, const char *unit, int count, const char *after)
{
    struct text out = {0};
    text_add(&out, before);
    for (int i = 0; i < count; i++)
        text_add(&out, unit);
    text_add(&out, after);
    return out;
}

static void what_is_no_json_is_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "{}x",
                                      "{}{}",
                                      "nul",
                                      "[1,]",
                                      "\"\xff\"",
                                      "{\"a\":1,\"a\":1}",
                                      "\"\\u0000\"",
                                      "{1:2}",
                                      "[01]",
                                      "\xef\xbb\xbf{}"};
    for (size_t i = 0; i < countof(bad); i++)
        refused(span_of_text(bad[i]), "malformed");
    refused(SPAN_OF("{}"), "malformed"); /* with its NUL */
}

static void json_nested_too_deep_is_refused(void **state)
{
    (void)state;
    OWNED(text_done) struct text deep = repeated("", "[", JSON_DEPTH_MAX + 1, "");
    OWNED(text_done) struct text deeper = repeated("", "{\"a\":", 100000, "");
    OWNED(text_done) struct text quoted = repeated("[\"", "[", 1000, "\"]");
    OWNED(text_done) struct text wide = repeated("[", "[],", 1000, "[]]");
    refused(span_of_text(text_str(&deep)), "too-deep");
    refused(span_of_text(text_str(&deeper)), "too-deep");
    taken(span_of_text(text_str(&quoted)));
    taken(span_of_text(text_str(&wide)));
}

static void json_of_too_many_items_is_refused(void **state)
{
    (void)state;
    OWNED(text_done) struct text most = repeated("[", "0,", JSON_ITEMS_MAX - 1, "0]");
    OWNED(text_done) struct text more = repeated("[", "0,", JSON_ITEMS_MAX, "0]");
    OWNED(text_done) struct text quoted = repeated("[\"", ",", JSON_ITEMS_MAX + 1, "\"]");
    OWNED(json_drop) json_t *value = NULL;
    struct error err = {0};
    taken(span_of_text(text_str(&most)));
    refused(span_of_text(text_str(&more)), "too-large");
    taken(span_of_text(text_str(&quoted)));
    assert_ok(json_parse(span_of_text(text_str(&more)), 2 << 20, &value, &err));
}

static void json_over_its_limit_is_refused(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *value = NULL;
    struct error err = {0};
    assert_ok(json_parse(span_of_text("[1]"), 3, &value, &err));
    assert_fails(json_parse(span_of_text("[1] "), 3, &value, &err), ERR_INVALID, "too-large");
}

/* `text` as json_parse() reads it and as Jansson alone does. */
static void read_alike(const char *text)
{
    struct error err = {0};
    OWNED(json_drop) json_t *ours = NULL;
    OWNED(json_drop) json_t *theirs = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const enum outcome outcome = json_parse(span_of_text(text), 1 << 20, &ours, &err);
    assert_int_equal(outcome == OK, theirs != NULL);
    if (theirs != NULL)
        assert_true(json_equal(ours, theirs));
}

/* They are put aside while the rest is read: every place where one may stand, and what looks like
 * one or like its mark. */
static void long_strings_are_what_was_written(void **state)
{
    (void)state;
    static const char *const around[] = {
        "[\"%s\"]",
        "[\"%s\",\"%s\",1,\"\",\"%s\"]",
        "{\"a\":\"%s\",\"b\":{\"c\":[\"%s\",{\"d\":\"%s\"}]}}",
        "{\"%s\":1}",
        "{\"%s\" \n: \"%s\"}",
        "{\"a\":\"%s\",\"a\":\"%s\"}",
        "[\"%s\\n\",\"%s\"]",
        "[\"%s\\u0001\",\"%s\"]",
        "[\"\\u00010\",\"%s\"]",
        "[\"\\\\u00010\",\"%s\"]",
        "[\"%s\\\"%s\"]",
        "[\"%s\xc3\xa9\",\"%s\"]",
        "[\"%s\xff\",\"%s\"]",
        "[\"%s\n\",\"%s\"]",
        "[\"%s\"",
        "[\"%s",
        "[\"%s\\",
        "[\"%s\" \"%s\"]",
        "[1 \"%s\"]",
        "\"%s\"",
    };
    static const size_t lengths[] = {0, 1, 255, 256, 257, 5000};
    for (size_t i = 0; i < countof(around); i++)
        for (size_t j = 0; j < countof(lengths); j++) {
            OWNED(text_done) struct text word = repeated("", "~", (int)lengths[j], "");
            OWNED(text_done) struct text whole = {0};
            for (const char *at = around[i]; *at != '\0'; at++)
                if (at[0] == '%' && at[1] == 's') {
                    text_add(&whole, text_str(&word));
                    at++;
                } else {
                    text_add_span(&whole, SPAN(at, 1));
                }
            read_alike(text_str(&whole));
        }
}

static void more_long_strings_than_are_put_aside_are_read_too(void **state)
{
    (void)state;
    OWNED(text_done) struct text word = repeated("\"", "A", 300, "\",");
    OWNED(text_done) struct text whole = repeated("[", text_str(&word), 200, "0]");
    read_alike(text_str(&whole));
}

/* Signed bytes were printed by Jansson once, and must be the same for ever. */
static void what_is_printed_is_what_jansson_prints(void **state)
{
    (void)state;
    static const char *const values[] = {
        "{}",
        "[]",
        "[\"\"]",
        "[true,false,null,0,-1,9223372036854775807,-9223372036854775808,0.1,1e300,-2.5]",
        "{\"b\":1,\"a\":{\"z\":[],\"y\":{}},\"ab\":[[1],{\"c\":\"d\"}],\"\":2,\"B\":3}",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"a\\\"\",\"\\\"a\",\"\\\"\\\"\"]",
        "[\"\\u0001\\u001f\\u007f\\u0080\\u20ac\\ud83d\\ude00\"]",
        "{\"\\n\\u001f\\\"\":\"\xc3\xa9\",\"\xc3\xa9\":\"\xe2\x82\xac\",\"z\":1,"
        "\"\xf0\x9f\x98\x80\":2}",
    };
    for (size_t i = 0; i < countof(values); i++) {
        struct error err = {0};
        OWNED(json_drop) json_t *value = NULL;
        assert_ok(json_parse(span_of_text(values[i]), 1 << 20, &value, &err));
        OWNED(mem_drop) char *ours = json_print(value);
        OWNED(mem_drop)
        char *theirs = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        assert_string_equal(ours, theirs);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_malformed),
        cmocka_unit_test(json_nested_too_deep_is_refused),
        cmocka_unit_test(json_of_too_many_items_is_refused),
        cmocka_unit_test(json_over_its_limit_is_refused),
        cmocka_unit_test(long_strings_are_what_was_written),
        cmocka_unit_test(more_long_strings_than_are_put_aside_are_read_too),
        cmocka_unit_test(what_is_printed_is_what_jansson_prints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
