#include "lib/attest/cloud_documents.h"

#include "lib/base/text.h"

/* clang-format off */
const char *const cloud_part_names[CLOUD_KIND_COUNT][CLOUD_PARTS] = {
    [CLOUD_AWS]   = {[AWS_DOCUMENT] = "document", [AWS_RSA2048] = "rsa2048"},
    [CLOUD_AZURE] = {[AZURE_ATTESTED] = "attested"},
    [CLOUD_GCP]   = {[GCP_TOKEN] = "token"},
};
/* clang-format on */

void cloud_documents_done(struct cloud_documents *documents)
{
    for (size_t i = 0; i < CLOUD_PARTS; i++)
        bytes_done(&documents->parts[i]);
    *documents = (struct cloud_documents){0};
}

static enum outcome read_parts(const json_t *json, const char *path, struct cloud_documents *out,
                               struct error *err)
{
    const char *const *names = cloud_part_names[out->cloud];
    const char *known[CLOUD_PARTS + 1] = {names[0], names[1], NULL};
    TRY(json_only(json, path, known, err));
    for (size_t i = 0; i < CLOUD_PARTS; i++)
        if (names[i] != NULL && json_object_get(json, names[i]) != NULL)
            TRY(json_get_base64(json, path, names[i], CLOUD_PART_MAX, &out->parts[i], err));
    return OK;
}

/* Of one cloud only: a machine stands in one. */
static enum outcome read_cloud(const json_t *documents, struct cloud_documents *out,
                               struct error *err)
{
    const char *word;
    json_t *json;
    int cloud = CLOUD_NONE;
    if (!json_is_object(documents) || json_object_size(documents) > 1)
        return fail_at(err, ERR_INVALID, "wrong-type", "/documents",
                       "not the documents of one cloud");
    json_object_foreach (json_looked_at(documents), word, json) {
        if (name_parse(&cloud_kind_names, word, &cloud, NULL) != OK || cloud == CLOUD_NONE)
            return fail_at(err, ERR_INVALID, "wrong-value", "/documents", "no cloud '%.32s'", word);
        out->cloud = (enum cloud_kind)cloud;
        TRY(read_parts(json, "/documents", out, err));
    }
    return OK;
}

enum outcome cloud_documents_from_json(const json_t *json, struct cloud_documents *out,
                                       struct error *err)
{
    enum outcome outcome = read_cloud(json, out, err);
    if (outcome != OK)
        cloud_documents_done(out);
    return outcome;
}

enum outcome cloud_documents_read(struct span record, struct cloud_documents *out,
                                  struct error *err)
{
    static const char *const members[] = {"boot", "documents", NULL};
    OWNED(json_drop) json_t *json = NULL;
    int64_t boot;
    if (record.len == 0)
        return OK;
    TRY(json_parse(record, CLOUD_RECORD_MAX, &json, err));
    TRY(json_only(json, "", members, err));
    TRY(json_get_int(json, "", "boot", 0, INT64_MAX, &boot, err));
    if (json_object_get(json, "documents") == NULL)
        return OK;
    return cloud_documents_from_json(json_object_get(json, "documents"), out, err);
}

json_t *cloud_documents_to_json(const struct cloud_documents *documents)
{
    json_t *out = json_object();
    if (documents->cloud == CLOUD_NONE)
        return out;
    json_t *parts = json_object();
    for (size_t i = 0; i < CLOUD_PARTS; i++)
        if (documents->parts[i].len > 0)
            json_put_base64(parts, cloud_part_names[documents->cloud][i],
                            bytes_span(&documents->parts[i]));
    json_put_new(out, name_of(&cloud_kind_names, (int)documents->cloud), parts);
    return out;
}

char *cloud_documents_print(int64_t boot, const struct cloud_documents *documents)
{
    OWNED(json_drop) json_t *record = json_object();
    json_put_int(record, "boot", boot);
    json_put_new(record, "documents", cloud_documents_to_json(documents));
    return json_print(record);
}
