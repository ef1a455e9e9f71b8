/* `muster account explain`: every recorded answer of every cloud that has a driver is read as its
 * manifest says, and what is no answer is a wrong argument. */
#include <stdio.h>
#include <string.h>

#include "drivers/driver.h"
#include "lib/base/file.h"
#include "tests/support/line.h"
#include "tests/support/manifest.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

static const char *word(const json_t *object, const char *name)
{
    const char *text = member_text(object, name);
    return text != NULL ? text : "";
}

static json_t *explain(const char *path)
{
    struct error err = {0};
    json_t *answer = NULL;
    OWNED(line_done) struct line line = line_of("cli/muster account explain --file");
    line_add(&line, path);
    OWNED(ran_done) struct ran ran = run_line(&line);
    if (ran.exit_code != 0)
        fail_msg("%s: exit %d: %s", path, ran.exit_code, (const char *)ran.err.at);
    assert_ok(json_parse(span_of_text((const char *)ran.out.at), 1 << 24, &answer, &err));
    return answer;
}

/* ---- AWS: what botocore read in the same bytes ---------------------------------------------- */

static void compare_machine(const json_t *expected, const json_t *ours)
{
    assert_string_equal(word(ours, "ref"), word(expected, "InstanceId"));
    assert_string_equal(word(ours, "image"), word(expected, "ImageId"));
    assert_string_equal(word(ours, "size"), word(expected, "InstanceType"));
    assert_string_equal(word(ours, "client_token"), word(expected, "ClientToken"));
    assert_string_equal(word(ours, "private_address"), word(expected, "PrivateIpAddress"));
    assert_string_equal(word(ours, "zone"),
                        word(json_object_get(expected, "Placement"), "AvailabilityZone"));
    assert_string_equal(word(ours, "state_word"), word(json_object_get(expected, "State"), "Name"));
    const char *snp = word(json_object_get(expected, "CpuOptions"), "AmdSevSnp");
    assert_int_equal(json_is_true(json_object_get(ours, "snp_enabled")),
                     strcmp(snp, "enabled") == 0);
}

static void compare_instances(const json_t *expected, const json_t *sightings, size_t *at)
{
    size_t i;
    json_t *machine;
    json_array_foreach (json_object_get(expected, "Instances"), i, machine)
        compare_machine(machine, json_array_get(sightings, (*at)++));
}

static void compare_changes(const json_t *list, const json_t *sightings, size_t *at)
{
    size_t i;
    json_t *change;
    json_array_foreach (list, i, change) {
        const json_t *ours = json_array_get(sightings, (*at)++);
        assert_string_equal(word(ours, "ref"), word(change, "InstanceId"));
        assert_string_equal(word(ours, "state_word"),
                            word(json_object_get(change, "CurrentState"), "Name"));
    }
}

static void compare_event(const json_t *event, const char *ref, const json_t *ours)
{
    assert_string_equal(word(ours, "ref"), ref);
    assert_string_equal(word(ours, "event"), word(event, "InstanceEventId"));
    assert_string_equal(word(ours, "kind"), word(event, "Code"));
    assert_string_equal(word(ours, "text"), word(event, "Description"));
    assert_string_equal(word(ours, "not_before"), word(event, "NotBefore"));
    assert_string_equal(word(ours, "not_after"), word(event, "NotAfter"));
    assert_string_equal(word(ours, "deadline"), word(event, "NotBeforeDeadline"));
}

static void compare_statuses(const json_t *list, const json_t *answer, size_t *at)
{
    const json_t *notices = json_object_get(answer, "notices");
    size_t i, e, told = 0;
    json_t *status, *event;
    json_array_foreach (list, i, status) {
        const json_t *ours = json_array_get(json_object_get(answer, "sightings"), (*at)++);
        assert_string_equal(word(ours, "ref"), word(status, "InstanceId"));
        assert_string_equal(word(ours, "zone"), word(status, "AvailabilityZone"));
        json_array_foreach (json_object_get(status, "Events"), e, event)
            compare_event(event, word(status, "InstanceId"), json_array_get(notices, told++));
    }
    assert_int_equal(json_array_size(notices), told);
}

/* A real client does not read what the metadata service says of events: this is all of it. */
static void compare_guest_events(const char *name, const json_t *notices)
{
    if (strcmp(name, "imds-events-scheduled") != 0) {
        assert_int_equal(json_array_size(notices), 0);
        return;
    }
    const json_t *notice = json_array_get(notices, 0);
    assert_int_equal(json_array_size(notices), 1);
    assert_string_equal(word(notice, "event"), "instance-event-0d59937288b749b32");
    assert_string_equal(word(notice, "kind"), "system-reboot");
    assert_string_equal(word(notice, "not_before"), "2026-12-07T02:00:00Z");
    assert_string_equal(word(notice, "not_after"), "2026-12-07T04:00:00Z");
}

static void compare_aws(const json_t *sample, const json_t *answer)
{
    static const char *const changes[] = {"StartingInstances", "StoppingInstances",
                                          "TerminatingInstances"};
    const json_t *expected = json_object_get(json_object_get(sample, "expected"), "parsed");
    const json_t *sightings = json_object_get(answer, "sightings");
    size_t i, at = 0;
    json_t *reservation;
    json_array_foreach (json_object_get(expected, "Reservations"), i, reservation)
        compare_instances(reservation, sightings, &at);
    compare_instances(expected, sightings, &at);
    for (i = 0; i < countof(changes); i++)
        compare_changes(json_object_get(expected, changes[i]), sightings, &at);
    if (strcmp(word(sample, "operation"), "imds") == 0)
        compare_guest_events(word(sample, "name"), json_object_get(answer, "notices"));
    else
        compare_statuses(json_object_get(expected, "InstanceStatuses"), answer, &at);
    assert_int_equal(json_array_size(sightings), at);
}

/* ---- Azure: what its SDK read ---------------------------------------------------------------- */

static bool says(const json_t *statuses, const char *kind, const char *word_of_it)
{
    char code[128];
    size_t i;
    json_t *status;
    snprintf(code, sizeof code, "%s/%s", kind, word_of_it);
    json_array_foreach (statuses, i, status)
        if (strcmp(json_string_value(status), code) == 0)
            return true;
    return false;
}

static void compare_azure_state(const json_t *expected, const json_t *ours)
{
    const json_t *statuses = json_object_get(expected, "statuses");
    const char *state = word(ours, "state_word");
    if (says(statuses, "PowerState", state))
        assert_string_equal(word(ours, "state"),
                            strcmp(state, "running") == 0 ? "running" : "stopped");
    else if (word(expected, "provisioningState")[0] != '\0')
        assert_string_equal(state, word(expected, "provisioningState"));
}

static void compare_azure_maintenance(const json_t *expected, const json_t *notices)
{
    const json_t *notice = json_array_get(notices, 0);
    assert_int_equal(json_array_size(notices), expected != NULL ? 1 : 0);
    if (expected == NULL)
        return;
    /* the same second; the SDK writes milliseconds */
    assert_memory_equal(word(notice, "not_before"), word(expected, "maintenanceWindowStartTime"),
                        19);
    assert_memory_equal(word(notice, "not_after"), word(expected, "maintenanceWindowEndTime"), 19);
    assert_memory_equal(word(notice, "deadline"), word(expected, "preMaintenanceWindowEndTime"),
                        19);
    assert_true(json_is_true(json_object_get(notice, "is_ours_to_time")));
}

/* Not read by a client: what the guest is told. */
static void compare_scheduled_events(const char *name, const json_t *notices)
{
    if (strcmp(name, "imds-scheduledevents-reboot") != 0) {
        assert_int_equal(json_array_size(notices), 0);
        return;
    }
    const json_t *notice = json_array_get(notices, 0);
    assert_string_equal(word(notice, "ref"), "vm-1");
    assert_string_equal(word(notice, "kind"), "Reboot");
    assert_string_equal(word(notice, "status"), "Scheduled");
    assert_string_equal(word(notice, "not_before"), "2026-11-23T18:40:00Z");
}

static void compare_azure(const json_t *sample, const json_t *answer)
{
    const json_t *parsed = json_object_get(json_object_get(sample, "expected"), "parsed");
    const json_t *error = json_object_get(json_object_get(sample, "expected"), "error");
    const json_t *sightings = json_object_get(answer, "sightings");
    const json_t *names = json_object_get(parsed, "names");
    size_t i;
    json_t *name;
    if (error != NULL)
        assert_non_null(strstr(word(answer, "text"), word(error, "code")));
    if (strncmp(word(sample, "operation"), "imds-sched", 10) == 0)
        compare_scheduled_events(word(sample, "name"), json_object_get(answer, "notices"));
    if (parsed == NULL)
        return;
    json_array_foreach (names, i, name)
        assert_string_equal(word(json_array_get(sightings, i), "ref"), json_string_value(name));
    assert_int_equal(json_array_size(sightings), names != NULL ? i : 1);
    if (names != NULL)
        return;
    const json_t *ours = json_array_get(sightings, 0);
    assert_string_equal(word(ours, "ref"), word(parsed, "name"));
    assert_string_equal(word(ours, "machine_id"), word(parsed, "vmId"));
    assert_int_equal(json_is_true(json_object_get(ours, "snp_enabled")),
                     strcmp(word(parsed, "securityType"), "ConfidentialVM") == 0);
    compare_azure_state(parsed, ours);
    compare_azure_maintenance(json_object_get(parsed, "maintenance"),
                              json_object_get(answer, "notices"));
}

/* ---- Google Cloud: what @google-cloud/compute read ------------------------------------------- */

static void compare_gcp_machine(const json_t *parsed, const json_t *ours)
{
    char ending[80];
    snprintf(ending, sizeof ending, "/%s", word(parsed, "name"));
    const char *ref = word(ours, "ref");
    assert_true(strlen(ref) > strlen(ending));
    assert_string_equal(ref + strlen(ref) - strlen(ending), ending);
    assert_string_equal(word(ours, "machine_id"), word(parsed, "id"));
    assert_string_equal(word(ours, "state_word"), word(parsed, "status"));
    assert_int_equal(json_is_true(json_object_get(ours, "snp_enabled")),
                     strcmp(word(parsed, "confidentialInstanceType"), "SEV_SNP") == 0);
}

static void compare_maintenance(const json_t *coming, const json_t *notices)
{
    const json_t *ours = json_array_get(notices, 0);
    assert_int_equal(json_array_size(notices), coming != NULL);
    if (coming == NULL)
        return;
    assert_string_equal(word(ours, "kind"), word(coming, "type"));
    assert_string_equal(word(ours, "status"), word(coming, "maintenanceStatus"));
    assert_string_equal(word(ours, "not_before"), word(coming, "windowStartTime"));
    assert_string_equal(word(ours, "not_after"), word(coming, "windowEndTime"));
    assert_string_equal(word(ours, "deadline"), word(coming, "latestWindowStartTime"));
    assert_int_equal(json_is_true(json_object_get(ours, "is_ours_to_time")),
                     json_is_true(json_object_get(coming, "canReschedule")));
}

static void compare_names(const json_t *names, const json_t *sightings)
{
    size_t i;
    json_t *name;
    assert_int_equal(json_array_size(sightings), json_array_size(names));
    json_array_foreach (json_looked_at(names), i, name) {
        const char *ref = word(json_array_get(sightings, i), "ref");
        assert_string_equal(strchr(ref, '/') + 1, json_string_value(name));
    }
}

static void compare_gcp(const json_t *sample, const json_t *answer)
{
    const json_t *parsed = json_object_get(json_object_get(sample, "expected"), "parsed");
    const json_t *sightings = json_object_get(answer, "sightings");
    const json_t *notices = json_object_get(answer, "notices");
    const json_t *failures = json_object_get(parsed, "errors");
    if (json_object_get(parsed, "names") != NULL)
        compare_names(json_object_get(parsed, "names"), sightings);
    if (json_object_get(parsed, "name") != NULL) {
        assert_int_equal(json_array_size(sightings), 1);
        compare_gcp_machine(parsed, json_array_get(sightings, 0));
        compare_maintenance(json_object_get(parsed, "upcomingMaintenance"), notices);
    }
    if (strcmp(word(sample, "name"), "mds-maintenance-event-TERMINATE_ON_HOST_MAINTENANCE") == 0)
        assert_string_equal(word(json_array_get(notices, 0), "kind"),
                            "TERMINATE_ON_HOST_MAINTENANCE");
    if (json_array_size(failures) > 0) /* though the answer was a 200 */
        assert_non_null(
            strstr(word(answer, "text"), json_string_value(json_array_get(failures, 0))));
}

/* ---- every cloud ---------------------------------------------------------------------------- */

/* How a cloud's fields stand in what a real client read of them; NULL: its own tests compare. */
static void (*const compare[ACCOUNT_DRIVER_COUNT])(const json_t *sample, const json_t *answer) = {
    [DRIVER_AWS] = compare_aws,
    [DRIVER_AZURE] = compare_azure,
    [DRIVER_GCP] = compare_gcp,
};

/* An operation of Google Cloud that failed, whose class the manifest leaves to us. */
static bool failed_inside(const json_t *sample)
{
    const json_t *parsed = json_object_get(json_object_get(sample, "expected"), "parsed");
    return json_array_size(json_object_get(parsed, "errors")) > 0;
}

static void compare_class(const json_t *sample, const json_t *answer)
{
    const json_t *retry = json_object_get(sample, "retry");
    const json_t *class = json_object_get(answer, "class");
    assert_string_equal(word(answer, "class"), word(sample, "class"));
    assert_int_equal(json_is_null(class), member_text(sample, "class") == NULL);
    assert_true(json_is_boolean(json_object_get(answer, "retry")));
    if (retry != NULL)
        assert_true(json_equal(json_looked_at(retry), json_object_get(answer, "retry")));
    assert_true(json_is_array(json_object_get(answer, "sightings")));
    assert_true(json_is_array(json_object_get(answer, "notices")));
}

static void explain_all(enum account_driver cloud)
{
    char path[512];
    snprintf(path, sizeof path, "clouds/%s/manifest.json",
             name_of(&account_driver_names, (int)cloud));
    OWNED(json_drop) json_t *manifest = vectors_json(path);
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(manifest, "responses"), i, row) {
        snprintf(path, sizeof path, "%s/clouds/%s/%s", vectors_folder(),
                 name_of(&account_driver_names, (int)cloud), word(row, "file"));
        OWNED(json_drop) json_t *answer = explain(path);
        OWNED(json_drop) json_t *sample = vectors_json(path + strlen(vectors_folder()) + 1);
        if (member_text(row, "class") != NULL || !failed_inside(sample))
            compare_class(row, answer);
        if (compare[cloud] != NULL)
            compare[cloud](sample, answer);
    }
    assert_true(i > 20);
}

static void every_recorded_answer_is_read_as_its_manifest_says(void **state)
{
    (void)state;
    struct error err = {0};
    if (vectors_folder() == NULL)
        skip();
    for (int cloud = 0; cloud < ACCOUNT_DRIVER_COUNT; cloud++) {
        const struct account account = {.driver = (enum account_driver)cloud};
        const struct driver *driver;
        assert_ok(driver_of(&account, &driver, &err));
        explain_all((enum account_driver)cloud);
    }
}

/* ---- answers nobody recorded ---------------------------------------------------------------- */

static json_t *explain_text(const char *folder, const char *text)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(folder, "answer.json");
    assert_ok(file_write(path, span_of_text(text), 0600, &err));
    return explain(path);
}

#define STATUS_OF(description)                                                                     \
    "{\"cloud\":\"aws\",\"operation\":\"ec2.DescribeInstanceStatus\",\"response\":{\"status\":"    \
    "200,\"body\":\"<DescribeInstanceStatusResponse><instanceStatusSet><item><instanceId>i-0a1"    \
    "</instanceId><eventsSet><item><code>instance-stop</code><description>" description            \
    "</description></item></eventsSet></item></instanceStatusSet>"                                 \
    "</DescribeInstanceStatusResponse>\"}}"

static void events_that_are_over_are_no_notices(void **state)
{
    static const struct {
        const char *text;
        size_t notices;
    } rows[] = {
        {STATUS_OF("[Completed] it was stopped"), 0},
        {STATUS_OF("[Canceled] it was stopped"), 0},
        {STATUS_OF("it will be stopped"), 1},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(json_drop) json_t *answer = explain_text(*state, rows[i].text);
        assert_int_equal(json_array_size(json_object_get(answer, "notices")), rows[i].notices);
    }
}

/* A server's error says nothing of what became of a launch, and a 200 that cannot be read says
 * that something did. */
static void what_may_have_launched_is_ambiguous(void **state)
{
    static const struct {
        const char *operation;
        const char *response;
        const char *class;
    } rows[] = {
        {"RunInstances", "{\"status\":500,\"body\":\"\"}", "ambiguous"},
        {"RunInstances", "{\"status\":502,\"body\":\"<html>\"}", "ambiguous"},
        {"RunInstances", "{\"status\":200,\"body\":\"<RunInstancesResp\"}", "ambiguous"},
        {"RunInstances", "{\"status\":503,\"body\":\"<Code>RequestLimitExceeded</Code>\"}",
         "throttle"},
        {"DescribeInstances", "{\"status\":500}", "server-error"},
        {"DescribeInstances", "{\"status\":429}", "throttle"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        char text[512];
        snprintf(text, sizeof text, "{\"cloud\":\"aws\",\"operation\":\"ec2.%s\",\"response\":%s}",
                 rows[i].operation, rows[i].response);
        OWNED(json_drop) json_t *answer = explain_text(*state, text);
        assert_string_equal(word(answer, "class"), rows[i].class);
    }
}

static void what_is_no_answer_is_a_wrong_argument(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"cloud\":\"aws\",\"cloud\":\"aws\",\"operation\":\"imds\",\"response\":{\"status\":200}"
        "}",
        "{\"cloud\":\"nowhere\",\"operation\":\"imds\",\"response\":{\"status\":200}}",
        "{\"cloud\":\"aws\",\"operation\":\"ec2.FormatDisks\",\"response\":{\"status\":200}}",
        "{\"cloud\":\"aws\",\"operation\":\"imds\",\"response\":{\"status\":2000}}",
        "{\"cloud\":\"aws\",\"operation\":\"imds\",\"response\":{\"status\":200,\"headers\":{\"a\":"
        "1}}}",
    };
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(*state, "answer.json");
    for (size_t i = 0; i < countof(texts); i++) {
        OWNED(text_done) struct text line = {0};
        assert_ok(file_write(path, span_of_text(texts[i]), 0600, &err));
        text_addf(&line, "cli/muster account explain --file %s", path);
        assert_used_wrongly(text_str(&line));
    }
    assert_used_wrongly("cli/muster account explain");
    assert_used_wrongly("cli/muster account explain --file /nonexistent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_answer_is_read_as_its_manifest_says),
        cmocka_unit_test_setup_teardown(events_that_are_over_are_no_notices, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(what_may_have_launched_is_ambiguous, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(what_is_no_answer_is_a_wrong_argument, scratch_open,
                                        scratch_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
