#include "tests/support/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api.h"
#include "controller/routes.h"
#include "controller/verify_gate.h"
#include "db/caller_store.h"
#include "db/verdict_store.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"
#include "lib/model/verdict.h"
#include "tests/support/database.h"
#include "tests/support/openapi.h"
#include "tests/support/test.h"

struct ask_fake ask_fake;
struct db *ask_db;
char ask_tokens[CALLER_ROLE_COUNT][ASK_TOKEN_SIZE];
static const char ask_actor[] = "test:me";

/* ---- a service that does as it is told ------------------------------------------------------- */

static enum outcome fake_says(struct error *err)
{
    if (ask_fake.outcome == OK)
        return OK;
    error_fill(err, ask_fake.outcome, ask_fake.code, "", "told to");
    return ask_fake.outcome;
}

static enum outcome fake_generate(struct service *service, const struct generate_wish *wish,
                                  struct generate_reply *out, struct error *err)
{
    (void)service;
    ask_fake.generated++;
    TRY(fake_says(err));
    assert_int_equal(wish->version, 1);
    bytes_add(&out->record, span_of_text("ciphertext"));
    memset(out->check, 0xab, sizeof out->check);
    return OK;
}

static enum outcome fake_opinion(struct service *service, const struct opinion_wish *wish,
                                 struct opinion_reply *out, struct error *err)
{
    const struct verdict verdict = {.trusted = true};
    (void)service;
    ask_fake.opinions++;
    TRY(fake_says(err));
    assert_true(wish->evidence.len > 0);
    out->token = mem_text("signed");
    out->verdict = verdict_to_json(&verdict);
    return OK;
}

static enum outcome fake_charter(struct service *service, const char *jws, int64_t *out_serial,
                                 struct error *err)
{
    (void)service;
    (void)jws;
    ask_fake.charters++;
    *out_serial = 1;
    return fake_says(err);
}

static enum outcome fake_keys(struct service *service, json_t **out, struct error *err)
{
    (void)service;
    if (ask_fake.keys == NULL)
        return fail_code(err, ERR_UNREACHABLE, "no-keeper", "as the test wants");
    *out = json_incref(ask_fake.keys);
    return OK;
}

static void fake_keepers(struct service *service, struct service_keepers *out)
{
    (void)service;
    *out = ask_fake.keepers;
}

static enum outcome fake_attest(struct service *service, const struct uuid *id, const char *why,
                                struct error *err)
{
    (void)service;
    (void)id;
    (void)why;
    ask_fake.attested++;
    return fake_says(err);
}

static void fake_wake(struct service *service)
{
    (void)service;
    ask_fake.woken++;
}

/* ---- asking without a socket ----------------------------------------------------------------- */

static struct api api;
static struct http_owner owner;
static void *thread;

void told_done(struct told *told)
{
    json_decref(told->body);
    bytes_done(&told->reply.body);
}

const char *told_member(const json_t *object, const char *name)
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

struct told ask_with(const struct ask *with, const char *method, const char *target,
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
    told.code = told_member(told.body, "code");
    told.where = told_member(told.body, "where");
    hold_to_document(&call, &told);
    http_target_done(&parsed);
    return told;
}

struct told ask_as(enum caller_role role, const char *method, const char *target, const char *body)
{
    struct ask with = {.authorization = ask_tokens[role]};
    return ask_with(&with, method, target, body);
}

struct told ask(const char *method, const char *target, const char *body)
{
    return ask_as(CALLER_ADMIN, method, target, body);
}

/* Ask, look at the status, forget. */
void ask_does(const char *method, const char *target, const char *body, int status)
{
    OWNED(told_done) struct told told = ask(method, target, body);
    assert_told(told, status);
}

void ask_refused(const char *method, const char *target, const char *body, int status,
                 const char *code, const char *where)
{
    OWNED(told_done) struct told told = ask(method, target, body);
    assert_problem(told, status, code);
    assert_string_equal(told.where, where);
}

/* ---- a little world -------------------------------------------------------------------------- */

struct instance ask_instance(const char *fleet)
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
    assert_ok(transaction_begin(ask_db, &tx, &err));
    assert_ok(instance_store_add_many(ask_db, &order, ask_actor, &err));
    assert_ok(instance_store_find(ask_db, &id, &made, &err));
    assert_ok(transaction_commit(&tx, &err));
    return made;
}

struct uuid ask_verdict(const struct instance *instance)
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
    assert_ok(
        verdict_store_record(ask_db, &row, span_of_text("evidence bytes"), ask_actor, NULL, &err));
    struct uuid id = row.id;
    verdict_row_done(&row);
    return id;
}

void ask_endorsement_roots(const struct snp_roots *roots)
{
    api.endorsement_roots = roots;
}

void ask_catalogue_signers(const struct charter_signers *signers)
{
    api.catalogue_signers = signers;
}

void ask_seal_with(const struct key *key, const struct cert *cert)
{
    api.seal_key = key;
    api.seal_cert = cert;
}

int ask_open(void **state)
{
    (void)state;
    struct error err = {0};
    log_set_level(LOG_ERROR); /* warnings are what these tests cause */
    ask_db = database_open();
    for (int role = 0; role < CALLER_ROLE_COUNT; role++) {
        struct caller caller;
        char token[CALLER_TOKEN_MAX];
        assert_ok(caller_make("default", (enum caller_role)role, name_of(&caller_role_names, role),
                              &caller, token, &err));
        assert_ok(caller_store_add(ask_db, &caller, ask_actor, &err));
        snprintf(ask_tokens[role], sizeof ask_tokens[role], "Bearer %s", token);
    }
    api = (struct api){.database = database_url(),
                       .project = "default",
                       .guard = auth_guard_new(),
                       .verify_gate = verify_gate_new(2),
                       .service = {.generate = fake_generate,
                                   .opinion = fake_opinion,
                                   .keys = fake_keys,
                                   .charter = fake_charter,
                                   .keepers = fake_keepers,
                                   .attest = fake_attest,
                                   .wake = fake_wake}};
    owner = api_http_owner(&api);
    thread = owner.thread_open(owner.owner);
    ask_does("POST", "/v1/accounts", ASK_ACCOUNT, 201);
    ask_does("POST", "/v1/images", ASK_IMAGE, 201);
    return 0;
}

int ask_close(void **state)
{
    (void)state;
    owner.thread_close(thread);
    auth_guard_free(api.guard);
    verify_gate_free(api.verify_gate);
    db_close(ask_db);
    return 0;
}

int ask_quiet(void **state)
{
    (void)state;
    ask_fake = (struct ask_fake){0};
    return 0;
}

void ask_database(const char *url)
{
    api.database = url != NULL ? url : database_url();
    owner.thread_close(thread);
    thread = owner.thread_open(owner.owner);
}
