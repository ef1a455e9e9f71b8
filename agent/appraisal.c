#include "agent/appraisal.h"

#include <string.h>

#include "lib/attest/evidence.h"
#include "lib/crypto/random.h"
#include "lib/net/retry.h"

enum {
    REATTEST_FALLBACK_SECONDS = 300,
    REATTEST_LEAST_SECONDS = 10, /* by our own clock, which may be wrong */
    DEMAND_SPACING_MS = 1000,
    AGAINS_AT_ONCE = 3, /* then it counts as a failure */
    DAY_MS = 24 * 3600 * 1000,
};

void appraisal_init(struct appraisal *a, const struct appraisal_guest *guest)
{
    int64_t now = clock_monotonic_ms();
    *a = (struct appraisal){.guest = guest, .due_ms = now, .begun_ms = now - DEMAND_SPACING_MS};
}

static void drop_key(struct appraisal *a, int which)
{
    key_drop(&a->keys[which]);
}

void appraisal_done(struct appraisal *a)
{
    drop_key(a, KEY_CURRENT);
    drop_key(a, KEY_PENDING);
    bytes_done(&a->evidence);
}

/* ---- when ------------------------------------------------------------------------------------ */

bool appraisal_is_due(const struct appraisal *a)
{
    return clock_monotonic_ms() >= a->due_ms && !tee_is_lost(a->guest->tee);
}

/* A wish goes before every wait. */
static void be_due_at(struct appraisal *a, int64_t ms)
{
    int64_t wished_ms = a->begun_ms + DEMAND_SPACING_MS;
    a->due_ms = a->demanded && wished_ms < ms ? wished_ms : ms;
}

void appraisal_demand(struct appraisal *a)
{
    a->demanded = true;
    be_due_at(a, a->due_ms);
}

void appraisal_hurry(struct appraisal *a)
{
    if (a->failures == 0)
        a->due_ms = clock_monotonic_ms();
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Somewhere in the last fifth, so that a fleet that started together does not come together. The
 * verdict's end by our own clock only ever makes it earlier: that clock belongs to the host. */
static int64_t reattest_in_ms(const struct verdict_notice *verdict)
{
    int64_t seconds = verdict->reattest_seconds > 0 ? verdict->reattest_seconds
                                                    : (int64_t)REATTEST_FALLBACK_SECONDS;
    int64_t left = moment_is_none(verdict->valid_until)
                       ? 0
                       : moment_seconds_between(clock_now(), verdict->valid_until);
    if (left > 0 && left < seconds)
        seconds = left > REATTEST_LEAST_SECONDS ? left : sooner(seconds, REATTEST_LEAST_SECONDS);
    int64_t ms = seconds * 1000;
    return ms - (int64_t)random_below((uint64_t)ms / 5 + 1);
}

/* What needs a name is closed to a machine without one: it comes again before its verdict ends, but
 * ever later, for there may be no such service at all. */
static int64_t named_in_ms(const struct appraisal *a)
{
    static const struct retry_policy policy = {
        .least_ms = 3000, .first_ms = 10000, .most_ms = DAY_MS};
    return a->silences == 0 ? INT64_MAX : retry_wait_ms(&policy, a->silences);
}

static void wait_after_failure(struct appraisal *a, int64_t told_ms)
{
    const struct retry_policy policy = {
        .least_ms = 250,
        .first_ms = a->guest->retry_first_seconds * 1000,
        .most_ms = a->guest->retry_most_seconds * 1000,
    };
    a->failures++;
    a->agains = 0;
    int64_t wait_ms = retry_wait_ms(&policy, a->failures);
    be_due_at(a, clock_monotonic_ms() + (wait_ms > told_ms ? wait_ms : told_ms));
}

static void again(struct appraisal *a)
{
    if (++a->agains <= AGAINS_AT_ONCE)
        a->due_ms = clock_monotonic_ms();
    else
        wait_after_failure(a, 0);
}

void appraisal_failed(struct appraisal *a, const struct error *why)
{
    bytes_done(&a->evidence);
    if (strcmp(why->code, "challenge-again") == 0)
        again(a);
    else
        wait_after_failure(a, 0);
}

void appraisal_put_off(struct appraisal *a, int64_t after_ms)
{
    bytes_done(&a->evidence);
    a->agains = 0;
    be_due_at(a,
              clock_monotonic_ms() + after_ms + (int64_t)random_below((uint64_t)after_ms / 10 + 1));
}

void appraisal_interrupted(struct appraisal *a)
{
    bytes_done(&a->evidence);
    appraisal_hurry(a);
}

/* ---- what ------------------------------------------------------------------------------------ */

enum outcome appraisal_begin(struct appraisal *a, struct bytes *out_request, struct error *err)
{
    OWNED(key_drop) struct key *key = NULL;
    struct attest_begin begin = {.kind = tee_kind(a->guest->tee)};
    a->demanded = false;
    a->begun_ms = clock_monotonic_ms();
    TRY(key_generate(evidence_sealing_kind(begin.kind), &key, err));
    TRY(key_to_spki(key, &begin.sealing_key, err));
    message_print(VERB_ATTEST_BEGIN, &attest_begin_record, &begin, out_request);
    record_done(&attest_begin_record, &begin);
    drop_key(a, KEY_PENDING);
    a->keys[KEY_PENDING] = TAKE(key);
    return OK;
}

/* Whoever asks in the name of another root gets no evidence that could serve it. */
static enum outcome check_root(const struct appraisal *a, const struct challenge *challenge,
                               struct error *err)
{
    for (size_t i = 0; i < a->guest->root_count; i++) {
        uint8_t ours[SHA256_SIZE];
        cert_spki_sha256(a->guest->roots[i], ours);
        if (memcmp(ours, challenge->root_key, SHA256_SIZE) == 0)
            return OK;
    }
    return fail_code(err, ERR_DENIED, "wrong-root", "the challenge is from another deployment");
}

/* Documents are a convenience: whatever is in the way, evidence goes without them. */
static void print_rest(struct appraisal *a, const struct challenge *challenge, struct bytes *out)
{
    OWNED(cloud_documents_done) struct cloud_documents documents = {0};
    const bool said = a->guest->metadata == NULL ||
                      metadata_source_ask(a->guest->metadata, challenge->nonce, &documents);
    a->silences = said ? 0 : a->silences + 1;
    OWNED(mem_drop) char *text = cloud_documents_print(a->guest->boot, &documents);
    bytes_add(out, span_of_text(text));
}

/* What the keeper will hold the evidence against; the sealing key is borrowed. */
static void bind(const struct appraisal *a, const struct challenge *challenge, struct span rest,
                 struct span sealing_key, struct evidence_binding *out)
{
    struct binding binding = {
        .kind = tee_kind(a->guest->tee), .instance = a->guest->instance, .rest = rest};
    memcpy(binding.nonce, challenge->nonce, NONCE_SIZE);
    memcpy(binding.root_key, challenge->root_key, SHA256_SIZE);
    key_fingerprint(a->guest->link_key, binding.link_key);
    key_fingerprint(a->keys[KEY_PENDING], binding.sealing_key);
    *out = (struct evidence_binding){.sealing_key = sealing_key};
    memcpy(out->nonce, challenge->nonce, NONCE_SIZE);
    binding_digest(&binding, out->digest);
}

static enum outcome make_evidence(struct appraisal *a, const struct challenge *challenge,
                                  struct error *err)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    OWNED(bytes_done) struct bytes rest = {0};
    OWNED(bytes_done) struct bytes sealing_key = {0};
    struct evidence_binding asked;
    print_rest(a, challenge, &rest);
    TRY(key_to_spki(a->keys[KEY_PENDING], &sealing_key, err));
    bind(a, challenge, bytes_span(&rest), bytes_span(&sealing_key), &asked);
    TRY(tee_prove(a->guest->tee, &asked, &evidence, err));
    evidence.rest = bytes_take(&rest);
    OWNED(mem_drop) char *text = evidence_print(&evidence);
    bytes_done(&a->evidence);
    bytes_add(&a->evidence, span_of_text(text));
    return OK;
}

static void print_part(const struct appraisal *a, struct bytes *out)
{
    struct span whole = bytes_span(&a->evidence);
    struct evidence_part part = {
        .part = a->part,
        .parts = a->parts,
        .data = bytes_copy(
            span_part(whole, (size_t)a->part * EVIDENCE_PART_BYTES, EVIDENCE_PART_BYTES)),
    };
    memcpy(part.nonce, a->nonce, NONCE_SIZE);
    message_print(VERB_EVIDENCE, &evidence_part_record, &part, out);
    record_done(&evidence_part_record, &part);
}

enum outcome appraisal_challenged(struct appraisal *a, struct span reply, struct bytes *out_request,
                                  struct error *err)
{
    struct challenge challenge = {0};
    TRY(message_parse_reply(reply, &challenge_record, &challenge, err));
    TRY(check_root(a, &challenge, err));
    TRY(make_evidence(a, &challenge, err));
    memcpy(a->nonce, challenge.nonce, NONCE_SIZE);
    a->part = 0;
    a->parts = (int64_t)((a->evidence.len + EVIDENCE_PART_BYTES - 1) / EVIDENCE_PART_BYTES);
    if (a->parts > EVIDENCE_PARTS_MAX || a->evidence.len > EVIDENCE_BYTES_MAX)
        return fail_code(err, ERR_INVALID, "too-large", "the evidence has %zu bytes",
                         a->evidence.len);
    print_part(a, out_request);
    return OK;
}

static enum outcome obey(struct appraisal *a, const struct verdict_notice *verdict,
                         struct error *err)
{
    bool trusted = strcmp(verdict->verdict, "trusted") == 0;
    bytes_done(&a->evidence);
    if (strcmp(verdict->reason, "challenge-again") == 0) {
        again(a);
        return OK;
    }
    if (!trusted && strcmp(verdict->verdict, "rejected") != 0)
        return fail_code(err, ERR_INVALID, "unknown-verdict", "the verdict is '%s'",
                         verdict->verdict);
    a->trusted = trusted;
    drop_key(a, KEY_CURRENT);
    if (!trusted) {
        drop_key(a, KEY_PENDING);
        wait_after_failure(a, verdict->reattest_seconds * 1000);
        return OK;
    }
    a->keys[KEY_CURRENT] = TAKE(a->keys[KEY_PENDING]);
    a->failures = 0;
    a->agains = 0;
    be_due_at(a, clock_monotonic_ms() + sooner(reattest_in_ms(verdict), named_in_ms(a)));
    return OK;
}

enum outcome appraisal_answered(struct appraisal *a, struct span reply, struct bytes *out_request,
                                struct verdict_notice *out_verdict, struct error *err)
{
    if (a->part + 1 < a->parts) {
        TRY(message_parse_reply(reply, NULL, NULL, err));
        a->part++;
        print_part(a, out_request);
        return OK;
    }
    struct verdict_notice verdict = {0};
    TRY(message_parse_reply(reply, &verdict_notice_record, &verdict, err));
    TRY(obey(a, &verdict, err));
    *out_verdict = verdict;
    return OK;
}
