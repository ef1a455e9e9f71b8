#include "lib/model/machine.h"

#include <string.h>

#include "lib/model/delivery.h"
#include "tests/support/test.h"

static const struct machine *const machines[] = {
    &phase_machine,
    &trust_machine,
    &version_machine,
    &delivery_machine,
};

static void every_machine_of_ours_holds_together(void **state)
{
    (void)state;
    struct error err;
    for (size_t i = 0; i < countof(machines); i++)
        assert_ok(machine_check(machines[i], &err));
}

static void every_machine_can_be_drawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(machines); i++) {
        OWNED(text_done) struct text out = {0};
        machine_dot(machines[i], &out);
        assert_int_equal(strncmp(text_str(&out), "digraph ", 8), 0);
        for (size_t s = 0; s < machines[i]->states->count; s++)
            assert_non_null(strstr(text_str(&out), machines[i]->states->words[s]));
    }
}

enum { A, B, C };
static const char *const state_words[] = {"a", "b", "c"};
static const char *const event_words[] = {"go", "back"};
static const struct names states = NAMES("state", state_words);
static const struct names events = NAMES("event", event_words);

static void a_state_that_is_never_reached_is_found(void **state)
{
    (void)state;
    struct error err;
    const struct step steps[] = {{A, 0, B, "go"}, {B, 1, A, "back"}, {C, 0, A, "from nowhere"}};
    const struct machine machine = MACHINE("test", &states, &events, steps, A);
    assert_fails(machine_check(&machine, &err), ERR_INTERNAL, "bad-machine");
    assert_non_null(strstr(err.text, "'c' is never reached"));
}

static void an_event_that_nothing_takes_is_found(void **state)
{
    (void)state;
    struct error err;
    const struct step steps[] = {{A, 0, B, "go"}, {B, 0, C, "go"}};
    const struct machine machine = MACHINE("test", &states, &events, steps, A);
    assert_fails(machine_check(&machine, &err), ERR_INTERNAL, "bad-machine");
    assert_non_null(strstr(err.text, "nothing takes 'back'"));
}

static void two_steps_for_one_event_are_found(void **state)
{
    (void)state;
    struct error err;
    const struct step steps[] = {{A, 0, B, "go"}, {A, 0, C, "or go"}, {B, 1, A, "back"}};
    const struct machine machine = MACHINE("test", &states, &events, steps, A);
    assert_fails(machine_check(&machine, &err), ERR_INTERNAL, "bad-machine");
}

static void a_step_that_is_not_in_the_table_is_refused(void **state)
{
    (void)state;
    struct error err;
    const struct step *step = NULL;
    assert_fails(machine_step(&phase_machine, PHASE_TERMINATED, EVENT_HELLO, &step, &err),
                 ERR_CONFLICT, "wrong-phase");
    assert_null(step);
}

static void terminated_is_the_end_and_nothing_else_is(void **state)
{
    (void)state;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        assert_int_equal(machine_is_final(&phase_machine, phase), phase == PHASE_TERMINATED);
}

static void anything_that_has_begun_can_be_terminated(void **state)
{
    (void)state;
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        bool over = phase == PHASE_TERMINATING || phase == PHASE_TERMINATED;
        assert_int_equal(machine_find(&phase_machine, phase, EVENT_TERMINATE) != NULL, !over);
    }
}

/* trust.md: only a verdict makes trusted. */
static void only_a_passing_verdict_leads_to_trusted(void **state)
{
    (void)state;
    for (size_t i = 0; i < trust_machine.count; i++) {
        const struct step *step = &trust_machine.steps[i];
        if (step->to == TRUST_TRUSTED && step->from != TRUST_TRUSTED)
            assert_int_equal(step->on, TRUST_PASSED);
    }
}

/* I9: time alone makes stale, and it makes nothing else. */
static void only_time_makes_stale_and_it_makes_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < trust_machine.count; i++) {
        const struct step *step = &trust_machine.steps[i];
        if (step->from != step->to)
            assert_int_equal(step->to == TRUST_STALE, step->on == TRUST_EXPIRED);
    }
}

static void only_a_person_lifts_a_quarantine(void **state)
{
    (void)state;
    for (size_t i = 0; i < trust_machine.count; i++) {
        const struct step *step = &trust_machine.steps[i];
        if (step->from == TRUST_QUARANTINED && step->to != TRUST_QUARANTINED)
            assert_int_equal(step->on, TRUST_LET_BACK);
    }
}

/* A delivery is loaded only when it was sent before, and sent only when it was sealed before. */
static void a_delivery_is_loaded_by_the_guests_word_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < delivery_machine.count; i++) {
        const struct step *step = &delivery_machine.steps[i];
        if (step->to == DELIVERY_LOADED)
            assert_true(step->from == DELIVERY_SENT && step->on == DELIVERY_CONFIRMED);
        if (step->to == DELIVERY_SENT)
            assert_int_equal(step->from, DELIVERY_SEALED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_machine_of_ours_holds_together),
        cmocka_unit_test(every_machine_can_be_drawn),
        cmocka_unit_test(a_state_that_is_never_reached_is_found),
        cmocka_unit_test(an_event_that_nothing_takes_is_found),
        cmocka_unit_test(two_steps_for_one_event_are_found),
        cmocka_unit_test(a_step_that_is_not_in_the_table_is_refused),
        cmocka_unit_test(terminated_is_the_end_and_nothing_else_is),
        cmocka_unit_test(anything_that_has_begun_can_be_terminated),
        cmocka_unit_test(only_a_passing_verdict_leads_to_trusted),
        cmocka_unit_test(only_time_makes_stale_and_it_makes_nothing_else),
        cmocka_unit_test(only_a_person_lifts_a_quarantine),
        cmocka_unit_test(a_delivery_is_loaded_by_the_guests_word_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
