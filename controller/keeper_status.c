#include "controller/keeper_status.h"

#include <stdlib.h>
#include <string.h>

#include "controller/keeper_probes.h"
#include "lib/base/log.h"

struct question {
    struct desk *desk;
    struct link_peer *peer;
};

void keeper_status_show(struct desk *desk)
{
    int64_t serial = 0, answering = 0;
    for (size_t i = 0; i < desk->keepers.count; i++) {
        const struct keeper_seat *seat = &desk->keepers.seats[i];
        if (keepers_is_silent(&desk->keepers, seat))
            continue;
        answering++;
        if (seat->charter_serial > serial)
            serial = seat->charter_serial;
    }
    desk->keepers_connected = answering;
    desk->charter_serial = serial;
}

/* What cannot be written down now is at the next answer. */
void keeper_status_note(struct desk *desk, struct keeper_seat *seat)
{
    struct error err = {0};
    seat->heard_ms = clock_monotonic_ms();
    keeper_status_show(desk);
    if (keepers_note(&desk->keepers, seat, desk->db, desk->actor, &err) != OK)
        log_error("keeper.not-noted", &err);
}

static enum outcome take_status(struct keeper_seat *seat, struct span body, struct error *err)
{
    struct keeper_status status = {0};
    TRY(message_parse_reply(body, &keeper_status_record, &status, err));
    if (memcmp(status.boot_id, seat->boot_id, sizeof seat->boot_id) != 0)
        return fail_code(err, ERR_CONFLICT, "other-boot", "it answers for another start of it");
    keeper_probes_count(seat, &status);
    seat->status = status;
    seat->charter_serial = status.charter_serial;
    return OK;
}

static void answered(void *context, enum outcome outcome, struct span body, struct error *err)
{
    struct question *q = context;
    struct keeper_seat *seat = keepers_of_peer(&q->desk->keepers, q->peer);
    if (seat != NULL && outcome == OK)
        outcome = take_status(seat, body, err);
    if (seat != NULL && outcome == OK) {
        keeper_status_note(q->desk, seat);
        keeper_probes_note(q->desk, seat);
        keeper_probes_recall(q->desk, seat);
    } else if (seat != NULL) {
        LOG(WARN, "keeper.not-answering", TEXT("keeper", seat->name), TEXT("code", err->code),
            TEXT("text", err->text));
    }
    link_peer_free(q->peer);
    free(q);
}

void keeper_status_ask(struct desk *desk)
{
    const int64_t now = clock_monotonic_ms(), interval_ms = desk->keepers.interval_ms;
    for (size_t i = 0; i < desk->keepers.count; i++) {
        struct keeper_seat *seat = &desk->keepers.seats[i];
        if (now < seat->ask_due_ms)
            continue;
        struct question *q = NEW(struct question);
        *q = (struct question){.desk = desk, .peer = link_peer_share(seat->peer)};
        seat->ask_due_ms = now + interval_ms;
        calls_ask(desk->calls, seat->peer, VERB_STATUS, NULL, NULL,
                  interval_ms < KEEPER_WAIT_MS ? interval_ms : KEEPER_WAIT_MS, answered, q);
    }
    keeper_status_show(desk);
}
