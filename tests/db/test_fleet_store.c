#include "db/fleet_store.h"

#include <stdlib.h>
#include <string.h>

#include "db/account_store.h"
#include "db/image_store.h"
#include "db/keeper_store.h"
#include "tests/support/one_database.h"
#include "tests/support/fixtures.h"
#include "tests/support/test.h"

static void a_fleet_comes_back_as_it_was_added(void **state)
{
    (void)state;
    struct error err;
    OWNED(fleet_done) struct fleet added = fixture_fleet_with(db, "same", "key");
    OWNED(fleet_done) struct fleet found = {0};
    assert_ok(fleet_store_find(db, PROJECT_DEFAULT, "same", &found, &err));
    assert_true(uuid_equal(&found.id, &added.id));
    assert_int_equal(found.epoch, 1);
    assert_true(json_equal(found.secrets, added.secrets));
    assert_fails(fleet_store_add(db, PROJECT_DEFAULT, &added, "test", &err), ERR_CONFLICT,
                 "exists");
}

static void a_fleet_of_nothing_that_is_known_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "known", 1);
    strcpy(fleet.name, "unknown");
    strcpy(fleet.image, "nowhere");
    assert_fails(fleet_store_add(db, PROJECT_DEFAULT, &fleet, "test", &err), ERR_INVALID,
                 "no-such-reference");
}

static void a_change_needs_the_epoch_it_was_made_from(void **state)
{
    (void)state;
    struct error err;
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "epochs", 1);
    OWNED(fleet_done) struct fleet now = {0};
    fleet.desired = 5;
    assert_ok(fleet_store_update(db, PROJECT_DEFAULT, &fleet, 1, "test", &now, &err));
    assert_int_equal(now.epoch, 2);
    assert_int_equal(now.desired, 5);
    assert_fails(fleet_store_update(db, PROJECT_DEFAULT, &fleet, 1, "test", NULL, &err),
                 ERR_CONFLICT, "changed-meanwhile");
    strcpy(fleet.name, "nobody");
    assert_int_equal(fleet_store_update(db, PROJECT_DEFAULT, &fleet, 0, "test", NULL, &err),
                     ERR_NOT_FOUND);
}

static void settle(void)
{
    struct error err;
    assert_ok(db_script(db,
                        "UPDATE fleets SET next_due = 'infinity', lease_holder = NULL,"
                        " lease_until = NULL",
                        &err));
}

static void one_planner_has_a_fleet_and_loses_it_when_the_spec_changes(void **state)
{
    (void)state;
    struct error err;
    settle();
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "planned", 3);
    OWNED(fleet_done) struct fleet mine = {0}, none = {0};
    assert_ok(fleet_store_claim(db, "planner:1", 60, &mine, &err));
    assert_string_equal(mine.name, "planned");
    assert_int_equal(fleet_store_claim(db, "planner:2", 60, &none, &err), ERR_NOT_FOUND);
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_ok(fleet_store_hold(db, &mine, "planner:1", &err));
        assert_ok(transaction_commit(&tx, &err));
    }
    fleet.desired = 4;
    assert_ok(fleet_store_update(db, PROJECT_DEFAULT, &fleet, 0, "token:ops", NULL, &err));
    {
        OWNED(transaction_end) struct transaction tx = {0};
        assert_ok(transaction_begin(db, &tx, &err));
        assert_fails(fleet_store_hold(db, &mine, "planner:1", &err), ERR_CONFLICT, "lost");
    }
    /* Given back, it is due at once, for the plan was for the old spec. */
    assert_ok(fleet_store_defer(db, &mine, "planner:1", 3600, &err));
    assert_ok(fleet_store_claim(db, "planner:2", 60, &none, &err));
    assert_int_equal(none.desired, 4);
}

static void the_planner_sees_what_is_there_and_how_it_went(void **state)
{
    (void)state;
    struct error err;
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "seen", 3);
    struct instance good = fixture_running(db, "seen"), bad = fixture_running(db, "seen");
    struct uuid fresh;
    fixture_instances(db, "seen", &fresh, 1);
    OWNED(verdict_row_done)
    struct verdict_row yes = fixture_verdict(db, &good.id, true, 1, 600, NULL);
    OWNED(verdict_row_done)
    struct verdict_row no = fixture_verdict(db, &bad.id, false, 2, 600, NULL);
    struct plan_observed seen;
    assert_ok(fleet_store_observe(db, &fleet, &seen, &err));
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.bad_in_a_row, 1);
    assert_false(moment_is_none(seen.last_bad));
    for (size_t i = 0; i < seen.count; i++)
        assert_int_equal(seen.at[i].has_machine, !uuid_equal(&seen.at[i].id, &fresh));
    free(seen.at);
    OWNED(verdict_row_done)
    struct verdict_row after = fixture_verdict(db, &bad.id, true, 3, 600, NULL);
    assert_ok(fleet_store_observe(db, &fleet, &seen, &err));
    assert_int_equal(seen.bad_in_a_row, 0);
    free(seen.at);
}

static void the_status_does_not_walk_over_what_is_over(void **state)
{
    (void)state;
    struct error err;
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "ending", 1);
    struct instance over = fixture_running(db, "ending");
    fixture_running(db, "ending");
    const struct instance_step steps[] = {{.event = EVENT_TERMINATE}, {.event = EVENT_GONE}};
    for (size_t i = 0; i < countof(steps); i++)
        assert_ok(instance_store_note(db, &over.id, &steps[i], "test", NULL, &err));
    OWNED(fleet_counts_done) struct fleet_counts counts = {0};
    assert_ok(fleet_store_counts(db, PROJECT_DEFAULT, "ending", &counts, &err));
    assert_int_equal(counts.phases[PHASE_TERMINATED], 0);
    assert_int_equal(counts.phases[PHASE_RUNNING], 1);
}

static void the_status_counts_each_instance_once(void **state)
{
    (void)state;
    struct error err;
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "counted", 3);
    struct instance good = fixture_running(db, "counted"), bad = fixture_running(db, "counted");
    OWNED(verdict_row_done)
    struct verdict_row yes = fixture_verdict(db, &good.id, true, 1, 600, NULL);
    OWNED(verdict_row_done)
    struct verdict_row no = fixture_verdict(db, &bad.id, false, 2, 600, NULL);
    OWNED(fleet_counts_done) struct fleet_counts counts = {0};
    assert_ok(fleet_store_counts(db, PROJECT_DEFAULT, "counted", &counts, &err));
    assert_int_equal(counts.phases[PHASE_RUNNING], 2);
    assert_int_equal(counts.trusts[TRUST_TRUSTED], 1);
    assert_int_equal(counts.trusts[TRUST_REJECTED], 1);
    assert_int_equal(counts.levels[1], 1);
    assert_int_equal(counts.simulated, 2);
    struct fleet_freshness freshness = {0};
    assert_ok(fleet_store_freshness(db, &fleet, &freshness, &err));
    assert_int_equal(freshness.of, 2);
    assert_int_equal(freshness.verified, 0); /* it has no objective */
    assert_int_equal(freshness.never, 0);
    assert_int_equal(freshness.oldest_verdict.us, yes.nonce_issued.us);
    json_t *trust = json_object_get(counts.reasons, "trust");
    assert_int_equal(json_integer_value(json_object_get(trust, "policy-measurement")), 1);
}

static void a_removed_fleet_goes_when_its_last_instance_is_over(void **state)
{
    (void)state;
    struct error err;
    settle();
    OWNED(fleet_done) struct fleet fleet = fixture_fleet(db, "doomed", 1);
    struct instance row = fixture_running(db, "doomed");
    assert_ok(fleet_store_remove(db, PROJECT_DEFAULT, "doomed", 0, "token:ops", &err));
    assert_int_equal(fleet_store_remove(db, PROJECT_DEFAULT, "doomed", 0, "token:ops", &err),
                     ERR_NOT_FOUND);
    OWNED(fleet_done) struct fleet mine = {0}, none = {0};
    assert_ok(fleet_store_claim(db, "planner:1", 60, &mine, &err));
    assert_int_equal(mine.desired, 0); /* the planner retires what is left */
    assert_ok(fleet_store_defer(db, &mine, "planner:1", 0, &err));
    const struct instance_step steps[] = {
        {.event = EVENT_TERMINATE, .intent = INTENT_TERMINATE},
        {.event = EVENT_GONE},
    };
    for (size_t i = 0; i < countof(steps); i++)
        assert_ok(instance_store_note(db, &row.id, &steps[i], "test", NULL, &err));
    assert_int_equal(fleet_store_claim(db, "planner:1", 60, &none, &err), ERR_NOT_FOUND);
    /* The name is free again. */
    OWNED(fleet_done) struct fleet again = fixture_fleet(db, "doomed", 1);
}

static void what_a_fleet_needs_cannot_be_removed(void **state)
{
    (void)state;
    struct error err;
    assert_fails(account_store_remove(db, PROJECT_DEFAULT, "cloud", 0, "test", &err), ERR_CONFLICT,
                 "in-use");
    assert_fails(image_store_remove(db, PROJECT_DEFAULT, "base", 0, "test", &err), ERR_CONFLICT,
                 "in-use");
}

static void a_keeper_is_noted_once_and_seen_often(void **state)
{
    (void)state;
    struct error err;
    struct keeper_row keeper = {
        .boot_id = {9}, .name = "k1", .realm = REALM_SIMULATION, .interval_seconds = 30};
    keeper.certificate[0] = 1;
    for (int64_t serial = 1; serial <= 3; serial++) {
        keeper.charter_serial = serial;
        assert_ok(keeper_store_seen(db, &keeper, "desk", &err));
    }
    OWNED(keeper_row_list_done) struct keeper_row_list list = {0};
    assert_ok(keeper_store_list(db, &list, &err));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.at[0].charter_serial, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_comes_back_as_it_was_added),
        cmocka_unit_test(a_fleet_of_nothing_that_is_known_is_refused),
        cmocka_unit_test(a_change_needs_the_epoch_it_was_made_from),
        cmocka_unit_test(one_planner_has_a_fleet_and_loses_it_when_the_spec_changes),
        cmocka_unit_test(the_planner_sees_what_is_there_and_how_it_went),
        cmocka_unit_test(the_status_counts_each_instance_once),
        cmocka_unit_test(the_status_does_not_walk_over_what_is_over),
        cmocka_unit_test(a_removed_fleet_goes_when_its_last_instance_is_over),
        cmocka_unit_test(what_a_fleet_needs_cannot_be_removed),
        cmocka_unit_test(a_keeper_is_noted_once_and_seen_often),
    };
    return cmocka_run_group_tests(tests, one_database_open, one_database_close);
}
