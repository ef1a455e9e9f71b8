/* A signature is r and s in full length, whatever DER makes of them. */
#include "lib/crypto/sign.h"

#include "tests/support/test.h"

/* One in 256 numbers begins with a byte of zero, which DER leaves out, and half of them with a bit
 * that it puts a byte before. Signs until a number of each half was short. */
static void signs_until_short(enum key_kind kind, size_t half)
{
    enum { MOST = 20000 };
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(bytes_done) struct bytes signature = {0};
    bool r_was_short = false;
    bool s_was_short = false;
    assert_ok(key_generate(kind, &key, &err));
    for (size_t count = 0; count < MOST && !(r_was_short && s_was_short); count++) {
        const struct span message = SPAN(&count, sizeof count);
        assert_ok(key_sign(key, message, &signature, &err));
        assert_int_equal(signature.len, 2 * half);
        assert_ok(key_verify(key, message, bytes_span(&signature), &err));
        if (kind == KEY_P256)
            assert_true(signature_is_low(bytes_span(&signature)));
        r_was_short = r_was_short || signature.at[0] == 0;
        s_was_short = s_was_short || signature.at[half] == 0;
    }
    assert_true(r_was_short && s_was_short);
}

static void short_numbers_keep_their_place(void **state)
{
    (void)state;
    signs_until_short(KEY_P256, 32);
}

static void so_do_those_of_the_larger_curve(void **state)
{
    (void)state;
    signs_until_short(KEY_P384, 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_numbers_keep_their_place),
        cmocka_unit_test(so_do_those_of_the_larger_curve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
