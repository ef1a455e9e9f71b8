/* What the documents say that Muster needs on AWS is what the driver calls, and no more. */
#include "drivers/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/support/test.h"

static json_t *read_policy(void)
{
    struct error err = {0};
    char path[512];
    OWNED(bytes_done) struct bytes content = {0};
    json_t *policy = NULL;
    snprintf(path, sizeof path, "%s/doc/clouds/aws-policy.json", getenv("MUSTER_SRC"));
    assert_ok(file_read(path, 1 << 16, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1 << 16, &policy, &err));
    return policy;
}

static bool holds(const json_t *actions, const char *action)
{
    size_t i;
    json_t *one;
    if (json_is_string(actions))
        return strcmp(json_string_value(actions), action) == 0;
    json_array_foreach (json_looked_at(actions), i, one)
        if (strcmp(json_string_value(one), action) == 0)
            return true;
    return false;
}

static bool allows(const json_t *policy, const char *action)
{
    size_t i;
    json_t *statement;
    json_array_foreach (json_object_get(policy, "Statement"), i, statement)
        if (holds(json_object_get(statement, "Action"), action))
            return true;
    return false;
}

static bool we_need(const char *action)
{
    for (size_t i = 0; i < aws_driver.permissions->count; i++)
        if (strcmp(aws_driver.permissions->at[i].permission, action) == 0)
            return true;
    return false;
}

static void assert_all_needed(const json_t *actions)
{
    size_t i;
    json_t *one;
    if (json_is_string(actions) && !we_need(json_string_value(actions)))
        fail_msg("the policy allows %s for nothing", json_string_value(actions));
    json_array_foreach (json_looked_at(actions), i, one)
        assert_all_needed(one);
}

static void the_documented_policy_is_just_what_we_call(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *policy = read_policy();
    for (size_t i = 0; i < aws_driver.permissions->count; i++)
        if (!allows(policy, aws_driver.permissions->at[i].permission))
            fail_msg("the policy lacks %s", aws_driver.permissions->at[i].permission);
    size_t i;
    json_t *statement;
    json_array_foreach (json_object_get(policy, "Statement"), i, statement)
        assert_all_needed(json_object_get(statement, "Action"));
    assert_true(i > 3);
}

static bool has_limit(const char *call)
{
    for (size_t i = 0; i < aws_driver.limits->count; i++)
        if (strcmp(aws_driver.limits->at[i].call, call) == 0)
            return aws_driver.limits->at[i].room > 0 && aws_driver.limits->at[i].per_minute > 0 &&
                   strncmp(aws_driver.limits->at[i].source, "https://", 8) == 0;
    return false;
}

static void every_call_has_a_documented_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < aws_driver.permissions->count; i++)
        assert_true(has_limit(aws_driver.permissions->at[i].call));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_policy_is_just_what_we_call),
        cmocka_unit_test(every_call_has_a_documented_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
