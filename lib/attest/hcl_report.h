/* What Azure's paravisor keeps in the vTPM's NV index 0x01400001: the hardware report it asked for
 * at boot, and the runtime claims whose digest stands in that report's data (Azure, "Guest
 * attestation: HCL report"). The claims name the vTPM's attestation key. */
#ifndef MUSTER_ATTEST_HCL_REPORT_H
#define MUSTER_ATTEST_HCL_REPORT_H

#include "lib/base/json.h"
#include "lib/crypto/digest.h"

enum { HCL_REPORT_MAX = 16 * 1024, HCL_HARDWARE_SIZE = 1184, HCL_KEY_MAX = 256 };

struct hcl_report {
    uint32_t version;
    uint32_t report_size;
    uint32_t request_type;
    uint32_t data_size;
    uint32_t data_version;
    uint32_t report_type;
    uint32_t hash_type;
    struct span hardware; /* the SNP report; borrowed, like the claims */
    struct span claims;   /* JSON, exactly as hashed */
};

/* ERR_INVALID "malformed"; "unsupported-report-type": a TDX machine's, by type and by content. */
enum outcome hcl_report_read(struct span in, struct hcl_report *out, struct error *err);

/* Does the hardware report's data carry the digest of these claims, and zeroes behind it? */
bool hcl_report_binds(const struct hcl_report *hcl, struct span report_data);

struct hcl_claims {
    json_t *json; /* owned */
    size_t modulus_len;
    uint8_t modulus[HCL_KEY_MAX]; /* of HCLAkPub, like the exponent */
    size_t exponent_len;
    uint8_t exponent[8];
    const char *vm_id; /* vmUniqueId; "" when there is none */
};

void hcl_claims_done(struct hcl_claims *claims);
/* ERR_INVALID "malformed": not JSON, a member twice, no attestation key or two. */
enum outcome hcl_claims_read(struct span text, struct hcl_claims *out, struct error *err);

#endif
