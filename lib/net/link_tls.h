/* OpenSSL as nng's TLS engine: TLS 1.3 only, a certificate on both sides, no resumption, tickets or
 * early data. Judges the peer's certificate by its role and tells the link how the handshake ended.
 * For lib/net/link*.c only. */
#ifndef MUSTER_NET_LINK_TLS_H
#define MUSTER_NET_LINK_TLS_H

#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include "lib/net/link.h"

/* What the handshake proved. */
struct link_tls_facts {
    enum cert_role role;
    uint8_t fingerprint[SHA256_SIZE];
    char group[32];
};

/* Who is told. Called by nng with the connection's lock held: no nng call may come from here. */
struct link_tls_watch {
    void *who;
    bool (*opened)(void *who, const struct link_tls_facts *facts); /* false: refuse it after all */
    void (*failed)(void *who, const struct error *why);            /* once, at the first failure */
};

enum cert_role link_identity_role(const struct link_identity *identity);
struct link_identity *link_identity_share(struct link_identity *identity);

/* For a listener (server) or dialer; release with nng_tls_config_free(). */
enum outcome link_tls_config(struct link_identity *identity, bool server, nng_tls_config **out,
                             struct error *err);

/* Before the first byte; a zeroed watch ends it. */
void link_tls_set_watch(nng_stream *stream, const struct link_tls_watch *watch);

enum outcome link_tls_exporter(nng_stream *stream, const char *label, struct span context,
                               uint8_t out[static 32], struct error *err);

#endif
