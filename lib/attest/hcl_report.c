#include "lib/attest/hcl_report.h"

#include <string.h>

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)

enum { HEADER = 0x20, DATA_HEAD = 20, REQUEST_REPORT = 2, TYPE_SNP = 2, TYPE_TDX = 4 };
enum { TDX_REPORT_FIRST_BYTE = 0x81 };

/* ---- the blob ------------------------------------------------------------------------------- */

static const enum digest_kind hashes[] = {
    [1] = DIGEST_SHA256, [2] = DIGEST_SHA384, [3] = DIGEST_SHA512};

static enum outcome read_header(struct reader *in, struct hcl_report *out, struct error *err)
{
    const struct span magic = read_span(in, 4);
    out->version = read_u32le(in);
    out->report_size = read_u32le(in);
    out->request_type = read_u32le(in);
    const uint32_t status = read_u32le(in);
    if (!span_equal(magic, span_of_text("HCLA")))
        return malformed(err, "no paravisor report");
    if (out->version < 1 || out->version > 2 || out->request_type != REQUEST_REPORT ||
        status != 0 || !read_zeroes(in, HEADER - 20))
        return malformed(err, "version %u, request %u, status %u", out->version, out->request_type,
                         status);
    return OK;
}

static enum outcome check_type(const struct hcl_report *hcl, struct error *err)
{
    if (hcl->report_type == TYPE_TDX && hcl->hardware.at[0] == TDX_REPORT_FIRST_BYTE)
        return fail_code(err, ERR_INVALID, "unsupported-report-type", "the report is Intel TDX's");
    if (hcl->report_type != TYPE_SNP)
        return malformed(err, "report type %u over another report", hcl->report_type);
    return OK;
}

static enum outcome read_data(struct reader *in, struct hcl_report *out, struct error *err)
{
    out->data_size = read_u32le(in);
    out->data_version = read_u32le(in);
    out->report_type = read_u32le(in);
    out->hash_type = read_u32le(in);
    const uint32_t len = read_u32le(in);
    if (in->ran_short)
        return malformed(err, "the report ends in the middle");
    TRY(check_type(out, err));
    if (out->data_version != 1 || out->hash_type == 0 || out->hash_type >= countof(hashes))
        return malformed(err, "data version %u, hash type %u", out->data_version, out->hash_type);
    if (len > reader_left(in))
        return malformed(err, "%u bytes of claims in %zu", len, reader_left(in));
    out->claims = read_span(in, len);
    return OK;
}

enum outcome hcl_report_read(struct span in, struct hcl_report *out, struct error *err)
{
    struct reader reader = reader_of(in);
    *out = (struct hcl_report){0};
    if (in.len > HCL_REPORT_MAX)
        return malformed(err, "a paravisor report of %zu bytes", in.len);
    TRY(read_header(&reader, out, err));
    out->hardware = read_span(&reader, HCL_HARDWARE_SIZE);
    TRY(read_data(&reader, out, err));
    return OK;
}

bool hcl_report_binds(const struct hcl_report *hcl, struct span report_data)
{
    uint8_t hash[DIGEST_SIZE_MAX];
    const enum digest_kind kind = hashes[hcl->hash_type];
    const size_t size = digest_size(kind);
    digest(kind, hcl->claims, hash);
    return span_equal(span_part(report_data, 0, size), SPAN(hash, size)) &&
           span_is_zero(span_part(report_data, size, report_data.len));
}

/* ---- the claims ----------------------------------------------------------------------------- */

void hcl_claims_done(struct hcl_claims *claims)
{
    json_decref(claims->json);
    claims->json = NULL;
}

static enum outcome read_number(const json_t *key, const char *name, uint8_t *out, size_t room,
                                size_t *len, struct error *err)
{
    OWNED(bytes_done) struct bytes value = {0};
    const char *text = json_string_value(json_object_get(key, name));
    if (text == NULL || base64url_decode(span_of_text(text), &value, NULL) != OK ||
        value.len == 0 || value.len > room)
        return malformed(err, "the attestation key's %s is no number", name);
    memcpy(out, value.at, value.len);
    *len = value.len;
    return OK;
}

static bool text_is(const json_t *object, const char *name, const char *want)
{
    const char *have = json_string_value(json_object_get(object, name));
    return have != NULL && strcmp(have, want) == 0;
}

/* Numbers and order of the keys vary between versions: the name decides. */
static enum outcome read_key(const json_t *keys, struct hcl_claims *out, struct error *err)
{
    const json_t *found = NULL;
    size_t i;
    json_t *key;
    json_array_foreach (json_looked_at(keys), i, key) {
        if (!text_is(key, "kid", "HCLAkPub"))
            continue;
        if (found != NULL)
            return malformed(err, "two attestation keys");
        found = key;
    }
    if (found == NULL || !text_is(found, "kty", "RSA"))
        return malformed(err, "no attestation key among the claims");
    TRY(read_number(found, "n", out->modulus, sizeof out->modulus, &out->modulus_len, err));
    return read_number(found, "e", out->exponent, sizeof out->exponent, &out->exponent_len, err);
}

enum outcome hcl_claims_read(struct span text, struct hcl_claims *out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    *out = (struct hcl_claims){.vm_id = ""};
    if (text.len > HCL_REPORT_MAX)
        return malformed(err, "runtime claims of %zu bytes", text.len);
    while (text.len > 0 && text.at[text.len - 1] == '\0')
        text.len--; /* one generation counted its padding */
    if (json_parse(text, HCL_REPORT_MAX, &json, err) != OK)
        return malformed(err, "the runtime claims are not JSON");
    TRY(read_key(json_object_get(json, "keys"), out, err));
    const json_t *id = json_object_get(json_object_get(json, "vm-configuration"), "vmUniqueId");
    if (json_is_string(id))
        out->vm_id = json_string_value(id);
    out->json = TAKE(json);
    return OK;
}
