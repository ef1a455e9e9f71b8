/* Passports on their way through a controller: from a proven guest on its own connection, with the
 * verdict that it stands on now; one entry in the audit trail each, and nothing else is kept. */
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"
#include "tests/support/front_desk.h"
#include "tests/support/test.h"

enum { AT_ONCE = 6 };

static const char secret_envelope[] = "what nobody but the guest opens";

/* An instance of its own, proven. */
static struct visitor proven(const char *ticket)
{
    struct error err = {0};
    struct hello_reply reply = {0};
    struct verdict_notice notice = {0};
    const struct uuid id = front_instance("web", ticket);
    struct visitor v = visitor_open();
    assert_ok(visitor_hello(&v, &id, ticket, &reply, &err));
    assert_ok(visitor_prove(&v, true, 1, &notice, &err));
    assert_string_equal(notice.verdict, "trusted");
    return v;
}

static struct passport_reply some_passport(void)
{
    struct passport_reply reply = {.id = uuid_new(),
                                   .expires = moment_add_seconds(clock_now(), 240)};
    bytes_add(&reply.envelope, span_of_text(secret_envelope));
    return reply;
}

static enum outcome outcome_of(struct visitor *v, uint64_t id, struct error *err)
{
    struct passport_answer answer = {0};
    enum outcome outcome = visitor_hears_passport(v, id, &answer, err);
    record_done(&passport_answer_record, &answer);
    return outcome;
}

/* Which passports the trail tells of, and the last one's detail. */
static int64_t issued(const struct visitor *v, json_t **out_detail)
{
    struct error err = {0};
    int64_t count = 0;
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    OWNED(text_done) struct text object = {0};
    text_addf(&object, "instance:%s", uuid_text(&v->instance).at);
    assert_ok(audit_store_trace(front.db, text_str(&object), 100, &list, &err));
    for (size_t i = 0; i < list.count; i++) {
        if (strcmp(list.at[i].verb, "passport.issued") != 0)
            continue;
        count++;
        if (out_detail != NULL)
            *out_detail = json_incref(list.at[i].detail);
    }
    return count;
}

static void a_passport_is_carried_and_only_that_it_was_issued_is_written_down(void **state)
{
    (void)state;
    struct error err = {0};
    struct passport_wish wish = {0};
    struct passport_answer answer = {0};
    OWNED(json_drop) json_t *detail = NULL;
    front_keeper(1, "1");
    OWNED(visitor_done) struct visitor v = proven("ticket-1");
    uint64_t asked = visitor_asks_passport(&v, "vault");
    uint64_t id = front_keeper_asked_passport(&wish);
    assert_true(uuid_equal(&wish.instance, &v.instance));
    assert_string_equal(wish.relying_party, "vault");
    assert_memory_equal(wish.link_key.at, v.link_key, SHA256_SIZE);
    assert_int_equal(wish.nonce[0], 1);
    assert_int_equal(strncmp(wish.token, "e30.", 4), 0); /* the verdict's */
    struct passport_reply reply = some_passport();
    front_keeper_gives_passport(id, &reply);
    assert_ok(visitor_hears_passport(&v, asked, &answer, &err));
    assert_true(span_equal(bytes_span(&answer.envelope), span_of_text(secret_envelope)));
    assert_int_equal(issued(&v, &detail), 1);
    assert_string_equal(json_string_value(json_object_get(detail, "passport")),
                        uuid_text(&reply.id).at);
    assert_string_equal(json_string_value(json_object_get(detail, "relying_party")), "vault");
    assert_int_equal(json_object_size(detail), 3);
    record_done(&passport_wish_record, &wish);
    record_done(&passport_answer_record, &answer);
    record_done(&passport_reply_record, &reply);
}

static void what_the_keeper_refuses_is_refused_and_no_passport(void **state)
{
    (void)state;
    struct error err = {0};
    struct passport_wish wish = {0};
    front_keeper(1, "1");
    OWNED(visitor_done) struct visitor v = proven("ticket-2");
    uint64_t asked = visitor_asks_passport(&v, "vault");
    front_keeper_refuses(front_keeper_asked_passport(&wish), "party-level");
    record_done(&passport_wish_record, &wish);
    assert_fails(outcome_of(&v, asked, &err), ERR_DENIED, "party-level");
    assert_int_equal(issued(&v, NULL), 0);
}

static void who_has_not_proved_itself_on_this_connection_gets_none(void **state)
{
    (void)state;
    struct error err = {0};
    struct hello_reply reply = {0};
    front_keeper(1, "1");
    const struct uuid id = front_instance("web", "ticket-3");
    OWNED(visitor_done) struct visitor v = visitor_open();
    assert_ok(visitor_hello(&v, &id, "ticket-3", &reply, &err));
    uint64_t asked = visitor_asks_passport(&v, "vault");
    assert_fails(outcome_of(&v, asked, &err), ERR_DENIED, "not-proven");
}

static void who_is_not_trusted_any_more_gets_none(void **state)
{
    (void)state;
    static const char *const changes[] = {
        "UPDATE instances SET trust = 'quarantined'",
        "UPDATE instances SET trust = 'stale'",
        "UPDATE verdicts SET valid_until = now() - interval '1 second'",
    };
    front_keeper(1, "1");
    for (size_t i = 0; i < countof(changes); i++) {
        struct error err = {0};
        char ticket[32];
        snprintf(ticket, sizeof ticket, "ticket-4-%zu", i);
        OWNED(visitor_done) struct visitor v = proven(ticket);
        assert_ok(db_script(front.db, changes[i], &err));
        uint64_t asked = visitor_asks_passport(&v, "vault");
        assert_fails(outcome_of(&v, asked, &err), ERR_DENIED, "not-trusted");
    }
}

static void a_name_that_is_none_goes_no_further(void **state)
{
    (void)state;
    struct error err = {0};
    front_keeper(1, "1");
    OWNED(visitor_done) struct visitor v = proven("ticket-5");
    uint64_t asked = visitor_asks_passport(&v, "../vault");
    assert_fails(outcome_of(&v, asked, &err), ERR_INVALID, "bad-name");
}

/* More than the keeper would give: it is not even asked, and the trail is not flooded. */
static void a_guest_that_asks_without_end_is_told_to_wait(void **state)
{
    (void)state;
    struct error err = {0};
    front_keeper(1, "1");
    OWNED(visitor_done) struct visitor v = proven("ticket-6");
    for (int i = 0; i < AT_ONCE; i++) {
        struct passport_wish wish = {0};
        struct passport_reply reply = some_passport();
        uint64_t asked = visitor_asks_passport(&v, "vault");
        front_keeper_gives_passport(front_keeper_asked_passport(&wish), &reply);
        assert_ok(outcome_of(&v, asked, &err));
        record_done(&passport_wish_record, &wish);
        record_done(&passport_reply_record, &reply);
    }
    uint64_t asked = visitor_asks_passport(&v, "vault");
    assert_fails(outcome_of(&v, asked, &err), ERR_THROTTLED, "passport-too-many");
    assert_int_equal(issued(&v, NULL), AT_ONCE);
}

static void without_a_keeper_there_is_none(void **state)
{
    (void)state;
    struct error err = {0};
    front_keeper(1, "1");
    OWNED(visitor_done) struct visitor v = proven("ticket-7");
    caller_close(&front.keeper);
    do { /* until the controller has seen that it left */
        uint64_t asked = visitor_asks_passport(&v, "vault");
        assert_int_not_equal(outcome_of(&v, asked, &err), OK);
    } while (strcmp(err.code, "closed") == 0);
    assert_string_equal(err.code, "no-keeper");
}

static void it_is_written_down_in_the_trail_of_the_instances_project(void **state)
{
    (void)state;
    struct error err = {0};
    struct passport_wish wish = {0};
    struct passport_answer answer = {0};
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    OWNED(text_done) struct text object = {0};
    front_keeper(1, "1");
    OWNED(visitor_done) struct visitor v = proven("ticket-1");
    assert_ok(db_script(front.db,
                        "INSERT INTO projects (name) VALUES ('other');"
                        "UPDATE verdicts SET project = 'other';"
                        "UPDATE instances SET project = 'other'",
                        &err));
    uint64_t asked = visitor_asks_passport(&v, "vault");
    uint64_t id = front_keeper_asked_passport(&wish);
    struct passport_reply reply = some_passport();
    front_keeper_gives_passport(id, &reply);
    assert_ok(visitor_hears_passport(&v, asked, &answer, &err));
    record_done(&passport_wish_record, &wish);
    record_done(&passport_answer_record, &answer);
    record_done(&passport_reply_record, &reply);
    text_addf(&object, "instance:%s", uuid_text(&v.instance).at);
    assert_ok(audit_store_trace(front.db, text_str(&object), 100, &list, &err));
    size_t issued_there = 0;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.at[i].verb, "passport.issued") == 0)
            issued_there += strcmp(list.at[i].project, "other") == 0;
    assert_int_equal(issued_there, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_FRONT(it_is_written_down_in_the_trail_of_the_instances_project),
        AT_FRONT(a_passport_is_carried_and_only_that_it_was_issued_is_written_down),
        AT_FRONT(what_the_keeper_refuses_is_refused_and_no_passport),
        AT_FRONT(who_has_not_proved_itself_on_this_connection_gets_none),
        AT_FRONT(who_is_not_trusted_any_more_gets_none),
        AT_FRONT(a_name_that_is_none_goes_no_further),
        AT_FRONT(a_guest_that_asks_without_end_is_told_to_wait),
        AT_FRONT(without_a_keeper_there_is_none),
    };
    return cmocka_run_group_tests_name("passports", tests, NULL, NULL);
}
