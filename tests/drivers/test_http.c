/* The door to HTTP against servers that misbehave: what was never sent may be repeated, what may
 * have arrived may not. */
#include "lib/net/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "tests/support/test.h"

/* Takes one connection, reads what comes, says `says`, and closes unless told to stay silent. */
struct server {
    int listener;
    int port;
    const char *says;
    bool stays;
    int until; /* written to by the test's end */
    char heard[8192];
    int connections;
    pthread_t thread;
};

static size_t body_length(const char *heard)
{
    const char *at = strstr(heard, "Content-Length: ");
    return at != NULL ? strtoul(at + 16, NULL, 10) : 0;
}

static void read_request(struct server *s, int fd)
{
    size_t len = 0;
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 5000) <= 0)
            return;
        ssize_t got = recv(fd, s->heard + len, sizeof s->heard - 1 - len, 0);
        if (got <= 0)
            return;
        len += (size_t)got;
        s->heard[len] = '\0';
        const char *end = strstr(s->heard, "\r\n\r\n");
        if (end != NULL && len >= (size_t)(end + 4 - s->heard) + body_length(s->heard))
            return;
    }
}

static void *serve(void *context)
{
    struct server *s = context;
    for (;;) {
        struct pollfd wait[2] = {{.fd = s->listener, .events = POLLIN},
                                 {.fd = s->until, .events = POLLIN}};
        if (poll(wait, 2, 10000) <= 0 || wait[1].revents != 0)
            return NULL;
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        s->connections++;
        read_request(s, fd);
        if (s->says != NULL && send(fd, s->says, strlen(s->says), MSG_NOSIGNAL) < 0)
            s->heard[0] = '\0';
        if (s->stays)
            poll(&wait[1], 1, 10000);
        close(fd);
    }
}

static int open_port(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

struct visit {
    enum outcome outcome;
    struct error err;
    struct http_answer answer;
    struct server server;
};

static void visit_done(struct visit *v)
{
    http_answer_done(&v->answer);
}

static void exchange(struct visit *v, struct http_request request, const char *scheme)
{
    struct server *s = &v->server;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    s->until = ends[0];
    s->listener = open_port(&s->port);
    assert_int_equal(listen(s->listener, 5), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    char url[128];
    snprintf(url, sizeof url, "%s://127.0.0.1:%d/x", scheme, s->port);
    request.url = url;
    OWNED(http_drop) struct http *http = http_new();
    v->outcome = http_send(http, &request, &v->answer, &v->err);
    assert_int_equal(write(ends[1], "x", 1), 1);
    pthread_join(s->thread, NULL);
    close(ends[0]);
    close(ends[1]);
    close(s->listener);
}

static const struct http_request post = {.method = "POST", .body = {(const uint8_t *)"a=b", 3}};

static void a_whole_answer_comes_back_with_its_headers(void **state)
{
    (void)state;
    OWNED(visit_done)
    struct visit v = {.server.says =
                          "HTTP/1.1 503 Busy\r\nContent-Type: text/xml\r\nRetry-After: 7\r\n"
                          "Content-Length: 5\r\n\r\nhello"};
    exchange(&v, post, "http");
    assert_int_equal(v.outcome, OK);
    assert_int_equal(v.answer.status, 503);
    assert_string_equal(v.answer.content_type, "text/xml");
    assert_int_equal(v.answer.retry_after_seconds, 7);
    assert_true(span_equal(bytes_span(&v.answer.body), span_of_text("hello")));
}

static void an_answer_keeps_its_headers(void **state)
{
    (void)state;
    OWNED(http_answer_done) struct http_answer answer = {0};
    http_answer_put_header(&answer, "Azure-AsyncOperation", "https://a/b?c=d");
    http_answer_put_header(&answer, "Location", "https://a/e");
    http_answer_put_header(&answer, "location", "https://a/second");
    assert_string_equal(http_answer_header(&answer, "azure-asyncoperation"), "https://a/b?c=d");
    assert_string_equal(http_answer_header(&answer, "Location"), "https://a/e");
    assert_null(http_answer_header(&answer, "Retry-After"));
}

/* RFC 9110, 10.2.3: seconds or a date; what is neither says nothing. */
static void when_to_come_back_is_told_in_seconds_or_by_date(void **state)
{
    static const struct {
        const char *value;
        int64_t least;
        int64_t most;
    } rows[] = {
        {"7", 7, 7},
        {"0", 0, 0},
        {"-1", 0, 0},
        {"soon", 0, 0},
        {"99999999999999999999", 0, 0},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0, 0},
        {"Fri, 06 Nov 2105 08:49:37 GMT", 3600, 3600},
        {"3600", 3600, 3600},
        {"86400", 3600, 3600},
    };
    (void)state;
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(http_answer_done) struct http_answer answer = {0};
        http_answer_put_header(&answer, "Retry-After", rows[i].value);
        assert_in_range(answer.retry_after_seconds, rows[i].least, rows[i].most);
    }
}

/* A header that was not signed, or one that waits for a 100, breaks AWS signatures. */
static void only_our_own_headers_leave(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes big = {0};
    memset(bytes_add_room(&big, 4000), 'x', 4000);
    const struct http_header mine[] = {{"X-Mine", "1"}};
    OWNED(visit_done)
    struct visit v = {.server.says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    exchange(&v,
             (struct http_request){
                 .method = "POST", .body = bytes_span(&big), .headers = mine, .header_count = 1},
             "http");
    assert_int_equal(v.outcome, OK);
    assert_non_null(strstr(v.server.heard, "X-Mine: 1\r\n"));
    assert_null(strstr(v.server.heard, "Expect"));
    assert_null(strstr(v.server.heard, "Content-Type"));
}

static void a_redirect_is_an_answer_and_is_not_followed(void **state)
{
    (void)state;
    OWNED(visit_done)
    struct visit v = {.server.says = "HTTP/1.1 302 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\n"
                                     "Content-Length: 0\r\n\r\n"};
    exchange(&v, post, "http");
    assert_int_equal(v.outcome, OK);
    assert_int_equal(v.answer.status, 302);
    assert_int_equal(v.server.connections, 1);
}

static void a_closed_port_was_never_reached(void **state)
{
    (void)state;
    struct error err = {0};
    int port;
    int fd = open_port(&port); /* bound and not listening: refuses, and nobody else gets it */
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    OWNED(http_drop) struct http *http = http_new();
    struct http_answer answer;
    struct http_request request = post;
    request.url = url;
    assert_fails(http_send(http, &request, &answer, &err), ERR_UNREACHABLE, "unreachable");
    close(fd);
}

static void a_proxy_of_the_environment_is_not_asked(void **state)
{
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    OWNED(visit_done)
    struct visit v = {.server.says = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
    exchange(&v, post, "http");
    assert_int_equal(v.outcome, OK);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

static void a_connection_cut_before_the_answer_is_ambiguous(void **state)
{
    (void)state;
    OWNED(visit_done) struct visit v = {0};
    exchange(&v, post, "http");
    assert_int_equal(v.outcome, ERR_AMBIGUOUS);
    assert_string_equal(v.err.code, "cut-off");
    assert_int_equal(v.server.connections, 1); /* and it was not repeated behind our back */
}

static void half_an_answer_is_ambiguous(void **state)
{
    (void)state;
    OWNED(visit_done)
    struct visit v = {.server.says = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n<Run"};
    exchange(&v, post, "http");
    assert_int_equal(v.outcome, ERR_AMBIGUOUS);
    assert_string_equal(v.err.code, "cut-off");
}

/* curl calls it an unsupported protocol, as it calls a wrong scheme; but the request went out. */
static void an_answer_that_is_no_http_is_ambiguous(void **state)
{
    (void)state;
    OWNED(visit_done) struct visit v = {.server.says = "220 mail.example ESMTP\r\n"};
    exchange(&v, post, "http");
    assert_int_equal(v.outcome, ERR_AMBIGUOUS);
    assert_string_equal(v.err.code, "cut-off");
}

static void silence_after_the_request_is_ambiguous(void **state)
{
    (void)state;
    OWNED(visit_done) struct visit v = {.server.stays = true};
    struct http_request request = post;
    request.timeout_ms = 200;
    exchange(&v, request, "http");
    assert_int_equal(v.outcome, ERR_AMBIGUOUS);
    assert_string_equal(v.err.code, "timeout");
}

static void an_endless_answer_is_cut(void **state)
{
    (void)state;
    OWNED(visit_done)
    struct visit v = {
        .server.says =
            "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n123456789012345678901234567890"};
    struct http_request request = post;
    request.answer_limit = 10;
    exchange(&v, request, "http");
    assert_int_equal(v.outcome, ERR_AMBIGUOUS);
    assert_string_equal(v.err.code, "answer-too-large");
}

static void a_server_without_tls_hears_nothing_of_an_https_request(void **state)
{
    (void)state;
    OWNED(visit_done) struct visit v = {.server.says = "HTTP/1.1 400 No\r\n\r\n"};
    struct http_request request = post;
    request.timeout_ms = 2000;
    exchange(&v, request, "https");
    assert_int_equal(v.outcome, ERR_UNREACHABLE);
}

static void a_header_with_a_line_break_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    const struct http_header bad[] = {{"X-A", "1\r\nX-B: 2"}};
    OWNED(http_drop) struct http *http = http_new();
    struct http_answer answer;
    const struct http_request request = {
        .method = "GET", .url = "http://127.0.0.1:1/", .headers = bad, .header_count = 1};
    assert_fails(http_send(http, &request, &answer, &err), ERR_INVALID, "invalid");
}

static void other_schemes_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(http_drop) struct http *http = http_new();
    struct http_answer answer;
    const struct http_request request = {.method = "GET", .url = "file:///etc/hostname"};
    assert_int_equal(http_send(http, &request, &answer, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_keeps_its_headers),
        cmocka_unit_test(when_to_come_back_is_told_in_seconds_or_by_date),
        cmocka_unit_test(a_whole_answer_comes_back_with_its_headers),
        cmocka_unit_test(only_our_own_headers_leave),
        cmocka_unit_test(a_redirect_is_an_answer_and_is_not_followed),
        cmocka_unit_test(a_closed_port_was_never_reached),
        cmocka_unit_test(a_proxy_of_the_environment_is_not_asked),
        cmocka_unit_test(a_connection_cut_before_the_answer_is_ambiguous),
        cmocka_unit_test(half_an_answer_is_ambiguous),
        cmocka_unit_test(an_answer_that_is_no_http_is_ambiguous),
        cmocka_unit_test(silence_after_the_request_is_ambiguous),
        cmocka_unit_test(an_endless_answer_is_cut),
        cmocka_unit_test(a_server_without_tls_hears_nothing_of_an_https_request),
        cmocka_unit_test(a_header_with_a_line_break_is_refused),
        cmocka_unit_test(other_schemes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
