/* What sizes EC2 says it has with SEV-SNP: asked like a real client asks, read from what real
 * servers answered, page by page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/aws/ec2_answers.h"
#include "drivers/aws/ec2_requests.h"
#include "drivers/catalogue.h"
#include "emulator/form.h"
#include "tests/support/far_ec2.h"
#include "tests/support/rules.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define MODEL "clouds/aws/ec2-2016-11-15.trimmed.json"

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* ---- asking --------------------------------------------------------------------------------- */

static void it_is_asked_as_a_real_client_asks(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(form_done) struct form form = {0};
    OWNED(form_in_done) struct form_in sent = {0};
    OWNED(json_drop)
    json_t *capture = vectors_json("clouds/aws/requests/awscli-DescribeInstanceTypes-01.json");
    OWNED(json_drop) json_t *model = vectors_json(MODEL);
    const json_t *shapes = json_object_get(model, "shapes");
    const json_t *known =
        json_object_get(json_object_get(shapes, "DescribeInstanceTypesRequest"), "members");
    ec2_describe_types("next", &form);
    assert_ok(form_read(text_span(&form.body), &sent, &err));
    const char *key;
    json_t *value;
    json_object_foreach (json_object_get(capture, "form"), key, value)
        assert_string_equal(form_get(&sent, key), json_string_value(value));
    assert_non_null(json_object_get(known, "MaxResults"));
    assert_non_null(json_object_get(known, "NextToken"));
    assert_string_equal(form_get(&sent, "MaxResults"), "100");
    assert_string_equal(form_get(&sent, "NextToken"), "next");
}

/* ---- reading -------------------------------------------------------------------------------- */

static void a_recorded_answer_is_read(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(text_done) struct text token = {0};
    OWNED(json_drop)
    json_t *sample = vectors_json("clouds/aws/responses/moto-DescribeInstanceTypes-02.json");
    const char *body = word(json_object_get(sample, "response"), "body");
    assert_ok(ec2_read_offers(span_of_text(body), &offers, &token, &err));
    assert_int_equal(offers.count, 1);
    assert_string_equal(offers.at[0].size, "m6a.large");
    assert_int_equal(offers.at[0].vcpus, 2);
    assert_int_equal(offers.at[0].memory_mib, 8192);
}

#define TYPE(name, features, vcpus)                                                                \
    "<item><instanceType>" name "</instanceType><processorInfo><supportedFeatures>" features       \
    "</supportedFeatures></processorInfo><vCpuInfo><defaultVCpus>" vcpus                           \
    "</defaultVCpus></vCpuInfo><memoryInfo><sizeInMiB>8</sizeInMiB></memoryInfo></item>"
#define SNP "<item>amd-sev-snp</item>"
#define TYPES(items, token)                                                                        \
    "<DescribeInstanceTypesResponse><instanceTypeSet>" items "</instanceTypeSet><nextToken>" token \
    "</nextToken></DescribeInstanceTypesResponse>"

static void sizes_without_the_feature_are_not_offers(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(text_done) struct text token = {0};
    assert_ok(ec2_read_offers(
        span_of_text(TYPES(TYPE("m5.large", "", "2") TYPE("x.y", "<item>other</item>", "2")
                               TYPE("m6a.large", "<item>other</item>" SNP, "2"),
                           "")),
        &offers, &token, &err));
    assert_int_equal(offers.count, 1);
    assert_string_equal(offers.at[0].size, "m6a.large");
}

static void what_is_no_answer_is_not_taken_for_one(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "<html>",
        "<DescribeInstanceTypesResponse/>",
        "<DescribeInstancesResponse><instanceTypeSet/></DescribeInstancesResponse>",
        TYPES(TYPE("", SNP, "2"), ""),
        TYPES(TYPE("a b", SNP, "2"), ""),
        TYPES(TYPE("m6a.large", SNP, "many"), ""),
        TYPES(TYPE("m6a.large", SNP, "0"), ""),
        TYPES(TYPE("m6a.large", SNP, ""), ""),
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(offer_list_done) struct offer_list offers = {0};
        OWNED(text_done) struct text token = {0};
        assert_fails(ec2_read_offers(span_of_text(bad[i]), &offers, &token, &err), ERR_AMBIGUOUS,
                     "ambiguous");
    }
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void all_pages_are_read_or_none(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(offer_list_done) struct offer_list half = {0};
    fake_http_say(w->ec2, 200, TYPES("", "two"));
    fake_http_say(w->ec2, 200, TYPES(TYPE("m6a.large", SNP, "2"), "three"));
    fake_http_say(w->ec2, 200, TYPES(TYPE("r6a.large", SNP, "2"), ""));
    assert_ok(aws_driver.offers(w->cloud, &offers, &err));
    assert_int_equal(offers.count, 2);
    assert_non_null(strstr(fake_http_heard(w->ec2, 2), "NextToken=three"));
    fake_http_say(w->ec2, 200, TYPES(TYPE("m6a.large", SNP, "2"), "two"));
    fake_http_say(w->ec2, 503,
                  "<Response><Errors><Error><Code>RequestLimitExceeded</Code>"
                  "</Error></Errors></Response>");
    assert_fails(aws_driver.offers(w->cloud, &half, &err), ERR_THROTTLED, "throttle");
    assert_int_equal(half.count, 0);
}

static void pages_that_go_in_a_circle_end(void **state)
{
    struct far_ec2 *w = *state;
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    fake_http_say(w->ec2, 200, TYPES("", "same"));
    fake_http_say(w->ec2, 200, TYPES("", "same"));
    assert_fails(aws_driver.offers(w->cloud, &offers, &err), ERR_UNREACHABLE, "server-error");
}

/* ---- the emulator --------------------------------------------------------------------------- */

static void the_emulator_offers_what_the_catalogue_names(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    struct cloud *cloud = NULL;
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(drift_list_done) struct drift_list drift = {0};
    OWNED(catalogue_drop) struct catalogue *current = rules_edition(CATALOGUE_CURRENT);
    assert_ok(aws_driver.open(&sim->account, &cloud, &err));
    sim->aws.page_most = 5; /* so that there are pages */
    assert_ok(aws_driver.offers(cloud, &offers, &err));
    aws_driver.close(cloud);
    assert_int_equal(offers.count, 16);
    catalogue_compare(current, DRIVER_AWS, "us-east-2", clock_now(), &offers, &drift);
    assert_int_equal(drift.count, 0);
}

#define DIALLED(test) cmocka_unit_test_setup_teardown(test, far_ec2_open, far_ec2_close)
#define WITH_CLOUD(test) cmocka_unit_test_setup_teardown(test, sim_cloud_open, sim_cloud_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_asked_as_a_real_client_asks),
        cmocka_unit_test(a_recorded_answer_is_read),
        cmocka_unit_test(sizes_without_the_feature_are_not_offers),
        cmocka_unit_test(what_is_no_answer_is_not_taken_for_one),
        DIALLED(all_pages_are_read_or_none),
        DIALLED(pages_that_go_in_a_circle_end),
        WITH_CLOUD(the_emulator_offers_what_the_catalogue_names),
    };
    return cmocka_run_group_tests_name("aws_offers", tests, NULL, NULL);
}
