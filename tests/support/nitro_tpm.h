/* What AWS's TPM has beside a TPM's own: an index that is larger than swtpm's may be, and the
 * command that makes documents. It stands in for swtpm where these are meant, as doc/decisions/0019
 * has it. */
#ifndef MUSTER_TESTS_NITRO_TPM_H
#define MUSTER_TESTS_NITRO_TPM_H

#include "tests/support/nsm.h"
#include "tests/support/soft_tpm.h"

enum { NITRO_TPM_INDEX = 0x01804d55, NITRO_TPM_COMMAND = 0x20000001, NITRO_TPM_ROOM = 8192 };

extern struct nitro_tpm {
    struct nsm_wish wish; /* of its documents; nonce, key and data are those that are asked for */
    const char *says;     /* in hex, instead of a document */
    uint32_t refuses;     /* the command's answer, where not 0 */

    bool defined;
    uint16_t size;
    int definitions; /* so far */
    struct bytes heard;
    struct bytes command; /* the last, whole */
} nitro_tpm;

void nitro_tpm_set_up(struct soft_tpm *tpm);
void nitro_tpm_tear_down(void);

#endif
