/* Compute Engine at its worst: answers that are none, or to something else, floods, pages without
 * an end, zones that are away, machines that somebody renamed. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/gcp/gcp_answers.h"
#include "lib/base/text.h"
#include "tests/support/fake_http.h"
#include "tests/support/test.h"

#define NAME "muster-01020300000000000000000000000000-1"
#define REF "us-central1-a/" NAME
#define SITE "https://www.googleapis.com/compute/v1/projects/p/"
#define ZONE_OF(zone) "\"zone\":\"" SITE "zones/" zone "\""
#define MACHINE(name, more)                                                                        \
    "{\"kind\":\"compute#instance\",\"id\":\"1\",\"name\":\"" name "\",\"status\":\"RUNNING\","    \
    "\"machineType\":\"" SITE                                                                      \
    "zones/us-central1-a/machineTypes/n2d-standard-2\"," ZONE_OF("us-central1-a") more "}"
#define LABELS ",\"labels\":{\"muster-token\":\"" NAME "\"}"
#define PAGE(machines, more)                                                                       \
    "{\"kind\":\"compute#instanceAggregatedList\",\"items\":{\"zones/us-central1-a\":{"            \
    "\"instances\":[" machines "]}}" more "}"
#define OPERATION(zone, status, more)                                                              \
    "{\"kind\":\"compute#operation\",\"name\":\"operation-1\"," ZONE_OF(                           \
        zone) ",\"status\":\"" status "\"" more "}"
#define ERROR_OF(code, reason)                                                                     \
    "{\"error\":{\"code\":" code ",\"message\":\"m\",\"errors\":[{\"reason\":\"" reason "\"}]}}"
#define TOKEN "{\"access_token\":\"%s\",\"expires_in\":3600}"
#define FLAVOR "Metadata-Flavor: Google\r\n"

struct world {
    struct fake_http *google;
    struct fake_http *metadata;
    struct account account;
    struct cloud *cloud;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    w->google = fake_http_start();
    w->metadata = fake_http_start();
    w->account = (struct account){.name = "bad",
                                  .driver = DRIVER_GCP,
                                  .region = "us-central1",
                                  .zone = "us-central1-a",
                                  .project = "p",
                                  .owner = "tests"};
    w->account.credentials = json_pack("{s:s}", "source", "metadata-server");
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->google));
    setenv("GCE_METADATA_HOST", fake_http_url(w->metadata) + strlen("http://"), 1);
    assert_ok(gcp_driver.open(&w->account, &w->cloud, &err));
    unsetenv("GCE_METADATA_HOST");
    static const char *const tokens[] = {"one", "two", "three"};
    for (size_t i = 0; i < countof(tokens); i++) {
        char body[128];
        snprintf(body, sizeof body, TOKEN, tokens[i]);
        fake_http_say_with(w->metadata, 200, FLAVOR, body);
    }
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    gcp_driver.close(w->cloud);
    account_done(&w->account);
    fake_http_stop(w->google);
    fake_http_stop(w->metadata);
    free(w);
    return 0;
}

static enum outcome launch(struct world *w, struct cloud_operation *operation, struct error *err)
{
    struct sighting machine;
    const struct launch_order order = {.instance = {{1, 2, 3}},
                                       .generation = 1,
                                       .fleet = "f",
                                       .client_token = NAME,
                                       .image = "projects/p/global/images/i",
                                       .size = "n2d-standard-2"};
    return gcp_driver.launch(w->cloud, &order, &machine, operation, err);
}

static enum outcome find(struct world *w, struct sighting *seen, struct error *err)
{
    return gcp_driver.find(w->cloud, REF, NULL, seen, err);
}

/* Whoever may write accounts must not get the token. */
static void a_token_goes_to_google_and_to_this_machine_only(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"https://evil.example", "https://googleapis.com.evil.example",
                                      "https://evilgoogleapis.com", "https://10.0.0.1"};
    static const char *const good[] = {"", "https://compute.googleapis.com",
                                       "https://compute.europe-west4.rep.googleapis.com",
                                       "http://127.0.0.1:1"};
    for (size_t i = 0; i < countof(bad) + countof(good); i++) {
        struct error err = {0};
        struct cloud *cloud = NULL;
        const bool is_bad = i < countof(bad);
        snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s",
                 is_bad ? bad[i] : good[i - countof(bad)]);
        if (is_bad)
            assert_fails(gcp_driver.open(&w->account, &cloud, &err), ERR_INVALID, "bad-endpoint");
        else
            assert_ok(gcp_driver.open(&w->account, &cloud, &err));
        gcp_driver.close(cloud);
    }
}

/* ---- answers that are none ------------------------------------------------------------------ */

static char *deep(void)
{
    struct text out = {0};
    for (int i = 0; i < 100; i++)
        text_add(&out, "{\"a\":");
    text_add(&out, "1");
    for (int i = 0; i < 100; i++)
        text_add(&out, "}");
    return text_take(&out);
}

/* A 200 that cannot be read says that something was done. */
static void a_200_that_cannot_be_read_is_never_a_no(void **state)
{
    struct world *w = *state;
    OWNED(mem_drop) char *nested = deep();
    const char *bodies[] = {
        "",
        "<html><body>200</body></html>",
        "{\"kind\":\"compute#operation\",\"name\":\"opera",
        "[]",
        nested,
        "{\"kind\":\"compute#operation\",\"kind\":\"compute#operation\"}",
        "{\"kind\":\"compute#instance\"}",
        "{\"kind\":\"compute#operation\",\"name\":7,\"status\":\"DONE\"}",
        "{\"kind\":\"compute#operation\",\"name\":\"../x\"," ZONE_OF(
            "us-central1-a") ",\"status\":\"DONE\"}",
        OPERATION("us-central1-a", "", ""),
        OPERATION("europe-west4-a", "RUNNING", ""),
    };
    for (size_t i = 0; i < countof(bodies); i++) {
        struct error err = {0};
        struct cloud_operation operation;
        fake_http_say(w->google, 200, bodies[i]);
        assert_fails(launch(w, &operation, &err), ERR_AMBIGUOUS, "ambiguous");
    }
}

static void a_server_error_leaves_a_launch_in_doubt_and_a_refusal_does_not(void **state)
{
    struct world *w = *state;
    static const struct {
        int status;
        const char *body;
        const char *code;
    } rows[] = {
        {500, "", "ambiguous"},
        {502, "<html>", "ambiguous"},
        {503, ERROR_OF("503", "backendError"), "ambiguous"},
        {408, "", "ambiguous"},
        {301, "", "ambiguous"},
        {0, "", "ambiguous"},
        {429, "", "throttle"},
        {403, ERROR_OF("403", "rateLimitExceeded"), "throttle"},
        {403, ERROR_OF("403", "quotaExceeded"), "quota"},
        {403, ERROR_OF("403", "forbidden"), "auth"},
        {403, ERROR_OF("403", "somethingNew"), "auth"},
        {400, ERROR_OF("400", "somethingNew"), "invalid"},
        {400, ERROR_OF("400", "required"), "invalid"},
        {503, ERROR_OF("503", "ZONE_RESOURCE_POOL_EXHAUSTED"), "capacity"},
        {418, "", "invalid"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        struct cloud_operation operation;
        while (gcp_driver.turn(w->cloud, &err) != OK) /* after a throttle */
            poll(NULL, 0, (int)err.retry_ms);
        fake_http_say(w->google, rows[i].status, rows[i].body);
        assert_int_not_equal(launch(w, &operation, &err), OK);
        assert_string_equal(err.code, rows[i].code);
    }
}

#define THROTTLED(delay)                                                                           \
    "{\"error\":{\"code\":403,\"message\":\"m\",\"errors\":[{\"reason\":\"rateLimitExceeded\"}],"  \
    "\"details\":[{\"@type\":\"other\",\"retryDelay\":\"5s\"},{\"@type\":\"type.googleapis.com/"   \
    "google.rpc.RetryInfo\",\"retryDelay\":" delay "}]}}"

static void how_long_to_wait_is_read_or_not_believed(void **state)
{
    static const struct {
        const char *body;
        int64_t seconds;
    } rows[] = {
        {THROTTLED("\"17s\""), 17},
        {THROTTLED("\"21.5s\""), 22},
        {THROTTLED("\"0.100s\""), 1},
        {THROTTLED("\"86400s\""), 86400},
        {THROTTLED("\"86401s\""), 0},
        {THROTTLED("\"17\""), 0},
        {THROTTLED("\"-17s\""), 0},
        {THROTTLED("\"s\""), 0},
        {THROTTLED("17"), 0},
        {THROTTLED("\"1e9s\""), 0},
        {THROTTLED("\"\""), 0},
        {THROTTLED("null"), 0},
        {ERROR_OF("403", "rateLimitExceeded"), 0},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++)
        assert_int_equal(gcp_error_read(403, span_of_text(rows[i].body)).retry_seconds,
                         rows[i].seconds);
}

/* In its own word, and not as if we had paced ourselves. */
static void who_is_throttled_is_told_when_to_come_back(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    struct sighting seen;
    fake_http_say(w->google, 403, THROTTLED("\"17s\""));
    assert_fails(launch(w, &operation, &err), ERR_THROTTLED, "throttle");
    assert_true(err.retry_ms >= 17000);
    fake_http_say_with(w->google, 429, "Retry-After: 18\r\n", "");
    assert_fails(find(w, &seen, &err), ERR_THROTTLED, "throttle");
    assert_true(err.retry_ms >= 18000);
}

static void an_answer_of_ten_megabytes_is_left(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    OWNED(mem_drop) char *flood = mem_new(10 * 1024 * 1024 + 1, 1);
    memset(flood, ' ', 10 * 1024 * 1024);
    fake_http_say(w->google, 200, flood);
    assert_fails(launch(w, &operation, &err), ERR_AMBIGUOUS, "ambiguous");
    assert_non_null(strstr(err.text, "answer-too-large"));
}

static void an_operation_that_failed_is_a_failure_though_it_came_with_a_200(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *body;
        const char *code;
    } rows[] = {
        {OPERATION("us-central1-a", "DONE",
                   ",\"error\":{\"errors\":[{\"code\":\"ZONE_RESOURCE_POOL_EXHAUSTED\"}]}"),
         "capacity"},
        {OPERATION("us-central1-a", "DONE",
                   ",\"error\":{\"errors\":[{\"code\":\"QUOTA_EXCEEDED\"}]}"),
         "quota"},
        {OPERATION("us-central1-a", "DONE",
                   ",\"error\":{\"errors\":[{\"code\":\"NEW\"}]},\"httpErrorStatusCode\":404"),
         "not-found"},
        {OPERATION("us-central1-a", "DONE", ",\"error\":{\"errors\":[{\"code\":\"NEW\"}]}"),
         "server-error"},
        {OPERATION("us-central1-a", "DONE", ",\"error\":{}"), "server-error"},
        {OPERATION("us-central1-a", "DONE", ",\"httpErrorStatusCode\":400"), "invalid"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        struct cloud_operation operation;
        fake_http_say(w->google, 200, rows[i].body);
        assert_int_not_equal(launch(w, &operation, &err), OK);
        assert_string_equal(err.code, rows[i].code);
    }
}

/* ---- operations ----------------------------------------------------------------------------- */

/* Whatever address an answer holds: we ask the host that we know. */
static void an_operation_on_another_host_is_asked_for_at_ours(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    fake_http_say(w->google, 200,
                  OPERATION("us-central1-a", "RUNNING",
                            ",\"selfLink\":\"http://evil.example/compute/v1/projects/p/zones/z/"
                            "operations/o\""));
    fake_http_say(w->google, 200, OPERATION("us-central1-a", "DONE", ""));
    assert_ok(launch(w, &operation, &err));
    assert_string_equal(operation.name, "us-central1-a/operation-1");
    assert_ok(gcp_driver.follow(w->cloud, &operation, &err));
    assert_string_equal(operation.name, "");
    assert_int_equal(strncmp(fake_http_heard(w->google, 1),
                             "GET /compute/v1/projects/p/zones/us-central1-a/operations/"
                             "operation-1 HTTP/1.1",
                             78),
                     0);
}

static void an_operation_goes_on_until_it_says_that_it_is_done(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation = {.name = "us-central1-a/operation-1", .poll_seconds = 8};
    fake_http_say(w->google, 200, OPERATION("us-central1-a", "SOMETHING_NEW", ""));
    fake_http_say_with(w->google, 200, "Retry-After: 7\r\n",
                       OPERATION("us-central1-a", "RUNNING", ""));
    fake_http_say(w->google, 404, ERROR_OF("404", "notFound"));
    assert_ok(gcp_driver.follow(w->cloud, &operation, &err));
    assert_string_equal(operation.name, "us-central1-a/operation-1");
    assert_int_equal(operation.poll_seconds, 16);
    assert_ok(gcp_driver.follow(w->cloud, &operation, &err));
    assert_int_equal(operation.poll_seconds, 7);
    assert_fails(gcp_driver.follow(w->cloud, &operation, &err), ERR_NOT_FOUND, "not-found");
}

/* "Internal error" of the operation ends it; of the question it says nothing of the operation. */
static void an_operation_that_failed_is_not_asked_after_again(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation = {.name = "us-central1-a/operation-1"};
    fake_http_say(w->google, 500, ERROR_OF("500", "internalError"));
    fake_http_say(w->google, 200,
                  OPERATION("us-central1-a", "DONE",
                            ",\"error\":{\"errors\":[{\"code\":\"INTERNAL_ERROR\"}]}"));
    assert_fails(gcp_driver.follow(w->cloud, &operation, &err), ERR_UNREACHABLE, "server-error");
    assert_string_equal(operation.name, "us-central1-a/operation-1");
    assert_fails(gcp_driver.follow(w->cloud, &operation, &err), ERR_UNREACHABLE, "server-error");
    assert_string_equal(operation.name, "");
}

/* ---- machines ------------------------------------------------------------------------------- */

static void a_state_that_nobody_told_us_of_is_unknown_and_not_gone(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->google, 200, MACHINE(NAME, ",\"x\":{\"status\":\"RUNNING\"}"));
    fake_http_say(w->google, 200,
                  "{\"kind\":\"compute#instance\",\"name\":\"" NAME
                  "\",\"status\":\"LEVITATING\"," ZONE_OF("us-central1-a") "}");
    assert_ok(find(w, &seen, &err));
    assert_int_equal(seen.state, MACHINE_RUNNING);
    assert_ok(find(w, &seen, &err));
    assert_int_equal(seen.state, MACHINE_UNKNOWN);
    assert_string_equal(seen.state_word, "LEVITATING");
}

static void a_machine_that_cannot_be_read_is_no_machine_that_is_gone(void **state)
{
    struct world *w = *state;
    static const char *const bodies[] = {
        "{}",
        MACHINE("another-one", ""),
        MACHINE("../../x", ""),
        "{\"kind\":\"compute#instance\",\"name\":\"" NAME "\"," ZONE_OF("a/../b") "}",
        "{\"kind\":\"compute#instance\",\"id\":7,\"name\":\"" NAME
        "\"," ZONE_OF("us-central1-a") "}",
        "{\"kind\":\"compute#instance\",\"id\":\"7x\",\"name\":\"" NAME
        "\"," ZONE_OF("us-central1-a") "}",
    };
    for (size_t i = 0; i < countof(bodies); i++) {
        struct error err = {0};
        struct sighting seen;
        fake_http_say(w->google, 200, bodies[i]);
        assert_fails(find(w, &seen, &err), ERR_AMBIGUOUS, "ambiguous");
    }
}

/* "Not there" for a machine that is there would be a machine nobody pays attention to. */
static void a_machine_that_was_renamed_is_found_and_ended_by_its_label(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    for (int i = 0; i < 2; i++) {
        fake_http_say(w->google, 404, ERROR_OF("404", "notFound"));
        fake_http_say(w->google, 200, PAGE(MACHINE("renamed", LABELS), ""));
        if (i == 1)
            fake_http_say(w->google, 200, OPERATION("us-central1-a", "DONE", ""));
    }
    assert_ok(find(w, &seen, &err));
    assert_string_equal(seen.ref, "us-central1-a/renamed");
    assert_string_equal(seen.client_token, NAME);
    assert_true(seen.is_copy); /* as far as one answer can tell */
    assert_ok(gcp_driver.terminate(w->cloud, REF, "1", NULL, &err));
    assert_non_null(strstr(fake_http_heard(w->google, 4),
                           "DELETE /compute/v1/projects/p/zones/us-central1-a/instances/renamed "));
}

/* The machine has gone, and somebody made another with all its labels. */
static void a_copy_with_the_same_label_is_never_ended_in_its_place(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    static const char *const numbers[] = {"2", "", NULL};
    const char *heard;
    for (size_t i = 0; i < countof(numbers); i++) {
        fake_http_say(w->google, 404, ERROR_OF("404", "notFound"));
        if (i == 0)
            fake_http_say(w->google, 200, PAGE(MACHINE("copy", LABELS), ""));
        assert_fails(gcp_driver.terminate(w->cloud, REF, numbers[i], NULL, &err), ERR_NOT_FOUND,
                     "not-found");
    }
    fake_http_say(w->google, 404, ERROR_OF("404", "notFound"));
    fake_http_say(w->google, 200, PAGE(MACHINE("copy", LABELS), ""));
    assert_fails(gcp_driver.find(w->cloud, REF, "2", &seen, &err), ERR_NOT_FOUND, "not-found");
    for (unsigned n = 0; (heard = fake_http_heard(w->google, n)) != NULL; n++)
        assert_null(strstr(heard, "instances/copy"));
}

/* Its name is the token, so taking the labels off hides nothing. */
static void a_machine_without_labels_is_found_by_its_name(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->google, 200, PAGE(MACHINE(NAME, ""), ""));
    assert_ok(gcp_driver.find_token(w->cloud, NAME, &list, &err));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.at[0].client_token, NAME);
    assert_false(list.at[0].is_copy);
    assert_non_null(strstr(fake_http_heard(w->google, 0), "filter=%28labels.muster-token%3D" NAME
                                                          "%29%20OR%20%28name%3D" NAME "%29&"));
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void a_list_goes_on_over_empty_pages_and_ends_in_no_circle(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->google, 200, PAGE(MACHINE("a", ""), ",\"nextPageToken\":\"two\""));
    fake_http_say(w->google, 200,
                  "{\"kind\":\"compute#instanceAggregatedList\",\"nextPageToken\":\"three\"}");
    fake_http_say(w->google, 200, PAGE(MACHINE("b", ""), ""));
    assert_ok(gcp_driver.list(w->cloud, &list, &err));
    assert_int_equal(list.count, 2);
    assert_non_null(strstr(fake_http_heard(w->google, 2), "pageToken=three"));
    OWNED(sighting_list_done) struct sighting_list again = {0};
    fake_http_say(w->google, 200, PAGE(MACHINE("a", ""), ",\"nextPageToken\":\"two\""));
    fake_http_say(w->google, 200, PAGE(MACHINE("a", ""), ",\"nextPageToken\":\"two\""));
    assert_fails(gcp_driver.list(w->cloud, &again, &err), ERR_UNREACHABLE, "server-error");
    assert_int_equal(again.count, 0);
}

/* What runs in a zone that did not answer is unknown: its machines must not be taken for gone, and
 * nothing may be launched because it was not seen. */
static void a_zone_of_ours_that_did_not_answer_is_unknown_and_not_empty(void **state)
{
    struct world *w = *state;
    static const char *const bodies[] = {
        PAGE(MACHINE("a", ""), ",\"unreachables\":[\"projects/p/zones/us-central1-b\"]"),
        "{\"kind\":\"compute#instanceAggregatedList\",\"items\":{\"zones/us-central1-b\":{"
        "\"warning\":{\"code\":\"UNREACHABLE\"}},\"zones/us-central1-a\":{\"instances\":[" MACHINE(
            "a", "") "]}}}",
        PAGE(MACHINE("a", ""), ",\"unreachables\":[7]"),
    };
    for (size_t i = 0; i < countof(bodies); i++) {
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        OWNED(sighting_list_done) struct sighting_list found = {0};
        fake_http_say(w->google, 200, bodies[i]);
        assert_ok(gcp_driver.list(w->cloud, &list, &err));
        assert_true(list.partial);
        assert_int_equal(list.count, 1);
        fake_http_say(w->google, 200, bodies[i]);
        assert_fails(gcp_driver.find_token(w->cloud, NAME, &found, &err), ERR_UNREACHABLE,
                     "server-error");
    }
}

/* One page that is whole does not make up for one that was not. */
static void a_list_stays_partial_over_its_pages(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->google, 200,
                  PAGE("", ",\"nextPageToken\":\"two\",\"unreachables\":["
                           "\"projects/p/zones/us-central1-b\"]"));
    fake_http_say(w->google, 200, PAGE(MACHINE("b", ""), ""));
    assert_ok(gcp_driver.list(w->cloud, &list, &err));
    assert_true(list.partial);
}

static void a_zone_at_the_other_end_of_the_world_is_no_matter(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(
        w->google, 200,
        "{\"kind\":\"compute#instanceAggregatedList\",\"unreachables\":"
        "[\"projects/p/zones/asia-east1-a\"],\"items\":{\"zones/asia-east1-a\":{"
        "\"warning\":{\"code\":\"UNREACHABLE\"}},\"zones/us-central1-c\":{\"warning\":{"
        "\"code\":\"NO_RESULTS_ON_PAGE\"}},\"zones/us-central1-a\":{\"instances\":[" MACHINE(
            "a", "") "]}}}");
    assert_ok(gcp_driver.list(w->cloud, &list, &err));
    assert_int_equal(list.count, 1);
    assert_false(list.partial);
}

static void one_machine_that_cannot_be_read_fails_the_list(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    fake_http_say(w->google, 200, PAGE(MACHINE("a", "") ",{\"name\":7}", ""));
    fake_http_say(w->google, 200,
                  "{\"kind\":\"compute#instanceAggregatedList\",\"items\":"
                  "{\"zones/us-central1-a\":7}}");
    assert_fails(gcp_driver.list(w->cloud, &list, &err), ERR_AMBIGUOUS, "ambiguous");
    assert_fails(gcp_driver.list(w->cloud, &list, &err), ERR_AMBIGUOUS, "ambiguous");
    assert_int_equal(list.count, 0);
}

static void a_missing_permission_is_named(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(
        w->google, 403,
        "{\"error\":{\"code\":403,\"message\":\"Required 'compute.instances.get' permission "
        "for 'projects/p'\",\"errors\":[{\"reason\":\"forbidden\"}]}}");
    assert_fails(find(w, &seen, &err), ERR_DENIED, "auth");
    assert_string_equal(err.where, "compute.instances.get");
}

/* ---- tokens and maintenance ----------------------------------------------------------------- */

/* A token that was taken back is replaced once, for a 401 says that nothing was done. */
static void a_token_that_is_no_longer_taken_is_replaced_once(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->google, 200, MACHINE(NAME, ""));
    fake_http_say(w->google, 401, ERROR_OF("401", "authError"));
    fake_http_say(w->google, 200, MACHINE(NAME, ""));
    fake_http_say(w->google, 401, ERROR_OF("401", "authError"));
    fake_http_say(w->google, 401, ERROR_OF("401", "authError"));
    assert_ok(find(w, &seen, &err));
    assert_ok(find(w, &seen, &err));
    assert_non_null(strstr(fake_http_heard(w->google, 1), "Authorization: Bearer one\r\n"));
    assert_non_null(strstr(fake_http_heard(w->google, 2), "Authorization: Bearer two\r\n"));
    assert_fails(find(w, &seen, &err), ERR_DENIED, "auth");
    assert_null(fake_http_heard(w->google, 5));
    assert_null(strstr(err.text, "Bearer"));
}

static void maintenance_is_pulled_forward_only_where_it_is_ours_to_time(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
#define COMING(more)                                                                               \
    ",\"resourceStatus\":{\"upcomingMaintenance\":{\"type\":\"SCHEDULED\"" more "}}"
    fake_http_say(w->google, 200, MACHINE(NAME, ""));
    fake_http_say(w->google, 200, MACHINE(NAME, COMING(",\"canReschedule\":false")));
    fake_http_say(w->google, 200, MACHINE(NAME, COMING(",\"canReschedule\":true")));
    fake_http_say(w->google, 200, OPERATION("us-central1-a", "RUNNING", ""));
    for (int i = 0; i < 2; i++)
        assert_fails(gcp_driver.maintain(w->cloud, REF, &operation, &err), ERR_CONFLICT,
                     "state-conflict");
    assert_ok(gcp_driver.maintain(w->cloud, REF, &operation, &err));
    assert_non_null(strstr(fake_http_heard(w->google, 3), NAME "/performMaintenance "));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_token_goes_to_google_and_to_this_machine_only),
        T(a_200_that_cannot_be_read_is_never_a_no),
        T(a_server_error_leaves_a_launch_in_doubt_and_a_refusal_does_not),
        T(how_long_to_wait_is_read_or_not_believed),
        T(who_is_throttled_is_told_when_to_come_back),
        T(an_answer_of_ten_megabytes_is_left),
        T(an_operation_that_failed_is_a_failure_though_it_came_with_a_200),
        T(an_operation_on_another_host_is_asked_for_at_ours),
        T(an_operation_goes_on_until_it_says_that_it_is_done),
        T(an_operation_that_failed_is_not_asked_after_again),
        T(a_state_that_nobody_told_us_of_is_unknown_and_not_gone),
        T(a_machine_that_cannot_be_read_is_no_machine_that_is_gone),
        T(a_machine_that_was_renamed_is_found_and_ended_by_its_label),
        T(a_copy_with_the_same_label_is_never_ended_in_its_place),
        T(a_machine_without_labels_is_found_by_its_name),
        T(a_list_goes_on_over_empty_pages_and_ends_in_no_circle),
        T(a_zone_of_ours_that_did_not_answer_is_unknown_and_not_empty),
        T(a_list_stays_partial_over_its_pages),
        T(a_zone_at_the_other_end_of_the_world_is_no_matter),
        T(one_machine_that_cannot_be_read_fails_the_list),
        T(a_missing_permission_is_named),
        T(a_token_that_is_no_longer_taken_is_replaced_once),
        T(maintenance_is_pulled_forward_only_where_it_is_ours_to_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
