/* What Resource Manager, the token service and the metadata service answer comes from a hostile
 * network or a look-alike: every reader, on any bytes. The first byte chooses the status, so that
 * errors are read too. */
#include "drivers/azure/azure_answers.h"
#include "drivers/azure/azure_leftovers.h"
#include "drivers/azure/azure_requests.h"
#include "drivers/azure/azure_token.h"
#include "tests/fuzz/fuzz.h"

static void check_machine(const struct sighting *seen)
{
    if (!arm_name_is_valid(seen->ref) || seen->state >= MACHINE_STATE_COUNT ||
        !text_is_clean(span_of_text(seen->state_word)) || !text_is_clean(span_of_text(seen->size)))
        __builtin_trap();
}

static void read_machines(struct span body)
{
    struct error err = {0};
    struct sighting seen;
    const struct arm_filter any = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(notice_list_done) struct notice_list notices = {0};
    OWNED(text_done) struct text next = {0};
    OWNED(text_done) struct text order = {0};
    if (arm_read_machine(body, &seen, &order, &notices, &err) == OK)
        check_machine(&seen);
    if (arm_read_page(body, &any, &list, &notices, &next, &err) != OK && err.code[0] == '\0')
        __builtin_trap();
    else
        for (size_t i = 0; i + 1 < list.count; i++)
            check_machine(&list.at[i]);
    error_ignore(arm_read_view(body, &seen, &notices, &err));
    error_ignore(imds_read_events(body, &notices, &err));
}

static void read_others(struct span body)
{
    struct error err = {0};
    struct cloud_identity who;
    struct moment ends;
    bool done;
    OWNED(locked_done) struct locked token = {0};
    error_ignore(arm_read_operation(body, &done, &err));
    if (arm_read_subscription(body, &who, &err) == OK && !text_is_word(who.account))
        __builtin_trap();
    error_ignore(azure_token_read(body, clock_at_seconds(1795460999), &token, &ends, &err));
}

static void read_left(struct span body)
{
    struct error err = {0};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++) {
        OWNED(leftover_list_done) struct leftover_list list = {0};
        OWNED(text_done) struct text next = {0};
        if (arm_read_left((enum leftover_kind)kind, "lab", body, &list, &next, &err) != OK)
            continue;
        for (size_t i = 0; i < list.count; i++)
            if (!arm_left_name_is_valid(list.at[i].ref))
                __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 401, 403, 404, 409, 412, 429, 500, 503};
    struct error err = {0};
    if (size == 0)
        return 0;
    int status = statuses[data[0] % countof(statuses)];
    const struct span body = SPAN(data + 1, size - 1);
    if (arm_check_status(status, body, &err) == OK && status != 200)
        __builtin_trap();
    if (!text_is_clean(span_of_text(err.text)) || !text_is_clean(span_of_text(err.where)))
        __builtin_trap();
    read_machines(body);
    read_others(body);
    read_left(body);
    return 0;
}
