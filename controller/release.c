/* From a due delivery to a loaded secret: the keeper seals it to the guest's key, the agent opens
 * it and confirms. What passes through here is ciphertext and a salted check value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/desk.h"
#include "db/delivery_store.h"
#include "db/secret_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"

enum {
    RELEASE_BATCH = 64,
    RELEASE_LEASE_SECONDS = 60, /* longer than keeper and agent may take together */
    ABSENT_SECONDS = 15,        /* its agent is on no link, or on another controller's */
    REFUSED_FIRST_SECONDS = 10,
    REFUSED_MOST_SECONDS = 600,
    PLAN_EVERY_TICKS = 30,
};

/* One delivery on its way through keeper and agent. */
struct handing {
    struct desk *desk;
    struct delivery delivery;
    struct delivery_material material;
};

static void handing_free(struct handing *h)
{
    delivery_done(&h->delivery);
    delivery_material_done(&h->material);
    free(h);
}

static int64_t back_off(int64_t failures)
{
    int64_t seconds = REFUSED_FIRST_SECONDS;
    for (int64_t i = 0; i < failures && seconds < REFUSED_MOST_SECONDS; i++)
        seconds *= 2;
    seconds = seconds < REFUSED_MOST_SECONDS ? seconds : REFUSED_MOST_SECONDS;
    return seconds / 2 + (int64_t)random_below((uint64_t)seconds / 2 + 1);
}

/* Later again. Why it did not go now is in the row. */
static void put_off(struct handing *h, int64_t seconds, const char *why)
{
    struct error err = {0};
    if (delivery_store_defer(h->desk->db, &h->delivery, seconds, why, &err) != OK &&
        strcmp(err.code, "lost") != 0)
        log_error("delivery.not-put-off", &err);
    handing_free(h);
}

static void refused(struct handing *h, const struct error *why, const char *by)
{
    struct error err = {0};
    struct delivery_step step = {.event = DELIVERY_REFUSED, .reason = why->code};
    metric_add(METRIC_RELEASES_REFUSED, 1);
    LOG(WARN, "release.refused", TEXT("by", by), TEXT("code", why->code), TEXT("text", why->text),
        TEXT("secret", h->delivery.name), TEXT("instance", uuid_text(&h->delivery.instance).at));
    if (delivery_store_step(h->desk->db, &h->delivery, &step, h->desk->actor, &err) != OK)
        log_error("delivery.not-noted", &err);
    handing_free(h);
}

/* ---- the agent's answer ---- */

static enum outcome confirm(struct handing *h, struct span body, struct error *err)
{
    struct secret_loaded loaded = {0};
    TRY(message_parse_reply(body, &secret_loaded_record, &loaded, err));
    if (!loaded.loaded)
        return fail_code(err, ERR_DENIED, "not-loaded", "the agent did not load it");
    if (!secret_equal(SPAN_OF(loaded.check), SPAN_OF(h->material.check_digest)))
        return fail_code(err, ERR_DENIED, "check-differs", "the agent opened something else");
    struct delivery_step step = {.event = DELIVERY_CONFIRMED, .loaded_check = loaded.check};
    FAULT("delivery.before-loaded", err);
    TRY(delivery_store_step(h->desk->db, &h->delivery, &step, h->desk->actor, err));
    LOG(INFO, "secret.loaded", TEXT("secret", h->delivery.name),
        TEXT("instance", uuid_text(&h->delivery.instance).at));
    return OK;
}

static void agent_answered(void *context, enum outcome outcome, struct span body, struct error *err)
{
    struct handing *h = context;
    if (outcome == OK)
        outcome = confirm(h, body, err);
    if (outcome == OK)
        handing_free(h);
    else if (outcome == ERR_UNREACHABLE || outcome == ERR_CONFLICT)
        put_off(h, ABSENT_SECONDS, err->code);
    else
        refused(h, err, "agent");
}

static enum outcome hand_over(struct handing *h, struct guest *guest, struct error *err)
{
    struct delivery_step step = {
        .event = DELIVERY_HANDED, .due_in_seconds = ABSENT_SECONDS, .keep_lease = true};
    TRY(delivery_store_step(h->desk->db, &h->delivery, &step, h->desk->actor, err));
    struct secret_delivery message = {.delivery = h->delivery.id, .envelope = h->delivery.envelope};
    snprintf(message.secret, sizeof message.secret, "%s", h->delivery.name);
    calls_ask(h->desk->calls, guest->peer, VERB_SECRET, &secret_delivery_record, &message,
              AGENT_WAIT_MS, agent_answered, h);
    return OK;
}

/* ---- the keeper's answer ---- */

static enum outcome keep_envelope(struct handing *h, struct span body, struct error *err)
{
    struct release_reply reply = {0};
    TRY(message_parse_reply(body, &release_reply_record, &reply, err));
    struct delivery_step step = {.event = DELIVERY_RELEASED,
                                 .sealed = &h->material,
                                 .envelope = bytes_span(&reply.envelope),
                                 .keep_lease = true};
    enum outcome outcome =
        delivery_store_step(h->desk->db, &h->delivery, &step, h->desk->actor, err);
    record_done(&release_reply_record, &reply);
    TRY(outcome);
    metric_add(METRIC_RELEASES, 1);
    FAULT("delivery.after-sealed", err);
    return OK;
}

static void keeper_answered(void *context, enum outcome outcome, struct span body,
                            struct error *err)
{
    struct handing *h = context;
    struct guest *guest = map_get(h->desk->guests, &h->delivery.instance);
    bool by_keeper = outcome == ERR_DENIED || outcome == ERR_INVALID;
    if (outcome == OK)
        outcome = keep_envelope(h, body, err);
    if (outcome == OK && guest == NULL)
        outcome = fail_code(err, ERR_UNREACHABLE, "agent-not-connected", "it left meanwhile");
    if (outcome == OK)
        outcome = hand_over(h, guest, err);
    if (outcome == OK)
        return; /* the agent's answer goes on with it */
    if (by_keeper)
        refused(h, err, "keeper");
    else
        put_off(h, ABSENT_SECONDS, err->code);
}

static void ask_keeper(struct handing *h)
{
    struct error err = {0};
    struct keeper_seat *keeper = NULL;
    const struct delivery *d = &h->delivery;
    if (keepers_pick(&h->desk->keepers, &keeper, &err) != OK) {
        put_off(h, ABSENT_SECONDS, err.code);
        return;
    }
    struct release_wish wish = {.delivery = d->id,
                                .instance = d->instance,
                                .secret = d->secret,
                                .version = d->version,
                                .sequence = h->material.sequence,
                                .record = h->material.record,
                                .token = h->material.token};
    snprintf(wish.name, sizeof wish.name, "%s", d->name);
    snprintf(wish.fleet, sizeof wish.fleet, "%s", h->material.fleet);
    calls_ask(h->desk->calls, keeper->peer, VERB_RELEASE, &release_wish_record, &wish,
              KEEPER_WAIT_MS, keeper_answered, h);
}

/* ---- one claimed delivery ---- */

/* A sealed or sent one whose holder died: sealed anew, for its envelope's answer is lost. */
static enum outcome back_to_due(struct handing *h, struct error *err)
{
    struct delivery_step step = {
        .event = DELIVERY_RENEWED, .reason = "no-answer", .keep_lease = true};
    if (h->delivery.state == DELIVERY_DUE)
        return OK;
    return delivery_store_step(h->desk->db, &h->delivery, &step, h->desk->actor, err);
}

static void start(struct desk *desk, struct delivery *delivery)
{
    struct error err = {0};
    struct handing *h = NEW(struct handing);
    h->desk = desk;
    h->delivery = *delivery;
    *delivery = (struct delivery){0};
    if (map_get(desk->guests, &h->delivery.instance) == NULL) {
        put_off(h, ABSENT_SECONDS, "agent-not-connected");
        return;
    }
    enum outcome outcome = back_to_due(h, &err);
    if (outcome == OK)
        outcome = delivery_store_material(desk->db, &h->delivery.id, &h->material, &err);
    if (outcome == OK) {
        ask_keeper(h);
        return;
    }
    if (outcome == ERR_NOT_FOUND) /* not trusted any more: the next verdict makes it due again */
        put_off(h, ABSENT_SECONDS, "not-trusted");
    else {
        log_error("delivery.not-started", &err);
        put_off(h, back_off(h->delivery.failures), err.code);
    }
}

/* ---- secrets that each instance has for itself ---- */

struct making {
    struct desk *desk;
    struct secret_want want;
    struct generate_wish wish;
};

static enum outcome keep_version(struct making *m, struct span body, struct error *err)
{
    struct generate_reply reply = {0};
    struct secret_version version = {
        .id = uuid_new(), .version = m->wish.version, .instance = m->want.instance};
    TRY(message_parse_reply(body, &generate_reply_record, &reply, err));
    memcpy(version.anchor, m->want.anchor, sizeof version.anchor);
    memcpy(version.check_digest, reply.check, sizeof version.check_digest);
    version.record = reply.record;
    version.public_part = reply.public;
    enum outcome outcome =
        secret_store_add_version(m->desk->db, &m->want.secret, &version, m->desk->actor, err);
    record_done(&generate_reply_record, &reply);
    TRY(outcome);
    TRY(delivery_store_plan(m->desk->db, &m->want.instance, m->desk->actor, err));
    m->desk->release_soon = true;
    return OK;
}

static void made(void *context, enum outcome outcome, struct span body, struct error *err)
{
    struct making *m = context;
    if (outcome == OK)
        outcome = keep_version(m, body, err);
    /* "exists": another controller made it at the same time, and its version counts. */
    if (outcome != OK && strcmp(err->code, "exists") != 0)
        log_error("secret.not-made", err);
    free(m);
}

static void make(struct desk *desk, const struct secret_want *want)
{
    struct error err = {0};
    struct keeper_seat *keeper = NULL;
    if (keepers_pick(&desk->keepers, &keeper, &err) != OK)
        return; /* the next round asks again */
    struct making *m = NEW(struct making);
    *m = (struct making){.desk = desk, .want = *want};
    m->wish.secret = want->secret.id;
    m->wish.version = want->secret.newest > 0 ? want->secret.newest : 1;
    snprintf(m->wish.name, sizeof m->wish.name, "%s", want->secret.name);
    snprintf(m->wish.kind, sizeof m->wish.kind, "%s",
             name_of(&secret_kind_names, (int)want->secret.kind));
    snprintf(m->wish.scope, sizeof m->wish.scope, "%s",
             name_of(&secret_scope_names, (int)want->secret.scope));
    snprintf(m->wish.grant, sizeof m->wish.grant, "%s", want->secret.grant_name);
    memcpy(m->wish.anchor, want->anchor, sizeof m->wish.anchor);
    calls_ask(desk->calls, keeper->peer, VERB_GENERATE, &generate_wish_record, &m->wish,
              KEEPER_WAIT_MS, made, m);
}

void release_make_wanting(struct desk *desk, const struct uuid *instance)
{
    struct error err = {0};
    struct secret_want wants[SECRET_WANTS_MAX];
    size_t count = 0;
    if (secret_store_wanting(desk->db, instance, wants, countof(wants), &count, &err) != OK) {
        log_error("secret.wants-not-read", &err);
        return;
    }
    for (size_t i = 0; i < count; i++)
        make(desk, &wants[i]);
}

/* ---- what is due ---- */

static void plan_everybody(struct desk *desk)
{
    struct error err = {0};
    if (delivery_store_plan(desk->db, NULL, desk->actor, &err) != OK)
        log_error("delivery.not-planned", &err);
    release_make_wanting(desk, NULL);
}

void release_due(struct desk *desk)
{
    struct error err = {0};
    OWNED(delivery_list_done) struct delivery_list list = {0};
    if (desk->plan_in_ticks-- <= 0) {
        desk->plan_in_ticks = PLAN_EVERY_TICKS;
        plan_everybody(desk);
    }
    if (desk->keepers.count == 0 || map_count(desk->guests) == 0)
        return;
    if (delivery_store_claim(desk->db, desk->actor, RELEASE_LEASE_SECONDS, NULL, RELEASE_BATCH,
                             &list, &err) != OK) {
        log_error("delivery.not-claimed", &err);
        return;
    }
    for (size_t i = 0; i < list.count; i++)
        start(desk, &list.at[i]);
    if (list.count == RELEASE_BATCH)
        desk->release_soon = true;
}
