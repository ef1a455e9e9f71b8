/* The emulator as Azure: what it answers fits Microsoft.Compute's schema, it takes the body that a
 * real client sent, and it refuses what Azure refuses. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/azure/azure_token.h"
#include "lib/net/http.h"
#include "tests/support/captured.h"
#include "tests/support/compute_schema.h"
#include "tests/support/rsa_files.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define SCHEMA "clouds/azure/compute-vm.schema.json"
#define SUBSCRIPTION "subscriptions/00000000-0000-0000-0000-000000000001"
#define MACHINES SUBSCRIPTION "/resourceGroups/rg1/providers/Microsoft.Compute/virtualMachines"
#define ASKED "?api-version=2024-11-01"

struct client {
    struct sim_cloud *sim;
    struct http *http;
    struct azure_identity identity;
    struct azure_place place;
    json_t *schema;
    char follow[512]; /* below the host: the operation that the last answer began */
};

static int set_up(void **state)
{
    struct error err = {0};
    struct client *c = NEW(struct client);
    void *sim = NULL;
    for (size_t i = 0; i < sim_row_count; i++)
        if (sim_rows[i].cloud == DRIVER_AZURE)
            sim = (void *)(uintptr_t)&sim_rows[i];
    if (sim_cloud_open(&sim) != 0)
        return -1;
    c->sim = sim;
    c->http = http_new();
    assert_ok(azure_place_find(&c->sim->account, &c->place, &err));
    assert_ok(azure_identity_find(&c->sim->account, &c->identity, &err));
    if (vectors_folder() != NULL)
        c->schema = vectors_json(SCHEMA);
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct client *c = *state;
    void *sim = c->sim;
    azure_identity_done(&c->identity);
    http_free(c->http);
    json_decref(c->schema);
    free(c);
    return sim_cloud_close(&sim);
}

static void note_operation(struct client *c, const struct http_answer *answer)
{
    const char *url = http_answer_header(answer, "Azure-AsyncOperation");
    if (url == NULL)
        return;
    assert_memory_equal(url, c->place.arm.url, strlen(c->place.arm.url));
    snprintf(c->follow, sizeof c->follow, "%s", url + strlen(c->place.arm.url));
}

static int ask(struct client *c, const char *method, const char *path, const char *body,
               json_t **out)
{
    struct error err = {0};
    const char *token;
    bool is_new;
    OWNED(text_done) struct text url = {0};
    OWNED(text_done) struct text bearer = {0};
    OWNED(http_answer_done) struct http_answer answer = {0};
    assert_ok(azure_token_get(&c->identity, &c->place, c->http, &token, &is_new, &err));
    text_addf(&url, "%s%s", c->place.arm.url, path);
    text_addf(&bearer, "Bearer %s", token);
    const struct http_header headers[] = {{"Authorization", text_str(&bearer)},
                                          {"Content-Type", "application/json"}};
    const struct http_request request = {.method = method,
                                         .url = text_str(&url),
                                         .headers = headers,
                                         .header_count = countof(headers),
                                         .body = span_of_text(body)};
    assert_ok(http_send(c->http, &request, &answer, &err));
    json_decref(*out);
    *out = NULL;
    if (answer.body.len > 0)
        assert_ok(json_parse(bytes_span(&answer.body), HTTP_ANSWER_MAX, out, &err));
    note_operation(c, &answer);
    return answer.status;
}

/* What the schema has for an answer of this status to this call; for some that is nothing. */
static void fits(const struct client *c, const char *method, const char *path, int status,
                 const json_t *said)
{
    OWNED(text_done) struct text whole = {0};
    char name[16];
    if (c->schema == NULL)
        return;
    text_addf(&whole, "/%s", path);
    snprintf(name, sizeof name, "%d", status);
    const json_t *operation = compute_schema_find(c->schema, method, text_str(&whole));
    const json_t *answers = json_object_get(operation, "responses");
    const json_t *known = json_object_get(answers, name);
    if (known == NULL)
        known = json_object_get(answers, "default");
    if (known == NULL)
        fail_msg("the schema has no %s %s", method, path);
    const json_t *definition = json_object_get(known, "schema");
    if (definition != NULL)
        compute_schema_check(c->schema, json_string_value(json_object_get(definition, "$ref")),
                             said);
    else if (said != NULL)
        fail_msg("%s %s: an answer where Azure has none", method, path);
}

/* An answer of this status that fits. */
static void look(struct client *c, const char *method, const char *path, const char *body,
                 int status, json_t **out)
{
    const int got = ask(c, method, path, body, out);
    if (got != status)
        fail_msg("%s %s: %d", method, path, got);
    fits(c, method, path, got, *out);
}

static json_t *captured_body(void)
{
    OWNED(json_drop)
    json_t *capture = vectors_json("clouds/azure/requests/azure-arm-compute-js-25.1.1-put.json");
    json_t *body = json_deep_copy(json_object_get(capture, "body"));
    json_t *image = json_object_get(
        json_object_get(json_object_get(body, "properties"), "storageProfile"), "imageReference");
    json_put_text(body, "location", "westeurope");
    json_put_text(image, "publisher", "muster");
    json_put_text(image, "offer", "confidential-vm");
    json_put_text(image, "sku", "firmware-cvm");
    json_put_text(image, "version", "1.0.0");
    return body;
}

/* Until an answer about the machine has this word in it. */
static void await(struct client *c, const char *wanted)
{
    OWNED(json_drop) json_t *said = NULL;
    for (int64_t until = clock_monotonic_ms() + 10000;;) {
        look(c, "GET", MACHINES "/vm-1/instanceView" ASKED, "", 200, &said);
        OWNED(mem_drop) char *text = json_print(said);
        if (strstr(text, wanted) != NULL)
            return;
        if (clock_monotonic_ms() > until)
            fail_msg("it is not %s: %s", wanted, text);
        poll(NULL, 0, 5);
    }
}

static void create(struct client *c)
{
    OWNED(json_drop) json_t *body = captured_body();
    OWNED(json_drop) json_t *said = NULL;
    OWNED(mem_drop) char *text = json_print(body);
    compute_schema_check(c->schema, "#/definitions/VirtualMachine", body);
    look(c, "PUT", MACHINES "/vm-1" ASKED, text, 201, &said);
}

static void every_answer_about_machines_fits_the_schema(void **state)
{
    struct client *c = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *said = NULL;
    create(c);
    look(c, "PATCH", MACHINES "/vm-1" ASKED, "{\"tags\":{\"muster-sim:maintenance\":\"1\"}}", 200,
         &said);
    look(c, "GET", MACHINES "/vm-1" ASKED "&$expand=instanceView", "", 200, &said);
    assert_non_null(
        json_object_get(json_object_get(json_object_get(said, "properties"), "instanceView"),
                        "maintenanceRedeployStatus"));
    assert_null(json_object_get(json_object_get(said, "properties"), "userData"));
    look(c, "GET", MACHINES "/vm-1/instanceView" ASKED, "", 200, &said);
    look(c, "GET", MACHINES ASKED, "", 200, &said);
    look(c, "GET",
         SUBSCRIPTION "/providers/Microsoft.Compute/virtualMachines" ASKED "&statusOnly=true", "",
         200, &said);
    assert_int_equal(json_array_size(json_object_get(said, "value")), 1);
}

/* What an act does is told by the operation that it begins, and by nothing else. */
static void every_act_is_answered_with_nothing_but_an_operation(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *verb;
        const char *becomes;
    } acts[] = {
        {"deallocate", "PowerState/deallocated"},
        {"start", "PowerState/running"},
        {"restart", "PowerState/running"},
        {"redeploy", "PowerState/running"},
        {"performMaintenance", "PowerState/running"},
        {"powerOff", "PowerState/stopped"},
    };
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *said = NULL;
    OWNED(json_drop) json_t *real = recorded_answer("azure", "ok-operation-succeeded");
    create(c);
    await(c, "PowerState/running");
    for (size_t i = 0; i < countof(acts); i++) {
        OWNED(text_done) struct text path = {0};
        text_addf(&path, MACHINES "/vm-1/%s" ASKED, acts[i].verb);
        c->follow[0] = '\0';
        look(c, "POST", text_str(&path), "", 202, &said);
        await(c, acts[i].becomes);
        assert_int_equal(ask(c, "GET", c->follow, "", &said), 200);
        assert_says_no_more(said, real);
    }
    look(c, "DELETE", MACHINES "/vm-1" ASKED, "", 202, &said);
    for (int64_t until = clock_monotonic_ms() + 10000;
         ask(c, "GET", MACHINES "/vm-1" ASKED, "", &said) != 404; poll(NULL, 0, 5))
        assert_true(clock_monotonic_ms() < until);
    fits(c, "GET", MACHINES "/vm-1" ASKED, 404, said);
    look(c, "DELETE", MACHINES "/vm-1" ASKED, "", 204, &said);
}

static void an_operation_that_failed_says_so_as_azure_does(void **state)
{
    struct client *c = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *said = NULL;
    OWNED(json_drop) json_t *real = recorded_answer("azure", "ok-operation-failed-capacity");
    sim_cloud_prank(c->sim, "VirtualMachines_CreateOrUpdate", "late-capacity");
    create(c);
    assert_int_equal(ask(c, "GET", c->follow, "", &said), 200);
    assert_non_null(json_object_get(said, "error"));
    assert_says_no_more(said, real);
}

static void names_and_paths_do_not_care_about_capitals(void **state)
{
    struct client *c = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *said = NULL;
    create(c);
    assert_int_equal(ask(c, "GET",
                         SUBSCRIPTION "/resourcegroups/RG1/providers/microsoft.compute/"
                                      "virtualmachines/VM-1" ASKED,
                         "", &said),
                     200);
}

#define MINIMAL                                                                                    \
    "\"osProfile\":{\"adminPassword\":\"x\"},\"networkProfile\":{\"networkInterfaces\":[{}]}"
#define IMAGE                                                                                      \
    "\"storageProfile\":{\"imageReference\":{\"publisher\":\"muster\",\"offer\":"                  \
    "\"confidential-vm\",\"sku\":\"firmware-cvm\",\"version\":\"1.0.0\"},\"osDisk\":{"             \
    "\"createOption\":\"FromImage\",\"managedDisk\":{\"securityProfile\":{"                        \
    "\"securityEncryptionType\":\"DiskWithVMGuestState\"}}}"                                       \
    "}"
#define CVM(uefi)                                                                                  \
    "\"hardwareProfile\":{\"vmSize\":\"Standard_DC2as_v5\"},\"securityProfile\":{"                 \
    "\"securityType\":\"ConfidentialVM\",\"uefiSettings\":{" uefi "}}"
#define AT_HOME(properties) "{\"location\":\"westeurope\",\"properties\":{" properties "}}"

static void what_azure_would_refuse_is_refused(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *path;
        const char *body;
        int status;
        const char *code;
    } rows[] = {
        {MACHINES "/vm-1", "{}", 400, "MissingApiVersionParameter"},
        {MACHINES "/vm-1" ASKED, "{", 400, "InvalidRequestContent"},
        {MACHINES "/vm-1" ASKED, "{\"a\":1,\"a\":2}", 400, "InvalidRequestContent"},
        {MACHINES "/vm-1" ASKED, "{\"location\":\"mars\"}", 400,
         "LocationNotAvailableForResourceType"},
        {MACHINES "/vm-" ASKED, AT_HOME(""), 400, "InvalidResourceName"},
        {MACHINES "/vm-1" ASKED, AT_HOME(""), 404, "PlatformImageNotFound"},
        {MACHINES "/vm-1" ASKED, AT_HOME(IMAGE "," CVM("") "," MINIMAL), 400, "InvalidParameter"},
        {MACHINES "/vm-1" ASKED, AT_HOME(IMAGE "," CVM("\"vTpmEnabled\":true") "," MINIMAL), 400,
         "InvalidParameter"},
        {MACHINES "/vm-1" ASKED,
         AT_HOME(IMAGE "," CVM("\"vTpmEnabled\":true,\"secureBootEnabled\":true")), 400,
         "InvalidParameter"},
        {"subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/g/providers/"
         "Microsoft.Compute/virtualMachines/vm-1" ASKED,
         "{}", 404, "SubscriptionNotFound"},
        {MACHINES "/vm-1" ASKED,
         AT_HOME(IMAGE "," CVM("\"vTpmEnabled\":true,\"secureBootEnabled\":true") "," MINIMAL), 201,
         NULL},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(json_drop) json_t *said = NULL;
        int status = ask(c, "PUT", rows[i].path, rows[i].body, &said);
        const json_t *error = json_object_get(said, "error");
        if (status != rows[i].status)
            fail_msg("row %zu: %d %s", i, status,
                     json_string_value(json_object_get(error, "message")));
        if (rows[i].code != NULL)
            assert_string_equal(json_string_value(json_object_get(error, "code")), rows[i].code);
        fits(c, "PUT", rows[i].path, status, said);
    }
    assert_int_equal(sim_cloud_count(c->sim, "launched"), 1);
}

static void a_fault_refuses_as_azure_does(void **state)
{
    struct client *c = *state;
    static const char *const faults[] = {"throttle", "capacity",     "quota",
                                         "auth",     "server-error", "late-error"};
    for (size_t i = 0; i < countof(faults); i++) {
        OWNED(json_drop) json_t *said = NULL;
        sim_cloud_prank(c->sim, "VirtualMachines_List", faults[i]);
        const int status = ask(c, "GET", MACHINES ASKED, "", &said);
        assert_true(status >= 400);
        fits(c, "GET", MACHINES ASKED, status, said);
    }
}

/* ---- who may sign in ------------------------------------------------------------------------ */

static enum outcome sign_in(struct client *c, struct error *err)
{
    const char *token;
    bool is_new;
    azure_token_drop(&c->identity, "");
    return azure_token_get(&c->identity, &c->place, c->http, &token, &is_new, err);
}

static void only_the_applications_own_certificate_signs_in(void **state)
{
    struct client *c = *state;
    struct error err = {0};
    OWNED(mem_drop) char *pem = rsa_pem_make("app");
    OWNED(mem_drop) char *other = rsa_pem_make("others");
    OWNED(rsa_signer_drop) struct rsa_signer *known = NULL;
    assert_ok(rsa_signer_from_pem(span_of_text(pem), &known, &err));
    c->sim->arm.signer = known;
    c->identity.way = AZURE_CERTIFICATE;
    assert_ok(rsa_signer_from_pem(span_of_text(pem), &c->identity.signer, &err));
    assert_ok(sign_in(c, &err));
    rsa_signer_free(c->identity.signer);
    assert_ok(rsa_signer_from_pem(span_of_text(other), &c->identity.signer, &err));
    assert_fails(sign_in(c, &err), ERR_DENIED, "auth");
    c->sim->arm.signer = NULL;
}

/* A clock that is off by an hour makes assertions that are not valid yet, or not any more. */
static void an_assertion_of_another_hour_does_not_sign_in(void **state)
{
    struct client *c = *state;
    static const int64_t off[] = {-3600, 3600};
    struct error err = {0};
    OWNED(mem_drop) char *pem = rsa_pem_make("app");
    OWNED(rsa_signer_drop) struct rsa_signer *known = NULL;
    assert_ok(rsa_signer_from_pem(span_of_text(pem), &known, &err));
    assert_ok(rsa_signer_from_pem(span_of_text(pem), &c->identity.signer, &err));
    c->sim->arm.signer = known;
    c->identity.way = AZURE_CERTIFICATE;
    for (size_t i = 0; i < countof(off); i++) {
        OWNED(form_done) struct form form = {0};
        OWNED(http_answer_done) struct http_answer answer = {0};
        OWNED(text_done) struct text url = {0};
        const struct http_header headers[] = {
            {"Content-Type", "application/x-www-form-urlencoded"}};
        assert_ok(azure_token_form(&c->identity, &c->place, moment_add_seconds(clock_now(), off[i]),
                                   &form, &err));
        text_addf(&url, "%s%s/oauth2/v2.0/token", c->place.login.url, c->identity.tenant);
        const struct http_request request = {.method = "POST",
                                             .url = text_str(&url),
                                             .headers = headers,
                                             .header_count = 1,
                                             .body = text_span(&form.body)};
        assert_ok(http_send(c->http, &request, &answer, &err));
        assert_int_equal(answer.status, 401);
        assert_non_null(memmem(answer.body.at, answer.body.len, "AADSTS700024", 12));
    }
    c->sim->arm.signer = NULL;
}

/* Tokens of another run, of nobody, or none. */
static void a_token_that_is_not_ours_opens_nothing(void **state)
{
    struct client *c = *state;
    struct error err = {0};
    OWNED(json_drop) json_t *said = NULL;
    assert_int_equal(ask(c, "GET", MACHINES ASKED, "", &said), 200);
    c->sim->arm.token_key[0] ^= 1;
    look(c, "GET", MACHINES ASKED, "", 401, &said);
    OWNED(http_answer_done) struct http_answer answer = {0};
    OWNED(text_done) struct text url = {0};
    text_addf(&url, "%s" MACHINES ASKED, c->place.arm.url);
    const struct http_request request = {.method = "GET", .url = text_str(&url)};
    assert_ok(http_send(c->http, &request, &answer, &err));
    assert_int_equal(answer.status, 401);
    assert_non_null(http_answer_header(&answer, "WWW-Authenticate"));
}

/* What `az` asks of a cloud with an AD FS before and after it signs in. */
static void a_command_line_finds_the_token_service_and_the_subscription(void **state)
{
    struct client *c = *state;
    OWNED(json_drop) json_t *said = NULL;
    assert_int_equal(ask(c, "GET", "adfs/.well-known/openid-configuration", "", &said), 200);
    const char *service = json_string_value(json_object_get(said, "token_endpoint"));
    assert_non_null(service);
    assert_memory_equal(service, c->place.arm.url, strlen(c->place.arm.url));
    assert_string_equal(service + strlen(c->place.arm.url), "adfs/oauth2/v2.0/token");
    assert_int_equal(ask(c, "GET", "subscriptions?api-version=2016-06-01", "", &said), 200);
    const json_t *all = json_object_get(said, "value");
    assert_int_equal(json_array_size(all), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(all, 0), "subscriptionId")),
        "00000000-0000-0000-0000-000000000001");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_answer_about_machines_fits_the_schema),
        T(every_act_is_answered_with_nothing_but_an_operation),
        T(an_operation_that_failed_says_so_as_azure_does),
        T(a_fault_refuses_as_azure_does),
        T(names_and_paths_do_not_care_about_capitals),
        T(what_azure_would_refuse_is_refused),
        T(only_the_applications_own_certificate_signs_in),
        T(an_assertion_of_another_hour_does_not_sign_in),
        T(a_token_that_is_not_ours_opens_nothing),
        T(a_command_line_finds_the_token_service_and_the_subscription),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
