#include "tests/support/sim_ec2.h"

#include "tests/support/sim_cloud.h"
#include "tests/support/test.h"

struct sim_cloud *sim_ec2_open(void)
{
    void *made = NULL;
    assert_int_equal(sim_cloud_open(&made), 0);
    return made;
}

int sim_ec2_close(struct sim_cloud *sim)
{
    void *made = sim;
    return sim_cloud_close(&made);
}

struct account *sim_ec2_account(struct sim_cloud *sim)
{
    return &sim->account;
}

void sim_ec2_page(struct sim_cloud *sim, int64_t most)
{
    sim_cloud_page(sim, most);
}

size_t sim_ec2_count(struct sim_cloud *sim, const char *event)
{
    return sim_cloud_count(sim, event);
}
