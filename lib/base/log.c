#include "lib/base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/names.h"
#include "lib/base/text.h"

static const char *const level_words[] = {"debug", "info", "warn", "error"};
static const struct names level_names = NAMES("log level", level_words);
_Static_assert(countof(level_words) == LOG_LEVEL_COUNT);

static _Atomic int least = LOG_INFO;
static const char *program_name = "muster";

void log_start(const char *program)
{
    program_name = program;
    const char *wish = getenv("MUSTER_LOG");
    int level;
    if (wish != NULL && name_parse(&level_names, wish, &level, NULL) == OK)
        least = level;
}

void log_set_level(enum log_level level)
{
    least = level;
}

static bool is_bare(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c == '"' || *c == '=' || *c == '\\' || *c >= 0x7f)
            return false;
    return true;
}

/* What comes from outside may hold anything; a line must stay one line. */
static void add_value(struct text *line, const char *value)
{
    if (is_bare(value)) {
        text_add(line, value);
        return;
    }
    text_add(line, "\"");
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            text_addf(line, "\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            text_addf(line, "\\x%02x", (unsigned char)*c);
        else
            text_add_span(line, SPAN(c, 1));
    }
    text_add(line, "\"");
}

void log_event(enum log_level level, const char *event, const struct log_field *fields)
{
    if ((int)level < least)
        return;
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "time=%s program=%s level=%s event=%s", moment_text(clock_now()).at,
              program_name, name_of(&level_names, (int)level), event);
    for (; fields->key != NULL; fields++) {
        text_addf(&line, " %s=", fields->key);
        if (fields->text != NULL)
            add_value(&line, fields->text);
        else
            text_addf(&line, "%lld", (long long)fields->number);
    }
    text_add(&line, "\n");
    /* One write, so lines of threads do not mix. Nobody can be told when it fails. */
    if (write(STDERR_FILENO, line.at, line.len) < 0)
        return;
}

void log_error(const char *event, const struct error *err)
{
    LOG(ERROR, event, TEXT("code", err->code), TEXT("where", err->where), TEXT("text", err->text));
}
