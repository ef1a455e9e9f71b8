#include "controller/keeper_tasks.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/charter_store.h"
#include "lib/base/log.h"

enum { TASK_WAIT_MS = KEEPER_WAIT_MS + 5000 };

/* A question of another thread: the asker waits, the desk answers. Two owners, for the asker may
 * give up first. */
struct question {
    struct desk_task task;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int owners;
    bool answered;
    enum outcome outcome;
    struct error err;
    struct bytes body;    /* of the reply */
    struct bytes message; /* what is asked, as it goes out */
    struct uuid instance;
    const char *why; /* its evidence is wanted */
};

static struct question *question_new(void (*run)(struct desk *, struct desk_task *))
{
    struct question *q = NEW(struct question);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    q->owners = 2;
    q->task.run = run;
    return q;
}

static void question_leave(struct question *q)
{
    pthread_mutex_lock(&q->lock);
    bool last = --q->owners == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    bytes_done(&q->message);
    bytes_done(&q->body);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static void question_end(struct question *q, enum outcome outcome, struct span body,
                         const struct error *err)
{
    pthread_mutex_lock(&q->lock);
    q->outcome = outcome;
    q->answered = true;
    if (outcome != OK)
        q->err = *err;
    bytes_done(&q->body);
    bytes_add(&q->body, body);
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->lock);
    question_leave(q);
}

static void on_answer(void *context, enum outcome outcome, struct span body, struct error *err)
{
    question_end(context, outcome, body, err);
}

static void shut(struct question *q)
{
    struct error err = {0};
    enum outcome outcome = fail_code(&err, ERR_UNREACHABLE, "shutdown", "the controller stops");
    question_end(q, outcome, (struct span){0}, &err);
}

/* ---- one keeper's answer ---- */

static void ask_keeper(struct desk *desk, struct desk_task *task)
{
    struct question *q = (struct question *)task;
    struct keeper_seat *seat = NULL;
    struct error err = {0};
    if (desk == NULL) {
        shut(q);
        return;
    }
    enum outcome outcome = keepers_pick(&desk->keepers, &seat, &err);
    if (outcome != OK)
        question_end(q, outcome, (struct span){0}, &err);
    else
        calls_ask_body(desk->calls, seat->peer, bytes_span(&q->message), KEEPER_WAIT_MS, on_answer,
                       q);
}

/* Waits, reads the reply into `out` and gives the question up. */
static enum outcome wait_for(struct desk *desk, struct question *q, const struct record *record,
                             void *out, struct error *err)
{
    if (!desk_put(desk, &q->task)) {
        question_leave(q); /* the desk's share too: it never saw it */
        question_leave(q);
        return fail_code(err, ERR_THROTTLED, "busy", "too many questions wait for a keeper");
    }
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += TASK_WAIT_MS / 1000;
    pthread_mutex_lock(&q->lock);
    int late = 0;
    while (!q->answered && late == 0)
        late = pthread_cond_timedwait(&q->changed, &q->lock, &deadline);
    enum outcome outcome = q->outcome;
    if (!q->answered) /* the desk itself hangs: calls have a shorter deadline */
        outcome = fail_code(err, ERR_UNREACHABLE, "no-answer", "the desk did not answer in time");
    else if (outcome != OK && err != NULL)
        *err = q->err;
    else if (outcome == OK)
        outcome = message_parse_reply(bytes_span(&q->body), record, out, err);
    pthread_mutex_unlock(&q->lock);
    question_leave(q);
    return outcome;
}

enum outcome keeper_task_generate(struct desk *desk, const struct generate_wish *wish,
                                  struct generate_reply *out, struct error *err)
{
    struct question *q = question_new(ask_keeper);
    message_print(VERB_GENERATE, &generate_wish_record, wish, &q->message);
    return wait_for(desk, q, &generate_reply_record, out, err);
}

enum outcome keeper_task_opinion(struct desk *desk, const struct opinion_wish *wish,
                                 struct opinion_reply *out, struct error *err)
{
    struct question *q = question_new(ask_keeper);
    message_print(VERB_OPINION, &opinion_wish_record, wish, &q->message);
    return wait_for(desk, q, &opinion_reply_record, out, err);
}

/* ---- the charter ---- */

struct offer {
    struct desk *desk;
    struct link_peer *peer;
    struct question *question; /* NULL: nobody waits */
};

static enum outcome note_obeyed(struct offer *offer, struct span body, struct error *err)
{
    struct keeper_seat *seat = keepers_of_peer(&offer->desk->keepers, offer->peer);
    struct charter_reply reply = {0};
    TRY(message_parse_reply(body, &charter_reply_record, &reply, err));
    if (seat == NULL)
        return OK; /* it left after it answered */
    seat->charter_serial = reply.serial;
    if (reply.serial > offer->desk->charter_serial)
        offer->desk->charter_serial = reply.serial;
    LOG(INFO, "charter.obeyed", TEXT("keeper", seat->name), INT("serial", reply.serial));
    seat->ask_due_ms = 0; /* asked, and so written down, at the next tick */
    return OK;
}

static void offer_answered(void *context, enum outcome outcome, struct span body, struct error *err)
{
    struct offer *offer = context;
    if (outcome == OK)
        outcome = note_obeyed(offer, body, err);
    if (outcome != OK)
        log_error("charter.refused", err);
    if (offer->question != NULL)
        question_end(offer->question, outcome, body, err);
    link_peer_free(offer->peer);
    free(offer);
}

static void make_offer(struct desk *desk, struct keeper_seat *seat, struct span message,
                       struct question *question)
{
    struct offer *offer = NEW(struct offer);
    *offer =
        (struct offer){.desk = desk, .peer = link_peer_share(seat->peer), .question = question};
    calls_ask_body(desk->calls, seat->peer, message, KEEPER_WAIT_MS, offer_answered, offer);
}

void charter_offer_stored(struct desk *desk, struct keeper_seat *seat)
{
    struct error err = {0};
    struct charter_row charter = {0};
    enum outcome outcome = charter_store_active(desk->db, desk->settings->project, &charter, &err);
    if (outcome == OK && charter.serial > seat->charter_serial) {
        OWNED(bytes_done) struct bytes message = {0};
        struct charter_wish wish = {.jws = charter.jws};
        message_print(VERB_CHARTER, &charter_wish_record, &wish, &message);
        make_offer(desk, seat, bytes_span(&message), NULL);
    } else if (outcome != OK && outcome != ERR_NOT_FOUND) {
        log_error("charter.not-read", &err);
    }
    charter_row_done(&charter);
}

/* The first keeper's word is the answer; the others get it as well and say so in the log. */
static void ask_charter(struct desk *desk, struct desk_task *task)
{
    struct question *q = (struct question *)task;
    struct keeper_seat *first = NULL;
    struct error err = {0};
    if (desk == NULL) {
        shut(q);
        return;
    }
    enum outcome outcome = keepers_pick(&desk->keepers, &first, &err);
    if (outcome != OK) {
        question_end(q, outcome, (struct span){0}, &err);
        return;
    }
    for (size_t i = 0; i < desk->keepers.count; i++) {
        struct keeper_seat *seat = &desk->keepers.seats[i];
        make_offer(desk, seat, bytes_span(&q->message), seat == first ? q : NULL);
    }
}

enum outcome keeper_task_charter(struct desk *desk, const char *jws, int64_t *out_serial,
                                 struct error *err)
{
    struct question *q = question_new(ask_charter);
    OWNED(mem_drop) char *copy = mem_text(jws);
    struct charter_wish wish = {.jws = copy};
    struct charter_reply reply = {0};
    message_print(VERB_CHARTER, &charter_wish_record, &wish, &q->message);
    TRY(wait_for(desk, q, &charter_reply_record, &reply, err));
    *out_serial = reply.serial;
    return OK;
}

/* ---- an agent's fresh evidence ---- */

static enum outcome demand(struct desk *desk, const struct uuid *instance, const char *why,
                           struct error *err)
{
    bool is_elsewhere = false;
    struct guest *guest = map_get(desk->guests, instance);
    if (guest != NULL)
        return guest_demand(guest, why, err);
    TRY(holder_store_ask(desk->db, instance, desk->actor, why, &is_elsewhere, err));
    return is_elsewhere ? OK
                        : fail_code(err, ERR_NOT_FOUND, "agent-not-connected",
                                    "its agent is on no controller's link");
}

static void ask_agent(struct desk *desk, struct desk_task *task)
{
    struct question *q = (struct question *)task;
    struct error err = {0};
    if (desk == NULL) {
        shut(q);
        return;
    }
    enum outcome outcome = demand(desk, &q->instance, q->why, &err);
    question_end(q, outcome, span_of_text("{}"), &err);
}

enum outcome keeper_task_attest(struct desk *desk, const struct uuid *instance, const char *why,
                                struct error *err)
{
    struct question *q = question_new(ask_agent);
    q->instance = *instance;
    q->why = why;
    return wait_for(desk, q, NULL, NULL, err);
}
