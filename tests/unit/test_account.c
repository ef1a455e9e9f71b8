#include "lib/model/account.h"

#include <string.h>

#include "tests/support/test.h"

static enum outcome read_it(const char *text, struct account *out, struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    TRY(json_parse(span_of_text(text), ACCOUNT_JSON_MAX, &value, err));
    return account_from_json(value, "", out, err);
}

#define REQUIRED                                                                                   \
    "\"name\":\"lab\",\"driver\":\"aws\",\"region\":\"us-east-2\","                                \
    "\"credentials\":{\"source\":\"environment\"}"

static void an_account_reads_as_designed(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    assert_ok(read_it("{" REQUIRED ",\"zone\":\"us-east-2a\",\"endpoint\":\"http://127.0.0.1:1\","
                      "\"test\":{\"image\":\"ami-1\",\"size\":\"m6a.large\"}}",
                      &account, &err));
    assert_string_equal(account.name, "lab");
    assert_int_equal(account.driver, DRIVER_AWS);
    assert_string_equal(account.owner, "muster");
    assert_int_equal(account_credential_source(&account), CREDENTIALS_ENVIRONMENT);
    assert_string_equal(account_test_image(&account), "ami-1");
    assert_string_equal(account_test_size(&account), "m6a.large");
}

static void an_account_survives_a_round_through_json(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    OWNED(account_done) struct account again = {0};
    assert_ok(read_it("{" REQUIRED "}", &account, &err));
    assert_null(account_test_image(&account));
    OWNED(json_drop) json_t *value = record_to_json(&account_record, &account);
    assert_ok(account_from_json(value, "", &again, &err));
    assert_string_equal(again.region, "us-east-2");
}

static void strange_members_are_refused_with_their_path(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    assert_fails(read_it("{" REQUIRED ",\"colour\":1}", &account, &err), ERR_INVALID,
                 "unknown-member");
    assert_string_equal(err.where, "/colour");
    assert_int_equal(
        read_it("{" REQUIRED ",\"test\":{\"image\":\"a\",\"size\":\"b\",\"x\":1}}", &account, &err),
        ERR_INVALID);
    assert_string_equal(err.where, "/test/x");
}

/* A secret in the account would end up in the database. */
static void a_secret_in_the_account_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    assert_int_equal(
        read_it("{\"name\":\"lab\",\"driver\":\"aws\",\"region\":\"r\",\"credentials\":"
                "{\"source\":\"environment\",\"secret_access_key\":\"x\"}}",
                &account, &err),
        ERR_INVALID);
    assert_string_equal(err.where, "/credentials/secret_access_key");
}

static void a_region_cannot_name_another_host(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    static const char *const bad[] = {"evil.example/", "a b", "us-east-2@x", "", "A"};
    for (size_t i = 0; i < countof(bad); i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "{\"name\":\"lab\",\"driver\":\"aws\",\"region\":\"%s\","
                 "\"credentials\":{\"source\":\"environment\"}}",
                 bad[i]);
        assert_int_equal(read_it(text, &account, &err), ERR_INVALID);
    }
}

/* What is misread here removes what somebody wanted to keep. */
static void when_orphans_go_is_kept_or_a_sound_time(void **state)
{
    (void)state;
    struct error err = {0};
    static const char *const bad[] = {
        "remove-after:0h",
        "remove-after:0d",
        "remove-after:-1d",
        "remove-after:+1d",
        "remove-after:8761h",
        "remove-after:366d",
        "remove-after:99999999999999999999h",
        "remove-after:1",
        "remove-after:h",
        "remove-after:",
        "remove-after",
        "remove-after:1.5h",
        "remove-after:1 h",
        "remove-after:1H",
        "remove-after:1m",
        "remove-after:1h ",
        "remove-after:0x1h",
        " keep",
        "Keep",
        "remove",
        "remove-after:1hh",
        "remove-after:01h1d",
    };
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {
        {"", 0},
        {"keep", 0},
        {"remove-after:1h", 3600},
        {"remove-after:8760h", 8760 * 3600},
        {"remove-after:365d", 365 * 86400},
    };
    static const char account_of[] = "{\"name\":\"lab\",\"driver\":\"aws\",\"region\":\"r\","
                                     "\"credentials\":{\"source\":\"environment\"},"
                                     "\"orphans\":\"%s\"}";
    char text[256];
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(account_done) struct account account = {0};
        snprintf(text, sizeof text, account_of, bad[i]);
        if (read_it(text, &account, &err) != ERR_INVALID || strcmp(err.where, "/orphans") != 0)
            fail_msg("'%s' is taken", bad[i]);
    }
    for (size_t i = 0; i < countof(good); i++) {
        OWNED(account_done) struct account account = {0};
        snprintf(text, sizeof text, account_of, good[i].text);
        assert_ok(read_it(text, &account, &err));
        assert_int_equal(account_orphan_seconds(&account), good[i].seconds);
    }
}

static void an_unknown_driver_or_source_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    assert_fails(read_it("{\"name\":\"lab\",\"driver\":\"vax\",\"region\":\"r\",\"credentials\":"
                         "{\"source\":\"environment\"}}",
                         &account, &err),
                 ERR_INVALID, "unknown-word");
    assert_fails(read_it("{\"name\":\"lab\",\"driver\":\"aws\",\"region\":\"r\",\"credentials\":"
                         "{\"source\":\"hat\"}}",
                         &account, &err),
                 ERR_INVALID, "bad-account");
}

#define AZURE                                                                                      \
    "\"name\":\"lab\",\"driver\":\"azure\",\"region\":\"westeurope\","                             \
    "\"subscription\":\"00000000-0000-0000-0000-000000000001\","
#define SECRET(file)                                                                               \
    "\"credentials\":{\"source\":\"client-secret\",\"tenant\":\"t\",\"client_id\":\"c\",\"file\":" \
    "\"" file "\"}"

static void azure_needs_a_subscription_and_a_group(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    assert_ok(read_it("{" AZURE "\"resource_group\":\"rg_1.(a)\"," SECRET("azure-secret") "}",
                      &account, &err));
    assert_int_equal(account_credential_source(&account), CREDENTIALS_CLIENT_SECRET);
    assert_string_equal(account_credential(&account, "file"), "azure-secret");
    assert_string_equal(account_credential(&account, "token"), "");
    static const char *const bad[][2] = {
        {"{" AZURE SECRET("s") "}", "/resource_group"},
        {"{" AZURE "\"resource_group\":\"a/b\"," SECRET("s") "}", "/resource_group"},
        {"{" AZURE "\"resource_group\":\"rg.\"," SECRET("s") "}", "/resource_group"},
        {"{" AZURE "\"resource_group\":\"rg\",\"security_encryption\":\"none\"," SECRET("s") "}",
         "/security_encryption"},
        {"{\"name\":\"lab\",\"driver\":\"azure\",\"region\":\"r\",\"resource_group\":"
         "\"rg\"," SECRET("s") "}",
         "/subscription"},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        OWNED(account_done) struct account other = {0};
        assert_int_equal(read_it(bad[i][0], &other, &err), ERR_INVALID);
        assert_string_equal(err.where, bad[i][1]);
    }
}

/* Whoever may write accounts would otherwise read any file of the controller's host. */
static void a_file_of_credentials_is_a_name_and_never_a_path(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{" AZURE "\"resource_group\":\"rg\"," SECRET("/etc/shadow") "}",
        "{" AZURE "\"resource_group\":\"rg\"," SECRET("..") "}",
        "{" AZURE "\"resource_group\":\"rg\"," SECRET("a.pem") "}",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(account_done) struct account account = {0};
        assert_int_equal(read_it(bad[i], &account, &err), ERR_INVALID);
        assert_string_equal(err.where, "/credentials/file");
    }
}

static void a_source_has_its_members_and_its_cloud(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *where;
    } bad[] = {
        {"{" AZURE "\"resource_group\":\"rg\",\"credentials\":{\"source\":\"client-secret\","
         "\"client_id\":\"c\",\"file\":\"f\"}}",
         "/credentials/tenant"},
        {"{" AZURE "\"resource_group\":\"rg\",\"credentials\":{\"source\":\"managed-identity\","
         "\"file\":\"f\"}}",
         "/credentials/file"},
        {"{\"name\":\"lab\",\"driver\":\"aws\",\"region\":\"r\",\"credentials\":"
         "{\"source\":\"managed-identity\"}}",
         "/credentials/source"},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(account_done) struct account account = {0};
        assert_int_equal(read_it(bad[i].text, &account, &err), ERR_INVALID);
        assert_string_equal(err.where, bad[i].where);
    }
}

#define GOOGLE(more) "{\"name\":\"lab\",\"driver\":\"gcp\",\"region\":\"us-central1\"," more "}"
#define FROM(source) "\"credentials\":{\"source\":" source "}"

static void google_needs_a_project_and_signs_in_by_a_named_file(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(account_done) struct account account = {0};
    assert_ok(read_it(GOOGLE("\"project\":\"example.com:fleet-1\",\"network\":\"net\","
                             "\"service_account\":\"a@p.iam.gserviceaccount.com\"," FROM(
                                 "\"google-file\",\"file\":\"google\"")),
                      &account, &err));
    assert_int_equal(account_credential_source(&account), CREDENTIALS_GOOGLE_FILE);
    assert_string_equal(account_credential(&account, "file"), "google");
    static const struct {
        const char *text;
        const char *where;
    } rows[] = {
        {GOOGLE(FROM("\"environment\"")), "/project"},
        {GOOGLE("\"project\":\"p/../q\"," FROM("\"environment\"")), "/project"},
        {GOOGLE("\"project\":\"p\",\"network\":\"a b\"," FROM("\"environment\"")), "/network"},
        {GOOGLE("\"project\":\"p\",\"service_account\":\"me\"," FROM("\"environment\"")),
         "/service_account"},
        {GOOGLE("\"project\":\"p\"," FROM("\"managed-identity\"")), "/credentials/source"},
        {GOOGLE("\"project\":\"p\"," FROM("\"google-file\"")), "/credentials/file"},
        {GOOGLE("\"project\":\"p\"," FROM("\"google-file\",\"file\":\"/etc/shadow\"")),
         "/credentials/file"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(account_done) struct account refused = {0};
        assert_int_equal(read_it(rows[i].text, &refused, &err), ERR_INVALID);
        assert_string_equal(err.where, rows[i].where);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_reads_as_designed),
        cmocka_unit_test(an_account_survives_a_round_through_json),
        cmocka_unit_test(strange_members_are_refused_with_their_path),
        cmocka_unit_test(a_secret_in_the_account_is_refused),
        cmocka_unit_test(a_region_cannot_name_another_host),
        cmocka_unit_test(when_orphans_go_is_kept_or_a_sound_time),
        cmocka_unit_test(an_unknown_driver_or_source_is_refused),
        cmocka_unit_test(azure_needs_a_subscription_and_a_group),
        cmocka_unit_test(google_needs_a_project_and_signs_in_by_a_named_file),
        cmocka_unit_test(a_file_of_credentials_is_a_name_and_never_a_path),
        cmocka_unit_test(a_source_has_its_members_and_its_cloud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
