/* What we send to Azure: every member exists in Microsoft.Compute's own schema, and where a real
 * client asked the same it asked in the same words. */
#include "drivers/azure/azure_requests.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/support/captured.h"
#include "tests/support/compute_schema.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define SCHEMA "clouds/azure/compute-vm.schema.json"
#define SUBSCRIPTION "00000000-0000-0000-0000-000000000001"
#define SUBNET                                                                                     \
    "/subscriptions/0/resourceGroups/r/providers/Microsoft.Network/virtualNetworks/v/subnets/s"

static struct account an_account(void)
{
    return (struct account){.driver = DRIVER_AZURE,
                            .region = "eastus",
                            .zone = "1",
                            .owner = "lab",
                            .subscription = SUBSCRIPTION,
                            .resource_group = "rg1",
                            .subnet = SUBNET,
                            .admin_key = "ssh-ed25519 AAAA"};
}

static struct launch_order an_order(void)
{
    return (struct launch_order){
        .instance = {{1, 2, 3}},
        .generation = 1,
        .fleet = "payments",
        .client_token = "vm-1",
        .image = "Canonical:0001-com-ubuntu-confidential-vm-jammy:22_04-lts-cvm:latest",
        .size = "Standard_DC2as_v5",
        .user_data = span_of_text("u"),
    };
}

static json_t *body_of(const struct arm_request *request)
{
    struct error err = {0};
    json_t *out = NULL;
    assert_ok(json_parse(text_span(&request->body), 1 << 20, &out, &err));
    return out;
}

static json_t *create(const struct account *account, const struct launch_order *order)
{
    struct error err = {0};
    OWNED(arm_request_done) struct arm_request request = {0};
    assert_ok(arm_create(account, order, &request, &err));
    return body_of(&request);
}

static const json_t *at(const json_t *value, const char *path)
{
    OWNED(mem_drop) char *copy = mem_text(path);
    for (char *rest = copy, *part; value != NULL && (part = strsep(&rest, ".")) != NULL;)
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(part))
                                     : json_object_get(value, part);
    return value;
}

static const char *word(const json_t *value, const char *path)
{
    const char *text = json_string_value(at(value, path));
    return text != NULL ? text : "";
}

static void a_launch_has_only_members_that_the_schema_knows(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *schema = vectors_json(SCHEMA);
    struct account account = an_account();
    struct launch_order order = an_order();
    OWNED(json_drop) json_t *plain = create(&account, &order);
    compute_schema_check(schema, "#/definitions/VirtualMachine", plain);
    const struct cloud_tag more[] = {{"team", "red & blue"}};
    order.tags = more;
    order.tag_count = 1;
    order.spot = true;
    order.root_gib = 64;
    order.image = "/subscriptions/0/resourceGroups/g/providers/Microsoft.Compute/galleries/x";
    snprintf(account.disk_encryption_set, sizeof account.disk_encryption_set, "/des");
    snprintf(account.security_group, sizeof account.security_group, "/nsg");
    snprintf(account.security_encryption, sizeof account.security_encryption,
             "DiskWithVMGuestState");
    account.admin_key[0] = '\0';
    OWNED(json_drop) json_t *full = create(&account, &order);
    compute_schema_check(schema, "#/definitions/VirtualMachine", full);
    assert_string_equal(word(full, "properties.storageProfile.osDisk.managedDisk.securityProfile."
                                   "diskEncryptionSet.id"),
                        "/des");
    assert_string_equal(word(full, "tags.team"), "red & blue");
}

static void a_launch_says_what_real_clients_say(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const char *const captures[] = {"azure-arm-compute-js-25.1.1-put",
                                           "azure-mgmt-compute-py-2022-08-01-put"};
    /* Names that the capture chose, and what cloud-init would run. */
    static const char *const but_for[] = {"/tags", "/properties/osProfile/customData", NULL};
    const struct account account = an_account();
    const struct launch_order order = an_order();
    OWNED(json_drop) json_t *ours = create(&account, &order);
    for (size_t i = 0; i < countof(captures); i++) {
        OWNED(json_drop) json_t *capture = captured_request("azure", captures[i]);
        assert_says_as_much(json_object_get(capture, "body"), ours, but_for);
    }
}

/* Paths up to the query, without regard to capitals; and each has an api-version. */
static void assert_same_path(const char *theirs, const struct arm_request *ours)
{
    size_t len = strcspn(theirs, "?");
    const char *path = text_str(&ours->path);
    if (strcspn(path, "?") + 1 != len || strncasecmp(theirs + 1, path, len - 1) != 0)
        fail_msg("%s is not %s", path, theirs);
    assert_non_null(strstr(path, "api-version="));
}

static void every_other_call_is_like_a_real_clients(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const struct {
        enum arm_call call;
        const char *captures[3];
    } calls[] = {
        {ARM_GET,
         {"azure-arm-compute-js-25.1.1-get", "azure-cli-2.45-profile-2020-09-01-hybrid-get",
          "azure-mgmt-compute-py-2022-08-01-get"}},
        {ARM_LIST,
         {"azure-arm-compute-js-25.1.1-get-list",
          "azure-cli-2.45-profile-2020-09-01-hybrid-get-list"}},
        {ARM_DEALLOCATE,
         {"azure-arm-compute-js-25.1.1-post-deallocate",
          "azure-cli-2.45-profile-2020-09-01-hybrid-post-deallocate"}},
        {ARM_START,
         {"azure-arm-compute-js-25.1.1-post-start",
          "azure-cli-2.45-profile-2020-09-01-hybrid-post-start"}},
        {ARM_REDEPLOY,
         {"azure-arm-compute-js-25.1.1-post-redeploy",
          "azure-cli-2.45-profile-2020-09-01-hybrid-post-redeploy",
          "azure-mgmt-compute-py-2022-08-01-post-redeploy"}},
        {ARM_DELETE,
         {"azure-arm-compute-js-25.1.1-delete", "azure-cli-2.45-profile-2020-09-01-hybrid-delete",
          "azure-mgmt-compute-py-2022-08-01-delete"}},
    };
    const struct account account = an_account();
    for (size_t i = 0; i < countof(calls); i++)
        for (size_t c = 0; c < countof(calls[i].captures) && calls[i].captures[c] != NULL; c++) {
            OWNED(json_drop) json_t *capture = captured_request("azure", calls[i].captures[c]);
            OWNED(arm_request_done) struct arm_request ours = {0};
            const char *name = strstr(word(capture, "path"), "virtualMachines/");
            char ref[64] = "";
            if (name != NULL)
                snprintf(ref, sizeof ref, "%.*s", (int)strcspn(name + 16, "/?"), name + 16);
            if (calls[i].call == ARM_GET)
                arm_get(&account, ref, &ours);
            else if (calls[i].call == ARM_LIST)
                arm_list(&account, &ours);
            else
                arm_act(&account, calls[i].call, ref, &ours);
            assert_string_equal(arm_calls[ours.call].method, word(capture, "method"));
            assert_same_path(word(capture, "path"), &ours);
            assert_int_equal(ours.body.len, 0);
        }
}

static bool fits(const char *pattern, const char *path)
{
    for (;; pattern++, path++) {
        if (*pattern == '{') {
            pattern = strchr(pattern, '}');
            path += strcspn(path, "/?") - 1;
        } else if (*pattern == '\0' || *pattern != *path) {
            return *pattern == '\0' && (*path == '?' || *path == '\0');
        }
    }
}

static void check_query(const json_t *operation, const char *query)
{
    for (; *query != '\0'; query += strcspn(query, "&"), query += *query == '&') {
        size_t i, len = strcspn(query, "=");
        json_t *parameter;
        bool known = false;
        json_array_foreach (json_object_get(operation, "query"), i, parameter)
            known |= strlen(word(parameter, "name")) == len &&
                     strncmp(word(parameter, "name"), query, len) == 0;
        if (!known)
            fail_msg("%s takes no %s", word(operation, "operationId"), query);
    }
}

static void every_call_is_in_the_schema_with_its_version(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *schema = vectors_json(SCHEMA);
    struct account account = an_account();
    account.force_delete = true;
    assert_string_equal(word(schema, "apiVersion"), ARM_COMPUTE_VERSION);
    for (int call = ARM_CREATE; call < ARM_FOLLOW; call++) {
        struct error err = {0};
        const struct launch_order order = an_order();
        OWNED(arm_request_done) struct arm_request ours = {0};
        if (call == ARM_CREATE)
            assert_ok(arm_create(&account, &order, &ours, &err));
        else if (call == ARM_GET)
            arm_get(&account, "vm-1", &ours);
        else if (call == ARM_LIST)
            arm_list(&account, &ours);
        else if (call == ARM_LIST_STATUS)
            arm_list_status(&account, &ours);
        else
            arm_act(&account, (enum arm_call)call, "vm-1", &ours);
        assert_int_equal(ours.call, call);
        size_t i;
        json_t *operation;
        bool found = false;
        json_array_foreach (json_object_get(schema, "operations"), i, operation) {
            if (strcmp(word(operation, "operationId"), arm_calls[call].operation) != 0)
                continue;
            found = true;
            assert_string_equal(word(operation, "method"), arm_calls[call].method);
            assert_true(fits(word(operation, "path") + 1, text_str(&ours.path)));
            check_query(operation, strchr(text_str(&ours.path), '?') + 1);
        }
        if (!found)
            fail_msg("no operation %s", arm_calls[call].operation);
    }
}

static void a_launch_asks_for_a_confidential_machine_that_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        {"properties.securityProfile.securityType", "ConfidentialVM"},
        {"properties.storageProfile.osDisk.managedDisk.securityProfile.securityEncryptionType",
         "VMGuestStateOnly"},
        {"properties.storageProfile.osDisk.deleteOption", "Delete"},
        {"properties.networkProfile.networkInterfaceConfigurations.0.properties.deleteOption",
         "Delete"},
        {"properties.userData", "dQ=="},
        {"zones.0", "1"},
        {"tags.muster:owner", "lab"},
        {"tags.muster:instance", "01020300-0000-0000-0000-000000000000"},
        {"tags.muster:generation", "1"},
        {"tags.muster:token", "vm-1"},
    };
    const struct account account = an_account();
    const struct launch_order order = an_order();
    OWNED(json_drop) json_t *ours = create(&account, &order);
    for (size_t i = 0; i < countof(expected); i++)
        assert_string_equal(word(ours, expected[i][0]), expected[i][1]);
    assert_true(json_is_true(at(ours, "properties.securityProfile.uefiSettings.vTpmEnabled")));
    assert_true(
        json_is_true(at(ours, "properties.securityProfile.uefiSettings.secureBootEnabled")));
    /* nothing of the cloud's runs in it, by our asking */
    assert_null(at(ours, "properties.osProfile.customData"));
    assert_true(
        json_is_false(at(ours, "properties.osProfile.linuxConfiguration.provisionVMAgent")));
    assert_true(json_is_false(at(ours, "properties.osProfile.allowExtensionOperations")));
}

/* Nobody has the private half of a hash. */
static void without_an_administrators_key_one_that_opens_nothing_is_put_in(void **state)
{
    (void)state;
    struct error err = {0};
    struct account account = an_account();
    struct launch_order order = an_order();
    account.admin_key[0] = '\0';
    OWNED(json_drop) json_t *one = create(&account, &order);
    order.client_token = "vm-2";
    OWNED(json_drop) json_t *two = create(&account, &order);
    static const char path[] = "properties.osProfile.linuxConfiguration.ssh.publicKeys.0.keyData";
    static const struct span kind = SPAN("ssh-ed25519 ", 12);
    const struct span key = span_of_text(word(one, path));
    OWNED(bytes_done) struct bytes blob = {0};
    assert_true(span_equal(span_part(key, 0, kind.len), kind));
    assert_ok(base64_decode(span_part(key, kind.len, key.len), &blob, &err));
    assert_int_equal(blob.len, 51);
    assert_string_not_equal(word(one, path), word(two, path));
}

static void an_order_is_told_from_another_by_its_hash(void **state)
{
    (void)state;
    const struct account account = an_account();
    struct launch_order order = an_order();
    char one[ARM_ORDER_SIZE], again[ARM_ORDER_SIZE], other[ARM_ORDER_SIZE];
    arm_order_hash(&account, &order, one);
    arm_order_hash(&account, &order, again);
    OWNED(json_drop) json_t *body = create(&account, &order);
    order.size = "Standard_DC4as_v5";
    arm_order_hash(&account, &order, other);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_string_equal(word(body, "tags.muster:order"), one);
}

static void orders_that_azure_would_refuse_never_leave(void **state)
{
    (void)state;
    static uint8_t big[USER_DATA_MAX + 1];
    static const struct cloud_tag reserved[] = {{"Microsoft-x", "1"}};
    static const struct cloud_tag slashed[] = {{"a/b", "1"}};
    const struct account account = an_account();
    struct launch_order orders[10];
    for (size_t i = 0; i < countof(orders); i++)
        orders[i] = an_order();
    orders[0].user_data = SPAN_OF(big);
    orders[1].client_token = "a/b";
    orders[2].client_token = "ends-with-";
    orders[3].tags = reserved;
    orders[3].tag_count = 1;
    orders[4].tags = slashed;
    orders[4].tag_count = 1;
    orders[5].image = NULL;
    orders[6].image = "only:three:parts";
    orders[7].image = "one:two:three:four:five";
    orders[8].subnet = "";
    orders[9].image = "::::";
    for (size_t i = 0; i < countof(orders); i++) {
        struct error err = {0};
        OWNED(arm_request_done) struct arm_request request = {0};
        assert_fails(arm_create(&account, &orders[i], &request, &err), ERR_INVALID, "invalid");
    }
}

static void only_names_of_machines_are_taken(void **state)
{
    (void)state;
    static const char *const bad[] = {"",   "a/b", "../x", "a?b",   "a b", "-a",
                                      "a-", "a.",  "_a",   "a%2fb", "ä"};
    assert_true(arm_name_is_valid("muster-00112233445566778899aabbccddeeff-1"));
    assert_true(arm_name_is_valid("vm_1.a"));
    for (size_t i = 0; i < countof(bad); i++)
        assert_false(arm_name_is_valid(bad[i]));
    char token[LAUNCH_TOKEN_SIZE];
    launch_token(&(struct uuid){{0xab}}, INT64_MAX, token);
    assert_true(arm_name_is_valid(token));
}

/* ---- permissions ---------------------------------------------------------------------------- */

static bool role_allows(const json_t *role, const char *action)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(role, "Actions"), i, one)
        if (strcmp(json_string_value(one), action) == 0)
            return true;
    return false;
}

static bool we_need(const char *action)
{
    for (int call = 0; call < ARM_CALL_COUNT; call++)
        for (size_t i = 0; i < ARM_ACTIONS_MAX && arm_calls[call].actions[i] != NULL; i++)
            if (strcmp(arm_calls[call].actions[i], action) == 0)
                return true;
    return false;
}

/* The role in the documents allows what our calls take, and nothing else. */
static void the_documented_role_is_just_what_we_call(void **state)
{
    (void)state;
    struct error err = {0};
    char path[512];
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *role = NULL;
    snprintf(path, sizeof path, "%s/doc/clouds/azure-role.json", getenv("MUSTER_SRC"));
    assert_ok(file_read(path, 1 << 16, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1 << 16, &role, &err));
    for (int call = 0; call < ARM_CALL_COUNT; call++)
        for (size_t i = 0; i < ARM_ACTIONS_MAX && arm_calls[call].actions[i] != NULL; i++)
            if (!role_allows(role, arm_calls[call].actions[i]))
                fail_msg("the role lacks %s", arm_calls[call].actions[i]);
    size_t i;
    json_t *action;
    json_array_foreach (json_object_get(role, "Actions"), i, action)
        if (!we_need(json_string_value(action)))
            fail_msg("the role allows %s for nothing", json_string_value(action));
    assert_true(i > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launch_has_only_members_that_the_schema_knows),
        cmocka_unit_test(a_launch_says_what_real_clients_say),
        cmocka_unit_test(every_other_call_is_like_a_real_clients),
        cmocka_unit_test(every_call_is_in_the_schema_with_its_version),
        cmocka_unit_test(a_launch_asks_for_a_confidential_machine_that_leaves_nothing_behind),
        cmocka_unit_test(without_an_administrators_key_one_that_opens_nothing_is_put_in),
        cmocka_unit_test(an_order_is_told_from_another_by_its_hash),
        cmocka_unit_test(orders_that_azure_would_refuse_never_leave),
        cmocka_unit_test(only_names_of_machines_are_taken),
        cmocka_unit_test(the_documented_role_is_just_what_we_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
