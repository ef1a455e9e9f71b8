/* How peers come: a listener's door, a dialer's attempts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/metrics.h"
#include "lib/crypto/random.h"
#include "lib/net/link_inside.h"
#include "lib/net/retry.h"

enum {
    ACCEPT_REST_MS = 100,     /* after a failed accept: descriptors or memory ran out */
    HANDSHAKE_GRACE_MS = 500, /* an honest handshake takes a few milliseconds */
    QUIET_GRACE_MS = 2000,    /* and an honest hello comes right after it */
};

/* ---- the door ----------------------------------------------------------------------------- */

static bool leaves(struct link_peer *oldest, int64_t grace_ms)
{
    if (oldest == NULL || clock_monotonic_ms() - oldest->came_ms < grace_ms)
        return false;
    peer_fail_locked(oldest, ERR_THROTTLED, "too-many", "made room for another stranger");
    return true;
}

/* Strangers have filled their places. One that has not even shaken hands makes room, oldest first,
 * then one that has said nothing since, so that silence costs an attacker its connection and not a
 * good agent its turn. */
static bool make_room(struct link *link)
{
    return leaves(link->handshaking.first, HANDSHAKE_GRACE_MS) ||
           leaves(link->quiet.first, QUIET_GRACE_MS);
}

/* With link->lock. */
static bool let_in(struct link *link, struct link_peer *peer)
{
    const struct link_settings *set = &link->set;
    if (link->closing || link->counts.peers >= set->peers_most)
        return false;
    if (!address_take(link->costs, &peer->from, set->per_address_most))
        return false;
    if (link->counts.strangers >= set->strangers_most && !make_room(link)) {
        address_drop(link->costs, &peer->from);
        return false;
    }
    return true;
}

static void discard(struct link_peer *peer)
{
    nng_stream_close(peer->stream);
    nng_stream_free(peer->stream);
    nng_aio_free(peer->rx);
    nng_aio_free(peer->tx);
    link_peer_free(peer);
}

static void came(struct link *link, nng_stream *stream)
{
    struct link_peer *peer = peer_new(link, stream);
    pthread_mutex_lock(&link->lock);
    bool in = link->is_listener ? let_in(link, peer) : !link->closing;
    if (in) {
        list_add(&link->handshaking, peer);
        link->counts.peers++;
        link->counts.handshakes++;
        link->counts.strangers += peer->state == LINK_STRANGER;
        link->counts.accepted++;
    } else {
        link->counts.refused++;
    }
    pthread_mutex_unlock(&link->lock);
    metric_add(in ? METRIC_LINK_ACCEPTED : METRIC_LINK_REFUSED, 1);
    if (in)
        peer_start(peer);
    else
        discard(peer);
}

/* ---- one attempt after the other ---------------------------------------------------------- */

void connect_rest(struct link *link, int64_t ms)
{
    nng_sleep_aio((nng_duration)ms, link->rest);
}

void connect_next(struct link *link)
{
    if (link->is_listener) {
        nng_stream_listener_accept(link->listener, link->connect);
        return;
    }
    pthread_mutex_lock(&link->lock);
    nng_stream_dialer *dialer = link->dialers[link->turn++ % link->dialer_count];
    pthread_mutex_unlock(&link->lock);
    nng_stream_dialer_dial(dialer, link->connect);
}

static int64_t wait_before_redial(struct link *link)
{
    const struct retry_policy policy = {.least_ms = link->set.redial_least_ms,
                                        .first_ms = link->set.redial_first_ms,
                                        .most_ms = link->set.redial_most_ms};
    pthread_mutex_lock(&link->lock);
    int64_t wait = link->told_wait_ms;
    link->told_wait_ms = -1;
    int failures = ++link->failures;
    pthread_mutex_unlock(&link->lock);
    return wait >= 0 ? wait : retry_wait_ms(&policy, failures);
}

void connect_lost(struct link *link, const struct link_peer *peer)
{
    pthread_mutex_lock(&link->lock);
    if (peer->opened && clock_monotonic_ms() - peer->came_ms > link->set.redial_most_ms)
        link->failures = 0;
    else if (!peer->opened)
        link->trouble = *peer->why;
    pthread_mutex_unlock(&link->lock);
    connect_rest(link, wait_before_redial(link));
}

/* A name's other way is tried at once; that it has no address there is no news. */
static void dial_failed(struct link *link, int failure)
{
    pthread_mutex_lock(&link->lock);
    size_t tried = (link->turn - 1) % link->dialer_count;
    bool second = tried > 0 && link->other_way[tried - 1];
    if (!second || failure != NNG_EADDRINVAL)
        error_fill(&link->trouble, ERR_UNREACHABLE, NULL, "", "connecting: %s",
                   nng_strerror(failure));
    pthread_mutex_unlock(&link->lock);
    if (link->other_way[tried])
        connect_next(link);
    else
        connect_rest(link, wait_before_redial(link));
}

/* A listener goes on whatever accept said: out of descriptors and out of memory pass, and only
 * connect_end() stops it for good. */
static void connect_done(void *arg)
{
    struct link *link = arg;
    int failure = nng_aio_result(link->connect);
    if (failure == 0)
        came(link, nng_aio_get_output(link->connect, 0));
    if (failure != 0 && !link->is_listener)
        dial_failed(link, failure);
    else if (failure != 0)
        connect_rest(link, ACCEPT_REST_MS);
    else if (link->is_listener)
        connect_next(link);
}

static void rest_done(void *arg)
{
    struct link *link = arg;
    if (nng_aio_result(link->rest) == 0)
        connect_next(link);
}

/* ---- set up and end ----------------------------------------------------------------------- */

/* nng would take other transports too, and names of services for ports. */
static enum outcome full_url(const char *address, struct text *out, struct error *err)
{
    text_addf(out, "%s%s", strstr(address, "://") == NULL ? "tls+tcp://" : "", address);
    const char *port = strrchr(text_str(out), ':') + 1;
    int64_t number;
    if (strncmp(text_str(out), "tls+tcp://", 10) != 0 ||
        number_parse(port, 0, 65535, &number, NULL) != OK)
        return fail(err, ERR_INVALID, "address %s: not tls+tcp://HOST:PORT", address);
    return OK;
}

static enum outcome listener_set_up(struct link *link, const char *url, struct error *err)
{
    int failure = nng_stream_listener_alloc(&link->listener, url);
    if (failure == 0)
        failure = nng_stream_listener_set_ptr(link->listener, NNG_OPT_TLS_CONFIG, link->tls);
    if (failure == 0)
        failure = nng_stream_listener_set_bool(link->listener, NNG_OPT_TCP_NODELAY, true);
    if (failure == 0)
        failure = nng_stream_listener_set_bool(link->listener, NNG_OPT_TCP_KEEPALIVE, true);
    if (failure == 0)
        failure = nng_stream_listener_listen(link->listener);
    if (failure == 0)
        failure = nng_stream_listener_get_int(link->listener, NNG_OPT_TCP_BOUND_PORT, &link->port);
    if (failure != 0)
        return fail(err, failure == NNG_EADDRINUSE ? ERR_CONFLICT : ERR_INVALID,
                    "listening on %s: %s", url, nng_strerror(failure));
    return OK;
}

static enum outcome dialer_set_up(struct link *link, const char *url, struct error *err)
{
    nng_stream_dialer **dialer = &link->dialers[link->dialer_count];
    int failure = nng_stream_dialer_alloc(dialer, url);
    link->dialer_count += failure == 0;
    if (failure == 0)
        failure = nng_stream_dialer_set_ptr(*dialer, NNG_OPT_TLS_CONFIG, link->tls);
    if (failure == 0)
        failure = nng_stream_dialer_set_bool(*dialer, NNG_OPT_TCP_NODELAY, true);
    if (failure == 0)
        failure = nng_stream_dialer_set_bool(*dialer, NNG_OPT_TCP_KEEPALIVE, true);
    if (failure != 0)
        return fail(err, ERR_INVALID, "address %s: %s", url, nng_strerror(failure));
    return OK;
}

/* A name may have addresses of both families, and nng tries the first it finds and no other: so a
 * name has two ways. */
static enum outcome ways_set_up(struct link *link, const char *url, struct error *err)
{
    const char *host = url + strlen("tls+tcp://");
    if (host[0] == '[' || strspn(host, "0123456789.") == strcspn(host, ":"))
        return dialer_set_up(link, url, err);
    OWNED(text_done) struct text four = {0}, six = {0};
    text_addf(&four, "tls+tcp4://%s", host);
    text_addf(&six, "tls+tcp6://%s", host);
    link->other_way[link->dialer_count] = true;
    TRY(dialer_set_up(link, text_str(&four), err));
    return dialer_set_up(link, text_str(&six), err);
}

enum outcome connect_set_up(struct link *link, const struct link_settings *settings,
                            struct error *err)
{
    TRY(link_tls_config(link->identity, link->is_listener, &link->tls, err));
    if (nng_aio_alloc(&link->connect, connect_done, link) != 0 ||
        nng_aio_alloc(&link->rest, rest_done, link) != 0)
        return fail(err, ERR_INTERNAL, "nng has no memory");
    if (settings->urls[0] == NULL || (link->is_listener && settings->urls[1] != NULL))
        return fail(err, ERR_INVALID, "a listener has one address, a dialer at least one");
    for (size_t i = 0; i < LINK_URLS_MAX && settings->urls[i] != NULL; i++) {
        OWNED(text_done) struct text url = {0};
        TRY(full_url(settings->urls[i], &url, err));
        if (link->is_listener)
            TRY(listener_set_up(link, text_str(&url), err));
        else
            TRY(ways_set_up(link, text_str(&url), err));
    }
    if (!link->is_listener) {
        nng_aio_set_timeout(link->connect, (nng_duration)link->set.dial_ms);
        link->turn = random_below(link->dialer_count);
        if (link->turn > 0 && link->other_way[link->turn - 1])
            link->turn--;
    }
    return OK;
}

void connect_end(struct link *link)
{
    if (link->listener != NULL)
        nng_stream_listener_close(link->listener);
    for (size_t i = 0; i < link->dialer_count; i++)
        nng_stream_dialer_close(link->dialers[i]);
    if (link->rest != NULL)
        nng_aio_stop(link->rest);
    if (link->connect != NULL)
        nng_aio_stop(link->connect);
    nng_aio_free(link->rest);
    nng_aio_free(link->connect);
    nng_stream_listener_free(link->listener);
    for (size_t i = 0; i < link->dialer_count; i++)
        nng_stream_dialer_free(link->dialers[i]);
    if (link->tls != NULL)
        nng_tls_config_free(link->tls);
}
