#include "controller/api.h"

#include "db/keeper_store.h"

/* Each once, as it last started; what any controller heard of it. */
enum outcome keepers_list(struct request *r, struct error *err)
{
    OWNED(keeper_row_list_done) struct keeper_row_list list = {0};
    TRY(keeper_store_list(r->db, &list, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, record_to_json(&keeper_row_record, &list.at[i]));
    request_answer(r, 200, json_pack("{s:o}", "items", items));
    return OK;
}

enum outcome keepers_forget(struct request *r, struct error *err)
{
    TRY(keeper_store_forget(r->db, r->args[0], r->actor, err));
    request_answer(r, 200, json_pack("{s:s, s:b}", "keeper", r->args[0], "forgotten", true));
    return OK;
}
