/* `muster account test` where things go wrong: it says so, and leaves nothing running. */
#include "cli/account_test.h"

#include <string.h>

#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

static bool stop_at_once(void)
{
    return true;
}

static enum outcome try_account(struct sim_cloud *sim, bool (*stop)(void), json_t **report,
                                struct error *err)
{
    const struct account_test_options options = {.wait_seconds = 10, .stop = stop};
    return account_test(&sim->account, &options, report, err);
}

static void assert_nothing_runs(struct sim_cloud *sim, const json_t *report)
{
    assert_int_equal(json_array_size(json_object_get(report, "left_running")), 0);
    pthread_mutex_lock(&sim->world.lock);
    for (size_t i = 0; i < sim->world.count; i++)
        assert_int_equal(sim->world.machines[i]->state, VM_TERMINATED);
    pthread_mutex_unlock(&sim->world.lock);
}

static const char *failed_step(const json_t *report)
{
    size_t i;
    json_t *step;
    json_array_foreach (json_object_get(report, "steps"), i, step)
        if (strcmp(json_string_value(json_object_get(step, "result")), "fail") == 0)
            return json_string_value(json_object_get(step, "step"));
    return "";
}

/* Azure names no zone where none was asked for, and a machine without its address. */
static void assert_nothing_is_said_of_what_is_not_known(const json_t *report)
{
    size_t i;
    const json_t *step;
    json_array_foreach (json_object_get(report, "steps"), i, step) {
        const char *detail = json_string_value(json_object_get(step, "detail"));
        assert_true(detail == NULL || detail[0] == '\0' || detail[strlen(detail) - 1] != ' ');
    }
}

static void a_whole_round_passes(void **state)
{
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    assert_ok(try_account(*state, NULL, &report, &err));
    assert_string_equal(failed_step(report), "");
    assert_nothing_is_said_of_what_is_not_known(report);
    assert_int_equal(sim_cloud_count(*state, "launched"), 1);
    assert_nothing_runs(*state, report);
}

static void a_step_that_fails_ends_the_machine(void **state)
{
    struct sim_cloud *sim = *state;
    const char *const actions[] = {sim->row->call.stop, sim->row->call.start};
    static const char *const steps[] = {"stop", "start"};
    for (size_t i = 0; i < countof(actions); i++) {
        struct error err = {0};
        OWNED(json_drop) json_t *report = NULL;
        sim_cloud_prank(*state, actions[i], "auth");
        assert_fails(try_account(*state, NULL, &report, &err), ERR_DENIED, "auth");
        assert_string_equal(failed_step(report), steps[i]);
        assert_nothing_runs(*state, report);
    }
    assert_int_equal(sim_cloud_count(*state, "launched"), countof(actions));
}

/* One round tells of all of them. */
static void every_missing_permission_is_named(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    sim_cloud_prank(sim, sim->row->call.stop, "auth");
    sim_cloud_prank(sim, sim->row->call.start, "auth");
    assert_fails(try_account(sim, NULL, &report, &err), ERR_DENIED, "auth");
    assert_string_equal(failed_step(report), "stop");
    assert_string_equal(err.where, sim->row->permissions[0]);
    const json_t *missing = json_object_get(report, "missing_permissions");
    assert_int_equal(json_array_size(missing), countof(sim->row->permissions));
    for (size_t i = 0; i < countof(sim->row->permissions); i++)
        assert_string_equal(json_string_value(json_array_get(missing, i)),
                            sim->row->permissions[i]);
    assert_nothing_runs(sim, report);
}

/* What may be listed and removed of what machines leave behind is tried too, and nothing removed.
 */
static void a_missing_permission_to_clear_up_is_named(void **state)
{
    struct sim_cloud *sim = *state;
    const bool has_interfaces = sim->row->leftovers[LEFTOVER_INTERFACE] != NULL;
    static const struct {
        enum account_driver cloud;
        const char *calls[4];
        const char *permissions[4];
    } rows[] = {
        {DRIVER_AWS,
         {"DescribeVolumes", "DeleteVolume", "ReleaseAddress", "DeleteNetworkInterface"},
         {"ec2:DescribeVolumes", "ec2:DeleteVolume", "ec2:ReleaseAddress",
          "ec2:DeleteNetworkInterface"}},
        {DRIVER_AZURE,
         {"Disks_ListByResourceGroup", "Disks_Delete", "PublicIPAddresses_Delete",
          "NetworkInterfaces_Delete"},
         {"Microsoft.Compute/disks/read", "Microsoft.Compute/disks/delete",
          "Microsoft.Network/publicIPAddresses/delete",
          "Microsoft.Network/networkInterfaces/delete"}},
        {DRIVER_GCP,
         {"disks.aggregatedList", "disks.delete", "addresses.delete"},
         {"compute.disks.list", "compute.disks.delete", "compute.addresses.delete"}},
    };
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    size_t row = 0;
    while (rows[row].cloud != sim->row->cloud)
        row++;
    for (size_t i = 0; i < (has_interfaces ? 4 : 3); i++)
        sim_cloud_prank(sim, rows[row].calls[i], "auth");
    assert_fails(try_account(sim, NULL, &report, &err), ERR_DENIED, "auth");
    assert_string_equal(failed_step(report), "leftovers");
    const json_t *missing = json_object_get(report, "missing_permissions");
    assert_int_equal(json_array_size(missing), has_interfaces ? 4 : 3);
    for (size_t i = 0; i < json_array_size(missing); i++)
        assert_string_equal(json_string_value(json_array_get(missing, i)),
                            rows[row].permissions[i]);
    assert_nothing_runs(sim, report);
}

static void a_launch_in_doubt_is_found_and_ended(void **state)
{
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    sim_cloud_prank(*state, ((struct sim_cloud *)*state)->row->call.launch, "lost-answer");
    assert_fails(try_account(*state, NULL, &report, &err), ERR_AMBIGUOUS, "ambiguous");
    assert_string_equal(failed_step(report), "launch");
    assert_int_equal(sim_cloud_count(*state, "terminated"), 1);
    assert_nothing_runs(*state, report);
}

static void throttled_calls_are_repeated(void **state)
{
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    sim_cloud_prank(*state, ((struct sim_cloud *)*state)->row->call.launch, "throttle");
    sim_cloud_prank(*state, ((struct sim_cloud *)*state)->row->call.terminate, "throttle");
    assert_ok(try_account(*state, NULL, &report, &err));
    assert_int_equal(sim_cloud_count(*state, "launched"), 1);
    assert_nothing_runs(*state, report);
}

static void an_interrupted_round_launches_nothing_more(void **state)
{
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    assert_fails(try_account(*state, stop_at_once, &report, &err), ERR_CONFLICT, "interrupted");
    assert_int_equal(sim_cloud_count(*state, "launched"), 0);
}

static void an_account_without_a_test_image_cannot_be_tried(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    json_decref(sim->account.test);
    sim->account.test = NULL;
    assert_fails(try_account(sim, NULL, &report, &err), ERR_INVALID, "bad-account");
}

#define WITH_CLOUD(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, sim_cloud_open, sim_cloud_close_known)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLOUD(a_whole_round_passes),
        WITH_CLOUD(a_step_that_fails_ends_the_machine),
        WITH_CLOUD(every_missing_permission_is_named),
        WITH_CLOUD(a_missing_permission_to_clear_up_is_named),
        WITH_CLOUD(a_launch_in_doubt_is_found_and_ended),
        WITH_CLOUD(throttled_calls_are_repeated),
        WITH_CLOUD(an_interrupted_round_launches_nothing_more),
        WITH_CLOUD(an_account_without_a_test_image_cannot_be_tried),
    };
    return sim_cloud_run("account test", tests, countof(tests));
}
