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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_json_is_malformed),
        cmocka_unit_test(json_nested_too_deep_is_refused),
        cmocka_unit_test(json_of_too_many_items_is_refused),
        cmocka_unit_test(json_over_its_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
