/* What is queued for a peer, and how it goes out. */
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "lib/net/link_inside.h"

enum { TX_TOGETHER = 64 * 1024, TX_HELD_MOST = 4 * TX_TOGETHER };

/* Its bytes are the caller's to fill, all of them. */
static struct outgoing *outgoing_of(size_t len)
{
    struct outgoing *what = mem_resize(NULL, 1, sizeof *what + len);
    *what = (struct outgoing){.len = len};
    return what;
}

static void tx_start(struct link_peer *peer, struct outgoing *what)
{
    nng_iov iov = {.iov_buf = what->at + what->sent, .iov_len = what->len - what->sent};
    nng_aio_set_iov(peer->tx, 1, &iov);
    peer->probes = 2;
    nng_stream_send(peer->stream, peer->tx);
}

/* With peer->lock. Frames that wait go out in one write, so that all but its last record are
 * full: each costs the kernel and nng's threads as much as the next, whatever is in it. What is
 * held waits until it is enough for a few. */
static struct outgoing *tx_next(struct link_peer *peer)
{
    if (peer->tx_held && peer->tx_bytes < TX_HELD_MOST)
        return NULL;
    struct outgoing *first = peer->tx_first;
    struct outgoing *end = first;
    size_t len = 0;
    for (; end != NULL && len + end->len <= TX_TOGETHER; end = end->next)
        len += end->len;
    if (first == NULL || end == first || end == first->next)
        return first;
    struct outgoing *all = outgoing_of(len);
    size_t at = 0;
    for (struct outgoing *next; first != end; first = next) {
        next = first->next;
        memcpy(all->at + at, first->at, first->len);
        at += first->len;
        free(first);
    }
    all->next = end;
    peer->tx_first = all;
    if (end == NULL)
        peer->tx_last = all;
    return all;
}

void peer_tx_done(void *arg)
{
    struct link_peer *peer = arg;
    int failure = nng_aio_result(peer->tx);
    if (failure != 0) {
        peer_fail(peer, ERR_UNREACHABLE, "connection-lost", nng_strerror(failure));
        return;
    }
    size_t count = nng_aio_count(peer->tx);
    peer->link->bytes_out += (int64_t)count;
    struct outgoing *gone = NULL;
    pthread_mutex_lock(&peer->lock);
    struct outgoing *what = peer->tx_first;
    what->sent += count;
    if (what->sent == what->len) {
        gone = what;
        peer->tx_bytes -= (int64_t)what->len;
        peer->tx_first = what->next;
        if (peer->tx_first == NULL)
            peer->tx_last = NULL;
        what = tx_next(peer);
    }
    peer->tx_busy = what != NULL && !peer->closing;
    bool more = peer->tx_busy;
    pthread_mutex_unlock(&peer->lock);
    free(gone);
    if (more)
        tx_start(peer, what);
}

static struct outgoing *outgoing_new(uint8_t type, uint64_t id, struct span body)
{
    struct outgoing *what = outgoing_of(FRAME_HEAD_SIZE + body.len);
    frame_head(what->at, type, id, body.len);
    if (body.len > 0)
        memcpy(what->at + FRAME_HEAD_SIZE, body.at, body.len);
    return what;
}

/* With peer->lock. One frame alone may be larger than the bound; more than it may not wait. */
static bool tx_append(struct link_peer *peer, struct outgoing *what)
{
    if (peer->tx_first != NULL &&
        peer->tx_bytes + (int64_t)what->len > peer->link->set.tx_bytes_most)
        return false;
    peer->tx_bytes += (int64_t)what->len;
    if (peer->tx_last != NULL)
        peer->tx_last->next = what;
    else
        peer->tx_first = what;
    peer->tx_last = what;
    return true;
}

/* With peer->lock. What to start with, if nobody sends: then the caller is a user. */
static struct outgoing *tx_begin(struct link_peer *peer)
{
    struct outgoing *what = peer->tx_busy || peer->closing ? NULL : tx_next(peer);
    if (what != NULL) {
        peer->tx_busy = true;
        peer->users++;
    }
    return what;
}

static void tx_go(struct link_peer *peer, struct outgoing *what)
{
    if (what == NULL)
        return;
    tx_start(peer, what);
    peer_leave(peer);
}

static enum outcome send_frame(struct link_peer *peer, uint8_t type, uint64_t id, struct span body,
                               struct error *err)
{
    struct outgoing *what = outgoing_new(type, id, body);
    pthread_mutex_lock(&peer->lock);
    bool open = !peer->closing && peer->finish_ms == 0;
    bool fits = open && tx_append(peer, what);
    struct outgoing *start = fits ? tx_begin(peer) : NULL;
    pthread_mutex_unlock(&peer->lock);
    if (!fits)
        free(what);
    if (!open)
        return fail_code(err, ERR_UNREACHABLE, "closed", "the connection to %s is closed",
                         peer->address);
    if (!fits) {
        peer_fail(peer, ERR_THROTTLED, "not-reading", "the peer does not read what it is sent");
        return fail_code(err, ERR_THROTTLED, "not-reading", "%s does not read what it is sent",
                         peer->address);
    }
    peer->link->frames_out++;
    peer->sent_ms = clock_monotonic_ms();
    tx_go(peer, start);
    return OK;
}

enum outcome link_send(struct link_peer *peer, uint8_t type, uint64_t id, struct span body,
                       struct error *err)
{
    if (type == FRAME_PING)
        return fail(err, ERR_INVALID, "frame type 0 is the link's own");
    if (body.len > LINK_FRAME_MAX)
        return fail_code(err, ERR_INVALID, "frame-too-large", "a frame of %zu bytes, %d allowed",
                         body.len, LINK_FRAME_MAX);
    return send_frame(peer, type, id, body, err);
}

enum outcome link_send_json(struct link_peer *peer, uint8_t type, uint64_t id, const json_t *value,
                            struct error *err)
{
    OWNED(mem_drop) char *text = json_print(value);
    return link_send(peer, type, id, span_of_text(text), err);
}

void link_peer_hold(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    peer->tx_held = true;
    pthread_mutex_unlock(&peer->lock);
}

void link_peer_flush(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    peer->tx_held = false;
    struct outgoing *start = tx_begin(peer);
    pthread_mutex_unlock(&peer->lock);
    tx_go(peer, start);
}

void peer_ping(struct link_peer *peer)
{
    error_ignore(send_frame(peer, FRAME_PING, 0, SPAN("", 0), NULL));
}

uint64_t link_id_new(void)
{
    uint64_t id = 0;
    while (id == 0)
        random_fill(&id, sizeof id);
    return id;
}
