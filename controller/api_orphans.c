/* What is paid for and no row answers for; removed only by hand, by whoever says its ref again. */
#include "controller/api.h"

#include "db/orphan_store.h"

static json_t *show(const struct orphan_row *orphan)
{
    json_t *out = record_to_json(&orphan_record, orphan);
    json_put_int(out, "age_seconds", moment_seconds_between(orphan->first_seen, clock_now()));
    return out;
}

enum { LISTED_MOST = 1000 };

enum outcome orphans_list(struct request *r, struct error *err)
{
    OWNED(orphan_row_list_done) struct orphan_row_list list = {0};
    TRY(orphan_store_list(r->db, r->caller.project, LISTED_MOST, &list, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, show(&list.at[i]));
    json_t *out = json_object();
    json_put_new(out, "items", items);
    request_answer(r, 200, out);
    return OK;
}

enum outcome orphans_remove(struct request *r, struct error *err)
{
    static const char *const members[] = {"ref", NULL};
    struct orphan_row orphan;
    struct uuid id;
    const char *ref;
    TRY(request_id(r, 0, &id, err));
    TRY(json_only(r->body, "", members, err));
    TRY(json_get_text(r->body, "", "ref", CLOUD_REF_SIZE - 1, &ref, err));
    TRY(orphan_store_ask(r->db, r->caller.project, &id, ref, r->actor, &orphan, err));
    request_answer(r, 202, show(&orphan));
    return OK;
}
