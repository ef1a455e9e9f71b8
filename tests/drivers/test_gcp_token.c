/* How we sign in to Google: what is sent is what Google's own clients send, a token is asked for
 * once and renewed early, and nobody is shown a secret. */
#include "drivers/gcp/gcp_token.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "tests/support/fake_http.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define GOOD_TOKEN "{\"access_token\":\"ya29.first\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"
#define NEXT_TOKEN                                                                                 \
    "{\"access_token\":\"ya29.second\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"
#define FLAVOR "Metadata-Flavor: Google\r\n"

struct world {
    char *folder;
    struct fake_http *google;
    struct http *http;
    struct rsa_signer *key;
    struct gcp_credentials who;
    struct gcp_token token;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    void *folder;
    assert_int_equal(scratch_open(&folder), 0);
    w->folder = folder;
    w->google = fake_http_start();
    w->http = http_new();
    assert_ok(rsa_signer_generate(&w->key, &err));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *folder = w->folder;
    clock_thaw();
    gcp_token_done(&w->token);
    gcp_credentials_done(&w->who);
    rsa_signer_free(w->key);
    http_free(w->http);
    fake_http_stop(w->google);
    free(w);
    return scratch_close(&folder);
}

/* A key file as Google hands it out. */
static char *key_file(const struct world *w, const char *token_uri)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(json_drop) json_t *file = json_object();
    assert_ok(rsa_signer_to_pem(w->key, &pem, &err));
    json_put_text(file, "type", "service_account");
    json_put_text(file, "project_id", "p");
    json_put_text(file, "private_key_id", "kid1");
    json_put_span(file, "private_key", bytes_span(&pem));
    json_put_text(file, "client_email", "sa@p.iam.gserviceaccount.com");
    json_put_text(file, "token_uri", token_uri);
    return json_print(file);
}

static void sign_in_with(struct world *w, const char *file)
{
    struct error err = {0};
    assert_ok(gcp_credentials_read(span_of_text(file), &w->who, &err));
}

static void sign_in_by_key(struct world *w)
{
    char url[128];
    snprintf(url, sizeof url, "%s/token", fake_http_url(w->google));
    OWNED(mem_drop) char *file = key_file(w, url);
    sign_in_with(w, file);
}

static const char *get(struct world *w)
{
    struct error err = {0};
    const char *bearer = NULL;
    assert_ok(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err));
    return bearer;
}

/* A member of a form, decoded. */
static char *part(const char *form, const char *name)
{
    struct error err = {0};
    struct text out = {0};
    OWNED(mem_drop) char *copy = mem_text(form);
    for (char *rest = copy, *pair; (pair = strsep(&rest, "&")) != NULL;)
        if (strncmp(pair, name, strlen(name)) == 0 && pair[strlen(name)] == '=')
            assert_ok(percent_decode(span_of_text(pair + strlen(name) + 1), &out, &err));
    return text_take(&out);
}

static json_t *decode(const char *from, size_t len)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes bytes = {0};
    json_t *value = NULL;
    assert_ok(base64url_decode(SPAN(from, len), &bytes, &err));
    assert_ok(json_parse(bytes_span(&bytes), 1 << 16, &value, &err));
    return value;
}

static json_t *capture(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "clouds/gcp/requests/%s.json", name);
    return vectors_json(path);
}

/* ---- what is sent --------------------------------------------------------------------------- */

static void a_key_signs_what_googles_own_client_signs(void **state)
{
    struct world *w = *state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(json_drop) json_t *real = capture("auth-service-account-jwt");
    const json_t *theirs = json_object_get(json_object_get(real, "body"), "assertion");
    OWNED(mem_drop) char *file = key_file(w, "https://oauth2.googleapis.com/token");
    sign_in_with(w, file);
    OWNED(form_done) struct form form = {0};
    assert_ok(gcp_token_form(&w->who, clock_at_seconds(1795460999), SPAN("", 0), &form, &err));
    OWNED(mem_drop) char *assertion = part(text_str(&form.body), "assertion");
    OWNED(mem_drop) char *grant = part(text_str(&form.body), "grant_type");
    assert_string_equal(grant, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert_ok(rsa_signer_check(w->key, RSA_PKCS1_SHA256, assertion, &err));
    size_t head = strcspn(assertion, ".");
    OWNED(json_drop) json_t *header = decode(assertion, head);
    OWNED(json_drop)
    json_t *claims = decode(assertion + head + 1, strcspn(assertion + head + 1, "."));
    assert_true(json_equal(header, json_object_get(theirs, "jwt_header")));
    assert_true(json_equal(claims, json_object_get(theirs, "jwt_claims")));
}

#define FEDERATED                                                                                  \
    "{\"type\":\"external_account\",\"audience\":\"//iam.googleapis.com/projects/1/locations/"     \
    "global/workloadIdentityPools/pool/providers/prov\",\"subject_token_type\":"                   \
    "\"urn:ietf:params:oauth:token-type:jwt\",\"token_url\":\"%s/sts\","                           \
    "\"service_account_impersonation_url\":\"%s/v1/projects/-/serviceAccounts/"                    \
    "sa@p.iam.gserviceaccount.com:generateAccessToken\",\"credential_source\":{\"file\":\"%s\"}}"

static void sign_in_federated(struct world *w, const char *subject)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(w->folder, "subject");
    OWNED(text_done) struct text file = {0};
    assert_ok(file_write(path, span_of_text(subject), 0644, &err));
    text_addf(&file, FEDERATED, fake_http_url(w->google), fake_http_url(w->google), path);
    sign_in_with(w, text_str(&file));
}

static void another_providers_token_is_exchanged_as_googles_own_client_does(void **state)
{
    struct world *w = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = capture("auth-wif-sts-exchange");
    OWNED(json_drop) json_t *second = capture("auth-wif-impersonation");
    sign_in_federated(w, "<token file content>");
    fake_http_say(w->google, 200, GOOD_TOKEN);
    fake_http_say(w->google, 200,
                  "{\"accessToken\":\"ya29.theirs\",\"expireTime\":\"2099-01-01T00:00:00Z\"}");
    assert_string_equal(get(w), "Bearer ya29.theirs");
    assert_string_equal(w->who.name, "sa@p.iam.gserviceaccount.com");
    const char *form = strstr(fake_http_heard(w->google, 0), "\r\n\r\n") + 4;
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get(real, "body"), name, value) {
        OWNED(mem_drop) char *ours = part(form, name);
        assert_string_equal(ours, json_string_value(value));
    }
    const char *heard = fake_http_heard(w->google, 1);
    OWNED(mem_drop) char *body = json_print(json_object_get(second, "body"));
    assert_string_equal(strstr(heard, "\r\n\r\n") + 4, body);
    assert_non_null(strstr(heard, "Authorization: Bearer ya29.first\r\n"));
    assert_non_null(strstr(heard, json_string_value(json_object_get(second, "path"))));
}

/* Whoever renews it writes the file anew. */
static void another_providers_token_is_read_anew_each_time(void **state)
{
    struct world *w = *state;
    sign_in_federated(w, "one");
    w->who.impersonate_url[0] = '\0';
    fake_http_say(w->google, 200, GOOD_TOKEN);
    fake_http_say(w->google, 200, NEXT_TOKEN);
    get(w);
    struct error err = {0};
    assert_ok(file_write(w->who.subject_file, span_of_text("two"), 0644, &err));
    gcp_token_forget(&w->token);
    assert_string_equal(get(w), "Bearer ya29.second");
    assert_non_null(strstr(fake_http_heard(w->google, 0), "subject_token=one&"));
    assert_non_null(strstr(fake_http_heard(w->google, 1), "subject_token=two&"));
}

static void a_member_of_another_providers_answer_is_exchanged(void **state)
{
    struct world *w = *state;
    OWNED(text_done) struct text file = {0};
    text_addf(&file,
              "{\"type\":\"external_account\",\"audience\":\"a\",\"subject_token_type\":\"t\","
              "\"token_url\":\"%s/sts\",\"credential_source\":{\"url\":\"%s/oidc\",\"headers\":"
              "{\"X-Asked\":\"politely\"},\"format\":{\"type\":\"json\","
              "\"subject_token_field_name\":\"value\"}}}",
              fake_http_url(w->google), fake_http_url(w->google));
    sign_in_with(w, text_str(&file));
    fake_http_say(w->google, 200, "{\"value\":\"their-token\"}");
    fake_http_say(w->google, 200, GOOD_TOKEN);
    assert_string_equal(get(w), "Bearer ya29.first");
    assert_non_null(strstr(fake_http_heard(w->google, 0), "X-Asked: politely\r\n"));
    assert_non_null(strstr(fake_http_heard(w->google, 1), "subject_token=their-token&"));
}

static void a_persons_consent_is_used_as_gcloud_left_it(void **state)
{
    struct world *w = *state;
    OWNED(text_done) struct text file = {0};
    text_addf(&file,
              "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s&s\","
              "\"refresh_token\":\"1//r\",\"token_uri\":\"%s/token\"}",
              fake_http_url(w->google));
    sign_in_with(w, text_str(&file));
    fake_http_say(w->google, 200, GOOD_TOKEN);
    assert_string_equal(get(w), "Bearer ya29.first");
    assert_non_null(strstr(fake_http_heard(w->google, 0),
                           "grant_type=refresh_token&client_id=c&client_secret=s%26s&"
                           "refresh_token=1%2F%2Fr"));
}

/* ---- the metadata server -------------------------------------------------------------------- */

static void sign_in_by_metadata(struct world *w)
{
    struct error err = {0};
    struct account account = {.driver = DRIVER_GCP};
    account.credentials = json_pack("{s:s}", "source", "metadata-server");
    setenv("GCE_METADATA_HOST", fake_http_url(w->google) + strlen("http://"), 1);
    enum outcome found = gcp_credentials_find(&account, &w->who, &err);
    account_done(&account);
    unsetenv("GCE_METADATA_HOST");
    assert_ok(found);
}

static void the_metadata_server_is_asked_as_googles_own_client_asks(void **state)
{
    struct world *w = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = capture("auth-metadata-token");
    OWNED(text_done) struct text line = {0};
    sign_in_by_metadata(w);
    fake_http_say_with(w->google, 200, FLAVOR, GOOD_TOKEN);
    assert_string_equal(get(w), "Bearer ya29.first");
    text_addf(&line, "GET %s HTTP/1.1\r\n", json_string_value(json_object_get(real, "path")));
    const char *heard = fake_http_heard(w->google, 0);
    assert_int_equal(strncmp(heard, text_str(&line), line.len), 0);
    assert_non_null(strstr(heard, "Metadata-Flavor: Google\r\n"));
}

/* Something else that listens at that address. */
static void a_metadata_server_that_is_not_googles_is_not_believed(void **state)
{
    struct world *w = *state;
    static const char *const headers[] = {"", "Metadata-Flavor: Other\r\n"};
    sign_in_by_metadata(w);
    for (size_t i = 0; i < countof(headers); i++) {
        struct error err = {0};
        const char *bearer = NULL;
        fake_http_say_with(w->google, 200, headers[i], GOOD_TOKEN);
        assert_fails(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err), ERR_DENIED, "auth");
    }
}

static void only_this_machines_metadata_server_is_asked(void **state)
{
    (void)state;
    static const char *const hosts[] = {"evil.example", "169.254.169.254.evil.example",
                                        "127.0.0.1@evil.example", "10.0.0.1:80"};
    struct account account = {.driver = DRIVER_GCP};
    account.credentials = json_pack("{s:s}", "source", "metadata-server");
    for (size_t i = 0; i < countof(hosts); i++) {
        struct error err = {0};
        struct gcp_credentials who = {0};
        setenv("GCE_METADATA_HOST", hosts[i], 1);
        assert_fails(gcp_credentials_find(&account, &who, &err), ERR_DENIED, "no-credentials");
    }
    unsetenv("GCE_METADATA_HOST");
    account_done(&account);
}

/* ---- the token we have ---------------------------------------------------------------------- */

static void a_token_is_asked_for_once(void **state)
{
    struct world *w = *state;
    sign_in_by_key(w);
    fake_http_say(w->google, 200, GOOD_TOKEN);
    assert_string_equal(get(w), "Bearer ya29.first");
    assert_string_equal(get(w), "Bearer ya29.first");
    assert_null(fake_http_heard(w->google, 1));
}

static void a_token_is_renewed_before_it_ends(void **state)
{
    struct world *w = *state;
    clock_freeze(clock_at_seconds(1795460999));
    sign_in_by_key(w);
    fake_http_say(w->google, 200, GOOD_TOKEN);
    fake_http_say(w->google, 200, NEXT_TOKEN);
    get(w);
    clock_advance_ms((3599 - GCP_TOKEN_EARLY_SECONDS - 1) * 1000);
    assert_string_equal(get(w), "Bearer ya29.first");
    clock_advance_ms(1000);
    assert_string_equal(get(w), "Bearer ya29.second");
}

static void a_token_serves_to_its_end_while_none_can_be_had(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    const char *bearer = NULL;
    clock_freeze(clock_at_seconds(1795460999));
    sign_in_by_key(w);
    fake_http_say(w->google, 200, GOOD_TOKEN);
    fake_http_say(w->google, 503, "");
    fake_http_say(w->google, 503, "");
    get(w);
    clock_advance_ms(3500 * 1000);
    assert_string_equal(get(w), "Bearer ya29.first");
    clock_advance_ms(90 * 1000);
    assert_fails(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err), ERR_UNREACHABLE,
                 "server-error");
}

/* However long it is said to last, and however wrong our clock is. */
static void a_token_is_believed_for_an_hour_at_most(void **state)
{
    struct world *w = *state;
    clock_freeze(clock_at_seconds(1795460999));
    sign_in_by_key(w);
    fake_http_say(w->google, 200, "{\"access_token\":\"long\",\"expires_in\":999999999}");
    fake_http_say(w->google, 200, NEXT_TOKEN);
    get(w);
    clock_advance_ms(3600 * 1000);
    assert_string_equal(get(w), "Bearer ya29.second");
}

static void what_is_no_token_is_an_error_that_may_be_repeated(void **state)
{
    struct world *w = *state;
    static const char *const bodies[] = {
        "",
        "{\"access_token\":",
        "[]",
        "<html>",
        "{\"expires_in\":3599}",
        "{\"access_token\":\"\",\"expires_in\":3599}",
        "{\"access_token\":\"two\\r\\nlines\",\"expires_in\":3599}",
        "{\"access_token\":\"t\"}",
        "{\"access_token\":\"t\",\"expires_in\":0}",
        "{\"access_token\":\"t\",\"expires_in\":-5}",
        "{\"access_token\":\"t\",\"access_token\":\"u\",\"expires_in\":3599}",
        "{\"accessToken\":\"t\",\"expireTime\":\"1999-01-01T00:00:00Z\"}",
    };
    sign_in_by_key(w);
    for (size_t i = 0; i < countof(bodies); i++) {
        struct error err = {0};
        const char *bearer = NULL;
        fake_http_say(w->google, 200, bodies[i]);
        assert_fails(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err), ERR_UNREACHABLE,
                     "server-error");
        assert_null(bearer);
    }
}

/* A cut connection here launched nothing, so there is nothing to look for. */
static void a_token_that_got_lost_is_no_launch_in_doubt(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    const char *bearer = NULL;
    sign_in_by_key(w);
    fake_http_say(w->google, 0, "");
    assert_fails(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err), ERR_UNREACHABLE,
                 "server-error");
}

static void a_refused_sign_in_is_told_in_googles_words(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    const char *bearer = NULL;
    sign_in_by_key(w);
    fake_http_say(w->google, 400,
                  "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT: Token must be "
                  "a short-lived token (60 minutes) and in a reasonable timeframe.\"}");
    assert_fails(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err), ERR_DENIED, "auth");
    assert_non_null(strstr(err.text, "reasonable timeframe"));
}

static void what_a_token_endpoint_does_not_take_signs_nobody_in(void **state)
{
    struct world *w = *state;
    static const struct {
        int status;
        const char *body;
        const char *code;
    } rows[] = {
        {400, "{\"error\":\"invalid_target\"}", "auth"},
        {400, "<html>", "auth"},
        {401, "", "auth"},
        {403, "", "auth"},
        {404, "", "auth"}, /* the machine has no service account */
        {429, "", "throttle"},
        {500, "", "server-error"},
        {302, "", "server-error"},
    };
    sign_in_by_key(w);
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        const char *bearer = NULL;
        fake_http_say(w->google, rows[i].status, rows[i].body);
        assert_int_not_equal(gcp_token_get(&w->token, &w->who, w->http, &bearer, &err), OK);
        assert_string_equal(err.code, rows[i].code);
    }
}

/* ---- files ---------------------------------------------------------------------------------- */

static void credentials_that_are_none_are_refused_and_not_quoted(void **state)
{
    struct world *w = *state;
    OWNED(mem_drop) char *elsewhere = key_file(w, "http://evil.example/token");
    const char *files[] = {
        "",
        "[]",
        "{\"type\":\"impersonated_service_account\"}",
        "{\"type\":\"service_account\",\"type\":\"service_account\"}",
        "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key_id\":\"k\","
        "\"token_uri\":\"https://x/\",\"private_key\":\"SECRET\"}",
        "{\"type\":\"external_account\",\"audience\":\"a\",\"subject_token_type\":\"t\","
        "\"token_url\":\"https://x/\",\"credential_source\":{\"executable\":{\"command\":\"id\"}}}",
        "{\"type\":\"external_account\",\"audience\":\"a\",\"subject_token_type\":\"t\","
        "\"token_url\":\"http://x/\",\"credential_source\":{\"file\":\"/f\"}}",
        elsewhere,
    };
    for (size_t i = 0; i < countof(files); i++) {
        struct error err = {0};
        struct gcp_credentials who = {0};
        assert_fails(gcp_credentials_read(span_of_text(files[i]), &who, &err), ERR_DENIED,
                     "no-credentials");
        assert_null(strstr(err.text, "SECRET"));
    }
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    struct world *w = *state;
    OWNED(mem_drop) char *file = key_file(w, "https://oauth2.googleapis.com/token");
    OWNED(mem_drop) char *path = scratch_path(w->folder, "key");
    struct account account = {.driver = DRIVER_GCP};
    account.credentials = json_pack("{s:s, s:s}", "source", "google-file", "file", "key");
    setenv("CREDENTIALS_DIRECTORY", w->folder, 1);
    for (int i = 0; i < 2; i++) {
        struct error err = {0};
        struct gcp_credentials who = {0};
        assert_ok(file_write(path, span_of_text(file), i == 0 ? 0644 : 0600, &err));
        if (i == 0)
            assert_fails(gcp_credentials_find(&account, &who, &err), ERR_DENIED, "no-credentials");
        else
            assert_ok(gcp_credentials_find(&account, &who, &err));
        gcp_credentials_done(&who);
    }
    unsetenv("CREDENTIALS_DIRECTORY");
    account_done(&account);
}

/* GOOGLE_APPLICATION_CREDENTIALS, then what gcloud left, then the metadata server. */
static void the_environment_is_searched_in_googles_order(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    OWNED(mem_drop) char *key = scratch_path(w->folder, "key.json");
    OWNED(mem_drop) char *left = scratch_path(w->folder, "application_default_credentials.json");
    OWNED(mem_drop) char *file = key_file(w, "https://oauth2.googleapis.com/token");
    static const char user[] = "{\"type\":\"authorized_user\",\"client_id\":\"c\","
                               "\"client_secret\":\"s\",\"refresh_token\":\"r\"}";
    static const enum gcp_credential_kind kinds[] = {GCP_SERVICE_ACCOUNT, GCP_USER, GCP_METADATA};
    const struct account account = {.driver = DRIVER_GCP};
    assert_ok(file_write(key, span_of_text(file), 0600, &err));
    assert_ok(file_write(left, span_of_text(user), 0600, &err));
    setenv("GOOGLE_APPLICATION_CREDENTIALS", key, 1);
    setenv("CLOUDSDK_CONFIG", w->folder, 1);
    for (size_t i = 0; i < countof(kinds); i++) {
        struct gcp_credentials who = {0};
        assert_ok(gcp_credentials_find(&account, &who, &err));
        assert_int_equal(who.kind, kinds[i]);
        gcp_credentials_done(&who);
        if (i == 0)
            unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
        else
            setenv("CLOUDSDK_CONFIG", "/nonexistent", 1);
    }
    unsetenv("CLOUDSDK_CONFIG");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_key_signs_what_googles_own_client_signs),
        T(another_providers_token_is_exchanged_as_googles_own_client_does),
        T(another_providers_token_is_read_anew_each_time),
        T(a_member_of_another_providers_answer_is_exchanged),
        T(a_persons_consent_is_used_as_gcloud_left_it),
        T(the_metadata_server_is_asked_as_googles_own_client_asks),
        T(a_metadata_server_that_is_not_googles_is_not_believed),
        T(only_this_machines_metadata_server_is_asked),
        T(a_token_is_asked_for_once),
        T(a_token_is_renewed_before_it_ends),
        T(a_token_serves_to_its_end_while_none_can_be_had),
        T(a_token_is_believed_for_an_hour_at_most),
        T(what_is_no_token_is_an_error_that_may_be_repeated),
        T(a_token_that_got_lost_is_no_launch_in_doubt),
        T(a_refused_sign_in_is_told_in_googles_words),
        T(what_a_token_endpoint_does_not_take_signs_nobody_in),
        T(credentials_that_are_none_are_refused_and_not_quoted),
        T(a_key_that_others_may_read_is_refused),
        T(the_environment_is_searched_in_googles_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
