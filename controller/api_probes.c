#include "controller/api.h"

#include "db/probe_store.h"

/* What keepers' own probes and those of the controllers found, of each keeper's newest start. */
enum outcome probes_list(struct request *r, struct error *err)
{
    OWNED(probe_row_list_done) struct probe_row_list list = {0};
    TRY(probe_store_list(r->db, &list, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, record_to_json(&probe_row_record, &list.at[i]));
    request_answer(r, 200, json_pack("{s:o}", "items", items));
    return OK;
}
