/* What machines left behind, and rows whose machine vanished: listed with age and owner, removed by
 * hand or policy only, and neither lost nor done twice when a controller dies in between. */
#include <stdio.h>
#include <string.h>

#include "controller/watch.h"
#include "db/alarm_store.h"
#include "db/orphan_store.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/stage.h"
#include "tests/support/test.h"

/* ---- looks ----------------------------------------------------------------------------------- */

static void run(const char *script)
{
    struct error err = {0};
    assert_ok(db_script(stage.db, script, &err));
}

/* One round of a controller's watch, whose turn it is. */
static void look(void)
{
    struct error err = {0};
    struct watch_counts counts;
    struct crew crew = {.settings = &stage.settings};
    struct worker watch = {.crew = &crew,
                           .db = stage.db,
                           .clouds = {.drivers = fake_driver_of},
                           .holder = "watch:test"};
    pthread_mutex_init(&crew.lock, NULL);
    run("UPDATE leftover_looks SET due = clock_timestamp()");
    assert_ok(watch_clouds(&watch, &counts, &err));
    clouds_done(&watch.clouds);
    orphans_done(&watch.orphans);
    pthread_mutex_destroy(&crew.lock);
}

static struct orphan_row_list stored(void)
{
    struct error err = {0};
    struct orphan_row_list list = {0};
    assert_ok(orphan_store_list(stage.db, PROJECT_DEFAULT, 10, &list, &err));
    return list;
}

static size_t count_stored(void)
{
    OWNED(orphan_row_list_done) struct orphan_row_list list = stored();
    return list.count;
}

static bool stage_listed(int64_t wanted)
{
    return (int64_t)count_stored() == wanted;
}

static struct orphan_row the_only(void)
{
    OWNED(orphan_row_list_done) struct orphan_row_list list = stored();
    assert_int_equal(list.count, 1);
    return list.at[0];
}

static void ask(const struct orphan_row *orphan)
{
    struct error err = {0};
    struct orphan_row asked;
    assert_ok(orphan_store_ask(stage.db, PROJECT_DEFAULT, &orphan->id, orphan->ref, "token:ops",
                               &asked, &err));
}

/* The trail is of all tests: each counts from where it began. */
static int open_stage(void **state)
{
    int failed = stage_open(state);
    run("DROP TABLE IF EXISTS trail_before; CREATE TEMP TABLE trail_before AS "
        "SELECT coalesce(max(id), 0) AS id FROM audit");
    return failed;
}

#define TRAILED(test) cmocka_unit_test_setup_teardown(test, open_stage, stage_close)

static void assert_audited(const char *verb, const char *actor, int times)
{
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "DO $$ BEGIN ASSERT (SELECT count(*) FROM audit WHERE verb = '%s' AND actor = '%s' "
              "AND id > (SELECT id FROM trail_before)) = %d; END $$",
              verb, actor, times);
    run(text_str(&script));
}

static int leave_disk(void)
{
    const struct uuid nobody = uuid_new();
    return fake_cloud_leave(LEFTOVER_DISK, "vol-1", &nobody, "a-token");
}

/* ---- listing --------------------------------------------------------------------------------- */

static void what_was_left_behind_is_listed_with_its_owner(void **state)
{
    (void)state;
    const struct uuid nobody = uuid_new();
    static const char *const refs[] = {"vol-1", "eipalloc-1", "eni-1"};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++)
        fake_cloud_leave((enum leftover_kind)kind, refs[kind], &nobody, "a-token");
    look();
    OWNED(orphan_row_list_done) struct orphan_row_list list = stored();
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.at[i].kind, ORPHAN_DISK + (int)i);
        assert_string_equal(list.at[i].ref, refs[i]);
        assert_string_equal(list.at[i].account, "cloud");
        assert_string_equal(list.at[i].cloud, "aws");
        assert_true(list.at[i].region[0] != '\0');
        assert_string_equal(list.at[i].owner, "test");
        assert_string_equal(list.at[i].fleet, "web");
        assert_true(uuid_equal(&list.at[i].instance, &nobody));
        assert_int_equal(list.at[i].removal, REMOVAL_NONE);
    }
    assert_int_equal(metric_get(METRIC_ORPHANS_LISTED), 3);
    assert_int_equal(fake_cloud_left(), 3);
}

/* What has a row may be wanted again: while its machine is launched, or moved. */
static void what_a_living_row_may_want_is_not_listed(void **state)
{
    (void)state;
    const struct uuid nobody = uuid_new();
    fake_cloud_leave(LEFTOVER_ADDRESS, "eipalloc-1", &nobody, "other");
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    OWNED(instance_list_done) struct instance_list rows = stage_rows("booting", false);
    fake_cloud_leave(LEFTOVER_DISK, "vol-1", &rows.at[0].id, rows.at[0].client_token);
    fake_cloud_leave(LEFTOVER_DISK, "vol-2", &rows.at[0].id, "an older launch of it");
    look();
    assert_int_equal(count_stored(), 2);
    stage_scale(0);
    stage_await(terminated, 1);
    look();
    assert_int_equal(count_stored(), 3);
}

/* Its age begins anew: whoever attached it had a use for it. */
static void what_was_attached_since_is_no_orphan_any_more(void **state)
{
    (void)state;
    const int disk = leave_disk();
    look();
    const struct orphan_row before = the_only();
    fake_cloud_attach(disk, true);
    look();
    assert_int_equal(count_stored(), 0);
    fake_cloud_attach(disk, false);
    look();
    const struct orphan_row after = the_only();
    assert_false(uuid_equal(&before.id, &after.id));
}

static void an_account_is_asked_once_in_its_time_by_all_together(void **state)
{
    (void)state;
    struct error err = {0};
    leave_disk();
    look();
    assert_int_equal(fake_cloud_left_asks(), 1);
    const struct account_place place = {PROJECT_DEFAULT, "cloud"};
    bool mine;
    struct moment began;
    assert_ok(orphan_store_claim_look(stage.db, &place, 3600, &mine, &began, &err));
    assert_false(mine);
    run("UPDATE leftover_looks SET due = clock_timestamp()");
    assert_ok(orphan_store_claim_look(stage.db, &place, 3600, &mine, &began, &err));
    assert_true(mine);
    assert_ok(orphan_store_claim_look(stage.db, &place, 3600, &mine, &began, &err));
    assert_false(mine);
}

static void what_could_not_be_looked_at_is_not_gone(void **state)
{
    (void)state;
    leave_disk();
    look();
    const struct orphan_row before = the_only();
    fake_cloud_mischief(MISCHIEF_HIDE_LEFT, CLOUD_THROTTLE, 1);
    look();
    const struct orphan_row after = the_only();
    assert_true(uuid_equal(&before.id, &after.id));
    fake_cloud_attach(0, true);
    fake_cloud_part(true);
    look();
    assert_int_equal(count_stored(), 1);
    fake_cloud_part(false);
    look();
    assert_int_equal(count_stored(), 0);
}

static bool has_alarm(void)
{
    struct error err = {0};
    OWNED(alarm_list_done) struct alarm_list list = {0};
    assert_ok(alarm_store_list(stage.db, PROJECT_DEFAULT, NULL, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.at[i].code, "orphans-old") == 0 &&
            strcmp(list.at[i].object, "account:cloud") == 0)
            return true;
    return false;
}

static void one_that_nobody_looks_after_for_a_day_is_an_alarm(void **state)
{
    (void)state;
    leave_disk();
    look();
    assert_false(has_alarm());
    run("UPDATE orphans SET first_seen = first_seen - interval '25 hours'");
    look();
    assert_true(has_alarm());
    assert_true(metric_get(METRIC_ORPHANS_OLDEST) >= 25 * 3600);
    fake_cloud_attach(0, true);
    look();
    assert_false(has_alarm());
    assert_int_equal(metric_get(METRIC_ORPHANS_OLDEST), 0);
}

/* ---- removing -------------------------------------------------------------------------------- */

static void nothing_is_removed_because_it_is_old(void **state)
{
    (void)state;
    leave_disk();
    look();
    run("UPDATE orphans SET first_seen = first_seen - interval '1 year'");
    look();
    assert_int_equal(fake_cloud_discards(), 0);
    assert_int_equal(count_stored(), 1);
}

static void each_kind_is_removed_by_hand_and_audited(void **state)
{
    (void)state;
    const struct uuid nobody = uuid_new();
    fake_cloud_leave(LEFTOVER_DISK, "vol-1", &nobody, "t");
    fake_cloud_leave(LEFTOVER_ADDRESS, "eipalloc-1", &nobody, "t");
    fake_cloud_leave(LEFTOVER_INTERFACE, "eni-1", &nobody, "t");
    look();
    OWNED(orphan_row_list_done) struct orphan_row_list list = stored();
    ask(&list.at[0]);
    look();
    assert_int_equal(fake_cloud_left(), 2);
    ask(&list.at[1]);
    ask(&list.at[2]);
    look();
    assert_int_equal(fake_cloud_left(), 0);
    look();
    assert_int_equal(count_stored(), 0);
    assert_int_equal(fake_cloud_discards(), 3);
    assert_audited("orphan.removal-asked", "token:ops", 3);
    assert_audited("orphan.removed", "watch:test", 3);
    assert_audited("orphan.gone", "watch:test", 3);
}

static void asking_makes_the_next_look_due(void **state)
{
    (void)state;
    leave_disk();
    stage_start();
    stage_await(listed, 1);
    const struct orphan_row orphan = the_only();
    ask(&orphan);
    for (int64_t until = clock_monotonic_ms() + 10000; fake_cloud_left() > 0;)
        assert_true(clock_monotonic_ms() < until);
}

static void a_policy_removes_what_was_listed_so_long(void **state)
{
    (void)state;
    leave_disk();
    run("UPDATE accounts SET spec = spec || '{\"orphans\": \"remove-after:48h\"}'");
    look();
    run("UPDATE orphans SET first_seen = first_seen - interval '47 hours'");
    look();
    assert_int_equal(fake_cloud_discards(), 0);
    run("UPDATE orphans SET first_seen = first_seen - interval '61 minutes'");
    look();
    assert_int_equal(fake_cloud_discards(), 1);
    assert_string_equal(the_only().removal_by, "policy:orphans");
    look();
    assert_int_equal(count_stored(), 0);
    assert_audited("orphan.removal-asked", "policy:orphans", 1);
    assert_audited("orphan.removed", "watch:test", 1);
}

static void a_policy_ends_machines_without_a_row_too(void **state)
{
    (void)state;
    const struct uuid stranger = uuid_new();
    fake_cloud_plant(&stranger, "stranger");
    run("UPDATE accounts SET spec = spec || '{\"orphans\": \"remove-after:7d\"}'");
    look();
    assert_int_equal(fake_cloud_machines(), 1);
    run("UPDATE orphans SET first_seen = first_seen - interval '169 hours'");
    look();
    assert_int_equal(fake_cloud_machines(), 0);
    assert_audited("orphan.removal-asked", "policy:orphans", 1);
}

/* Whoever copied a machine with its tags pays for it, and it may be his work: a person may say so.
 */
/* Its cloud protects it from being ended: that is no reason to look at nothing else. */
static void what_cannot_be_ended_is_listed_and_holds_up_nothing(void **state)
{
    (void)state;
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    stage_scale(0);
    stage_await(terminated, 1);
    stage_stop();
    OWNED(instance_list_done) struct instance_list list = stage_rows("terminated", true);
    for (int i = 0; i < 2; i++)
        fake_cloud_plant(&list.at[0].id, list.at[0].client_token);
    const int disk = leave_disk();
    fake_cloud_mischief(MISCHIEF_KEEP, CLOUD_STATE_CONFLICT, 1);
    look();
    assert_int_equal(fake_cloud_machines(), 1);
    OWNED(orphan_row_list_done) struct orphan_row_list stored_now = stored();
    assert_int_equal(stored_now.count, 2);
    assert_int_equal(stored_now.at[0].kind, ORPHAN_MACHINE);
    assert_int_equal(stored_now.at[1].kind, ORPHAN_DISK);
    fake_cloud_attach(disk, true);
    look();
    assert_int_equal(fake_cloud_machines(), 0);
    look();
    assert_int_equal(count_stored(), 0);
}

static int64_t paid_for(void)
{
    struct error err = {0};
    int64_t count, oldest;
    assert_ok(orphan_store_count(stage.db, &count, &oldest, &err));
    return count;
}

/* Nobody would ever look there again. */
static void an_account_with_orphans_is_kept_while_they_are_seen(void **state)
{
    (void)state;
    struct error err = {0};
    leave_disk();
    look();
    assert_fails(account_store_remove(stage.db, PROJECT_DEFAULT, "cloud", 0, "token:ops", &err),
                 ERR_CONFLICT, "in-use");
    assert_int_equal(count_stored(), 1);
    run("UPDATE orphans SET last_seen = last_seen - interval '2 days'");
    assert_ok(account_store_remove(stage.db, PROJECT_DEFAULT, "cloud", 0, "token:ops", &err));
    assert_int_equal(paid_for(), 0);
}

static void a_policy_leaves_machines_that_only_bear_copied_tags(void **state)
{
    (void)state;
    const struct uuid stranger = uuid_new();
    const int number = fake_cloud_plant(&stranger, "stranger");
    fake_cloud_machine(number)->seen.is_copy = true;
    run("UPDATE accounts SET spec = spec || '{\"orphans\": \"remove-after:48h\"}'");
    look();
    run("UPDATE orphans SET first_seen = first_seen - interval '1 year'");
    look();
    assert_int_equal(fake_cloud_machines(), 1);
    const struct orphan_row orphan = the_only();
    assert_true(orphan.copied);
    ask(&orphan);
    look();
    assert_int_equal(fake_cloud_machines(), 0);
    assert_audited("orphan.removal-asked", "policy:orphans", 0);
}

/* Between two looks it was ended, and another was made under its name. */
static void a_name_that_came_to_mean_another_machine_is_another_orphan(void **state)
{
    (void)state;
    const struct uuid stranger = uuid_new();
    struct sighting *seen = &fake_cloud_machine(fake_cloud_plant(&stranger, "stranger"))->seen;
    snprintf(seen->machine_id, sizeof seen->machine_id, "1001");
    look();
    const struct orphan_row before = the_only();
    run("UPDATE orphans SET first_seen = first_seen - interval '1 year'");
    ask(&before);
    run("UPDATE accounts SET spec = spec || '{\"orphans\": \"remove-after:48h\"}'");
    snprintf(seen->machine_id, sizeof seen->machine_id, "1002");
    look();
    const struct orphan_row after = the_only();
    assert_int_equal(fake_cloud_machines(), 1);
    assert_false(uuid_equal(&before.id, &after.id));
    assert_string_equal(after.machine_id, "1002");
    assert_int_equal(after.removal, REMOVAL_NONE);
    assert_audited("orphan.gone", "watch:test", 1);
}

/* Whatever this controller's clock says: the rows are written by the database's. */
static void a_controller_whose_clock_is_wrong_forgets_no_orphan(void **state)
{
    (void)state;
    const struct uuid stranger = uuid_new();
    fake_cloud_plant(&stranger, "stranger");
    clock_freeze(moment_add_seconds(clock_now(), 3600));
    look();
    clock_thaw();
    assert_int_equal(count_stored(), 1);
    fake_cloud_forget(0);
    clock_freeze(moment_add_seconds(clock_now(), -3600));
    look();
    clock_thaw();
    assert_int_equal(count_stored(), 0);
}

static void what_is_attached_while_it_is_to_be_removed_stays(void **state)
{
    (void)state;
    const int disk = leave_disk();
    look();
    const struct orphan_row orphan = the_only();
    ask(&orphan);
    fake_cloud_attach(disk, true);
    look();
    fake_cloud_attach(disk, false);
    look();
    assert_int_equal(fake_cloud_discards(), 0);
    assert_int_equal(the_only().removal, REMOVAL_NONE);
}

static void from_a_partial_list_nothing_is_removed(void **state)
{
    (void)state;
    leave_disk();
    look();
    const struct orphan_row orphan = the_only();
    ask(&orphan);
    fake_cloud_part(true);
    look();
    assert_int_equal(fake_cloud_discards(), 0);
    fake_cloud_part(false);
    look();
    assert_int_equal(fake_cloud_discards(), 1);
}

static void a_refusal_is_told_and_tried_again(void **state)
{
    (void)state;
    leave_disk();
    look();
    const struct orphan_row orphan = the_only();
    ask(&orphan);
    fake_cloud_mischief(MISCHIEF_KEEP, CLOUD_AUTH, 1);
    look();
    assert_string_equal(the_only().reason, "auth");
    assert_int_equal(fake_cloud_left(), 1);
    look();
    assert_int_equal(fake_cloud_left(), 0);
    assert_string_equal(the_only().reason, "");
}

/* ---- killed ---------------------------------------------------------------------------------- */

static void a_killed_removal_goes_on(enum mischief mischief, int left)
{
    leave_disk();
    look();
    const struct orphan_row orphan = the_only();
    ask(&orphan);
    fake_cloud_mischief(mischief, 0, 1);
    stage_run_until_killed();
    assert_int_equal(fake_cloud_left(), left);
    assert_int_equal(the_only().removal, REMOVAL_ASKED);
    look();
    look();
    assert_int_equal(fake_cloud_left(), 0);
    assert_int_equal(fake_cloud_discards(), 1);
    assert_int_equal(count_stored(), 0);
    assert_audited("orphan.removal-asked", "token:ops", 1);
    assert_audited("orphan.gone", "watch:test", 1);
}

static void killed_before_the_removal_it_is_not_forgotten(void **state)
{
    (void)state;
    a_killed_removal_goes_on(MISCHIEF_DIE_DISCARDING, 1);
}

static void killed_after_the_removal_it_is_told_of(void **state)
{
    (void)state;
    a_killed_removal_goes_on(MISCHIEF_DIE_DISCARDED, 0);
}

/* ---- vanished -------------------------------------------------------------------------------- */

static void vanish_one(void)
{
    stage_start();
    stage_fleet(1);
    stage_await(booting, 1);
    fake_cloud_break(0);
    stage_await(terminated, 1);
    stage_await(listed, 1);
    stage_stop();
}

static void a_row_whose_machine_vanished_is_listed_until_somebody_saw_it(void **state)
{
    (void)state;
    vanish_one();
    OWNED(instance_list_done) struct instance_list rows = stage_rows("terminated", true);
    const struct orphan_row orphan = the_only();
    assert_int_equal(orphan.kind, ORPHAN_VANISHED);
    assert_true(uuid_equal(&orphan.instance, &rows.at[0].id));
    assert_string_equal(orphan.ref, rows.at[0].cloud_ref);
    assert_string_equal(orphan.fleet, "web");
    look();
    assert_int_equal(count_stored(), 1); /* no look shows it, and it stays */
    ask(&orphan);
    assert_int_equal(count_stored(), 0);
    assert_audited("orphan.acknowledged", "token:ops", 1);
}

static void a_vanished_machine_is_forgotten_with_its_row(void **state)
{
    (void)state;
    vanish_one();
    run("UPDATE orphans SET instance = gen_random_uuid()"); /* of no row */
    look();
    assert_int_equal(count_stored(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRAILED(what_was_left_behind_is_listed_with_its_owner),
        TRAILED(what_a_living_row_may_want_is_not_listed),
        TRAILED(what_was_attached_since_is_no_orphan_any_more),
        TRAILED(an_account_is_asked_once_in_its_time_by_all_together),
        TRAILED(what_could_not_be_looked_at_is_not_gone),
        TRAILED(one_that_nobody_looks_after_for_a_day_is_an_alarm),
        TRAILED(nothing_is_removed_because_it_is_old),
        TRAILED(each_kind_is_removed_by_hand_and_audited),
        TRAILED(asking_makes_the_next_look_due),
        TRAILED(a_policy_removes_what_was_listed_so_long),
        TRAILED(a_policy_ends_machines_without_a_row_too),
        TRAILED(what_cannot_be_ended_is_listed_and_holds_up_nothing),
        TRAILED(an_account_with_orphans_is_kept_while_they_are_seen),
        TRAILED(a_policy_leaves_machines_that_only_bear_copied_tags),
        TRAILED(a_name_that_came_to_mean_another_machine_is_another_orphan),
        TRAILED(a_controller_whose_clock_is_wrong_forgets_no_orphan),
        TRAILED(what_is_attached_while_it_is_to_be_removed_stays),
        TRAILED(from_a_partial_list_nothing_is_removed),
        TRAILED(a_refusal_is_told_and_tried_again),
        TRAILED(killed_before_the_removal_it_is_not_forgotten),
        TRAILED(killed_after_the_removal_it_is_told_of),
        TRAILED(a_row_whose_machine_vanished_is_listed_until_somebody_saw_it),
        TRAILED(a_vanished_machine_is_forgotten_with_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
