#include <stdlib.h>

#include "drivers/catalogue.h"
#include "lib/model/catalogue_drift.h"
#include "lib/model/catalogue_wish.h"
#include "tests/fuzz/fuzz.h"

/* An edition that was taken prints as one that is taken, and judges any wish. */
static void use(const struct catalogue *catalogue)
{
    struct catalogue_wish wish = {.cloud = DRIVER_AWS,
                                  .region = "us-east-2",
                                  .size = "m6a.large",
                                  .os_name = "ubuntu",
                                  .os_version = "24.04",
                                  .from_size = "m5.large",
                                  .features = ~0U,
                                  .enclaves = 4,
                                  .enclave_vcpus = 2};
    OWNED(finding_list_done) struct finding_list found = {0};
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(drift_list_done) struct drift_list drift = {0};
    OWNED(catalogue_drop) struct catalogue *again = NULL;
    OWNED(json_drop) json_t *json = catalogue_to_json(catalogue);
    OWNED(mem_drop) char *text = json_print(json);
    if (catalogue_parse(span_of_text(text), &again, NULL) != OK)
        abort();
    catalogue_check(catalogue, NULL, &wish, &found);
    OWNED(json_drop) json_t *shown = findings_to_json(&found);
    offer_list_add(&offers)->vcpus = 2;
    catalogue_compare(catalogue, DRIVER_AWS, wish.region, clock_now(), &offers, &drift);
}

/* A wish that was taken is judged by what comes with muster. */
static void ask(const json_t *json)
{
    static struct catalogue *current;
    struct catalogue_wish wish;
    OWNED(finding_list_done) struct finding_list found = {0};
    if (current == NULL && catalogue_built_in(CATALOGUE_CURRENT, &current, NULL) != OK)
        abort();
    if (catalogue_wish_from_json(json, &wish, NULL) == OK)
        catalogue_check(current, NULL, &wish, &found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(catalogue_drop) struct catalogue *catalogue = NULL;
    OWNED(json_drop) json_t *json = NULL;
    if (catalogue_parse(SPAN(data, size), &catalogue, NULL) == OK)
        use(catalogue);
    if (json_parse(SPAN(data, size), CATALOGUE_SIZE_MAX, &json, NULL) == OK)
        ask(json);
    return 0;
}
