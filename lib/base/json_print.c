/* JSON out: the bytes that Jansson's own printer writes with sorted members and no spaces, at a
 * fraction of its cost. That one guards each array and object against holding itself, by a name
 * made with snprintf() in a table; what is printed here was parsed, or made as a tree. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void print_escape(char c, struct text *out)
{
    static const char special[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *at = strchr(special, c);
    if (at != NULL)
        text_addf(out, "\\%c", letters[at - special]);
    else
        text_addf(out, "\\u%04X", (unsigned)c);
}

void json_print_text(struct span value, struct text *out)
{
    const char *at = (const char *)value.at;
    text_add(out, "\"");
    for (size_t i = 0; i < value.len; i++) {
        const size_t from = i;
        i += text_plain_len(span_part(value, i, value.len));
        while (i < value.len && is_plain(at[i]))
            i++;
        text_add_span(out, SPAN(at + from, i - from));
        if (i < value.len)
            print_escape(at[i], out);
    }
    text_add(out, "\"");
}

struct member {
    const char *name;
    const json_t *value;
};

/* Small objects need no memory of their own, and mostly come as they should go. */
enum { SMALL_OBJECT = 64 };

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void sort(struct member *members, size_t count)
{
    if (count > SMALL_OBJECT) {
        qsort(members, count, sizeof *members, by_name);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct member member = members[i];
        size_t at = i;
        for (; at > 0 && by_name(&members[at - 1], &member) > 0; at--)
            members[at] = members[at - 1];
        members[at] = member;
    }
}

static void print_object(const json_t *object, struct text *out)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    struct member few[SMALL_OBJECT];
    OWNED(mem_drop) struct member *many = NULL;
    if (json_object_size(object) > SMALL_OBJECT)
        many = mem_new(json_object_size(object), sizeof *many);
    struct member *members = many != NULL ? many : few;
    json_object_foreach (json_looked_at(object), name, value)
        members[count++] = (struct member){name, value};
    sort(members, count);
    text_add(out, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add(out, ",");
        json_print_text(span_of_text(members[i].name), out);
        text_add(out, ":");
        json_print_to(members[i].value, out);
    }
    text_add(out, "}");
}

static void print_array(const json_t *array, struct text *out)
{
    text_add(out, "[");
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            text_add(out, ",");
        json_print_to(json_array_get(array, i), out);
    }
    text_add(out, "]");
}

static void print_real(const json_t *value, struct text *out)
{
    OWNED(mem_drop) char *text = json_dumps(value, JSON_ENCODE_ANY);
    text_add(out, text);
}

void json_print_to(const json_t *value, struct text *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return print_object(value, out);
    case JSON_ARRAY:
        return print_array(value, out);
    case JSON_STRING:
        return json_print_text(SPAN(json_string_value(value), json_string_length(value)), out);
    case JSON_INTEGER:
        return text_add_number(out, json_integer_value(value));
    case JSON_REAL:
        return print_real(value, out);
    case JSON_TRUE:
        return text_add(out, "true");
    case JSON_FALSE:
        return text_add(out, "false");
    case JSON_NULL:
        return text_add(out, "null");
    }
    abort();
}

char *json_print(const json_t *value)
{
    struct text out = {0};
    json_print_to(value, &out);
    return text_take(&out);
}
