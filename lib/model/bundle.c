#include "lib/model/bundle.h"

#include <string.h>

#include "lib/crypto/cert.h"
#include "lib/crypto/token.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(bundle, format, FIELD_TEXT),
    FIELD(bundle, version, FIELD_TEXT),
    FIELD(bundle, exported, FIELD_MOMENT),
    FIELD(bundle, certificate, FIELD_BYTES),
    FIELD(bundle, evidence, FIELD_BYTES),
    FIELD(bundle, crl, FIELD_BYTES, .flags = FIELD_OPTIONAL),
    FIELD(bundle, charter, FIELD_BYTES),
    FIELD(bundle, testimony, FIELD_STRING),
    FIELD(bundle, testimony_cert, FIELD_BYTES),
    FIELD(bundle, claims, FIELD_JSON),
    FIELD(bundle, checks, FIELD_JSON),
    FIELD(bundle, audit, FIELD_JSON),
};
static const struct record bundle_record = RECORD(bundle, fields);
/* clang-format on */

void bundle_done(struct bundle *bundle)
{
    record_done(&bundle_record, bundle);
}

static char *print(const struct bundle *bundle)
{
    OWNED(json_drop) json_t *json = record_to_json(&bundle_record, bundle);
    return json_print(json);
}

enum outcome bundle_seal(struct bundle *bundle, const struct key *key, char **out,
                         struct error *err)
{
    TRY(text_copy(bundle->format, sizeof bundle->format, BUNDLE_FORMAT, "/format", err));
    OWNED(mem_drop) char *printed = print(bundle);
    return token_seal(key, BUNDLE_TYP, span_of_text(printed), BUNDLE_SIZE_MAX, out, err);
}

static enum outcome malformed(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "bundle-format", "not an evidence bundle: %s", what);
}

/* Before anything else of it is looked at. */
static enum outcome check_seal(struct span in, const json_t *json, struct error *err)
{
    struct error why = {0};
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(key_drop) struct key *key = NULL;
    if (json_get_base64(json, "", "certificate", CERT_DER_MAX, &der, &why) != OK ||
        cert_from_der(bytes_span(&der), &cert, &why) != OK || cert_key(cert, &key, &why) != OK)
        return malformed(err, why.text);
    if (token_check_seal(in, BUNDLE_TYP, key, BUNDLE_SIZE_MAX, &why) != OK)
        return fail_code(err, ERR_DENIED, "bundle-seal", "%.200s", why.text);
    return OK;
}

static enum outcome read_payload(const json_t *json, struct span payload, struct bundle *out,
                                 struct error *err)
{
    struct error why = {0};
    if (record_from_json(&bundle_record, json, "", out, &why) != OK)
        return malformed(err, why.text);
    if (strcmp(out->format, BUNDLE_FORMAT) != 0)
        return malformed(err, "of a format that is not known here");
    if (!json_is_object(out->claims) || !json_is_array(out->checks) || !json_is_array(out->audit) ||
        json_array_size(out->audit) > BUNDLE_AUDIT_MAX)
        return malformed(err, "claims, checks or audit are not what they should be");
    /* From what was read, so that nothing that means the same may stand in its place. */
    OWNED(mem_drop) char *printed = print(out);
    if (!span_equal(span_of_text(printed), payload))
        return malformed(err, "written another way than Muster writes it");
    return OK;
}

enum outcome bundle_open(struct span in, struct bundle *out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(json_drop) json_t *json = NULL;
    if (token_open(in, BUNDLE_SIZE_MAX, &payload, NULL) != OK ||
        json_parse(bytes_span(&payload), BUNDLE_SIZE_MAX, &json, NULL) != OK ||
        !json_is_object(json))
        return malformed(err, "not one signed line of at most 4 MiB");
    TRY(check_seal(in, json, err));
    enum outcome outcome = read_payload(json, bytes_span(&payload), out, err);
    if (outcome != OK)
        bundle_done(out);
    return outcome;
}
