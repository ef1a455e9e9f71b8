/* Credentials of another account, on every cloud: nothing goes out for it but the question whose
 * they are, and with the right ones all is as before. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/scratch.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

/* Whoever signed in before has to do it again. */
static void turn_to(struct sim_cloud *sim, const char *account)
{
    struct error err = {0};
    OWNED(json_drop) json_t *wish = json_object();
    json_put_text(wish, "cloud", name_of(&account_driver_names, (int)sim->row->cloud));
    if (account != NULL)
        json_put_text(wish, "account", account);
    pthread_mutex_lock(&sim->world.lock);
    const enum outcome outcome = whose_turn(&sim->whose, wish, &err);
    pthread_mutex_unlock(&sim->world.lock);
    assert_ok(outcome);
}

static const char *another_of(const struct sim_cloud *sim)
{
    static const char *const others[ACCOUNT_DRIVER_COUNT] = {
        [DRIVER_AWS] = "111111111111",
        [DRIVER_AZURE] = "11111111-0000-0000-0000-000000000000",
        [DRIVER_GCP] = "somebody-else",
    };
    return others[sim->row->cloud];
}

static struct cloud *opened(struct sim_cloud *sim, const struct driver **out_driver)
{
    struct error err = {0};
    struct cloud *cloud = NULL;
    assert_ok(driver_of(&sim->account, out_driver, &err));
    assert_ok((*out_driver)->open(&sim->account, &cloud, &err));
    return cloud;
}

static enum outcome launch(const struct sim_cloud *sim, const struct driver *driver,
                           struct cloud *cloud, struct sighting *out, struct error *err)
{
    struct cloud_operation operation;
    char token[LAUNCH_TOKEN_SIZE];
    const struct launch_order order = {.instance = uuid_new(),
                                       .generation = 1,
                                       .fleet = "web",
                                       .client_token = token,
                                       .image = sim->row->image,
                                       .size = sim->row->size};
    launch_token(&order.instance, 1, token);
    return driver->launch(cloud, &order, out, &operation, err);
}

/* From now on the account knows whose it is, as after a first look, and has one machine. */
static void settle(struct sim_cloud *sim, struct sighting *out)
{
    struct error err = {0};
    const struct driver *driver;
    struct cloud_identity who;
    struct cloud *cloud = opened(sim, &driver);
    assert_ok(driver->identify(cloud, &who, &err));
    assert_ok(launch(sim, driver, cloud, out, &err));
    driver->close(cloud);
    snprintf(sim->account.cloud_account, sizeof sim->account.cloud_account, "%s", who.account);
}

#define assert_refused(call) assert_fails(call, ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT)

static void assert_nothing_goes_out(const struct sim_cloud *sim, const struct driver *driver,
                                    struct cloud *cloud, const struct sighting *ours)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    OWNED(leftover_list_done) struct leftover_list left = {0};
    struct offer_list offers = {0};
    struct sighting seen;
    assert_refused(driver->turn(cloud, &err));
    assert_refused(driver->list(cloud, &list, &err));
    assert_refused(driver->find_token(cloud, ours->client_token, &list, &err));
    assert_refused(driver->find(cloud, ours->ref, ours->machine_id, &seen, &err));
    assert_refused(launch(sim, driver, cloud, &seen, &err));
    assert_refused(driver->stop(cloud, ours->ref, NULL, &err));
    assert_refused(driver->start(cloud, ours->ref, NULL, &err));
    assert_refused(driver->terminate(cloud, ours->ref, ours->machine_id, NULL, &err));
    assert_refused(driver->offers(cloud, &offers, &err));
    assert_refused(driver->leftovers(cloud, &left, &err));
    const char *disk = driver->id == DRIVER_AWS ? "vol-00000000000000001" : ours->ref;
    assert_refused(driver->discard(cloud, LEFTOVER_DISK, disk, &err));
    assert_int_equal(list.count + left.count + offers.count, 0);
}

static void assert_is_as_it_was(struct sim_cloud *sim, const struct driver *driver,
                                struct cloud *cloud, const struct sighting *ours)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    assert_ok(driver->list(cloud, &list, &err));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.at[0].ref, ours->ref);
    assert_int_equal(sim_cloud_count(sim, "launched"), 1);
    assert_int_equal(sim_cloud_count(sim, "shutting-down") + sim_cloud_count(sim, "stopping"), 0);
}

static void credentials_of_another_account_do_nothing(void **state)
{
    struct sim_cloud *sim = *state;
    const struct driver *driver;
    struct sighting ours;
    settle(sim, &ours);
    turn_to(sim, another_of(sim));
    struct cloud *cloud = opened(sim, &driver);
    assert_nothing_goes_out(sim, driver, cloud, &ours);
    driver->close(cloud);
    turn_to(sim, NULL);
    cloud = opened(sim, &driver);
    assert_is_as_it_was(sim, driver, cloud, &ours);
    driver->close(cloud);
}

/* Keys of AWS by themselves are never renewed: a session of a role is. */
static void take_a_role(const struct sim_cloud *sim)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(sim->folder, "web-identity");
    assert_ok(file_write(path, span_of_text("header.claims.signature"), 0600, &err));
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    setenv("AWS_ROLE_ARN", "arn:aws:iam::000000000000:role/muster", 1);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
}

/* Even where all was well before, and again afterwards, when one more question may be needed. */
static void credentials_that_are_renewed_are_asked_whose_they_are(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    const struct driver *driver;
    struct sighting ours, seen;
    take_a_role(sim);
    settle(sim, &ours);
    struct cloud *cloud = opened(sim, &driver);
    assert_is_as_it_was(sim, driver, cloud, &ours);
    turn_to(sim, another_of(sim));
    assert_refused(driver->terminate(cloud, ours.ref, ours.machine_id, NULL, &err));
    assert_nothing_goes_out(sim, driver, cloud, &ours);
    turn_to(sim, NULL);
    error_ignore(driver->find(cloud, ours.ref, ours.machine_id, &seen, &err));
    assert_is_as_it_was(sim, driver, cloud, &ours);
    driver->close(cloud);
}

#define WITH_CLOUD(test)                                                                           \
    cmocka_unit_test_setup_teardown(test, sim_cloud_open, sim_cloud_close_known)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CLOUD(credentials_of_another_account_do_nothing),
        WITH_CLOUD(credentials_that_are_renewed_are_asked_whose_they_are),
    };
    return sim_cloud_run("whose", tests, countof(tests));
}
