/* The API of the charter, of secrets, and of the audit trail. */
#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/keeper_store.h"
#include "lib/crypto/token.h"
#include "lib/model/charter.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

/* ---- charter --------------------------------------------------------------------------------- */

/* `keepers` is what stands between the brackets. */
static char *charter_naming(int64_t serial, const char *keepers)
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
              "\"guest_keys\":[]},\"keepers\":[%s],\"relying_parties\":{},"
              "\"custody\":{\"keeper\":\"on-premises\",\"kek\":\"file\"},\"simulator_roots\":[]}",
              (long long)serial, moment_text(clock_at_seconds(moment_seconds(clock_now()))).at,
              moment_text(clock_at_seconds(moment_seconds(clock_now()) + 86400)).at, keepers);
    token_set_make(text_span(&text), &set);
    assert_ok(token_set_sign(span_of_text(set), CHARTER_TYP, key, &jws, &err));
    OWNED(json_drop) json_t *body = json_object();
    json_put_text(body, "jws", jws);
    return json_print(body);
}

static char *charter_body(int64_t serial)
{
    return charter_naming(serial, "");
}

static void a_charter_that_the_keepers_take_is_kept_and_shown(void **state)
{
    (void)state;
    ask_does("GET", "/v1/charter", NULL, 404);
    OWNED(mem_drop) char *body = charter_body(1);
    ask_does("POST", "/v1/charter", body, 200);
    ask_does("POST", "/v1/charter", body, 200); /* an answer may have been lost */
    OWNED(told_done) struct told told = ask("GET", "/v1/charter", NULL);
    assert_told(told, 200);
    assert_int_equal(json_integer_value(json_object_get(told.body, "serial")), 1);
    assert_string_equal(told_member(told.body, "realm"), "simulation");
    assert_true(json_is_object(json_object_get(told.body, "charter")));
}

static void a_charter_that_a_keeper_refuses_is_not_kept(void **state)
{
    (void)state;
    ask_fake.outcome = ERR_DENIED;
    ask_fake.code = "too-few-signatures";
    OWNED(mem_drop) char *body = charter_body(9);
    OWNED(told_done) struct told told = ask("POST", "/v1/charter", body);
    assert_problem(told, 403, "too-few-signatures");
    OWNED(told_done) struct told shown = ask("GET", "/v1/charter", NULL);
    assert_int_not_equal(json_integer_value(json_object_get(shown.body, "serial")), 9);
    ask_refused("POST", "/v1/charter", "{}", 422, "missing-member", "/jws");
}

static struct keeper_row keeper_of(uint8_t number)
{
    struct keeper_row row = {.realm = REALM_SIMULATION, .interval_seconds = 30};
    memset(row.boot_id, number, sizeof row.boot_id);
    memset(row.certificate, number, sizeof row.certificate);
    snprintf(row.name, sizeof row.name, "keeper-%d", number);
    return row;
}

static size_t keepers_seen(void)
{
    OWNED(told_done) struct told told = ask_as(CALLER_VIEWER, "GET", "/v1/keepers", NULL);
    assert_told(told, 200);
    return json_array_size(json_object_get(told.body, "items"));
}

static void a_keeper_is_forgotten_by_security_or_by_a_charter_that_does_not_name_it(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(text_done) struct text named = {0};
    assert_ok(db_script(ask_db, "DELETE FROM keepers", &err));
    for (uint8_t i = 1; i <= 3; i++) {
        const struct keeper_row row = keeper_of(i);
        assert_ok(keeper_store_seen(ask_db, &row, "test", &err));
    }
    assert_int_equal(keepers_seen(), 3);
    OWNED(told_done)
    struct told refused = ask_as(CALLER_OPERATOR, "DELETE", "/v1/keepers/keeper-1", NULL);
    assert_problem(refused, 403, "role-missing");
    OWNED(told_done)
    struct told gone = ask_as(CALLER_SECURITY, "DELETE", "/v1/keepers/keeper-1", NULL);
    assert_told(gone, 200);
    ask_refused("DELETE", "/v1/keepers/keeper-1", NULL, 404, "not-found", "");
    OWNED(mem_drop) char *two = hex_of(SPAN_OF(keeper_of(2).certificate));
    text_addf(&named, "\"%s\"", two);
    OWNED(mem_drop) char *body = charter_naming(20, text_str(&named));
    ask_does("POST", "/v1/charter", body, 200);
    assert_int_equal(keepers_seen(), 1);
    ask_does("DELETE", "/v1/keepers/keeper-2", NULL, 200);
}

static bool shown_silent(void)
{
    OWNED(told_done) struct told told = ask("GET", "/v1/charter", NULL);
    const json_t *seen = json_object_get(json_object_get(told.body, "keepers"), "seen");
    assert_int_equal(json_array_size(seen), 1); /* its two starts are one keeper */
    const json_t *keeper = json_array_get(seen, 0);
    assert_string_equal(told_member(keeper, "boot_id"), "0900000000000000");
    assert_string_equal(told_member(keeper, "realm"), "simulation");
    assert_string_equal(told_member(keeper, "version"), "1.2");
    return json_is_true(json_object_get(keeper, "silent"));
}

static void a_keeper_that_went_silent_is_shown_as_such(void **state)
{
    (void)state;
    struct error err = {0};
    struct keeper_row keeper = {
        .name = "k", .realm = REALM_SIMULATION, .certificate = {7}, .interval_seconds = 30};
    strcpy(keeper.version, "1.2");
    for (uint8_t boot = 8; boot <= 9; boot++) {
        keeper.boot_id[0] = boot;
        assert_ok(keeper_store_seen(ask_db, &keeper, "desk", &err));
    }
    assert_false(shown_silent());
    assert_ok(
        db_script(ask_db, "UPDATE keepers SET last_seen = last_seen - interval '2 minutes'", &err));
    assert_true(shown_silent());
}

/* ---- secrets --------------------------------------------------------------------------------- */

static void a_secret_is_generated_by_a_keeper_and_listed_without_its_value(void **state)
{
    (void)state;
    const char *spec = "{\"name\":\"db-password\",\"kind\":\"opaque\",\"grant_name\":\"web-key\"}";
    OWNED(told_done) struct told made = ask_as(CALLER_SECURITY, "POST", "/v1/secrets", spec);
    assert_told(made, 201);
    assert_string_equal(made.reply.etag, ""); /* no write could be held to it */
    assert_int_equal(ask_fake.generated, 1);
    const json_t *version = json_array_get(json_object_get(made.body, "versions"), 0);
    assert_int_equal(json_integer_value(json_object_get(version, "version")), 1);
    assert_int_equal(strlen(told_member(version, "check_digest")), 64);
    OWNED(told_done) struct told again = ask("POST", "/v1/secrets", spec);
    assert_problem(again, 409, "exists");
    assert_int_equal(ask_fake.generated, 1);
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
    assert_int_equal(ask_fake.generated, 0);
    assert_int_equal(json_array_size(json_object_get(made.body, "versions")), 0);
}

static void without_a_keeper_no_secret_is_made(void **state)
{
    (void)state;
    ask_fake.outcome = ERR_UNREACHABLE;
    ask_fake.code = "no-keeper";
    OWNED(told_done)
    struct told told = ask("POST", "/v1/secrets",
                           "{\"name\":\"unmade\",\"kind\":\"opaque\",\"grant_name\":\"g\"}");
    assert_problem(told, 503, "no-keeper");
    ask_does("GET", "/v1/secrets/unmade", NULL, 404);
}

/* ---- audit ----------------------------------------------------------------------------------- */

static void the_audit_trail_is_read_in_order_from_any_number(void **state)
{
    (void)state;
    struct error err = {0};
    int64_t sealed;
    do
        assert_ok(audit_store_seal(ask_db, &sealed, &err));
    while (sealed > 0);
    OWNED(told_done) struct told told = ask_as(CALLER_AUDITOR, "GET", "/v1/audit?limit=2", NULL);
    assert_told(told, 200);
    assert_int_equal(json_array_size(json_object_get(told.body, "items")), 2);
    assert_int_equal(json_integer_value(json_object_get(told.body, "after")), 2);
    OWNED(told_done) struct told next = ask("GET", "/v1/audit?after=2&limit=1", NULL);
    const json_t *entry = json_array_get(json_object_get(next.body, "items"), 0);
    assert_int_equal(json_integer_value(json_object_get(entry, "number")), 3);
    ask_refused("GET", "/v1/audit?after=-1", NULL, 400, "bad-parameter", "?after");
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(a_charter_that_the_keepers_take_is_kept_and_shown),
        QUIET(a_keeper_that_went_silent_is_shown_as_such),
        QUIET(a_charter_that_a_keeper_refuses_is_not_kept),
        QUIET(a_keeper_is_forgotten_by_security_or_by_a_charter_that_does_not_name_it),
        QUIET(a_secret_is_generated_by_a_keeper_and_listed_without_its_value),
        QUIET(a_secret_of_each_instance_waits_for_the_instances),
        QUIET(without_a_keeper_no_secret_is_made),
        QUIET(the_audit_trail_is_read_in_order_from_any_number),
    };
    return cmocka_run_group_tests_name("api_secrets", tests, ask_open, ask_close);
}
