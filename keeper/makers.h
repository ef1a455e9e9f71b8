/* New key material: made here, from the keeper's own randomness, and nowhere else. */
#ifndef MUSTER_KEEPER_MAKERS_H
#define MUSTER_KEEPER_MAKERS_H

#include "lib/crypto/locked.h"
#include "lib/model/charter.h"

/* The plaintext as the guest will hold it, and what of it is public (NULL when nothing is; the
 * caller frees it). opaque: 32 bytes. ssh-host-key: an Ed25519 key in OpenSSH's own format, and
 * "ssh-ed25519 AAAA...". */
enum outcome make_secret(enum secret_kind kind, struct locked *out, char **out_public,
                         struct error *err);

#endif
