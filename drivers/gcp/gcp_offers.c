#include "drivers/gcp/gcp_offers.h"

#include <string.h>

#include "lib/base/json.h"

enum { TOKEN_MAX_LEN = 2048 };
static const char series[] = "n2d-";

static enum outcome unreadable(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "machineTypes: the answer %s", why);
}

enum outcome gcp_read_region_zones(struct span body, const char *region, struct gcp_zones *out,
                                   struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    *out = (struct gcp_zones){0};
    if (json_parse(body, HTTP_ANSWER_MAX, &root, NULL) != OK)
        return unreadable(err, "is no JSON");
    const json_t *zones = json_object_get(root, "zones");
    for (size_t i = 0; i < json_array_size(zones) && out->count < GCP_ZONES_MAX; i++) {
        const char *link = json_string_value(json_array_get(zones, i));
        const char *slash = link != NULL ? strrchr(link, '/') : NULL;
        if (slash == NULL || !gcp_zone_is_in(slash + 1, region))
            return unreadable(err, "names a zone of another region");
        text_clip(out->at[out->count++], GCP_NAME_SIZE, slash + 1);
    }
    return out->count > 0 ? OK : unreadable(err, "names no zones");
}

void gcp_machine_types(const struct account *account, const char *zone, const char *page_token,
                       struct gcp_call *out)
{
    *out = (struct gcp_call){.method = "GET"};
    text_add(&out->path, "compute/v1/projects/");
    text_add_percent(&out->path, span_of_text(account->project));
    text_addf(&out->path, "/zones/%s/machineTypes?maxResults=500", zone);
    if (page_token[0] != '\0') {
        text_add(&out->path, "&pageToken=");
        text_add_percent(&out->path, span_of_text(page_token));
    }
}

static bool is_there(const struct offer_list *list, const char *size)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->at[i].size, size) == 0)
            return true;
    return false;
}

static bool read_type(const json_t *type, struct offer_list *out)
{
    const char *name = json_string_value(json_object_get(type, "name"));
    const json_t *cpus = json_object_get(type, "guestCpus");
    const json_t *mib = json_object_get(type, "memoryMb");
    struct offer made = {0};
    if (name == NULL)
        return false;
    if (strncmp(name, series, sizeof series - 1) != 0 || is_there(out, name))
        return true;
    if (out->count == OFFERS_MAX || !text_is_word(name) || strlen(name) >= sizeof made.size ||
        json_integer_value(cpus) < 1 || json_integer_value(mib) < 1)
        return false;
    text_clip(made.size, sizeof made.size, name);
    made.vcpus = json_integer_value(cpus);
    made.memory_mib = json_integer_value(mib);
    *offer_list_add(out) = made;
    return true;
}

enum outcome gcp_read_offers(struct span body, struct offer_list *out, struct text *next_token,
                             struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &root, NULL) != OK)
        return unreadable(err, "is no JSON");
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const json_t *token = json_object_get(root, "nextPageToken");
    const json_t *items = json_object_get(root, "items"); /* absent when there are none */
    if (kind == NULL || strcmp(kind, "compute#machineTypeList") != 0)
        return unreadable(err, "is no list of machine types");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (!read_type(json_array_get(items, i), out))
            return unreadable(err, "names a size too many, or one we cannot read");
    text_done(next_token);
    if (token == NULL)
        return OK;
    if (!json_is_string(token) || json_string_length(token) > TOKEN_MAX_LEN)
        return unreadable(err, "has a page token we cannot hold");
    text_add(next_token, json_string_value(token));
    return OK;
}
