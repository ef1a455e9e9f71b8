#include "controller/api.h"

#include <stdio.h>

#include "db/audit_store.h"

static enum outcome read_number(const struct request *r, const char *name, const char *code,
                                int64_t *out, struct error *err)
{
    const char *text = request_query(r, name);
    if (text == NULL || number_parse(text, 0, INT64_MAX, out, NULL) == OK)
        return OK;
    char where[ERROR_WHERE_SIZE];
    snprintf(where, sizeof where, "?%s", name);
    return fail_at(err, ERR_INVALID, code, where, "%s: not a number of this list", name);
}

/* The chained entries in order of their numbers. What is not yet sealed is not yet shown, so a
 * reader who goes on from the last number misses nothing. */
enum outcome audit_list(struct request *r, struct error *err)
{
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    int64_t after = 0, limit;
    TRY(request_limit(r, &limit, err));
    TRY(read_number(r, "after", "bad-parameter", &after, err));
    TRY(read_number(r, "cursor", "bad-cursor", &after, err));
    TRY(audit_store_list(r->db, r->caller.project, after, limit, &list, err));
    json_t *items = json_array();
    for (size_t i = 0; i < list.count; i++)
        json_add_new(items, record_to_json(&audit_record, &list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    if (list.count > 0)
        after = list.at[list.count - 1].number;
    json_put_int(page, "after", after);
    if (list.count == (size_t)limit) {
        OWNED(text_done) struct text cursor = {0};
        text_addf(&cursor, "%lld", (long long)after);
        json_put_text(page, "cursor", text_str(&cursor));
    }
    request_answer(r, 200, page);
    return OK;
}
