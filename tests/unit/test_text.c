#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static void base64_takes_only_the_canonical_spelling(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes out = {0};
    assert_ok(base64_decode(span_of_text("TQ=="), &out, &err));
    assert_int_equal(out.len, 1);
    assert_fails(base64_decode(span_of_text("TR=="), &out, &err), ERR_INVALID, "invalid");
    assert_fails(base64_decode(span_of_text("TQ="), &out, &err), ERR_INVALID, "invalid");
    assert_fails(base64_decode(span_of_text("T\n=="), &out, &err), ERR_INVALID, "invalid");
    assert_fails(base64_decode(span_of_text("===="), &out, &err), ERR_INVALID, "invalid");
    assert_fails(base64url_decode(span_of_text("TQ=="), &out, &err), ERR_INVALID, "invalid");
}

static void base64_round_trips_every_length(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t in[64];
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 37 + 250);
    for (size_t n = 0; n <= sizeof in; n++) {
        OWNED(bytes_done) struct bytes out = {0};
        OWNED(mem_drop) char *plain = base64_of(SPAN(in, n));
        assert_ok(base64_decode(span_of_text(plain), &out, &err));
        assert_true(span_equal(bytes_span(&out), SPAN(in, n)));
        OWNED(mem_drop) char *url = base64url_of(SPAN(in, n));
        assert_ok(base64url_decode(span_of_text(url), &out, &err));
        assert_true(span_equal(bytes_span(&out), SPAN(in, n)));
    }
}

/* Of three quads, so that one of four letters at a time stands before it and behind it. */
static void base64_refuses_what_is_no_letter_wherever_it_stands(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes out = {0};
    for (unsigned c = 0; c <= UINT8_MAX; c++) {
        const bool both =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        const bool plain = both || c == '+' || c == '/';
        const bool url = both || c == '-' || c == '_';
        for (size_t at = 0; at < 12; at++) {
            uint8_t in[12];
            memset(in, 'A', sizeof in);
            in[at] = (uint8_t)c;
            const bool pads = c == '=' && at == sizeof in - 1;
            assert_int_equal(base64_decode(SPAN_OF(in), &out, &err) == OK, plain || pads);
            assert_int_equal(base64url_decode(SPAN_OF(in), &out, &err) == OK, url);
        }
    }
}

static void hex_takes_either_case_and_the_exact_length(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t out[2];
    assert_ok(hex_decode_exact("aBcD", out, 2, &err));
    assert_int_equal(out[0], 0xab);
    assert_fails(hex_decode_exact("abc", out, 2, &err), ERR_INVALID, "invalid");
    assert_fails(hex_decode_exact("abcg", out, 2, &err), ERR_INVALID, "invalid");
}

static void numbers_are_whole_strings_within_bounds(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t v;
    assert_ok(number_parse("42", 0, 100, &v, &err));
    assert_int_equal(v, 42);
    const char *const bad[] = {
        "", "4 2", " 42", "0x10", "+1", "101", "042", "-", "1e3", "99999999999999999999", "-0"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(number_parse(bad[i], 0, 100, &v, &err), ERR_INVALID, "invalid");
}

static void names_are_lower_case_words_with_dashes(void **state)
{
    (void)state;
    assert_true(text_is_name("web-1"));
    const char *const bad[] = {
        "",    "-a",  "a-",   "A",
        "a_b", "a.b", "../x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(text_is_name(bad[i]));
}

static void clean_text_is_utf8_without_controls(void **state)
{
    (void)state;
    assert_true(text_is_clean(span_of_text("gr\xc3\xbc\xc3\x9f dich\n")));
    const char *const bad[] = {"\x01", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                               "\xc3", "a\x7f",    "\xc2\x9bm",    "\xc2\x80"};
    assert_true(text_is_clean(span_of_text("\xc2\xa0\xc2\xa7")));
    for (size_t i = 0; i < countof(bad); i++) {
        char made[40];
        assert_false(text_is_clean(span_of_text(bad[i])));
        snprintf(made, sizeof made, "eight or more: %s\xc3\xa9\xf0\x9f", bad[i]);
        text_make_clean(made);
        assert_true(text_is_clean(span_of_text(made)));
    }
}

static void percent_decoding_refuses_nul_and_torn_escapes(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(text_done) struct text out = {0};
    assert_ok(percent_decode(span_of_text("a%20b"), &out, &err));
    assert_string_equal(text_str(&out), "a b");
    const char *const bad[] = {"%00", "%", "%2", "%zz"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(percent_decode(span_of_text(bad[i]), &out, &err), ERR_INVALID, "invalid");
}

static void what_does_not_fit_is_cut_between_characters(void **state)
{
    (void)state;
    char out[6];
    text_clip(out, sizeof out, "ab\tcdef");
    assert_string_equal(out, "ab cd");
    text_clip(out, sizeof out, "abcd\xc3\xa9");
    assert_string_equal(out, "abcd");
    text_clip(out, sizeof out, "abc\xc3\xa9");
    assert_string_equal(out, "abc\xc3\xa9");
    text_clip(out, sizeof out,
              "a\xc2\x9b"
              "b"); /* which terminals take for escape and bracket */
    assert_string_equal(out, "a  b");
    text_clip(out, sizeof out, "");
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_takes_only_the_canonical_spelling),
        cmocka_unit_test(base64_round_trips_every_length),
        cmocka_unit_test(base64_refuses_what_is_no_letter_wherever_it_stands),
        cmocka_unit_test(hex_takes_either_case_and_the_exact_length),
        cmocka_unit_test(numbers_are_whole_strings_within_bounds),
        cmocka_unit_test(names_are_lower_case_words_with_dashes),
        cmocka_unit_test(clean_text_is_utf8_without_controls),
        cmocka_unit_test(percent_decoding_refuses_nul_and_torn_escapes),
        cmocka_unit_test(what_does_not_fit_is_cut_between_characters),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
