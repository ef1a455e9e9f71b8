#include "lib/model/message.h"

#include <string.h>

#include "lib/model/binding.h"
#include "tests/support/test.h"

static void a_request_crosses_with_its_verb_and_members(void **state)
{
    (void)state;
    struct error err = {0};
    struct heartbeat sent = {.seq = 7, .load = 125};
    struct heartbeat got = {0};
    OWNED(bytes_done) struct bytes body = {0};
    OWNED(json_drop) json_t *rest = NULL;
    enum verb verb = VERB_COUNT;
    message_print(VERB_HEARTBEAT, &heartbeat_record, &sent, &body);
    assert_ok(message_parse(bytes_span(&body), &verb, &rest, &err));
    assert_int_equal(verb, VERB_HEARTBEAT);
    assert_ok(record_from_json(&heartbeat_record, rest, "", &got, &err));
    assert_int_equal(got.seq, 7);
    assert_int_equal(got.load, 125);
}

static void strangers_in_a_message_are_refused_with_their_path(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code, *where;
    } cases[] = {
        {"{\"do\":\"heartbeat\",\"seq\":1,\"load\":0,\"x\":1}", "unknown-member", "/x"},
        {"{\"do\":\"heartbeat\",\"seq\":-1,\"load\":0}", "out-of-range", "/seq"},
        {"{\"do\":\"heartbeat\",\"seq\":\"1\",\"load\":0}", "wrong-type", "/seq"},
        {"{\"do\":\"heartbeat\",\"load\":0}", "missing-member", "/seq"},
    };
    struct error err = {0};
    for (size_t i = 0; i < countof(cases); i++) {
        struct heartbeat got = {0};
        OWNED(json_drop) json_t *rest = NULL;
        enum verb verb = VERB_COUNT;
        assert_ok(message_parse(span_of_text(cases[i].body), &verb, &rest, &err));
        assert_fails(record_from_json(&heartbeat_record, rest, "", &got, &err), ERR_INVALID,
                     cases[i].code);
        assert_string_equal(err.where, cases[i].where);
    }
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    const char *const bad[] = {"",
                               "[]",
                               "{}",
                               "{\"do\":1}",
                               "{\"do\":\"dance\"}",
                               "{\"do\":\"hello\",\"do\":\"hello\"}",
                               "{\"do\":\"hello\"} "
                               "{}"};
    struct error err = {0};
    for (size_t i = 0; i < countof(bad); i++) {
        json_t *rest = NULL;
        enum verb verb = VERB_COUNT;
        assert_int_equal(message_parse(span_of_text(bad[i]), &verb, &rest, &err), ERR_INVALID);
        assert_null(rest);
    }
}

static void bytes_apart_cross_behind_the_json(void **state)
{
    (void)state;
    struct error err = {0};
    struct appraise_wish sent = {.policy = "stock", .instance = {{1}}, .nonce = {2}};
    struct appraise_wish got = {0};
    OWNED(bytes_done) struct bytes body = {0};
    OWNED(json_drop) json_t *rest = NULL;
    enum verb verb = VERB_COUNT;
    struct span apart;
    bytes_add(&sent.evidence, SPAN("\0any\"bytes\0", 11));
    message_print(VERB_APPRAISE, &appraise_wish_record, &sent, &body);
    assert_ok(message_parse_whole(bytes_span(&body), &verb, &rest, &apart, &err));
    assert_int_equal(verb, VERB_APPRAISE);
    assert_ok(message_take_apart(&appraise_wish_record, apart, &got, &err));
    assert_ok(record_from_json(&appraise_wish_record, rest, "", &got, &err));
    assert_true(span_equal(bytes_span(&got.evidence), bytes_span(&sent.evidence)));
    assert_string_equal(got.policy, "stock");
    record_done(&appraise_wish_record, &sent);
    record_done(&appraise_wish_record, &got);
}

/* Nor does a message without them take any: nothing in a body goes unread. */
static void bytes_apart_are_refused_where_no_place_is_theirs(void **state)
{
    (void)state;
    static const char beat[] = "{\"do\":\"heartbeat\",\"load\":0,\"seq\":1}\0x";
    static const char bare[] = "{\"do\":\"appraise\"}";
    struct error err = {0};
    struct heartbeat heartbeat = {0};
    struct appraise_wish wish = {0};
    enum verb verb = VERB_COUNT;
    struct span apart;
    OWNED(json_drop) json_t *rest = NULL;
    OWNED(json_drop) json_t *other = NULL;
    assert_fails(message_parse(SPAN(beat, sizeof beat - 1), &verb, &rest, &err), ERR_INVALID,
                 "malformed");
    assert_ok(message_parse_whole(SPAN(beat, sizeof beat - 1), &verb, &rest, &apart, &err));
    assert_fails(message_take_apart(&heartbeat_record, apart, &heartbeat, &err), ERR_INVALID,
                 "malformed");
    assert_fails(message_take_apart(NULL, apart, NULL, &err), ERR_INVALID, "malformed");
    assert_ok(message_parse_whole(span_of_text(bare), &verb, &other, &apart, &err));
    assert_fails(message_take_apart(&appraise_wish_record, apart, &wish, &err), ERR_INVALID,
                 "missing-member");
    assert_string_equal(err.where, "/evidence");
}

static void a_problem_crosses_with_outcome_code_place_and_text(void **state)
{
    (void)state;
    struct error sent = {0};
    struct error got = {0};
    OWNED(bytes_done) struct bytes body = {0};
    error_ignore(fail_at(&sent, ERR_DENIED, "grant-policy", "/policy", "no such \"grant\""));
    message_print_problem(&sent, &body);
    assert_int_equal(message_parse_problem(bytes_span(&body), &got), ERR_DENIED);
    assert_memory_equal(&sent, &got, sizeof sent);
}

static void a_slot_is_a_problem_that_says_when_to_come_again(void **state)
{
    (void)state;
    struct error got = {0};
    OWNED(bytes_done) struct bytes body = {0};
    OWNED(bytes_done) struct bytes other = {0};
    message_print_slot(4200, &body);
    assert_int_equal(message_parse_slot(bytes_span(&body)), 4200);
    /* Who does not know it waits as after any other problem. */
    assert_int_equal(message_parse_problem(bytes_span(&body), &got), ERR_THROTTLED);
    assert_string_equal(got.code, "slot");
    error_fill(&got, ERR_THROTTLED, "busy", "", "no");
    message_print_problem(&got, &other);
    assert_int_equal(message_parse_slot(bytes_span(&other)), -1);
    static const char *const bad[] = {"", "[]", "{\"code\":\"slot\"}",
                                      "{\"code\":\"slot\",\"after_ms\":-1}",
                                      "{\"code\":\"slot\",\"after_ms\":\"1\"}"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(message_parse_slot(span_of_text(bad[i])), -1);
    assert_int_equal(
        message_parse_slot(span_of_text("{\"code\":\"slot\",\"after_ms\":9000000000000}")),
        SLOT_MOST_MS);
}

/* The digest of one fixed record, worked out with Python's hashlib: the binding never changes. */
/* Two records of one message: what the keeper prints, and what the controller reads. */
static void an_answer_to_appraise_is_read_as_its_reply(void **state)
{
    (void)state;
    struct error err = {0};
    struct appraise_answer said = {.token = mem_text("a.b.c"),
                                   .claims = mem_text("{\"level\":\"L1\"}"),
                                   .checks = mem_text("[]"),
                                   .issued = {1000000},
                                   .expires = {2000000},
                                   .testimony = mem_text("d.e.f")};
    struct appraise_reply read = {0};
    OWNED(bytes_done) struct bytes body = {0};
    bytes_add(&said.testimony_cert, span_of_text("cert"));
    message_print_reply(&appraise_answer_record, &said, &body);
    assert_ok(message_parse_reply(bytes_span(&body), &appraise_reply_record, &read, &err));
    assert_string_equal(read.token, "a.b.c");
    assert_string_equal(json_string_value(json_object_get(read.claims, "level")), "L1");
    assert_true(json_is_array(read.checks));
    assert_int_equal(read.issued.us, 1000000);
    assert_int_equal(read.expires.us, 2000000);
    assert_string_equal(read.testimony, "d.e.f");
    assert_true(span_equal(bytes_span(&read.testimony_cert), span_of_text("cert")));
    record_done(&appraise_answer_record, &said);
    record_done(&appraise_reply_record, &read);
}

static void the_binding_of_a_known_record_is_known(void **state)
{
    (void)state;
    struct binding b = {.kind = EVIDENCE_SIMULATED, .rest = span_of_text("{}")};
    memset(b.nonce, 1, sizeof b.nonce);
    memset(b.link_key, 2, sizeof b.link_key);
    memset(b.sealing_key, 3, sizeof b.sealing_key);
    memset(b.root_key, 4, sizeof b.root_key);
    memset(b.instance.at, 5, sizeof b.instance.at);
    uint8_t out[BINDING_SIZE];
    binding_digest(&b, out);
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(out));
    assert_string_equal(hex, "f98bcdaec5bdcdb053b53558c04be234a6bd6c0e8827904baad554baa9759a5b"
                             "41cf1f1d10c1ac48329a85ef16dfa8159a3c5e1125c7efd33ac642a841f14ffb");
}

static void the_binding_changes_with_every_member(void **state)
{
    (void)state;
    uint8_t first[BINDING_SIZE];
    struct binding b = {.kind = EVIDENCE_SNP, .rest = span_of_text("{}")};
    binding_digest(&b, first);
    uint8_t *members[] = {b.nonce, b.link_key, b.sealing_key, b.root_key, b.instance.at};
    for (size_t i = 0; i < countof(members); i++) {
        uint8_t now[BINDING_SIZE];
        members[i][0] ^= 1;
        binding_digest(&b, now);
        members[i][0] ^= 1;
        assert_memory_not_equal(first, now, sizeof now);
    }
    uint8_t now[BINDING_SIZE];
    b.kind = EVIDENCE_SIMULATED;
    binding_digest(&b, now);
    assert_memory_not_equal(first, now, sizeof now);
    b.kind = EVIDENCE_SNP;
    b.rest = span_of_text("{ }");
    binding_digest(&b, now);
    assert_memory_not_equal(first, now, sizeof now);
}

/* Likewise worked out elsewhere, as relying parties do. */
static void the_digest_of_what_is_shown_is_known(void **state)
{
    (void)state;
    uint8_t nonce[SHOWN_NONCE_LEAST], out[BINDING_SIZE];
    struct shown s = {.kind = EVIDENCE_SIMULATED, .nonce = SPAN_OF(nonce)};
    memset(nonce, 1, sizeof nonce);
    memset(s.link_key, 2, sizeof s.link_key);
    shown_digest(&s, out);
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(out));
    assert_string_equal(hex, "886964ceb055438a862e294908ffdbc245659530eacc5ebb41866a4c45bcfb97"
                             "2dbac315cc3036427122c27193a63002e12908af47d01de0dc9eae7550668835");
}

static void assert_shown_otherwise(const struct shown *s, const uint8_t first[static BINDING_SIZE])
{
    uint8_t now[BINDING_SIZE];
    shown_digest(s, now);
    assert_memory_not_equal(first, now, sizeof now);
}

static void what_is_shown_changes_with_every_member(void **state)
{
    (void)state;
    uint8_t nonce[SHOWN_NONCE_MOST] = {0}, first[BINDING_SIZE];
    const struct shown s = {.kind = EVIDENCE_SNP, .nonce = SPAN(nonce, SHOWN_NONCE_LEAST)};
    struct shown other = s;
    shown_digest(&s, first);
    other.kind = EVIDENCE_SIMULATED;
    assert_shown_otherwise(&other, first);
    other = s;
    other.link_key[0] = 1;
    assert_shown_otherwise(&other, first);
    other = s;
    other.nonce.len++; /* the same bytes, for both are zero: the length is part of it */
    assert_shown_otherwise(&other, first);
    nonce[0] = 1;
    assert_shown_otherwise(&s, first);
}

/* Though all that both have is the same in both. */
static void what_is_shown_is_no_binding(void **state)
{
    (void)state;
    const struct binding b = {.kind = EVIDENCE_SNP};
    uint8_t nonce[NONCE_SIZE] = {0}, binding[BINDING_SIZE];
    const struct shown s = {.kind = EVIDENCE_SNP, .nonce = SPAN_OF(nonce)};
    binding_digest(&b, binding);
    assert_shown_otherwise(&s, binding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_crosses_with_its_verb_and_members),
        cmocka_unit_test(strangers_in_a_message_are_refused_with_their_path),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(bytes_apart_cross_behind_the_json),
        cmocka_unit_test(bytes_apart_are_refused_where_no_place_is_theirs),
        cmocka_unit_test(a_problem_crosses_with_outcome_code_place_and_text),
        cmocka_unit_test(a_slot_is_a_problem_that_says_when_to_come_again),
        cmocka_unit_test(an_answer_to_appraise_is_read_as_its_reply),
        cmocka_unit_test(the_binding_of_a_known_record_is_known),
        cmocka_unit_test(the_binding_changes_with_every_member),
        cmocka_unit_test(the_digest_of_what_is_shown_is_known),
        cmocka_unit_test(what_is_shown_changes_with_every_member),
        cmocka_unit_test(what_is_shown_is_no_binding),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
