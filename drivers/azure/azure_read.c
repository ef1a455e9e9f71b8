#include "drivers/azure/azure_read.h"

#include <string.h>

#include "drivers/azure/azure_answers.h"
#include "drivers/azure/azure_token.h"

typedef enum outcome read_fn(struct span body, struct reading *out, struct error *err);

static enum outcome read_machine(struct span body, struct reading *out, struct error *err)
{
    struct sighting seen;
    TRY(arm_read_machine(body, &seen, NULL, &out->notices, err));
    *sighting_list_add(&out->sightings) = seen;
    return OK;
}

static enum outcome read_page(struct span body, struct reading *out, struct error *err)
{
    OWNED(text_done) struct text next = {0};
    const struct arm_filter any = {0};
    return arm_read_page(body, &any, &out->sightings, &out->notices, &next, err);
}

static enum outcome read_view(struct span body, struct reading *out, struct error *err)
{
    struct sighting seen;
    TRY(arm_read_view(body, &seen, &out->notices, err));
    *sighting_list_add(&out->sightings) = seen;
    return OK;
}

static enum outcome read_operation(struct span body, struct reading *out, struct error *err)
{
    (void)out;
    bool done;
    return arm_read_operation(body, &done, err);
}

/* An action's answer is in its headers. */
static enum outcome read_nothing(struct span body, struct reading *out, struct error *err)
{
    (void)body;
    (void)out;
    (void)err;
    return OK;
}

static enum outcome read_subscription(struct span body, struct reading *out, struct error *err)
{
    (void)out;
    struct cloud_identity who;
    return arm_read_subscription(body, &who, err);
}

static enum outcome read_token(struct span body, struct reading *out, struct error *err)
{
    (void)out;
    OWNED(locked_done) struct locked token = {0};
    struct moment ends;
    return azure_token_read(body, clock_now(), &token, &ends, err);
}

static enum outcome read_events(struct span body, struct reading *out, struct error *err)
{
    return imds_read_events(body, &out->notices, err);
}

/* clang-format off */
static const struct {
    const char *operation;
    read_fn *read;
    bool makes; /* after a server's error there may be a machine */
} operations[] = {
    {"VirtualMachines_CreateOrUpdate",     read_machine, .makes = true},
    {"VirtualMachines_Update",             read_machine},
    {"VirtualMachines_Get",                read_machine},
    {"VirtualMachines_InstanceView",       read_view},
    {"VirtualMachines_List",               read_page},
    {"VirtualMachines_ListAll",            read_page},
    {"VirtualMachines_ListByLocation",     read_page},
    {"VirtualMachines_Delete",             read_nothing},
    {"VirtualMachines_Deallocate",         read_nothing},
    {"VirtualMachines_PowerOff",           read_nothing},
    {"VirtualMachines_Start",              read_nothing},
    {"VirtualMachines_Restart",            read_nothing},
    {"VirtualMachines_Redeploy",           read_nothing},
    {"VirtualMachines_Reapply",            read_nothing},
    {"VirtualMachines_PerformMaintenance", read_nothing},
    {"VirtualMachines_SimulateEviction",   read_nothing},
    {"Subscriptions_Get",                  read_subscription},
    {"operation",                          read_operation},
    {"token",                              read_token},
    {"imds-token",                         read_token},
    {"imds-scheduledevents",               read_events},
};
/* clang-format on */

static void read_as(size_t row, const struct http_answer *answer, struct reading *out)
{
    struct error why = {0};
    int kind = CLOUD_AMBIGUOUS;
    enum outcome outcome = OK;
    const struct span body = bytes_span(&answer->body);
    if (answer->status >= 200 && answer->status <= 299) {
        outcome = operations[row].read(body, out, &why);
    } else {
        struct arm_error said = arm_error_read(answer->status, body);
        if (operations[row].makes && said.kind == CLOUD_SERVER_ERROR)
            said.kind = CLOUD_AMBIGUOUS;
        outcome = arm_fail(&said, answer->status, &why);
    }
    if (outcome == OK)
        return;
    error_ignore(name_parse(&cloud_error_names, why.code, &kind, NULL));
    reading_refuse(out, (enum cloud_error)kind, &why);
}

enum outcome azure_read(const char *operation, const struct http_answer *answer,
                        struct reading *out, struct error *err)
{
    for (size_t i = 0; i < countof(operations); i++)
        if (strcmp(operations[i].operation, operation) == 0) {
            read_as(i, answer, out);
            return OK;
        }
    return fail_code(err, ERR_INVALID, "unknown-operation", "'%.60s' is no call of ours to Azure",
                     operation);
}
