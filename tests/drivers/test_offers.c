/* What Azure and Google Cloud say they have: resource SKUs and machine types, read strictly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/azure/azure_offers.h"
#include "drivers/gcp/gcp_offers.h"
#include "tests/support/fake_http.h"
#include "tests/support/test.h"

/* ---- Azure ---------------------------------------------------------------------------------- */

#define SKU(name, kind, location, restrictions)                                                    \
    "{\"resourceType\":\"virtualMachines\",\"name\":\"" name "\",\"locations\":[\"" location       \
    "\"],\"capabilities\":[{\"name\":\"vCPUs\",\"value\":\"2\"},{\"name\":\"MemoryGB\",\"value\":" \
    "\"3.5\"},{\"name\":\"ConfidentialComputingType\",\"value\":\"" kind                           \
    "\"}],\"restrictions\":[" restrictions "]}"
#define RESTRICTED(type)                                                                           \
    "{\"type\":\"" type "\",\"values\":[\"westeurope\"],"                                          \
    "\"reasonCode\":\"NotAvailableForSubscription\"}"
#define SKUS(items, more) "{\"value\":[" items "]" more "}"

static void azures_sizes_with_snp_in_the_region_are_offers(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(text_done) struct text next = {0};
    static const char *const skus[] = {
        SKU("Standard_DC2as_v5", "SNP", "WestEurope", ""),
        SKU("Standard_DC2es_v5", "TDX", "westeurope", ""),
        SKU("Standard_EC2as_v5", "SNP", "eastus", ""),
        SKU("Standard_DC4as_v5", "SNP", "westeurope", RESTRICTED("Location")),
        SKU("Standard_DC8as_v5", "SNP", "westeurope", RESTRICTED("Zone")),
        "{\"resourceType\":\"disks\",\"name\":\"P1\"}",
    };
    OWNED(text_done) struct text body = {0};
    text_add(&body, "{\"nextLink\":\"https://management.azure.com/next\",\"value\":[");
    for (size_t i = 0; i < countof(skus); i++)
        text_addf(&body, "%s%s", i > 0 ? "," : "", skus[i]);
    text_add(&body, "]}");
    assert_ok(arm_read_offers(text_span(&body), "westeurope", &offers, &next, &err));
    assert_int_equal(offers.count, 3);
    assert_string_equal(offers.at[0].size, "Standard_DC2as_v5");
    assert_int_equal(offers.at[0].vcpus, 2);
    assert_int_equal(offers.at[0].memory_mib, 3584);
    assert_false(offers.at[0].is_restricted);
    assert_true(offers.at[1].is_restricted);
    assert_false(offers.at[2].is_restricted);
    assert_string_equal(text_str(&next), "https://management.azure.com/next");
}

static void what_is_no_list_of_skus_is_not_taken_for_one(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "<html>",
        "[]",
        "{}",
        "{\"value\":{}}",
        SKUS(SKU("", "SNP", "westeurope", ""), ""),
        SKUS(SKU("a b", "SNP", "westeurope", ""), ""),
        SKUS("", ",\"nextLink\":7"),
        SKUS("", ",\"value\":[]"),
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(offer_list_done) struct offer_list offers = {0};
        OWNED(text_done) struct text next = {0};
        assert_fails(arm_read_offers(span_of_text(bad[i]), "westeurope", &offers, &next, &err),
                     ERR_AMBIGUOUS, "ambiguous");
    }
}

/* ---- Google Cloud --------------------------------------------------------------------------- */

#define TYPE(name, cpus)                                                                           \
    "{\"kind\":\"compute#machineType\",\"name\":\"" name "\",\"guestCpus\":" cpus                  \
    ",\"memoryMb\":8192}"
#define TYPES(items, more) "{\"kind\":\"compute#machineTypeList\",\"items\":[" items "]" more "}"

static void googles_machine_types_of_the_series_are_offers_once(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(text_done) struct text next = {0};
    static const char body[] = TYPES(TYPE("n2d-standard-2", "2") "," TYPE("c3d-standard-4", "4"),
                                     ",\"nextPageToken\":\"two\"");
    for (int zone = 0; zone < 2; zone++)
        assert_ok(gcp_read_offers(span_of_text(body), &offers, &next, &err));
    assert_int_equal(offers.count, 1);
    assert_int_equal(offers.at[0].vcpus, 2);
    assert_string_equal(text_str(&next), "two");
    static const char *const bad[] = {
        "",
        "{}",
        "{\"kind\":\"compute#instanceList\"}",
        TYPES("{}", ""),
        TYPES(TYPE("n2d-x", "0"), ""),
        TYPES(TYPE("n2d-x", "\"2\""), ""),
        TYPES(TYPE("n2d- x", "2"), ""),
        TYPES("", ",\"nextPageToken\":7"),
    };
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(gcp_read_offers(span_of_text(bad[i]), &offers, &next, &err), ERR_AMBIGUOUS,
                     "ambiguous");
}

static void a_region_names_its_own_zones(void **state)
{
    (void)state;
    struct error err = {0};
    struct gcp_zones zones;
    static const char good[] = "{\"zones\":[\"https://x/zones/us-central1-a\","
                               "\"https://x/zones/us-central1-f\"]}";
    static const char *const bad[] = {"", "{}", "{\"zones\":[7]}", "{\"zones\":[\"none\"]}",
                                      "{\"zones\":[\"https://x/zones/us-east1-b\"]}"};
    assert_ok(gcp_read_region_zones(span_of_text(good), "us-central1", &zones, &err));
    assert_int_equal(zones.count, 2);
    assert_string_equal(zones.at[1], "us-central1-f");
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(gcp_read_region_zones(span_of_text(bad[i]), "us-central1", &zones, &err),
                     ERR_AMBIGUOUS, "ambiguous");
}

/* Without a zone of its own every zone of the region is asked, and all pages of each. */
static void all_zones_and_pages_are_asked(void **state)
{
    (void)state;
    struct error err = {0};
    struct cloud *cloud = NULL;
    OWNED(offer_list_done) struct offer_list offers = {0};
    struct fake_http *google = fake_http_start();
    struct fake_http *metadata = fake_http_start();
    struct account account = {.name = "bad",
                              .driver = DRIVER_GCP,
                              .region = "us-central1",
                              .project = "p",
                              .owner = "tests"};
    account.credentials = json_pack("{s:s}", "source", "metadata-server");
    snprintf(account.endpoint, sizeof account.endpoint, "%s", fake_http_url(google));
    setenv("GCE_METADATA_HOST", fake_http_url(metadata) + strlen("http://"), 1);
    assert_ok(gcp_driver.open(&account, &cloud, &err));
    unsetenv("GCE_METADATA_HOST");
    fake_http_say_with(metadata, 200, "Metadata-Flavor: Google\r\n",
                       "{\"access_token\":\"one\",\"expires_in\":3600}");
    fake_http_say(google, 200,
                  "{\"zones\":[\"https://x/zones/us-central1-a\","
                  "\"https://x/zones/us-central1-b\"]}");
    fake_http_say(google, 200, TYPES(TYPE("n2d-standard-2", "2"), ",\"nextPageToken\":\"two\""));
    fake_http_say(google, 200, TYPES(TYPE("n2d-standard-4", "4"), ""));
    fake_http_say(google, 200, TYPES(TYPE("n2d-standard-8", "8"), ""));
    assert_ok(gcp_driver.offers(cloud, &offers, &err));
    assert_int_equal(offers.count, 3);
    assert_non_null(strstr(fake_http_heard(google, 1),
                           "/compute/v1/projects/p/zones/us-central1-a/machineTypes"));
    assert_non_null(strstr(fake_http_heard(google, 2), "pageToken=two"));
    assert_non_null(strstr(fake_http_heard(google, 3), "/zones/us-central1-b/machineTypes"));
    gcp_driver.close(cloud);
    account_done(&account);
    fake_http_stop(google);
    fake_http_stop(metadata);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(azures_sizes_with_snp_in_the_region_are_offers),
        cmocka_unit_test(what_is_no_list_of_skus_is_not_taken_for_one),
        cmocka_unit_test(googles_machine_types_of_the_series_are_offers_once),
        cmocka_unit_test(a_region_names_its_own_zones),
        cmocka_unit_test(all_zones_and_pages_are_asked),
    };
    return cmocka_run_group_tests_name("offers", tests, NULL, NULL);
}
