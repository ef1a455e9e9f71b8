/* Secrets at rest: AES-256-GCM under a random data key, which the key-encryption key wraps, both
 * bound to the secret's label (trust.md section 5). The database holds records and cannot read,
 * relabel or mix them. */
#ifndef MUSTER_KEEPER_VAULT_H
#define MUSTER_KEEPER_VAULT_H

#include "lib/crypto/kek.h"
#include "lib/crypto/seal.h"
#include "lib/model/charter.h"

/* The associated data. */
struct secret_label {
    struct uuid secret;
    char name[NAME_SIZE];
    int64_t version;
    enum secret_kind kind;
    enum secret_scope scope;
    char grant[NAME_SIZE];
    uint8_t anchor[SHA256_SIZE]; /* zero: of a fleet */
};

enum outcome vault_close(struct kek *kek, const struct secret_label *label,
                         const uint8_t salt[static SEAL_SALT_SIZE], const struct locked *plain,
                         struct bytes *out_record, struct error *err);
/* ERR_INVALID "record-malformed"; ERR_DENIED "record-not-ours": another key-encryption key, or a
 * byte of record or label was changed. */
enum outcome vault_open(struct kek *kek, struct span record, struct secret_label *out_label,
                        uint8_t out_salt[static SEAL_SALT_SIZE], struct locked *out_plain,
                        struct error *err);

#endif
