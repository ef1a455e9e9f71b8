/* The key-encryption key outlives its machine: any recovery key opens it, and nobody else. */
#include "lib/crypto/recovery.h"

#include <string.h>

#include "lib/crypto/kek.h"
#include "tests/support/test.h"

enum { HOLDERS = 3 };

static const char secret[] = "muster-kek-1 production 1\nnot a real one\n";

struct world {
    struct key *keys[HOLDERS]; /* the last one is P-384 */
    struct cert *certs[HOLDERS];
    struct bytes wrapped;
};

/* Self-made, as a guest's; what counts of it is its key. */
static struct cert *cert_of(const struct key *key)
{
    struct error err = {0};
    struct cert *cert = NULL;
    if (key_kind_of(key) == KEY_P384)
        assert_ok(cert_make_root(key, REALM_PRODUCTION, clock_now(), &cert, &err));
    else
        assert_ok(cert_make_guest(key, &cert, &err));
    return cert;
}

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    for (size_t i = 0; i < HOLDERS; i++) {
        assert_ok(key_generate(i + 1 < HOLDERS ? KEY_P256 : KEY_P384, &w->keys[i], &err));
        w->certs[i] = cert_of(w->keys[i]);
    }
    assert_ok(recovery_wrap(span_of_text(secret), w->certs, HOLDERS, &w->wrapped, &err));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < HOLDERS; i++) {
        key_free(w->keys[i]);
        cert_free(w->certs[i]);
    }
    bytes_done(&w->wrapped);
    mem_drop(state);
    return 0;
}

static void each_recovery_key_opens_it_alone(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < HOLDERS; i++) {
        struct error err = {0};
        OWNED(locked_done) struct locked plain = {0};
        assert_ok(recovery_open(bytes_span(&w->wrapped), w->keys[i], &plain, &err));
        assert_true(span_equal(locked_span(&plain), span_of_text(secret)));
    }
}

static void nobody_else_opens_it(void **state)
{
    struct world *w = *state;
    static const enum key_kind kinds[] = {KEY_P256, KEY_P384, KEY_ED25519};
    for (size_t i = 0; i < countof(kinds); i++) {
        struct error err = {0};
        OWNED(key_drop) struct key *stranger = NULL;
        OWNED(locked_done) struct locked plain = {0};
        assert_ok(key_generate(kinds[i], &stranger, &err));
        assert_fails(recovery_open(bytes_span(&w->wrapped), stranger, &plain, &err), ERR_DENIED,
                     "recovery-not-ours");
        assert_null(plain.at);
    }
    assert_null(memmem(w->wrapped.at, w->wrapped.len, secret, 12));
}

static void a_public_half_opens_nothing(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(key_drop) struct key *public = NULL;
    OWNED(locked_done) struct locked plain = {0};
    assert_ok(key_to_public_pem(w->keys[0], &pem, &err));
    assert_ok(key_from_public_pem(bytes_span(&pem), &public, &err));
    assert_fails(recovery_open(bytes_span(&w->wrapped), public, &plain, &err), ERR_DENIED,
                 "recovery-not-ours");
}

/* The names of the certificates are not authenticated, so a change there may still open: but never
 * to anything else. */
static void a_changed_byte_opens_nothing_else(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < w->wrapped.len; i += 3) {
        OWNED(locked_done) struct locked plain = {0};
        w->wrapped.at[i] ^= 0x21;
        if (recovery_open(bytes_span(&w->wrapped), w->keys[1], &plain, NULL) == OK)
            assert_true(span_equal(locked_span(&plain), span_of_text(secret)));
        w->wrapped.at[i] ^= 0x21;
    }
    for (size_t len = 0; len < w->wrapped.len; len += 5) {
        OWNED(locked_done) struct locked plain = {0};
        assert_int_not_equal(recovery_open(SPAN(w->wrapped.at, len), w->keys[1], &plain, NULL), OK);
    }
    bytes_add_u8(&w->wrapped, 0);
    struct error err = {0};
    OWNED(locked_done) struct locked plain = {0};
    assert_fails(recovery_open(bytes_span(&w->wrapped), w->keys[1], &plain, &err), ERR_INVALID,
                 "recovery-malformed");
}

static void it_takes_two_different_keys(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes out = {0};
    OWNED(cert_drop) struct cert *again = cert_of(w->keys[0]);
    struct cert *const twice[] = {w->certs[0], again};
    assert_fails(recovery_wrap(span_of_text(secret), w->certs, 0, &out, &err), ERR_INVALID,
                 "recovery-keys");
    assert_fails(recovery_wrap(span_of_text(secret), w->certs, 1, &out, &err), ERR_INVALID,
                 "recovery-keys");
    assert_fails(recovery_wrap(span_of_text(secret), twice, 2, &out, &err), ERR_INVALID,
                 "recovery-keys");
    assert_null(out.at);
}

static void what_was_opened_is_looked_at(void **state)
{
    (void)state;
    struct error err = {0};
    enum realm realm;
    int64_t generation;
    static const char good[] = "muster-kek-1 production 2\n"
                               "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    assert_ok(kek_file_look(span_of_text(good), &realm, &generation, &err));
    assert_int_equal(realm, REALM_PRODUCTION);
    assert_int_equal(generation, 2);
    assert_fails(kek_file_look(span_of_text(secret), &realm, &generation, &err), ERR_INVALID,
                 "kek-damaged");
    uint8_t one[SHA256_SIZE];
    uint8_t two[SHA256_SIZE];
    kek_file_fingerprint(span_of_text(good), one);
    kek_file_fingerprint(span_of_text(secret), two);
    assert_memory_not_equal(one, two, sizeof one);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(each_recovery_key_opens_it_alone), IN_WORLD(nobody_else_opens_it),
        IN_WORLD(a_public_half_opens_nothing),      IN_WORLD(a_changed_byte_opens_nothing_else),
        IN_WORLD(it_takes_two_different_keys),      cmocka_unit_test(what_was_opened_is_looked_at),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
