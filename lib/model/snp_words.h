/* The words of SEV-SNP that policy, appraisal and commands share: products, signing keys, the parts
 * of a TCB version, the bits of guest policy and platform. Layouts are lib/attest/snp_report. */
#ifndef MUSTER_MODEL_SNP_WORDS_H
#define MUSTER_MODEL_SNP_WORDS_H

#include "lib/base/names.h"

#include <stdint.h>

/* A line is what the key distribution service and its chain call a product. */
enum snp_line { LINE_MILAN, LINE_GENOA, LINE_TURIN, LINE_UNKNOWN };
enum { LINE_COUNT = LINE_UNKNOWN };
extern const struct names snp_line_names; /* "Milan", "Genoa", "Turin" */

/* Siena and Bergamo stand under Genoa's chain but count their microcode on their own, so that
 * floors are kept per product. */
enum snp_product {
    PRODUCT_UNKNOWN,
    PRODUCT_MILAN,
    PRODUCT_GENOA,
    PRODUCT_SIENA,
    PRODUCT_TURIN,
    PRODUCT_COUNT
};
extern const struct names snp_product_names; /* "unknown", "Milan", ... "Siena/Bergamo", "Turin" */

enum snp_line snp_product_line(enum snp_product product);
enum snp_product snp_line_product(enum snp_line line); /* the one the line is named after */
/* From the CPUID family and model of a report; PRODUCT_UNKNOWN is a verdict, never a guess. */
enum snp_product snp_product_of(uint8_t family, uint8_t model);
/* "Siena" and "Bergamo" alone are understood too. */
enum outcome snp_product_parse(const char *word, enum snp_product *out, struct error *err);

/* A VLEK names its provider and region: "CN=cc-us-east-2.amazonaws.com" is AWS's "us-east-2". ""
 * where nothing says how another provider's are to be read. */
enum { CSP_ID_SIZE = 128, REGION_SIZE = 64 };
void snp_csp_region(const char *csp_id, char out[static REGION_SIZE]);

enum snp_signer { SIGNER_VCEK, SIGNER_VLEK, SIGNER_COUNT };
extern const struct names snp_signer_names; /* "VCEK", "VLEK" */

/* The parts of a TCB version. Parts are compared one by one: the 64 bits as one number mean
 * nothing. Only Turin has an FMC. */
enum tcb_part { TCB_FMC, TCB_BL, TCB_TEE, TCB_SNP, TCB_UCODE, TCB_PART_COUNT };
extern const struct names tcb_part_names; /* "fmc", "bl", "tee", "snp", "ucode" */

struct snp_tcb {
    uint8_t part[TCB_PART_COUNT];
};

struct snp_tcb snp_tcb_split(uint64_t raw, enum snp_line line); /* unknown: as before Turin */
uint64_t snp_tcb_join(const struct snp_tcb *tcb, enum snp_line line);
uint64_t snp_tcb_reserved(uint64_t raw, enum snp_line line); /* the bits no part claims */
/* The first part of `a` that is below that of `b`; TCB_PART_COUNT when none is. */
enum tcb_part snp_tcb_below(const struct snp_tcb *a, const struct snp_tcb *b);

struct bit_word {
    const char *name;
    unsigned from; /* lowest bit */
    unsigned bits;
};

/* POLICY of the guest (the words of the manifests) and PLATFORM_INFO; a NULL name ends each. */
extern const struct bit_word snp_policy_words[];
extern const struct bit_word snp_platform_words[];

enum {
    SNP_POLICY_SMT = 1 << 16,
    SNP_POLICY_MUST_BE_ONE = 1 << 17,
    SNP_POLICY_MIGRATE_MA = 1 << 18,
    SNP_POLICY_DEBUG = 1 << 19,
    SNP_PLATFORM_SMT = 1 << 0,
};

/* "smt_en", "rapl_dis" -> its bit, for the lists in a policy. Numbers of several bits have none. */
enum outcome snp_platform_bit(const char *word, uint64_t *out, struct error *err);
enum outcome snp_policy_bit(const char *word, uint64_t *out, struct error *err);

#endif
