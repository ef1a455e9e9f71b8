#include "controller/api.h"

#include "db/audit_store.h"

/* The chained entries in order of their numbers. What is not yet sealed is not yet shown, so a
 * reader who goes on from the last number misses nothing. */
enum outcome audit_list(struct request *r, struct error *err)
{
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    const char *text = request_query(r, "after");
    int64_t after = 0, limit;
    TRY(request_limit(r, &limit, err));
    if (text != NULL && number_parse(text, 0, INT64_MAX, &after, NULL) != OK)
        return fail_at(err, ERR_INVALID, "bad-parameter", "?after", "after: not a number");
    TRY(audit_store_list(r->db, r->caller.project, after, limit, &list, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, record_to_json(&audit_record, &list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    json_put_int(page, "after", list.count > 0 ? list.at[list.count - 1].number : after);
    request_answer(r, 200, page);
    return OK;
}
