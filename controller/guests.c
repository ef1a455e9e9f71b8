#include "controller/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/problem.h"
#include "db/place_store.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

/* What an agent may ask, and how far it must have come. */
static const struct {
    enum verb verb;
    bool known;
    bool proven;
    bool note; /* comes as a NOTE, is never answered */
    guest_fn *run;
} rows[] = {
    /* clang-format off */
    {VERB_HELLO,        false, false, false, guest_hello},
    {VERB_ATTEST_BEGIN, true,  false, false, guest_attest_begin},
    {VERB_EVIDENCE,     true,  false, false, guest_evidence},
    {VERB_HEARTBEAT,    true,  true,  true,  guest_heartbeat},
    {VERB_PASSPORT,     true,  true,  false, guest_passport},
    /* clang-format on */
};

struct guest *guest_new(struct desk *desk, struct link_peer *peer)
{
    struct guest *guest = NEW(struct guest);
    guest->desk = desk;
    guest->peer = peer; /* a loan: the guest goes with the peer's LINK_CLOSED */
    guest->replies = link_replies_new(GUEST_REPLIES, GUEST_REPLY_BYTES);
    guest->slot = slot_new(guest);
    return guest;
}

/* An agent that crashed comes back with another key, and need not wait for the hold to run out. */
static void let_ticket_go(struct guest *guest)
{
    struct error err = {0};
    if (guest->proven || moment_is_none(guest->hold.until) || guest->desk->stopping)
        return;
    if (ticket_store_let_go(guest->desk->db, &guest->hold, &err) != OK)
        log_error("ticket.not-let-go", &err);
}

void guest_free(struct guest *guest)
{
    if (guest == NULL)
        return;
    if (map_get(guest->desk->guests, &guest->instance) == guest) {
        map_take(guest->desk->guests, &guest->instance);
        holders_note(guest->desk, &guest->instance);
    }
    let_ticket_go(guest);
    guest->slot->guest = NULL;
    if (guest->slot->applicant.state != APPLICANT_ADMITTED)
        slots_end(guest);
    slot_free(guest->slot);
    bytes_done(&guest->evidence);
    link_replies_free(guest->replies);
    free(guest);
}

void guest_takes_over(struct guest *guest)
{
    struct guest *before = map_put(guest->desk->guests, &guest->instance, guest);
    guest->proven = true;
    link_peer_admit(guest->peer, LINK_READY);
    if (before != NULL && before != guest) {
        before->proven = false;
        link_peer_finish(before->peer, "succeeded");
    }
}

static void answer(struct guest *guest, uint64_t id, uint8_t type, struct bytes *body)
{
    error_ignore(link_send(guest->peer, type, id, bytes_span(body), NULL));
    link_replies_keep(guest->replies, id, type, bytes_take(body));
}

void guest_reply(struct guest *guest, uint64_t id, const struct record *record, const void *object)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    answer(guest, id, FRAME_REPLY, &body);
}

void guest_refuse(struct guest *guest, uint64_t id, const struct error *why)
{
    OWNED(bytes_done) struct bytes body = {0};
    const struct error outward = problem_outward(why);
    message_print_problem(&outward, &body);
    answer(guest, id, FRAME_PROBLEM, &body);
}

void guest_put_off(struct guest *guest, uint64_t id, int64_t after_ms)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_slot(after_ms, &body);
    answer(guest, id, FRAME_PROBLEM, &body);
}

enum outcome guest_demand(struct guest *guest, const char *why, struct error *err)
{
    struct attest_wish wish = {0};
    OWNED(bytes_done) struct bytes note = {0};
    snprintf(wish.why, sizeof wish.why, "%s", why);
    message_print(VERB_ATTEST, &attest_wish_record, &wish, &note);
    guest->demanded = true;
    return link_send(guest->peer, FRAME_NOTE, link_id_new(), bytes_span(&note), err);
}

struct later *later_new(struct guest *guest, uint64_t id)
{
    struct later *later = NEW(struct later);
    *later = (struct later){.desk = guest->desk,
                            .peer = link_peer_share(guest->peer),
                            .slot = slot_share(guest->slot),
                            .id = id};
    return later;
}

struct guest *later_guest(struct later *later)
{
    return link_peer_owner(later->peer);
}

void later_free(struct later *later)
{
    link_peer_free(later->peer);
    slot_free(later->slot);
    free(later);
}

static enum outcome run_row(struct guest *guest, const struct link_event *event, struct error *err)
{
    enum verb verb;
    OWNED(json_drop) json_t *message = NULL;
    TRY(message_parse(bytes_span(&event->body), &verb, &message, err));
    for (size_t i = 0; i < countof(rows); i++) {
        if (rows[i].verb != verb || rows[i].note != (event->type == FRAME_NOTE))
            continue;
        if (rows[i].known && !guest->known)
            return fail_code(err, ERR_CONFLICT, "hello-first", "an agent begins with hello");
        if (rows[i].proven && !guest->proven)
            return fail_code(err, ERR_DENIED, "not-proven", "%s only after a verdict",
                             name_of(&verb_names, (int)verb));
        return rows[i].run(guest, event->id, message, err);
    }
    return fail_code(err, ERR_INVALID, "no-such-verb", "'%s' is not for the controller",
                     name_of(&verb_names, (int)verb));
}

static void request(struct guest *guest, struct link_event *event)
{
    struct error err = {0};
    uint8_t type = 0;
    struct span body = {0};
    switch (link_replies_ask(guest->replies, event->id, &type, &body)) {
    case REQUEST_NEW:
        if (run_row(guest, event, &err) != OK)
            guest_refuse(guest, event->id, &err);
        return;
    case REQUEST_ANSWERED:
        if (type != 0)
            error_ignore(link_send(guest->peer, type, event->id, body, NULL));
        return;
    case REQUEST_UNDERWAY:
        return;
    case REQUEST_TOO_MANY:
        link_peer_close(guest->peer, "busy");
        return;
    }
}

void guest_frame(struct guest *guest, struct link_event *event)
{
    struct error err = {0};
    switch (event->type) {
    case FRAME_REQUEST:
        request(guest, event);
        return;
    case FRAME_NOTE:
        if (run_row(guest, event, &err) != OK)
            LOG(DEBUG, "note.refused", TEXT("code", err.code),
                TEXT("address", link_peer_address(guest->peer)));
        return;
    case FRAME_REPLY:
    case FRAME_PROBLEM:
        if (!calls_answered(guest->desk->calls, event))
            LOG(DEBUG, "agent.answered-late", INT("id", (int64_t)event->id));
        return;
    default:
        link_peer_close(guest->peer, "frame-type");
    }
}

/* ---- signs of life ---- */

/* The newest beat of each instance is enough, and a batch may name an instance once. */
static struct beat *beat_of(struct desk *desk, const struct uuid *instance)
{
    for (size_t i = desk->beat_count; i-- > 0;)
        if (uuid_equal(&desk->beats[i].instance, instance))
            return &desk->beats[i];
    return &desk->beats[desk->beat_count++];
}

/* Ordered by our clock, not by the guest's counter, which a restart sets back. */
static void note_beat(struct guest *guest, int64_t load)
{
    const struct moment now = clock_now();
    *beat_of(guest->desk, &guest->instance) =
        (struct beat){.instance = guest->instance, .last_seen = now, .seq = now.us, .load = load};
}

/* ---- hello ---- */

bool guest_is_holder(const struct guest *guest, const struct instance *instance)
{
    return memcmp(instance->link_key, link_peer_fingerprint(guest->peer), SHA256_SIZE) == 0;
}

static bool has_passed(const struct instance *instance)
{
    return !span_is_zero(SPAN_OF(instance->link_key));
}

/* First enrolment: the ticket of the user-data, and nothing before it (trust.md section 4). It
 * stops strangers; the cloud, which wrote it, is stopped by the evidence. Whoever claims an
 * instance that passed needs none: for it there is succession (section 9). */
static enum outcome show_ticket(struct guest *guest, const struct hello *hello, struct error *err)
{
    uint8_t hash[SHA256_SIZE];
    struct ticket_hold hold = {.instance = hello->instance};
    if (hello->ticket[0] == '\0')
        return fail_code(err, ERR_DENIED, "ticket-unknown", "no launch ticket");
    digest(DIGEST_SHA256, span_of_text(hello->ticket), hash);
    memcpy(hold.link_key, link_peer_fingerprint(guest->peer), SHA256_SIZE);
    TRY(ticket_store_take(guest->desk->db, hash, guest->desk->actor, &hold, err));
    guest->hold = hold;
    return OK;
}

/* Its agent spoke: that much of its phase an unproven one may move. */
static enum outcome note_hello(struct guest *guest, const struct instance *instance,
                               struct error *err)
{
    guest->greeted = instance->phase != PHASE_BOOTING && instance->phase != PHASE_LAUNCHING;
    if (guest->greeted)
        return OK;
    struct instance_step step = {.event = EVENT_HELLO, .due_in_seconds = 0};
    enum outcome outcome =
        instance_store_note(guest->desk->db, &instance->id, &step, guest->desk->actor, NULL, err);
    /* Before the worker has written down that the launch succeeded there is no such step: the
     * heartbeats try again. */
    guest->greeted = outcome == OK;
    if (outcome == OK) /* so there was room for it */
        return place_store_opened(guest->desk->db, instance, err);
    return outcome == ERR_CONFLICT ? OK : outcome;
}

static enum outcome admit(struct guest *guest, const struct hello *hello, struct hello_reply *reply,
                          struct error *err)
{
    struct instance instance = {0};
    if (instance_store_find(guest->desk->db, &hello->instance, &instance, err) != OK)
        return err->outcome == ERR_NOT_FOUND
                   ? fail_code(err, ERR_DENIED, "instance-unknown", "no such instance")
                   : err->outcome;
    if (instance_is_over(&instance) || instance.wanted == WANTED_GONE)
        return fail_code(err, ERR_DENIED, "instance-over", "the instance is on its way out");
    bool holder = guest_is_holder(guest, &instance);
    if (!has_passed(&instance))
        TRY(show_ticket(guest, hello, err));
    TRY(note_hello(guest, &instance, err));
    guest->instance = instance.id;
    guest->known = true;
    link_peer_admit(guest->peer, LINK_PROVING);
    if (holder) /* one that was silent for long is heard of again, before its first heartbeat */
        note_beat(guest, 0);
    enum trust trust = instance_trust_at(&instance, clock_now());
    guest->claim = holder ? CLAIM_HOLDER : has_passed(&instance) ? CLAIM_OTHER : CLAIM_FIRST;
    guest->good_until = trust == TRUST_TRUSTED ? instance.valid_until : (struct moment){0};
    if (holder && trust == TRUST_TRUSTED) {
        guest_takes_over(guest);
        holders_note(guest->desk, &guest->instance);
    }
    snprintf(reply->trust, sizeof reply->trust, "%s", name_of(&trust_names, (int)trust));
    reply->epoch = instance.epoch;
    return OK;
}

enum outcome guest_hello(struct guest *guest, uint64_t id, const json_t *message, struct error *err)
{
    struct hello hello = {0};
    struct hello_reply reply = {.heartbeat_seconds = guest->desk->settings->heartbeat_seconds};
    if (guest->known)
        return fail_code(err, ERR_CONFLICT, "hello-again", "hello was said");
    TRY(record_from_json(&hello_record, message, "", &hello, err));
    enum outcome outcome =
        hello.protocol != MESSAGE_PROTOCOL || hello.role != LINK_ROLE_AGENT
            ? fail_code(err, ERR_INVALID, "wrong-protocol",
                        "protocol %d and role agent are spoken here", MESSAGE_PROTOCOL)
            : admit(guest, &hello, &reply, err);
    record_done(&hello_record, &hello);
    if (outcome != OK) {
        metric_add(METRIC_LINK_REFUSED, 1);
        LOG(INFO, "agent.refused", TEXT("code", err->code), TEXT("text", err->text),
            TEXT("address", link_peer_address(guest->peer)));
        guest_refuse(guest, id, err);
        link_peer_finish(guest->peer, err->code);
        return OK; /* answered */
    }
    guest_reply(guest, id, &hello_reply_record, &reply);
    if (guest->proven)
        guest->desk->release_soon = true;
    return OK;
}

/* ---- heartbeat ---- */

/* It spoke before its launch was written down. */
static enum outcome greet_late(struct guest *guest, struct error *err)
{
    struct instance instance = {0};
    if (guest->greeted)
        return OK;
    TRY(instance_store_find(guest->desk->db, &guest->instance, &instance, err));
    return note_hello(guest, &instance, err);
}

enum outcome guest_heartbeat(struct guest *guest, uint64_t id, const json_t *message,
                             struct error *err)
{
    (void)id;
    struct heartbeat beat = {0};
    TRY(record_from_json(&heartbeat_record, message, "", &beat, err));
    metric_add(METRIC_HEARTBEATS, 1);
    note_beat(guest, beat.load);
    return greet_late(guest, err);
}
