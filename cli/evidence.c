#include "cli/evidence.h"

#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "lib/base/file.h"

/* What was asked for: a verdict, or the newest of an instance. */
struct wish {
    const char *verdict, *instance, *out;
};

static enum outcome read_words(char **words, struct wish *out, struct error *err)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        const bool instance = strcmp(words[i], "--instance") == 0;
        const bool file = strcmp(words[i], "--out") == 0;
        const char **into = instance ? &out->instance : file ? &out->out : &out->verdict;
        if ((instance || file) && words[++i] == NULL)
            return fail(err, ERR_INVALID, "%s needs a value", words[i - 1]);
        if (*into != NULL || words[i][0] == '-')
            return fail(err, ERR_INVALID, "'%.60s' is not wanted here", words[i]);
        *into = words[i];
    }
    if ((out->verdict == NULL) == (out->instance == NULL))
        return fail(err, ERR_INVALID, "'muster evidence export' needs VERDICT or --instance ID");
    return OK;
}

static enum outcome newest_of(struct client *client, const char *instance, struct uuid *out,
                              struct error *err)
{
    struct uuid id;
    OWNED(text_done) struct text path = {0};
    OWNED(json_drop) json_t *items = NULL;
    if (uuid_parse(instance, &id, err) != OK)
        return error_context(err, "--instance");
    text_addf(&path, "/v1/instances/%s/verdicts?limit=1", uuid_text(&id).at);
    TRY(client_list(client, text_str(&path), 1, &items, err));
    if (json_array_size(items) == 0)
        return fail_code(err, ERR_NOT_FOUND, "not-found", "the instance has no verdict yet");
    return json_get_uuid(json_array_get(items, 0), "", "id", out, err);
}

static enum outcome write_out(const char *path, struct span bundle, struct error *err)
{
    if (path != NULL)
        return file_write(path, bundle, 0644, err);
    if (fwrite(bundle.at, 1, bundle.len, stdout) != bundle.len || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "standard output is gone");
    return OK;
}

static enum outcome export_bundle(struct client *client, const struct wish *wish, struct error *err)
{
    struct uuid id;
    OWNED(text_done) struct text path = {0};
    OWNED(bytes_done) struct bytes bundle = {0};
    if (wish->instance != NULL)
        TRY(newest_of(client, wish->instance, &id, err));
    else
        TRY(uuid_parse(wish->verdict, &id, err));
    text_addf(&path, "/v1/verdicts/%s/bundle", uuid_text(&id).at);
    TRY(client_fetch(client, text_str(&path), &bundle, err));
    return write_out(wish->out, bytes_span(&bundle), err);
}

int evidence_main(int argc, char **argv)
{
    struct error err = {0};
    struct wish wish = {0};
    OWNED(cli_options_done) struct cli_options options = {0};
    OWNED(client_drop) struct client *client = NULL;
    if (cli_options_parse(argc, argv, &options, &err) != OK)
        return cli_fail(&err);
    if (options.word_count < 2 || strcmp(options.words[1], "export") != 0) {
        error_fill(&err, ERR_INVALID, NULL, "", "try 'muster evidence --help'");
        return cli_fail(&err);
    }
    if (read_words(options.words + 2, &wish, &err) != OK ||
        client_open(&options, &client, &err) != OK || export_bundle(client, &wish, &err) != OK)
        return cli_fail(&err);
    return 0;
}
