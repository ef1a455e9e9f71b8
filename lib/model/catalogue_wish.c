#include "lib/model/catalogue_wish.h"

#include <string.h>

#include "lib/model/catalogue_inside.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(catalogue_wish, cloud,     FIELD_NAME, .names = &account_driver_names),
    FIELD(catalogue_wish, region,    FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_wish, zone,      FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_wish, size,      FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_wish, boot_mode, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_wish, at,        FIELD_MOMENT, .flags = FIELD_OPTIONAL),
};
/* clang-format on */
static const struct record record = RECORD(catalogue_wish, fields);

static enum outcome copy_member(const json_t *object, const char *path, const char *name,
                                char out[static NAME_SIZE], struct error *err)
{
    const char *text;
    TRY(json_get_text_or(object, path, name, NAME_SIZE - 1, "", &text, err));
    if (text[0] != '\0' && !text_is_clean(span_of_text(text)))
        return fail_at(err, ERR_INVALID, "unclean-text", path, "%s: control characters", path);
    return text_copy(out, NAME_SIZE, text, path, err);
}

static enum outcome read_features(const json_t *object, const char *path, unsigned *out,
                                  struct error *err)
{
    json_t *list = json_object_get(object, "features");
    if (list == NULL)
        return OK;
    TRY(json_get_array(object, path, "features", CATALOGUE_FEATURE_COUNT, &list, err));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        int feature;
        TRY(name_parse(&catalogue_feature_names, word != NULL ? word : "", &feature, err));
        *out |= FEATURE_BIT((unsigned)feature);
    }
    return OK;
}

static enum outcome read_os(const json_t *value, struct catalogue_wish *out, struct error *err)
{
    json_t *os = json_object_get(value, "os");
    if (os == NULL)
        return OK;
    TRY(json_get_object(value, "", "os", &os, err));
    TRY(json_only(os, "/os", (const char *const[]){"name", "version", NULL}, err));
    TRY(copy_member(os, "/os", "name", out->os_name, err));
    return copy_member(os, "/os", "version", out->os_version, err);
}

/* Whoever wants enclaves wants a parent. */
enum outcome catalogue_wish_read_enclaves(const json_t *enclaves, struct catalogue_wish *out,
                                          struct error *err)
{
    static const char *const known[] = {"count", "vcpus", "memory_mib", "os", NULL};
    const char *at = "/enclaves";
    if (!json_is_object(enclaves))
        return fail_at(err, ERR_INVALID, "wrong-type", at, "%s: not an object", at);
    TRY(json_only(enclaves, at, known, err));
    TRY(json_get_int_or(enclaves, at, "count", 0, 1000, 1, &out->enclaves, err));
    TRY(json_get_int_or(enclaves, at, "vcpus", 1, 65536, 0, &out->enclave_vcpus, err));
    TRY(json_get_int_or(enclaves, at, "memory_mib", 1, INT32_MAX, 0, &out->enclave_memory_mib,
                        err));
    if (out->enclaves > 0)
        out->features |= FEATURE_BIT(FEATURE_ENCLAVES);
    return copy_member(enclaves, at, "os", out->enclave_os, err);
}

static enum outcome read_from(const json_t *value, struct catalogue_wish *out, struct error *err)
{
    json_t *from = json_object_get(value, "from");
    if (from == NULL)
        return OK;
    TRY(json_get_object(value, "", "from", &from, err));
    TRY(json_only(from, "/from", (const char *const[]){"size", "features", NULL}, err));
    TRY(copy_member(from, "/from", "size", out->from_size, err));
    if (out->from_size[0] == '\0')
        return fail_at(err, ERR_INVALID, "missing-member", "/from/size", "/from/size: not there");
    return read_features(from, "/from", &out->from_features, err);
}

enum outcome catalogue_wish_from_json(const json_t *value, struct catalogue_wish *out,
                                      struct error *err)
{
    static const char *const known[] = {"cloud", "region",   "zone", "size",     "boot_mode", "at",
                                        "os",    "features", "from", "enclaves", NULL};
    static const char *const others[] = {"os", "features", "from", "enclaves"};
    struct catalogue_wish made = {0};
    if (!json_is_object(value))
        return fail(err, ERR_INVALID, "a wish is an object");
    TRY(json_only(value, "", known, err));
    OWNED(json_drop) json_t *flat = json_copy(json_looked_at(value));
    for (size_t i = 0; i < countof(others); i++)
        json_object_del(flat, others[i]);
    TRY(record_from_json(&record, flat, "", &made, err));
    TRY(read_os(value, &made, err));
    TRY(read_features(value, "", &made.features, err));
    if (json_object_get(value, "enclaves") != NULL)
        TRY(catalogue_wish_read_enclaves(json_object_get(value, "enclaves"), &made, err));
    TRY(read_from(value, &made, err));
    catalogue_wish_read_zone(&made);
    *out = made;
    return OK;
}

/* "us-east-2a" is a zone of its region; "us-west-2-lax-1a" a Local Zone and
 * "us-east-1-wl1-bos-wlz-1" a Wavelength Zone beside it: what follows the region's number says it,
 * whichever region was named. */
void catalogue_wish_read_zone(struct catalogue_wish *wish)
{
    const char *number = wish->zone + strcspn(wish->zone, "0123456789");
    const char *rest = number + strspn(number, "0123456789");
    if (wish->cloud != DRIVER_AWS || rest[0] != '-')
        return;
    const bool is_wavelength = strstr(rest, "-wlz-") != NULL;
    wish->features |= FEATURE_BIT(is_wavelength ? FEATURE_WAVELENGTH_ZONE : FEATURE_LOCAL_ZONE);
}
