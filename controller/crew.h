/* What the threads of worker.c share, and what one of them has for itself. For worker.c and the
 * _steps and watch files. */
#ifndef MUSTER_CONTROLLER_CREW_H
#define MUSTER_CONTROLLER_CREW_H

#include <pthread.h>

#include "controller/alarms.h"
#include "controller/clouds.h"
#include "controller/orphans.h"
#include "controller/worker.h"
#include "db/instance_store.h"
#include "db/retention.h"

enum {
    CLAIM_LIMIT = 4,      /* rows one worker takes at once: it works them one after the other */
    POLL_MS = 1000,       /* polling alone must suffice */
    BOOT_SECONDS = 900,   /* from the cloud's id to the agent's first word */
    SETTLE_SECONDS = 300, /* a launch that nobody saw end is looked for so long before it counts
                           * as never made */
    SILENT_BEATS = 20,    /* heartbeats missed before an agent counts as gone */
    SILENT_LEAST_SECONDS = 300,
    UNSEEN_SECONDS = 300, /* clouds may not list what they just launched */
    BACKOFF_FIRST_SECONDS = 2,
    BACKOFF_MOST_SECONDS = 300,
};

struct crew;

/* How far the tidier has come with old verdicts, and since when; it begins anew once a day. */
struct forgetting {
    struct retention_walk walk;
    int64_t begun_ms;
};

/* How often the clouds are looked at; controller/tick.h. */
struct tick {
    int64_t wait_ms;  /* before the last round; 0: there was none */
    int64_t machines; /* that it saw */
};

/* One thread. */
struct worker {
    struct crew *crew;
    struct db *db;
    struct clouds clouds;
    struct orphans orphans;       /* the watch's */
    struct tick tick;             /* also the watch's */
    struct forgetting forgetting; /* the tidier's */
    char holder[HOLDER_SIZE];     /* of leases, and the actor in the audit trail */
};

/* Since when this controller could have heard an agent; the clock's thread only. */
struct hearing {
    int64_t since_ms;
    int64_t last_ms; /* the last round that went well */
    int64_t next_ms;
};

struct crew {
    const struct service_settings *settings;
    driver_finder *drivers;
    struct bytes root_pem;
    uint8_t ticket_key[SHA256_SIZE];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t wakes; /* how often somebody said that there is work */
    bool stopping;
    struct hearing hearing;
    struct alarm_watch alarms; /* the clock's thread only, as hearing is */
};

bool crew_is_stopping(struct crew *crew);
/* Until woken or `wait_ms` passed or stopping. `seen` is the count of wakes already acted upon. */
void crew_wait(struct crew *crew, int64_t *seen, int64_t wait_ms);
void crew_wake(struct crew *crew);

/* 2 s, 4 s, ... with jitter, so that what failed together does not come back together. */
int64_t backoff_seconds(int64_t failures);

#endif
