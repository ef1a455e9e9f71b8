/* What a TPM says of a boot, whoever vouches for it: its quote and what that answers, the registers
 * that the quote covers, the log that leads there, and what a policy asks of all that. One set of
 * checks for Azure's evidence and for a vTPM's; who made the signature is for their judges. */
#ifndef MUSTER_ATTEST_QUOTE_JUDGE_H
#define MUSTER_ATTEST_QUOTE_JUDGE_H

#include "lib/attest/boot_facts.h"
#include "lib/attest/tpm_quote.h"
#include "lib/model/policy.h"
#include "lib/model/verdict.h"

struct nitro_document;

/* The registers of the firmware: a log must lead to them. What runs later goes on extending others
 * without writing it into this log. */
enum { FIRMWARE_PCRS = 8, QUOTE_LOG_MAX = 256 * 1024 };

struct quote_input {
    bool has_quote;
    struct span quote;  /* TPMS_ATTEST */
    const json_t *pcrs; /* a list of PCR_COUNT SHA-256 values in hex; NULL: none */
    bool has_nonce;
    struct span nonce;              /* what the quote's extra data must be */
    struct span log;                /* empty: none */
    const struct boot_rules *rules; /* NULL: none */
    enum policy_mode mode;
};

struct quote_hearing {
    const struct quote_input *in;
    struct verdict *out;
    bool has_quote; /* of a TPM's form, whoever signed it */
    struct tpm_quote quote;
    enum bank bank;
    struct pcr_values registers; /* has: vouched for, by a quote or a document */
    bool has_log;
    bool led[PCR_COUNT]; /* the log leads to this register */
    struct boot_facts facts;
    struct bytes loaders; /* their digests, one after the other */
};
void quote_hearing_done(struct quote_hearing *h);

void quote_check_format(struct quote_hearing *h); /* "quote-format" */
void quote_check_nonce(struct quote_hearing *h);  /* "nonce" */
/* "registers-format", "registers": and takes them from the quote where these pass. */
void quote_check_registers(struct quote_hearing *h);
/* Takes the registers of a NitroTPM's document that has been judged, in place of a quote's. */
void quote_take_document(struct quote_hearing *h, const struct nitro_document *document);
void quote_check_log(struct quote_hearing *h);    /* "log-format", "log-registers", "event-data" */
void quote_check_policy(struct quote_hearing *h); /* "policy-pcr", "policy-secure-boot", ... */

/* Does the policy pin what booted, and is it so? */
bool quote_pins_boot(const struct quote_hearing *h);
/* "quote" and, with a log, "boot". */
void quote_put_claims(const struct quote_hearing *h, json_t *claims);

#endif
