/* From a challenge to a stored verdict: what the agent asks, a keeper answers; the controller only
 * carries, and writes down what it was told (trust.md section 4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/desk.h"
#include "controller/endorsing.h"
#include "db/case_store.h"
#include "db/delivery_store.h"
#include "db/fleet_store.h"
#include "db/verdict_store.h"
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/crypto/sealing_key.h"

enum { DECLARED_SOON_SECONDS = 4 };

/* ---- challenge ---- */

/* The guest's next evidence must answer this nonce, and no other one. */
static void start_round(struct guest *guest, const struct challenge *challenge)
{
    memcpy(guest->nonce, challenge->nonce, sizeof guest->nonce);
    guest->challenged = true;
    bytes_done(&guest->evidence);
    guest->parts = 0;
    guest->next_part = 0;
}

static void note_silence(const struct later *later, enum outcome outcome, const struct error *why)
{
    if (outcome == ERR_UNREACHABLE && strcmp(why->code, "no-answer") == 0)
        keepers_let_wait(&later->desk->keepers, later->keeper_boot);
}

static void challenge_answered(void *context, enum outcome outcome, struct span body,
                               struct error *err)
{
    struct later *later = context;
    struct guest *guest = later_guest(later);
    struct challenge challenge = {0};
    note_silence(later, outcome, err);
    if (outcome == OK)
        outcome = message_parse_reply(body, &challenge_record, &challenge, err);
    if (guest != NULL) {
        guest->busy = false;
        if (outcome == OK) {
            start_round(guest, &challenge);
            guest_reply(guest, later->id, &challenge_record, &challenge);
        } else {
            slots_end(guest);
            guest_refuse(guest, later->id, err);
        }
    }
    later_free(later);
}

void guest_challenge(struct guest *guest, uint64_t id, const struct attest_begin *begin)
{
    struct error err = {0};
    struct challenge_wish wish = {
        .instance = guest->instance, .kind = begin->kind, .sealing_key = begin->sealing_key};
    struct keeper_seat *keeper = NULL;
    if (keepers_pick(&guest->desk->keepers, &keeper, &err) != OK) {
        guest->busy = false;
        slots_end(guest);
        guest_refuse(guest, id, &err);
        return;
    }
    memcpy(wish.link_key, link_peer_fingerprint(guest->peer), sizeof wish.link_key);
    guest->kind = begin->kind;
    struct later *later = later_new(guest, id);
    memcpy(later->keeper_boot, keeper->boot_id, sizeof later->keeper_boot);
    calls_ask(guest->desk->calls, keeper->peer, VERB_CHALLENGE, &challenge_wish_record, &wish,
              KEEPER_WAIT_MS, challenge_answered, later);
}

enum outcome guest_attest_begin(struct guest *guest, uint64_t id, const json_t *message,
                                struct error *err)
{
    struct attest_begin begin = {0};
    struct keeper_seat *keeper = NULL;
    if (guest->busy)
        return fail_code(err, ERR_CONFLICT, "busy", "an appraisal is under way");
    TRY(keepers_pick(&guest->desk->keepers, &keeper, err));
    TRY(record_from_json(&attest_begin_record, message, "", &begin, err));
    slots_ask(guest, id, &begin);
    return OK;
}

/* ---- verdict ---- */

/* An appraisal under way: what the reply does not repeat. */
struct appraisal {
    struct later *later;
    uint8_t nonce[NONCE_SIZE];
    struct bytes evidence; /* as it goes to the keeper */
    struct bytes crl;
    bool teaches; /* it brought certificates that the cache has not */
    struct instance instance;
    char keeper[NAME_SIZE];
};

static void appraisal_free(struct appraisal *a)
{
    later_free(a->later);
    bytes_done(&a->evidence);
    bytes_done(&a->crl);
    free(a);
}

/* The verdict's id and nothing else: the controller cannot check the signature's meaning for the
 * keeper, and need not, for the token came over the keeper's own connection. */
static enum outcome read_token_id(const char *token, struct uuid *out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(json_drop) json_t *claims = NULL;
    const char *from = strchr(token, '.');
    const char *to = from != NULL ? strchr(from + 1, '.') : NULL;
    if (to == NULL)
        return fail_code(err, ERR_INVALID, "malformed", "the keeper's token is not a JWS");
    TRY(base64url_decode(SPAN(from + 1, (size_t)(to - from - 1)), &payload, err));
    TRY(json_parse(bytes_span(&payload), MESSAGE_BODY_MAX, &claims, err));
    return json_get_uuid(claims, "", "jti", out, err);
}

static enum outcome get_name(const json_t *claims, const char *name, const struct names *names,
                             int *out, struct error *err)
{
    const char *word;
    TRY(json_get_text(claims, "/claims", name, 32, &word, err));
    return name_parse(names, word, out, err);
}

static enum outcome get_copy(const json_t *claims, const char *name, char *out, size_t size,
                             struct error *err)
{
    const char *text;
    TRY(json_get_text(claims, "/claims", name, size - 1, &text, err));
    return text_copy(out, size, text, name, err);
}

/* Absent is zero: there is no anchor, or the report could not be read. */
static enum outcome get_hash(const json_t *claims, const char *name, uint8_t *out,
                             struct error *err)
{
    if (json_object_get(claims, name) == NULL)
        return OK;
    return json_get_hex(claims, "/claims", name, out, SHA256_SIZE, err);
}

static enum outcome read_claims(const json_t *claims, struct verdict_row *row, struct error *err)
{
    int hardware, software, identity, level;
    OWNED(bytes_done) struct bytes sealing_key = {0};
    TRY(get_copy(claims, "verdict", row->verdict, sizeof row->verdict, err));
    TRY(get_copy(claims, "reason", row->reason, sizeof row->reason, err));
    TRY(get_copy(claims, "kind", row->kind, sizeof row->kind, err));
    TRY(get_copy(claims, "policy", row->policy, sizeof row->policy, err));
    TRY(get_name(claims, "hardware", &source_names, &hardware, err));
    TRY(get_name(claims, "software", &source_names, &software, err));
    TRY(get_name(claims, "identity", &source_names, &identity, err));
    TRY(get_name(claims, "level", &level_names, &level, err));
    TRY(json_get_bool(claims, "/claims", "simulated", &row->simulated, err));
    TRY(json_get_int(claims, "/claims", "charter_serial", 1, INT64_MAX, &row->charter_serial, err));
    TRY(json_get_base64(claims, "/claims", "sealing_key", SEALING_SPKI_MAX, &sealing_key, err));
    TRY(get_hash(claims, "link_key", row->link_key, err));
    TRY(get_hash(claims, "anchor", row->anchor, err));
    TRY(get_hash(claims, "report_id", row->report_id, err));
    digest(DIGEST_SHA256, bytes_span(&sealing_key), row->sealing_key);
    row->hardware = (enum source)hardware;
    row->software = (enum source)software;
    row->identity = (enum source)identity;
    row->level = level;
    return OK;
}

static enum outcome make_row(struct appraisal *a, struct appraise_reply *reply,
                             struct verdict_row *row, struct error *err)
{
    TRY(read_token_id(reply->token, &row->id, err));
    TRY(read_claims(reply->claims, row, err));
    row->instance = a->instance.id;
    TRY(text_copy(row->project, sizeof row->project, a->instance.project, "project", err));
    TRY(text_copy(row->keeper, sizeof row->keeper, a->keeper, "keeper", err));
    row->nonce_issued = reply->issued;
    row->valid_until = reply->expires;
    row->claims = TAKE(reply->claims);
    row->checks = TAKE(reply->checks);
    row->token = TAKE(reply->token);
    row->testimony = TAKE(reply->testimony);
    row->testimony_cert = bytes_take(&reply->testimony_cert);
    row->crl = bytes_span(&a->crl);
    return OK;
}

static bool passed(const struct verdict_row *row)
{
    return strcmp(row->verdict, "trusted") == 0;
}

/* When its evidence came nobody had passed for this instance: the verdict rests on the ticket. */
static bool is_enrolling(const struct appraisal *a)
{
    return span_is_zero(SPAN_OF(a->instance.link_key));
}

/* On this controller's link or on another one's. Who spoke for it here may have been succeeded
 * there meanwhile: the row knows. */
static enum outcome ask_holder(struct desk *desk, const struct instance *instance,
                               bool *out_is_there, struct error *err)
{
    static const char why[] = "claimant";
    struct guest *here = map_get(desk->guests, &instance->id);
    *out_is_there = here != NULL && guest_is_holder(here, instance);
    if (!*out_is_there)
        return holder_store_ask(desk->db, &instance->id, desk->actor, why, out_is_there, err);
    error_ignore(guest_demand(here, why, NULL));
    return OK;
}

/* Somebody else holds the instance's link key, is on a link now, and this is not the same boot:
 * a clone, or a move nobody asked for. It gets nothing; the holder is asked to prove itself anew
 * (trust.md section 9). */
static enum outcome check_incumbent(struct desk *desk, const struct appraisal *a,
                                    const struct verdict_row *row, struct error *err)
{
    bool is_there = false;
    if (!passed(row) || is_enrolling(a) ||
        memcmp(row->link_key, a->instance.link_key, sizeof row->link_key) == 0 ||
        memcmp(row->report_id, a->instance.report_id, sizeof row->report_id) == 0)
        return OK;
    TRY(ask_holder(desk, &a->instance, &is_there, err));
    if (!is_there)
        return OK;
    LOG(WARN, "instance.claimed-twice", TEXT("instance", uuid_text(&a->instance.id).at));
    return fail_code(err, ERR_CONFLICT, "claimant-refused",
                     "another boot speaks for this instance now");
}

/* A claimant that did not pass never touches the row of whom it claims to be, be that trusted or
 * long stale: its failure is logged, and that is all. Before the first pass the row is that of the
 * ticket's bearer. */
static bool touches_row(const struct appraisal *a, const struct verdict_row *row)
{
    const uint8_t *owner = is_enrolling(a) ? a->instance.ticket_key : a->instance.link_key;
    return passed(row) || memcmp(owner, row->link_key, SHA256_SIZE) == 0;
}

/* While a keeper judged, another verdict may have come by another link or controller, or another
 * bearer of the ticket: this one answers for a row that is no more. */
static enum outcome check_overtaken(struct desk *desk, const struct appraisal *a, struct error *err)
{
    struct instance now;
    const struct instance *then = &a->instance;
    TRY(instance_store_lock(desk->db, &then->id, &now, err));
    return uuid_equal(&now.verdict_id, &then->verdict_id) &&
                   memcmp(now.link_key, then->link_key, sizeof now.link_key) == 0 &&
                   memcmp(now.ticket_key, then->ticket_key, sizeof now.ticket_key) == 0
               ? OK
               : fail_code(err, ERR_CONFLICT, "challenge-again", "another verdict came between");
}

static enum outcome store(struct desk *desk, struct appraisal *a, struct verdict_row *row,
                          struct instance *now, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(desk->db, &tx, err));
    if (passed(row) && is_enrolling(a))
        TRY(ticket_store_use(desk->db, &row->instance, row->link_key, desk->actor, err));
    else
        TRY(check_overtaken(desk, a, err));
    TRY(verdict_store_record(desk->db, row, bytes_span(&a->evidence), desk->actor, now, err));
    if (now->trust == TRUST_TRUSTED) {
        /* With the verdict: nobody on another controller shall pass for it between. */
        if (later_guest(a->later) != NULL)
            TRY(holder_store_put(desk->db, &row->instance, row->link_key, 1, desk->actor, err));
        TRY(delivery_store_renew(desk->db, &row->instance, desk->actor, err));
        TRY(delivery_store_plan(desk->db, &row->instance, desk->actor, err));
    }
    FAULT("verdict.before-commit", err);
    return transaction_commit(&tx, err);
}

/* After the verdict, not with it: what is lost here the next verdict tells again. */
static void note_case(struct desk *desk, const struct verdict_row *row)
{
    struct error err = {0};
    if (case_is_one(row) && case_store_note(desk->db, row, &err) != OK)
        log_error("case.not-noted", &err);
}

static void tell_verdict(struct guest *guest, uint64_t id, const struct verdict_row *row,
                         bool counts)
{
    struct verdict_notice notice = {.valid_until = row->valid_until};
    notice.reattest_seconds = moment_seconds_between(clock_now(), row->renew_at);
    snprintf(notice.verdict, sizeof notice.verdict, "%s", counts ? row->verdict : "rejected");
    snprintf(notice.reason, sizeof notice.reason, "%.47s", row->reason);
    snprintf(notice.level, sizeof notice.level, "%s", name_of(&level_names, (int)row->level));
    guest_reply(guest, id, &verdict_notice_record, &notice);
}

/* Its cloud's documents were looked at, and nobody could tell the keeper which machine it should
 * be: the guest was faster than the answer to its launch, or than its cloud's number for it. */
static bool is_undeclared(const struct verdict_row *row)
{
    const json_t *evidence = json_object_get(row->claims, "evidence");
    const json_t *checks = json_object_get(json_object_get(evidence, "documents"), "checks");
    for (size_t i = 0; i < json_array_size(checks); i++) {
        const json_t *check = json_array_get(checks, i);
        const char *name = json_string_value(json_object_get(check, "check"));
        const char *result = json_string_value(json_object_get(check, "result"));
        if (name != NULL && result != NULL && strcmp(name, "identity-instance") == 0)
            return strcmp(result, "skip") == 0;
    }
    return false;
}

/* Twice as long each time, so that what is never told costs a handful of appraisals. */
static int64_t until_declared(const struct instance *instance)
{
    const int64_t waited = moment_seconds_between(instance->phase_since, clock_now());
    return waited > DECLARED_SOON_SECONDS ? waited : DECLARED_SOON_SECONDS;
}

/* In time for the verdict's end, and for what its fleet is meant to be. For how long it is good the
 * keeper's clock says, whatever ours shows. */
static enum outcome plan_renewal(struct desk *desk, const struct instance *instance,
                                 struct verdict_row *row, struct error *err)
{
    int64_t within = 0, left = moment_seconds_between(row->nonce_issued, row->valid_until);
    TRY(fleet_store_within(desk->db, instance->project, instance->fleet, &within, err));
    if (within > 0 && within < left)
        left = within;
    const int64_t usual = slots_renewal(&row->instance, left);
    const int64_t soon = is_undeclared(row) ? until_declared(instance) : usual;
    row->renew_at = moment_add_seconds(clock_now(), soon < usual ? soon : usual);
    return OK;
}

static enum outcome conclude(struct desk *desk, struct appraisal *a, struct appraise_reply *reply,
                             struct error *err)
{
    struct guest *guest = later_guest(a->later);
    struct instance now = {0};
    OWNED(verdict_row_done) struct verdict_row row = {0};
    TRY(make_row(a, reply, &row, err));
    if (a->crl.len == 0 && strcmp(row.reason, "crl-missing") == 0)
        return fail_code(err, ERR_CONFLICT, "endorsement-unavailable", "no revocation list yet");
    metric_add(passed(&row) ? METRIC_VERDICTS_TRUSTED : METRIC_VERDICTS_REJECTED, 1);
    LOG(INFO, "verdict.given", TEXT("instance", uuid_text(&row.instance).at),
        TEXT("verdict", row.verdict), TEXT("reason", row.reason),
        TEXT("level", name_of(&level_names, (int)row.level)));
    TRY(check_incumbent(desk, a, &row, err));
    TRY(plan_renewal(desk, &a->instance, &row, err));
    if (passed(&row) && a->teaches)
        endorser_learn(desk->endorser, bytes_span(&a->evidence));
    if (touches_row(a, &row)) {
        TRY(store(desk, a, &row, &now, err));
        note_case(desk, &row);
    }
    if (guest == NULL)
        return OK; /* it left; the verdict stands and counts when it is back */
    bool counts = passed(&row) && now.trust == TRUST_TRUSTED;
    tell_verdict(guest, a->later->id, &row, counts);
    if (counts) {
        guest_takes_over(guest);
        guest->claim = CLAIM_HOLDER;
        guest->good_until = row.valid_until;
        release_make_wanting(desk, &row.instance);
        desk->release_soon = true;
    }
    return OK;
}

/* Not a rejection: the nonce is gone, its keeper left, or it asked for another round. */
static void challenge_again(struct guest *guest, uint64_t id)
{
    struct verdict_notice notice = {.verdict = "rejected", .reason = "challenge-again"};
    guest_reply(guest, id, &verdict_notice_record, &notice);
}

static void appraised(void *context, enum outcome outcome, struct span body, struct error *err)
{
    struct appraisal *a = context;
    struct desk *desk = a->later->desk;
    struct guest *guest = later_guest(a->later);
    struct appraise_reply reply = {0};
    note_silence(a->later, outcome, err);
    if (guest != NULL) {
        guest->busy = false;
        slots_end(guest);
    }
    if (outcome == OK)
        outcome = message_parse_reply(body, &appraise_reply_record, &reply, err);
    if (outcome == OK)
        outcome = conclude(desk, a, &reply, err);
    if (outcome != OK) {
        log_error("appraisal.failed", err);
        bool again = outcome == ERR_UNREACHABLE || strcmp(err->code, "challenge-again") == 0;
        if (guest != NULL && again)
            challenge_again(guest, a->later->id);
        else if (guest != NULL)
            guest_refuse(guest, a->later->id, err);
    }
    record_done(&appraise_reply_record, &reply);
    appraisal_free(a);
}

/* ---- evidence ---- */

static enum outcome take_part(struct guest *guest, const struct evidence_part *part,
                              struct error *err)
{
    if (!guest->challenged || memcmp(part->nonce, guest->nonce, sizeof guest->nonce) != 0)
        return fail_code(err, ERR_CONFLICT, "challenge-again", "not the nonce of this round");
    if (guest->next_part == 0)
        guest->parts = part->parts;
    if (part->parts != guest->parts || part->part != guest->next_part ||
        part->part >= part->parts || part->data.len > EVIDENCE_PART_BYTES)
        return fail_code(err, ERR_INVALID, "evidence-parts",
                         "parts come whole, in order and of at most %d bytes", EVIDENCE_PART_BYTES);
    if (guest->evidence.len + part->data.len > EVIDENCE_BYTES_MAX)
        return fail_code(err, ERR_INVALID, "too-large", "evidence of over %d bytes",
                         EVIDENCE_BYTES_MAX);
    bytes_add(&guest->evidence, bytes_span(&part->data));
    guest->next_part++;
    return OK;
}

static enum outcome ask_keeper(struct desk *desk, struct appraisal *a, struct error *err)
{
    struct appraise_wish wish = {
        .instance = a->instance.id, .evidence = a->evidence, .crl = a->crl};
    struct keeper_seat *keeper = keepers_of_boot(&desk->keepers, a->nonce);
    if (keeper == NULL)
        return fail_code(err, ERR_CONFLICT, "challenge-again", "the nonce's keeper has left");
    /* The keeper's name in rows: enough of its signer's hash to find it by. */
    snprintf(a->keeper, sizeof a->keeper, "%.32s", keeper->name);
    memcpy(a->later->keeper_boot, keeper->boot_id, sizeof a->later->keeper_boot);
    memcpy(wish.nonce, a->nonce, sizeof wish.nonce);
    snprintf(wish.policy, sizeof wish.policy, "%s", a->instance.policy);
    snprintf(wish.image, sizeof wish.image, "%s", a->instance.image);
    snprintf(wish.declared_region, sizeof wish.declared_region, "%s", a->instance.region);
    snprintf(wish.declared_machine, sizeof wish.declared_machine, "%s",
             instance_machine(&a->instance));
    calls_ask(desk->calls, keeper->peer, VERB_APPRAISE, &appraise_wish_record, &wish,
              KEEPER_WAIT_MS, appraised, a);
    return OK;
}

/* Takes from the cache what there is. */
static enum outcome complete(struct desk *desk, struct appraisal *a, struct endorsing *out,
                             struct error *err)
{
    TRY(endorsing_complete(desk->db, endorser_roots(desk->endorser), bytes_span(&a->evidence), out,
                           err));
    bytes_done(&a->evidence);
    bytes_done(&a->crl);
    a->evidence = bytes_take(&out->evidence);
    a->crl = bytes_take(&out->crl);
    a->teaches = out->teaches;
    return OK;
}

/* ---- evidence that lacks certificates ---- */

/* The endorser's answer, on its way to the desk's thread. */
struct endorsed_task {
    struct desk_task task;
    struct appraisal *appraisal;
    enum outcome outcome;
    struct error why;
};

/* Not a rejection: nobody has said anything against this guest. It asks again, and what it holds
 * stands until its time. Only when the maker itself says that there is no such key does the keeper
 * judge what there is. */
static enum outcome go_on(struct desk *desk, struct endorsed_task *t, struct error *err)
{
    OWNED(endorsing_done) struct endorsing e = {0};
    TRY(complete(desk, t->appraisal, &e, err));
    if (e.essential && t->outcome != OK && t->outcome != ERR_NOT_FOUND) {
        *err = t->why;
        return t->why.outcome;
    }
    return ask_keeper(desk, t->appraisal, err);
}

static void run_endorsed(struct desk *desk, struct desk_task *task)
{
    struct error err = {0};
    struct endorsed_task *t = (struct endorsed_task *)task;
    struct appraisal *a = t->appraisal;
    struct guest *guest = desk != NULL ? later_guest(a->later) : NULL;
    if (desk != NULL)
        desk->endorsing--;
    enum outcome outcome = guest != NULL ? go_on(desk, t, &err) : ERR_CONFLICT;
    if (outcome != OK && guest != NULL) {
        guest->busy = false;
        slots_end(guest);
        LOG(WARN, "appraisal.put-off", TEXT("instance", uuid_text(&a->instance.id).at),
            TEXT("code", err.code), TEXT("text", err.text));
        if (strcmp(err.code, "challenge-again") == 0)
            challenge_again(guest, a->later->id);
        else
            guest_refuse(guest, a->later->id, &err);
    }
    if (outcome != OK)
        appraisal_free(a);
    free(t);
}

static void endorsed(void *context, enum outcome outcome, const struct error *why)
{
    struct appraisal *a = context;
    struct desk *desk = a->later->desk;
    struct endorsed_task *t = NEW(struct endorsed_task);
    *t = (struct endorsed_task){.task = {run_endorsed}, .appraisal = a, .outcome = outcome};
    if (outcome != OK)
        t->why = *why;
    if (!desk_put(desk, &t->task))
        run_endorsed(NULL, &t->task); /* it is shutting down */
}

static enum outcome endorse_and_ask(struct desk *desk, struct appraisal *a, struct error *err)
{
    OWNED(endorsing_done) struct endorsing e = {0};
    if (desk->endorser == NULL)
        return ask_keeper(desk, a, err);
    TRY(complete(desk, a, &e, err));
    if (e.is_coming)
        endorser_prefetch(desk->endorser, &e.coming);
    if (e.wanted_count == 0)
        return ask_keeper(desk, a, err);
    if (desk->endorsing == DESK_ENDORSING_MAX) {
        if (!e.essential) /* only a list, which few policies ask for */
            return ask_keeper(desk, a, err);
        return fail_code(err, ERR_UNREACHABLE, "endorsement-unavailable",
                         "%d others wait for certificates", DESK_ENDORSING_MAX);
    }
    desk->endorsing++;
    endorser_want(desk->endorser, e.wanted, e.wanted_count, ENDORSER_WAIT_MS, endorsed, a);
    return OK;
}

static enum outcome appraise(struct guest *guest, uint64_t id, struct error *err)
{
    struct desk *desk = guest->desk;
    struct instance instance = {0};
    guest->challenged = false;
    if (keepers_of_boot(&desk->keepers, guest->nonce) == NULL)
        return fail_code(err, ERR_CONFLICT, "challenge-again", "the nonce's keeper has left");
    if (!slots_has_place(guest))
        return fail_code(err, ERR_CONFLICT, "challenge-again", "its slot is over, others wait");
    TRY(instance_store_find(desk->db, &guest->instance, &instance, err));
    struct appraisal *a = NEW(struct appraisal);
    a->later = later_new(guest, id);
    a->evidence = bytes_take(&guest->evidence);
    a->instance = instance;
    memcpy(a->nonce, guest->nonce, sizeof a->nonce);
    guest->busy = true;
    enum outcome outcome = endorse_and_ask(desk, a, err);
    if (outcome == OK)
        return OK;
    guest->busy = false;
    appraisal_free(a);
    return outcome;
}

enum outcome guest_evidence(struct guest *guest, uint64_t id, const json_t *message,
                            struct error *err)
{
    struct evidence_part part = {0};
    if (guest->busy)
        return fail_code(err, ERR_CONFLICT, "busy", "an appraisal is under way");
    TRY(record_from_json(&evidence_part_record, message, "", &part, err));
    enum outcome outcome = take_part(guest, &part, err);
    bool last = outcome == OK && guest->next_part == guest->parts;
    record_done(&evidence_part_record, &part);
    if (outcome == OK && last)
        outcome = appraise(guest, id, err);
    if (outcome != OK)
        slots_end(guest);
    if (outcome == ERR_CONFLICT && strcmp(err->code, "challenge-again") == 0) {
        challenge_again(guest, id);
        return OK;
    }
    TRY(outcome);
    if (!last)
        guest_reply(guest, id, NULL, NULL);
    return OK;
}
