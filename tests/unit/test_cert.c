#include "lib/crypto/cert.h"

#include <string.h>

#include "tests/support/test.h"

struct world {
    struct key *root_key;
    struct cert *root;
    struct key *key;
    struct moment now;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    w->now = clock_at_seconds(1795435200);
    assert_ok(key_generate(KEY_P384, &w->root_key, &err));
    assert_ok(cert_make_root(w->root_key, REALM_SIMULATION, w->now, &w->root, &err));
    assert_ok(key_generate(KEY_P256, &w->key, &err));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    key_free(w->root_key);
    cert_free(w->root);
    key_free(w->key);
    mem_drop(state);
    return 0;
}

static struct cert *role_cert(struct world *w, enum cert_role role, int days)
{
    struct error err = {0};
    struct cert *cert = NULL;
    const char *const names[] = {"localhost", "127.0.0.1"};
    assert_ok(cert_make_role(w->root_key, w->root, w->key, role, names,
                             role == ROLE_CONTROLLER ? 2 : 0, w->now, days, &cert, &err));
    return cert;
}

static void every_role_is_accepted_as_itself_and_as_nothing_else(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    for (int made = 0; made < ROLE_GUEST; made++) {
        OWNED(cert_drop) struct cert *cert = role_cert(w, (enum cert_role)made, 90);
        assert_int_equal(cert_claimed_role(cert), made);
        for (int asked = 0; asked < ROLE_GUEST; asked++) {
            if (asked == made)
                assert_ok(cert_check_role(cert, made, &w->root, 1, w->now, &err));
            else
                assert_fails(cert_check_role(cert, asked, &w->root, 1, w->now, &err), ERR_DENIED,
                             "wrong-role");
        }
    }
}

static void a_role_under_another_root_is_refused(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *other_key = NULL;
    OWNED(cert_drop) struct cert *other = NULL;
    assert_ok(key_generate(KEY_P384, &other_key, &err));
    assert_ok(cert_make_root(other_key, REALM_SIMULATION, w->now, &other, &err));
    OWNED(cert_drop) struct cert *cert = role_cert(w, ROLE_CONTROLLER, 90);
    assert_fails(cert_check_role(cert, ROLE_CONTROLLER, &other, 1, w->now, &err), ERR_DENIED,
                 "wrong-root");
    struct cert *both[] = {other, w->root};
    assert_ok(cert_check_role(cert, ROLE_CONTROLLER, both, 2, w->now, &err));
}

static void a_role_is_refused_before_and_after_its_time(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(cert_drop) struct cert *cert = role_cert(w, ROLE_KEEPER_LINK, 1);
    struct moment late = moment_add_seconds(w->now, 86400);
    assert_fails(cert_check_role(cert, ROLE_KEEPER_LINK, &w->root, 1, late, &err), ERR_DENIED,
                 "cert-expired");
    struct moment early = moment_add_seconds(w->now, -1);
    assert_fails(cert_check_role(cert, ROLE_KEEPER_LINK, &w->root, 1, early, &err), ERR_DENIED,
                 "cert-not-yet-valid");
}

static void no_role_lives_over_ninety_days(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cert *cert = NULL;
    assert_fails(cert_make_role(w->root_key, w->root, w->key, ROLE_CONTROLLER, NULL, 0, w->now, 91,
                                &cert, &err),
                 ERR_INVALID, "invalid");
}

static void a_host_name_cannot_smuggle_extensions(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cert *cert = NULL;
    const char *const names[] = {"a,DNS:evil"};
    assert_fails(cert_make_role(w->root_key, w->root, w->key, ROLE_CONTROLLER, names, 1, w->now, 90,
                                &cert, &err),
                 ERR_INVALID, "invalid");
}

static void a_guest_certificate_is_self_signed_and_has_no_role(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(cert_drop) struct cert *guest = NULL;
    assert_ok(cert_make_guest(w->key, &guest, &err));
    assert_ok(cert_check_role(guest, ROLE_GUEST, NULL, 0, w->now, &err));
    assert_fails(cert_check_role(guest, ROLE_CONTROLLER, &w->root, 1, w->now, &err), ERR_DENIED,
                 "wrong-root");
    OWNED(cert_drop) struct cert *controller = role_cert(w, ROLE_CONTROLLER, 90);
    assert_fails(cert_check_role(controller, ROLE_GUEST, NULL, 0, w->now, &err), ERR_DENIED,
                 "cert-invalid");
}

static void the_root_carries_its_realm(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    enum realm realm;
    assert_ok(cert_realm(w->root, &realm, &err));
    assert_int_equal(realm, REALM_SIMULATION);
}

static void certificates_survive_pem_and_der(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(cert_drop) struct cert *again = NULL;
    assert_ok(cert_to_pem(w->root, &pem, &err));
    assert_ok(cert_from_pem(bytes_span(&pem), &again, &err));
    assert_ok(cert_to_der(again, &der, &err));
    uint8_t a[SHA256_SIZE];
    uint8_t b[SHA256_SIZE];
    cert_spki_sha256(w->root, a);
    key_fingerprint(w->root_key, b);
    assert_memory_equal(a, b, sizeof a);
    bytes_add_u8(&der, 0);
    struct cert *none = NULL;
    assert_fails(cert_from_der(bytes_span(&der), &none, &err), ERR_INVALID, "malformed");
}

static void signatures_of_every_kind_verify_and_break(void **state)
{
    (void)state;
    struct error err = {0};
    static const enum key_kind kinds[] = {KEY_P256, KEY_P384, KEY_ED25519};
    for (size_t i = 0; i < countof(kinds); i++) {
        const enum key_kind kind = kinds[i];
        OWNED(key_drop) struct key *key = NULL;
        OWNED(key_drop) struct key *public = NULL;
        OWNED(bytes_done) struct bytes spki = {0};
        OWNED(bytes_done) struct bytes signature = {0};
        struct span message = span_of_text("pass muster");
        assert_ok(key_generate(kind, &key, &err));
        assert_ok(key_to_spki(key, &spki, &err));
        assert_ok(key_from_spki(bytes_span(&spki), &public, &err));
        assert_true(key_is_private(key));
        assert_false(key_is_private(public));
        assert_ok(key_sign(key, message, &signature, &err));
        assert_ok(key_verify(public, message, bytes_span(&signature), &err));
        assert_fails(key_verify(public, span_of_text("pass"), bytes_span(&signature), &err),
                     ERR_DENIED, "bad-signature");
        signature.at[0] ^= 1;
        assert_fails(key_verify(public, message, bytes_span(&signature), &err), ERR_DENIED,
                     "bad-signature");
        memset(signature.at, 0, signature.len);
        assert_fails(key_verify(public, message, bytes_span(&signature), &err), ERR_DENIED,
                     "bad-signature");
        signature.len--;
        assert_fails(key_verify(public, message, bytes_span(&signature), &err), ERR_DENIED,
                     "bad-signature");
    }
}

static void a_key_comes_back_from_its_der_and_a_point_off_the_curve_is_none(void **state)
{
    (void)state;
    enum { COORDINATES = 64 };
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(key_drop) struct key *public = NULL;
    OWNED(bytes_done) struct bytes spki = {0};
    OWNED(bytes_done) struct bytes again = {0};
    struct key *none = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(key_to_spki(key, &spki, &err));
    assert_ok(key_from_spki(bytes_span(&spki), &public, &err));
    assert_true(key_equal(key, public));
    assert_ok(key_to_spki(public, &again, &err));
    assert_true(span_equal(bytes_span(&again), bytes_span(&spki)));
    for (size_t i = spki.len - COORDINATES; i < spki.len; i++) {
        spki.at[i] ^= 1;
        assert_fails(key_from_spki(bytes_span(&spki), &none, &err), ERR_INVALID, "unsupported-key");
        spki.at[i] ^= 1;
    }
    bytes_add_u8(&spki, 0);
    assert_fails(key_from_spki(bytes_span(&spki), &none, &err), ERR_INVALID, "unsupported-key");
    spki.len--;
    memset(spki.at + spki.len - COORDINATES, 0xff, COORDINATES); /* over the field's prime */
    assert_fails(key_from_spki(bytes_span(&spki), &none, &err), ERR_INVALID, "unsupported-key");
    memset(spki.at + spki.len - COORDINATES, 0, COORDINATES);
    assert_fails(key_from_spki(bytes_span(&spki), &none, &err), ERR_INVALID, "unsupported-key");
}

static void private_keys_survive_pem(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(key_drop) struct key *again = NULL;
    assert_ok(key_to_private_pem(w->key, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &again, &err));
    assert_true(key_equal(w->key, again));
    assert_true(key_is_private(again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_role_is_accepted_as_itself_and_as_nothing_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_role_under_another_root_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_role_is_refused_before_and_after_its_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_role_lives_over_ninety_days, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_host_name_cannot_smuggle_extensions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_guest_certificate_is_self_signed_and_has_no_role, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_root_carries_its_realm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificates_survive_pem_and_der, set_up, tear_down),
        cmocka_unit_test(signatures_of_every_kind_verify_and_break),
        cmocka_unit_test(a_key_comes_back_from_its_der_and_a_point_off_the_curve_is_none),
        cmocka_unit_test_setup_teardown(private_keys_survive_pem, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("cert", tests, NULL, NULL);
}
