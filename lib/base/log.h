/* Events as key=value, one line each on standard error:
 *   LOG(INFO, "instance.launched", TEXT("instance", id), INT("took_ms", ms));
 * Event names are noun.verb-in-past. Never pass secrets, tokens or key material. */
#ifndef MUSTER_BASE_LOG_H
#define MUSTER_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };

struct log_field {
    const char *key;
    const char *text; /* NULL: the number */
    int64_t number;
};

#define TEXT(k, v) ((struct log_field){.key = (k), .text = (v)})
#define INT(k, v) ((struct log_field){.key = (k), .number = (v)})

#define LOG(level, event, ...)                                                                     \
    log_event(LOG_##level, (event),                                                                \
              (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})

void log_event(enum log_level level, const char *event, const struct log_field *fields);
void log_error(const char *event, const struct error *err); /* LOG(ERROR, ...) with code and text */

/* The program's name is in every line; the level comes from MUSTER_LOG (debug|info|warn|error). */
void log_start(const char *program);
void log_set_level(enum log_level level);

#endif
