#include "keeper/probes.h"

#include <stdlib.h>
#include <string.h>

#include "keeper/alterations.h"
#include "keeper/inside.h"
#include "keeper/token_alterations.h"
#include "lib/base/log.h"
#include "lib/crypto/random.h"

/* ---- what is kept --------------------------------------------------------------------------- */

static void sample_done(struct probe_sample *s)
{
    bytes_done(&s->evidence);
    bytes_done(&s->crl);
    free(s->token);
    *s = (struct probe_sample){0};
}

void probes_done(struct probes *probes)
{
    for (size_t i = 0; i < probes->count; i++)
        sample_done(&probes->samples[i]);
    *probes = (struct probes){0};
}

static void drop(struct probes *probes, size_t index)
{
    sample_done(&probes->samples[index]);
    probes->samples[index] = probes->samples[--probes->count];
    probes->samples[probes->count] = (struct probe_sample){0};
}

static size_t place_for(const struct probes *probes, const struct probe_sample *sample)
{
    size_t oldest = 0;
    for (size_t i = 0; i < probes->count; i++) {
        const struct probe_sample *s = &probes->samples[i];
        if (s->nonce.kind == sample->nonce.kind && strcmp(s->policy, sample->policy) == 0)
            return i;
        if (s->at.us < probes->samples[oldest].at.us)
            oldest = i;
    }
    return probes->count < PROBE_SAMPLES_MAX ? probes->count : oldest;
}

void probes_keep(struct probes *probes, struct probe_sample *sample)
{
    const size_t at = place_for(probes, sample);
    if (at == probes->count)
        probes->count++;
    sample_done(&probes->samples[at]);
    probes->samples[at] = *sample;
    *sample = (struct probe_sample){0};
}

void probes_hurry(struct probes *probes)
{
    probes->due_ms = 0;
}

/* ---- what comes of one ---------------------------------------------------------------------- */

static void note_fault(struct probes *probes, enum evidence_kind kind, const char *alteration,
                       const char *code)
{
    struct probe_fault *fault = &probes->fault;
    fault->at = clock_now();
    error_ignore(text_copy(fault->kind, sizeof fault->kind,
                           name_of(&evidence_kind_names, (int)kind), "", NULL));
    error_ignore(text_copy(fault->alteration, sizeof fault->alteration, alteration, "", NULL));
    error_ignore(text_copy(fault->code, sizeof fault->code, code, "", NULL));
}

/* A judge that trusts what it must not trust has perhaps trusted others before: nothing goes out
 * any more, and what says so outlives a restart. */
static void accepted(struct keeper *k, enum evidence_kind kind, const char *alteration)
{
    struct error err = {0};
    if (k->probes.accepted++ == 0)
        note_fault(&k->probes, kind, alteration, "ok");
    LOG(ERROR, "probe.accepted", TEXT("kind", name_of(&evidence_kind_names, (int)kind)),
        TEXT("alteration", alteration));
    k->halted = true;
    if (k->state != NULL && keeper_state_halt(k->state, &err) != OK)
        log_error("halt.not-remembered", &err);
}

/* Refused, but for another reason than the altered one: nothing is open, so releases go on; but
 * what should have been looked at first perhaps was not. */
static void refused_otherwise(struct keeper *k, enum evidence_kind kind, const char *alteration,
                              const char *code, const char *wanted)
{
    k->probes.wrong++;
    if (k->probes.accepted == 0)
        note_fault(&k->probes, kind, alteration, code);
    LOG(WARN, "probe.wrong-code", TEXT("kind", name_of(&evidence_kind_names, (int)kind)),
        TEXT("alteration", alteration), TEXT("code", code), TEXT("wanted", wanted));
}

static void conclude(struct keeper *k, enum evidence_kind kind, const char *alteration, bool passes,
                     const char *code, const char *wanted)
{
    k->probes.last = clock_now();
    if (passes)
        accepted(k, kind, alteration);
    else if (strcmp(code, wanted) != 0)
        refused_otherwise(k, kind, alteration, code, wanted);
    else
        k->probes.held++;
}

/* ---- evidence ------------------------------------------------------------------------------- */

/* Unaltered it must still pass, or what the others say means nothing: then the charter has changed
 * since. */
static bool still_passes(const struct keeper *k, const struct charter *charter,
                         const struct probe_sample *sample)
{
    char code[ERROR_CODE_SIZE];
    struct error err = {0};
    OWNED(probe_done) struct probe probe = {0};
    return probe_prepare(k, charter, sample, &probe, &err) == OK && probe_passes(&probe, code);
}

static void probe_evidence(struct keeper *k, const struct charter *charter,
                           const struct probe_sample *sample, const struct alteration *a)
{
    const enum evidence_kind kind = sample->nonce.kind;
    char code[ERROR_CODE_SIZE];
    struct error err = {0};
    OWNED(probe_done) struct probe probe = {0};
    if (a->codes[kind] == NULL || probe_prepare(k, charter, sample, &probe, &err) != OK)
        return;
    probe.turn = k->probes.turn;
    if (!a->alter(&probe))
        return;
    const bool passes = probe_passes(&probe, code);
    conclude(k, kind, a->name, passes, code, a->codes[kind]);
}

/* ---- tokens --------------------------------------------------------------------------------- */

static void probe_token(struct keeper *k, const struct verdict_token *genuine,
                        const struct token_alteration *a)
{
    struct error err = {0};
    struct uuid instance = genuine->claims.instance;
    OWNED(verdict_token_done) struct verdict_token read = {0};
    OWNED(mem_drop) char *token = a->make(k, genuine, &instance);
    if (token == NULL)
        return;
    const bool passes = keeper_read_verdict(k, &instance, token, &read, &err) == OK;
    conclude(k, genuine->claims.kind, a->name, passes, err.code, a->code);
}

/* Only where the verdict itself still counts. */
static void probe_tokens(struct keeper *k, const struct probe_sample *sample)
{
    struct error err = {0};
    OWNED(verdict_token_done) struct verdict_token genuine = {0};
    if (k->state == NULL ||
        keeper_read_verdict(k, &sample->nonce.instance, sample->token, &genuine, &err) != OK)
        return;
    for (size_t i = 0; i < token_alteration_count; i++)
        probe_token(k, &genuine, &token_alterations[i]);
}

/* ---- around the clock ----------------------------------------------------------------------- */

static void probe_sample(struct keeper *k, const struct charter *charter,
                         const struct probe_sample *sample)
{
    const int64_t held = k->probes.held;
    for (size_t i = 0; i < alteration_count; i++)
        probe_evidence(k, charter, sample, &alterations[i]);
    probe_tokens(k, sample);
    LOG(DEBUG, "probes.ran", TEXT("policy", sample->policy), INT("held", k->probes.held - held));
}

/* About every so often, so that nobody knows when. */
static void set_due(struct probes *probes, int64_t every_seconds)
{
    const int64_t every_ms = every_seconds * 1000;
    probes->every_seconds = every_seconds;
    probes->due_ms = clock_monotonic_ms() + every_ms - every_ms / 4 +
                     (int64_t)random_below((uint64_t)every_ms / 2 + 1);
}

void keeper_probe(struct keeper *k, int64_t every_seconds)
{
    struct probes *probes = &k->probes;
    const struct charter *charter;
    struct error err = {0};
    probes->every_seconds = every_seconds;
    if (probes->count == 0 || clock_monotonic_ms() < probes->due_ms ||
        keeper_charter(k, &charter, &err) != OK)
        return;
    set_due(probes, every_seconds);
    while (probes->count > 0) {
        probes->next = probes->next < probes->count ? probes->next : 0;
        if (still_passes(k, charter, &probes->samples[probes->next])) {
            probe_sample(k, charter, &probes->samples[probes->next++]);
            break;
        }
        drop(probes, probes->next);
    }
    probes->turn++;
}
