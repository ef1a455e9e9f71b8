/* What differs between the library versions we build with: nng 1.5.2 (Debian 12) and 1.10 (Debian
 * 13), OpenSSL 3.0 and 3.5. Nothing else looks at a version. */
#ifndef MUSTER_NET_COMPAT_H
#define MUSTER_NET_COMPAT_H

#include <nng/nng.h>
#include <nng/supplemental/tls/engine.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>

#define COMPAT_NNG_VERSION (NNG_MAJOR_VERSION * 100 + NNG_MINOR_VERSION)

/* Of the key exchange. OpenSSL 3.0 knows the number only; 3.2 and later name hybrid groups too. */
static inline const char *compat_group_name(SSL *ssl)
{
#if OPENSSL_VERSION_NUMBER >= 0x30200000L
    const char *name = SSL_get0_group_name(ssl);
#else
    const char *name = OBJ_nid2sn(SSL_get_negotiated_group(ssl));
#endif
    return name != NULL ? name : "unknown";
}

/* From 1.6 an engine is also asked for the peer's names; ours has none to give, for what a peer is
 * called proves nothing here. */
#if COMPAT_NNG_VERSION >= 106
static inline char *compat_no_name(nng_tls_engine_conn *conn)
{
    (void)conn;
    return NULL;
}

static inline char **compat_no_names(nng_tls_engine_conn *conn)
{
    (void)conn;
    return NULL;
}
#define COMPAT_ENGINE_NAMES .peer_cn = compat_no_name, .peer_alt_names = compat_no_names,
#else
#define COMPAT_ENGINE_NAMES
#endif

#endif
