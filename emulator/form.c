#include "emulator/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void form_in_done(struct form_in *form)
{
    for (size_t i = 0; i < form->count; i++) {
        free(form->pairs[i].name);
        free(form->pairs[i].value);
    }
    free(form->pairs);
    *form = (struct form_in){0};
}

static enum outcome decode(struct span part, char **out, struct error *err)
{
    OWNED(bytes_done) struct bytes spaced = bytes_copy(part);
    OWNED(text_done) struct text plain = {0};
    for (size_t i = 0; i < spaced.len; i++)
        if (spaced.at[i] == '+')
            spaced.at[i] = ' ';
    TRY(percent_decode(bytes_span(&spaced), &plain, err));
    if (!text_is_clean(text_span(&plain)))
        return fail(err, ERR_INVALID, "a parameter holds control characters or is not UTF-8");
    *out = plain.at != NULL ? text_take(&plain) : mem_text("");
    return OK;
}

static enum outcome add_pair(struct form_in *form, struct span pair, struct error *err)
{
    if (form->count == FORM_PAIRS_MAX)
        return fail(err, ERR_INVALID, "more than %d parameters", FORM_PAIRS_MAX);
    const uint8_t *equals = pair.len > 0 ? memchr(pair.at, '=', pair.len) : NULL;
    size_t name_len = equals != NULL ? (size_t)(equals - pair.at) : pair.len;
    size_t value_at = equals != NULL ? name_len + 1 : name_len;
    form->pairs = mem_resize(form->pairs, form->count + 1, sizeof *form->pairs);
    struct form_pair *fresh = &form->pairs[form->count];
    *fresh = (struct form_pair){0};
    form->count++;
    TRY(decode(span_part(pair, 0, name_len), &fresh->name, err));
    return decode(span_part(pair, value_at, pair.len), &fresh->value, err);
}

static int by_name(const void *a, const void *b)
{
    const struct form_pair *x = a, *y = b;
    return strcmp(x->name, y->name);
}

enum outcome form_read(struct span body, struct form_in *out, struct error *err)
{
    OWNED(form_in_done) struct form_in form = {0};
    for (size_t at = 0; at < body.len;) {
        const uint8_t *end = memchr(body.at + at, '&', body.len - at);
        size_t len = end != NULL ? (size_t)(end - (body.at + at)) : body.len - at;
        if (len > 0)
            TRY(add_pair(&form, span_part(body, at, len), err));
        at += len + 1;
    }
    if (form.count > 0)
        qsort(form.pairs, form.count, sizeof *form.pairs, by_name);
    for (size_t i = 1; i < form.count; i++)
        if (strcmp(form.pairs[i].name, form.pairs[i - 1].name) == 0)
            return fail(err, ERR_INVALID, "%.60s is there twice", form.pairs[i].name);
    *out = form;
    form = (struct form_in){0};
    return OK;
}

const char *form_get(const struct form_in *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->pairs[i].name, name) == 0)
            return form->pairs[i].value;
    return NULL;
}

const char *form_getf(const struct form_in *form, const char *format, ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return form_get(form, name);
}

void form_canonical(const struct form_in *form, const char *but_for, struct text *out)
{
    for (size_t i = 0; i < form->count; i++)
        if (strcmp(form->pairs[i].name, but_for) != 0)
            text_addf(out, "%s=%s\n", form->pairs[i].name, form->pairs[i].value);
}

bool words_hold(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words + strspn(words, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t here = strcspn(at, " ");
        if (here == len && strncmp(at, word, len) == 0)
            return true;
        at += here;
    }
    return false;
}

static void add_escaped(struct text *out, const char *value)
{
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '&')
            text_add(out, "&amp;");
        else if (*c == '<')
            text_add(out, "&lt;");
        else if (*c == '>')
            text_add(out, "&gt;");
        else
            text_add_span(out, SPAN(c, 1));
    }
}

void xml_add(struct text *out, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        text_addf(out, "<%s/>", name);
        return;
    }
    text_addf(out, "<%s>", name);
    add_escaped(out, value);
    text_addf(out, "</%s>", name);
}

void xml_add_int(struct text *out, const char *name, int64_t value)
{
    text_addf(out, "<%s>%lld</%s>", name, (long long)value, name);
}
