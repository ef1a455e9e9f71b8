#include "tests/support/sim_host.h"

#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

/* Google's labels have no colons. */
static const char *wish_of(const struct sim_cloud *sim)
{
    return sim->row->cloud == DRIVER_GCP ? "muster-sim-maintenance" : "muster-sim:maintenance";
}

struct sim_cloud *sim_host_open(enum account_driver cloud)
{
    void *made = NULL;
    for (size_t i = 0; i < sim_row_count && made == NULL; i++)
        if (sim_rows[i].cloud == cloud)
            made = (void *)(uintptr_t)&sim_rows[i];
    assert_int_equal(sim_cloud_open(&made), 0);
    return made;
}

int sim_host_close(struct sim_cloud *sim)
{
    void *made = sim;
    return sim_cloud_close(&made);
}

struct account *sim_host_account(struct sim_cloud *sim)
{
    return &sim->account;
}

struct sighting sim_host_launch(struct sim_cloud *sim, const struct uuid *instance)
{
    struct error err = {0};
    struct cloud *cloud = NULL;
    const struct driver *driver;
    struct sighting machine = {0};
    struct cloud_operation operation;
    char token[LAUNCH_TOKEN_SIZE];
    launch_token(instance, 1, token);
    const struct launch_order order = {.instance = *instance,
                                       .generation = 1,
                                       .fleet = "web",
                                       .client_token = token,
                                       .image = sim->row->image,
                                       .size = sim->row->size};
    assert_ok(driver_of(&sim->account, &driver, &err));
    assert_ok(driver->open(&sim->account, &cloud, &err));
    assert_ok(driver->launch(cloud, &order, &machine, &operation, &err));
    driver->close(cloud);
    return machine;
}

void sim_host_announce(struct sim_cloud *sim, bool coming)
{
    pthread_mutex_lock(&sim->world.lock);
    for (size_t i = 0; i < sim->world.count; i++)
        if (coming)
            machine_set_tag(sim->world.machines[i], wish_of(sim), "instance-stop");
        else
            machine_drop_tag(sim->world.machines[i], wish_of(sim));
    pthread_mutex_unlock(&sim->world.lock);
}

void sim_host_put_off(struct sim_cloud *sim, int64_t seconds)
{
    pthread_mutex_lock(&sim->world.lock);
    for (size_t i = 0; i < sim->world.count; i++) {
        struct machine *machine = sim->world.machines[i];
        machine->launched = moment_add_seconds(machine->launched, seconds);
    }
    pthread_mutex_unlock(&sim->world.lock);
}

void sim_host_prank(struct sim_cloud *sim, const char *call, const char *fault)
{
    sim_cloud_prank(sim, call != NULL ? call : sim->row->call.list, fault);
}
