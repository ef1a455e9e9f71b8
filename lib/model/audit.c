#include "lib/model/audit.h"

#include <string.h>

/* clang-format off */
static const struct field fields[] = {
    FIELD(audit_entry, id,        FIELD_INT),
    FIELD(audit_entry, number,    FIELD_INT),
    FIELD(audit_entry, at,        FIELD_MOMENT),
    FIELD(audit_entry, project,   FIELD_TEXT),
    FIELD(audit_entry, actor,     FIELD_TEXT),
    FIELD(audit_entry, verb,      FIELD_TEXT),
    FIELD(audit_entry, object,    FIELD_TEXT),
    FIELD(audit_entry, detail,    FIELD_JSON),
    FIELD(audit_entry, prev_hash, FIELD_HEX),
    FIELD(audit_entry, hash,      FIELD_HEX),
};
/* clang-format on */
const struct record audit_record = RECORD(audit_entry, fields);

void audit_entry_done(struct audit_entry *entry)
{
    record_done(&audit_record, entry);
}

void audit_hash(const struct audit_entry *entry, uint8_t out[static SHA256_SIZE])
{
    OWNED(json_drop) json_t *said = record_to_json(&audit_record, entry);
    json_object_del(said, "id");
    json_object_del(said, "prev_hash");
    json_object_del(said, "hash");
    OWNED(mem_drop) char *canonical = json_print(said);
    static const char label[] = "muster-audit-v1";
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, SPAN(label, sizeof label));
    digest_more(&run, SPAN_OF(entry->prev_hash));
    digest_more(&run, span_of_text(canonical));
    digest_end(&run, out);
}

void audit_chain(struct audit_entry *entry, const struct audit_entry *head)
{
    entry->number = head != NULL ? head->number + 1 : 1;
    if (head != NULL)
        memcpy(entry->prev_hash, head->hash, SHA256_SIZE);
    else
        memset(entry->prev_hash, 0, SHA256_SIZE);
    audit_hash(entry, entry->hash);
}

enum outcome audit_check(const struct audit_entry *entry, const struct audit_entry *head,
                         struct error *err)
{
    static const uint8_t nothing[SHA256_SIZE];
    int64_t number = head != NULL ? head->number + 1 : 1;
    if (entry->number != number)
        return fail_code(err, ERR_DENIED, "audit-number", "entry %lld stands where %lld belongs",
                         (long long)entry->number, (long long)number);
    if (memcmp(entry->prev_hash, head != NULL ? head->hash : nothing, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "audit-link", "entry %lld does not follow the one before",
                         (long long)entry->number);
    uint8_t hash[SHA256_SIZE];
    audit_hash(entry, hash);
    if (memcmp(entry->hash, hash, SHA256_SIZE) != 0)
        return fail_code(err, ERR_DENIED, "audit-hash", "entry %lld was changed",
                         (long long)entry->number);
    return OK;
}
