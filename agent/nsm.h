/* The security module of AWS's enclaves, /dev/nsm (linux/nsm.h, Linux 6.8 and later, and Amazon's
 * own driver before): CBOR to it and CBOR back through one ioctl. What touches the device stands
 * behind a seam, so that a test can be the module. */
#ifndef MUSTER_AGENT_NSM_H
#define MUSTER_AGENT_NSM_H

#include <sys/uio.h>

#include "lib/attest/evidence.h"

enum { NSM_REQUEST_MAX = 0x1000, NSM_RESPONSE_MAX = 0x3000 };

/* As the kernel takes it: the response's room goes in, its length comes back. */
struct nsm_message {
    struct iovec request;
    struct iovec response;
};

/* Both give -errno on failure. */
struct nsm_calls {
    int (*open)(const char *path);
    int (*ioctl)(int device, struct nsm_message *message);
};
extern const struct nsm_calls nsm_kernel_calls;

/* {"Attestation": {"user_data": binding, "nonce": nonce, "public_key": sealing key}}; null for a
 * field that is empty. */
void nsm_request(const struct evidence_binding *asked, struct bytes *out);

/* The document in {"Attestation": {"document": ...}}, borrowed. ERR_DENIED "nsm-refused":
 * {"Error": ...}; ERR_INVALID "nsm-bad-answer": anything else. */
enum outcome nsm_answer_read(struct span in, struct span *out_document, struct error *err);
/* The same at the beginning of a room that is larger. */
enum outcome nsm_answer_begins(struct span in, struct span *out_document, struct error *err);

enum outcome nsm_attest(const struct nsm_calls *calls, const char *path,
                        const struct evidence_binding *asked, struct bytes *out_document,
                        struct error *err);

#endif
