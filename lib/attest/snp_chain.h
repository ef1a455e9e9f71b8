/* From the pinned root to the key that signs reports: roots, the certificates and revocation lists
 * that came with evidence, what they prove, and a cache of that. All facts here hold at any time;
 * dates are compared by lib/attest/judge. */
#ifndef MUSTER_ATTEST_SNP_CHAIN_H
#define MUSTER_ATTEST_SNP_CHAIN_H

#include "lib/attest/cert_table.h"
#include "lib/attest/snp_ek.h"

enum { SNP_BLOBS_MAX = 16, SNP_CRLS_MAX = 8 };

/* Roots: AMD's, pinned by digest, or others for tests, the simulator and --root. */
struct snp_roots;
const struct snp_roots *snp_roots_amd(void);
/* Every certificate of every blob (DER or PEM) is a root. ERR_INVALID "malformed" when one cannot
 * be read or is not a self-signed ARK. */
enum outcome snp_roots_custom(const struct span *blobs, size_t count, struct snp_roots **out,
                              struct error *err);
void snp_roots_free(struct snp_roots *roots);
DROP(snp_roots_drop, struct snp_roots, snp_roots_free)
bool snp_roots_are_custom(const struct snp_roots *roots);

/* What stands above the chip keys of a line. */
struct snp_authority {
    struct x509 *ca; /* ASK or ASVK */
    struct x509 *ark;
};
void snp_authority_done(struct snp_authority *authority); /* fine on zeroes */
/* Exactly these two certificates, DER or PEM, and the ARK is a pinned root. ERR_INVALID
 * "malformed", ERR_DENIED "chain-untrusted". `out` must be zero. */
enum outcome snp_authority_read(struct span in, enum snp_line line, enum snp_signer signer,
                                const struct snp_roots *roots, struct snp_authority *out,
                                struct error *err);

/* What came with the evidence or from a folder, all borrowed, each DER or PEM, empty when absent.
 */
struct snp_bundle {
    struct span ek;
    size_t ca_count; /* ASK, ASVK, ARK, any order, any mixture */
    struct span ca[SNP_BLOBS_MAX];
    size_t crl_count;
    struct span crl[SNP_CRLS_MAX];
    struct span cert_table;
    enum snp_signer wanted; /* which key to take from a table that holds both */
};

enum crl_state { CRL_NONE, CRL_FOREIGN, CRL_BROKEN, CRL_GOOD };

/* What the bundle proves; immutable but for the verifier in it, so one thread at a time may judge
 * with it. Reference counted, and shared with the cache. */
struct snp_endorsements {
    size_t owners;
    uint8_t key[SHA256_SIZE]; /* digest of the bundle, when cached */
    bool custom_roots;
    struct finding format; /* table and certificates can be read */
    struct x509 *ek;       /* NULL: none came */
    struct snp_ek facts;
    struct finding extensions;
    struct finding chain;
    struct x509 *ca;  /* ASK or ASVK; NULL unless the chain is good */
    struct x509 *ark; /* likewise */
    enum crl_state crl_state;
    char crl_detail[CHECK_DETAIL_SIZE];
    bool revoked;
    struct moment crl_this_update; /* of the newest good list */
    struct moment crl_next_update;
    struct p384 *verifier; /* NULL: the certificate holds no P-384 key */
    bool has_table;
    json_t *table; /* its entries, for the claims */
};

struct snp_endorsements *snp_endorse(const struct snp_bundle *bundle,
                                     const struct snp_roots *roots);
struct snp_endorsements *snp_endorsements_share(struct snp_endorsements *e);
void snp_endorsements_free(struct snp_endorsements *e);
DROP(snp_endorsements_drop, struct snp_endorsements, snp_endorsements_free)

/* Bundles seen before, by digest of every byte. Only good chains are kept, the least recently used
 * goes first, so a stranger cannot push the fleet's out without genuine certificates of his own.
 * One thread at a time; `roots` must outlive it. */
struct snp_cache;
struct snp_cache *snp_cache_new(const struct snp_roots *roots, size_t room);
void snp_cache_free(struct snp_cache *cache);
DROP(snp_cache_drop, struct snp_cache, snp_cache_free)
/* The caller frees its share. */
struct snp_endorsements *snp_cache_get(struct snp_cache *cache, const struct snp_bundle *bundle);
const struct snp_roots *snp_cache_roots(const struct snp_cache *cache);

#endif
