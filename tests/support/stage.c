#include "tests/support/stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "db/account_store.h"
#include "db/fleet_store.h"
#include "db/image_store.h"
#include "lib/base/file.h"
#include "tests/support/database.h"
#include "tests/support/fake_cloud.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { WAIT_MS = 30000, LOOK_MS = 50 };

struct stage stage;

void stage_write(const char *path, const char *content)
{
    struct error err = {0};
    assert_ok(file_write(path, span_of_text(content), 0600, &err));
}

static void read_json(const char *text, json_t **out)
{
    struct error err = {0};
    assert_ok(json_parse(span_of_text(text), 65536, out, &err));
}

static void add_account_and_image(void)
{
    struct error err = {0};
    OWNED(json_drop) json_t *account_json = NULL;
    OWNED(json_drop) json_t *image_json = NULL;
    OWNED(account_done) struct account account = {0};
    OWNED(image_done) struct image image = {0};
    read_json("{\"name\":\"cloud\",\"driver\":\"aws\",\"region\":\"us-east-2\",\"owner\":\"test\","
              "\"credentials\":{\"source\":\"environment\"}}",
              &account_json);
    read_json("{\"name\":\"image\",\"driver\":\"aws\",\"ref\":\"ami-1\"}", &image_json);
    assert_ok(account_from_json(account_json, "", &account, &err));
    assert_ok(image_from_json(image_json, &image, &err));
    assert_ok(account_store_add(stage.db, PROJECT_DEFAULT, &account, "token:test", &err));
    assert_ok(image_store_add(stage.db, PROJECT_DEFAULT, &image, "token:test", &err));
}

int stage_open(void **state)
{
    struct error err = {0};
    void *folder = NULL;
    (void)state;
    scratch_open(&folder);
    stage = (struct stage){.folder = folder};
    stage.key_file = scratch_path(stage.folder, "key.pem");
    stage.root_file = scratch_path(stage.folder, "root.pem");
    stage_write(stage.key_file, "the controller's key");
    stage_write(stage.root_file, "the root");
    stage.db = database_open();
    assert_ok(db_listen(stage.db, &err));
    assert_ok(db_script(stage.db, "TRUNCATE instances, fleets, images, accounts CASCADE", &err));
    fake_cloud_reset();
    add_account_and_image();
    stage.settings = (struct service_settings){
        .database = database_url(),
        .link_url = "tls+tcp://127.0.0.1:4711",
        .key_file = stage.key_file,
        .root_file = stage.root_file,
        .project = PROJECT_DEFAULT,
        .heartbeat_seconds = 30,
        .workers = 2,
        .lease_seconds = 20, /* a machine that stands still for a while is no dead one */
        .watch_seconds = 1,
    };
    return 0;
}

int stage_close(void **state)
{
    (void)state;
    void *folder = stage.folder;
    assert_true(workers_stop(stage.workers, STAGE_STOP_MS));
    db_close(stage.db);
    free(stage.key_file);
    free(stage.root_file);
    return scratch_close(&folder);
}

void stage_start(void)
{
    struct error err = {0};
    assert_ok(workers_start_with(&stage.settings, fake_driver_of, &stage.workers, &err));
}

void stage_stop(void)
{
    assert_true(workers_stop(stage.workers, STAGE_STOP_MS));
    stage.workers = NULL;
}

void stage_run_until_killed(void)
{
    stage.settings.lease_seconds = 1; /* what a dead one held is free again so soon */
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct error err = {0};
        struct workers *workers = NULL;
        if (workers_start_with(&stage.settings, fake_driver_of, &workers, &err) != OK)
            _exit(1);
        for (;;)
            pause();
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void stage_fleet(int64_t desired)
{
    struct error err = {0};
    OWNED(fleet_done)
    struct fleet fleet = {.name = "web",
                          .desired = desired,
                          .account = "cloud",
                          .image = "image",
                          .size = "m6a.large",
                          .policy = "web",
                          .secrets = json_array()};
    assert_ok(fleet_store_add(stage.db, PROJECT_DEFAULT, &fleet, "token:test", &err));
}

void stage_scale(int64_t desired)
{
    struct error err = {0};
    OWNED(fleet_done) struct fleet fleet = {0};
    OWNED(fleet_done) struct fleet now = {0};
    assert_ok(fleet_store_find(stage.db, PROJECT_DEFAULT, "web", &fleet, &err));
    fleet.desired = desired;
    assert_ok(fleet_store_update(stage.db, PROJECT_DEFAULT, &fleet, 0, "token:test", &now, &err));
}

/* ---- looking and waiting --------------------------------------------------------------------- */

struct instance_list stage_rows(const char *phase, bool with_terminated)
{
    struct error err = {0};
    struct instance_list list = {0};
    char cursor[CURSOR_SIZE];
    const struct instance_filter filter = {.project = PROJECT_DEFAULT,
                                           .phase = phase,
                                           .with_terminated = with_terminated,
                                           .limit = 1000};
    assert_ok(instance_store_list(stage.db, &filter, &list, cursor, &err));
    return list;
}

int64_t stage_count(const char *phase)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows(phase, true);
    return (int64_t)list.count;
}

void stage_wait(stage_seen_fn *seen, int64_t wanted, const char *what)
{
    struct error err = {0};
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    while (!seen(wanted)) {
        if (clock_monotonic_ms() > until)
            fail_msg("not seen in time: %s, %lld", what, (long long)wanted);
        bool woken;
        assert_ok(db_wait(stage.db, LOOK_MS, &woken, &err));
    }
}

/* ---- what is seen ---------------------------------------------------------------------------- */

bool stage_booting(int64_t wanted)
{
    return stage_count("booting") == wanted;
}

bool stage_running(int64_t wanted)
{
    return stage_count("running") == wanted;
}

bool stage_terminated(int64_t wanted)
{
    return stage_count("terminated") == wanted;
}

bool stage_failed(int64_t wanted)
{
    return stage_count("failed") == wanted;
}

bool stage_machines(int64_t wanted)
{
    return fake_cloud_machines() == wanted;
}

/* Every row with a machine has its own, every machine has a row: nothing lost, nothing doubled. */
void assert_one_machine_a_row(int64_t expected)
{
    OWNED(instance_list_done) struct instance_list list = stage_rows("booting", false);
    assert_int_equal(list.count, expected);
    assert_int_equal(fake_cloud_machines(), expected);
    for (size_t i = 0; i < list.count; i++) {
        int found = 0;
        for (int m = 0; m < fake_cloud_launches(); m++) {
            const struct sighting *seen = &fake_cloud_machine(m)->seen;
            bool same = strcmp(seen->ref, list.at[i].cloud_ref) == 0;
            found += same;
            if (same) {
                assert_true(uuid_equal(&seen->instance, &list.at[i].id));
                assert_string_equal(seen->client_token, list.at[i].client_token);
            }
        }
        assert_int_equal(found, 1);
    }
}
