/* The workers of a controller on a real PostgreSQL and a cloud in shared memory. */
#ifndef MUSTER_TESTS_STAGE_H
#define MUSTER_TESTS_STAGE_H

#include "controller/worker.h"
#include "db/instance_store.h"

enum { STAGE_STOP_MS = 20000 };

struct stage {
    char *folder, *key_file, *root_file;
    struct db *db;
    struct service_settings settings;
    struct workers *workers;
};
extern struct stage stage;

/* For cmocka: account "cloud" and image "image" are there, no fleet, no workers yet. */
int stage_open(void **state);
int stage_close(void **state);
#define STAGED(test) cmocka_unit_test_setup_teardown(test, stage_open, stage_close)

void stage_write(const char *path, const char *content);
void stage_start(void); /* the workers */
void stage_stop(void);
/* The workers in a process of their own, as kill -9 finds it: until the mischief of the cloud, or a
 * fault point, ends it. */
void stage_run_until_killed(void);

void stage_fleet(int64_t desired); /* "web" */
void stage_scale(int64_t desired);

struct instance_list stage_rows(const char *phase, bool with_terminated);
int64_t stage_count(const char *phase);

/* Waits for an event, with a deadline. */
typedef bool stage_seen_fn(int64_t wanted);
void stage_wait(stage_seen_fn *seen, int64_t wanted, const char *what);
#define stage_await(seen, wanted) stage_wait(stage_##seen, wanted, #seen)

/* So many rows in that phase; so many machines that are not gone. */
bool stage_booting(int64_t wanted);
bool stage_running(int64_t wanted);
bool stage_terminated(int64_t wanted);
bool stage_failed(int64_t wanted);
bool stage_machines(int64_t wanted);

/* Every row with a machine has its own, every machine has a row: nothing lost, nothing doubled. */
void assert_one_machine_a_row(int64_t expected);

#endif
