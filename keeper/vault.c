#include "keeper/vault.h"

#include <string.h>

#include "lib/crypto/aead.h"

/* magic[8] || u32 length of label || label (canonical JSON) || wrapped data key || sealed. The
 * label as written is the associated data of both, so it is read back before it is believed. */
static const char magic[8] = "MUSTREC1";

enum { LABEL_MAX = 1024, WRAPPED_MAX = 1024 };

/* clang-format off */
static const struct field label_fields[] = {
    FIELD(secret_label, secret, FIELD_UUID),
    FIELD(secret_label, name, FIELD_TEXT),
    FIELD(secret_label, version, FIELD_INT, .least = 1, .most = INT32_MAX),
    FIELD(secret_label, kind, FIELD_NAME, .names = &secret_kind_names),
    FIELD(secret_label, scope, FIELD_NAME, .names = &secret_scope_names),
    FIELD(secret_label, grant, FIELD_TEXT),
    FIELD(secret_label, anchor, FIELD_HEX, .flags = FIELD_OPTIONAL),
};
static const struct record label_record = RECORD(secret_label, label_fields);
/* clang-format on */

static enum outcome malformed(struct error *err)
{
    return fail_code(err, ERR_INVALID, "record-malformed", "not a stored secret");
}

static void add_part(struct bytes *out, struct span part)
{
    bytes_add_u32be(out, (uint32_t)part.len);
    bytes_add(out, part);
}

/* Salt and plaintext in one locked place. */
static enum outcome join(const uint8_t salt[static SEAL_SALT_SIZE], const struct locked *plain,
                         struct locked *out, struct error *err)
{
    TRY(locked_new(SEAL_SALT_SIZE + plain->len, out, err));
    memcpy(out->at, salt, SEAL_SALT_SIZE);
    memcpy(out->at + SEAL_SALT_SIZE, plain->at, plain->len);
    return OK;
}

enum outcome vault_close(struct kek *kek, const struct secret_label *label,
                         const uint8_t salt[static SEAL_SALT_SIZE], const struct locked *plain,
                         struct bytes *out_record, struct error *err)
{
    OWNED(json_drop) json_t *json = record_to_json(&label_record, label);
    OWNED(mem_drop) char *printed = json_print(json);
    OWNED(bytes_done) struct bytes record = {0};
    OWNED(bytes_done) struct bytes wrapped = {0};
    OWNED(locked_done) struct locked key = {0};
    OWNED(locked_done) struct locked joined = {0};
    struct span associated = span_of_text(printed);
    TRY(aead_new_key(&key, err));
    TRY(kek_wrap(kek, associated, locked_span(&key), &wrapped, err));
    TRY(join(salt, plain, &joined, err));
    bytes_add(&record, SPAN_OF(magic));
    add_part(&record, associated);
    add_part(&record, bytes_span(&wrapped));
    TRY(aead_seal(&key, associated, locked_span(&joined), &record, err));
    bytes_done(out_record);
    *out_record = record;
    record = (struct bytes){0};
    return OK;
}

static struct span take_part(struct reader *in, size_t most)
{
    size_t len = read_u32be(in);
    if (len > most)
        in->ran_short = true;
    return read_span(in, len);
}

static enum outcome read_label(struct span text, struct secret_label *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    if (json_parse(text, LABEL_MAX, &json, NULL) != OK ||
        record_from_json(&label_record, json, "", out, NULL) != OK)
        return malformed(err);
    return OK;
}

static enum outcome unwrap(struct kek *kek, struct span label, struct span wrapped,
                           struct span sealed, struct locked *out, struct error *err)
{
    OWNED(locked_done) struct locked key = {0};
    enum outcome outcome = kek_unwrap(kek, label, wrapped, &key, err);
    if (outcome == OK)
        outcome = aead_open(&key, label, sealed, out, err);
    if (outcome == ERR_DENIED)
        return fail_code(err, ERR_DENIED, "record-not-ours",
                         "sealed under another key, or record or label was changed");
    return outcome;
}

enum outcome vault_open(struct kek *kek, struct span record, struct secret_label *out_label,
                        uint8_t out_salt[static SEAL_SALT_SIZE], struct locked *out_plain,
                        struct error *err)
{
    struct reader in = reader_of(record);
    bool ours = span_equal(read_span(&in, sizeof magic), SPAN_OF(magic));
    struct span label = take_part(&in, LABEL_MAX);
    struct span wrapped = take_part(&in, WRAPPED_MAX);
    struct span sealed = read_span(&in, reader_left(&in));
    if (!ours || in.ran_short)
        return malformed(err);
    OWNED(locked_done) struct locked joined = {0};
    struct secret_label made = {0};
    TRY(unwrap(kek, label, wrapped, sealed, &joined, err));
    TRY(read_label(label, &made, err));
    if (joined.len < SEAL_SALT_SIZE)
        return malformed(err);
    TRY(locked_new(joined.len - SEAL_SALT_SIZE, out_plain, err));
    memcpy(out_salt, joined.at, SEAL_SALT_SIZE);
    memcpy(out_plain->at, joined.at + SEAL_SALT_SIZE, out_plain->len);
    *out_label = made;
    return OK;
}
