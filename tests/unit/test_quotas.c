/* What the pretend clouds grant, and how they count what was asked of them. */
#include "emulator/quotas.h"

#include <string.h>

#include "tests/support/test.h"

static int64_t granted(struct quotas *quotas, enum account_driver cloud, const char *action,
                       int64_t asked, int64_t now_ms)
{
    int64_t count = 0;
    for (int64_t i = 0; i < asked; i++)
        count += quotas_take(quotas, cloud, action, now_ms);
    return count;
}

static int64_t left(const struct quotas *quotas, enum account_driver cloud, const char *action,
                    int64_t now_ms)
{
    int64_t count = -1;
    assert_non_null(quotas_left(quotas, cloud, action, now_ms, &count));
    return count;
}

static void where_none_are_kept_all_calls_are_granted_and_counted(void **state)
{
    (void)state;
    struct quotas quotas = {0};
    int64_t count;
    assert_int_equal(granted(&quotas, DRIVER_AWS, "RunInstances", 500, 1000), 500);
    assert_null(quotas_left(&quotas, DRIVER_AWS, "RunInstances", 1000, &count));
    assert_int_equal(quotas.tallies[0].calls, 500);
    assert_int_equal(quotas.tallies[0].throttled, 0);
}

static void a_bucket_grants_its_room_at_once_and_then_at_its_rate(void **state)
{
    (void)state;
    struct quotas quotas = {.kept = true};
    const char call[] = "VirtualMachines_Delete";
    assert_int_equal(granted(&quotas, DRIVER_AZURE, call, 300, 1000), 200);
    assert_int_equal(left(&quotas, DRIVER_AZURE, call, 1000), 0);
    assert_int_equal(granted(&quotas, DRIVER_AZURE, call, 10, 1099), 0);
    assert_int_equal(granted(&quotas, DRIVER_AZURE, call, 10, 1100), 1);
    assert_int_equal(granted(&quotas, DRIVER_AZURE, call, 500, 61100), 200);
}

static void calls_of_one_quota_share_it_and_no_others(void **state)
{
    (void)state;
    struct quotas quotas = {.kept = true};
    const char create[] = "VirtualMachines_CreateOrUpdate", start[] = "VirtualMachines_Start";
    assert_int_equal(granted(&quotas, DRIVER_AZURE, create, 150, 1000), 150);
    assert_int_equal(granted(&quotas, DRIVER_AZURE, start, 100, 1000), 50);
    assert_int_equal(left(&quotas, DRIVER_AZURE, create, 1000), 0);
    assert_int_equal(left(&quotas, DRIVER_AZURE, "VirtualMachines_Get", 1000), 250);
    assert_int_equal(left(&quotas, DRIVER_AWS, "TerminateInstances", 1000), 50);
}

/* A launch counts against the calls and against the machines; one too many takes from neither. */
static void a_refused_call_takes_nothing(void **state)
{
    (void)state;
    struct quotas quotas = {.kept = true};
    assert_int_equal(granted(&quotas, DRIVER_AWS, "RunInstances", 100, 1000), 5);
    assert_int_equal(granted(&quotas, DRIVER_AWS, "RunInstances", 1, 1499), 0);
    assert_int_equal(granted(&quotas, DRIVER_AWS, "RunInstances", 2, 1500), 1);
}

static void what_is_granted_by_the_minute_comes_back_with_the_next(void **state)
{
    (void)state;
    struct quotas quotas = {.kept = true};
    assert_int_equal(granted(&quotas, DRIVER_GCP, "instances.insert", 1000, 60000), 1000);
    assert_int_equal(granted(&quotas, DRIVER_GCP, "instances.delete", 1000, 119999), 500);
    assert_int_equal(left(&quotas, DRIVER_GCP, "instances.insert", 119999), 0);
    assert_int_equal(granted(&quotas, DRIVER_GCP, "instances.insert", 2000, 120000), 1500);
}

static void a_call_that_no_document_limits_is_granted(void **state)
{
    (void)state;
    struct quotas quotas = {.kept = true};
    int64_t count;
    assert_int_equal(granted(&quotas, DRIVER_AZURE, "token", 5000, 1000), 5000);
    assert_null(quotas_left(&quotas, DRIVER_AZURE, "token", 1000, &count));
}

static const json_t *row_of(const json_t *list, const char *cloud, const char *action)
{
    size_t i;
    const json_t *row;
    json_array_foreach (list, i, row)
        if (strcmp(json_string_value(json_object_get(row, "cloud")), cloud) == 0 &&
            strcmp(json_string_value(json_object_get(row, "action")), action) == 0)
            return row;
    return NULL;
}

static int64_t number_in(const json_t *row, const char *name)
{
    return json_integer_value(json_object_get(row, name));
}

static void whoever_asks_is_told_what_was_asked_and_what_is_granted(void **state)
{
    (void)state;
    struct quotas quotas = {.kept = true};
    granted(&quotas, DRIVER_AWS, "RunInstances", 7, 1000);
    granted(&quotas, DRIVER_GCP, "zoneOperations.get", 2, 1000);
    quotas_note_early(&quotas, DRIVER_GCP, "zoneOperations.get");
    OWNED(json_drop) json_t *told = quotas_to_json(&quotas);
    assert_true(json_is_true(json_object_get(told, "kept")));
    const json_t *calls = json_object_get(told, "calls");
    assert_int_equal(json_array_size(calls), 2);
    const json_t *launches = row_of(calls, "aws", "RunInstances");
    assert_int_equal(number_in(launches, "calls"), 7);
    assert_int_equal(number_in(launches, "throttled"), 2);
    assert_int_equal(number_in(launches, "early"), 0);
    assert_int_equal(number_in(row_of(calls, "gcp", "zoneOperations.get"), "early"), 1);
    const json_t *quota = row_of(json_object_get(told, "quotas"), "aws", "RunInstances");
    assert_int_equal(number_in(quota, "room"), 5);
    assert_int_equal(number_in(quota, "per_minute"), 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_none_are_kept_all_calls_are_granted_and_counted),
        cmocka_unit_test(a_bucket_grants_its_room_at_once_and_then_at_its_rate),
        cmocka_unit_test(calls_of_one_quota_share_it_and_no_others),
        cmocka_unit_test(a_refused_call_takes_nothing),
        cmocka_unit_test(what_is_granted_by_the_minute_comes_back_with_the_next),
        cmocka_unit_test(a_call_that_no_document_limits_is_granted),
        cmocka_unit_test(whoever_asks_is_told_what_was_asked_and_what_is_granted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
