/* What we send to Compute Engine: every member is in Google's own schema with the right type, and
 * where a real client asked the same it asked in the same words. */
#include "drivers/gcp/gcp_requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/support/captured.h"
#include "tests/support/compute_schema.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define SCHEMA "clouds/gcp/compute-v1.schema.json"

static const struct account account = {
    .region = "us-central1",
    .zone = "us-central1-a",
    .owner = "lab",
    .project = "muster-test",
};
static const struct gcp_place machine = {"us-central1-a", "vm-1"};

static struct launch_order an_order(void)
{
    return (struct launch_order){
        .instance = {{1, 2, 3}},
        .generation = 1,
        .fleet = "payments",
        .client_token = "vm-2",
        .image = "projects/ubuntu-os-cloud/global/images/family/ubuntu-2404-lts-amd64",
        .size = "n2d-standard-2",
        .user_data = span_of_text("#cloud-config"),
        .root_gib = 20,
    };
}

static struct gcp_call insert(const struct account *whose, const struct launch_order *order)
{
    struct error err = {0};
    struct gcp_call call = {0};
    struct gcp_place place;
    assert_ok(gcp_insert(whose, order, &call, &place, &err));
    assert_string_equal(place.name, order->client_token);
    return call;
}

static json_t *body_of(const struct gcp_call *call)
{
    struct error err = {0};
    json_t *body = NULL;
    assert_ok(json_parse(text_span(&call->body), 1 << 20, &body, &err));
    return body;
}

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static const json_t *first(const json_t *object, const char *name)
{
    return json_array_get(json_object_get(object, name), 0);
}

/* ---- the schema ----------------------------------------------------------------------------- */

static bool has_row(const char *call)
{
    for (size_t i = 0; i < gcp_permission_count; i++)
        if (strcmp(gcp_permissions[i].call, call) == 0)
            return true;
    return false;
}

static void check_call(const json_t *schema, const struct gcp_call *call, const char *id)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "/%s", text_str(&call->path));
    const json_t *operation = compute_schema_operation(schema, call->method, text_str(&path));
    assert_string_equal(word(operation, "id"), id);
    assert_true(has_row(id + strlen("compute.")));
    const json_t *body = json_object_get(operation, "body");
    if (call->body.len == 0)
        return;
    OWNED(json_drop) json_t *sent = body_of(call);
    compute_schema_check(schema, word(body, "$ref"), sent);
}

static void every_call_is_in_googles_own_schema(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const struct gcp_place operation = {"us-central1-a", "operation-1001"};
    OWNED(json_drop) json_t *schema = vectors_json(SCHEMA);
    OWNED(text_done) struct text filter = {0};
    struct launch_order order = an_order();
    struct account full = account;
    snprintf(full.network, sizeof full.network, "net-1");
    snprintf(full.subnet, sizeof full.subnet, "sub-1");
    snprintf(full.service_account, sizeof full.service_account, "a@b.iam.gserviceaccount.com");
    const struct cloud_tag more[] = {{"team", "red_blue"}};
    struct gcp_call calls[12] = {0};
    calls[0] = insert(&account, &order);
    order.spot = true;
    order.tags = more;
    order.tag_count = 1;
    calls[1] = insert(&full, &order);
    gcp_get(&account, &machine, &calls[2]);
    gcp_delete(&account, &machine, &calls[3]);
    gcp_act(&account, &machine, "stop", &calls[4]);
    gcp_act(&account, &machine, "start", &calls[5]);
    gcp_act(&account, &machine, "performMaintenance", &calls[6]);
    gcp_operation(&account, &operation, &calls[7]);
    gcp_filter_token("muster-1", &filter);
    gcp_list(&account, text_str(&filter), "", &calls[8]);
    gcp_list(&account, text_str(&filter), "page two", &calls[9]);
    gcp_region(&account, &calls[10]);
    static const char *const ids[] = {
        "compute.instances.insert",
        "compute.instances.insert",
        "compute.instances.get",
        "compute.instances.delete",
        "compute.instances.stop",
        "compute.instances.start",
        "compute.instances.performMaintenance",
        "compute.zoneOperations.get",
        "compute.instances.aggregatedList",
        "compute.instances.aggregatedList",
        "compute.regions.get",
    };
    for (size_t i = 0; i < countof(ids); i++) {
        check_call(schema, &calls[i], ids[i]);
        gcp_call_done(&calls[i]);
    }
}

/* ---- real clients --------------------------------------------------------------------------- */

static const char *const all_of_it[] = {NULL};

/* Labels are ours to choose. */
static void a_launch_says_what_the_node_client_says(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = captured_request("gcp", "google-cloud-compute-7.8.0-insert");
    const struct launch_order order = an_order();
    OWNED(gcp_call_done) struct gcp_call call = insert(&account, &order);
    OWNED(json_drop) json_t *ours = body_of(&call);
    json_t *theirs = json_object_get(real, "body");
    json_t *disk = json_array_get(json_object_get(theirs, "disks"), 0);
    json_object_del(theirs, "labels");
    json_object_del(json_object_get(disk, "initializeParams"), "resourceManagerTags");
    assert_says_as_much(theirs, ours, all_of_it);
    assert_string_equal(word(real, "method"), call.method);
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "/%s", text_str(&call.path));
    assert_int_equal(
        strncmp(word(real, "path"), text_str(&path), strcspn(text_str(&path), "=") + 1), 0);
}

/* It names things by their whole addresses, takes an outside address, and leaves out what it takes
 * for granted. */
static void a_launch_says_what_gcloud_says(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = captured_request("gcp", "gcloud-528-insert");
    struct launch_order order = an_order();
    order.client_token = "vm-1";
    order.user_data = span_of_text("vm\n");
    OWNED(gcp_call_done) struct gcp_call call = insert(&account, &order);
    OWNED(json_drop) json_t *ours = body_of(&call);
    json_t *theirs = json_object_get(real, "body");
    json_t *disk = json_array_get(json_object_get(theirs, "disks"), 0);
    json_t *nic = json_array_get(json_object_get(theirs, "networkInterfaces"), 0);
    static const char *const own[] = {"labels", "machineType", "canIpForward",
                                      "deletionProtection"};
    for (size_t i = 0; i < countof(own); i++)
        json_object_del(theirs, own[i]);
    json_object_del(json_object_get(disk, "initializeParams"), "sourceImage");
    json_object_del(nic, "network");
    json_object_del(nic, "accessConfigs");
    assert_says_as_much(theirs, ours, all_of_it);
}

/* The real one's method, and its path up to the query, with this at the end of ours. */
static void assert_same_place(const char *file, const struct gcp_call *call, const char *method,
                              const char *more)
{
    OWNED(json_drop) json_t *real = captured_request("gcp", file);
    OWNED(text_done) struct text ours = {0};
    const char *path = text_str(&call->path);
    const char *theirs = word(real, "path");
    text_addf(&ours, "/%.*s%s", (int)strcspn(path, "?"), path, more);
    assert_string_equal(word(real, "method"), method);
    if (ours.len != strcspn(theirs, "?") || strncmp(theirs, text_str(&ours), ours.len) != 0)
        fail_msg("%s: the real client asks %s, ours %s", file, theirs, text_str(&ours));
}

static void every_other_call_is_like_a_real_clients(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const struct gcp_place second = {"us-central1-a", "vm-2"};
    static const char *const files[] = {"gcloud-528-get",
                                        "gcloud-528-delete",
                                        "gcloud-528-stop",
                                        "gcloud-528-start",
                                        "gcloud-528-performMaintenance",
                                        "gcloud-528-aggregatedList",
                                        "google-cloud-compute-7.8.0-get",
                                        "google-cloud-compute-7.8.0-aggregatedList"};
    struct gcp_call calls[countof(files)] = {0};
    gcp_get(&account, &machine, &calls[0]);
    gcp_delete(&account, &machine, &calls[1]);
    gcp_act(&account, &machine, "stop", &calls[2]);
    gcp_act(&account, &machine, "start", &calls[3]);
    gcp_act(&account, &machine, "performMaintenance", &calls[4]);
    gcp_list(&account, "x", "", &calls[5]);
    gcp_get(&account, &second, &calls[6]);
    gcp_list(&account, "x", "", &calls[7]);
    for (size_t i = 0; i < countof(files); i++) {
        assert_same_place(files[i], &calls[i], calls[i].method, "");
        gcp_call_done(&calls[i]);
    }
}

/* It holds a worker until the operation is done; we ask what it waits for. */
static void an_operation_is_asked_for_where_a_real_client_waits(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    static const struct {
        struct gcp_place operation;
        const char *file;
    } rows[] = {
        {{"us-central1-a", "operation-1001"}, "gcloud-528-wait"},
        {{"us-central1-a", "operation-1002"}, "google-cloud-compute-7.8.0-wait"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(gcp_call_done) struct gcp_call call = {0};
        gcp_operation(&account, &rows[i].operation, &call);
        assert_string_equal(call.method, "GET");
        assert_same_place(rows[i].file, &call, "POST", "/wait");
    }
}

/* ---- an order ------------------------------------------------------------------------------- */

static void a_launch_asks_for_one_confidential_machine_that_is_not_moved(void **state)
{
    (void)state;
    const struct launch_order order = an_order();
    OWNED(gcp_call_done) struct gcp_call call = insert(&account, &order);
    OWNED(json_drop) json_t *body = body_of(&call);
    const json_t *scheduling = json_object_get(body, "scheduling");
    assert_string_equal(
        word(json_object_get(body, "confidentialInstanceConfig"), "confidentialInstanceType"),
        "SEV_SNP");
    assert_string_equal(word(body, "minCpuPlatform"), "AMD Milan");
    assert_string_equal(word(scheduling, "onHostMaintenance"), "TERMINATE");
    assert_true(json_is_true(
        json_object_get(json_object_get(body, "shieldedInstanceConfig"), "enableVtpm")));
    assert_string_equal(word(first(body, "networkInterfaces"), "nicType"), "GVNIC");
    assert_true(json_is_true(json_object_get(first(body, "disks"), "autoDelete")));
    assert_null(json_object_get(body, "serviceAccounts"));
}

static void a_spot_machine_is_deleted_when_it_is_taken_back(void **state)
{
    (void)state;
    struct launch_order order = an_order();
    order.spot = true;
    OWNED(gcp_call_done) struct gcp_call call = insert(&account, &order);
    OWNED(json_drop) json_t *body = body_of(&call);
    const json_t *scheduling = json_object_get(body, "scheduling");
    assert_string_equal(word(scheduling, "provisioningModel"), "SPOT");
    assert_string_equal(word(scheduling, "instanceTerminationAction"), "DELETE");
    assert_true(json_is_false(json_object_get(scheduling, "automaticRestart")));
}

/* A machine without our labels could never be found again after a crash. */
static void machine_and_disk_are_labelled_at_birth(void **state)
{
    (void)state;
    struct launch_order order = an_order();
    char token[LAUNCH_TOKEN_SIZE];
    order.generation = INT64_MAX;
    launch_token(&order.instance, order.generation, token);
    order.client_token = token;
    OWNED(gcp_call_done) struct gcp_call call = insert(&account, &order);
    OWNED(json_drop) json_t *body = body_of(&call);
    const json_t *labels = json_object_get(body, "labels");
    assert_string_equal(word(body, "name"), token);
    assert_string_equal(word(labels, "muster-instance"), "01020300-0000-0000-0000-000000000000");
    assert_string_equal(word(labels, "muster-generation"), "9223372036854775807");
    assert_string_equal(word(labels, "muster-owner"), "lab");
    assert_string_equal(word(labels, "muster-fleet"), "payments");
    assert_string_equal(word(labels, "muster-token"), token);
    const json_t *from = json_object_get(first(body, "disks"), "initializeParams");
    assert_true(json_equal(json_looked_at(labels), json_object_get(from, "labels")));
}

static void the_projects_ssh_keys_do_not_come_in(void **state)
{
    (void)state;
    const struct launch_order order = an_order();
    OWNED(gcp_call_done) struct gcp_call call = insert(&account, &order);
    OWNED(json_drop) json_t *body = body_of(&call);
    size_t i;
    json_t *item;
    bool blocked = false;
    json_array_foreach (json_object_get(json_object_get(body, "metadata"), "items"), i, item)
        blocked |= strcmp(word(item, "key"), "block-project-ssh-keys") == 0 &&
                   strcmp(word(item, "value"), "true") == 0;
    assert_true(blocked);
}

static void the_same_order_makes_the_same_bytes_and_id(void **state)
{
    (void)state;
    struct launch_order order = an_order();
    OWNED(gcp_call_done) struct gcp_call one = insert(&account, &order);
    OWNED(gcp_call_done) struct gcp_call two = insert(&account, &order);
    order.client_token = "vm-3";
    OWNED(gcp_call_done) struct gcp_call other = insert(&account, &order);
    assert_string_equal(text_str(&one.path), text_str(&two.path));
    assert_string_equal(text_str(&one.body), text_str(&two.body));
    assert_string_not_equal(text_str(&one.path), text_str(&other.path));
    struct uuid id;
    gcp_request_id("vm-2", &id);
    assert_false(uuid_is_zero(&id));
    assert_non_null(strstr(text_str(&one.path), uuid_text(&id).at));
}

static void names_stand_in_their_collections_and_paths_as_they_are(void **state)
{
    (void)state;
    struct account whose = account;
    const struct launch_order order = an_order();
    OWNED(gcp_call_done) struct gcp_call plain = insert(&whose, &order);
    snprintf(whose.subnet, sizeof whose.subnet, "sub-1");
    OWNED(gcp_call_done) struct gcp_call named = insert(&whose, &order);
    snprintf(whose.subnet, sizeof whose.subnet, "projects/host/regions/us-central1/subnetworks/s");
    snprintf(whose.network, sizeof whose.network, "net-1");
    OWNED(gcp_call_done) struct gcp_call whole = insert(&whose, &order);
    OWNED(json_drop) json_t *a = body_of(&plain);
    OWNED(json_drop) json_t *b = body_of(&named);
    OWNED(json_drop) json_t *c = body_of(&whole);
    const json_t *nics[] = {first(a, "networkInterfaces"), first(b, "networkInterfaces"),
                            first(c, "networkInterfaces")};
    assert_string_equal(word(nics[0], "network"), "global/networks/default");
    assert_null(json_object_get(nics[0], "subnetwork"));
    assert_string_equal(word(nics[1], "subnetwork"), "regions/us-central1/subnetworks/sub-1");
    assert_null(json_object_get(nics[1], "network"));
    assert_string_equal(word(nics[2], "network"), "global/networks/net-1");
    assert_string_equal(word(nics[2], "subnetwork"), whose.subnet);
}

static void orders_that_google_would_refuse_never_leave(void **state)
{
    (void)state;
    struct error err = {0};
    static uint8_t big[USER_DATA_MAX + 1];
    static const struct cloud_tag tags[] = {
        {"Team", "x"}, {"team", "Red"}, {"9team", "x"}, {"goog-x", "x"}, {"muster:owner", "x"}};
    struct launch_order orders[8 + countof(tags)];
    memset(big, 'x', sizeof big);
    for (size_t i = 0; i < countof(orders); i++)
        orders[i] = an_order();
    orders[0].user_data = SPAN_OF(big);
    orders[1].user_data = SPAN("\xff", 1);
    orders[2].client_token = "9begins-with-a-digit";
    orders[3].client_token = "Capital";
    orders[4].image = "images/x?y";
    orders[5].size = "n2d/../x";
    orders[6].zone = "europe-west4-a"; /* of another region: we would never see it again */
    orders[7].zone = "us-central1";
    for (size_t i = 0; i < countof(tags); i++) {
        orders[8 + i].tags = &tags[i];
        orders[8 + i].tag_count = 1;
    }
    for (size_t i = 0; i < countof(orders); i++) {
        struct gcp_call call = {0};
        struct gcp_place place;
        assert_fails(gcp_insert(&account, &orders[i], &call, &place, &err), ERR_INVALID, "invalid");
    }
}

static void only_a_zone_and_a_name_are_taken_for_a_machine(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "vm-1", "us-central1-a/", "/vm-1", "a/b/c", "us-central1-a/../x", "a/VM", "a/vm?x=1"};
    struct error err = {0};
    struct gcp_place place;
    assert_ok(gcp_place_parse("us-central1-a/vm-1", &place, &err));
    assert_string_equal(place.zone, "us-central1-a");
    assert_string_equal(place.name, "vm-1");
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(gcp_place_parse(bad[i], &place, &err), ERR_INVALID, "invalid");
}

static void a_zone_belongs_to_one_region_only(void **state)
{
    (void)state;
    assert_true(gcp_zone_is_in("us-central1-a", "us-central1"));
    assert_false(gcp_zone_is_in("us-central1-a", "us-central"));
    assert_false(gcp_zone_is_in("us-central1-a-b", "us-central1"));
    assert_false(gcp_zone_is_in("us-central12-a", "us-central1"));
    assert_false(gcp_zone_is_in("us-central1", "us-central1"));
}

/* ---- the least role ------------------------------------------------------------------------- */

static bool role_allows(const json_t *role, const char *permission)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(role, "includedPermissions"), i, one)
        if (strcmp(json_string_value(one), permission) == 0)
            return true;
    return false;
}

static bool we_need(const char *permission)
{
    for (size_t row = 0; row < gcp_permission_count; row++)
        for (size_t i = 0; i < GCP_PERMISSIONS_MAX; i++) {
            const char *one = gcp_permissions[row].permissions[i];
            if (one != NULL && strcmp(one, permission) == 0)
                return true;
        }
    return false;
}

static void the_documented_role_is_just_what_we_call(void **state)
{
    (void)state;
    struct error err = {0};
    char path[512];
    size_t i;
    json_t *one;
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *role = NULL;
    snprintf(path, sizeof path, "%s/doc/clouds/gcp-role.json", getenv("MUSTER_SRC"));
    assert_ok(file_read(path, 1 << 16, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1 << 16, &role, &err));
    for (size_t row = 0; row < gcp_permission_count; row++)
        for (i = 0; i < GCP_PERMISSIONS_MAX && gcp_permissions[row].permissions[i] != NULL; i++)
            if (!role_allows(role, gcp_permissions[row].permissions[i]))
                fail_msg("the role lacks %s", gcp_permissions[row].permissions[i]);
    json_array_foreach (json_object_get(role, "includedPermissions"), i, one)
        if (!we_need(json_string_value(one)))
            fail_msg("the role allows %s for nothing", json_string_value(one));
    assert_true(i > 10);
}

/* Every call that the driver can make has its row: their names are those of its schema. */
static void every_call_has_its_permissions(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *schema = vectors_json(SCHEMA);
    for (size_t row = 0; row < gcp_permission_count; row++) {
        char id[64];
        size_t i;
        json_t *operation;
        bool found = false;
        assert_non_null(gcp_permissions[row].permissions[0]);
        if (strncmp(gcp_permissions[row].call, "disks.", 6) == 0 ||
            strncmp(gcp_permissions[row].call, "addresses.", 10) == 0)
            continue; /* the schema that we have is of machines */
        snprintf(id, sizeof id, "compute.%s", gcp_permissions[row].call);
        json_array_foreach (json_object_get(schema, "operations"), i, operation)
            found |= strcmp(word(operation, "id"), id) == 0;
        if (!found)
            fail_msg("the schema has no %s", id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_in_googles_own_schema),
        cmocka_unit_test(a_launch_says_what_the_node_client_says),
        cmocka_unit_test(a_launch_says_what_gcloud_says),
        cmocka_unit_test(every_other_call_is_like_a_real_clients),
        cmocka_unit_test(an_operation_is_asked_for_where_a_real_client_waits),
        cmocka_unit_test(a_launch_asks_for_one_confidential_machine_that_is_not_moved),
        cmocka_unit_test(a_spot_machine_is_deleted_when_it_is_taken_back),
        cmocka_unit_test(machine_and_disk_are_labelled_at_birth),
        cmocka_unit_test(the_projects_ssh_keys_do_not_come_in),
        cmocka_unit_test(the_same_order_makes_the_same_bytes_and_id),
        cmocka_unit_test(names_stand_in_their_collections_and_paths_as_they_are),
        cmocka_unit_test(orders_that_google_would_refuse_never_leave),
        cmocka_unit_test(only_a_zone_and_a_name_are_taken_for_a_machine),
        cmocka_unit_test(a_zone_belongs_to_one_region_only),
        cmocka_unit_test(the_documented_role_is_just_what_we_call),
        cmocka_unit_test(every_call_has_its_permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
