/* Azure at its worst: pages in circles or at other hosts, answers to something else, machines that
 * lost their tags, tokens that are refused. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/azure/azure_requests.h"
#include "drivers/driver.h"
#include "tests/support/fake_http.h"
#include "tests/support/test.h"

#define TOKEN "{\"expires_in\":3599,\"access_token\":\"tok\"}"
#define MACHINE(name)                                                                              \
    "{\"name\":\"" name "\",\"id\":\"/subscriptions/0/resourceGroups/rg/x\",\"properties\":{"      \
    "\"provisioningState\":\"Succeeded\",\"instanceView\":{\"statuses\":[{\"code\":"               \
    "\"PowerState/running\"}]}},\"tags\":{\"muster:owner\":\"tests\"}}"

struct world {
    struct fake_http *arm;
    struct account account;
    struct cloud *cloud;
    struct launch_order order;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    w->arm = fake_http_start();
    w->account = (struct account){.name = "bad",
                                  .driver = DRIVER_AZURE,
                                  .region = "westeurope",
                                  .owner = "tests",
                                  .subscription = "0",
                                  .resource_group = "rg",
                                  .subnet = "/subnet"};
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->arm));
    setenv("AZURE_TENANT_ID", "t", 1);
    setenv("AZURE_CLIENT_ID", "app", 1);
    setenv("AZURE_CLIENT_SECRET", "s3cret", 1);
    w->order = (struct launch_order){.instance = {{7}},
                                     .generation = 1,
                                     .fleet = "payments",
                                     .client_token = "vm-1",
                                     .image = "a:b:c:d",
                                     .size = "Standard_DC2as_v5"};
    assert_ok(azure_driver.open(&w->account, &w->cloud, &err));
    fake_http_say(w->arm, 200, TOKEN);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    azure_driver.close(w->cloud);
    fake_http_stop(w->arm);
    free(w);
    return 0;
}

static enum outcome launch(struct world *w, struct cloud_operation *operation, struct error *err)
{
    struct sighting machine;
    return azure_driver.launch(w->cloud, &w->order, &machine, operation, err);
}

static void say_page(struct world *w, const char *machines, const char *next)
{
    OWNED(text_done) struct text page = {0};
    text_addf(&page, "{\"value\":[%s]", machines);
    if (next != NULL)
        text_addf(&page, ",\"nextLink\":\"%s\"", next);
    text_add(&page, "}");
    fake_http_say(w->arm, 200, text_str(&page));
}

static void link_to(const struct world *w, const char *page, char out[static 128])
{
    snprintf(out, 128, "%s/more?page=%s", fake_http_url(w->arm), page);
}

/* ---- lists ---------------------------------------------------------------------------------- */

static void a_list_goes_on_over_empty_pages(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char two[128], three[128];
    OWNED(sighting_list_done) struct sighting_list list = {0};
    link_to(w, "two", two);
    link_to(w, "three", three);
    say_page(w, MACHINE("a"), two);
    say_page(w, "", three);
    say_page(w, MACHINE("b"), NULL);
    say_page(w, MACHINE("b"), NULL); /* the power states */
    assert_ok(azure_driver.list(w->cloud, &list, &err));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.at[1].state, MACHINE_RUNNING);
    assert_memory_equal(fake_http_heard(w->arm, 2), "GET /more?page=two ", 19);
}

static void pages_that_go_in_a_circle_are_left(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    char two[128];
    OWNED(sighting_list_done) struct sighting_list list = {0};
    link_to(w, "two", two);
    say_page(w, MACHINE("a"), two);
    say_page(w, MACHINE("a"), two);
    assert_fails(azure_driver.list(w->cloud, &list, &err), ERR_UNREACHABLE, "server-error");
    assert_int_equal(list.count, 0);
    assert_null(fake_http_heard(w->arm, 3));
}

/* They would get our token. */
static void pages_at_another_host_are_not_asked_for(void **state)
{
    struct world *w = *state;
    struct fake_http *thief = fake_http_start();
    char links[5][160];
    snprintf(links[0], sizeof links[0], "%s/x", fake_http_url(thief));
    snprintf(links[1], sizeof links[1], "%s@evil.example/x", fake_http_url(w->arm));
    snprintf(links[2], sizeof links[2], "https://%s/x", fake_http_url(w->arm) + 7);
    snprintf(links[3], sizeof links[3], "//evil.example/x");
    snprintf(links[4], sizeof links[4], "%s.evil.example/x", fake_http_url(w->arm));
    for (size_t i = 0; i < countof(links); i++) {
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        say_page(w, MACHINE("a"), links[i]);
        assert_fails(azure_driver.list(w->cloud, &list, &err), ERR_UNREACHABLE, "server-error");
    }
    assert_null(fake_http_heard(thief, 0));
    fake_http_stop(thief);
}

/* Somebody took the tags off: it is not listed as ours, and still found by its name. */
static void a_machine_without_tags_is_found_by_its_name_alone(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(sighting_list_done) struct sighting_list found = {0};
    static const char bare[] = "{\"name\":\"vm-1\",\"properties\":{}}";
    say_page(w, bare, NULL);
    say_page(w, bare, NULL);
    fake_http_say(w->arm, 200, bare);
    assert_ok(azure_driver.list(w->cloud, &list, &err));
    assert_int_equal(list.count, 0);
    assert_ok(azure_driver.find_token(w->cloud, "vm-1", &found, &err));
    assert_int_equal(found.count, 1);
    assert_true(uuid_is_zero(&found.at[0].instance));
}

static void an_answer_for_another_machine_is_none(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->arm, 200, MACHINE("vm-2"));
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_AMBIGUOUS,
                 "ambiguous");
}

/* ---- launches ------------------------------------------------------------------------------- */

static void a_launch_without_a_readable_answer_is_in_doubt(void **state)
{
    struct world *w = *state;
    OWNED(text_done) struct text flood = {0};
    for (int i = 0; i < 10 << 10; i++)
        text_addf(&flood, "%1024s", "");
    const struct {
        int status;
        const char *body;
    } rows[] = {
        {201, "{\"name\":\"vm-1\",\"prop"},
        {201, "<html>"},
        {201, ""},
        {201, text_str(&flood)},
        {201, MACHINE("vm-2")},
        {201, "{\"name\":\"vm-1\",\"name\":\"vm-1\",\"properties\":{}}"},
        {500, "{\"error\":{\"code\":\"InternalServerError\"}}"},
        {502, "<html>"},
        {503, ""},
        {0, ""},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        struct cloud_operation operation;
        fake_http_say(w->arm, rows[i].status, rows[i].body);
        assert_fails(launch(w, &operation, &err), ERR_AMBIGUOUS, "ambiguous");
    }
}

static void what_the_cloud_refuses_has_its_word(void **state)
{
    struct world *w = *state;
    static const struct {
        int status;
        const char *code;
        const char *word;
    } rows[] = {
        {429, "Whatever", "throttle"},        {409, "ZonalAllocationFailed", "capacity"},
        {403, "AuthorizationFailed", "auth"}, {400, "Novelty", "invalid"},
        {409, "Novelty", "state-conflict"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        struct cloud_operation operation;
        char body[128];
        snprintf(body, sizeof body, "{\"error\":{\"code\":\"%s\"}}", rows[i].code);
        while (azure_driver.turn(w->cloud, &err) != OK) /* after a throttle */
            poll(NULL, 0, (int)err.retry_ms);
        fake_http_say(w->arm, rows[i].status, body);
        assert_int_not_equal(launch(w, &operation, &err), OK);
        assert_string_equal(err.code, rows[i].word);
    }
}

/* In its own word, and not as if we had paced ourselves. */
static void who_is_throttled_is_told_when_to_come_back(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    struct sighting seen;
    fake_http_say_with(w->arm, 429, "Retry-After: 17\r\n", "{}");
    assert_fails(launch(w, &operation, &err), ERR_THROTTLED, "throttle");
    assert_true(err.retry_ms >= 17000);
    fake_http_say_with(w->arm, 429, "Retry-After: 18\r\n", "{}");
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_THROTTLED, "throttle");
    assert_true(err.retry_ms >= 18000);
}

#define OURS "07000000-0000-0000-0000-000000000000"
#define OTHERS "09000000-0000-0000-0000-000000000000"
#define EXISTS "{\"error\":{\"code\":\"PreconditionFailed\"}}"

/* The name is taken. By whom? */
static void a_machine_that_was_there_is_adopted_only_when_it_came_of_this_order(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    char hash[ARM_ORDER_SIZE], body[512];
    arm_order_hash(&w->account, &w->order, hash);
    const struct {
        const char *token;
        const char *instance;
        const char *hash;
        const char *word;
    } rows[] = {
        {"vm-1", OURS, hash, NULL},     {"vm-1", OURS, "0123", "idempotency-mismatch"},
        {"vm-9", OURS, hash, "exists"}, {"vm-1", OTHERS, hash, "exists"},
        {"", "", "", "exists"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        snprintf(body, sizeof body,
                 "{\"name\":\"vm-1\",\"properties\":{},\"tags\":{\"muster:token\":\"%s\","
                 "\"muster:instance\":\"%s\",\"muster:order\":\"%s\"}}",
                 rows[i].token, rows[i].instance, rows[i].hash);
        fake_http_say(w->arm, 412, EXISTS);
        fake_http_say(w->arm, 200, body);
        enum outcome outcome = launch(w, &operation, &err);
        assert_int_equal(outcome == OK, rows[i].word == NULL);
        if (outcome != OK)
            assert_string_equal(err.code, rows[i].word);
    }
    assert_non_null(strstr(fake_http_heard(w->arm, 1), "If-None-Match: *\r\n"));
}

/* Lists and reads lag behind: there, and not to be seen yet. */
static void a_machine_that_is_there_and_does_not_show_is_in_doubt(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    fake_http_say(w->arm, 412, EXISTS);
    fake_http_say(w->arm, 404, "{\"error\":{\"code\":\"ResourceNotFound\"}}");
    assert_fails(launch(w, &operation, &err), ERR_AMBIGUOUS, "ambiguous");
}

/* ---- operations ----------------------------------------------------------------------------- */

static void an_operation_at_another_host_is_not_followed(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct fake_http *thief = fake_http_start();
    struct cloud_operation operation;
    char headers[256];
    snprintf(headers, sizeof headers, "Azure-AsyncOperation: %s/op\r\nRetry-After: 7\r\n",
             fake_http_url(thief));
    fake_http_say_with(w->arm, 201, headers, MACHINE("vm-1"));
    assert_ok(launch(w, &operation, &err));
    assert_string_equal(operation.name, "");
    snprintf(operation.name, sizeof operation.name, "status %s/op", fake_http_url(thief));
    assert_fails(azure_driver.follow(w->cloud, &operation, &err), ERR_INVALID, "invalid");
    snprintf(operation.name, sizeof operation.name, "nonsense");
    assert_fails(azure_driver.follow(w->cloud, &operation, &err), ERR_INVALID, "invalid");
    assert_null(fake_http_heard(thief, 0));
    fake_http_stop(thief);
}

static void an_operation_is_followed_at_its_own_address_when_it_wants(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    char headers[256];
    snprintf(headers, sizeof headers,
             "Azure-AsyncOperation: %s/op?p=1&t=a%%2Bb\r\nRetry-After: 7\r\n",
             fake_http_url(w->arm));
    fake_http_say_with(w->arm, 201, headers, MACHINE("vm-1"));
    fake_http_say_with(w->arm, 200, "Retry-After: 3\r\n", "{\"status\":\"InProgress\"}");
    fake_http_say(w->arm, 200, "{\"status\":\"Succeeded\"}");
    assert_ok(launch(w, &operation, &err));
    assert_int_equal(operation.poll_seconds, 7);
    assert_ok(azure_driver.follow(w->cloud, &operation, &err));
    assert_int_equal(operation.poll_seconds, 3);
    assert_string_not_equal(operation.name, "");
    assert_ok(azure_driver.follow(w->cloud, &operation, &err));
    assert_string_equal(operation.name, "");
    assert_memory_equal(fake_http_heard(w->arm, 2), "GET /op?p=1&t=a%2Bb ", 20);
}

/* What is wrong with the operation ends it; what is wrong with the question does not. */
static void an_operation_that_failed_is_not_asked_after_again(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    char name[OPERATION_SIZE];
    snprintf(name, sizeof name, "status %s/op", fake_http_url(w->arm));
    memcpy(operation.name, name, sizeof name);
    fake_http_say(w->arm, 500, "{\"error\":{\"code\":\"InternalServerError\"}}");
    fake_http_say(w->arm, 200, "{\"status\":");
    fake_http_say(w->arm, 200,
                  "{\"status\":\"Failed\",\"error\":{\"code\":\"InternalExecutionError\"}}");
    assert_fails(azure_driver.follow(w->cloud, &operation, &err), ERR_UNREACHABLE, "server-error");
    assert_string_equal(operation.name, name);
    assert_fails(azure_driver.follow(w->cloud, &operation, &err), ERR_AMBIGUOUS, "ambiguous");
    assert_string_equal(operation.name, name);
    assert_fails(azure_driver.follow(w->cloud, &operation, &err), ERR_UNREACHABLE, "server-error");
    assert_string_equal(operation.name, "");
}

static void an_operation_that_has_a_location_only_is_done_when_it_is_no_202(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    char headers[256];
    snprintf(headers, sizeof headers, "Location: %s/op\r\n", fake_http_url(w->arm));
    fake_http_say_with(w->arm, 202, headers, "");
    fake_http_say(w->arm, 202, "");
    fake_http_say(w->arm, 204, "");
    assert_ok(azure_driver.stop(w->cloud, "vm-1", &operation, &err));
    assert_ok(azure_driver.follow(w->cloud, &operation, &err));
    assert_string_not_equal(operation.name, "");
    assert_ok(azure_driver.follow(w->cloud, &operation, &err));
    assert_string_equal(operation.name, "");
}

/* Else what was only just made, and does not show yet, would count as ended by this order. */
static void an_order_to_end_what_is_not_there_says_so(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    fake_http_say(w->arm, 204, "");
    assert_fails(azure_driver.terminate(w->cloud, "vm-1", NULL, &operation, &err), ERR_NOT_FOUND,
                 "not-found");
    assert_string_equal(operation.name, "");
}

/* ---- tokens --------------------------------------------------------------------------------- */

/* {"access_token":{}} in base64 */
#define CHALLENGE "WWW-Authenticate: Bearer claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"\r\n"

static void a_token_that_is_refused_is_renewed_once(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->arm, 200, MACHINE("vm-1"));
    fake_http_say(w->arm, 401, "{\"error\":{\"code\":\"ExpiredAuthenticationToken\"}}");
    fake_http_say(w->arm, 200, "{\"expires_in\":3599,\"access_token\":\"tok2\"}");
    fake_http_say(w->arm, 200, MACHINE("vm-1"));
    assert_ok(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err));
    assert_ok(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err));
    assert_non_null(strstr(fake_http_heard(w->arm, 4), "Authorization: Bearer tok2\r\n"));
}

static void a_new_token_that_is_refused_is_the_end(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say(w->arm, 401, "{\"error\":{\"code\":\"InvalidAuthenticationToken\"}}");
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_DENIED, "auth");
    assert_null(fake_http_heard(w->arm, 2));
}

static void claims_that_are_asked_for_are_answered(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    fake_http_say_with(w->arm, 401, CHALLENGE, "{}");
    fake_http_say(w->arm, 200, TOKEN);
    fake_http_say_with(w->arm, 401, CHALLENGE, "{}");
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_DENIED, "auth");
    assert_non_null(strstr(fake_http_heard(w->arm, 2), "claims=%7B%22access_token%22%3A%7B%7D%7D"));
    assert_null(fake_http_heard(w->arm, 4));
}

/* {"access_token":{"xms_cc":"yyy..."}} with so many y, in base64, as a header. */
static char *challenge_of(size_t len)
{
    struct text header = {0};
    OWNED(text_done) struct text claims = {0};
    text_add(&claims, "{\"access_token\":{\"xms_cc\":\"");
    for (size_t i = 0; i < len; i++)
        text_add(&claims, "y");
    text_add(&claims, "\"}}");
    text_add(&header, "WWW-Authenticate: Bearer claims=\"");
    text_add_base64(&header, text_span(&claims));
    text_add(&header, "\"\r\n");
    return text_take(&header);
}

static void long_claims_are_answered_whole(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    OWNED(mem_drop) char *challenge = challenge_of(6000);
    fake_http_say_with(w->arm, 401, challenge, "{}");
    fake_http_say(w->arm, 200, TOKEN);
    fake_http_say(w->arm, 200, MACHINE("vm-1"));
    assert_ok(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err));
    const char *claims = strstr(fake_http_heard(w->arm, 2), "claims=");
    assert_non_null(claims);
    assert_non_null(strstr(claims, "yyy%22%7D%7D"));
    assert_int_equal(strspn(strstr(claims, "yyy"), "y"), 6000);
}

static void claims_that_are_too_long_or_none_are_not_answered(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    OWNED(mem_drop) char *flood = challenge_of(20000);
    const char *challenges[] = {flood,
                                "WWW-Authenticate: Bearer claims=\"eyJhIjo=\"\r\n", /* {"a": */
                                "WWW-Authenticate: Bearer claims=\"W10=\"\r\n"};    /* [] */
    for (size_t i = 0; i < countof(challenges); i++) {
        fake_http_say_with(w->arm, 401, challenges[i], "{}");
        assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_DENIED, "auth");
        fake_http_say(w->arm, 200, TOKEN);
    }
    for (unsigned n = 0; fake_http_heard(w->arm, n) != NULL; n++)
        assert_null(strstr(fake_http_heard(w->arm, n), "claims="));
}

/* Without a token nothing was sent: that is never "perhaps". */
static void a_launch_without_a_token_was_no_launch(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    struct fake_http *away = w->arm;
    azure_driver.close(w->cloud);
    w->arm = fake_http_start();
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->arm));
    assert_ok(azure_driver.open(&w->account, &w->cloud, &err));
    fake_http_say(w->arm, 0, "");
    assert_fails(launch(w, &operation, &err), ERR_UNREACHABLE, "server-error");
    assert_null(fake_http_heard(w->arm, 1));
    fake_http_stop(away);
}

/* ---- whose it is ---------------------------------------------------------------------------- */

/* From now on the account knows whose it is. */
static void know(struct world *w, const char *whose)
{
    struct error err = {0};
    azure_driver.close(w->cloud);
    snprintf(w->account.cloud_account, sizeof w->account.cloud_account, "%s", whose);
    assert_ok(azure_driver.open(&w->account, &w->cloud, &err));
}

/* A subscription may move to another tenant, and credentials may be of one that sees its like. */
static void a_subscription_of_another_tenant_is_somebody_elses(void **state)
{
    static const char *const others[] = {
        "{\"subscriptionId\":\"0\",\"tenantId\":\"t2\"}",
        "{\"subscriptionId\":\"1\",\"tenantId\":\"t1\"}",
        "{\"subscriptionId\":\"0/t1\",\"tenantId\":\"t1\"}",
        "{\"subscriptionId\":\"0\"}",
        "{\"subscriptionId\":\"0\",\"tenantId\":\"\"}",
    };
    struct world *w = *state;
    struct error err = {0};
    struct cloud_operation operation;
    know(w, "0/t1");
    for (size_t i = 0; i < countof(others); i++) {
        fake_http_say(w->arm, 200, others[i]);
        assert_fails(launch(w, &operation, &err), ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT);
        assert_memory_equal(fake_http_heard(w->arm, (unsigned)i + 1), "GET /subscriptions/0?", 21);
    }
    assert_null(fake_http_heard(w->arm, countof(others) + 1));
}

static void a_tenant_is_known_by_any_capitals_and_asked_once_a_token(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    know(w, "0/T1");
    fake_http_say(w->arm, 200, "{\"subscriptionId\":\"0\",\"tenantId\":\"t1\"}");
    for (unsigned n = 2; n < 5; n++) {
        fake_http_say(w->arm, 200, MACHINE("vm-1"));
        assert_ok(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err));
        assert_non_null(strstr(fake_http_heard(w->arm, n), "virtualMachines/vm-1"));
    }
    assert_null(fake_http_heard(w->arm, 5));
}

/* It was seen by its own credentials before, so these are not its own. */
static void a_subscription_that_is_not_shown_is_somebody_elses(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct sighting seen;
    know(w, "0/t1");
    fake_http_say(w->arm, 403, "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}");
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_UNREACHABLE,
                 WRONG_CLOUD_ACCOUNT);
    fake_http_say(w->arm, 404, "{\"error\":{\"code\":\"SubscriptionNotFound\",\"message\":\"m\"}}");
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_UNREACHABLE,
                 WRONG_CLOUD_ACCOUNT);
    fake_http_say(w->arm, 503, "{}"); /* which says nothing of it */
    assert_fails(azure_driver.find(w->cloud, "vm-1", NULL, &seen, &err), ERR_UNREACHABLE,
                 "server-error");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_list_goes_on_over_empty_pages),
        T(pages_that_go_in_a_circle_are_left),
        T(pages_at_another_host_are_not_asked_for),
        T(a_machine_without_tags_is_found_by_its_name_alone),
        T(an_answer_for_another_machine_is_none),
        T(a_launch_without_a_readable_answer_is_in_doubt),
        T(what_the_cloud_refuses_has_its_word),
        T(who_is_throttled_is_told_when_to_come_back),
        T(a_machine_that_was_there_is_adopted_only_when_it_came_of_this_order),
        T(a_machine_that_is_there_and_does_not_show_is_in_doubt),
        T(an_operation_at_another_host_is_not_followed),
        T(an_operation_is_followed_at_its_own_address_when_it_wants),
        T(an_operation_that_failed_is_not_asked_after_again),
        T(an_operation_that_has_a_location_only_is_done_when_it_is_no_202),
        T(an_order_to_end_what_is_not_there_says_so),
        T(a_token_that_is_refused_is_renewed_once),
        T(a_new_token_that_is_refused_is_the_end),
        T(claims_that_are_asked_for_are_answered),
        T(long_claims_are_answered_whole),
        T(claims_that_are_too_long_or_none_are_not_answered),
        T(a_launch_without_a_token_was_no_launch),
        T(a_subscription_of_another_tenant_is_somebody_elses),
        T(a_tenant_is_known_by_any_capitals_and_asked_once_a_token),
        T(a_subscription_that_is_not_shown_is_somebody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
