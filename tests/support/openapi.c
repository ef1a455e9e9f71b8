#include "tests/support/openapi.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/test.h"

/* Follows "#/a/b/c". */
static const json_t *resolve(const json_t *document, const json_t *node)
{
    const char *ref = json_string_value(json_object_get(node, "$ref"));
    if (ref == NULL)
        return node;
    const json_t *at = document;
    for (const char *step = ref + 1; *step == '/';) {
        char name[128] = "";
        size_t len = strcspn(++step, "/");
        assert_true(len < sizeof name);
        memcpy(name, step, len);
        at = json_object_get(at, name);
        step += len;
    }
    if (at == NULL)
        fail_msg("openapi.json: %s leads nowhere", ref);
    return at;
}

static bool is_type(const json_t *value, const char *type)
{
    static const struct {
        const char *word;
        json_type type;
    } types[] = {{"object", JSON_OBJECT},   {"array", JSON_ARRAY}, {"string", JSON_STRING},
                 {"integer", JSON_INTEGER}, {"null", JSON_NULL},   {"boolean", JSON_TRUE}};
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    for (size_t i = 0; i < countof(types); i++)
        if (strcmp(types[i].word, type) == 0)
            return json_typeof(value) == types[i].type ||
                   (types[i].type == JSON_TRUE && json_is_false(value));
    return false;
}

static bool type_fits(const json_t *types, const json_t *value)
{
    if (types == NULL)
        return true;
    if (json_is_string(types))
        return is_type(value, json_string_value(types));
    for (size_t i = 0; i < json_array_size(types); i++)
        if (is_type(value, json_string_value(json_array_get(types, i))))
            return true;
    return false;
}

static bool enum_fits(const json_t *words, const json_t *value)
{
    bool found = words == NULL;
    for (size_t i = 0; !found && i < json_array_size(words); i++)
        found = json_equal(json_array_get(words, i), json_looked_at(value));
    return found;
}

/* Writes what does not fit, with its path, into `out`; "" when all fits. */
static void check(const json_t *document, const json_t *schema, const json_t *value,
                  const char *path, char out[static 256]);

static void check_one_of(const json_t *document, const json_t *choices, const json_t *value,
                         const char *path, char out[static 256])
{
    char why[256] = "nothing to choose from";
    for (size_t i = 0; i < json_array_size(choices); i++) {
        why[0] = '\0';
        check(document, json_array_get(choices, i), value, path, why);
        if (why[0] == '\0')
            return;
    }
    memcpy(out, why, sizeof why);
}

static void check_members(const json_t *document, const json_t *schema, const json_t *value,
                          const char *path, char out[static 256])
{
    const json_t *known = json_object_get(schema, "properties");
    const json_t *rest = json_object_get(schema, "additionalProperties");
    size_t i;
    json_t *name, *item;
    json_array_foreach (json_object_get(schema, "required"), i, name)
        if (json_object_get(value, json_string_value(name)) == NULL)
            snprintf(out, 256, "%s/%s is missing", path, json_string_value(name));
    if (known == NULL && !json_is_object(rest))
        return; /* any object */
    const char *member;
    json_object_foreach (json_looked_at(value), member, item) {
        char at[128];
        snprintf(at, sizeof at, "%.80s/%.40s", path, member);
        const json_t *its = json_object_get(known, member);
        if (its == NULL && !json_is_object(rest))
            snprintf(out, 256, "%s is not documented", at);
        else
            check(document, its != NULL ? its : rest, item, at, out);
    }
}

static void check(const json_t *document, const json_t *schema, const json_t *value,
                  const char *path, char out[static 256])
{
    schema = resolve(document, schema);
    const json_t *choices = json_object_get(schema, "oneOf");
    if (choices != NULL)
        return check_one_of(document, choices, value, path, out);
    if (!type_fits(json_object_get(schema, "type"), value))
        snprintf(out, 256, "%s has another type", path);
    else if (!enum_fits(json_object_get(schema, "enum"), value))
        snprintf(out, 256, "%s has a word that is not documented", path);
    else if (json_is_object(value))
        check_members(document, schema, value, path, out);
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        const json_t *items = json_object_get(schema, "items");
        if (items != NULL)
            check(document, items, json_array_get(value, i), path, out);
    }
}

static const json_t *response_of(const json_t *document, const char *method, const char *pattern,
                                 int status)
{
    char word[16];
    for (size_t i = 0; i < sizeof word; i++) {
        word[i] = (char)(method[i] | 0x20);
        if (method[i] == '\0') {
            word[i] = '\0';
            break;
        }
    }
    const json_t *path = json_object_get(json_object_get(document, "paths"), pattern);
    const json_t *responses = json_object_get(json_object_get(path, word), "responses");
    snprintf(word, sizeof word, "%d", status);
    const json_t *response = json_object_get(responses, word);
    if (response == NULL && status >= 400)
        response = json_object_get(responses, "default");
    if (response == NULL)
        fail_msg("%s %s: the status %d is not documented", method, pattern, status);
    return resolve(document, response);
}

void assert_answer_is_documented(const json_t *document, const char *method, const char *pattern,
                                 int status, const char *content_type, const json_t *body)
{
    char media[64] = "", why[256] = "";
    const json_t *response = response_of(document, method, pattern, status);
    snprintf(media, sizeof media, "%.*s", (int)strcspn(content_type, ";"), content_type);
    const json_t *content = json_object_get(json_object_get(response, "content"), media);
    if (content == NULL)
        fail_msg("%s %s: %d with %s is not documented", method, pattern, status, media);
    const json_t *schema = json_object_get(content, "schema");
    if (schema != NULL)
        check(document, schema, body, "", why);
    if (why[0] != '\0')
        fail_msg("%s %s: %d: %s", method, pattern, status, why);
}
