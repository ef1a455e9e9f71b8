#include "controller/desk.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "controller/keeper_probes.h"
#include "controller/keeper_status.h"
#include "controller/keeper_tasks.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { INBOX_ROOM = 256, EVENTS_SPARE = 4096 };

/* ---- keepers ---- */

static void keeper_refuse(struct link_peer *peer, uint64_t id, const struct error *why)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_problem(why, &body);
    error_ignore(link_send(peer, FRAME_PROBLEM, id, bytes_span(&body), NULL));
    link_peer_finish(peer, why->code);
}

/* A keeper whose set is none does all else. */
static void note_keys(struct desk *desk, const struct keeper_seat *seat, const char *jwks)
{
    struct error err = {0};
    OWNED(jwks_done) struct jwks set = {0};
    if (jwks == NULL)
        return;
    if (jwks_open(span_of_text(jwks), desk->roots, desk->root_count, clock_now(), &set, &err) == OK)
        key_book_put(desk->keys, seat->signer, jwks, &set);
    else
        log_error("jwks.refused", &err);
}

static enum outcome keeper_hello(struct desk *desk, struct link_event *event, struct error *err)
{
    OWNED(json_drop) json_t *message = NULL;
    struct hello hello = {0};
    struct keeper_seat *seat = NULL;
    enum verb verb;
    TRY(message_parse(bytes_span(&event->body), &verb, &message, err));
    if (verb != VERB_HELLO)
        return fail_code(err, ERR_CONFLICT, "hello-first", "a keeper begins with hello");
    TRY(record_from_json(&hello_record, message, "", &hello, err));
    enum outcome outcome = keepers_welcome(&desk->keepers, event->peer, &hello, desk->roots,
                                           desk->root_count, &seat, err);
    if (outcome == OK)
        note_keys(desk, seat, hello.jwks);
    record_done(&hello_record, &hello);
    TRY(outcome);
    struct hello_reply reply = {.heartbeat_seconds = desk->settings->heartbeat_seconds};
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(&hello_reply_record, &reply, &body);
    link_peer_admit(event->peer, LINK_READY);
    TRY(link_send(event->peer, FRAME_REPLY, event->id, bytes_span(&body), err));
    LOG(INFO, "keeper.connected", TEXT("keeper", seat->name),
        TEXT("address", link_peer_address(event->peer)),
        INT("charter_serial", seat->charter_serial));
    keeper_status_note(desk, seat);
    keeper_probes_recall(desk, seat);
    charter_offer_stored(desk, seat);
    return OK;
}

static void keeper_frame(struct desk *desk, struct link_event *event)
{
    struct error err = {0};
    if (event->type == FRAME_REPLY || event->type == FRAME_PROBLEM) {
        if (!calls_answered(desk->calls, event))
            LOG(DEBUG, "keeper.answered-late", INT("id", (int64_t)event->id));
        return;
    }
    if (keepers_of_peer(&desk->keepers, event->peer) != NULL)
        error_ignore(fail_code(&err, ERR_CONFLICT, "no-such-verb", "a keeper asks nothing more"));
    else if (keeper_hello(desk, event, &err) == OK)
        return;
    log_error("keeper.refused", &err);
    keeper_refuse(event->peer, event->id, &err);
}

/* ---- events ---- */

static void peer_closed(struct desk *desk, struct link_event *event)
{
    struct guest *guest = link_peer_owner(event->peer);
    metric_add(METRIC_LINK_CLOSED, 1);
    if (keepers_of_peer(&desk->keepers, event->peer) != NULL) {
        LOG(WARN, "keeper.lost", TEXT("why", event->why.code));
        keepers_lost(&desk->keepers, event->peer);
        keeper_status_show(desk);
        calls_lost(desk->calls, event->peer);
    }
    if (guest != NULL) {
        link_peer_set_owner(event->peer, NULL);
        guest_free(guest);
    }
}

static void peer_opened(struct desk *desk, struct link_event *event)
{
    metric_add(METRIC_LINK_ACCEPTED, 1);
    if (link_peer_role(event->peer) == ROLE_GUEST)
        link_peer_set_owner(event->peer, guest_new(desk, event->peer));
}

static void peer_frame(struct desk *desk, struct link_event *event)
{
    struct guest *guest = link_peer_owner(event->peer);
    if (link_peer_is_closed(event->peer))
        return;
    if (link_peer_role(event->peer) == ROLE_KEEPER_LINK)
        keeper_frame(desk, event);
    else if (guest != NULL)
        guest_frame(guest, event);
}

static void take_event(struct desk *desk, struct link_event *event)
{
    if (event->peer == NULL) { /* stirred, perhaps only for the inbox */
        if (!atomic_exchange(&desk->due_soon, false))
            return;
        desk->plan_in_ticks = 0;
        desk->release_soon = true;
        return;
    }
    switch (event->kind) {
    case LINK_OPENED:
        peer_opened(desk, event);
        return;
    case LINK_FRAME:
        peer_frame(desk, event);
        return;
    case LINK_CLOSED:
        peer_closed(desk, event);
        return;
    }
}

/* ---- time ---- */

static void flush_beats(struct desk *desk)
{
    struct error err = {0};
    if (desk->beat_count == 0)
        return;
    /* Lost beats are made good by the next ones. */
    if (instance_store_beats(desk->db, desk->beats, desk->beat_count, &err) != OK)
        log_error("heartbeats.not-kept", &err);
    desk->beat_count = 0;
}

/* Agents and keepers turn away from a controller whose certificate is over. */
static void watch_certificate(struct desk *desk)
{
    struct moment now = clock_now();
    metric_set(METRIC_CERTIFICATE, moment_seconds_between(now, desk->term.until));
    if (cert_term_is_due(&desk->term, now))
        LOG(WARN, "certificate.ends-soon", TEXT("role", desk->term.role),
            TEXT("until", moment_text(desk->term.until).at),
            INT("days_left", cert_term_days_left(&desk->term, now)));
}

static void tick(struct desk *desk)
{
    watch_certificate(desk);
    flush_beats(desk);
    holders_tick(desk);
    calls_tick(desk->calls, clock_monotonic_ms());
    release_due(desk);
    recall_due(desk);
    keeper_status_ask(desk);
    slots_tick(desk);
    keeper_probes_run(desk);
    metric_set(METRIC_AGENTS_CONNECTED, (int64_t)map_count(desk->guests));
}

static void run_tasks(struct desk *desk)
{
    for (struct desk_task *task; (task = queue_pop(desk->inbox, 0)) != NULL;)
        task->run(desk, task);
}

static void *run(void *argument)
{
    struct desk *desk = argument;
    while (!desk->stopping) {
        int64_t wait_ms = desk->next_tick_ms - clock_monotonic_ms();
        OWNED(link_event_drop)
        struct link_event *event = link_event_next(desk->events, wait_ms > 0 ? wait_ms : 0);
        if (event != NULL)
            take_event(desk, event);
        run_tasks(desk);
        if (desk->beat_count == BEATS_MAX)
            flush_beats(desk);
        if (desk->release_soon) {
            desk->release_soon = false;
            release_due(desk);
        }
        slots_run(desk);
        if (clock_monotonic_ms() >= desk->next_tick_ms) {
            desk->next_tick_ms = clock_monotonic_ms() + DESK_TICK_MS;
            tick(desk);
        }
    }
    flush_beats(desk);
    holders_leave(desk);
    return NULL;
}

/* ---- from other threads ---- */

static void stir(struct desk *desk)
{
    struct link_event *event = NEW(struct link_event);
    if (!queue_push(desk->events, event))
        link_event_free(event); /* full: it is awake */
}

void desk_wake(struct desk *desk)
{
    desk->due_soon = true;
    stir(desk);
}

bool desk_put(struct desk *desk, struct desk_task *task)
{
    if (!queue_push(desk->inbox, task))
        return false;
    stir(desk);
    return true;
}

/* ---- start and stop ---- */

static enum outcome read_pem(const char *path, bool private, struct bytes *out, struct error *err)
{
    return private ? file_read_private(path, 64 * 1024, out, err)
                   : file_read(path, 64 * 1024, out, err);
}

static enum outcome load_identity(struct desk *desk, struct error *err)
{
    OWNED(bytes_done) struct bytes cert_pem = {0};
    OWNED(bytes_wipe) struct bytes key_pem = {0};
    OWNED(bytes_done) struct bytes root_pem = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL;
    TRY(read_pem(desk->settings->cert_file, false, &cert_pem, err));
    TRY(read_pem(desk->settings->key_file, true, &key_pem, err));
    TRY(read_pem(desk->settings->root_file, false, &root_pem, err));
    TRY(key_from_private_pem(bytes_span(&key_pem), &key, err));
    TRY(cert_of_key(bytes_span(&cert_pem), key, &cert, err));
    desk->term = cert_term_of(cert);
    TRY(cert_list_from_pem(bytes_span(&root_pem), desk->roots, DESK_ROOTS_MAX, &desk->root_count,
                           err));
    return link_identity_new(key, cert, desk->roots, desk->root_count, &desk->identity, err);
}

static enum outcome listen_on_link(struct desk *desk, struct error *err)
{
    struct link_settings settings = link_settings_usual();
    settings.urls[0] = desk->settings->link_listen;
    settings.peers_most = desk->settings->agents_most;
    settings.per_address_most = desk->settings->per_address_most;
    /* Three missed heartbeats; but keepers and agents not yet proven only keep alive, more slowly.
     */
    int64_t silence_ms = desk->settings->heartbeat_seconds * 3 * 1000;
    if (silence_ms > settings.silence_ms)
        settings.silence_ms = silence_ms;
    desk->events = queue_new((size_t)settings.peers_most + EVENTS_SPARE);
    return link_listen(&settings, desk->identity, desk->events, &desk->link, err);
}

static enum outcome open_endorser(struct desk *desk, struct error *err)
{
    const struct endorser_settings settings = {
        .database = desk->settings->database,
        .base_url = desk->settings->endorsements,
        .ca_file = desk->settings->endorsement_ca,
        .roots_file = desk->settings->endorsement_roots,
    };
    if (settings.base_url == NULL)
        return OK;
    TRY(endorser_open(&settings, &desk->endorser, err));
    return endorser_start(desk->endorser, err);
}

enum outcome desk_start(struct desk *desk, struct error *err)
{
    const int64_t asked = desk->settings->keeper_seconds;
    desk->keepers.interval_ms = (asked > 0 ? asked : KEEPER_SECONDS) * 1000;
    desk->guests = map_new(sizeof(struct uuid));
    desk->calls = calls_new();
    const struct admission_limits limits = slots_limits(desk);
    desk->admission = admission_new(&limits);
    desk->keys = key_book_new();
    desk->inbox = queue_new(INBOX_ROOM);
    TRY(db_open(desk->settings->database, &desk->db, err));
    TRY(load_identity(desk, err));
    TRY(open_endorser(desk, err));
    TRY(listen_on_link(desk, err));
    if (pthread_create(&desk->thread, NULL, run, desk) != 0)
        return fail(err, ERR_INTERNAL, "starting the desk's thread");
    desk->running = true;
    return OK;
}

static void drain(struct desk *desk)
{
    queue_close(desk->inbox);
    for (struct desk_task *task; (task = queue_pop(desk->inbox, 0)) != NULL;)
        task->run(NULL, task);
    if (desk->events == NULL)
        return;
    queue_close(desk->events);
    for (struct link_event *event; (event = queue_pop(desk->events, 0)) != NULL;) {
        if (event->kind == LINK_CLOSED && event->peer != NULL)
            peer_closed(desk, event);
        link_event_free(event);
    }
}

bool desk_stop(struct desk *desk, int64_t wait_ms)
{
    bool whole = true;
    desk->stopping = true;
    if (desk->running) {
        desk_wake(desk);
        pthread_join(desk->thread, NULL);
    }
    if (desk->link != NULL)
        whole = link_close(desk->link, wait_ms);
    endorser_close(TAKE(desk->endorser)); /* what waits for it goes to the inbox */
    drain(desk);
    calls_free(desk->calls);
    keepers_done(&desk->keepers);
    key_book_free(desk->keys);
    map_free(desk->guests);
    admission_free(desk->admission);
    queue_free(desk->inbox);
    if (whole)
        queue_free(desk->events);
    link_identity_free(desk->identity);
    for (size_t i = 0; i < desk->root_count; i++)
        cert_free(desk->roots[i]);
    db_close(desk->db);
    return whole;
}
