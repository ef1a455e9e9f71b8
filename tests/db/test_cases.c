/* A launch digest that nobody knows: one case, whatever the number of hosts; bounded, whatever
 * anybody shows; and it follows the charter, never the other way round. */
#include <stdio.h>
#include <string.h>

#include "db/alarm_store.h"
#include "db/case_store.h"
#include "tests/support/judged.h"
#include "tests/support/test.h"

enum { STRANGE = 0x77, DAY = 86400 };

static const struct judged strange = {
    .measurement = STRANGE, .rejected = "policy-measurement", .chip = 1};

static int64_t number_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static struct moment in_days(int days)
{
    return moment_add_seconds(clock_now(), (int64_t)days * DAY);
}

static size_t count_cases(void)
{
    OWNED(told_done) struct told told = ask("GET", "/v1/cases", NULL);
    assert_told(told, 200);
    return json_array_size(json_object_get(told.body, "items"));
}

/* The one that there is. */
static struct told the_case(void)
{
    OWNED(told_done) struct told list = ask("GET", "/v1/cases", NULL);
    const json_t *items = json_object_get(list.body, "items");
    assert_int_equal(json_array_size(items), 1);
    OWNED(text_done) struct text target = {0};
    text_addf(&target, "/v1/cases/%s", told_member(json_array_get(items, 0), "id"));
    struct told told = ask("GET", text_str(&target), NULL);
    assert_told(told, 200);
    return told;
}

static struct told ask_case(const char *verb, const json_t *body)
{
    OWNED(told_done) struct told told = the_case();
    OWNED(text_done) struct text target = {0};
    OWNED(mem_drop) char *text = json_print(body);
    text_addf(&target, "/v1/cases/%s/%s", told_member(told.body, "id"), verb);
    return ask("POST", text_str(&target), text);
}

static struct told accept_until(struct moment end)
{
    OWNED(json_drop) json_t *body = json_pack("{s:s}", "expires", moment_text(end).at);
    return ask_case("accept", body);
}

static void assert_state(const char *state, const char *reason)
{
    OWNED(told_done) struct told told = the_case();
    assert_string_equal(told_member(told.body, "state"), state);
    assert_string_equal(told_member(told.body, "reason"), reason);
}

static int64_t alarms(void)
{
    struct error err = {0};
    int64_t count = 0;
    OWNED(alarm_list_done) struct alarm_list list = {0};
    assert_ok(alarm_store_list(ask_db, "default", NULL, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        count += strcmp(list.at[i].code, "unknown-measurement") == 0;
    return count;
}

static int open_world(void **state)
{
    if (judged_open(state) != 0)
        return -1;
    OWNED(told_done) struct told applied = judged_apply(NULL);
    return applied.status == 200 ? 0 : -1;
}

/* ---- one case ------------------------------------------------------------------------------- */

static void what_is_not_authentic_or_known_makes_no_case(void **state)
{
    (void)state;
    judged_machine(&(struct judged){
        .measurement = STRANGE, .rejected = "policy-measurement", .bad_signature = true});
    judged_machine(&(struct judged){.measurement = MEASURED_STOCK, .rejected = "policy-tcb"});
    assert_int_equal(count_cases(), 0);
}

static struct instance first;

static void many_hosts_are_one_case(void **state)
{
    (void)state;
    first = judged_machine(&strange);
    assert_int_equal(alarms(), 0); /* one machine alone may be its owner's mistake */
    for (int i = 0; i < 7; i++) {
        struct judged as = strange;
        as.chip = 1 + i / 2;
        judged_machine(&as);
    }
    OWNED(told_done) struct told told = the_case();
    assert_int_equal(number_at(told.body, "instances"), 8);
    assert_int_equal(number_at(told.body, "chips"), 4);
    assert_int_equal(json_array_size(json_object_get(told.body, "samples")), 5);
    assert_string_equal(told_member(told.body, "product"), "Milan");
    assert_string_equal(told_member(told.body, "policy"), "stock");
    assert_state("open", "");
    assert_int_equal(alarms(), 1);
}

/* Who is refused comes back soon: that writes nothing within the minute. */
static void the_same_again_writes_nothing(void **state)
{
    (void)state;
    OWNED(told_done) struct told before = the_case();
    for (int i = 0; i < 3; i++)
        judged_prove(&first, &strange);
    OWNED(told_done) struct told after = the_case();
    assert_true(json_equal(before.body, after.body));
    struct error err = {0};
    assert_ok(
        db_script(ask_db, "UPDATE cases SET last_seen = last_seen - interval '2 minutes'", &err));
    judged_prove(&first, &strange);
    OWNED(told_done) struct told later = the_case();
    assert_int_equal(number_at(later.body, "instances"), 8);
    assert_true(
        strcmp(told_member(later.body, "last_seen"), told_member(before.body, "last_seen")) > 0);
}

/* ---- it follows the charter ------------------------------------------------------------------ */

static struct told accepted;

static void accepting_gives_out_a_charter_with_an_end_and_changes_nothing(void **state)
{
    (void)state;
    accepted = accept_until(in_days(2));
    assert_told(accepted, 200);
    const json_t *charter = json_object_get(accepted.body, "charter");
    const json_t *reference =
        json_object_get(json_object_get(charter, "references"), "case-777777777777");
    assert_string_equal(told_member(reference, "expires"), moment_text(in_days(2)).at);
    assert_false(json_is_true(json_object_get(reference, "measured_boot")));
    assert_int_equal(number_at(json_object_get(accepted.body, "flips"), "count"),
                     9); /* and one that a floor held back once */
    assert_state("open", "");
}

static void an_acceptance_needs_an_end_that_is_near(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *nothing = json_object();
    OWNED(told_done) struct told none = ask_case("accept", nothing);
    assert_problem(none, 422, "missing-member");
    OWNED(told_done) struct told past = accept_until(in_days(-1));
    assert_problem(past, 422, "wrong-value");
    OWNED(told_done) struct told far = accept_until(in_days(91));
    assert_problem(far, 422, "wrong-value");
    OWNED(json_drop)
    json_t *elsewhere =
        json_pack("{s:s,s:s}", "expires", moment_text(in_days(1)).at, "policy", "nobodys");
    OWNED(told_done) struct told policy = ask_case("accept", elsewhere);
    assert_problem(policy, 404, "no-such-policy");
    OWNED(told_done)
    struct told operator= ask_as(CALLER_OPERATOR, "POST",
                                 "/v1/cases/00000000-0000-4000-8000-000000000000/accept", "{}");
    assert_told(operator, 403);
}

static void a_charter_that_names_it_closes_the_case(void **state)
{
    (void)state;
    json_decref(world->charter);
    world->charter = json_deep_copy(json_object_get(accepted.body, "charter"));
    OWNED(told_done) struct told applied = judged_apply(told_member(accepted.body, "digest"));
    assert_told(applied, 200);
    assert_state("accepted", "");
    assert_int_equal(alarms(), 0);
    OWNED(told_done) struct told again = accept_until(in_days(2));
    assert_problem(again, 409, "case-not-open");
    told_done(&accepted);
    accepted = (struct told){0};
}

/* However many were dismissed since, a charter that still names it leaves it closed. */
static void what_was_dismissed_opens_nothing_else(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(db_script(
        ask_db,
        "INSERT INTO cases (id, project, measurement, kind, product, policy, state, last_seen)"
        " SELECT gen_random_uuid(), 'default', sha384(n::text::bytea), 'snp', 'Milan', 'gone',"
        " 'dismissed', clock_timestamp() + interval '1 hour' FROM generate_series(1, 4096) n",
        &err));
    deployment_raise_serial(world);
    OWNED(told_done) struct told applied = judged_apply(NULL);
    assert_told(applied, 200);
    assert_ok(db_script(ask_db, "DELETE FROM cases WHERE policy = 'gone'", &err));
    assert_state("accepted", "");
}

static void it_opens_again_at_the_references_end(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(case_store_expire(ask_db, moment_add_seconds(in_days(2), -1), "test", &err));
    assert_state("accepted", "");
    assert_ok(case_store_expire(ask_db, in_days(2), "test", &err));
    assert_state("open", "reference-ended");
    assert_int_equal(alarms(), 1);
}

static void it_opens_again_when_a_later_charter_leaves_it_out(void **state)
{
    (void)state;
    deployment_raise_serial(world);
    OWNED(told_done) struct told named = judged_apply(NULL);
    assert_told(named, 200);
    assert_state("accepted", "");
    json_put_bool(deployment_at(world, "references", "case-777777777777"), "retired", true);
    deployment_raise_serial(world);
    OWNED(told_done) struct told applied = judged_apply(NULL);
    assert_told(applied, 200);
    assert_state("open", "no-longer-named");
}

static void a_case_may_be_dismissed_once(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *body = json_pack("{s:s}", "reason", "a trial of ours");
    OWNED(told_done) struct told told = ask_case("dismiss", body);
    assert_told(told, 200);
    assert_state("dismissed", "a trial of ours");
    assert_int_equal(alarms(), 0);
    OWNED(told_done) struct told again = ask_case("dismiss", body);
    assert_problem(again, 409, "case-not-open");
    OWNED(told_done) struct told open = ask("GET", "/v1/cases?state=open", NULL);
    assert_int_equal(json_array_size(json_object_get(open.body, "items")), 0);
    ask_refused("GET", "/v1/cases?state=lost", NULL, 400, "bad-parameter", "?state");
}

/* ---- bounds --------------------------------------------------------------------------------- */

static void one_guest_brings_up_few_cases(void **state)
{
    (void)state;
    const struct instance hostile = judged_machine(&judged_stock);
    for (int i = 1; i <= 20; i++) {
        struct judged as = strange;
        as.measurement = i;
        judged_prove(&hostile, &as);
    }
    OWNED(told_done) struct told told = ask("GET", "/v1/cases?state=open", NULL);
    assert_int_equal(json_array_size(json_object_get(told.body, "items")), CASES_OF_ONE_MOST);
    assert_true(number_at(json_object_get(told.body, "overflow"), "intervals") >= 1);
}

static void open_cases_have_a_bound(void **state)
{
    (void)state;
    for (int i = 100; i < 100 + CASES_OPEN_MOST; i++) {
        struct judged as = strange;
        as.measurement = i;
        judged_machine(&as);
    }
    OWNED(told_done) struct told told = ask("GET", "/v1/cases?state=open", NULL);
    assert_int_equal(json_array_size(json_object_get(told.body, "items")), CASES_OPEN_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_not_authentic_or_known_makes_no_case, ask_quiet),
        cmocka_unit_test_setup(many_hosts_are_one_case, ask_quiet),
        cmocka_unit_test_setup(the_same_again_writes_nothing, ask_quiet),
        cmocka_unit_test_setup(accepting_gives_out_a_charter_with_an_end_and_changes_nothing,
                               ask_quiet),
        cmocka_unit_test_setup(an_acceptance_needs_an_end_that_is_near, ask_quiet),
        cmocka_unit_test_setup(a_charter_that_names_it_closes_the_case, ask_quiet),
        cmocka_unit_test_setup(what_was_dismissed_opens_nothing_else, ask_quiet),
        cmocka_unit_test_setup(it_opens_again_at_the_references_end, ask_quiet),
        cmocka_unit_test_setup(it_opens_again_when_a_later_charter_leaves_it_out, ask_quiet),
        cmocka_unit_test_setup(a_case_may_be_dismissed_once, ask_quiet),
        cmocka_unit_test_setup(one_guest_brings_up_few_cases, ask_quiet),
        cmocka_unit_test_setup(open_cases_have_a_bound, ask_quiet),
    };
    return cmocka_run_group_tests_name("cases", tests, open_world, judged_close);
}
