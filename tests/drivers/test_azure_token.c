/* How we sign in to Azure: the exchange is a real client's, the token is renewed early and once,
 * and goes nowhere but to Azure. */
#include "drivers/azure/azure_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "tests/support/captured.h"
#include "tests/support/fake_http.h"
#include "tests/support/rsa_files.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define TOKEN(name, seconds)                                                                       \
    "{\"token_type\":\"Bearer\",\"expires_in\":" seconds ",\"access_token\":\"" name "\"}"

struct world {
    char *folder;
    struct fake_http *entra;
    struct account account;
    struct azure_place place;
    struct azure_identity identity;
    struct http *http;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    void *folder;
    if (scratch_open(&folder) != 0)
        return -1;
    w->folder = folder;
    w->entra = fake_http_start();
    w->http = http_new();
    w->account = (struct account){.name = "lab", .driver = DRIVER_AZURE, .region = "westeurope"};
    snprintf(w->account.endpoint, sizeof w->account.endpoint, "%s", fake_http_url(w->entra));
    assert_ok(azure_place_find(&w->account, &w->place, &err));
    setenv("CREDENTIALS_DIRECTORY", w->folder, 1);
    setenv("AZURE_TENANT_ID", "t", 1);
    setenv("AZURE_CLIENT_ID", "app", 1);
    setenv("AZURE_CLIENT_SECRET", "s3cret value", 1);
    unsetenv("AZURE_CLIENT_CERTIFICATE_PATH");
    unsetenv("AZURE_FEDERATED_TOKEN_FILE");
    unsetenv("AZURE_POD_IDENTITY_AUTHORITY_HOST");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    clock_thaw();
    azure_identity_done(&w->identity);
    account_done(&w->account);
    http_free(w->http);
    fake_http_stop(w->entra);
    void *folder = w->folder;
    free(w);
    return scratch_close(&folder);
}

static void sign_in(struct world *w, const char *credentials)
{
    struct error err = {0};
    json_decref(w->account.credentials);
    w->account.credentials = NULL;
    assert_ok(json_parse(span_of_text(credentials), 1000, &w->account.credentials, &err));
    azure_identity_done(&w->identity);
    assert_ok(azure_identity_find(&w->account, &w->identity, &err));
}

static void write_file(const struct world *w, const char *name, const char *content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(w->folder, name);
    assert_ok(file_write(path, span_of_text(content), 0600, &err));
}

static const char *get(struct world *w, struct error *err)
{
    const char *token = NULL;
    bool is_new;
    if (azure_token_get(&w->identity, &w->place, w->http, &token, &is_new, err) != OK)
        return NULL;
    return token;
}

/* ---- the exchange --------------------------------------------------------------------------- */

/* Our form's value of this key, decoded; NULL when it is not there. */
static char *value_of(const struct form *form, const char *key)
{
    struct error err = {0};
    OWNED(mem_drop) char *copy = mem_text(text_str(&form->body));
    size_t len = strlen(key);
    for (char *rest = copy, *pair; (pair = strsep(&rest, "&")) != NULL;)
        if (strncmp(pair, key, len) == 0 && pair[len] == '=') {
            OWNED(text_done) struct text plain = {0};
            assert_ok(percent_decode(span_of_text(pair + len + 1), &plain, &err));
            return text_take(&plain);
        }
    return NULL;
}

static void form_of(struct world *w, struct form *out)
{
    struct error err = {0};
    assert_ok(azure_token_form(&w->identity, &w->place, clock_now(), out, &err));
}

/* What the client says of itself and of its machine is not for us to say. */
static void compare_with_capture(struct world *w, const char *file)
{
    static const char *const fields[] = {"client_id", "scope", "grant_type",
                                         "client_assertion_type"};
    OWNED(form_done) struct form form = {0};
    OWNED(json_drop) json_t *capture = captured_request("azure", file);
    form_of(w, &form);
    const json_t *body = json_object_get(capture, "body");
    for (size_t i = 0; i < countof(fields); i++) {
        OWNED(mem_drop) char *ours = value_of(&form, fields[i]);
        const char *theirs = json_string_value(json_object_get(body, fields[i]));
        if (theirs != NULL)
            assert_string_equal(ours, theirs);
        else
            assert_null(ours);
    }
    assert_int_equal(json_object_get(body, "client_secret") != NULL,
                     strstr(text_str(&form.body), "client_secret=") != NULL);
    assert_int_equal(json_object_get(body, "client_assertion") != NULL,
                     strstr(text_str(&form.body), "client_assertion=") != NULL);
}

static void each_way_in_is_a_real_clients(void **state)
{
    struct world *w = *state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(mem_drop) char *pem = rsa_pem_make("app");
    write_file(w, "certificate", pem);
    write_file(w, "token", "federated.token.1\n");
    sign_in(w, "{\"source\":\"environment\"}");
    compare_with_capture(w, "auth-client-secret");
    compare_with_capture(w, "azure-arm-compute-js-25.1.1-token");
    sign_in(w, "{\"source\":\"client-certificate\",\"tenant\":\"t\",\"client_id\":\"app\","
               "\"file\":\"certificate\"}");
    compare_with_capture(w, "auth-client-certificate");
    sign_in(w, "{\"source\":\"workload-identity\",\"tenant\":\"t\",\"client_id\":\"app\","
               "\"file\":\"token\"}");
    compare_with_capture(w, "auth-workload-identity");
}

static void a_token_is_asked_for_where_a_real_client_asks(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = captured_request("azure", "azure-identity-or-msal-token");
    OWNED(text_done) struct text line = {0};
    setenv("AZURE_TENANT_ID", "00000000-0000-0000-0000-00000000000a", 1);
    setenv("AZURE_CLIENT_ID", "00000000-0000-0000-0000-0000000000cc", 1);
    snprintf(w->place.scope, sizeof w->place.scope, "https://management.example/.default");
    sign_in(w, "{\"source\":\"environment\"}");
    compare_with_capture(w, "azure-identity-or-msal-token");
    fake_http_say(w->entra, 200, TOKEN("a", "3600"));
    assert_string_equal(get(w, &err), "a");
    text_addf(&line, "POST %s HTTP/1.1\r\n", json_string_value(json_object_get(real, "path")));
    assert_int_equal(strncmp(fake_http_heard(w->entra, 0), text_str(&line), line.len), 0);
}

static json_t *part_of(const char *token, int which)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes plain = {0};
    json_t *out = NULL;
    for (; which > 0; which--)
        token = strchr(token, '.') + 1;
    assert_ok(base64url_decode(SPAN(token, strcspn(token, ".")), &plain, &err));
    assert_ok(json_parse(bytes_span(&plain), 10000, &out, &err));
    return out;
}

static void same_members(const json_t *theirs, const json_t *ours)
{
    const char *name;
    json_t *member;
    assert_int_equal(json_object_size(theirs), json_object_size(ours));
    json_object_foreach (json_looked_at(theirs), name, member)
        assert_int_equal(json_typeof(member), json_typeof(json_object_get(ours, name)));
}

static void an_assertion_is_signed_by_the_certificate_for_this_service_and_ten_minutes(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    if (vectors_folder() == NULL)
        skip();
    OWNED(mem_drop) char *pem = rsa_pem_make("app");
    OWNED(form_done) struct form form = {0};
    write_file(w, "certificate", pem);
    sign_in(w, "{\"source\":\"client-certificate\",\"tenant\":\"t\",\"client_id\":\"app\","
               "\"file\":\"certificate\"}");
    clock_freeze(clock_at_seconds(1795460931));
    form_of(w, &form);
    OWNED(mem_drop) char *assertion = value_of(&form, "client_assertion");
    OWNED(json_drop) json_t *header = part_of(assertion, 0);
    OWNED(json_drop) json_t *claims = part_of(assertion, 1);
    OWNED(json_drop)
    json_t *capture = captured_request("azure", "auth-client-certificate");
    const json_t *theirs = json_object_get(json_object_get(capture, "body"), "client_assertion");
    same_members(json_object_get(theirs, "jwt_header"), header);
    same_members(json_object_get(theirs, "jwt_claims"), claims);
    assert_string_equal(json_string_value(json_object_get(header, "alg")), "PS256");
    char audience[128];
    snprintf(audience, sizeof audience, "%s/t/oauth2/v2.0/token", fake_http_url(w->entra));
    assert_string_equal(json_string_value(json_object_get(claims, "aud")), audience);
    assert_int_equal(json_integer_value(json_object_get(claims, "exp")), 1795460931 + 600);
    assert_int_equal(json_integer_value(json_object_get(claims, "nbf")), 1795460931);
    assert_ok(rsa_signer_check(w->identity.signer, RSA_PSS_SHA256, assertion, &err));
}

static void a_federated_token_is_read_anew_for_each_exchange(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    write_file(w, "token", "first\n");
    sign_in(w, "{\"source\":\"workload-identity\",\"tenant\":\"t\",\"client_id\":\"app\","
               "\"file\":\"token\"}");
    fake_http_say(w->entra, 200, TOKEN("a", "60"));
    fake_http_say(w->entra, 200, TOKEN("b", "3599"));
    assert_string_equal(get(w, &err), "a");
    write_file(w, "token", "second");
    assert_string_equal(get(w, &err), "b");
    assert_non_null(strstr(fake_http_heard(w->entra, 0), "client_assertion=first"));
    assert_non_null(strstr(fake_http_heard(w->entra, 1), "client_assertion=second"));
}

static void a_managed_identity_asks_the_metadata_service(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", fake_http_url(w->entra), 1);
    sign_in(w, "{\"source\":\"managed-identity\","
               "\"client_id\":\"11111111-1111-1111-1111-111111111111\"}");
    fake_http_say(w->entra, 410, "");
    fake_http_say(w->entra, 200, TOKEN("a", "\"86399\""));
    assert_null(get(w, &err));
    assert_string_equal(err.code, "server-error");
    assert_string_equal(get(w, &err), "a");
    setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://evil.example", 1);
    azure_token_drop(&w->identity, "");
    assert_null(get(w, &err));
    assert_string_equal(err.code, "bad-endpoint");
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = captured_request("azure", "auth-imds-managed-identity");
    assert_sent_alike(real, fake_http_heard(w->entra, 1));
}

/* ---- keeping it ----------------------------------------------------------------------------- */

static void a_token_is_kept_and_renewed_before_its_end(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    clock_freeze(clock_at_seconds(1795460931));
    sign_in(w, "{\"source\":\"environment\"}");
    fake_http_say(w->entra, 200, TOKEN("one", "3600"));
    fake_http_say(w->entra, 200, TOKEN("two", "3600"));
    assert_string_equal(get(w, &err), "one");
    clock_advance_ms((3600 - AZURE_REFRESH_SECONDS - 1) * 1000LL);
    assert_string_equal(get(w, &err), "one");
    assert_null(fake_http_heard(w->entra, 1));
    clock_advance_ms(2000);
    assert_string_equal(get(w, &err), "two");
}

/* Renewal is early so that a service that is away for a moment does not matter. */
static void while_the_service_is_away_the_old_token_serves_to_its_end(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    clock_freeze(clock_at_seconds(1795460931));
    sign_in(w, "{\"source\":\"environment\"}");
    fake_http_say(w->entra, 200, TOKEN("one", "3600"));
    fake_http_say(w->entra, 503, "");
    fake_http_say(w->entra, 0, "");
    assert_string_equal(get(w, &err), "one");
    clock_advance_ms((3600 - 10) * 1000LL);
    assert_string_equal(get(w, &err), "one");
    clock_advance_ms(11 * 1000LL);
    assert_null(get(w, &err));
    /* cut off, but nothing was done: never ambiguous */
    assert_string_equal(err.code, "server-error");
}

static void more_claims_are_answered_with_a_new_token(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    sign_in(w, "{\"source\":\"environment\"}");
    fake_http_say(w->entra, 200, TOKEN("one", "3600"));
    fake_http_say(w->entra, 200, TOKEN("two", "3600"));
    fake_http_say(w->entra, 200, TOKEN("three", "3600"));
    assert_string_equal(get(w, &err), "one");
    azure_token_drop(&w->identity, "{\"access_token\":{}}");
    assert_string_equal(get(w, &err), "two");
    assert_non_null(
        strstr(fake_http_heard(w->entra, 1), "claims=%7B%22access_token%22%3A%7B%7D%7D"));
    azure_token_drop(&w->identity, "");
    assert_string_equal(get(w, &err), "three");
    assert_null(strstr(fake_http_heard(w->entra, 2), "claims="));
}

static void what_is_no_token_is_none(void **state)
{
    struct world *w = *state;
    static const struct {
        int status;
        const char *body;
        const char *code;
    } rows[] = {
        {200, "", "server-error"},
        {200, "<html>", "server-error"},
        {200, "{\"access_token\":\"a\"}", "server-error"},
        {200, TOKEN("a", "0"), "server-error"},
        {200, TOKEN("a", "-5"), "server-error"},
        {200, TOKEN("a\\r\\nX: y", "3600"), "server-error"},
        {200, "{\"access_token\":\"a\",\"access_token\":\"b\",\"expires_in\":1}", "server-error"},
        {401, "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215\"}", "auth"},
        {400, "{\"error\":\"invalid_grant\"}", "auth"},
        {400, "", "auth"},
        {404, "", "auth"},
        {429, "{}", "throttle"},
        {503, "<html>", "server-error"},
    };
    sign_in(w, "{\"source\":\"environment\"}");
    for (size_t i = 0; i < countof(rows); i++)
        fake_http_say(w->entra, rows[i].status, rows[i].body);
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        assert_null(get(w, &err));
        if (strcmp(err.code, rows[i].code) != 0)
            fail_msg("%d %s is %s", rows[i].status, rows[i].body, err.code);
        assert_null(strstr(err.text, "s3cret"));
    }
}

/* ---- where it goes -------------------------------------------------------------------------- */

/* An account's endpoint is written by people who may not have the token. */
static void tokens_go_to_azure_or_loopback_only(void **state)
{
    (void)state;
    struct error err = {0};
    struct azure_place place;
    static const char *const bad[] = {
        "https://evil.example",
        "https://management.azure.com.evil.example",
        "https://management.azure.com:8443",
        "http://management.azure.com",
    };
    struct account account = {.driver = DRIVER_AZURE};
    assert_ok(azure_place_find(&account, &place, &err));
    assert_string_equal(place.arm.url, "https://management.azure.com/");
    assert_string_equal(place.login.url, "https://login.microsoftonline.com/");
    assert_string_equal(place.scope, ARM_SCOPE);
    snprintf(account.endpoint, sizeof account.endpoint, "https://management.usgovcloudapi.net");
    assert_ok(azure_place_find(&account, &place, &err));
    assert_string_equal(place.login.host, "login.microsoftonline.us");
    assert_string_equal(place.scope, "https://management.usgovcloudapi.net/.default");
    for (size_t i = 0; i < countof(bad); i++) {
        snprintf(account.endpoint, sizeof account.endpoint, "%s", bad[i]);
        assert_fails(azure_place_find(&account, &place, &err), ERR_INVALID, "bad-endpoint");
    }
}

static void what_cannot_sign_in_is_said_without_the_secret(void **state)
{
    struct world *w = *state;
    OWNED(mem_drop) char *pem = rsa_pem_make("app");
    *strstr(pem, "-----BEGIN CERTIFICATE") = '\0';
    write_file(w, "bare-key", pem);
    write_file(w, "empty", "\n");
    static const char *const bad[] = {
        "{\"source\":\"client-secret\",\"tenant\":\"t\",\"client_id\":\"c\",\"file\":\"absent\"}",
        "{\"source\":\"client-secret\",\"tenant\":\"t\",\"client_id\":\"c\",\"file\":\"empty\"}",
        "{\"source\":\"client-certificate\",\"tenant\":\"t\",\"client_id\":\"c\","
        "\"file\":\"bare-key\"}",
        "{\"source\":\"google-file\",\"file\":\"empty\"}",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct azure_identity identity;
        json_decref(w->account.credentials);
        w->account.credentials = NULL;
        assert_ok(json_parse(span_of_text(bad[i]), 1000, &w->account.credentials, &err));
        assert_fails(azure_identity_find(&w->account, &identity, &err), ERR_DENIED,
                     "no-credentials");
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_way_in_is_a_real_clients),
        T(a_token_is_asked_for_where_a_real_client_asks),
        T(an_assertion_is_signed_by_the_certificate_for_this_service_and_ten_minutes),
        T(a_federated_token_is_read_anew_for_each_exchange),
        T(a_managed_identity_asks_the_metadata_service),
        T(a_token_is_kept_and_renewed_before_its_end),
        T(while_the_service_is_away_the_old_token_serves_to_its_end),
        T(more_claims_are_answered_with_a_new_token),
        T(what_is_no_token_is_none),
        T(tokens_go_to_azure_or_loopback_only),
        T(what_cannot_sign_in_is_said_without_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
