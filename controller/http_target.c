#include "controller/http_target.h"

#include <stdlib.h>
#include <string.h>

static enum outcome bad(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "bad-target", "the request's target has %s", what);
}

static bool may_stand(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~!$&'()*+,;=:@/%?", c) != NULL);
}

static enum outcome decode(struct span raw, char **out, struct error *err)
{
    OWNED(text_done) struct text plain = {0};
    struct error why;
    if (percent_decode(raw, &plain, &why) != OK)
        return bad(err, "a bad escape");
    if (!text_is_clean(text_span(&plain)))
        return bad(err, "bytes that are not clean text");
    *out = mem_text(text_str(&plain));
    return OK;
}

static enum outcome add_segment(struct http_target *target, struct span raw, struct error *err)
{
    if (raw.len == 0)
        return bad(err, "an empty segment");
    if (target->segment_count == HTTP_SEGMENTS_MAX)
        return bad(err, "too many segments");
    char *plain = NULL;
    TRY(decode(raw, &plain, err));
    target->segments[target->segment_count++] = plain;
    if (strcmp(plain, ".") == 0 || strcmp(plain, "..") == 0)
        return bad(err, "a dot segment");
    if (strpbrk(plain, "/\\") != NULL)
        return bad(err, "a slash that was escaped");
    return OK;
}

static enum outcome add_pair(struct http_target *target, struct span raw, struct error *err)
{
    if (target->query_count == HTTP_QUERY_MAX)
        return bad(err, "too many parameters");
    const uint8_t *equals = raw.len > 0 ? memchr(raw.at, '=', raw.len) : NULL;
    if (equals == NULL || equals == raw.at)
        return bad(err, "a parameter that is not name=value");
    size_t name_len = (size_t)(equals - raw.at);
    struct http_pair *pair = &target->query[target->query_count++];
    TRY(decode(span_part(raw, 0, name_len), &pair->name, err));
    TRY(decode(span_part(raw, name_len + 1, raw.len - name_len - 1), &pair->value, err));
    for (size_t i = 0; i + 1 < target->query_count; i++)
        if (strcmp(target->query[i].name, pair->name) == 0)
            return bad(err, "a parameter that comes twice");
    return OK;
}

/* Calls `add` with each piece between separators. */
static enum outcome split(struct http_target *target, struct span all, char separator,
                          enum outcome (*add)(struct http_target *, struct span, struct error *),
                          struct error *err)
{
    size_t from = 0;
    for (size_t i = 0; i <= all.len; i++)
        if (i == all.len || all.at[i] == (uint8_t)separator) {
            TRY(add(target, span_part(all, from, i - from), err));
            from = i + 1;
        }
    return OK;
}

static enum outcome parse(const char *raw, struct http_target *out, struct error *err)
{
    if (raw[0] != '/')
        return bad(err, "another form than /path");
    if (strlen(raw) > HTTP_TARGET_MAX)
        return bad(err, "too many bytes");
    for (const char *c = raw; *c != '\0'; c++)
        if (!may_stand(*c))
            return bad(err, "a byte that must be escaped");
    size_t path_len = strcspn(raw, "?");
    if (path_len > 1)
        TRY(split(out, SPAN(raw + 1, path_len - 1), '/', add_segment, err));
    if (raw[path_len] == '?')
        TRY(split(out, span_of_text(raw + path_len + 1), '&', add_pair, err));
    return OK;
}

enum outcome http_target_parse(const char *raw, struct http_target *out, struct error *err)
{
    struct http_target target = {0};
    enum outcome outcome = parse(raw, &target, err);
    if (outcome == OK)
        *out = target;
    else
        http_target_done(&target);
    return outcome;
}

void http_target_done(struct http_target *target)
{
    for (size_t i = 0; i < target->segment_count; i++)
        free(target->segments[i]);
    for (size_t i = 0; i < target->query_count; i++) {
        free(target->query[i].name);
        free(target->query[i].value);
    }
    *target = (struct http_target){0};
}

const char *http_target_query(const struct http_target *target, const char *name)
{
    for (size_t i = 0; i < target->query_count; i++)
        if (strcmp(target->query[i].name, name) == 0)
            return target->query[i].value;
    return NULL;
}
