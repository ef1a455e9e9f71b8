/* AMD's key distribution service: what it serves, where, and whether an answer is what was asked
 * for (facts/attestation.md section 3.3). Pure: fetching is controller/endorser, keeping is
 * db/endorsement_store. Nothing is taken that does not lead to a pinned root, so a cache holds only
 * what its maker signed.
 *
 * Codes: "endorsement-malformed" (ERR_INVALID: not certificates or lists at all),
 * "endorsement-wrong" (ERR_DENIED: genuine, but of another key, line or kind than was asked for),
 * "endorsement-untrusted" (ERR_DENIED: no pinned root above it). */
#ifndef MUSTER_ATTEST_KDS_H
#define MUSTER_ATTEST_KDS_H

#include "lib/attest/snp_chain.h"
#include "lib/attest/snp_report.h"
#include "lib/base/text.h"

enum kds_what { KDS_VCEK, KDS_CHAIN, KDS_CRL, KDS_WHAT_COUNT };
extern const struct names kds_what_names; /* "vcek", "chain", "crl" */

enum { KDS_NAME_SIZE = 192, KDS_ANSWER_MAX = 128 * 1024 };

/* One thing it serves. */
struct kds_item {
    enum kds_what what;
    enum snp_line line;
    enum snp_signer signer;      /* KDS_CHAIN: above VCEKs or above VLEKs */
    uint8_t hwid[HWID_SIZE_MAX]; /* KDS_VCEK: of the chip; on Turin the first 8 bytes */
    size_t hwid_len;
    uint64_t tcb; /* KDS_VCEK */
};

/* "Milan-vcek-chain", "Milan-crl", "Milan-vcek-HWID-TCB": the key of rows, files and waiting. */
void kds_name(const struct kds_item *item, char out[static KDS_NAME_SIZE]);
/* `base` is "https://kdsintf.amd.com", without a slash at its end. */
void kds_url(const struct kds_item *item, const char *base, struct text *out);

/* The VCEK that signs reports of this chip at this TCB. False: the chip or its line is not named,
 * or a VLEK signs. */
bool kds_vcek_of(const struct snp_report *report, uint64_t tcb, struct kds_item *out);
/* The same for a report of version 2, which does not name its line. */
bool kds_vcek_in(const struct snp_report *report, enum snp_line line, uint64_t tcb,
                 struct kds_item *out);
struct kds_item kds_chain_of(enum snp_line line, enum snp_signer signer);
struct kds_item kds_crl_of(enum snp_line line);

/* Is this certificate that VCEK, by what it says of itself? */
bool kds_is(const struct kds_item *item, const struct snp_ek *ek);

/* An answer that may be kept. */
struct kds_content {
    struct bytes bytes;        /* vcek: DER; chain: PEM, ASK or ASVK, then ARK; crl: as it came */
    struct moment this_update; /* crl */
    struct moment next_update;
};
void kds_content_done(struct kds_content *content); /* also for OWNED; fine on zeroes */

/* Is `in` this item? DER or PEM. `chain` is the content of kds_chain_of(line, SIGNER_VCEK): for a
 * VCEK and a CRL, which are checked against it; not looked at for a chain. `at`: a list from after
 * then is not taken. `out` must be zero. */
enum outcome kds_check(const struct kds_item *item, struct span in, struct span chain,
                       const struct snp_roots *roots, struct moment at, struct kds_content *out,
                       struct error *err);

/* What a file of unknown name holds, for import: any number of VCEKs, ASKs, ASVKs and ARKs, or one
 * list, or an answer of Azure's THIM. Only sorted by what it says of itself: kds_check() decides.
 */
enum { KDS_PIECES_MAX = 8 };
struct kds_piece {
    struct kds_item item;
    struct bytes bytes;
};
struct kds_pieces {
    size_t count;
    struct kds_piece at[KDS_PIECES_MAX];
};
void kds_pieces_done(struct kds_pieces *pieces); /* also for OWNED; fine on zeroes */
enum outcome kds_sort(struct span in, struct kds_pieces *out, struct error *err);

#endif
