#include "lib/base/bytes.h"

#include <string.h>

#include "tests/support/test.h"

static void reader_reads_numbers_in_both_byte_orders(void **state)
{
    (void)state;
    struct error err = {0};
    const uint8_t in[] = {1, 2, 0x12, 0x34, 0x12, 0x34, 0x56, 0x78, 0xff};
    struct reader r = reader_of(SPAN_OF(in));
    assert_int_equal(read_u16le(&r), 0x0201);
    assert_int_equal(read_u16be(&r), 0x1234);
    assert_int_equal(read_u32be(&r), 0x12345678);
    assert_int_equal(reader_left(&r), 1);
    assert_fails(reader_end(&r, &err), ERR_INVALID, "malformed");
    assert_int_equal(read_u8(&r), 0xff);
    assert_ok(reader_end(&r, &err));
}

static void reader_that_ran_short_gives_zeroes_and_stays_short(void **state)
{
    (void)state;
    struct error err = {0};
    const uint8_t in[] = {1, 2, 3};
    struct reader r = reader_of(SPAN_OF(in));
    assert_int_equal(read_u32le(&r), 0);
    assert_int_equal(read_u8(&r), 0);
    assert_fails(reader_end(&r, &err), ERR_INVALID, "malformed");
}

static void reader_survives_a_length_near_the_largest_number(void **state)
{
    (void)state;
    const uint8_t in[] = {1, 2, 3};
    struct reader r = reader_of(SPAN_OF(in));
    assert_int_equal(read_u8(&r), 1);
    assert_null(read_span(&r, SIZE_MAX).at);
    assert_true(r.ran_short);
}

static void a_nul_follows_whatever_was_added(void **state)
{
    (void)state;
    for (size_t len = 1; len < 300; len++) {
        OWNED(bytes_done) struct bytes copied = {0};
        OWNED(bytes_done) struct bytes roomy = {0};
        OWNED(bytes_done) struct bytes grown = {0};
        memset(bytes_add_room(&roomy, len), 'x', len);
        assert_int_equal(roomy.at[len], 0);
        copied = bytes_copy(bytes_span(&roomy));
        assert_int_equal(strlen((const char *)copied.at), len);
        for (size_t i = 0; i < len; i++)
            bytes_add_u8(&grown, 'x');
        assert_string_equal((const char *)grown.at, (const char *)copied.at);
    }
    OWNED(bytes_done) struct bytes empty = bytes_copy(SPAN("", 0));
    assert_null(empty.at);
}

static void bytes_grow_and_keep_what_they_held(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes b = {0};
    for (unsigned i = 0; i < 1000; i++)
        bytes_add_u32be(&b, i);
    assert_int_equal(b.len, 4000);
    struct reader r = reader_of(bytes_span(&b));
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(read_u32be(&r), i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_numbers_in_both_byte_orders),
        cmocka_unit_test(reader_that_ran_short_gives_zeroes_and_stays_short),
        cmocka_unit_test(reader_survives_a_length_near_the_largest_number),
        cmocka_unit_test(a_nul_follows_whatever_was_added),
        cmocka_unit_test(bytes_grow_and_keep_what_they_held),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
