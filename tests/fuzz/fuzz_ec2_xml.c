/* What EC2 answers comes from a hostile network or a look-alike: every reader, on any bytes. The
 * first byte chooses the status, so that errors are read too. */
#include "drivers/aws/ec2_answers.h"
#include "drivers/aws/ec2_leftovers.h"
#include "drivers/aws/ec2_requests.h"
#include "tests/fuzz/fuzz.h"

static void check_list(const struct sighting_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!ec2_ref_is_valid(list->at[i].ref) || list->at[i].state >= MACHINE_STATE_COUNT)
            __builtin_trap();
}

static void read_machines(const char *action, struct span body)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text token = {0};
    if (ec2_read_machines(action, body, &list, &token, &err) == OK)
        check_list(&list);
    else if (err.code[0] == '\0')
        __builtin_trap();
}

static void read_changes(const char *action, struct span body)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    if (ec2_read_changes(action, body, &list, &err) == OK)
        check_list(&list);
}

static void read_offers(struct span body)
{
    struct error err = {0};
    OWNED(offer_list_done) struct offer_list list = {0};
    OWNED(text_done) struct text token = {0};
    if (ec2_read_offers(body, &list, &token, &err) != OK)
        return;
    for (size_t i = 0; i < list.count; i++)
        if (!text_is_word(list.at[i].size) || list.at[i].vcpus < 1 || list.at[i].memory_mib < 1)
            __builtin_trap();
}

static void read_left(struct span body)
{
    struct error err = {0};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++) {
        OWNED(leftover_list_done) struct leftover_list list = {0};
        OWNED(text_done) struct text next = {0};
        if (ec2_read_leftovers((enum leftover_kind)kind, "lab", body, &list, &next, &err) != OK)
            continue;
        for (size_t i = 0; i < list.count; i++)
            if (!ec2_leftover_ref_is_valid(list.at[i].kind, list.at[i].ref))
                __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 401, 403, 404, 429, 500, 503};
    struct error err = {0};
    struct cloud_identity who;
    if (size == 0)
        return 0;
    int status = statuses[data[0] % countof(statuses)];
    const struct span body = SPAN(data + 1, size - 1);
    if (ec2_check_status(status, body, &err) == OK && status != 200)
        __builtin_trap();
    read_machines("DescribeInstances", body);
    read_machines("RunInstances", body);
    read_changes("StopInstances", body);
    read_offers(body);
    read_left(body);
    if (sts_read_identity(body, &who, &err) == OK && !text_is_word(who.account))
        __builtin_trap();
    return 0;
}
