/* The API's front door, and the only one to libmicrohttpd: requests come out of it whole, strictly
 * read, bounded in size and time, each on one of a few worker threads that may block.
 *
 * What libmicrohttpd leaves open is closed here: two framings of one request, paths that read two
 * ways, bodies without end, clients that drip. */
#ifndef MUSTER_CONTROLLER_HTTP_SERVER_H
#define MUSTER_CONTROLLER_HTTP_SERVER_H

#include "controller/http_target.h"
#include "lib/base/uuid.h"
#include "lib/base/json.h"

struct http_server;

/* A whole request; everything is a loan until the handler returns. */
struct http_call {
    const char *method; /* "GET" for HEAD too: the door leaves the body out */
    const char *raw_target;
    const struct http_target *target;
    struct span body;
    const char *content_type; /* headers: NULL when absent */
    const char *authorization;
    const char *idempotency_key;
    const char *if_match;
    char address[48]; /* of the client, without port */
    char id[UUID_TEXT_SIZE];
};

/* What the handler fills in; zeroed before, released by the door. */
struct http_reply {
    int status;
    const char *content_type; /* static; NULL: application/json */
    struct bytes body;
    char allow[96];
    char etag[32];
    char location[192];
    int64_t retry_after_seconds;
};

/* Answer with a problem document; `more`: members to add to it, or NULL. */
void http_reply_problem(struct http_reply *reply, const struct http_call *call, const json_t *more,
                        const struct error *err);

/* Who answers. Each worker thread opens a state of its own (its database connection). */
struct http_owner {
    void *owner;
    void *(*thread_open)(void *owner);
    void (*thread_close)(void *thread);
    void (*answer)(void *thread, const struct http_call *call, struct http_reply *reply);
};

struct http_server_settings {
    const char *address; /* "127.0.0.1", "::1", "0.0.0.0", "::" */
    int64_t port;        /* 0: any */
    const char *key_pem; /* both NULL: no TLS, for tests */
    const char *certificate_pem;
    int64_t connections_most;
    int64_t per_address_most;
    int64_t workers;
    int64_t waiting_most; /* whole requests that wait for a worker; more are answered 503 */
    int64_t idle_seconds;
    int64_t request_ms; /* from the connection, or the last answer, to a whole request */
    int64_t answer_ms;  /* from the answer's first byte to its last */
    int64_t body_most;
    int64_t header_bytes_most;
};

struct http_server_settings http_server_settings_usual(void);

enum outcome http_server_open(const struct http_server_settings *settings,
                              const struct http_owner *owner, struct http_server **out,
                              struct error *err);
/* No new connections, what is under way is answered, the rest is closed. */
void http_server_close(struct http_server *server);
int http_server_port(const struct http_server *server);

#endif
