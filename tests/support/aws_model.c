#include "tests/support/aws_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

#define LEFTOVERS "tests/drivers/ec2-leftovers.trimmed.json"

static const char *word(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* ---- which ---------------------------------------------------------------------------------- */

static json_t *our_excerpt(void)
{
    struct error err = {0};
    char path[512];
    OWNED(bytes_done) struct bytes content = {0};
    json_t *model = NULL;
    snprintf(path, sizeof path, "%s/" LEFTOVERS, getenv("MUSTER_SRC"));
    assert_ok(file_read(path, 1 << 20, &content, &err));
    assert_ok(json_parse(bytes_span(&content), 1 << 20, &model, &err));
    return model;
}

static const json_t *operation_of(const json_t *model, const char *action)
{
    return json_object_get(json_object_get(model, "operations"), action);
}

json_t *aws_model(const char *service, const char *action)
{
    const bool is_sts = strcmp(service, "sts") == 0;
    json_t *model = vectors_json(is_sts ? "clouds/aws/sts-2011-06-15.trimmed.json"
                                        : "clouds/aws/ec2-2016-11-15.trimmed.json");
    if (!is_sts && operation_of(model, action) == NULL) {
        json_decref(model);
        model = our_excerpt();
    }
    if (operation_of(model, action) == NULL)
        fail_msg("no model knows %s of %s", action, service);
    return model;
}

const json_t *aws_model_shape(const json_t *model, const json_t *reference)
{
    return json_object_get(json_object_get(model, "shapes"), word(reference, "shape"));
}

/* ---- values --------------------------------------------------------------------------------- */

static bool is_one_of(const json_t *words, const char *value)
{
    size_t i;
    json_t *one;
    json_array_foreach (words, i, one)
        if (strcmp(json_string_value(one), value) == 0)
            return true;
    return false;
}

static bool fits(const json_t *shape, const char *value)
{
    const char *type = word(shape, "type");
    const json_t *words = json_object_get(shape, "enum");
    struct moment unused;
    const size_t len = strlen(value);
    if (words != NULL)
        return is_one_of(words, value);
    if (strcmp(type, "boolean") == 0)
        return strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
    if (strcmp(type, "integer") == 0 || strcmp(type, "long") == 0)
        return len > 0 && strspn(value, "0123456789") == len;
    if (strcmp(type, "double") == 0)
        return len > 0 && strspn(value, "0123456789.") == len;
    if (strcmp(type, "timestamp") == 0)
        return moment_parse(value, &unused, NULL) == OK;
    return strcmp(type, "string") == 0;
}

static bool has_elements(const json_t *shape)
{
    return strcmp(word(shape, "type"), "list") == 0 ||
           strcmp(word(shape, "type"), "structure") == 0;
}

/* ---- elements ------------------------------------------------------------------------------- */

/* A shape stands where it is used in those that we make ourselves. */
static const json_t *resolved(const json_t *model, const json_t *reference)
{
    return json_object_get(reference, "shape") != NULL ? aws_model_shape(model, reference)
                                                       : reference;
}

static const json_t *member_of(const json_t *model, const json_t *shape, const char *element)
{
    const char *name;
    json_t *member;
    if (strcmp(word(shape, "type"), "list") == 0) {
        const json_t *item = json_object_get(shape, "member");
        const char *called = word(item, "locationName");
        return strcmp(element, called[0] != '\0' ? called : "member") == 0 ? resolved(model, item)
                                                                           : NULL;
    }
    json_object_foreach (json_object_get(shape, "members"), name, member) {
        const char *called = word(member, "locationName");
        if (strcmp(called[0] != '\0' ? called : name, element) == 0)
            return resolved(model, member);
    }
    return NULL;
}

static const char *walk_text(const json_t *shape, const char *at)
{
    const size_t len = strcspn(at, "<");
    OWNED(mem_drop) char *value = strndup(at, len);
    if (!fits(shape, value))
        fail_msg("'%s' is no %s", value, word(shape, "type"));
    return at + len;
}

static const char *walk(const json_t *model, const json_t *shape, const char *at);

/* `<name>...</name>` or `<name/>`; gives what follows it. */
static const char *walk_element(const json_t *model, const json_t *shape, const char *at)
{
    char element[64], end[80];
    snprintf(element, sizeof element, "%.*s", (int)strcspn(at + 1, "/>"), at + 1);
    const json_t *inner = member_of(model, shape, element);
    if (inner == NULL)
        fail_msg("the model knows no %.100s here", at);
    at += 1 + strlen(element);
    if (strncmp(at, "/>", 2) == 0) {
        if (!has_elements(inner) && !fits(inner, ""))
            fail_msg("an empty <%s> is no %s", element, word(inner, "type"));
        return at + 2;
    }
    at = walk(model, inner, at + 1);
    const int len = snprintf(end, sizeof end, "</%s>", element);
    if (strncmp(at, end, (size_t)len) != 0)
        fail_msg("%s does not end at %.60s", element, at);
    return at + len;
}

static const char *walk(const json_t *model, const json_t *shape, const char *at)
{
    if (!has_elements(shape))
        return walk_text(shape, at);
    while (at[0] == '<' && at[1] != '/')
        at = walk_element(model, shape, at);
    return at;
}

/* ---- answers -------------------------------------------------------------------------------- */

/* What an answer says besides its result, and what EC2 says when there is none. */
static json_t *root_of(const json_t *model, const json_t *operation)
{
    const json_t *output = json_object_get(operation, "output");
    const char *wrapper = word(output, "resultWrapper");
    if (wrapper[0] != '\0')
        return json_pack("{s:s, s:{s:{s:s}, s:{s:s, s:{s:{s:s}}}}}", "type", "structure", "members",
                         wrapper, "shape", word(output, "shape"), "ResponseMetadata", "type",
                         "structure", "members", "RequestId", "type", "string");
    json_t *root = output != NULL ? json_deep_copy(aws_model_shape(model, output))
                                  : json_pack("{s:s, s:{s:{s:s}}}", "type", "structure", "members",
                                              "return", "type", "boolean");
    json_put_new(json_object_get(root, "members"), "requestId",
                 json_pack("{s:s}", "type", "string"));
    return root;
}

void aws_model_check_answer(const char *service, const char *action, const char *body)
{
    static const char declaration[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    char begin[256], end[80];
    OWNED(json_drop) json_t *model = aws_model(service, action);
    OWNED(json_drop) json_t *root = root_of(model, operation_of(model, action));
    const char *space = word(json_object_get(model, "metadata"), "xmlNamespace");
    const size_t bare = strlen(space) - (space[strlen(space) - 1] == '/' ? 1 : 0);
    snprintf(begin, sizeof begin, "%s<%sResponse xmlns=\"%.*s/\">", declaration, action, (int)bare,
             space);
    snprintf(end, sizeof end, "</%sResponse>", action);
    if (strncmp(body, begin, strlen(begin)) != 0)
        fail_msg("%s is answered with %.200s", action, body);
    assert_string_equal(walk(model, root, body + strlen(begin)), end);
}
