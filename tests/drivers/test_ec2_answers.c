/* What EC2 answers: every recorded answer is read as a real client read it, and what is no answer
 * is never taken for one. */
#include "drivers/aws/ec2_answers.h"

#include <string.h>

#include "drivers/aws/ec2_errors.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void check_error(const json_t *sample, int status, struct span body)
{
    struct error err = {0};
    const char *kind = word(sample, "class");
    enum outcome outcome = ec2_check_status(status, body, &err);
    assert_int_not_equal(outcome, OK);
    assert_string_equal(err.code, kind);
    const struct ec2_error said = ec2_error_read(status, body);
    assert_int_equal(outcome, cloud_error_outcome(said.kind));
    const json_t *parsed = json_object_get(json_object_get(sample, "expected"), "parsed");
    const json_t *expected = json_object_get(parsed, "error");
    if (expected != NULL) {
        assert_string_equal(said.code, word(expected, "Code"));
        /* the same words; line breaks are spaces with us */
        OWNED(mem_drop) char *message = mem_text(word(expected, "Message"));
        for (char *c = message; *c != '\0'; c++)
            *c = *c < ' ' ? ' ' : *c;
        assert_memory_equal(said.message, message, strlen(said.message));
    }
    const json_t *retry = json_object_get(sample, "retry");
    if (json_is_boolean(retry))
        assert_int_equal(cloud_error_is_repeatable(said.kind), json_is_true(retry));
}

static const char *tag_of(const json_t *machine, const char *key)
{
    size_t i;
    json_t *tag;
    json_array_foreach (json_object_get(machine, "Tags"), i, tag)
        if (strcmp(word(tag, "Key"), key) == 0)
            return word(tag, "Value");
    return "";
}

static void compare_machine(const json_t *expected, const struct sighting *ours)
{
    assert_string_equal(ours->ref, word(expected, "InstanceId"));
    assert_string_equal(ours->image, word(expected, "ImageId"));
    assert_string_equal(ours->size, word(expected, "InstanceType"));
    assert_string_equal(ours->client_token, word(expected, "ClientToken"));
    assert_string_equal(ours->private_address, word(expected, "PrivateIpAddress"));
    assert_string_equal(ours->zone,
                        word(json_object_get(expected, "Placement"), "AvailabilityZone"));
    assert_string_equal(ours->state_word, word(json_object_get(expected, "State"), "Name"));
    assert_string_equal(ours->reason, word(json_object_get(expected, "StateReason"), "Code"));
    const char *snp = word(json_object_get(expected, "CpuOptions"), "AmdSevSnp");
    assert_int_equal(ours->snp_enabled, strcmp(snp, "enabled") == 0);
    assert_int_not_equal(ours->state, MACHINE_UNKNOWN);
    struct moment launched = {0};
    if (moment_parse(word(expected, "LaunchTime"), &launched, NULL) == OK)
        assert_true(ours->launched.us == launched.us);
    assert_string_equal(ours->fleet, tag_of(expected, TAG_FLEET));
}

static void compare_reservation(const json_t *reservation, const struct sighting_list *list,
                                size_t *at)
{
    size_t i;
    json_t *machine;
    json_array_foreach (json_object_get(reservation, "Instances"), i, machine) {
        assert_true(*at < list->count);
        compare_machine(machine, &list->at[(*at)++]);
    }
}

static void check_machines(const char *action, const json_t *parsed, struct span body)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text token = {0};
    assert_ok(ec2_read_machines(action, body, &list, &token, &err));
    size_t at = 0, i;
    json_t *reservation;
    if (strcmp(action, "RunInstances") == 0)
        compare_reservation(parsed, &list, &at);
    json_array_foreach (json_object_get(parsed, "Reservations"), i, reservation)
        compare_reservation(reservation, &list, &at);
    assert_int_equal(at, list.count);
    assert_string_equal(text_str(&token), word(parsed, "NextToken"));
}

static void check_changes(const char *action, const char *member, const json_t *parsed,
                          struct span body)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    assert_ok(ec2_read_changes(action, body, &list, &err));
    const json_t *expected = json_object_get(parsed, member);
    assert_int_equal(list.count, json_array_size(expected));
    size_t i;
    json_t *change;
    json_array_foreach (expected, i, change) {
        assert_string_equal(list.at[i].ref, word(change, "InstanceId"));
        assert_string_equal(list.at[i].state_word,
                            word(json_object_get(change, "CurrentState"), "Name"));
    }
}

static void check_identity(const json_t *parsed, struct span body)
{
    struct error err = {0};
    struct cloud_identity who;
    assert_ok(sts_read_identity(body, &who, &err));
    assert_string_equal(who.account, word(parsed, "Account"));
    assert_string_equal(who.name, word(parsed, "Arn"));
}

static void check_success(const char *action, const json_t *sample, struct span body)
{
    struct error err = {0};
    const json_t *parsed = json_object_get(json_object_get(sample, "expected"), "parsed");
    if (strcmp(action, "RunInstances") == 0 || strcmp(action, "DescribeInstances") == 0)
        check_machines(action, parsed, body);
    else if (strcmp(action, "StartInstances") == 0)
        check_changes(action, "StartingInstances", parsed, body);
    else if (strcmp(action, "StopInstances") == 0)
        check_changes(action, "StoppingInstances", parsed, body);
    else if (strcmp(action, "TerminateInstances") == 0)
        check_changes(action, "TerminatingInstances", parsed, body);
    else if (strcmp(action, "GetCallerIdentity") == 0)
        check_identity(parsed, body);
    else if (json_is_null(json_object_get(parsed, "requestId")))
        /* another product's answer, in which the real client found nothing either */
        assert_int_equal(ec2_read_nothing(action, body, &err), ERR_AMBIGUOUS);
    else /* calls we do not make yet: the answer is at least seen as one */
        assert_ok(ec2_read_nothing(action, body, &err));
}

static void every_recorded_answer_is_read_as_a_real_client_read_it(void **state)
{
    (void)state;
    if (vectors_folder() == NULL)
        skip();
    OWNED(json_drop) json_t *manifest = vectors_json("clouds/aws/manifest.json");
    size_t i, seen = 0;
    json_t *row;
    json_array_foreach (json_object_get(manifest, "responses"), i, row) {
        const char *operation = word(row, "operation");
        if (strcmp(operation, "imds") == 0) /* JSON and plain text, for the agent */
            continue;
        char path[160];
        snprintf(path, sizeof path, "clouds/aws/%s", word(row, "file"));
        OWNED(json_drop) json_t *sample = vectors_json(path);
        const json_t *response = json_object_get(sample, "response");
        const struct span body = span_of_text(word(response, "body"));
        int status = (int)json_integer_value(json_object_get(response, "status"));
        if (word(sample, "class")[0] != '\0')
            check_error(sample, status, body);
        else
            check_success(strchr(operation, '.') + 1, sample, body);
        seen++;
    }
    assert_true(seen > 60);
}

#define SET_OF(item)                                                                               \
    "<DescribeInstancesResponse><reservationSet><item><instancesSet><item>" item                   \
    "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
#define MACHINE(state, more)                                                                       \
    "<instanceId>i-0a1</instanceId><instanceState><code>0</code><name>" state                      \
    "</name></instanceState>" more

static struct sighting read_one(const char *body)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text token = {0};
    assert_ok(ec2_read_machines("DescribeInstances", span_of_text(body), &list, &token, &err));
    assert_int_equal(list.count, 1);
    return list.at[0];
}

static void an_unknown_state_is_kept_and_is_not_gone(void **state)
{
    (void)state;
    const struct sighting seen = read_one(SET_OF(MACHINE("hibernating", "")));
    assert_int_equal(seen.state, MACHINE_UNKNOWN);
    assert_string_equal(seen.state_word, "hibernating");
}

static void a_machine_that_ec2_ended_failed_and_says_why(void **state)
{
    (void)state;
    struct sighting seen = read_one(SET_OF(
        MACHINE("terminated",
                "<stateReason><code>Server.InsufficientInstanceCapacity</code></stateReason>")));
    assert_int_equal(seen.state, MACHINE_FAILED);
    assert_string_equal(seen.failure, "capacity");
    seen = read_one(SET_OF(MACHINE(
        "terminated", "<stateReason><code>Server.SpotInstanceTermination</code></stateReason>")));
    assert_string_equal(seen.failure, "spot-reclaim");
    seen = read_one(SET_OF(MACHINE(
        "terminated", "<stateReason><code>Client.UserInitiatedShutdown</code></stateReason>")));
    assert_int_equal(seen.state, MACHINE_GONE);
    assert_string_equal(seen.failure, "");
}

static void our_tags_name_the_instance_and_bad_ones_do_not(void **state)
{
    (void)state;
    struct error err = {0};
    struct uuid id;
    assert_ok(uuid_parse("01020300-0000-0000-0000-000000000009", &id, &err));
    struct sighting seen = read_one(SET_OF(
        MACHINE("running", "<tagSet><item><key>muster:instance</key>"
                           "<value>01020300-0000-0000-0000-000000000009</value></item>"
                           "<item><key>muster:generation</key><value>7</value></item>"
                           "<item><key>muster:fleet</key><value>pay</value></item></tagSet>")));
    assert_true(uuid_equal(&seen.instance, &id));
    assert_int_equal(seen.generation, 7);
    assert_string_equal(seen.fleet, "pay");
    seen = read_one(SET_OF(MACHINE(
        "running", "<tagSet><item><key>muster:instance</key><value>me</value></item>"
                   "<item><key>muster:fleet</key><value>Not A Name</value></item></tagSet>")));
    assert_true(uuid_is_zero(&seen.instance));
    assert_string_equal(seen.fleet, "");
}

/* An entity could read a file or fill the memory. */
static void document_types_and_entities_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>"
        "<DescribeInstancesResponse><reservationSet>&x;</reservationSet></"
        "DescribeInstancesResponse>",
        "<!DOCTYPE DescribeInstancesResponse><DescribeInstancesResponse><reservationSet/>"
        "</DescribeInstancesResponse>",
        "<DescribeInstancesResponse><reservationSet/>&undefined;</DescribeInstancesResponse>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
        "<DescribeInstancesResponse><reservationSet>",
        "<RunInstancesResponse><instancesSet/></RunInstancesResponse>",
        "<DescribeInstancesResponse/>",
        SET_OF("<instanceId>i-0a1&#10;Action</instanceId>"),
        SET_OF("<instanceState><name>running</name></instanceState>"),
        "not xml",
        "",
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        OWNED(sighting_list_done) struct sighting_list list = {0};
        OWNED(text_done) struct text token = {0};
        assert_fails(
            ec2_read_machines("DescribeInstances", span_of_text(bad[i]), &list, &token, &err),
            ERR_AMBIGUOUS, "ambiguous");
    }
}

static void a_deep_answer_does_not_bring_us_down(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(text_done) struct text deep = {0};
    for (int i = 0; i < 100000; i++)
        text_add(&deep, "<item>");
    assert_int_equal(ec2_read_nothing("DescribeInstances", text_span(&deep), &err), ERR_AMBIGUOUS);
    assert_int_equal(ec2_error_read(500, text_span(&deep)).kind, CLOUD_SERVER_ERROR);
}

static void an_error_message_cannot_forge_a_log_line(void **state)
{
    (void)state;
    const struct ec2_error said = ec2_error_read(
        400, span_of_text("<Response><Errors><Error><Code>Weird</Code><Message>a\nlevel=info "
                          "\x1b[31m</Message></Error></Errors></Response>"));
    assert_null(strchr(said.message, '\n'));
    assert_int_equal(said.kind, CLOUD_INVALID);
}

/* What is cut inside a character is no text any more: neither JSON nor the database takes it. */
static void a_code_that_is_too_long_is_cut_between_characters(void **state)
{
    (void)state;
    OWNED(text_done) struct text body = {0};
    text_add(&body, "<Response><Errors><Error><Code>x");
    for (int i = 0; i < 90; i++)
        text_add(&body, "\xe2\x82\xac");
    text_add(&body, "</Code><Message>m</Message></Error></Errors></Response>");
    struct error err = {0};
    assert_int_not_equal(ec2_check_status(400, text_span(&body), &err), OK);
    assert_true(text_is_clean(span_of_text(err.text)));
}

static void an_answer_with_more_machines_than_anyone_has_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text body = {0};
    OWNED(text_done) struct text token = {0};
    text_add(&body, "<DescribeInstancesResponse><reservationSet><item><instancesSet>");
    for (int i = 0; i <= EC2_MACHINES_MAX; i++)
        text_add(&body, "<item><instanceId>i-0</instanceId></item>");
    text_add(&body, "</instancesSet></item></reservationSet></DescribeInstancesResponse>");
    assert_fails(ec2_read_machines("DescribeInstances", text_span(&body), &list, &token, &err),
                 ERR_AMBIGUOUS, "ambiguous");
}

static void a_launchs_answer_is_none_to_a_describe(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(text_done) struct text token = {0};
    static const char body[] = "<DescribeInstancesResponse><instancesSet><item>" MACHINE(
        "running", "") "</item></instancesSet></DescribeInstancesResponse>";
    assert_fails(ec2_read_machines("DescribeInstances", span_of_text(body), &list, &token, &err),
                 ERR_AMBIGUOUS, "ambiguous");
}

static void a_code_we_do_not_know_goes_by_its_ending_then_by_the_status(void **state)
{
    (void)state;
    assert_int_equal(ec2_error_kind("InvalidThing.NotFound", 400), CLOUD_NOT_FOUND);
    assert_int_equal(ec2_error_kind("GizmoLimitExceeded", 400), CLOUD_QUOTA);
    assert_int_equal(ec2_error_kind("RequestLimitExceeded", 503), CLOUD_THROTTLE);
    assert_int_equal(ec2_error_kind("New", 429), CLOUD_THROTTLE);
    assert_int_equal(ec2_error_kind("New", 403), CLOUD_AUTH);
    assert_int_equal(ec2_error_kind("New", 418), CLOUD_INVALID);
    assert_int_equal(ec2_error_kind("", 502), CLOUD_SERVER_ERROR);
    assert_int_equal(ec2_error_kind("", 302), CLOUD_SERVER_ERROR);
    assert_int_equal(ec2_error_kind("", 408), CLOUD_SERVER_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_answer_is_read_as_a_real_client_read_it),
        cmocka_unit_test(an_unknown_state_is_kept_and_is_not_gone),
        cmocka_unit_test(a_machine_that_ec2_ended_failed_and_says_why),
        cmocka_unit_test(our_tags_name_the_instance_and_bad_ones_do_not),
        cmocka_unit_test(document_types_and_entities_are_refused),
        cmocka_unit_test(a_deep_answer_does_not_bring_us_down),
        cmocka_unit_test(an_error_message_cannot_forge_a_log_line),
        cmocka_unit_test(a_code_that_is_too_long_is_cut_between_characters),
        cmocka_unit_test(an_answer_with_more_machines_than_anyone_has_is_refused),
        cmocka_unit_test(a_launchs_answer_is_none_to_a_describe),
        cmocka_unit_test(a_code_we_do_not_know_goes_by_its_ending_then_by_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
