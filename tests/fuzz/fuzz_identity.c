/* Identity documents of clouds: what a charter says under `clouds` on the first line, then the
 * record that an agent sent. */
#include <string.h>

#include "lib/attest/identity.h"
#include "lib/model/charter_inside.h"
#include "tests/fuzz/fuzz.h"

enum { MADE_AT = 1795478400 };

static void judge(struct span record, const struct charter *charter)
{
    static const uint8_t nonce[NONCE_SIZE] = {1, 2, 3, 4};
    const struct cloud_declared declared = {.region = "", .machine = "i-0123456789abcdef0"};
    const struct identity_witness witness = {.csp_id = "CN=cc-us-east-2.amazonaws.com",
                                             .vm_id = ""};
    OWNED(identity_done) struct identity identity = {0};
    const struct identity_terms terms = {.clouds = &charter->clouds,
                                         .declared = &declared,
                                         .nonce = nonce,
                                         .at = clock_at_seconds(MADE_AT)};
    identity_judge(record, &terms, &witness, &identity);
    OWNED(json_drop) json_t *shown = identity_to_json(&identity);
    /* Only what agrees names anybody. */
    if (identity.state != DOCUMENTS_AGREE &&
        (identity.account[0] != '\0' || identity.region[0] != '\0' || identity.machine[0] != '\0'))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct charter charter = {.serial = 1};
    OWNED(json_drop) json_t *whole = json_object();
    json_t *clouds = NULL;
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (end == NULL ||
        json_parse(SPAN(data, (size_t)(end - data)), CHARTER_SIZE_MAX, &clouds, NULL) != OK)
        return 0;
    json_put_new(whole, "clouds", clouds);
    if (charter_read_clouds(whole, &charter, NULL) == OK)
        judge(SPAN(end + 1, size - (size_t)(end - data) - 1), &charter);
    charter_clouds_done(&charter.clouds);
    return 0;
}
