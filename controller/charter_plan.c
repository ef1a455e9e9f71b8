#include "controller/charter_plan.h"

#include <string.h>

#include "db/endorsement_store.h"
#include "db/replay_store.h"
#include "lib/attest/kds.h"
#include "lib/attest/replay.h"

/* Evidence is up to half a megabyte, a name is not. */
enum { PAGE = 32, NAMES_PAGE = 500 };

struct planning {
    struct replay *replay;
    struct digest_run digest;
    int64_t instances, unchanged, not_judged, flips;
    json_t *items;
    json_t *cohorts; /* by their key */
};

static void planning_done(struct planning *p)
{
    replay_free(p->replay);
    json_decref(p->items);
    json_decref(p->cohorts);
}

/* ---- page by page --------------------------------------------------------------------------- */

/* Every instance of a project, as one of the stores' pages gives it. */
struct walk {
    enum outcome (*page)(struct db *db, const char *project, const struct uuid *after,
                         int64_t limit, struct replay_row_list *out, struct error *err);
    size_t limit;
    void (*take)(void *context, const struct replay_row *row);
    void *context;
};

static enum outcome walk(struct db *db, const char *project, const struct walk *w,
                         struct error *err)
{
    struct uuid after = {0};
    for (;;) {
        OWNED(replay_row_list_done) struct replay_row_list page = {0};
        TRY(w->page(db, project, uuid_is_zero(&after) ? NULL : &after, (int64_t)w->limit, &page,
                    err));
        for (size_t i = 0; i < page.count; i++)
            w->take(w->context, &page.at[i]);
        if (page.count < w->limit)
            return OK;
        after = page.at[page.count - 1].id;
    }
}

/* ---- the digest ----------------------------------------------------------------------------- */

static void digest_begin(struct digest_run *run, const json_t *content)
{
    OWNED(mem_drop) char *text = json_print(content);
    digest_start(run, DIGEST_SHA256);
    digest_more(run, SPAN(text, strlen(text) + 1));
}

static void digest_row(void *context, const struct replay_row *row)
{
    struct digest_run *run = context;
    digest_more(run, SPAN_OF(row->id.at));
    digest_more(run, SPAN_OF(row->verdict_id.at));
    digest_more(run, SPAN(row->policy, strlen(row->policy) + 1));
}

enum outcome charter_plan_digest(struct db *db, const char *project, const json_t *content,
                                 uint8_t out[static SHA256_SIZE], struct error *err)
{
    struct digest_run run;
    const struct walk names = {replay_store_standing, NAMES_PAGE, digest_row, &run};
    digest_begin(&run, content);
    enum outcome outcome = walk(db, project, &names, err);
    digest_end(&run, out);
    return outcome;
}

/* ---- one instance --------------------------------------------------------------------------- */

static const char *word_of(bool trusted)
{
    return trusted ? "trusted" : "rejected";
}

static json_t *flip_to_json(const struct replay_row *row, const struct replay_answer *answer)
{
    json_t *out = json_object();
    json_put_uuid(out, "instance", &row->id);
    json_put_text(out, "fleet", row->fleet);
    json_put_text(out, "account", row->account);
    json_put_text(out, "region", row->region);
    json_put_text(out, "policy", row->policy);
    json_put_text(out, "product", name_of(&snp_product_names, (int)answer->product));
    json_put_hex(out, "measurement", SPAN_OF(answer->measurement));
    json_put_text(out, "from", row->verdict);
    json_put_text(out, "to", word_of(answer->trusted));
    json_put_text(out, "reason", answer->reason);
    json_put_int(out, "level_from", row->level);
    json_put_int(out, "level_to", (int)answer->level);
    return out;
}

/* Alike in fleet, policy, product, measurement, region, and in what becomes of them. */
static void count_cohort(struct planning *p, json_t *flip)
{
    static const char *const alike[] = {"fleet",       "region", "policy", "product",
                                        "measurement", "from",   "to",     "reason"};
    OWNED(text_done) struct text key = {0};
    for (size_t i = 0; i < countof(alike); i++)
        text_addf(&key, "%s\n", json_string_value(json_object_get(flip, alike[i])));
    json_t *cohort = json_object_get(p->cohorts, text_str(&key));
    if (cohort == NULL) {
        cohort = json_object();
        for (size_t i = 0; i < countof(alike); i++)
            json_put_new(cohort, alike[i], json_incref(json_object_get(flip, alike[i])));
        json_put_new(p->cohorts, text_str(&key), cohort);
    }
    json_put_int(cohort, "count", json_integer_value(json_object_get(cohort, "count")) + 1);
}

/* A level that changes is a flip too: a grant may ask for it. */
static void take_row(void *context, const struct replay_row *row)
{
    struct planning *p = context;
    struct replay_answer answer;
    struct replay_case c = {.evidence = bytes_span(&row->evidence),
                            .policy = row->policy,
                            .signature_known = row->signature_known};
    p->instances++;
    digest_row(&p->digest, row);
    if (row->evidence.len == 0) {
        p->not_judged++;
        return;
    }
    memcpy(c.link_key, row->link_key, sizeof c.link_key);
    replay_judge(p->replay, &c, &answer);
    const bool was_trusted = strcmp(row->verdict, word_of(true)) == 0;
    if (was_trusted == answer.trusted && row->level == (int64_t)answer.level) {
        p->unchanged++;
        return;
    }
    OWNED(json_drop) json_t *flip = flip_to_json(row, &answer);
    count_cohort(p, flip);
    if (p->flips++ < PLAN_FLIPS_MOST)
        json_add_new(p->items, json_incref(flip));
}

/* ---- the plan ------------------------------------------------------------------------------- */

static json_t *cohorts_to_json(const struct planning *p)
{
    json_t *list = json_array();
    const char *key;
    json_t *cohort;
    json_object_foreach (p->cohorts, key, cohort)
        json_add_new(list, json_incref(cohort));
    return list;
}

static json_t *plan_to_json(struct planning *p, const struct charter *candidate,
                            const uint8_t hash[static SHA256_SIZE])
{
    json_t *out = json_object();
    json_t *flips = json_object();
    json_put_int(flips, "count", p->flips);
    json_put_new(flips, "items", json_incref(p->items));
    json_put_int(out, "serial", candidate->serial);
    json_put_hex(out, "digest", SPAN(hash, SHA256_SIZE));
    json_put_int(out, "instances", p->instances);
    json_put_int(out, "unchanged", p->unchanged);
    json_put_int(out, "not_judged", p->not_judged);
    json_put_new(out, "flips", flips);
    json_put_new(out, "cohorts", cohorts_to_json(p));
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

enum outcome charter_plan(struct db *db, const char *project, const struct charter *candidate,
                          const json_t *content, json_t **out, struct error *err)
{
    uint8_t hash[SHA256_SIZE];
    OWNED(planning_done)
    struct planning p = {.replay = replay_new(candidate, clock_now()),
                         .items = json_array(),
                         .cohorts = json_object()};
    const struct walk whole = {replay_store_page, PAGE, take_row, &p};
    digest_begin(&p.digest, content);
    enum outcome outcome = take_lists(&p, db, err);
    if (outcome == OK)
        outcome = walk(db, project, &whole, err);
    digest_end(&p.digest, hash);
    if (outcome == OK)
        *out = plan_to_json(&p, candidate, hash);
    return outcome;
}
