#include "controller/api.h"

#include "db/alarm_store.h"

json_t *alarms_to_json(const struct alarm_list *list)
{
    json_t *items = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_add_new(items, record_to_json(&alarm_record, &list->at[i]));
    return items;
}

/* No pages: of more than are shown, the number says how many. */
enum outcome alarms_list(struct request *r, struct error *err)
{
    OWNED(alarm_list_done) struct alarm_list list = {0};
    TRY(alarm_store_list(r->db, r->caller.project, NULL, &list, err));
    json_t *out = json_object();
    json_put_new(out, "items", alarms_to_json(&list));
    json_put_int(out, "total", list.count > 0 ? list.at[0].total : 0);
    request_answer(r, 200, out);
    return OK;
}
