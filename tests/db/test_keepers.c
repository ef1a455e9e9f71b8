/* Keepers are written down as they come and as often as they say how they are. One that does not is
 * silent after two intervals, whether its connection stands or not. */
#include "db/keeper_store.h"

#include <stdlib.h>
#include <string.h>

#include "db/charter_store.h"
#include "lib/crypto/jwks.h"
#include "lib/crypto/random.h"
#include "tests/support/front_desk.h"
#include "tests/support/test.h"

enum { WAIT_MS = 20000, LOOK_MS = 50 };

static void pause_a_while(void)
{
    bool woken;
    struct error err = {0};
    assert_ok(db_wait(front.db, LOOK_MS, &woken, &err));
}

/* The one keeper there is, as soon as it is written down. */
static struct keeper_row the_keeper(void)
{
    struct error err = {0};
    for (int64_t until = clock_monotonic_ms() + WAIT_MS; clock_monotonic_ms() < until;) {
        OWNED(keeper_row_list_done) struct keeper_row_list list = {0};
        assert_ok(keeper_store_list(front.db, &list, &err));
        if (list.count > 0)
            return list.at[0];
        pause_a_while();
    }
    fail_msg("no keeper was written down");
    abort();
}

static bool is_silent(void)
{
    return the_keeper().silent;
}

static bool obeys_two(void)
{
    return the_keeper().charter_serial == 2;
}

/* Its answers are written down a little later, on a busy machine. */
static bool is_heard(void)
{
    return !the_keeper().silent && !front_alarmed("keeper-silent");
}

static void await(bool (*seen)(void))
{
    for (int64_t until = clock_monotonic_ms() + WAIT_MS; !seen(); pause_a_while())
        assert_true(clock_monotonic_ms() < until);
}

/* Two intervals of a second, and one for a busy machine. */
static void await_silence(void)
{
    await(is_silent);
    const struct keeper_row row = the_keeper();
    assert_in_range(moment_seconds_between(row.last_seen, clock_now()), 2, 3);
}

static int often(void **state)
{
    front_keeper_seconds = 1;
    return front_open(state);
}

static int seldom(void **state)
{
    front_keeper_seconds = 0;
    return front_open(state);
}

static void a_keeper_is_written_down_as_it_says_hello(void **state)
{
    (void)state;
    front_keeper(5, "7.1");
    const struct keeper_row row = the_keeper();
    assert_memory_equal(row.boot_id, front.keeper_boot, sizeof row.boot_id);
    assert_int_equal(row.realm, REALM_SIMULATION);
    assert_int_equal(row.charter_serial, 1);
    assert_int_equal(row.interval_seconds, 30);
    assert_string_equal(row.version, "7.1");
    assert_int_equal(strlen(row.name), 32);
    assert_false(row.silent);
}

/* It would take the evidence of `appraise` for something else, or not at all. */
static void a_keeper_of_another_protocol_is_turned_away(void **state)
{
    (void)state;
    struct error err = {0};
    assert_fails(front_keeper_says(5, KEEPER_PROTOCOL - 1, "7.1", &err), ERR_INVALID,
                 "wrong-protocol");
    assert_fails(front_keeper_says(5, KEEPER_PROTOCOL + 1, "7.1", &err), ERR_INVALID,
                 "wrong-protocol");
    front_keeper(5, "7.1");
}

/* A set of one key, certified and signed by this root. The caller frees it. */
static char *keys_of(struct root *root)
{
    struct error err = {0};
    char *jwt = NULL;
    OWNED(jwks_done) struct jwks set = {0};
    OWNED(credential_done)
    struct credential signer = credential_make(root, ROLE_KEEPER_PASSPORT, clock_now(), 30);
    assert_ok(jwks_add(&set, signer.cert, clock_now(), &err));
    assert_ok(jwks_sign(&set, root->key, clock_now(), &jwt, &err));
    return jwt;
}

static void what_keepers_sign_with_is_shown_all_together(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(json_drop) json_t *shown = NULL;
    OWNED(mem_drop) char *first = keys_of(&front.there.root);
    OWNED(mem_drop) char *second = keys_of(&front.there.root);
    assert_fails(service_keys(front.service, &shown, &err), ERR_UNREACHABLE, "no-keeper");
    front.jwks = first;
    front_keeper(5, "1");
    front.jwks = second;
    front_keeper(6, "1"); /* another one; the first has left, and what it signed is still about */
    front.jwks = NULL;
    assert_ok(service_keys(front.service, &shown, &err));
    assert_int_equal(json_array_size(json_object_get(shown, "keys")), 2);
    assert_int_equal(json_array_size(json_object_get(shown, "signed_jwks")), 2);
}

static void keys_that_another_root_signed_are_not_shown(void **state)
{
    (void)state;
    struct error err = {0};
    json_t *none = NULL;
    struct root other = root_make();
    OWNED(mem_drop) char *foreign = keys_of(&other);
    front.jwks = foreign;
    front_keeper(5, "1"); /* who is welcome all the same */
    front.jwks = NULL;
    assert_fails(service_keys(front.service, &none, &err), ERR_UNREACHABLE, "no-keeper");
    root_done(&other);
}

static void store_charter(int64_t serial)
{
    struct error err = {0};
    OWNED(charter_row_done)
    struct charter_row row = {
        .id = uuid_new(),
        .project = PROJECT_DEFAULT,
        .serial = serial,
        .realm = REALM_SIMULATION,
        .issued = clock_now(),
        .expires = moment_add_seconds(clock_now(), 3600),
        .jws = mem_text("{}"),
    };
    assert_ok(charter_store_add(front.db, &row, "test", &err));
}

static void a_keeper_that_takes_a_charter_is_asked_and_written_down_at_once(void **state)
{
    (void)state;
    store_charter(2);
    front_keeper(6, "7.1");
    assert_int_equal(the_keeper().charter_serial, 1);
    front_keeper_obeys(2);
    front_keeper_says_how_it_is();
    await(obeys_two);
}

static void a_keeper_on_the_link_that_does_not_answer_is_alarmed_within_two_intervals(void **state)
{
    (void)state;
    front_keeper(7, "7.1");
    for (int i = 0; i < 3; i++) { /* as long as it answers it is not silent */
        front_keeper_says_how_it_is();
        await(is_heard);
    }
    await_silence();
    assert_true(front_alarmed("keeper-silent"));
    while (!is_heard()) /* it was only asleep: what it was asked meanwhile comes first */
        front_keeper_says_how_it_is();
}

static void a_keeper_that_left_is_alarmed_within_two_intervals_until_it_is_forgotten(void **state)
{
    (void)state;
    struct error err = {0};
    front_keeper(8, "7.1");
    const struct keeper_row row = the_keeper();
    caller_close(&front.keeper);
    await_silence();
    assert_true(front_alarmed("keeper-silent"));
    assert_ok(keeper_store_forget(front.db, row.name, "test", &err));
    assert_false(front_alarmed("keeper-silent"));
    assert_fails(keeper_store_forget(front.db, row.name, "test", &err), ERR_NOT_FOUND, "not-found");
}

static void a_keeper_that_a_charter_no_longer_names_is_not_waited_for(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t other[SHA256_SIZE] = {1};
    front_keeper(9, "7.1");
    const struct keeper_row row = the_keeper();
    caller_close(&front.keeper);
    await(is_silent);
    assert_ok(keeper_store_retire(front.db, row.certificate, 1, "test", &err));
    assert_true(front_alarmed("keeper-silent"));
    assert_ok(keeper_store_retire(front.db, other, 1, "test", &err));
    assert_false(front_alarmed("keeper-silent"));
}

#define OFTEN(test) cmocka_unit_test_setup_teardown(test, often, front_close)
#define SELDOM(test) cmocka_unit_test_setup_teardown(test, seldom, front_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SELDOM(what_keepers_sign_with_is_shown_all_together),
        SELDOM(keys_that_another_root_signed_are_not_shown),
        SELDOM(a_keeper_is_written_down_as_it_says_hello),
        SELDOM(a_keeper_of_another_protocol_is_turned_away),
        SELDOM(a_keeper_that_takes_a_charter_is_asked_and_written_down_at_once),
        OFTEN(a_keeper_on_the_link_that_does_not_answer_is_alarmed_within_two_intervals),
        OFTEN(a_keeper_that_left_is_alarmed_within_two_intervals_until_it_is_forgotten),
        OFTEN(a_keeper_that_a_charter_no_longer_names_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
