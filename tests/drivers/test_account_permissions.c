/* Each permission that doc/clouds asks for is denied once, and `muster account test` names it. */
#include "cli/account_test.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/support/call_permissions.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

enum { ROUND_MS_MOST = 20 * 1000 };

/* ---- what the documents ask for ------------------------------------------------------------- */

static void add_actions(const json_t *actions, json_t *out)
{
    size_t i;
    json_t *one;
    if (json_is_string(actions))
        json_add_new(out, json_string(json_string_value(actions)));
    json_array_foreach (json_looked_at(actions), i, one)
        add_actions(one, out);
}

/* As each cloud writes a policy. */
static void add_policy(const json_t *policy, json_t *out)
{
    size_t i;
    const json_t *statement;
    add_actions(json_object_get(policy, "Actions"), out);
    add_actions(json_object_get(policy, "includedPermissions"), out);
    json_array_foreach (json_looked_at(json_object_get(policy, "Statement")), i, statement)
        add_actions(json_object_get(statement, "Action"), out);
}

static json_t *documented(enum account_driver cloud)
{
    struct error err = {0};
    char pattern[512];
    glob_t files;
    json_t *out = json_array();
    snprintf(pattern, sizeof pattern, "%s/doc/clouds/%s-*.json", getenv("MUSTER_SRC"),
             name_of(&account_driver_names, (int)cloud));
    assert_int_equal(glob(pattern, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        OWNED(bytes_done) struct bytes content = {0};
        OWNED(json_drop) json_t *policy = NULL;
        assert_ok(file_read(files.gl_pathv[i], 1 << 16, &content, &err));
        assert_ok(json_parse(bytes_span(&content), 1 << 16, &policy, &err));
        add_policy(policy, out);
    }
    globfree(&files);
    return out;
}

/* ---- one round without it ------------------------------------------------------------------- */

/* What still runs was named, for it could not be ended; here it is. */
static void assert_what_runs_is_named(struct sim_cloud *sim, const json_t *report)
{
    size_t running = 0;
    pthread_mutex_lock(&sim->world.lock);
    for (size_t i = 0; i < sim->world.count; i++) {
        if (sim->world.machines[i]->state == VM_TERMINATED)
            continue;
        running++;
        world_move(&sim->world, sim->world.machines[i], VM_TERMINATED);
    }
    pthread_mutex_unlock(&sim->world.lock);
    if (running > json_array_size(json_object_get(report, "left_running")))
        fail_msg("%zu machines run, and are not named", running);
}

static void deny(struct sim_cloud *sim, const char *permission)
{
    const struct account_test_options options = {.wait_seconds = 10, .look_ms = 2};
    const struct calls calls = calls_that_take(sim->row->cloud, permission);
    struct error err = {0};
    OWNED(json_drop) json_t *report = NULL;
    const int64_t began = clock_monotonic_ms();
    if (calls.count == 0)
        fail_msg("no call takes %s", permission);
    for (size_t i = 0; i < calls.count; i++)
        sim_cloud_deny(sim, calls.at[i], permission);
    const enum outcome outcome = account_test(&sim->account, &options, &report, &err);
    const json_t *missing = json_object_get(report, "missing_permissions");
    const char *named = json_string_value(json_array_get(missing, 0));
    if (outcome != ERR_DENIED || json_array_size(missing) != 1 || strcmp(named, permission) != 0)
        fail_msg("without %s: %s, named %s", permission, err.text, named != NULL ? named : "none");
    if (clock_monotonic_ms() - began > ROUND_MS_MOST)
        fail_msg("without %s it takes too long", permission);
    assert_what_runs_is_named(sim, report);
    sim_cloud_forgive(sim);
}

static void each_documented_permission_is_named_when_it_is_denied(void **state)
{
    struct sim_cloud *sim = *state;
    OWNED(json_drop) json_t *permissions = documented(sim->row->cloud);
    size_t i;
    const json_t *one;
    assert_true(json_array_size(permissions) > 10);
    json_array_foreach (permissions, i, one)
        deny(sim, json_string_value(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_documented_permission_is_named_when_it_is_denied,
                                        sim_cloud_open, sim_cloud_close_known),
    };
    return sim_cloud_run("account permissions", tests, countof(tests));
}
