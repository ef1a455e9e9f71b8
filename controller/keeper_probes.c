#include "controller/keeper_probes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/probe_store.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/crypto/random.h"

/* One keeper's round: three questions, each of which an honest keeper refuses with its own code.
 * The next is asked when the last is answered; one that is not answered ends the round. */
struct round {
    struct desk *desk;
    struct link_peer *peer;
    struct probe_row tally; /* of this round */
    char kind[32];          /* "": there is no evidence to show */
    struct bytes evidence;
    char *opinion;
};

static void round_free(struct round *r)
{
    link_peer_free(r->peer);
    bytes_done(&r->evidence);
    free(r->opinion);
    free(r);
}

/* ---- what comes of it ----------------------------------------------------------------------- */

static void note_fault(struct probe_row *tally, const char *kind, const char *alteration,
                       const char *code)
{
    snprintf(tally->fault_kind, sizeof tally->fault_kind, "%s", kind);
    snprintf(tally->fault_alteration, sizeof tally->fault_alteration, "%s", alteration);
    snprintf(tally->fault_code, sizeof tally->fault_code, "%.47s", code);
    tally->fault_at = clock_now();
}

/* What the round brought so far; what cannot be written now is at its end. */
static void write_down(struct round *r)
{
    struct error err = {0};
    struct probe_row *tally = &r->tally;
    if (tally->held + tally->wrong + tally->accepted == 0)
        return;
    if (probe_store_add(r->desk->db, tally, r->desk->actor, &err) != OK)
        log_error("probe.not-noted", &err);
    else
        tally->held = tally->wrong = tally->accepted = 0;
}

/* Whether it is broken or somebody else's cannot be told from here: it is asked for nothing more,
 * by nobody. The other controllers learn of it from the rows, and so do we after a crash. */
static void distrust(struct round *r, const char *question)
{
    struct keeper_seat *seat = keepers_of_peer(&r->desk->keepers, r->peer);
    if (r->tally.accepted++ == 0)
        note_fault(&r->tally, r->kind, question, "ok");
    LOG(ERROR, "keeper.distrusted", TEXT("keeper", r->tally.keeper), TEXT("accepted", question));
    metric_add(METRIC_PROBES_ACCEPTED, 1);
    if (seat != NULL)
        seat->distrusted = true;
    write_down(r);
}

/* Not ready for any question: other alarms tell why. */
static bool is_no_answer(const char *code)
{
    static const char *const codes[] = {"no-charter",
                                        "charter-expired",
                                        "charter-not-yet-valid",
                                        "charter-realm",
                                        "keeper-cert-expired",
                                        "keeper-not-chartered",
                                        "simulator-not-chartered",
                                        "no-opinion-key",
                                        "probes-accepted",
                                        "state-missing",
                                        "state-damaged"};
    for (size_t i = 0; i < countof(codes); i++)
        if (strcmp(codes[i], code) == 0)
            return true;
    return false;
}

static void conclude(struct round *r, const char *question, const char *code, const char *wanted)
{
    if (strcmp(code, wanted) == 0) {
        r->tally.held++;
        metric_add(METRIC_PROBES_HELD, 1);
        return;
    }
    if (is_no_answer(code))
        return;
    r->tally.wrong++;
    if (r->tally.accepted == 0)
        note_fault(&r->tally, r->kind, question, code);
    LOG(WARN, "keeper.probe-wrong-code", TEXT("keeper", r->tally.keeper),
        TEXT("question", question), TEXT("code", code), TEXT("wanted", wanted));
    metric_add(METRIC_PROBES_WRONG, 1);
}

static void end(struct round *r)
{
    struct keeper_seat *seat = keepers_of_peer(&r->desk->keepers, r->peer);
    if (seat != NULL)
        seat->probing = false;
    write_down(r);
    round_free(r);
}

/* What must be refused was answered: OK is an acceptance. False: the round is over. */
static bool refused(struct round *r, const char *question, enum outcome outcome,
                    const struct error *err, const char *wanted)
{
    if (outcome == ERR_UNREACHABLE) {
        end(r);
        return false;
    }
    if (outcome == OK)
        distrust(r, question);
    else
        conclude(r, question, err->code, wanted);
    return true;
}

/* ---- the questions, from the last to the first ---------------------------------------------- */

static void release_answered(void *context, enum outcome outcome, struct span body,
                             struct error *err)
{
    (void)body;
    if (refused(context, "opinion-for-a-verdict", outcome, err, "opinion-not-verdict"))
        end(context);
}

/* An opinion is no verdict: the one that it has just given opens nothing. */
static void ask_release(struct round *r)
{
    OWNED(bytes_done) struct bytes record = bytes_copy(span_of_text("probe"));
    struct release_wish wish = {.delivery = uuid_new(),
                                .instance = uuid_new(),
                                .secret = uuid_new(),
                                .name = "probe",
                                .version = 1,
                                .sequence = 1,
                                .record = record,
                                .token = r->opinion,
                                .fleet = "probe"};
    calls_ask(r->desk->calls, r->peer, VERB_RELEASE, &release_wish_record, &wish, KEEPER_WAIT_MS,
              release_answered, r);
}

/* What passed must not pass where only another measurement may: the one thing asked for. It is
 * drawn anew for each question, so that nobody's machine ever has it. */
static const struct own_policy {
    const char *kind;
    const char *before; /* the measurement, in hex ... */
    const char *after;
    const char *code;
} own_policies[] = {
/* clang-format off */
#define BEFORE "{\"snp\":{\"measurement\":[\""
#define AFTER "\"],\"allow_debug\":true,\"allow_migration_agent\":true,\"max_vmpl\":3}"
    {"snp", BEFORE, AFTER "}", "policy-measurement"},
    {"simulated", BEFORE, AFTER "}", "policy-measurement"},
    {"snp-azure", BEFORE, AFTER ",\"azure\":{\"pcrs\":\"any\"}}", "policy-measurement"},
    {"snp-vtpm", BEFORE, AFTER ",\"vtpm\":{\"pcrs\":\"any\"}}", "policy-measurement"},
    {"nitro", "{\"nitro\":{\"pcrs\":{\"0\":\"", "\"},\"allow_debug\":true}}", "policy-pcr"},
#undef BEFORE
#undef AFTER
    /* clang-format on */
};

static enum outcome make_policy(const struct own_policy *own, json_t **out, struct error *err)
{
    uint8_t measured[SHA384_SIZE];
    OWNED(text_done) struct text policy = {0};
    random_fill(measured, sizeof measured);
    text_add(&policy, own->before);
    text_add_hex(&policy, SPAN_OF(measured));
    text_add(&policy, own->after);
    return json_parse(text_span(&policy), 4096, out, err);
}

static const struct own_policy *policy_of(const struct round *r)
{
    for (size_t i = 0; i < countof(own_policies); i++)
        if (strcmp(own_policies[i].kind, r->kind) == 0)
            return &own_policies[i];
    return NULL; /* no evidence, or of a kind that is not asked about here */
}

static void take_opinion(struct round *r, struct opinion_reply *reply)
{
    static const char question[] = "other-measurement";
    const struct own_policy *own = policy_of(r);
    const char *verdict = json_string_value(json_object_get(reply->verdict, "verdict"));
    const char *reason = json_string_value(json_object_get(reply->verdict, "reason"));
    if (verdict == NULL || strcmp(verdict, "rejected") != 0)
        distrust(r, question);
    else
        conclude(r, question, reason != NULL ? reason : "", own != NULL ? own->code : "");
    r->opinion = TAKE(reply->token);
}

static void opinion_answered(void *context, enum outcome outcome, struct span body,
                             struct error *err)
{
    struct round *r = context;
    struct opinion_reply reply = {0};
    if (outcome == OK)
        outcome = message_parse_reply(body, &opinion_reply_record, &reply, err);
    if (outcome == OK)
        take_opinion(r, &reply);
    record_done(&opinion_reply_record, &reply);
    if (outcome == OK)
        ask_release(r);
    else if (refused(r, "other-measurement", outcome, err, "")) /* refused it must not be */
        end(r);
}

static void ask_opinion(struct round *r)
{
    struct error err = {0};
    const struct own_policy *own = policy_of(r);
    OWNED(json_drop) json_t *policy = NULL;
    if (own == NULL || make_policy(own, &policy, &err) != OK) {
        end(r);
        return;
    }
    struct opinion_wish wish = {.appraisal = policy, .evidence = r->evidence};
    calls_ask(r->desk->calls, r->peer, VERB_OPINION, &opinion_wish_record, &wish, KEEPER_WAIT_MS,
              opinion_answered, r);
}

static void appraised(void *context, enum outcome outcome, struct span body, struct error *err)
{
    (void)body;
    if (refused(context, "nonce-of-nobody", outcome, err, "challenge-again"))
        ask_opinion(context);
}

/* A nonce that it never gave out, in its own name. */
static void ask_appraisal(struct round *r, const struct keeper_seat *seat)
{
    struct appraise_wish wish = {
        .instance = uuid_new(), .policy = "probe", .evidence = r->evidence};
    random_fill(wish.nonce, sizeof wish.nonce);
    memcpy(wish.nonce, seat->boot_id, sizeof seat->boot_id);
    calls_ask(r->desk->calls, r->peer, VERB_APPRAISE, &appraise_wish_record, &wish, KEEPER_WAIT_MS,
              appraised, r);
}

/* ---- around the clock ----------------------------------------------------------------------- */

static int64_t interval_seconds(const struct desk *desk)
{
    const int64_t asked = desk->settings->probe_seconds;
    return asked > 0 ? asked : PROBE_SECONDS;
}

static void begin(struct desk *desk, struct keeper_seat *seat)
{
    struct error err = {0};
    struct round *r = NEW(struct round);
    r->desk = desk;
    r->peer = link_peer_share(seat->peer);
    snprintf(r->tally.keeper, sizeof r->tally.keeper, "%.32s", seat->name);
    memcpy(r->tally.boot_id, seat->boot_id, sizeof seat->boot_id);
    r->tally.prober = PROBER_CONTROLLER;
    r->tally.every_seconds = interval_seconds(desk);
    if (probe_store_sample(desk->db, &r->evidence, r->kind, &err) != OK)
        log_error("probe.no-sample", &err); /* the first question needs none */
    r->tally.samples = r->kind[0] != '\0' ? 1 : 0;
    if (r->evidence.len == 0)
        bytes_add(&r->evidence, span_of_text("{}")); /* which nobody looks at */
    seat->probing = true;
    ask_appraisal(r, seat);
}

void keeper_probes_run(struct desk *desk)
{
    const int64_t now = clock_monotonic_ms(), every_ms = interval_seconds(desk) * 1000;
    for (size_t i = 0; i < desk->keepers.count; i++) {
        struct keeper_seat *seat = &desk->keepers.seats[i];
        if (seat->probe_due_ms == 0) /* it has just come */
            seat->probe_due_ms = now + (int64_t)random_below((uint64_t)every_ms + 1);
        if (seat->probing || seat->charter_serial == 0 || now < seat->probe_due_ms)
            continue;
        seat->probe_due_ms =
            now + every_ms - every_ms / 4 + (int64_t)random_below((uint64_t)every_ms / 2 + 1);
        begin(desk, seat);
    }
}

void keeper_probes_recall(struct desk *desk, struct keeper_seat *seat)
{
    struct error err = {0};
    bool distrusted = false;
    if (seat->distrusted)
        return;
    if (probe_store_is_distrusted(desk->db, seat->boot_id, &distrusted, &err) != OK)
        log_error("keeper.not-recalled", &err); /* its next answer, or probe, tells */
    if (distrusted)
        LOG(ERROR, "keeper.distrusted", TEXT("keeper", seat->name), TEXT("accepted", "before"));
    seat->distrusted = distrusted;
}

void keeper_probes_count(struct keeper_seat *seat, const struct keeper_status *now)
{
    const struct keeper_status *last = &seat->status;
    if (seat->told) { /* else what it counts is of before we heard of it */
        metric_add(METRIC_PROBES_HELD, now->probes_held - last->probes_held);
        metric_add(METRIC_PROBES_WRONG, now->probes_wrong - last->probes_wrong);
        metric_add(METRIC_PROBES_ACCEPTED, now->probes_accepted - last->probes_accepted);
    }
    seat->told = true;
}

void keeper_probes_note(struct desk *desk, struct keeper_seat *seat)
{
    struct error err = {0};
    const struct keeper_status *s = &seat->status;
    struct probe_row row = {
        .prober = PROBER_KEEPER,
        .every_seconds = s->probe_seconds,
        .samples = s->probe_samples,
        .held = s->probes_held,
        .wrong = s->probes_wrong,
        .accepted = s->probes_accepted,
        .fault_at = s->fault_at,
        .halted = s->halted,
        .halt = s->halt,
    };
    snprintf(row.keeper, sizeof row.keeper, "%.32s", seat->name);
    memcpy(row.boot_id, seat->boot_id, sizeof row.boot_id);
    memcpy(row.fault_kind, s->fault_kind, sizeof row.fault_kind);
    memcpy(row.fault_alteration, s->fault_alteration, sizeof row.fault_alteration);
    memcpy(row.fault_code, s->fault_code, sizeof row.fault_code);
    if (probe_store_note(desk->db, &row, desk->actor, &err) != OK)
        log_error("probes.not-noted", &err);
}
