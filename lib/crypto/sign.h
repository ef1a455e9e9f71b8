/* Keys and signatures. Four kinds exist in Muster: P-256 (link, sealing, tokens), P-384 (the
 * deployment root, the simulator's chips), Ed25519 (SSH host keys) and RSA (sealing keys of
 * enclaves, which sign nothing: lib/crypto/sealing_key.h). Nothing else is made here. */
#ifndef MUSTER_CRYPTO_SIGN_H
#define MUSTER_CRYPTO_SIGN_H

#include "lib/crypto/digest.h"
#include "lib/crypto/locked.h"

enum key_kind { KEY_P256, KEY_P384, KEY_ED25519, KEY_RSA, KEY_KIND_COUNT };

struct key; /* public, or public and private; reference counted */

enum outcome key_generate(enum key_kind kind, struct key **out, struct error *err);
struct key *key_share(struct key *key); /* another owner of the same key */
void key_free(struct key *key);
DROP(key_drop, struct key, key_free)

/* PEM: PKCS#8 for private keys, SubjectPublicKeyInfo for public ones; DER: SubjectPublicKeyInfo.
 * Points off the curve and other kinds of key, RSA among them, are refused ("unsupported-key"). */
enum outcome key_from_private_pem(struct span pem, struct key **out, struct error *err);
enum outcome key_from_public_pem(struct span pem, struct key **out, struct error *err);
enum outcome key_from_spki(struct span der, struct key **out, struct error *err);
enum outcome key_to_private_pem(const struct key *key, struct bytes *out, struct error *err);
enum outcome key_to_public_pem(const struct key *key, struct bytes *out, struct error *err);
enum outcome key_to_spki(const struct key *key, struct bytes *out, struct error *err);

enum key_kind key_kind_of(const struct key *key);
bool key_is_private(const struct key *key);
bool key_equal(const struct key *a, const struct key *b); /* of the public halves */
/* SHA-256 of the DER SubjectPublicKeyInfo: how Muster names a key. */
void key_fingerprint(const struct key *key, uint8_t out[static SHA256_SIZE]);
/* Ed25519: the 32 raw bytes of the public or private half. */
enum outcome key_raw_public(const struct key *key, struct bytes *out, struct error *err);
enum outcome key_raw_private(const struct key *key, struct bytes *out, struct error *err);

/* ECDSA signatures here are raw r || s, big-endian, fixed width (64 bytes for P-256 with SHA-256,
 * 96 for P-384 with SHA-384); Ed25519 is its 64 bytes. Verification refuses r or s of 0 or >= n. */
enum { SIGNATURE_SIZE_MAX = 96 };
enum outcome key_sign(const struct key *key, struct span message, struct bytes *out,
                      struct error *err);
enum outcome key_verify(const struct key *key, struct span message, struct span signature,
                        struct error *err); /* ERR_DENIED "bad-signature" */
/* With (r, s) of P-256 verifies (r, n - s), which anybody can make. key_sign() gives the one with
 * the lower s; whoever must know a signed thing by its bytes asks for that one. */
bool signature_is_low(struct span signature);

/* For the other files of lib/crypto and link_tls only. */
struct evp_pkey_st *key_inside(const struct key *key);
struct key *key_wrap(struct evp_pkey_st *pkey,
                     struct error *err);            /* takes over; NULL: unsupported */
struct key *key_wrap_rsa(struct evp_pkey_st *pkey); /* takes over; for sealing_key.c */
/* A key does not change, so jwk.c works out its thumbprint once. NULL: not yet. */
const char *key_thumbprint(const struct key *key);
void key_keep_thumbprint(const struct key *key, const char *thumbprint);

#endif
