/* An enclave's security module as a device, with documents of tests/support/nsm.h over what it is
 * asked: what it does wrong, and what it saw. */
#ifndef MUSTER_TESTS_FAKE_NSM_H
#define MUSTER_TESTS_FAKE_NSM_H

#include "agent/nsm.h"

extern struct fake_nsm {
    int open_number, ioctl_number; /* errno of what fails */
    const char *says;              /* in hex, instead of a document */
    size_t claims_len;             /* what it says its answer's length is */
    struct bytes heard;
} fake_nsm;

extern const struct nsm_calls fake_nsm_calls;

int fake_nsm_reset(void **state); /* for cmocka, before and after */

#endif
