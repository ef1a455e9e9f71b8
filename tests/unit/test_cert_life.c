#include "lib/crypto/cert_life.h"

#include <string.h>

#include "tests/support/test.h"

enum { DAY = 86400 };

struct world {
    struct key *root_key;
    struct cert *root;
    struct moment now;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    w->now = clock_at_seconds(1795435200);
    assert_ok(key_generate(KEY_P384, &w->root_key, &err));
    assert_ok(cert_make_root(w->root_key, REALM_SIMULATION, w->now, &w->root, &err));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    key_free(w->root_key);
    cert_free(w->root);
    mem_drop(state);
    return 0;
}

static struct cert *make(struct world *w, const struct key *key, const char *const *names,
                         size_t count)
{
    struct error err = {0};
    struct cert *cert = NULL;
    assert_ok(cert_make_role(w->root_key, w->root, key, ROLE_CONTROLLER, names, count, w->now, 90,
                             &cert, &err));
    return cert;
}

static void a_certificate_names_what_it_was_made_for(void **state)
{
    struct error err = {0};
    static const char *const names[] = {"muster.example.net", "192.0.2.7", "2001:db8::7"};
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    OWNED(cert_drop) struct cert *cert = make(*state, key, names, countof(names));
    struct cert_names got = {0};
    assert_ok(cert_names_of(cert, &got, &err));
    assert_int_equal(got.count, countof(names));
    for (size_t i = 0; i < countof(names); i++)
        assert_string_equal(got.at[i], names[i]);
}

static void one_without_names_has_none(void **state)
{
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    OWNED(cert_drop) struct cert *cert = make(*state, key, NULL, 0);
    struct cert_names got = {.count = 9};
    assert_ok(cert_names_of(cert, &got, &err));
    assert_int_equal(got.count, 0);
}

static void one_with_more_names_than_we_give_is_refused(void **state)
{
    struct error err = {0};
    const char *names[CERT_NAMES_MAX + 1];
    for (size_t i = 0; i < countof(names); i++)
        names[i] = "localhost";
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    OWNED(cert_drop) struct cert *cert = make(*state, key, names, countof(names));
    struct cert_names got = {0};
    assert_fails(cert_names_of(cert, &got, &err), ERR_INVALID, "cert-invalid");
}

static void is_for(struct span pem, const struct key *key, const struct key *wanted)
{
    struct error err = {0};
    OWNED(cert_drop) struct cert *found = NULL;
    OWNED(key_drop) struct key *certified = NULL;
    assert_ok(cert_of_key(pem, key, &found, &err));
    assert_ok(cert_key(found, &certified, &err));
    assert_true(key_equal(certified, wanted));
}

static void of_two_the_one_of_the_key_is_taken(void **state)
{
    struct error err = {0};
    struct key *keys[3] = {NULL};
    OWNED(bytes_done) struct bytes pem = {0};
    for (size_t i = 0; i < countof(keys); i++)
        assert_ok(key_generate(KEY_P256, &keys[i], &err));
    for (size_t i = 0; i < 2; i++) {
        OWNED(bytes_done) struct bytes one = {0};
        OWNED(cert_drop) struct cert *cert = make(*state, keys[i], NULL, 0);
        assert_ok(cert_to_pem(cert, &one, &err));
        bytes_add(&pem, bytes_span(&one));
    }
    is_for(bytes_span(&pem), keys[0], keys[0]);
    is_for(bytes_span(&pem), keys[1], keys[1]);
    is_for(bytes_span(&pem), keys[2], keys[0]); /* nobody's: the first, for the caller to refuse */
    for (size_t i = 0; i < countof(keys); i++)
        key_free(keys[i]);
}

static void no_certificate_at_all_is_malformed(void **state)
{
    (void)state;
    struct error err = {0};
    struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_fails(cert_of_key(span_of_text("nothing"), key, &cert, &err), ERR_INVALID, "malformed");
}

static void the_end_is_told_from_two_weeks_before_once_a_day(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    OWNED(cert_drop) struct cert *cert = make(w, key, NULL, 0);
    struct cert_term term = cert_term_of(cert);
    assert_string_equal(term.role, "controller");
    assert_int_equal(moment_seconds_between(w->now, term.until), 90 * DAY);
    int told = 0;
    for (int64_t hour = 0; hour < INT64_C(24) * 100; hour++) {
        struct moment now = moment_add_seconds(w->now, hour * 3600);
        if (!cert_term_is_due(&term, now))
            continue;
        int64_t left = 14 - told;
        assert_int_equal(hour, INT64_C(24) * (76 + told));
        assert_int_equal(cert_term_days_left(&term, now), left > 0 ? left : 0);
        told++;
    }
    assert_int_equal(told, 24); /* also when it is over */
}

#define IN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(a_certificate_names_what_it_was_made_for),
        IN(one_without_names_has_none),
        IN(one_with_more_names_than_we_give_is_refused),
        IN(of_two_the_one_of_the_key_is_taken),
        IN(no_certificate_at_all_is_malformed),
        IN(the_end_is_told_from_two_weeks_before_once_a_day),
    };
    return cmocka_run_group_tests_name("cert life", tests, NULL, NULL);
}
