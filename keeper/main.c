/* muster-keeper: dials the controllers and answers what follows from the charter. */
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "keeper/keeper.h"
#include "keeper/sandbox.h"
#include "keeper/settings.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/program.h"
#include "lib/net/link.h"
#include "lib/net/link_replies.h"

enum {
    ORDER_MAX = 64 * 1024,
    CONTROLLERS_MAX = 16,
    EVENTS_MAX = 1024,
    CLOSE_MS = 2000,
    IDLE_MS = 1000,
    PEM_MAX = 64 * 1024,
    TOGETHER_MOST = 16,
    INBOX_MOST = 2 * TOGETHER_MOST, /* so that it is read on while those are answered */
    REPLIES_REMEMBERED = 1024,
    REPLIES_BYTES = 8 << 20,
};

enum { ORDER_RESET_STATE, ORDER_DESTROY, ORDER_RESUME };

/* clang-format off */
static const struct program program = {
    .name = "muster-keeper",
    .purpose = "Appraises evidence, keeps the keys of secrets, and releases by the charter.",
    .config = "/etc/muster/keeper/keeper.conf",
    .check = "open everything",
    .orders = {
        [ORDER_RESET_STATE] = {"reset-state", "ORDER",
            "in place of a lost state file make a new one, by an order of\n"
            "                               two people (muster keeper reset-order)"},
        [ORDER_DESTROY] = {"destroy", "ORDER",
            "give nothing to the machines and keys that an order names\n"
            "                               (muster keeper destroy-order), ever again"},
        [ORDER_RESUME] = {"resume", "ORDER",
            "release again after a halt, by an order of two people\n"
            "                               (muster keeper resume-order)"},
    },
    .settings = keeper_settings_table,
    .setting_count = &keeper_settings_count,
    .stopping = "keeper.stopping",
    .failed = "keeper.failed",
};
/* clang-format on */

struct keeper_program {
    struct keeper_settings settings;
    struct keeper *keeper;
    struct link_identity *identity;
    struct queue *events;
    struct link *links[CONTROLLERS_MAX];
    size_t link_count;
    struct link_replies *replies;
    /* Of what we sign with, what we dial with, and of opinions and passports. */
    struct cert_term terms[2 + KEEPER_SPARE_TERMS];
    size_t term_count;
    struct link_peer *held; /* whose answers wait for each other */
    int answers;            /* so many of them */
};

static void keeper_program_done(struct keeper_program *p)
{
    for (size_t i = 0; i < p->link_count; i++)
        link_close(p->links[i], CLOSE_MS); /* what does not finish ends with the process */
    for (struct link_event *event; p->events != NULL && (event = link_event_next(p->events, 0));)
        link_event_free(event);
    if (p->events != NULL)
        queue_free(p->events);
    link_replies_free(p->replies);
    link_identity_free(p->identity);
    keeper_close(p->keeper);
    keeper_settings_done(&p->settings);
}

/* ---- starting ----------------------------------------------------------------------------- */

static enum outcome read_in(const struct keeper_program *p, const char *name, bool private,
                            struct bytes *out, struct error *err)
{
    OWNED(text_done) struct text path = {0};
    text_addf(&path, "%s/%s", p->settings.folder, name);
    return private ? file_read_private(text_str(&path), PEM_MAX, out, err)
                   : file_read(text_str(&path), PEM_MAX, out, err);
}

static enum outcome read_cert(const struct keeper_program *p, const char *name, struct cert **out,
                              struct error *err)
{
    OWNED(bytes_done) struct bytes pem = {0};
    TRY(read_in(p, name, false, &pem, err));
    return cert_from_pem(bytes_span(&pem), out, err);
}

static enum outcome make_identity(struct keeper_program *p, struct error *err)
{
    OWNED(bytes_wipe) struct bytes key_pem = {0};
    OWNED(bytes_done) struct bytes cert_pem = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(cert_drop) struct cert *root = NULL;
    OWNED(cert_drop) struct cert *next = NULL;
    TRY(read_cert(p, "root.pem", &root, err));
    enum outcome outcome = read_cert(p, "next-root.pem", &next, err);
    if (outcome != OK && outcome != ERR_NOT_FOUND)
        return outcome;
    TRY(read_in(p, "link-cert.pem", false, &cert_pem, err));
    TRY(read_in(p, "link-key.pem", true, &key_pem, err));
    TRY(key_from_private_pem(bytes_span(&key_pem), &key, err));
    TRY(cert_of_key(bytes_span(&cert_pem), key, &cert, err));
    p->terms[0] = keeper_signing_term(p->keeper);
    p->terms[1] = cert_term_of(cert);
    p->term_count = 2 + keeper_spare_terms(p->keeper, &p->terms[2]);
    struct cert *const roots[] = {root, next};
    return link_identity_new(key, cert, roots, next != NULL ? 2 : 1, &p->identity, err);
}

static enum outcome dial_one(struct keeper_program *p, const char *url, struct error *err)
{
    struct link_settings settings = link_settings_usual();
    settings.urls[0] = url;
    settings.inbox_most = INBOX_MOST;
    settings.redial_most_ms = p->settings.redial_most_seconds * 1000;
    if (settings.redial_first_ms > settings.redial_most_ms)
        settings.redial_first_ms = settings.redial_most_ms;
    if (p->link_count == CONTROLLERS_MAX)
        return fail(err, ERR_INVALID, "over %d controllers", CONTROLLERS_MAX);
    TRY(link_dial(&settings, p->identity, p->events, &p->links[p->link_count], err));
    p->link_count++;
    return OK;
}

static enum outcome dial_all(struct keeper_program *p, struct error *err)
{
    OWNED(mem_drop) char *list = mem_text(p->settings.controllers);
    char *rest = list;
    for (char *url; (url = strsep(&rest, " \t")) != NULL;)
        if (url[0] != '\0')
            TRY(dial_one(p, url, err));
    if (p->link_count == 0)
        return fail_code(err, ERR_INVALID, "bad-setting", "controllers names none");
    return OK;
}

/* ---- talking ------------------------------------------------------------------------------ */

static void say_hello(const struct keeper_program *p, struct link_peer *peer)
{
    struct hello hello;
    struct error err = {0};
    OWNED(bytes_done) struct bytes body = {0};
    keeper_hello(p->keeper, &hello);
    message_print(VERB_HELLO, &hello_record, &hello, &body);
    record_done(&hello_record, &hello);
    if (link_send(peer, FRAME_REQUEST, link_id_new(), bytes_span(&body), &err) != OK)
        log_error("hello.not-sent", &err);
}

static void flush_answers(struct keeper_program *p)
{
    if (p->held == NULL)
        return;
    link_peer_flush(p->held);
    link_peer_free(TAKE(p->held));
    p->answers = 0;
}

/* With the next ones, if those are asked for already. */
static void send_answer(struct keeper_program *p, struct link_peer *peer, uint8_t type, uint64_t id,
                        struct span body)
{
    struct error err = {0};
    if (p->held != peer) {
        flush_answers(p);
        p->held = link_peer_share(peer);
        link_peer_hold(peer);
    }
    p->answers++;
    if (link_send(peer, type, id, body, &err) != OK)
        log_error("answer.not-sent", &err);
}

/* Once, however often it comes: a release that was answered is answered the same again. */
static void answer(struct keeper_program *p, const struct link_event *event)
{
    uint8_t type = 0;
    struct span known = {0};
    OWNED(bytes_done) struct bytes body = {0};
    switch (link_replies_ask(p->replies, event->id, &type, &known)) {
    case REQUEST_NEW:
        type = keeper_answer(p->keeper, bytes_span(&event->body), &body);
        send_answer(p, event->peer, type, event->id, bytes_span(&body));
        link_replies_keep(p->replies, event->id, type, bytes_take(&body));
        return;
    case REQUEST_ANSWERED:
        if (type != 0)
            send_answer(p, event->peer, type, event->id, known);
        return;
    case REQUEST_UNDERWAY:
    case REQUEST_TOO_MANY:
        return; /* answered within one turn, so neither happens */
    }
}

static void take_frame(struct keeper_program *p, const struct link_event *event)
{
    struct error err = {0};
    switch (event->type) {
    case FRAME_REQUEST:
        answer(p, event);
        return;
    case FRAME_PROBLEM:
        error_ignore(message_parse_problem(bytes_span(&event->body), &err));
        log_error("hello.refused", &err);
        return;
    default:
        return; /* the answer to hello asks nothing of a keeper; notes are not for it */
    }
}

static void take_event(struct keeper_program *p, const struct link_event *event)
{
    switch (event->kind) {
    case LINK_OPENED:
        LOG(INFO, "controller.connected", TEXT("address", link_peer_address(event->peer)),
            TEXT("group", link_peer_group(event->peer)));
        say_hello(p, event->peer);
        return;
    case LINK_FRAME:
        take_frame(p, event);
        return;
    case LINK_CLOSED:
        LOG(INFO, "controller.lost", TEXT("code", event->why.code), TEXT("text", event->why.text));
        return;
    }
}

/* Nobody else tells whoever holds the root that it is needed again. */
static void warn_of_the_end(struct keeper_program *p)
{
    struct moment now = clock_now();
    for (size_t i = 0; i < p->term_count; i++)
        if (cert_term_is_due(&p->terms[i], now))
            LOG(WARN, "certificate.ends-soon", TEXT("role", p->terms[i].role),
                TEXT("until", moment_text(p->terms[i].until).at),
                INT("days_left", cert_term_days_left(&p->terms[i], now)));
}

static void run(struct keeper_program *p)
{
    while (!queue_is_closed(p->events)) {
        warn_of_the_end(p);
        keeper_probe(p->keeper, p->settings.probe_seconds);
        OWNED(link_event_drop) struct link_event *event = link_event_next(p->events, IDLE_MS);
        if (event != NULL)
            take_event(p, event);
        if (p->answers == TOGETHER_MOST || queue_length(p->events) == 0)
            flush_answers(p);
    }
    flush_answers(p);
}

/* An answer costs half a millisecond and many are asked for at a time: whoever reads more of them
 * need not interrupt whoever answers, and small blocks are joined as they are freed, not all of
 * them at each large one. Without either it only takes longer. */
static void work_in_batches(void)
{
    const struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
        LOG(WARN, "schedule.not-batch", TEXT("why", strerror(errno)));
    (void)mallopt(M_MXFAST, 0);
}

static enum outcome start_and_run(struct keeper_program *p, struct error *err)
{
    program_block_signals(&program);
    work_in_batches();
    p->events = queue_new(EVENTS_MAX);
    p->replies = link_replies_new(REPLIES_REMEMBERED, REPLIES_BYTES);
    TRY(sandbox_close(err));
    TRY(dial_all(p, err));
    struct program_waiter waiter = {.program = &program, .queue = p->events};
    TRY(program_waiter_start(&waiter, err));
    LOG(INFO, "keeper.started", TEXT("folder", p->settings.folder));
    run(p);
    program_waiter_join(&waiter);
    return OK;
}

static enum outcome open_all(struct keeper_program *p, const char *config, struct error *err)
{
    TRY(keeper_settings_read(config, &p->settings, err));
    TRY(sandbox_drop(p->settings.user, err));
    TRY(keeper_open(p->settings.folder, p->settings.challenges_most, &p->keeper, err));
    return make_identity(p, err);
}

/* Without its file the keeper opens and releases nothing; with this it gets a new one, and stops.
 */
static enum outcome reset_state(struct keeper_program *p, const char *path, struct error *err)
{
    OWNED(bytes_done) struct bytes order = {0};
    int64_t least;
    TRY(file_read(path, ORDER_MAX, &order, err));
    TRY(keeper_reset(p->keeper, bytes_span(&order), &least, err));
    printf("a new memory: no charter below serial %lld\n", (long long)least);
    return OK;
}

static enum outcome destroy(struct keeper_program *p, const char *path, struct error *err)
{
    OWNED(bytes_done) struct bytes order = {0};
    struct destroyed done;
    TRY(file_read(path, ORDER_MAX, &order, err));
    TRY(keeper_destroy(p->keeper, bytes_span(&order), &done, err));
    printf("destroyed: %lld, and %lld before\n", (long long)done.now, (long long)done.before);
    return OK;
}

static enum outcome resume(struct keeper_program *p, const char *path, struct error *err)
{
    OWNED(bytes_done) struct bytes order = {0};
    int64_t halt;
    TRY(file_read(path, ORDER_MAX, &order, err));
    TRY(keeper_resume(p->keeper, bytes_span(&order), &halt, err));
    printf("halt %lld is over\n", (long long)halt);
    return OK;
}

static enum outcome open_and_run(const struct program_call *call, struct error *err)
{
    OWNED(keeper_program_done) struct keeper_program p = {0};
    TRY(open_all(&p, call->config, err));
    if (call->orders[ORDER_RESET_STATE] != NULL)
        return reset_state(&p, call->orders[ORDER_RESET_STATE], err);
    if (call->orders[ORDER_DESTROY] != NULL)
        return destroy(&p, call->orders[ORDER_DESTROY], err);
    if (call->orders[ORDER_RESUME] != NULL)
        return resume(&p, call->orders[ORDER_RESUME], err);
    if (call->only_check)
        return OK;
    return start_and_run(&p, err);
}

int main(int argc, char **argv)
{
    return program_main(&program, argc, argv, open_and_run);
}
