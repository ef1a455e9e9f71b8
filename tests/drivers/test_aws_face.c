/* The emulator as EC2 and STS: every element of what it answers is one that AWS's own model knows
 * at that place, and a refusal is built as AWS builds one. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "drivers/aws/signed.h"
#include "emulator/aws_actions.h"
#include "tests/support/aws_model.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/vectors.h"

enum { ACTIONS_MAX = 64, ID_SIZE = 64 };

struct client {
    struct sim_cloud *sim;
    struct http *http;
    struct credentials credentials;
    struct endpoint endpoint;
    int64_t skew_seconds;
    bool asked[ACTIONS_MAX]; /* of aws_actions */
};

static int set_up(void **state)
{
    struct error err = {0};
    struct client *c = NEW(struct client);
    void *sim = NULL;
    if (sim_cloud_open(&sim) != 0)
        return -1;
    c->sim = sim;
    c->http = http_new();
    assert_ok(endpoint_parse(c->sim->account.endpoint, &c->endpoint, &err));
    assert_ok(credentials_set("the test", c->sim->aws.access_key_id, c->sim->aws.secret_access_key,
                              NULL, NULL, &c->credentials, &err));
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    struct client *c = *state;
    void *sim = c->sim;
    credentials_done(&c->credentials);
    http_free(c->http);
    free(c);
    return sim_cloud_close(&sim);
}

/* `more`: the rest of the form, as it is on the wire. */
static char *ask(struct client *c, const char *service, const char *action, const char *more,
                 int *status)
{
    struct error err = {0};
    OWNED(form_done) struct form form = {.call = action};
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct text body = {0};
    const struct service to = {service, c->sim->row->region, &c->endpoint, c->http,
                               &c->skew_seconds};
    text_addf(&form.body, "Action=%s&Version=%s%s%s", action,
              strcmp(service, "sts") == 0 ? "2011-06-15" : "2016-11-15", more[0] != '\0' ? "&" : "",
              more);
    assert_ok(signed_send(&to, &c->credentials, &form, &answer, &err));
    text_add_span(&body, bytes_span(&answer.body));
    *status = answer.status;
    return text_take(&body);
}

static void note(struct client *c, const char *action)
{
    assert_true(aws_action_count <= ACTIONS_MAX);
    for (size_t i = 0; i < aws_action_count; i++)
        if (strcmp(aws_actions[i].name, action) == 0)
            c->asked[i] = true;
}

/* An answer that is in the model. */
static char *look(struct client *c, const char *service, const char *action, const char *more)
{
    int status;
    char *body = ask(c, service, action, more, &status);
    if (status != 200)
        fail_msg("%s %s: %d %s", action, more, status, body);
    aws_model_check_answer(service, action, body);
    note(c, action);
    return body;
}

static void act(struct client *c, const char *service, const char *action, const char *more)
{
    OWNED(mem_drop) char *body = look(c, service, action, more);
    assert_non_null(body);
}

/* The same of one thing, whose name stands under this key. */
static void act_on(struct client *c, const char *action, const char *key, const char *id,
                   const char *more)
{
    OWNED(text_done) struct text form = {0};
    text_addf(&form, "%s=%s%s%s", key, id, more[0] != '\0' ? "&" : "", more);
    act(c, "ec2", action, text_str(&form));
}

static void value_of(const char *body, const char *element, char out[static ID_SIZE])
{
    char begin[ID_SIZE];
    snprintf(begin, sizeof begin, "<%s>", element);
    const char *at = strstr(body, begin);
    if (at == NULL)
        fail_msg("no %s in %s", element, body);
    at += strlen(begin);
    snprintf(out, ID_SIZE, "%.*s", (int)strcspn(at, "<"), at);
}

static void await(struct client *c, const char *state)
{
    OWNED(text_done) struct text form = {0};
    bool is_there = false;
    text_addf(&form, "Filter.1.Name=instance-state-name&Filter.1.Value.1=%s", state);
    for (int64_t until = clock_monotonic_ms() + 10000; !is_there;) {
        OWNED(mem_drop) char *body = look(c, "ec2", "DescribeInstances", text_str(&form));
        is_there = strstr(body, "<instanceId>") != NULL;
        if (!is_there && clock_monotonic_ms() > until)
            fail_msg("it is not %s", state);
        poll(NULL, 0, 5);
    }
}

/* ---- every answer --------------------------------------------------------------------------- */

static const char order[] =
    "InstanceType=m6a.large&MinCount=1&MaxCount=1&ClientToken=t&CpuOptions.AmdSevSnp=enabled&"
    "SubnetId=subnet-1&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key="
    "muster-sim%3Amaintenance&TagSpecification.1.Tag.1.Value=system-reboot&"
    "TagSpecification.1.Tag.2.Key=team&TagSpecification.1.Tag.2.Value=red+%26+%3Cblue%3E";

static void launch(struct client *c, char ref[static ID_SIZE])
{
    OWNED(text_done) struct text form = {0};
    text_addf(&form, "ImageId=%s&%s", c->sim->row->image, order);
    OWNED(mem_drop) char *born = look(c, "ec2", "RunInstances", text_str(&form));
    value_of(born, "instanceId", ref);
}

/* A page of a list that goes on, and one that ends. */
static void look_at_sizes(struct client *c)
{
    sim_cloud_page(c->sim, 10);
    OWNED(mem_drop) char *page = look(c, "ec2", "DescribeInstanceTypes", "");
    assert_non_null(strstr(page, "<nextToken>"));
    sim_cloud_page(c->sim, 1000);
    act(c, "ec2", "DescribeInstanceTypes", "");
}

static void look_at_machine(struct client *c, const char *ref)
{
    OWNED(mem_drop) char *running = look(c, "ec2", "DescribeInstanceStatus", "");
    assert_non_null(strstr(running, "<eventsSet>"));
    act_on(c, "DescribeInstanceStatus", "InstanceId.1", ref, "IncludeAllInstances=true");
    act_on(c, "GetConsoleOutput", "InstanceId", ref, "");
    act_on(c, "CreateTags", "ResourceId.1", ref, "Tag.1.Key=muster%3Agen&Tag.1.Value=2");
    act_on(c, "DeleteTags", "ResourceId.1", ref, "Tag.1.Key=muster%3Agen");
}

static void change_machine(struct client *c, const char *ref)
{
    act_on(c, "StopInstances", "InstanceId.1", ref, "");
    await(c, "stopped");
    act_on(c, "StartInstances", "InstanceId.1", ref, "");
    await(c, "running");
    sim_cloud_prank(c->sim, "TerminateInstances", "left-behind");
    act_on(c, "TerminateInstances", "InstanceId.1", ref, "");
    await(c, "terminated");
}

static const struct {
    const char *list;
    const char *id;
    const char *discard;
    const char *key;
} remains[] = {
    {"DescribeVolumes", "volumeId", "DeleteVolume", "VolumeId"},
    {"DescribeAddresses", "allocationId", "ReleaseAddress", "AllocationId"},
    {"DescribeNetworkInterfaces", "networkInterfaceId", "DeleteNetworkInterface",
     "NetworkInterfaceId"},
};

static void look_at_what_it_has(struct client *c)
{
    for (size_t i = 0; i < countof(remains); i++)
        act(c, "ec2", remains[i].list, "");
}

static void discard_what_it_left(struct client *c)
{
    for (size_t i = 0; i < countof(remains); i++) {
        char id[ID_SIZE];
        OWNED(mem_drop) char *left = look(c, "ec2", remains[i].list, "");
        value_of(left, remains[i].id, id);
        act_on(c, remains[i].discard, remains[i].key, id, "");
    }
}

#define ROLE "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=muster"

static void every_answer_is_in_amazons_own_model(void **state)
{
    struct client *c = *state;
    char ref[ID_SIZE];
    if (vectors_folder() == NULL)
        skip();
    look_at_sizes(c);
    launch(c, ref);
    await(c, "running");
    look_at_machine(c, ref);
    look_at_what_it_has(c);
    change_machine(c, ref);
    discard_what_it_left(c);
    act(c, "sts", "GetCallerIdentity", "");
    act(c, "sts", "AssumeRole", ROLE);
    act(c, "sts", "AssumeRoleWithWebIdentity", ROLE "&WebIdentityToken=a.b.c");
    for (size_t i = 0; i < aws_action_count; i++)
        if (!c->asked[i])
            fail_msg("nobody looked at what %s answers", aws_actions[i].name);
}

/* ---- refusals ------------------------------------------------------------------------------- */

/* The elements alone, without what is in them and between them. */
static void elements_of(const char *body, struct text *out)
{
    for (const char *at = strchr(body, '<'); at != NULL; at = strchr(at, '<')) {
        const size_t len = strcspn(at, ">") + 1;
        if (at[1] != '?')
            text_add_span(out, SPAN(at, len));
        at += len;
    }
}

static void elements_of_recorded(const char *file, struct text *out)
{
    OWNED(json_drop) json_t *sample = vectors_json(file);
    elements_of(json_string_value(json_object_get(json_object_get(sample, "response"), "body")),
                out);
}

static void a_refusal_is_built_as_amazon_builds_one(void **state)
{
    struct client *c = *state;
    static const struct {
        const char *service;
        const char *action;
        const char *more;
        const char *fault; /* NULL: none is needed */
        const char *code;
    } rows[] = {
        {"ec2", "StopInstances", "InstanceId.1=i-0a1", NULL, "InvalidInstanceID.NotFound"},
        {"ec2", "StopInstances", "InstanceId.1=%3Cx%3E", NULL, "InvalidInstanceID.Malformed"},
        {"ec2", "FormatDisks", "", NULL, "InvalidAction"},
        {"ec2", "DescribeInstances", "", "throttle", "RequestLimitExceeded"},
        {"ec2", "DescribeInstances", "", "auth", "UnauthorizedOperation"},
        {"ec2", "RunInstances", "", "capacity", "InsufficientInstanceCapacity"},
        {"ec2", "RunInstances", "", "late-error", "InternalError"},
        {"sts", "AssumeRole", "", NULL, "ValidationError"},
        {"sts", "AssumeRoleWithWebIdentity", ROLE, NULL, "InvalidIdentityToken"},
        {"sts", "GetCallerIdentity", "", "throttle", "RequestLimitExceeded"},
    };
    if (vectors_folder() == NULL)
        skip();
    OWNED(text_done) struct text ec2 = {0};
    OWNED(text_done) struct text sts = {0};
    elements_of_recorded("clouds/aws/responses/err-UnauthorizedOperation.json", &ec2);
    elements_of_recorded("clouds/aws/responses/err-sts-ExpiredTokenException.json", &sts);
    for (size_t i = 0; i < countof(rows); i++) {
        int status;
        OWNED(text_done) struct text ours = {0};
        char code[ID_SIZE];
        if (rows[i].fault != NULL)
            sim_cloud_prank(c->sim, rows[i].action, rows[i].fault);
        OWNED(mem_drop)
        char *body = ask(c, rows[i].service, rows[i].action, rows[i].more, &status);
        assert_true(status >= 400);
        value_of(body, "Code", code);
        assert_string_equal(code, rows[i].code);
        elements_of(body, &ours);
        assert_string_equal(text_str(&ours),
                            text_str(strcmp(rows[i].service, "sts") == 0 ? &sts : &ec2));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(every_answer_is_in_amazons_own_model),
        T(a_refusal_is_built_as_amazon_builds_one),
    };
    return cmocka_run_group_tests_name("aws_face", tests, NULL, NULL);
}
