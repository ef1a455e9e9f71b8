/* Settings: a `key = value` file read through a table; `#` starts a comment line. The table is also
 * what --help and the man page print, so it holds a line of help per key. */
#ifndef MUSTER_BASE_CONFIG_H
#define MUSTER_BASE_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "lib/base/error.h"

enum setting_kind {
    SETTING_TEXT, /* char *, owned by the settings struct */
    SETTING_INT,  /* int64_t with bounds */
    SETTING_BOOL, /* bool: true or false */
};

struct setting {
    const char *key; /* "listen-address" */
    enum setting_kind kind;
    size_t offset;
    const char *fallback; /* NULL: the key is required */
    int64_t least, most;  /* SETTING_INT */
    const char *help;
};

#define SETTING(type, member, setting_key, setting_kind, setting_fallback, ...)                    \
    {                                                                                              \
        .key = (setting_key), .kind = (setting_kind), .offset = offsetof(struct type, member),     \
        .fallback = (setting_fallback), __VA_ARGS__                                                \
    }

/* Unknown and repeated keys, bad values and missing required keys are refused; `where` is
 * "file:line". `settings` must be zeroed; release with config_done on every way out. */
enum outcome config_read(const char *path, const struct setting *table, size_t count,
                         void *settings, struct error *err);
void config_done(const struct setting *table, size_t count, void *settings);
void config_print_help(const struct setting *table, size_t count, FILE *out);

#endif
