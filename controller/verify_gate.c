#include "controller/verify_gate.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/base.h"

struct verify_gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t most;
    int64_t inside;
    bool busy;
};

struct verify_gate *verify_gate_new(int64_t most)
{
    struct verify_gate *gate = NEW(struct verify_gate);
    pthread_condattr_t attributes;
    pthread_mutex_init(&gate->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&gate->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    gate->most = most;
    return gate;
}

void verify_gate_free(struct verify_gate *gate)
{
    if (gate == NULL)
        return;
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

/* With the lock. */
static bool take_turn(struct verify_gate *gate)
{
    struct timespec deadline;
    int late = 0;
    if (gate->inside >= gate->most)
        return false;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += VERIFY_WAIT_MS / 1000;
    gate->inside++;
    while (gate->busy && late == 0)
        late = pthread_cond_timedwait(&gate->changed, &gate->lock, &deadline);
    const bool mine = !gate->busy;
    gate->busy = true;
    gate->inside -= mine ? 0 : 1;
    return mine;
}

enum outcome verify_gate_enter(struct verify_gate *gate, struct error *err)
{
    pthread_mutex_lock(&gate->lock);
    const bool mine = take_turn(gate);
    pthread_mutex_unlock(&gate->lock);
    if (!mine)
        return fail_code(err, ERR_THROTTLED, "verify-busy", "other questions about evidence wait");
    return OK;
}

void verify_gate_leave(struct verify_gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->busy = false;
    gate->inside--;
    pthread_cond_signal(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}
