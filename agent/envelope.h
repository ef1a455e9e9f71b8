/* Opening what a keeper sealed to one of this guest's keys. */
#ifndef MUSTER_AGENT_ENVELOPE_H
#define MUSTER_AGENT_ENVELOPE_H

#include "lib/crypto/seal.h"

enum { SEALING_KEYS_MAX = 2 };

/* `keys` are our sealing keys, any of them may be NULL. The codes of seal_open(). */
enum outcome envelope_open(struct span envelope, struct key *const keys[static SEALING_KEYS_MAX],
                           const struct seal_expected *expected, struct seal_header *header,
                           struct locked *plain, struct error *err);

#endif
