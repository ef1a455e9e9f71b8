/* The emulator's Compute Engine: what it answers is in Google's own schema, what it takes is what
 * Google takes, and the driver reads in it what is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gcp/gcp_token.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/captured.h"
#include "tests/support/compute_schema.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/vectors.h"

#define PROJECT "compute/v1/projects/muster-sim"
#define INSTANCES PROJECT "/zones/us-central1-a/instances"
#define LAUNCH(name, more)                                                                         \
    "{\"name\":\"" name "\",\"machineType\":\"zones/us-central1-a/machineTypes/n2d-standard-2\","  \
    "\"scheduling\":{\"onHostMaintenance\":\"TERMINATE\"},\"labels\":{\"team\":\"red\"},"          \
    "\"confidentialInstanceConfig\":{\"confidentialInstanceType\":\"SEV_SNP\"},"                   \
    "\"networkInterfaces\":[{\"network\":\"global/networks/default\"}],\"disks\":[{\"boot\":true," \
    "\"initializeParams\":{\"sourceImage\":\"projects/muster-sim/global/images/"                   \
    "firmware-snp\"}}]" more "}"

static int open_gcp(void **state)
{
    for (size_t i = 0; i < sim_row_count; i++)
        if (sim_rows[i].cloud == DRIVER_GCP)
            *state = (void *)(uintptr_t)&sim_rows[i];
    return sim_cloud_open(state);
}

struct said {
    int status;
    json_t *body;
};

static void said_done(struct said *said)
{
    json_decref(said->body);
}

static char *token_of(struct sim_cloud *sim, struct http *http)
{
    struct error err = {0};
    static const struct http_header flavor[] = {{"Metadata-Flavor", "Google"}};
    OWNED(text_done) struct text url = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    OWNED(json_drop) json_t *body = NULL;
    struct text bearer = {0};
    text_addf(&url, "%s%s", sim->account.endpoint, GCE_METADATA);
    const struct http_request request = {
        .method = "GET", .url = text_str(&url), .headers = flavor, .header_count = 1};
    assert_ok(http_send(http, &request, &answer, &err));
    assert_string_equal(http_answer_header(&answer, "Metadata-Flavor"), "Google");
    assert_ok(json_parse(bytes_span(&answer.body), 1 << 16, &body, &err));
    text_addf(&bearer, "Bearer %s", json_string_value(json_object_get(body, "access_token")));
    return text_take(&bearer);
}

static struct said say(struct sim_cloud *sim, const char *method, const char *path,
                       const char *body)
{
    struct error err = {0};
    struct said said = {0};
    OWNED(http_drop) struct http *http = http_new();
    OWNED(mem_drop) char *bearer = token_of(sim, http);
    OWNED(text_done) struct text url = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    const struct http_header headers[] = {{"Authorization", bearer}};
    text_addf(&url, "%s/%s", sim->account.endpoint, path);
    const struct http_request request = {.method = method,
                                         .url = text_str(&url),
                                         .headers = headers,
                                         .header_count = 1,
                                         .body = span_of_text(body)};
    assert_ok(http_send(http, &request, &answer, &err));
    assert_ok(json_parse(bytes_span(&answer.body), 1 << 22, &said.body, &err));
    said.status = answer.status;
    return said;
}

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static const char *reason_of(const struct said *said)
{
    const json_t *errors = json_object_get(json_object_get(said->body, "error"), "errors");
    return word(json_array_get(errors, 0), "reason");
}

/* Waits for the operation that an answer began; gives it as it ended. */
static struct said done(struct sim_cloud *sim, const struct said *begun)
{
    OWNED(text_done) struct text path = {0};
    assert_int_equal(begun->status, 200);
    text_addf(&path, PROJECT "/zones/us-central1-a/operations/%s/wait", word(begun->body, "name"));
    struct said ended = say(sim, "POST", text_str(&path), "");
    assert_string_equal(word(ended.body, "status"), "DONE");
    return ended;
}

static void act(struct sim_cloud *sim, const char *method, const char *path, const char *body)
{
    OWNED(said_done) struct said begun = say(sim, method, path, body);
    OWNED(said_done) struct said ended = done(sim, &begun);
    assert_null(json_object_get(ended.body, "error"));
}

/* ---- the schema ----------------------------------------------------------------------------- */

struct checked {
    struct sim_cloud *sim;
    json_t *schema;
    json_t *asked; /* the operations' ids */
};

static struct said check_one(const struct checked *c, const char *method, const char *path,
                             const char *body)
{
    OWNED(text_done) struct text whole = {0};
    text_addf(&whole, "/%s", path);
    const json_t *operation = compute_schema_operation(c->schema, method, text_str(&whole));
    struct said said = say(c->sim, method, path, body);
    if (said.status != 200)
        fail_msg("%s %s: %d", method, path, said.status);
    compute_schema_check(c->schema, word(json_object_get(operation, "response"), "$ref"),
                         said.body);
    json_put_bool(c->asked, word(operation, "id"), true);
    return said;
}

/* An operation that it begins is waited for, and looked at. */
static void check(const struct checked *c, const char *method, const char *path, const char *body)
{
    OWNED(said_done) struct said said = check_one(c, method, path, body);
    if (strcmp(word(said.body, "kind"), "compute#operation") != 0)
        return;
    OWNED(text_done) struct text operation = {0};
    OWNED(text_done) struct text wait = {0};
    text_addf(&operation, PROJECT "/zones/us-central1-a/operations/%s", word(said.body, "name"));
    text_addf(&wait, "%s/wait", text_str(&operation));
    OWNED(said_done) struct said ended = check_one(c, "POST", text_str(&wait), "");
    OWNED(said_done) struct said seen = check_one(c, "GET", text_str(&operation), "");
    assert_string_equal(word(ended.body, "status"), "DONE");
    assert_string_equal(word(seen.body, "status"), "DONE");
}

static void check_labels(const struct checked *c, const char *labels)
{
    OWNED(said_done) struct said seen = say(c->sim, "GET", INSTANCES "/vm-1", "");
    OWNED(text_done) struct text body = {0};
    text_addf(&body, "{\"labelFingerprint\":\"%s\",\"labels\":{%s}}",
              word(seen.body, "labelFingerprint"), labels);
    check(c, "POST", INSTANCES "/vm-1/setLabels", text_str(&body));
}

/* The schema that we have is of machines, and not of what they leave behind. */
static void check_nothing_was_left_out(const struct checked *c)
{
    for (size_t i = 0; i < gce_action_count; i++) {
        const char *name = gce_actions[i].name;
        char id[64];
        snprintf(id, sizeof id, "compute.%s", name);
        if (strncmp(name, "disks.", 6) != 0 && strncmp(name, "addresses.", 10) != 0 &&
            json_object_get(c->asked, id) == NULL)
            fail_msg("nobody looked at what %s answers", name);
    }
}

static void check_all(const struct checked *c)
{
    static const struct {
        const char *method;
        const char *path;
        const char *body;
    } calls[] = {
        {"POST", INSTANCES "?requestId=11111111-2222-4333-8444-555555555555",
         LAUNCH("vm-1", ",\"metadata\":{\"items\":[{\"key\":\"user-data\",\"value\":\"hello\"}]}")},
        {"GET", INSTANCES "/vm-1", ""},
        {"GET", INSTANCES, ""},
        {"GET", INSTANCES "?filter=labels.team%3Dblue", ""},
        {"GET", PROJECT "/aggregated/instances?returnPartialSuccess=true", ""},
        {"POST", INSTANCES "/vm-1/stop", ""},
        {"POST", INSTANCES "/vm-1/start", ""},
        {"POST", INSTANCES "/vm-1/reset", ""},
        {"POST", INSTANCES "/vm-1/simulateMaintenanceEvent", ""},
        {"GET", PROJECT "/zones/us-central1-a/operations", ""},
        {"GET", PROJECT "/zones", ""},
        {"GET", PROJECT "/zones/us-central1-a", ""},
        {"GET", PROJECT "/regions/us-central1", ""},
        {"GET", PROJECT "/zones/us-central1-a/machineTypes", ""},
        {"GET", PROJECT "/zones/us-central1-a/machineTypes/n2d-standard-2", ""},
    };
    for (size_t i = 0; i < countof(calls); i++)
        check(c, calls[i].method, calls[i].path, calls[i].body);
    check_labels(c, "\"team\":\"blue\",\"muster-sim-maintenance\":\"1\"");
    OWNED(said_done) struct said told = check_one(c, "GET", INSTANCES "/vm-1", "");
    assert_non_null(
        json_object_get(json_object_get(told.body, "resourceStatus"), "upcomingMaintenance"));
    check(c, "POST", INSTANCES "/vm-1/performMaintenance", "");
    check(c, "DELETE", INSTANCES "/vm-1", "");
}

static void every_answer_is_in_googles_own_schema(void **state)
{
    struct sim_cloud *sim = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *schema = vectors_json("clouds/gcp/compute-v1.schema.json");
    OWNED(json_drop) json_t *asked = json_object();
    const struct checked c = {sim, schema, asked};
    check_all(&c);
    check_nothing_was_left_out(&c);
    sim_cloud_prank(sim, "instances.aggregatedList", "partial");
    check(&c, "GET", PROJECT "/aggregated/instances", "");
    sim_cloud_prank(sim, "instances.insert", "capacity");
    check(&c, "POST", INSTANCES, LAUNCH("vm-2", ""));
    act(sim, "POST", INSTANCES, LAUNCH("vm-3", ",\"description\":\"x\""));
    check(&c, "GET", INSTANCES "/vm-3", "");
}

/* What real clients sent is taken as it is, but for its image and project. */
static void what_real_clients_sent_is_taken(void **state)
{
    struct sim_cloud *sim = *state;
    if (vectors_folder() == NULL)
        skip();
    static const char *const files[] = {"gcloud-528-insert", "google-cloud-compute-7.8.0-insert"};
    for (size_t i = 0; i < countof(files); i++) {
        char path[128];
        snprintf(path, sizeof path, "clouds/gcp/requests/%s.json", files[i]);
        OWNED(json_drop) json_t *real = vectors_json(path);
        json_t *body = json_object_get(real, "body");
        json_t *disk = json_array_get(json_object_get(body, "disks"), 0);
        json_put_text(json_object_get(disk, "initializeParams"), "sourceImage",
                      "projects/muster-sim/global/images/firmware-snp");
        OWNED(mem_drop) char *text = json_print(body);
        act(sim, "POST", INSTANCES, text);
    }
    assert_int_equal(sim_cloud_count(sim, "running"), 2);
}

/* ---- refusals ------------------------------------------------------------------------------- */

/* Google's schema knows no refusals; a recorded one shows how they are built. */
static void check_refusal(const struct said *said)
{
    const json_t *error = json_object_get(said->body, "error");
    if (vectors_folder() == NULL)
        return;
    OWNED(json_drop) json_t *real = recorded_answer("gcp", "err-notFound");
    assert_says_no_more(said->body, real);
    assert_says_no_more(real, said->body);
    assert_int_equal(json_integer_value(json_object_get(error, "code")), said->status);
}

static void what_google_refuses_is_refused(void **state)
{
    struct sim_cloud *sim = *state;
    static const struct {
        const char *path;
        const char *body;
        int status;
        const char *reason;
    } rows[] = {
        {INSTANCES, "{\"name\":", 400, "parseError"},
        {INSTANCES, "", 400, "required"},
        {INSTANCES, "{\"name\":\"VM\"}", 400, "invalid"},
        {INSTANCES, LAUNCH("vm-1", ",\"colour\":\"red\""), 400, "invalid"},
        {INSTANCES, LAUNCH("vm-1", ",\"labels\":{}"), 400, "parseError"},
        {INSTANCES "/vm-1/stop", "", 404, "notFound"},
        {PROJECT "/zones/mars-east1-a/instances", LAUNCH("vm-1", ""), 404, "notFound"},
        {"compute/v1/projects/another/zones/us-central1-a/instances", "", 404, "notFound"},
        {PROJECT "/zones/us-central1-a/operations/operation-1/wait", "", 404, "notFound"},
        {INSTANCES "/vm-1/explode", "", 404, "notFound"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(said_done) struct said said = say(sim, "POST", rows[i].path, rows[i].body);
        assert_int_equal(said.status, rows[i].status);
        assert_string_equal(reason_of(&said), rows[i].reason);
        check_refusal(&said);
    }
    assert_int_equal(sim_cloud_count(sim, "launched"), 0);
}

static void a_confidential_machine_that_would_be_moved_is_refused(void **state)
{
    struct sim_cloud *sim = *state;
    static const char body[] =
        "{\"name\":\"vm-1\",\"machineType\":\"n2d-standard-2\",\"confidentialInstanceConfig\":{"
        "\"confidentialInstanceType\":\"SEV_SNP\"},\"scheduling\":{\"onHostMaintenance\":"
        "\"MIGRATE\"}}";
    OWNED(said_done) struct said said = say(sim, "POST", INSTANCES, body);
    assert_int_equal(said.status, 400);
    assert_non_null(strstr(word(json_object_get(said.body, "error"), "message"),
                           "resource.scheduling.onHostMaintenance"));
}

static void labels_are_changed_only_by_who_has_seen_them(void **state)
{
    struct sim_cloud *sim = *state;
    act(sim, "POST", INSTANCES, LAUNCH("vm-1", ""));
    OWNED(said_done) struct said seen = say(sim, "GET", INSTANCES "/vm-1", "");
    OWNED(text_done) struct text body = {0};
    text_addf(&body, "{\"labelFingerprint\":\"%s\",\"labels\":{\"team\":\"blue\"}}",
              word(seen.body, "labelFingerprint"));
    act(sim, "POST", INSTANCES "/vm-1/setLabels", text_str(&body));
    OWNED(said_done) struct said now = say(sim, "GET", INSTANCES "/vm-1", "");
    assert_string_equal(word(json_object_get(now.body, "labels"), "team"), "blue");
    OWNED(said_done)
    struct said late = say(sim, "POST", INSTANCES "/vm-1/setLabels", text_str(&body));
    assert_int_equal(late.status, 412);
    assert_string_equal(reason_of(&late), "conditionNotMet");
    check_refusal(&late);
}

static void a_fault_refuses_as_google_does(void **state)
{
    struct sim_cloud *sim = *state;
    static const char *const faults[] = {"throttle", "quota", "auth", "server-error", "late-error"};
    for (size_t i = 0; i < countof(faults); i++) {
        sim_cloud_prank(sim, "instances.list", faults[i]);
        OWNED(said_done) struct said said = say(sim, "GET", INSTANCES, "");
        assert_true(said.status >= 400);
        check_refusal(&said);
    }
}

static void a_throttle_comes_with_either_status(void **state)
{
    struct sim_cloud *sim = *state;
    sim_cloud_prank(sim, "instances.list", "throttle");
    sim_cloud_prank(sim, "instances.insert", "throttle");
    OWNED(said_done) struct said reading = say(sim, "GET", INSTANCES, "");
    OWNED(said_done) struct said writing = say(sim, "POST", INSTANCES, LAUNCH("vm-1", ""));
    assert_int_equal(reading.status, 403);
    assert_int_equal(writing.status, 429);
    assert_string_equal(reason_of(&reading), "rateLimitExceeded");
    assert_string_equal(reason_of(&writing), "rateLimitExceeded");
}

/* ---- who may call --------------------------------------------------------------------------- */

static int exchange(struct sim_cloud *sim, struct moment now)
{
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    OWNED(http_drop) struct http *http = http_new();
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct gcp_credentials who = {0};
    assert_ok(gcp_credentials_find(&sim->account, &who, &err));
    assert_ok(gcp_token_form(&who, now, SPAN("", 0), &form, &err));
    const struct http_request request = {
        .method = "POST", .url = who.token_url, .body = text_span(&form.body)};
    assert_ok(http_send(http, &request, &answer, &err));
    gcp_credentials_done(&who);
    return answer.status;
}

/* A clock that is off by an hour signs nobody in, and says so. */
static void an_assertion_of_another_hour_is_not_taken(void **state)
{
    struct sim_cloud *sim = *state;
    assert_int_equal(exchange(sim, clock_now()), 200);
    assert_int_equal(exchange(sim, moment_add_seconds(clock_now(), 3600)), 400);
    assert_int_equal(exchange(sim, moment_add_seconds(clock_now(), -3600)), 400);
}

static char *federated_file(struct sim_cloud *sim, json_t **out)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(mem_drop) char *path = scratch_path(sim->folder, "gcp-federated.json");
    assert_ok(file_read(path, 1 << 16, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1 << 16, out, &err));
    return scratch_path(sim->folder, "federated.json");
}

static enum outcome identify_as(struct sim_cloud *sim, const char *path, const json_t *file,
                                struct cloud_identity *who, struct error *why)
{
    struct error err = {0};
    struct cloud *cloud = NULL;
    OWNED(mem_drop) char *text = json_print(file);
    assert_ok(file_write(path, span_of_text(text), 0600, &err));
    setenv("GOOGLE_APPLICATION_CREDENTIALS", path, 1);
    assert_ok(gcp_driver.open(&sim->account, &cloud, &err));
    const enum outcome outcome = gcp_driver.identify(cloud, who, why);
    gcp_driver.close(cloud);
    return outcome;
}

static void another_providers_token_signs_in_as_the_service_account(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    struct cloud_identity who;
    OWNED(json_drop) json_t *file = NULL;
    OWNED(mem_drop) char *path = federated_file(sim, &file);
    assert_ok(identify_as(sim, path, file, &who, &err));
    assert_string_equal(who.name, sim->gce.email);
}

/* A token that its issuer did not give, another pool, another account, and no account at all. */
static void what_was_not_exchanged_in_full_calls_nothing(void **state)
{
    struct sim_cloud *sim = *state;
    OWNED(mem_drop) char *forged = scratch_path(sim->folder, "forged-token");
    struct error err = {0};
    struct cloud_identity who;
    assert_ok(file_write(forged, span_of_text("forged"), 0600, &err));
    for (int i = 0; i < 4; i++) {
        OWNED(json_drop) json_t *file = NULL;
        OWNED(mem_drop) char *path = federated_file(sim, &file);
        OWNED(text_done) struct text other = {0};
        text_addf(&other, "%s%sother@p.example:generateAccessToken", sim->account.endpoint,
                  GCE_IMPERSONATION);
        if (i == 0)
            json_put_text(json_object_get(file, "credential_source"), "file", forged);
        else if (i == 1)
            json_put_text(file, "audience", "//iam.googleapis.com/of/somebody/else");
        else if (i == 2)
            json_put_text(file, "service_account_impersonation_url", text_str(&other));
        else
            json_object_del(file, "service_account_impersonation_url");
        assert_fails(identify_as(sim, path, file, &who, &err), ERR_DENIED, "auth");
    }
}

static void nobody_calls_without_a_token_of_ours(void **state)
{
    struct sim_cloud *sim = *state;
    static const char *const bearers[] = {"", "Bearer ", "Bearer ya29.sim-9999999999-00",
                                          "Bearer ya29.sim-x", "Basic dXNlcg=="};
    for (size_t i = 0; i < countof(bearers); i++) {
        struct error err = {0};
        OWNED(http_drop) struct http *http = http_new();
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text url = {0};
        const struct http_header headers[] = {{"Authorization", bearers[i]}};
        text_addf(&url, "%s/" INSTANCES, sim->account.endpoint);
        const struct http_request request = {
            .method = "GET", .url = text_str(&url), .headers = headers, .header_count = 1};
        assert_ok(http_send(http, &request, &answer, &err));
        assert_int_equal(answer.status, 401);
    }
}

/* ---- with the driver ------------------------------------------------------------------------ */

static void a_zone_that_does_not_answer_makes_the_list_partial(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    struct cloud *cloud = NULL;
    OWNED(sighting_list_done) struct sighting_list list = {0};
    assert_ok(gcp_driver.open(&sim->account, &cloud, &err));
    sim_cloud_prank(sim, "instances.aggregatedList", "partial");
    enum outcome listed = gcp_driver.list(cloud, &list, &err);
    gcp_driver.close(cloud);
    assert_ok(listed);
    assert_true(list.partial);
}

/* A look is answered at once; who waits, when it is done. */
static void an_operation_is_looked_at_and_holds_nobody(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    struct cloud *cloud = NULL;
    struct sighting machine;
    struct cloud_operation operation;
    char token[LAUNCH_TOKEN_SIZE];
    const struct uuid instance = uuid_new();
    launch_token(&instance, 1, token);
    const struct launch_order order = {.instance = instance,
                                       .generation = 1,
                                       .fleet = "f",
                                       .client_token = token,
                                       .image = sim->row->image,
                                       .size = sim->row->size};
    assert_ok(gcp_driver.open(&sim->account, &cloud, &err));
    assert_ok(gcp_driver.launch(cloud, &order, &machine, &operation, &err));
    assert_string_not_equal(operation.name, "");
    OWNED(text_done) struct text wait = {0};
    text_addf(&wait, PROJECT "/zones/us-central1-a/operations/%s/wait",
              strchr(operation.name, '/') + 1);
    enum outcome looked = gcp_driver.follow(cloud, &operation, &err);
    OWNED(said_done) struct said ended = say(sim, "POST", text_str(&wait), "");
    enum outcome followed = gcp_driver.follow(cloud, &operation, &err);
    enum outcome found = gcp_driver.find(cloud, machine.ref, NULL, &machine, &err);
    gcp_driver.close(cloud);
    assert_ok(looked);
    assert_string_equal(word(ended.body, "status"), "DONE");
    assert_ok(followed);
    assert_string_equal(operation.name, "");
    assert_ok(found);
    assert_int_equal(machine.state, MACHINE_RUNNING);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_gcp, sim_cloud_close)
    const struct CMUnitTest tests[] = {
        T(every_answer_is_in_googles_own_schema),
        T(what_real_clients_sent_is_taken),
        T(what_google_refuses_is_refused),
        T(a_confidential_machine_that_would_be_moved_is_refused),
        T(labels_are_changed_only_by_who_has_seen_them),
        T(a_fault_refuses_as_google_does),
        T(a_throttle_comes_with_either_status),
        T(an_assertion_of_another_hour_is_not_taken),
        T(another_providers_token_signs_in_as_the_service_account),
        T(what_was_not_exchanged_in_full_calls_nothing),
        T(nobody_calls_without_a_token_of_ours),
        T(a_zone_that_does_not_answer_makes_the_list_partial),
        T(an_operation_is_looked_at_and_holds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
