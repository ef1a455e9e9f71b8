/* A made-up security module of enclaves: documents under a root of its own, with certificates,
 * registers and fields as genuine ones have them, each to be changed in one thing. */
#ifndef MUSTER_TESTS_NSM_H
#define MUSTER_TESTS_NSM_H

#include "lib/attest/nitro_judge.h"

/* Root, regional, instance, leaf. */
enum { NSM_ROOT, NSM_REGION, NSM_INSTANCE, NSM_LEAF, NSM_CERTS };

enum nsm_curve { NSM_P384, NSM_P256 };

/* One certificate of the path. */
struct nsm_cert {
    int64_t from, to; /* seconds since 1970 */
    bool ca;
    bool may_sign;  /* what it is for: certificates or documents */
    bool signs_all; /* both */
    enum nsm_curve curve;
    bool sha256;           /* signed with that digest */
    bool by_other_key;     /* signed by a key of nobody */
    bool critical_unknown; /* an extension nobody knows */
};

/* What it shall make; start from nsm_wish() and change one thing. */
struct nsm_wish {
    struct nsm_cert certs[NSM_CERTS];
    int root; /* 0 or 1: another maker's */
    bool without_region;
    bool root_last;
    size_t bundle_repeated; /* so many further copies of the root */
    const char *module_id;
    const char *digest;
    uint64_t timestamp_ms;
    uint8_t image; /* every byte of PCR0 to 2; 0: debug mode */
    size_t pcr_len;
    bool without_image; /* no PCR0 */
    bool pcr_twice;
    bool of_tpm; /* "nitrotpm_pcrs" */
    bool of_both;
    const uint8_t (*registers)[48];           /* of a machine: 24; NULL: those of an enclave */
    uint8_t parent;                           /* of PCR4 */
    struct span nonce, public_key, user_data; /* NULL: null */
    bool fields_null;                         /* all three */
    bool fields_absent;
    bool indefinite;
    bool tagged;
    int algorithm; /* of the protected header, as the number after -1 */
    bool unprotected;
    bool unknown_member;
    bool module_twice;
    bool without_timestamp;
    size_t payload_trailing, trailing;
    bool signed_by_other;
    uint8_t signature_flip, module_flip; /* of one byte, after signing */
    size_t signature_len;
};

struct nsm_wish nsm_wish(void);

enum { NSM_NOW = 1795478400 }; /* when all certificates of a plain wish are valid */

void nsm_make(const struct nsm_wish *wish, struct bytes *out);
/* DER of that root, the same for the whole run. */
struct span nsm_root(int which);

/* From now on root 0 and its key are those of the file (PEM, CN "made-up enclaves 0"), for more
 * than one process, and it is `now`. */
void nsm_keep(const char *path, struct moment now);

#endif
