/* Passports on their way: a guest asks, the keeper decides and seals, and only that one was issued
 * is written down (trust.md section 6). What passes through here is ciphertext. */
#include <stdlib.h>
#include <string.h>

#include "controller/desk.h"
#include "db/audit_store.h"
#include "db/instance_history.h"
#include "db/verdict_store.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

/* As the keeper counts them for each instance: what it would refuse need not reach it. */
enum { PASSPORTS_AT_ONCE = 6, PASSPORT_EVERY_MS = 10000 };

struct passing {
    struct later *later;
    struct uuid instance;
    char project[PROJECT_SIZE]; /* whose trail tells of it */
    char relying_party[NAME_SIZE];
};

static void passing_free(struct passing *p)
{
    later_free(p->later);
    free(p);
}

static enum outcome write_down(const struct passing *p, const struct passport_reply *reply,
                               struct error *err)
{
    const struct desk *desk = p->later->desk;
    OWNED(transaction_end) struct transaction tx = {0};
    OWNED(json_drop) json_t *detail = json_object();
    json_put_uuid(detail, "passport", &reply->id);
    json_put_text(detail, "relying_party", p->relying_party);
    json_put_moment(detail, "expires", reply->expires);
    TRY(transaction_begin(desk->db, &tx, err));
    TRY(audit_store_add(desk->db, p->project, desk->actor, "passport.issued",
                        instance_object(&p->instance).at, detail, NULL, err));
    return transaction_commit(&tx, err);
}

/* What could not be written down is not handed out. */
static enum outcome hand_over(const struct passing *p, struct guest *guest, struct span body,
                              struct error *err)
{
    struct passport_reply reply = {0};
    TRY(message_parse_reply(body, &passport_reply_record, &reply, err));
    enum outcome outcome = write_down(p, &reply, err);
    if (outcome == OK)
        metric_add(METRIC_PASSPORTS, 1);
    if (outcome == OK && guest != NULL) {
        const struct passport_answer answer = {.envelope = reply.envelope};
        guest_reply(guest, p->later->id, &passport_answer_record, &answer);
    }
    record_done(&passport_reply_record, &reply);
    return outcome;
}

static void keeper_answered(void *context, enum outcome outcome, struct span body,
                            struct error *err)
{
    struct passing *p = context;
    struct guest *guest = later_guest(p->later);
    if (outcome == OK)
        outcome = hand_over(p, guest, body, err);
    if (outcome != OK)
        LOG(WARN, "passport.refused", TEXT("code", err->code), TEXT("text", err->text),
            TEXT("relying_party", p->relying_party), TEXT("instance", uuid_text(&p->instance).at));
    if (outcome != OK && guest != NULL)
        guest_refuse(guest, p->later->id, err);
    passing_free(p);
}

static enum outcome count_one(struct guest *guest, struct error *err)
{
    const int64_t now_ms = clock_monotonic_ms();
    guest->passports.room = PASSPORTS_AT_ONCE;
    guest->passports.every_ms = PASSPORT_EVERY_MS;
    if (bucket_wait_ms(&guest->passports, now_ms) > 0)
        return fail_code(err, ERR_THROTTLED, "passport-too-many", "too many passports at once");
    bucket_take(&guest->passports, now_ms);
    return OK;
}

static enum outcome find_verdict(struct guest *guest, struct verdict_row *out, struct error *err)
{
    enum outcome outcome = verdict_store_current(guest->desk->db, &guest->instance, out, err);
    if (outcome == ERR_NOT_FOUND)
        return fail_code(err, ERR_DENIED, "not-trusted", "the instance is not trusted now");
    return outcome;
}

static enum outcome ask_keeper(struct guest *guest, uint64_t id, const struct passport_ask *ask,
                               struct error *err)
{
    struct keeper_seat *keeper = NULL;
    OWNED(verdict_row_done) struct verdict_row verdict = {0};
    TRY(count_one(guest, err));
    TRY(find_verdict(guest, &verdict, err));
    TRY(keepers_pick(&guest->desk->keepers, &keeper, err));
    struct passport_wish wish = {
        .instance = guest->instance, .link_key = ask->link_key, .token = verdict.token};
    struct passing *p = NEW(struct passing);
    p->later = later_new(guest, id);
    p->instance = guest->instance;
    memcpy(p->project, verdict.project, sizeof p->project);
    memcpy(p->relying_party, ask->relying_party, sizeof p->relying_party);
    memcpy(wish.relying_party, ask->relying_party, sizeof wish.relying_party);
    memcpy(wish.nonce, ask->nonce, sizeof wish.nonce);
    calls_ask(guest->desk->calls, keeper->peer, VERB_PASSPORT, &passport_wish_record, &wish,
              KEEPER_WAIT_MS, keeper_answered, p);
    return OK;
}

enum outcome guest_passport(struct guest *guest, uint64_t id, const json_t *message,
                            struct error *err)
{
    struct passport_ask ask = {0};
    TRY(record_from_json(&passport_ask_record, message, "", &ask, err));
    enum outcome outcome =
        text_is_name(ask.relying_party)
            ? ask_keeper(guest, id, &ask, err)
            : fail_at(err, ERR_INVALID, "bad-name", "/relying_party", "not the name of anybody");
    record_done(&passport_ask_record, &ask);
    return outcome;
}
