#include "lib/base/error.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

static const struct {
    const char *name;
    int http_status;
    bool retry;
    int exit_code;
} facts[] = {
    [OK] = {"ok", 200, false, 0},
    [ERR_INVALID] = {"invalid", 422, false, 2},
    [ERR_DENIED] = {"denied", 403, false, 3},
    [ERR_NOT_FOUND] = {"not-found", 404, false, 1},
    [ERR_CONFLICT] = {"conflict", 409, false, 1},
    [ERR_THROTTLED] = {"throttled", 429, true, 4},
    [ERR_UNREACHABLE] = {"unreachable", 503, true, 4},
    [ERR_AMBIGUOUS] = {"ambiguous", 502, false, 4},
    [ERR_INTERNAL] = {"internal", 500, false, 1},
};
_Static_assert(countof(facts) == OUTCOME_COUNT);

/* A text that did not fit must not end inside a character, or it cannot be sent as JSON. */
static void end_whole(char *text)
{
    size_t len = strlen(text);
    size_t tail = 0;
    while (tail < len && tail < 3 && ((unsigned char)text[len - tail - 1] & 0xc0) == 0x80)
        tail++;
    if (tail == len)
        return;
    unsigned char lead = (unsigned char)text[len - tail - 1];
    size_t needs = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (tail < needs)
        text[len - tail - 1] = '\0';
}

void error_fill(struct error *err, enum outcome outcome, const char *code, const char *where,
                const char *format, ...)
{
    if (err == NULL)
        return;
    /* A message may quote the error it replaces, so format before overwriting. */
    struct error made = {.outcome = outcome};
    snprintf(made.code, sizeof made.code, "%s", code != NULL ? code : outcome_name(outcome));
    snprintf(made.where, sizeof made.where, "%s", where);
    va_list args;
    va_start(args, format);
    vsnprintf(made.text, sizeof made.text, format, args);
    va_end(args);
    end_whole(made.where);
    end_whole(made.text);
    text_make_clean(made.where); /* a name may have been cut within it too */
    text_make_clean(made.text);
    *err = made;
}

enum outcome error_context(struct error *err, const char *format, ...)
{
    if (err == NULL)
        return ERR_INTERNAL;
    char text[ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t used = strlen(text);
    if (used + 2 < sizeof text)
        snprintf(text + used, sizeof text - used, ": %.*s", (int)(sizeof text - used - 3),
                 err->text);
    end_whole(text);
    text_make_clean(text);
    memcpy(err->text, text, sizeof text);
    return err->outcome;
}

void error_ignore(enum outcome outcome)
{
    (void)outcome;
}

const char *outcome_name(enum outcome outcome)
{
    return outcome < OUTCOME_COUNT ? facts[outcome].name : "internal";
}

int outcome_http_status(enum outcome outcome)
{
    return outcome < OUTCOME_COUNT ? facts[outcome].http_status : 500;
}

bool outcome_is_worth_retrying(enum outcome outcome)
{
    return outcome < OUTCOME_COUNT && facts[outcome].retry;
}

int outcome_exit_code(enum outcome outcome)
{
    return outcome < OUTCOME_COUNT ? facts[outcome].exit_code : 1;
}
