/* Framed messages over TLS 1.3 (design.md section 5): a listener for controllers, a dialer for
 * agents and keepers, and one object a peer. nng's callbacks only put events on the owner's queue;
 * everything the owner does, it does on threads of its own.
 *
 * A frame is u32 length of the body, u8 type, u64 id (all big-endian), body. Type 0 is the link's
 * own keep-alive and never seen by owners; all other types and what their ids mean are theirs.
 *
 * What a peer may cost is bounded before it has proved anything: connections in all and from one
 * address, time to a valid hello, bytes while proving, bytes waiting to be sent, frames waiting for
 * the owner. Whoever goes over a bound loses its connection and nobody else notices. */
#ifndef MUSTER_NET_LINK_H
#define MUSTER_NET_LINK_H

#include "lib/base/json.h"
#include "lib/base/queue.h"
#include "lib/crypto/cert.h"

/* ---- who we are -------------------------------------------------------------------------- */

/* Our key and certificate and the deployment roots (current and next). Reference counted. */
struct link_identity;

enum { LINK_ROOTS_MAX = 4 };

/* The certificate must be one that the role may show: ROLE_CONTROLLER to listen, ROLE_KEEPER_LINK
 * or ROLE_GUEST to dial; it is checked against the roots, so an expired one fails here and not
 * later at every peer ("wrong-role", "wrong-root", "cert-expired", ..., "wrong-key"). Everything is
 * borrowed. */
enum outcome link_identity_new(const struct key *key, const struct cert *cert,
                               struct cert *const *roots, size_t root_count,
                               struct link_identity **out, struct error *err);
/* Show another certificate, trust other roots, from the next connection on. The role stays. */
enum outcome link_identity_renew(struct link_identity *identity, const struct key *key,
                                 const struct cert *cert, struct cert *const *roots,
                                 size_t root_count, struct error *err);
void link_identity_free(struct link_identity *identity);
DROP(link_identity_drop, struct link_identity, link_identity_free)

/* ---- opening ----------------------------------------------------------------------------- */

struct link;      /* a listener or a dialer, with its peers, sweep and reaper */
struct link_peer; /* one connection; reference counted */

enum { LINK_URLS_MAX = 8 };

struct link_settings {
    /* Listener: one "address:port", port 0 for any. Dialer: controllers, tried in turn from a
     * random one. "tls+tcp://" in front is fine. Borrowed during the call. */
    const char *urls[LINK_URLS_MAX];

    int64_t peers_most;       /* listener: connections in all */
    int64_t strangers_most;   /* listener: of these, not yet admitted; the oldest without a
                               * handshake, then without a frame, makes room */
    int64_t per_address_most; /* listener: connections from one address (IPv6: one /64) */
    int64_t
        per_address_bytes;   /* listener: a minute, from peers of one address that are not ready */
    int64_t hello_ms;        /* from accept to link_peer_admit */
    int64_t proving_ms;      /* from LINK_PROVING to LINK_READY */
    int64_t silence_ms;      /* a ready peer that sends no whole frame; 0: for ever */
    int64_t ping_ms;         /* a keep-alive when we sent nothing for so long; 0: never */
    int64_t tx_bytes_most;   /* waiting to be sent to one peer; over it the peer is dropped */
    int64_t inbox_most;      /* frames of one peer that the owner has not freed; the next is not
                              * read until it has */
    int64_t redial_least_ms; /* dialer: full jitter between least and a ceiling that starts at */
    int64_t redial_first_ms; /* first and doubles up to most */
    int64_t redial_most_ms;
    int64_t dial_ms; /* dialer: to a TCP connection */
};

struct link_settings link_settings_usual(void);

/* Events of all peers go to `events` (room: more than peers_most, or busy peers are dropped), as
 * `struct link_event *`. Several links may share one queue. Identity is shared, settings copied. */
enum outcome link_listen(const struct link_settings *settings, struct link_identity *identity,
                         struct queue *events, struct link **out, struct error *err);

/* Dials at once and again for ever, after each loss, until closed. A refused certificate is a
 * closed event like any loss, with its code. */
enum outcome link_dial(const struct link_settings *settings, struct link_identity *identity,
                       struct queue *events, struct link **out, struct error *err);

/* Closes everything within `wait_ms` and frees. False when something inside did not finish in time:
 * then the link's memory is left behind, for the process is about to end. Events that are still in
 * the queue stay valid until freed. Peers whose references are held stay valid, closed. */
bool link_close(struct link *link, int64_t wait_ms);

int link_port(const struct link *link); /* listener: where it really listens */

/* Dialer: why the last attempt to connect failed; OK when none did since the last success. */
void link_trouble(struct link *link, struct error *out);

/* Dialer: the server told us when to come back, so the next wait is exactly this. */
void link_redial_in(struct link *link, int64_t ms);

/* ---- events ------------------------------------------------------------------------------ */

enum link_event_kind {
    LINK_OPENED, /* the TLS handshake is done; role and fingerprint are known */
    LINK_FRAME,
    LINK_CLOSED, /* always the last one of a peer; `why` says why */
};

struct link_event {
    enum link_event_kind kind;
    struct link_peer *peer; /* valid as long as the event; link_peer_share() to keep it */
    uint8_t type;
    uint64_t id;
    struct bytes body; /* may be moved out: leave zeroes */
    struct error why;  /* LINK_CLOSED: code is one of the words below, or from the certificate */
};

/* Words in why.code: "closed-by-us", "closed-by-peer" (in good order), "connection-lost",
 * "refused-by-peer" (its TLS alert), "handshake-failed", "hello-late", "proving-late", "silent",
 * "frame-too-large", "budget-spent", "not-reading", "busy", "too-many", "shutdown"; and of the
 * peer's certificate "wrong-root", "wrong-role", "cert-expired", "cert-not-yet-valid",
 * "cert-invalid".
 *
 * A peer that never was LINK_OPENED gives LINK_CLOSED on a dialer only: strangers who never finish
 * a handshake are counted, not told of. */

void link_event_free(struct link_event *event);
DROP(link_event_drop, struct link_event, link_event_free)

/* The next event, NULL after wait_ms or when the queue is closed and empty. */
struct link_event *link_event_next(struct queue *events, int64_t wait_ms);

/* ---- peers (any thread) ------------------------------------------------------------------ */

enum link_state {
    LINK_STRANGER, /* frames up to 16 KiB, until hello_ms */
    LINK_PROVING,  /* frames up to 64 KiB, budgeted in all, until proving_ms */
    LINK_READY,    /* frames up to 1 MiB, no time limit but silence; where a dialer's peer starts */
};

enum {
    LINK_STRANGER_FRAME_MAX = 16 * 1024,
    LINK_PROVING_FRAME_MAX = 64 * 1024,
    LINK_PROVING_BUDGET = 720 * 1024, /* 512 KiB of evidence in base64, and its JSON */
    LINK_FRAME_MAX = 1024 * 1024,
};

/* Queue one frame; never blocks. ERR_UNREACHABLE "closed" when the connection is gone,
 * ERR_THROTTLED "not-reading" when this frame overran the peer's queue: the peer is closed then.
 * ERR_INVALID "frame-too-large" over LINK_FRAME_MAX. `type` is 1 to 255. */
enum outcome link_send(struct link_peer *peer, uint8_t type, uint64_t id, struct span body,
                       struct error *err);
/* The same with `json_print(value)` as body. */
enum outcome link_send_json(struct link_peer *peer, uint8_t type, uint64_t id, const json_t *value,
                            struct error *err);

/* What is sent from now on waits for link_peer_flush(), which sends it in few writes, or until it
 * is enough for some. */
void link_peer_hold(struct link_peer *peer);
void link_peer_flush(struct link_peer *peer);

uint64_t link_id_new(void); /* for a request: random, never 0, so it repeats across no restart */

void link_peer_admit(struct link_peer *peer, enum link_state state);
/* It waits for its turn, or its turn has come: proving_ms begins anew, the budget does not. */
void link_peer_extend(struct link_peer *peer);
enum link_state link_peer_state(const struct link_peer *peer);

/* At once: what is still queued is lost. `why` is a code for our side's LINK_CLOSED; NULL:
 * "closed-by-us". */
void link_peer_close(struct link_peer *peer, const char *why);
/* After a last word: what is queued still goes out, nothing more is heard or said, and the
 * connection ends when the peer closes it, or two to three seconds from now. */
void link_peer_finish(struct link_peer *peer, const char *why);
bool link_peer_is_closed(const struct link_peer *peer);

struct link_peer *link_peer_share(struct link_peer *peer);
void link_peer_free(struct link_peer *peer);
DROP(link_peer_drop, struct link_peer, link_peer_free)

/* The other side as the handshake proved it; known from LINK_OPENED on. */
enum cert_role link_peer_role(const struct link_peer *peer);
const uint8_t *link_peer_fingerprint(const struct link_peer *peer); /* SHA256_SIZE, of its SPKI */
const char *link_peer_address(const struct link_peer *peer);        /* "192.0.2.1:4711" */
const char *link_peer_group(const struct link_peer *peer); /* key exchange: "X25519MLKEM768" */

/* RFC 8446 exporter: the same 32 bytes on both ends, other ones on any other connection. */
enum outcome link_peer_exporter(struct link_peer *peer, const char *label, struct span context,
                                uint8_t out[static 32], struct error *err);

/* Whatever the owner wants to find again; not touched by the link. */
void link_peer_set_owner(struct link_peer *peer, void *owner);
void *link_peer_owner(const struct link_peer *peer);

uint64_t link_peer_number(const struct link_peer *peer); /* 1, 2, ... for logs */

/* ---- looking in -------------------------------------------------------------------------- */

struct link_counts {
    int64_t peers;      /* connected now */
    int64_t handshakes; /* of these, not done with TLS */
    int64_t strangers;  /* of these, not admitted (with the handshakes) */
    int64_t accepted;   /* ever; a dialer: connected */
    int64_t refused;    /* at the door: too many */
    int64_t closed;     /* ever */
    int64_t frames_in, frames_out, bytes_in, bytes_out;
};
void link_count(struct link *link, struct link_counts *out);

/* What the sweep does once a second; a test that moves the clock calls it itself. */
void link_sweep(struct link *link);

#endif
