/* Evidence for relying parties at the guest: over the digest and never over their bytes, a few a
 * minute, whether or not a controller is there. */
#include "agent/shown.h"

#include <string.h>

#include "tests/support/guest_talk.h"
#include "tests/support/test.h"

static const struct local_request request = {
    .wish = LOCAL_EVIDENCE, .nonce = {1, 2, 3}, .nonce_len = SHOWN_NONCE_LEAST};

static enum outcome show(struct shown_desk *desk, struct bytes *out, struct error *err)
{
    bytes_done(out);
    return shown_make(desk, &request, out, err);
}

static void the_hardware_signs_the_digest(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct shown_desk desk;
    uint8_t expected[BINDING_SIZE];
    OWNED(bytes_done) struct bytes line = {0};
    struct shown shown = {.kind = EVIDENCE_SIMULATED,
                          .nonce = SPAN(request.nonce, request.nonce_len)};
    shown_init(&desk, &w->guest);
    assert_ok(show(&desk, &line, &err));
    key_fingerprint(w->link_key, shown.link_key);
    shown_digest(&shown, expected);
    assert_memory_equal(w->report_data, expected, sizeof expected);
}

static void what_it_prints_has_the_key_and_no_nonce(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct shown_desk desk;
    OWNED(bytes_done) struct bytes line = {0};
    OWNED(bytes_done) struct bytes spki = {0}, printed = {0};
    OWNED(json_drop) json_t *json = NULL;
    OWNED(evidence_done) struct evidence evidence = {0};
    static const char *const members[] = {"evidence", "link_key", NULL};
    shown_init(&desk, &w->guest);
    assert_ok(show(&desk, &line, &err));
    assert_ok(json_parse(bytes_span(&line), LOCAL_ANSWER_MAX, &json, &err));
    assert_ok(json_only(json, "", members, &err));
    assert_ok(json_get_base64(json, "", "link_key", SHOWN_KEY_MAX, &printed, &err));
    assert_ok(key_to_spki(w->link_key, &spki, &err));
    assert_true(span_equal(bytes_span(&spki), bytes_span(&printed)));
    OWNED(mem_drop) char *text = json_print(json_object_get(json, "evidence"));
    assert_ok(evidence_parse(span_of_text(text), &evidence, &err));
    assert_int_equal(evidence.kind, EVIDENCE_SIMULATED);
    assert_int_equal(evidence.rest.len, 0);
}

static void a_flood_does_not_reach_the_hardware(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct shown_desk desk;
    OWNED(bytes_done) struct bytes line = {0};
    shown_init(&desk, &w->guest);
    const int before = w->reports;
    for (int i = 0; i < 3; i++)
        assert_ok(show(&desk, &line, &err));
    for (int i = 0; i < 100; i++)
        assert_fails(show(&desk, &line, &err), ERR_THROTTLED, "evidence-too-many");
    assert_int_equal(w->reports, before + 3);
    talk_advance(w, 20);
    assert_ok(show(&desk, &line, &err));
    assert_fails(show(&desk, &line, &err), ERR_THROTTLED, "evidence-too-many");
}

static void hardware_that_refuses_says_so(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct shown_desk desk;
    OWNED(bytes_done) struct bytes line = {0};
    shown_init(&desk, &w->guest);
    w->tee_fails = "vmpck-disabled";
    assert_fails(show(&desk, &line, &err), ERR_DENIED, "vmpck-disabled");
    assert_int_equal(line.len, 0);
    w->tee_fails = NULL;
    assert_fails(show(&desk, &line, &err), ERR_DENIED, "vmpck-disabled");
}

/* Whoever waits for a controller that never comes can still prove itself to others, and to whom it
 * proves itself is no appraisal. */
static void it_is_no_part_of_an_appraisal(void **state)
{
    struct talk *w = *state;
    struct error err = {0};
    struct shown_desk desk;
    OWNED(bytes_done) struct bytes line = {0};
    shown_init(&desk, &w->guest);
    assert_ok(show(&desk, &line, &err));
    talk_welcome(w, "unknown", 1);
    assert_ok(show(&desk, &line, &err));
    talk_appraise(w, "trusted", "ok");
    assert_true(session_is_trusted(w->session));
}

#define IN(test) cmocka_unit_test_setup_teardown(test, talk_open, talk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(the_hardware_signs_the_digest),       IN(what_it_prints_has_the_key_and_no_nonce),
        IN(a_flood_does_not_reach_the_hardware), IN(hardware_that_refuses_says_so),
        IN(it_is_no_part_of_an_appraisal),
    };
    return cmocka_run_group_tests_name("agent shown evidence", tests, NULL, NULL);
}
