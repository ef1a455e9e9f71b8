/* A bounded hand-over of pointers between threads. Full means "busy": push never blocks. */
#ifndef MUSTER_BASE_QUEUE_H
#define MUSTER_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue;

struct queue *queue_new(size_t room);
void queue_free(struct queue *q); /* must be empty, or what is left is the caller's loss */

bool queue_push(struct queue *q, void *item);      /* false when full or closed */
void *queue_pop(struct queue *q, int64_t wait_ms); /* NULL after wait_ms, or closed and empty */
size_t queue_length(struct queue *q);
void queue_close(struct queue *q); /* no more pushes; those who wait wake up */
bool queue_is_closed(struct queue *q);

#endif
