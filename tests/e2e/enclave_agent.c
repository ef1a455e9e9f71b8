/* What the agent's program needs to be an enclave's on a machine that is none: its device is a file
 * with the root of a made-up security module. */
#include "agent/nsm.h"
#include "tests/support/fake_nsm.h"
#include "tests/support/nsm.h"

static int module_open(const char *path)
{
    nsm_keep(path, clock_now());
    return fake_nsm_calls.open(path);
}

static int module_ioctl(int device, struct nsm_message *message)
{
    return fake_nsm_calls.ioctl(device, message);
}

const struct nsm_calls nsm_kernel_calls = {module_open, module_ioctl};
