/* A machine of Azure: a TPM in software with a made-up paravisor's report in its index and the key
 * that the report vouches for; the agent's driver opens it, and a keeper judges what comes out. */
#ifndef MUSTER_TESTS_AZURE_MACHINE_H
#define MUSTER_TESTS_AZURE_MACHINE_H

#include "agent/tee.h"
#include "tests/support/fake_http.h"
#include "tests/support/paravisor.h"
#include "tests/support/soft_tpm.h"

enum { AZURE_INDEX_REPORT = 0x01400001, AZURE_INDEX_USER_DATA = 0x01400002 };

extern struct azure_machine {
    struct soft_tpm *tpm;
    char *folder;
    struct tee_places places; /* for the driver; nobody is asked for certificates */
    struct paravisor paravisor;
} azure_machine;

/* For cmocka, a machine a test; the group has the simulator's set-up. */
int azure_machine_set_up(void **state);
int azure_machine_tear_down(void **state);

void azure_machine_put_report(const char *claims_more);
struct tee *azure_machine_open(void);

/* The reason a keeper gives that knows the simulator's roots and wants register 4 as at the TPM's
 * start. The evidence is printed and read as on its way; what brings no certificates gets the
 * simulator's, as from a controller. */
const char *azure_machine_judge(const struct evidence *sent,
                                const struct evidence_binding *binding);

/* The TCB in the machine's report. */
uint64_t azure_machine_tcb(void);

/* Who gives certificates to the machine, over HTTP; the driver is told where when it starts. */
struct azure_host {
    struct fake_http *host;
    char program[512];
    char url[128];
};
void azure_host_start(struct azure_host *host);
void azure_host_done(struct azure_host *host);
void azure_host_say_certificates(struct azure_host *host);
/* The right ones' answer, but for this TCB and with something before the key's; the caller frees
 * it. */
char *azure_host_certificates(uint64_t tcb, const char *before);

#endif
