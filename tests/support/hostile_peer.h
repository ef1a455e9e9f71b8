/* Attackers for tests of the link: raw sockets and plain OpenSSL that do what no good peer does. */
#ifndef MUSTER_TESTS_HOSTILE_PEER_H
#define MUSTER_TESTS_HOSTILE_PEER_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/link_party.h"

/* ---- TCP ----------------------------------------------------------------------------------- */

int hostile_connect(int port); /* to 127.0.0.1; -1 when refused */
void hostile_reset(int fd);    /* close with RST */
bool hostile_write(int fd, struct span bytes);
/* Has the other side closed (FIN or RST) within `wait_ms`? What it sends meanwhile is thrown away.
 */
bool hostile_sees_end(int fd, int wait_ms);
/* An attacker's pace: so long, or until the other side is gone. */
void hostile_pause(int fd, int ms);
struct bytes hostile_client_hello(void); /* a good one, as bytes */

/* ---- TLS ----------------------------------------------------------------------------------- */

struct hostile {
    int fd;
    struct ssl_ctx_st *context;
    struct ssl_st *ssl;
};

struct hostile_ways {
    const struct credential *credential; /* NULL: shows no certificate */
    bool tls12_only;
    const char *protocol; /* ALPN; NULL: the right one, "": none */
};

/* A connected client before its handshake. */
struct hostile hostile_open(int port, const struct hostile_ways *ways);
/* The handshake as the client sees it. A refused certificate shows up at the first read only. */
bool hostile_shake(struct hostile *hostile);
/* Handshake and then one byte read: false when the server refused in either. */
bool hostile_is_accepted(struct hostile *hostile, int wait_ms);
bool hostile_say(struct hostile *hostile, struct span bytes); /* application data */
/* A head that claims `claimed` bytes, and `body`. */
bool hostile_frame(struct hostile *hostile, uint8_t type, uint64_t id, uint32_t claimed,
                   struct span body);
size_t hostile_hear(struct hostile *hostile, void *out, size_t most); /* blocks; 0: the end */
void hostile_close(struct hostile *hostile, bool with_reset);

/* ---- a false controller ------------------------------------------------------------------- */

/* Listens on loopback, shakes hands with whoever comes and sends nothing. */
struct hostile_server {
    int fd;
    int port;
    struct ssl_ctx_st *context;
    pthread_t thread;
    _Atomic int shaken;
    _Atomic bool stop;
    bool tls12_only;
};

void hostile_serve(struct hostile_server *server, const struct credential *credential,
                   bool tls12_only);
void hostile_serve_end(struct hostile_server *server);

#endif
