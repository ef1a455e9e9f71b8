/* The key-encryption key: wraps the data key of every stored secret and never leaves its custody.
 * A seam: a file today; a token, a TPM or a key management service are more drivers. */
#ifndef MUSTER_CRYPTO_KEK_H
#define MUSTER_CRYPTO_KEK_H

#include "lib/crypto/cert.h"
#include "lib/crypto/locked.h"

struct kek;

struct kek_driver {
    const char *name; /* "file" */
    /* `associated` is bound: unwrap needs the same bytes. */
    enum outcome (*wrap)(struct kek *, struct span associated, struct span key, struct bytes *out,
                         struct error *);
    enum outcome (*unwrap)(struct kek *, struct span associated, struct span wrapped,
                           struct locked *out, struct error *);
    void (*close)(struct kek *);
};

struct kek {
    const struct kek_driver *driver;
    enum realm realm;   /* written in at init; never changes */
    int64_t generation; /* grows when the key is changed */
};

/* A file of mode 0600: "muster-kek-1 REALM GENERATION\n" and the key in hex. */
enum outcome kek_file_create(const char *path, enum realm realm, struct error *err);
/* ERR_DENIED "kek-realm" when it was made for another realm, ERR_INVALID "kek-damaged"; a mode that
 * lets others read is refused as file_read_private() does. */
enum outcome kek_file_open(const char *path, enum realm realm, struct kek **out, struct error *err);

/* Is this the content of such a file, and of which? ERR_INVALID "kek-damaged". */
enum outcome kek_file_look(struct span content, enum realm *out_realm, int64_t *out_generation,
                           struct error *err);
/* Tells one key from another and nothing of either. */
void kek_file_fingerprint(struct span content, uint8_t out[static SHA256_SIZE]);

enum outcome kek_wrap(struct kek *kek, struct span associated, struct span key, struct bytes *out,
                      struct error *err);
/* ERR_DENIED "does-not-open" */
enum outcome kek_unwrap(struct kek *kek, struct span associated, struct span wrapped,
                        struct locked *out, struct error *err);
void kek_close(struct kek *kek);
DROP(kek_drop, struct kek, kek_close)

#endif
