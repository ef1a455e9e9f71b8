/* JSON out: the bytes that Jansson's own printer writes with sorted members and no spaces, at a
 * fraction of its cost. That one guards each array and object against holding itself, by a name
 * made with snprintf() in a table; what is printed here was parsed, or made as a tree. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"

static void print_value(const json_t *value, struct text *out);

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

static void print_string(const char *at, size_t len, struct text *out)
{
    text_add(out, "\"");
    for (size_t i = 0; i < len; i++) {
        const size_t from = i;
        while (i < len && is_plain(at[i]))
            i++;
        text_add_span(out, SPAN(at + from, i - from));
        if (i < len)
            print_escape(at[i], out);
    }
    text_add(out, "\"");
}

struct member {
    const char *name;
    const json_t *value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->name, ((const struct member *)b)->name);
}

static void print_object(const json_t *object, struct text *out)
{
    const char *name;
    json_t *value;
    size_t count = 0;
    OWNED(mem_drop) struct member *members = mem_new(json_object_size(object), sizeof *members);
    json_object_foreach (json_looked_at(object), name, value)
        members[count++] = (struct member){name, value};
    qsort(members, count, sizeof *members, by_name);
    text_add(out, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add(out, ",");
        print_string(members[i].name, strlen(members[i].name), out);
        text_add(out, ":");
        print_value(members[i].value, out);
    }
    text_add(out, "}");
}

static void print_array(const json_t *array, struct text *out)
{
    text_add(out, "[");
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            text_add(out, ",");
        print_value(json_array_get(array, i), out);
    }
    text_add(out, "]");
}

static void print_real(const json_t *value, struct text *out)
{
    OWNED(mem_drop) char *text = json_dumps(value, JSON_ENCODE_ANY);
    text_add(out, text);
}

static void print_value(const json_t *value, struct text *out)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return print_object(value, out);
    case JSON_ARRAY:
        return print_array(value, out);
    case JSON_STRING:
        return print_string(json_string_value(value), json_string_length(value), out);
    case JSON_INTEGER:
        return text_addf(out, "%lld", (long long)json_integer_value(value));
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
    print_value(value, &out);
    return text_take(&out);
}
