#include "controller/api.h"

#include <stdio.h>
#include <string.h>

#include "controller/endorser.h"
#include "db/audit_store.h"

/* Names are longer than those of other things, so the cursor is the name itself. */
static enum outcome read_after(const struct request *r, const char **out, struct error *err)
{
    const char *cursor = request_query(r, "cursor");
    *out = cursor;
    for (const char *at = cursor; at != NULL && *at != '\0'; at++)
        if (strchr("abcdefghijklmnopqrstuvwxyzGMT0123456789-", *at) == NULL ||
            at - cursor >= ENDORSEMENT_NAME_SIZE)
            return fail_at(err, ERR_INVALID, "bad-cursor", "?cursor", "not a cursor of this list");
    return OK;
}

enum outcome endorsements_list(struct request *r, struct error *err)
{
    OWNED(endorsement_list_done) struct endorsement_list list = {0};
    const char *after;
    int64_t limit;
    TRY(request_limit(r, &limit, err));
    TRY(read_after(r, &after, err));
    TRY(endorsement_store_list(r->db, after, limit + 1, &list, err));
    const size_t shown = list.count > (size_t)limit ? (size_t)limit : list.count;
    json_t *items = json_array();
    for (size_t i = 0; i < shown; i++)
        json_add_new(items, record_to_json(&endorsement_record, &list.at[i]));
    json_t *page = json_object();
    json_put_new(page, "items", items);
    if (list.count > shown)
        json_put_text(page, "cursor", list.at[shown - 1].name);
    request_answer(r, 200, page);
    return OK;
}

enum outcome endorsements_show(struct request *r, struct error *err)
{
    OWNED(endorsement_done) struct endorsement found = {0};
    TRY(endorsement_store_find(r->db, r->args[0], &found, err));
    bytes_add(&r->reply->body, bytes_span(&found.content));
    r->reply->status = 200;
    r->reply->content_type = "application/octet-stream";
    return OK;
}

static enum outcome keep_piece(struct request *r, const struct kds_piece *piece, json_t *kept,
                               struct error *err)
{
    char name[KDS_NAME_SIZE], object[AUDIT_OBJECT_SIZE];
    OWNED(json_drop) json_t *detail = json_object();
    const struct snp_roots *roots =
        r->api->endorsement_roots != NULL ? r->api->endorsement_roots : snp_roots_amd();
    TRY(endorsement_take(r->db, roots, &piece->item, bytes_span(&piece->bytes), FROM_IMPORT, err));
    kds_name(&piece->item, name);
    snprintf(object, sizeof object, "endorsement:%s-%s",
             name_of(&snp_line_names, (int)piece->item.line),
             name_of(&kds_what_names, (int)piece->item.what));
    json_put_text(detail, "name", name);
    json_add_new(kept, json_string(name));
    return audit_store_add(r->db, r->caller.project, r->actor, "endorsement.imported", object,
                           detail, NULL, err);
}

/* What the file holds says what it is. All of it is kept or nothing. */
enum outcome endorsements_import(struct request *r, struct error *err)
{
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *kept = json_array();
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(json_only(r->body, "", (const char *const[]){"content", NULL}, err));
    TRY(json_get_base64(r->body, "", "content", KDS_ANSWER_MAX, &content, err));
    TRY(kds_sort(bytes_span(&content), &pieces, err));
    TRY(transaction_begin(r->db, &tx, err));
    for (size_t i = 0; i < pieces.count; i++)
        TRY(keep_piece(r, &pieces.at[i], kept, err));
    TRY(transaction_commit(&tx, err));
    json_t *answer = json_object();
    json_put_new(answer, "kept", json_incref(kept));
    request_answer(r, 200, answer);
    return OK;
}
