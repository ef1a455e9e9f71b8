#include "controller/calls.h"

#include <stdlib.h>

#include "lib/base/map.h"

struct call {
    uint64_t id;
    struct link_peer *peer;
    int64_t deadline_ms;
    bool unsent; /* answered at the next tick */
    answer_fn *answer;
    void *context;
};

struct calls {
    struct map *pending;
};

struct calls *calls_new(void)
{
    struct calls *calls = NEW(struct calls);
    calls->pending = map_new(sizeof(uint64_t));
    return calls;
}

static void end(struct calls *calls, struct call *call, enum outcome outcome, struct span body,
                struct error *err)
{
    map_take(calls->pending, &call->id);
    call->answer(call->context, outcome, body, err);
    link_peer_free(call->peer);
    free(call);
}

static void end_with(struct calls *calls, struct call *call, const char *code)
{
    struct error err = {0};
    enum outcome outcome =
        fail_code(&err, ERR_UNREACHABLE, code, "no answer from %s", link_peer_address(call->peer));
    end(calls, call, outcome, (struct span){0}, &err);
}

typedef bool wanted_fn(const struct call *call, const void *what);

/* Ending a call may ask the next one, so collect first. */
static void end_where(struct calls *calls, wanted_fn *wanted, const void *what, const char *code)
{
    size_t count = 0;
    size_t at = 0;
    OWNED(mem_drop) uint64_t *ids = mem_new(map_count(calls->pending), sizeof *ids);
    for (struct call *call; (call = map_next(calls->pending, &at)) != NULL;)
        if (wanted(call, what))
            ids[count++] = call->id;
    for (size_t i = 0; i < count; i++) {
        struct call *call = map_get(calls->pending, &ids[i]);
        if (call != NULL)
            end_with(calls, call, code);
    }
}

static bool every(const struct call *call, const void *what)
{
    (void)call, (void)what;
    return true;
}

static bool is_of(const struct call *call, const void *peer)
{
    return call->peer == peer;
}

static bool is_late(const struct call *call, const void *now_ms)
{
    return call->unsent || call->deadline_ms <= *(const int64_t *)now_ms;
}

void calls_free(struct calls *calls)
{
    if (calls == NULL)
        return;
    end_where(calls, every, NULL, "closed");
    map_free(calls->pending);
    free(calls);
}

void calls_ask_body(struct calls *calls, struct link_peer *peer, struct span body, int64_t wait_ms,
                    answer_fn *answer, void *context)
{
    struct call *call = NEW(struct call);
    call->id = link_id_new();
    call->peer = link_peer_share(peer);
    call->deadline_ms = clock_monotonic_ms() + wait_ms;
    call->answer = answer;
    call->context = context;
    call->unsent = link_send(peer, FRAME_REQUEST, call->id, body, NULL) != OK;
    map_put(calls->pending, &call->id, call);
}

void calls_ask(struct calls *calls, struct link_peer *peer, enum verb verb,
               const struct record *record, const void *object, int64_t wait_ms, answer_fn *answer,
               void *context)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print(verb, record, object, &body);
    calls_ask_body(calls, peer, bytes_span(&body), wait_ms, answer, context);
}

bool calls_answered(struct calls *calls, struct link_event *event)
{
    struct call *call = map_get(calls->pending, &event->id);
    if (call == NULL || call->peer != event->peer)
        return false;
    struct error err = {0};
    enum outcome outcome =
        event->type == FRAME_REPLY ? OK : message_parse_problem(bytes_span(&event->body), &err);
    end(calls, call, outcome, bytes_span(&event->body), &err);
    return true;
}

void calls_lost(struct calls *calls, const struct link_peer *peer)
{
    end_where(calls, is_of, peer, "closed");
}

void calls_tick(struct calls *calls, int64_t now_ms)
{
    end_where(calls, is_late, &now_ms, "no-answer");
}

size_t calls_pending(const struct calls *calls)
{
    return map_count(calls->pending);
}
