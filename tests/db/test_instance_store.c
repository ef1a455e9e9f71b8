#include "db/instance_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"
#include "tests/support/one_database.h"
#include "tests/support/fixtures.h"
#include "tests/support/test.h"

static const char me[] = "worker:one";

static struct instance claim_one(const char *holder, int64_t lease_seconds)
{
    struct error err;
    OWNED(instance_list_done) struct instance_list list = {0};
    assert_ok(instance_store_claim(db, holder, lease_seconds, 1, &list, &err));
    assert_int_equal(list.count, 1);
    return list.at[0];
}

/* Nothing but what a test itself makes is due. */
static void settle(void)
{
    struct error err;
    assert_ok(db_script(db,
                        "UPDATE instances SET next_due = 'infinity', lease_holder = NULL,"
                        " lease_until = NULL",
                        &err));
}

static void many_are_made_in_one_statement_with_history_and_audit(void **state)
{
    (void)state;
    struct error err;
    struct uuid ids[100];
    settle();
    fixture_instances(db, "many", ids, countof(ids));
    OWNED(instance_list_done) struct instance_list list = {0};
    char cursor[CURSOR_SIZE];
    const struct instance_filter filter = {
        .project = PROJECT_DEFAULT, .fleet = "many", .limit = 1000};
    assert_ok(instance_store_list(db, &filter, &list, cursor, &err));
    assert_int_equal(list.count, 100);
    assert_string_equal(cursor, "");
    OWNED(instance_change_list_done) struct instance_change_list history = {0};
    assert_ok(instance_store_history(db, &ids[7], &history, &err));
    assert_int_equal(history.count, 1);
    assert_string_equal(history.at[0].to_state, "requested");
    assert_true(history.at[0].audit > 0);
}

static void a_list_goes_on_where_its_cursor_stands(void **state)
{
    (void)state;
    struct error err;
    struct uuid ids[7];
    settle();
    fixture_instances(db, "pages", ids, countof(ids));
    char cursor[CURSOR_SIZE] = "";
    struct uuid last = {0};
    size_t seen = 0;
    do {
        OWNED(instance_list_done) struct instance_list page = {0};
        const struct instance_filter filter = {
            .project = PROJECT_DEFAULT, .fleet = "pages", .limit = 3, .cursor = cursor};
        assert_ok(instance_store_list(db, &filter, &page, cursor, &err));
        for (size_t i = 0; i < page.count; i++, seen++) {
            assert_true(memcmp(page.at[i].id.at, last.at, sizeof last.at) > 0);
            last = page.at[i].id;
        }
    } while (cursor[0] != '\0');
    assert_int_equal(seen, 7);
}

static void a_made_up_cursor_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(instance_list_done) struct instance_list page = {0};
    char cursor[CURSOR_SIZE];
    const char *const bad[] = {"x", "i", "iAAAA", "i!!!!", "' OR 1=1 --"};
    for (size_t i = 0; i < countof(bad); i++) {
        const struct instance_filter filter = {.project = PROJECT_DEFAULT, .cursor = bad[i]};
        assert_fails(instance_store_list(db, &filter, &page, cursor, &err), ERR_INVALID,
                     "bad-cursor");
    }
}

static void filters_narrow_a_list(void **state)
{
    (void)state;
    struct error err;
    settle();
    struct instance running = fixture_running(db, "narrow");
    struct uuid other;
    fixture_instances(db, "narrow", &other, 1);
    struct {
        struct instance_filter filter;
        size_t expected;
    } cases[] = {
        {{.fleet = "narrow"}, 2},
        {{.fleet = "narrow", .phase = "running"}, 1},
        {{.fleet = "narrow", .phase = "failed"}, 0},
        {{.fleet = "narrow", .trust = "unknown"}, 2},
        {{.fleet = "narrow", .driver = "aws"}, 2},
        {{.fleet = "narrow", .driver = "gcp"}, 0},
        {{.fleet = "narrow", .account = "cloud"}, 2},
        {{.fleet = "nobody"}, 0},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(instance_list_done) struct instance_list page = {0};
        char cursor[CURSOR_SIZE];
        cases[i].filter.project = PROJECT_DEFAULT;
        assert_ok(instance_store_list(db, &cases[i].filter, &page, cursor, &err));
        assert_int_equal(page.count, cases[i].expected);
    }
    assert_int_equal(running.phase, PHASE_RUNNING);
}

/* ---- the queue ---- */

static void intent_and_token_are_committed_before_the_cloud_is_called(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    settle();
    fixture_instances(db, "one", &id, 1);
    struct instance claimed = claim_one(me, 60), now;
    const struct instance_step step = {
        .event = EVENT_CLAIMED,
        .intent = INTENT_LAUNCH,
        .keep_lease = true,
        .lease_seconds = 60,
    };
    assert_ok(instance_store_advance(db, &claimed, &step, me, &now, &err));
    assert_int_equal(now.phase, PHASE_LAUNCHING);
    assert_int_equal(now.intent, INTENT_LAUNCH);
    assert_int_equal(now.attempt, 1);
    char token[CLIENT_TOKEN_SIZE];
    instance_client_token(&id, 1, token);
    assert_string_equal(now.client_token, token);
    assert_string_equal(now.lease_holder, me);
    assert_int_equal(now.epoch, claimed.epoch + 1);
}

static void a_claimed_row_is_nobody_elses_until_its_lease_ran_out(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    settle();
    fixture_instances(db, "lease", &id, 1);
    struct instance first = claim_one(me, 60);
    OWNED(instance_list_done) struct instance_list none = {0};
    assert_ok(instance_store_claim(db, "worker:two", 60, 10, &none, &err));
    assert_int_equal(none.count, 0);
    /* Its holder dies; time passes. */
    assert_ok(db_script(db,
                        "UPDATE instances SET lease_until = clock_timestamp() - interval '1s'"
                        " WHERE lease_until IS NOT NULL",
                        &err));
    struct instance second = claim_one("worker:two", 60);
    assert_true(uuid_equal(&second.id, &first.id));
    /* The dead one was only asleep: what it does now is lost. */
    const struct instance_step step = {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH};
    assert_fails(instance_store_advance(db, &first, &step, me, NULL, &err), ERR_CONFLICT, "lost");
    assert_fails(instance_store_defer(db, &first, 10, "slow", &err), ERR_CONFLICT, "lost");
    assert_fails(instance_store_hold(db, &first, 10, &err), ERR_CONFLICT, "lost");
    assert_ok(instance_store_advance(db, &second, &step, "worker:two", NULL, &err));
}

static void
a_worker_that_dies_between_intent_and_answer_is_followed_up_with_the_same_token(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    settle();
    fixture_instances(db, "crash", &id, 1);
    struct instance claimed = claim_one(me, 0), now;
    const struct instance_step step = {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH};
    assert_ok(instance_store_advance(db, &claimed, &step, me, &now, &err));
    /* It launched, and died before it could say so. */
    struct instance next = claim_one("worker:two", 60);
    assert_int_equal(next.phase, PHASE_LAUNCHING);
    assert_int_equal(next.intent, INTENT_LAUNCH);
    assert_string_equal(next.client_token, now.client_token);
    const struct instance_step launched = {
        .event = EVENT_LAUNCHED, .cloud_ref = "i-crash", .due_in_seconds = 30};
    assert_ok(instance_store_advance(db, &next, &launched, "worker:two", &now, &err));
    assert_string_equal(now.cloud_ref, "i-crash");
    assert_int_equal(now.intent, INTENT_NONE);
    assert_string_equal(now.lease_holder, "");
}

static void a_retry_gets_a_new_token(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    struct instance now;
    settle();
    fixture_instances(db, "retry", &id, 1);
    const struct instance_step steps[] = {
        {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH},
        {.event = EVENT_FAILED, .reason = "capacity"},
        {.event = EVENT_RETRY},
        {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH},
    };
    for (size_t i = 0; i < countof(steps); i++)
        assert_ok(instance_store_note(db, &id, &steps[i], "planner", &now, &err));
    assert_int_equal(now.attempt, 2);
    assert_true(strcmp(strrchr(now.client_token, '-'), "-2") == 0);
    assert_false(moment_is_none(now.spoiled_at));
}

static void deferring_counts_failures_and_gives_the_lease_back(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    struct instance now;
    settle();
    fixture_instances(db, "defer", &id, 1);
    struct instance claimed = claim_one(me, 60);
    assert_ok(instance_store_defer(db, &claimed, 0, "throttled", &err));
    claimed = claim_one(me, 60);
    assert_int_equal(claimed.failures, 1);
    assert_string_equal(claimed.reason, "throttled");
    assert_ok(instance_store_defer(db, &claimed, 3600, "throttled", &err));
    assert_ok(instance_store_find(db, &id, &now, &err));
    assert_int_equal(now.failures, 2);
    assert_string_equal(now.lease_holder, "");
    OWNED(instance_list_done) struct instance_list none = {0};
    assert_ok(instance_store_claim(db, me, 60, 10, &none, &err));
    assert_int_equal(none.count, 0);
}

static void a_note_from_outside_makes_the_worker_lose(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    settle();
    fixture_instances(db, "note", &id, 1);
    struct instance claimed = claim_one(me, 60);
    const struct instance_step end = {.event = EVENT_TERMINATE, .intent = INTENT_TERMINATE};
    assert_ok(instance_store_note(db, &id, &end, "token:ops", NULL, &err));
    assert_ok(instance_store_note(db, &id, &end, "token:ops", NULL, &err)); /* twice is once */
    const struct instance_step step = {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH};
    assert_fails(instance_store_advance(db, &claimed, &step, me, NULL, &err), ERR_CONFLICT, "lost");
    OWNED(instance_change_list_done) struct instance_change_list history = {0};
    assert_ok(instance_store_history(db, &id, &history, &err));
    assert_int_equal(history.count, 2);
}

static void what_leads_nowhere_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct instance running = fixture_running(db, "nowhere");
    const struct instance_step step = {.event = EVENT_GONE};
    assert_fails(instance_store_note(db, &running.id, &step, "test", NULL, &err), ERR_CONFLICT,
                 "wrong-phase");
    struct uuid nobody = uuid_new();
    assert_int_equal(instance_store_note(db, &nobody, &step, "test", NULL, &err), ERR_NOT_FOUND);
}

static void what_is_wanted_gone_stays_wanted_gone(void **state)
{
    (void)state;
    struct error err;
    settle();
    struct instance running = fixture_running(db, "want");
    assert_ok(instance_store_want(db, &running.id, WANTED_GONE, "too-many", "planner", &err));
    assert_ok(instance_store_want(db, &running.id, WANTED_GONE, "too-many", "planner", &err));
    assert_fails(instance_store_want(db, &running.id, WANTED_RUN, NULL, "token:ops", &err),
                 ERR_CONFLICT, "on-its-way");
    struct instance claimed = claim_one(me, 60);
    assert_true(uuid_equal(&claimed.id, &running.id));
    assert_int_equal(claimed.wanted, WANTED_GONE);
}

static void an_instance_has_one_machine_and_a_machine_one_instance(void **state)
{
    (void)state;
    struct error err;
    struct uuid ids[2];
    settle();
    fixture_instances(db, "adopt", ids, 2);
    const struct instance_step step = {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH};
    for (size_t i = 0; i < 2; i++)
        assert_ok(instance_store_note(db, &ids[i], &step, "test", NULL, &err));
    assert_ok(instance_store_adopt(db, &ids[0], "i-adopted", "", me, &err));
    assert_ok(instance_store_adopt(db, &ids[0], "i-adopted", "", me, &err));
    struct instance adopted;
    assert_ok(instance_store_find(db, &ids[0], &adopted, &err));
    assert_false(moment_is_none(adopted.settled_at));
    assert_fails(instance_store_adopt(db, &ids[0], "i-other", "", me, &err), ERR_CONFLICT,
                 "other-machine");
    assert_fails(instance_store_adopt(db, &ids[1], "i-adopted", "", me, &err), ERR_CONFLICT,
                 "exists");
}

static struct instance launched_one(const struct uuid *id, const char *ref)
{
    struct error err;
    struct instance out;
    const struct instance_step claimed = {.event = EVENT_CLAIMED, .intent = INTENT_LAUNCH};
    const struct instance_step launched = {.event = EVENT_LAUNCHED, .cloud_ref = ref};
    assert_ok(instance_store_note(db, id, &claimed, "test", NULL, &err));
    assert_ok(instance_store_note(db, id, &launched, "test", &out, &err));
    return out;
}

/* What was listed before the row was launched anew says nothing of the launch of now. */
static void a_list_settles_the_launches_that_it_shows(void **state)
{
    (void)state;
    struct error err;
    struct uuid ids[3];
    struct moment launched[2];
    struct instance row;
    settle();
    fixture_instances(db, "shown", ids, countof(ids));
    for (size_t i = 0; i < countof(ids); i++) {
        char ref[16];
        snprintf(ref, sizeof ref, "i-shown-%zu", i);
        row = launched_one(&ids[i], ref);
        assert_true(moment_is_none(row.settled_at));
        if (i < countof(launched))
            launched[i] = row.launched_at;
    }
    launched[1] = moment_add_seconds(launched[1], -60);
    assert_ok(instance_store_settle_shown(db, ids, launched, countof(launched), &err));
    for (size_t i = 0; i < countof(ids); i++) {
        assert_ok(instance_store_find(db, &ids[i], &row, &err));
        assert_int_equal(moment_is_none(row.settled_at), i > 0);
    }
}

static void a_machine_needs_a_token_that_was_committed_first(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    settle();
    fixture_instances(db, "tokenless", &id, 1);
    assert_fails(instance_store_adopt(db, &id, "i-orphan", "", me, &err), ERR_INVALID, "bad-value");
}

/* ---- many workers ---- */

enum { WORKERS = 6, ROWS = 120 };
static _Atomic int taken[ROWS];
static struct uuid row_ids[ROWS];
static _Atomic int done_rows;

static void note_taken(const struct instance *row)
{
    for (int i = 0; i < ROWS; i++)
        if (uuid_equal(&row_ids[i], &row->id))
            atomic_fetch_add(&taken[i], 1);
}

/* Claims a few, advances each; what goes wrong is counted as missing by the test. */
static void *work(void *name)
{
    struct error err;
    OWNED(db_drop) struct db *own = NULL;
    if (db_open(database_url(), &own, &err) != OK)
        return NULL;
    while (atomic_load(&done_rows) < ROWS) {
        OWNED(instance_list_done) struct instance_list list = {0};
        if (instance_store_claim(own, name, 60, 3, &list, &err) != OK)
            return NULL;
        for (size_t i = 0; i < list.count; i++) {
            const struct instance_step step = {
                .event = EVENT_CLAIMED, .intent = INTENT_LAUNCH, .due_in_seconds = 3600};
            note_taken(&list.at[i]);
            if (instance_store_advance(own, &list.at[i], &step, name, NULL, &err) != OK)
                return NULL;
            atomic_fetch_add(&done_rows, 1);
        }
    }
    return NULL;
}

static void two_workers_never_get_the_same_row(void **state)
{
    (void)state;
    struct error err;
    settle();
    fixture_instances(db, "crowd", row_ids, ROWS);
    pthread_t threads[WORKERS];
    static char names[WORKERS][16];
    for (int i = 0; i < WORKERS; i++) {
        snprintf(names[i], sizeof names[i], "worker:%u", (unsigned)i % 1000);
        assert_int_equal(pthread_create(&threads[i], NULL, work, names[i]), 0);
    }
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < ROWS; i++) {
        struct instance row;
        assert_int_equal(atomic_load(&taken[i]), 1);
        assert_ok(instance_store_find(db, &row_ids[i], &row, &err));
        assert_int_equal(row.attempt, 1);
        assert_int_equal(row.phase, PHASE_LAUNCHING);
    }
}

/* A guest may prove itself before the worker has written down that it was launched. */
static void a_change_of_trust_takes_no_workers_row_away(void **state)
{
    (void)state;
    struct error err;
    struct uuid id;
    settle();
    fixture_instances(db, "trust", &id, 1);
    struct instance claimed = claim_one(me, 60), now;
    const struct trust_change change = {.event = TRUST_CHALLENGED, .reason = "challenged"};
    assert_ok(instance_store_set_trust(db, &id, &change, "desk", &now, &err));
    assert_true(now.epoch > claimed.epoch);
    const struct instance_step step = {
        .event = EVENT_CLAIMED, .intent = INTENT_LAUNCH, .due_in_seconds = 60};
    assert_ok(instance_store_advance(db, &claimed, &step, me, &now, &err));
    assert_int_equal(now.phase, PHASE_LAUNCHING);
    assert_int_equal(now.trust, TRUST_PENDING);
}

/* ---- heartbeats ---- */

static void the_newest_beat_counts_in_whatever_order_they_come(void **state)
{
    (void)state;
    struct error err;
    struct uuid ids[2];
    settle();
    fixture_instances(db, "beats", ids, 2);
    struct moment now = clock_now(), before = moment_add_seconds(now, -10);
    struct uuid stranger = uuid_new();
    struct beat beats[] = {
        {.instance = ids[1], .last_seen = now, .seq = 5, .load = 50},
        {.instance = ids[0], .last_seen = now, .seq = 2},
        {.instance = ids[0], .last_seen = before, .seq = 1},
        {.instance = stranger, .last_seen = now, .seq = 1},
    };
    assert_ok(instance_store_beats(db, beats, countof(beats), &err));
    struct beat late[] = {{.instance = ids[1], .last_seen = before, .seq = 4}};
    assert_ok(instance_store_beats(db, late, 1, &err));
    struct beat found;
    assert_ok(instance_store_last_beat(db, &ids[0], &found, &err));
    assert_int_equal(found.seq, 2);
    assert_ok(instance_store_last_beat(db, &ids[1], &found, &err));
    assert_int_equal(found.seq, 5);
    assert_int_equal(found.load, 50);
    assert_int_equal(instance_store_last_beat(db, &stranger, &found, &err), ERR_NOT_FOUND);
}

static void who_is_not_heard_of_is_silent(void **state)
{
    (void)state;
    struct error err;
    struct instance quiet = fixture_running(db, "quiet"), loud = fixture_running(db, "quiet");
    struct beat beats[] = {
        {.instance = loud.id, .last_seen = clock_now(), .seq = 1},
        {.instance = quiet.id, .last_seen = moment_add_seconds(clock_now(), -100), .seq = 1},
    };
    assert_ok(instance_store_beats(db, beats, countof(beats), &err));
    OWNED(instance_list_done) struct instance_list young = {0};
    assert_ok(instance_store_silent(db, 90, 100, &young, &err));
    assert_int_equal(young.count, 0); /* it has just begun to run */
    assert_ok(db_script(db,
                        "UPDATE instances SET phase_since = clock_timestamp() - interval '100 s'"
                        " WHERE fleet = 'quiet'",
                        &err));
    OWNED(instance_list_done) struct instance_list list = {0};
    assert_ok(instance_store_silent(db, 90, 100, &list, &err));
    assert_int_equal(list.count, 1);
    assert_true(uuid_equal(&list.at[0].id, &quiet.id));
}

static int open_it(void **state)
{
    one_database_open(state);
    struct fleet fleet = fixture_fleet(db, "any", 1);
    fleet_done(&fleet);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_are_made_in_one_statement_with_history_and_audit),
        cmocka_unit_test(a_list_goes_on_where_its_cursor_stands),
        cmocka_unit_test(a_made_up_cursor_is_refused),
        cmocka_unit_test(filters_narrow_a_list),
        cmocka_unit_test(intent_and_token_are_committed_before_the_cloud_is_called),
        cmocka_unit_test(a_claimed_row_is_nobody_elses_until_its_lease_ran_out),
        cmocka_unit_test(
            a_worker_that_dies_between_intent_and_answer_is_followed_up_with_the_same_token),
        cmocka_unit_test(a_retry_gets_a_new_token),
        cmocka_unit_test(deferring_counts_failures_and_gives_the_lease_back),
        cmocka_unit_test(a_note_from_outside_makes_the_worker_lose),
        cmocka_unit_test(what_leads_nowhere_is_refused),
        cmocka_unit_test(what_is_wanted_gone_stays_wanted_gone),
        cmocka_unit_test(an_instance_has_one_machine_and_a_machine_one_instance),
        cmocka_unit_test(a_list_settles_the_launches_that_it_shows),
        cmocka_unit_test(a_machine_needs_a_token_that_was_committed_first),
        cmocka_unit_test(two_workers_never_get_the_same_row),
        cmocka_unit_test(a_change_of_trust_takes_no_workers_row_away),
        cmocka_unit_test(the_newest_beat_counts_in_whatever_order_they_come),
        cmocka_unit_test(who_is_not_heard_of_is_silent),
    };
    return cmocka_run_group_tests(tests, open_it, one_database_close);
}
