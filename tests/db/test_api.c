#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api.h"
#include "controller/routes.h"
#include "db/audit_store.h"
#include "db/caller_store.h"
#include "db/charter_store.h"
#include "db/verdict_store.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"
#include "lib/crypto/token.h"
#include "lib/model/charter.h"
#include "lib/model/verdict.h"
#include "tests/support/database.h"
#include "tests/support/openapi.h"
#include "tests/support/test.h"

/* ---- a service that does as it is told ------------------------------------------------------ */

static struct fake {
    int generated, charters, attested, woken;
    enum outcome outcome; /* of the next calls */
    const char *code;
    struct service_keepers keepers;
} fake;

static enum outcome fake_says(struct error *err)
{
    if (fake.outcome == OK)
        return OK;
    error_fill(err, fake.outcome, fake.code, "", "told to");
    return fake.outcome;
}

static enum outcome fake_generate(struct service *service, const struct generate_wish *wish,
                                  struct generate_reply *out, struct error *err)
{
    (void)service;
    fake.generated++;
    TRY(fake_says(err));
    assert_int_equal(wish->version, 1);
    bytes_add(&out->record, span_of_text("ciphertext"));
    memset(out->check, 0xab, sizeof out->check);
    return OK;
}

static enum outcome fake_charter(struct service *service, const char *jws, int64_t *out_serial,
                                 struct error *err)
{
    (void)service;
    (void)jws;
    fake.charters++;
    *out_serial = 1;
    return fake_says(err);
}

static void fake_keepers(struct service *service, struct service_keepers *out)
{
    (void)service;
    *out = fake.keepers;
}

static enum outcome fake_attest(struct service *service, const struct uuid *id, const char *why,
                                struct error *err)
{
    (void)service;
    (void)id;
    (void)why;
    fake.attested++;
    return fake_says(err);
}

static void fake_wake(struct service *service)
{
    (void)service;
    fake.woken++;
}

/* ---- asking without a socket ---------------------------------------------------------------- */

static struct db *db;
static struct api api;
static struct http_owner owner;
static void *thread;
static char tokens[CALLER_ROLE_COUNT][CALLER_TOKEN_MAX + 8]; /* with "Bearer " */

struct ask {
    const char *authorization;
    const char *key;
    const char *if_match;
    const char *content_type;
    const char *address;
};

struct told {
    int status;
    json_t *body;
    struct http_reply reply;
    const char *code;  /* of a problem, else "" */
    const char *where; /* the same */
};

static void told_done(struct told *told)
{
    json_decref(told->body);
    bytes_done(&told->reply.body);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* Whatever is answered must be as openapi.json says. */
static void hold_to_document(const struct http_call *call, const struct told *told)
{
    struct error err = {0};
    const struct route *route;
    const char *args[REQUEST_ARGS_MAX];
    char allow[96];
    OWNED(json_drop) json_t *document = NULL;
    if (route_find(call->method, call->target, &route, args, allow, sizeof allow, &err) != OK)
        return;
    assert_ok(json_parse(span_of_text(openapi_json), 1 << 20, &document, &err));
    const char *type = told->reply.content_type;
    assert_answer_is_documented(document, route->method, route->pattern, told->status,
                                type != NULL ? type : "application/json", told->body);
}

static struct told ask_with(const struct ask *with, const char *method, const char *target,
                            const char *body)
{
    struct error err = {0};
    struct told told = {0};
    struct http_target parsed = {0};
    assert_ok(http_target_parse(target, &parsed, &err));
    struct http_call call = {
        .method = method,
        .raw_target = target,
        .target = &parsed,
        .body = body != NULL ? span_of_text(body) : (struct span){0},
        .content_type = with->content_type != NULL ? with->content_type : "application/json",
        .authorization = with->authorization,
        .idempotency_key = with->key,
        .if_match = with->if_match,
        .id = "test",
    };
    snprintf(call.address, sizeof call.address, "%s",
             with->address != NULL ? with->address : "192.0.2.1");
    owner.answer(thread, &call, &told.reply);
    told.status = told.reply.status;
    if (told.reply.body.len > 0)
        error_ignore(json_parse(bytes_span(&told.reply.body), 1 << 20, &told.body, NULL));
    told.code = member(told.body, "code");
    told.where = member(told.body, "where");
    hold_to_document(&call, &told);
    http_target_done(&parsed);
    return told;
}

static struct told ask_as(enum caller_role role, const char *method, const char *target,
                          const char *body)
{
    struct ask with = {.authorization = tokens[role]};
    return ask_with(&with, method, target, body);
}

static struct told ask(const char *method, const char *target, const char *body)
{
    return ask_as(CALLER_ADMIN, method, target, body);
}

#define assert_told(told, expected)                                                                \
    do {                                                                                           \
        if ((told).status != (expected))                                                           \
            fail_msg("%d, not %d: %.*s", (told).status, (expected), (int)(told).reply.body.len,    \
                     (const char *)(told).reply.body.at);                                          \
    } while (0)

#define assert_problem(told, expected_status, expected_code)                                       \
    do {                                                                                           \
        assert_told((told), (expected_status));                                                    \
        assert_string_equal((told).code, (expected_code));                                         \
        assert_string_equal((told).reply.content_type, "application/problem+json");                \
    } while (0)

/* Ask, look at the status, forget. */
static void does(const char *method, const char *target, const char *body, int status)
{
    OWNED(told_done) struct told told = ask(method, target, body);
    assert_told(told, status);
}

static void refuses(const char *method, const char *target, const char *body, int status,
                    const char *code, const char *where)
{
    OWNED(told_done) struct told told = ask(method, target, body);
    assert_problem(told, status, code);
    assert_string_equal(told.where, where);
}

/* ---- a little world ------------------------------------------------------------------------- */

#define ACCOUNT                                                                                    \
    "{\"name\":\"acme\",\"driver\":\"aws\",\"region\":\"eu-west-1\","                              \
    "\"credentials\":{\"source\":\"environment\"}}"
#define IMAGE "{\"name\":\"stock\",\"driver\":\"aws\",\"ref\":\"ami-0abc\"}"
#define FLEET(name, desired)                                                                       \
    "{\"name\":\"" name "\",\"desired\":" desired ",\"account\":\"acme\",\"image\":\"stock\","     \
    "\"size\":\"m6a.large\",\"policy\":\"web\",\"secrets\":[\"web-key\"]}"

static const char *actor = "test:me";

static struct instance instance_of(const char *fleet)
{
    struct error err = {0};
    struct instance made = {0};
    struct uuid id = uuid_new();
    struct instance_order order = {.project = "default",
                                   .fleet = fleet,
                                   .account = "acme",
                                   .image = "stock",
                                   .size = "m6a.large",
                                   .policy = "web",
                                   .region = "eu-west-1",
                                   .ids = &id,
                                   .count = 1};
    OWNED(transaction_end) struct transaction tx = {0};
    assert_ok(transaction_begin(db, &tx, &err));
    assert_ok(instance_store_add_many(db, &order, actor, &err));
    assert_ok(instance_store_find(db, &id, &made, &err));
    assert_ok(transaction_commit(&tx, &err));
    return made;
}

static struct uuid verdict_of(const struct instance *instance)
{
    struct error err = {0};
    struct verdict_row row = {.instance = instance->id,
                              .project = "default",
                              .kind = "simulated",
                              .verdict = "trusted",
                              .reason = "ok",
                              .level = LEVEL_1,
                              .hardware = SOURCE_HARDWARE,
                              .simulated = true,
                              .policy = "web",
                              .charter_serial = 1,
                              .keeper = "0102030405060708",
                              .nonce_issued = moment_add_seconds(clock_now(), -30),
                              .valid_until = moment_add_seconds(clock_now(), 600)};
    row.claims = json_pack("{s:{s:[s], s:[s]}}", "muster", "missing", "software", "residuals",
                           "provider-firmware");
    row.checks = json_array();
    row.token = mem_text("eyJ.the.token");
    memcpy(row.link_key, instance->id.at, sizeof instance->id.at);
    memset(row.sealing_key, 2, sizeof row.sealing_key);
    assert_ok(verdict_store_record(db, &row, span_of_text("evidence bytes"), actor, NULL, &err));
    struct uuid id = row.id;
    verdict_row_done(&row);
    return id;
}

static int open_world(void **state)
{
    (void)state;
    struct error err = {0};
    log_set_level(LOG_ERROR); /* warnings are what these tests cause */
    db = database_open();
    for (int role = 0; role < CALLER_ROLE_COUNT; role++) {
        struct caller caller;
        char token[CALLER_TOKEN_MAX];
        assert_ok(caller_make("default", (enum caller_role)role, name_of(&caller_role_names, role),
                              &caller, token, &err));
        assert_ok(caller_store_add(db, &caller, actor, &err));
        snprintf(tokens[role], sizeof tokens[role], "Bearer %s", token);
    }
    api = (struct api){.database = database_url(),
                       .project = "default",
                       .guard = auth_guard_new(),
                       .service = {.generate = fake_generate,
                                   .charter = fake_charter,
                                   .keepers = fake_keepers,
                                   .attest = fake_attest,
                                   .wake = fake_wake}};
    owner = api_http_owner(&api);
    thread = owner.thread_open(owner.owner);
    does("POST", "/v1/accounts", ACCOUNT, 201);
    does("POST", "/v1/images", IMAGE, 201);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    owner.thread_close(thread);
    auth_guard_free(api.guard);
    db_close(db);
    return 0;
}

static int quiet(void **state)
{
    (void)state;
    fake = (struct fake){0};
    return 0;
}

/* ---- who may ------------------------------------------------------------------------------- */

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
    assert_ok(audit_store_trace(db, "api", 1000, &list, &err));
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
    guess.authorization = tokens[CALLER_VIEWER];
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

/* ---- how requests are read ------------------------------------------------------------------ */

static void unknown_paths_methods_and_parameters_are_told_apart(void **state)
{
    (void)state;
    refuses("GET", "/v1/nothing", NULL, 404, "no-such-route", "");
    refuses("PATCH", "/v1/fleets", "{}", 405, "wrong-method", "");
    refuses("GET", "/v1/fleets?page=2", NULL, 400, "unknown-parameter", "?page");
    refuses("GET", "/v1/fleets?limit=0", NULL, 400, "bad-parameter", "?limit");
    refuses("GET", "/v1/fleets?limit=1001", NULL, 400, "bad-parameter", "?limit");
    refuses("GET", "/v1/fleets?cursor=zzzz", NULL, 400, "bad-cursor", "?cursor");
    refuses("GET", "/v1/instances?phase=dancing", NULL, 400, "bad-parameter", "?phase");
    OWNED(told_done) struct told options = ask("OPTIONS", "/v1/fleets", NULL);
    assert_told(options, 204);
    assert_string_equal(options.reply.allow, "HEAD, GET, POST, OPTIONS");
}

static void bodies_that_are_not_one_json_object_are_refused(void **state)
{
    (void)state;
    struct ask form = {.authorization = tokens[CALLER_ADMIN], .content_type = "text/plain"};
    OWNED(told_done) struct told told = ask_with(&form, "POST", "/v1/fleets", "{}");
    assert_problem(told, 415, "not-json");
    refuses("POST", "/v1/fleets", "[]", 422, "wrong-type", "");
    static const char *const bad[] = {"{", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}",
                                      "\xff\xfe"};
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(told_done) struct told broken = ask("POST", "/v1/fleets", bad[i]);
        assert_true(broken.status == 400 || broken.status == 422);
    }
    refuses("GET", "/v1/fleets", "{}", 400, "bad-request", "");
}

static void unknown_members_are_refused_with_their_path(void **state)
{
    (void)state;
    refuses("POST", "/v1/images", "{\"name\":\"a\",\"driver\":\"aws\",\"ref\":\"b\",\"sise\":1}",
            422, "unknown-member", "/sise");
    refuses("POST", "/v1/accounts",
            "{\"name\":\"a\",\"driver\":\"aws\",\"region\":\"r\","
            "\"credentials\":{\"source\":\"environment\",\"key\":\"x\"}}",
            422, "unknown-member", "/credentials/key");
    refuses("POST", "/v1/charter", "{\"jws\":\"a\",\"force\":true}", 422, "unknown-member",
            "/force");
}

/* ---- fleets -------------------------------------------------------------------------------- */

static void a_fleet_is_added_scaled_and_removed(void **state)
{
    (void)state;
    OWNED(told_done) struct told added = ask("POST", "/v1/fleets", FLEET("web", "3"));
    assert_told(added, 201);
    assert_string_equal(added.reply.location, "/v1/fleets/web");
    assert_string_equal(added.reply.etag, "\"1\"");
    assert_true(fake.woken > 0);
    OWNED(told_done) struct told scaled = ask("PUT", "/v1/fleets/web", "{\"desired\":5}");
    assert_told(scaled, 200);
    assert_int_equal(json_integer_value(json_object_get(scaled.body, "desired")), 5);
    assert_string_equal(member(scaled.body, "size"), "m6a.large");
    does("DELETE", "/v1/fleets/web", NULL, 202);
}

static void a_fleet_twice_or_of_unknown_things_is_refused(void **state)
{
    (void)state;
    does("POST", "/v1/fleets", FLEET("twice", "0"), 201);
    OWNED(told_done) struct told again = ask("POST", "/v1/fleets", FLEET("twice", "0"));
    assert_problem(again, 409, "exists");
    OWNED(told_done)
    struct told lost = ask(
        "POST", "/v1/fleets",
        "{\"name\":\"lost\",\"desired\":1,\"account\":\"none\",\"image\":\"stock\",\"size\":\"s\","
        "\"policy\":\"web\"}");
    assert_problem(lost, 422, "no-such-reference");
    refuses("POST", "/v1/fleets", FLEET("many", "10001"), 422, "out-of-range", "/desired");
    refuses("PUT", "/v1/fleets/twice", "{\"name\":\"other\"}", 422, "name-is-fixed", "/name");
    refuses("PUT", "/v1/fleets/twice", "{\"count\":3}", 422, "unknown-member", "/count");
    refuses("GET", "/v1/fleets/absent", NULL, 404, "not-found", "");
}

static void if_match_refuses_what_was_meant_for_an_older_state(void **state)
{
    (void)state;
    does("POST", "/v1/fleets", FLEET("tagged", "1"), 201);
    struct ask with = {.authorization = tokens[CALLER_OPERATOR], .if_match = "\"1\""};
    OWNED(told_done)
    struct told first = ask_with(&with, "PUT", "/v1/fleets/tagged", "{\"desired\":2}");
    assert_told(first, 200);
    assert_string_equal(first.reply.etag, "\"2\"");
    OWNED(told_done)
    struct told late = ask_with(&with, "PUT", "/v1/fleets/tagged", "{\"desired\":3}");
    assert_problem(late, 412, "changed-meanwhile");
    OWNED(told_done) struct told gone = ask_with(&with, "DELETE", "/v1/fleets/tagged", NULL);
    assert_problem(gone, 412, "changed-meanwhile");
    with.if_match = "W/\"2\"";
    OWNED(told_done)
    struct told weak = ask_with(&with, "PUT", "/v1/fleets/tagged", "{\"desired\":3}");
    assert_problem(weak, 400, "bad-request");
}

static void a_dry_run_says_what_would_be_and_changes_nothing(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask("POST", "/v1/fleets?dry_run=true", FLEET("dry", "4"));
    assert_told(told, 200);
    assert_true(json_is_true(json_object_get(told.body, "dry_run")));
    assert_int_equal(json_integer_value(json_object_get(told.body, "launch")), 4);
    does("GET", "/v1/fleets/dry", NULL, 404);
    does("POST", "/v1/fleets", FLEET("dry", "1"), 201);
    instance_of("dry");
    OWNED(told_done) struct told less = ask("DELETE", "/v1/fleets/dry?dry_run=true", NULL);
    assert_int_equal(json_integer_value(json_object_get(less.body, "retire")), 1);
    does("PUT", "/v1/fleets/dry?dry_run=true", "{\"desired\":9}", 200);
    OWNED(told_done) struct told still = ask("GET", "/v1/fleets/dry", NULL);
    assert_int_equal(json_integer_value(json_object_get(still.body, "desired")), 1);
    refuses("POST", "/v1/fleets?dry_run=maybe", FLEET("dry", "1"), 400, "bad-parameter",
            "?dry_run");
}

static void the_same_key_gets_the_first_answer_and_another_request_is_refused(void **state)
{
    (void)state;
    struct ask with = {.authorization = tokens[CALLER_OPERATOR], .key = "make-once"};
    OWNED(told_done) struct told first = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "2"));
    OWNED(told_done) struct told again = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "2"));
    assert_told(first, 201);
    assert_told(again, 201);
    assert_true(json_equal(first.body, again.body));
    assert_string_equal(again.reply.location, "/v1/fleets/once");
    assert_string_equal(again.reply.etag, first.reply.etag);
    OWNED(told_done) struct told other = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "3"));
    assert_problem(other, 422, "key-reused");
    with.authorization = tokens[CALLER_ADMIN];
    OWNED(told_done)
    struct told stranger = ask_with(&with, "POST", "/v1/fleets", FLEET("once", "2"));
    assert_problem(stranger, 409, "exists");
}

/* What failed is not remembered: the next one is a first one. */
static void a_key_whose_request_failed_may_be_used_again(void **state)
{
    (void)state;
    struct ask with = {.authorization = tokens[CALLER_OPERATOR], .key = "second-try"};
    fake.outcome = ERR_UNREACHABLE;
    fake.code = "no-keeper";
    const char *secret = "{\"name\":\"retried\",\"kind\":\"opaque\",\"grant_name\":\"g\"}";
    OWNED(told_done) struct told failed = ask_with(&with, "POST", "/v1/secrets", secret);
    assert_problem(failed, 503, "no-keeper");
    fake.outcome = OK;
    OWNED(told_done) struct told made = ask_with(&with, "POST", "/v1/secrets", secret);
    assert_told(made, 201);
    OWNED(told_done) struct told again = ask_with(&with, "POST", "/v1/secrets", secret);
    assert_told(again, 201);
    assert_int_equal(fake.generated, 2);
}

static void lists_come_in_pages_that_fit_together(void **state)
{
    (void)state;
    static const char *const names[] = {"page-a", "page-b", "page-c"};
    does("POST", "/v1/fleets", FLEET("page-a", "0"), 201);
    does("POST", "/v1/fleets", FLEET("page-b", "0"), 201);
    does("POST", "/v1/fleets", FLEET("page-c", "0"), 201);
    size_t seen = 0;
    char target[256] = "/v1/fleets?limit=1";
    for (int pages = 0; target[0] != '\0'; pages++) {
        assert_true(pages < 100);
        OWNED(told_done) struct told told = ask("GET", target, NULL);
        assert_told(told, 200);
        const json_t *item = json_array_get(json_object_get(told.body, "items"), 0);
        for (size_t i = 0; i < countof(names); i++)
            seen += strcmp(member(item, "name"), names[i]) == 0;
        const char *cursor = member(told.body, "cursor");
        snprintf(target, sizeof target, cursor[0] != '\0' ? "/v1/fleets?limit=1&cursor=%s" : "%s",
                 cursor);
    }
    assert_int_equal(seen, countof(names));
}

static void the_status_counts_phases_trust_levels_and_age(void **state)
{
    (void)state;
    does("POST", "/v1/fleets", FLEET("counted", "2"), 201);
    struct instance proven = instance_of("counted");
    instance_of("counted");
    verdict_of(&proven);
    OWNED(told_done) struct told told = ask("GET", "/v1/fleets/counted/status", NULL);
    assert_told(told, 200);
    const json_t *trust = json_object_get(told.body, "trust");
    assert_int_equal(json_integer_value(json_object_get(trust, "trusted")), 1);
    assert_int_equal(json_integer_value(json_object_get(trust, "unknown")), 1);
    assert_int_equal(json_integer_value(json_object_get(trust, "stale")), 0);
    const json_t *phases = json_object_get(told.body, "phases");
    assert_int_equal(json_integer_value(json_object_get(phases, "requested")), 2);
    const json_t *levels = json_object_get(told.body, "levels");
    assert_int_equal(json_integer_value(json_object_get(levels, "L1")), 1);
    assert_true(json_is_true(json_object_get(told.body, "simulated")));
    json_int_t age = json_integer_value(json_object_get(told.body, "oldest_verdict_age_seconds"));
    assert_in_range(age, 29, 90);
}

/* ---- instances and verdicts ----------------------------------------------------------------- */

static const char *path_of(const char *head, const struct uuid *id, const char *tail)
{
    static char path[192];
    snprintf(path, sizeof path, "%s/%s%s", head, uuid_text(id).at, tail);
    return path;
}

static void an_instance_shows_what_is_proven_and_what_is_missing(void **state)
{
    (void)state;
    struct instance instance = instance_of("shown");
    OWNED(told_done)
    struct told bare = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_told(bare, 200);
    assert_string_equal(member(bare.body, "trust"), "unknown");
    assert_string_equal(member(bare.body, "hardware"), "none");
    assert_string_equal(member(bare.body, "level"), "L0");
    verdict_of(&instance);
    OWNED(told_done)
    struct told told = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_string_equal(member(told.body, "trust"), "trusted");
    assert_string_equal(member(told.body, "hardware"), "hardware");
    assert_string_equal(member(told.body, "software"), "none");
    assert_string_equal(member(told.body, "level"), "L1");
    assert_true(json_is_true(json_object_get(told.body, "simulated")));
    assert_int_equal(json_array_size(json_object_get(told.body, "missing")), 1);
    assert_int_equal(json_array_size(json_object_get(told.body, "residuals")), 1);
    assert_true(json_array_size(json_object_get(told.body, "history")) >= 2);
    assert_true(json_is_array(json_object_get(told.body, "deliveries")));
}

/* trust.md sections 4 and 6: tickets and tokens are nobody's business here. */
static void neither_tokens_nor_tickets_nor_ciphertext_are_ever_shown(void **state)
{
    (void)state;
    struct instance instance = instance_of("shy");
    struct uuid verdict = verdict_of(&instance);
    does("POST", "/v1/secrets", "{\"name\":\"shy-key\",\"kind\":\"opaque\",\"grant_name\":\"g\"}",
         201);
    const char *const paths[] = {"/v1/instances", "/v1/secrets", "/v1/secrets/shy-key"};
    static const char *const hidden[] = {"eyJ.the.token", "\"token\"", "ticket",
                                         "client_token",  "lease",     "Y2lwaGVydGV4dA",
                                         "\"record\""};
    for (size_t i = 0; i < countof(paths) + 2; i++) {
        const char *path = i < countof(paths) ? paths[i]
                           : i == countof(paths)
                               ? path_of("/v1/verdicts", &verdict, "")
                               : path_of("/v1/instances", &instance.id, "/verdicts");
        OWNED(told_done) struct told told = ask("GET", path, NULL);
        assert_told(told, 200);
        bytes_add_u8(&told.reply.body, '\0');
        for (size_t h = 0; h < countof(hidden); h++)
            if (strstr((const char *)told.reply.body.at, hidden[h]) != NULL)
                fail_msg("%s shows %s", path, hidden[h]);
    }
}

static void instances_are_filtered(void **state)
{
    (void)state;
    struct instance a = instance_of("filter"), b = instance_of("filter");
    verdict_of(&a);
    (void)b;
    static const struct {
        const char *query;
        size_t count;
    } rows[] = {
        {"fleet=filter", 2},
        {"fleet=filter&trust=trusted", 1},
        {"fleet=filter&trust=rejected", 0},
        {"fleet=filter&phase=requested", 2},
        {"fleet=filter&region=eu-west-1&cloud=aws&account=acme", 2},
        {"fleet=filter&cloud=gcp", 0},
        {"fleet=filter&region=us-east-1", 0},
        {"fleet=filter&limit=1", 1},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char target[160];
        snprintf(target, sizeof target, "/v1/instances?%s", rows[i].query);
        OWNED(told_done) struct told told = ask("GET", target, NULL);
        assert_told(told, 200);
        assert_int_equal(json_array_size(json_object_get(told.body, "items")), rows[i].count);
    }
}

static void verdicts_are_listed_newest_first_with_their_evidence(void **state)
{
    (void)state;
    struct instance instance = instance_of("judged");
    verdict_of(&instance);
    struct uuid second = verdict_of(&instance);
    OWNED(told_done)
    struct told list =
        ask("GET", path_of("/v1/instances", &instance.id, "/verdicts?limit=1"), NULL);
    assert_told(list, 200);
    const json_t *item = json_array_get(json_object_get(list.body, "items"), 0);
    assert_string_equal(member(item, "id"), uuid_text(&second).at);
    char tail[64];
    snprintf(tail, sizeof tail, "/verdicts?cursor=%.40s", member(list.body, "cursor"));
    OWNED(told_done)
    struct told rest = ask("GET", path_of("/v1/instances", &instance.id, tail), NULL);
    assert_int_equal(json_array_size(json_object_get(rest.body, "items")), 1);
    OWNED(told_done)
    struct told evidence = ask("GET", path_of("/v1/verdicts", &second, "/evidence"), NULL);
    assert_told(evidence, 200);
    assert_string_equal(evidence.reply.content_type, "application/octet-stream");
    assert_true(span_equal(bytes_span(&evidence.reply.body), span_of_text("evidence bytes")));
}

static void what_is_asked_of_an_instance_is_done_and_audited(void **state)
{
    (void)state;
    struct instance instance = instance_of("asked");
    does("POST", path_of("/v1/instances", &instance.id, "/attest"), NULL, 202);
    assert_int_equal(fake.attested, 1);
    does("POST", path_of("/v1/instances", &instance.id, "/terminate"), "{}", 202);
    OWNED(told_done)
    struct told told = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_string_equal(member(told.body, "wanted"), "gone");
    struct error err = {0};
    OWNED(audit_entry_list_done) struct audit_entry_list trail = {0};
    char object[64];
    snprintf(object, sizeof object, "instance:%s", uuid_text(&instance.id).at);
    assert_ok(audit_store_trace(db, object, 100, &trail, &err));
    bool asked = false;
    for (size_t i = 0; i < trail.count; i++)
        asked |= strcmp(trail.at[i].verb, "instance.attestation-asked") == 0 &&
                 strcmp(trail.at[i].actor, "token:admin") == 0;
    assert_true(asked);
}

static void an_agent_that_is_not_there_cannot_be_asked(void **state)
{
    (void)state;
    struct instance instance = instance_of("away");
    fake.outcome = ERR_NOT_FOUND;
    fake.code = "agent-not-connected";
    OWNED(told_done)
    struct told told = ask("POST", path_of("/v1/instances", &instance.id, "/attest"), NULL);
    assert_problem(told, 404, "agent-not-connected");
    refuses("GET", "/v1/instances/not-a-uuid", NULL, 404, "not-found", "");
    struct uuid nobody = uuid_new();
    OWNED(told_done) struct told absent = ask("GET", path_of("/v1/instances", &nobody, ""), NULL);
    assert_problem(absent, 404, "not-found");
}

/* ---- charter and secrets -------------------------------------------------------------------- */

static char *charter_body(int64_t serial)
{
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(mem_drop) char *set = NULL;
    OWNED(mem_drop) char *jws = NULL;
    assert_ok(key_generate(KEY_P256, &key, &err));
    OWNED(text_done) struct text text = {0};
    text_addf(&text,
              "{\"charter\":1,\"realm\":\"simulation\",\"serial\":%lld,\"issued\":\"%s\","
              "\"expires\":\"%s\",\"policies\":{},\"references\":{},\"grants\":{},"
              "\"tcb_floors\":{},\"deny\":{\"chips\":[],\"measurements\":[],\"anchors\":[],"
              "\"guest_keys\":[]},\"keepers\":[],\"relying_parties\":{},"
              "\"custody\":{\"keeper\":\"on-premises\",\"kek\":\"file\"},\"simulator_roots\":[]}",
              (long long)serial, moment_text(clock_at_seconds(moment_seconds(clock_now()))).at,
              moment_text(clock_at_seconds(moment_seconds(clock_now()) + 86400)).at);
    token_set_make(text_span(&text), &set);
    assert_ok(token_set_sign(span_of_text(set), CHARTER_TYP, key, &jws, &err));
    OWNED(json_drop) json_t *body = json_object();
    json_put_text(body, "jws", jws);
    return json_print(body);
}

static void a_charter_that_the_keepers_take_is_kept_and_shown(void **state)
{
    (void)state;
    does("GET", "/v1/charter", NULL, 404);
    OWNED(mem_drop) char *body = charter_body(1);
    does("POST", "/v1/charter", body, 200);
    does("POST", "/v1/charter", body, 200); /* an answer may have been lost */
    OWNED(told_done) struct told told = ask("GET", "/v1/charter", NULL);
    assert_told(told, 200);
    assert_int_equal(json_integer_value(json_object_get(told.body, "serial")), 1);
    assert_string_equal(member(told.body, "realm"), "simulation");
    assert_true(json_is_object(json_object_get(told.body, "charter")));
}

static void a_charter_that_a_keeper_refuses_is_not_kept(void **state)
{
    (void)state;
    fake.outcome = ERR_DENIED;
    fake.code = "too-few-signatures";
    OWNED(mem_drop) char *body = charter_body(9);
    OWNED(told_done) struct told told = ask("POST", "/v1/charter", body);
    assert_problem(told, 403, "too-few-signatures");
    OWNED(told_done) struct told shown = ask("GET", "/v1/charter", NULL);
    assert_int_not_equal(json_integer_value(json_object_get(shown.body, "serial")), 9);
    refuses("POST", "/v1/charter", "{}", 422, "missing-member", "/jws");
}

static void a_secret_is_generated_by_a_keeper_and_listed_without_its_value(void **state)
{
    (void)state;
    const char *spec = "{\"name\":\"db-password\",\"kind\":\"opaque\",\"grant_name\":\"web-key\"}";
    OWNED(told_done) struct told made = ask_as(CALLER_SECURITY, "POST", "/v1/secrets", spec);
    assert_told(made, 201);
    assert_int_equal(fake.generated, 1);
    const json_t *version = json_array_get(json_object_get(made.body, "versions"), 0);
    assert_int_equal(json_integer_value(json_object_get(version, "version")), 1);
    assert_int_equal(strlen(member(version, "check_digest")), 64);
    OWNED(told_done) struct told again = ask("POST", "/v1/secrets", spec);
    assert_problem(again, 409, "exists");
    assert_int_equal(fake.generated, 1);
}

static void a_secret_of_each_instance_waits_for_the_instances(void **state)
{
    (void)state;
    OWNED(told_done)
    struct told made =
        ask("POST", "/v1/secrets",
            "{\"name\":\"host-key\",\"kind\":\"ssh-host-key\",\"scope\":\"instance\","
            "\"grant_name\":\"hosts\"}");
    assert_told(made, 201);
    assert_int_equal(fake.generated, 0);
    assert_int_equal(json_array_size(json_object_get(made.body, "versions")), 0);
}

static void without_a_keeper_no_secret_is_made(void **state)
{
    (void)state;
    fake.outcome = ERR_UNREACHABLE;
    fake.code = "no-keeper";
    OWNED(told_done)
    struct told told = ask("POST", "/v1/secrets",
                           "{\"name\":\"unmade\",\"kind\":\"opaque\",\"grant_name\":\"g\"}");
    assert_problem(told, 503, "no-keeper");
    does("GET", "/v1/secrets/unmade", NULL, 404);
}

/* ---- health and audit ----------------------------------------------------------------------- */

static void ready_means_database_keeper_and_charter(void **state)
{
    (void)state;
    OWNED(told_done) struct told bare = ask("GET", "/readyz", NULL);
    assert_told(bare, 503);
    assert_true(json_is_true(json_object_get(bare.body, "database")));
    assert_true(json_is_false(json_object_get(bare.body, "keeper")));
    fake.keepers = (struct service_keepers){.connected = 1, .charter_serial = 1};
    OWNED(told_done) struct told ready = ask("GET", "/readyz", NULL);
    assert_told(ready, 200);
    assert_true(json_is_true(json_object_get(ready.body, "ready")));
}

static void without_a_database_it_says_so_and_lives(void **state)
{
    (void)state;
    struct api lost = api;
    lost.database = "host=/nowhere dbname=none";
    struct http_owner lost_owner = api_http_owner(&lost);
    void *before = thread;
    thread = lost_owner.thread_open(&lost);
    OWNED(told_done) struct told alive = ask("GET", "/healthz", NULL);
    assert_told(alive, 200);
    OWNED(told_done) struct told ready = ask("GET", "/readyz", NULL);
    assert_told(ready, 503);
    OWNED(told_done) struct told fleets = ask("GET", "/v1/fleets", NULL);
    assert_problem(fleets, 503, "database-unreachable");
    lost_owner.thread_close(thread);
    thread = before;
}

static void metrics_are_in_prometheus_form(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask_as(CALLER_VIEWER, "GET", "/metrics", NULL);
    assert_told(told, 200);
    bytes_add_u8(&told.reply.body, '\0');
    assert_non_null(strstr((const char *)told.reply.body.at, "# TYPE muster_http_requests_total"));
}

static void the_audit_trail_is_read_in_order_from_any_number(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t sealed;
    do
        assert_ok(audit_store_seal(db, &sealed, &err));
    while (sealed > 0);
    OWNED(told_done) struct told told = ask_as(CALLER_AUDITOR, "GET", "/v1/audit?limit=2", NULL);
    assert_told(told, 200);
    assert_int_equal(json_array_size(json_object_get(told.body, "items")), 2);
    assert_int_equal(json_integer_value(json_object_get(told.body, "after")), 2);
    OWNED(told_done) struct told next = ask("GET", "/v1/audit?after=2&limit=1", NULL);
    const json_t *entry = json_array_get(json_object_get(next.body, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(entry, "number")), 3);
    refuses("GET", "/v1/audit?after=-1", NULL, 400, "bad-parameter", "?after");
}

static void accounts_and_images_in_use_are_kept(void **state)
{
    (void)state;
    does("POST", "/v1/fleets", FLEET("user", "0"), 201);
    OWNED(told_done) struct told account = ask("DELETE", "/v1/accounts/acme", NULL);
    assert_problem(account, 409, "in-use");
    OWNED(told_done) struct told image = ask("DELETE", "/v1/images/stock", NULL);
    assert_problem(image, 409, "in-use");
    does("POST", "/v1/images", "{\"name\":\"spare\",\"driver\":\"aws\",\"ref\":\"ami-1\"}", 201);
    does("DELETE", "/v1/images/spare", NULL, 200);
    does("GET", "/v1/images/spare", NULL, 404);
}

#define QUIET(test) cmocka_unit_test_setup(test, quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(without_a_token_only_health_and_the_document_are_served),
        QUIET(every_route_refuses_every_role_it_does_not_name),
        QUIET(bad_tokens_are_audited_and_then_held_off_while_good_ones_pass),
        QUIET(other_schemes_and_overlong_tokens_are_refused),
        QUIET(unknown_paths_methods_and_parameters_are_told_apart),
        QUIET(bodies_that_are_not_one_json_object_are_refused),
        QUIET(unknown_members_are_refused_with_their_path),
        QUIET(a_fleet_is_added_scaled_and_removed),
        QUIET(a_fleet_twice_or_of_unknown_things_is_refused),
        QUIET(if_match_refuses_what_was_meant_for_an_older_state),
        QUIET(a_dry_run_says_what_would_be_and_changes_nothing),
        QUIET(the_same_key_gets_the_first_answer_and_another_request_is_refused),
        QUIET(a_key_whose_request_failed_may_be_used_again),
        QUIET(lists_come_in_pages_that_fit_together),
        QUIET(the_status_counts_phases_trust_levels_and_age),
        QUIET(an_instance_shows_what_is_proven_and_what_is_missing),
        QUIET(neither_tokens_nor_tickets_nor_ciphertext_are_ever_shown),
        QUIET(instances_are_filtered),
        QUIET(verdicts_are_listed_newest_first_with_their_evidence),
        QUIET(what_is_asked_of_an_instance_is_done_and_audited),
        QUIET(an_agent_that_is_not_there_cannot_be_asked),
        QUIET(a_charter_that_the_keepers_take_is_kept_and_shown),
        QUIET(a_charter_that_a_keeper_refuses_is_not_kept),
        QUIET(a_secret_is_generated_by_a_keeper_and_listed_without_its_value),
        QUIET(a_secret_of_each_instance_waits_for_the_instances),
        QUIET(without_a_keeper_no_secret_is_made),
        QUIET(ready_means_database_keeper_and_charter),
        QUIET(without_a_database_it_says_so_and_lives),
        QUIET(metrics_are_in_prometheus_form),
        QUIET(the_audit_trail_is_read_in_order_from_any_number),
        QUIET(accounts_and_images_in_use_are_kept),
    };
    return cmocka_run_group_tests_name("api", tests, open_world, close_world);
}
