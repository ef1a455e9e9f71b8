#include "db/verdict_store.h"

#include <string.h>

#include "db/audit_store.h"
#include "db/instance_history.h"
#include "lib/crypto/random.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(verdict_row, id,              FIELD_UUID),
    FIELD(verdict_row, project,         FIELD_TEXT),
    FIELD(verdict_row, instance,        FIELD_UUID),
    FIELD(verdict_row, kind,            FIELD_TEXT),
    FIELD(verdict_row, verdict,         FIELD_TEXT),
    FIELD(verdict_row, reason,          FIELD_TEXT),
    FIELD(verdict_row, level,           FIELD_INT),
    FIELD(verdict_row, hardware,        FIELD_NAME, .names = &source_names),
    FIELD(verdict_row, software,        FIELD_NAME, .names = &source_names),
    FIELD(verdict_row, identity,        FIELD_NAME, .names = &source_names),
    FIELD(verdict_row, simulated,       FIELD_BOOL),
    FIELD(verdict_row, claims,          FIELD_JSON),
    FIELD(verdict_row, checks,          FIELD_JSON),
    FIELD(verdict_row, policy,          FIELD_TEXT),
    FIELD(verdict_row, charter_serial,  FIELD_INT),
    FIELD(verdict_row, keeper,          FIELD_TEXT),
    FIELD(verdict_row, nonce_issued,    FIELD_MOMENT),
    FIELD(verdict_row, valid_until,     FIELD_MOMENT),
    FIELD(verdict_row, link_key,        FIELD_HEX),
    FIELD(verdict_row, sealing_key,     FIELD_HEX),
    FIELD(verdict_row, anchor,          FIELD_HEX),
    FIELD(verdict_row, report_id,       FIELD_HEX),
    FIELD(verdict_row, evidence_digest, FIELD_HEX),
    FIELD(verdict_row, token,           FIELD_STRING, .flags = FIELD_HIDDEN),
    FIELD(verdict_row, testimony,       FIELD_STRING, .flags = FIELD_HIDDEN),
    FIELD(verdict_row, testimony_cert,  FIELD_BYTES, .flags = FIELD_HIDDEN),
    FIELD(verdict_row, crl_digest,      FIELD_HEX, .flags = FIELD_HIDDEN),
    FIELD(verdict_row, audit_id,        FIELD_INT, .flags = FIELD_HIDDEN),
    FIELD(verdict_row, platform,        FIELD_JSON, .flags = FIELD_HIDDEN),
    FIELD(verdict_row, created,         FIELD_MOMENT),
};
/* clang-format on */
const struct record verdict_row_record = RECORD(verdict_row, fields);
RECORD_LIST_BODY(verdict_row, &verdict_row_record)

void verdict_row_done(struct verdict_row *row)
{
    record_done(&verdict_row_record, row);
}

static struct param p(const struct verdict_row *row, const char *field)
{
    return p_field(&verdict_row_record, row, field);
}

static enum outcome add(struct db *db, const struct verdict_row *row, struct error *err)
{
    return db_run(db, SQL_VERDICT_ADD,
                  PARAMS(p(row, "id"), p(row, "project"), p(row, "instance"), p(row, "kind"),
                         p(row, "verdict"), p(row, "reason"), p(row, "level"), p(row, "hardware"),
                         p(row, "software"), p(row, "identity"), p(row, "simulated"),
                         p(row, "claims"), p(row, "checks"), p(row, "policy"),
                         p(row, "charter_serial"), p(row, "keeper"), p(row, "nonce_issued"),
                         p(row, "valid_until"), p(row, "link_key"), p(row, "sealing_key"),
                         p(row, "anchor"), p(row, "report_id"), p(row, "evidence_digest"),
                         p(row, "token"), p(row, "testimony"), p(row, "testimony_cert"),
                         p(row, "crl_digest"), p(row, "audit_id")),
                  NULL, err);
}

/* The keys of a rejected claimant are not the instance's. */
static enum outcome change_trust(struct db *db, const struct verdict_row *row, const char *actor,
                                 struct instance *out, struct error *err)
{
    bool trusted = strcmp(row->verdict, "trusted") == 0;
    const struct trust_change change = {
        .event = trusted ? TRUST_PASSED : TRUST_REFUSED,
        .reason = row->reason,
        .verdict_id = row->id,
        .valid_until = row->valid_until,
        .renew_at = row->renew_at,
        .level = row->level,
        .simulated = row->simulated,
        .link_key = trusted ? row->link_key : NULL,
        .sealing_key = trusted ? row->sealing_key : NULL,
        .anchor = trusted ? row->anchor : NULL,
        .report_id = trusted ? row->report_id : NULL,
    };
    return instance_store_set_trust(db, &row->instance, &change, actor, out, err);
}

static enum outcome tell(struct db *db, struct verdict_row *row, const char *actor,
                         struct error *err)
{
    OWNED(json_drop) json_t *detail = json_object();
    json_put_uuid(detail, "verdict_id", &row->id);
    json_put_text(detail, "verdict", row->verdict);
    json_put_text(detail, "reason", row->reason);
    json_put_int(detail, "level", row->level);
    json_put_text(detail, "policy", row->policy);
    json_put_int(detail, "charter_serial", row->charter_serial);
    json_put_bool(detail, "simulated", row->simulated);
    json_put_hex(detail, "evidence_digest", SPAN_OF(row->evidence_digest));
    return audit_store_add(db, row->project, actor, "verdict.given",
                           instance_object(&row->instance).at, detail, &row->audit_id, err);
}

static enum outcome keep(struct db *db, const char *kind, struct span matter,
                         uint8_t out_digest[static SHA256_SIZE], struct error *err)
{
    digest(DIGEST_SHA256, matter, out_digest);
    return db_run(db, SQL_EVIDENCE_ADD,
                  PARAMS(p_bytes(SPAN(out_digest, SHA256_SIZE)), p_text(kind), p_bytes(matter)),
                  NULL, err);
}

enum outcome verdict_store_record(struct db *db, struct verdict_row *row, struct span evidence,
                                  const char *actor, struct instance *out, struct error *err)
{
    OWNED(transaction_end) struct transaction tx = {0};
    TRY(transaction_begin(db, &tx, err));
    if (uuid_is_zero(&row->id))
        row->id = uuid_new();
    TRY(keep(db, row->kind, evidence, row->evidence_digest, err));
    if (row->crl.len > 0)
        TRY(keep(db, "crl", row->crl, row->crl_digest, err));
    TRY(tell(db, row, actor, err));
    TRY(add(db, row, err));
    TRY(change_trust(db, row, actor, out, err));
    TRY(db_wake(db, err));
    return transaction_commit(&tx, err);
}

enum outcome verdict_store_find(struct db *db, const struct uuid *id, struct verdict_row *out,
                                struct error *err)
{
    return db_one(db, SQL_VERDICT_FIND, PARAMS(p_uuid(id)), &verdict_row_record, out, "verdict",
                  err);
}

enum outcome verdict_store_list(struct db *db, const struct uuid *instance,
                                const struct uuid *before, int64_t limit,
                                struct verdict_row_list *out, struct error *err)
{
    return verdict_row_list_of(
        db, SQL_VERDICT_LIST,
        PARAMS(p_uuid(instance), before != NULL ? p_uuid(before) : p_null(), p_int(limit)), out,
        err);
}

enum outcome verdict_store_current(struct db *db, const struct uuid *instance,
                                   struct verdict_row *out, struct error *err)
{
    return db_one(db, SQL_VERDICT_CURRENT, PARAMS(p_uuid(instance)), &verdict_row_record, out,
                  "verdict that stands", err);
}

enum outcome evidence_store_find(struct db *db, const uint8_t digest_of[static SHA256_SIZE],
                                 struct bytes *out, char out_kind[static 32], struct error *err)
{
    OWNED(rows_drop) struct rows *rows = NULL;
    TRY(db_run(db, SQL_EVIDENCE_FIND, PARAMS(p_bytes(SPAN(digest_of, SHA256_SIZE))), &rows, err));
    if (rows_count(rows) == 0)
        return fail(err, ERR_NOT_FOUND, "no evidence of that digest");
    OWNED(mem_drop) char *kind = rows_text(rows, 0, 0);
    TRY(text_copy(out_kind, 32, kind, "kind", err));
    *out = bytes_copy(rows_bytes(rows, 0, 1));
    return OK;
}
