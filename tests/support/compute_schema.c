#include "tests/support/compute_schema.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void check(const json_t *schema, const json_t *rule, const json_t *value, const char *path);

static void check_reference(const json_t *schema, const char *reference, const json_t *value,
                            const char *path)
{
    const char *slash = strrchr(reference, '/');
    const json_t *rule = json_object_get(json_object_get(schema, "definitions"),
                                         slash != NULL ? slash + 1 : reference);
    if (rule == NULL)
        fail_msg("%s: the schema has no %s", path, reference);
    check(schema, rule, value, path);
}

static void check_object(const json_t *schema, const json_t *rule, const json_t *value,
                         const char *path)
{
    const char *name;
    json_t *member;
    const json_t *needed;
    size_t i;
    if (!json_is_object(value))
        fail_msg("%s is no object", path);
    json_array_foreach (json_object_get(rule, "required"), i, needed)
        if (json_object_get(value, json_string_value(needed)) == NULL)
            fail_msg("%s lacks %s", path, json_string_value(needed));
    json_object_foreach (json_looked_at(value), name, member) {
        OWNED(text_done) struct text where = {0};
        text_addf(&where, "%s/%s", path, name);
        const json_t *known = json_object_get(json_object_get(rule, "properties"), name);
        if (known == NULL)
            known = json_object_get(rule, "additionalProperties");
        if (!json_is_object(known))
            fail_msg("%s is not known", text_str(&where));
        check(schema, known, member, text_str(&where));
    }
}

static void check_array(const json_t *schema, const json_t *rule, const json_t *value,
                        const char *path)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        fail_msg("%s is no array", path);
    json_array_foreach (json_looked_at(value), i, item)
        check(schema, json_object_get(rule, "items"), item, path);
}

static void check_string(const json_t *rule, const json_t *value, const char *path)
{
    const char *format = word(rule, "format");
    const char *text = json_string_value(value);
    if (text == NULL)
        fail_msg("%s is no string", path);
    if (strstr(format, "int64") != NULL && strspn(text, "-0123456789") != strlen(text))
        fail_msg("%s: '%s' is no 64-bit number", path, text);
}

static void check(const json_t *schema, const json_t *rule, const json_t *value, const char *path)
{
    const char *type = word(rule, "type");
    if (word(rule, "$ref")[0] != '\0')
        check_reference(schema, word(rule, "$ref"), value, path);
    else if (strcmp(type, "object") == 0)
        check_object(schema, rule, value, path);
    else if (strcmp(type, "array") == 0)
        check_array(schema, rule, value, path);
    else if (strcmp(type, "string") == 0)
        check_string(rule, value, path);
    else if (strcmp(type, "boolean") == 0 ? !json_is_boolean(value) : !json_is_number(value))
        fail_msg("%s is no %s", path, type);
}

void compute_schema_check(const json_t *schema, const char *definition, const json_t *value)
{
    check_reference(schema, definition, value, definition);
}

/* "projects/{project}/zones/{zone}" fits "projects/p/zones/z". */
static bool path_fits(const char *pattern, const char *path, size_t len)
{
    const char *end = path + len;
    while (*pattern != '\0') {
        if (*pattern == '{') {
            size_t part = strcspn(path, "/?");
            if (part == 0)
                return false;
            path += part;
            pattern = strchr(pattern, '}') + 1;
        } else if (path == end || *pattern++ != *path++) {
            return false;
        }
    }
    return path == end;
}

static bool takes(const json_t *operation, const char *name, size_t len)
{
    static const char *const everywhere[] = {"alt", "fields", "returnPartialSuccess"};
    const json_t *query = json_object_get(json_object_get(operation, "params"), "query");
    size_t i;
    json_t *parameter;
    for (i = 0; i < countof(everywhere); i++)
        if (strlen(everywhere[i]) == len && memcmp(everywhere[i], name, len) == 0)
            return true;
    json_array_foreach (json_looked_at(query), i, parameter)
        if (strlen(word(parameter, "name")) == len &&
            memcmp(word(parameter, "name"), name, len) == 0)
            return true;
    return false;
}

const json_t *compute_schema_find(const json_t *schema, const char *method, const char *path)
{
    size_t i;
    json_t *operation;
    json_array_foreach (json_object_get(schema, "operations"), i, operation)
        if (strcmp(word(operation, "method"), method) == 0 &&
            path_fits(word(operation, "path"), path, strcspn(path, "?")))
            return operation;
    return NULL;
}

const json_t *compute_schema_operation(const json_t *schema, const char *method, const char *path)
{
    const json_t *operation = compute_schema_find(schema, method, path);
    if (operation == NULL)
        fail_msg("Compute Engine has no %s %s", method, path);
    for (const char *at = path + strcspn(path, "?"); *at != '\0'; at += strcspn(at + 1, "&") + 1)
        if (!takes(operation, at + 1, strcspn(at + 1, "=")))
            fail_msg("%s takes no %s", word(operation, "id"), at + 1);
    return operation;
}
