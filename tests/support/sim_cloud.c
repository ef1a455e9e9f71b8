#include "tests/support/sim_cloud.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define KEY_ID "AKIATEST"
#define SECRET "test/secret+key"

static void *tick(void *context)
{
    struct sim_cloud *sim = context;
    for (bool ending = false; !ending;) {
        pthread_mutex_lock(&sim->world.lock);
        ending = sim->ending;
        int64_t wait_ms = guests_tick(&sim->guests);
        pthread_mutex_unlock(&sim->world.lock);
        struct pollfd wake = {.fd = sim->world.wake, .events = POLLIN};
        uint64_t unused;
        if (!ending && poll(&wake, 1, (int)wait_ms) > 0)
            assert_true(read(wake.fd, &unused, sizeof unused) > 0);
    }
    return NULL;
}

static void answer(void *context, const struct face_request *request, struct face_answer *out)
{
    aws_api_answer(&((struct sim_cloud *)context)->api, request, out);
}

static void start(struct sim_cloud *sim)
{
    struct error err = {0};
    int64_t port;
    const struct world_settings settings = {.folder = sim->folder, .boot_ms = 5, .stop_ms = 5};
    assert_ok(world_open(&settings, &sim->world, &err));
    assert_ok(images_open("", &sim->images, &err));
    assert_ok(processor_open(&sim->world, &sim->images, NULL, &sim->processor, &err));
    sim->guest = (struct guest_settings){.agent_command = (char *)(uintptr_t) "",
                                         .agent_config = (char *)(uintptr_t) "",
                                         .run_folder = scratch_path(sim->folder, "run")};
    sim->guests = (struct guests){&sim->guest, &sim->world, sim->processor};
    sim->api = (struct aws_api){&sim->world, &sim->images, "us-east-2", KEY_ID, SECRET, 1000};
    assert_ok(face_open(0, NULL, answer, sim, &sim->face, &port, &err));
    snprintf(sim->account.endpoint, sizeof sim->account.endpoint, "http://127.0.0.1:%lld",
             (long long)port);
    sim->ending = false;
    assert_int_equal(pthread_create(&sim->clockwork, NULL, tick, sim), 0);
}

static void end(struct sim_cloud *sim)
{
    pthread_mutex_lock(&sim->world.lock);
    sim->ending = true;
    pthread_mutex_unlock(&sim->world.lock);
    world_wake(&sim->world);
    pthread_join(sim->clockwork, NULL);
    face_close(sim->face);
    guests_end(&sim->guests);
    processor_close(sim->processor);
    images_done(&sim->images);
    world_close(&sim->world);
    free(sim->guest.run_folder);
}

int sim_cloud_open(void **state)
{
    struct sim_cloud *sim = NEW(struct sim_cloud);
    void *folder;
    if (scratch_open(&folder) != 0)
        return -1;
    sim->folder = folder;
    setenv("AWS_ACCESS_KEY_ID", KEY_ID, 1);
    setenv("AWS_SECRET_ACCESS_KEY", SECRET, 1);
    unsetenv("AWS_SESSION_TOKEN");
    sim->account = (struct account){
        .name = "sim", .driver = DRIVER_AWS, .region = "us-east-2", .owner = "tests"};
    sim->account.test = json_pack("{s:s, s:s}", "image", SIM_IMAGE, "size", "m6a.large");
    start(sim);
    *state = sim;
    return 0;
}

int sim_cloud_close(void **state)
{
    struct sim_cloud *sim = *state;
    end(sim);
    void *folder = sim->folder;
    int failed = scratch_close(&folder);
    account_done(&sim->account);
    free(sim);
    return failed;
}

void sim_cloud_reopen(struct sim_cloud *sim)
{
    end(sim);
    start(sim);
}

void sim_cloud_prank(struct sim_cloud *sim, const char *action, const char *fault)
{
    struct error err = {0};
    OWNED(json_drop) json_t *wish = json_pack("{s:s, s:s}", "action", action, "fault", fault);
    pthread_mutex_lock(&sim->world.lock);
    assert_ok(mischief_add(&sim->world.mischief, wish, &err));
    pthread_mutex_unlock(&sim->world.lock);
}

size_t sim_cloud_count(struct sim_cloud *sim, const char *event)
{
    pthread_mutex_lock(&sim->world.lock);
    OWNED(json_drop) json_t *entries = ledger_since(sim->world.ledger, 0);
    pthread_mutex_unlock(&sim->world.lock);
    size_t i, count = 0;
    json_t *entry;
    json_array_foreach (entries, i, entry)
        count += strcmp(json_string_value(json_object_get(entry, "event")), event) == 0;
    return count;
}
