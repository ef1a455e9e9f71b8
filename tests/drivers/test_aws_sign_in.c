/* Who signs for an account at AWS: found in the order of AWS's own tools, renewed before it ends,
 * said in the words of a real client, and never told to anybody. */
#include "drivers/aws/sign_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/support/captured.h"
#include "tests/support/fake_http.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_ec2.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define ROLE "arn:aws:iam::1:role/r"
#define NOW "2026-11-23T10:00:00Z"

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_DISABLED",
};

struct world {
    char *folder;
    struct fake_http *aws; /* STS, a container's service and a machine's, as each test wants */
    struct endpoint endpoint;
    struct http *http;
    int64_t skew_seconds;
    struct sign_in sign_in;
};

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    void *folder;
    scratch_open(&folder);
    w->folder = folder;
    w->aws = fake_http_start();
    w->http = http_new();
    for (size_t i = 0; i < countof(variables); i++)
        unsetenv(variables[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("HOME", w->folder, 1);
    assert_ok(endpoint_parse(fake_http_url(w->aws), &w->endpoint, &err));
    const struct service sts = {"sts", "us-east-2", &w->endpoint, w->http, &w->skew_seconds};
    const struct account account = {.name = "a", .driver = DRIVER_AWS};
    sign_in_start(&w->sign_in, &account, &sts);
    struct moment now;
    assert_ok(moment_parse(NOW, &now, &err));
    clock_freeze(now);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    void *folder = w->folder;
    clock_thaw();
    sign_in_done(&w->sign_in);
    http_free(w->http);
    fake_http_stop(w->aws);
    free(w);
    return scratch_close(&folder);
}

static char *write_file(struct world *w, const char *name, const char *content)
{
    struct error err = {0};
    char *path = scratch_path(w->folder, name);
    assert_ok(file_write(path, span_of_text(content), 0600, &err));
    return path;
}

static void set_to_file(struct world *w, const char *variable, const char *content)
{
    OWNED(mem_drop) char *path = write_file(w, variable, content);
    setenv(variable, path, 1);
}

static void assert_signs(struct world *w, const char *id, const char *secret, const char *token)
{
    struct error err = {0};
    const struct credentials *found;
    assert_ok(sign_in_get(&w->sign_in, &found, &err));
    assert_string_equal(found->access_key_id, id);
    assert_true(span_equal(locked_span(&found->secret), span_of_text(secret)));
    if (token != NULL)
        assert_string_equal(credentials_session_token(found), token);
    else
        assert_null(credentials_session_token(found));
}

static void assert_nobody_signs(struct world *w, const char *but_for)
{
    struct error err = {0};
    const struct credentials *found;
    assert_fails(sign_in_get(&w->sign_in, &found, &err), ERR_DENIED, "no-credentials");
    if (but_for != NULL)
        assert_null(strstr(err.text, but_for)); /* what was found is not told */
}

static void sts_gives(struct world *w, const char *action, const char *id, const char *expires)
{
    char body[1024];
    snprintf(body, sizeof body,
             "<%sResponse><%sResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>"
             "given</SecretAccessKey><SessionToken>session</SessionToken><Expiration>%s"
             "</Expiration></Credentials></%sResult></%sResponse>",
             action, action, id, expires, action, action);
    fake_http_say(w->aws, 200, body);
}

static void set_web_identity(struct world *w)
{
    set_to_file(w, "AWS_WEB_IDENTITY_TOKEN_FILE", "jwt.jwt.jwt\n");
    setenv("AWS_ROLE_ARN", ROLE, 1);
}

/* ---- the order ------------------------------------------------------------------------------ */

static void variables_come_first_and_files_before_what_is_around(void **state)
{
    struct world *w = *state;
    set_to_file(w, "AWS_SHARED_CREDENTIALS_FILE",
                "[default]\naws_access_key_id = FILE\naws_secret_access_key=filed\n");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", fake_http_url(w->aws), 1);
    setenv("AWS_ACCESS_KEY_ID", "VARIABLE", 1);
    assert_nobody_signs(w, NULL); /* half of them is none, and no reason to go on */
    setenv("AWS_SECRET_ACCESS_KEY", "varied", 1);
    assert_signs(w, "VARIABLE", "varied", NULL);
    sign_in_done(&w->sign_in);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_signs(w, "FILE", "filed", NULL);
    assert_null(fake_http_heard(w->aws, 0));
}

static void a_web_identity_is_said_in_a_real_clients_words(void **state)
{
    struct world *w = *state;
    set_web_identity(w);
    sts_gives(w, "AssumeRoleWithWebIdentity", "WEB", "2026-11-23T11:00:00Z");
    assert_signs(w, "WEB", "given", "session");
    const char *heard = fake_http_heard(w->aws, 0);
    assert_null(strcasestr(heard, "authorization:")); /* nobody signs it yet */
    /* The line break at the file's end goes along, as the captured request shows. */
    assert_non_null(strstr(heard, "WebIdentityToken=jwt.jwt.jwt%0A"));
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = captured_request("aws", "auth-web-identity");
    const char *name;
    json_t *value;
    json_object_foreach (json_object_get(real, "body"), name, value) {
        OWNED(text_done) struct text pair = {0};
        text_addf(&pair, "%s=", name);
        text_add_percent(&pair, span_of_text(json_string_value(value)));
        assert_non_null(strstr(heard, text_str(&pair)));
    }
}

static void a_web_identitys_file_is_read_anew_each_time(void **state)
{
    struct world *w = *state;
    set_web_identity(w);
    sts_gives(w, "AssumeRoleWithWebIdentity", "FIRST", "2026-11-23T10:20:00Z");
    assert_signs(w, "FIRST", "given", "session");
    clock_advance_ms(6 * 60 * 1000);
    set_to_file(w, "AWS_WEB_IDENTITY_TOKEN_FILE", "another.jwt");
    sts_gives(w, "AssumeRoleWithWebIdentity", "SECOND", "2026-11-23T11:00:00Z");
    assert_signs(w, "SECOND", "given", "session");
    assert_non_null(strstr(fake_http_heard(w->aws, 1), "WebIdentityToken=another.jwt"));
}

/* ---- profiles ------------------------------------------------------------------------------- */

static void a_role_is_asked_for_with_the_keys_of_its_source(void **state)
{
    struct world *w = *state;
    set_to_file(w, "AWS_CONFIG_FILE",
                "# ours\n[profile fleet]\nrole_arn = " ROLE "\nsource_profile = base\n"
                "external_id = 4711\nrole_session_name = night\ns3 =\n  role_arn = nested\n");
    set_to_file(w, "AWS_SHARED_CREDENTIALS_FILE",
                "[other]\naws_access_key_id=OTHER\n[ base ]\naws_access_key_id=BASE\n"
                "aws_secret_access_key=base/secret\n");
    setenv("AWS_PROFILE", "fleet", 1);
    sts_gives(w, "AssumeRole", "ROLE", "2026-11-23T11:00:00Z");
    assert_signs(w, "ROLE", "given", "session");
    const char *heard = fake_http_heard(w->aws, 0);
    assert_non_null(strstr(heard, "Credential=BASE/20261123/us-east-2/sts/aws4_request"));
    assert_non_null(strstr(heard, "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A"
                                  "%3A1%3Arole%2Fr&RoleSessionName=night&ExternalId=4711"));
    assert_null(strstr(heard, "base/secret"));
}

static void a_profile_that_cannot_sign_ends_the_search(void **state)
{
    static const char *const configs[] = {
        "[profile p]\nrole_arn=" ROLE "\nsource_profile=q\n[profile q]\nrole_arn=" ROLE
        "\nsource_profile=p\n",
        "[profile p]\nrole_arn=" ROLE "\nsource_profile=nobody\n",
        "[profile p]\nrole_arn=" ROLE "\ncredential_source=Nowhere\n",
        "[profile p]\ncredential_process=/bin/secret-tool\n",
        "[profile other]\naws_access_key_id=A\naws_secret_access_key=s\n",
        "[profile p]\naws_access_key_id=A\n",
    };
    struct world *w = *state;
    setenv("AWS_PROFILE", "p", 1);
    for (size_t i = 0; i < countof(configs); i++) {
        set_to_file(w, "AWS_CONFIG_FILE", configs[i]);
        assert_nobody_signs(w, NULL);
    }
    assert_null(fake_http_heard(w->aws, 0));
}

static void an_account_may_name_its_profile(void **state)
{
    struct world *w = *state;
    struct account account = {.name = "a", .driver = DRIVER_AWS};
    const struct service sts = w->sign_in.sts;
    account.credentials = json_pack("{s:s, s:s}", "source", "profile", "profile", "second");
    setenv("AWS_ACCESS_KEY_ID", "VARIABLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "varied", 1);
    sign_in_start(&w->sign_in, &account, &sts);
    assert_nobody_signs(w, NULL);
    set_to_file(w, "AWS_SHARED_CREDENTIALS_FILE",
                "[second]\naws_access_key_id=SECOND\naws_secret_access_key=s\n");
    assert_signs(w, "SECOND", "s", NULL);
    json_decref(account.credentials);
}

/* ---- what is around us ---------------------------------------------------------------------- */

#define GIVEN(id)                                                                                  \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"given\",\"Token\":"    \
    "\"session\",\"Expiration\":\"2026-11-23T16:10:00Z\"}"

static void a_container_gives_credentials_for_its_token(void **state)
{
    struct world *w = *state;
    char url[128];
    snprintf(url, sizeof url, "%s/ecs", fake_http_url(w->aws));
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
    set_to_file(w, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "Basic- <token>\n");
    fake_http_say(w->aws, 200, GIVEN("BOX"));
    assert_signs(w, "BOX", "given", "session");
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *real = captured_request("aws", "auth-container-credentials");
    assert_sent_alike(real, fake_http_heard(w->aws, 0));
}

static void without_tls_nobody_far_is_asked(void **state)
{
    static const char *const far[] = {"http://192.0.2.1/", "http://127.0.0.1.evil.test/",
                                      "http://169.254.170.23evil.test/", "ftp://127.0.0.1/"};
    struct world *w = *state;
    for (size_t i = 0; i < countof(far); i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", far[i], 1);
        assert_nobody_signs(w, NULL);
    }
    unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1", 1);
    assert_nobody_signs(w, NULL);
}

static void a_machine_gives_the_credentials_of_its_role(void **state)
{
    struct world *w = *state;
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_http_url(w->aws), 1);
    fake_http_say(w->aws, 200, "TOKEN");
    fake_http_say(w->aws, 200, "role1");
    fake_http_say(w->aws, 200, GIVEN("MACHINE"));
    assert_signs(w, "MACHINE", "given", "session");
    assert_non_null(
        strstr(fake_http_heard(w->aws, 1), "GET /latest/meta-data/iam/security-credentials/ HTTP"));
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *token = captured_request("aws", "auth-imdsv2-token");
    OWNED(json_drop) json_t *role = captured_request("aws", "auth-imdsv2-credentials");
    assert_sent_alike(token, fake_http_heard(w->aws, 0));
    assert_sent_alike(role, fake_http_heard(w->aws, 2));
}

static void a_machine_that_lies_gives_nothing(void **state)
{
    static const char *const answers[][3] = {
        {"TOKEN", "../../user-data", "{}"},
        {"TOKEN", "role", "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"no\"}"},
        {"TOKEN", "role", "<html>"},
        {"TOKEN", "role", "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hidden word\"}"},
        {"TOKEN", "role", "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"x\"}"},
    };
    struct world *w = *state;
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake_http_url(w->aws), 1);
    for (size_t i = 0; i < countof(answers); i++) {
        for (size_t n = 0; n < (i == 0 ? 2 : 3); n++)
            fake_http_say(w->aws, 200, answers[i][n]);
        assert_nobody_signs(w, "hidden word");
    }
}

/* ---- time ----------------------------------------------------------------------------------- */

static void they_are_renewed_early_and_kept_while_that_fails(void **state)
{
    struct world *w = *state;
    set_web_identity(w);
    sts_gives(w, "AssumeRoleWithWebIdentity", "FIRST", "2026-11-23T11:00:00Z");
    assert_signs(w, "FIRST", "given", "session");
    clock_advance_ms(44 * 60 * 1000); /* sixteen minutes left */
    assert_signs(w, "FIRST", "given", "session");
    assert_null(fake_http_heard(w->aws, 1));
    clock_advance_ms(2 * 60 * 1000);
    fake_http_say(w->aws, 503, "");
    assert_signs(w, "FIRST", "given", "session");
    assert_non_null(fake_http_heard(w->aws, 1));
    assert_signs(w, "FIRST", "given", "session"); /* and not at every call */
    assert_null(fake_http_heard(w->aws, 2));
    clock_advance_ms(5 * 60 * 1000); /* nine left: too few to begin anything with */
    fake_http_say(w->aws, 503, "");
    struct error err = {0};
    const struct credentials *found;
    assert_fails(sign_in_get(&w->sign_in, &found, &err), ERR_UNREACHABLE, "server-error");
    sts_gives(w, "AssumeRoleWithWebIdentity", "SECOND", "2026-11-23T12:00:00Z");
    assert_signs(w, "SECOND", "given", "session");
}

/* ---- a whole call --------------------------------------------------------------------------- */

#define IDENTITY                                                                                   \
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account><Arn>arn</Arn>"       \
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
#define REFUSAL(code) "<ErrorResponse><Error><Code>" code "</Code></Error></ErrorResponse>"

static struct cloud *open_cloud(struct world *w)
{
    struct error err = {0};
    struct cloud *cloud = NULL;
    struct account account = {.name = "a", .driver = DRIVER_AWS, .region = "us-east-2"};
    snprintf(account.endpoint, sizeof account.endpoint, "%s", fake_http_url(w->aws));
    assert_ok(aws_driver.open(&account, &cloud, &err));
    return cloud;
}

static void what_ended_is_renewed_and_the_call_said_once_more(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_identity who;
    set_web_identity(w);
    sts_gives(w, "AssumeRoleWithWebIdentity", "FIRST", "2026-11-23T11:00:00Z");
    struct cloud *cloud = open_cloud(w);
    fake_http_say(w->aws, 400, REFUSAL("ExpiredToken"));
    sts_gives(w, "AssumeRoleWithWebIdentity", "SECOND", "2026-11-23T11:00:00Z");
    fake_http_say(w->aws, 200, IDENTITY);
    assert_ok(aws_driver.identify(cloud, &who, &err));
    assert_non_null(strstr(fake_http_heard(w->aws, 3), "Credential=SECOND/"));
    assert_non_null(strcasestr(fake_http_heard(w->aws, 3), "x-amz-security-token: session"));
    /* Once, and then it is refused. */
    fake_http_say(w->aws, 400, REFUSAL("ExpiredToken"));
    sts_gives(w, "AssumeRoleWithWebIdentity", "THIRD", "2026-11-23T11:00:00Z");
    fake_http_say(w->aws, 400, REFUSAL("ExpiredToken"));
    assert_fails(aws_driver.identify(cloud, &who, &err), ERR_DENIED, "auth");
    aws_driver.close(cloud);
}

static void keys_that_never_end_are_not_looked_for_again(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_identity who;
    setenv("AWS_ACCESS_KEY_ID", "VARIABLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "varied", 1);
    struct cloud *cloud = open_cloud(w);
    fake_http_say(w->aws, 400, REFUSAL("ExpiredToken"));
    assert_fails(aws_driver.identify(cloud, &who, &err), ERR_DENIED, "auth");
    assert_null(fake_http_heard(w->aws, 1));
    aws_driver.close(cloud);
}

/* Our clock is an hour late: AWS's own Date is taken, once. */
static void a_clock_that_is_off_is_set_by_what_aws_says(void **state)
{
    static const char *const codes[] = {REFUSAL("RequestExpired"), REFUSAL("SignatureDoesNotMatch"),
                                        REFUSAL("AuthFailure")};
    for (size_t i = 0; i < countof(codes); i++) {
        struct world *w = *state;
        struct error err = {0};
        struct cloud_identity who;
        setenv("AWS_ACCESS_KEY_ID", "VARIABLE", 1);
        setenv("AWS_SECRET_ACCESS_KEY", "varied", 1);
        struct cloud *cloud = open_cloud(w);
        const unsigned first = (unsigned)i * 4;
        fake_http_say_with(w->aws, 400, "Date: Mon, 23 Nov 2026 11:00:00 GMT\r\n", codes[i]);
        fake_http_say(w->aws, 200, IDENTITY);
        assert_ok(aws_driver.identify(cloud, &who, &err));
        assert_non_null(strcasestr(fake_http_heard(w->aws, first), "x-amz-date: 20261123T100000Z"));
        assert_non_null(
            strcasestr(fake_http_heard(w->aws, first + 1), "x-amz-date: 20261123T110000Z"));
        fake_http_say(w->aws, 200, IDENTITY); /* and it stays so */
        assert_ok(aws_driver.identify(cloud, &who, &err));
        assert_non_null(
            strcasestr(fake_http_heard(w->aws, first + 2), "x-amz-date: 20261123T110000Z"));
        /* The time is right and it is refused: that is the answer. */
        fake_http_say_with(w->aws, 400, "Date: Mon, 23 Nov 2026 11:01:00 GMT\r\n", codes[i]);
        assert_fails(aws_driver.identify(cloud, &who, &err), ERR_DENIED, "auth");
        aws_driver.close(cloud);
    }
}

/* ---- the emulator --------------------------------------------------------------------------- */

/* Roles by a token and by other keys, and a call with what they give, against a whole STS. */
static void the_emulator_gives_roles_to_tokens_and_keys(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    struct cloud_identity who;
    clock_thaw();
    struct sim_cloud *sim = sim_ec2_open(); /* which sets the variables that its keys are in */
    const struct account *account = sim_ec2_account(sim);
    char keys[256];
    snprintf(keys, sizeof keys,
             "[base]\naws_access_key_id=%s\naws_secret_access_key=%s\n[role]\nrole_arn=" ROLE
             "\nsource_profile=base\n",
             getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY"));
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    set_web_identity(w);
    struct cloud *cloud = NULL;
    assert_ok(aws_driver.open(account, &cloud, &err));
    assert_ok(aws_driver.identify(cloud, &who, &err));
    aws_driver.close(cloud);
    set_to_file(w, "AWS_WEB_IDENTITY_TOKEN_FILE", "no token");
    assert_fails(aws_driver.open(account, &cloud, &err), ERR_DENIED, "auth");
    unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
    set_to_file(w, "AWS_SHARED_CREDENTIALS_FILE", keys);
    setenv("AWS_PROFILE", "role", 1);
    assert_ok(aws_driver.open(account, &cloud, &err));
    assert_ok(aws_driver.identify(cloud, &who, &err));
    aws_driver.close(cloud);
    assert_int_equal(sim_ec2_close(sim), 0);
}

#define SIGNED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNED(variables_come_first_and_files_before_what_is_around),
        SIGNED(a_web_identity_is_said_in_a_real_clients_words),
        SIGNED(a_web_identitys_file_is_read_anew_each_time),
        SIGNED(a_role_is_asked_for_with_the_keys_of_its_source),
        SIGNED(a_profile_that_cannot_sign_ends_the_search),
        SIGNED(an_account_may_name_its_profile),
        SIGNED(a_container_gives_credentials_for_its_token),
        SIGNED(without_tls_nobody_far_is_asked),
        SIGNED(a_machine_gives_the_credentials_of_its_role),
        SIGNED(a_machine_that_lies_gives_nothing),
        SIGNED(they_are_renewed_early_and_kept_while_that_fails),
        SIGNED(what_ended_is_renewed_and_the_call_said_once_more),
        SIGNED(keys_that_never_end_are_not_looked_for_again),
        SIGNED(a_clock_that_is_off_is_set_by_what_aws_says),
        SIGNED(the_emulator_gives_roles_to_tokens_and_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
