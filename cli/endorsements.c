#include "cli/endorsements.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/client.h"
#include "lib/base/file.h"

enum { FILE_MOST = 128 * 1024, FILES_MOST = 100000, NAME_MOST = 191, PATH_SIZE = 4096 };

/* ---- the folder ------------------------------------------------------------------------------ */

struct files {
    size_t count;
    char **at;
};

static void files_done(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->at[i]);
    free(files->at);
    *files = (struct files){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

/* Every plain file, in the order of names. */
static enum outcome list_files(const char *folder, struct files *out, struct error *err)
{
    DIR *listing = opendir(folder);
    if (listing == NULL)
        return fail(err, ERR_INVALID, "%.200s: not a folder that can be read", folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL && out->count < FILES_MOST;) {
        OWNED(text_done) struct text path = {0};
        text_addf(&path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || !is_file(text_str(&path)))
            continue;
        out->at = mem_resize(out->at, out->count + 1, sizeof *out->at);
        out->at[out->count++] = text_take(&path);
    }
    closedir(listing);
    if (out->count > 0)
        qsort(out->at, out->count, sizeof *out->at, by_name);
    return OK;
}

/* ---- import ---------------------------------------------------------------------------------- */

static void show_kept(const char *path, const json_t *answer)
{
    size_t i;
    const json_t *name;
    json_array_foreach (json_object_get(answer, "kept"), i, name)
        if (json_string_value(name) != NULL &&
            strspn(json_string_value(name), "abcdefghijklmnopqrstuvwxyzGMT0123456789-") ==
                json_string_length(name))
            printf("%s: %s\n", path, json_string_value(name));
}

static enum outcome import_file(struct client *client, const char *path, struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *body = json_object();
    OWNED(json_drop) json_t *answer = NULL;
    TRY(file_read(path, FILE_MOST, &content, err));
    json_put_base64(body, "content", bytes_span(&content));
    TRY(client_call(client, "POST", "/v1/endorsements", body, &answer, err));
    show_kept(path, answer);
    return OK;
}

/* Nobody who answers so will answer the next file otherwise. */
static bool ends_all(const struct error *why)
{
    return why->outcome == ERR_UNREACHABLE || why->outcome == ERR_AMBIGUOUS ||
           strcmp(why->code, "unauthenticated") == 0 || strcmp(why->code, "role-missing") == 0;
}

/* Files whose chain comes later in the folder wait for the second round. */
static enum outcome import_round(struct client *client, const struct files *files,
                                 struct files *waiting, size_t *failed, struct error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        struct error why = {0};
        if (import_file(client, files->at[i], &why) == OK)
            continue;
        if (ends_all(&why)) {
            *err = why;
            return why.outcome;
        }
        if (waiting != NULL && strcmp(why.code, "endorsement-chain-missing") == 0) {
            waiting->at = mem_resize(waiting->at, waiting->count + 1, sizeof *waiting->at);
            waiting->at[waiting->count++] = mem_text(files->at[i]);
            continue;
        }
        ++*failed;
        fprintf(stderr, "muster: %s: %s: %s\n", files->at[i], why.code, why.text);
    }
    return OK;
}

static enum outcome import_folder(struct client *client, const char *folder, struct error *err)
{
    size_t failed = 0;
    OWNED(files_done) struct files files = {0};
    OWNED(files_done) struct files waiting = {0};
    TRY(list_files(folder, &files, err));
    TRY(import_round(client, &files, &waiting, &failed, err));
    TRY(import_round(client, &waiting, NULL, &failed, err));
    if (failed > 0)
        return fail_code(err, ERR_DENIED, "endorsement-refused", "%zu of %zu files were not taken",
                         failed, files.count);
    return OK;
}

/* ---- export ---------------------------------------------------------------------------------- */

/* A server may not choose where we write. */
static enum outcome file_of(const char *folder, const json_t *item, char out[static PATH_SIZE],
                            const char **out_name, struct error *err)
{
    static const char *const endings[][2] = {{"vcek", "der"}, {"chain", "pem"}, {"crl", "crl"}};
    const char *what;
    TRY(json_get_text(item, "", "name", NAME_MOST, out_name, err));
    TRY(json_get_text(item, "", "what", 16, &what, err));
    size_t len = strspn(*out_name, "abcdefghijklmnopqrstuvwxyzGMT0123456789-");
    for (size_t i = 0; i < countof(endings); i++)
        if (strcmp(what, endings[i][0]) == 0 && len > 0 && (*out_name)[len] == '\0' &&
            snprintf(out, PATH_SIZE, "%s/%s.%s", folder, *out_name, endings[i][1]) < PATH_SIZE)
            return OK;
    return fail_code(err, ERR_INVALID, "bad-answer", "an endorsement of a name that cannot be");
}

static enum outcome export_one(struct client *client, const char *folder, const json_t *item,
                               struct error *err)
{
    char path[PATH_SIZE];
    const char *name;
    OWNED(text_done) struct text call = {0};
    OWNED(bytes_done) struct bytes content = {0};
    TRY(file_of(folder, item, path, &name, err));
    text_addf(&call, "/v1/endorsements/%s", name);
    TRY(client_fetch(client, text_str(&call), &content, err));
    if (content.len > FILE_MOST)
        return fail_code(err, ERR_INVALID, "bad-answer", "%s has %zu bytes", name, content.len);
    TRY(file_write(path, bytes_span(&content), 0644, err));
    puts(path);
    return OK;
}

static enum outcome export_folder(struct client *client, const char *folder, struct error *err)
{
    size_t i;
    json_t *item;
    OWNED(json_drop) json_t *items = NULL;
    TRY(client_list(client, "/v1/endorsements?limit=1000", 0, &items, err));
    TRY(folder_make(folder, 0755, err));
    json_array_foreach (items, i, item)
        TRY(export_one(client, folder, item, err));
    return OK;
}

int endorsements_main(int argc, char **argv)
{
    struct error err = {0};
    OWNED(cli_options_done) struct cli_options options = {0};
    OWNED(client_drop) struct client *client = NULL;
    if (cli_options_parse(argc, argv, &options, &err) != OK)
        return cli_fail(&err);
    const bool imports = options.word_count == 3 && strcmp(options.words[1], "import") == 0;
    const bool exports = options.word_count == 3 && strcmp(options.words[1], "export") == 0;
    if (!imports && !exports) {
        error_fill(&err, ERR_INVALID, NULL, "", "try 'muster endorsements --help'");
        return cli_fail(&err);
    }
    if (client_open(&options, &client, &err) != OK)
        return cli_fail(&err);
    enum outcome outcome = imports ? import_folder(client, options.words[2], &err)
                                   : export_folder(client, options.words[2], &err);
    return outcome == OK ? 0 : cli_fail(&err);
}
