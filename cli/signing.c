#include "cli/signing.h"

#include "cli/arguments.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/crypto/token.h"

enum { PEM_MAX = 16 * 1024 };

/* A document to begin with, or one that others have signed already. */
static enum outcome begin_set(const struct signing *signing, size_t limit, char **out,
                              struct error *err)
{
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(json_drop) json_t *json = NULL;
    if (signing->signed_file != NULL) {
        TRY(argument_file(signing->signed_file, limit, &content, err));
        bytes_add_u8(&content, 0);
        *out = mem_text((const char *)content.at);
        return OK;
    }
    TRY(argument_file(signing->file, limit, &content, err));
    TRY(json_parse(bytes_span(&content), limit, &json, err));
    OWNED(mem_drop) char *printed = json_print(json);
    token_set_make(span_of_text(printed), out);
    return OK;
}

static enum outcome check_set(const char *set, const struct signed_kind *kind, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    size_t count;
    TRY(token_set_look(span_of_text(set), kind->limit, &payload, &count, err));
    return kind->check(bytes_span(&payload), err);
}

static enum outcome read_private_key(const char *path, struct key **out, struct error *err)
{
    OWNED(bytes_wipe) struct bytes pem = {0};
    if (file_read_private(path, PEM_MAX, &pem, err) != OK)
        return fail_code(err, ERR_INVALID, err->code, "%s", err->text);
    return key_from_private_pem(bytes_span(&pem), out, err);
}

enum outcome signing_run(const struct signing *signing, const struct signed_kind *kind,
                         struct error *err)
{
    OWNED(mem_drop) char *before = NULL;
    OWNED(mem_drop) char *after = NULL;
    OWNED(key_drop) struct key *key = NULL;
    if ((signing->file == NULL) == (signing->signed_file == NULL) || signing->key == NULL ||
        signing->out == NULL)
        return fail(err, ERR_INVALID, "--file or --signed, --key and --out are needed");
    TRY(begin_set(signing, kind->limit, &before, err));
    TRY(check_set(before, kind, err));
    TRY(read_private_key(signing->key, &key, err));
    TRY(token_set_sign(span_of_text(before), kind->typ, key, &after, err));
    return file_write(signing->out, span_of_text(after), 0644, err);
}
