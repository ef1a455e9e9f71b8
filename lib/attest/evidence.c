#include "lib/attest/evidence.h"

#include <stdio.h>

void evidence_done(struct evidence *e)
{
    bytes_done(&e->report);
    bytes_done(&e->cert_table);
    bytes_done(&e->ek);
    bytes_done(&e->rest);
    for (size_t i = 0; i < e->ca_count; i++)
        bytes_done(&e->ca[i]);
    *e = (struct evidence){0};
}

static enum outcome get_optional(const json_t *object, const char *name, size_t most,
                                 struct bytes *out, struct error *err)
{
    if (json_object_get(object, name) == NULL)
        return OK;
    return json_get_base64(object, "", name, most, out, err);
}

static enum outcome get_kind(const json_t *object, enum evidence_kind *out, struct error *err)
{
    const char *word = NULL;
    int kind = 0;
    TRY(json_get_text(object, "", "kind", 32, &word, err));
    TRY(name_parse(&evidence_kind_names, word, &kind, err));
    if (kind != EVIDENCE_SNP && kind != EVIDENCE_SIMULATED)
        return fail_at(err, ERR_INVALID, "unsupported-evidence", "/kind",
                       "evidence of kind %s is not appraised here", word);
    *out = (enum evidence_kind)kind;
    return OK;
}

static enum outcome get_ca(const json_t *object, struct evidence *out, struct error *err)
{
    if (json_object_get(object, "ca") == NULL)
        return OK;
    json_t *list = NULL;
    TRY(json_get_array(object, "", "ca", EVIDENCE_CA_MAX, &list, err));
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *text = json_string_value(item);
        struct bytes *blob = &out->ca[i];
        out->ca_count = i + 1;
        if (text == NULL || base64_decode(span_of_text(text), blob, NULL) != OK ||
            blob->len > X509_DER_MAX)
            return fail_at(err, ERR_INVALID, "wrong-type", "/ca", "/ca: not certificates");
    }
    return OK;
}

static enum outcome read_members(const json_t *object, struct evidence *out, struct error *err)
{
    static const char *const members[] = {"kind", "report", "cert_table", "ek", "ca", "rest", NULL};
    TRY(get_kind(object, &out->kind, err));
    TRY(json_only(object, "", members, err));
    TRY(json_get_base64(object, "", "report", EVIDENCE_REPORT_MAX, &out->report, err));
    TRY(get_optional(object, "cert_table", CERT_TABLE_SIZE_MAX, &out->cert_table, err));
    TRY(get_optional(object, "ek", X509_DER_MAX, &out->ek, err));
    TRY(get_optional(object, "rest", EVIDENCE_REST_MAX, &out->rest, err));
    return get_ca(object, out, err);
}

enum outcome evidence_parse(struct span in, struct evidence *out, struct error *err)
{
    OWNED(json_drop) json_t *object = NULL;
    TRY(json_parse(in, EVIDENCE_JSON_MAX, &object, err));
    enum outcome outcome = read_members(object, out, err);
    if (outcome != OK)
        evidence_done(out);
    return outcome;
}

static void put_optional(json_t *object, const char *name, const struct bytes *value)
{
    if (value->len > 0)
        json_put_base64(object, name, bytes_span(value));
}

json_t *evidence_to_json(const struct evidence *e)
{
    json_t *out = json_object();
    json_put_text(out, "kind", name_of(&evidence_kind_names, (int)e->kind));
    json_put_base64(out, "report", bytes_span(&e->report));
    put_optional(out, "cert_table", &e->cert_table);
    put_optional(out, "ek", &e->ek);
    put_optional(out, "rest", &e->rest);
    if (e->ca_count == 0)
        return out;
    json_t *list = json_array();
    for (size_t i = 0; i < e->ca_count; i++) {
        OWNED(mem_drop) char *text = base64_of(bytes_span(&e->ca[i]));
        json_add_new(list, json_string(text));
    }
    json_put_new(out, "ca", list);
    return out;
}

char *evidence_print(const struct evidence *e)
{
    OWNED(json_drop) json_t *object = evidence_to_json(e);
    return json_print(object);
}

struct snp_bundle evidence_bundle(const struct evidence *e)
{
    struct snp_bundle bundle = {.ek = bytes_span(&e->ek),
                                .cert_table = bytes_span(&e->cert_table),
                                .ca_count = e->ca_count};
    for (size_t i = 0; i < e->ca_count; i++)
        bundle.ca[i] = bytes_span(&e->ca[i]);
    struct snp_report report;
    if (snp_report_read(bytes_span(&e->report), &report, NULL) == OK &&
        report.signing_key == SIGNER_VLEK)
        bundle.wanted = SIGNER_VLEK;
    return bundle;
}

void evidence_judge(const struct evidence *e, struct snp_cache *cache, struct span crl,
                    struct judge_input *input, struct verdict *out)
{
    struct snp_bundle bundle = evidence_bundle(e);
    if (crl.len > 0)
        bundle.crl[bundle.crl_count++] = crl;
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *endorsements = snp_cache_get(cache, &bundle);
    input->kind = e->kind;
    input->report = bytes_span(&e->report);
    input->endorsements = endorsements;
    judge(input, out);
    input->endorsements = NULL;
}
