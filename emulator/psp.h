/* The simulated security processor: its own roots and chip keys, byte-exact SEV-SNP reports. What
 * it signs is worth nothing outside the simulation realm, for nobody pins its root there. */
#ifndef MUSTER_EMULATOR_PSP_H
#define MUSTER_EMULATOR_PSP_H

#include "lib/attest/snp_report.h"
#include "lib/base/clock.h"
#include "lib/base/names.h"

enum psp_flavour {
    PSP_FIRMWARE_ONLY, /* as on EC2: VLEK, no chip id, no host data; the digest is the firmware's */
    PSP_DIRECT_BOOT,   /* our own hosts: VCEK, chip id, host data as anchor, measured kernel */
    PSP_FLAVOUR_COUNT
};
extern const struct names psp_flavour_names; /* "firmware-only", "direct-boot" */

enum psp_tamper {
    PSP_HONEST,
    PSP_ALTER_MEASUREMENT, /* changed after signing: bad-signature */
    PSP_WRONG_MEASUREMENT, /* another launch digest, rightly signed: policy-measurement */
    PSP_DEBUG_POLICY,      /* the guest policy allows debugging: policy-debug */
    PSP_OLD_TCB,           /* one SNP version lower: policy-tcb where there is a floor */
    PSP_NO_TABLE,          /* honest, but the host hands out no certificates */
    PSP_TAMPER_COUNT
};
extern const struct names psp_tamper_names; /* "none", "alter-measurement", ... */

/* What a report shall say. Start from psp_wish(). */
struct psp_wish {
    enum psp_flavour flavour;
    enum snp_product product;
    uint32_t version;
    uint32_t vmpl;
    uint32_t guest_svn;
    uint64_t policy;
    uint64_t platform_info;
    struct snp_tcb tcb;  /* reported; committed and current are the same, but for `coming` */
    uint8_t coming;      /* so many SNP versions are committed and not yet reported */
    uint8_t provisional; /* and so many run and are not yet committed */
    uint64_t launch_mit_vector, current_mit_vector; /* of version 5 */
    uint8_t report_data[SNP_REPORT_DATA_SIZE];
    uint8_t measurement[SNP_MEASUREMENT_SIZE];
    uint8_t host_data[SNP_HOST_DATA_SIZE]; /* dropped by PSP_FIRMWARE_ONLY */
    uint8_t chip_id[SNP_CHIP_ID_SIZE];     /* likewise; Turin uses the first 8 bytes */
    uint8_t id_key_digest[48];
    char csp_id[100];      /* of the VLEK; empty: the one that psp_set_csp_id() said */
    uint8_t report_id[32]; /* of the guest's launch: the same until it boots anew */
    enum psp_tamper tamper;
};

/* A report that a plain policy takes: Milan, version 3, VMPL 0, debugging off, zeroes elsewhere. */
struct psp_wish psp_wish(enum psp_flavour flavour);

struct psp;

/* Load the keys and certificates of the simulated maker from `folder`, or make them there (once,
 * some seconds: an RSA-4096 key a role; several processes may ask at once). `now` dates what is
 * made.
 */
enum outcome psp_open(const char *folder, struct moment now, struct psp **out, struct error *err);
void psp_close(struct psp *psp);
DROP(psp_drop, struct psp, psp_close)

/* PEM of the roots of all lines, to pin: ARK-Milan, ARK-Genoa, ARK-Turin. */
struct span psp_roots(const struct psp *psp);
/* DER of the ASK (for VCEKs) or ASVK (for VLEKs), and of the ARK above both. */
struct span psp_ca(const struct psp *psp, enum snp_line line, enum snp_signer signer);
struct span psp_ark(const struct psp *psp, enum snp_line line);
/* The provider id in the VLEK: "CN=cc-us-east-2.amazonaws.com". Set before the first report. */
void psp_set_csp_id(struct psp *psp, const char *csp_id);
/* An empty revocation list, or one that revokes ASK and ASVK. */
enum outcome psp_crl(const struct psp *psp, enum snp_line line, bool revoke, struct moment from,
                     struct moment to, struct bytes *out, struct error *err);

/* The certificate of a chip that has signed here, at any TCB, as the key distribution service gives
 * it out. ERR_NOT_FOUND: no such chip. */
enum outcome psp_vcek(struct psp *psp, enum snp_line line,
                      const uint8_t chip_id[static SNP_CHIP_ID_SIZE], uint64_t tcb,
                      struct bytes *out, struct error *err);

/* Sign a report; `out_cert_table` (may be NULL) gets the GHCB table with the chip's certificate,
 * ASK or ASVK, and ARK, as a host would hand it out. Chip keys are made on first use. */
enum outcome psp_report(struct psp *psp, const struct psp_wish *wish, struct bytes *out_report,
                        struct bytes *out_cert_table, struct error *err);

#endif
