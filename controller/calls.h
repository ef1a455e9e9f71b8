/* Requests of ours that wait for the other side's answer. Every call is answered exactly once: by
 * the peer, by its deadline or by calls_lost(). The desk's thread only. */
#ifndef MUSTER_CONTROLLER_CALLS_H
#define MUSTER_CONTROLLER_CALLS_H

#include "lib/model/message.h"
#include "lib/net/link.h"

struct calls;

/* `outcome` OK: `body` is the REPLY's. Otherwise `err` says why: the other side's own problem,
 * "no-answer" (ERR_UNREACHABLE) after the deadline, or "closed". */
typedef void answer_fn(void *context, enum outcome outcome, struct span body, struct error *err);

struct calls *calls_new(void);
void calls_free(struct calls *calls); /* answers what is left with "closed" */

/* Sends a REQUEST. `answer` is called later, never from inside; also when sending failed. */
void calls_ask(struct calls *calls, struct link_peer *peer, enum verb verb,
               const struct record *record, const void *object, int64_t wait_ms, answer_fn *answer,
               void *context);

/* The same with a body that message_print() made before. */
void calls_ask_body(struct calls *calls, struct link_peer *peer, struct span body, int64_t wait_ms,
                    answer_fn *answer, void *context);

/* A REPLY or PROBLEM came. False: it answers nothing we asked of this peer. */
bool calls_answered(struct calls *calls, struct link_event *event);
/* The peer is gone: answer its calls now. Walks all calls, so for keepers; an agent's calls end by
 * their deadlines. */
void calls_lost(struct calls *calls, const struct link_peer *peer);
void calls_tick(struct calls *calls, int64_t now_ms);
size_t calls_pending(const struct calls *calls);

#endif
