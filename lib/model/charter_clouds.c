/* Whose word on an instance counts: the keys with which clouds sign their identity documents, and
 * the accounts that are ours (doc/identity.md). */
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/x509_leaf.h"
#include "lib/model/charter_inside.h"

enum { REGIONS_MAX = 64, NAMES_MAX = 8, DNS_NAME_MAX = 253 };

static enum outcome read_certificates(const json_t *object, const char *path, const char *name,
                                      struct x509_list *out, struct error *err)
{
    json_t *list;
    size_t i;
    json_t *item;
    const struct charter_path where = charter_below(path, name);
    TRY(json_get_array(object, path, name, X509_LIST_MAX, &list, err));
    json_array_foreach (list, i, item) {
        const char *pem = json_is_string(item) ? json_string_value(item) : "";
        if (!pem_is(span_of_text(pem)) || x509_list_read(out, span_of_text(pem), NULL) != OK ||
            out->count != i + 1)
            return charter_bad(err, where.at, "each entry is one certificate in PEM");
    }
    return out->count > 0 ? OK : charter_bad(err, where.at, "no certificate");
}

/* ---- aws ------------------------------------------------------------------------------------- */

static enum outcome read_region(const char *region, const json_t *regions,
                                struct charter_aws_region *out, struct error *err)
{
    static const char path[] = "/clouds/aws/certificates";
    const struct charter_path where = charter_below(path, region);
    if (!text_is_name(region))
        return charter_bad(err, where.at, "not a region");
    TRY(read_certificates(regions, path, region, &out->certificates, err));
    for (size_t i = 0; i < out->certificates.count; i++)
        if (!x509_is_strong(out->certificates.at[i]))
            return charter_bad(err, where.at, "a key that is too weak");
    return text_copy(out->name, sizeof out->name, region, where.at, err);
}

static enum outcome read_aws(const json_t *aws, struct charter_clouds *out, struct error *err)
{
    static const char *const members[] = {"accounts", "certificates", NULL};
    json_t *regions;
    const char *region;
    json_t *list;
    TRY(json_only(aws, "/clouds/aws", members, err));
    TRY(json_get_object(aws, "/clouds/aws", "certificates", &regions, err));
    if (json_object_size(regions) == 0 || json_object_size(regions) > REGIONS_MAX)
        return charter_bad(err, "/clouds/aws/certificates", "no region, or too many");
    out->aws = mem_new(json_object_size(regions), sizeof *out->aws);
    json_object_foreach (regions, region, list)
        TRY(read_region(region, regions, &out->aws[out->aws_count++], err));
    return OK;
}

/* ---- azure ----------------------------------------------------------------------------------- */

/* "metadata.azure.com": lower case, and no name of a whole country. */
static bool is_dns_name(const char *name)
{
    const size_t len = strlen(name);
    const char *dot = strchr(name, '.');
    return len <= DNS_NAME_MAX && dot != NULL && dot != name && dot[1] != '\0' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len && name[len - 1] != '.' &&
           strstr(name, "..") == NULL;
}

static enum outcome read_azure(const json_t *azure, struct charter_clouds *out, struct error *err)
{
    static const char path[] = "/clouds/azure";
    static const char *const members[] = {"accounts", "authorities", "names", NULL};
    json_t *list;
    size_t i;
    json_t *item;
    TRY(json_only(azure, path, members, err));
    TRY(read_certificates(azure, path, "authorities", &out->azure_authorities, err));
    for (i = 0; i < out->azure_authorities.count; i++)
        if (!x509_is_authority(out->azure_authorities.at[i]))
            return charter_bad(err, "/clouds/azure/authorities", "not a certificate authority");
    TRY(json_get_array(azure, path, "names", NAMES_MAX, &list, err));
    out->azure_names = mem_new(json_array_size(list) + 1, sizeof *out->azure_names);
    json_array_foreach (list, i, item) {
        const char *name = json_is_string(item) ? json_string_value(item) : "";
        if (!is_dns_name(name))
            return charter_bad(err, "/clouds/azure/names", "not a name of a server");
        out->azure_names[out->azure_name_count++] = mem_text(name);
    }
    return out->azure_name_count > 0 ? OK : charter_bad(err, "/clouds/azure/names", "no name");
}

/* ---- gcp ------------------------------------------------------------------------------------- */

static enum outcome read_gcp(const json_t *gcp, struct charter_clouds *out, struct error *err)
{
    static const char path[] = "/clouds/gcp";
    static const char *const members[] = {"accounts", "keys", NULL};
    json_t *list;
    size_t i;
    json_t *item;
    TRY(json_only(gcp, path, members, err));
    TRY(json_get_array(gcp, path, "keys", CHARTER_CLOUD_KEYS_MAX, &list, err));
    out->gcp = mem_new(json_array_size(list) + 1, sizeof *out->gcp);
    json_array_foreach (list, i, item) {
        if (rs256_key_read(item, "/clouds/gcp/keys", &out->gcp[i], err) != OK)
            return charter_bad(err, "/clouds/gcp/keys", "not an RSA-2048 key with an id");
        for (size_t j = 0; j < i; j++)
            if (strcmp(out->gcp[j].kid, out->gcp[i].kid) == 0)
                return charter_bad(err, "/clouds/gcp/keys", "two keys of one id");
        out->gcp_count++;
    }
    return out->gcp_count > 0 ? OK : charter_bad(err, "/clouds/gcp/keys", "no key");
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum outcome read_one(const char *word, const json_t *json, struct charter_clouds *out,
                             struct error *err)
{
    static enum outcome (*const readers[CLOUD_KIND_COUNT])(const json_t *, struct charter_clouds *,
                                                           struct error *) = {
        [CLOUD_AWS] = read_aws, [CLOUD_AZURE] = read_azure, [CLOUD_GCP] = read_gcp};
    const struct charter_path path = charter_below("/clouds", word);
    int cloud = CLOUD_NONE;
    if (name_parse(&cloud_kind_names, word, &cloud, NULL) != OK || cloud == CLOUD_NONE)
        return charter_bad(err, path.at, "not aws, azure or gcp");
    out->said[cloud] = true;
    TRY(charter_read_names(json, path.at, "accounts", true, &out->accounts[cloud], err));
    return readers[cloud](json, out, err);
}

enum outcome charter_read_clouds(const json_t *whole, struct charter *out, struct error *err)
{
    json_t *clouds;
    const char *word;
    json_t *json;
    if (json_object_get(whole, "clouds") == NULL)
        return OK;
    TRY(json_get_object(whole, "", "clouds", &clouds, err));
    json_object_foreach (clouds, word, json)
        TRY(read_one(word, json, &out->clouds, err));
    return OK;
}

void charter_clouds_done(struct charter_clouds *clouds)
{
    for (size_t i = 0; i < CLOUD_KIND_COUNT; i++)
        free(clouds->accounts[i].at);
    for (size_t i = 0; i < clouds->aws_count; i++)
        x509_list_done(&clouds->aws[i].certificates);
    for (size_t i = 0; i < clouds->azure_name_count; i++)
        free(clouds->azure_names[i]);
    x509_list_done(&clouds->azure_authorities);
    free(clouds->aws);
    free(clouds->azure_names);
    free(clouds->gcp);
    *clouds = (struct charter_clouds){0};
}

const struct charter_aws_region *charter_aws_region(const struct charter_clouds *clouds,
                                                    const char *region)
{
    for (size_t i = 0; i < clouds->aws_count; i++)
        if (strcmp(clouds->aws[i].name, region) == 0)
            return &clouds->aws[i];
    return NULL;
}

const struct rs256_key *charter_gcp_key(const struct charter_clouds *clouds, const char *kid)
{
    for (size_t i = 0; i < clouds->gcp_count; i++)
        if (strcmp(clouds->gcp[i].kid, kid) == 0)
            return &clouds->gcp[i];
    return NULL;
}
