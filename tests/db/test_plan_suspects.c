/* Machines whose cloud's documents spoke against them, planned anew: the keeper's own verdicts, and
 * what belonged to the moment stays as it was found then. */
#include <string.h>

#include "db/replay_store.h"
#include "db/verdict_store.h"
#include "emulator/papers.h"
#include "lib/attest/cloud_documents.h"
#include "lib/crypto/random.h"
#include "tests/support/judged.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { DAY = 86400 };

static struct papers *papers;

static int open_world(void **state)
{
    struct error err = {0};
    if (judged_open(state) != 0)
        return -1;
    OWNED(mem_drop) char *folder = scratch_path(world->folder, "papers");
    assert_ok(papers_open(folder, &papers, &err));
    json_put_new(world->charter, "clouds", papers_clouds(papers, "us-east-2"));
    deployment_raise_serial(world);
    assert_ok(deployment_apply(world, &err));
    return 0;
}

static int close_world(void **state)
{
    papers_close(papers);
    return judged_close(state);
}

static int forget_all(void **state)
{
    struct error err = {0};
    assert_ok(db_script(ask_db, "DELETE FROM instances", &err));
    return ask_quiet(state);
}

/* ---- a machine on Google's cloud, which a keeper judged ---------------------------------------
 */

static void show_token(struct guest *g, const uint8_t nonce[static NONCE_SIZE], int64_t age_seconds)
{
    struct error err = {0};
    char audience[CLOUD_AUDIENCE_SIZE];
    OWNED(cloud_documents_done) struct cloud_documents documents = {.cloud = CLOUD_GCP};
    cloud_audience(nonce, audience);
    const struct paper paper = {.account = "our-project",
                                .zone = "us-central1-a",
                                .machine = "1001",
                                .name = "web",
                                .nonce = audience,
                                .started = clock_now(),
                                .at = moment_add_seconds(clock_now(), -age_seconds),
                                .confidentiality = 1};
    assert_ok(papers_gcp(papers, &paper, &documents.parts[GCP_TOKEN], &err));
    OWNED(mem_drop) char *record = cloud_documents_print(1, &documents);
    bytes_done(&g->rest);
    bytes_add(&g->rest, span_of_text(record));
}

static void record_verdict(struct guest *g, struct span evidence)
{
    struct error err = {0};
    const json_t *claims = g->verdict.claims;
    struct verdict_row row = {.instance = g->instance,
                              .project = "default",
                              .kind = "simulated",
                              .verdict = "trusted",
                              .reason = "ok",
                              .hardware = SOURCE_HARDWARE,
                              .simulated = true,
                              .policy = "stock",
                              .charter_serial = 1,
                              .keeper = "0102030405060708",
                              .nonce_issued = g->verdict.issued,
                              .valid_until = moment_add_seconds(clock_now(), DAY)};
    int level = 0;
    assert_ok(name_parse(&level_names, told_member(claims, "level"), &level, &err));
    row.level = level;
    row.claims = TAKE(g->verdict.claims);
    row.checks = TAKE(g->verdict.checks);
    row.token = mem_text(g->token);
    guest_link_fingerprint(g, row.link_key);
    random_fill(row.sealing_key, sizeof row.sealing_key);
    assert_ok(verdict_store_record(ask_db, &row, evidence, "keeper:test", NULL, &err));
    verdict_row_done(&row);
}

/* Judged by the keeper with a token for the challenge (or for `other`) of that age, and stored. */
static void stands_on_token(const uint8_t *other, int64_t age_seconds, const char *documents)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    memcpy(g.wish.csp_id, "CN=cc-google", sizeof "CN=cc-google");
    g.instance = ask_instance("google-fleet").id;
    g.declared = "1001";
    assert_ok(db_script(ask_db,
                        "UPDATE instances SET policy = 'stock', cloud_ref = '1001',"
                        " region = 'us-central1', client_token = 'launched'",
                        &err));
    assert_ok(guest_challenge(world, &g, &challenge, &err));
    show_token(&g, other != NULL ? other : challenge.nonce, age_seconds);
    guest_evidence(world, &g, &challenge, &evidence);
    assert_ok(guest_appraise(world, &g, &challenge, &evidence, &err));
    assert_verdict(&g, "trusted", "ok");
    assert_claim(&g, "documents", documents);
    record_verdict(&g, bytes_span(&evidence));
}

/* ---- planned --------------------------------------------------------------------------------- */

static struct told plan_for(const json_t *candidate)
{
    OWNED(mem_drop) char *text = json_print(candidate);
    struct told told = ask("POST", "/v1/charter/plan", text);
    assert_told(told, 200);
    assert_int_equal(json_integer_value(json_object_get(told.body, "instances")), 1);
    return told;
}

static void assert_stays(void)
{
    OWNED(told_done) struct told told = plan_for(world->charter);
    assert_int_equal(json_integer_value(json_object_get(told.body, "unchanged")), 1);
}

static void assert_flips(const json_t *candidate, const char *from, const char *to,
                         const char *reason)
{
    OWNED(told_done) struct told told = plan_for(candidate);
    const json_t *flips = json_object_get(json_object_get(told.body, "flips"), "items");
    const json_t *flip = json_array_get(flips, 0);
    assert_int_equal(json_array_size(flips), 1);
    assert_string_equal(told_member(flip, "to"), "trusted");
    assert_string_equal(told_member(flip, "documents_from"), from);
    assert_string_equal(told_member(flip, "documents_to"), to);
    assert_string_equal(told_member(flip, "reason"), reason);
}

static struct replay_row only_row(struct replay_row_list *list)
{
    struct error err = {0};
    assert_ok(replay_store_page(ask_db, "default", NULL, 2, list, &err));
    assert_int_equal(list->count, 1);
    return list->at[0];
}

static void a_machine_whose_documents_agreed_stays_as_it_is(void **state)
{
    (void)state;
    OWNED(replay_row_list_done) struct replay_row_list list = {0};
    stands_on_token(NULL, 0, "agree");
    const struct replay_row row = only_row(&list);
    assert_int_equal(row.documents, DOCUMENTS_AGREE);
    assert_false(row.bad_time || row.bad_nonce);
    assert_stays();
}

static void an_answer_to_another_challenge_stays_one(void **state)
{
    (void)state;
    static const uint8_t elsewhere[NONCE_SIZE] = {9};
    OWNED(replay_row_list_done) struct replay_row_list list = {0};
    stands_on_token(elsewhere, 0, "suspect");
    const struct replay_row row = only_row(&list);
    assert_int_equal(row.documents, DOCUMENTS_SUSPECT);
    assert_true(row.bad_nonce && !row.bad_time);
    assert_stays();
}

static void a_token_that_was_over_stays_so(void **state)
{
    (void)state;
    OWNED(replay_row_list_done) struct replay_row_list list = {0};
    stands_on_token(NULL, DAY, "suspect");
    const struct replay_row row = only_row(&list);
    assert_true(row.bad_time && !row.bad_nonce);
    assert_stays();
}

static void a_token_that_is_over_by_now_was_good_then(void **state)
{
    (void)state;
    stands_on_token(NULL, 0, "agree");
    clock_freeze(moment_add_seconds(clock_now(), DAY));
    assert_stays();
    clock_freeze(moment_add_seconds(clock_now(), -DAY));
}

/* R80: who gets nothing any more that asks who it is, is listed before the charter is applied. */
static void a_charter_that_calls_no_account_ours_shows_who_becomes_suspect(void **state)
{
    (void)state;
    stands_on_token(NULL, 0, "agree");
    OWNED(json_drop) json_t *candidate = json_deep_copy(world->charter);
    json_t *google = json_object_get(json_object_get(candidate, "clouds"), "gcp");
    json_put_new(google, "accounts", json_pack("[s]", "another-project"));
    assert_flips(candidate, "agree", "suspect", "identity-account");
}

static void a_charter_that_takes_no_clouds_word_shows_who_is_nobody_then(void **state)
{
    (void)state;
    stands_on_token(NULL, 0, "agree");
    OWNED(json_drop) json_t *candidate = json_deep_copy(world->charter);
    json_object_del(candidate, "clouds");
    assert_flips(candidate, "agree", "none", "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_machine_whose_documents_agreed_stays_as_it_is, forget_all),
        cmocka_unit_test_setup(an_answer_to_another_challenge_stays_one, forget_all),
        cmocka_unit_test_setup(a_token_that_was_over_stays_so, forget_all),
        cmocka_unit_test_setup(a_token_that_is_over_by_now_was_good_then, forget_all),
        cmocka_unit_test_setup(a_charter_that_calls_no_account_ours_shows_who_becomes_suspect,
                               forget_all),
        cmocka_unit_test_setup(a_charter_that_takes_no_clouds_word_shows_who_is_nobody_then,
                               forget_all),
    };
    return cmocka_run_group_tests_name("plan_suspects", tests, open_world, close_world);
}
