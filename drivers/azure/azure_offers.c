#include "drivers/azure/azure_offers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "drivers/azure/azure_answers.h"
#include "lib/base/json.h"

static enum outcome unreadable(struct error *err, const char *why)
{
    return cloud_fail(err, CLOUD_AMBIGUOUS, "ResourceSkus_List: the answer %s", why);
}

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static const char *capability(const json_t *sku, const char *name)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(sku, "capabilities"), i, one)
        if (strcmp(word(one, "name"), name) == 0)
            return word(one, "value");
    return "";
}

static bool has_word(const json_t *list, const char *wanted)
{
    size_t i;
    json_t *one;
    json_array_foreach (list, i, one)
        if (json_is_string(one) && strcasecmp(json_string_value(one), wanted) == 0)
            return true;
    return false;
}

/* Of the whole region; one of a zone leaves the others. */
static bool is_restricted(const json_t *sku, const char *region)
{
    size_t i;
    json_t *one;
    json_array_foreach (json_object_get(sku, "restrictions"), i, one)
        if (strcmp(word(one, "type"), "Location") == 0 &&
            has_word(json_object_get(one, "values"), region))
            return true;
    return false;
}

/* "16" or "3.5" GB, which are GiB; zero where it is not said. */
static int64_t read_mib(const char *text)
{
    char *end = NULL;
    const double number = strtod(text, &end);
    const bool is_number = end != text && *end == '\0' && number > 0 && number < 1 << 20;
    return is_number ? (int64_t)(number * 1024) : 0;
}

static bool read_sku(const json_t *sku, const char *region, struct offer_list *out)
{
    struct offer made = {.is_restricted = is_restricted(sku, region)};
    const char *name = word(sku, "name");
    if (strcmp(word(sku, "resourceType"), "virtualMachines") != 0 ||
        strcmp(capability(sku, "ConfidentialComputingType"), "SNP") != 0 ||
        !has_word(json_object_get(sku, "locations"), region))
        return true;
    if (out->count == OFFERS_MAX || !text_is_word(name) || strlen(name) >= sizeof made.size)
        return false;
    error_ignore(number_parse(capability(sku, "vCPUs"), 1, 65536, &made.vcpus, NULL));
    made.memory_mib = read_mib(capability(sku, "MemoryGB"));
    text_clip(made.size, sizeof made.size, name);
    *offer_list_add(out) = made;
    return true;
}

static enum outcome read_link(const json_t *root, struct text *next, struct error *err)
{
    const json_t *link = json_object_get(root, "nextLink");
    text_done(next);
    if (link == NULL || json_is_null(link))
        return OK;
    if (!json_is_string(link) || json_string_length(link) > ARM_LINK_MAX)
        return unreadable(err, "has a link to the next page that we cannot hold");
    text_add(next, json_string_value(link));
    return OK;
}

enum outcome arm_read_offers(struct span body, const char *region, struct offer_list *out,
                             struct text *next, struct error *err)
{
    OWNED(json_drop) json_t *root = NULL;
    if (json_parse(body, HTTP_ANSWER_MAX, &root, NULL) != OK)
        return unreadable(err, "is no plain JSON");
    const json_t *skus = json_object_get(root, "value");
    if (!json_is_array(skus))
        return unreadable(err, "holds no sizes");
    size_t i;
    json_t *sku;
    json_array_foreach (skus, i, sku)
        if (!read_sku(sku, region, out))
            return unreadable(err, "names a size too many, or one we cannot read");
    return read_link(root, next, err);
}
