#include "tests/support/echo_server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "tests/support/test.h"

/* ---- a server that says what it heard ------------------------------------------------------- */

static void *thread_open(void *owner)
{
    return owner;
}

static void thread_close(void *thread)
{
    (void)thread;
}

static void echo(void *thread, const struct http_call *call, struct http_reply *reply)
{
    (void)thread;
    OWNED(json_drop) json_t *heard = json_object();
    json_put_text(heard, "method", call->method);
    json_put_text(heard, "target", call->raw_target);
    json_put_int(heard, "segments", (int64_t)call->target->segment_count);
    json_put_int(heard, "body", (int64_t)call->body.len);
    json_put_text(heard, "address", call->address);
    OWNED(mem_drop) char *printed = json_print(heard);
    reply->status = 200;
    bytes_add(&reply->body, span_of_text(printed));
}

struct http_owner echo_owner(void)
{
    return (struct http_owner){
        .thread_open = thread_open, .thread_close = thread_close, .answer = echo};
}

struct http_server *echo_open(const struct http_server_settings *settings)
{
    struct error err = {0};
    struct http_server *server = NULL;
    struct http_owner owner = echo_owner();
    assert_ok(http_server_open(settings, &owner, &server, &err));
    return server;
}

struct http_server_settings echo_settings(void)
{
    struct http_server_settings settings = http_server_settings_usual();
    settings.body_most = ECHO_BODY_MOST;
    settings.workers = 2;
    settings.idle_seconds = 2;
    return settings;
}

/* ---- a client that sends what it likes ------------------------------------------------------ */

int echo_dial(const struct http_server *server)
{
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(s, (struct sockaddr *)&to, sizeof to), 0);
    return s;
}

void echo_say(int s, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(s, text, len, MSG_NOSIGNAL), len);
}

char *echo_hear_all(int s)
{
    struct text heard = {0};
    for (;;) {
        struct pollfd waiting = {.fd = s, .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, ECHO_WAIT_MS), 1);
        char part[4096];
        ssize_t n = recv(s, part, sizeof part, 0);
        if (n <= 0)
            break;
        text_add_span(&heard, SPAN(part, (size_t)n));
    }
    close(s);
    return heard.at != NULL ? heard.at : mem_text("");
}

char *echo_ask(const struct http_server *server, const char *request)
{
    int s = echo_dial(server);
    echo_say(s, request);
    return echo_hear_all(s);
}
