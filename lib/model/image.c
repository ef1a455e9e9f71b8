#include "lib/model/image.h"

#include <string.h>

static const char *const provider_execution_words[] = {"on", "off"};
_Static_assert(countof(provider_execution_words) == PROVIDER_EXECUTION_COUNT);
const struct names provider_execution_names = NAMES("setting", provider_execution_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(image, id,                 FIELD_UUID, .flags = FIELD_READ_ONLY),
    FIELD(image, project,            FIELD_TEXT, .flags = FIELD_READ_ONLY),
    FIELD(image, name,               FIELD_TEXT),
    FIELD(image, driver,             FIELD_TEXT),
    FIELD(image, ref,                FIELD_TEXT),
    FIELD(image, refs,               FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(image, boot_mode,          FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(image, reference_values,   FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(image, measured_boot,      FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(image, provider_execution, FIELD_NAME, .names = &provider_execution_names,
                                                 .flags = FIELD_OPTIONAL),
    FIELD(image, os,                 FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(image, epoch,              FIELD_INT, .flags = FIELD_READ_ONLY),
    FIELD(image, created,            FIELD_MOMENT, .flags = FIELD_READ_ONLY),
    FIELD(image, updated,            FIELD_MOMENT, .flags = FIELD_READ_ONLY),
};
/* clang-format on */
const struct record image_record = RECORD(image, fields);

void image_done(struct image *image)
{
    record_done(&image_record, image);
}

static enum outcome object_or_nothing(json_t **value, const char *where, struct error *err)
{
    if (*value == NULL)
        *value = json_object();
    if (!json_is_object(*value))
        return fail_at(err, ERR_INVALID, "wrong-type", where, "%s: not an object", where);
    OWNED(mem_drop) char *printed = json_print(*value);
    if (strlen(printed) > IMAGE_JSON_MAX)
        return fail_at(err, ERR_INVALID, "too-large", where, "%s: more than %d bytes", where,
                       IMAGE_JSON_MAX);
    return OK;
}

static enum outcome check_word(const char *word, const char *where, struct error *err)
{
    if (!text_is_word(word))
        return fail_at(err, ERR_INVALID, "bad-name", where, "%s: not a cloud's word", where);
    return OK;
}

/* {"name": "debian", "version": "12.7"}, either or none. */
static enum outcome check_os(const json_t *os, struct error *err)
{
    const char *name, *version;
    TRY(json_only(os, "/os", (const char *const[]){"name", "version", NULL}, err));
    TRY(json_get_text_or(os, "/os", "name", NAME_SIZE - 1, "-", &name, err));
    TRY(json_get_text_or(os, "/os", "version", NAME_SIZE - 1, "-", &version, err));
    TRY(check_word(name, "/os/name", err));
    return check_word(version, "/os/version", err);
}

/* {"azure": "...", "an-account": "..."} */
static enum outcome check_refs(const json_t *refs, struct error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)refs, key, value) {
        if (!text_is_name(key))
            return fail_at(err, ERR_INVALID, "bad-name", "/refs", "/refs: '%.63s' is not a name",
                           key);
        const char *ref = json_string_value(value);
        if (ref == NULL || strlen(ref) >= IMAGE_REF_SIZE)
            return fail_at(err, ERR_INVALID, "wrong-type", "/refs", "/refs: %s is not a short text",
                           key);
        TRY(check_word(ref, "/refs", err));
    }
    return OK;
}

const char *image_ref_in(const struct image *image, const struct account *account)
{
    const char *cloud = name_of(&account_driver_names, (int)account->driver);
    const char *ref = json_string_value(json_object_get(image->refs, account->name));
    if (ref == NULL && strcmp(image->driver, cloud) == 0)
        return image->ref;
    return ref != NULL ? ref : json_string_value(json_object_get(image->refs, cloud));
}

enum outcome image_from_json(const json_t *value, struct image *out, struct error *err)
{
    OWNED(image_done) struct image image = {0};
    TRY(record_from_json(&image_record, value, "", &image, err));
    if (!text_is_name(image.name))
        return fail_at(err, ERR_INVALID, "bad-name", "/name", "/name: '%s' is not a name",
                       image.name);
    int driver;
    if (name_parse(&account_driver_names, image.driver, &driver, NULL) != OK)
        return fail_at(err, ERR_INVALID, "unknown-word", "/driver", "/driver: '%s' is no driver",
                       image.driver);
    TRY(check_word(image.ref, "/ref", err));
    if (image.boot_mode[0] != '\0')
        TRY(check_word(image.boot_mode, "/boot_mode", err));
    TRY(object_or_nothing(&image.reference_values, "/reference_values", err));
    TRY(object_or_nothing(&image.measured_boot, "/measured_boot", err));
    TRY(object_or_nothing(&image.os, "/os", err));
    TRY(check_os(image.os, err));
    TRY(object_or_nothing(&image.refs, "/refs", err));
    TRY(check_refs(image.refs, err));
    *out = image;
    image = (struct image){0};
    return OK;
}

json_t *image_to_json(const struct image *image)
{
    return record_to_json(&image_record, image);
}
