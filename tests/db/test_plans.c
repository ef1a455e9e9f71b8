/* What flips later by itself, and the plans of one policy or of floors; the digest that says
 * whether a plan still holds. */
#include <stdio.h>
#include <string.h>

#include "controller/routes.h"
#include "lib/model/charter.h"
#include "tests/support/judged.h"
#include "tests/support/test.h"

enum { DAY = 86400, MACHINES = 3 };

static int64_t number_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static struct moment in_days(int days)
{
    return moment_add_seconds(clock_now(), (int64_t)days * DAY);
}

static struct told ask_json(const char *target, const json_t *body)
{
    OWNED(mem_drop) char *text = json_print(body);
    struct told told = ask("POST", target, text);
    assert_told(told, 200);
    return told;
}

static int64_t flips_of(const struct told *told)
{
    return number_at(json_object_get(told->body, "flips"), "count");
}

/* Nobody flips now; at that time all do, for one reason. */
static void assert_later(const struct told *told, size_t index, struct moment at, int64_t count,
                         const char *reason)
{
    const json_t *date = json_array_get(json_object_get(told->body, "later"), index);
    const json_t *cohorts = json_object_get(date, "cohorts");
    assert_string_equal(told_member(date, "at"), moment_text(at).at);
    assert_int_equal(number_at(date, "count"), count);
    assert_int_equal(json_array_size(cohorts), 1);
    assert_int_equal(number_at(json_array_get(cohorts, 0), "count"), count);
    assert_string_equal(told_member(json_array_get(cohorts, 0), "reason"), reason);
    assert_string_equal(told_member(json_array_get(cohorts, 0), "image"), "stock");
}

static size_t later_count(const struct told *told)
{
    return json_array_size(json_object_get(told->body, "later"));
}

/* Milan's floor, too high from a day on. */
static json_t *rising_floors(struct moment from)
{
    return json_pack("{s:[{s:i},{s:i,s:s}]}", "Milan", "snp", 0, "snp", 255, "from",
                     moment_text(from).at);
}

static json_t *copy_of_charter(void)
{
    return json_deep_copy(world->charter);
}

/* ---- later ---------------------------------------------------------------------------------- */

static void the_end_of_a_charter_is_told(void **state)
{
    (void)state;
    struct error err = {0};
    struct moment end;
    assert_ok(json_get_moment(world->charter, "", "expires", &end, &err));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", world->charter);
    assert_int_equal(flips_of(&told), 0);
    assert_int_equal(later_count(&told), 1);
    assert_later(&told, 0, end, MACHINES, "charter-expired");
}

static void a_floor_that_rises_tomorrow_flips_its_machines_then(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_put_new(candidate, "tcb_floors", rising_floors(in_days(1)));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(flips_of(&told), 0);
    assert_int_equal(later_count(&told), 1); /* who is rejected is not so once more */
    assert_later(&told, 0, in_days(1), MACHINES, "policy-tcb");
}

static void a_reference_that_ends_flips_its_machines_then(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_t *stock = json_object_get(json_object_get(candidate, "references"), "stock");
    json_put_moment(stock, "expires", in_days(2));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(flips_of(&told), 0);
    assert_later(&told, 0, in_days(2), MACHINES, "policy-measurement");
    json_put_moment(stock, "expires", in_days(0));
    OWNED(told_done) struct told over = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(flips_of(&over), MACHINES);
}

/* Twenty images of other machines, each with an end of its own, as accepted cases make them. */
static void the_ends_of_other_images_hide_none(void **state)
{
    (void)state;
    enum { OTHERS = 20 };
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_t *references = json_object_get(candidate, "references");
    json_t *policies = json_object_get(candidate, "policies");
    json_t *named = json_object_get(json_object_get(policies, "stock"), "references");
    for (int i = 1; i <= OTHERS; i++) {
        char name[NAME_SIZE];
        uint8_t value[CHARTER_MEASUREMENT_SIZE];
        memset(value, 0x80 + i, sizeof value);
        OWNED(mem_drop) char *hex = hex_of(SPAN_OF(value));
        json_t *other = json_deep_copy(json_object_get(references, "stock"));
        snprintf(name, sizeof name, "other-%d", i);
        json_object_set_new(other, "measurement", json_pack("[s]", hex));
        json_put_moment(other, "expires", in_days(i));
        json_put_new(references, name, other);
        json_add_new(named, json_string(name));
    }
    json_put_moment(json_object_get(references, "stock"), "expires", in_days(OTHERS + 1));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(flips_of(&told), 0);
    assert_later(&told, 0, in_days(OTHERS + 1), MACHINES, "policy-measurement");
}

/* What comes after a charter's end is told as if the next one said the same. */
static void dates_are_told_beyond_the_charters_end(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_put_moment(candidate, "expires", in_days(3));
    json_put_new(candidate, "tcb_floors", rising_floors(in_days(5)));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(later_count(&told), 2);
    assert_later(&told, 0, in_days(3), MACHINES, "charter-expired");
    assert_later(&told, 1, in_days(5), MACHINES, "policy-tcb");
    json_put_new(candidate, "tcb_floors", rising_floors(in_days(91)));
    OWNED(told_done) struct told far = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(later_count(&far), 1);
}

static void a_plan_is_made_for_another_day(void **state)
{
    (void)state;
    char target[96];
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_put_new(candidate, "tcb_floors", rising_floors(in_days(1)));
    snprintf(target, sizeof target, "/v1/charter/plan?at=%s", moment_text(in_days(1)).at);
    OWNED(told_done) struct told told = ask_json(target, candidate);
    assert_int_equal(flips_of(&told), MACHINES);
    snprintf(target, sizeof target, "/v1/charter/plan?at=%s", moment_text(in_days(-1)).at);
    ask_refused("POST", target, "{}", 400, "bad-parameter", "?at");
}

/* ---- one policy, or floors ------------------------------------------------------------------ */

static void without_a_charter_there_is_nothing_to_change(void **state)
{
    (void)state;
    ask_refused("POST", "/v1/policies/stock/plan", "{}", 409, "no-charter", "");
    ask_refused("POST", "/v1/tcb/plan", "{}", 409, "no-charter", "");
    OWNED(told_done) struct told applied = judged_apply(NULL);
    assert_told(applied, 200);
}

static json_t *strict_policy(void)
{
    return json_pack("{s:{s:{s:{s:i}}},s:[s],s:i}", "snp", "min_tcb", "Milan", "snp", 255,
                     "references", "stock", "valid_seconds", 3600);
}

static void another_policy_flips_who_stands_under_it(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *policy = strict_policy();
    OWNED(told_done) struct told told = ask_json("/v1/policies/stock/plan", policy);
    assert_int_equal(flips_of(&told), MACHINES);
    const json_t *candidate = json_object_get(told.body, "charter");
    assert_int_equal(number_at(candidate, "serial"), number_at(world->charter, "serial") + 1);
    assert_true(
        json_equal(policy, json_object_get(json_object_get(candidate, "policies"), "stock")));
    OWNED(told_done) struct told other = ask_json("/v1/policies/direct/plan", policy);
    assert_int_equal(flips_of(&other), 0);
    assert_int_equal(number_at(other.body, "instances"), 0);
    ask_refused("POST", "/v1/policies/stock/plan", "{}", 422, "missing-member",
                "/policies/stock/valid_seconds");
}

static void other_floors_flip_now_and_later(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *floors = rising_floors(in_days(1));
    OWNED(told_done) struct told told = ask_json("/v1/tcb/plan", floors);
    assert_int_equal(flips_of(&told), 0);
    assert_later(&told, 0, in_days(1), MACHINES, "policy-tcb");
    OWNED(told_done)
    struct told now = ask_json("/v1/tcb/plan", json_object_get(world->charter, "tcb_floors"));
    assert_int_equal(flips_of(&now), 0);
    ask_refused("POST", "/v1/tcb/plan", "{\"Rome\":{\"snp\":1}}", 422, "wrong-value",
                "/tcb_floors/snp/min_tcb/Rome");
}

static void only_those_who_may_apply_a_charter_plan_its_parts(void **state)
{
    (void)state;
    static const char *const targets[] = {"/v1/policies/stock/plan", "/v1/tcb/plan"};
    for (size_t i = 0; i < countof(targets); i++) {
        OWNED(told_done) struct told told = ask_as(CALLER_OPERATOR, "POST", targets[i], "{}");
        assert_told(told, 403);
    }
}

/* A replay takes seconds: no transaction may stay open for it, whatever key comes with it. */
static void a_plan_holds_no_transaction(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++)
        if (strstr(routes[i].pattern, "/plan") != NULL)
            assert_true((routes[i].flags & ROUTE_OUTSIDE) != 0);
    const struct ask with = {.authorization = ask_tokens[CALLER_SECURITY], .key = "once"};
    OWNED(told_done) struct told first = ask_with(&with, "POST", "/v1/tcb/plan", "{}");
    OWNED(told_done) struct told again = ask_with(&with, "POST", "/v1/tcb/plan", "{}");
    assert_told(first, 200);
    assert_true(json_equal(first.body, again.body));
}

/* ---- a plan that still holds ---------------------------------------------------------------- */

/* The world's charter is what the plan gave out, and holds for an apply as it was signed. */
static void a_candidate_is_applied_as_it_was_planned(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *floors = json_pack("{s:{s:i}}", "Milan", "snp", 1);
    OWNED(told_done) struct told told = ask_json("/v1/tcb/plan", floors);
    json_decref(world->charter);
    world->charter = json_deep_copy(json_object_get(told.body, "charter"));
    OWNED(told_done) struct told applied = judged_apply(told_member(told.body, "digest"));
    assert_told(applied, 200);
}

static struct instance proving;

static void the_same_evidence_again_changes_no_plan(void **state)
{
    (void)state;
    proving = judged_machine(&judged_stock);
    deployment_raise_serial(world);
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", world->charter);
    judged_prove(&proving, &judged_stock);
    OWNED(told_done) struct told applied = judged_apply(told_member(told.body, "digest"));
    assert_told(applied, 200);
}

static void other_evidence_in_between_changes_the_plan(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", world->charter);
    judged_prove(&proving, &(struct judged){.measurement = 0x77, .rejected = "policy-measurement"});
    OWNED(told_done) struct told applied = judged_apply(told_member(told.body, "digest"));
    assert_problem(applied, 409, "plan-changed");
}

static void a_date_that_passes_changes_the_plan(void **state)
{
    (void)state;
    json_put_new(world->charter, "tcb_floors", rising_floors(in_days(1)));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", world->charter);
    clock_advance_ms(INT64_C(1000) * (DAY - 1));
    OWNED(told_done) struct told before = ask_json("/v1/charter/plan", world->charter);
    assert_string_equal(told_member(told.body, "digest"), told_member(before.body, "digest"));
    clock_advance_ms(1000);
    OWNED(told_done) struct told applied = judged_apply(told_member(told.body, "digest"));
    assert_problem(applied, 409, "plan-changed");
}

/* The last of all: the clock does not go back. */
static void a_certificate_that_ends_flips_its_machines_then(void **state)
{
    (void)state;
    clock_advance_ms(INT64_C(1000) * DAY * 300);
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_object_clear(json_object_get(candidate, "tcb_floors"));
    json_put_moment(candidate, "issued", in_days(0));
    json_put_moment(candidate, "expires", in_days(30));
    OWNED(told_done) struct told told = ask_json("/v1/charter/plan", candidate);
    assert_int_equal(flips_of(&told), 0);
    assert_later(&told, 0, in_days(30), MACHINES, "charter-expired");
    const json_t *date = json_array_get(json_object_get(told.body, "later"), 1);
    const json_t *cohort = json_array_get(json_object_get(date, "cohorts"), 0);
    assert_string_equal(told_member(cohort, "reason"), "cert-expired");
    assert_int_equal(number_at(cohort, "count"), MACHINES);
}

/* A fleet whose policy the charter has waits for nothing. */
static void a_policy_of_the_charter_is_not_missing(void **state)
{
    (void)state;
    OWNED(told_done)
    struct told told =
        ask("POST", "/v1/fleets?dry_run=true",
            "{\"name\":\"dry\",\"desired\":1,\"account\":\"acme\",\"image\":\"stock\",\"size\":"
            "\"m6a.large\",\"policy\":\"stock\"}");
    assert_told(told, 200);
    assert_int_equal(json_array_size(json_object_get(told.body, "missing")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_end_of_a_charter_is_told, ask_quiet),
        cmocka_unit_test_setup(a_floor_that_rises_tomorrow_flips_its_machines_then, ask_quiet),
        cmocka_unit_test_setup(a_reference_that_ends_flips_its_machines_then, ask_quiet),
        cmocka_unit_test_setup(the_ends_of_other_images_hide_none, ask_quiet),
        cmocka_unit_test_setup(dates_are_told_beyond_the_charters_end, ask_quiet),
        cmocka_unit_test_setup(a_plan_is_made_for_another_day, ask_quiet),
        cmocka_unit_test_setup(without_a_charter_there_is_nothing_to_change, ask_quiet),
        cmocka_unit_test_setup(another_policy_flips_who_stands_under_it, ask_quiet),
        cmocka_unit_test_setup(other_floors_flip_now_and_later, ask_quiet),
        cmocka_unit_test_setup(a_policy_of_the_charter_is_not_missing, ask_quiet),
        cmocka_unit_test_setup(only_those_who_may_apply_a_charter_plan_its_parts, ask_quiet),
        cmocka_unit_test_setup(a_plan_holds_no_transaction, ask_quiet),
        cmocka_unit_test_setup(a_candidate_is_applied_as_it_was_planned, ask_quiet),
        cmocka_unit_test_setup(the_same_evidence_again_changes_no_plan, ask_quiet),
        cmocka_unit_test_setup(other_evidence_in_between_changes_the_plan, ask_quiet),
        cmocka_unit_test_setup(a_date_that_passes_changes_the_plan, ask_quiet),
        cmocka_unit_test_setup(a_certificate_that_ends_flips_its_machines_then, ask_quiet),
    };
    return cmocka_run_group_tests_name("plans", tests, judged_open, judged_close);
}
