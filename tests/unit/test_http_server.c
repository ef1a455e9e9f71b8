#include "controller/http_server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/crypto/cert.h"
#include "lib/net/http.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

enum { WAIT_MS = 10000, BODY_MOST = 1000 };

/* ---- a server that says what it heard ----------------------------------------------------- */

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

static struct http_server *server_open(const struct http_server_settings *settings)
{
    struct error err = {0};
    struct http_server *server = NULL;
    struct http_owner owner = {
        .thread_open = thread_open, .thread_close = thread_close, .answer = echo};
    assert_ok(http_server_open(settings, &owner, &server, &err));
    return server;
}

static struct http_server_settings settings_for_tests(void)
{
    struct http_server_settings settings = http_server_settings_usual();
    settings.body_most = BODY_MOST;
    settings.workers = 2;
    settings.idle_seconds = 2;
    return settings;
}

static struct http_server *plain;

static int plain_open(void **state)
{
    (void)state;
    struct http_server_settings settings = settings_for_tests();
    plain = server_open(&settings);
    return 0;
}

static int plain_close(void **state)
{
    (void)state;
    http_server_close(plain);
    return 0;
}

/* ---- a client that sends what it likes ---------------------------------------------------- */

static int dial(const struct http_server *server)
{
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)http_server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(s, (struct sockaddr *)&to, sizeof to), 0);
    return s;
}

static void say(int s, const char *text)
{
    size_t len = strlen(text);
    assert_int_equal(send(s, text, len, MSG_NOSIGNAL), len);
}

/* All until the other side closes. */
static char *hear_all(int s)
{
    struct text heard = {0};
    for (;;) {
        struct pollfd waiting = {.fd = s, .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, WAIT_MS), 1);
        char part[4096];
        ssize_t n = recv(s, part, sizeof part, 0);
        if (n <= 0)
            break;
        text_add_span(&heard, SPAN(part, (size_t)n));
    }
    close(s);
    return heard.at != NULL ? heard.at : mem_text("");
}

static char *ask(const struct http_server *server, const char *request)
{
    int s = dial(server);
    say(s, request);
    return hear_all(s);
}

static int count_of(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        n++;
    return n;
}

#define assert_status(heard, status)                                                               \
    do {                                                                                           \
        if (strncmp((heard), "HTTP/1.1 " status, 12) != 0)                                         \
            fail_msg("not %s: %.300s", status, (heard));                                           \
    } while (0)

/* The answer to one request, which must close the connection and be the only answer. */
static void refused(const char *request, const char *status, const char *code)
{
    OWNED(mem_drop) char *heard = ask(plain, request);
    if (strncmp(heard, "HTTP/1.1 ", 9) != 0 || strncmp(heard + 9, status, 3) != 0)
        fail_msg("%.100s: not %s but: %.300s", request, status, heard);
    assert_int_equal(count_of(heard, "HTTP/1.1 2"), 0);
    /* libmicrohttpd 0.9.75 says its own refusals twice; ours are said once. */
    if (code != NULL)
        assert_int_equal(count_of(heard, "\r\nDate: "), 1);
    if (code != NULL && strstr(heard, code) == NULL)
        fail_msg("%.100s: no %s in: %.600s", request, code, heard);
}

#define HEAD_END "Host: a\r\nConnection: close\r\n\r\n"
#define SECOND "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

/* Framing that libmicrohttpd 0.9.75 leaves to us; 1.0 refuses it itself, in words of its own. */
static void framing_refused(const char *request, const char *code)
{
    refused(request, "400", strncmp(MHD_get_version(), "0.", 2) == 0 ? code : NULL);
}

/* ---- framing ------------------------------------------------------------------------------ */

static void a_request_is_answered_with_its_number(void **state)
{
    (void)state;
    OWNED(mem_drop) char *heard = ask(plain, "GET /v1/fleets?a=b HTTP/1.1\r\n" HEAD_END);
    assert_status(heard, "200");
    assert_non_null(strstr(heard, "X-Request-Id: "));
    assert_non_null(strstr(heard, "Cache-Control: no-store"));
    assert_non_null(strstr(heard, "\"target\":\"/v1/fleets?a=b\""));
    assert_non_null(strstr(heard, "\"address\":\"127.0.0.1\""));
}

static void a_request_with_length_and_chunks_is_refused_and_the_connection_closed(void **state)
{
    (void)state;
    framing_refused(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n" SECOND,
        "content-length and transfer-encoding");
}

static void a_request_with_two_lengths_is_refused(void **state)
{
    (void)state;
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 36\r\n\r\n" SECOND,
            "400", "more than one content-length");
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "400",
            "more than one content-length");
}

static void a_transfer_encoding_that_is_not_chunked_is_refused(void **state)
{
    (void)state;
    framing_refused(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "not chunked");
    framing_refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n" SECOND,
                    "not chunked");
    framing_refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                    "not chunked");
}

/* libmicrohttpd keeps a blank before the colon, and glues a folded line to the header's name. */
static void a_header_that_hides_a_framing_one_is_refused(void **state)
{
    (void)state;
    static const char *const hiding[] = {
        "Transfer-Encoding : chunked\r\n",         "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: chun\r\n\tked\r\n",    "Content-Length : 36\r\n",
        "X: a\r\n Transfer-Encoding: chunked\r\n",
    };
    for (size_t i = 0; i < countof(hiding); i++) {
        char request[256];
        snprintf(request, sizeof request,
                 "POST / HTTP/1.1\r\nHost: a\r\n%sContent-Length: 0\r\n\r\n%s", hiding[i], SECOND);
        refused(request, "400", "not a header's name");
    }
}

static void chunks_in_http_1_0_are_refused(void **state)
{
    (void)state;
    OWNED(mem_drop)
    char *heard =
        ask(plain, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_non_null(strstr(heard, " 400 "));
}

static void a_length_that_is_no_number_is_refused(void **state)
{
    (void)state;
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400", NULL);
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5x\r\n\r\nhello", "400", NULL);
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello", "400", NULL);
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", "400", NULL);
}

static void a_request_without_host_or_with_two_is_refused(void **state)
{
    (void)state;
    refused("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "400", NULL);
    refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", "more than once");
}

static void two_authorizations_are_refused(void **state)
{
    (void)state;
    refused(
        "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
        "400", "more than once");
}

static void a_chunked_body_is_put_together(void **state)
{
    (void)state;
    OWNED(mem_drop)
    char *heard = ask(plain, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HEAD_END
                             "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n");
    assert_status(heard, "200");
    assert_non_null(strstr(heard, "\"body\":8"));
}

static void three_requests_in_one_go_get_three_answers(void **state)
{
    (void)state;
    OWNED(mem_drop)
    char *heard = ask(plain, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                             "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                             "GET /3 HTTP/1.1\r\n" HEAD_END);
    assert_int_equal(count_of(heard, "HTTP/1.1 200"), 3);
    assert_true(strstr(heard, "\"/1\"") < strstr(heard, "\"/3\""));
}

static void head_has_the_length_and_no_body(void **state)
{
    (void)state;
    OWNED(mem_drop) char *heard = ask(plain, "HEAD / HTTP/1.1\r\n" HEAD_END);
    assert_status(heard, "200");
    assert_non_null(strstr(heard, "Content-Length: "));
    assert_null(strchr(heard, '{'));
}

/* ---- targets ------------------------------------------------------------------------------ */

static void a_target_that_reads_two_ways_is_refused(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "/v1/../secret", "/v1/%2e%2e/secret", "/a%00b",    "/a%zz", "/a%2fb", "//a",
        "/?a",           "/?a=1&a=2",         "http://b/a"};
    for (size_t i = 0; i < countof(targets); i++) {
        OWNED(text_done) struct text request = {0};
        text_addf(&request, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i]);
        refused(text_str(&request), "400", "bad-target");
    }
}

/* ---- bounds ------------------------------------------------------------------------------- */

static void a_body_that_says_it_is_too_large_is_refused_before_it_comes(void **state)
{
    (void)state;
    refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n", "413", "too-large");
}

static void a_chunked_body_that_grows_too_large_is_refused(void **state)
{
    (void)state;
    OWNED(text_done) struct text request = {0};
    text_add(&request, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HEAD_END);
    for (int i = 0; i < 11; i++)
        text_addf(&request, "64\r\n%0100d\r\n", i);
    text_add(&request, "0\r\n\r\n");
    refused(text_str(&request), "413", "too-large");
}

static void a_body_without_end_loses_its_connection(void **state)
{
    (void)state;
    int s = dial(plain);
    say(s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    OWNED(text_done) struct text chunk = {0};
    text_addf(&chunk, "64\r\n%0100d\r\n", 0);
    int sent = 0;
    while (sent < 100000 && send(s, chunk.at, chunk.len, MSG_NOSIGNAL) > 0)
        sent++;
    assert_true(sent < 100000);
    close(s);
}

static void a_header_block_that_is_too_large_is_refused(void **state)
{
    (void)state;
    OWNED(text_done) struct text request = {0};
    text_add(&request, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    for (int i = 0; i < 2000; i++)
        text_add(&request, "0123456789");
    text_add(&request, "\r\n\r\n");
    refused(text_str(&request), "431", NULL);
}

static void too_many_headers_are_refused(void **state)
{
    (void)state;
    OWNED(text_done) struct text request = {0};
    text_add(&request, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 100; i++)
        text_addf(&request, "X%d: y\r\n", i);
    text_add(&request, "\r\n");
    refused(text_str(&request), "431", "headers-too-large");
}

static void garbage_is_not_answered_with_success(void **state)
{
    (void)state;
    static const char *const garbage[] = {"\r\n\r\n\r\n\r\nnonsense\r\n\r\n", "GET\r\n\r\n",
                                          "GET / HTTP/9.9\r\nHost: a\r\nConnection: close\r\n\r\n",
                                          "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"};
    for (size_t i = 0; i < countof(garbage); i++) {
        int s = dial(plain);
        say(s, garbage[i]);
        shutdown(s, SHUT_WR);
        OWNED(mem_drop) char *heard = hear_all(s);
        assert_null(strstr(heard, " 200 "));
    }
}

static void aborted_clients_leave_the_server_well(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        int s = dial(plain);
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        say(s, i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                          : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhalf");
        close(s);
    }
    OWNED(mem_drop) char *heard = ask(plain, "GET / HTTP/1.1\r\n" HEAD_END);
    assert_status(heard, "200");
}

/* ---- time --------------------------------------------------------------------------------- */

static struct http_server *hasty_open(void)
{
    struct http_server_settings settings = settings_for_tests();
    settings.request_ms = 600;
    settings.answer_ms = 600;
    return server_open(&settings);
}

/* A client that always sends a little is never idle; only a deadline for the whole stops it. */
static void whoever_drips_loses_the_connection(void **state)
{
    (void)state;
    struct http_server *server = hasty_open();
    int s = dial(server);
    say(s, "GET / HTTP/1.1\r\nX: ");
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    bool closed = false;
    while (!closed && clock_monotonic_ms() < until) {
        struct pollfd waiting = {.fd = s, .events = POLLIN};
        char byte;
        if (poll(&waiting, 1, 50) == 1)
            closed = recv(s, &byte, 1, 0) <= 0;
        else
            closed = send(s, "x", 1, MSG_NOSIGNAL) <= 0;
    }
    assert_true(closed);
    close(s);
    http_server_close(server);
}

static void whoever_says_nothing_loses_the_connection(void **state)
{
    (void)state;
    struct http_server *server = hasty_open();
    int silent[50];
    for (size_t i = 0; i < countof(silent); i++)
        silent[i] = dial(server);
    for (size_t i = 0; i < countof(silent); i++) {
        OWNED(mem_drop) char *heard = hear_all(silent[i]);
        assert_string_equal(heard, "");
    }
    http_server_close(server);
}

static void one_address_has_only_so_many_connections(void **state)
{
    (void)state;
    struct http_server_settings settings = settings_for_tests();
    settings.per_address_most = 4;
    struct http_server *server = server_open(&settings);
    int held[4];
    for (size_t i = 0; i < countof(held); i++) {
        held[i] = dial(server);
        say(held[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        struct pollfd waiting = {.fd = held[i], .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, WAIT_MS), 1);
    }
    int more = dial(server);
    OWNED(mem_drop) char *heard = hear_all(more);
    assert_string_equal(heard, "");
    for (size_t i = 0; i < countof(held); i++)
        close(held[i]);
    http_server_close(server);
}

static void closing_answers_nobody_twice_and_ends(void **state)
{
    (void)state;
    struct http_server_settings settings = settings_for_tests();
    struct http_server *server = server_open(&settings);
    int idle = dial(server);
    http_server_close(server);
    OWNED(mem_drop) char *heard = hear_all(idle);
    assert_string_equal(heard, "");
}

static void an_address_that_is_none_or_taken_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct http_server *server = NULL;
    struct http_owner owner = {
        .thread_open = thread_open, .thread_close = thread_close, .answer = echo};
    struct http_server_settings settings = settings_for_tests();
    settings.address = "localhost";
    assert_fails(http_server_open(&settings, &owner, &server, &err), ERR_INVALID, "bad-address");
    settings = settings_for_tests();
    settings.port = http_server_port(plain);
    assert_fails(http_server_open(&settings, &owner, &server, &err), ERR_INTERNAL, "cannot-listen");
}

/* ---- TLS ---------------------------------------------------------------------------------- */

struct tls_party {
    struct key *root_key;
    struct cert *root;
    struct bytes key_pem, cert_pem, root_pem;
    char *root_file;
    struct http_server *server;
};

static struct tls_party tls_open(const char *folder)
{
    struct error err = {0};
    struct tls_party p = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *cert = NULL;
    assert_ok(key_generate(KEY_P384, &p.root_key, &err));
    assert_ok(cert_make_root(p.root_key, REALM_SIMULATION, clock_now(), &p.root, &err));
    assert_ok(key_generate(KEY_P256, &key, &err));
    const char *names[] = {"127.0.0.1", "localhost"};
    assert_ok(cert_make_role(p.root_key, p.root, key, ROLE_CONTROLLER, names, 2, clock_now(), 30,
                             &cert, &err));
    assert_ok(key_to_private_pem(key, &p.key_pem, &err));
    assert_ok(cert_to_pem(cert, &p.cert_pem, &err));
    assert_ok(cert_to_pem(p.root, &p.root_pem, &err));
    p.root_file = scratch_path(folder, "root.pem");
    FILE *f = fopen(p.root_file, "w");
    fwrite(p.root_pem.at, 1, p.root_pem.len, f);
    fclose(f);
    bytes_add_u8(&p.key_pem, 0);
    bytes_add_u8(&p.cert_pem, 0);
    struct http_server_settings settings = settings_for_tests();
    settings.key_pem = (const char *)p.key_pem.at;
    settings.certificate_pem = (const char *)p.cert_pem.at;
    p.server = server_open(&settings);
    return p;
}

static void tls_close(struct tls_party *p)
{
    http_server_close(p->server);
    key_free(p->root_key);
    cert_free(p->root);
    bytes_done(&p->key_pem);
    bytes_done(&p->cert_pem);
    bytes_done(&p->root_pem);
    free(p->root_file);
}

static void over_tls_the_controllers_certificate_is_shown(void **state)
{
    struct error err = {0};
    struct tls_party p = tls_open(*state);
    OWNED(http_drop) struct http *client = http_new();
    OWNED(text_done) struct text url = {0};
    text_addf(&url, "https://127.0.0.1:%d/v1/fleets", http_server_port(p.server));
    struct http_request request = {
        .method = "GET", .url = text_str(&url), .ca_file = p.root_file, .timeout_ms = WAIT_MS};
    struct http_answer answer = {0};
    assert_ok(http_send(client, &request, &answer, &err));
    assert_int_equal(answer.status, 200);
    http_answer_done(&answer);
    tls_close(&p);
}

static void plain_words_to_a_tls_port_are_not_answered(void **state)
{
    struct tls_party p = tls_open(*state);
    int s = dial(p.server);
    say(s, "GET / HTTP/1.1\r\n" HEAD_END);
    shutdown(s, SHUT_WR);
    OWNED(mem_drop) char *heard = hear_all(s);
    assert_null(strstr(heard, "200"));
    tls_close(&p);
}

/* TLS 1.0 and 1.1 ClientHello without the supported_versions extension: an alert, no ServerHello.
 */
static void an_old_tls_version_is_refused(void **state)
{
    struct tls_party p = tls_open(*state);
    for (uint8_t minor = 1; minor <= 2; minor++) {
        OWNED(bytes_done) struct bytes hello = {0};
        const uint8_t record[] = {0x16, 0x03, 0x01, 0x00, 0x35, 0x01,
                                  0x00, 0x00, 0x31, 0x03, minor};
        bytes_add(&hello, SPAN_OF(record));
        memset(bytes_add_room(&hello, 32), 0x55, 32);
        const uint8_t rest[] = {0x00, 0x00, 0x08, 0xc0, 0x09, 0xc0, 0x13, 0xc0,
                                0x0a, 0xc0, 0x14, 0x01, 0x00, 0x00, 0x00};
        bytes_add(&hello, SPAN(rest, 15));
        hello.at[4] = (uint8_t)(hello.len - 5);
        hello.at[8] = (uint8_t)(hello.len - 9);
        int s = dial(p.server);
        assert_int_equal(send(s, hello.at, hello.len, MSG_NOSIGNAL), hello.len);
        uint8_t first = 0;
        struct pollfd waiting = {.fd = s, .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, WAIT_MS), 1);
        ssize_t n = recv(s, &first, 1, 0);
        assert_true(n <= 0 || first == 0x15); /* alert */
        close(s);
    }
    tls_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered_with_its_number),
        cmocka_unit_test(a_request_with_length_and_chunks_is_refused_and_the_connection_closed),
        cmocka_unit_test(a_request_with_two_lengths_is_refused),
        cmocka_unit_test(a_transfer_encoding_that_is_not_chunked_is_refused),
        cmocka_unit_test(a_header_that_hides_a_framing_one_is_refused),
        cmocka_unit_test(chunks_in_http_1_0_are_refused),
        cmocka_unit_test(a_length_that_is_no_number_is_refused),
        cmocka_unit_test(a_request_without_host_or_with_two_is_refused),
        cmocka_unit_test(two_authorizations_are_refused),
        cmocka_unit_test(a_chunked_body_is_put_together),
        cmocka_unit_test(three_requests_in_one_go_get_three_answers),
        cmocka_unit_test(head_has_the_length_and_no_body),
        cmocka_unit_test(a_target_that_reads_two_ways_is_refused),
        cmocka_unit_test(a_body_that_says_it_is_too_large_is_refused_before_it_comes),
        cmocka_unit_test(a_chunked_body_that_grows_too_large_is_refused),
        cmocka_unit_test(a_body_without_end_loses_its_connection),
        cmocka_unit_test(a_header_block_that_is_too_large_is_refused),
        cmocka_unit_test(too_many_headers_are_refused),
        cmocka_unit_test(garbage_is_not_answered_with_success),
        cmocka_unit_test(aborted_clients_leave_the_server_well),
        cmocka_unit_test(whoever_drips_loses_the_connection),
        cmocka_unit_test(whoever_says_nothing_loses_the_connection),
        cmocka_unit_test(one_address_has_only_so_many_connections),
        cmocka_unit_test(closing_answers_nobody_twice_and_ends),
        cmocka_unit_test(an_address_that_is_none_or_taken_is_refused),
        cmocka_unit_test_setup_teardown(over_tls_the_controllers_certificate_is_shown, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(plain_words_to_a_tls_port_are_not_answered, scratch_open,
                                        scratch_close),
        cmocka_unit_test_setup_teardown(an_old_tls_version_is_refused, scratch_open, scratch_close),
    };
    return cmocka_run_group_tests(tests, plain_open, plain_close);
}
