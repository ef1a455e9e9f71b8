/* `bench_keeper [COUNT [ROUNDS]]`: the real muster-keeper appraises COUNT different reports over
 * the real link: each is parsed, judged, signed for and answered. Prints `appraisals_per_second N`,
 * per second of the keeper's processor time, all its threads together, the best of ROUNDS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/text.h"
#include "tests/support/office.h"

enum { IN_FLIGHT = 32 };

struct asked {
    struct guest guest;
    struct bytes request;
};

static void must(enum outcome outcome, const struct error *err)
{
    if (outcome == OK)
        return;
    fprintf(stderr, "bench_keeper: %s\n", err->text);
    exit(1);
}

static double busy_seconds(pid_t keeper)
{
    clockid_t clock;
    struct timespec now = {0};
    if (clock_getcpuclockid(keeper, &clock) != 0 || clock_gettime(clock, &now) != 0)
        exit(1);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A challenge of its own, and the request that answers it. */
static void prepare(struct office *o, struct asked *a)
{
    struct error err = {0};
    struct challenge challenge = {0};
    struct appraise_wish wish = {.instance = a->guest.instance};
    bytes_done(&a->request);
    must(guest_challenge(o->d, &a->guest, &challenge, &err), &err);
    guest_evidence(o->d, &a->guest, &challenge, &wish.evidence);
    memcpy(wish.nonce, challenge.nonce, sizeof wish.nonce);
    must(text_copy(wish.policy, sizeof wish.policy, a->guest.policy, "", &err), &err);
    message_print(VERB_APPRAISE, &appraise_wish_record, &wish, &a->request);
    record_done(&appraise_wish_record, &wish);
}

static void take_verdict(struct office *o)
{
    static const char trusted[] = "\"verdict\":\"trusted\"";
    OWNED(link_event_drop) struct link_event *event = office_next_event(o);
    if (event->kind == LINK_FRAME && event->type == FRAME_REPLY &&
        memmem(event->body.at, event->body.len, trusted, sizeof trusted - 1) != NULL)
        return;
    fprintf(stderr, "bench_keeper: %.*s\n", (int)event->body.len, (const char *)event->body.at);
    exit(1);
}

static double appraise_all(struct office *o, struct asked *all, size_t count)
{
    struct error err = {0};
    for (size_t i = 0; i < count; i++)
        prepare(o, &all[i]);
    const double start = busy_seconds(o->keeper);
    size_t sent = 0;
    for (size_t taken = 0; taken < count; taken++) {
        for (; sent < count && sent < taken + IN_FLIGHT; sent++)
            must(link_send(o->peer, FRAME_REQUEST, link_id_new(), bytes_span(&all[sent].request),
                           &err),
                 &err);
        take_verdict(o);
    }
    return (double)count / (busy_seconds(o->keeper) - start);
}

static size_t number_or(int argc, char **argv, int which, int64_t fallback)
{
    struct error err = {0};
    int64_t value = fallback;
    if (argc > which)
        must(number_parse(argv[which], 1, 100000, &value, &err), &err);
    return (size_t)value;
}

int main(int argc, char **argv)
{
    struct error err = {0};
    struct hello hello = {0};
    void *state = NULL;
    double best = 0;
    const size_t count = number_or(argc, argv, 1, 1000);
    const size_t rounds = number_or(argc, argv, 2, 3);
    (void)office_open(&state);
    struct office *o = state;
    office_await_keeper(o, &hello);
    record_done(&hello_record, &hello);
    deployment_write_charter(o->d);
    must(deployment_apply(o->d, &err), &err);
    struct asked *all = mem_new(count, sizeof *all);
    for (size_t i = 0; i < count; i++)
        all[i].guest = guest_make(PSP_FIRMWARE_ONLY, 0);
    for (size_t i = 0; i < rounds; i++) {
        const double rate = appraise_all(o, all, count);
        best = rate > best ? rate : best;
    }
    printf("appraisals_per_second %.1f\n", best);
    for (size_t i = 0; i < count; i++) {
        guest_done(&all[i].guest);
        bytes_done(&all[i].request);
    }
    free(all);
    return office_close(&state);
}
