/* What a VCEK or VLEK certificate says in its extensions (facts/attestation.md section 3.2). */
#ifndef MUSTER_ATTEST_SNP_EK_H
#define MUSTER_ATTEST_SNP_EK_H

#include "lib/crypto/x509.h"
#include "lib/model/snp_words.h"
#include "lib/model/verdict.h"

enum { HWID_SIZE_MAX = 64, PRODUCT_NAME_SIZE = 32 };

/* What a step of the appraisal found: REASON_OK, or why not, with words for people. */
struct finding {
    enum reason reason;
    char detail[CHECK_DETAIL_SIZE];
};
PRINTF(3, 4)
void finding_set(struct finding *out, enum reason reason, const char *detail, ...);

struct snp_ek {
    bool signer_known; /* by its common name */
    enum snp_signer signer;
    enum snp_line line; /* by the common name of its issuer; LINE_UNKNOWN */
    int64_t struct_version;
    char product_name[PRODUCT_NAME_SIZE];
    uint32_t spl[TCB_PART_COUNT]; /* as found, may be over 255: then no report equals it */
    uint8_t hwid[HWID_SIZE_MAX];  /* VCEK */
    size_t hwid_len;
    bool hwid_wrapped;        /* in an OCTET STRING */
    char csp_id[CSP_ID_SIZE]; /* VLEK */
};

/* Always fills what can be read; `out_finding` is "malformed" where an extension is missing, there
 * twice or not what it should be. */
void snp_ek_read(const struct x509 *cert, struct snp_ek *out, struct finding *out_finding);

/* The text before '-' of productName, as a line. */
enum snp_line snp_ek_product_line(const struct snp_ek *ek);

/* {"kind","issuer_cn","product_name","not_before","not_after","hwid","hwid_encoding"|"csp_id"} */
void snp_ek_claims(const struct snp_ek *ek, const struct x509 *cert, struct members *claims);

/* The common name of the certificate that signs such keys: "SEV-Milan", "SEV-VLEK-Milan". */
void snp_ca_name(enum snp_signer signer, enum snp_line line, char out[static X509_NAME_SIZE]);

#endif
