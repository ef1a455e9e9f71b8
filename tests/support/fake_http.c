#include "tests/support/fake_http.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/text.h"

enum { ANSWERS_MAX = 32 };

struct fake_http {
    int listener;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    struct {
        int status;
        char *headers;
        char *body;
    } answers[ANSWERS_MAX];
    unsigned answer_count;
    char *heard[ANSWERS_MAX];
    unsigned heard_count;
};

/* Head, then as many bytes as content-length says. */
static void read_request(int fd, struct text *out)
{
    char block[4096];
    for (;;) {
        const char *end = out->at != NULL ? strstr(out->at, "\r\n\r\n") : NULL;
        const char *length = out->at != NULL ? strcasestr(out->at, "\r\ncontent-length:") : NULL;
        size_t body = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
        if (end != NULL && out->len >= (size_t)(end + 4 - out->at) + body)
            return;
        ssize_t n = recv(fd, block, sizeof block, 0);
        if (n <= 0)
            return;
        text_add_span(out, SPAN(block, (size_t)n));
    }
}

static void answer(struct fake_http *server, int fd)
{
    OWNED(text_done) struct text request = {0};
    OWNED(text_done) struct text reply = {0};
    read_request(fd, &request);
    if (request.len == 0)
        return;
    pthread_mutex_lock(&server->lock);
    unsigned n = server->heard_count;
    if (n < ANSWERS_MAX)
        server->heard[server->heard_count++] = text_take(&request);
    if (n < server->answer_count && server->answers[n].status != 0)
        text_addf(&reply,
                  "HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                  "%sConnection: close\r\n\r\n%s",
                  server->answers[n].status, strlen(server->answers[n].body),
                  server->answers[n].headers, server->answers[n].body);
    pthread_mutex_unlock(&server->lock);
    if (reply.len > 0 && send(fd, reply.at, reply.len, MSG_NOSIGNAL) < 0)
        perror("fake_http");
}

static void *serve(void *context)
{
    struct fake_http *server = context;
    for (int fd; (fd = accept(server->listener, NULL, NULL)) >= 0;) {
        answer(server, fd);
        close(fd);
    }
    return NULL;
}

struct fake_http *fake_http_start(void)
{
    struct fake_http *server = NEW(struct fake_http);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(server->listener, 16) != 0 ||
        getsockname(server->listener, (struct sockaddr *)&address, &len) != 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0)
        abort();
    snprintf(server->url, sizeof server->url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return server;
}

void fake_http_stop(struct fake_http *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    for (unsigned i = 0; i < server->answer_count; i++) {
        free(server->answers[i].headers);
        free(server->answers[i].body);
    }
    for (unsigned i = 0; i < server->heard_count; i++)
        free(server->heard[i]);
    free(server);
}

const char *fake_http_url(const struct fake_http *server)
{
    return server->url;
}

void fake_http_say(struct fake_http *server, int status, const char *body)
{
    fake_http_say_with(server, status, "", body);
}

void fake_http_say_with(struct fake_http *server, int status, const char *headers, const char *body)
{
    pthread_mutex_lock(&server->lock);
    if (server->answer_count == ANSWERS_MAX)
        abort();
    server->answers[server->answer_count].status = status;
    server->answers[server->answer_count].headers = mem_text(headers);
    server->answers[server->answer_count++].body = mem_text(body);
    pthread_mutex_unlock(&server->lock);
}

const char *fake_http_heard(struct fake_http *server, unsigned n)
{
    pthread_mutex_lock(&server->lock);
    const char *heard = n < server->heard_count ? server->heard[n] : NULL;
    pthread_mutex_unlock(&server->lock);
    return heard;
}
