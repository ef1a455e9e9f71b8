#include "lib/base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/base.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    void **items;
    size_t room;
    size_t first;
    size_t length;
    bool closed;
};

struct queue *queue_new(size_t room)
{
    struct queue *q = NEW(struct queue);
    q->items = mem_new(room, sizeof *q->items);
    q->room = room;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    pthread_cond_destroy(&q->filled);
    pthread_mutex_destroy(&q->lock);
    free(q->items);
    free(q);
}

bool queue_push(struct queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    bool taken = !q->closed && q->length < q->room;
    if (taken) {
        q->items[(q->first + q->length++) % q->room] = item;
        pthread_cond_signal(&q->filled);
    }
    pthread_mutex_unlock(&q->lock);
    return taken;
}

static struct timespec deadline_in(int64_t wait_ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += wait_ms / 1000;
    t.tv_nsec += wait_ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

void *queue_pop(struct queue *q, int64_t wait_ms)
{
    struct timespec deadline = deadline_in(wait_ms);
    void *item = NULL;
    pthread_mutex_lock(&q->lock);
    int late = 0;
    while (q->length == 0 && !q->closed && late == 0)
        late = pthread_cond_timedwait(&q->filled, &q->lock, &deadline);
    if (q->length > 0) {
        item = q->items[q->first];
        q->first = (q->first + 1) % q->room;
        q->length--;
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

size_t queue_length(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t length = q->length;
    pthread_mutex_unlock(&q->lock);
    return length;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

bool queue_is_closed(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}
