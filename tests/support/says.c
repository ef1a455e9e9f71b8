#include "tests/support/says.h"

#include <string.h>

#include "tests/support/test.h"

void assert_says(parse_fn *parse, struct span in, const char *says)
{
    struct error err = {0};
    assert_int_not_equal(parse(in, &err), OK);
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' is not '%s'", err.text, says);
}

void each_row_says_it(parse_fn *parse, const struct says_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_says(parse, SPAN(rows[i].bytes, rows[i].len), rows[i].says);
}

void each_patch_says_it(parse_fn *parse, const struct bytes *good, const struct says_patch *rows,
                        size_t count)
{
    struct error err = {0};
    assert_ok(parse(bytes_span(good), &err));
    for (size_t i = 0; i < count; i++) {
        OWNED(bytes_done) struct bytes bad = bytes_copy(bytes_span(good));
        assert_true(rows[i].at < bad.len);
        bad.at[rows[i].at] = rows[i].value;
        assert_says(parse, bytes_span(&bad), rows[i].says);
    }
}
