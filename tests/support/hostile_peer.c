#include "tests/support/hostile_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/net/link_frame.h"
#include "tests/support/test.h"

#define PROTOCOL "muster-link/1"

/* ---- TCP ----------------------------------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

int hostile_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct sockaddr_in at = loopback(port);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct timeval limit = {.tv_sec = EVENT_WAIT_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

void hostile_reset(int fd)
{
    struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

bool hostile_write(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes = span_part(bytes, (size_t)n, bytes.len);
    }
    return true;
}

bool hostile_sees_end(int fd, int wait_ms)
{
    char waste[4096];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (poll(&ready, 1, wait_ms) == 1) {
        ssize_t n = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return true;
    }
    return false;
}

void hostile_pause(int fd, int ms)
{
    struct pollfd gone = {.fd = fd}; /* of which poll() always tells */
    poll(&gone, 1, ms);
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static SSL_CTX *context_new(bool server, const struct hostile_ways *ways)
{
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    assert_non_null(context);
    if (ways->tls12_only)
        SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
    if (ways->credential != NULL) {
        SSL_CTX_use_certificate(context, cert_inside(ways->credential->cert));
        SSL_CTX_use_PrivateKey(context, key_inside(ways->credential->key));
    }
    uint8_t offer[64];
    const char *protocol = ways->protocol != NULL ? ways->protocol : PROTOCOL;
    size_t len = strlen(protocol);
    offer[0] = (uint8_t)len;
    memcpy(offer + 1, protocol, len);
    if (!server && len > 0)
        SSL_CTX_set_alpn_protos(context, offer, (unsigned)len + 1);
    return context;
}

struct bytes hostile_client_hello(void)
{
    SSL_CTX *context = context_new(false, &(struct hostile_ways){0});
    SSL *ssl = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl);
    char *at = NULL;
    long len = BIO_get_mem_data(out, &at);
    struct bytes hello = bytes_copy(SPAN(at, (size_t)len));
    SSL_free(ssl);
    SSL_CTX_free(context);
    ERR_clear_error();
    return hello;
}

struct hostile hostile_open(int port, const struct hostile_ways *ways)
{
    struct hostile hostile = {.fd = hostile_connect(port)};
    assert_true(hostile.fd >= 0);
    hostile.context = context_new(false, ways);
    hostile.ssl = SSL_new(hostile.context);
    SSL_set_fd(hostile.ssl, hostile.fd);
    SSL_set_connect_state(hostile.ssl);
    return hostile;
}

bool hostile_shake(struct hostile *hostile)
{
    ERR_clear_error();
    return SSL_do_handshake(hostile->ssl) == 1;
}

bool hostile_is_accepted(struct hostile *hostile, int wait_ms)
{
    if (!hostile_shake(hostile))
        return false;
    struct pollfd ready = {.fd = hostile->fd, .events = POLLIN};
    if (poll(&ready, 1, wait_ms) == 0)
        return true; /* nothing was said against us */
    char one;
    return SSL_read(hostile->ssl, &one, 1) == 1;
}

bool hostile_say(struct hostile *hostile, struct span bytes)
{
    ERR_clear_error();
    return bytes.len == 0 || SSL_write(hostile->ssl, bytes.at, (int)bytes.len) == (int)bytes.len;
}

bool hostile_frame(struct hostile *hostile, uint8_t type, uint64_t id, uint32_t claimed,
                   struct span body)
{
    OWNED(bytes_done) struct bytes all = {0};
    frame_head(bytes_add_room(&all, FRAME_HEAD_SIZE), type, id, claimed);
    bytes_add(&all, body);
    return hostile_say(hostile, bytes_span(&all));
}

size_t hostile_hear(struct hostile *hostile, void *out, size_t most)
{
    ERR_clear_error();
    int n = SSL_read(hostile->ssl, out, (int)most);
    return n > 0 ? (size_t)n : 0;
}

void hostile_close(struct hostile *hostile, bool with_reset)
{
    if (!with_reset && SSL_is_init_finished(hostile->ssl))
        SSL_shutdown(hostile->ssl);
    SSL_free(hostile->ssl);
    SSL_CTX_free(hostile->context);
    if (with_reset)
        hostile_reset(hostile->fd);
    else
        close(hostile->fd);
    ERR_clear_error();
}

/* ---- a false controller ------------------------------------------------------------------- */

static int take_any(int fine, X509_STORE_CTX *store)
{
    (void)fine;
    (void)store;
    return 1;
}

static int choose_any(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                      const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)in_len;
    (void)arg;
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void serve_one(struct hostile_server *server, int fd)
{
    SSL *ssl = SSL_new(server->context);
    SSL_set_fd(ssl, fd);
    struct timeval limit = {.tv_sec = 2};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char waste;
    if (SSL_accept(ssl) == 1) {
        server->shaken++;
        SSL_read(ssl, &waste, 1);
    }
    SSL_free(ssl);
    close(fd);
    ERR_clear_error();
}

static void *serve(void *arg)
{
    struct hostile_server *server = arg;
    while (!server->stop) {
        struct pollfd ready = {.fd = server->fd, .events = POLLIN};
        if (poll(&ready, 1, 50) != 1)
            continue;
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve_one(server, fd);
    }
    return NULL;
}

void hostile_serve(struct hostile_server *server, const struct credential *credential,
                   bool tls12_only)
{
    *server = (struct hostile_server){.tls12_only = tls12_only};
    server->context = context_new(
        true, &(struct hostile_ways){.credential = credential, .tls12_only = tls12_only});
    SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER, take_any);
    SSL_CTX_set_alpn_select_cb(server->context, choose_any, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = loopback(0);
    socklen_t len = sizeof at;
    assert_int_equal(bind(server->fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(server->fd, 16), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void hostile_serve_end(struct hostile_server *server)
{
    server->stop = true;
    pthread_join(server->thread, NULL);
    close(server->fd);
    SSL_CTX_free(server->context);
}
