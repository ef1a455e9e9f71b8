/* A made-up machine with a vTPM over the simulated security processor: a report, an attestation
 * key, a quote, registers and the log that leads there, and each of the words that may vouch for
 * the key. Every part can be changed in one thing. */
#ifndef MUSTER_TESTS_MADE_VTPM_H
#define MUSTER_TESTS_MADE_VTPM_H

#include "lib/attest/vtpm_judge.h"
#include "tests/support/nsm.h"
#include "tests/support/simulator.h"

enum made_vouch { VOUCH_NOBODY, VOUCH_SVSM, VOUCH_AUTHORITY, VOUCH_DOCUMENT };

enum { MADE_VTPM_AUTHORITY_OVER = 2 }; /* whose own certificate is past its end */

/* What a manifest names. */
enum made_manifest {
    MANIFEST_KEY,
    MANIFEST_EK,
    MANIFEST_EK_AND_KEY,
    MANIFEST_OTHER_KEY,
    MANIFEST_NOTHING,
    MANIFEST_CUT,
    MANIFEST_TABLE, /* of all services, the vTPM's among them */
    MANIFEST_TABLE_WITHOUT_VTPM,
    MANIFEST_TABLE_OF_TWO_VTPMS,
    MANIFEST_TABLE_BEYOND, /* a service that ends behind the manifest */
    MANIFEST_TABLE_LONGER, /* than it says */
};

/* What it shall make; start from made_vtpm_wish() and change one thing. */
struct made_vtpm_wish {
    enum made_vouch vouch;
    bool also_certified; /* by the authority, whoever vouches */
    bool on_p256;        /* the key; else RSA */

    uint32_t vmpl;
    uint8_t measurement; /* every byte of the launch digest */
    bool debug;
    uint8_t report_id;     /* every byte of it, where not 0 */
    uint8_t report_flip;   /* of one byte, after signing */
    bool bare_report_data; /* the binding itself, although there is a manifest */
    bool report_for_other_binding;

    uint32_t ak_attributes;
    uint16_t ak_bits; /* as it says */
    uint16_t ak_curve;
    uint16_t ak_name_hash;
    size_t ak_trailing;

    enum made_manifest manifest;

    int authority; /* 0, 1: another provider's, or the next */
    bool cert_of_other_key;
    bool cert_by_stranger; /* under the authority's name */
    bool cert_is_authority;
    bool cert_may_not_sign;
    bool cert_sha1;
    bool cert_critical_unknown;
    int64_t cert_from, cert_to;

    bool without_quote;
    bool quote_by_other_key;
    bool quote_answers_binding_alone;
    bool quote_of_other_report;
    uint32_t quote_magic;
    uint16_t quote_algorithm;
    uint32_t quote_registers;
    bool quote_digest_of_others;
    size_t quote_trailing;
    uint16_t signature_hash;
    uint8_t signature_flip;
    uint32_t reset_count, restart_count;

    bool loader_unmeasured; /* register 4 is as at the TPM's start */
    bool without_log;
    bool secure_boot_off;
    bool secure_boot_relabelled; /* measured off, said on */
    bool log_of_other_loader;
    bool loader_as_words; /* another loader's event, with the type and words of the firmware's */
    bool kernel_left_out; /* of the log */
    bool log_cut;

    bool document_of_enclave;
    struct nsm_wish document;
    bool document_without_binding;
    struct span nonce; /* of a document; empty: one of its own */
};

struct made_vtpm_wish made_vtpm_wish(enum made_vouch vouch);

struct made_vtpm {
    struct bytes report, table, quote, signature, log, ak, ak_cert, manifest, document;
    json_t *pcrs;
    struct nitro_roots nitro_roots;
    struct snp_endorsements *endorsements;
    uint8_t binding[BINDING_SIZE];
    uint8_t nonce[NONCE_SIZE];
    struct vtpm_input input; /* borrows from the rest; asks for the binding */
};

/* `binding`: what it answers; NULL: one of its own. */
void made_vtpm_make(struct psp *psp, const struct snp_roots *roots,
                    const struct made_vtpm_wish *wish, const uint8_t *binding,
                    struct made_vtpm *out);
void made_vtpm_done(struct made_vtpm *t);

/* PEM of an authority, the same for the whole run. */
const char *made_vtpm_authority(int which);
/* The first one's certificate of a key that somebody else holds. */
void made_vtpm_certify(struct span spki, struct bytes *out);
/* What is measured as the loader, in hex. */
const char *made_vtpm_loader(void);
const char *made_vtpm_loader_384(void);

#endif
