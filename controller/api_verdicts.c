#include "controller/api.h"

#include <string.h>

#include "controller/bundles.h"
#include "db/verdict_store.h"
#include "lib/crypto/cert.h"

/* As `muster verify` prints one, with what is known of its making. The token stays in the row: it
 * is for the keeper's release and for nobody else (trust.md section 6). */
json_t *verdict_row_to_json(const struct verdict_row *row)
{
    json_t *out = record_to_json(&verdict_row_record, row);
    json_put_text(out, "level", name_of(&level_names, (int)row->level));
    json_put_int(out, "age_seconds", moment_seconds_between(row->nonce_issued, clock_now()));
    return out;
}

static enum outcome find(struct request *r, struct verdict_row *out, struct error *err)
{
    struct uuid id;
    TRY(request_id(r, 0, &id, err));
    TRY(verdict_store_find(r->db, &id, out, err));
    if (strcmp(out->project, r->caller.project) != 0)
        return fail(err, ERR_NOT_FOUND, "no such verdict");
    return OK;
}

enum outcome verdicts_show(struct request *r, struct error *err)
{
    OWNED(verdict_row_done) struct verdict_row row = {0};
    TRY(find(r, &row, err));
    request_answer(r, 200, verdict_row_to_json(&row));
    return OK;
}

enum outcome verdicts_evidence(struct request *r, struct error *err)
{
    OWNED(verdict_row_done) struct verdict_row row = {0};
    char kind[32];
    TRY(find(r, &row, err));
    TRY(evidence_store_find(r->db, row.evidence_digest, &r->reply->body, kind, err));
    r->reply->status = 200;
    r->reply->content_type = "application/octet-stream";
    return OK;
}

/* Sealed with the controller's own key: who exported it, and that no byte was lost on the way. What
 * it is worth stands inside. */
enum outcome verdicts_bundle(struct request *r, struct error *err)
{
    OWNED(verdict_row_done) struct verdict_row row = {0};
    OWNED(bundle_done) struct bundle bundle = {0};
    OWNED(mem_drop) char *sealed = NULL;
    TRY(find(r, &row, err));
    TRY(bundle_gather(r->db, &row, &bundle, err));
    bundle.exported = clock_now();
    TRY(cert_to_der(r->api->seal_cert, &bundle.certificate, err));
    TRY(bundle_seal(&bundle, r->api->seal_key, &sealed, err));
    bytes_add(&r->reply->body, span_of_text(sealed));
    r->reply->status = 200;
    r->reply->content_type = "application/octet-stream";
    return OK;
}
