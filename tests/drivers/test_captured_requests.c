/* No request that a real client sent goes unread: for each either a test compares ours for the same
 * act, or it stands here why we have none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

/* The tests that compare. */
static const struct {
    const char *cloud;
    const char *file;
} tests_of[] = {
    {"aws", "test_ec2_requests"},     {"aws", "test_aws_offers"},    {"aws", "test_aws_sign_in"},
    {"azure", "test_azure_requests"}, {"azure", "test_azure_token"}, {"gcp", "test_gcp_requests"},
    {"gcp", "test_gcp_token"},
};

/* clang-format off */
static const struct {
    const char *cloud;
    const char *file;
    const char *why;
} not_ours[] = {
    {"aws", "awscli-CreateTags-01", "tags are given at birth, and changed by nobody of ours"},
    {"aws", "awscli-DeleteTags-01", "likewise"},
    {"aws", "awscli-DescribeTags-01", "a machine's tags come with it"},
    {"aws", "awscli-DescribeAvailabilityZones-01", "the catalogue has the zones"},
    {"aws", "awscli-DescribeImages-01", "an image is named by who writes the fleet"},
    {"aws", "awscli-DescribeImages-02", "likewise"},
    {"aws", "awscli-DescribeInstanceAttribute-01", "nobody reads user-data back"},
    {"aws", "awscli-GetConsoleOutput-01", "a console is the host's word, and no evidence"},
    {"aws", "awscli-ModifyInstanceEventStartTime-01", "a machine is moved before its event instead"},
    {"aws", "awscli-ModifyInstanceMetadataOptions-01", "they are right from birth"},
    {"aws", "awscli-RebootInstances-01", "a reboot keeps its host: nobody of ours wants one"},
    {"aws", "awscli-kms-CreateKey", "the keeper wraps its keys with no cloud's KMS"},
    {"aws", "awscli-kms-Encrypt", "likewise"},
    {"aws", "awscli-kms-Decrypt", "likewise"},
    {"azure", "azure-arm-compute-js-25.1.1-get-instanceView", "it comes with the machine, by $expand"},
    {"gcp", "gcloud-528-reset", "a reset keeps its host: nobody of ours wants one"},
    {"gcp", "gcloud-528-setLabels", "labels are given at birth, and changed by nobody of ours"},
    {"gcp", "gcloud-528-setScheduling", "it is right from birth"},
    {"gcp", "gcloud-528-simulateMaintenanceEvent", "only who tries out maintenance wishes for it"},
    {"gcp", "gcloud-528-zone", "the region's answer names its zones"},
};
/* clang-format on */

/* Does the test's source have the name, in quotes or as a file of the folder? */
static bool source_names(const char *test, const char *request)
{
    struct error err = {0};
    char path[512], quoted[128], as_file[128];
    OWNED(bytes_done) struct bytes source = {0};
    snprintf(path, sizeof path, "%s/tests/drivers/%s.c", getenv("MUSTER_SRC"), test);
    snprintf(quoted, sizeof quoted, "\"%s\"", request);
    snprintf(as_file, sizeof as_file, "/requests/%s.json\"", request);
    assert_ok(file_read(path, 1 << 20, &source, &err));
    return memmem(source.at, source.len, quoted, strlen(quoted)) != NULL ||
           memmem(source.at, source.len, as_file, strlen(as_file)) != NULL;
}

static bool is_compared(const char *cloud, const char *request)
{
    for (size_t i = 0; i < countof(tests_of); i++)
        if (strcmp(tests_of[i].cloud, cloud) == 0 && source_names(tests_of[i].file, request))
            return true;
    return false;
}

static bool is_told_why(const char *cloud, const char *request)
{
    for (size_t i = 0; i < countof(not_ours); i++)
        if (strcmp(not_ours[i].cloud, cloud) == 0 && strcmp(not_ours[i].file, request) == 0)
            return true;
    return false;
}

static json_t *manifest_of(const char *cloud)
{
    char path[64];
    snprintf(path, sizeof path, "clouds/%s/manifest.json", cloud);
    return vectors_json(path);
}

/* "requests/NAME.json" */
static void name_of_request(const json_t *entry, char out[static 96])
{
    const char *file = json_string_value(entry);
    assert_memory_equal(file, "requests/", 9);
    snprintf(out, 96, "%.*s", (int)(strlen(file) - 9 - strlen(".json")), file + 9);
}

static void every_captured_request_is_compared_or_it_is_told_why_not(void **state)
{
    (void)state;
    static const char *const clouds[] = {"aws", "azure", "gcp"};
    if (vectors_folder() == NULL)
        skip();
    for (size_t c = 0; c < countof(clouds); c++) {
        size_t i;
        json_t *entry;
        OWNED(json_drop) json_t *manifest = manifest_of(clouds[c]);
        json_array_foreach (json_object_get(manifest, "requests"), i, entry) {
            char name[96];
            name_of_request(entry, name);
            const bool compared = is_compared(clouds[c], name);
            if (compared == is_told_why(clouds[c], name))
                fail_msg("%s of %s: %s", name, clouds[c],
                         compared ? "a test compares it, and it stands here why none does"
                                  : "no test compares it, and nobody says why");
        }
        assert_true(i > 20);
    }
}

static void nothing_is_explained_that_nobody_sent(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    for (size_t i = 0; i < countof(not_ours); i++) {
        size_t n;
        json_t *entry;
        bool found = false;
        OWNED(json_drop) json_t *manifest = manifest_of(not_ours[i].cloud);
        json_array_foreach (json_object_get(manifest, "requests"), n, entry) {
            char name[96];
            name_of_request(entry, name);
            found |= strcmp(name, not_ours[i].file) == 0;
        }
        if (!found)
            fail_msg("nobody sent %s", not_ours[i].file);
        assert_string_not_equal(not_ours[i].why, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_captured_request_is_compared_or_it_is_told_why_not),
        cmocka_unit_test(nothing_is_explained_that_nobody_sent),
    };
    return cmocka_run_group_tests_name("captured_requests", tests, NULL, NULL);
}
