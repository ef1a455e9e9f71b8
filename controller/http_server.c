#include "controller/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "controller/problem.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"
#include "lib/base/queue.h"
#include "lib/crypto/random.h"

enum { SWEEP_MS = 200, HEADERS_MOST = 64, POLLING_THREADS = 2, DISCARD_TIMES = 4 };

/* One connection, for our own deadline: libmicrohttpd's is only for idleness, and whoever drips is
 * never idle. */
struct connection {
    struct connection *next, *previous;
    int descriptor;
    int64_t deadline_ms; /* 0: it is our turn */
};

struct http_server {
    struct http_server_settings settings;
    struct http_owner owner;
    struct MHD_Daemon *daemon;
    struct queue *waiting;
    pthread_t workers[64];
    int64_t worker_count;
    pthread_t sweeper;
    bool sweeping;
    pthread_mutex_t lock; /* of the list and `stopping` */
    pthread_cond_t changed;
    struct connection *connections;
    bool stopping;
};

/* One request, from its first line to the end of its answer. */
struct exchange {
    struct http_server *server;
    struct MHD_Connection *connection;
    char *raw_target;
    bool headers_seen;
    bool refused; /* decided already; a body that still comes is thrown away */
    bool answered;
    bool head;
    struct bytes body;
    size_t body_seen;
    struct http_target target;
    struct http_call call;
    struct http_reply reply;
};

struct http_server_settings http_server_settings_usual(void)
{
    return (struct http_server_settings){
        .address = "127.0.0.1",
        .connections_most = 512,
        .per_address_most = 64,
        .workers = 4,
        .waiting_most = 128,
        .idle_seconds = 15,
        .request_ms = 30000,
        .answer_ms = 60000,
        .body_most = 1024 * 1024,
        .header_bytes_most = 16 * 1024,
    };
}

/* ---- deadlines ---------------------------------------------------------------------------- */

static void set_deadline(struct http_server *server, struct MHD_Connection *mhd, int64_t wait_ms)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *connection = info != NULL ? info->socket_context : NULL;
    if (connection == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    connection->deadline_ms = wait_ms == 0 ? 0 : clock_monotonic_ms() + wait_ms;
    pthread_mutex_unlock(&server->lock);
}

static void connection_opened(struct http_server *server, struct MHD_Connection *mhd,
                              void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *connection = NEW(struct connection);
    connection->descriptor = info != NULL ? info->connect_fd : -1;
    connection->deadline_ms = clock_monotonic_ms() + server->settings.request_ms;
    pthread_mutex_lock(&server->lock);
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    server->connections = connection;
    pthread_mutex_unlock(&server->lock);
    *context = connection;
}

static void connection_closed(struct http_server *server, struct connection *connection)
{
    pthread_mutex_lock(&server->lock);
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    pthread_mutex_unlock(&server->lock);
    free(connection);
}

static void on_connection(void *owner, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_opened(owner, mhd, context);
    else if (*context != NULL)
        connection_closed(owner, *context);
}

/* The descriptor stays open while its connection is in the list, so this cannot hit another's. */
static void shut_the_late(struct http_server *server, int64_t now_ms)
{
    for (struct connection *c = server->connections; c != NULL; c = c->next)
        if (c->deadline_ms != 0 && c->deadline_ms <= now_ms) {
            c->deadline_ms = 0;
            shutdown(c->descriptor, SHUT_RDWR);
        }
}

static void *sweep(void *owner)
{
    struct http_server *server = owner;
    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += SWEEP_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&server->changed, &server->lock, &until);
        shut_the_late(server, clock_monotonic_ms());
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* ---- reading a request -------------------------------------------------------------------- */

struct header_counts {
    int all, lengths, encodings, hosts, authorizations;
    bool other_encoding, bad_name;
};

/* libmicrohttpd 0.9.75 keeps a blank before the colon and glues a folded line to the header's name:
 * so a name is a token, and what begins like a framing header is one. */
static bool is_header_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char *const framing[] = {"content-length", "transfer-encoding"};
    for (size_t i = 0; i < countof(framing); i++) {
        size_t len = strlen(framing[i]);
        if (strncasecmp(name, framing[i], len) == 0 && name[len] != '\0')
            return false;
    }
    return name[0] != '\0' && name[strspn(name, token)] == '\0';
}

static enum MHD_Result count_header(void *owner, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    struct header_counts *counts = owner;
    counts->all++;
    counts->bad_name |= !is_header_name(name);
    if (strcasecmp(name, "content-length") == 0)
        counts->lengths++;
    if (strcasecmp(name, "host") == 0)
        counts->hosts++;
    if (strcasecmp(name, "authorization") == 0)
        counts->authorizations++;
    if (strcasecmp(name, "transfer-encoding") == 0) {
        counts->encodings++;
        counts->other_encoding |= value == NULL || strcasecmp(value, "chunked") != 0;
    }
    return MHD_YES;
}

/* Where two readers of one request could disagree about where it ends, nobody may read it. */
static enum outcome check_framing(const struct exchange *x, const char *version, struct error *err)
{
    struct header_counts counts = {0};
    MHD_get_connection_values(x->connection, MHD_HEADER_KIND, count_header, &counts);
    if (counts.all > HEADERS_MOST)
        return fail_code(err, ERR_INVALID, "headers-too-large", "more than %d headers",
                         HEADERS_MOST);
    if (counts.bad_name)
        return fail_code(err, ERR_INVALID, "bad-request", "what is not a header's name");
    if (counts.encodings > 0 && counts.lengths > 0)
        return fail_code(err, ERR_INVALID, "bad-request",
                         "content-length and transfer-encoding in one request");
    if (counts.lengths > 1)
        return fail_code(err, ERR_INVALID, "bad-request", "more than one content-length");
    if (counts.encodings > 1 || counts.other_encoding)
        return fail_code(err, ERR_INVALID, "bad-request",
                         "a transfer-encoding that is not chunked");
    if (counts.encodings > 0 && strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
        return fail_code(err, ERR_INVALID, "bad-request", "chunks in %.16s", version);
    if (counts.hosts > 1 || counts.authorizations > 1)
        return fail_code(err, ERR_INVALID, "bad-request", "host or authorization more than once");
    return OK;
}

static const char *header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static enum outcome check_length(const struct exchange *x, struct error *err)
{
    const char *length = header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t bytes = 0;
    if (length != NULL && number_parse(length, 0, INT64_MAX, &bytes, NULL) != OK)
        return fail_code(err, ERR_INVALID, "bad-request", "a content-length that is no number");
    if (bytes > x->server->settings.body_most)
        return fail_code(err, ERR_INVALID, "too-large", "a body of more than %lld bytes",
                         (long long)x->server->settings.body_most);
    return OK;
}

static void print_address(struct exchange *x)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    if (address != NULL && address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                  x->call.address, sizeof x->call.address);
    if (address != NULL && address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                  x->call.address, sizeof x->call.address);
}

static enum outcome read_headers(struct exchange *x, const char *method, const char *version,
                                 struct error *err)
{
    struct uuid id = uuid_new();
    uuid_print(&id, x->call.id);
    print_address(x);
    x->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    x->call.method = x->head ? MHD_HTTP_METHOD_GET : method;
    x->call.raw_target = x->raw_target;
    x->call.target = &x->target;
    x->call.content_type = header(x, MHD_HTTP_HEADER_CONTENT_TYPE);
    x->call.authorization = header(x, MHD_HTTP_HEADER_AUTHORIZATION);
    x->call.if_match = header(x, MHD_HTTP_HEADER_IF_MATCH);
    x->call.idempotency_key = header(x, "Idempotency-Key");
    TRY(check_framing(x, version, err));
    TRY(http_target_parse(x->raw_target, &x->target, err));
    return check_length(x, err);
}

/* The first thing we hear of a request: its target as it stood on the line. */
static void *on_target(void *owner, const char *raw_target, struct MHD_Connection *mhd)
{
    struct exchange *x = NEW(struct exchange);
    x->server = owner;
    x->connection = mhd;
    x->raw_target = mem_text(raw_target);
    return x;
}

/* ---- answering ---------------------------------------------------------------------------- */

void http_reply_problem(struct http_reply *reply, const struct http_call *call, const json_t *more,
                        const struct error *err)
{
    reply->status = problem_status(err);
    reply->content_type = "application/problem+json";
    reply->body.len = 0;
    problem_print(err, reply->status, call->id, more, &reply->body);
    if (reply->status == 503 || reply->status == 429)
        reply->retry_after_seconds = 1;
    if (reply->status == 500 || strncmp(err->code, "database", 8) == 0)
        LOG(ERROR, "request.failed", TEXT("request", call->id), TEXT("code", err->code),
            TEXT("text", err->text));
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        MHD_add_response_header(response, name, value);
}

static struct MHD_Response *response_of(struct exchange *x)
{
    const struct http_reply *reply = &x->reply;
    /* The exchange outlives its answer, so the body needs no copy. */
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, x->reply.body.at, MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return NULL;
    const char *type = reply->content_type != NULL ? reply->content_type : "application/json";
    if (reply->body.len > 0)
        add_header(response, "Content-Type", type);
    add_header(response, "Cache-Control", "no-store");
    add_header(response, "X-Content-Type-Options", "nosniff");
    add_header(response, "X-Request-Id", x->call.id);
    add_header(response, "Allow", reply->allow);
    add_header(response, "ETag", reply->etag);
    add_header(response, "Location", reply->location);
    if (reply->status == 401)
        add_header(response, "WWW-Authenticate", "Bearer");
    if (reply->retry_after_seconds > 0) {
        OWNED(text_done) struct text seconds = {0};
        text_addf(&seconds, "%lld", (long long)reply->retry_after_seconds);
        add_header(response, "Retry-After", text_str(&seconds));
    }
    if (x->refused)
        add_header(response, "Connection", "close");
    return response;
}

static enum MHD_Result send_reply(struct exchange *x)
{
    struct MHD_Response *response = response_of(x);
    if (response == NULL)
        return MHD_NO;
    metric_add(METRIC_HTTP_REQUESTS, 1);
    if (x->reply.status >= 400)
        metric_add(METRIC_HTTP_ERRORS, 1);
    LOG(DEBUG, "request.answered", TEXT("request", x->call.id), TEXT("method", x->call.method),
        TEXT("target", x->raw_target), INT("status", x->reply.status));
    set_deadline(x->server, x->connection, x->server->settings.answer_ms);
    enum MHD_Result queued = MHD_queue_response(x->connection, (unsigned)x->reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Answer and close: what else is on this connection cannot be trusted to be a request. */
static enum MHD_Result refuse(struct exchange *x, const struct error *err)
{
    x->refused = true;
    http_reply_problem(&x->reply, &x->call, NULL, err);
    return send_reply(x);
}

static void hand_over(struct exchange *x)
{
    x->call.body = bytes_span(&x->body);
    set_deadline(x->server, x->connection, 0);
    x->answered = true; /* when it comes back here, it is */
    MHD_suspend_connection(x->connection);
    if (queue_push(x->server->waiting, x))
        return;
    struct error err;
    error_fill(&err, ERR_THROTTLED, "busy", "", "too many requests are waiting");
    http_reply_problem(&x->reply, &x->call, NULL, &err);
    MHD_resume_connection(x->connection);
}

/* Too late to answer in the middle of a body: throw it away, within bounds, then say so. */
static enum MHD_Result take_body(struct exchange *x, const char *data, size_t *size)
{
    size_t most = (size_t)x->server->settings.body_most;
    x->body_seen += *size;
    if (x->body_seen > DISCARD_TIMES * most)
        return MHD_NO;
    if (x->body_seen <= most)
        bytes_add(&x->body, SPAN(data, *size));
    else
        bytes_done(&x->body);
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result on_request(void *owner, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **context)
{
    (void)owner;
    (void)mhd;
    (void)url; /* libmicrohttpd's reading of it; ours is the raw one */
    struct exchange *x = *context;
    struct error err = {0};
    if (x == NULL)
        return MHD_NO;
    if (!x->headers_seen) {
        x->headers_seen = true;
        return read_headers(x, method, version, &err) == OK ? MHD_YES : refuse(x, &err);
    }
    if (*size > 0)
        return x->refused ? MHD_NO : take_body(x, data, size);
    if (x->answered)
        return send_reply(x);
    if (x->body_seen > (size_t)x->server->settings.body_most) {
        error_fill(&err, ERR_INVALID, "too-large", "", "a body of more than %lld bytes",
                   (long long)x->server->settings.body_most);
        return refuse(x, &err);
    }
    hand_over(x);
    return MHD_YES;
}

static void on_completed(void *owner, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)code;
    struct http_server *server = owner;
    struct exchange *x = *context;
    if (x == NULL)
        return;
    set_deadline(server, mhd, server->settings.request_ms);
    http_target_done(&x->target);
    bytes_done(&x->body);
    bytes_done(&x->reply.body);
    free(x->raw_target);
    free(x);
    *context = NULL;
}

static size_t leave_raw(void *owner, struct MHD_Connection *mhd, char *text)
{
    (void)owner;
    (void)mhd;
    return strlen(text);
}

static void *work(void *owner)
{
    struct http_server *server = owner;
    void *thread = server->owner.thread_open(server->owner.owner);
    for (;;) {
        struct exchange *x = queue_pop(server->waiting, 1000);
        if (x == NULL && queue_is_closed(server->waiting))
            break;
        if (x == NULL)
            continue;
        server->owner.answer(thread, &x->call, &x->reply);
        MHD_resume_connection(x->connection);
    }
    server->owner.thread_close(thread);
    return NULL;
}

/* ---- opening and closing ------------------------------------------------------------------ */

static enum outcome parse_address(const struct http_server_settings *s,
                                  struct sockaddr_storage *out, struct error *err)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, s->address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)s->port);
        return OK;
    }
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET6, s->address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)s->port);
        return OK;
    }
    return fail_code(err, ERR_INVALID, "bad-address", "%s is no IP address", s->address);
}

static void log_mhd(void *owner, const char *format, va_list args)
{
    (void)owner;
    (void)format;
    (void)args; /* its messages quote what strangers send */
}

/* clang-format off */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:"
    "-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:%SERVER_PRECEDENCE:%NO_TICKETS";
/* clang-format on */

static enum outcome start_daemon(struct http_server *server, struct error *err)
{
    const struct http_server_settings *s = &server->settings;
    struct sockaddr_storage address;
    TRY(parse_address(s, &address, err));
    bool tls = s->key_pem != NULL && s->certificate_pem != NULL;
    struct MHD_OptionItem tls_options[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)s->key_pem},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)s->certificate_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem no_options[] = {{MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    flags |= tls ? (unsigned)MHD_USE_TLS : 0;
    flags |= address.ss_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0;
    server->daemon = MHD_start_daemon(
        flags, (uint16_t)s->port, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
        log_mhd, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)POLLING_THREADS, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)s->connections_most, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)s->per_address_most, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)s->idle_seconds,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)s->header_bytes_most,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_UNESCAPE_CALLBACK, leave_raw, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY,
        tls ? tls_options : no_options, MHD_OPTION_END);
    if (server->daemon == NULL)
        return fail_code(err, ERR_INTERNAL, "cannot-listen", "cannot serve the API on %s port %lld",
                         s->address, (long long)s->port);
    return OK;
}

static void stop_threads(struct http_server *server)
{
    queue_close(server->waiting);
    for (int64_t i = 0; i < server->worker_count; i++)
        pthread_join(server->workers[i], NULL);
    if (server->sweeping) {
        pthread_mutex_lock(&server->lock);
        server->stopping = true;
        pthread_cond_signal(&server->changed);
        pthread_mutex_unlock(&server->lock);
        pthread_join(server->sweeper, NULL);
    }
}

static enum outcome start_threads(struct http_server *server, struct error *err)
{
    for (; server->worker_count < server->settings.workers; server->worker_count++)
        if (pthread_create(&server->workers[server->worker_count], NULL, work, server) != 0)
            return fail(err, ERR_INTERNAL, "cannot start a thread");
    if (pthread_create(&server->sweeper, NULL, sweep, server) != 0)
        return fail(err, ERR_INTERNAL, "cannot start a thread");
    server->sweeping = true;
    return OK;
}

enum outcome http_server_open(const struct http_server_settings *settings,
                              const struct http_owner *owner, struct http_server **out,
                              struct error *err)
{
    struct http_server *server = NEW(struct http_server);
    server->settings = *settings;
    server->owner = *owner;
    if (server->settings.workers > (int64_t)countof(server->workers))
        server->settings.workers = countof(server->workers);
    server->waiting = queue_new((size_t)settings->waiting_most);
    pthread_mutex_init(&server->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&server->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    enum outcome outcome = start_threads(server, err);
    if (outcome == OK)
        outcome = start_daemon(server, err);
    if (outcome == OK)
        *out = server;
    else
        http_server_close(server);
    return outcome;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->daemon != NULL) {
        int listener = MHD_quiesce_daemon(server->daemon);
        if (listener >= 0)
            shutdown(listener, SHUT_RDWR);
        stop_threads(server);
        MHD_stop_daemon(server->daemon);
        if (listener >= 0)
            close(listener);
    } else {
        stop_threads(server);
    }
    queue_free(server->waiting);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int http_server_port(const struct http_server *server)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info != NULL ? info->port : 0;
}
