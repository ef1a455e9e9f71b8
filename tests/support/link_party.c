#include "tests/support/link_party.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/test.h"

enum { LOOK_MS = 2 };

/* ---- who is who ---------------------------------------------------------------------------- */

struct root root_make(void)
{
    struct error err = {0};
    struct root root = {0};
    assert_ok(key_generate(KEY_P384, &root.key, &err));
    assert_ok(cert_make_root(root.key, REALM_SIMULATION, clock_now(), &root.cert, &err));
    return root;
}

void root_done(struct root *root)
{
    key_free(root->key);
    cert_free(root->cert);
}

struct credential credential_make(const struct root *root, enum cert_role role, struct moment from,
                                  int days)
{
    struct error err = {0};
    struct credential made = {0};
    const char *const names[] = {"localhost", "127.0.0.1"};
    assert_ok(key_generate(KEY_P256, &made.key, &err));
    assert_ok(cert_make_role(root->key, root->cert, made.key, role, names,
                             role == ROLE_CONTROLLER ? countof(names) : 0, from, days, &made.cert,
                             &err));
    return made;
}

struct credential credential_guest(void)
{
    struct error err = {0};
    struct credential made = {0};
    assert_ok(key_generate(KEY_P256, &made.key, &err));
    assert_ok(cert_make_guest(made.key, &made.cert, &err));
    return made;
}

void credential_done(struct credential *credential)
{
    key_free(credential->key);
    cert_free(credential->cert);
}

struct link_identity *identity_of(const struct credential *credential, const struct root *trusted)
{
    struct error err = {0};
    struct link_identity *identity = NULL;
    assert_ok(
        link_identity_new(credential->key, credential->cert, &trusted->cert, 1, &identity, &err));
    return identity;
}

struct link_identity *identity_make(const struct root *root, enum cert_role role)
{
    OWNED(credential_done)
    struct credential credential =
        role == ROLE_GUEST
            ? credential_guest()
            : credential_make(root, role, moment_add_seconds(clock_now(), -3600), 30);
    return identity_of(&credential, root);
}

/* ---- the controller ------------------------------------------------------------------------ */

static void desk_note_closed(struct desk *desk, const struct link_event *event)
{
    pthread_mutex_lock(&desk->lock);
    desk->closed++;
    memcpy(desk->last_why, event->why.code, sizeof desk->last_why);
    if (desk->whys_count < (int)countof(desk->whys))
        memcpy(desk->whys[desk->whys_count++], event->why.code, sizeof desk->last_why);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

static void desk_note_opened(struct desk *desk, struct link_event *event)
{
    pthread_mutex_lock(&desk->lock);
    desk->opened++;
    desk->last_role = link_peer_role(event->peer);
    memcpy(desk->last_fingerprint, link_peer_fingerprint(event->peer), SHA256_SIZE);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

static void desk_frame(struct desk *desk, struct link_event *event)
{
    struct error err;
    if (event->type == TYPE_HELLO)
        link_peer_admit(event->peer, LINK_READY);
    if (event->type == TYPE_HELLO || event->type == TYPE_ECHO)
        error_ignore(
            link_send(event->peer, event->type, event->id, bytes_span(&event->body), &err));
    desk->echoed += event->type == TYPE_ECHO;
}

static void desk_wait_awake(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    while (desk->asleep)
        pthread_cond_wait(&desk->changed, &desk->lock);
    pthread_mutex_unlock(&desk->lock);
}

static void *desk_run(void *arg)
{
    struct desk *desk = arg;
    while (!queue_is_closed(desk->events) || queue_length(desk->events) > 0) {
        desk_wait_awake(desk);
        OWNED(link_event_drop) struct link_event *event = link_event_next(desk->events, 50);
        if (event == NULL)
            continue;
        switch (event->kind) {
        case LINK_OPENED:
            desk_note_opened(desk, event);
            break;
        case LINK_FRAME:
            desk_frame(desk, event);
            break;
        case LINK_CLOSED:
            desk_note_closed(desk, event);
            break;
        }
    }
    return NULL;
}

struct link_settings desk_settings(void)
{
    struct link_settings settings = link_settings_usual();
    settings.urls[0] = "127.0.0.1:0";
    return settings;
}

struct desk *desk_open(const struct link_settings *settings, size_t queue_room)
{
    struct error err = {0};
    struct desk *desk = NEW(struct desk);
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->changed, NULL);
    desk->root = root_make();
    desk->identity = identity_make(&desk->root, ROLE_CONTROLLER);
    desk->events = queue_new(queue_room);
    assert_ok(link_listen(settings, desk->identity, desk->events, &desk->link, &err));
    snprintf(desk->url, sizeof desk->url, "tls+tcp://127.0.0.1:%d", link_port(desk->link));
    assert_int_equal(pthread_create(&desk->thread, NULL, desk_run, desk), 0);
    return desk;
}

void desk_close(struct desk *desk)
{
    desk_rouse(desk);
    assert_true(link_close(desk->link, EVENT_WAIT_MS));
    queue_close(desk->events);
    pthread_join(desk->thread, NULL);
    queue_free(desk->events);
    link_identity_free(desk->identity);
    root_done(&desk->root);
    pthread_mutex_destroy(&desk->lock);
    pthread_cond_destroy(&desk->changed);
    free(desk);
}

static void desk_set_asleep(struct desk *desk, bool asleep)
{
    pthread_mutex_lock(&desk->lock);
    desk->asleep = asleep;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

void desk_sleep(struct desk *desk)
{
    desk_set_asleep(desk, true);
}

void desk_rouse(struct desk *desk)
{
    desk_set_asleep(desk, false);
}

/* By the system's clock: the test may have frozen ours. */
static struct timespec deadline(int64_t wait_ms)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += wait_ms / 1000;
    at.tv_nsec += wait_ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static bool is_over(const struct timespec *at)
{
    struct timespec now = deadline(0);
    return now.tv_sec > at->tv_sec || (now.tv_sec == at->tv_sec && now.tv_nsec > at->tv_nsec);
}

static bool why_is_there(const struct desk *desk, const char *why)
{
    for (int i = 0; i < desk->whys_count; i++)
        if (strcmp(desk->whys[i], why) == 0)
            return true;
    return strcmp(desk->last_why, why) == 0;
}

bool desk_saw(struct desk *desk, const char *why)
{
    struct timespec at = deadline(EVENT_WAIT_MS);
    int late = 0;
    pthread_mutex_lock(&desk->lock);
    while (!why_is_there(desk, why) && late == 0)
        late = pthread_cond_timedwait(&desk->changed, &desk->lock, &at);
    bool saw = why_is_there(desk, why);
    if (!saw)
        print_message("# waited for %s, last was '%s'\n", why, desk->last_why);
    pthread_mutex_unlock(&desk->lock);
    return saw;
}

struct link_counts desk_counts(struct desk *desk)
{
    struct link_counts counts;
    link_count(desk->link, &counts);
    return counts;
}

/* Strangers come and go without an event, and nng counts on threads of its own: so the wait is for
 * the desk's next event, but it looks again before long. */
static void wait_for_change(struct desk *desk)
{
    struct timespec at = deadline(LOOK_MS);
    pthread_mutex_lock(&desk->lock);
    pthread_cond_timedwait(&desk->changed, &desk->lock, &at);
    pthread_mutex_unlock(&desk->lock);
}

void desk_await(struct desk *desk, desk_seen_fn *seen, int64_t wanted)
{
    struct timespec at = deadline(EVENT_WAIT_MS);
    bool is_seen = seen(desk, wanted);
    while (!is_seen && !is_over(&at)) {
        wait_for_change(desk);
        is_seen = seen(desk, wanted);
    }
    assert_true(is_seen);
}

bool desk_has_opened(struct desk *desk, int64_t least)
{
    return desk->opened >= least;
}

bool desk_has_closed(struct desk *desk, int64_t least)
{
    return desk->closed >= least;
}

bool desk_has_heard(struct desk *desk, int64_t least)
{
    return desk_counts(desk).frames_in >= least;
}

bool desk_has_handshakes(struct desk *desk, int64_t most)
{
    return desk_counts(desk).handshakes <= most;
}

static bool has_peers(struct desk *desk, int64_t wanted)
{
    return desk_counts(desk).peers == wanted;
}

void desk_wait_peers(struct desk *desk, int64_t peers)
{
    desk_await(desk, has_peers, peers);
}

/* ---- agents and keepers -------------------------------------------------------------------- */

struct link_settings caller_settings(const struct desk *desk)
{
    struct link_settings settings = link_settings_usual();
    settings.urls[0] = desk->url;
    settings.redial_least_ms = 5;
    settings.redial_first_ms = 20;
    settings.redial_most_ms = 100;
    return settings;
}

struct caller caller_open(const struct link_settings *settings, struct link_identity *identity)
{
    struct error err = {0};
    struct caller caller = {.identity = identity, .events = queue_new(PARTY_QUEUE_ROOM)};
    assert_ok(link_dial(settings, identity, caller.events, &caller.link, &err));
    return caller;
}

struct caller caller_to(struct desk *desk)
{
    struct link_settings settings = caller_settings(desk);
    struct caller caller = caller_open(&settings, identity_make(&desk->root, ROLE_GUEST));
    caller_opened(&caller);
    caller_hello(&caller);
    return caller;
}

void caller_close(struct caller *caller)
{
    if (caller->link == NULL)
        return;
    link_peer_free(caller->peer);
    assert_true(link_close(caller->link, EVENT_WAIT_MS));
    for (struct link_event *event; (event = queue_pop(caller->events, 0)) != NULL;)
        link_event_free(event);
    queue_free(caller->events);
    link_identity_free(caller->identity);
    *caller = (struct caller){0};
}

struct link_event *caller_event(struct caller *caller)
{
    struct link_event *event = link_event_next(caller->events, EVENT_WAIT_MS);
    if (event == NULL) {
        struct error trouble;
        link_trouble(caller->link, &trouble);
        fail_msg("no event in time; the dialer's trouble: %s %s", trouble.code, trouble.text);
    }
    return event;
}

void caller_opened(struct caller *caller)
{
    OWNED(link_event_drop) struct link_event *event = caller_event(caller);
    if (event->kind == LINK_CLOSED)
        fail_msg("closed: %s: %s", event->why.code, event->why.text);
    assert_int_equal(event->kind, LINK_OPENED);
    link_peer_free(caller->peer);
    caller->peer = link_peer_share(event->peer);
}

static void expect_answer(struct caller *caller, uint8_t type, uint64_t id, struct span body)
{
    OWNED(link_event_drop) struct link_event *event = caller_event(caller);
    if (event->kind == LINK_CLOSED)
        fail_msg("closed: %s: %s", event->why.code, event->why.text);
    assert_int_equal(event->kind, LINK_FRAME);
    assert_int_equal(event->type, type);
    assert_true(event->id == id);
    assert_true(span_equal(bytes_span(&event->body), body));
}

void caller_hello(struct caller *caller)
{
    struct error err = {0};
    assert_ok(link_send(caller->peer, TYPE_HELLO, 1, span_of_text("{}"), &err));
    expect_answer(caller, TYPE_HELLO, 1, span_of_text("{}"));
}

void caller_echo(struct caller *caller, uint64_t id, struct span body)
{
    struct error err = {0};
    assert_ok(link_send(caller->peer, TYPE_ECHO, id, body, &err));
    expect_answer(caller, TYPE_ECHO, id, body);
}

void caller_closed(struct caller *caller, const char *why)
{
    OWNED(link_event_drop) struct link_event *event = caller_event(caller);
    assert_int_equal(event->kind, LINK_CLOSED);
    assert_string_equal(event->why.code, why);
}

int open_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}
