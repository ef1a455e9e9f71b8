/* A TPM's quote: TPMS_ATTEST of type quote (TPM 2.0 Library, part 2, section 10.12), big-endian. */
#ifndef MUSTER_ATTEST_TPM_QUOTE_H
#define MUSTER_ATTEST_TPM_QUOTE_H

#include "lib/base/json.h"

enum { TPM_QUOTE_MAX = 2048, TPM_SELECTIONS_MAX = 8, TPM_ALG_SHA256 = 0x000b };

struct tpm_selection {
    uint16_t algorithm;
    uint32_t registers; /* 1 << index */
};

/* All borrowed. */
struct tpm_quote {
    struct span qualified_signer;
    struct span extra_data;
    uint64_t clock;
    uint32_t reset_count;
    uint32_t restart_count;
    uint8_t safe;
    uint64_t firmware_version;
    size_t selection_count;
    struct tpm_selection selections[TPM_SELECTIONS_MAX];
    struct span pcr_digest;
    size_t trailing; /* bytes behind it: signed or not, no TPM makes them */
};

/* ERR_INVALID "malformed". */
enum outcome tpm_quote_read(struct span in, struct tpm_quote *out, struct error *err);
json_t *tpm_quote_to_json(const struct tpm_quote *quote);

#endif
