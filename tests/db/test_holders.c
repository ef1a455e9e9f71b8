/* Two controllers over one database, each with a keeper and a link of its own: who speaks for an
 * instance on the one is known to the other (trust.md section 9). */
#include "db/holder_store.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/front_desk.h"
#include "tests/support/test.h"

enum { WAIT_MS = 40000, LOOK_MS = 50 };

static const char ticket[] = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

/* ---- two controllers ------------------------------------------------------------------------- */

static struct front sides[2];
static int at_side;

/* What front_desk.h does, it does at this one. */
static void at(int side)
{
    sides[at_side] = front;
    at_side = side;
    front = sides[side];
}

static int open_two(void **state)
{
    struct error err = {0};
    front_open(state);
    assert_ok(db_listen(front.db, &err));
    front_keeper(1, "1");
    at_side = 0;
    sides[1] = front;
    sides[1].keeper = (struct caller){0};
    at(1);
    assert_ok(service_start(&front.settings, &front.service, &err));
    snprintf(front.there.url, sizeof front.there.url, "tls+tcp://127.0.0.1:%d",
             service_link_port(front.service));
    front_keeper(2, "1");
    at(0);
    return 0;
}

static int close_two(void **state)
{
    at(1);
    caller_close(&front.keeper);
    assert_true(service_stop(front.service, FRONT_STOP_MS));
    at(0);
    return front_close(state);
}
#define AT_TWO(test) cmocka_unit_test_setup_teardown(test, open_two, close_two)

/* ---- what is done and seen ------------------------------------------------------------------- */

static void comes_to_be(const char *condition)
{
    struct error err = {0};
    bool woken;
    const int64_t until = clock_monotonic_ms() + WAIT_MS;
    OWNED(text_done) struct text script = {0};
    text_addf(&script, "DO $$ BEGIN ASSERT %s; END $$", condition);
    while (db_script(front.db, text_str(&script), &err) != OK) {
        if (clock_monotonic_ms() > until)
            fail_msg("not seen in time: %s", condition);
        assert_ok(db_wait(front.db, LOOK_MS, &woken, &err));
    }
}

static void is_a_claimant(struct visitor *v, uint8_t boot)
{
    struct error err = {0};
    struct verdict_notice notice = {0};
    assert_fails(visitor_prove(v, true, boot, &notice, &err), ERR_CONFLICT, "claimant-refused");
}

/* At the first controller, which is known to be there. */
static struct uuid enrol(struct visitor *v)
{
    const struct uuid id = front_instance("holders", ticket);
    visitor_opens(v, &id, ticket);
    visitor_passes(v, 1);
    comes_to_be("(SELECT count(*) = 1 FROM holders h JOIN controllers c ON c.name = h.controller)");
    return id;
}

static void hears_that_evidence_is_wanted(struct visitor *v, const char *why)
{
    struct error err = {0};
    struct attest_wish wish = {0};
    for (;;) {
        OWNED(link_event_drop) struct link_event *event = caller_event(&v->caller);
        OWNED(json_drop) json_t *message = NULL;
        enum verb verb;
        assert_int_equal(event->kind, LINK_FRAME);
        if (event->type != FRAME_NOTE)
            continue;
        assert_ok(message_parse(bytes_span(&event->body), &verb, &message, &err));
        if (verb != VERB_ATTEST)
            continue;
        assert_ok(record_from_json(&attest_wish_record, message, "", &wish, &err));
        assert_string_equal(wish.why, why);
        return;
    }
}

/* ---- claimants ------------------------------------------------------------------------------- */

static void
another_boot_is_refused_while_the_holder_is_on_the_other_link_and_that_one_is_asked(void **state)
{
    (void)state;
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    at(1);
    OWNED(visitor_done) struct visitor clone = visitor_open();
    visitor_opens(&clone, &id, "");
    is_a_claimant(&clone, 9);
    assert_true(visitor_holds(&id, &guest));
    hears_that_evidence_is_wanted(&guest, "claimant");
    is_a_claimant(&clone, 9);
    at(0);
}

static void another_boot_succeeds_when_the_holder_has_left_the_other_link(void **state)
{
    (void)state;
    struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    visitor_done(&guest);
    comes_to_be("NOT EXISTS (SELECT FROM holders)");
    at(1);
    OWNED(visitor_done) struct visitor next = visitor_open();
    visitor_opens(&next, &id, "");
    visitor_passes(&next, 9);
    assert_true(visitor_holds(&id, &next));
    at(0);
}

static void an_agent_that_only_began_anew_is_nobodys_claimant(void **state)
{
    (void)state;
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    at(1);
    OWNED(visitor_done) struct visitor same = visitor_open();
    visitor_opens(&same, &id, "");
    visitor_passes(&same, 1);
    assert_true(visitor_holds(&id, &same));
    at(0);
}

static void a_controller_that_died_keeps_nobody_out(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    assert_ok(db_script(front.db,
                        "INSERT INTO controllers (name, last_seen) VALUES ('dead', now() - "
                        "interval '31 seconds'); UPDATE holders SET controller = 'dead'",
                        &err));
    at(1);
    OWNED(visitor_done) struct visitor next = visitor_open();
    visitor_opens(&next, &id, "");
    visitor_passes(&next, 9);
    at(0);
    comes_to_be("EXISTS (SELECT FROM holders WHERE controller <> 'dead')");
}

/* It was cut off from its database when the holder left. */
static void a_controller_that_is_asked_for_whom_it_has_not_says_so(void **state)
{
    (void)state;
    struct error err = {0};
    struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    visitor_done(&guest);
    comes_to_be("NOT EXISTS (SELECT FROM holders)");
    OWNED(visitor_done) struct visitor other = visitor_open();
    const struct uuid elsewhere = front_instance("holders", "tttttttttttt");
    visitor_opens(&other, &elsewhere, "tttttttttttt");
    visitor_passes(&other, 2);
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "INSERT INTO holders (instance, controller) SELECT '%s', controller FROM holders",
              uuid_text(&id).at);
    assert_ok(db_script(front.db, text_str(&script), &err));
    at(1);
    OWNED(visitor_done) struct visitor next = visitor_open();
    visitor_opens(&next, &id, "");
    is_a_claimant(&next, 9);
    comes_to_be("(SELECT count(*) = 1 FROM holders)");
    visitor_passes(&next, 9);
    at(0);
}

/* Its keeper answers all the same, and what it says is of somebody. */
static void a_claimant_that_hangs_up_before_its_verdict_is_one(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct appraise_wish wish = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    at(1);
    OWNED(visitor_done) struct visitor clone = visitor_open();
    visitor_opens(&clone, &id, "");
    assert_ok(visitor_challenge(&clone, &challenge, &err));
    visitor_sends(&clone, challenge.nonce);
    const uint64_t asked = front_keeper_asked(VERB_APPRAISE, &appraise_wish_record, &wish);
    record_done(&appraise_wish_record, &wish);
    caller_close(&clone.caller);
    front_keeper_concludes(asked, &clone, true, 9);
    hears_that_evidence_is_wanted(&guest, "claimant");
    assert_true(visitor_holds(&id, &guest));
    at(0);
}

/* The guest's own controller still believes that it is the holder. */
static void who_was_succeeded_at_another_controller_is_a_claimant_itself(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    OWNED(visitor_done) struct visitor clone = visitor_open();
    const struct uuid id = enrol(&guest);
    at(1);
    OWNED(visitor_done) struct visitor next = visitor_open();
    OWNED(mem_drop) char *key = hex_of(SPAN_OF(next.link_key));
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "UPDATE instances SET link_key = decode('%s', 'hex'); "
              "UPDATE holders SET controller = 'nobody'",
              key);
    assert_ok(db_script(front.db, text_str(&script), &err));
    visitor_opens(&next, &id, ""); /* by its key it is the holder, and that is told */
    comes_to_be("EXISTS (SELECT FROM holders WHERE controller <> 'nobody')");
    at(0);
    is_a_claimant(&guest, 2);
    hears_that_evidence_is_wanted(&next, "claimant");
    visitor_opens(&clone, &id, "");
    is_a_claimant(&clone, 9);
    assert_true(visitor_holds(&id, &next));
}

static void a_holder_that_is_not_written_down_is_with_its_next_verdict(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    enrol(&guest);
    assert_ok(db_script(front.db, "DELETE FROM holders", &err));
    visitor_passes(&guest, 1);
    comes_to_be("(SELECT count(*) = 1 FROM holders)");
}

/* ---- what is asked for by hand --------------------------------------------------------------- */

static void evidence_is_asked_for_by_whoever_has_the_agent(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    const struct uuid away = front_instance("holders", "tttttttttttt");
    at(1);
    assert_ok(service_attest(front.service, &id, "asked", &err));
    hears_that_evidence_is_wanted(&guest, "asked");
    assert_fails(service_attest(front.service, &away, "asked", &err), ERR_NOT_FOUND,
                 "agent-not-connected");
    at(0);
}

static void a_controller_that_stops_has_nobody(void **state)
{
    (void)state;
    OWNED(visitor_done) struct visitor guest = visitor_open();
    enrol(&guest);
    front_restart();
    comes_to_be("NOT EXISTS (SELECT FROM holders)");
}

static void who_is_forgotten_takes_its_holders_along(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    enrol(&guest);
    assert_ok(db_script(front.db,
                        "INSERT INTO controllers (name, last_seen) VALUES ('forgotten', now() - "
                        "interval '25 hours'); UPDATE holders SET controller = 'forgotten'",
                        &err));
    comes_to_be("NOT EXISTS (SELECT FROM holders)"); /* at the next count */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_TWO(another_boot_is_refused_while_the_holder_is_on_the_other_link_and_that_one_is_asked),
        AT_TWO(another_boot_succeeds_when_the_holder_has_left_the_other_link),
        AT_TWO(an_agent_that_only_began_anew_is_nobodys_claimant),
        AT_TWO(a_controller_that_died_keeps_nobody_out),
        AT_TWO(a_controller_that_is_asked_for_whom_it_has_not_says_so),
        AT_TWO(a_claimant_that_hangs_up_before_its_verdict_is_one),
        AT_TWO(who_was_succeeded_at_another_controller_is_a_claimant_itself),
        AT_TWO(a_holder_that_is_not_written_down_is_with_its_next_verdict),
        AT_TWO(evidence_is_asked_for_by_whoever_has_the_agent),
        AT_TWO(a_controller_that_stops_has_nobody),
        AT_TWO(who_is_forgotten_takes_its_holders_along),
    };
    return cmocka_run_group_tests_name("tests/db/test_holders", tests, NULL, NULL);
}
