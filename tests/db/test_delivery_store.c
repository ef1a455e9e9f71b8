#include "db/delivery_store.h"

#include <pthread.h>
#include <string.h>

#include "db/exposure_store.h"
#include "db/secret_store.h"
#include "lib/crypto/random.h"
#include "tests/support/one_database.h"
#include "tests/support/fixtures.h"
#include "tests/support/test.h"

static struct secret secret;
static const uint8_t confirmed[SHA256_SIZE] = {[0 ... SHA256_SIZE - 1] = 7};

static size_t deliveries_of(const struct uuid *instance)
{
    struct error err;
    OWNED(delivery_list_done) struct delivery_list list = {0};
    assert_ok(delivery_store_plan(db, NULL, "desk", &err));
    assert_ok(delivery_store_of_instance(db, instance, &list, &err));
    return list.count;
}

static void nothing_is_due_before_a_verdict_accepts(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "web");
    assert_int_equal(deliveries_of(&row.id), 0);
    OWNED(verdict_row_done)
    struct verdict_row bad = fixture_verdict(db, &row.id, false, 1, 600, NULL);
    assert_int_equal(deliveries_of(&row.id), 0);
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    assert_int_equal(deliveries_of(&row.id), 1);
    assert_int_equal(deliveries_of(&row.id), 1);
}

static void nothing_is_due_on_a_verdict_that_ran_out(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row old = fixture_verdict(db, &row.id, true, 1, -1, NULL);
    assert_int_equal(deliveries_of(&row.id), 0);
}

static void what_was_loaded_leaves_no_envelope_and_a_line_in_the_ledger(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(delivery_done) struct delivery sent = fixture_delivery(db, &row.id, DELIVERY_SENT);
    assert_int_equal(sent.envelope.len, strlen("envelope"));
    assert_true(uuid_equal(&sent.verdict_id, &good.id));
    const struct delivery_step step = {.event = DELIVERY_CONFIRMED, .loaded_check = confirmed};
    assert_ok(delivery_store_step(db, &sent, &step, "desk", &err));
    assert_int_equal(sent.state, DELIVERY_LOADED);
    assert_null(sent.envelope.at);
    OWNED(json_drop) json_t *by_instance = NULL;
    OWNED(json_drop) json_t *by_secret = NULL;
    assert_ok(exposure_store_of_instance(db, &row.id, &by_instance, &err));
    assert_int_equal(json_array_size(by_instance), 1);
    assert_ok(exposure_store_of_secret(db, &secret.id, &by_secret, &err));
    assert_true(json_array_size(by_secret) >= 1);
}

/* Quarantined between the keeper's answer and the sending: it stays here. */
static void what_loses_its_trust_on_the_way_gets_nothing_more(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(delivery_done) struct delivery sealed = fixture_delivery(db, &row.id, DELIVERY_SEALED);
    const struct trust_change apart = {.event = TRUST_SET_APART, .reason = "clone"};
    assert_ok(instance_store_set_trust(db, &row.id, &apart, "token:ops", NULL, &err));
    const struct delivery_step step = {.event = DELIVERY_HANDED};
    assert_fails(delivery_store_step(db, &sealed, &step, "desk", &err), ERR_CONFLICT, "lost");
    OWNED(delivery_material_done) struct delivery_material none = {0};
    assert_int_equal(delivery_store_material(db, &sealed.id, &none, &err), ERR_NOT_FOUND);
}

static void a_new_boot_holds_nothing_and_gets_it_again(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row first = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(delivery_done) struct delivery loaded = fixture_delivery(db, &row.id, DELIVERY_LOADED);
    OWNED(verdict_row_done)
    struct verdict_row second = fixture_verdict(db, &row.id, true, 2, 600, NULL);
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(delivery_store_renew(db, &row.id, "desk", &err));
    assert_ok(transaction_commit(&tx, &err));
    OWNED(delivery_done) struct delivery again = fixture_delivery(db, &row.id, DELIVERY_LOADED);
    assert_true(uuid_equal(&again.id, &loaded.id));
    assert_true(again.sequence > loaded.sequence);
}

static void a_claimed_delivery_is_nobody_elses(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(delivery_list_done) struct delivery_list mine = {0}, none = {0};
    assert_ok(delivery_store_plan(db, &row.id, "desk", &err));
    assert_ok(delivery_store_claim(db, "desk:1", 60, &row.id, 5, &mine, &err));
    assert_int_equal(mine.count, 1);
    assert_ok(delivery_store_claim(db, "desk:2", 60, &row.id, 5, &none, &err));
    assert_int_equal(none.count, 0);
    struct delivery *stolen = &mine.at[0];
    strcpy(stolen->lease_holder, "desk:2");
    const struct delivery_step step = {.event = DELIVERY_REFUSED, .reason = "x"};
    assert_fails(delivery_store_step(db, stolen, &step, "desk:2", &err), ERR_CONFLICT, "lost");
}

static bool version_is(enum version_state state)
{
    struct error err;
    OWNED(secret_version_list_done) struct secret_version_list list = {0};
    assert_ok(secret_store_versions(db, &secret.id, 10, &list, &err));
    return list.count == 1 && list.at[0].state == state;
}

/* Or its envelope would stay for ever, and its version never be in use everywhere. */
static void what_an_instance_that_ends_was_to_get_is_withdrawn(void **state)
{
    (void)state;
    struct error err;
    const struct instance_step ends = {.event = EVENT_TERMINATE};
    assert_ok(db_script(db, "DELETE FROM deliveries; UPDATE instances SET wanted = 'gone'", &err));
    struct instance stays = fixture_running(db, "web"), goes = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row one = fixture_verdict(db, &stays.id, true, 1, 600, NULL);
    OWNED(verdict_row_done)
    struct verdict_row two = fixture_verdict(db, &goes.id, true, 1, 600, NULL);
    OWNED(delivery_done) struct delivery sent = fixture_delivery(db, &goes.id, DELIVERY_SENT);
    OWNED(delivery_done) struct delivery loaded = fixture_delivery(db, &stays.id, DELIVERY_LOADED);
    assert_true(version_is(VERSION_DISTRIBUTING));
    assert_ok(instance_store_note(db, &goes.id, &ends, "worker", NULL, &err));
    OWNED(delivery_list_done) struct delivery_list list = {0};
    assert_ok(delivery_store_of_instance(db, &goes.id, &list, &err));
    assert_int_equal(list.at[0].state, DELIVERY_WITHDRAWN);
    assert_null(list.at[0].envelope.at);
    assert_true(version_is(VERSION_ACTIVE));
    const struct delivery_step late = {.event = DELIVERY_CONFIRMED};
    assert_fails(delivery_store_step(db, &sent, &late, "desk", &err), ERR_CONFLICT, "lost");
}

static void an_instance_on_its_way_out_is_handed_nothing(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    assert_int_equal(deliveries_of(&row.id), 1);
    assert_ok(instance_store_want(db, &row.id, WANTED_GONE, "asked", "token:ops", &err));
    OWNED(delivery_list_done) struct delivery_list none = {0};
    assert_ok(delivery_store_claim(db, "desk", 60, &row.id, 5, &none, &err));
    assert_int_equal(none.count, 0);
    struct instance late = fixture_running(db, "web");
    assert_ok(instance_store_want(db, &late.id, WANTED_GONE, "asked", "token:ops", &err));
    OWNED(verdict_row_done)
    struct verdict_row too = fixture_verdict(db, &late.id, true, 1, 600, NULL);
    assert_int_equal(deliveries_of(&late.id), 0);
}

/* ---- two at once ----------------------------------------------------------------------------- */

enum { WAIT_MS = 20000, LOOK_MS = 20 };

/* What another connection does while ours has written something and not committed it yet. */
struct other {
    enum outcome (*act)(struct db *db, struct delivery *delivery, struct error *err);
    struct delivery *delivery;
    struct db *db;
    enum outcome outcome;
    struct error err;
    _Atomic bool done;
};

static void *be_other(void *argument)
{
    struct other *other = argument;
    other->outcome = other->act(other->db, other->delivery, &other->err);
    other->done = true;
    return NULL;
}

static bool somebody_waits(struct db *looker)
{
    struct error err;
    return db_script(looker,
                     "DO $$ BEGIN ASSERT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a "
                     "ON a.pid = l.pid WHERE NOT l.granted AND a.datname = current_database()); "
                     "END $$",
                     &err) == OK;
}

static void let_other_wait_or_end(const struct other *other, struct db *looker)
{
    struct error err;
    const int64_t until = clock_monotonic_ms() + WAIT_MS;
    while (!other->done && !somebody_waits(looker)) {
        bool woken;
        assert_true(clock_monotonic_ms() < until);
        assert_ok(db_wait(looker, LOOK_MS, &woken, &err));
    }
}

/* `tx` is ours, and is committed between. */
static void meanwhile(struct transaction *tx, struct other *other)
{
    struct error err;
    pthread_t thread;
    OWNED(db_drop) struct db *looker = database_open();
    OWNED(db_drop) struct db *theirs = database_open();
    assert_ok(db_listen(looker, &err));
    other->db = theirs;
    assert_int_equal(pthread_create(&thread, NULL, be_other, other), 0);
    let_other_wait_or_end(other, looker);
    assert_ok(transaction_commit(tx, &err));
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ok(other->outcome);
}

static const struct delivery_step confirms = {.event = DELIVERY_CONFIRMED,
                                              .loaded_check = confirmed};

static enum outcome confirm(struct db *there, struct delivery *delivery, struct error *err)
{
    return delivery_store_step(there, delivery, &confirms, "desk", err);
}

static void two_that_confirm_at_once_put_the_version_in_use(void **state)
{
    (void)state;
    struct error err;
    assert_ok(db_script(db, "DELETE FROM deliveries; UPDATE instances SET wanted = 'gone'", &err));
    struct instance a = fixture_running(db, "web"), b = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row one = fixture_verdict(db, &a.id, true, 1, 600, NULL);
    OWNED(verdict_row_done)
    struct verdict_row two = fixture_verdict(db, &b.id, true, 1, 600, NULL);
    OWNED(delivery_done) struct delivery first = fixture_delivery(db, &a.id, DELIVERY_SENT);
    OWNED(delivery_done) struct delivery second = fixture_delivery(db, &b.id, DELIVERY_SENT);
    assert_ok(db_script(db, "UPDATE secret_versions SET state = 'distributing'", &err));
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(confirm(db, &first, &err));
    meanwhile(&tx, &(struct other){.act = confirm, .delivery = &second});
    assert_true(version_is(VERSION_ACTIVE));
}

static enum outcome plan_all(struct db *there, struct delivery *unused, struct error *err)
{
    (void)unused;
    return delivery_store_plan(there, NULL, "desk", err);
}

static void an_instance_that_ends_meanwhile_is_planned_nothing(void **state)
{
    (void)state;
    struct error err;
    const struct instance_step ends = {.event = EVENT_TERMINATE};
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(instance_store_note(db, &row.id, &ends, "worker", NULL, &err));
    meanwhile(&tx, &(struct other){.act = plan_all});
    assert_int_equal(deliveries_of(&row.id), 0);
}

static int open_it(void **state)
{
    one_database_open(state);
    secret = fixture_secret(db, "tls-key");
    struct fleet fleet = fixture_fleet_with(db, "web", "tls-key");
    fleet_done(&fleet);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_before_a_verdict_accepts),
        cmocka_unit_test(nothing_is_due_on_a_verdict_that_ran_out),
        cmocka_unit_test(what_was_loaded_leaves_no_envelope_and_a_line_in_the_ledger),
        cmocka_unit_test(what_loses_its_trust_on_the_way_gets_nothing_more),
        cmocka_unit_test(a_new_boot_holds_nothing_and_gets_it_again),
        cmocka_unit_test(a_claimed_delivery_is_nobody_elses),
        cmocka_unit_test(an_instance_on_its_way_out_is_handed_nothing),
        cmocka_unit_test(what_an_instance_that_ends_was_to_get_is_withdrawn),
        cmocka_unit_test(two_that_confirm_at_once_put_the_version_in_use),
        cmocka_unit_test(an_instance_that_ends_meanwhile_is_planned_nothing),
    };
    return cmocka_run_group_tests(tests, open_it, one_database_close);
}
