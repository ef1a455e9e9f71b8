/* What OpenSSL says of a call that failed, taken out of its queue. For lib/crypto only. */
#ifndef MUSTER_CRYPTO_OPENSSL_ERROR_H
#define MUSTER_CRYPTO_OPENSSL_ERROR_H

#include "lib/base/error.h"

/* ERR_INTERNAL, "what: OpenSSL's reason"; the queue is empty afterwards. */
enum outcome openssl_failed(struct error *err, const char *what);

#endif
