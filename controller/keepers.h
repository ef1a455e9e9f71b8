/* The keepers on the link: who they are, and which one to ask. The desk's thread only. */
#ifndef MUSTER_CONTROLLER_KEEPERS_H
#define MUSTER_CONTROLLER_KEEPERS_H

#include "controller/calls.h"
#include "db/keeper_store.h"

enum { KEEPERS_MOST = 8, KEEPER_WAIT_MS = 15000, KEEPER_STUCK_MS = 60000 };

struct keeper_seat {
    struct link_peer *peer;
    uint8_t boot_id[8];
    enum realm realm;
    int64_t charter_serial;
    uint8_t signer[SHA256_SIZE]; /* SHA-256 of the keeper-sign SPKI; names it in rows */
    char name[2 * SHA256_SIZE + 1];
    char version[32];            /* of its program, as it says */
    int64_t heard_ms;            /* its hello or last answer to how it is (clock_monotonic_ms) */
    int64_t ask_due_ms;          /* when it is asked again */
    int64_t stuck_until_ms;      /* a guest's question lay with it without an answer */
    struct keeper_status status; /* its last answer */
    bool told;                   /* there was one */
    int64_t probe_due_ms;        /* when it is asked next what it must refuse; 0: not set yet */
    bool probing;                /* such a round is under way */
    bool distrusted;             /* it said yes: it is asked for nothing more */
};

struct keepers {
    struct keeper_seat seats[KEEPERS_MOST];
    size_t count;
    int64_t interval_ms; /* between two questions how it is; silent after two without an answer */
};

/* A keeper's hello: its link certificate is checked by the link, its signer certificate here.
 * ERR_DENIED "wrong-role", "wrong-root"..., ERR_THROTTLED "too-many". */
enum outcome keepers_welcome(struct keepers *keepers, struct link_peer *peer,
                             const struct hello *hello, struct cert *const *roots,
                             size_t root_count, struct keeper_seat **out, struct error *err);
void keepers_lost(struct keepers *keepers, const struct link_peer *peer);
void keepers_done(struct keepers *keepers);

struct keeper_seat *keepers_of_peer(struct keepers *keepers, const struct link_peer *peer);
/* By boot id: evidence goes to the keeper that issued its nonce. NULL: gone, or distrusted. */
struct keeper_seat *keepers_of_boot(struct keepers *keepers, const uint8_t boot_id[static 8]);
/* On the link and yet without an answer: stopped, or stuck. */
bool keepers_is_silent(const struct keepers *keepers, const struct keeper_seat *seat);
/* How it is it says, and does not do what guests want of it: for a while others are asked first. */
void keepers_let_wait(struct keepers *keepers, const uint8_t boot_id[static 8]);
/* Write down that it answered. The keeper's name in rows is the first half of its signer's hash. */
enum outcome keepers_note(const struct keepers *keepers, const struct keeper_seat *seat,
                          struct db *db, const char *actor, struct error *err);
/* Of those that answer, work and release, or of all when none does, the one with the highest
 * charter, and never one that is distrusted. ERR_UNREACHABLE "no-keeper", "keeper-distrusted". */
enum outcome keepers_pick(struct keepers *keepers, struct keeper_seat **out, struct error *err);

#endif
