#include "emulator/http_face.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"

enum { IDLE_SECONDS = 30, CONNECTIONS_MAX = 512, BACKLOG = 128 };

struct face {
    struct MHD_Daemon *daemon;
    bool tls;
    face_fn *handler;
    void *context;
    int ending; /* an eventfd, for those that wait */
};

/* A request while its body is coming in. */
struct arrival {
    struct bytes body;
    bool too_large;
};

const char *face_header(const struct face_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *face_argument(const struct face_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void face_say(struct face_answer *answer, const char *name, const char *format, ...)
{
    assert(answer->header_count < FACE_HEADERS_MAX);
    struct face_header *header = &answer->headers[answer->header_count++];
    snprintf(header->name, sizeof header->name, "%s", name);
    va_list args;
    va_start(args, format);
    vsnprintf(header->value, sizeof header->value, format, args);
    va_end(args);
}

/* The end of the server ends the wait too. */
static bool pause_ms(const struct face *face, int64_t ms)
{
    struct pollfd end = {.fd = face->ending, .events = POLLIN};
    return ms > 0 && poll(&end, 1, (int)ms) > 0;
}

bool face_pause(const struct face_request *request, int64_t ms)
{
    return pause_ms(request->face, ms);
}

static enum MHD_Result send_answer(const struct face *face, struct MHD_Connection *connection,
                                   struct face_answer *answer)
{
    pause_ms(face, answer->delay_ms);
    if (answer->cut)
        return MHD_NO;
    size_t len = answer->body.len;
    void *text = answer->body.at != NULL ? text_take(&answer->body) : mem_text("");
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
    MHD_add_response_header(response, "Content-Type",
                            answer->content_type != NULL ? answer->content_type
                                                         : "application/json");
    MHD_add_response_header(response, "Server", "muster-sim");
    for (size_t i = 0; i < answer->header_count; i++)
        MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
    if (answer->retry_after_seconds > 0) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%lld", (long long)answer->retry_after_seconds);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_whole(struct face *face, struct MHD_Connection *connection,
                                    const char *path, const char *method, struct arrival *arrival)
{
    struct face_answer answer = {.status = 200};
    const struct face_request request = {.method = method,
                                         .path = path,
                                         .body = bytes_span(&arrival->body),
                                         .tls = face->tls,
                                         .connection = connection,
                                         .face = face};
    if (arrival->too_large) {
        answer.status = 413;
        text_add(&answer.body, "{\"code\":\"too-large\"}");
    } else {
        face->handler(face->context, &request, &answer);
    }
    enum MHD_Result result = send_answer(face, connection, &answer);
    text_done(&answer.body);
    return result;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *data, size_t *data_len, void **slot)
{
    (void)version;
    struct arrival *arrival = *slot;
    if (arrival == NULL) {
        *slot = NEW(struct arrival);
        return MHD_YES;
    }
    if (*data_len > 0) {
        if (arrival->body.len + *data_len > FACE_BODY_MAX)
            arrival->too_large = true;
        else
            bytes_add(&arrival->body, SPAN(data, *data_len));
        *data_len = 0;
        return MHD_YES;
    }
    return answer_whole(context, connection, path, method, arrival);
}

static void on_end(void *context, struct MHD_Connection *connection, void **slot,
                   enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct arrival *arrival = *slot;
    if (arrival == NULL)
        return;
    bytes_done(&arrival->body);
    free(arrival);
    *slot = NULL;
}

static enum outcome listen_on(int64_t port, int *out_fd, int64_t *out_port, struct error *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return fail(err, ERR_UNREACHABLE, "listening on 127.0.0.1:%lld: %s", (long long)port,
                    strerror(why));
    }
    *out_fd = fd;
    *out_port = ntohs(at.sin_port);
    return OK;
}

static struct MHD_Daemon *start_daemon(struct face *face, const struct face_tls *tls, int fd)
{
    const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    const struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, tls != NULL ? (void *)(uintptr_t)tls->key : NULL},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, tls != NULL ? (void *)(uintptr_t)tls->certificate : NULL},
        {MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                                MHD_USE_POLL | (tls != NULL ? (unsigned)MHD_USE_TLS : 0),
                            0, NULL, NULL, on_request, face, MHD_OPTION_LISTEN_SOCKET, fd,
                            MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                            MHD_OPTION_ARRAY, tls != NULL ? secure : plain, MHD_OPTION_END);
}

enum outcome face_open(int64_t port, const struct face_tls *tls, face_fn *handler, void *context,
                       struct face **out, int64_t *out_port, struct error *err)
{
    int fd;
    TRY(listen_on(port, &fd, out_port, err));
    struct face *face = NEW(struct face);
    face->tls = tls != NULL;
    face->handler = handler;
    face->context = context;
    face->ending = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (face->ending >= 0)
        face->daemon = start_daemon(face, tls, fd);
    if (face->daemon == NULL) {
        close(fd);
        face_close(face);
        return fail(err, ERR_INTERNAL, "the HTTP server does not start");
    }
    *out = face;
    return OK;
}

void face_close(struct face *face)
{
    if (face == NULL)
        return;
    const uint64_t one = 1;
    if (write(face->ending, &one, sizeof one) < 0)
        LOG(WARN, "face.not-told", TEXT("why", strerror(errno)));
    MHD_stop_daemon(face->daemon);
    close(face->ending);
    free(face);
}
