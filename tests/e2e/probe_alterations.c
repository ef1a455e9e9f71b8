/* Every alteration that a keeper's standing probes make, for every kind of evidence: the code that
 * must come of it, or that this evidence has nothing to alter (trust.md section 10). */
#include <stdio.h>
#include <string.h>

#include "keeper/alterations.h"
#include "keeper/token_alterations.h"
#include "lib/attest/tpm_key.h"
#include "lib/base/text.h"
#include "lib/crypto/random.h"
#include "tests/support/guest_azure.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/guest_vtpm.h"
#include "tests/support/test.h"

/* As many as there are bits of a guest policy that have a word, which is the most to choose from.
 */
enum { TURNS = 9 };

enum scene { SCENE_VLEK, SCENE_VCEK, SCENE_AZURE, SCENE_VTPM, SCENE_NITRO, SCENES };

static const char *const scene_words[] = {"vlek", "vcek", "azure", "vtpm", "nitro"};
static struct deployment *scenes[SCENES];

static void attest_in(enum scene scene, struct deployment *d)
{
    const struct paravisor_wish paravisor = azure_wish(0);
    const struct nsm_wish module = nsm_wish();
    const struct made_vtpm_wish vtpm = made_vtpm_wish(VOUCH_AUTHORITY);
    OWNED(guest_done)
    struct guest g = scene == SCENE_VLEK    ? guest_make(PSP_FIRMWARE_ONLY, 0)
                     : scene == SCENE_VCEK  ? guest_make(PSP_DIRECT_BOOT, 5)
                     : scene == SCENE_AZURE ? azure_guest()
                     : scene == SCENE_VTPM  ? vtpm_guest()
                                            : nitro_guest();
    g.wish.provisional = scene == SCENE_VLEK; /* as AWS shows its machines */
    if (scene == SCENE_AZURE)
        azure_attest(d, &g, &paravisor);
    else if (scene == SCENE_VTPM)
        vtpm_attest(d, &g, &vtpm);
    else if (scene == SCENE_NITRO)
        nitro_attest(d, &g, &module);
    else
        guest_attested(d, &g);
    assert_verdict(&g, "trusted", "ok");
}

static int open_scenes(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        void *d = NULL;
        assert_int_equal(deployment_open(&d), 0);
        scenes[i] = d;
        if (i == SCENE_AZURE)
            azure_write_charter(d);
        if (i == SCENE_VTPM)
            vtpm_write_charter(d);
        if (i == SCENE_NITRO)
            nitro_set_up(d);
        attest_in((enum scene)i, d);
    }
    return 0;
}

static int close_scenes(void **state)
{
    (void)state;
    for (int i = 0; i < SCENES; i++) {
        void *d = scenes[i];
        assert_int_equal(deployment_close(&d), 0);
    }
    return 0;
}

/* ---- evidence ------------------------------------------------------------------------------- */

/* A dash: this evidence has nothing to alter; NULL: no question for this kind. */
struct row {
    const char *alteration;
    const char *codes[SCENES];
};

/* clang-format off */
#define EACH(code) {(code), (code), (code), (code), (code)}
#define CHIPS(code) {(code), (code), (code), (code), NULL}
#define BOUND {"policy-report-data", "policy-report-data", "nonce-mismatch", "policy-report-data", \
               "policy-report-data"}
static const struct row rows[] = {
    {"nonce", {"policy-report-data", "policy-report-data", "nonce-mismatch", "policy-report-data",
               "policy-nonce"}},
    {"link-key", BOUND},
    {"sealing-key", BOUND},
    {"root", BOUND},
    {"instance", BOUND},
    {"rest", BOUND},
    {"signature", EACH("bad-signature")},
    {"quote-signature", {NULL, NULL, "quote-bad-signature", "quote-bad-signature", NULL}},
    {"roots", EACH("chain-untrusted")},
    {"much-later", EACH("cert-expired")},
    {"realm", {"wrong-realm", "wrong-realm", NULL, NULL, NULL}},
    {"called-simulated", {NULL}}, /* what claims to be genuine: see below */
    {"called-another", EACH("kind-mismatch")},
    {"kind-not-named", EACH("unsupported-evidence")},
    {"tcb-floor", CHIPS("policy-tcb")},
    {"measurement", {"policy-measurement", "policy-measurement", "policy-measurement",
                     "policy-measurement", "policy-pcr"}},
    {"register", {NULL, NULL, "policy-pcr", "policy-pcr", NULL}},
    {"retired-reference", {"policy-measurement", "policy-measurement", "-", "policy-measurement", NULL}},
    {"expired-reference", {"policy-measurement", "policy-measurement", "-", "policy-measurement", NULL}},
    {"provider", {"policy-csp", "-", "-", "-", NULL}},
    {"chip", CHIPS("policy-chip-id")},
    {"committed-tcb", {"policy-committed-tcb", "-", "-", "-", NULL}},
    {"guest-policy", CHIPS("policy-guest-policy")},
    {"guest-svn", CHIPS("policy-guest-svn")},
    {"mitigations", CHIPS("policy-mit-vector")},
    {"age", CHIPS("policy-age")},
    {"denied-chip", {"-", "denied-chip", "-", "-", "-"}},
    {"denied-measurement", EACH("denied-measurement")},
    {"denied-anchor", {"-", "denied-anchor", "denied-anchor", "denied-anchor", "denied-anchor"}},
    {"denied-guest-key", EACH("denied-guest-key")},
    {"denied-product", {"denied-product", "denied-product", "denied-product", "denied-product", "-"}},
    {"denied-region", {"denied-region", "-", "-", "-", "-"}},
    {"denied-signer", {"-", "-", "denied-signer", "-", "-"}},
};
/* clang-format on */

struct question_case {
    const struct row *row;
    enum scene scene;
    char name[64];
};

static const struct alteration *find(const char *name)
{
    for (size_t i = 0; i < alteration_count; i++)
        if (strcmp(alterations[i].name, name) == 0)
            return &alterations[i];
    fail_msg("no alteration %s", name);
    return NULL;
}

/* The code that comes of it; "-" when there is nothing to alter. */
static void alter(const struct keeper *k, const struct alteration *a, int64_t turn,
                  char out[static ERROR_CODE_SIZE])
{
    struct error err = {0};
    OWNED(probe_done) struct probe probe = {0};
    assert_ok(probe_prepare(k, k->charter, &k->probes.samples[0], &probe, &err));
    assert_true(probe_passes(&probe, out));
    assert_string_equal(out, "ok");
    probe.turn = turn;
    snprintf(out, ERROR_CODE_SIZE, "-");
    if (a->alter(&probe))
        assert_false(probe_passes(&probe, out));
}

static void it_ends_with_its_code(void **state)
{
    const struct question_case *c = *state;
    const struct keeper *k = scenes[c->scene]->keeper;
    const struct alteration *a = find(c->row->alteration);
    const char *wanted = c->row->codes[c->scene];
    char code[ERROR_CODE_SIZE];
    assert_int_equal(k->probes.count, 1);
    const char *listed = a->codes[k->probes.samples[0].nonce.kind];
    if (wanted == NULL) {
        assert_null(listed);
        return;
    }
    assert_non_null(listed);
    for (int64_t turn = 0; turn < TURNS; turn++) {
        alter(k, a, turn, code);
        assert_string_equal(code, wanted);
    }
    if (strcmp(wanted, "-") != 0)
        assert_string_equal(listed, wanted);
}

static void every_alteration_has_its_row(void **state)
{
    (void)state;
    assert_int_equal(countof(rows), alteration_count);
    for (size_t i = 0; i < countof(rows); i++)
        assert_string_equal(rows[i].alteration, alterations[i].name);
}

/* Each of the nine is asked for, and as it is not. */
static void every_bit_of_a_launch_has_its_turn(void **state)
{
    (void)state;
    struct error err = {0};
    const struct keeper *k = scenes[SCENE_VCEK]->keeper;
    uint64_t asked = 0;
    for (int64_t turn = 0; turn < TURNS; turn++) {
        OWNED(probe_done) struct probe p = {0};
        struct snp_report report;
        assert_ok(probe_prepare(k, k->charter, &k->probes.samples[0], &p, &err));
        assert_ok(snp_report_read(evidence_report(&p.evidence), &report, &err));
        p.turn = turn;
        assert_true(find("guest-policy")->alter(&p));
        assert_int_equal(p.terms->snp.forbid_guest_policy & ~report.policy, 0);
        assert_int_equal(p.terms->snp.require_guest_policy & report.policy, 0);
        asked |= p.terms->snp.forbid_guest_policy | p.terms->snp.require_guest_policy;
    }
    assert_int_equal(asked, UINT64_C(0x3fd0000)); /* 16 and 18 to 25 */
}

/* Of both vectors, and never one that is named. */
static void mitigations_are_asked_for_by_turns(void **state)
{
    (void)state;
    struct error err = {0};
    const struct keeper *k = scenes[SCENE_VCEK]->keeper;
    OWNED(probe_done) struct probe p = {0};
    assert_ok(probe_prepare(k, k->charter, &k->probes.samples[0], &p, &err));
    for (p.turn = 0; p.turn < 128; p.turn++)
        assert_true(find("mitigations")->alter(&p));
    assert_int_equal(p.terms->snp.require_launch_mit_vector, UINT64_MAX);
    assert_int_equal(p.terms->snp.require_current_mit_vector, UINT64_MAX);
}

/* What is altered is the probe's own: nothing of it stays in the keeper. */
static void a_probe_leaves_the_keeper_as_it_was(void **state)
{
    (void)state;
    for (int scene = 0; scene < SCENES; scene++) {
        struct keeper *k = scenes[scene]->keeper;
        char code[ERROR_CODE_SIZE];
        for (size_t i = 0; i < alteration_count; i++)
            if (alterations[i].codes[k->probes.samples[0].nonce.kind] != NULL)
                alter(k, &alterations[i], 0, code);
        attest_in((enum scene)scene, scenes[scene]);
    }
}

/* In production genuine evidence could be called simulated: there is nobody who judges it. */
static void genuine_evidence_called_simulated_has_no_judge(void **state)
{
    (void)state;
    struct error err = {0};
    char code[ERROR_CODE_SIZE];
    struct deployment *d = deployment_make(REALM_PRODUCTION, false);
    deployment_start_keeper(d);
    deployment_write_charter(d);
    assert_ok(deployment_apply(d, &err));
    struct probe_sample sample = scenes[SCENE_VLEK]->keeper->probes.samples[0]; /* a loan */
    sample.nonce.kind = EVIDENCE_SNP;
    OWNED(probe_done) struct probe probe = {0};
    assert_ok(probe_prepare(d->keeper, d->keeper->charter, &sample, &probe, &err));
    assert_true(find("called-simulated")->alter(&probe));
    assert_false(probe_passes(&probe, code));
    assert_string_equal(code, find("called-simulated")->codes[EVIDENCE_SNP]);
    deployment_free(d);
}

/* ---- tokens --------------------------------------------------------------------------------- */

static void every_token_is_refused_with_its_code(void **state)
{
    (void)state;
    const struct keeper *k = scenes[SCENE_VLEK]->keeper;
    struct error err = {0};
    const struct probe_sample *sample = &k->probes.samples[0];
    OWNED(verdict_token_done) struct verdict_token genuine = {0};
    assert_ok(keeper_read_verdict(k, &sample->nonce.instance, sample->token, &genuine, &err));
    size_t shown = 0;
    for (size_t i = 0; i < token_alteration_count; i++) {
        const struct token_alteration *a = &token_alterations[i];
        OWNED(verdict_token_done) struct verdict_token read = {0};
        struct uuid instance = sample->nonce.instance;
        OWNED(mem_drop) char *token = a->make(k, &genuine, &instance);
        if (token == NULL) {
            assert_string_equal(a->name, "token-simulated"); /* it is one, in this realm */
            continue;
        }
        assert_fails(keeper_read_verdict(k, &instance, token, &read, &err), ERR_DENIED, a->code);
        shown++;
    }
    assert_int_equal(shown, token_alteration_count - 1);
}

static void a_simulated_token_is_refused_in_production(void **state)
{
    (void)state;
    struct error err = {0};
    struct deployment *d = deployment_make(REALM_PRODUCTION, false);
    deployment_start_keeper(d);
    const struct keeper *k = d->keeper;
    OWNED(verdict_token_done) struct verdict_token genuine = {0};
    OWNED(verdict_token_done) struct verdict_token read = {0};
    genuine.id = uuid_new();
    genuine.expires = moment_add_seconds(clock_now(), 60);
    for (size_t i = 0; i < token_alteration_count; i++) {
        const struct token_alteration *a = &token_alterations[i];
        struct uuid instance = {0};
        if (strcmp(a->name, "token-simulated") != 0)
            continue;
        OWNED(mem_drop) char *token = a->make(k, &genuine, &instance);
        assert_fails(keeper_read_verdict(k, &instance, token, &read, &err), ERR_DENIED, a->code);
    }
    deployment_free(d);
}

/* Whoever holds the key may choose s as (n - 1) / 2, whose last bit makes it n - s: that is good
 * too, and would have been an acceptance. Made for the message with k = 0x123456789. */
#define CHOSEN_X "629dad64695bc277834943eed991c65babd8d125764d4b695c0af0f34145dc4f"
#define CHOSEN_Y "4c16d53627de08881277ba26bcc6a8f0e7f230f09e9d7fbc52bd8fc28a9567f6"
#define CHOSEN_SIGNATURE                                                                           \
    "0018000b0020"                                                                                 \
    "74daa59b8b43bfe0d20031cf705a0b98d5b9746a67b4fd495d3eccbf71a86c25"                             \
    "0020"                                                                                         \
    "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8"

static void a_guest_that_signs_its_own_quote_halts_nobody(void **state)
{
    (void)state;
    struct error err = {0};
    uint8_t x[32], y[32], signature[72];
    const struct span quote = span_of_text("a quote");
    const struct tpm_public key = {.kind = TPM_KEY_P256, .x = SPAN_OF(x), .y = SPAN_OF(y)};
    struct probe probe = {.evidence.kind = EVIDENCE_SNP_VTPM};
    assert_ok(hex_decode_exact(CHOSEN_X, x, sizeof x, &err));
    assert_ok(hex_decode_exact(CHOSEN_Y, y, sizeof y, &err));
    assert_ok(hex_decode_exact(CHOSEN_SIGNATURE, signature, sizeof signature, &err));
    assert_ok(tpm_public_verify(&key, quote, SPAN_OF(signature), &err));
    bytes_add(&probe.evidence.signature, SPAN_OF(signature));
    for (size_t i = 0; i < alteration_count; i++)
        if (strcmp(alterations[i].name, "quote-signature") == 0)
            assert_true(alterations[i].alter(&probe));
    assert_fails(tpm_public_verify(&key, quote, bytes_span(&probe.evidence.signature), &err),
                 ERR_DENIED, "bad-signature");
    bytes_done(&probe.evidence.signature);
}

static struct question_case cases[SCENES * countof(rows)];

int main(void)
{
    struct CMUnitTest tests[countof(cases) + 8];
    size_t count = 0;
    for (size_t i = 0; i < countof(rows); i++)
        for (int scene = 0; scene < SCENES; scene++) {
            struct question_case *c = &cases[count];
            *c = (struct question_case){.row = &rows[i], .scene = (enum scene)scene};
            snprintf(c->name, sizeof c->name, "%s_altered_in_%s", rows[i].alteration,
                     scene_words[scene]);
            tests[count++] = (struct CMUnitTest){
                .name = c->name, .test_func = it_ends_with_its_code, .initial_state = c};
        }
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_alteration_has_its_row);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_bit_of_a_launch_has_its_turn);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(mitigations_are_asked_for_by_turns);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(a_probe_leaves_the_keeper_as_it_was);
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(genuine_evidence_called_simulated_has_no_judge);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_token_is_refused_with_its_code);
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(a_simulated_token_is_refused_in_production);
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(a_guest_that_signs_its_own_quote_halts_nobody);
    return cmocka_run_group_tests_name("probe alterations", tests, open_scenes, close_scenes);
}
