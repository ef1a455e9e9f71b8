#include "cli/print.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

const json_t *json_find(const json_t *object, const char *member)
{
    while (object != NULL && member[0] != '\0') {
        char name[64];
        size_t len = strcspn(member, "/");
        if (len >= sizeof name)
            return NULL;
        memcpy(name, member, len);
        name[len] = '\0';
        object = json_object_get(object, name);
        member += len + (member[len] == '/');
    }
    return object;
}

static void add_clean(struct text *out, const char *text)
{
    if (text[0] == '\0') {
        text_add(out, "-");
        return;
    }
    bool clean = text_is_clean(span_of_text(text));
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        bool harmless = clean ? byte >= 0x20 && byte != 0x7f : byte >= 0x20 && byte < 0x7f;
        text_add_span(out, harmless ? SPAN(c, 1) : span_of_text("?"));
    }
}

static bool is_list_of_objects(const json_t *value)
{
    return json_is_object(json_array_get(value, 0));
}

static void add_list(struct text *out, const json_t *list)
{
    size_t i;
    const json_t *item;
    const char *between =
        is_list_of_objects(list) ? "; " : ","; /* objects have commas of their own */
    if (json_array_size(list) == 0)
        text_add(out, "-");
    json_array_foreach (list, i, item) {
        if (i > 0)
            text_add(out, between);
        text_add_value(out, item);
    }
}

static bool is_nothing(const json_t *value)
{
    return (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static void add_object(struct text *out, const json_t *object)
{
    const char *name;
    json_t *value;
    size_t before = out->len;
    json_object_foreach (json_looked_at(object), name, value) {
        if (is_nothing(value))
            continue;
        if (out->len > before)
            text_add(out, ", ");
        add_clean(out, name);
        text_add(out, " ");
        text_add_value(out, value);
    }
    if (out->len == before)
        text_add(out, "-");
}

void text_add_value(struct text *out, const json_t *value)
{
    if (json_is_string(value))
        add_clean(out, json_string_value(value));
    else if (json_is_integer(value))
        text_addf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        text_addf(out, "%g", json_real_value(value));
    else if (json_is_boolean(value))
        text_add(out, json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value))
        add_list(out, value);
    else if (json_is_object(value))
        add_object(out, value);
    else
        text_add(out, "-");
}

/* A terminal's columns, not bytes: continuation bytes of UTF-8 take no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(FILE *out, const char *text, size_t width, bool last)
{
    fputs(text, out);
    for (size_t used = width_of(text); !last && used < width + 2; used++)
        fputc(' ', out);
    if (last)
        fputc('\n', out);
}

static void cell_text(const struct column *column, const json_t *row, struct text *out)
{
    text_add_value(out, json_find(row, column->member));
}

static bool holds_list_of_objects(const json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach (json_looked_at(object), name, value)
        if (is_list_of_objects(value))
            return true;
    return false;
}

static void print_last(FILE *out, const json_t *value, size_t before);

static void print_members(FILE *out, const json_t *object, size_t before)
{
    const char *name;
    json_t *value;
    size_t shown = 0;
    json_object_foreach (json_looked_at(object), name, value) {
        OWNED(text_done) struct text title = {0};
        if (is_nothing(value))
            continue;
        add_clean(&title, name);
        fprintf(out, "%*s%s ", shown++ > 0 ? (int)before : 0, "", text_str(&title));
        print_last(out, value, before + width_of(text_str(&title)) + 1);
    }
}

/* What stands last in a line; of a list of objects one a line, all from the same column on, and of
 * an object that holds such a list one member a line. */
static void print_last(FILE *out, const json_t *value, size_t before)
{
    const size_t lines = is_list_of_objects(value) ? json_array_size(value) : 1;
    if (holds_list_of_objects(value)) {
        print_members(out, value, before);
        return;
    }
    for (size_t i = 0; i < lines; i++) {
        OWNED(text_done) struct text cell = {0};
        text_add_value(&cell, is_list_of_objects(value) ? json_array_get(value, i) : value);
        fprintf(out, "%*s", i > 0 ? (int)before : 0, "");
        print_cell(out, text_str(&cell), 0, true);
    }
}

static void print_row(FILE *out, const struct column *columns, size_t count, const size_t *widths,
                      const json_t *row)
{
    size_t before = 0;
    for (size_t c = 0; c + 1 < count; c++) {
        OWNED(text_done) struct text cell = {0};
        cell_text(&columns[c], row, &cell);
        print_cell(out, text_str(&cell), widths[c], false);
        before += widths[c] + 2;
    }
    print_last(out, json_find(row, columns[count - 1].member), before);
}

void print_table(FILE *out, const struct column *columns, const json_t *rows)
{
    size_t widths[COLUMNS_MAX] = {0};
    size_t count = 0;
    size_t r;
    const json_t *row;
    for (; count < COLUMNS_MAX && columns[count].title != NULL; count++)
        widths[count] = width_of(columns[count].title);
    json_array_foreach (rows, r, row) {
        for (size_t c = 0; c + 1 < count; c++) {
            OWNED(text_done) struct text cell = {0};
            cell_text(&columns[c], row, &cell);
            size_t width = width_of(text_str(&cell));
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t c = 0; c < count; c++)
        print_cell(out, columns[c].title, widths[c], c + 1 == count);
    json_array_foreach (rows, r, row)
        print_row(out, columns, count, widths, row);
}

void print_object(FILE *out, const json_t *object)
{
    const char *name;
    json_t *value;
    size_t width = 0;
    json_object_foreach (json_looked_at(object), name, value)
        width = strlen(name) > width ? strlen(name) : width;
    json_object_foreach (json_looked_at(object), name, value) {
        OWNED(text_done) struct text title = {0};
        add_clean(&title, name);
        print_cell(out, text_str(&title), width, false);
        print_last(out, value, width + 2);
    }
}

void print_json(FILE *out, const json_t *value)
{
    OWNED(mem_drop) char *text = json_print_pretty(value);
    fprintf(out, "%s\n", text);
}
