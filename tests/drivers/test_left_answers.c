/* What is left behind, as each cloud tells it: what is in use in any of the ways that it says so is
 * not, whatever was filtered for, and an answer that cannot be read is no empty list. */
#include <stdio.h>
#include <string.h>

#include "drivers/aws/ec2_answers.h"
#include "drivers/aws/ec2_leftovers.h"
#include "drivers/azure/azure_leftovers.h"
#include "drivers/gcp/gcp_leftovers.h"
#include "tests/support/test.h"

#define TAGS                                                                                       \
    "<tagSet><item><key>muster:owner</key><value>lab</value></item>"                               \
    "<item><key>muster:fleet</key><value>web</value></item></tagSet>"

static const struct account account = {.owner = "lab",
                                       .region = "us-central1",
                                       .project = "p-1",
                                       .subscription = "0-1",
                                       .resource_group = "g"};

static enum outcome read_ec2(enum leftover_kind kind, const char *items, struct leftover_list *out,
                             struct error *err)
{
    const struct ec2_leftover_facts *facts = &ec2_leftovers[kind];
    OWNED(text_done) struct text body = {0};
    OWNED(text_done) struct text next = {0};
    text_addf(&body, "<%sResponse><%s>%s</%s></%sResponse>", facts->describe, facts->set, items,
              facts->set, facts->describe);
    return ec2_read_leftovers(kind, "lab", text_span(&body), out, &next, err);
}

static void ec2_lists_only_what_nothing_has(void **state)
{
    (void)state;
    static const struct {
        enum leftover_kind kind;
        const char *items;
        int left; /* -1: cannot be read */
    } rows[] = {
        {LEFTOVER_DISK, "", 0},
        {LEFTOVER_DISK,
         "<item><volumeId>vol-01</volumeId><status>available</status><attachmentSet/>" TAGS
         "</item>",
         1},
        {LEFTOVER_DISK,
         "<item><volumeId>vol-01</volumeId><status>available</status>"
         "<attachmentSet>\n </attachmentSet>" TAGS "</item>",
         1},
        {LEFTOVER_DISK, "<item><volumeId>vol-01</volumeId><status>in-use</status>" TAGS "</item>",
         0},
        {LEFTOVER_DISK, "<item><volumeId>vol-01</volumeId>" TAGS "</item>", 0},
        {LEFTOVER_DISK, "<item><volumeId>vol-01</volumeId><status>creating</status>" TAGS "</item>",
         0},
        {LEFTOVER_DISK,
         "<item><volumeId>vol-01</volumeId><status>available</status>"
         "<attachmentSet><item/></attachmentSet>" TAGS "</item>",
         0},
        {LEFTOVER_DISK, "<item><volumeId>vol-01</volumeId><status>available</status></item>", 0},
        {LEFTOVER_DISK, "<item><volumeId>../x</volumeId><status>available</status>" TAGS "</item>",
         -1},
        {LEFTOVER_DISK, "<item><status>available</status>" TAGS "</item>", -1},
        {LEFTOVER_ADDRESS, "<item><allocationId>eipalloc-01</allocationId>" TAGS "</item>", 1},
        {LEFTOVER_ADDRESS,
         "<item><allocationId>eipalloc-01</allocationId><instanceId/><networkInterfaceId/>" TAGS
         "</item>",
         1},
        {LEFTOVER_ADDRESS,
         "<item><allocationId>eipalloc-01</allocationId><instanceId>i-0</instanceId>" TAGS
         "</item>",
         0},
        {LEFTOVER_ADDRESS,
         "<item><allocationId>eipalloc-01</allocationId><associationId>e</associationId>" TAGS
         "</item>",
         0},
        {LEFTOVER_ADDRESS,
         "<item><allocationId>eipalloc-01</allocationId>"
         "<networkInterfaceId>eni-0</networkInterfaceId>" TAGS "</item>",
         0},
        {LEFTOVER_INTERFACE,
         "<item><networkInterfaceId>eni-01</networkInterfaceId><status>available</status>" TAGS
         "</item>",
         1},
        {LEFTOVER_INTERFACE,
         "<item><networkInterfaceId>eni-01</networkInterfaceId><status>available</status>"
         "<attachment><attachmentId>a</attachmentId></attachment>" TAGS "</item>",
         0},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        OWNED(leftover_list_done) struct leftover_list list = {0};
        enum outcome outcome = read_ec2(rows[i].kind, rows[i].items, &list, &err);
        if ((outcome == OK) != (rows[i].left >= 0) ||
            (outcome == OK && list.count != (size_t)rows[i].left))
            fail_msg("row %zu: %d, %zu left", i, (int)outcome, list.count);
        if (outcome != OK)
            assert_string_equal(err.code, "ambiguous");
        if (list.count > 0)
            assert_string_equal(list.at[0].fleet, "web");
    }
}

static void an_answer_of_ec2_to_another_question_is_no_empty_list(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "", "<html>", "<DescribeInstancesResponse/>", "<DescribeVolumesResponse/>",
        "<!DOCTYPE x><DescribeVolumesResponse><volumeSet/></DescribeVolumesResponse>"};
    for (size_t i = 0; i < countof(bodies); i++) {
        struct error err = {0};
        OWNED(leftover_list_done) struct leftover_list list = {0};
        OWNED(text_done) struct text next = {0};
        assert_fails(
            ec2_read_leftovers(LEFTOVER_DISK, "lab", span_of_text(bodies[i]), &list, &next, &err),
            ERR_AMBIGUOUS, "ambiguous");
    }
}

struct json_row {
    enum leftover_kind kind;
    const char *item; /* without braces, behind owner and name */
    int left;
};

static void check_azure(const struct json_row *row)
{
    struct error err = {0};
    OWNED(leftover_list_done) struct leftover_list list = {0};
    OWNED(text_done) struct text next = {0};
    OWNED(text_done) struct text body = {0};
    text_addf(&body, "{\"value\":[{\"name\":\"d-1\",\"tags\":{\"muster:owner\":\"lab\"},%s}]}",
              row->item);
    enum outcome outcome = arm_read_left(row->kind, "lab", text_span(&body), &list, &next, &err);
    if ((outcome == OK) != (row->left >= 0) || (outcome == OK && list.count != (size_t)row->left))
        fail_msg("%s: %d, %zu left", row->item, (int)outcome, list.count);
}

static void azure_lists_only_what_nothing_has(void **state)
{
    (void)state;
#define MADE "\"provisioningState\":\"Succeeded\""
    static const struct json_row rows[] = {
        {LEFTOVER_DISK, "\"properties\":{" MADE ",\"diskState\":\"Unattached\"}", 1},
        {LEFTOVER_DISK, "\"managedBy\":null,\"properties\":{" MADE ",\"diskState\":\"Unattached\"}",
         1},
        {LEFTOVER_DISK,
         "\"properties\":{\"provisioningState\":\"Failed\",\"diskState\":\"Unattached\"}", 1},
        {LEFTOVER_DISK, "\"properties\":{" MADE ",\"diskState\":\"Attached\"}", 0},
        {LEFTOVER_DISK, "\"properties\":{" MADE ",\"diskState\":\"Reserved\"}", 0},
        {LEFTOVER_DISK, "\"properties\":{" MADE "}", 0},
        {LEFTOVER_DISK,
         "\"properties\":{\"provisioningState\":\"Updating\",\"diskState\":\"Unattached\"}", 0},
        {LEFTOVER_DISK,
         "\"managedBy\":\"vm\",\"properties\":{" MADE ",\"diskState\":\"Unattached\"}", 0},
        {LEFTOVER_DISK,
         "\"managedByExtended\":[\"vm\"],\"properties\":{" MADE ",\"diskState\":\"Unattached\"}",
         0},
        {LEFTOVER_DISK, "\"properties\":7", -1},
        {LEFTOVER_ADDRESS, "\"properties\":{" MADE "}", 1},
        {LEFTOVER_ADDRESS, "\"properties\":{" MADE ",\"ipConfiguration\":{\"id\":\"x\"}}", 0},
        {LEFTOVER_ADDRESS, "\"properties\":{" MADE ",\"natGateway\":{\"id\":\"x\"}}", 0},
        {LEFTOVER_INTERFACE, "\"properties\":{" MADE "}", 1},
        {LEFTOVER_INTERFACE, "\"properties\":{" MADE ",\"virtualMachine\":{\"id\":\"x\"}}", 0},
        {LEFTOVER_INTERFACE, "\"properties\":{" MADE ",\"privateEndpoint\":{\"id\":\"x\"}}", 0},
    };
    for (size_t i = 0; i < countof(rows); i++)
        check_azure(&rows[i]);
}

static void check_gcp(const struct json_row *row)
{
    struct error err = {0};
    OWNED(leftover_list_done) struct leftover_list list = {0};
    OWNED(text_done) struct text next = {0};
    OWNED(text_done) struct text body = {0};
    const bool is_disk = row->kind == LEFTOVER_DISK;
    text_addf(&body,
              "{\"kind\":\"compute#%sAggregatedList\",\"items\":{\"%s\":{\"%s\":[{\"name\":\"d-1\","
              "\"labels\":{\"muster-owner\":\"lab\"},%s}]}}}",
              is_disk ? "disk" : "address", is_disk ? "zones/us-central1-a" : "regions/us-central1",
              is_disk ? "disks" : "addresses", row->item);
    enum outcome outcome = gcp_read_left(row->kind, &account, text_span(&body), &list, &next, &err);
    if ((outcome == OK) != (row->left >= 0) || (outcome == OK && list.count != (size_t)row->left))
        fail_msg("%s: %d, %zu left", row->item, (int)outcome, list.count);
}

static void google_lists_only_what_nothing_uses(void **state)
{
    (void)state;
#define ZONE "\"zone\":\"zones/us-central1-a\""
#define REGION "\"region\":\"regions/us-central1\""
    static const struct json_row rows[] = {
        {LEFTOVER_DISK, ZONE ",\"status\":\"READY\"", 1},
        {LEFTOVER_DISK, ZONE ",\"status\":\"READY\",\"users\":[]", 1},
        {LEFTOVER_DISK, ZONE ",\"status\":\"READY\",\"users\":[\"vm\"]", 0},
        {LEFTOVER_DISK, ZONE ",\"status\":\"READY\",\"users\":\"vm\"", 0},
        {LEFTOVER_DISK, ZONE ",\"status\":\"CREATING\"", 0},
        {LEFTOVER_DISK, ZONE, 0},
        {LEFTOVER_DISK, "\"zone\":\"zones/us-east4-a\",\"status\":\"READY\"", 0},
        {LEFTOVER_DISK, "\"zone\":\"zones/..\",\"status\":\"READY\"", -1},
        {LEFTOVER_ADDRESS, REGION ",\"status\":\"RESERVED\"", 1},
        {LEFTOVER_ADDRESS, REGION ",\"status\":\"IN_USE\"", 0},
        {LEFTOVER_ADDRESS, REGION ",\"status\":\"RESERVED\",\"users\":[\"vm\"]", 0},
    };
    for (size_t i = 0; i < countof(rows); i++)
        check_gcp(&rows[i]);
}

static void a_zone_that_did_not_answer_makes_the_list_partial(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        bool partial;
    } rows[] = {
        {"", false},
        {",\"unreachables\":[\"projects/p-1/zones/us-central1-b\"]", true},
        {",\"unreachables\":[\"projects/p-1/zones/us-east4-b\"]", false},
        {",\"unreachables\":[7]", true},
        {",\"items\":{\"zones/us-central1-a\":{\"warning\":{\"code\":\"UNREACHABLE\"}}}", true},
        {",\"items\":{\"zones/us-central1-a\":{\"warning\":{\"code\":\"NO_RESULTS_ON_PAGE\"}}}",
         false},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err = {0};
        OWNED(leftover_list_done) struct leftover_list list = {0};
        OWNED(text_done) struct text next = {0};
        OWNED(text_done) struct text body = {0};
        text_addf(&body, "{\"kind\":\"compute#diskAggregatedList\"%s}", rows[i].more);
        assert_ok(gcp_read_left(LEFTOVER_DISK, &account, text_span(&body), &list, &next, &err));
        assert_int_equal(list.partial, rows[i].partial);
    }
}

static void json_that_is_no_list_is_no_empty_list(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"value\":{}}",
        "{\"value\":[7]}",
        "{\"value\":[],\"value\":[]}",
        "{\"value\":[],\"nextLink\":7}",
        "{\"kind\":\"compute#diskAggregatedList\",\"items\":[]}",
        "{\"kind\":\"compute#diskAggregatedList\",\"nextPageToken\":1}",
        "<html>"};
    for (size_t i = 0; i < countof(bodies); i++) {
        struct error err = {0};
        OWNED(leftover_list_done) struct leftover_list list = {0};
        OWNED(text_done) struct text next = {0};
        const struct span body = span_of_text(bodies[i]);
        assert_fails(arm_read_left(LEFTOVER_DISK, "lab", body, &list, &next, &err), ERR_AMBIGUOUS,
                     "ambiguous");
        assert_fails(gcp_read_left(LEFTOVER_DISK, &account, body, &list, &next, &err),
                     ERR_AMBIGUOUS, "ambiguous");
        assert_int_equal(list.count, 0);
    }
}

static void each_kind_is_asked_for_and_given_up_in_its_clouds_words(void **state)
{
    (void)state;
    OWNED(form_done) struct form form = {0};
    OWNED(form_done) struct form gone = {0};
    OWNED(arm_request_done) struct arm_request arm = {0};
    OWNED(gcp_call_done) struct gcp_call gcp = {0};
    OWNED(gcp_call_done) struct gcp_call end = {0};
    const struct gcp_place place = {"us-central1", "a-1"};
    ec2_describe_leftovers(LEFTOVER_INTERFACE, "lab", "t", &form);
    assert_string_equal(text_str(&form.body),
                        "Action=DescribeNetworkInterfaces&Version=2016-11-15&Filter.1.Name="
                        "tag%3Amuster%3Aowner&Filter.1.Value.1=lab&Filter.2.Name=status&"
                        "Filter.2.Value.1=available&MaxResults=500&NextToken=t");
    ec2_discard(LEFTOVER_ADDRESS, "eipalloc-01", &gone);
    assert_string_equal(text_str(&gone.body),
                        "Action=ReleaseAddress&Version=2016-11-15&AllocationId=eipalloc-01");
    arm_discard(&account, LEFTOVER_DISK, "d-1", &arm);
    assert_string_equal(text_str(&arm.path),
                        "subscriptions/0-1/resourceGroups/g/providers/Microsoft.Compute/disks/d-1"
                        "?api-version=" ARM_DISKS_VERSION);
    gcp_list_left(&account, LEFTOVER_DISK, "t", &gcp);
    assert_string_equal(text_str(&gcp.path),
                        "compute/v1/projects/p-1/aggregated/disks?filter=labels.muster-owner%3Dlab"
                        "&maxResults=500&returnPartialSuccess=true&pageToken=t");
    gcp_discard(&account, LEFTOVER_ADDRESS, &place, &end);
    assert_string_equal(end.method, "DELETE");
    assert_string_equal(text_str(&end.path),
                        "compute/v1/projects/p-1/regions/us-central1/addresses/a-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ec2_lists_only_what_nothing_has),
        cmocka_unit_test(an_answer_of_ec2_to_another_question_is_no_empty_list),
        cmocka_unit_test(azure_lists_only_what_nothing_has),
        cmocka_unit_test(google_lists_only_what_nothing_uses),
        cmocka_unit_test(a_zone_that_did_not_answer_makes_the_list_partial),
        cmocka_unit_test(json_that_is_no_list_is_no_empty_list),
        cmocka_unit_test(each_kind_is_asked_for_and_given_up_in_its_clouds_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
