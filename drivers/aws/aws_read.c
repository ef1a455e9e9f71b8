#include "drivers/aws/aws_read.h"

#include <string.h>
#include <time.h>

#include "drivers/aws/ec2_answers.h"
#include "lib/base/json.h"

typedef enum outcome read_fn(const char *action, struct span body, struct reading *out,
                             struct error *err);

static enum outcome read_machines(const char *action, struct span body, struct reading *out,
                                  struct error *err)
{
    OWNED(text_done) struct text next = {0};
    return ec2_read_machines(action, body, &out->sightings, &next, err);
}

static enum outcome read_changes(const char *action, struct span body, struct reading *out,
                                 struct error *err)
{
    return ec2_read_changes(action, body, &out->sightings, err);
}

static enum outcome read_statuses(const char *action, struct span body, struct reading *out,
                                  struct error *err)
{
    OWNED(text_done) struct text next = {0};
    return ec2_read_statuses(action, body, &out->sightings, &out->notices, &next, err);
}

static enum outcome read_nothing(const char *action, struct span body, struct reading *out,
                                 struct error *err)
{
    (void)out;
    return ec2_read_nothing(action, body, err);
}

static enum outcome read_other(const char *action, struct span body, struct reading *out,
                               struct error *err)
{
    (void)out;
    return ec2_read_other(action, body, err);
}

/* ---- the metadata service ------------------------------------------------------------------- */

/* "7 Dec 2026 02:00:00 GMT": no other service of AWS writes a date like this. */
static void read_date(const json_t *event, const char *name, struct moment *out)
{
    const char *text = json_string_value(json_object_get(event, name));
    struct tm parts = {0};
    const char *end = text != NULL ? strptime(text, "%d %b %Y %H:%M:%S GMT", &parts) : NULL;
    if (end != NULL && *end == '\0')
        out->us = (int64_t)timegm(&parts) * 1000000;
}

static const char *word(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));
    return text != NULL ? text : "";
}

/* A guest is told of its own events only, so there is no name in them. */
static void read_guest_event(const json_t *event, struct notice_list *out)
{
    const char *state = word(event, "State");
    if (ec2_event_is_over(word(event, "Description")) || strcmp(state, "completed") == 0 ||
        strcmp(state, "canceled") == 0)
        return;
    struct notice *made = notice_list_add(out);
    text_clip(made->event, sizeof made->event, word(event, "EventId"));
    text_clip(made->kind, sizeof made->kind, word(event, "Code"));
    text_clip(made->status, sizeof made->status, state);
    text_clip(made->text, sizeof made->text, word(event, "Description"));
    read_date(event, "NotBefore", &made->not_before);
    read_date(event, "NotAfter", &made->not_after);
}

/* Tokens, names and documents say nothing of machines; of credentials that were refused it is told
 * with a 200. */
static enum outcome read_metadata(const char *action, struct span body, struct reading *out,
                                  struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &value, NULL) != OK)
        return OK;
    const char *code = json_string_value(json_object_get(value, "Code"));
    if (json_is_object(value) && code != NULL && strcmp(code, "Success") != 0)
        return cloud_fail(err, CLOUD_AUTH, "%s: %.60s", action, code);
    size_t i;
    json_t *event;
    json_array_foreach (value, i, event)
        if (json_is_object(event))
            read_guest_event(event, &out->notices);
    return OK;
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *operation;
    read_fn *read;
    bool makes; /* after a server's error there may be a machine */
} operations[] = {
    {"ec2.RunInstances",                  read_machines, .makes = true},
    {"ec2.DescribeInstances",             read_machines},
    {"ec2.StartInstances",                read_changes},
    {"ec2.StopInstances",                 read_changes},
    {"ec2.TerminateInstances",            read_changes},
    {"ec2.DescribeInstanceStatus",        read_statuses},
    {"ec2.RebootInstances",               read_nothing},
    {"ec2.CreateTags",                    read_nothing},
    {"ec2.DeleteTags",                    read_nothing},
    {"ec2.DescribeTags",                  read_other},
    {"ec2.DescribeImages",                read_other},
    {"ec2.DescribeRegions",               read_other},
    {"ec2.DescribeSubnets",               read_other},
    {"ec2.DescribeVolumes",               read_other},
    {"ec2.DescribeAddresses",             read_other},
    {"ec2.DescribeNetworkInterfaces",     read_other},
    {"ec2.DeleteVolume",                  read_nothing},
    {"ec2.ReleaseAddress",                read_nothing},
    {"ec2.DeleteNetworkInterface",        read_nothing},
    {"ec2.DescribeAvailabilityZones",     read_other},
    {"ec2.DescribeInstanceAttribute",     read_other},
    {"ec2.DescribeInstanceTypes",         read_other},
    {"ec2.DescribeInstanceTypeOfferings", read_other},
    {"ec2.GetConsoleOutput",              read_other},
    {"ec2.ModifyInstanceEventStartTime",  read_nothing},
    {"ec2.ModifyInstanceMaintenanceOptions", read_nothing},
    {"ec2.ModifyInstanceMetadataOptions", read_nothing},
    {"sts.GetCallerIdentity",             read_nothing},
    {"sts.AssumeRole",                    read_nothing},
    {"sts.AssumeRoleWithWebIdentity",     read_nothing},
    {"imds",                              read_metadata},
};
/* clang-format on */

static void read_refusal(const struct http_answer *answer, bool makes, struct reading *out)
{
    struct error why = {0};
    const struct ec2_error said = ec2_error_read(answer->status, bytes_span(&answer->body));
    const enum cloud_error kind =
        makes && said.kind == CLOUD_SERVER_ERROR ? CLOUD_AMBIGUOUS : said.kind;
    error_ignore(
        cloud_fail(&why, kind, "%s (%d): %.180s", said.code, answer->status, said.message));
    reading_refuse(out, kind, &why);
}

static enum outcome read_as(size_t row, const struct http_answer *answer, struct reading *out)
{
    const char *dot = strchr(operations[row].operation, '.');
    const char *action = dot != NULL ? dot + 1 : operations[row].operation;
    struct error why = {0};
    int kind = CLOUD_AMBIGUOUS;
    if (answer->status < 200 || answer->status > 299) {
        read_refusal(answer, operations[row].makes, out);
        return OK;
    }
    if (operations[row].read(action, bytes_span(&answer->body), out, &why) == OK)
        return OK;
    error_ignore(name_parse(&cloud_error_names, why.code, &kind, NULL));
    reading_refuse(out, (enum cloud_error)kind, &why);
    return OK;
}

enum outcome aws_read(const char *operation, const struct http_answer *answer, struct reading *out,
                      struct error *err)
{
    for (size_t i = 0; i < countof(operations); i++)
        if (strcmp(operations[i].operation, operation) == 0)
            return read_as(i, answer, out);
    return fail_code(err, ERR_INVALID, "unknown-operation", "'%.60s' is no call of ours to AWS",
                     operation);
}
