/* A stranger with a stolen launch ticket (trust.md section 4): before the true guest, beside it and
 * after it; and the accidents that must not shut the true guest out. */
#include "db/ticket_store.h"

#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/front_desk.h"
#include "tests/support/test.h"

static const char ticket[] = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";

static void is_sent_away(struct visitor *v, const struct uuid *id, const char *with,
                         const char *code)
{
    struct error err = {0};
    struct hello_reply reply = {0};
    assert_fails(visitor_hello(v, id, with, &reply, &err), ERR_DENIED, code);
}

static void run_out(void)
{
    struct error err = {0};
    assert_ok(db_script(front.db, "UPDATE instances SET ticket_until = clock_timestamp()", &err));
}

static struct uuid enrol(struct visitor *v)
{
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(v, &id, ticket);
    visitor_passes(v, 1);
    return id;
}

/* ---- the true guest -------------------------------------------------------------------------- */

static void the_first_pass_uses_the_ticket_up(void **state)
{
    (void)state;
    OWNED(visitor_done) struct visitor guest = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&guest, &id, ticket);
    assert_true(moment_is_none(front_row(&id).ticket_used));
    visitor_passes(&guest, 1);
    assert_false(moment_is_none(front_row(&id).ticket_used));
    assert_true(visitor_holds(&id, &guest));
}

/* A machine that speaks was made: there is room again where it stands. */
static void a_guests_first_word_opens_its_place(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    assert_ok(db_script(
        front.db,
        "INSERT INTO accounts (id, project, name, driver, spec) VALUES "
        "(gen_random_uuid(), 'default', 'cloud', 'aws', '{}') ON CONFLICT DO NOTHING;"
        "INSERT INTO place_closures (project, account, zone, size, code, text, failures, until) "
        "SELECT 'default', 'cloud', zone, 'm6a.large', 'capacity', 'full', 3, now() + after FROM "
        "(VALUES ('', interval '-1 s'), ('x', '-1 s'), ('y', '-1 s')) AS c (zone, after);"
        "UPDATE instances SET phase = 'booting', zone = 'x'",
        &err));
    front_keeper(1, "1");
    visitor_opens(&guest, &id, ticket);
    assert_ok(db_script(front.db,
                        "DO $$ BEGIN ASSERT (SELECT string_agg(zone, ',') FROM place_closures) = "
                        "'y'; END $$; DELETE FROM accounts",
                        &err));
}

static bool is_heard_of(const struct uuid *id)
{
    struct error err = {0};
    struct beat beat;
    front_restart(); /* what was heard is written down by now */
    enum outcome outcome = instance_store_last_beat(front.db, id, &beat, &err);
    assert_true(outcome == OK || outcome == ERR_NOT_FOUND);
    return outcome == OK;
}

/* One that was away for long is not given up between its hello and its first heartbeat. */
static void a_holders_hello_is_heard_and_a_strangers_is_not(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    assert_ok(db_script(front.db, "DELETE FROM heartbeats", &err));
    OWNED(visitor_done) struct visitor stranger = visitor_open();
    visitor_opens(&stranger, &id, ticket);
    assert_false(is_heard_of(&id));
    OWNED(visitor_done) struct visitor holder = visitor_open();
    OWNED(mem_drop) char *key = hex_of(SPAN_OF(holder.link_key));
    OWNED(text_done) struct text statement = {0};
    text_addf(&statement, "UPDATE instances SET link_key = decode('%s', 'hex')", key);
    assert_ok(db_script(front.db, text_str(&statement), &err));
    visitor_opens(&holder, &id, ticket);
    assert_true(is_heard_of(&id));
}

/* Its evidence lay with a slow keeper while another controller let somebody pass: what it is said
 * of is not the row as it is. */
static void a_verdict_that_was_overtaken_changes_nothing_and_is_asked_for_again(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct appraise_wish wish = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    const struct uuid id = enrol(&guest);
    for (int passes_too = 0; passes_too < 2; passes_too++) {
        assert_ok(visitor_challenge(&guest, &challenge, &err));
        const uint64_t sent = visitor_sends(&guest, challenge.nonce);
        const uint64_t asked = front_keeper_asked(VERB_APPRAISE, &appraise_wish_record, &wish);
        record_done(&appraise_wish_record, &wish);
        OWNED(text_done) struct text statement = {0};
        text_addf(&statement, "UPDATE instances SET link_key = decode(repeat('0%d', 32), 'hex')",
                  passes_too + 1);
        assert_ok(db_script(front.db, text_str(&statement), &err));
        const struct instance before = front_row(&id);
        front_keeper_concludes(asked, &guest, passes_too == 1, 1);
        assert_ok(visitor_hears(&guest, sent, &notice, &err));
        assert_string_equal(notice.reason, "challenge-again");
        const struct instance after = front_row(&id);
        assert_int_equal(after.trust, TRUST_TRUSTED);
        assert_true(uuid_equal(&after.verdict_id, &before.verdict_id));
        assert_memory_equal(after.link_key, before.link_key, SHA256_SIZE);
    }
    visitor_passes(&guest,
                   1); /* its next one is of the row as it is: the same boot speaks for it again */
}

static void a_guest_that_was_refused_may_try_again_with_its_ticket(void **state)
{
    (void)state;
    struct error err = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&guest, &id, ticket);
    assert_ok(visitor_prove(&guest, false, 1, &notice, &err));
    assert_string_equal(notice.verdict, "rejected");
    assert_true(moment_is_none(front_row(&id).ticket_used));
    visitor_passes(&guest, 1);
}

/* Not for the machine to answer for: it is put off, and nothing is written down against it. */
static void a_guest_for_whom_no_revocation_list_is_here_yet_is_put_off(void **state)
{
    (void)state;
    struct error err = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&guest, &id, ticket);
    front.refusal = "crl-missing";
    assert_fails(visitor_prove(&guest, false, 1, &notice, &err), ERR_CONFLICT,
                 "endorsement-unavailable");
    front.refusal = NULL;
    const struct instance row = front_row(&id);
    assert_int_equal(row.trust, TRUST_UNKNOWN);
    assert_true(uuid_is_zero(&row.verdict_id));
    visitor_passes(&guest, 1);
}

/* Its keys went with it, its ticket is the same: it need not wait for anything. */
static void an_agent_that_crashed_before_its_first_pass_comes_back_with_another_key(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct visitor crashed = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&crashed, &id, ticket);
    assert_ok(visitor_challenge(&crashed, &challenge, &err));
    visitor_done(&crashed);
    for (int tries = 0;;
         tries++) { /* the loss of the first may be heard after the second's hello */
        OWNED(visitor_done) struct visitor again = visitor_open();
        struct hello_reply reply = {0};
        if (visitor_hello(&again, &id, ticket, &reply, &err) == OK) {
            visitor_passes(&again, 1);
            return;
        }
        assert_string_equal(err.code, "ticket-held");
        assert_true(tries < 100);
    }
}

static void a_controller_that_died_in_between_leaves_the_ticket_to_its_bearer(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct visitor guest = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&guest, &id, ticket);
    assert_ok(visitor_challenge(&guest, &challenge, &err));
    front_restart();
    visitor_done(&guest);
    OWNED(visitor_done) struct visitor stranger = visitor_open();
    is_sent_away(&stranger, &id, ticket, "ticket-held");
    run_out(); /* three minutes later, for a guest whose agent died as well */
    OWNED(visitor_done) struct visitor again = visitor_open();
    front_keeper(2, "1");
    visitor_opens(&again, &id, ticket);
    visitor_passes(&again, 1);
}

static void a_guest_that_booted_anew_needs_no_ticket(void **state)
{
    (void)state;
    struct visitor guest = visitor_open();
    struct uuid id = enrol(&guest);
    visitor_done(&guest);
    front_restart(); /* whoever held it is surely gone */
    front_keeper(2, "1");
    OWNED(visitor_done) struct visitor again = visitor_open();
    visitor_opens(&again, &id, "");
    visitor_passes(&again, 2);
    assert_true(visitor_holds(&id, &again));
}

/* ---- the stranger ---------------------------------------------------------------------------- */

static void a_stranger_without_the_ticket_gets_no_challenge(void **state)
{
    (void)state;
    OWNED(visitor_done) struct visitor none = visitor_open();
    OWNED(visitor_done) struct visitor false_one = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    is_sent_away(&none, &id, "", "ticket-unknown");
    is_sent_away(&false_one, &id, "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr", "ticket-unknown");
    assert_true(span_is_zero(SPAN_OF(front_row(&id).ticket_key)));
}

static void a_stolen_ticket_is_of_no_use_while_the_guest_shows_it(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    OWNED(visitor_done) struct visitor thief = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&guest, &id, ticket);
    assert_ok(visitor_challenge(&guest, &challenge, &err));
    is_sent_away(&thief, &id, ticket, "ticket-held");
    assert_ok(visitor_answer(&guest, &challenge, true, 1, &notice, &err));
    assert_true(visitor_holds(&id, &guest));
}

/* It may knock as any claimant may, and is one: the guest is asked, and stays. */
static void a_stolen_ticket_enrols_nobody_after_the_first_pass(void **state)
{
    (void)state;
    struct error err = {0};
    struct verdict_notice notice = {0};
    struct ticket_hold hold = {0};
    OWNED(visitor_done) struct visitor guest = visitor_open();
    OWNED(visitor_done) struct visitor thief = visitor_open();
    struct uuid id = enrol(&guest);
    visitor_opens(&thief, &id, ticket);
    assert_fails(visitor_prove(&thief, true, 9, &notice, &err), ERR_CONFLICT, "claimant-refused");
    assert_true(visitor_holds(&id, &guest));
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(ticket), hash);
    hold.instance = id;
    memcpy(hold.link_key, thief.link_key, SHA256_SIZE);
    assert_fails(ticket_store_take(front.db, hash, "desk", &hold, &err), ERR_DENIED, "ticket-used");
}

/* Both were let in before either passed, the second when the first's time had run out: one ticket,
 * one pass. */
static void of_two_bearers_only_one_ever_passes(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge first = {0}, second = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor slow = visitor_open();
    OWNED(visitor_done) struct visitor quick = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&slow, &id, ticket);
    assert_ok(visitor_challenge(&slow, &first, &err));
    run_out();
    visitor_opens(&quick, &id, ticket);
    assert_ok(visitor_challenge(&quick, &second, &err));
    assert_fails(visitor_answer(&slow, &first, true, 1, &notice, &err), ERR_DENIED, "ticket-held");
    assert_true(span_is_zero(SPAN_OF(front_row(&id).link_key)));
    assert_ok(visitor_answer(&quick, &second, true, 2, &notice, &err));
    assert_true(visitor_holds(&id, &quick));
}

/* Section 9: else anybody who knows an id could have a fleet replaced. */
static void a_stranger_that_fails_spoils_nobody_whose_verdict_ran_out(void **state)
{
    (void)state;
    struct error err = {0};
    struct verdict_notice notice = {0};
    struct visitor guest = visitor_open();
    OWNED(visitor_done) struct visitor stranger = visitor_open();
    struct uuid id = enrol(&guest);
    visitor_done(&guest);
    assert_ok(db_script(front.db, "UPDATE instances SET trust = 'stale'", &err));
    visitor_opens(&stranger, &id, "");
    assert_ok(visitor_prove(&stranger, false, 9, &notice, &err));
    assert_string_equal(notice.verdict, "rejected");
    assert_int_equal(front_row(&id).trust, TRUST_STALE);
}

static void a_bearer_that_lost_its_ticket_to_another_spoils_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge challenge = {0};
    struct verdict_notice notice = {0};
    OWNED(visitor_done) struct visitor thief = visitor_open();
    OWNED(visitor_done) struct visitor guest = visitor_open();
    struct uuid id = front_instance("tickets", ticket);
    front_keeper(1, "1");
    visitor_opens(&thief, &id, ticket);
    assert_ok(visitor_challenge(&thief, &challenge, &err));
    run_out();
    visitor_opens(&guest, &id, ticket);
    assert_ok(visitor_answer(&thief, &challenge, false, 9, &notice, &err));
    assert_int_equal(front_row(&id).trust, TRUST_UNKNOWN);
    visitor_passes(&guest, 1);
}

/* ---- the store ------------------------------------------------------------------------------- */

static void two_transactions_cannot_both_use_a_ticket(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id = front_instance("tickets", ticket);
    struct ticket_hold hold = {.instance = id, .link_key = {1}};
    uint8_t hash[SHA256_SIZE], other[SHA256_SIZE] = {2};
    digest(DIGEST_SHA256, span_of_text(ticket), hash);
    assert_ok(ticket_store_take(front.db, hash, "desk", &hold, &err));
    assert_fails(ticket_store_use(front.db, &id, other, "desk", &err), ERR_DENIED, "ticket-held");
    assert_ok(ticket_store_use(front.db, &id, hold.link_key, "desk", &err));
    assert_fails(ticket_store_use(front.db, &id, hold.link_key, "desk", &err), ERR_DENIED,
                 "ticket-used");
    struct uuid nobody = uuid_new();
    assert_fails(ticket_store_use(front.db, &nobody, other, "desk", &err), ERR_DENIED,
                 "ticket-unknown");
}

static void only_the_last_hold_of_a_key_lets_go(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id = front_instance("tickets", ticket);
    struct ticket_hold before = {.instance = id, .link_key = {1}}, now = before,
                       other = {.instance = id, .link_key = {2}};
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, span_of_text(ticket), hash);
    assert_ok(ticket_store_take(front.db, hash, "desk", &before, &err));
    assert_ok(ticket_store_take(front.db, hash, "desk", &now, &err)); /* it reconnected */
    assert_ok(ticket_store_let_go(front.db, &before, &err));
    assert_fails(ticket_store_take(front.db, hash, "desk", &other, &err), ERR_DENIED,
                 "ticket-held");
    assert_ok(ticket_store_let_go(front.db, &now, &err));
    assert_ok(ticket_store_take(front.db, hash, "desk", &other, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_FRONT(the_first_pass_uses_the_ticket_up),
        AT_FRONT(a_guests_first_word_opens_its_place),
        AT_FRONT(a_holders_hello_is_heard_and_a_strangers_is_not),
        AT_FRONT(a_verdict_that_was_overtaken_changes_nothing_and_is_asked_for_again),
        AT_FRONT(a_guest_that_was_refused_may_try_again_with_its_ticket),
        AT_FRONT(an_agent_that_crashed_before_its_first_pass_comes_back_with_another_key),
        AT_FRONT(a_controller_that_died_in_between_leaves_the_ticket_to_its_bearer),
        AT_FRONT(a_guest_that_booted_anew_needs_no_ticket),
        AT_FRONT(a_stranger_without_the_ticket_gets_no_challenge),
        AT_FRONT(a_stolen_ticket_is_of_no_use_while_the_guest_shows_it),
        AT_FRONT(a_stolen_ticket_enrols_nobody_after_the_first_pass),
        AT_FRONT(of_two_bearers_only_one_ever_passes),
        AT_FRONT(a_stranger_that_fails_spoils_nobody_whose_verdict_ran_out),
        AT_FRONT(a_bearer_that_lost_its_ticket_to_another_spoils_nothing),
        AT_FRONT(two_transactions_cannot_both_use_a_ticket),
        AT_FRONT(a_guest_for_whom_no_revocation_list_is_here_yet_is_put_off),
        AT_FRONT(only_the_last_hold_of_a_key_lets_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
