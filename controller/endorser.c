#include "controller/endorser_inside.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/attest/evidence_lack.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/net/retry.h"

enum {
    FLIGHTS_MAX = 2048,
    WAITERS_MAX = 4096,
    LESSONS_MAX = 64,
    LESSON_BYTES_MAX = 128 * 1024,
    ATTEMPTS_MAX = 8,
    LOOK_MS = 60000, /* between two looks at the lists */
    IDLE_MS = 1000,
    DATABASE_MS = 5000, /* let it alone for so long when it does not answer */
    ROOTS_FILE_MOST = 256 * 1024,
};

static const struct retry_policy backing_off = {
    .least_ms = 500, .first_ms = 2000, .most_ms = 300000};

/* One name on its way into the cache, however many wait for it. */
struct flight {
    char name[KDS_NAME_SIZE];
    struct kds_item item;
    int64_t wanted_until_ms; /* nobody waits from then on: goes behind */
    bool again;              /* fetch although it is there: a list */
    bool looked;             /* not in the cache, at the last look */
    int attempts;
    int64_t due_ms;
};

struct waiter {
    char names[ENDORSER_ITEMS_MAX][KDS_NAME_SIZE]; /* "": settled */
    size_t left;
    int64_t deadline_ms;
    enum outcome outcome;
    struct error why;
    endorsed_fn *done;
    void *context;
};

struct endorser {
    struct endorser_settings settings;
    struct snp_roots *custom;
    struct fetcher fetcher; /* the thread's */
    int failures;
    int64_t quiet_until_ms; /* the service is let alone, or it is another's turn */
    int64_t next_look_ms;
    int64_t stale_told;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    struct flight flights[FLIGHTS_MAX];
    size_t flight_count;
    struct waiter *waiters[WAITERS_MAX];
    size_t waiter_count;
    struct bytes lessons[LESSONS_MAX]; /* evidence to learn from */
    size_t lesson_count;
    bool news; /* since the thread last looked */
    bool stopping;
    bool running;
    pthread_t thread;
};

const struct snp_roots *endorser_roots(const struct endorser *e)
{
    return e->custom != NULL ? e->custom : snp_roots_amd();
}

static bool is_off(const struct endorser *e)
{
    return strcmp(e->settings.base_url, ENDORSEMENTS_OFF) == 0;
}

/* ---- asking -------------------------------------------------------------------------------- */

static struct flight *find_flight(struct endorser *e, const char *name)
{
    for (size_t i = 0; i < e->flight_count; i++)
        if (strcmp(e->flights[i].name, name) == 0)
            return &e->flights[i];
    return NULL;
}

static void drop_flight(struct endorser *e, struct flight *flight)
{ /* the others keep their order: who came first is served first */
    const size_t after = (size_t)(&e->flights[--e->flight_count] - flight);
    memmove(flight, flight + 1, after * sizeof *flight);
}

/* In a full house, whom nobody waits for makes room. */
static bool make_room(struct endorser *e)
{
    const int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < e->flight_count && e->flight_count == FLIGHTS_MAX; i++)
        if (e->flights[i].wanted_until_ms <= now && !e->flights[i].again)
            drop_flight(e, &e->flights[i]);
    return e->flight_count < FLIGHTS_MAX;
}

/* NULL: there is no room. */
static struct flight *take_off(struct endorser *e, const struct kds_item *item)
{
    char name[KDS_NAME_SIZE];
    kds_name(item, name);
    struct flight *flight = find_flight(e, name);
    if (flight != NULL || !make_room(e))
        return flight;
    flight = &e->flights[e->flight_count++];
    *flight = (struct flight){.item = *item};
    memcpy(flight->name, name, sizeof name);
    return flight;
}

static bool add_waiter(struct endorser *e, struct waiter *waiter, const struct kds_item *items,
                       size_t count)
{
    if (e->stopping || e->waiter_count == WAITERS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct flight *flight = take_off(e, &items[i]);
        if (flight == NULL)
            return false; /* what took off before goes on alone */
        if (flight->wanted_until_ms < waiter->deadline_ms)
            flight->wanted_until_ms = waiter->deadline_ms;
        memcpy(waiter->names[i], flight->name, sizeof flight->name);
    }
    waiter->left = count;
    e->waiters[e->waiter_count++] = waiter;
    return true;
}

void endorser_want(struct endorser *e, const struct kds_item *items, size_t count, int64_t wait_ms,
                   endorsed_fn *done, void *context)
{
    struct waiter *waiter = NEW(struct waiter);
    waiter->deadline_ms = clock_monotonic_ms() + wait_ms;
    waiter->done = done;
    waiter->context = context;
    pthread_mutex_lock(&e->lock);
    bool added = count <= ENDORSER_ITEMS_MAX && add_waiter(e, waiter, items, count);
    e->news = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
    if (added)
        return;
    free(waiter);
    struct error why = {0};
    enum outcome outcome = fail_code(&why, ERR_UNREACHABLE, "endorsement-unavailable",
                                     "too many certificates are being waited for");
    done(context, outcome, &why);
}

void endorser_prefetch(struct endorser *e, const struct kds_item *item)
{
    pthread_mutex_lock(&e->lock);
    if (!e->stopping && !is_off(e) && e->flight_count < FLIGHTS_MAX / 2)
        take_off(e, item);
    e->news = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

void endorser_learn(struct endorser *e, struct span evidence)
{
    pthread_mutex_lock(&e->lock);
    if (!e->stopping && e->lesson_count < LESSONS_MAX && evidence.len <= LESSON_BYTES_MAX)
        e->lessons[e->lesson_count++] = bytes_copy(evidence);
    e->news = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

/* ---- settling ------------------------------------------------------------------------------ */

static void note(struct waiter *waiter, enum outcome outcome, const struct error *why)
{
    /* "There is none" is the weakest answer: it alone lets a judge go on without. */
    if (outcome == OK || (waiter->outcome != OK && waiter->outcome != ERR_NOT_FOUND))
        return;
    waiter->outcome = outcome;
    waiter->why = *why;
}

/* This name's flight is over, well or not. */
static void settle(struct endorser *e, const char *name, enum outcome outcome,
                   const struct error *why)
{
    char gone[KDS_NAME_SIZE];
    memcpy(gone, name, sizeof gone); /* `name` is the flight's, which goes */
    struct flight *flight = find_flight(e, gone);
    if (flight != NULL)
        drop_flight(e, flight);
    for (size_t i = 0; i < e->waiter_count; i++)
        for (size_t n = 0; n < ENDORSER_ITEMS_MAX; n++)
            if (strcmp(e->waiters[i]->names[n], gone) == 0) {
                e->waiters[i]->names[n][0] = '\0';
                e->waiters[i]->left--;
                note(e->waiters[i], outcome, why);
            }
}

static struct waiter *take_finished(struct endorser *e, bool all)
{
    const int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < e->waiter_count; i++) {
        struct waiter *waiter = e->waiters[i];
        if (waiter->left > 0 && waiter->deadline_ms > now && !all)
            continue;
        e->waiters[i] = e->waiters[--e->waiter_count];
        return waiter;
    }
    return NULL;
}

/* Their functions may call us, so they run without the lock. */
static void answer_finished(struct endorser *e, bool all)
{
    struct error late = {0};
    error_fill(&late, ERR_UNREACHABLE, "endorsement-unavailable", "",
               "the key distribution service did not give it in time");
    for (;;) {
        pthread_mutex_lock(&e->lock);
        struct waiter *waiter = take_finished(e, all);
        pthread_mutex_unlock(&e->lock);
        if (waiter == NULL)
            return;
        if (waiter->left > 0)
            note(waiter, ERR_UNREACHABLE, &late);
        waiter->done(waiter->context, waiter->outcome, &waiter->why);
        free(waiter);
    }
}

/* ---- one flight ---------------------------------------------------------------------------- */

/* Lists and chains serve a whole line; a key serves one chip. */
static int rank(const struct flight *f, int64_t now)
{
    return 2 * (f->wanted_until_ms > now) + (f->item.what != KDS_VCEK);
}

/* The first that is due, those that are waited for before the others. `looked`: of those that the
 * cache has not, or of those not yet looked for. */
static bool pick(struct endorser *e, bool looked, struct flight *out)
{
    const int64_t now = clock_monotonic_ms();
    const struct flight *best = NULL;
    for (size_t i = 0; i < e->flight_count; i++) {
        const struct flight *f = &e->flights[i];
        if (f->looked == looked && f->due_ms <= now &&
            (best == NULL || rank(f, now) > rank(best, now)))
            best = f;
    }
    if (best != NULL)
        *out = *best;
    return best != NULL;
}

static void change(struct endorser *e, const char *name, bool looked, int64_t due_ms)
{
    pthread_mutex_lock(&e->lock);
    struct flight *flight = find_flight(e, name);
    if (flight != NULL) {
        flight->looked = looked;
        flight->due_ms = due_ms;
    }
    pthread_mutex_unlock(&e->lock);
}

static void land(struct endorser *e, const char *name, enum outcome outcome,
                 const struct error *why)
{
    pthread_mutex_lock(&e->lock);
    settle(e, name, outcome, why);
    pthread_mutex_unlock(&e->lock);
}

static void no_database(struct endorser *e, const struct flight *flight, const struct error *why)
{
    log_error("endorsements.no-database", why);
    change(e, flight->name, false, clock_monotonic_ms() + DATABASE_MS);
}

/* True: it needs no network, or may have none. */
static bool look(struct endorser *e, const struct flight *flight)
{
    struct error err = {0};
    bool there = false;
    char code[ERROR_CODE_SIZE];
    enum outcome outcome =
        flight->again ? OK : endorsement_store_has(e->fetcher.db, flight->name, &there, &err);
    if (outcome == OK && there) {
        land(e, flight->name, OK, &err);
        return true;
    }
    if (outcome == OK)
        outcome = endorsement_store_missed(e->fetcher.db, flight->name, clock_now(), code, &err);
    if (outcome == OK) {
        error_fill(&err, endorsement_miss_outcome(code), code, "", "so it was a while ago");
        land(e, flight->name, err.outcome, &err);
        return true;
    }
    if (outcome != ERR_NOT_FOUND) {
        no_database(e, flight, &err);
        return true;
    }
    if (is_off(e)) {
        error_fill(&err, ERR_UNREACHABLE, "endorsement-unavailable", "",
                   "%s is not here, and nothing is fetched", flight->name);
        land(e, flight->name, ERR_UNREACHABLE, &err);
        return true;
    }
    change(e, flight->name, true, flight->due_ms);
    return false;
}

/* What the service asks of one of us it asks of all. */
static void tell_others(struct endorser *e, int64_t told_ms)
{
    struct error err = {0};
    const struct moment until = moment_add_seconds(clock_now(), told_ms / 1000);
    if (endorsement_store_rest(e->fetcher.db, until, &err) != OK)
        log_error("endorsements.no-database", &err);
}

static void let_alone(struct endorser *e, const struct flight *flight, int64_t told_ms,
                      const struct error *why)
{
    int64_t wait_ms = retry_wait_ms(&backing_off, ++e->failures);
    if (wait_ms < told_ms)
        wait_ms = told_ms;
    e->quiet_until_ms = clock_monotonic_ms() + wait_ms;
    if (told_ms > 0)
        tell_others(e, told_ms);
    LOG(WARN, "endorsements.unavailable", TEXT("name", flight->name), TEXT("text", why->text),
        INT("failures", e->failures), INT("wait_ms", wait_ms));
    pthread_mutex_lock(&e->lock);
    struct flight *same = find_flight(e, flight->name);
    if (same != NULL)
        same->due_ms = e->quiet_until_ms + ENDORSEMENT_TURN_MS; /* another one's turn first */
    if (same != NULL && ++same->attempts >= ATTEMPTS_MAX)
        settle(e, flight->name, ERR_UNREACHABLE, why);
    pthread_mutex_unlock(&e->lock);
}

static void fetch(struct endorser *e, const struct flight *flight)
{
    struct error err = {0};
    int64_t told_ms;
    const enum fetch_end end = fetch_item(&e->fetcher, &flight->item, &told_ms, &err);
    switch (end) {
    case FETCH_KEPT:
        e->failures = 0;
        LOG(INFO, "endorsement.fetched", TEXT("name", flight->name));
        land(e, flight->name, OK, &err);
        return;
    case FETCH_REFUSED:
        e->failures = 0;
        land(e, flight->name, err.outcome, &err);
        return;
    case FETCH_LATER:
        let_alone(e, flight, told_ms, &err);
        return;
    case FETCH_KEPT_FROM:
        no_database(e, flight, &err);
        return;
    }
}

/* Is it this controller's turn to ask? */
static bool take_turn(struct endorser *e, const struct flight *flight)
{
    struct error err = {0};
    int64_t wait_ms = 0;
    if (endorsement_store_turn(e->fetcher.db, clock_now(), &wait_ms, &err) != OK) {
        no_database(e, flight, &err);
        return false;
    }
    if (wait_ms > 0)
        e->quiet_until_ms = clock_monotonic_ms() + wait_ms;
    return wait_ms == 0;
}

/* ---- learning ------------------------------------------------------------------------------ */

static void keep_own(struct endorser *e, const struct kds_item *item, const struct bytes *content)
{
    struct error err = {0};
    char name[KDS_NAME_SIZE];
    kds_name(item, name);
    if (content->len == 0)
        return;
    if (endorsement_take(e->fetcher.db, endorser_roots(e), item, bytes_span(content), FROM_EVIDENCE,
                         &err) == OK)
        LOG(INFO, "endorsement.learnt", TEXT("name", name));
    else
        LOG(WARN, "endorsement.not-learnt", TEXT("name", name), TEXT("code", err.code),
            TEXT("text", err.text));
}

static void learn(struct endorser *e)
{
    struct evidence_lack lack;
    OWNED(bytes_done) struct bytes lesson = {0};
    OWNED(bytes_done) struct bytes vcek = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    OWNED(evidence_done) struct evidence evidence = {0};
    pthread_mutex_lock(&e->lock);
    if (e->lesson_count > 0)
        lesson = bytes_take(&e->lessons[--e->lesson_count]);
    pthread_mutex_unlock(&e->lock);
    if (lesson.len == 0 || evidence_parse(bytes_span(&lesson), &evidence, NULL) != OK)
        return;
    evidence_lack_find(&evidence, &lack);
    evidence_own(&evidence, &lack, &vcek, &chain);
    keep_own(e, &lack.chain, &chain);
    keep_own(e, &lack.vcek, &vcek);
}

/* ---- the lists ----------------------------------------------------------------------------- */

/* A stale list is a normal state for the maker, and still one that somebody should know of. */
static void tell_stale(struct endorser *e)
{
    const int64_t stale = metric_get(METRIC_CRL_STALE);
    if (stale > 0 && stale != e->stale_told)
        LOG(WARN, "endorsements.list-stale", INT("lines", stale),
            INT("age_seconds", metric_get(METRIC_CRL_AGE)));
    e->stale_told = stale;
}

static void look_at_lists(struct endorser *e)
{
    struct error err = {0};
    struct due_lists due;
    if (clock_monotonic_ms() < e->next_look_ms)
        return;
    e->next_look_ms = clock_monotonic_ms() + LOOK_MS;
    if (lists_look(e->fetcher.db, &due, &err) != OK) {
        log_error("endorsements.no-database", &err);
        return;
    }
    tell_stale(e);
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < due.count && !is_off(e); i++) {
        struct flight *flight = take_off(e, &due.at[i]);
        if (flight != NULL)
            flight->again = true;
    }
    pthread_mutex_unlock(&e->lock);
}

/* ---- the loop ------------------------------------------------------------------------------ */

static bool pick_locked(struct endorser *e, bool looked, struct flight *out)
{
    pthread_mutex_lock(&e->lock);
    metric_set(METRIC_ENDORSEMENTS_WAITING, (int64_t)e->flight_count);
    bool found = !e->stopping && pick(e, looked, out);
    pthread_mutex_unlock(&e->lock);
    return found;
}

int64_t endorser_step(struct endorser *e)
{
    struct flight flight;
    look_at_lists(e);
    learn(e);
    while (pick_locked(e, false, &flight))
        look(e, &flight);
    answer_finished(e, false);
    const int64_t quiet = e->quiet_until_ms - clock_monotonic_ms();
    if (!pick_locked(e, true, &flight))
        return IDLE_MS;
    if (quiet > 0)
        return quiet < IDLE_MS ? quiet : IDLE_MS;
    /* Another controller may have fetched it while we were quiet. */
    if (!look(e, &flight) && take_turn(e, &flight))
        fetch(e, &flight);
    answer_finished(e, false);
    return 0;
}

static void *run(void *argument)
{
    struct endorser *e = argument;
    for (;;) {
        const int64_t wait_ms = endorser_step(e);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += wait_ms / 1000;
        until.tv_nsec += wait_ms % 1000 * 1000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_sec++;
            until.tv_nsec -= 1000000000;
        }
        pthread_mutex_lock(&e->lock);
        if (!e->stopping && !e->news && wait_ms > 0)
            pthread_cond_timedwait(&e->changed, &e->lock, &until);
        e->news = false;
        const bool stopping = e->stopping;
        pthread_mutex_unlock(&e->lock);
        if (stopping)
            return NULL;
    }
}

static enum outcome read_roots(struct endorser *e, struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    const char *path = e->settings.roots_file;
    if (path == NULL || path[0] == '\0')
        return OK;
    TRY(file_read(path, ROOTS_FILE_MOST, &pem, err));
    const struct span blob = bytes_span(&pem);
    return snp_roots_custom(&blob, 1, &e->custom, err);
}

static enum outcome open_parts(struct endorser *e, struct error *err)
{
    TRY(read_roots(e, err));
    TRY(db_open(e->settings.database, &e->fetcher.db, err));
    e->fetcher.http = http_new();
    e->fetcher.roots = endorser_roots(e);
    e->fetcher.base_url = e->settings.base_url;
    e->fetcher.ca_file = e->settings.ca_file;
    return OK;
}

enum outcome endorser_open(const struct endorser_settings *settings, struct endorser **out,
                           struct error *err)
{
    pthread_condattr_t attributes;
    OWNED(endorser_drop) struct endorser *e = NEW(struct endorser);
    e->settings = *settings;
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&e->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    TRY(open_parts(e, err));
    *out = TAKE(e);
    return OK;
}

enum outcome endorser_start(struct endorser *e, struct error *err)
{
    if (pthread_create(&e->thread, NULL, run, e) != 0)
        return fail(err, ERR_INTERNAL, "starting the endorser's thread");
    e->running = true;
    return OK;
}

void endorser_close(struct endorser *e)
{
    if (e == NULL)
        return;
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
    if (e->running)
        pthread_join(e->thread, NULL);
    answer_finished(e, true);
    for (size_t i = 0; i < e->lesson_count; i++)
        bytes_done(&e->lessons[i]);
    http_free(e->fetcher.http);
    db_close(e->fetcher.db);
    snp_roots_free(e->custom);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    free(e);
}
