/* What probes of keepers find is written down, told and alarmed; and a keeper that says yes to what
 * it must refuse is asked for nothing more. */
#include "db/probe_store.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/metrics.h"
#include "tests/support/front_desk.h"
#include "tests/support/test.h"

enum { WAIT_MS = 20000, LOOK_MS = 50 };

static void sql(const char *text)
{
    struct error err = {0};
    assert_ok(db_script(front.db, text, &err));
}

static void pause_a_while(void)
{
    bool woken;
    struct error err = {0};
    assert_ok(db_wait(front.db, LOOK_MS, &woken, &err));
}

/* The row of this prober, as soon as its counts are these. */
static struct probe_row await_row(enum prober prober, int64_t held, int64_t wrong, int64_t accepted)
{
    struct error err = {0};
    for (int64_t until = clock_monotonic_ms() + WAIT_MS; clock_monotonic_ms() < until;) {
        OWNED(probe_row_list_done) struct probe_row_list list = {0};
        assert_ok(probe_store_list(front.db, &list, &err));
        for (size_t i = 0; i < list.count; i++)
            if (list.at[i].prober == prober && list.at[i].held == held &&
                list.at[i].wrong == wrong && list.at[i].accepted == accepted)
                return list.at[i];
        pause_a_while();
    }
    fail_msg("no such row: held %lld", (long long)held);
    abort();
}

/* Of this start of the keeper, so often in the audit trail. */
static void assert_audited_once(const char *verb)
{
    OWNED(text_done) struct text statement = {0};
    OWNED(mem_drop) char *boot = hex_of(SPAN_OF(front.keeper_boot));
    text_addf(&statement,
              "DO $$ BEGIN ASSERT (SELECT count(*) FROM audit WHERE verb = '%s' AND object = "
              "'keeper:%s') = 1; END $$",
              verb, boot);
    sql(text_str(&statement));
}

static int often(void **state)
{
    front_keeper_seconds = 1;
    front_probe_seconds = 1;
    return front_open(state);
}

static int seldom(void **state)
{
    front_keeper_seconds = 1;
    front_probe_seconds = 3600;
    return front_open(state);
}

/* ---- what a keeper tells of its own ---------------------------------------------------------- */

static void what_a_keeper_says_of_its_probes_is_written_down(void **state)
{
    (void)state;
    front_keeper(1, "7.1");
    front.told = (struct keeper_status){
        .probe_seconds = 60, .probe_samples = 2, .probes_held = 26, .probes_wrong = 1};
    strcpy(front.told.fault_kind, "snp");
    strcpy(front.told.fault_alteration, "nonce");
    strcpy(front.told.fault_code, "bad-signature");
    front.told.fault_at = clock_now();
    front_keeper_says_how_it_is();
    const struct probe_row row = await_row(PROBER_KEEPER, 26, 1, 0);
    const int64_t before = metric_get(METRIC_PROBES_HELD);
    assert_memory_equal(row.boot_id, front.keeper_boot, sizeof row.boot_id);
    assert_int_equal(row.samples, 2);
    assert_int_equal(row.every_seconds, 60);
    assert_string_equal(row.fault_kind, "snp");
    assert_string_equal(row.fault_alteration, "nonce");
    assert_string_equal(row.fault_code, "bad-signature");
    assert_int_equal(row.fault_at.us, front.told.fault_at.us);
    assert_false(row.halted);
    front.told.probes_held = 52;
    front_keeper_says_how_it_is();
    (void)await_row(PROBER_KEEPER, 52, 1, 0);
    assert_int_equal(metric_get(METRIC_PROBES_HELD) - before, 26);
}

/* A keeper's row, without the keeper. */
static void tell(int64_t held, int64_t wrong, int64_t accepted, const char *code)
{
    struct error err = {0};
    struct probe_row row = {.boot_id = {9, 9, 9, 9, 9, 9, 9, 9},
                            .prober = PROBER_KEEPER,
                            .every_seconds = 60,
                            .samples = 1,
                            .held = held,
                            .wrong = wrong,
                            .accepted = accepted,
                            .halted = accepted > 0,
                            .halt = accepted > 0};
    memset(front.keeper_boot, 9, sizeof front.keeper_boot);
    if (code != NULL) {
        strcpy(row.fault_kind, "snp");
        strcpy(row.fault_alteration, "nonce");
        snprintf(row.fault_code, sizeof row.fault_code, "%s", code);
        row.fault_at = clock_now();
    }
    sql("INSERT INTO keepers (boot_id, name, realm, certificate) VALUES ('\\x0909090909090909', "
        "'k', "
        "'simulation', sha256('k')) ON CONFLICT DO NOTHING");
    assert_ok(probe_store_note(front.db, &row, "test", &err));
}

static void an_accepted_probe_is_alarmed_and_audited_until_the_keeper_is_resumed(void **state)
{
    (void)state;
    tell(26, 0, 0, NULL);
    assert_false(front_alarmed("probe-accepted"));
    tell(50, 0, 2, "ok");
    tell(51, 0, 2, "ok");
    const struct probe_row row = await_row(PROBER_KEEPER, 51, 0, 2);
    assert_true(row.halted);
    assert_int_equal(row.halt, 1);
    assert_true(front_alarmed("probe-accepted"));
    assert_audited_once("keeper.halted");
    sql("UPDATE probes SET accepted = 0"); /* started anew: halted all the same */
    assert_true(front_alarmed("probe-accepted"));
    tell(26, 0, 0, NULL);
    assert_false(front_alarmed("probe-accepted"));
}

static void another_code_is_alarmed_for_an_hour(void **state)
{
    (void)state;
    tell(25, 1, 0, "policy-report-data");
    assert_true(front_alarmed("probe-wrong-code"));
    assert_false(front_alarmed("probe-accepted"));
    sql("UPDATE probes SET fault_at = fault_at - interval '1 hour'");
    assert_false(front_alarmed("probe-wrong-code"));
}

static void probes_that_do_not_run_are_alarmed_only_where_there_is_something_to_probe(void **state)
{
    (void)state;
    static const char later[] = "UPDATE probes SET ran_at = ran_at - interval '181 seconds'";
    tell(26, 0, 0, NULL);
    assert_false(front_alarmed("probes-not-running"));
    sql(later);
    assert_true(front_alarmed("probes-not-running"));
    tell(26, 0, 0, NULL); /* the same counts: it still does not run */
    assert_true(front_alarmed("probes-not-running"));
    tell(52, 0, 0, NULL);
    assert_false(front_alarmed("probes-not-running"));
    sql(later);
    sql("UPDATE probes SET samples = 0");
    assert_false(front_alarmed("probes-not-running"));
    tell(52, 0, 0, NULL); /* there is something again: it has its time */
    assert_false(front_alarmed("probes-not-running"));
    sql(later);
    sql("UPDATE keepers SET last_seen = last_seen - interval '1 hour'"); /* silent: told already */
    assert_false(front_alarmed("probes-not-running"));
}

/* ---- what controllers ask -------------------------------------------------------------------- */

static uint64_t asked_with_a_nonce_of_nobody(void)
{
    struct appraise_wish wish = {0};
    const uint64_t id = front_keeper_asked(VERB_APPRAISE, &appraise_wish_record, &wish);
    assert_memory_equal(wish.nonce, front.keeper_boot, sizeof front.keeper_boot);
    record_done(&appraise_wish_record, &wish);
    return id;
}

static void a_keeper_that_refuses_holds(void **state)
{
    (void)state;
    front_keeper(2, "7.1");
    front_keeper_refuses(asked_with_a_nonce_of_nobody(), "challenge-again");
    const struct probe_row row = await_row(PROBER_CONTROLLER, 1, 0, 0);
    assert_int_equal(row.samples, 0); /* nobody has passed yet: nothing else is asked */
    front_keeper_refuses(asked_with_a_nonce_of_nobody(), "charter-expired"); /* not counted */
    front_keeper_refuses(asked_with_a_nonce_of_nobody(), "challenge-again");
    (void)await_row(PROBER_CONTROLLER, 2, 0, 0);
    assert_false(front_alarmed("probe-accepted"));
}

static void another_code_of_the_keepers_is_a_warning(void **state)
{
    (void)state;
    front_keeper(2, "7.1");
    front_keeper_refuses(asked_with_a_nonce_of_nobody(), "policy-unknown");
    const struct probe_row row = await_row(PROBER_CONTROLLER, 0, 1, 0);
    assert_string_equal(row.fault_alteration, "nonce-of-nobody");
    assert_string_equal(row.fault_code, "policy-unknown");
    assert_true(front_alarmed("probe-wrong-code"));
}

static void say_yes(void)
{
    char token[] = "a.b.c";
    const struct appraise_reply reply = {.token = token,
                                         .claims = json_object(),
                                         .checks = json_array(),
                                         .issued = clock_now(),
                                         .expires = clock_now()};
    front_keeper_answers(asked_with_a_nonce_of_nobody(), &appraise_reply_record, &reply);
    json_decref(reply.claims);
    json_decref(reply.checks);
}

static void nobody_is_challenged(const char *ticket)
{
    struct error err = {0};
    struct hello_reply reply = {0};
    OWNED(visitor_done) struct visitor v = visitor_open();
    const struct uuid instance = front_instance("web", ticket);
    assert_ok(visitor_hello(&v, &instance, ticket, &reply, &err));
    assert_fails(visitor_turned_away(&v, &err), ERR_UNREACHABLE, "keeper-distrusted");
}

static void a_keeper_that_says_yes_is_asked_for_nothing_more(void **state)
{
    (void)state;
    front_keeper(3, "7.1");
    say_yes();
    const struct probe_row row = await_row(PROBER_CONTROLLER, 0, 0, 1);
    assert_string_equal(row.fault_alteration, "nonce-of-nobody");
    assert_string_equal(row.fault_code, "ok");
    assert_true(front_alarmed("probe-accepted"));
    assert_audited_once("keeper.distrusted");
    nobody_is_challenged("one");
    front_restart(); /* another controller knows it too: by the rows, and by its start */
    front_keeper(3, "7.1");
    nobody_is_challenged("two");
}

/* ---- with evidence of a guest that passed ---------------------------------------------------- */

static void let_a_guest_pass(void)
{
    struct error err = {0};
    struct hello_reply reply = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor v = visitor_open();
    const struct uuid instance = front_instance("web", "ticket");
    front_keeper(5, "7.1");
    assert_ok(visitor_hello(&v, &instance, "ticket", &reply, &err));
    assert_ok(visitor_prove(&v, true, 1, &notice, &err));
    assert_string_equal(notice.verdict, "trusted");
    front.settings.probe_seconds = 1;
    front_restart();
    front_keeper(6, "7.1");
}

/* `out`: which, in hex. */
static uint64_t asked_by(char out[static 97])
{
    struct opinion_wish wish = {0};
    front_keeper_refuses(asked_with_a_nonce_of_nobody(), "challenge-again");
    const uint64_t id = front_keeper_asked(VERB_OPINION, &opinion_wish_record, &wish);
    assert_int_equal(wish.evidence.len, 64);
    const json_t *allowed = json_object_get(json_object_get(wish.appraisal, "snp"), "measurement");
    assert_int_equal(json_array_size(allowed), 1);
    assert_int_equal(json_string_length(json_array_get(allowed, 0)), 96);
    memcpy(out, json_string_value(json_array_get(allowed, 0)), 97);
    record_done(&opinion_wish_record, &wish);
    return id;
}

static uint64_t asked_by_another_measurement(void)
{
    char unread[97];
    return asked_by(unread);
}

static void give_opinion(uint64_t id, const char *verdict, const char *reason)
{
    OWNED(json_drop) json_t *json = json_pack("{s:s,s:s}", "verdict", verdict, "reason", reason);
    char token[] = "o.p.n";
    const struct opinion_reply reply = {.token = token, .verdict = json};
    front_keeper_answers(id, &opinion_reply_record, &reply);
}

static uint64_t asked_with_the_opinion(void)
{
    struct release_wish wish = {0};
    const uint64_t id = front_keeper_asked(VERB_RELEASE, &release_wish_record, &wish);
    assert_string_equal(wish.token, "o.p.n");
    record_done(&release_wish_record, &wish);
    return id;
}

static void a_fleets_own_evidence_is_shown_under_another_measurement(void **state)
{
    (void)state;
    let_a_guest_pass();
    give_opinion(asked_by_another_measurement(), "rejected", "policy-measurement");
    front_keeper_refuses(asked_with_the_opinion(), "opinion-not-verdict");
    const struct probe_row row = await_row(PROBER_CONTROLLER, 3, 0, 0);
    assert_int_equal(row.samples, 1);
}

/* Else a machine that has it, and is rightly trusted, would cost every keeper its good name. */
static void the_other_measurement_is_another_one_each_time(void **state)
{
    (void)state;
    char first[97], second[97];
    let_a_guest_pass();
    give_opinion(asked_by(first), "rejected", "policy-measurement");
    front_keeper_refuses(asked_with_the_opinion(), "opinion-not-verdict");
    give_opinion(asked_by(second), "rejected", "policy-measurement");
    front_keeper_refuses(asked_with_the_opinion(), "opinion-not-verdict");
    assert_string_not_equal(first, second);
}

static void a_keeper_that_trusts_another_measurement_is_distrusted(void **state)
{
    (void)state;
    let_a_guest_pass();
    give_opinion(asked_by_another_measurement(), "trusted", "ok");
    front_keeper_refuses(asked_with_the_opinion(), "opinion-not-verdict");
    const struct probe_row row = await_row(PROBER_CONTROLLER, 2, 0, 1);
    assert_string_equal(row.fault_alteration, "other-measurement");
    assert_true(front_alarmed("probe-accepted"));
}

/* Not at the end of the round: the keeper may take its time, and we may be killed. */
static void a_yes_is_written_down_before_the_next_question_is_answered(void **state)
{
    (void)state;
    let_a_guest_pass();
    give_opinion(asked_by_another_measurement(), "trusted", "ok");
    const uint64_t unanswered = asked_with_the_opinion();
    (void)await_row(PROBER_CONTROLLER, 1, 0, 1);
    assert_true(front_alarmed("probe-accepted"));
    front_keeper_refuses(unanswered, "opinion-not-verdict");
    (void)await_row(PROBER_CONTROLLER, 2, 0, 1);
}

/* A question that had to be waited for is fresh, and its answer counts; once the next one comes, it
 * has been taken in. */
static void keeper_says_in_time(void)
{
    enum { WAITED_MS = 100 };
    for (int fresh = 0; fresh < 2;) {
        const int64_t from = clock_monotonic_ms();
        front_keeper_says_how_it_is();
        fresh += clock_monotonic_ms() - from >= WAITED_MS;
    }
}

static void whom_another_controller_caught_is_asked_for_nothing_more(void **state)
{
    (void)state;
    struct error err = {0};
    struct probe_row caught = {.every_seconds = 60, .samples = 1, .accepted = 1};
    front_keeper(1, "7.1");
    keeper_says_in_time(); /* so it has a row */
    memcpy(caught.boot_id, front.keeper_boot, sizeof caught.boot_id);
    strcpy(caught.fault_code, "ok");
    assert_ok(probe_store_add(front.db, &caught, "controller:other", &err));
    keeper_says_in_time();
    nobody_is_challenged("three");
}

static void a_keeper_that_releases_for_an_opinion_is_distrusted(void **state)
{
    (void)state;
    const struct release_reply reply = {.check = {1}};
    let_a_guest_pass();
    give_opinion(asked_by_another_measurement(), "rejected", "policy-measurement");
    front_keeper_answers(asked_with_the_opinion(), &release_reply_record, &reply);
    const struct probe_row row = await_row(PROBER_CONTROLLER, 2, 0, 1);
    assert_string_equal(row.fault_alteration, "opinion-for-a-verdict");
}

#define OFTEN(test) cmocka_unit_test_setup_teardown(test, often, front_close)
#define SELDOM(test) cmocka_unit_test_setup_teardown(test, seldom, front_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SELDOM(what_a_keeper_says_of_its_probes_is_written_down),
        SELDOM(an_accepted_probe_is_alarmed_and_audited_until_the_keeper_is_resumed),
        SELDOM(another_code_is_alarmed_for_an_hour),
        SELDOM(probes_that_do_not_run_are_alarmed_only_where_there_is_something_to_probe),
        OFTEN(a_keeper_that_refuses_holds),
        OFTEN(another_code_of_the_keepers_is_a_warning),
        OFTEN(a_keeper_that_says_yes_is_asked_for_nothing_more),
        SELDOM(a_fleets_own_evidence_is_shown_under_another_measurement),
        SELDOM(the_other_measurement_is_another_one_each_time),
        SELDOM(a_keeper_that_trusts_another_measurement_is_distrusted),
        SELDOM(a_yes_is_written_down_before_the_next_question_is_answered),
        SELDOM(whom_another_controller_caught_is_asked_for_nothing_more),
        SELDOM(a_keeper_that_releases_for_an_opinion_is_distrusted),
    };
    return cmocka_run_group_tests_name("probes", tests, NULL, NULL);
}
