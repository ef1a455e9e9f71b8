#include "lib/crypto/openssl_error.h"

#include <openssl/err.h>

enum outcome openssl_failed(struct error *err, const char *what)
{
    char reason[128] = "no reason given";
    unsigned long code = ERR_peek_last_error();
    if (code != 0)
        ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return fail(err, ERR_INTERNAL, "%s: %s", what, reason);
}
