/* The API of instances and their verdicts. */
#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

static const char *path_of(const char *head, const struct uuid *id, const char *tail)
{
    static char path[192];
    snprintf(path, sizeof path, "%s/%s%s", head, uuid_text(id).at, tail);
    return path;
}

static void an_instance_shows_what_is_proven_and_what_is_missing(void **state)
{
    (void)state;
    struct instance instance = ask_instance("shown");
    OWNED(told_done)
    struct told bare = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_told(bare, 200);
    assert_string_equal(told_member(bare.body, "trust"), "unknown");
    assert_string_equal(told_member(bare.body, "hardware"), "none");
    assert_string_equal(told_member(bare.body, "level"), "L0");
    ask_verdict(&instance);
    OWNED(told_done)
    struct told told = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_string_equal(told_member(told.body, "trust"), "trusted");
    assert_string_equal(told_member(told.body, "hardware"), "hardware");
    assert_string_equal(told_member(told.body, "software"), "none");
    assert_string_equal(told_member(told.body, "level"), "L1");
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
    struct instance instance = ask_instance("shy");
    struct uuid verdict = ask_verdict(&instance);
    ask_does("POST", "/v1/secrets",
             "{\"name\":\"shy-key\",\"kind\":\"opaque\",\"grant_name\":\"g\"}", 201);
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
    struct instance a = ask_instance("filter"), b = ask_instance("filter");
    ask_verdict(&a);
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

/* I9, while nobody looks at clocks: we were down, or are late. */
static void a_verdict_that_ran_out_is_never_shown_as_trust(void **state)
{
    (void)state;
    struct error err = {0};
    ask_does("POST", "/v1/fleets", FLEET("late", "1"), 201);
    struct instance instance = ask_instance("late");
    ask_verdict(&instance);
    assert_ok(db_script(ask_db,
                        "UPDATE instances SET valid_until = now() - interval '1 second'"
                        " WHERE fleet = 'late'",
                        &err));
    OWNED(told_done)
    struct told told = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_string_equal(told_member(told.body, "trust"), "stale");
    OWNED(told_done) struct told list = ask("GET", "/v1/instances?fleet=late&trust=trusted", NULL);
    assert_int_equal(json_array_size(json_object_get(list.body, "items")), 0);
    OWNED(told_done) struct told status = ask("GET", "/v1/fleets/late/status", NULL);
    const json_t *trust = json_object_get(status.body, "trust");
    assert_int_equal(json_integer_value(json_object_get(trust, "trusted")), 0);
    assert_int_equal(json_integer_value(json_object_get(trust, "stale")), 1);
    const json_t *levels = json_object_get(status.body, "levels");
    assert_int_equal(json_integer_value(json_object_get(levels, "L1")), 0);
}

static void verdicts_are_listed_newest_first_with_their_evidence(void **state)
{
    (void)state;
    struct instance instance = ask_instance("judged");
    ask_verdict(&instance);
    struct uuid second = ask_verdict(&instance);
    OWNED(told_done)
    struct told list =
        ask("GET", path_of("/v1/instances", &instance.id, "/verdicts?limit=1"), NULL);
    assert_told(list, 200);
    const json_t *item = json_array_get(json_object_get(list.body, "items"), 0);
    assert_string_equal(told_member(item, "id"), uuid_text(&second).at);
    char tail[64];
    snprintf(tail, sizeof tail, "/verdicts?cursor=%.40s", told_member(list.body, "cursor"));
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
    struct instance instance = ask_instance("asked");
    ask_does("POST", path_of("/v1/instances", &instance.id, "/attest"), NULL, 202);
    assert_int_equal(ask_fake.attested, 1);
    ask_does("POST", path_of("/v1/instances", &instance.id, "/terminate"), "{}", 202);
    OWNED(told_done)
    struct told told = ask("GET", path_of("/v1/instances", &instance.id, ""), NULL);
    assert_string_equal(told_member(told.body, "wanted"), "gone");
    struct error err = {0};
    OWNED(audit_entry_list_done) struct audit_entry_list trail = {0};
    char object[64];
    snprintf(object, sizeof object, "instance:%s", uuid_text(&instance.id).at);
    assert_ok(audit_store_trace(ask_db, object, 100, &trail, &err));
    bool asked = false;
    for (size_t i = 0; i < trail.count; i++)
        asked |= strcmp(trail.at[i].verb, "instance.attestation-asked") == 0 &&
                 strcmp(trail.at[i].actor, "token:admin") == 0;
    assert_true(asked);
}

static void what_is_asked_of_another_state_than_was_meant_is_not_done(void **state)
{
    (void)state;
    struct instance row = ask_instance("meant");
    char target[96];
    struct ask with = {.authorization = ask_tokens[CALLER_OPERATOR], .if_match = "\"1\""};
    snprintf(target, sizeof target, "/v1/instances/%s", uuid_text(&row.id).at);
    OWNED(told_done) struct told before = ask("GET", target, NULL);
    assert_string_equal(before.reply.etag, "\"1\"");
    ask_verdict(&row); /* its trust changed meanwhile */
    static const char *const acts[] = {"attest", "terminate"};
    for (size_t i = 0; i < countof(acts); i++) {
        snprintf(target, sizeof target, "/v1/instances/%s/%s", uuid_text(&row.id).at, acts[i]);
        OWNED(told_done) struct told late = ask_with(&with, "POST", target, "{}");
        assert_problem(late, 412, "changed-meanwhile");
    }
    assert_int_equal(ask_fake.attested, 0);
    with.if_match = "\"2\"";
    OWNED(told_done) struct told done = ask_with(&with, "POST", target, "{}");
    assert_told(done, 202);
    assert_string_equal(told_member(done.body, "wanted"), "gone");
}

static void an_agent_that_is_not_there_cannot_be_asked(void **state)
{
    (void)state;
    struct instance instance = ask_instance("away");
    ask_fake.outcome = ERR_NOT_FOUND;
    ask_fake.code = "agent-not-connected";
    OWNED(told_done)
    struct told told = ask("POST", path_of("/v1/instances", &instance.id, "/attest"), NULL);
    assert_problem(told, 404, "agent-not-connected");
    ask_refused("GET", "/v1/instances/not-a-uuid", NULL, 404, "not-found", "");
    struct uuid nobody = uuid_new();
    OWNED(told_done) struct told absent = ask("GET", path_of("/v1/instances", &nobody, ""), NULL);
    assert_problem(absent, 404, "not-found");
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(an_instance_shows_what_is_proven_and_what_is_missing),
        QUIET(neither_tokens_nor_tickets_nor_ciphertext_are_ever_shown),
        QUIET(instances_are_filtered),
        QUIET(a_verdict_that_ran_out_is_never_shown_as_trust),
        QUIET(verdicts_are_listed_newest_first_with_their_evidence),
        QUIET(what_is_asked_of_an_instance_is_done_and_audited),
        QUIET(what_is_asked_of_another_state_than_was_meant_is_not_done),
        QUIET(an_agent_that_is_not_there_cannot_be_asked),
    };
    return cmocka_run_group_tests_name("api_instances", tests, ask_open, ask_close);
}
