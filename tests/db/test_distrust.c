/* Distrust: whom it hits and what they have seen, before anything is signed; then its steps, each
 * said as it is. */
#include <string.h>

#include "db/distrust_store.h"
#include "lib/model/charter.h"
#include "tests/support/judged.h"
#include "tests/support/test.h"

enum { MACHINES = 3 };

static int64_t number_at(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static struct told propose(const char *what, const char *value, bool dry_run)
{
    OWNED(json_drop) json_t *body = json_pack("{s:s,s:s}", "what", what, "value", value);
    OWNED(mem_drop) char *text = json_print(body);
    return ask("POST", dry_run ? "/v1/distrust?dry_run=true" : "/v1/distrust", text);
}

static const json_t *plan_of(const struct told *told)
{
    return json_object_get(told->body, "plan");
}

static void assert_flips(const struct told *told, int64_t count, const char *reason)
{
    const json_t *cohorts = json_object_get(plan_of(told), "cohorts");
    assert_told(*told, 200);
    assert_int_equal(number_at(json_object_get(plan_of(told), "flips"), "count"), count);
    assert_int_equal(json_array_size(cohorts), count > 0 ? 1 : 0);
    if (count > 0)
        assert_string_equal(told_member(json_array_get(cohorts, 0), "reason"), reason);
}

static const char *state_of(const json_t *act, const char *step)
{
    size_t i;
    const json_t *item;
    json_array_foreach (json_object_get(act, "steps"), i, item)
        if (strcmp(told_member(item, "step"), step) == 0)
            return told_member(item, "state");
    fail_msg("no step %s", step);
    return "";
}

static char *measured_hex(int byte)
{
    uint8_t value[CHARTER_MEASUREMENT_SIZE];
    memset(value, byte, sizeof value);
    return hex_of(SPAN_OF(value));
}

/* The charter that a proposal gave out, signed and applied. */
static void apply(const struct told *told)
{
    json_decref(world->charter);
    world->charter = json_deep_copy(json_object_get(told->body, "charter"));
    OWNED(told_done) struct told applied = judged_apply(told_member(plan_of(told), "digest"));
    assert_told(applied, 200);
}

static struct instance guest; /* one of the machines, for its key */

static int open_world(void **state)
{
    if (judged_open(state) != 0)
        return -1;
    OWNED(told_done) struct told applied = judged_apply(NULL);
    guest = judged_machine(&judged_stock);
    return applied.status == 200 ? 0 : -1;
}

/* ---- before anything is signed --------------------------------------------------------------- */

static void each_kind_of_distrust_hits_whom_it_names(void **state)
{
    (void)state;
    uint8_t key[SHA256_SIZE] = {0};
    uint8_t other[CHARTER_CHIP_SIZE] = {9};
    memcpy(key, guest.id.at, sizeof guest.id.at);
    OWNED(mem_drop) char *measurement = measured_hex(MEASURED_STOCK);
    OWNED(mem_drop) char *link_key = hex_of(SPAN_OF(key));
    OWNED(mem_drop) char *chip = hex_of(SPAN(other, CHARTER_CHIP_SIZE));
    OWNED(mem_drop) char *signer = hex_of(SPAN(other, SIGNER_DIGEST_SIZE));
    OWNED(mem_drop) char *anchor = hex_of(SPAN(other, SHA256_SIZE));
    const struct {
        const char *what, *value;
        int64_t flips;
        const char *reason;
    } kinds[] = {
        {"generation", "Milan", MACHINES + 1, "denied-product"},
        {"generation", "Turin", 0, ""},
        {"region", "us-east-2", MACHINES + 1, "denied-region"},
        {"region", "CN=cc-us-east-2.amazonaws.com", MACHINES + 1, "denied-region"},
        {"measurement", measurement, MACHINES + 1, "denied-measurement"},
        {"image", "stock", MACHINES + 1, "policy-measurement"},
        {"guest-key", link_key, 1, "denied-guest-key"},
        {"chip", chip, 0, ""},
        {"signer", signer, 0, ""},
        {"anchor", anchor, 0, ""},
    };
    for (size_t i = 0; i < countof(kinds); i++) {
        OWNED(told_done) struct told told = propose(kinds[i].what, kinds[i].value, true);
        assert_flips(&told, kinds[i].flips, kinds[i].reason);
        assert_null(json_object_get(told.body, "id"));
    }
    OWNED(told_done) struct told list = ask("GET", "/v1/distrust", NULL);
    assert_int_equal(json_array_size(json_object_get(list.body, "items")), 0);
}

static void what_cannot_be_distrusted_is_refused(void **state)
{
    (void)state;
    ask_refused("POST", "/v1/distrust", "{\"what\":\"moon\",\"value\":\"full\"}", 422,
                "wrong-value", "/what");
    ask_refused("POST", "/v1/distrust", "{\"what\":\"generation\",\"value\":\"Rome\"}", 422,
                "wrong-value", "/value");
    ask_refused("POST", "/v1/distrust", "{\"what\":\"chip\",\"value\":\"00\"}", 422, "wrong-value",
                "/value");
    ask_refused("POST", "/v1/distrust",
                "{\"what\":\"anchor\",\"value\":"
                "\"0000000000000000000000000000000000000000000000000000000000000000\"}",
                422, "wrong-value", "/value");
    ask_refused("POST", "/v1/distrust", "{\"what\":\"image\",\"value\":\"nobodys\"}", 404,
                "no-such-reference", "/value");
    ask_refused("POST", "/v1/distrust",
                "{\"what\":\"region\",\"value\":\"x\",\"expires\":\"2036-01-01T00:00:00Z\"}", 422,
                "wrong-value", "/expires");
    OWNED(told_done)
    struct told operator= ask_as(CALLER_OPERATOR, "POST", "/v1/distrust?dry_run=true", "{}");
    assert_told(operator, 403);
}

/* Whose account says a region and whose evidence does not prove it is not reached, and counted. */
static void who_does_not_prove_a_region_is_not_reached(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = propose("region", "eu-west-1", true);
    assert_flips(&told, 0, "");
    assert_int_equal(number_at(told.body, "not_reached"), MACHINES + 1);
}

/* ---- what they have seen --------------------------------------------------------------------- */

/* Everybody was handed version 1 of "web"; then `guest` alone version 2, which is on its way again.
 */
static void hand_out_secrets(void)
{
    struct error err = {0};
    assert_ok(db_script(
        ask_db,
        "INSERT INTO secrets (id, project, name, kind, grant_name)"
        " VALUES ('11111111-1111-4111-8111-111111111111', 'default', 'web', 'opaque', 'for-all');"
        "INSERT INTO secret_versions (id, secret, version, state, record)"
        " SELECT gen_random_uuid(), '11111111-1111-4111-8111-111111111111', n, 'active', 'x'"
        " FROM generate_series(1, 2) n;"
        "INSERT INTO exposures (instance, secret, secret_version, verdict_id)"
        " SELECT i.id, v.secret, v.id, i.verdict_id FROM instances i JOIN secret_versions v"
        " ON v.version = 1 OR i.id = (SELECT max(id::text)::uuid FROM instances);"
        "INSERT INTO deliveries (id, project, instance, secret, name, version, secret_version)"
        " SELECT gen_random_uuid(), 'default', i.id, v.secret, 'web', 2, v.id"
        " FROM instances i JOIN secret_versions v ON v.version = 2",
        &err));
}

static void every_version_that_was_seen_is_listed(void **state)
{
    (void)state;
    hand_out_secrets();
    OWNED(told_done) struct told told = propose("generation", "Milan", true);
    const json_t *exposed = json_object_get(told.body, "exposed");
    assert_int_equal(json_array_size(exposed), 2);
    assert_string_equal(told_member(json_array_get(exposed, 0), "secret"), "web");
    assert_int_equal(number_at(json_array_get(exposed, 0), "version"), 1);
    assert_int_equal(number_at(json_array_get(exposed, 0), "instances"), MACHINES + 1);
    assert_int_equal(number_at(json_array_get(exposed, 1), "instances"), 1);
    assert_int_equal(json_array_size(json_object_get(told.body, "exposed_by_instance")),
                     MACHINES + 1);
    const json_t *pending = json_array_get(json_object_get(told.body, "deliveries"), 0);
    assert_string_equal(told_member(pending, "state"), "due");
    assert_int_equal(number_at(pending, "count"), MACHINES + 1);
}

/* Also on a verdict from before: whoever has gone since has seen it all the same. */
static void what_was_seen_before_counts_by_the_verdict_it_was_handed_out_on(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(db_script(ask_db, "UPDATE instances SET phase = 'terminated'", &err));
    OWNED(mem_drop) char *measurement = measured_hex(MEASURED_STOCK);
    OWNED(told_done) struct told told = propose("measurement", measurement, true);
    assert_flips(&told, 0, "");
    assert_int_equal(json_array_size(json_object_get(told.body, "exposed")), 2);
    OWNED(told_done) struct told image = propose("image", "stock", true);
    assert_int_equal(json_array_size(json_object_get(image.body, "exposed")), 2);
    OWNED(told_done) struct told other = propose("generation", "Turin", true);
    assert_int_equal(json_array_size(json_object_get(other.body, "exposed")), 0);
    assert_ok(db_script(ask_db, "UPDATE instances SET phase = 'requested'", &err));
}

/* A list of anchors acts on every name that evidence has for its machine, and so must this. */
static void what_was_seen_under_another_name_of_the_machine_counts(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t value[SHA256_SIZE] = {0xab};
    OWNED(mem_drop) char *anchor = hex_of(SPAN_OF(value));
    OWNED(told_done) struct told before = propose("anchor", anchor, true);
    assert_int_equal(json_array_size(json_object_get(before.body, "exposed")), 0);
    OWNED(text_done) struct text script = {0};
    text_addf(&script,
              "UPDATE verdicts SET claims = claims || jsonb_build_object('named',"
              " repeat('0', 128) || '%s')",
              anchor);
    assert_ok(db_script(ask_db, text_str(&script), &err));
    OWNED(told_done) struct told told = propose("anchor", anchor, true);
    assert_int_equal(json_array_size(json_object_get(told.body, "exposed")), 2);
}

/* ---- its steps ------------------------------------------------------------------------------- */

static struct told the_act(void)
{
    OWNED(told_done) struct told list = ask("GET", "/v1/distrust", NULL);
    const json_t *items = json_object_get(list.body, "items");
    assert_int_equal(json_array_size(items), 1);
    OWNED(text_done) struct text target = {0};
    text_addf(&target, "/v1/distrust/%s", told_member(json_array_get(items, 0), "id"));
    struct told told = ask("GET", text_str(&target), NULL);
    assert_told(told, 200);
    return told;
}

static void assert_steps(const char *const states[static 5])
{
    static const char *const steps[] = {"sign", "freeze", "attest", "evacuate", "rotate"};
    OWNED(told_done) struct told act = the_act();
    for (size_t i = 0; i < countof(steps); i++)
        assert_string_equal(state_of(act.body, steps[i]), states[i]);
}

static struct told proposed;

static void a_proposal_waits_for_its_signatures(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(due_instance_list_done) struct due_instance_list due = {0};
    OWNED(told_done) struct told first = propose("generation", "Milan", false);
    assert_told(first, 200);
    proposed = propose("generation", "Milan", false); /* the later one counts */
    assert_told(proposed, 200);
    assert_string_equal(told_member(first.body, "id"), told_member(proposed.body, "id"));
    assert_steps((const char *const[]){"manual", "waiting", "waiting", "waiting", "waiting"});
    assert_ok(distrust_store_due(ask_db, NULL, 100, &due, &err));
    assert_int_equal(due.count, 0);
}

static void once_in_force_it_freezes_and_asks_for_new_evidence(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(due_instance_list_done) struct due_instance_list due = {0};
    apply(&proposed);
    assert_steps((const char *const[]){"done", "done", "running", "manual", "manual"});
    assert_ok(distrust_store_due(ask_db, NULL, 2, &due, &err));
    assert_int_equal(due.count, 2);
    OWNED(due_instance_list_done) struct due_instance_list rest = {0};
    assert_ok(distrust_store_due(ask_db, &due.at[1].instance, 100, &rest, &err));
    assert_int_equal(rest.count, MACHINES - 1);
    assert_ok(distrust_store_asked(ask_db, &due.at[0].instance, 1, &err));
    OWNED(due_instance_list_done) struct due_instance_list left = {0};
    assert_ok(distrust_store_due(ask_db, NULL, 100, &left, &err));
    assert_int_equal(left.count, MACHINES);
    OWNED(told_done) struct told act = the_act();
    assert_int_equal(number_at(act.body, "asked"), 1);
    OWNED(told_done) struct told again = propose("generation", "Milan", false);
    assert_problem(again, 409, "distrusted-already");
}

static size_t count_due(void)
{
    struct error err = {0};
    OWNED(due_instance_list_done) struct due_instance_list due = {0};
    assert_ok(distrust_store_due(ask_db, NULL, 100, &due, &err));
    return due.count;
}

/* The question may have been lost with the link, or with us. */
static void whoever_was_asked_and_showed_nothing_since_is_asked_again(void **state)
{
    (void)state;
    struct error err = {0};
    const size_t others = count_due();
    assert_ok(db_script(
        ask_db, "UPDATE distrust_instances SET asked_at = asked_at - interval '3 minutes'", &err));
    assert_int_equal(count_due(), others + 1);
    assert_ok(db_script(
        ask_db,
        "UPDATE instances SET verified_at = clock_timestamp() - interval '1 minute'"
        " WHERE id IN (SELECT instance FROM distrust_instances WHERE asked_at IS NOT NULL)",
        &err));
    assert_int_equal(count_due(), others);
}

/* Whom one act asked, another that is signed later asks again. */
static void a_proposal_still_asks_whom_another_act_asked(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(due_instance_list_done) struct due_instance_list due = {0};
    OWNED(told_done) struct told other = propose("region", "us-east-2", false);
    assert_told(other, 200);
    assert_ok(distrust_store_due(ask_db, NULL, 1, &due, &err));
    assert_ok(distrust_store_asked(ask_db, &due.at[0].instance, 1, &err));
    OWNED(text_done) struct text target = {0};
    text_addf(&target, "/v1/distrust/%s", told_member(other.body, "id"));
    OWNED(told_done) struct told act = ask("GET", text_str(&target), NULL);
    assert_int_equal(number_at(act.body, "asked"), 0);
    assert_ok(db_script(ask_db, "DELETE FROM distrusts WHERE what = 'region'", &err));
}

/* However many proposals nobody signed, what is in force stays so. */
static void proposals_without_end_lift_nothing(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(db_script(ask_db,
                        "INSERT INTO distrusts (id, project, what, value, serial, plan, actor)"
                        " SELECT gen_random_uuid(), 'default', 'region', 'r' || n, 1,"
                        " decode(repeat('00', 32), 'hex'), 'x' FROM generate_series(1, 4096) n",
                        &err));
    deployment_raise_serial(world);
    OWNED(told_done) struct told applied = judged_apply(NULL);
    assert_told(applied, 200);
    assert_ok(db_script(ask_db, "DELETE FROM distrusts WHERE what = 'region'", &err));
    OWNED(told_done) struct told act = the_act();
    assert_null(json_string_value(json_object_get(act.body, "lifted_at")));
}

/* Time alone makes stale, whether a clock has written it down already or not (I9). */
static void whose_verdict_ran_out_is_not_counted_as_trusted(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(told_done) struct told before = the_act();
    assert_true(number_at(before.body, "trusted") > 0);
    assert_ok(db_script(ask_db, "UPDATE instances SET valid_until = clock_timestamp()", &err));
    OWNED(told_done) struct told act = the_act();
    assert_int_equal(number_at(act.body, "trusted"), 0);
    assert_int_equal(number_at(act.body, "there"), number_at(before.body, "there"));
}

static void a_step_is_done_when_the_rows_say_so(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(db_script(ask_db, "UPDATE instances SET trust = 'rejected'", &err));
    assert_steps((const char *const[]){"done", "done", "done", "manual", "manual"});
    assert_ok(db_script(ask_db, "UPDATE instances SET phase = 'terminated'", &err));
    assert_steps((const char *const[]){"done", "done", "done", "done", "manual"});
}

static void a_later_charter_may_lift_it(void **state)
{
    (void)state;
    json_object_set_new(json_object_get(world->charter, "deny"), "products", json_array());
    deployment_raise_serial(world);
    OWNED(told_done) struct told applied = judged_apply(NULL);
    assert_told(applied, 200);
    OWNED(told_done) struct told act = the_act();
    assert_string_not_equal(told_member(act.body, "lifted_at"), "");
    told_done(&proposed);
    proposed = (struct told){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_kind_of_distrust_hits_whom_it_names, ask_quiet),
        cmocka_unit_test_setup(what_cannot_be_distrusted_is_refused, ask_quiet),
        cmocka_unit_test_setup(who_does_not_prove_a_region_is_not_reached, ask_quiet),
        cmocka_unit_test_setup(every_version_that_was_seen_is_listed, ask_quiet),
        cmocka_unit_test_setup(what_was_seen_before_counts_by_the_verdict_it_was_handed_out_on,
                               ask_quiet),
        cmocka_unit_test_setup(what_was_seen_under_another_name_of_the_machine_counts, ask_quiet),
        cmocka_unit_test_setup(a_proposal_waits_for_its_signatures, ask_quiet),
        cmocka_unit_test_setup(once_in_force_it_freezes_and_asks_for_new_evidence, ask_quiet),
        cmocka_unit_test_setup(whoever_was_asked_and_showed_nothing_since_is_asked_again,
                               ask_quiet),
        cmocka_unit_test_setup(a_proposal_still_asks_whom_another_act_asked, ask_quiet),
        cmocka_unit_test_setup(proposals_without_end_lift_nothing, ask_quiet),
        cmocka_unit_test_setup(whose_verdict_ran_out_is_not_counted_as_trusted, ask_quiet),
        cmocka_unit_test_setup(a_step_is_done_when_the_rows_say_so, ask_quiet),
        cmocka_unit_test_setup(a_later_charter_may_lift_it, ask_quiet),
    };
    return cmocka_run_group_tests_name("distrust", tests, open_world, judged_close);
}
