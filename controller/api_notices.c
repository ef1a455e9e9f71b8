/* What clouds say that they will do to the hosts of our machines; the next first. */
#include "controller/api.h"

#include "db/notice_store.h"

enum { HISTORY_MOST = 100 };

static enum outcome read_filter(struct request *r, struct notice_filter *out, struct error *err)
{
    const char *instance = request_query(r, "instance");
    *out = (struct notice_filter){
        .project = r->caller.project,
        .fleet = request_query(r, "fleet"),
        .account = request_query(r, "account"),
        .cursor = request_query(r, "cursor"),
    };
    if (instance != NULL && uuid_parse(instance, &out->instance, NULL) != OK)
        return fail_at(err, ERR_INVALID, "bad-parameter", "?instance", "instance is not a UUID");
    if (out->cursor != NULL && out->cursor[0] == '\0')
        return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    TRY(request_query_bool(r, "ended", &out->with_ended, err));
    return request_limit(r, &out->limit, err);
}

enum outcome notices_list(struct request *r, struct error *err)
{
    OWNED(notice_row_list_done) struct notice_row_list list = {0};
    struct notice_filter filter;
    char cursor[NOTICE_CURSOR_SIZE];
    TRY(read_filter(r, &filter, err));
    TRY(notice_store_list(r->db, &filter, &list, cursor, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, record_to_json(&notice_row_record, &list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    if (cursor[0] != '\0')
        json_put_text(page, "cursor", cursor);
    request_answer(r, 200, page);
    return OK;
}

/* One also tells what its cloud said of it before. */
enum outcome notices_show(struct request *r, struct error *err)
{
    OWNED(notice_change_list_done) struct notice_change_list changes = {0};
    struct notice_row notice = {0};
    struct uuid id;
    TRY(request_id(r, 0, &id, err));
    TRY(notice_store_find(r->db, r->caller.project, &id, &notice, err));
    TRY(notice_store_history(r->db, &id, HISTORY_MOST, &changes, err));
    json_t *history = json_array();
    for (size_t i = 0; i < changes.count; i++)
        json_add_new(history, record_to_json(&notice_change_record, &changes.at[i]));
    json_t *shown = record_to_json(&notice_row_record, &notice);
    json_put_new(shown, "history", history);
    request_answer(r, 200, shown);
    return OK;
}
