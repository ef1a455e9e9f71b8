/* Credentials of another account, on every cloud: nothing goes out for it but the question whose
 * they are, and with the right ones all is as before. */
#include <stdio.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

static void turn_to(struct sim_cloud *sim, bool other)
{
    sim->aws.account = other ? "111111111111" : NULL;
    sim->arm.subscription =
        other ? "11111111-0000-0000-0000-000000000000" : sim->account.subscription;
    sim->gce.project = other ? "somebody-else" : "muster-sim";
}

static void assert_is_refused(const struct driver *driver, struct cloud *cloud,
                              const struct launch_order *order)
{
    struct error err = {0};
    OWNED(sighting_list_done) struct sighting_list list = {0};
    struct sighting seen;
    struct cloud_operation operation;
    const char *ref = order->client_token;
    assert_fails(driver->turn(cloud, &err), ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT);
    assert_fails(driver->list(cloud, &list, &err), ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT);
    assert_fails(driver->find_token(cloud, ref, &list, &err), ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT);
    assert_fails(driver->launch(cloud, order, &seen, &operation, &err), ERR_UNREACHABLE,
                 WRONG_CLOUD_ACCOUNT);
    assert_int_equal(list.count, 0);
}

static void credentials_of_another_account_do_nothing(void **state)
{
    struct sim_cloud *sim = *state;
    struct error err = {0};
    const struct driver *driver;
    struct cloud *cloud = NULL;
    struct cloud_identity who;
    char token[LAUNCH_TOKEN_SIZE];
    OWNED(sighting_list_done) struct sighting_list list = {0};
    struct launch_order order = {.instance = uuid_new(),
                                 .generation = 1,
                                 .fleet = "web",
                                 .client_token = token,
                                 .image = sim->row->image,
                                 .size = sim->row->size};
    launch_token(&order.instance, 1, token);
    assert_ok(driver_of(&sim->account, &driver, &err));
    assert_ok(driver->open(&sim->account, &cloud, &err));
    assert_ok(driver->identify(cloud, &who, &err));
    driver->close(cloud);
    snprintf(sim->account.cloud_account, sizeof sim->account.cloud_account, "%s", who.account);
    turn_to(sim, true);
    assert_ok(driver->open(&sim->account, &cloud, &err));
    assert_is_refused(driver, cloud, &order);
    driver->close(cloud);
    assert_int_equal(sim_cloud_count(sim, "launched"), 0);
    turn_to(sim, false);
    assert_ok(driver->open(&sim->account, &cloud, &err));
    assert_ok(driver->list(cloud, &list, &err));
    driver->close(cloud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(credentials_of_another_account_do_nothing, sim_cloud_open,
                                        sim_cloud_close),
    };
    return sim_cloud_run("whose", tests, countof(tests));
}
