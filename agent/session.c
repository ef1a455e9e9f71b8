#include "agent/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/crypto/random.h"
#include "lib/net/link_replies.h"

enum {
    JOBS_MAX = 8,
    JOB_LOOK_MS = 50, /* between two looks at a running hook */
    TICK_MOST_MS = 60 * 1000,
    REPLIES_REMEMBERED = 64,
    REPLIES_BYTES = 64 * 1024,
    /* Of an epoch that nobody signed (doc/decisions/0008): */
    EPOCH_STEP_MOST = 1000,         /* trust.md section 9 */
    EPOCH_FIRST_MOST = 1000 * 1000, /* no instance lives to see so many changes */
    EPOCH_KEPT_MS = 10 * 60 * 1000, /* while all that answer are older */
};

/* What we wait for: never more than one answer at a time. */
enum question { ASKED_NOTHING, ASKED_HELLO, ASKED_CHALLENGE, ASKED_VERDICT };

/* A request of the controller that a hook keeps open. */
struct open_job {
    bool open;
    uint64_t id;
    int64_t connection;
    enum verb verb;
    char secret[NAME_SIZE];
    struct secrets_job job;
};

struct session {
    struct session_plan plan;
    struct session_wire wire;
    struct appraisal appraisal;
    struct passports passports;
    struct link_replies *replies;
    struct open_job jobs[JOBS_MAX];
    int64_t connection; /* counts connections, so that no answer goes to the wrong one */
    bool connected;
    bool welcome; /* hello was answered */
    enum question asked;
    uint64_t asked_id;
    int64_t asked_until_ms;
    int64_t epoch;
    bool shut_out;       /* nobody but controllers of older epochs answered ... */
    int64_t shut_out_ms; /* ... since then */
    int64_t heartbeat_ms;
    int64_t heartbeat_due_ms;
    int64_t heartbeat_seq;
    bool proven_once; /* then the ticket is spent */
};

struct session *session_new(const struct session_plan *plan, const struct session_wire *wire)
{
    struct session *s = NEW(struct session);
    s->plan = *plan;
    s->wire = *wire;
    s->replies = link_replies_new(REPLIES_REMEMBERED, REPLIES_BYTES);
    s->passports.guest = plan->guest;
    appraisal_init(&s->appraisal, plan->guest);
    return s;
}

void session_free(struct session *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < JOBS_MAX; i++)
        hook_kill(&s->jobs[i].job.hook);
    appraisal_done(&s->appraisal);
    link_replies_free(s->replies);
    free(s);
}

bool session_is_trusted(const struct session *s)
{
    return s->appraisal.trusted;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void send_frame(struct session *s, uint8_t type, uint64_t id, struct span body)
{
    struct error err = {0};
    if (s->connected && s->wire.send(s->wire.context, type, id, body, &err) != OK)
        log_error("session.send-failed", &err);
}

static void ask(struct session *s, enum question question, const struct bytes *body)
{
    s->asked = question;
    random_fill(&s->asked_id, sizeof s->asked_id);
    s->asked_until_ms = clock_monotonic_ms() + s->plan.answer_seconds * 1000;
    send_frame(s, FRAME_REQUEST, s->asked_id, bytes_span(body));
}

static void say_hello(struct session *s)
{
    OWNED(bytes_done) struct bytes body = {0};
    struct hello hello = {
        .protocol = MESSAGE_PROTOCOL,
        .role = LINK_ROLE_AGENT,
        .instance = s->plan.guest->instance,
        .epoch = s->epoch,
        .version = PACKAGE_VERSION,
    };
    if (!s->proven_once)
        snprintf(hello.ticket, sizeof hello.ticket, "%s", s->plan.ticket);
    message_print(VERB_HELLO, &hello_record, &hello, &body);
    explicit_bzero(hello.ticket, sizeof hello.ticket);
    ask(s, ASKED_HELLO, &body);
    bytes_wipe(&body);
}

static void begin_appraisal(struct session *s)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes body = {0};
    if (appraisal_begin(&s->appraisal, &body, &err) != OK) {
        appraisal_failed(&s->appraisal, &err);
        log_error("appraisal.failed", &err);
        return;
    }
    ask(s, ASKED_CHALLENGE, &body);
}

static void beat(struct session *s)
{
    double load = 0;
    OWNED(bytes_done) struct bytes body = {0};
    struct heartbeat heartbeat = {.seq = ++s->heartbeat_seq};
    if (getloadavg(&load, 1) == 1 && load > 0 && load < 10000)
        heartbeat.load = (int64_t)(load * 100);
    message_print(VERB_HEARTBEAT, &heartbeat_record, &heartbeat, &body);
    send_frame(s, FRAME_NOTE, 0, bytes_span(&body));
    s->heartbeat_due_ms = clock_monotonic_ms() + s->heartbeat_ms;
}

/* ---- passports ------------------------------------------------------------------------------- */

static void end_passport(struct session *s, struct passport_pending *pending, enum outcome outcome,
                         const struct error *why, struct passport_result *result)
{
    pending->open = false;
    result->outcome = outcome;
    if (outcome == OK) {
        LOG(INFO, "passport.given", TEXT("relying_party", pending->request.relying_party));
    } else {
        result->why = *why;
        LOG(WARN, "passport.refused", TEXT("relying_party", pending->request.relying_party),
            TEXT("code", why->code), TEXT("text", why->text));
    }
    s->wire.passport(s->wire.context, pending->ticket, result);
    passport_result_done(result);
}

static void take_passport(struct session *s, struct passport_pending *pending, uint8_t type,
                          struct span body)
{
    struct error err = {0};
    struct passport_result result = {0};
    enum outcome outcome =
        type == FRAME_PROBLEM
            ? message_parse_problem(body, &err)
            : passports_open(&s->passports, pending, s->appraisal.keys, body, &result, &err);
    end_passport(s, pending, outcome, &err, &result);
}

/* No answer comes any more, for those that are late or for all. */
static void give_up_passports(struct session *s, int64_t now_ms, const char *code)
{
    for (struct passport_pending *p; (p = passports_late(&s->passports, now_ms)) != NULL;) {
        struct error err = {0};
        struct passport_result result = {0};
        enum outcome outcome = fail_code(&err, ERR_UNREACHABLE, code, "no answer came");
        end_passport(s, p, outcome, &err, &result);
    }
}

static enum outcome ask_passport(struct session *s, uint64_t ticket,
                                 const struct local_request *request, struct error *err)
{
    OWNED(bytes_done) struct bytes body = {0};
    struct passport_pending *pending = NULL;
    if (!s->welcome)
        return fail_code(err, ERR_UNREACHABLE, "no-controller", "no controller is there");
    if (!s->appraisal.trusted)
        return fail_code(err, ERR_DENIED, "not-proven", "this machine has not passed");
    TRY(passports_ask(&s->passports, ticket, request, s->plan.answer_seconds * 1000, &pending,
                      &body, err));
    send_frame(s, FRAME_REQUEST, pending->id, bytes_span(&body));
    return OK;
}

void session_want_passport(struct session *s, uint64_t ticket, const struct local_request *request)
{
    struct passport_result result = {0};
    result.outcome = ask_passport(s, ticket, request, &result.why);
    if (result.outcome != OK)
        s->wire.passport(s->wire.context, ticket, &result);
}

/* ---- answers to us --------------------------------------------------------------------------- */

/* Whoever raised it beyond what any honest controller will say is not heard of any more, or this
 * guest would stay alone until it is started anew. */
static bool epoch_is_worn_out(struct session *s)
{
    int64_t now = clock_monotonic_ms();
    if (!s->shut_out)
        s->shut_out_ms = now;
    s->shut_out = true;
    return now - s->shut_out_ms >= EPOCH_KEPT_MS;
}

static enum outcome check_epoch(struct session *s, int64_t epoch, struct error *err)
{
    if (epoch >= 0 && epoch < s->epoch && epoch_is_worn_out(s)) {
        LOG(WARN, "session.epoch-forgotten", INT("known", s->epoch), INT("epoch", epoch));
        s->epoch = 0;
    }
    if (epoch < s->epoch)
        return fail_code(err, ERR_DENIED, "old-epoch", "epoch %lld, but this guest has seen %lld",
                         (long long)epoch, (long long)s->epoch);
    if (epoch - s->epoch > (s->epoch > 0 ? EPOCH_STEP_MOST : EPOCH_FIRST_MOST))
        return fail_code(err, ERR_DENIED, "epoch-too-far", "epoch %lld after %lld",
                         (long long)epoch, (long long)s->epoch);
    s->epoch = epoch;
    s->shut_out = false;
    return OK;
}

static enum outcome welcomed(struct session *s, struct span body, struct error *err)
{
    struct hello_reply reply = {0};
    TRY(message_parse_reply(body, &hello_reply_record, &reply, err));
    TRY(check_epoch(s, reply.epoch, err));
    s->welcome = true;
    s->heartbeat_ms = reply.heartbeat_seconds * 1000;
    s->heartbeat_due_ms = clock_monotonic_ms() + s->heartbeat_ms;
    if (!s->appraisal.trusted || strcmp(reply.trust, "trusted") != 0)
        appraisal_hurry(&s->appraisal);
    LOG(INFO, "session.welcomed", TEXT("trust", reply.trust), INT("epoch", reply.epoch));
    return OK;
}

static enum outcome challenged(struct session *s, struct span body, struct error *err)
{
    OWNED(bytes_done) struct bytes request = {0};
    TRY(appraisal_challenged(&s->appraisal, body, &request, err));
    ask(s, ASKED_VERDICT, &request);
    return OK;
}

static void tell_verdict(struct session *s, const struct verdict_notice *verdict)
{
    int64_t wait_seconds = (s->appraisal.due_ms - clock_monotonic_ms()) / 1000;
    if (strcmp(verdict->verdict, "trusted") == 0) {
        s->proven_once = true;
        LOG(INFO, "appraisal.trusted", TEXT("level", verdict->level),
            INT("again_in", wait_seconds));
    } else {
        LOG(WARN, "appraisal.refused", TEXT("verdict", verdict->verdict),
            TEXT("reason", verdict->reason), INT("again_in", wait_seconds));
    }
}

static enum outcome answered(struct session *s, struct span body, struct error *err)
{
    OWNED(bytes_done) struct bytes request = {0};
    struct verdict_notice verdict = {0};
    TRY(appraisal_answered(&s->appraisal, body, &request, &verdict, err));
    if (request.len > 0)
        ask(s, ASKED_VERDICT, &request);
    else
        tell_verdict(s, &verdict);
    return OK;
}

static void hang_up(struct session *s, const struct error *why)
{
    log_error("session.given-up", why);
    s->wire.hang_up(s->wire.context, why->code);
}

/* Without a welcome there is nothing to stay for; a failed appraisal only waits. */
static void disappointed(struct session *s, enum question question, const struct error *why)
{
    if (question == ASKED_HELLO) {
        hang_up(s, why);
        return;
    }
    appraisal_failed(&s->appraisal, why);
    log_error("appraisal.failed", why);
}

/* Is it told to come again later? */
static bool is_put_off(struct session *s, struct span body)
{
    const int64_t after_ms = message_parse_slot(body);
    if (after_ms < 0)
        return false;
    appraisal_put_off(&s->appraisal, after_ms);
    LOG(INFO, "appraisal.put-off", INT("after_ms", after_ms));
    return true;
}

static void take_answer(struct session *s, uint8_t type, uint64_t id, struct span body)
{
    struct passport_pending *passport = passports_find(&s->passports, id);
    if (passport != NULL) {
        take_passport(s, passport, type, body);
        return;
    }
    if (s->asked == ASKED_NOTHING || id != s->asked_id)
        return; /* late: we no longer wait for it */
    struct error err = {0};
    enum question question = s->asked;
    enum outcome outcome = ERR_INTERNAL;
    s->asked = ASKED_NOTHING;
    if (type == FRAME_PROBLEM && question == ASKED_CHALLENGE && is_put_off(s, body))
        return;
    if (type == FRAME_PROBLEM)
        outcome = message_parse_problem(body, &err);
    else if (question == ASKED_HELLO)
        outcome = welcomed(s, body, &err);
    else if (question == ASKED_CHALLENGE)
        outcome = challenged(s, body, &err);
    else
        outcome = answered(s, body, &err);
    if (outcome != OK)
        disappointed(s, question, &err);
}

/* ---- the controller's requests --------------------------------------------------------------- */

static void reply(struct session *s, uint64_t id, uint8_t type, struct bytes *body)
{
    send_frame(s, type, id, bytes_span(body));
    link_replies_keep(s->replies, id, type, bytes_take(body));
}

static void refuse(struct session *s, uint64_t id, const struct error *why)
{
    OWNED(bytes_done) struct bytes body = {0};
    message_print_problem(why, &body);
    reply(s, id, FRAME_PROBLEM, &body);
}

static void answer_job(struct session *s, struct open_job *open, enum outcome result,
                       const struct error *why)
{
    bool forget = open->verb == VERB_FORGET;
    OWNED(bytes_done) struct bytes body = {0};
    open->open = false;
    if (result != OK) {
        LOG(WARN, "secret.refused", TEXT("secret", open->secret), TEXT("code", why->code),
            TEXT("text", why->text));
        message_print_problem(why, &body);
    } else if (forget) {
        const struct forget_done done = {.done = true};
        message_print_reply(&forget_done_record, &done, &body);
    } else {
        message_print_reply(&secret_loaded_record, &open->job.loaded, &body);
    }
    if (result == OK)
        LOG(INFO, forget ? "secret.forgotten" : "secret.loaded", TEXT("secret", open->secret));
    uint8_t type = result == OK ? FRAME_REPLY : FRAME_PROBLEM;
    if (open->connection == s->connection)
        send_frame(s, type, open->id, bytes_span(&body));
    link_replies_keep(s->replies, open->id, type, bytes_take(&body));
}

static void look_at_jobs(struct session *s)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct error err = {0};
        enum outcome result;
        struct open_job *open = &s->jobs[i];
        if (open->open && secrets_job_ended(s->plan.secrets, &open->job, &result, &err))
            answer_job(s, open, result, &err);
    }
}

static enum outcome find_place(struct session *s, const char *secret, struct open_job **out,
                               struct error *err)
{
    *out = NULL;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct open_job *open = &s->jobs[i];
        if (open->open && strcmp(open->secret, secret) == 0)
            return fail_code(err, ERR_CONFLICT, "underway", "that secret is being worked on");
        if (!open->open && *out == NULL)
            *out = open;
    }
    if (*out == NULL)
        return fail_code(err, ERR_THROTTLED, "busy", "%d hooks are running", JOBS_MAX);
    return OK;
}

static void deliver_drop(struct secret_delivery *d)
{
    record_done(&secret_delivery_record, d);
}

static void forget_drop(struct secret_forget *f)
{
    record_done(&secret_forget_record, f);
}

static enum outcome take_secret(struct session *s, const json_t *message, struct open_job **out,
                                struct error *err)
{
    OWNED(deliver_drop) struct secret_delivery delivery = {0};
    TRY(record_from_json(&secret_delivery_record, message, "", &delivery, err));
    TRY(find_place(s, delivery.secret, out, err));
    snprintf((*out)->secret, sizeof(*out)->secret, "%s", delivery.secret);
    return secrets_deliver(s->plan.secrets, &delivery, s->appraisal.keys, &(*out)->job, err);
}

static enum outcome take_forget(struct session *s, const json_t *message, struct open_job **out,
                                struct error *err)
{
    OWNED(forget_drop) struct secret_forget order = {0};
    TRY(record_from_json(&secret_forget_record, message, "", &order, err));
    TRY(find_place(s, order.secret, out, err));
    snprintf((*out)->secret, sizeof(*out)->secret, "%s", order.secret);
    return secrets_forget(s->plan.secrets, &order, s->appraisal.keys, &(*out)->job, err);
}

static void do_request(struct session *s, uint64_t id, struct span body)
{
    struct error err = {0};
    OWNED(json_drop) json_t *message = NULL;
    struct open_job *open = NULL;
    enum verb verb = VERB_COUNT;
    enum outcome outcome = message_parse(body, &verb, &message, &err);
    if (outcome == OK && !s->welcome)
        outcome = fail_code(&err, ERR_CONFLICT, "not-welcome", "hello was not answered yet");
    else if (outcome == OK && verb == VERB_SECRET)
        outcome = take_secret(s, message, &open, &err);
    else if (outcome == OK && verb == VERB_FORGET)
        outcome = take_forget(s, message, &open, &err);
    else if (outcome == OK)
        outcome = fail_code(&err, ERR_INVALID, "unexpected-verb", "an agent does not do '%s'",
                            name_of(&verb_names, (int)verb));
    if (outcome != OK) {
        LOG(WARN, "request.refused", TEXT("code", err.code), TEXT("text", err.text));
        refuse(s, id, &err);
        return;
    }
    open->open = true;
    open->id = id;
    open->verb = verb;
    open->connection = s->connection;
    look_at_jobs(s);
}

static void take_request(struct session *s, uint64_t id, struct span body)
{
    struct error err = {0};
    uint8_t type = 0;
    struct span known = {0};
    switch (link_replies_ask(s->replies, id, &type, &known)) {
    case REQUEST_NEW:
        do_request(s, id, body);
        return;
    case REQUEST_UNDERWAY:
        return;
    case REQUEST_ANSWERED:
        if (type != 0)
            send_frame(s, type, id, known);
        return;
    case REQUEST_TOO_MANY:
        error_ignore(fail_code(&err, ERR_THROTTLED, "busy", "too many requests are under way"));
        refuse(s, id, &err);
        return;
    }
}

static void take_note(struct session *s, struct span body)
{
    struct error err = {0};
    struct attest_wish wish = {0};
    OWNED(json_drop) json_t *message = NULL;
    enum verb verb;
    enum outcome outcome = message_parse(body, &verb, &message, &err);
    if (outcome == OK && verb != VERB_ATTEST)
        outcome = fail_code(&err, ERR_INVALID, "unexpected-verb", "an agent does not do '%s'",
                            name_of(&verb_names, (int)verb));
    if (outcome == OK)
        outcome = record_from_json(&attest_wish_record, message, "", &wish, &err);
    if (outcome != OK) {
        log_error("note.refused", &err);
        return;
    }
    LOG(INFO, "appraisal.demanded", TEXT("why", wish.why));
    appraisal_demand(&s->appraisal);
}

/* ---- events ---------------------------------------------------------------------------------- */

void session_opened(struct session *s)
{
    s->connected = true;
    s->connection++;
    say_hello(s);
}

void session_closed(struct session *s, const struct error *why)
{
    LOG(INFO, "session.closed", TEXT("code", why->code), TEXT("text", why->text));
    if (s->asked == ASKED_CHALLENGE || s->asked == ASKED_VERDICT)
        appraisal_interrupted(&s->appraisal);
    s->asked = ASKED_NOTHING;
    s->connected = false;
    s->welcome = false;
    give_up_passports(s, INT64_MAX, "closed");
}

void session_frame(struct session *s, uint8_t type, uint64_t id, struct span body)
{
    switch (type) {
    case FRAME_REQUEST:
        take_request(s, id, body);
        return;
    case FRAME_NOTE:
        take_note(s, body);
        return;
    case FRAME_REPLY:
    case FRAME_PROBLEM:
        take_answer(s, type, id, body);
        return;
    default: {
        struct error err = {0};
        error_ignore(fail_code(&err, ERR_INVALID, "unknown-frame", "frame type %u", type));
        hang_up(s, &err);
    }
    }
}

static void give_up_waiting(struct session *s)
{
    struct error err = {0};
    enum question question = s->asked;
    s->asked = ASKED_NOTHING;
    error_ignore(fail_code(&err, ERR_UNREACHABLE, "no-answer", "no answer in %lld seconds",
                           (long long)s->plan.answer_seconds));
    disappointed(s, question, &err);
}

static bool has_jobs(const struct session *s)
{
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (s->jobs[i].open)
            return true;
    return false;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t idle_ms(const struct session *s)
{
    int64_t now = clock_monotonic_ms();
    int64_t until = now + TICK_MOST_MS;
    if (has_jobs(s))
        until = now + JOB_LOOK_MS;
    if (s->asked != ASKED_NOTHING)
        until = sooner(until, s->asked_until_ms);
    until = passports_due_ms(&s->passports, until);
    if (s->welcome)
        until = sooner(until, s->heartbeat_due_ms);
    if (s->welcome && s->asked == ASKED_NOTHING && !tee_is_lost(s->plan.guest->tee))
        until = sooner(until, s->appraisal.due_ms);
    return until > now ? until - now : 0;
}

int64_t session_tick(struct session *s)
{
    int64_t now = clock_monotonic_ms();
    look_at_jobs(s);
    if (s->asked != ASKED_NOTHING && now >= s->asked_until_ms)
        give_up_waiting(s);
    give_up_passports(s, now, "no-answer");
    if (s->welcome && s->asked == ASKED_NOTHING && appraisal_is_due(&s->appraisal))
        begin_appraisal(s);
    if (s->welcome && now >= s->heartbeat_due_ms)
        beat(s);
    return idle_ms(s);
}
