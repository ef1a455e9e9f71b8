#include "lib/attest/nitro_document.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/cbor_reader.h"

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)

static const char digest_name[] = "SHA384";

/* ---- one member ---------------------------------------------------------------------------- */

typedef enum outcome read_fn(struct span *in, struct nitro_document *out, struct error *err);

static enum outcome read_module_id(struct span *in, struct nitro_document *out, struct error *err)
{
    struct cbor_item item;
    if (!cbor_expect(in, CBOR_TEXT, &item) || item.bytes.len == 0 ||
        item.bytes.len > NITRO_MODULE_MAX || !text_is_clean(item.bytes))
        return malformed(err, "module_id is not a short text");
    out->module_id = item.bytes;
    return OK;
}

static enum outcome read_digest(struct span *in, struct nitro_document *out, struct error *err)
{
    struct cbor_item item;
    (void)out;
    if (!cbor_expect(in, CBOR_TEXT, &item) || !span_equal(item.bytes, span_of_text(digest_name)))
        return malformed(err, "digest is not SHA384");
    return OK;
}

static enum outcome read_timestamp(struct span *in, struct nitro_document *out, struct error *err)
{
    struct cbor_item item;
    if (!cbor_expect(in, CBOR_UNSIGNED, &item) || item.value == 0)
        return malformed(err, "timestamp is not a time");
    out->timestamp_ms = item.value;
    return OK;
}

static enum outcome read_pcr(struct span *in, struct nitro_document *out, struct error *err)
{
    struct cbor_item index, value;
    if (!cbor_expect(in, CBOR_UNSIGNED, &index) || index.value >= NITRO_PCR_COUNT)
        return malformed(err, "not the number of a PCR");
    if (!cbor_expect(in, CBOR_BYTES, &value))
        return malformed(err, "PCR%u is no byte string", (unsigned)index.value);
    const size_t len = value.bytes.len;
    struct nitro_pcr *pcr = &out->pcrs[index.value];
    if (len != 32 && len != 48 && len != 64)
        return malformed(err, "PCR%u has %zu bytes", (unsigned)index.value, len);
    if (pcr->len != 0)
        return malformed(err, "PCR%u twice", (unsigned)index.value);
    pcr->len = len;
    memcpy(pcr->value, value.bytes.at, len);
    out->pcr_count++;
    return OK;
}

/* Of an enclave or of a machine, never both. */
static enum outcome read_pcrs(struct span *in, struct nitro_document *out, struct error *err)
{
    struct cbor_item head;
    uint64_t done = 0;
    if (out->pcr_count > 0)
        return malformed(err, "registers of two kinds");
    if (!cbor_expect(in, CBOR_PAIRS, &head))
        return malformed(err, "pcrs is no map");
    while (cbor_more(in, &head, &done))
        TRY(read_pcr(in, out, err));
    return out->pcr_count > 0 ? OK : malformed(err, "no PCR at all");
}

static enum outcome read_tpm_pcrs(struct span *in, struct nitro_document *out, struct error *err)
{
    out->tpm = true;
    return read_pcrs(in, out, err);
}

static enum outcome read_der(struct span *in, struct span *out, struct error *err)
{
    struct cbor_item item;
    if (!cbor_expect(in, CBOR_BYTES, &item) || item.bytes.len == 0 ||
        item.bytes.len > NITRO_FIELD_MAX)
        return malformed(err, "not a certificate of 1 to %d bytes", NITRO_FIELD_MAX);
    *out = item.bytes;
    return OK;
}

static enum outcome read_certificate(struct span *in, struct nitro_document *out, struct error *err)
{
    return read_der(in, &out->certificate, err);
}

static enum outcome read_bundle(struct span *in, struct nitro_document *out, struct error *err)
{
    struct cbor_item head;
    uint64_t done = 0;
    if (!cbor_expect(in, CBOR_LIST, &head))
        return malformed(err, "cabundle is no list");
    while (cbor_more(in, &head, &done)) {
        if (out->bundle_count == NITRO_BUNDLE_MAX)
            return malformed(err, "more than %d certificates", NITRO_BUNDLE_MAX);
        TRY(read_der(in, &out->bundle[out->bundle_count++], err));
    }
    return out->bundle_count > 0 ? OK : malformed(err, "cabundle is empty");
}

static enum outcome read_field(struct span *in, struct nitro_field *out, size_t least,
                               struct error *err)
{
    struct cbor_item item;
    if (!cbor_next(in, &item))
        return malformed(err, "a field is cut off");
    if (item.kind == CBOR_NOTHING) {
        out->presence = NITRO_NULL;
        return OK;
    }
    if (item.kind != CBOR_BYTES || item.bytes.len < least || item.bytes.len > NITRO_FIELD_MAX)
        return malformed(err, "a field is no byte string of at most %d bytes", NITRO_FIELD_MAX);
    *out = (struct nitro_field){.presence = NITRO_PRESENT, .value = item.bytes};
    return OK;
}

static enum outcome read_public_key(struct span *in, struct nitro_document *out, struct error *err)
{
    return read_field(in, &out->public_key, 1, err);
}

static enum outcome read_user_data(struct span *in, struct nitro_document *out, struct error *err)
{
    return read_field(in, &out->user_data, 0, err);
}

static enum outcome read_nonce(struct span *in, struct nitro_document *out, struct error *err)
{
    return read_field(in, &out->nonce, 0, err);
}

/* ---- all members, in any order, each once --------------------------------------------------- */

/* clang-format off */
static const struct member {
    const char *name;
    read_fn *read;
    bool needed;
} members[] = {
    {"module_id", read_module_id, true},
    {"digest", read_digest, true},
    {"timestamp", read_timestamp, true},
    {"pcrs", read_pcrs, false},
    {"nitrotpm_pcrs", read_tpm_pcrs, false},
    {"certificate", read_certificate, true},
    {"cabundle", read_bundle, true},
    {"public_key", read_public_key, false},
    {"user_data", read_user_data, false},
    {"nonce", read_nonce, false},
};
/* clang-format on */

static enum outcome read_member(struct span *in, struct nitro_document *out, unsigned *seen,
                                struct error *err)
{
    struct cbor_item name;
    if (!cbor_expect(in, CBOR_TEXT, &name))
        return malformed(err, "the name of a member is no text within the payload");
    for (size_t i = 0; i < countof(members); i++) {
        if (!span_equal(name.bytes, span_of_text(members[i].name)))
            continue;
        if ((*seen >> i & 1) != 0)
            return malformed(err, "%s twice", members[i].name);
        *seen |= 1u << i;
        if (members[i].read(in, out, err) != OK)
            return error_context(err, "%s", members[i].name);
        return OK;
    }
    return malformed(err, "an unknown member");
}

enum outcome nitro_document_read(struct span payload, struct nitro_document *out, struct error *err)
{
    struct cbor_item head;
    uint64_t done = 0;
    unsigned seen = 0;
    *out = (struct nitro_document){0};
    if (!cbor_expect(&payload, CBOR_PAIRS, &head))
        return malformed(err, "the payload is no map");
    out->indefinite = head.indefinite;
    while (cbor_more(&payload, &head, &done))
        TRY(read_member(&payload, out, &seen, err));
    for (size_t i = 0; i < countof(members); i++)
        if (members[i].needed && (seen >> i & 1) == 0)
            return malformed(err, "no %s", members[i].name);
    if (out->pcr_count == 0)
        return malformed(err, "no pcrs");
    if (payload.len != 0)
        return malformed(err, "%zu bytes after the payload's map", payload.len);
    return OK;
}

bool nitro_document_is_debug(const struct nitro_document *document)
{
    const struct nitro_pcr *image = &document->pcrs[0];
    return image->len == 0 || span_is_zero(SPAN(image->value, image->len));
}

/* ---- claims ------------------------------------------------------------------------------- */

static void put_field(json_t *claims, const char *name, const struct nitro_field *field,
                      json_t *absent, json_t *nulls)
{
    if (field->presence == NITRO_PRESENT)
        json_put_hex(claims, name, field->value);
    else
        json_put_new(claims, name, json_null());
    if (field->presence == NITRO_ABSENT)
        json_add_new(absent, json_string(name));
    if (field->presence == NITRO_NULL)
        json_add_new(nulls, json_string(name));
}

static json_t *pcrs_to_json(const struct nitro_document *document)
{
    json_t *out = json_object();
    char index[12];
    for (int i = 0; i < NITRO_PCR_COUNT; i++) {
        const struct nitro_pcr *pcr = &document->pcrs[i];
        snprintf(index, sizeof index, "%d", i);
        if (pcr->len > 0)
            json_put_hex(out, index, SPAN(pcr->value, pcr->len));
    }
    return out;
}

void nitro_document_claims(const struct nitro_document *document, json_t *claims)
{
    json_t *absent = json_array();
    json_t *nulls = json_array();
    json_put_span(claims, "module_id", document->module_id);
    json_put_text(claims, "digest", digest_name);
    /* What JSON cannot hold no clock of ours will reach. */
    if (document->timestamp_ms <= INT64_MAX)
        json_put_int(claims, "timestamp_ms", (int64_t)document->timestamp_ms);
    json_put_new(claims, document->tpm ? "nitrotpm_pcrs" : "pcrs", pcrs_to_json(document));
    json_put_int(claims, "pcr_count", (int64_t)document->pcr_count);
    if (!document->tpm)
        json_put_bool(claims, "debug_mode", nitro_document_is_debug(document));
    put_field(claims, "public_key", &document->public_key, absent, nulls);
    put_field(claims, "user_data", &document->user_data, absent, nulls);
    put_field(claims, "nonce", &document->nonce, absent, nulls);
    json_put_new(claims, "absent_optional", absent);
    json_put_new(claims, "null_optional", nulls);
    json_put_int(claims, "cabundle_len", (int64_t)document->bundle_count);
    json_put_bool(claims, "payload_map_indefinite", document->indefinite);
}
