#include "drivers/aws/credentials.h"

#include <stdlib.h>
#include <string.h>

enum { SECRET_MAX = 256, SESSION_TOKEN_MAX = 4096 };

/* Header values and signing keys: printable ASCII without spaces. */
static bool is_plain(const char *text, size_t most)
{
    size_t len = strlen(text);
    if (len == 0 || len > most)
        return false;
    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return true;
}

static enum outcome lock_text(const char *name, const char *text, size_t most, bool with_end,
                              struct locked *out, struct error *err)
{
    if (!is_plain(text, most))
        return fail_code(err, ERR_DENIED, "no-credentials", "%s is not printable ASCII of 1 to %zu",
                         name, most);
    size_t len = strlen(text) + (with_end ? 1 : 0);
    TRY(locked_new(len, out, err));
    memcpy(out->at, text, len);
    return OK;
}

static enum outcome from_environment(struct credentials *out, struct error *err)
{
    const char *id = getenv("AWS_ACCESS_KEY_ID");
    const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
    const char *token = getenv("AWS_SESSION_TOKEN");
    if (id == NULL || secret == NULL)
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
    if (!is_plain(id, sizeof out->access_key_id - 1) || strchr(id, '/') != NULL)
        return fail_code(err, ERR_DENIED, "no-credentials", "AWS_ACCESS_KEY_ID is no key id");
    memcpy(out->access_key_id, id, strlen(id) + 1);
    TRY(lock_text("AWS_SECRET_ACCESS_KEY", secret, SECRET_MAX, false, &out->secret, err));
    if (token != NULL && token[0] != '\0')
        TRY(lock_text("AWS_SESSION_TOKEN", token, SESSION_TOKEN_MAX, true, &out->session_token,
                      err));
    return OK;
}

enum outcome credentials_find(const struct account *account, struct credentials *out,
                              struct error *err)
{
    struct credentials made = {0};
    enum outcome outcome = ERR_INTERNAL;
    switch (account_credential_source(account)) {
    case CREDENTIALS_ENVIRONMENT:
        outcome = from_environment(&made, err);
        break;
    case CREDENTIALS_CLIENT_SECRET:
    case CREDENTIALS_CLIENT_CERTIFICATE:
    case CREDENTIALS_WORKLOAD_IDENTITY:
    case CREDENTIALS_MANAGED_IDENTITY:
    case CREDENTIALS_GOOGLE_FILE:
    case CREDENTIALS_METADATA_SERVER:
    case CREDENTIAL_SOURCE_COUNT:
        outcome = fail_code(err, ERR_DENIED, "no-credentials", "not a source of EC2's credentials");
        break;
    }
    if (outcome != OK) {
        credentials_done(&made);
        return outcome;
    }
    *out = made;
    return OK;
}

void credentials_done(struct credentials *credentials)
{
    locked_done(&credentials->secret);
    locked_done(&credentials->session_token);
    explicit_bzero(credentials, sizeof *credentials);
}

const char *credentials_session_token(const struct credentials *credentials)
{
    return credentials->session_token.len > 0 ? (const char *)credentials->session_token.at : NULL;
}
