#include "agent/envelope.h"

#include <string.h>

enum { COPY_MOST = 8 * 1024, STACK_WIPED = 128 * 1024 };

/* What OpenSSL copied went through buffers of its frames, which lie below us, and the last of it is
 * still in the registers that copy memory, which the loader puts on the stack when it binds a
 * function late. Copying nothing, short and long, takes it out of those. */
[[gnu::noinline]] static void wipe_traces(void)
{
    static const uint8_t nothing[COPY_MOST];
    uint8_t below[STACK_WIPED];
    for (size_t len = 16; len <= COPY_MOST; len *= 2)
        memcpy(below, nothing, len);
    explicit_bzero(below, sizeof below);
}

/* Which of our keys it was sealed to is not said outside the envelope's own recipient field. */
enum outcome envelope_open(struct span envelope, struct key *const keys[static SEALING_KEYS_MAX],
                           const struct seal_expected *expected, struct seal_header *header,
                           struct locked *plain, struct error *err)
{
    enum outcome outcome = fail_code(err, ERR_DENIED, "envelope-not-ours",
                                     "this guest has no sealing key under a verdict");
    for (size_t i = 0; i < SEALING_KEYS_MAX; i++) {
        if (keys[i] == NULL)
            continue;
        outcome = seal_open(envelope, keys[i], expected, header, plain, err);
        wipe_traces();
        if (outcome == OK || strcmp(err->code, "envelope-not-ours") != 0)
            return outcome;
    }
    return outcome;
}
