/* Specs as they come over the API: strict, with the path of what is wrong. */
#include "lib/model/fleet.h"

#include <string.h>

#include "lib/model/image.h"
#include "lib/model/secret.h"
#include "tests/support/test.h"

static json_t *good(void)
{
    return json_pack("{s:s,s:i,s:s,s:s,s:s,s:s,s:[s,s]}", "name", "web", "desired", 6, "account",
                     "cloud", "image", "base", "size", "m6a.large", "policy", "standard", "secrets",
                     "tls-key", "host-key");
}

static void a_spec_is_taken_with_its_defaults(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = good();
    OWNED(fleet_done) struct fleet fleet = {0};
    assert_ok(fleet_from_json(value, &fleet, &err));
    assert_int_equal(fleet.desired, 6);
    assert_int_equal(fleet.surge, FLEET_SURGE_DEFAULT);
    assert_int_equal(fleet.rejected_hold_seconds, FLEET_HOLD_DEFAULT_SECONDS);
    assert_int_equal(json_array_size(fleet.secrets), 2);
    assert_false(fleet.paused);
}

static void a_spec_without_secrets_has_none(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = good();
    json_object_del(value, "secrets");
    json_object_set_new(value, "surge", json_integer(0));
    OWNED(fleet_done) struct fleet fleet = {0};
    assert_ok(fleet_from_json(value, &fleet, &err));
    assert_int_equal(json_array_size(fleet.secrets), 0);
    assert_int_equal(fleet.surge, 0);
}

static void an_objective_has_one_decimal_and_null_is_none(void **state)
{
    (void)state;
    struct error err;
    static const double percents[] = {0, 0.1, 50, 99.9, 100};
    for (size_t i = 0; i < countof(percents); i++) {
        OWNED(json_drop) json_t *value = good();
        OWNED(fleet_done) struct fleet fleet = {0};
        json_object_set_new(
            value, "objective",
            json_pack("{s:f,s:i}", "verified_percent", percents[i], "within_seconds", 300));
        assert_ok(fleet_from_json(value, &fleet, &err));
        OWNED(json_drop) json_t *again = fleet_to_json(&fleet);
        assert_true(
            json_equal(json_object_get(again, "objective"), json_object_get(value, "objective")));
    }
    OWNED(json_drop) json_t *none = good();
    OWNED(fleet_done) struct fleet fleet = {0};
    json_object_set_new(none, "objective", json_null());
    assert_ok(fleet_from_json(none, &fleet, &err));
    assert_null(fleet.objective);
}

static const struct {
    const char *member;
    const char *json; /* NULL: left out */
    const char *where;
} bad[] = {
    {"name", "\"Web\"", "/name"},
    {"name", "\"-web\"", "/name"},
    {"name", "\"\"", "/name"},
    {"name", "null", "/name"},
    {"name", NULL, "/name"},
    {"desired", "-1", "/desired"},
    {"desired", "10001", "/desired"},
    {"desired", "1.5", "/desired"},
    {"desired", "\"6\"", "/desired"},
    {"objective", "99", "/objective"},
    {"objective", "{}", "/objective/within_seconds"},
    {"objective", "{\"within_seconds\":300}", "/objective/verified_percent"},
    {"objective", "{\"within_seconds\":300,\"verified_percent\":\"99\"}",
     "/objective/verified_percent"},
    {"objective", "{\"within_seconds\":300,\"verified_percent\":100.1}",
     "/objective/verified_percent"},
    {"objective", "{\"within_seconds\":300,\"verified_percent\":-0.1}",
     "/objective/verified_percent"},
    {"objective", "{\"within_seconds\":300,\"verified_percent\":99.55}",
     "/objective/verified_percent"},
    {"objective", "{\"within_seconds\":300,\"verified_percent\":1e300}",
     "/objective/verified_percent"},
    {"objective", "{\"within_seconds\":59,\"verified_percent\":99}", "/objective/within_seconds"},
    {"objective", "{\"within_seconds\":60,\"verified_percent\":99,\"x\":1}", "/objective/x"},
    {"size", "\"\"", "/size"},
    {"size", "\"a\\nb\"", "/size"},
    {"size", "\"m6a large\"", "/size"},
    {"size", "\"m6a.l\u00e4rge\"", "/size"},
    {"image", "\"a b\"", "/image"},
    {"secrets", "{}", "/secrets"},
    {"secrets", "[1]", "/secrets/0"},
    {"secrets", "[\"a\",\"../etc\"]", "/secrets/1"},
    {"secrets", "[\"a\",\"b\",\"a\"]", "/secrets/2"},
    {"surge", "-1", "/surge"},
    {"epoch", "3", "/epoch"},
    {"id", "\"01a20b1e-3595-714f-8a9e-286e11c74e9a\"", "/id"},
    {"vcpus", "4", "/vcpus"},
    {"doomed", "true", "/doomed"},
};

static void what_is_wrong_is_refused_with_its_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(json_drop) json_t *value = good();
        json_object_del(value, bad[i].member);
        if (bad[i].json != NULL)
            json_object_set_new(value, bad[i].member,
                                json_loads(bad[i].json, JSON_DECODE_ANY, NULL));
        OWNED(fleet_done) struct fleet fleet = {0};
        if (fleet_from_json(value, &fleet, &err) != ERR_INVALID)
            fail_msg("%s: %s was taken", bad[i].member, bad[i].json);
        assert_string_equal(err.where, bad[i].where);
    }
}

static void a_fleet_prints_what_it_was_made_of(void **state)
{
    (void)state;
    struct error err;
    OWNED(json_drop) json_t *value = good();
    OWNED(fleet_done) struct fleet fleet = {0};
    assert_ok(fleet_from_json(value, &fleet, &err));
    OWNED(json_drop) json_t *printed = fleet_to_json(&fleet);
    const char *member;
    json_t *given;
    json_object_foreach (value, member, given)
        assert_true(json_equal(json_object_get(printed, member), given));
}

static void an_image_is_said_in_words_of_bounded_size(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *where;
    } odd[] = {
        {"{\"ref\":\"ami 1\"}", "/ref"},
        {"{\"ref\":\"ami\\n1\"}", "/ref"},
        {"{\"boot_mode\":\"u\\u0007fi\"}", "/boot_mode"},
        {"{\"os\":{\"name\":\"a\\nb\"}}", "/os/name"},
        {"{\"os\":{\"version\":1}}", "/os/version"},
        {"{\"os\":{\"kernel\":\"6\"}}", "/os/kernel"},
    };
    struct error err;
    for (size_t i = 0; i < countof(odd); i++) {
        OWNED(image_done) struct image image = {0};
        OWNED(json_drop)
        json_t *value = json_pack("{s:s,s:s,s:s}", "name", "base", "driver", "aws", "ref", "ami-1");
        OWNED(json_drop) json_t *change = json_loads(odd[i].json, 0, NULL);
        json_object_update(value, change);
        if (image_from_json(value, &image, &err) != ERR_INVALID)
            fail_msg("%s was taken", odd[i].json);
        assert_string_equal(err.where, odd[i].where);
    }
}

static void an_image_that_would_fill_the_database_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(image_done) struct image image = {0};
    OWNED(mem_drop) char *long_text = mem_new(1, 1 << 20);
    memset(long_text, 'a', (1 << 20) - 1);
    static const char *const members[] = {"os", "reference_values", "measured_boot"};
    for (size_t i = 0; i < countof(members); i++) {
        OWNED(json_drop)
        json_t *value = json_pack("{s:s,s:s,s:s,s:{s:s}}", "name", "base", "driver", "aws", "ref",
                                  "ami-1", members[i], "name", long_text);
        assert_fails(image_from_json(value, &image, &err), ERR_INVALID, "too-large");
    }
}

static void an_image_with_parts_that_are_no_objects_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(image_done) struct image image = {0};
    OWNED(json_drop)
    json_t *value = json_pack("{s:s,s:s,s:s,s:[]}", "name", "base", "driver", "aws", "ref", "ami-1",
                              "reference_values");
    assert_fails(image_from_json(value, &image, &err), ERR_INVALID, "wrong-type");
    assert_string_equal(err.where, "/reference_values");
    json_object_del(value, "reference_values");
    assert_ok(image_from_json(value, &image, &err));
    assert_int_equal(image.provider_execution, PROVIDER_EXECUTION_ON); /* the worse until said */
}

static void an_image_of_no_known_driver_is_refused(void **state)
{
    (void)state;
    struct error err;
    OWNED(image_done) struct image image = {0};
    OWNED(json_drop)
    json_t *value = json_pack("{s:s,s:s,s:s}", "name", "base", "driver", "vax", "ref", "ami-1");
    assert_fails(image_from_json(value, &image, &err), ERR_INVALID, "unknown-word");
    assert_string_equal(err.where, "/driver");
}

/* trust.md section 5: host keys are generate-only. */
static void a_host_key_is_never_imported(void **state)
{
    (void)state;
    struct error err;
    struct secret secret;
    OWNED(json_drop)
    json_t *value = json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", "host-key", "kind", "ssh-host-key",
                              "scope", "instance", "origin", "import", "grant_name", "hosts");
    assert_fails(secret_from_json(value, &secret, &err), ERR_INVALID, "generate-only");
    json_object_set_new(value, "origin", json_string("generate"));
    assert_ok(secret_from_json(value, &secret, &err));
    assert_int_equal(secret.scope, SCOPE_INSTANCE);
}

static void an_instance_shows_no_ticket_no_token_and_no_lease(void **state)
{
    (void)state;
    struct instance row = {.client_token = "tok", .lease_holder = "me", .trust = TRUST_PENDING};
    row.launch_ticket_hash[0] = 1;
    row.lease_until = clock_now();
    OWNED(json_drop) json_t *shown = record_to_json(&instance_record, &row);
    static const char *const hidden[] = {"client_token", "launch_ticket_hash", "lease_holder",
                                         "lease_until"};
    for (size_t i = 0; i < countof(hidden); i++)
        assert_null(json_object_get(shown, hidden[i]));
    assert_string_equal(json_string_value(json_object_get(shown, "trust")), "pending");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_is_taken_with_its_defaults),
        cmocka_unit_test(a_spec_without_secrets_has_none),
        cmocka_unit_test(an_objective_has_one_decimal_and_null_is_none),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_path),
        cmocka_unit_test(a_fleet_prints_what_it_was_made_of),
        cmocka_unit_test(an_image_is_said_in_words_of_bounded_size),
        cmocka_unit_test(an_image_that_would_fill_the_database_is_refused),
        cmocka_unit_test(an_image_with_parts_that_are_no_objects_is_refused),
        cmocka_unit_test(an_image_of_no_known_driver_is_refused),
        cmocka_unit_test(a_host_key_is_never_imported),
        cmocka_unit_test(an_instance_shows_no_ticket_no_token_and_no_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
