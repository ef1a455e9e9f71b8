/* The attestation document of a Nitro enclave (AWS, "Nitro Enclaves attestation process"), as
 * genuine ones are: indefinite maps, nulls for what is absent, fields of up to 1,024 bytes. That of
 * a NitroTPM is the same but for the name of its registers, which are a whole machine's. */
#ifndef MUSTER_ATTEST_NITRO_DOCUMENT_H
#define MUSTER_ATTEST_NITRO_DOCUMENT_H

#include "lib/attest/cose_sign1.h"
#include "lib/base/json.h"

enum {
    NITRO_DOCUMENT_MAX = 20 * 1024, /* COSE_PAYLOAD_MAX and what is around it */
    NITRO_PCR_COUNT = 32,
    NITRO_PCR_MAX = 64,
    NITRO_BUNDLE_MAX = 16,
    NITRO_FIELD_MAX = 1024,
    NITRO_MODULE_MAX = 128,
};

struct nitro_pcr {
    size_t len; /* 0: not there; else 32, 48 or 64 */
    uint8_t value[NITRO_PCR_MAX];
};

enum nitro_presence { NITRO_ABSENT, NITRO_NULL, NITRO_PRESENT };

struct nitro_field {
    enum nitro_presence presence;
    struct span value; /* may be empty when present */
};

/* Everything is borrowed from the payload. */
struct nitro_document {
    bool indefinite;
    bool tpm; /* "nitrotpm_pcrs" in place of "pcrs" */
    struct span module_id;
    uint64_t timestamp_ms;
    size_t pcr_count;
    struct nitro_pcr pcrs[NITRO_PCR_COUNT];
    struct span certificate; /* DER */
    size_t bundle_count;
    struct span bundle[NITRO_BUNDLE_MAX]; /* DER, the root first */
    struct nitro_field public_key;
    struct nitro_field user_data;
    struct nitro_field nonce;
};

/* ERR_INVALID "malformed": a wrong type, length or value, something twice, missing or unknown. */
enum outcome nitro_document_read(struct span payload, struct nitro_document *out,
                                 struct error *err);

/* Debug mode shows as PCRs of zeroes; where PCR0 is zero or absent nothing says which image runs.
 */
bool nitro_document_is_debug(const struct nitro_document *document);

/* "module_id", "timestamp_ms", "pcrs", ... */
void nitro_document_claims(const struct nitro_document *document, json_t *claims);

#endif
