/* What a cloud goes on with after its answer, for clients that ask how it fares. Only the last
 * OPERATIONS_MAX are remembered, and none over a restart: a real cloud forgets them too. */
#ifndef MUSTER_EMULATOR_OPERATIONS_H
#define MUSTER_EMULATOR_OPERATIONS_H

#include "lib/base/clock.h"
#include "lib/model/account.h"

enum { OPERATIONS_MAX = 4096 };

struct operation {
    char id[40];
    enum account_driver cloud;
    char ref[40];  /* of its machine */
    char verb[32]; /* in the face's own words */
    struct moment begun;
    int64_t quiet_until_ms; /* monotonic: nobody was asked to ask before */
    char request[40];       /* the client's own id of it; empty: it gave none */
    char name[64];          /* of its machine, by which the client knows it */
    char zone[64];
    int status;    /* of HTTP, had it failed at once; 0: it does not fail */
    char code[64]; /* how it fails; empty: it does not */
    char message[200];
};

struct operations {
    struct operation *at;
    size_t begun; /* ever */
};

struct operation *operations_add(struct operations *operations, enum account_driver cloud);
struct operation *operations_find(struct operations *operations, enum account_driver cloud,
                                  const char *id); /* NULL: unknown, or forgotten */
void operations_done(struct operations *operations);

#endif
