/* A candidate charter against what stands: the last evidence of every machine, judged again (R79,
 * R80), and a charter applied only while its plan still holds. */
#include <stdio.h>
#include <string.h>

#include "lib/model/charter.h"
#include "tests/support/judged.h"
#include "tests/support/test.h"

/* ---- asking --------------------------------------------------------------------------------- */

static int64_t number_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static struct told plan_for(const json_t *candidate)
{
    OWNED(mem_drop) char *text = json_print(candidate);
    struct told told = ask("POST", "/v1/charter/plan", text);
    assert_told(told, 200);
    return told;
}

static json_t *copy_of_charter(void)
{
    return json_deep_copy(world->charter);
}

/* Every machine flips, all for this reason, as one cohort. */
static void assert_all_flip(const json_t *candidate, const char *reason)
{
    OWNED(told_done) struct told told = plan_for(candidate);
    const json_t *flips = json_object_get(told.body, "flips");
    const json_t *cohorts = json_object_get(told.body, "cohorts");
    assert_int_equal(number_at(flips, "count"), number_at(told.body, "instances"));
    assert_int_equal(number_at(told.body, "unchanged"), 0);
    assert_int_equal(json_array_size(cohorts), 1);
    assert_int_equal(number_at(json_array_get(cohorts, 0), "count"), number_at(flips, "count"));
    const json_t *first = json_array_get(json_object_get(flips, "items"), 0);
    assert_string_equal(told_member(first, "from"), "trusted");
    assert_string_equal(told_member(first, "to"), "rejected");
    assert_string_equal(told_member(first, "reason"), reason);
    assert_string_equal(told_member(first, "fleet"), "stock-fleet");
    assert_string_equal(told_member(first, "product"), "Milan");
}

/* ---- what a candidate would change ----------------------------------------------------------- */

static void the_charter_in_force_flips_nobody(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = plan_for(world->charter);
    assert_int_equal(number_at(told.body, "instances"), 3);
    assert_int_equal(number_at(told.body, "unchanged"), 3);
    assert_int_equal(number_at(told.body, "not_judged"), 0);
    assert_int_equal(number_at(json_object_get(told.body, "flips"), "count"), 0);
}

static void a_retired_reference_flips_its_machines(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_t *reference = json_object_get(json_object_get(candidate, "references"), "stock");
    json_object_set_new(reference, "retired", json_true());
    assert_all_flip(candidate, "policy-measurement");
}

static void a_higher_floor_flips_what_is_below(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_object_set_new(candidate, "tcb_floors", json_pack("{s:{s:i}}", "Milan", "snp", 255));
    assert_all_flip(candidate, "policy-tcb");
}

static void a_denied_measurement_flips_whoever_has_it(void **state)
{
    (void)state;
    char hex[2 * CHARTER_MEASUREMENT_SIZE + 1];
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    memset(measurement, MEASURED_STOCK, sizeof measurement);
    hex_encode(SPAN_OF(measurement), hex);
    json_object_set_new(json_object_get(candidate, "deny"), "measurements", json_pack("[s]", hex));
    assert_all_flip(candidate, "denied-measurement");
}

static void a_policy_that_is_gone_flips_its_machines(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_object_del(json_object_get(candidate, "policies"), "stock");
    json_object_clear(json_object_get(candidate, "grants"));
    assert_all_flip(candidate, "policy-unknown");
}

/* Whatever policy its last verdict was by. */
static void a_machine_is_planned_under_the_policy_it_will_be_judged_by(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    judged_policy("nobodys");
    assert_all_flip(candidate, "policy-unknown");
    judged_policy("stock");
}

static void a_simulator_that_is_no_longer_named_flips_its_machines(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_object_set_new(candidate, "simulator_roots", json_array());
    assert_all_flip(candidate, "simulator-not-chartered");
}

/* R114, R118: what the fleet stands on, counted. */
static void what_runs_where_is_counted_by_tcb(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask("GET", "/v1/tcb", NULL);
    assert_told(told, 200);
    const json_t *items = json_object_get(told.body, "items");
    assert_int_equal(json_array_size(items), 1);
    const json_t *first = json_array_get(items, 0);
    assert_int_equal(number_at(first, "instances"), 3);
    assert_string_equal(told_member(first, "product"), "Milan");
    assert_string_equal(told_member(first, "signing_key"), "VLEK");
    assert_null(json_string_value(json_object_get(first, "launch")));
    assert_string_equal(told_member(first, "reported"), "0x7308000000000003");
}

static const json_t *counted_by(const char *by, struct told *told)
{
    OWNED(text_done) struct text target = {0};
    text_addf(&target, "/v1/tcb?by=%s", by);
    *told = ask("GET", text_str(&target), NULL);
    assert_told(*told, 200);
    const json_t *items = json_object_get(told->body, "items");
    assert_int_equal(json_array_size(items), 1);
    return json_array_get(items, 0);
}

/* R114: by product, region or firmware, beside what is asked of it today and next. */
static void the_inventory_is_counted_by_one_property(void **state)
{
    (void)state;
    static const struct {
        const char *by, *value;
    } ways[] = {{"product", "Milan"}, {"region", "eu-west-1"}, {"measurement", "2222"}};
    OWNED(json_drop)
    json_t *floors =
        json_pack("[{s:i},{s:i,s:s}]", "snp", 0, "snp", 1, "from", "2027-01-01T00:00:00Z");
    json_put_new(json_object_get(world->charter, "tcb_floors"), "Milan", json_incref(floors));
    deployment_raise_serial(world);
    OWNED(told_done) struct told applied = judged_apply(NULL);
    assert_told(applied, 200);
    for (size_t i = 0; i < countof(ways); i++) {
        OWNED(told_done) struct told told = {0};
        const json_t *group = counted_by(ways[i].by, &told);
        const json_t *reported = json_array_get(json_object_get(group, "reported"), 0);
        assert_int_equal(strncmp(told_member(group, "value"), ways[i].value, 4), 0);
        assert_int_equal(number_at(group, "instances"), 3);
        assert_int_equal(number_at(reported, "instances"), 3);
        assert_string_not_equal(told_member(group, "oldest"), "");
        assert_int_equal(json_array_size(json_object_get(group, "floors")), i == 0 ? 2 : 0);
    }
    OWNED(told_done) struct told told = ask("GET", "/v1/tcb", NULL);
    const json_t *item = json_array_get(json_object_get(told.body, "items"), 0);
    const json_t *floor = json_array_get(json_object_get(item, "floors"), 0);
    assert_int_equal(number_at(json_object_get(floor, "floor"), "snp"), 0);
    assert_string_equal(told_member(floor, "next_from"), "2027-01-01T00:00:00Z");
    assert_int_equal(number_at(json_object_get(floor, "next"), "snp"), 1);
    ask_refused("GET", "/v1/tcb?by=moon", NULL, 400, "bad-parameter", "?by");
}

static void a_candidate_is_read_as_strictly_as_a_charter(void **state)
{
    (void)state;
    ask_refused("POST", "/v1/charter/plan", "{}", 422, "missing-member", "/charter");
    OWNED(json_drop) json_t *candidate = copy_of_charter();
    json_object_set_new(candidate, "surprise", json_true());
    OWNED(mem_drop) char *text = json_print(candidate);
    ask_refused("POST", "/v1/charter/plan", text, 422, "unknown-member", "/surprise");
}

static void only_those_who_may_apply_a_charter_plan_one(void **state)
{
    (void)state;
    OWNED(mem_drop) char *text = json_print(world->charter);
    OWNED(told_done) struct told viewer = ask_as(CALLER_VIEWER, "POST", "/v1/charter/plan", text);
    assert_told(viewer, 403);
    OWNED(told_done)
    struct told operator= ask_as(CALLER_OPERATOR, "POST", "/v1/charter/plan", text);
    assert_told(operator, 403);
    OWNED(told_done)
    struct told security = ask_as(CALLER_SECURITY, "POST", "/v1/charter/plan", text);
    assert_told(security, 200);
}

/* ---- a plan that still holds ----------------------------------------------------------------- */

/* This and those below come last: they add machines. */
static void a_charter_is_applied_only_while_its_plan_holds(void **state)
{
    (void)state;
    deployment_raise_serial(world);
    OWNED(told_done) struct told plan = plan_for(world->charter);
    OWNED(mem_drop) char *before = mem_text(told_member(plan.body, "digest"));
    judged_machine(&judged_stock);
    OWNED(told_done) struct told late = judged_apply(before);
    assert_problem(late, 409, "plan-changed");
    assert_string_equal(late.where, "/if_plan");
    OWNED(told_done) struct told again = plan_for(world->charter);
    OWNED(told_done) struct told applied = judged_apply(told_member(again.body, "digest"));
    assert_told(applied, 200);
}

static void a_signature_that_was_bad_is_looked_at_again(void **state)
{
    (void)state;
    judged_machine(&(struct judged){.measurement = MEASURED_STOCK, .bad_signature = true});
    OWNED(told_done) struct told told = plan_for(world->charter);
    const json_t *flips = json_object_get(told.body, "flips");
    assert_int_equal(number_at(flips, "count"), 1);
    assert_string_equal(told_member(json_array_get(json_object_get(flips, "items"), 0), "reason"),
                        "bad-signature");
}

static void a_machine_without_a_verdict_is_counted_and_not_judged(void **state)
{
    (void)state;
    (void)ask_instance("stock-fleet");
    OWNED(told_done) struct told told = plan_for(world->charter);
    assert_int_equal(number_at(told.body, "not_judged"), 1);
}

/* As Azure's evidence and a vTPM's have it. */
static void a_report_inside_other_evidence_is_counted_too(void **state)
{
    (void)state;
    OWNED(told_done) struct told before = {0};
    OWNED(told_done) struct told after = {0};
    const int64_t bare = number_at(counted_by("product", &before), "instances");
    judged_machine(&(struct judged){.measurement = MEASURED_STOCK, .carried = true});
    assert_int_equal(number_at(counted_by("product", &after), "instances"), bare + 1);
    OWNED(told_done) struct told told = ask("GET", "/v1/tcb", NULL);
    assert_int_equal(json_array_size(json_object_get(told.body, "items")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_charter_in_force_flips_nobody, ask_quiet),
        cmocka_unit_test_setup(what_runs_where_is_counted_by_tcb, ask_quiet),
        cmocka_unit_test_setup(a_retired_reference_flips_its_machines, ask_quiet),
        cmocka_unit_test_setup(a_higher_floor_flips_what_is_below, ask_quiet),
        cmocka_unit_test_setup(a_denied_measurement_flips_whoever_has_it, ask_quiet),
        cmocka_unit_test_setup(a_policy_that_is_gone_flips_its_machines, ask_quiet),
        cmocka_unit_test_setup(a_machine_is_planned_under_the_policy_it_will_be_judged_by,
                               ask_quiet),
        cmocka_unit_test_setup(a_simulator_that_is_no_longer_named_flips_its_machines, ask_quiet),
        cmocka_unit_test_setup(the_inventory_is_counted_by_one_property, ask_quiet),
        cmocka_unit_test_setup(a_candidate_is_read_as_strictly_as_a_charter, ask_quiet),
        cmocka_unit_test_setup(only_those_who_may_apply_a_charter_plan_one, ask_quiet),
        cmocka_unit_test_setup(a_charter_is_applied_only_while_its_plan_holds, ask_quiet),
        cmocka_unit_test_setup(a_report_inside_other_evidence_is_counted_too, ask_quiet),
        cmocka_unit_test_setup(a_signature_that_was_bad_is_looked_at_again, ask_quiet),
        cmocka_unit_test_setup(a_machine_without_a_verdict_is_counted_and_not_judged, ask_quiet),
    };
    return cmocka_run_group_tests_name("charter_plan", tests, judged_open, judged_close);
}
