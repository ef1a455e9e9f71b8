#include "lib/net/link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/net/link_inside.h"

enum { TICK_MS = 1000, TELL_AGAIN_MS = 20 };

struct link_settings link_settings_usual(void)
{
    return (struct link_settings){
        .peers_most = 12000,
        .strangers_most = 1024,
        .per_address_most = 4096,
        .per_address_bytes = 64 * 1024 * 1024,
        .hello_ms = 15000,
        .proving_ms = 180000,
        .silence_ms = 90000,
        .ping_ms = 25000,
        .tx_bytes_most = 4 * 1024 * 1024,
        .inbox_most = 16,
        .redial_least_ms = 1000,
        .redial_first_ms = 8000,
        .redial_most_ms = 30000,
        .dial_ms = 10000,
    };
}

/* ---- lists; with link->lock ---------------------------------------------------------------- */

void list_add(struct peer_list *list, struct link_peer *peer)
{
    peer->list = list;
    peer->before = list->last;
    peer->after = NULL;
    *(list->last != NULL ? &list->last->after : &list->first) = peer;
    list->last = peer;
}

void list_remove(struct link_peer *peer)
{
    struct peer_list *list = peer->list;
    *(peer->before != NULL ? &peer->before->after : &list->first) = peer->after;
    *(peer->after != NULL ? &peer->after->before : &list->last) = peer->before;
    peer->list = NULL;
    peer->before = peer->after = NULL;
}

/* ---- the sweep ----------------------------------------------------------------------------- */

/* Who is late, by the state it is in; NULL: nobody. */
static const char *lateness(const struct link_peer *peer, int64_t now)
{
    const struct link_settings *set = &peer->link->set;
    if (peer->finish_ms != 0)
        return now - peer->finish_ms >= LINGER_MS ? "closed-by-us" : NULL;
    int64_t in_state = now - peer->since_ms;
    if (!peer->opened && now - peer->came_ms >= set->hello_ms)
        return "hello-late";
    switch ((enum link_state)peer->state) {
    case LINK_STRANGER:
        return in_state >= set->hello_ms ? "hello-late" : NULL;
    case LINK_PROVING:
        return in_state >= set->proving_ms ? "proving-late" : NULL;
    case LINK_READY:
        return set->silence_ms > 0 && now - peer->heard_ms >= set->silence_ms ? "silent" : NULL;
    }
    return NULL;
}

/* A peer whose frames wait for the owner is not silent: the owner is slow. */
static bool is_read(struct link_peer *peer)
{
    pthread_mutex_lock(&peer->lock);
    bool read = !peer->paused;
    pthread_mutex_unlock(&peer->lock);
    return read;
}

/* Those that need a call to nng, which is made without the lock. */
struct visits {
    struct link_peer **peers;
    size_t count, room;
};

static void visit_later(struct visits *visits, struct link_peer *peer)
{
    if (!peer_enter(peer))
        return;
    if (visits->count == visits->room) {
        visits->room = visits->room * 2 + 64;
        visits->peers = mem_resize(visits->peers, visits->room, sizeof *visits->peers);
    }
    visits->peers[visits->count++] = link_peer_share(peer);
}

static bool wants_ping(const struct link_peer *peer, int64_t now)
{
    int64_t every = peer->link->set.ping_ms;
    return every > 0 && peer->opened && peer->state == LINK_READY && now - peer->sent_ms >= every;
}

static void look_at(struct peer_list *list, int64_t now, struct visits *visits)
{
    struct link_peer *after;
    for (struct link_peer *peer = list->first; peer != NULL; peer = after) {
        after = peer->after;
        const char *late = lateness(peer, now);
        if (late != NULL && is_read(peer))
            peer_fail_locked(peer, ERR_UNREACHABLE, late, "its time ran out");
        else if (peer->probes > 0 || wants_ping(peer, now))
            visit_later(visits, peer);
    }
}

/* When TCP breaks while no receive of ours is with nng, nng 1.5.2 never finishes the next one. The
 * socket knows: one that nng has shut down has no remote address any more. */
static void probe(struct link_peer *peer)
{
    nng_sockaddr from;
    peer->probes--;
    if (nng_stream_get_addr(peer->stream, NNG_OPT_REMADDR, &from) != 0)
        peer_fail(peer, ERR_UNREACHABLE, "connection-lost", "the connection broke");
}

void link_sweep(struct link *link)
{
    int64_t now = clock_monotonic_ms();
    struct visits visits = {0};
    pthread_mutex_lock(&link->lock);
    look_at(&link->handshaking, now, &visits);
    look_at(&link->quiet, now, &visits);
    look_at(&link->known, now, &visits);
    address_sweep(link->costs, now);
    pthread_mutex_unlock(&link->lock);
    for (size_t i = 0; i < visits.count; i++) {
        struct link_peer *peer = visits.peers[i];
        if (peer->probes > 0)
            probe(peer);
        if (wants_ping(peer, now))
            peer_ping(peer);
        peer_leave(peer);
        link_peer_free(peer);
    }
    free(visits.peers);
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void *sweep_for_ever(void *arg)
{
    struct link *link = arg;
    pthread_mutex_lock(&link->lock);
    while (!link->closing) {
        struct timespec at = in_ms(TICK_MS);
        int late = 0;
        while (!link->closing && late == 0)
            late = pthread_cond_timedwait(&link->tick, &link->lock, &at);
        pthread_mutex_unlock(&link->lock);
        link_sweep(link);
        pthread_mutex_lock(&link->lock);
    }
    link->swept = true;
    pthread_cond_broadcast(&link->ended);
    pthread_mutex_unlock(&link->lock);
    return NULL;
}

/* ---- the reaper ---------------------------------------------------------------------------- */

/* The peer's last event; one whose owner has no room for it waits in `untold`. */
static bool tell(struct link *link, struct link_peer *peer)
{
    bool told = peer_tell_closed(peer);
    pthread_mutex_lock(&link->lock);
    bool keep = !told && !link->closing;
    if (keep)
        list_add(&link->untold, peer);
    pthread_mutex_unlock(&link->lock);
    if (!keep)
        link_peer_free(peer);
    return told;
}

static void reap(struct link *link, struct link_peer *peer)
{
    peer_take_apart(peer);
    pthread_mutex_lock(&link->lock);
    if (link->is_listener)
        address_drop(link->costs, &peer->from);
    link->counts.peers--;
    link->counts.closed++;
    pthread_mutex_unlock(&link->lock);
    if (!link->is_listener && !link->shut)
        connect_lost(link, peer);
    error_ignore(tell(link, peer) ? OK : ERR_THROTTLED);
}

static struct link_peer *take_first(struct peer_list *list)
{
    struct link_peer *peer = list->first;
    if (peer != NULL)
        list_remove(peer);
    return peer;
}

static void shut(struct link *link)
{
    connect_end(link);
    pthread_mutex_lock(&link->lock);
    struct peer_list *lists[] = {&link->handshaking, &link->quiet, &link->known};
    for (size_t i = 0; i < countof(lists); i++)
        while (lists[i]->first != NULL)
            peer_fail_locked(lists[i]->first, ERR_UNREACHABLE, "shutdown", "the link closes");
    pthread_mutex_unlock(&link->lock);
    link->shut = true;
}

static void wait_for_work(struct link *link, bool soon)
{
    struct timespec at = in_ms(soon ? TELL_AGAIN_MS : TICK_MS);
    pthread_mutex_lock(&link->lock);
    if (!link->closing && link->dying.first == NULL)
        pthread_cond_timedwait(&link->work, &link->lock, &at);
    pthread_mutex_unlock(&link->lock);
}

/* One thing to do; false when there is none. */
static bool reap_one(struct link *link, bool *out_refused)
{
    pthread_mutex_lock(&link->lock);
    bool closing = link->closing;
    struct link_peer *dying = take_first(&link->dying);
    struct link_peer *untold = dying == NULL ? take_first(&link->untold) : NULL;
    pthread_mutex_unlock(&link->lock);
    *out_refused = false;
    if (dying != NULL)
        reap(link, dying);
    else if (untold != NULL)
        *out_refused = !tell(link, untold);
    else if (closing && !link->shut)
        shut(link);
    else
        return false;
    return true;
}

static void *reap_for_ever(void *arg)
{
    struct link *link = arg;
    for (;;) {
        bool refused;
        bool did = reap_one(link, &refused);
        if (!did && link->shut)
            break;
        if (!did || refused)
            wait_for_work(link, refused);
    }
    pthread_mutex_lock(&link->lock);
    link->reaped = true;
    pthread_cond_broadcast(&link->ended);
    pthread_mutex_unlock(&link->lock);
    return NULL;
}

/* ---- open and close ------------------------------------------------------------------------ */

void link_unref(struct link *link)
{
    if (--link->owners > 0)
        return;
    address_costs_free(link->costs);
    link_identity_free(link->identity);
    pthread_cond_destroy(&link->work);
    pthread_cond_destroy(&link->tick);
    pthread_cond_destroy(&link->ended);
    pthread_cond_destroy(&link->idle);
    pthread_mutex_destroy(&link->lock);
    free(link);
}

static struct link *link_new(bool is_listener, const struct link_settings *settings,
                             struct link_identity *identity, struct queue *events)
{
    struct link *link = NEW(struct link);
    link->owners = 1;
    link->is_listener = is_listener;
    link->set = *settings;
    memset(link->set.urls, 0, sizeof link->set.urls); /* they were only lent */
    link->identity = link_identity_share(identity);
    link->events = events;
    link->costs = address_costs_new();
    link->told_wait_ms = -1;
    pthread_mutex_init(&link->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&link->work, &monotonic);
    pthread_cond_init(&link->tick, &monotonic);
    pthread_cond_init(&link->ended, &monotonic);
    pthread_cond_init(&link->idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return link;
}

static enum outcome open_link(bool is_listener, const struct link_settings *settings,
                              struct link_identity *identity, struct queue *events,
                              struct link **out, struct error *err)
{
    if ((link_identity_role(identity) == ROLE_CONTROLLER) != is_listener)
        return fail_code(err, ERR_DENIED, "wrong-role", "controllers listen, the others dial");
    struct link *link = link_new(is_listener, settings, identity, events);
    enum outcome outcome = connect_set_up(link, settings, err);
    if (outcome != OK) {
        connect_end(link);
        link_unref(link);
        return outcome;
    }
    if (pthread_create(&link->reaper, NULL, reap_for_ever, link) != 0 ||
        pthread_create(&link->sweeper, NULL, sweep_for_ever, link) != 0)
        abort(); /* out of memory, as in mem_new() */
    connect_next(link);
    *out = link;
    return OK;
}

enum outcome link_listen(const struct link_settings *settings, struct link_identity *identity,
                         struct queue *events, struct link **out, struct error *err)
{
    return open_link(true, settings, identity, events, out, err);
}

enum outcome link_dial(const struct link_settings *settings, struct link_identity *identity,
                       struct queue *events, struct link **out, struct error *err)
{
    return open_link(false, settings, identity, events, out, err);
}

bool link_close(struct link *link, int64_t wait_ms)
{
    if (link == NULL)
        return true;
    struct timespec at = in_ms(wait_ms);
    int late = 0;
    pthread_mutex_lock(&link->lock);
    link->closing = true;
    pthread_cond_broadcast(&link->work);
    pthread_cond_broadcast(&link->tick);
    while (!(link->reaped && link->swept) && late == 0)
        late = pthread_cond_timedwait(&link->ended, &link->lock, &at);
    bool done = link->reaped && link->swept;
    pthread_mutex_unlock(&link->lock);
    if (!done)
        return false;
    pthread_join(link->reaper, NULL);
    pthread_join(link->sweeper, NULL);
    link_unref(link);
    return true;
}

/* ---- looking in ---------------------------------------------------------------------------- */

int link_port(const struct link *link)
{
    return link->port;
}

void link_redial_in(struct link *link, int64_t ms)
{
    pthread_mutex_lock(&link->lock);
    link->told_wait_ms = ms;
    pthread_mutex_unlock(&link->lock);
}

void link_trouble(struct link *link, struct error *out)
{
    pthread_mutex_lock(&link->lock);
    *out = link->trouble;
    pthread_mutex_unlock(&link->lock);
}

void link_count(struct link *link, struct link_counts *out)
{
    pthread_mutex_lock(&link->lock);
    *out = link->counts;
    pthread_mutex_unlock(&link->lock);
    out->frames_in = link->frames_in;
    out->frames_out = link->frames_out;
    out->bytes_in = link->bytes_in;
    out->bytes_out = link->bytes_out;
}
