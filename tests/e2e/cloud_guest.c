/* Guests that show a keeper their cloud's documents, and controllers that say what they like of
 * them: what opens, and what does not (trust.md sections 2 and 5; R5, R11). */
#include <string.h>

#include "emulator/papers.h"
#include "lib/attest/cloud_documents.h"
#include "tests/support/deployment.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static struct papers *papers;

static void put_grant(struct deployment *d, const char *name, const char *scope, const char *kind,
                      const char *accounts, const char *regions)
{
    json_t *rule = json_pack(
        "{s:[s], s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:i, s:b}", "policies", "stock", "least_level",
        "L1", "accounts", json_loads(accounts, JSON_DECODE_ANY, NULL), "regions",
        json_loads(regions, JSON_DECODE_ANY, NULL), "fleets", "any", "scope", scope, "kind", kind,
        "origin", "generate", "max_verdict_age_seconds", 600, "allow_unproven_software", 1);
    json_put_new(json_object_get(d->charter, "grants"), name, rule);
}

static int set_up(void **state)
{
    struct error err = {0};
    assert_int_equal(deployment_open(state), 0);
    struct deployment *d = *state;
    OWNED(mem_drop) char *folder = scratch_path(d->folder, "papers");
    assert_ok(papers_open(folder, &papers, &err));
    json_put_new(d->charter, "clouds", papers_clouds(papers, "us-east-2"));
    put_grant(d, "own", "instance", "ssh-host-key", "\"any\"", "\"any\"");
    put_grant(d, "ours", "fleet", "opaque", "[\"our-project\"]", "\"any\"");
    put_grant(d, "here", "fleet", "opaque", "\"any\"", "[\"us-central1\"]");
    put_grant(d, "eu", "fleet", "opaque", "\"any\"", "[\"europe-west4\"]");
    put_grant(d, "any", "fleet", "opaque", "\"any\"", "\"any\"");
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    return 0;
}

static int tear_down(void **state)
{
    papers_close(papers);
    return deployment_close(state);
}

/* ---- a machine on Google's cloud ------------------------------------------------------------- */

static void show_token(struct guest *g, const char *machine, const uint8_t *nonce)
{
    struct error err = {0};
    char audience[CLOUD_AUDIENCE_SIZE];
    OWNED(cloud_documents_done) struct cloud_documents documents = {.cloud = CLOUD_GCP};
    cloud_audience(nonce, audience);
    const struct paper paper = {.account = "our-project",
                                .zone = "us-central1-a",
                                .machine = machine,
                                .name = "web",
                                .nonce = audience,
                                .started = clock_now(),
                                .at = clock_now(),
                                .confidentiality = 1};
    assert_ok(papers_gcp(papers, &paper, &documents.parts[GCP_TOKEN], &err));
    OWNED(mem_drop) char *record = cloud_documents_print(1, &documents);
    bytes_done(&g->rest);
    bytes_add(&g->rest, span_of_text(record));
}

/* Appraised with a token for the challenge, or for `other`. */
static void attest(struct deployment *d, struct guest *g, const char *machine, const uint8_t *other)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, g, &challenge, &err));
    show_token(g, machine, other != NULL ? other : challenge.nonce);
    guest_evidence(d, g, &challenge, &evidence);
    assert_ok(guest_appraise(d, g, &challenge, &evidence, &err));
}

static struct guest on_google(struct deployment *d, const char *machine)
{
    struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    memcpy(g.wish.csp_id, "CN=cc-google", sizeof "CN=cc-google");
    g.declared = machine;
    attest(d, &g, machine, NULL);
    assert_verdict(&g, "trusted", "ok");
    return g;
}

static void asks(struct deployment *d, struct guest *g, const char *grant, const char *code)
{
    OWNED(stored_done) struct stored s = {0};
    stored_made(d, grant, NULL, &s);
    struct release_wish wish = release_wish_of(g, &s);
    if (code == NULL)
        assert_released(d, &wish);
    else
        assert_refused(d, &wish, code);
}

static void a_token_for_our_challenge_opens_what_is_its_machines(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    assert_claim(&g, "identity", "provider");
    assert_claim(&g, "documents", "agree");
    assert_claim(&g, "account", "our-project");
    assert_claim(&g, "region", "us-central1");
    OWNED(stored_done) struct stored own = {0};
    stored_made(d, "own", &g, &own);
    struct release_wish wish = release_wish_of(&g, &own);
    assert_released(d, &wish);
    asks(d, &g, "ours", NULL);
    asks(d, &g, "here", NULL);
    asks(d, &g, "eu", "grant-region");
}

static void another_machine_does_not_get_what_is_its_alone(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    OWNED(guest_done) struct guest other = on_google(d, "1002");
    OWNED(stored_done) struct stored own = {0};
    stored_made(d, "own", &g, &own);
    struct release_wish stolen = release_wish_of(&other, &own);
    assert_refused(d, &stolen, "anchor-mismatch");
}

static void a_machine_that_boots_anew_is_the_same_by_its_token(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    OWNED(stored_done) struct stored own = {0};
    stored_made(d, "own", &g, &own);
    g.wish.report_id[0] ^= 1;
    attest(d, &g, "1001", NULL);
    struct release_wish wish = release_wish_of(&g, &own);
    assert_released(d, &wish);
}

static void a_token_for_somebody_else_makes_it_suspect(void **state)
{
    struct deployment *d = *state;
    static const uint8_t elsewhere[NONCE_SIZE] = {9};
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    OWNED(stored_done) struct stored own = {0};
    stored_made(d, "own", &g, &own);
    attest(d, &g, "1001", elsewhere);
    assert_verdict(&g, "trusted", "ok");
    assert_claim(&g, "documents", "suspect");
    assert_claim(&g, "suspect_reason", "identity-nonce");
    assert_claim(&g, "identity", "none");
    guest_claim_is(&g, "account", "");
    struct release_wish wish = release_wish_of(&g, &own);
    assert_refused(d, &wish, "anchor-unproven");
    asks(d, &g, "ours", "identity-suspect");
    asks(d, &g, "here", "identity-suspect");
    asks(d, &g, "any", NULL); /* asks nothing of who it is */
}

static void says_nothing(struct deployment *d, struct guest *g)
{
    bytes_done(&g->rest);
    bytes_add(&g->rest, span_of_text("{\"boot\":1,\"documents\":{}}"));
    guest_attested(d, g);
}

static void what_is_declared_can_only_take_away(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    g.declared = "1002";
    attest(d, &g, "1001", NULL);
    assert_claim(&g, "suspect_reason", "identity-instance");
    asks(d, &g, "ours", "identity-suspect");
    g.declared = NULL;
    attest(d, &g, "1001", NULL);
    assert_claim(&g, "documents", "none");
    asks(d, &g, "ours", "grant-account");
    g.declared = "1001";
    says_nothing(d, &g);
    assert_claim(&g, "identity", "none");
    asks(d, &g, "ours", "grant-account");
}

/* Not forgiven, for nothing was gained: what opens is what opened to anybody (decision 0021). */
static void a_suspect_that_says_nothing_is_as_one_that_never_spoke(void **state)
{
    struct deployment *d = *state;
    static const uint8_t elsewhere[NONCE_SIZE] = {9};
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    OWNED(guest_done) struct guest never = guest_make(PSP_FIRMWARE_ONLY, 0);
    OWNED(stored_done) struct stored own = {0};
    stored_made(d, "own", &g, &own);
    memcpy(never.wish.csp_id, "CN=cc-google", sizeof "CN=cc-google");
    never.declared = "1001";
    says_nothing(d, &never);
    attest(d, &g, "1001", elsewhere);
    assert_claim(&g, "documents", "suspect");
    says_nothing(d, &g);
    static const char *const same[] = {"documents", "level", "software", "identity", "missing"};
    for (size_t i = 0; i < countof(same); i++)
        assert_true(json_equal(json_object_get(g.verdict.claims, same[i]),
                               json_object_get(never.verdict.claims, same[i])));
    asks(d, &g, "ours", "grant-account");
    asks(d, &g, "here", "grant-region");
    struct release_wish wish = release_wish_of(&g, &own);
    assert_refused(d, &wish, "anchor-unproven");
    asks(d, &g, "any", NULL);
}

/* Where hardware proves which machine it is, a lie about it closes the machine's own secrets for as
 * long as it is told, and no longer: who serves metadata for a minute has no say for ever. */
static void a_lie_weighs_on_a_proven_machine_while_it_is_told(void **state)
{
    struct deployment *d = *state;
    static const uint8_t elsewhere[NONCE_SIZE] = {9};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 7);
    OWNED(stored_done) struct stored own = {0};
    g.declared = "1001";
    attest(d, &g, "1001", NULL);
    stored_made(d, "host", &g, &own);
    attest(d, &g, "1001", elsewhere);
    assert_claim(&g, "documents", "suspect");
    OWNED(mem_drop) char *suspect = mem_text(g.token);
    struct release_wish wish = release_wish_of(&g, &own);
    assert_refused(d, &wish, "identity-suspect");
    says_nothing(d, &g);
    assert_claim(&g, "identity", "hardware");
    wish = release_wish_of(&g, &own);
    assert_released(d, &wish);
    wish.token = suspect; /* and the verdict that was, counts no more */
    assert_refused(d, &wish, "verdict-superseded");
}

static void a_region_that_a_document_names_can_be_denied(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    json_put_new(json_object_get(d->charter, "deny"), "regions", json_pack("[s]", "us-central1"));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    asks(d, &g, "any", "denied-region");
    attest(d, &g, "1001", NULL);
    assert_verdict(&g, "rejected", "denied-region");
}

static void a_charter_that_takes_no_clouds_word_any_more_needs_new_verdicts(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = on_google(d, "1001");
    json_object_del(d->charter, "clouds");
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    asks(d, &g, "ours", "policy-changed");
    attest(d, &g, "1001", NULL);
    assert_claim(&g, "documents", "none");
    asks(d, &g, "ours", "grant-account");
}

/* ---- a machine of anybody, with a document of ours ------------------------------------------ */

static void show_document(struct guest *g, const char *machine)
{
    struct error err = {0};
    OWNED(cloud_documents_done) struct cloud_documents documents = {.cloud = CLOUD_AWS};
    const struct paper paper = {.account = "our-project",
                                .region = "us-east-2",
                                .zone = "us-east-2b",
                                .machine = machine,
                                .image = "ami-1",
                                .size = "m6a.large",
                                .started = clock_now(),
                                .at = clock_now()};
    assert_ok(papers_aws(papers, &paper, &documents.parts[AWS_DOCUMENT],
                         &documents.parts[AWS_RSA2048], &err));
    OWNED(mem_drop) char *record = cloud_documents_print(1, &documents);
    bytes_done(&g->rest);
    bytes_add(&g->rest, span_of_text(record));
}

static void a_thiefs_machine_is_not_ours_by_a_document_that_he_kept(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    g.declared = "i-0123456789abcdef0"; /* as a stolen controller says it */
    show_document(&g, g.declared);
    memcpy(g.wish.csp_id, "CN=his-own", sizeof "CN=his-own");
    guest_attested(d, &g);
    assert_claim(&g, "documents", "none");
    assert_claim(&g, "identity", "none");
    asks(d, &g, "ours", "grant-account");
    asks(d, &g, "here", "grant-region");
    static const char amazon[] = "CN=cc-us-east-2.amazonaws.com";
    memcpy(g.wish.csp_id, amazon, sizeof amazon);
    guest_attested(d, &g);
    assert_claim(&g, "documents", "agree");
    asks(d, &g, "ours", NULL);
}

#define WITH_CLOUDS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLOUDS(a_token_for_our_challenge_opens_what_is_its_machines),
        WITH_CLOUDS(another_machine_does_not_get_what_is_its_alone),
        WITH_CLOUDS(a_machine_that_boots_anew_is_the_same_by_its_token),
        WITH_CLOUDS(a_token_for_somebody_else_makes_it_suspect),
        WITH_CLOUDS(what_is_declared_can_only_take_away),
        WITH_CLOUDS(a_suspect_that_says_nothing_is_as_one_that_never_spoke),
        WITH_CLOUDS(a_lie_weighs_on_a_proven_machine_while_it_is_told),
        WITH_CLOUDS(a_region_that_a_document_names_can_be_denied),
        WITH_CLOUDS(a_thiefs_machine_is_not_ours_by_a_document_that_he_kept),
        WITH_CLOUDS(a_charter_that_takes_no_clouds_word_any_more_needs_new_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
