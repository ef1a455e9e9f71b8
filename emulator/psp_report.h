/* The bytes of a simulated report, around its signature. Only emulator/psp.c calls these. */
#ifndef MUSTER_EMULATOR_PSP_REPORT_H
#define MUSTER_EMULATOR_PSP_REPORT_H

#include "emulator/psp.h"

/* What the wish comes to once flavour and tampering are applied. */
enum snp_signer psp_signer(const struct psp_wish *wish);
uint64_t psp_tcb(const struct psp_wish *wish);
void psp_chip_id(const struct psp_wish *wish, uint8_t out[static SNP_CHIP_ID_SIZE]);

/* Bytes 0 to 0x29f, which are signed. */
void psp_report_body(const struct psp_wish *wish, struct bytes *out);
/* Signature (96 bytes, big-endian r and s) and the zeroes after it; then tampering, if wished. */
void psp_report_finish(const struct psp_wish *wish, struct span signature, struct bytes *out);

#endif
