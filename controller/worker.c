#include "controller/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controller/fleet_steps.h"
#include "controller/instance_steps.h"
#include "controller/tick.h"
#include "controller/userdata.h"
#include "controller/watch.h"
#include "db/audit_store.h"
#include "db/retention.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"

enum {
    WORKERS_MOST = 64,
    FILE_MOST = 64 * 1024,
    TIDY_MS = 600 * 1000,   /* nobody waits for what is forgotten */
    WALK_MS = 86400 * 1000, /* what had to stay is looked at again */
    LISTEN_MS = 250,        /* so that stopping need not wait long */
    TROUBLE_MS = 1000,      /* after the database did not answer */
};

/* One round of a thread; `out_did`: there was something, so look again at once. */
typedef enum outcome round_fn(struct worker *worker, bool *out_did, struct error *err);

struct duty {
    const char *name;
    round_fn *round;
    struct workers *workers;
    int number;
    pthread_t thread;
    bool started;
};

struct workers {
    struct crew crew;
    struct service_settings settings; /* so that settings->... stays with us */
    struct duty duties[WORKERS_MOST + 5];
    size_t duty_count;
};

/* ---- waiting ------------------------------------------------------------------------------ */

bool crew_is_stopping(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    bool stopping = crew->stopping;
    pthread_mutex_unlock(&crew->lock);
    return stopping;
}

void crew_wait(struct crew *crew, int64_t *seen, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (wait_ms % 1000) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&crew->lock);
    int waited = 0;
    while (!crew->stopping && crew->wakes == *seen && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&crew->changed, &crew->lock, &until);
    *seen = crew->wakes;
    pthread_mutex_unlock(&crew->lock);
}

void crew_wake(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->wakes++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

static void crew_pause(struct crew *crew)
{
    int64_t never = -1;
    pthread_mutex_lock(&crew->lock);
    never = crew->wakes;
    pthread_mutex_unlock(&crew->lock);
    crew_wait(crew, &never, TROUBLE_MS);
}

int64_t backoff_seconds(int64_t failures)
{
    int64_t most = BACKOFF_FIRST_SECONDS;
    for (int64_t i = 0; i < failures && most < BACKOFF_MOST_SECONDS; i++)
        most *= 2;
    if (most > BACKOFF_MOST_SECONDS)
        most = BACKOFF_MOST_SECONDS;
    return most / 2 + (int64_t)random_below((uint64_t)(most - most / 2 + 1));
}

/* ---- what the threads do ------------------------------------------------------------------ */

static enum outcome drive(struct worker *w, bool *out_did, struct error *err)
{
    bool instances = false, fleets = false;
    TRY(instances_work(w, &instances, err));
    TRY(fleets_work(w, &fleets, err));
    *out_did = instances || fleets;
    return OK;
}

static enum outcome seal(struct worker *w, bool *out_did, struct error *err)
{
    int64_t sealed = 0;
    TRY(audit_store_seal(w->db, &sealed, err));
    *out_did = sealed == AUDIT_SEAL_BATCH;
    return OK;
}

static enum outcome keep_time(struct worker *w, bool *out_did, struct error *err)
{
    *out_did = false;
    return watch_time(w, err);
}

/* Waking is for the workers; these go by the clock alone. */
static void rest(struct worker *w, int64_t ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    while (!crew_is_stopping(w->crew) && clock_monotonic_ms() < until)
        crew_pause(w->crew);
}

static enum outcome look_at_clouds(struct worker *w, bool *out_did, struct error *err)
{
    struct watch_counts counts;
    *out_did = false;
    TRY(watch_clouds(w, &counts, err));
    rest(w, tick_next_ms(&w->tick, &counts, w->crew->settings->watch_seconds * 1000));
    return OK;
}

static enum outcome forget_instances(struct worker *w, bool *out_more, struct error *err)
{
    const struct service_settings *s = w->crew->settings;
    int64_t count = 0;
    if (s->retain_days > 0)
        TRY(retention_forget(w->db, s->retain_days, w->holder, &count, err));
    if (count > 0)
        LOG(INFO, "instances.forgotten", INT("count", count), INT("days", s->retain_days));
    *out_more = count == RETENTION_BATCH;
    return OK;
}

static enum outcome forget_verdicts(struct worker *w, bool *out_more, struct error *err)
{
    const struct service_settings *s = w->crew->settings;
    struct forgetting *f = &w->forgetting;
    const int64_t now_ms = clock_monotonic_ms();
    *out_more = false;
    if (s->retain_verdicts_days == 0)
        return OK;
    if (f->walk.looked < RETENTION_STEP && now_ms - f->begun_ms >= WALK_MS)
        *f = (struct forgetting){.begun_ms = now_ms};
    TRY(retention_forget_verdicts(w->db, s->retain_verdicts_days, w->holder, &f->walk, err));
    if (f->walk.gone > 0)
        LOG(INFO, "verdicts.forgotten", INT("count", f->walk.gone),
            INT("days", s->retain_verdicts_days));
    *out_more = f->walk.looked == RETENTION_STEP;
    return OK;
}

/* Batch after batch, each a short transaction, then a long rest. */
static enum outcome tidy_up(struct worker *w, bool *out_did, struct error *err)
{
    bool instances, verdicts;
    TRY(forget_instances(w, &instances, err));
    TRY(forget_verdicts(w, &verdicts, err));
    *out_did = instances || verdicts;
    if (!*out_did)
        rest(w, TIDY_MS);
    return OK;
}

/* Other controllers' and other threads' wakes come through the database. */
static enum outcome listen_for_wakes(struct worker *w, bool *out_did, struct error *err)
{
    bool woken = false;
    TRY(db_listen(w->db, err));
    TRY(db_wait(w->db, LISTEN_MS, &woken, err));
    if (woken)
        crew_wake(w->crew);
    *out_did = true;
    return OK;
}

/* ---- threads ------------------------------------------------------------------------------ */

/* New at each start, so that a dead process's leases are nobody's. */
static void name_holder(struct worker *w, const struct duty *duty)
{
    char host[32] = "host";
    error_ignore(gethostname(host, sizeof host - 1) == 0 ? OK : ERR_INTERNAL);
    snprintf(w->holder, sizeof w->holder, "%s:%s/%d/%d/%08llx", duty->name, host, (int)getpid(),
             duty->number, (unsigned long long)random_below(UINT64_C(1) << 32));
}

static enum outcome run_round(struct worker *w, round_fn *round, bool *out_did, struct error *err)
{
    if (w->db == NULL)
        TRY(db_open(w->crew->settings->database, &w->db, err));
    return round(w, out_did, err);
}

static void *run(void *owner)
{
    struct duty *duty = owner;
    struct crew *crew = &duty->workers->crew;
    struct worker w = {.crew = crew, .clouds = {.drivers = crew->drivers}};
    int64_t seen = 0;
    name_holder(&w, duty);
    while (!crew_is_stopping(crew)) {
        struct error err = {0};
        bool did = false;
        enum outcome outcome = run_round(&w, duty->round, &did, &err);
        if (outcome != OK) {
            LOG(WARN, "worker.stumbled", TEXT("duty", duty->name), TEXT("code", err.code),
                TEXT("text", err.text));
            crew_pause(crew);
        } else if (!did) {
            crew_wait(crew, &seen, POLL_MS);
        }
    }
    clouds_done(&w.clouds);
    orphans_done(&w.orphans);
    db_close(w.db);
    return NULL;
}

static enum outcome add_duty(struct workers *workers, const char *name, round_fn *round, int number,
                             struct error *err)
{
    struct duty *duty = &workers->duties[workers->duty_count];
    *duty = (struct duty){.name = name, .round = round, .workers = workers, .number = number};
    if (pthread_create(&duty->thread, NULL, run, duty) != 0)
        return fail(err, ERR_INTERNAL, "cannot start a thread");
    duty->started = true;
    workers->duty_count++;
    return OK;
}

static enum outcome add_duties(struct workers *workers, struct error *err)
{
    int64_t count = workers->settings.workers;
    if (count < 1 || count > WORKERS_MOST)
        count = count < 1 ? 1 : WORKERS_MOST;
    for (int i = 0; i < count; i++)
        TRY(add_duty(workers, "worker", drive, i + 1, err));
    TRY(add_duty(workers, "sealer", seal, 1, err));
    TRY(add_duty(workers, "clock", keep_time, 1, err));
    TRY(add_duty(workers, "watch", look_at_clouds, 1, err));
    TRY(add_duty(workers, "tidier", tidy_up, 1, err));
    return add_duty(workers, "waker", listen_for_wakes, 1, err);
}

/* ---- opening and closing ------------------------------------------------------------------ */

static enum outcome read_files(struct workers *workers, struct error *err)
{
    OWNED(bytes_wipe) struct bytes key = {0};
    TRY(file_read_private(workers->settings.key_file, FILE_MOST, &key, err));
    launch_ticket_key(bytes_span(&key), workers->crew.ticket_key);
    return file_read(workers->settings.root_file, FILE_MOST, &workers->crew.root_pem, err);
}

static void workers_free(struct workers *workers)
{
    bytes_done(&workers->crew.root_pem);
    alarms_done(&workers->crew.alarms);
    explicit_bzero(workers->crew.ticket_key, sizeof workers->crew.ticket_key);
    pthread_cond_destroy(&workers->crew.changed);
    pthread_mutex_destroy(&workers->crew.lock);
    free(workers);
}

enum outcome workers_start_with(const struct service_settings *settings, driver_finder *drivers,
                                struct workers **out, struct error *err)
{
    struct workers *workers = NEW(struct workers);
    workers->settings = *settings;
    workers->crew.settings = &workers->settings;
    workers->crew.drivers = drivers;
    pthread_mutex_init(&workers->crew.lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&workers->crew.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    enum outcome outcome = read_files(workers, err);
    if (outcome == OK)
        outcome = add_duties(workers, err);
    if (outcome == OK)
        *out = workers;
    else if (!workers_stop(workers, 5000))
        LOG(WARN, "workers.not-ended");
    return outcome;
}

enum outcome workers_start(const struct service_settings *settings, struct workers **out,
                           struct error *err)
{
    return workers_start_with(settings, driver_of, out, err);
}

void workers_wake(struct workers *workers)
{
    if (workers != NULL)
        crew_wake(&workers->crew);
}

static bool join(pthread_t thread, int64_t until_ms)
{
    int64_t left = until_ms - clock_monotonic_ms();
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    if (left > 0) {
        until.tv_sec += left / 1000;
        until.tv_nsec += (left % 1000) * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
    }
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

bool workers_stop(struct workers *workers, int64_t wait_ms)
{
    if (workers == NULL)
        return true;
    pthread_mutex_lock(&workers->crew.lock);
    workers->crew.stopping = true;
    pthread_cond_broadcast(&workers->crew.changed);
    pthread_mutex_unlock(&workers->crew.lock);
    int64_t until_ms = clock_monotonic_ms() + wait_ms;
    bool all = true;
    for (size_t i = 0; i < workers->duty_count; i++)
        all &= join(workers->duties[i].thread, until_ms);
    if (all)
        workers_free(workers);
    return all;
}
