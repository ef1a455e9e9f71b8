#include <stdlib.h>

#include "lib/model/charter.h"
#include "lib/model/charter_diff.h"
#include "lib/model/charter_lint.h"
#include "tests/fuzz/fuzz.h"

/* What a reviewer's tools make of any document: against one that is nearly empty, and itself. */
static void review(const json_t *json)
{
    const struct lint_frame frame = {.now = clock_at_seconds(1795478400), .threshold = 1};
    OWNED(lint_done) struct lint lint = {0};
    OWNED(json_drop)
    json_t *other = json_loads("{\"policies\":{\"web\":{\"references\":[\"direct\"],\"snp\":{}}},"
                               "\"references\":{\"direct\":{\"measurement\":\"any\"}},"
                               "\"grants\":{\"key\":{}},\"tcb_floors\":{\"Turin\":{}},\"deny\":{}}",
                               0, NULL);
    charter_lint(json, &frame, &lint);
    OWNED(json_drop) json_t *findings = lint_to_json(&lint);
    OWNED(json_drop) json_t *to = charter_diff(other, json);
    OWNED(json_drop) json_t *from = charter_diff(json, other);
    OWNED(json_drop) json_t *nothing = charter_diff(json, json);
    if (json_array_size(nothing) > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    OWNED(json_drop) json_t *json = NULL;
    error_ignore(charter_parse(SPAN(data, size), &charter, NULL));
    error_ignore(charter_signers_parse(SPAN(data, size), &signers, NULL));
    if (json_parse(SPAN(data, size), CHARTER_SIZE_MAX, &json, NULL) == OK && json_is_object(json))
        review(json);
    return 0;
}
