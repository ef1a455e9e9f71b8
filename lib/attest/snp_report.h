/* The SEV-SNP attestation report: 1184 bytes in every version (AMD 56860; facts/attestation.md
 * section 1). Reading is separate from judging: any 1184 bytes can be shown, and
 * snp_report_fault() says what no genuine firmware would have written. */
#ifndef MUSTER_ATTEST_SNP_REPORT_H
#define MUSTER_ATTEST_SNP_REPORT_H

#include "lib/base/bytes.h"
#include "lib/base/json.h"
#include "lib/model/snp_words.h"
#include "lib/model/verdict.h"

enum {
    SNP_REPORT_SIZE = 1184,
    SNP_SIGNED_SIZE = 0x2a0,
    SNP_REPORT_DATA_SIZE = 64,
    SNP_MEASUREMENT_SIZE = 48,
    SNP_HOST_DATA_SIZE = 32,
    SNP_CHIP_ID_SIZE = 64,
    SNP_VERSION_LEAST = 2,
    SNP_VERSION_MOST = 5,
    SNP_ALGORITHM_ECDSA_P384 = 1,
};

#define SNP_VMPL_HOST UINT32_C(0xffffffff) /* the host asked for the report, not the guest */

/* KEY_INFO.SIGNING_KEY as found; 0 and 1 are enum snp_signer. */
enum { SNP_SIGNING_KEY_NONE = 7 };

struct snp_firmware {
    uint8_t major, minor, build;
};

struct snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t vmpl;
    uint32_t signature_algo;
    uint64_t current_tcb;
    uint64_t platform_info;
    bool author_key_en;
    bool mask_chip_key;
    uint8_t signing_key;
    uint8_t report_data[SNP_REPORT_DATA_SIZE];
    uint8_t measurement[SNP_MEASUREMENT_SIZE];
    uint8_t host_data[SNP_HOST_DATA_SIZE];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    uint64_t reported_tcb;
    uint8_t cpuid_family, cpuid_model, cpuid_stepping; /* version 3 and later */
    uint8_t chip_id[SNP_CHIP_ID_SIZE];
    uint64_t committed_tcb;
    struct snp_firmware current, committed;
    uint64_t launch_tcb;
    uint64_t launch_mit_vector, current_mit_vector; /* version 5 */
    uint8_t r[48], s[48];                           /* big-endian, unlike in the report */
    bool reserved_set;                              /* a byte is set that must be zero */
};

/* Fails only when `in` is not 1184 bytes ("malformed"). */
enum outcome snp_report_read(struct span in, struct snp_report *out, struct error *err);

/* REASON_OK, or what is wrong with it whoever signed it; `why` gets a phrase for people. */
enum reason snp_report_fault(const struct snp_report *report, const char **why);

/* From the CPUID fields; PRODUCT_UNKNOWN in version 2, which has none, and for unknown models. */
enum snp_product snp_report_product(const struct snp_report *report);
bool snp_report_has_product(const struct snp_report *report);

/* Add the report's fields to the claims, named as in the sample manifests. `line` decides how the
 * TCB is read when the report itself does not say. */
void snp_report_claims(const struct snp_report *report, enum snp_line line, struct members *claims);

#endif
