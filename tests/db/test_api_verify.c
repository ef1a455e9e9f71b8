/* POST /v1/verify: anybody with a token, any evidence, hostile bodies, with a keeper and without.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "controller/verify_gate.h"
#include "lib/attest/evidence.h"
#include "tests/support/ask.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

#define NONCE "00112233445566778899aabbccddeeff"
/* A P-256 one, without its last byte and with it. */
#define SHORT_KEY                                                                                  \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeR2qBnYMtE5Ol/swn8uydhGyWKV9"                             \
    "KA+hJoZSblPfqXDVwCx9Kv8mzQhEKVlQNRCq0mRrcptrHeoYQ20yLr6C"
#define LINK_KEY SHORT_KEY "cw=="
#define SHOWN(shown) "{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"shown\":" shown "}"

/* A body that asks about a report of the simulated processor. */
static char *question_over(const uint8_t data[static BINDING_SIZE], const char *more)
{
    OWNED(psp_drop) struct psp *psp = simulator_open();
    struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    memcpy(wish.report_data, data, sizeof wish.report_data);
    OWNED(simulated_done) struct simulated s = simulator_evidence(psp, &wish);
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP};
    OWNED(text_done) struct text body = {0};
    bytes_add(&e.report, bytes_span(&s.report));
    bytes_add(&e.cert_table, bytes_span(&s.table));
    OWNED(mem_drop) char *evidence = evidence_print(&e);
    text_addf(&body, "{\"evidence\":%s%s}", evidence, more);
    return text_take(&body);
}

static char *question(const char *more)
{
    static const uint8_t nothing[BINDING_SIZE];
    return question_over(nothing, more);
}

static void whoever_has_a_token_may_ask(void **state)
{
    (void)state;
    OWNED(mem_drop) char *body = question("");
    for (int role = 0; role < CALLER_ROLE_COUNT; role++) {
        OWNED(told_done)
        struct told told = ask_as((enum caller_role)role, "POST", "/v1/verify", body);
        assert_told(told, 200);
        assert_string_equal(told_member(told.body, "token"), "signed");
        assert_string_equal(told_member(told.body, "verdict"), "trusted");
    }
    assert_int_equal(ask_fake.opinions, CALLER_ROLE_COUNT);
    const struct ask nobody = {.authorization = NULL};
    OWNED(told_done) struct told told = ask_with(&nobody, "POST", "/v1/verify", body);
    assert_told(told, 401);
    assert_int_equal(ask_fake.opinions, CALLER_ROLE_COUNT);
}

/* Signed by nobody, judged under the makers' own roots: a simulator's chain leads nowhere. */
static void without_a_keeper_the_plain_verdict_is_the_answer(void **state)
{
    (void)state;
    OWNED(mem_drop) char *body = question("");
    ask_fake.outcome = ERR_UNREACHABLE;
    ask_fake.code = "no-keeper";
    OWNED(told_done) struct told told = ask("POST", "/v1/verify", body);
    assert_told(told, 200);
    assert_null(json_object_get(told.body, "token"));
    assert_string_equal(told_member(told.body, "verdict"), "rejected");
    assert_string_equal(told_member(told.body, "reason"), "chain-untrusted");
    assert_true(json_array_size(json_object_get(told.body, "checks")) > 10);
}

static void assert_report_data(const char *body, const char *result)
{
    size_t i;
    const json_t *check;
    OWNED(told_done) struct told told = ask("POST", "/v1/verify", body);
    assert_told(told, 200);
    json_array_foreach (json_object_get(told.body, "checks"), i, check)
        if (strcmp(told_member(check, "check"), "policy-report-data") == 0) {
            assert_string_equal(told_member(check, "result"), result);
            return;
        }
    fail_msg("no check of report data");
}

/* The nonce alone, or with another key than the guest's, is not what evidence answers. */
static void what_a_guest_showed_is_judged_here_too(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes nonce = {0}, link_key = {0};
    struct evidence_binding asked;
    assert_ok(hex_decode(NONCE, &nonce, &err));
    assert_ok(base64_decode(span_of_text(LINK_KEY), &link_key, &err));
    assert_ok(
        evidence_shown(EVIDENCE_SNP, bytes_span(&nonce), bytes_span(&link_key), &asked, &err));
    ask_fake.outcome = ERR_UNREACHABLE;
    ask_fake.code = "no-keeper";
    static const struct {
        const char *more, *result;
    } cases[] = {
        {",\"shown\":{\"nonce\":\"" NONCE "\",\"link_key\":\"" LINK_KEY "\"}", "pass"},
        {",\"shown\":{\"nonce\":\"" NONCE "00\",\"link_key\":\"" LINK_KEY "\"}", "fail"},
        {",\"nonce\":\"" NONCE "\"", "fail"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        OWNED(mem_drop) char *body = question_over(asked.digest, cases[i].more);
        assert_report_data(body, cases[i].result);
    }
}

static void what_only_a_keeper_knows_needs_one(void **state)
{
    (void)state;
    OWNED(mem_drop) char *named = question(",\"policy\":\"web\"");
    OWNED(mem_drop) char *own = question(",\"policy\":{\"snp\":{\"measurement\":\"any\"}}");
    ask_fake.outcome = ERR_UNREACHABLE;
    ask_fake.code = "no-keeper";
    OWNED(told_done) struct told told = ask("POST", "/v1/verify", named);
    assert_problem(told, 503, "no-keeper");
    ask_does("POST", "/v1/verify", own, 200);
    ask_fake.code = "keeper-late"; /* it is there: nobody speaks in its place */
    OWNED(told_done) struct told late = ask("POST", "/v1/verify", own);
    assert_int_not_equal(late.status, 200);
    ask_fake.outcome = ERR_DENIED;
    ask_fake.code = "policy-unknown";
    OWNED(told_done) struct told unknown = ask("POST", "/v1/verify", named);
    assert_problem(unknown, 403, "policy-unknown");
}

static void hostile_bodies_are_refused_before_a_keeper_hears_of_them(void **state)
{
    (void)state;
    static const struct {
        const char *body, *code, *where;
    } bad[] = {
        {"{}", "missing-member", "/evidence"},
        {"{\"evidence\":1}", "wrong-type", "/evidence"},
        {"{\"evidence\":{}}", "missing-member", "/evidence/kind"},
        {"{\"evidence\":{\"kind\":\"snp\"}}", "missing-member", "/evidence/report"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":7}}", "wrong-type", "/evidence/report"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\",\"hcl\":\"\"}}", "unknown-member",
         "/evidence/hcl"},
        {"{\"evidence\":{\"kind\":\"sev\",\"report\":\"\"}}", "unsupported-evidence",
         "/evidence/kind"},
        {"{\"evidence\":{\"kind\":\"sev-es\",\"report\":\"\"}}", "unsupported-evidence",
         "/evidence/kind"},
        {"{\"evidence\":{\"kind\":\"tdx\",\"report\":\"\"}}", "unsupported-evidence",
         "/evidence/kind"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"nonce\":\"\"}", "wrong-value",
         "/nonce"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"nonce\":\"0\"}", "wrong-value",
         "/nonce"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"policy\":\"A b\"}", "bad-name",
         "/policy"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"policy\":{}}", "missing-member",
         "/policy"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"policy\":{\"snp\":{\"x\":1}}}",
         "unknown-member", "/policy/snp/x"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"crl\":1}", "wrong-type", "/crl"},
        {SHOWN("1"), "wrong-type", "/shown"},
        {SHOWN("{}"), "missing-member", "/shown/nonce"},
        {SHOWN("{\"nonce\":\"" NONCE "\"}"), "missing-member", "/shown/link_key"},
        {SHOWN("{\"nonce\":\"" NONCE "\",\"link_key\":\"\"}"), "wrong-value", "/shown/link_key"},
        {SHOWN("{\"nonce\":\"" NONCE "\",\"link_key\":\"" SHORT_KEY "\"}"), "wrong-value",
         "/shown/link_key"},
        {SHOWN("{\"nonce\":\"00\",\"link_key\":\"" LINK_KEY "\"}"), "wrong-value", "/shown/nonce"},
        {SHOWN("{\"nonce\":\"" NONCE "\",\"link_key\":\"" LINK_KEY "\",\"x\":1}"), "unknown-member",
         "/shown/x"},
        {SHOWN("{\"nonce\":\"" NONCE "\",\"link_key\":\"" LINK_KEY "\"},\"nonce\":\"00\""),
         "wrong-value", "/nonce"},
        {SHOWN("{},\"link_key\":\"" LINK_KEY "\""), "unknown-member", "/link_key"},
        {"{\"evidence\":{\"kind\":\"snp\",\"report\":\"\"},\"instance\":\"x\"}", "unknown-member",
         "/instance"},
        {"{\"items\":{}}", "wrong-type", "/items"},
        {"{\"items\":[],\"evidence\":{}}", "unknown-member", "/evidence"},
    };
    for (size_t i = 0; i < countof(bad); i++)
        ask_refused("POST", "/v1/verify", bad[i].body, 422, bad[i].code, bad[i].where);
    assert_int_equal(ask_fake.opinions, 0);
}

static void repeat(struct text *body, const char *unit, int times)
{
    for (int i = 0; i < times; i++)
        text_add(body, unit);
}

/* Ten thousand certificates, JSON nested a million deep, more items than a MiB is worth. */
static void bodies_that_would_cost_much_are_refused_for_little(void **state)
{
    (void)state;
    static const char begin[] = "{\"evidence\":{\"kind\":\"snp\",\"report\":\"\",\"ca\":[";
    OWNED(text_done) struct text many = {0};
    OWNED(text_done) struct text deep = {0};
    OWNED(text_done) struct text items = {0};
    text_add(&many, begin);
    repeat(&many, "\"AA==\",", 9999);
    text_add(&many, "\"AA==\"]}}");
    repeat(&deep, "{\"evidence\":", 80000);
    text_add(&items, "{\"items\":[");
    repeat(&items, "{},", 100000);
    text_add(&items, "{}]}");
    ask_refused("POST", "/v1/verify", text_str(&many), 422, "too-long", "/evidence/ca");
    ask_refused("POST", "/v1/verify", text_str(&deep), 422, "too-deep", "");
    ask_refused("POST", "/v1/verify", text_str(&items), 413, "too-large", "");
    assert_int_equal(ask_fake.opinions, 0);
}

static void each_of_a_batch_is_answered_on_its_own(void **state)
{
    (void)state;
    OWNED(mem_drop) char *good = question("");
    OWNED(text_done) struct text body = {0};
    text_addf(&body, "{\"items\":[%s,{\"evidence\":{\"kind\":\"tdx\"}},7,%s]}", good, good);
    OWNED(told_done) struct told told = ask("POST", "/v1/verify", text_str(&body));
    assert_told(told, 200);
    const json_t *items = json_object_get(told.body, "items");
    assert_int_equal(json_array_size(items), 4);
    assert_string_equal(told_member(json_array_get(items, 0), "token"), "signed");
    assert_string_equal(told_member(json_array_get(items, 3), "token"), "signed");
    const json_t *tdx = json_object_get(json_array_get(items, 1), "problem");
    assert_string_equal(told_member(tdx, "code"), "unsupported-evidence");
    assert_true(json_is_object(json_object_get(json_array_get(items, 2), "problem")));
    assert_int_equal(ask_fake.opinions, 2);
}

/* What a problem quotes of a caller ends in the middle of a character. */
static void a_batch_may_quote_half_a_character(void **state)
{
    (void)state;
    OWNED(text_done) struct text body = {0};
    text_add(&body, "{\"items\":[");
    for (int before = 80; before < 100; before++)
        text_addf(&body, "%s{\"%.*s\u00e9\u00e9\u00e9\u00e9\":1}", before > 80 ? "," : "", before,
                  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                  "xxxxxxxxxxxxxxxxxxxx");
    text_add(&body, "]}");
    OWNED(told_done) struct told told = ask("POST", "/v1/verify", text_str(&body));
    assert_told(told, 200);
    const json_t *items = json_object_get(told.body, "items");
    assert_int_equal(json_array_size(items), 20);
    for (size_t i = 0; i < json_array_size(items); i++)
        assert_true(json_is_object(json_object_get(json_array_get(items, i), "problem")));
}

static void a_batch_has_an_end(void **state)
{
    (void)state;
    OWNED(text_done) struct text body = {0};
    text_add(&body, "{\"items\":[{}");
    for (int i = 0; i < 32; i++)
        text_add(&body, ",{}");
    text_add(&body, "]}");
    ask_refused("POST", "/v1/verify", text_str(&body), 422, "too-long", "/items");
    ask_does("POST", "/v1/verify", "{\"items\":[]}", 200);
}

/* ---- the gate -------------------------------------------------------------------------------- */

static void *wait_inside(void *context)
{
    struct error err = {0};
    struct verify_gate *gate = context;
    if (verify_gate_enter(gate, &err) != OK)
        return NULL;
    verify_gate_leave(gate);
    return context;
}

static void more_than_the_gate_holds_are_refused_at_once(void **state)
{
    (void)state;
    struct error err = {0};
    struct verify_gate *gate = verify_gate_new(1);
    assert_ok(verify_gate_enter(gate, &err));
    assert_fails(verify_gate_enter(gate, &err), ERR_THROTTLED, "verify-busy");
    verify_gate_leave(gate);
    assert_ok(verify_gate_enter(gate, &err));
    verify_gate_leave(gate);
    verify_gate_free(gate);
}

static void the_next_waits_for_its_turn(void **state)
{
    (void)state;
    struct error err = {0};
    struct verify_gate *gate = verify_gate_new(2);
    pthread_t thread;
    void *got = NULL;
    assert_ok(verify_gate_enter(gate, &err));
    assert_int_equal(pthread_create(&thread, NULL, wait_inside, gate), 0);
    verify_gate_leave(gate);
    assert_int_equal(pthread_join(thread, &got), 0);
    assert_ptr_equal(got, gate);
    verify_gate_free(gate);
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(whoever_has_a_token_may_ask),
        QUIET(without_a_keeper_the_plain_verdict_is_the_answer),
        QUIET(what_a_guest_showed_is_judged_here_too),
        QUIET(what_only_a_keeper_knows_needs_one),
        QUIET(hostile_bodies_are_refused_before_a_keeper_hears_of_them),
        QUIET(bodies_that_would_cost_much_are_refused_for_little),
        QUIET(each_of_a_batch_is_answered_on_its_own),
        QUIET(a_batch_may_quote_half_a_character),
        QUIET(a_batch_has_an_end),
        cmocka_unit_test(more_than_the_gate_holds_are_refused_at_once),
        cmocka_unit_test(the_next_waits_for_its_turn),
    };
    return cmocka_run_group_tests_name("api_verify", tests, ask_open, ask_close);
}
