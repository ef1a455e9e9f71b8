/* What a request may look like: framing, targets and bounds. Whatever two readers could read two
 * ways is refused and ends its connection. */
#include "controller/http_server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/echo_server.h"
#include "tests/support/test.h"

static struct http_server *plain;

static int plain_open(void **state)
{
    (void)state;
    struct http_server_settings settings = echo_settings();
    plain = echo_open(&settings);
    return 0;
}

static int plain_close(void **state)
{
    (void)state;
    http_server_close(plain);
    return 0;
}

static int count_of(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word))
        n++;
    return n;
}

/* The answer to one request, which must close the connection and be the only answer. */
static void refused(const char *request, const char *status, const char *code)
{
    OWNED(mem_drop) char *heard = echo_ask(plain, request);
    if (strncmp(heard, "HTTP/1.1 ", 9) != 0 || strncmp(heard + 9, status, 3) != 0)
        fail_msg("%.100s: not %s but: %.300s", request, status, heard);
    assert_int_equal(count_of(heard, "HTTP/1.1 2"), 0);
    /* libmicrohttpd 0.9.75 says its own refusals twice; ours are said once. */
    if (code != NULL)
        assert_int_equal(count_of(heard, "\r\nDate: "), 1);
    if (code != NULL && strstr(heard, code) == NULL)
        fail_msg("%.100s: no %s in: %.600s", request, code, heard);
}

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
    OWNED(mem_drop) char *heard = echo_ask(plain, "GET /v1/fleets?a=b HTTP/1.1\r\n" HEAD_END);
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
    char *heard = echo_ask(
        plain, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
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
    char *heard = echo_ask(plain, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HEAD_END
                                  "5\r\nhello\r\n3\r\nyou\r\n0\r\n\r\n");
    assert_status(heard, "200");
    assert_non_null(strstr(heard, "\"body\":8"));
}

static void three_requests_in_one_go_get_three_answers(void **state)
{
    (void)state;
    OWNED(mem_drop)
    char *heard = echo_ask(plain, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
                                  "GET /3 HTTP/1.1\r\n" HEAD_END);
    assert_int_equal(count_of(heard, "HTTP/1.1 200"), 3);
    assert_true(strstr(heard, "\"/1\"") < strstr(heard, "\"/3\""));
}

static void head_has_the_length_and_no_body(void **state)
{
    (void)state;
    OWNED(mem_drop) char *heard = echo_ask(plain, "HEAD / HTTP/1.1\r\n" HEAD_END);
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
    int s = echo_dial(plain);
    echo_say(s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
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
        int s = echo_dial(plain);
        echo_say(s, garbage[i]);
        shutdown(s, SHUT_WR);
        OWNED(mem_drop) char *heard = echo_hear_all(s);
        assert_null(strstr(heard, " 200 "));
    }
}

static void aborted_clients_leave_the_server_well(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        int s = echo_dial(plain);
        struct linger at_once = {.l_onoff = 1, .l_linger = 0};
        setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        echo_say(s, i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                               : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nhalf");
        close(s);
    }
    OWNED(mem_drop) char *heard = echo_ask(plain, "GET / HTTP/1.1\r\n" HEAD_END);
    assert_status(heard, "200");
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
    };
    return cmocka_run_group_tests(tests, plain_open, plain_close);
}
