#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/metrics.h"
#include "lib/net/link_inside.h"

static const struct {
    size_t frame_most;
    int64_t budget; /* bytes while in the state; 0: none */
} bounds[] = {
    [LINK_STRANGER] = {LINK_STRANGER_FRAME_MAX, 2 * LINK_STRANGER_FRAME_MAX},
    [LINK_PROVING] = {LINK_PROVING_FRAME_MAX, LINK_PROVING_BUDGET},
    [LINK_READY] = {LINK_FRAME_MAX, 0},
};

/* ---- life --------------------------------------------------------------------------------- */

static void text_of_address(const nng_sockaddr *from, struct address *at, char out[static 64])
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (from->s_family == NNG_AF_INET) {
        at->at[10] = at->at[11] = 0xff;
        memcpy(at->at + 12, &from->s_in.sa_addr, 4);
        inet_ntop(AF_INET, &from->s_in.sa_addr, text, sizeof text);
        snprintf(out, 64, "%s:%d", text, ntohs(from->s_in.sa_port));
    } else if (from->s_family == NNG_AF_INET6) {
        memcpy(at->at, from->s_in6.sa_addr, sizeof at->at);
        inet_ntop(AF_INET6, from->s_in6.sa_addr, text, sizeof text);
        snprintf(out, 64, "[%s]:%d", text, ntohs(from->s_in6.sa_port));
    } else {
        snprintf(out, 64, "?");
    }
}

static void rx_done(void *arg);

struct link_peer *peer_new(struct link *link, nng_stream *stream)
{
    struct link_peer *peer = NEW(struct link_peer);
    nng_sockaddr from = {0};
    error_ignore(nng_stream_get_addr(stream, NNG_OPT_REMADDR, &from) == 0 ? OK : ERR_UNREACHABLE);
    text_of_address(&from, &peer->from, peer->address);
    if (nng_aio_alloc(&peer->rx, rx_done, peer) != 0 ||
        nng_aio_alloc(&peer->tx, peer_tx_done, peer) != 0)
        abort(); /* out of memory, as in mem_new() */
    peer->owners = 1;
    peer->users = 1;
    peer->link = link;
    link->owners++;
    peer->stream = stream;
    peer->number = ++link->next_number;
    peer->state = link->is_listener ? LINK_STRANGER : LINK_READY;
    peer->came_ms = clock_monotonic_ms();
    peer->since_ms = peer->heard_ms = peer->sent_ms = peer->came_ms;
    pthread_mutex_init(&peer->lock, NULL);
    return peer;
}

struct link_peer *link_peer_share(struct link_peer *peer)
{
    peer->owners++;
    return peer;
}

void link_peer_free(struct link_peer *peer)
{
    if (peer == NULL || --peer->owners > 0)
        return;
    frames_done(&peer->in);
    while (peer->tx_first != NULL) {
        struct outgoing *next = peer->tx_first->next;
        free(peer->tx_first);
        peer->tx_first = next;
    }
    pthread_mutex_destroy(&peer->lock);
    free(peer->why);
    link_unref(peer->link);
    free(peer);
}

bool peer_enter(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    bool entered = !peer->closing;
    peer->users += entered;
    pthread_mutex_unlock(&peer->lock);
    return entered;
}

void peer_leave(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    if (--peer->users == 0 && peer->closing)
        pthread_cond_signal(&peer->link->idle);
    pthread_mutex_unlock(&peer->lock);
}

/* With peer->lock. */
static void because(struct link_peer *peer, enum outcome outcome, const char *code,
                    const char *text)
{
    if (peer->why != NULL)
        return;
    peer->why = NEW(struct error);
    error_fill(peer->why, outcome, code, "", "%s", text);
}

void peer_fail_locked(struct link_peer *peer, enum outcome outcome, const char *code,
                      const char *text)
{
    struct link *link = peer->link;
    pthread_mutex_lock(&peer->lock);
    bool first = !peer->closing;
    peer->closing = true;
    because(peer, outcome, code, text);
    pthread_mutex_unlock(&peer->lock);
    if (!first)
        return;
    link->counts.handshakes -= peer->list == &link->handshaking;
    link->counts.strangers -= peer->state == LINK_STRANGER;
    list_remove(peer);
    list_add(&link->dying, peer);
    pthread_cond_signal(&link->work);
}

void peer_fail(struct link_peer *peer, enum outcome outcome, const char *code, const char *text)
{
    pthread_mutex_lock(&peer->link->lock);
    peer_fail_locked(peer, outcome, code, text);
    pthread_mutex_unlock(&peer->link->lock);
}

/* ---- the TLS watch; nng holds the connection's lock ---------------------------------------- */

static bool push_event(struct link_peer *peer, struct link_event *event)
{
    event->peer = link_peer_share(peer);
    if (queue_push(peer->link->events, event))
        return true;
    event->kind = LINK_OPENED; /* not counted in the inbox */
    link_event_free(event);
    return false;
}

static bool tls_opened(void *who, const struct link_tls_facts *facts)
{
    struct link_peer *peer = who;
    struct link *link = peer->link;
    peer->facts = *facts;
    peer->opened = true;
    pthread_mutex_lock(&link->lock);
    bool alive = peer->list == &link->handshaking;
    if (alive) {
        list_remove(peer);
        list_add(link->is_listener ? &link->quiet : &link->known, peer);
        link->counts.handshakes--;
        link->trouble = (struct error){0};
    }
    pthread_mutex_unlock(&link->lock);
    if (!alive)
        return false;
    struct link_event *event = NEW(struct link_event);
    event->kind = LINK_OPENED;
    bool told = push_event(peer, event);
    if (!told)
        peer->opened = false; /* the owner has not heard of it and will not */
    return told;
}

static void tls_failed(void *who, const struct error *why)
{
    struct link_peer *peer = who;
    pthread_mutex_lock(&peer->lock);
    because(peer, why->outcome, why->code, why->text);
    pthread_mutex_unlock(&peer->lock);
}

/* ---- receiving ---------------------------------------------------------------------------- */

static void rx_start(struct link_peer *peer)
{
    nng_iov iov;
    iov.iov_buf = frames_room(&peer->in, &iov.iov_len);
    nng_aio_set_iov(peer->rx, 1, &iov);
    peer->probes = 2;
    nng_stream_recv(peer->stream, peer->rx);
}

/* False when the owner has enough of this peer's frames: whoever frees one goes on reading. */
static bool inbox_has_room(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    bool room = !peer->closing && peer->inbox < peer->link->set.inbox_most;
    peer->paused = !room;
    pthread_mutex_unlock(&peer->lock);
    return room;
}

/* From now on it waits for us, and no longer we for it. */
static void has_spoken(struct link_peer *peer)
{
    struct link *link = peer->link;
    peer->spoke = true;
    pthread_mutex_lock(&link->lock);
    if (peer->list == &link->quiet) {
        list_remove(peer);
        list_add(&link->known, peer);
    }
    pthread_mutex_unlock(&link->lock);
}

static bool deliver(struct link_peer *peer, const struct frame *frame)
{
    peer->heard_ms = clock_monotonic_ms();
    if (frame->type == FRAME_PING || peer->finish_ms != 0)
        return true;
    if (!peer->spoke)
        has_spoken(peer);
    peer->link->frames_in++;
    struct link_event *event = NEW(struct link_event);
    *event = (struct link_event){
        .kind = LINK_FRAME, .type = frame->type, .id = frame->id, .body = bytes_copy(frame->body)};
    pthread_mutex_lock(&peer->lock);
    peer->inbox++;
    pthread_mutex_unlock(&peer->lock);
    if (push_event(peer, event))
        return true;
    peer_fail(peer, ERR_THROTTLED, "busy", "the owner's queue is full");
    return false;
}

/* Hand on what is here and wait for more. One thread at a time: see `in`. */
static void rx_pump(struct link_peer *peer)
{
    for (;;) {
        if (!inbox_has_room(peer))
            return;
        struct frame frame;
        struct error err = {0};
        bool whole = false;
        int state = peer->state; /* apart: gcc 12 reads an atomic index as if it were plain */
        if (frames_next(&peer->in, bounds[state].frame_most, &frame, &whole, &err) != OK) {
            peer_fail(peer, err.outcome, err.code, err.text);
            return;
        }
        if (!whole)
            break;
        if (!deliver(peer, &frame))
            return;
    }
    rx_start(peer);
}

/* What a peer may send before it is ready is bounded, and so is what all of its address may. */
static bool within_budget(struct link_peer *peer, int64_t count)
{
    struct link *link = peer->link;
    int state = peer->state;
    peer->spent += count;
    if (state == LINK_READY)
        return true;
    if (peer->spent > bounds[state].budget)
        return false;
    pthread_mutex_lock(&link->lock);
    bool within = address_spend(link->costs, &peer->from, count, link->set.per_address_bytes,
                                clock_monotonic_ms());
    pthread_mutex_unlock(&link->lock);
    return within;
}

static void rx_done(void *arg)
{
    struct link_peer *peer = arg;
    int failure = nng_aio_result(peer->rx);
    if (failure != 0) {
        peer_fail(peer, ERR_UNREACHABLE, "connection-lost", nng_strerror(failure));
        return;
    }
    size_t count = nng_aio_count(peer->rx);
    peer->link->bytes_in += (int64_t)count;
    frames_came(&peer->in, count);
    if (within_budget(peer, (int64_t)count))
        rx_pump(peer);
    else
        peer_fail(peer, ERR_DENIED, "budget-spent", "too many bytes before it is ready");
}

void peer_start(struct link_peer *peer)
{
    const struct link_tls_watch watch = {.who = peer, .opened = tls_opened, .failed = tls_failed};
    link_tls_set_watch(peer->stream, &watch);
    rx_start(peer);
    peer_leave(peer);
}

/* ---- the end ------------------------------------------------------------------------------ */

void link_peer_close(struct link_peer *peer, const char *why)
{
    peer_fail(peer, ERR_UNREACHABLE, why != NULL ? why : "closed-by-us",
              "we closed the connection");
}

void link_peer_finish(struct link_peer *peer, const char *why)
{
    pthread_mutex_lock(&peer->lock);
    because(peer, ERR_UNREACHABLE, why != NULL ? why : "closed-by-us", "we closed the connection");
    if (peer->finish_ms == 0)
        peer->finish_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&peer->lock);
}

void peer_take_apart(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    while (peer->users > 0)
        pthread_cond_wait(&peer->link->idle, &peer->lock);
    pthread_mutex_unlock(&peer->lock);
    nng_stream_close(peer->stream);
    nng_aio_stop(peer->rx);
    nng_aio_stop(peer->tx);
    link_tls_set_watch(peer->stream, &(struct link_tls_watch){0});
    nng_stream_free(peer->stream);
    nng_aio_free(peer->rx);
    nng_aio_free(peer->tx);
    frames_done(&peer->in);
    metric_add(METRIC_LINK_CLOSED, 1);
}

bool peer_tell_closed(struct link_peer *peer)
{
    if (!peer->opened && peer->link->is_listener)
        return true;
    struct link_event *event = NEW(struct link_event);
    *event = (struct link_event){.kind = LINK_CLOSED, .why = *peer->why};
    return push_event(peer, event);
}

void link_event_free(struct link_event *event)
{
    if (event == NULL)
        return;
    struct link_peer *peer = event->peer;
    bool resume = false;
    if (event->kind == LINK_FRAME) {
        pthread_mutex_lock(&peer->lock);
        peer->inbox--;
        resume = peer->paused && !peer->closing && peer->inbox < peer->link->set.inbox_most;
        if (resume) {
            peer->paused = false;
            peer->users++;
        }
        pthread_mutex_unlock(&peer->lock);
    }
    if (resume) {
        peer->heard_ms = clock_monotonic_ms();
        rx_pump(peer);
        peer_leave(peer);
    }
    bytes_done(&event->body);
    free(event);
    link_peer_free(peer);
}

struct link_event *link_event_next(struct queue *events, int64_t wait_ms)
{
    return queue_pop(events, wait_ms);
}

/* ---- what the owner asks ------------------------------------------------------------------ */

void link_peer_admit(struct link_peer *peer, enum link_state state)
{
    struct link *link = peer->link;
    pthread_mutex_lock(&link->lock);
    bool listed = peer->list == &link->known || peer->list == &link->quiet ||
                  peer->list == &link->handshaking;
    if (peer->list == &link->quiet && state != LINK_STRANGER) {
        list_remove(peer);
        list_add(&link->known, peer);
    }
    if (listed && peer->state != (int)state) {
        link->counts.strangers += (state == LINK_STRANGER) - (peer->state == LINK_STRANGER);
        peer->state = state;
        peer->since_ms = peer->heard_ms = clock_monotonic_ms();
        peer->spent = 0;
    }
    pthread_mutex_unlock(&link->lock);
}

void link_peer_extend(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->link->lock);
    if (peer->state == LINK_PROVING)
        peer->since_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&peer->link->lock);
}

enum link_state link_peer_state(const struct link_peer *peer)
{
    return (enum link_state)peer->state;
}

bool link_peer_is_closed(const struct link_peer *peer)
{
    struct link_peer *locked = (struct link_peer *)(uintptr_t)peer;
    pthread_mutex_lock(&locked->lock);
    bool closed = peer->closing || peer->finish_ms != 0;
    pthread_mutex_unlock(&locked->lock);
    return closed;
}

enum cert_role link_peer_role(const struct link_peer *peer)
{
    return peer->facts.role;
}

const uint8_t *link_peer_fingerprint(const struct link_peer *peer)
{
    return peer->facts.fingerprint;
}

const char *link_peer_address(const struct link_peer *peer)
{
    return peer->address;
}

const char *link_peer_group(const struct link_peer *peer)
{
    return peer->facts.group;
}

uint64_t link_peer_number(const struct link_peer *peer)
{
    return peer->number;
}

void link_peer_set_owner(struct link_peer *peer, void *owner)
{
    peer->owner = owner;
}

void *link_peer_owner(const struct link_peer *peer)
{
    return peer->owner;
}

enum outcome link_peer_exporter(struct link_peer *peer, const char *label, struct span context,
                                uint8_t out[static 32], struct error *err)
{
    if (!peer_enter(peer))
        return fail_code(err, ERR_UNREACHABLE, "closed", "the connection to %s is closed",
                         peer->address);
    enum outcome outcome = link_tls_exporter(peer->stream, label, context, out, err);
    peer_leave(peer);
    return outcome;
}
