#include "lib/net/link_tls.h"

#include <nng/supplemental/tls/engine.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/compat.h"

/* A full record, with the 22 bytes that TLS 1.3 puts around it, is what nng sends and receives at
 * once; of one byte more the rest would go the whole way again. */
enum { FRAGMENT_MAX = 16 * 1024 - 22 };

/* Chains are one certificate long here; OpenSSL would take 100 KiB from a stranger. */
enum { CERT_LIST_MAX = 8 * 1024 };

/* The link's version is agreed in the handshake, so a later one need not guess. */
static const uint8_t protocol[] = "\x0dmuster-link/1";
enum { PROTOCOL_SIZE = sizeof protocol - 1 };

/* What an identity shows and trusts until it is renewed. Connections made under it keep it. */
struct version {
    _Atomic int owners;
    SSL_CTX *context;
    struct cert *roots[LINK_ROOTS_MAX];
    size_t root_count;
};

struct link_identity {
    _Atomic int owners;
    enum cert_role role;
    pthread_mutex_t lock;
    struct version *now;
};

/* nng's names for the two structs of an engine; nng allocates them zeroed. */
struct nng_tls_engine_config {
    struct link_identity *identity;
};

struct nng_tls_engine_conn {
    SSL *ssl;
    struct version *version;
    bool server;
    bool failed;    /* a fatal error: OpenSSL forbids SSL_shutdown() */
    bool closed;    /* nng closes more than once */
    bool announced; /* the watch knows of the handshake */
    struct link_tls_facts facts;
    struct link_tls_watch watch;
    struct error why; /* of the peer's certificate */
};

/* nng has no way to give an engine or its connections anything of ours, but it calls the engine on
 * the caller's own thread; so what is meant for it waits here during the call. */
static _Thread_local struct link_identity *lent_identity;
static _Thread_local struct errand {
    const struct link_tls_watch *watch;
    const char *label;
    struct span context;
    uint8_t *out;
    bool done;
} * errand;

static pthread_once_t started = PTHREAD_ONCE_INIT;
static BIO_METHOD *bio_method;
static bool engine_is_there;

/* ---- bytes between OpenSSL and nng -------------------------------------------------------- */

static int bio_send(BIO *bio, const char *at, int len)
{
    size_t n = len > 0 ? (size_t)len : 0;
    int failure = nng_tls_engine_send(BIO_get_data(bio), (const uint8_t *)at, &n);
    BIO_clear_retry_flags(bio);
    if (failure == NNG_EAGAIN)
        BIO_set_retry_write(bio);
    return failure == 0 ? (int)n : -1;
}

static int bio_recv(BIO *bio, char *at, int len)
{
    size_t n = len > 0 ? (size_t)len : 0;
    int failure = nng_tls_engine_recv(BIO_get_data(bio), (uint8_t *)at, &n);
    BIO_clear_retry_flags(bio);
    if (failure == NNG_EAGAIN)
        BIO_set_retry_read(bio);
    return failure == 0 ? (int)n : -1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* ---- identity ----------------------------------------------------------------------------- */

static struct version *version_share(struct version *version)
{
    version->owners++;
    return version;
}

static void version_free(struct version *version)
{
    if (version == NULL || --version->owners > 0)
        return;
    for (size_t i = 0; i < version->root_count; i++)
        cert_free(version->roots[i]);
    SSL_CTX_free(version->context);
    free(version);
}
DROP(version_drop, struct version, version_free)

/* Stands in for the whole of OpenSSL's chain building. That the peer holds the key is proved by its
 * CertificateVerify, which OpenSSL checks afterwards whatever is said here. */
static int judge_certificate(X509_STORE_CTX *store, void *unused)
{
    (void)unused;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct nng_tls_engine_conn *conn = SSL_get_app_data(ssl);
    X509 *shown = X509_STORE_CTX_get0_cert(store);
    enum outcome outcome = ERR_DENIED;
    if (shown != NULL && X509_up_ref(shown) == 1) {
        OWNED(cert_drop) struct cert *cert = cert_wrap(shown);
        enum cert_role role = conn->server ? cert_claimed_role(cert) : ROLE_CONTROLLER;
        if (conn->server && role != ROLE_GUEST && role != ROLE_KEEPER_LINK)
            outcome = fail_code(&conn->why, ERR_DENIED, "wrong-role",
                                "a controller takes guests and keepers, not this role");
        else
            outcome = cert_check_role(cert, role, conn->version->roots, conn->version->root_count,
                                      clock_now(), &conn->why);
        conn->facts.role = role;
        cert_spki_sha256(cert, conn->facts.fingerprint);
    }
    X509_STORE_CTX_set_error(store, outcome == OK ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return outcome == OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned int offered_len, void *unused)
{
    (void)ssl;
    (void)unused;
    unsigned char *chosen = NULL;
    int found =
        SSL_select_next_proto(&chosen, out_len, protocol, PROTOCOL_SIZE, offered, offered_len);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* Nothing here names key exchange groups: OpenSSL's own choice is hybrid where it can be. */
static bool context_set_up(SSL_CTX *context, bool server, const struct key *key,
                           const struct cert *cert)
{
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_max_cert_list(context, CERT_LIST_MAX);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (server) /* thousands that say nothing; a client has one, and would ask for them each time */
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, judge_certificate, NULL);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
           SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_max_early_data(context, 0) == 1 &&
           SSL_CTX_set_max_send_fragment(context, FRAGMENT_MAX) == 1 &&
           SSL_CTX_set_alpn_protos(context, protocol, PROTOCOL_SIZE) == 0 &&
           SSL_CTX_use_certificate(context, cert_inside(cert)) == 1 &&
           SSL_CTX_use_PrivateKey(context, key_inside(key)) == 1;
}

static enum outcome version_new(enum cert_role role, const struct key *key, const struct cert *cert,
                                struct cert *const *roots, size_t root_count, struct version **out,
                                struct error *err)
{
    if (root_count == 0 || root_count > LINK_ROOTS_MAX)
        return fail(err, ERR_INVALID, "%zu deployment roots, 1 to %d are possible", root_count,
                    LINK_ROOTS_MAX);
    uint8_t of_key[SHA256_SIZE];
    uint8_t of_cert[SHA256_SIZE];
    key_fingerprint(key, of_key);
    cert_spki_sha256(cert, of_cert);
    if (!key_is_private(key) || memcmp(of_key, of_cert, SHA256_SIZE) != 0)
        return fail_code(err, ERR_INVALID, "wrong-key", "the key is not the certificate's");
    TRY(cert_check_role(cert, role, roots, root_count, clock_now(), err));
    OWNED(version_drop) struct version *version = NEW(struct version);
    version->owners = 1;
    const bool server = role == ROLE_CONTROLLER;
    version->context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (version->context == NULL || !context_set_up(version->context, server, key, cert)) {
        ERR_clear_error();
        return fail(err, ERR_INTERNAL, "OpenSSL does not take key and certificate");
    }
    for (size_t i = 0; i < root_count; i++)
        version->roots[version->root_count++] = cert_share(roots[i]);
    *out = TAKE(version);
    return OK;
}

enum outcome link_identity_new(const struct key *key, const struct cert *cert,
                               struct cert *const *roots, size_t root_count,
                               struct link_identity **out, struct error *err)
{
    enum cert_role role = cert_claimed_role(cert);
    if (role != ROLE_CONTROLLER && role != ROLE_KEEPER_LINK && role != ROLE_GUEST)
        return fail_code(err, ERR_DENIED, "wrong-role", "this role has no place on the link");
    struct version *version = NULL;
    TRY(version_new(role, key, cert, roots, root_count, &version, err));
    struct link_identity *identity = NEW(struct link_identity);
    identity->owners = 1;
    identity->role = role;
    identity->now = version;
    pthread_mutex_init(&identity->lock, NULL);
    *out = identity;
    return OK;
}

enum outcome link_identity_renew(struct link_identity *identity, const struct key *key,
                                 const struct cert *cert, struct cert *const *roots,
                                 size_t root_count, struct error *err)
{
    struct version *version = NULL;
    TRY(version_new(identity->role, key, cert, roots, root_count, &version, err));
    pthread_mutex_lock(&identity->lock);
    struct version *old = identity->now;
    identity->now = version;
    pthread_mutex_unlock(&identity->lock);
    version_free(old);
    return OK;
}

enum cert_role link_identity_role(const struct link_identity *identity)
{
    return identity->role;
}

struct link_identity *link_identity_share(struct link_identity *identity)
{
    identity->owners++;
    return identity;
}

void link_identity_free(struct link_identity *identity)
{
    if (identity == NULL || --identity->owners > 0)
        return;
    version_free(identity->now);
    pthread_mutex_destroy(&identity->lock);
    free(identity);
}

static struct version *identity_now(struct link_identity *identity)
{
    pthread_mutex_lock(&identity->lock);
    struct version *version = version_share(identity->now);
    pthread_mutex_unlock(&identity->lock);
    return version;
}

/* ---- nng's questions about a configuration ------------------------------------------------ */

static int config_init(nng_tls_engine_config *config, nng_tls_mode mode)
{
    (void)mode;
    if (lent_identity != NULL) /* nng also makes one for itself, and throws it away */
        config->identity = link_identity_share(lent_identity);
    return 0;
}

static void config_fini(nng_tls_engine_config *config)
{
    link_identity_free(config->identity);
}

/* The host's name from the URL proves nothing here: root and role do. */
static int config_server(nng_tls_engine_config *config, const char *name)
{
    (void)config;
    (void)name;
    return 0;
}

/* nng sets "none" on a listener's own configuration; both sides show a certificate all the same. */
static int config_auth(nng_tls_engine_config *config, nng_tls_auth_mode mode)
{
    (void)config;
    (void)mode;
    return 0;
}

static int config_ca_chain(nng_tls_engine_config *config, const char *certs, const char *crl)
{
    (void)config;
    (void)certs;
    (void)crl;
    return NNG_ENOTSUP;
}

static int config_own_cert(nng_tls_engine_config *config, const char *cert, const char *key,
                           const char *password)
{
    (void)config;
    (void)cert;
    (void)key;
    (void)password;
    return NNG_ENOTSUP;
}

static int config_version(nng_tls_engine_config *config, nng_tls_version least,
                          nng_tls_version most)
{
    (void)config;
    return least <= NNG_TLS_1_3 && most >= NNG_TLS_1_3 ? 0 : NNG_ENOTSUP;
}

/* ---- nng's calls for a connection; it holds the connection's lock in all but init and fini - */

static int conn_init(nng_tls_engine_conn *conn, void *nng, nng_tls_engine_config *config)
{
    if (config->identity == NULL)
        return NNG_EPEERAUTH;
    ERR_clear_error();
    conn->version = identity_now(config->identity);
    conn->server = config->identity->role == ROLE_CONTROLLER;
    conn->ssl = SSL_new(conn->version->context);
    BIO *bio = conn->ssl != NULL ? BIO_new(bio_method) : NULL;
    if (bio == NULL)
        return NNG_ENOMEM;
    BIO_set_data(bio, nng);
    BIO_set_init(bio, 1);
    SSL_set_bio(conn->ssl, bio, bio);
    SSL_set_app_data(conn->ssl, conn);
    if (conn->server)
        SSL_set_accept_state(conn->ssl);
    else
        SSL_set_connect_state(conn->ssl);
    return 0;
}

/* Also comes for connections that were never set up. */
static void conn_fini(nng_tls_engine_conn *conn)
{
    SSL_free(conn->ssl);
    version_free(conn->version);
}

static void conn_close(nng_tls_engine_conn *conn)
{
    if (conn->ssl == NULL || conn->closed)
        return;
    conn->closed = true;
    if (conn->failed || !SSL_is_init_finished(conn->ssl))
        return;
    ERR_clear_error();
    SSL_shutdown(conn->ssl); /* says goodbye if there is room; the answer is not waited for */
    ERR_clear_error();
}

static void tell_failure(nng_tls_engine_conn *conn, enum outcome outcome, const char *code,
                         const char *text)
{
    if (conn->failed)
        return;
    conn->failed = true;
    if (conn->why.outcome == OK)
        error_fill(&conn->why, outcome, code, "", "%s", text);
    if (conn->watch.failed != NULL)
        conn->watch.failed(conn->watch.who, &conn->why);
}

/* An alert from the other side is numbered from SSL_AD_REASON_OFFSET on. */
static bool is_alert(unsigned long code)
{
    return ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) > SSL_AD_REASON_OFFSET;
}

/* Every error but "come again" is for good: a dead connection that says "come again" would leave
 * nng's operation hanging for ever. */
static int failure_of(nng_tls_engine_conn *conn, int result)
{
    int kind = SSL_get_error(conn->ssl, result);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return NNG_EAGAIN;
    unsigned long code = ERR_peek_error();
    char text[128] = "the connection ended";
    if (code != 0)
        ERR_error_string_n(code, text, sizeof text);
    if (kind == SSL_ERROR_ZERO_RETURN)
        tell_failure(conn, ERR_UNREACHABLE, "closed-by-peer", "the peer closed the connection");
    else if (is_alert(code))
        tell_failure(conn, ERR_DENIED, "refused-by-peer", text);
    else if (!SSL_is_init_finished(conn->ssl))
        tell_failure(conn, ERR_UNREACHABLE, "handshake-failed", text);
    else
        tell_failure(conn, ERR_UNREACHABLE, "connection-lost", text);
    ERR_clear_error();
    return kind == SSL_ERROR_ZERO_RETURN ? NNG_ECONNSHUT : NNG_EPEERAUTH;
}

/* The task threads run other people's callbacks too, whose stale errors would be taken for ours. */
static bool usable(const nng_tls_engine_conn *conn)
{
    ERR_clear_error();
    return !conn->failed && !conn->closed;
}

/* A client that offers no protocol is not asked to choose one, and a server need not answer. */
static bool is_our_protocol(const nng_tls_engine_conn *conn)
{
    const unsigned char *chosen = NULL;
    unsigned int len = 0;
    SSL_get0_alpn_selected(conn->ssl, &chosen, &len);
    return len == PROTOCOL_SIZE - 1 && memcmp(chosen, protocol + 1, len) == 0;
}

/* A handshake may end in any of handshake, recv and send. */
static int announce(nng_tls_engine_conn *conn)
{
    if (conn->announced || !SSL_is_init_finished(conn->ssl))
        return 0;
    conn->announced = true;
    if (!is_our_protocol(conn)) {
        tell_failure(conn, ERR_DENIED, "handshake-failed", "the peer does not speak muster-link/1");
        return NNG_EPEERAUTH;
    }
    snprintf(conn->facts.group, sizeof conn->facts.group, "%s", compat_group_name(conn->ssl));
    if (conn->watch.opened == NULL || conn->watch.opened(conn->watch.who, &conn->facts))
        return 0;
    tell_failure(conn, ERR_THROTTLED, "busy", "no room for another peer");
    return NNG_ECONNREFUSED;
}

static int conn_handshake(nng_tls_engine_conn *conn)
{
    if (!usable(conn))
        return NNG_ECONNSHUT;
    int result = SSL_do_handshake(conn->ssl);
    return result == 1 ? announce(conn) : failure_of(conn, result);
}

static int conn_recv(nng_tls_engine_conn *conn, uint8_t *at, size_t *len)
{
    if (!usable(conn))
        return NNG_ECONNSHUT;
    int result = SSL_read_ex(conn->ssl, at, *len, len);
    int refused = announce(conn);
    if (refused != 0)
        return refused;
    return result == 1 ? 0 : failure_of(conn, result);
}

static int conn_send(nng_tls_engine_conn *conn, const uint8_t *at, size_t *len)
{
    if (!usable(conn))
        return NNG_ECONNSHUT;
    int result = SSL_write_ex(conn->ssl, at, *len, len);
    int refused = announce(conn);
    if (refused != 0)
        return refused;
    return result == 1 ? 0 : failure_of(conn, result);
}

/* nng asks this on the thread of whoever asks nng, which makes it our door to a live connection. */
static bool conn_verified(nng_tls_engine_conn *conn)
{
    bool done = conn->ssl != NULL && !conn->failed && SSL_is_init_finished(conn->ssl);
    if (errand != NULL && errand->watch != NULL) {
        conn->watch = *errand->watch;
        errand->done = true;
    } else if (errand != NULL && done) {
        ERR_clear_error();
        errand->done = SSL_export_keying_material(conn->ssl, errand->out, 32, errand->label,
                                                  strlen(errand->label), errand->context.at,
                                                  errand->context.len, 1) == 1;
        ERR_clear_error();
    }
    return done;
}

static bool run_errand(nng_stream *stream, struct errand *what)
{
    bool unused;
    errand = what;
    int failure = nng_stream_get_bool(stream, NNG_OPT_TLS_VERIFIED, &unused);
    errand = NULL;
    return failure == 0 && what->done;
}

void link_tls_set_watch(nng_stream *stream, const struct link_tls_watch *watch)
{
    run_errand(stream, &(struct errand){.watch = watch});
}

enum outcome link_tls_exporter(nng_stream *stream, const char *label, struct span context,
                               uint8_t out[static 32], struct error *err)
{
    struct errand what = {.label = label, .context = context, .out = out};
    if (!run_errand(stream, &what))
        return fail_code(err, ERR_UNREACHABLE, "closed", "the connection is not there");
    return OK;
}

/* ---- the engine ---------------------------------------------------------------------------- */

static nng_tls_engine_config_ops config_ops = {
    .size = sizeof(struct nng_tls_engine_config),
    .init = config_init,
    .fini = config_fini,
    .server = config_server,
    .auth = config_auth,
    .ca_chain = config_ca_chain,
    .own_cert = config_own_cert,
    .version = config_version,
};

static nng_tls_engine_conn_ops conn_ops = {.size = sizeof(struct nng_tls_engine_conn),
                                           .init = conn_init,
                                           .fini = conn_fini,
                                           .close = conn_close,
                                           .handshake = conn_handshake,
                                           .recv = conn_recv,
                                           .send = conn_send,
                                           .verified = conn_verified,
                                           COMPAT_ENGINE_NAMES};

static const nng_tls_engine engine = {
    .version = NNG_TLS_ENGINE_VERSION,
    .config_ops = &config_ops,
    .conn_ops = &conn_ops,
    .name = "muster-openssl",
    .description = "OpenSSL, TLS 1.3, judged by role",
};

/* OpenSSL frees what it shares when the process exits, while nng's threads, which nobody can wait
 * for, may still be inside it. It listens only before its first use, which may be anywhere. */
__attribute__((constructor)) static void keep_openssl_until_the_end(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

/* nng's own start installs mbedTLS, so it must have happened before ours replaces it. */
static void start(void)
{
    (void)nng_tls_engine_name();
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "nng");
    engine_is_there = bio_method != NULL && BIO_meth_set_write(bio_method, bio_send) == 1 &&
                      BIO_meth_set_read(bio_method, bio_recv) == 1 &&
                      BIO_meth_set_ctrl(bio_method, bio_control) == 1 &&
                      nng_tls_engine_register(&engine) == 0;
}

enum outcome link_tls_config(struct link_identity *identity, bool server, nng_tls_config **out,
                             struct error *err)
{
    pthread_once(&started, start);
    if (!engine_is_there)
        return fail(err, ERR_INTERNAL, "nng does not take OpenSSL as its TLS engine");
    lent_identity = identity;
    int failure = nng_tls_config_alloc(out, server ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT);
    lent_identity = NULL;
    if (failure != 0)
        return fail(err, ERR_INTERNAL, "no TLS configuration: %s", nng_strerror(failure));
    return OK;
}
