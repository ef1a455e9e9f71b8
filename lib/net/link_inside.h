/* How the link is made; for lib/net/link*.c only.
 *
 * nng calls back on its own few threads, sometimes with its connection's lock held (the TLS watch).
 * Hence the rule that makes this free of deadlocks: none of our locks is held while nng is called.
 * link->lock comes before peer->lock. A peer's stream and operations are freed by the reaper alone,
 * after `users` is zero: whoever calls nng outside a callback is a user meanwhile. */
#ifndef MUSTER_NET_LINK_INSIDE_H
#define MUSTER_NET_LINK_INSIDE_H

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/net/link.h"
#include "lib/net/link_address.h"
#include "lib/net/link_frame.h"
#include "lib/net/link_tls.h"

enum { FRAME_PING = 0, LINGER_MS = 2000 };

struct outgoing {
    struct outgoing *next;
    size_t len, sent;
    uint8_t at[];
};

struct peer_list {
    struct link_peer *first, *last;
};

struct link_peer {
    _Atomic int owners;
    struct link *link;

    /* Of the one who reads: a callback, or who resumes a paused peer. */
    struct frames in;
    bool spoke; /* a whole frame */

    nng_stream *stream;
    nng_aio *rx, *tx;
    uint64_t number;
    int64_t came_ms;
    struct address from;
    char address[64];
    struct link_tls_facts facts; /* written before `opened` */

    _Atomic(void *) owner;
    _Atomic bool opened;
    _Atomic int state;         /* enum link_state; changes under link->lock */
    _Atomic int64_t since_ms;  /* in this state */
    _Atomic int64_t heard_ms;  /* the last whole frame */
    _Atomic int64_t sent_ms;   /* the last frame queued */
    _Atomic int64_t spent;     /* bytes received in this state */
    _Atomic int64_t finish_ms; /* 0: not finishing */
    _Atomic int probes;        /* sweeps to go that look whether the socket is still there */

    /* link->lock */
    struct link_peer *before, *after;
    struct peer_list *list;

    pthread_mutex_t lock; /* all below */
    bool closing;
    bool paused; /* inbox is full: nobody reads */
    bool tx_busy;
    bool tx_held;     /* link_peer_hold(): what is sent waits */
    int users;        /* inside nng, outside callbacks */
    int64_t inbox;    /* frames that the owner has not freed */
    int64_t tx_bytes; /* queued */
    struct outgoing *tx_first, *tx_last;
    struct error *why; /* the first reason wins */
};

struct link {
    _Atomic int owners; /* who opened it, and each peer */
    bool is_listener;
    int port;
    struct link_settings set;
    struct link_identity *identity;
    struct queue *events;

    nng_tls_config *tls;
    nng_stream_listener *listener;
    nng_stream_dialer *dialers[2 * LINK_URLS_MAX];
    bool other_way[2 * LINK_URLS_MAX]; /* the next dialer leads to the same name */
    size_t dialer_count;
    nng_aio *connect; /* accept or dial, one at a time */
    nng_aio *rest;    /* the pause before the next one */
    pthread_t sweeper, reaper;
    bool shut; /* the reaper's own: nobody comes any more */

    pthread_mutex_t lock; /* all below */
    pthread_cond_t work;  /* for the reaper */
    pthread_cond_t tick;  /* for the sweeper */
    pthread_cond_t ended; /* for link_close() */
    pthread_cond_t idle;  /* for the reaper, with peer->lock: users is zero */
    bool closing, swept, reaped;
    struct peer_list handshaking; /* in order of coming */
    struct peer_list quiet;       /* a listener's: shook hands, said nothing; in that order */
    struct peer_list known;
    struct peer_list dying;  /* for the reaper to take apart */
    struct peer_list untold; /* taken apart; the owner's queue had no room for the news */
    struct address_costs *costs;
    size_t turn;          /* dialer: which of them is next */
    int failures;         /* dialer: in a row */
    int64_t told_wait_ms; /* dialer: from link_redial_in(); -1: nothing told */
    struct error trouble;
    struct link_counts counts; /* but traffic */

    _Atomic uint64_t next_number;
    _Atomic int64_t frames_in, frames_out, bytes_in, bytes_out;
};

/* link_peer.c */
struct link_peer *peer_new(struct link *link, nng_stream *stream); /* with one user: the caller */
void peer_start(struct link_peer *peer);                           /* read; ends that use */
bool peer_enter(struct link_peer *peer);                           /* false when it is closing */
void peer_leave(struct link_peer *peer);
void peer_fail(struct link_peer *peer, enum outcome outcome, const char *code, const char *text);
void peer_fail_locked(struct link_peer *peer, enum outcome outcome, const char *code,
                      const char *text);      /* with link->lock */
void peer_take_apart(struct link_peer *peer); /* the reaper */
bool peer_tell_closed(struct link_peer *peer);

/* link_send.c */
void peer_tx_done(void *arg); /* the callback of peer->tx */
void peer_ping(struct link_peer *peer);

/* link_connect.c */
enum outcome connect_set_up(struct link *link, const struct link_settings *settings,
                            struct error *err);
void connect_next(struct link *link); /* accept or dial */
void connect_rest(struct link *link, int64_t ms);
void connect_lost(struct link *link, const struct link_peer *peer); /* dialer: come back later */
void connect_end(struct link *link);                                /* may block; the reaper */

/* link.c */
void list_add(struct peer_list *list, struct link_peer *peer);
void list_remove(struct link_peer *peer);
void link_unref(struct link *link);

#endif
