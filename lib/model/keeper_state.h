/* The keeper's only memory (trust.md section 5): highest charter serial, highest released version
 * of every secret, destroyed anchors and keys, and whether probes halted it. One file, append-only;
 * each line carries a MAC over itself and the line before, under a key that the key-encryption key
 * wraps; written and fsynced before the answer goes out. A copy of yesterday's file is a rollback
 * that only a counter outside it could notice: doc/keeper.md says what that means. */
#ifndef MUSTER_MODEL_KEEPER_STATE_H
#define MUSTER_MODEL_KEEPER_STATE_H

#include "lib/base/uuid.h"
#include "lib/crypto/digest.h"
#include "lib/crypto/kek.h"

struct keeper_state;

enum { KEEPER_STATE_SIZE_MAX = 64 << 20 }; /* some 500,000 versions */

/* `least_serial`: no charter below it is taken, 1 for a new deployment. ERR_CONFLICT when the file
 * is there. */
enum outcome keeper_state_create(const char *path, struct kek *kek, int64_t least_serial,
                                 struct error *err);
/* ERR_NOT_FOUND without a file; ERR_INVALID "state-damaged": a line does not verify. A last line
 * that was torn by a crash was never answered for, and is dropped. One process at a time
 * (ERR_CONFLICT "state-in-use"). */
enum outcome keeper_state_open(const char *path, struct kek *kek, struct keeper_state **out,
                               struct error *err);
void keeper_state_close(struct keeper_state *state);
DROP(keeper_state_drop, struct keeper_state, keeper_state_close)

int64_t keeper_state_serial(const struct keeper_state *state); /* 0: none yet */
/* ERR_DENIED "charter-serial": lower than the highest, or the same with other content. */
enum outcome keeper_state_check_charter(const struct keeper_state *state, int64_t serial,
                                        const uint8_t digest[static SHA256_SIZE],
                                        struct error *err);
/* Remember it; nothing is written when it is the one already remembered. */
enum outcome keeper_state_raise_charter(struct keeper_state *state, int64_t serial,
                                        const uint8_t digest[static SHA256_SIZE],
                                        struct error *err);

int64_t keeper_state_version(const struct keeper_state *state, const struct uuid *secret);
/* At most so far above the highest released one at once: whoever may release once could else make
 * every later version of a secret too low for ever. */
enum { KEEPER_VERSION_STEP = 1000 };
/* ERR_DENIED "version-too-low", "version-jump". */
enum outcome keeper_state_check_version(const struct keeper_state *state, const struct uuid *secret,
                                        int64_t version, struct error *err);
/* The same; else remembered when it is higher. ERR_INTERNAL "state-full": it
 * holds as many as it can. */
enum outcome keeper_state_raise_version(struct keeper_state *state, const struct uuid *secret,
                                        int64_t version, struct error *err);

/* The keeper's probes found its judges wrong: remembered until an order of people says otherwise.
 * Halts are numbered from 1, so that an order counts for one of them. */
enum outcome keeper_state_halt(struct keeper_state *state, struct error *err);
enum outcome keeper_state_resume(struct keeper_state *state, struct error *err);
bool keeper_state_is_halted(const struct keeper_state *state);
int64_t keeper_state_halts(const struct keeper_state *state); /* so many until now */

/* `what` is the hash of an anchor or of a guest key. */
enum outcome keeper_state_destroy(struct keeper_state *state,
                                  const uint8_t what[static SHA256_SIZE], struct error *err);
bool keeper_state_is_destroyed(const struct keeper_state *state,
                               const uint8_t what[static SHA256_SIZE]);

#endif
