/* The built `muster charter test`: cases of claims, cases of genuine evidence, and cases that are
 * none. */
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/charters.h"
#include "tests/support/line.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static char *put(const char *folder, const char *name, const char *text)
{
    struct error err = {0};
    char *path = scratch_path(folder, name);
    assert_ok(file_write(path, span_of_text(text), 0644, &err));
    return path;
}

static struct ran test_charter(const char *folder, const json_t *charter, const char *cases,
                               const char *more)
{
    OWNED(mem_drop) char *text = json_print(charter);
    OWNED(mem_drop) char *charter_path = put(folder, "charter.json", text);
    OWNED(mem_drop) char *cases_path = put(folder, "cases.json", cases);
    struct line line = line_of("cli/muster charter test");
    line_add(&line, "--file");
    line_add(&line, charter_path);
    line_add(&line, "--cases");
    line_add(&line, cases_path);
    if (more != NULL)
        line_add(&line, more);
    struct ran ran = run_line(&line);
    line_done(&line);
    return ran;
}

#define ANCHOR "\"1111111111111111111111111111111111111111111111111111111111111111\""
#define OTHER "\"2222222222222222222222222222222222222222222222222222222222222222\""
#define NO_FLEET "\"software\":\"hardware\",\"identity\":\"hardware\",\"level\":\"L1\""
#define GOOD NO_FLEET ",\"fleet\":\"web\""
#define CLAIM(name, grant, claims, verdict, reason)                                                \
    "{\"name\":\"" name "\",\"policy\":\"web\",\"grant\":\"" grant "\",\"claims\":{" claims "},"   \
    "\"expect\":{\"verdict\":\"" verdict "\",\"reason\":\"" reason "\"}}"

static void claims_are_tried_against_a_grant(void **state)
{
    /* clang-format off */
    static const char cases[] = "{\"cases\":["
        CLAIM("good", "key", GOOD, "released", "ok") ","
        CLAIM("rejected", "key", "\"trusted\":false," GOOD, "refused", "verdict-rejected") ","
        CLAIM("nothing proven", "key", "\"level\":\"L1\",\"fleet\":\"web\"", "refused", "software-unproven") ","
        CLAIM("low", "key", "\"software\":\"hardware\"", "refused", "grant-level") ","
        CLAIM("old", "key", GOOD ",\"age_seconds\":3601", "refused", "verdict-too-old") ","
        CLAIM("no grant", "nobody", GOOD, "refused", "grant-unknown") ","
        CLAIM("kind", "key", GOOD ",\"secret_kind\":\"ssh-host-key\"", "refused", "grant-kind") ","
        CLAIM("fleet", "host", NO_FLEET ",\"anchor\":" ANCHOR ",\"secret_anchor\":" ANCHOR, "refused", "grant-fleet") ","
        CLAIM("own", "host", GOOD ",\"anchor\":" ANCHOR ",\"secret_anchor\":" ANCHOR, "released", "ok") ","
        CLAIM("another's", "host", GOOD ",\"anchor\":" ANCHOR ",\"secret_anchor\":" OTHER, "refused", "anchor-mismatch")
        "]}";
    /* clang-format on */
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(ran_done) struct ran ran = test_charter(*state, charter, cases, NULL);
    if (ran.exit_code != 0)
        fail_msg("%s%s", (const char *)ran.out.at, (const char *)ran.err.at);
    assert_int_equal(strncmp((const char *)ran.out.at, "1..10\nok 1 - good\n", 18), 0);
}

#define PASSPORT(name, party, claims, verdict, reason)                                             \
    "{\"name\":\"" name "\",\"policy\":\"web\",\"relying_party\":\"" party                         \
    "\",\"claims\":{" claims "},\"expect\":{\"verdict\":\"" verdict "\",\"reason\":\"" reason      \
    "\"}}"

static void claims_are_tried_against_a_relying_party(void **state)
{
    /* clang-format off */
    static const char cases[] = "{\"cases\":["
        PASSPORT("good", "vault", NO_FLEET, "issued", "ok") ","
        PASSPORT("low", "vault", "\"software\":\"hardware\"", "refused", "party-level") ","
        PASSPORT("old", "vault", NO_FLEET ",\"age_seconds\":601", "refused", "verdict-too-old") ","
        PASSPORT("nobody", "nobody", NO_FLEET, "refused", "party-unknown")
        "]}";
    /* clang-format on */
    OWNED(json_drop) json_t *charter = charter_sound();
    charter_change(charter, "/relying_parties/vault",
                   "{\"audience\":\"https://vault\",\"policies\":[\"web\"],\"least_level\":\"L1\","
                   "\"max_verdict_age_seconds\":600,\"valid_seconds\":60}");
    OWNED(ran_done) struct ran ran = test_charter(*state, charter, cases, NULL);
    if (ran.exit_code != 0)
        fail_msg("%s%s", (const char *)ran.out.at, (const char *)ran.err.at);
    assert_int_equal(strncmp((const char *)ran.out.at, "1..4\nok 1 - good\n", 17), 0);
}

static void a_case_that_comes_out_otherwise_fails_by_name(void **state)
{
    /* clang-format off */
    static const char cases[] = "{\"cases\":["
        CLAIM("good", "key", GOOD, "released", "ok") ","
        CLAIM("hoped", "key", GOOD, "refused", "grant-level")
        "]}";
    /* clang-format on */
    OWNED(json_drop) json_t *charter = charter_sound();
    OWNED(ran_done) struct ran tap = test_charter(*state, charter, cases, NULL);
    OWNED(ran_done) struct ran json = test_charter(*state, charter, cases, "-o=json");
    assert_int_equal(tap.exit_code, 3);
    assert_non_null(strstr((const char *)tap.out.at,
                           "not ok 2 - hoped\n# expected refused grant-level , got released ok"));
    assert_int_equal(json.exit_code, 3);
    OWNED(json_drop) json_t *answer = json_loads((const char *)json.out.at, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(answer, "passed")), 1);
    assert_int_equal(json_integer_value(json_object_get(answer, "failed")), 1);
}

#define SNP(name, more, verdict, reason)                                                           \
    "{\"name\":\"" name "\",\"policy\":\"web\",\"kind\":\"snp\",\"at\":\"2023-04-06T12:00:00Z\","  \
    "\"evidence\":{\"report\":\"%1$s/snp/reports/milan-v2-baremetal.bin\","                        \
    "\"ek\":\"%1$s/snp/ek/milan-v2-baremetal.der\",\"ca\":[\"%1$s/snp/certs/milan/ask.der\","      \
    "\"%1$s/snp/certs/milan/ark.der\"]}" more ",\"expect\":{\"verdict\":\"" verdict                \
    "\",\"reason\":\"" reason "\",\"level\":\"%2$s\"}}"

static const char measurement[] =
    "[\"7a1e5c266c0108dbc9bb94fa926951320940915d0aafb42464bd88b579ea158d3e1a0dc39b2c60bd95b9c480"
    "cd81841f\"]";

static json_t *charter_of_milan(void)
{
    json_t *charter = charter_sound();
    charter_change(charter, "/tcb_floors", "{}");
    charter_change(charter, "/policies/web/snp/require_crl", "false");
    charter_change(charter, "/references/direct/measurement", measurement);
    return charter;
}

/* One report under charters that differ in one thing. */
static void genuine_evidence_is_judged_as_a_keeper_would(void **state)
{
    static const struct {
        const char *pointer, *value, *verdict, *reason, *level;
    } changes[] = {
        {NULL, NULL, "trusted", "ok", "L1"},
        {"/tcb_floors", "{\"Milan\":{\"snp\":255}}", "rejected", "policy-tcb", "L0"},
        {"/tcb_floors", "{\"Milan\":[{},{\"snp\":255,\"from\":\"2023-04-06T12:00:01Z\"}]}",
         "trusted", "ok", "L1"},
        {"/tcb_floors", "{\"Milan\":[{},{\"snp\":255,\"from\":\"2023-04-06T12:00:00Z\"}]}",
         "rejected", "policy-tcb", "L0"},
        {"/references/direct/retired", "true", "rejected", "policy-measurement", "L0"},
        {"/policies/web/snp/signing_keys", "[\"VLEK\"]", "rejected", "policy-signing-key", "L0"},
        {"/deny/measurements", measurement, "rejected", "denied-measurement", "L0"},
    };
    const char *folder = vectors_folder();
    if (folder == NULL)
        skip();
    for (size_t i = 0; i < countof(changes); i++) {
        OWNED(json_drop) json_t *charter = charter_of_milan();
        OWNED(text_done) struct text cases = {0};
        if (changes[i].pointer != NULL)
            charter_change(charter, changes[i].pointer, changes[i].value);
        text_addf(&cases, "{\"cases\":[" SNP("milan", "", "%3$s", "%4$s") "]}", folder,
                  changes[i].level, changes[i].verdict, changes[i].reason);
        OWNED(ran_done) struct ran ran = test_charter(*state, charter, text_str(&cases), NULL);
        if (ran.exit_code != 0)
            fail_msg("%s: %s%s", changes[i].pointer, (const char *)ran.out.at,
                     (const char *)ran.err.at);
    }
}

static void evidence_bound_to_something_else_is_rejected(void **state)
{
    const char *folder = vectors_folder();
    if (folder == NULL)
        skip();
    OWNED(json_drop) json_t *charter = charter_of_milan();
    OWNED(text_done) struct text cases = {0};
    text_addf(&cases,
              "{\"cases\":[" SNP("other", ",\"report_data\":\"00\"", "rejected",
                                 "policy-report-data") "]}",
              folder, "L0");
    OWNED(ran_done) struct ran ran = test_charter(*state, charter, text_str(&cases), NULL);
    if (ran.exit_code != 0)
        fail_msg("%s%s", (const char *)ran.out.at, (const char *)ran.err.at);
}

/* Each passes only where the policy takes its kind, and not what is denied. */
static void azure_and_nitro_evidence_is_judged_too(void **state)
{
    static const char cases_format[] =
        "{\"cases\":["
        "{\"name\":\"azure\",\"policy\":\"web\",\"kind\":\"snp-azure\","
        "\"at\":\"2023-05-05T12:00:00Z\",\"nonce\":\"%2$s\",\"evidence\":{"
        "\"hcl\":\"%1$s/azure/cases/milan-v2-peerpod/hcl.bin\","
        "\"quote_msg\":\"%1$s/azure/cases/milan-v2-peerpod/quote.msg\","
        "\"quote_sig\":\"%1$s/azure/cases/milan-v2-peerpod/quote.sig\","
        "\"pcrs\":\"%1$s/azure/cases/milan-v2-peerpod/pcrs.json\","
        "\"ek\":\"%1$s/azure/cases/milan-v2-peerpod/vcek.der\","
        "\"ca\":[\"%1$s/azure/certs/milan/ask.der\",\"%1$s/azure/certs/milan/ark.der\"]},"
        "\"expect\":{\"verdict\":\"%3$s\",\"reason\":\"%4$s\"}},"
        "{\"name\":\"nitro\",\"policy\":\"web\",\"kind\":\"nitro\","
        "\"at\":\"2023-01-18T13:07:19Z\",\"evidence\":{"
        "\"document\":\"%1$s/nitro/docs/evervault-prod-2023-01.cbor\"},"
        "\"expect\":{\"verdict\":\"rejected\",\"reason\":\"unsupported-evidence\"}},"
        "{\"name\":\"enclave\",\"policy\":\"enclave\",\"kind\":\"nitro\","
        "\"at\":\"2023-01-18T13:07:19Z\",\"evidence\":{"
        "\"document\":\"%1$s/nitro/docs/evervault-prod-2023-01.cbor\"},"
        "\"expect\":{\"verdict\":\"%5$s\",\"reason\":\"%6$s\"}}]}";
    static const char pcr0[] = "d265a83faa7b4fa0d73b82b6d06253e894445922937d0ee5a74fe4891da981"
                               "7611a71e71b98e5329232902de3cf419af";
    const char *folder = vectors_folder();
    if (folder == NULL)
        skip();
    OWNED(json_drop) json_t *charter = charter_of_milan();
    OWNED(text_done) struct text reference = {0};
    OWNED(bytes_done) struct bytes hcl = vectors_read("azure/cases/milan-v2-peerpod/hcl.bin");
    text_add(&reference, "[\"");
    text_add_hex(&reference, span_part(bytes_span(&hcl), 0x20 + 0x90, 48));
    text_add(&reference, "\"]");
    charter_change(charter, "/policies/web/azure", "{\"pcrs\":\"any\"}");
    charter_change(charter, "/references/direct/measurement", text_str(&reference));
    OWNED(text_done) struct text enclave = {0};
    text_addf(&enclave,
              "{\"references\":[],\"valid_seconds\":600,\"nitro\":{\"pcrs\":{\"0\":\"%s\"}}}",
              pcr0);
    charter_change(charter, "/policies/enclave", text_str(&enclave));
    static const char *const nonces[][3] = {{"6368616c6c656e6765", "trusted", "ok"},
                                            {"6368616c6c656e6766", "rejected", "nonce-mismatch"}};
    static const char *const enclaves[][2] = {{"trusted", "ok"},
                                              {"rejected", "denied-measurement"}};
    OWNED(text_done) struct text denied = {0};
    text_addf(&denied, "[\"%s\"]", pcr0);
    for (size_t i = 0; i < countof(nonces); i++) {
        if (i == 1)
            charter_change(charter, "/deny/measurements", text_str(&denied));
        OWNED(text_done) struct text cases = {0};
        text_addf(&cases, cases_format, folder, nonces[i][0], nonces[i][1], nonces[i][2],
                  enclaves[i][0], enclaves[i][1]);
        OWNED(ran_done) struct ran ran = test_charter(*state, charter, text_str(&cases), NULL);
        if (ran.exit_code != 0)
            fail_msg("%s%s", (const char *)ran.out.at, (const char *)ran.err.at);
    }
}

/* A test that cannot run is no failed test. */
static void a_case_that_is_none_is_a_wrong_argument(void **state)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"cases\":[]}",
        "{\"cases\":[1]}",
        "{\"cases\":[{}]}",
        "{\"cases\":[],\"surprise\":1}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"nobody\",\"grant\":\"key\",\"claims\":{},"
        "\"expect\":{\"verdict\":\"refused\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"expect\":{\"verdict\":\"refused\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"grant\":\"key\",\"relying_party\":\"v\","
        "\"claims\":{},\"expect\":{\"verdict\":\"refused\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"grant\":\"key\",\"claims\":1,"
        "\"expect\":{\"verdict\":\"refused\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"grant\":\"key\",\"claims\":{\"a\":1},"
        "\"expect\":{\"verdict\":\"refused\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"grant\":\"key\",\"claims\":{},"
        "\"expect\":{\"verdict\":\"perhaps\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"kind\":\"none\",\"evidence\":{},"
        "\"expect\":{\"verdict\":\"rejected\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"kind\":\"snp\",\"evidence\":{},"
        "\"expect\":{\"verdict\":\"rejected\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"kind\":\"snp\",\"evidence\":{"
        "\"report\":\"nowhere\"},\"expect\":{\"verdict\":\"rejected\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"kind\":\"snp-azure\",\"evidence\":{},"
        "\"expect\":{\"verdict\":\"rejected\"}}]}",
        "{\"cases\":[{\"name\":\"x\",\"policy\":\"web\",\"kind\":\"nitro\",\"evidence\":{},"
        "\"expect\":{\"verdict\":\"rejected\"}}]}",
    };
    OWNED(json_drop) json_t *charter = charter_sound();
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(ran_done) struct ran ran = test_charter(*state, charter, bad[i], NULL);
        if (ran.exit_code != 2)
            fail_msg("%s: exit %d, %s", bad[i], ran.exit_code, (const char *)ran.err.at);
    }
    assert_used_wrongly("cli/muster charter test --file x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(claims_are_tried_against_a_relying_party, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(claims_are_tried_against_a_grant, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(a_case_that_comes_out_otherwise_fails_by_name, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(genuine_evidence_is_judged_as_a_keeper_would, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(evidence_bound_to_something_else_is_rejected, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(azure_and_nitro_evidence_is_judged_too, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(a_case_that_is_none_is_a_wrong_argument, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
