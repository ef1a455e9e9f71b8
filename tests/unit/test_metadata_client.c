/* What the agent's helper makes of a metadata service: parts that come go on as they came, whatever
 * else it does is a part that is missing. */
#include "agent/metadata_client.h"

#include <string.h>

#include "agent/metadata_source.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/fake_http.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static const uint8_t nonce[NONCE_SIZE] = {0xab, 0xcd};

struct service {
    struct fake_http *http;
    struct cloud_documents documents;
    struct error why;
};

static int set_up(void **state)
{
    struct service *s = NEW(struct service);
    s->http = fake_http_start();
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct service *s = *state;
    cloud_documents_done(&s->documents);
    fake_http_stop(s->http);
    mem_drop(state);
    return 0;
}

static enum outcome ask(struct service *s, enum cloud_kind cloud)
{
    const struct metadata_question question = {cloud, fake_http_url(s->http), nonce, 1000};
    return metadata_ask(&question, &s->documents, &s->why);
}

static bool heard(struct service *s, unsigned n, const char *what)
{
    const char *request = fake_http_heard(s->http, n);
    return request != NULL && strcasestr(request, what) != NULL;
}

static bool came(const struct service *s, int part, const char *text)
{
    return span_equal(bytes_span(&s->documents.parts[part]), span_of_text(text));
}

static void ec2_is_asked_within_a_session(void **state)
{
    struct service *s = *state;
    fake_http_say(s->http, 200, "TOKEN==");
    fake_http_say(s->http, 200, "{\"a\":1}");
    fake_http_say(s->http, 200, "AAAA");
    assert_int_equal(ask(s, CLOUD_AWS), OK);
    assert_true(heard(s, 0, "PUT /latest/api/token "));
    assert_true(heard(s, 0, "x-aws-ec2-metadata-token-ttl-seconds: 60"));
    assert_true(heard(s, 1, "GET /latest/dynamic/instance-identity/document "));
    assert_true(heard(s, 1, "x-aws-ec2-metadata-token: TOKEN=="));
    assert_true(heard(s, 2, "GET /latest/dynamic/instance-identity/rsa2048 "));
    assert_true(came(s, AWS_DOCUMENT, "{\"a\":1}") && came(s, AWS_RSA2048, "AAAA"));
}

static void without_a_session_ec2_is_asked_nothing_more(void **state)
{
    struct service *s = *state;
    fake_http_say(s->http, 401, "");
    assert_int_equal(ask(s, CLOUD_AWS), ERR_UNREACHABLE);
    fake_http_say(s->http, 200, "a token with blanks");
    assert_int_equal(ask(s, CLOUD_AWS), ERR_INVALID);
    assert_null(fake_http_heard(s->http, 2));
}

static void what_came_before_the_end_goes_on(void **state)
{
    struct service *s = *state;
    fake_http_say(s->http, 200, "TOKEN");
    fake_http_say(s->http, 200, "{}");
    fake_http_say(s->http, 0, "");
    assert_int_equal(ask(s, CLOUD_AWS), ERR_AMBIGUOUS);
    assert_true(came(s, AWS_DOCUMENT, "{}"));
    assert_int_equal(s->documents.parts[AWS_RSA2048].len, 0);
}

static void azure_and_google_are_asked_with_our_challenge(void **state)
{
    struct service *s = *state;
    char digits[CLOUD_DIGITS_SIZE];
    cloud_digits(nonce, digits);
    assert_int_equal(strlen(digits), 10);
    fake_http_say(s->http, 200, "{\"encoding\":\"pkcs7\"}");
    assert_int_equal(ask(s, CLOUD_AZURE), OK);
    assert_true(heard(s, 0, digits) && heard(s, 0, "metadata: true"));
    assert_true(came(s, AZURE_ATTESTED, "{\"encoding\":\"pkcs7\"}"));
    cloud_documents_done(&s->documents);
    fake_http_say_with(s->http, 200, "Metadata-Flavor: Google\r\n", "a.b.c");
    assert_int_equal(ask(s, CLOUD_GCP), OK);
    assert_true(heard(s, 1, "audience=abcd") && heard(s, 1, "format=full"));
    assert_true(heard(s, 1, "metadata-flavor: google"));
    assert_true(came(s, GCP_TOKEN, "a.b.c"));
}

static void who_does_not_say_that_he_is_google_is_not_believed(void **state)
{
    struct service *s = *state;
    fake_http_say(s->http, 200, "a.b.c");
    assert_int_equal(ask(s, CLOUD_GCP), ERR_INVALID);
    assert_int_equal(s->documents.parts[GCP_TOKEN].len, 0);
}

static void an_answer_that_is_too_long_is_none(void **state)
{
    struct service *s = *state;
    OWNED(text_done) struct text huge = {0};
    while (huge.len <= CLOUD_PART_MAX)
        text_add(&huge, "AAAAAAAAAAAAAAAA");
    fake_http_say(s->http, 200, text_str(&huge));
    assert_int_equal(ask(s, CLOUD_AZURE), ERR_AMBIGUOUS);
    assert_int_equal(s->documents.parts[AZURE_ATTESTED].len, 0);
}

static void documents_stand_in_the_record_and_come_back(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(cloud_documents_done) struct cloud_documents in = {.cloud = CLOUD_AWS};
    OWNED(cloud_documents_done) struct cloud_documents out = {0};
    bytes_add(&in.parts[AWS_DOCUMENT], span_of_text("{}\n"));
    bytes_add_u8(&in.parts[AWS_RSA2048], 0);
    OWNED(mem_drop) char *record = cloud_documents_print(7, &in);
    assert_ok(cloud_documents_read(span_of_text(record), &out, &err));
    assert_int_equal(out.cloud, CLOUD_AWS);
    assert_true(span_equal(bytes_span(&out.parts[0]), bytes_span(&in.parts[0])));
    assert_true(span_equal(bytes_span(&out.parts[1]), bytes_span(&in.parts[1])));
}

static void the_machines_maker_says_which_cloud_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *maker;
        enum cloud_kind cloud;
    } makers[] = {{"Amazon EC2\n", CLOUD_AWS},
                  {"Microsoft Corporation\n", CLOUD_AZURE},
                  {"Google\n", CLOUD_GCP},
                  {"QEMU\n", CLOUD_NONE},
                  {"Google\nAmazon EC2\n", CLOUD_NONE}};
    struct error err = {0};
    enum cloud_kind cloud = CLOUD_NONE;
    void *folder = NULL;
    assert_int_equal(scratch_open(&folder), 0);
    OWNED(mem_drop) char *file = scratch_path(folder, "vendor");
    for (size_t i = 0; i < countof(makers); i++) {
        assert_ok(file_write(file, span_of_text(makers[i].maker), 0600, &err));
        assert_ok(metadata_cloud("auto", file, &cloud, &err));
        assert_int_equal(cloud, makers[i].cloud);
    }
    assert_ok(metadata_cloud("gcp", file, &cloud, &err));
    assert_int_equal(cloud, CLOUD_GCP);
    assert_ok(metadata_cloud("auto", "", &cloud, &err));
    assert_int_equal(cloud, CLOUD_NONE);
    assert_fails(metadata_cloud("ibm", file, &cloud, &err), ERR_INVALID, "bad-setting");
    assert_int_equal(scratch_close(&folder), 0);
}

#define WITH_SERVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVICE(ec2_is_asked_within_a_session),
        WITH_SERVICE(without_a_session_ec2_is_asked_nothing_more),
        WITH_SERVICE(what_came_before_the_end_goes_on),
        WITH_SERVICE(azure_and_google_are_asked_with_our_challenge),
        WITH_SERVICE(who_does_not_say_that_he_is_google_is_not_believed),
        WITH_SERVICE(an_answer_that_is_too_long_is_none),
        cmocka_unit_test(documents_stand_in_the_record_and_come_back),
        cmocka_unit_test(the_machines_maker_says_which_cloud_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
