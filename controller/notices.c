#include "controller/notices.h"

#include "db/notice_store.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

#define CLEAN(to, from, member) text_clip((to)->member, sizeof(to)->member, (from)->member)

/* A time before 1970 says nothing, and one that no date can hold is as far as dates go. */
static struct moment date_of(struct moment said)
{
    if (said.us <= 0)
        return (struct moment){0};
    return moment_seconds(said) > NOTICE_LATEST ? clock_at_seconds(NOTICE_LATEST) : said;
}

static void add(struct text *out, const struct notice *said)
{
    struct notice clean = {.not_before = date_of(said->not_before),
                           .not_after = date_of(said->not_after),
                           .deadline = date_of(said->deadline),
                           .is_ours_to_time = said->is_ours_to_time};
    CLEAN(&clean, said, ref);
    CLEAN(&clean, said, event);
    CLEAN(&clean, said, kind);
    CLEAN(&clean, said, status);
    CLEAN(&clean, said, text);
    OWNED(json_drop) json_t *object = record_to_json(&notice_record, &clean);
    OWNED(mem_drop) char *line = json_print(object);
    text_add(out, out->len > 1 ? "," : "");
    text_add(out, line);
}

enum outcome notices_look(struct worker *w, const struct account_place *place,
                          const struct sighting_list *seen, struct error *err)
{
    OWNED(text_done) struct text said = {0};
    struct notice_changes changes;
    const struct notice_list *list = &seen->notices;
    const size_t count = list->count < NOTICES_MOST ? list->count : NOTICES_MOST;
    const bool unknown = seen->notices_unknown.code[0] != '\0';
    if (unknown || count < list->count)
        LOG(WARN, "notices.not-whole", TEXT("account", place->name),
            TEXT("project", place->project), INT("count", (int64_t)list->count),
            TEXT("code", seen->notices_unknown.code), TEXT("text", seen->notices_unknown.text));
    text_add(&said, "[");
    for (size_t i = 0; i < count; i++)
        add(&said, &list->at[i]);
    text_add(&said, "]");
    const struct notice_look look = {
        .place = place,
        .said = text_str(&said),
        .whole = !seen->partial && !unknown && count == list->count,
    };
    TRY(notice_store_look(w->db, &look, w->holder, &changes, err));
    if (changes.given + changes.changed + changes.ended > 0)
        LOG(WARN, "notices.changed", TEXT("account", place->name), TEXT("project", place->project),
            INT("given", changes.given), INT("changed", changes.changed),
            INT("ended", changes.ended));
    return OK;
}

enum outcome notices_count(struct worker *w, struct error *err)
{
    int64_t count, near;
    TRY(notice_store_count(w->db, &count, &near, err));
    metric_set(METRIC_NOTICES, count);
    metric_set(METRIC_NOTICES_NEAR, near);
    return OK;
}
