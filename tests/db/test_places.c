/* Fleets over several places, and clouds without room: on a real PostgreSQL and a cloud in shared
 * memory. Promises I1, I2, I5, I7 and I10 of the design. */
#include <stdlib.h>
#include <string.h>

#include "db/account_store.h"
#include "db/fleet_store.h"
#include "db/image_store.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/places.h"
#include "tests/support/test.h"

static int machines_in(const char *account)
{
    int n = 0;
    for (int i = 0; i < fake_cloud_launches(); i++)
        n += fake_cloud_machine(i)->seen.state != MACHINE_GONE &&
             strcmp(fake_cloud_machine(i)->account, account) == 0;
    return n;
}

/* ---- spreading ------------------------------------------------------------------------------- */

static void one_spec_launches_in_every_cloud_with_its_own_names(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(json_drop)
    json_t *refs = json_pack("{s:s, s:s}", "azure", "blue-image", "gold", "a-image");
    OWNED(image_done) struct image image = {.name = "image", .driver = "aws", .ref = "ami-1"};
    OWNED(image_done) struct image now = {0};
    image.refs = json_incref(refs);
    assert_ok(image_store_update(stage.db, PROJECT_DEFAULT, &image, 0, "token:test", &now, &err));
    stage_account("blue", "azure");
    stage_account("gold", "gcp");
    stage_spread("[{\"account\":\"cloud\",\"weight\":2,\"zones\":[\"x\",\"y\"]},"
                 " {\"account\":\"blue\",\"size\":\"DC2\"}, {\"account\":\"gold\"}]",
                 8);
    stage_start();
    stage_await(booting, 8);
    assert_int_equal(machines_in("cloud"), 4);
    assert_int_equal(machines_in("blue"), 2);
    assert_int_equal(machines_in("gold"), 2);
    for (int i = 0; i < 8; i++) {
        const struct fake_machine *machine = fake_cloud_machine(i);
        const bool blue = strcmp(machine->account, "blue") == 0;
        const bool gold = strcmp(machine->account, "gold") == 0;
        assert_string_equal(machine->image, blue ? "blue-image" : gold ? "a-image" : "ami-1");
        assert_string_equal(machine->size, blue ? "DC2" : "m6a.large");
        assert_true((machine->zone[0] != '\0') == (!blue && !gold));
    }
    OWNED(placement_done) struct placement p = stage_places();
    assert_int_equal(placement_spot(&p, "cloud", "x")->standing, 2);
    assert_int_equal(placement_spot(&p, "cloud", "y")->standing, 2);
}

static void a_fleet_that_shrinks_keeps_its_shares(void **state)
{
    (void)state;
    stage_account("east", "aws");
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 6);
    stage_start();
    stage_await(booting, 6);
    stage_scale(2);
    stage_await(machines, 2);
    assert_int_equal(machines_in("cloud"), 1);
    assert_int_equal(machines_in("east"), 1);
}

static void an_account_that_a_place_names_cannot_be_removed(void **state)
{
    (void)state;
    struct error err = {0};
    stage_account("east", "aws");
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 0);
    assert_int_equal(account_store_remove(stage.db, PROJECT_DEFAULT, "east", 0, "token:test", &err),
                     ERR_CONFLICT);
    assert_string_equal(err.code, "in-use");
}

/* ---- without room ---------------------------------------------------------------------------- */

static void a_share_without_room_goes_elsewhere_and_says_why(void **state)
{
    (void)state;
    stage_account("east", "aws");
    fake_cloud_fill("east", CLOUD_CAPACITY, 1);
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 6);
    stage_start();
    stage_await(booting, 6);
    assert_one_machine_a_row(6);
    assert_int_equal(machines_in("east"), 1);
    assert_int_equal(machines_in("cloud"), 5);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    int moved = 0;
    for (size_t i = 0; i < list.count; i++)
        moved += strcmp(list.at[i].place_reason, "capacity at east") == 0;
    assert_int_equal(moved, 2);
    OWNED(placement_done) struct placement p = stage_places();
    const struct spot *east = placement_spot(&p, "east", "");
    assert_false(spot_is_open(&p, east, clock_now()));
    assert_string_equal(east->closed_code, "capacity");
    assert_string_equal(east->closed_text, "east is full");
    assert_true(moment_seconds_between(clock_now(), east->closed_until) <= 30);
}

static void a_full_place_is_asked_again_when_its_time_came(void **state)
{
    (void)state;
    stage_account("east", "aws");
    fake_cloud_fill("east", CLOUD_QUOTA, 0);
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 2);
    stage_start();
    stage_await(booting, 2);
    assert_int_equal(machines_in("east"), 0);
    stage_time_passes();
    fake_cloud_fill("east", CLOUD_QUOTA, 100);
    stage_scale(4);
    stage_await(booting, 4);
    assert_int_equal(machines_in("east"), 2);
    OWNED(placement_done) struct placement p = stage_places();
    assert_true(spot_is_open(&p, placement_spot(&p, "east", ""), clock_now()));
}

static void a_place_that_stays_full_is_closed_for_longer_each_time(void **state)
{
    (void)state;
    fake_cloud_fill("cloud", CLOUD_CAPACITY, 0);
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    stage_start();
    stage_await(closed, 15);
    assert_false(stage_closed(30));
    stage_time_passes();
    stage_await(closed, 45);
    assert_int_equal(fake_cloud_calls(), 2);
    assert_int_equal(fake_cloud_machines(), 0);
}

static void what_a_cloud_takes_back_for_want_of_room_is_replaced(void **state)
{
    (void)state;
    stage_account("east", "aws");
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 2);
    stage_start();
    stage_await(booting, 2);
    int lost = strcmp(fake_cloud_machine(0)->account, "east") == 0 ? 0 : 1;
    fake_cloud_fill("east", CLOUD_CAPACITY, 0);
    fake_cloud_fail(lost, CLOUD_CAPACITY);
    stage_await(terminated, 1);
    stage_await(booting, 2);
    assert_int_equal(machines_in("cloud"), 2);
}

/* The place opens just while a row is turned away: the cloud was not asked, so it refused nothing.
 */
static void a_row_that_is_turned_away_closes_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    assert_ok(db_script(
        stage.db,
        "CREATE FUNCTION open_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "UPDATE place_closures SET until = clock_timestamp(); RETURN new; END $$;"
        "CREATE TRIGGER open_it BEFORE UPDATE OF place_reason ON instances "
        "FOR EACH ROW EXECUTE FUNCTION open_it();"
        "INSERT INTO place_closures (project, account, zone, size, code, text, failures, until) "
        "VALUES ('default', 'cloud', '', 'm6a.large', 'capacity', 'full', 1, now() + interval '1 "
        "h');"
        "INSERT INTO instances (id, project, fleet, account, image, size, policy) "
        "VALUES (gen_random_uuid(), 'default', 'web', 'cloud', 'image', 'm6a.large', 'web')",
        &err));
    stage_start();
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_string_equal(list.at[0].place_reason, "capacity at cloud");
    assert_ok(db_script(stage.db,
                        "DROP TRIGGER open_it ON instances; DROP FUNCTION open_it; "
                        "DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM audit WHERE verb = "
                        "'place.closed' AND detail ->> 'text' = 'full'), 'closed'; END $$",
                        &err));
}

/* EC2 may take an order and take the machine back: that it took one is no room yet. */
static void a_place_that_takes_back_each_time_is_closed_for_longer_too(void **state)
{
    (void)state;
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    stage_start();
    stage_await(booting, 1);
    fake_cloud_fail(0, CLOUD_CAPACITY);
    stage_await(closed, 15);
    assert_false(stage_closed(30));
    stage_time_passes();
    stage_await(booting, 1);
    fake_cloud_fail(1, CLOUD_CAPACITY);
    stage_await(closed, 45);
}

/* One that has room for some, and then for none, is not the worse for it. */
static void a_place_that_took_one_and_refuses_the_next_is_closed_as_at_first(void **state)
{
    (void)state;
    fake_cloud_fill("cloud", CLOUD_CAPACITY, 0);
    stage_spread("[{\"account\":\"cloud\"}]", 1);
    stage_start();
    stage_await(closed, 15);
    fake_cloud_fill("cloud", CLOUD_CAPACITY, 1);
    stage_time_passes();
    stage_await(booting, 1);
    stage_scale(2);
    stage_await(closed, 15);
    assert_false(stage_closed(30));
}

/* ---- not offered there ------------------------------------------------------------------------
 */

static void what_a_zone_does_not_offer_is_launched_in_another(void **state)
{
    (void)state;
    fake_cloud_lack("x");
    stage_spread("[{\"account\":\"cloud\",\"zones\":[\"x\",\"y\"]}]", 4);
    stage_start();
    stage_await(booting, 4);
    assert_one_machine_a_row(4);
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    int moved = 0;
    for (size_t i = 0; i < list.count; i++) {
        assert_string_equal(list.at[i].zone, "y");
        moved += strcmp(list.at[i].place_reason, "unsupported at cloud/x") == 0;
    }
    assert_int_equal(moved, 2);
    OWNED(placement_done) struct placement p = stage_places();
    const struct spot *x = placement_spot(&p, "cloud", "x");
    assert_true(spot_is_open(&p, placement_spot(&p, "cloud", "y"), clock_now()));
    assert_string_equal(x->closed_code, "unsupported");
    assert_string_equal(x->closed_text, "m6a.large is not offered in x");
    assert_true(moment_seconds_between(clock_now(), x->closed_until) > 3500);
}

/* As many places as that are closed. */
static bool stage_shut(int64_t wanted)
{
    OWNED(placement_done) struct placement p = stage_places();
    int64_t n = 0;
    for (size_t i = 0; i < p.spot_count; i++)
        n += !spot_is_open(&p, &p.spots[i], clock_now());
    return n == wanted;
}

/* Nothing more is to be planned just now. */
static bool stage_planned(int64_t wanted)
{
    (void)wanted;
    struct error err = {0};
    return db_script(stage.db,
                     "DO $$ BEGIN ASSERT EXISTS (SELECT FROM fleets"
                     " WHERE next_due > clock_timestamp() AND lease_until IS NULL); END $$",
                     &err) == OK;
}

static void refuse_everywhere(void)
{
    stage_account("east", "aws");
    fake_cloud_fill("cloud", CLOUD_UNSUPPORTED, 0);
    fake_cloud_fill("east", CLOUD_UNSUPPORTED, 0);
    stage_spread("[{\"account\":\"cloud\"}, {\"account\":\"east\"}]", 1);
    stage_start();
    stage_await(shut, 2);
    stage_await(failed, 1);
}

static void what_no_place_offers_stays_failed_and_is_asked_for_no_more(void **state)
{
    (void)state;
    refuse_everywhere();
    OWNED(instance_list_done) struct instance_list before = stage_rows("failed", false);
    assert_string_equal(before.at[0].reason, "unsupported");
    for (int i = 0; i < 3; i++) { /* however often it is planned */
        stage_scale(1);
        stage_await(planned, 1);
    }
    OWNED(instance_list_done) struct instance_list after = stage_rows("failed", false);
    assert_int_equal(after.count, 1);
    assert_int_equal(after.at[0].epoch, before.at[0].epoch);
    assert_int_equal(fake_cloud_calls(), 2);
}

static void what_no_place_offered_is_asked_for_again_when_the_fleet_asks_for_less(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    refuse_everywhere();
    fake_cloud_fill("east", CLOUD_UNSUPPORTED, 100);
    assert_ok(fleet_store_find(stage.db, PROJECT_DEFAULT, "web", &fleet, &err));
    json_array_clear(fleet.features);
    assert_ok(fleet_store_update(stage.db, PROJECT_DEFAULT, &fleet, 0, "token:test", NULL, &err));
    stage_await(booting, 1);
    assert_int_equal(machines_in("east"), 1);
}

static void what_is_not_offered_to_one_fleet_may_be_to_another(void **state)
{
    (void)state;
    struct error err = {0};
    refuse_everywhere();
    fake_cloud_fill("cloud", CLOUD_UNSUPPORTED, 100);
    OWNED(fleet_done)
    struct fleet other = {.name = "parents",
                          .desired = 1,
                          .account = "cloud",
                          .image = "image",
                          .size = "m6a.large",
                          .policy = "web",
                          .secrets = json_array(),
                          .features = json_array()};
    assert_ok(fleet_store_add(stage.db, PROJECT_DEFAULT, &other, "token:test", &err));
    stage_await(booting, 1);
    assert_int_equal(stage_count("failed"), 1);
}

/* ---- not yet is not gone -----------------------------------------------------------------------
 */

static bool stage_ending(int64_t wanted)
{
    return stage_count("terminating") == wanted;
}

static void a_machine_that_its_cloud_does_not_show_yet_is_not_given_up(void **state)
{
    (void)state;
    fake_cloud_hide(true); /* before any look: what was listed once is known */
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_scale(0);
    stage_await(ending, 1);
    OWNED(instance_list_done) struct instance_list list = stage_rows("terminating", false);
    assert_int_equal(list.count, 1);
    fake_cloud_hide(false);
    stage_await(terminated, 1);
    assert_int_equal(fake_cloud_machines(), 0);
}

static void what_a_partial_list_leaves_out_is_still_there(void **state)
{
    (void)state;
    struct error err = {0};
    stage_start();
    stage_fleet(2);
    stage_await(booting, 2);
    assert_ok(db_script(stage.db,
                        "UPDATE instances SET launched_at = clock_timestamp() - interval '1 hour'",
                        &err));
    fake_cloud_part(true);
    fake_cloud_hide(true);
    int64_t until = clock_monotonic_ms() + 3000;
    while (clock_monotonic_ms() < until) {
        bool woken;
        assert_ok(db_wait(stage.db, 200, &woken, &err));
        assert_int_equal(stage_count("booting"), 2);
    }
    fake_cloud_part(false);
    stage_await(terminated, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(one_spec_launches_in_every_cloud_with_its_own_names),
        STAGED(a_fleet_that_shrinks_keeps_its_shares),
        STAGED(an_account_that_a_place_names_cannot_be_removed),
        STAGED(a_share_without_room_goes_elsewhere_and_says_why),
        STAGED(a_full_place_is_asked_again_when_its_time_came),
        STAGED(a_place_that_stays_full_is_closed_for_longer_each_time),
        STAGED(what_a_cloud_takes_back_for_want_of_room_is_replaced),
        STAGED(a_row_that_is_turned_away_closes_nothing),
        STAGED(a_place_that_takes_back_each_time_is_closed_for_longer_too),
        STAGED(a_place_that_took_one_and_refuses_the_next_is_closed_as_at_first),
        STAGED(what_a_zone_does_not_offer_is_launched_in_another),
        STAGED(what_no_place_offers_stays_failed_and_is_asked_for_no_more),
        STAGED(what_no_place_offered_is_asked_for_again_when_the_fleet_asks_for_less),
        STAGED(what_is_not_offered_to_one_fleet_may_be_to_another),
        STAGED(a_machine_that_its_cloud_does_not_show_yet_is_not_given_up),
        STAGED(what_a_partial_list_leaves_out_is_still_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
