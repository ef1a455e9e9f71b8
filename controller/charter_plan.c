#include "controller/charter_plan.h"

#include <stdlib.h>
#include <string.h>

#include "controller/plan_dates.h"
#include "db/endorsement_store.h"
#include "db/replay_store.h"
#include "lib/attest/kds.h"
#include "lib/attest/replay.h"

enum { PAGE = 32 }; /* evidence is up to half a megabyte */

struct planning {
    const struct plan_wish *wish;
    struct charter *candidate;
    struct replay *replay;
    struct moment at;
    struct digest_run digest;
    int64_t instances, unchanged, not_judged, flips;
    json_t *items;
    struct cohorts cohorts;
    struct plan_dates dates;
    struct uuid *rejected;
    size_t rejected_count, rejected_room;
};

static void planning_done(struct planning *p)
{
    replay_free(p->replay);
    charter_free(p->candidate);
    json_decref(p->items);
    cohorts_done(&p->cohorts);
    plan_dates_done(&p->dates);
    free(p->rejected);
}

void charter_plan_done(struct charter_plan *plan)
{
    json_decref(plan->shown);
    free(plan->rejected);
    *plan = (struct charter_plan){0};
}

static enum outcome begin(struct planning *p, struct error *err)
{
    OWNED(mem_drop) char *text = json_print(p->wish->content);
    TRY(charter_parse(span_of_text(text), &p->candidate, err));
    p->at = moment_is_none(p->wish->at) ? clock_now() : p->wish->at;
    p->replay = replay_new(p->candidate, clock_now());
    digest_start(&p->digest, DIGEST_SHA256);
    digest_more(&p->digest, SPAN(text, strlen(text) + 1));
    return OK;
}

/* ---- the digest ----------------------------------------------------------------------------- */

static void digest_text(struct planning *p, const char *text)
{
    digest_more(&p->digest, SPAN(text, strlen(text) + 1));
}

/* Not the verdict's id: a machine that proved the same again is no other machine. */
static void digest_row(struct planning *p, const struct replay_row *row)
{
    const uint8_t bits[] = {(uint8_t)row->level, (uint8_t)row->documents};
    digest_more(&p->digest, SPAN_OF(row->id.at));
    digest_text(p, row->policy);
    digest_text(p, row->verdict);
    digest_more(&p->digest, SPAN_OF(bits));
}

static void digest_answer(struct planning *p, const struct replay_answer *answer)
{
    const uint8_t bits[] = {answer->trusted, (uint8_t)answer->level, (uint8_t)answer->product,
                            (uint8_t)answer->documents};
    digest_more(&p->digest, SPAN_OF(bits));
    digest_more(&p->digest, SPAN_OF(answer->measurement));
    digest_text(p, answer->reason);
}

/* ---- one instance --------------------------------------------------------------------------- */

static const char *word_of(bool trusted)
{
    return trusted ? "trusted" : "rejected";
}

/* How it stands, before a flip and after. */
struct standing_as {
    bool trusted;
    int64_t level;
    enum document_state documents;
};

static struct standing_as standing_now(const struct replay_row *row)
{
    const bool trusted = strcmp(row->verdict, word_of(true)) == 0;
    return (struct standing_as){trusted, row->level, trusted ? row->documents : DOCUMENTS_NONE};
}

static struct standing_as standing_of(const struct replay_answer *answer)
{
    return (struct standing_as){answer->trusted, (int64_t)answer->level, answer->documents};
}

static void put_documents(json_t *out, const char *name, enum document_state documents)
{
    json_put_text(out, name, name_of(&document_state_names, (int)documents));
}

static json_t *flip_to_json(const struct replay_row *row, const struct replay_answer *answer,
                            struct standing_as from)
{
    json_t *out = json_object();
    json_put_uuid(out, "instance", &row->id);
    json_put_text(out, "fleet", row->fleet);
    json_put_text(out, "account", row->account);
    json_put_text(out, "image", row->image);
    json_put_text(out, "region", row->region);
    json_put_text(out, "policy", row->policy);
    json_put_text(out, "product", name_of(&snp_product_names, (int)answer->product));
    json_put_hex(out, "measurement", SPAN_OF(answer->measurement));
    json_put_text(out, "from", word_of(from.trusted));
    json_put_text(out, "to", word_of(answer->trusted));
    json_put_text(out, "reason", answer->reason);
    json_put_int(out, "level_from", from.level);
    json_put_int(out, "level_to", (int)answer->level);
    put_documents(out, "documents_from", from.documents);
    put_documents(out, "documents_to", answer->documents);
    return out;
}

/* A level that changes is a flip too, and so is what its cloud's documents say of it: a grant may
 * ask for either. */
static bool is_flip(struct standing_as from, const struct replay_answer *answer)
{
    return from.trusted != answer->trusted || from.level != (int64_t)answer->level ||
           from.documents != answer->documents;
}

static void remember_rejected(struct planning *p, const struct uuid *id)
{
    if (p->rejected_count == p->rejected_room) {
        p->rejected_room = 2 * p->rejected_room + 64;
        p->rejected = mem_resize(p->rejected, p->rejected_room, sizeof *p->rejected);
    }
    p->rejected[p->rejected_count++] = *id;
}

static void show_flip(struct planning *p, const struct replay_row *row,
                      const struct replay_answer *answer, struct standing_as from)
{
    OWNED(json_drop) json_t *flip = flip_to_json(row, answer, from);
    cohorts_count(&p->cohorts, flip);
    if (p->flips++ < PLAN_FLIPS_MOST)
        json_add_new(p->items, json_incref(flip));
    if (from.trusted && !answer->trusted)
        remember_rejected(p, &row->id);
}

/* ---- later ---------------------------------------------------------------------------------- */

static void flip_later(struct planning *p, const struct replay_row *row, struct moment at,
                       const struct replay_answer *answer, struct standing_as from, bool shown)
{
    digest_more(&p->digest, SPAN(&at.us, sizeof at.us));
    digest_answer(p, answer);
    OWNED(json_drop) json_t *flip = flip_to_json(row, answer, from);
    if (shown)
        plan_dates_count(&p->dates, at, flip);
}

/* The policy's dates for this machine, and the end of the certificates behind its evidence. */
static void dates_of(const struct planning *p, const struct charter_policy *policy,
                     const struct replay_answer *now, struct charter_dates *out)
{
    const struct moment end = now->endorsed_until;
    *out = (struct charter_dates){
        .after = p->at,
        .until = moment_add_seconds(p->at, PLAN_HORIZON_DAYS * INT64_C(86400)),
        .product = now->product,
        .measurement = SPAN_OF(now->measurement),
    };
    charter_dates(policy, out);
    const bool is_full = out->count == CHARTER_DATES_MAX;
    if (end.us <= out->after.us || end.us > out->until.us ||
        (is_full && end.us >= out->at[out->count - 1].us))
        return;
    size_t i = is_full ? out->count - 1 : out->count++;
    for (; i > 0 && out->at[i - 1].us > end.us; i--)
        out->at[i] = out->at[i - 1];
    out->at[i] = end;
}

/* A charter that ends takes all with it, but the next one will say as much as it did: what comes
 * after is shown as if it had. */
static void end_of_charter(struct planning *p, const struct replay_row *row, struct moment from,
                           struct moment to, const struct replay_answer *now, bool shown)
{
    const struct moment end = p->candidate->expires;
    if (!now->trusted || end.us <= from.us || end.us > to.us)
        return;
    struct replay_answer over = *now;
    over.trusted = false;
    over.level = LEVEL_0;
    error_ignore(text_copy(over.reason, sizeof over.reason, "charter-expired", "", NULL));
    flip_later(p, row, end, &over, standing_of(now), shown);
}

static void look_ahead(struct planning *p, const struct replay_row *row, struct replay_case *c,
                       const struct replay_answer *now, bool shown)
{
    const struct charter_policy *policy = charter_find_policy(p->candidate, row->policy);
    struct charter_dates dates;
    struct replay_answer before = *now;
    struct moment from = p->at;
    if (policy == NULL)
        return;
    dates_of(p, policy, now, &dates);
    for (size_t i = 0; i < dates.count; i++) {
        struct replay_answer then;
        end_of_charter(p, row, from, dates.at[i], &before, shown);
        from = dates.at[i];
        c->at =
            moment_add_seconds(from, 1); /* a certificate counts to the end of its last second */
        replay_judge(p->replay, c, &then);
        if (is_flip(standing_of(&before), &then))
            flip_later(p, row, from, &then, standing_of(&before), shown);
        before = then;
    }
    end_of_charter(p, row, from, dates.until, &before, shown);
}

/* ---- every instance ------------------------------------------------------------------------- */

static void take_row(struct planning *p, const struct replay_row *row)
{
    struct replay_answer answer;
    struct cloud_declared declared;
    struct replay_case c = {
        .evidence = bytes_span(&row->evidence),
        .policy = row->policy,
        .at = p->at,
        .declared = &declared,
        .signature_known = row->signature_known,
        .documents_then = {.bad_time = row->bad_time, .bad_nonce = row->bad_nonce}};
    const bool shown = p->wish->policy == NULL || strcmp(p->wish->policy, row->policy) == 0;
    const struct standing_as from = standing_now(row);
    p->instances += shown;
    digest_row(p, row);
    if (row->evidence.len == 0) {
        p->not_judged += shown;
        return;
    }
    memcpy(c.link_key, row->link_key, sizeof c.link_key);
    memcpy(declared.region, row->region, sizeof declared.region);
    memcpy(declared.machine, row->machine, sizeof declared.machine);
    replay_judge(p->replay, &c, &answer);
    digest_answer(p, &answer);
    if (shown && is_flip(from, &answer))
        show_flip(p, row, &answer, from);
    else
        p->unchanged += shown;
    look_ahead(p, row, &c, &answer, shown);
}

static enum outcome walk(struct planning *p, struct db *db, struct error *err)
{
    struct uuid after = {0};
    for (;;) {
        OWNED(replay_row_list_done) struct replay_row_list page = {0};
        TRY(replay_store_page(db, p->wish->project, uuid_is_zero(&after) ? NULL : &after, PAGE,
                              &page, err));
        for (size_t i = 0; i < page.count; i++)
            take_row(p, &page.at[i]);
        if (page.count < PAGE)
            return OK;
        after = page.at[page.count - 1].id;
    }
}

/* ---- the plan ------------------------------------------------------------------------------- */

static json_t *plan_to_json(const struct planning *p, const uint8_t hash[static SHA256_SIZE])
{
    json_t *out = json_object();
    json_t *flips = json_object();
    json_put_int(flips, "count", p->flips);
    json_put_new(flips, "items", json_incref(p->items));
    json_put_int(out, "serial", p->candidate->serial);
    json_put_hex(out, "digest", SPAN(hash, SHA256_SIZE));
    json_put_moment(out, "at", p->at);
    json_put_int(out, "instances", p->instances);
    json_put_int(out, "unchanged", p->unchanged);
    json_put_int(out, "not_judged", p->not_judged);
    json_put_new(out, "flips", flips);
    json_put_new(out, "cohorts", cohorts_to_json(&p->cohorts));
    json_put_new(out, "later", plan_dates_to_json(&p->dates));
    json_put_int(out, "later_left_out", p->dates.left_out);
    return out;
}

/* What a keeper is sent beside the evidence. */
static enum outcome take_lists(struct planning *p, struct db *db, struct error *err)
{
    for (int line = 0; line < LINE_COUNT; line++) {
        char name[KDS_NAME_SIZE];
        OWNED(endorsement_done) struct endorsement row = {0};
        const struct kds_item item = kds_crl_of((enum snp_line)line);
        kds_name(&item, name);
        enum outcome outcome = endorsement_store_find(db, name, &row, err);
        if (outcome == OK)
            replay_use_list(p->replay, (enum snp_line)line, bytes_span(&row.content));
        else if (outcome != ERR_NOT_FOUND)
            return outcome;
    }
    return OK;
}

enum outcome charter_plan_make(struct db *db, const struct plan_wish *wish,
                               struct charter_plan *out, struct error *err)
{
    OWNED(planning_done) struct planning p = {.wish = wish, .items = json_array()};
    TRY(begin(&p, err));
    enum outcome outcome = take_lists(&p, db, err);
    if (outcome == OK)
        outcome = walk(&p, db, err);
    digest_end(&p.digest, out->digest);
    TRY(outcome);
    out->shown = plan_to_json(&p, out->digest);
    out->rejected = TAKE(p.rejected);
    out->rejected_count = p.rejected_count;
    return OK;
}
