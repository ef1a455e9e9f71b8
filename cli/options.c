#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

void cli_options_done(struct cli_options *o)
{
    bytes_wipe(&o->token);
}

static enum outcome take_token(struct span text, const char *where, struct bytes *out,
                               struct error *err)
{
    size_t len = text.len;
    while (len > 0 && strchr("\r\n \t", text.at[len - 1]) != NULL)
        len--;
    for (size_t i = 0; i < len; i++)
        if (text.at[i] <= ' ' || text.at[i] >= 0x7f)
            return fail_code(err, ERR_INVALID, "bad-token", "%s: not a token", where);
    if (len == 0 || len > TOKEN_MAX)
        return fail_code(err, ERR_INVALID, "bad-token", "%s: no token, or too long", where);
    bytes_wipe(out);
    bytes_add(out, span_part(text, 0, len));
    return OK;
}

static enum outcome take_token_file(const char *path, struct bytes *out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes content = {0};
    if (file_read(path, TOKEN_MAX + 16, &content, err) != OK)
        return fail_code(err, ERR_INVALID, "bad-token", "%s", err->text);
    return take_token(bytes_span(&content), path, out, err);
}

static enum outcome take_output(const char *word, enum output *out, struct error *err)
{
    if (strcmp(word, "json") == 0)
        *out = OUTPUT_JSON;
    else if (strcmp(word, "table") == 0)
        *out = OUTPUT_TABLE;
    else
        return fail(err, ERR_INVALID, "-o takes json or table, not '%.40s'", word);
    return OK;
}

static enum outcome put_option(size_t which, const char *value, struct cli_options *out,
                               struct error *err)
{
    if (which == 0)
        out->server = value;
    else if (which == 1)
        out->ca_file = value;
    else if (which == 2)
        return take_token_file(value, &out->token, err);
    else
        return take_output(value, &out->output, err);
    return OK;
}

/* `--name value` or `--name=value`. *used: how many words of the line it was; 0 when it is none of
 * ours. */
static enum outcome take_option(char **at, struct cli_options *out, int *used, struct error *err)
{
    static const char *const ours[] = {"--server", "--ca", "--token-file", "-o", "--output"};
    *used = 0;
    for (size_t i = 0; i < countof(ours); i++) {
        size_t len = strlen(ours[i]);
        if (strncmp(at[0], ours[i], len) != 0 || (at[0][len] != '\0' && at[0][len] != '='))
            continue;
        *used = at[0][len] == '=' ? 1 : 2;
        const char *value = *used == 1 ? at[0] + len + 1 : at[1];
        if (value == NULL)
            return fail(err, ERR_INVALID, "%s needs a value", ours[i]);
        return put_option(i, value, out, err);
    }
    return OK;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static enum outcome fill_from_environment(struct cli_options *out, struct error *err)
{
    if (out->server == NULL)
        out->server = environment("MUSTER_SERVER");
    if (out->ca_file == NULL)
        out->ca_file = environment("MUSTER_CA");
    if (out->token.len > 0)
        return OK;
    const char *token = environment("MUSTER_TOKEN");
    if (token != NULL)
        return take_token(span_of_text(token), "MUSTER_TOKEN", &out->token, err);
    const char *file = environment("MUSTER_TOKEN_FILE");
    return file != NULL ? take_token_file(file, &out->token, err) : OK;
}

enum outcome cli_options_parse(int argc, char **argv, struct cli_options *out, struct error *err)
{
    for (int i = 0; i < argc;) {
        int used = 0;
        TRY(take_option(&argv[i], out, &used, err));
        if (used == 0) {
            if (out->word_count == WORDS_MAX)
                return fail(err, ERR_INVALID, "more than %d words", WORDS_MAX);
            out->words[out->word_count++] = argv[i];
            used = 1;
        }
        i += used;
    }
    return fill_from_environment(out, err);
}

int cli_fail(const struct error *err)
{
    bool clean = text_is_clean(span_of_text(err->text));
    fprintf(stderr, "muster: %s: %s\n", err->code,
            clean ? err->text : "(message is not clean text)");
    return outcome_exit_code(err->outcome);
}
