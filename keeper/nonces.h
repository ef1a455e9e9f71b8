/* The keeper's challenges: in memory only, each for one instance and two keys, used once, gone
 * after 180 s (trust.md section 4). */
#ifndef MUSTER_KEEPER_NONCES_H
#define MUSTER_KEEPER_NONCES_H

#include "lib/base/clock.h"
#include "lib/crypto/sealing_key.h"
#include "lib/model/binding.h"

enum { NONCE_SECONDS = 180, KEEPER_BOOT_ID_SIZE = 8 };

struct nonce_entry {
    uint8_t nonce[NONCE_SIZE];
    enum evidence_kind kind;
    struct uuid instance;
    uint8_t link_key[SHA256_SIZE];
    uint8_t sealing_spki[SEALING_SPKI_MAX];
    size_t sealing_spki_len;
    struct moment issued;
    int64_t issued_ms; /* monotonic: what the time limit is counted by */
};

struct nonces;

/* `most`: how many live ones at a time. A fresh boot id, so that older nonces are nobody's. */
struct nonces *nonces_new(size_t most);
void nonces_free(struct nonces *nonces);
DROP(nonces_drop, struct nonces, nonces_free)

const uint8_t *nonces_boot_id(const struct nonces *nonces);

/* Fills nonce and times of `entry`. ERR_THROTTLED "too-many-challenges" when all are live. */
enum outcome nonces_issue(struct nonces *nonces, struct nonce_entry *entry, struct error *err);

/* Hand it out and forget it. ERR_CONFLICT "challenge-again": unknown, used, expired, or of an
 * earlier boot. ERR_DENIED "challenge-instance": issued for another instance; gone nevertheless. */
enum outcome nonces_redeem(struct nonces *nonces, const uint8_t nonce[static NONCE_SIZE],
                           const struct uuid *instance, struct nonce_entry *out, struct error *err);

#endif
