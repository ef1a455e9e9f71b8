/* What Compute Engine, token endpoints and files of credentials say comes from a hostile network or
 * a look-alike: every reader, on any bytes. The first byte chooses the status, so that errors are
 * read too. */
#include <string.h>

#include "drivers/gcp/gcp_answers.h"
#include "drivers/gcp/gcp_leftovers.h"
#include "drivers/gcp/gcp_token.h"
#include "tests/fuzz/fuzz.h"

static void check_machine(const struct sighting *seen)
{
    struct gcp_place place;
    if (gcp_place_parse(seen->ref, &place, NULL) != OK || seen->state >= MACHINE_STATE_COUNT)
        __builtin_trap();
}

static void read_list(const char *region, struct span body)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(notice_list_done) struct notice_list notices = {0};
    OWNED(text_done) struct text token = {0};
    if (gcp_read_list(body, region, &list, &notices, &token, &err) != OK && err.code[0] == '\0')
        __builtin_trap();
    for (size_t i = 0; i < list.count; i++)
        check_machine(&list.at[i]);
}

static void read_one(struct span body)
{
    struct error err = {0};
    struct sighting seen;
    struct gcp_operation operation;
    char name[GCP_NAME_SIZE];
    OWNED(notice_list_done) struct notice_list notices = {0};
    if (gcp_read_machine(body, &seen, &notices, &err) == OK)
        check_machine(&seen);
    error_ignore(gcp_read_operation(body, &operation, &err));
    error_ignore(gcp_read_region(body, name, &err));
    error_ignore(gcp_read_zones(body, &err));
}

/* Whose it is goes into a table, a log and a comparison. */
static void read_whose(struct span body)
{
    struct error err = {0};
    char account[CLOUD_ACCOUNT_SIZE] = "as before";
    const enum outcome outcome = gcp_read_region_project(body, account, &err);
    if (!text_is_word(account) && outcome == OK)
        __builtin_trap();
    if (outcome != OK && strcmp(account, "as before") != 0)
        __builtin_trap();
}

static void read_secrets(struct span body)
{
    struct error err = {0};
    OWNED(locked_done) struct locked bearer = {0};
    struct gcp_credentials who = {0};
    int64_t seconds;
    if (gcp_token_read(body, clock_at_seconds(1795460999), &bearer, &seconds, &err) == OK &&
        (seconds <= 0 || seconds > GCP_TOKEN_SECONDS))
        __builtin_trap();
    error_ignore(gcp_credentials_read(body, &who, &err));
    gcp_credentials_done(&who);
}

static void read_left(struct span body)
{
    struct error err = {0};
    for (int kind = 0; kind < LEFTOVER_KIND_COUNT; kind++) {
        OWNED(leftover_list_done) struct leftover_list list = {0};
        OWNED(text_done) struct text next = {0};
        static const struct account account = {.owner = "lab", .region = "us-central1"};
        struct gcp_place place;
        if (!gcp_has_leftovers((enum leftover_kind)kind) ||
            gcp_read_left((enum leftover_kind)kind, &account, body, &list, &next, &err) != OK)
            continue;
        for (size_t i = 0; i < list.count; i++)
            if (gcp_place_parse(list.at[i].ref, &place, NULL) != OK)
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
    if (gcp_check_status(status, body, &err) == OK && status != 200)
        __builtin_trap();
    if (gcp_check_launch(status, body, &err) == OK && status != 200)
        __builtin_trap();
    read_list(NULL, body);
    read_list("us-central1", body);
    read_one(body);
    read_whose(body);
    read_secrets(body);
    read_left(body);
    error_ignore(gcp_read_accepted(body, &err));
    return 0;
}
