/* The keeper without its link: requests of a controller in, answers out. Whoever asks is taken for
 * stolen: nothing is done that does not follow from the charter, the keeper's own verdicts and its
 * memory (trust.md). One thread at a time. */
#ifndef MUSTER_KEEPER_KEEPER_H
#define MUSTER_KEEPER_KEEPER_H

#include "lib/crypto/cert_life.h"
#include "lib/model/message.h"

struct keeper;

/* What stands in the keeper's folder: root.pem, next-root.pem (may be absent), sign-cert.pem,
 * sign-key.pem, opinion-cert.pem, opinion-key.pem, passport-cert.pem, passport-key.pem, jwks.jwt,
 * link-cert.pem, link-key.pem, kek, state, signers.json, charter.jws (once there is one),
 * simulator-root.pem and simulator-nitro-root.pem (simulation realm only).
 *
 * Refuses to open when the realms of root, key-encryption key and charter differ, when a
 * certificate is not valid for its role, and when a production folder holds a simulator's root.
 * Without its state file it opens, appraises, and releases nothing. */
enum outcome keeper_open(const char *folder, int64_t challenges_most, struct keeper **out,
                         struct error *err);
void keeper_close(struct keeper *keeper);
DROP(keeper_drop, struct keeper, keeper_close)

/* Where the state file is gone: makes a new one, by an order that two of the pinned keys signed
 * (lib/model/reset_order.h). A charter below the order's least serial is refused from then on, and
 * the one in the folder is removed if it is one. Counts from the next keeper_open() on.
 * ERR_CONFLICT "state-there": nothing is lost, so nothing is reset. */
enum outcome keeper_reset(struct keeper *keeper, struct span jws, int64_t *out_least,
                          struct error *err);

/* Declares anchors and guest keys destroyed, by an order that as many of the pinned keys signed as
 * sign a charter (lib/model/destroy_order.h): whatever a later charter or verdict says, nothing is
 * opened for them any more. The same order again changes nothing. */
struct destroyed {
    int64_t now;
    int64_t before; /* were already */
};
enum outcome keeper_destroy(struct keeper *keeper, struct span jws, struct destroyed *out,
                            struct error *err);

/* Releases again after its probes halted it, by an order that two of the pinned keys signed for
 * this halt (lib/model/resume_order.h). ERR_CONFLICT "not-halted". */
enum outcome keeper_resume(struct keeper *keeper, struct span jws, int64_t *out_halt,
                           struct error *err);

/* Its standing probes, when they are due: about every so often, and soon after a new charter. Call
 * it in every turn. */
void keeper_probe(struct keeper *keeper, int64_t every_seconds);

/* Until when it may sign. After that it answers "keeper-cert-expired" to all that needs signing,
 * for nobody would take it. */
struct cert_term keeper_signing_term(const struct keeper *keeper);
/* The same of opinions and passports, as far as it gives them; how many. */
enum { KEEPER_SPARE_TERMS = 2 };
size_t keeper_spare_terms(const struct keeper *keeper,
                          struct cert_term out[static KEEPER_SPARE_TERMS]);

/* What it says first on a new connection; release with record_done(&hello_record). */
void keeper_hello(const struct keeper *keeper, struct hello *out);

/* Body of a REQUEST in, FRAME_REPLY or FRAME_PROBLEM and its body out. doc/keeper.md lists every
 * code of a problem. */
enum frame_type keeper_answer(struct keeper *keeper, struct span request, struct bytes *out);

#endif
