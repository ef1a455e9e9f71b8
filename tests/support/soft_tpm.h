/* A TPM in software: swtpm, a process of its own, with the test as the wire between it and whoever
 * asks it, so that things happen to it at the worst of moments. */
#ifndef MUSTER_TESTS_SOFT_TPM_H
#define MUSTER_TESTS_SOFT_TPM_H

#include <stdint.h>

#include "lib/base/bytes.h"

enum {
    SOFT_TPM_GET_CAPABILITY = 0x17a,
    SOFT_TPM_NV_READ_PUBLIC = 0x169,
    SOFT_TPM_NV_READ = 0x14e, /* TPM_CC_... */
    SOFT_TPM_QUOTE = 0x158,
    SOFT_TPM_PCR_READ = 0x17e,
};

/* What happens once the TPM answered a command and before the answer arrives. */
enum soft_tpm_event {
    SOFT_TPM_NOTHING,
    SOFT_TPM_EXTENDED, /* somebody extends register 7 */
    SOFT_TPM_CUT,      /* the wire is cut; who comes anew is heard */
    SOFT_TPM_GONE,     /* the TPM dies */
    SOFT_TPM_LATE,     /* an hour passes, by the frozen clock */
    SOFT_TPM_SAYS,     /* the answer is this response code instead */
    SOFT_TPM_REPEATS,  /* the answer is the first of these again */
    SOFT_TPM_NOUGHT,   /* the answer's last four bytes are zero */
};

struct soft_tpm;

struct soft_tpm *soft_tpm_start(void); /* a new one, empty, as after a start of its machine */
struct soft_tpm *soft_tpm_start_as(struct span state); /* with what another one kept */
void soft_tpm_stop(struct soft_tpm *tpm);
void soft_tpm_state(const struct soft_tpm *tpm, struct bytes *out); /* its keys and indices */

const char *soft_tpm_tcti(const struct soft_tpm *tpm);

/* At the next `times` answers to this command. */
void soft_tpm_plan(struct soft_tpm *tpm, uint32_t command, enum soft_tpm_event event, int times);
void soft_tpm_plan_answer(struct soft_tpm *tpm, uint32_t command, uint32_t answer, int times);
int soft_tpm_heard(struct soft_tpm *tpm, uint32_t command); /* how often, since it started */

/* Answers whole commands in the TPM's place where it says so; for as long as the TPM lives. */
typedef bool soft_tpm_other(uint32_t command, struct span whole, struct bytes *out);
void soft_tpm_stand_in(struct soft_tpm *tpm, soft_tpm_other *other);

/* A tool of tpm2-tools with its arguments: "tpm2_clear -c p". */
PRINTF(2, 3) void soft_tpm_tool(struct soft_tpm *tpm, const char *format, ...);

/* An index that holds this, for the owner to read and write. */
void soft_tpm_put(struct soft_tpm *tpm, uint32_t index, struct span content);
/* As Azure's: RSA 2048, restricted, persistent at 0x81000003. */
void soft_tpm_make_azure_key(struct soft_tpm *tpm);

#endif
