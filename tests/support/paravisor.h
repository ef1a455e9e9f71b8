/* A made-up paravisor over the simulated security processor: the wrapper that Azure keeps in a
 * vTPM, with claims, a report over them, a quote by an attestation key, and registers. */
#ifndef MUSTER_TESTS_PARAVISOR_H
#define MUSTER_TESTS_PARAVISOR_H

#include "lib/attest/azure_judge.h"
#include "tests/support/simulator.h"

/* What it shall make; start from paravisor_wish() and change one thing. */
struct paravisor_wish {
    uint32_t vmpl;
    uint32_t hcl_version;
    uint32_t request_type;
    uint32_t report_type;
    uint32_t hash_type;
    bool report_over_other_claims;
    uint8_t report_data_tail; /* behind the digest, where zeroes belong */
    const char *claims_key;   /* the kid of the attestation key */
    const char *claims_more;  /* further members, with their comma */
    uint32_t quote_magic;
    uint16_t quote_type;
    uint16_t quote_algorithm; /* of its one selection */
    uint32_t quote_registers;
    bool quote_by_other_key;
    bool quote_digest_of_others;
    size_t quote_trailing;
    const char *nonce;
    struct span answer;  /* when there is one: bytes instead of the nonce */
    int machine;         /* 0 or 1: each has an attestation key and a vmUniqueId */
    struct span modulus; /* when there is one: of a key that somebody else holds */
    uint32_t reset_count;
    uint8_t measurement;     /* every byte of the launch digest */
    const json_t *registers; /* a list of values in hex; NULL: of their number, again and again */
    uint8_t other_register;  /* what register 4 differs by, in the quote too */
};

struct paravisor_wish paravisor_wish(void);

struct paravisor {
    struct bytes hcl, quote, signature, table;
    json_t *pcrs;
    struct snp_endorsements *endorsements;
    struct azure_input input; /* borrows from the rest; nonce "challenge" is asked for */
};

void paravisor_make(struct psp *psp, const struct snp_roots *roots,
                    const struct paravisor_wish *wish, struct paravisor *out);
void paravisor_done(struct paravisor *p);

#endif
