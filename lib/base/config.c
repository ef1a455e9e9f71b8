#include "lib/base/config.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

enum { CONFIG_LIMIT = 256 * 1024, CONFIG_KEYS_MAX = 64 };

static void *place_of(const struct setting *setting, void *settings)
{
    return (char *)settings + setting->offset;
}

static enum outcome put(const struct setting *setting, const char *value, const char *where,
                        void *settings, struct error *err)
{
    void *at = place_of(setting, settings);
    switch (setting->kind) {
    case SETTING_TEXT:
        free(*(char **)at);
        *(char **)at = mem_text(value);
        return OK;
    case SETTING_INT:
        if (number_parse(value, setting->least, setting->most, at, err) != OK)
            return fail_at(err, ERR_INVALID, "bad-setting", where, "%s: %s: %s", where,
                           setting->key, err != NULL ? err->text : "bad number");
        return OK;
    case SETTING_BOOL:
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            return fail_at(err, ERR_INVALID, "bad-setting", where,
                           "%s: %s: '%.40s' is neither true nor false", where, setting->key, value);
        *(bool *)at = strcmp(value, "true") == 0;
        return OK;
    }
    abort();
}

static char *trim(char *s)
{
    s += strspn(s, " \t\r");
    size_t len = strlen(s);
    while (len > 0 && strchr(" \t\r", s[len - 1]) != NULL)
        s[--len] = '\0';
    return s;
}

static enum outcome take_line(const struct setting *table, size_t count, char *line,
                              const char *where, bool *seen, void *settings, struct error *err)
{
    char *key = trim(line);
    if (key[0] == '\0' || key[0] == '#')
        return OK;
    char *equals = strchr(key, '=');
    if (equals == NULL)
        return fail_at(err, ERR_INVALID, "bad-setting", where, "%s: expected key = value", where);
    *equals = '\0';
    char *value = trim(equals + 1);
    key = trim(key);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].key, key) != 0)
            continue;
        if (seen[i])
            return fail_at(err, ERR_INVALID, "bad-setting", where, "%s: '%s' is set twice", where,
                           key);
        seen[i] = true;
        return put(&table[i], value, where, settings, err);
    }
    return fail_at(err, ERR_INVALID, "unknown-setting", where, "%s: unknown key '%.60s'", where,
                   key);
}

static enum outcome fill_defaults(const char *path, const struct setting *table, size_t count,
                                  const bool *seen, void *settings, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (seen[i])
            continue;
        if (table[i].fallback == NULL)
            return fail_at(err, ERR_INVALID, "missing-setting", path, "%s: '%s' is not set", path,
                           table[i].key);
        TRY(put(&table[i], table[i].fallback, "default", settings, err));
    }
    return OK;
}

enum outcome config_read(const char *path, const struct setting *table, size_t count,
                         void *settings, struct error *err)
{
    bool seen[CONFIG_KEYS_MAX] = {0};
    if (count > CONFIG_KEYS_MAX)
        abort();
    OWNED(bytes_done) struct bytes content = {0};
    TRY(file_read(path, CONFIG_LIMIT, &content, err));
    bytes_add_u8(&content, '\0');
    char *rest = (char *)content.at;
    if (memchr(content.at, '\0', content.len - 1) != NULL)
        return fail_at(err, ERR_INVALID, "bad-setting", path, "%s holds a NUL byte", path);
    int line_number = 1;
    for (char *line; (line = strsep(&rest, "\n")) != NULL; line_number++) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%.80s:%d", path, line_number);
        TRY(take_line(table, count, line, where, seen, settings, err));
    }
    return fill_defaults(path, table, count, seen, settings, err);
}

void config_done(const struct setting *table, size_t count, void *settings)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].kind == SETTING_TEXT) {
            char **at = place_of(&table[i], settings);
            free(*at);
            *at = NULL;
        }
    }
}

void config_print_help(const struct setting *table, size_t count, FILE *out)
{
    for (size_t i = 0; i < count; i++)
        fprintf(out, "  %-28s %s (%s%s)\n", table[i].key, table[i].help,
                table[i].fallback != NULL ? "default " : "required",
                table[i].fallback != NULL ? table[i].fallback : "");
}
