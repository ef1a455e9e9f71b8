#include "cli/arguments.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

static const struct argument *find(const struct argument *table, size_t count, const char *word,
                                   size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == len && strncmp(table[i].name, word, len) == 0)
            return &table[i];
    return NULL;
}

static enum outcome take_value(const struct argument *argument, const char *value,
                               struct error *err)
{
    if (value == NULL)
        return fail(err, ERR_INVALID, "%s needs a value", argument->name);
    if (argument->list != NULL) {
        if (argument->list->count == ARGUMENT_LIST_MAX)
            return fail(err, ERR_INVALID, "%s more than %d times", argument->name,
                        ARGUMENT_LIST_MAX);
        argument->list->at[argument->list->count++] = value;
        return OK;
    }
    if (*argument->text != NULL)
        return fail(err, ERR_INVALID, "%s twice", argument->name);
    *argument->text = value;
    return OK;
}

enum outcome arguments_read(int argc, char **argv, int from, const struct argument *table,
                            size_t count, struct error *err)
{
    for (int i = from; i < argc; i++) {
        const size_t len = strcspn(argv[i], "=");
        const char *joined = argv[i][len] == '=' ? argv[i] + len + 1 : NULL;
        const struct argument *argument = find(table, count, argv[i], len);
        if (argument == NULL)
            return fail(err, ERR_INVALID, "unknown argument '%.80s'", argv[i]);
        if (argument->flag != NULL) {
            if (joined != NULL)
                return fail(err, ERR_INVALID, "%s takes no value", argument->name);
            *argument->flag = true;
        } else if (joined != NULL) {
            TRY(take_value(argument, joined, err));
        } else {
            i++;
            TRY(take_value(argument, i < argc ? argv[i] : NULL, err));
        }
    }
    return OK;
}

enum outcome argument_file(const char *path, size_t most, struct bytes *out, struct error *err)
{
    if (path == NULL)
        return OK;
    if (file_read(path, most, out, err) != OK)
        return fail_code(err, ERR_INVALID, err->code, "%s", err->text);
    return OK;
}

enum outcome argument_hex_number(const char *name, const char *text, uint64_t most, uint64_t *out,
                                 struct error *err)
{
    char *end;
    if (text == NULL)
        return OK;
    const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    const size_t len = strlen(digits);
    errno = 0;
    const unsigned long long value = strtoull(digits, &end, 16);
    if (len == 0 || strspn(digits, "0123456789abcdefABCDEF") != len || errno != 0 || value > most)
        return fail(err, ERR_INVALID, "%s: '%.40s' is not a number in hex", name, text);
    *out = value;
    return OK;
}

enum outcome argument_number(const char *name, const char *text, int64_t most, int64_t *out,
                             struct error *err)
{
    if (text != NULL && number_parse(text, 0, most, out, err) != OK)
        return error_context(err, "%s", name);
    return OK;
}

/* A message may quote a file that somebody else wrote: it must stay one line and leave the terminal
 * alone. */
int command_failed(const struct error *err)
{
    const bool clean = text_is_clean(span_of_text(err->text));
    fputs("muster: ", stderr);
    for (const char *c = err->text; *c != '\0'; c++) {
        const unsigned char byte = (unsigned char)*c;
        fputc(byte >= 0x20 && (clean || byte < 0x7f) ? byte : '?', stderr);
    }
    fputc('\n', stderr);
    return outcome_exit_code(err->outcome);
}

enum outcome print_line(const char *text, struct error *err)
{
    if (puts(text) == EOF || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "writing to standard output did not work");
    return OK;
}
