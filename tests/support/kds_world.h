/* A key distribution service that does as it is told, an endorser that asks it, a keeper and
 * simulated hardware, on a real database. The clock stands still unless it is told to move. */
#ifndef MUSTER_TESTS_KDS_WORLD_H
#define MUSTER_TESTS_KDS_WORLD_H

#include "controller/endorser.h"
#include "emulator/kds_face.h"
#include "tests/support/deployment.h"

struct kds_world {
    struct db *db;
    struct deployment *deployment;
    struct kds_face kds;
    struct face *face;
    char url[64];
    char *roots_file;
    struct endorser *endorser; /* without its thread */
};
extern struct kds_world kds_world;

/* For cmocka: the group's set-up and tear-down, and each test's set-up. */
int kds_world_open(void **state);
int kds_world_close(void **state);
int kds_world_anew(void **state); /* nothing kept, the service well, a new endorser */
#define ANEW(test) cmocka_unit_test_setup(test, kds_world_anew)

void kds_world_endorser(const char *base_url); /* another one, as after a restart */
void kds_world_mode(const char *word, int64_t delay_ms, int64_t retry_after_seconds);

int64_t kds_world_asked(void); /* requests that came to the service, and those it answered well */
int64_t kds_world_answered(void);

/* The VCEK of a chip that has signed once; a guest on such a chip. */
struct kds_item kds_world_item(uint8_t chip);
struct guest kds_world_guest(uint8_t chip);

struct kds_answer {
    int times;
    enum outcome outcome;
    struct error why;
};
void kds_world_want(const struct kds_item *item, struct kds_answer *answer);
void kds_world_wants(const struct kds_item *items, size_t count, struct kds_answer *answer);
/* Steps, and moves the clock where there is nothing to do, for so long. */
void kds_world_pass(int64_t ms);
bool kds_world_keeps(const struct kds_item *item);

#endif
