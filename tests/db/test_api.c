/* Who may ask the API, how requests are read, and how it says that it is well. */
#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/routes.h"
#include "db/audit_store.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

/* ---- who may --------------------------------------------------------------------------------- */

static void without_a_token_only_health_and_the_document_are_served(void **state)
{
    (void)state;
    static const char *const open[] = {"/healthz", "/openapi.json"};
    static const char *const closed[] = {"/metrics", "/v1/fleets", "/v1/audit", "/v1/charter"};
    struct ask nobody = {0};
    for (size_t i = 0; i < countof(open); i++) {
        OWNED(told_done) struct told told = ask_with(&nobody, "GET", open[i], NULL);
        assert_told(told, 200);
    }
    for (size_t i = 0; i < countof(closed); i++) {
        OWNED(told_done) struct told told = ask_with(&nobody, "GET", closed[i], NULL);
        assert_problem(told, 401, "unauthenticated");
    }
}

/* Everybody may know what is signed with what, once a keeper has said it. */
static void the_keys_are_for_everybody(void **state)
{
    (void)state;
    struct ask nobody = {0};
    OWNED(json_drop) json_t *keys = json_pack("{s:[],s:[s]}", "keys", "signed_jwks", "e30.e30.e30");
    OWNED(told_done) struct told before = ask_with(&nobody, "GET", "/.well-known/jwks.json", NULL);
    assert_problem(before, 503, "no-keeper");
    ask_fake.keys = keys;
    OWNED(told_done) struct told told = ask_with(&nobody, "GET", "/.well-known/jwks.json", NULL);
    ask_fake.keys = NULL;
    assert_told(told, 200);
    assert_true(json_equal(told.body, keys));
}

static void every_route_refuses_every_role_it_does_not_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++)
        for (int role = 0; role < CALLER_ROLE_COUNT; role++) {
            if (routes[i].may == MAY_ANYBODY || (routes[i].may & 1U << role) != 0)
                continue;
            char target[128];
            snprintf(target, sizeof target, "%s", routes[i].pattern);
            for (char *c = target; (c = strpbrk(c, "{}")) != NULL;)
                *c = 'x';
            OWNED(told_done)
            struct told told = ask_as((enum caller_role)role, routes[i].method, target, NULL);
            assert_problem(told, 403, "role-missing");
        }
}

static int64_t refusals_audited(void)
{
    struct error err = {0};
    struct audit_entry_list list = {0};
    assert_ok(audit_store_trace(ask_db, "api", 1000, &list, &err));
    int64_t n = (int64_t)list.count;
    audit_entry_list_done(&list);
    return n;
}

/* Guessing is counted and audited up to a budget, then only refused; others go on. */
static void bad_tokens_are_audited_and_then_held_off_while_good_ones_pass(void **state)
{
    (void)state;
    struct ask guess = {.authorization = "Bearer muster_guessed", .address = "198.51.100.7"};
    int64_t before = refusals_audited();
    for (int i = 0; i < AUTH_BAD_TOKENS_AT_ONCE; i++) {
        OWNED(told_done) struct told told = ask_with(&guess, "GET", "/v1/fleets", NULL);
        assert_problem(told, 401, "unauthenticated");
    }
    OWNED(told_done) struct told held = ask_with(&guess, "GET", "/v1/fleets", NULL);
    assert_problem(held, 429, "too-many-attempts");
    assert_true(held.reply.retry_after_seconds > 0);
    assert_int_equal(refusals_audited() - before, AUTH_BAD_TOKENS_AT_ONCE);
    guess.authorization = ask_tokens[CALLER_VIEWER];
    OWNED(told_done) struct told good = ask_with(&guess, "GET", "/v1/fleets", NULL);
    assert_told(good, 200);
}

static void other_schemes_and_overlong_tokens_are_refused(void **state)
{
    (void)state;
    char long_token[512] = "Bearer ";
    memset(long_token + 7, 'a', sizeof long_token - 8);
    const char *const bad[] = {"Basic YTpi", "Bearer", "", long_token, "Bearer "};
    for (size_t i = 0; i < countof(bad); i++) {
        struct ask with = {.authorization = bad[i], .address = "198.51.100.8"};
        OWNED(told_done) struct told told = ask_with(&with, "GET", "/v1/fleets", NULL);
        assert_problem(told, 401, "unauthenticated");
    }
}

/* ---- how requests are read ------------------------------------------------------------------- */

static void unknown_paths_methods_and_parameters_are_told_apart(void **state)
{
    (void)state;
    ask_refused("GET", "/v1/nothing", NULL, 404, "no-such-route", "");
    ask_refused("PATCH", "/v1/fleets", "{}", 405, "wrong-method", "");
    ask_refused("GET", "/v1/fleets?page=2", NULL, 400, "unknown-parameter", "?page");
    ask_refused("GET", "/v1/fleets?limit=0", NULL, 400, "bad-parameter", "?limit");
    ask_refused("GET", "/v1/fleets?limit=1001", NULL, 400, "bad-parameter", "?limit");
    ask_refused("GET", "/v1/fleets?cursor=zzzz", NULL, 400, "bad-cursor", "?cursor");
    static const char *const lists[] = {"accounts",  "images",  "fleets",
                                        "instances", "secrets", "audit"};
    for (size_t i = 0; i < countof(lists); i++) {
        char target[64];
        snprintf(target, sizeof target, "/v1/%s?cursor=", lists[i]);
        ask_refused("GET", target, NULL, 400, "bad-cursor", "?cursor");
    }
    ask_refused("GET", "/v1/instances?phase=dancing", NULL, 400, "bad-parameter", "?phase");
    OWNED(told_done) struct told options = ask("OPTIONS", "/v1/fleets", NULL);
    assert_told(options, 204);
    assert_string_equal(options.reply.allow, "HEAD, GET, POST, OPTIONS");
}

static void bodies_that_are_not_one_json_object_are_refused(void **state)
{
    (void)state;
    struct ask form = {.authorization = ask_tokens[CALLER_ADMIN], .content_type = "text/plain"};
    OWNED(told_done) struct told told = ask_with(&form, "POST", "/v1/fleets", "{}");
    assert_problem(told, 415, "not-json");
    ask_refused("POST", "/v1/fleets", "[]", 422, "wrong-type", "");
    static const char *const bad[] = {"{", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}",
                                      "\xff\xfe"};
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(told_done) struct told broken = ask("POST", "/v1/fleets", bad[i]);
        assert_true(broken.status == 400 || broken.status == 422);
    }
    ask_refused("GET", "/v1/fleets", "{}", 400, "bad-request", "");
}

static void unknown_members_are_refused_with_their_path(void **state)
{
    (void)state;
    ask_refused("POST", "/v1/images",
                "{\"name\":\"a\",\"driver\":\"aws\",\"ref\":\"b\",\"sise\":1}", 422,
                "unknown-member", "/sise");
    ask_refused("POST", "/v1/accounts",
                "{\"name\":\"a\",\"driver\":\"aws\",\"region\":\"r\","
                "\"credentials\":{\"source\":\"environment\",\"key\":\"x\"}}",
                422, "unknown-member", "/credentials/key");
    ask_refused("POST", "/v1/charter", "{\"jws\":\"a\",\"force\":true}", 422, "unknown-member",
                "/force");
}

/* ---- health ---------------------------------------------------------------------------------- */

static void ready_means_database_keeper_and_charter(void **state)
{
    (void)state;
    OWNED(told_done) struct told bare = ask("GET", "/readyz", NULL);
    assert_told(bare, 503);
    assert_true(json_is_true(json_object_get(bare.body, "database")));
    assert_true(json_is_false(json_object_get(bare.body, "keeper")));
    ask_fake.keepers = (struct service_keepers){.connected = 1, .charter_serial = 1};
    OWNED(told_done) struct told ready = ask("GET", "/readyz", NULL);
    assert_told(ready, 200);
    assert_true(json_is_true(json_object_get(ready.body, "ready")));
}

static void without_a_database_it_says_so_and_lives(void **state)
{
    (void)state;
    ask_database("host=/nowhere dbname=none");
    OWNED(told_done) struct told alive = ask("GET", "/healthz", NULL);
    assert_told(alive, 200);
    OWNED(told_done) struct told ready = ask("GET", "/readyz", NULL);
    assert_told(ready, 503);
    OWNED(told_done) struct told fleets = ask("GET", "/v1/fleets", NULL);
    assert_problem(fleets, 503, "database-unreachable");
    ask_database(NULL);
}

/* Host, user and socket of it are nobody's business. */
static void what_the_database_said_is_for_the_log(void **state)
{
    (void)state;
    struct http_reply reply = {0};
    const struct http_call call = {.id = "test"};
    struct error err = {0};
    error_fill(&err, ERR_UNREACHABLE, "database-unreachable", "",
               "connection to server at \"db.internal\" failed: user \"muster\"");
    http_reply_problem(&reply, &call, NULL, &err);
    bytes_add_u8(&reply.body, '\0');
    assert_null(strstr((const char *)reply.body.at, "db.internal"));
    assert_non_null(strstr((const char *)reply.body.at, "database-unreachable"));
    bytes_done(&reply.body);
}

static void metrics_are_in_prometheus_form(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask_as(CALLER_VIEWER, "GET", "/metrics", NULL);
    assert_told(told, 200);
    bytes_add_u8(&told.reply.body, '\0');
    assert_non_null(strstr((const char *)told.reply.body.at, "# TYPE muster_http_requests_total"));
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(without_a_token_only_health_and_the_document_are_served),
        QUIET(the_keys_are_for_everybody),
        QUIET(every_route_refuses_every_role_it_does_not_name),
        QUIET(bad_tokens_are_audited_and_then_held_off_while_good_ones_pass),
        QUIET(other_schemes_and_overlong_tokens_are_refused),
        QUIET(unknown_paths_methods_and_parameters_are_told_apart),
        QUIET(bodies_that_are_not_one_json_object_are_refused),
        QUIET(unknown_members_are_refused_with_their_path),
        QUIET(ready_means_database_keeper_and_charter),
        QUIET(without_a_database_it_says_so_and_lives),
        QUIET(what_the_database_said_is_for_the_log),
        QUIET(metrics_are_in_prometheus_form),
    };
    return cmocka_run_group_tests_name("api", tests, ask_open, ask_close);
}
