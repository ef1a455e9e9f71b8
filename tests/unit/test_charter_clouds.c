/* What a charter says of clouds: read strictly, linted, compared, and what suspicion closes. */
#include <string.h>

#include "emulator/papers.h"
#include "lib/model/charter_diff.h"
#include "lib/model/charter_lint.h"
#include "tests/support/cases.h"
#include "tests/support/charters.h"
#include "tests/support/scratch.h"
#include "tests/support/small_charter.h"
#include "tests/support/test.h"

static struct papers *papers;

static int open_papers(void **state)
{
    struct error err = {0};
    return scratch_open(state) != 0 || papers_open(*state, &papers, &err) != OK;
}

static int close_papers(void **state)
{
    papers_close(papers);
    return scratch_close(state);
}

static json_t *with_clouds(json_t *charter)
{
    json_put_new(charter, "clouds", papers_clouds(papers, "us-east-2"));
    return charter;
}

static void three_clouds_are_read(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = with_clouds(small_charter());
    OWNED(charter_drop) struct charter *charter = small_charter_parsed(json);
    const struct charter_clouds *clouds = &charter->clouds;
    assert_true(clouds->said[CLOUD_AWS] && clouds->said[CLOUD_AZURE] && clouds->said[CLOUD_GCP]);
    assert_non_null(charter_aws_region(clouds, "us-east-2"));
    assert_null(charter_aws_region(clouds, "us-east-1"));
    assert_non_null(charter_gcp_key(clouds, "sim-1"));
    assert_null(charter_gcp_key(clouds, "sim-2"));
    assert_string_equal(clouds->azure_names[0], "metadata.azure.com");
    assert_true(clouds->accounts[CLOUD_AWS].any);
}

static void a_charter_that_says_otherwise_of_clouds_has_other_policies(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(charter_drop) struct charter *without = small_charter_parsed(json);
    OWNED(charter_drop) struct charter *with = small_charter_parsed(with_clouds(json));
    assert_memory_not_equal(without->policies[0].digest, with->policies[0].digest, SHA256_SIZE);
}

static void clouds_are_read_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value;
    } changes[] = {
        {"clouds/ibm", "{}"},
        {"clouds/none", "{\"accounts\":\"any\"}"},
        {"clouds/aws", "[]"},
        {"clouds/aws/accounts", NULL},
        {"clouds/aws/accounts", "[\"UPPER\"]"},
        {"clouds/aws/surprise", "1"},
        {"clouds/aws/certificates", "{}"},
        {"clouds/aws/certificates/us-east-2", "[]"},
        {"clouds/aws/certificates/us-east-2", "[\"no certificate\"]"},
        {"clouds/aws/certificates/us-east-2", "[1]"},
        {"clouds/azure/authorities", "[]"},
        {"clouds/azure/names", "[]"},
        {"clouds/azure/names", "[\"com\"]"},
        {"clouds/azure/names", "[\"Metadata.azure.com\"]"},
        {"clouds/azure/names", "[\".azure.com\"]"},
        {"clouds/azure/surprise", "1"},
        {"clouds/gcp/keys", "[]"},
        {"clouds/gcp/keys", "[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]"},
        {"clouds/gcp/keys", "[{\"kty\":\"EC\",\"kid\":\"a\"}]"},
        {"clouds/gcp/surprise", "1"},
    };
    for (size_t i = 0; i < countof(changes); i++) {
        struct error err = {0};
        struct charter *charter = NULL;
        const char *last;
        OWNED(json_drop) json_t *json = with_clouds(small_charter());
        json_t *at = small_charter_parent(json, changes[i].path, &last);
        if (changes[i].value != NULL)
            json_object_set_new(at, last, json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        else
            json_object_del(at, last);
        OWNED(mem_drop) char *text = json_print(json);
        if (charter_parse(span_of_text(text), &charter, &err) != ERR_INVALID)
            fail_msg("taken: %s = %s", changes[i].path, changes[i].value);
    }
}

/* A leaf that may not certify is no authority, and two keys have no one id. */
static void keys_are_what_they_are_for(void **state)
{
    (void)state;
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(json_drop) json_t *json = with_clouds(small_charter());
    json_t *clouds = json_object_get(json, "clouds");
    json_t *aws = json_object_get(json_object_get(clouds, "aws"), "certificates");
    json_t *azure = json_object_get(clouds, "azure");
    json_t *keys = json_object_get(json_object_get(clouds, "gcp"), "keys");
    json_t *authorities = json_incref(json_object_get(azure, "authorities"));
    json_put_new(azure, "authorities", json_incref(json_object_get(aws, "us-east-2")));
    OWNED(mem_drop) char *leaf = json_print(json);
    assert_fails(charter_parse(span_of_text(leaf), &charter, &err), ERR_INVALID, "bad-charter");
    assert_string_equal(err.where, "/clouds/azure/authorities");
    json_put_new(azure, "authorities", authorities);
    json_add_new(keys, json_incref(json_array_get(keys, 0)));
    OWNED(mem_drop) char *twice = json_print(json);
    assert_fails(charter_parse(span_of_text(twice), &charter, &err), ERR_INVALID, "bad-charter");
    assert_string_equal(err.where, "/clouds/gcp/keys");
}

static struct lint linted(const json_t *charter)
{
    const struct lint_frame frame = {.now = charter_sound_day(), .threshold = 2};
    struct lint lint = {0};
    charter_lint(charter, &frame, &lint);
    return lint;
}

static void lint_tells_of_open_accounts_and_ending_certificates(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = with_clouds(charter_sound());
    OWNED(lint_done) struct lint open = linted(json);
    assert_true(lint_has(&open, LINT_CLOUD_ACCOUNTS_ANY));
    assert_false(lint_has(&open, LINT_CLOUD_CERT_ENDS));
    assert_false(lint_has(&open, LINT_BAD_CHARTER));
    json_put_text(json, "issued", "2048-12-20T00:00:00Z");
    json_put_text(json, "expires", "2049-01-10T00:00:00Z");
    OWNED(lint_done) struct lint later = linted(json);
    assert_true(lint_has(&later, LINT_CLOUD_CERT_ENDS));
}

static void accounts_can_be_asked_for_where_a_cloud_proves_them(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = charter_sound();
    json_t *grant = json_object_get(json_object_get(json, "grants"), "key");
    json_put_new(grant, "accounts", json_pack("[s]", "111122223333"));
    OWNED(lint_done) struct lint without = linted(json);
    assert_true(lint_has(&without, LINT_ACCOUNT_UNPROVEN));
    OWNED(lint_done) struct lint with = linted(with_clouds(json));
    assert_false(lint_has(&with, LINT_ACCOUNT_UNPROVEN));
}

static void another_account_or_key_widens(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *was = small_charter();
    OWNED(json_drop) json_t *is = with_clouds(json_deep_copy(was));
    OWNED(json_drop) json_t *began = charter_diff(was, is);
    assert_int_equal(charter_diff_count(began, DIFF_WIDENS), 1);
    OWNED(json_drop) json_t *fewer = json_deep_copy(is);
    json_put_new(json_object_get(json_object_get(fewer, "clouds"), "aws"), "accounts",
                 json_pack("[s]", "111122223333"));
    OWNED(json_drop) json_t *narrowed = charter_diff(is, fewer);
    assert_int_equal(charter_diff_count(narrowed, DIFF_NARROWS), 1);
    assert_int_equal(charter_diff_count(narrowed, DIFF_WIDENS), 0);
    OWNED(json_drop) json_t *opened = charter_diff(fewer, is);
    assert_int_equal(charter_diff_count(opened, DIFF_WIDENS), 1);
}

/* ---- what suspicion closes ------------------------------------------------------------------- */

struct asking {
    const char *member, *value;
};

static void try_suspect(const struct asking *asking, const char *expected, const char *test)
{
    struct error err = {0};
    OWNED(json_drop) json_t *json = small_charter();
    json_t *grant = json_object_get(json_object_get(json, "grants"), "web-key");
    json_put_new(grant, "regions", json_string("any"));
    json_put_new(grant, "accounts", json_string("any"));
    json_put_new(grant, "allow_unproven_software", json_false());
    if (asking->member != NULL)
        json_put_new(grant, asking->member, json_loads(asking->value, JSON_DECODE_ANY, NULL));
    OWNED(charter_drop) struct charter *charter = small_charter_parsed(json);
    const struct charter_grant *g = charter_find_grant(charter, "web-key");
    struct charter_case c = {.trusted = true,
                             .suspect = true,
                             .policy = "web",
                             .software = SOURCE_HARDWARE,
                             .identity = SOURCE_HARDWARE,
                             .level = LEVEL_3,
                             .region = "us-east-2",
                             .account = "111122223333",
                             .fleet = "web",
                             .anchor = {1},
                             .secret_anchor = {1},
                             .kind = g->kind,
                             .scope = g->scope};
    memcpy(c.policy_digest, charter_find_policy(charter, "web")->digest, SHA256_SIZE);
    if (charter_grant_allows(charter, "web-key", &c, &err) == OK)
        case_words("ok", expected, test);
    else
        case_words(err.code, expected, test);
}

static void whatever_asks_who_it_is_is_closed_to_a_suspect(void **state)
{
    (void)state;
    static const struct asking asking[] = {
        {"accounts", "[\"111122223333\"]"}, {"regions", "[\"us-east-2\"]"},
        {"least_level", "\"L2\""},          {"least_level", "\"L3\""},
        {"scope", "\"instance\""},
    };
    const struct asking nothing = {NULL, NULL};
    for (size_t i = 0; i < countof(asking); i++)
        try_suspect(&asking[i], "identity-suspect", __func__);
    try_suspect(&nothing, "ok", __func__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_clouds_are_read),
        cmocka_unit_test(a_charter_that_says_otherwise_of_clouds_has_other_policies),
        cmocka_unit_test(clouds_are_read_strictly),
        cmocka_unit_test(keys_are_what_they_are_for),
        cmocka_unit_test(lint_tells_of_open_accounts_and_ending_certificates),
        cmocka_unit_test(accounts_can_be_asked_for_where_a_cloud_proves_them),
        cmocka_unit_test(another_account_or_key_widens),
        CASES(whatever_asks_who_it_is_is_closed_to_a_suspect),
    };
    return cmocka_run_group_tests(tests, open_papers, close_papers);
}
