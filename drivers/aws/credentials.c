#include "drivers/aws/credentials.h"

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

static enum outcome lock_text(const char *from, const char *what, const char *text, size_t most,
                              bool with_end, struct locked *out, struct error *err)
{
    if (!is_plain(text, most))
        return fail_code(err, ERR_DENIED, "no-credentials",
                         "%s: the %s is not printable ASCII of 1 to %zu", from, what, most);
    size_t len = strlen(text) + (with_end ? 1 : 0);
    TRY(locked_new(len, out, err));
    memcpy(out->at, text, len);
    return OK;
}

enum outcome credentials_set(const char *from, const char *id, const char *secret,
                             const char *session_token, const char *expires,
                             struct credentials *out, struct error *err)
{
    OWNED(credentials_done) struct credentials made = {0};
    if (!is_plain(id, sizeof made.access_key_id - 1) || strchr(id, '/') != NULL)
        return fail_code(err, ERR_DENIED, "no-credentials", "%s: the access key id is none", from);
    memcpy(made.access_key_id, id, strlen(id) + 1);
    TRY(lock_text(from, "secret key", secret, SECRET_MAX, false, &made.secret, err));
    if (session_token != NULL && session_token[0] != '\0')
        TRY(lock_text(from, "session token", session_token, SESSION_TOKEN_MAX, true,
                      &made.session_token, err));
    if (expires != NULL && expires[0] != '\0' && moment_parse(expires, &made.expires, NULL) != OK)
        return fail_code(err, ERR_DENIED, "no-credentials", "%s: their end is no time", from);
    credentials_done(out);
    *out = made;
    made = (struct credentials){0};
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
