#include "tests/support/captured.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/test.h"
#include "tests/support/vectors.h"

json_t *captured_request(const char *cloud, const char *file)
{
    char path[160];
    snprintf(path, sizeof path, "clouds/%s/requests/%s.json", cloud, file);
    return vectors_json(path);
}

static void compare(const json_t *theirs, const json_t *ours, const char *path,
                    const char *const *but_for)
{
    const char *name;
    json_t *member;
    size_t i;
    for (const char *const *left_out = but_for; *left_out != NULL; left_out++)
        if (strcmp(*left_out, path) == 0)
            return;
    if (json_is_object(theirs)) {
        json_object_foreach (json_looked_at(theirs), name, member) {
            OWNED(text_done) struct text below = {0};
            text_addf(&below, "%s/%s", path, name);
            compare(member, json_object_get(ours, name), text_str(&below), but_for);
        }
    } else if (json_is_array(theirs)) {
        json_array_foreach (json_looked_at(theirs), i, member)
            compare(member, json_array_get(ours, i), path, but_for);
    } else if (!json_equal(json_looked_at(theirs), json_looked_at(ours))) {
        OWNED(mem_drop) char *said = json_print(theirs);
        fail_msg("%s: the real client says %s", path, said);
    }
}

void assert_says_as_much(const json_t *theirs, const json_t *ours, const char *const *but_for)
{
    compare(theirs, ours, "", but_for);
}

static void compare_header(const char *name, const char *value, const char *heard)
{
    OWNED(text_done) struct text begin = {0};
    text_addf(&begin, "\r\n%s: ", name);
    const char *at = strcasestr(heard, text_str(&begin));
    if (at == NULL)
        fail_msg("the real client sends %s", name);
    at += begin.len;
    if (strcspn(at, "\r") != strlen(value) || strncmp(at, value, strlen(value)) != 0)
        fail_msg("%s: the real client says %s", name, value);
}

void assert_sent_alike(const json_t *theirs, const char *heard)
{
    OWNED(text_done) struct text line = {0};
    const char *path = json_string_value(json_object_get(theirs, "path"));
    const char *name;
    json_t *value;
    const size_t len = strcspn(path, "?");
    text_addf(&line, "%s %.*s%s HTTP/1.1\r\n", json_string_value(json_object_get(theirs, "method")),
              (int)(len > 1 && path[len - 1] == '/' ? len - 1 : len), path, path + len);
    if (strncmp(heard, text_str(&line), line.len) != 0)
        fail_msg("the real client says %s, ours %.300s", text_str(&line), heard);
    json_object_foreach (json_object_get(theirs, "headers"), name, value)
        if (strcasecmp(name, "content-type") != 0 || !json_is_null(json_object_get(theirs, "body")))
            compare_header(name, json_string_value(value), heard);
}

json_t *recorded_answer(const char *cloud, const char *file)
{
    struct error err = {0};
    char path[160];
    json_t *body = NULL;
    snprintf(path, sizeof path, "clouds/%s/responses/%s.json", cloud, file);
    OWNED(json_drop) json_t *sample = vectors_json(path);
    const json_t *response = json_object_get(sample, "response");
    assert_ok(json_parse(span_of_text(json_string_value(json_object_get(response, "body"))),
                         1 << 20, &body, &err));
    return body;
}

static bool same_type(const json_t *ours, const json_t *theirs)
{
    return json_is_boolean(ours) ? json_is_boolean(theirs)
                                 : json_typeof(ours) == json_typeof(theirs);
}

static void look_for_more(const json_t *ours, const json_t *theirs, const char *path)
{
    const char *name;
    json_t *member;
    size_t i;
    if (theirs == NULL || !same_type(ours, theirs))
        fail_msg("%s: the real answer has no such member", path);
    json_object_foreach (json_looked_at(ours), name, member) {
        OWNED(text_done) struct text below = {0};
        text_addf(&below, "%s/%s", path, name);
        look_for_more(member, json_object_get(theirs, name), text_str(&below));
    }
    json_array_foreach (json_looked_at(ours), i, member)
        look_for_more(member, json_array_get(theirs, 0), path);
}

void assert_says_no_more(const json_t *ours, const json_t *theirs)
{
    look_for_more(ours, theirs, "");
}
