/* What the programs that stay have alike: a command line of --config, --check-config and orders of
 * their own, memory that nobody looks into, and an end by signal between two pieces of work. */
#ifndef MUSTER_BASE_PROGRAM_H
#define MUSTER_BASE_PROGRAM_H

#include <pthread.h>

#include "lib/base/config.h"
#include "lib/base/queue.h"

enum { PROGRAM_ORDERS_MAX = 4 };

/* An option that takes a file, does what it says and stops: --reset-state ORDER. */
struct program_order {
    const char *name;
    const char *value;
    const char *help; /* in columns of 31, where it needs more than one line */
};

struct program {
    const char *name;     /* "muster-keeper" */
    const char *commands; /* further lines of usage, or NULL */
    const char *purpose;  /* one sentence */
    const char *config;   /* where the settings stand unless said */
    const char *check;    /* what --check-config does */
    struct program_order orders[PROGRAM_ORDERS_MAX];
    const struct setting *settings;
    const size_t *setting_count;
    const char *stopping, *failed; /* the log's events: "keeper.stopping", "keeper.failed" */
    bool hangup_ends;              /* SIGHUP does what SIGTERM does */
};

/* What the command line asked for. */
struct program_call {
    const char *config;
    bool only_check;                        /* --check-config */
    const char *orders[PROGRAM_ORDERS_MAX]; /* their files, beside the table's; NULL: not given */
};

/* main(): reads the command line, starts the log, runs. Answers the exit code; an error that
 * `run` comes back with is logged. */
int program_main(const struct program *program, int argc, char **argv,
                 enum outcome (*run)(const struct program_call *call, struct error *err));

/* No core, no other process of this user looking in. */
enum outcome program_close_shutters(struct error *err);

/* Before the first thread: what ends the program is blocked everywhere, and so is SIGPIPE. */
void program_block_signals(const struct program *program);

/* Returns when it is time to end. */
void program_wait(const struct program *program);

/* The same in a thread of its own, which then closes `queue`: that ends the loop which takes from
 * it. Join before what is here goes out of scope. */
struct program_waiter {
    const struct program *program;
    struct queue *queue;
    pthread_t thread;
};
enum outcome program_waiter_start(struct program_waiter *waiter, struct error *err);
void program_waiter_join(struct program_waiter *waiter);

#endif
