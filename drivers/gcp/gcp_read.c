#include "drivers/gcp/gcp_read.h"

#include <string.h>

#include "drivers/gcp/gcp_answers.h"
#include "drivers/gcp/gcp_token.h"

static enum outcome read_one(const struct http_answer *answer, struct reading *out,
                             struct error *err)
{
    struct sighting seen;
    TRY(gcp_read_machine(bytes_span(&answer->body), &seen, &out->notices, err));
    *sighting_list_add(&out->sightings) = seen;
    return OK;
}

static enum outcome read_many(const struct http_answer *answer, struct reading *out,
                              struct error *err)
{
    OWNED(text_done) struct text token = {0};
    return gcp_read_list(bytes_span(&answer->body), NULL, &out->sightings, &out->notices, &token,
                         err);
}

static enum outcome read_operation(const struct http_answer *answer, struct reading *out,
                                   struct error *err)
{
    (void)out;
    struct gcp_operation operation;
    return gcp_read_operation(bytes_span(&answer->body), &operation, err);
}

static enum outcome read_place(const struct http_answer *answer, struct reading *out,
                               struct error *err)
{
    (void)out;
    char name[GCP_NAME_SIZE];
    return gcp_read_region(bytes_span(&answer->body), name, err);
}

static enum outcome read_places(const struct http_answer *answer, struct reading *out,
                                struct error *err)
{
    (void)out;
    return gcp_read_zones(bytes_span(&answer->body), err);
}

static enum outcome read_token(const struct http_answer *answer, struct reading *out,
                               struct error *err)
{
    (void)out;
    OWNED(locked_done) struct locked bearer = {0};
    int64_t seconds;
    return gcp_token_read(bytes_span(&answer->body), clock_now(), &bearer, &seconds, err);
}

static enum outcome read_event(const struct http_answer *answer, struct reading *out,
                               struct error *err)
{
    return gcp_read_maintenance_event(answer, &out->notices, err);
}

/* clang-format off */
static const struct {
    const char *call;
    enum outcome (*read)(const struct http_answer *, struct reading *, struct error *);
} readers[] = {
    {"instances.insert",                   read_operation},
    {"instances.get",                      read_one},
    {"instances.list",                     read_many},
    {"instances.aggregatedList",           read_many},
    {"instances.delete",                   read_operation},
    {"instances.start",                    read_operation},
    {"instances.stop",                     read_operation},
    {"instances.reset",                    read_operation},
    {"instances.setLabels",                read_operation},
    {"instances.performMaintenance",       read_operation},
    {"instances.simulateMaintenanceEvent", read_operation},
    {"zoneOperations.get",                 read_operation},
    {"zoneOperations.wait",                read_operation},
    {"regions.get",                        read_place},
    {"zones.get",                          read_place},
    {"zones.list",                         read_places},
    {"token",                              read_token},
    {"mds-maintenance-event",              read_event},
};
/* clang-format on */

static enum outcome read_answer(size_t row, const struct http_answer *answer, struct reading *out,
                                struct error *err)
{
    const struct span body = bytes_span(&answer->body);
    if (strcmp(readers[row].call, "instances.insert") == 0)
        TRY(gcp_check_launch(answer->status, body, err));
    TRY(gcp_check_status(answer->status, body, err));
    return readers[row].read(answer, out, err);
}

enum outcome gcp_read(const char *operation, const struct http_answer *answer, struct reading *out,
                      struct error *err)
{
    for (size_t i = 0; i < countof(readers); i++) {
        if (strcmp(readers[i].call, operation) != 0)
            continue;
        struct error why = {0};
        int kind = CLOUD_AMBIGUOUS;
        if (read_answer(i, answer, out, &why) == OK)
            return OK;
        error_ignore(name_parse(&cloud_error_names, why.code, &kind, NULL));
        reading_refuse(out, (enum cloud_error)kind, &why);
        return OK;
    }
    return fail_code(err, ERR_INVALID, "unknown-operation",
                     "'%.60s' is no call of ours to Google Cloud", operation);
}
