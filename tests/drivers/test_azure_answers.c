/* What Azure answers: states, tags and errors in our words, and what is no answer is never taken
 * for one. The recorded answers are test_account_explain's. */
#include "drivers/azure/azure_answers.h"

#include <string.h>

#include "drivers/azure/azure_errors.h"
#include "tests/support/test.h"

static struct sighting read_one(const char *body)
{
    struct error err = {0};
    struct sighting seen;
    assert_ok(arm_read_machine(span_of_text(body), &seen, NULL, NULL, &err));
    return seen;
}

static struct sighting in_states(const char *provisioning, const char *statuses)
{
    char body[512];
    snprintf(body, sizeof body,
             "{\"name\":\"vm-1\",\"properties\":{\"provisioningState\":\"%s\",\"instanceView\":"
             "{\"statuses\":[%s]}}}",
             provisioning, statuses);
    return read_one(body);
}

#define POWER(word) "{\"code\":\"PowerState/" word "\"}"

static void each_pair_of_states_has_its_neutral_one(void **state)
{
    (void)state;
    static const struct {
        const char *provisioning;
        const char *statuses;
        enum machine_state state;
        const char *word;
    } rows[] = {
        {"Creating", "", MACHINE_CREATING, "Creating"},
        {"Creating", POWER("starting"), MACHINE_CREATING, "starting"},
        {"Succeeded", POWER("running"), MACHINE_RUNNING, "running"},
        {"Updating", POWER("running"), MACHINE_RUNNING, "running"},
        {"Updating", POWER("deallocating"), MACHINE_STOPPING, "deallocating"},
        {"Updating", POWER("stopping"), MACHINE_STOPPING, "stopping"},
        {"Succeeded", POWER("deallocated"), MACHINE_STOPPED, "deallocated"},
        {"Succeeded", POWER("stopped"), MACHINE_STOPPED_ON_HOST, "stopped"},
        {"Updating", "", MACHINE_REPAIRING, "Updating"},
        {"Deleting", POWER("running"), MACHINE_DELETING, "running"},
        {"Failed", "", MACHINE_FAILED, "Failed"},
        {"Failed", POWER("deallocated"), MACHINE_FAILED, "Failed"},
        {"Failed", POWER("running"), MACHINE_RUNNING, "running"},
        {"Succeeded", "", MACHINE_UNKNOWN, "Succeeded"},
        {"Succeeded", POWER("hibernating"), MACHINE_UNKNOWN, "hibernating"},
        {"Dreaming", "", MACHINE_UNKNOWN, "Dreaming"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const struct sighting seen = in_states(rows[i].provisioning, rows[i].statuses);
        if (seen.state != rows[i].state)
            fail_msg("%s %s is %s", rows[i].provisioning, rows[i].statuses,
                     name_of(&machine_state_names, (int)seen.state));
        assert_string_equal(seen.state_word, rows[i].word);
    }
}

static void a_machine_that_failed_says_why(void **state)
{
    (void)state;
    struct sighting seen =
        in_states("Failed", "{\"code\":\"ProvisioningState/failed/AllocationFailed\"}");
    assert_string_equal(seen.reason, "AllocationFailed");
    assert_string_equal(seen.failure, "capacity");
    seen = in_states("Failed", "{\"code\":\"ProvisioningState/failed/Whatever\"}");
    assert_string_equal(seen.failure, "server-error");
}

#define SHAPE(size, type)                                                                          \
    "{\"name\":\"vm-1\",\"properties\":{\"hardwareProfile\":{\"vmSize\":\"" size                   \
    "\"},\"securityProfile\":{\"securityType\":\"" type "\"}}}"

static void only_amds_confidential_sizes_are_snp(void **state)
{
    (void)state;
    assert_true(read_one(SHAPE("Standard_DC2as_v5", "ConfidentialVM")).snp_enabled);
    assert_true(read_one(SHAPE("Standard_EC96ads_v6", "ConfidentialVM")).snp_enabled);
    assert_true(read_one(SHAPE("Standard_NCC40ads_H100_v5", "ConfidentialVM")).snp_enabled);
    assert_false(read_one(SHAPE("Standard_DC2es_v5", "ConfidentialVM")).snp_enabled);
    assert_false(read_one(SHAPE("Standard_DC2as_v5", "TrustedLaunch")).snp_enabled);
}

static void our_tags_name_the_instance_and_bad_ones_do_not(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id;
    assert_ok(uuid_parse("01020300-0000-0000-0000-000000000009", &id, &err));
    struct sighting seen = read_one(
        "{\"name\":\"vm-1\",\"properties\":{},\"tags\":{\"muster:instance\":"
        "\"01020300-0000-0000-0000-000000000009\",\"muster:generation\":\"7\",\"muster:fleet\":"
        "\"pay\",\"muster:token\":\"vm-1\"}}");
    assert_true(uuid_equal(&seen.instance, &id));
    assert_int_equal(seen.generation, 7);
    assert_string_equal(seen.fleet, "pay");
    assert_string_equal(seen.client_token, "vm-1");
    assert_false(seen.is_copy);
    assert_true(
        read_one("{\"name\":\"vm-2\",\"properties\":{},\"tags\":{\"muster:token\":\"vm-1\"}}")
            .is_copy);
    seen = read_one("{\"name\":\"vm-1\",\"properties\":{},\"tags\":{\"muster:instance\":\"me\","
                    "\"muster:generation\":-1,\"muster:fleet\":\"Not A Name\"}}");
    assert_true(uuid_is_zero(&seen.instance));
    assert_int_equal(seen.generation, 0);
    assert_string_equal(seen.fleet, "");
}

static void what_is_no_machine_is_ambiguous(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "<html>",
        "{}",
        "{\"name\":\"vm-1\"}",
        "{\"name\":\"vm-1\",\"properties\":[]}",
        "{\"name\":\"a/b\",\"properties\":{}}",
        "{\"name\":5,\"properties\":{}}",
        "{\"name\":\"vm-1\",\"name\":\"vm-2\",\"properties\":{}}",
        "{\"name\":\"vm-1\",\"properties\":{}} trailing",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct sighting seen;
        assert_fails(arm_read_machine(span_of_text(bad[i]), &seen, NULL, NULL, &err), ERR_AMBIGUOUS,
                     "ambiguous");
    }
}

static void what_is_no_page_is_ambiguous(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"value\":{}}",
        "{\"value\":[{}]}",
        "{\"value\":[],\"nextLink\":7}",
        "{}",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        OWNED(text_done) struct text next = {0};
        const struct arm_filter any = {0};
        assert_fails(arm_read_page(span_of_text(bad[i]), &any, &list, NULL, &next, &err),
                     ERR_AMBIGUOUS, "ambiguous");
    }
}

static void a_page_is_filtered_by_owner_and_group(void **state)
{
    (void)state;
    static const char page[] =
        "{\"value\":["
        "{\"name\":\"a\",\"id\":\"/subscriptions/s/resourceGroups/FLEET/providers/x\","
        "\"properties\":{},\"tags\":{\"muster:owner\":\"us\"}},"
        "{\"name\":\"b\",\"id\":\"/subscriptions/s/resourceGroups/fleet2/providers/x\","
        "\"properties\":{},\"tags\":{\"muster:owner\":\"them\"}},"
        "{\"name\":\"c\",\"properties\":{}}]}";
    static const struct {
        struct arm_filter filter;
        size_t count;
    } rows[] = {{{NULL, NULL}, 3}, {{"us", NULL}, 1}, {{NULL, "fleet"}, 1}, {{"them", "fleet"}, 0}};
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        OWNED(text_done) struct text next = {0};
        assert_ok(arm_read_page(span_of_text(page), &rows[i].filter, &list, NULL, &next, &err));
        assert_int_equal(list.count, rows[i].count);
    }
}

static void an_answer_with_more_machines_than_anyone_has_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text next = {0};
    const struct arm_filter any = {0};
    for (int i = 0; i < ARM_MACHINES_MAX; i++)
        sighting_list_add(&list);
    assert_fails(arm_read_page(span_of_text("{\"value\":[{\"name\":\"a\",\"properties\":{}}]}"),
                               &any, &list, NULL, &next, &err),
                 ERR_AMBIGUOUS, "ambiguous");
}

static void a_deep_answer_does_not_bring_us_down(void **state)
{
    (void)state;
    struct error err = {0};
    struct sighting seen;
    OWNED(text_done) struct text deep = {0};
    text_add(&deep, "{\"error\":");
    for (int i = 0; i < 100000; i++)
        text_add(&deep, "{\"details\":[");
    assert_fails(arm_read_machine(text_span(&deep), &seen, NULL, NULL, &err), ERR_AMBIGUOUS,
                 "ambiguous");
    assert_int_equal(arm_error_read(500, text_span(&deep)).kind, CLOUD_SERVER_ERROR);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void each_code_has_its_class(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum cloud_error kind;
    } rows[] = {
        {429, "{\"error\":{\"code\":\"OperationNotAllowed\",\"message\":\"quota\"}}",
         CLOUD_THROTTLE},
        {409, "{\"error\":{\"code\":\"OperationNotAllowed\",\"message\":\"over Quota\"}}",
         CLOUD_QUOTA},
        {409, "{\"error\":{\"code\":\"OperationNotAllowed\",\"message\":\"it is off\"}}",
         CLOUD_STATE_CONFLICT},
        {400,
         "{\"error\":{\"code\":\"DeploymentFailed\",\"details\":[{\"code\":\"Conflict\",\"details\""
         ":[{\"code\":\"ZonalAllocationFailed\",\"message\":\"no\"}]}]}}",
         CLOUD_CAPACITY},
        {409,
         "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\",\"innererror\":{\"code\":"
         "\"SkuNotAvailable\"}}}",
         CLOUD_CAPACITY},
        {409, "{\"error\":{\"code\":\"SkuNotAvailable\",\"details\":[{\"code\":\"Unheard\"}]}}",
         CLOUD_CAPACITY},
        {400, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215\"}", CLOUD_AUTH},
        {400, "{\"error\":\"temporarily_unavailable\"}", CLOUD_SERVER_ERROR},
        {412, "{\"error\":{\"code\":\"PreconditionFailed\"}}", CLOUD_EXISTS},
        {409, "{\"error\":{\"code\":\"OSProvisioningTimedOut\"}}", CLOUD_AMBIGUOUS},
        {401, "", CLOUD_AUTH},
        {403, "<html>", CLOUD_AUTH},
        {404, "{\"error\":{\"code\":\"ResourceNotFound\"}}", CLOUD_NOT_FOUND},
        {404, "{\"error\":{\"code\":\"Unheard\"}}", CLOUD_NOT_FOUND},
        {404, "{\"code\":\"NotFound\"}", CLOUD_NOT_FOUND},
        {404, "{}", CLOUD_SERVER_ERROR},
        {404, "{\"error\":\"not found\"}", CLOUD_SERVER_ERROR},
        {408, "", CLOUD_SERVER_ERROR},
        {409, "", CLOUD_STATE_CONFLICT},
        {302, "", CLOUD_SERVER_ERROR},
        {418, "{\"error\":{\"code\":\"Teapot\"}}", CLOUD_INVALID},
        {502, "<html>", CLOUD_SERVER_ERROR},
        {500, "{\"error\":{\"code\":\"A\",\"code\":\"B\"}}", CLOUD_SERVER_ERROR},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        const struct arm_error said = arm_error_read(rows[i].status, span_of_text(rows[i].body));
        if (said.kind != rows[i].kind)
            fail_msg("%d %s is %s", rows[i].status, rows[i].body,
                     name_of(&cloud_error_names, (int)said.kind));
        assert_string_not_equal(said.code, "");
    }
}

static void a_missing_permission_is_named(void **state)
{
    (void)state;
    struct error err = {0};
    static const char body[] =
        "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'x' does not have "
        "authorization to perform action 'Microsoft.Compute/virtualMachines/write' over scope "
        "'/s'.\"}}";
    assert_fails(arm_check_status(403, span_of_text(body), &err), ERR_DENIED, "auth");
    assert_string_equal(err.where, "Microsoft.Compute/virtualMachines/write");
    static const char endless[] = "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":"
                                  "\"perform action 'without an end\"}}";
    assert_fails(arm_check_status(403, span_of_text(endless), &err), ERR_DENIED, "auth");
    assert_string_equal(err.where, "");
}

static void an_error_message_cannot_forge_a_log_line(void **state)
{
    (void)state;
    const struct arm_error said = arm_error_read(
        400, span_of_text("{\"error\":{\"code\":\"Weird\",\"message\":\"a\\nlevel=info "
                          "\\u001b[31m\"}}"));
    assert_null(strchr(said.message, '\n'));
    assert_null(strchr(said.message, '\x1b'));
}

static void an_operation_fails_though_it_came_with_a_200(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool done;
        const char *word; /* of its failure */
    } rows[] = {
        {"{\"status\":\"InProgress\"}", false, NULL},
        {"{\"status\":\"Accepted\"}", false, NULL},
        {"{\"status\":\"Succeeded\"}", true, NULL},
        {"{\"status\":\"Failed\",\"error\":{\"code\":\"AllocationFailed\"}}", false, "capacity"},
        {"{\"status\":\"Failed\",\"error\":{\"code\":\"VMStartTimedOut\"}}", false, "ambiguous"},
        {"{\"status\":\"Failed\"}", false, "server-error"},
        {"{\"status\":\"Canceled\"}", false, "state-conflict"},
        {"{}", false, "ambiguous"},
        {"", false, "ambiguous"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        bool done = false;
        enum outcome outcome = arm_read_operation(span_of_text(rows[i].body), &done, &err);
        assert_int_equal(outcome == OK, rows[i].word == NULL);
        if (outcome != OK)
            assert_string_equal(err.code, rows[i].word);
        else
            assert_int_equal(done, rows[i].done);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pair_of_states_has_its_neutral_one),
        cmocka_unit_test(a_machine_that_failed_says_why),
        cmocka_unit_test(only_amds_confidential_sizes_are_snp),
        cmocka_unit_test(our_tags_name_the_instance_and_bad_ones_do_not),
        cmocka_unit_test(what_is_no_machine_is_ambiguous),
        cmocka_unit_test(what_is_no_page_is_ambiguous),
        cmocka_unit_test(a_page_is_filtered_by_owner_and_group),
        cmocka_unit_test(an_answer_with_more_machines_than_anyone_has_is_refused),
        cmocka_unit_test(a_deep_answer_does_not_bring_us_down),
        cmocka_unit_test(each_code_has_its_class),
        cmocka_unit_test(a_missing_permission_is_named),
        cmocka_unit_test(an_error_message_cannot_forge_a_log_line),
        cmocka_unit_test(an_operation_fails_though_it_came_with_a_200),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
