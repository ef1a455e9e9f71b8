/* Who may stay at the HTTP server and for how long, where it listens, and TLS in front of it. */
#include "controller/http_server.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/crypto/cert.h"
#include "lib/net/http.h"
#include "tests/support/echo_server.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/* ---- time --------------------------------------------------------------------------------- */

static struct http_server *hasty_open(void)
{
    struct http_server_settings settings = echo_settings();
    settings.request_ms = 600;
    settings.answer_ms = 600;
    return echo_open(&settings);
}

/* A client that always sends a little is never idle; only a deadline for the whole stops it. */
static void whoever_drips_loses_the_connection(void **state)
{
    (void)state;
    struct http_server *server = hasty_open();
    int s = echo_dial(server);
    echo_say(s, "GET / HTTP/1.1\r\nX: ");
    int64_t until = clock_monotonic_ms() + ECHO_WAIT_MS;
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
        silent[i] = echo_dial(server);
    for (size_t i = 0; i < countof(silent); i++) {
        OWNED(mem_drop) char *heard = echo_hear_all(silent[i]);
        assert_string_equal(heard, "");
    }
    http_server_close(server);
}

static void one_address_has_only_so_many_connections(void **state)
{
    (void)state;
    struct http_server_settings settings = echo_settings();
    settings.per_address_most = 4;
    struct http_server *server = echo_open(&settings);
    int held[4];
    for (size_t i = 0; i < countof(held); i++) {
        held[i] = echo_dial(server);
        echo_say(held[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        struct pollfd waiting = {.fd = held[i], .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, ECHO_WAIT_MS), 1);
    }
    int more = echo_dial(server);
    OWNED(mem_drop) char *heard = echo_hear_all(more);
    assert_string_equal(heard, "");
    for (size_t i = 0; i < countof(held); i++)
        close(held[i]);
    http_server_close(server);
}

static void closing_answers_nobody_twice_and_ends(void **state)
{
    (void)state;
    struct http_server_settings settings = echo_settings();
    struct http_server *server = echo_open(&settings);
    int idle = echo_dial(server);
    http_server_close(server);
    OWNED(mem_drop) char *heard = echo_hear_all(idle);
    assert_string_equal(heard, "");
}

static void an_address_that_is_none_or_taken_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct http_server *server = NULL;
    struct http_owner owner = echo_owner();
    struct http_server_settings settings = echo_settings();
    settings.address = "localhost";
    assert_fails(http_server_open(&settings, &owner, &server, &err), ERR_INVALID, "bad-address");
    settings = echo_settings();
    struct http_server *first = echo_open(&settings);
    settings.port = http_server_port(first);
    assert_fails(http_server_open(&settings, &owner, &server, &err), ERR_INTERNAL, "cannot-listen");
    http_server_close(first);
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
    struct http_server_settings settings = echo_settings();
    settings.key_pem = (const char *)p.key_pem.at;
    settings.certificate_pem = (const char *)p.cert_pem.at;
    p.server = echo_open(&settings);
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
        .method = "GET", .url = text_str(&url), .ca_file = p.root_file, .timeout_ms = ECHO_WAIT_MS};
    struct http_answer answer = {0};
    assert_ok(http_send(client, &request, &answer, &err));
    assert_int_equal(answer.status, 200);
    http_answer_done(&answer);
    tls_close(&p);
}

static void plain_words_to_a_tls_port_are_not_answered(void **state)
{
    struct tls_party p = tls_open(*state);
    int s = echo_dial(p.server);
    echo_say(s, "GET / HTTP/1.1\r\n" HEAD_END);
    shutdown(s, SHUT_WR);
    OWNED(mem_drop) char *heard = echo_hear_all(s);
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
        int s = echo_dial(p.server);
        assert_int_equal(send(s, hello.at, hello.len, MSG_NOSIGNAL), hello.len);
        uint8_t first = 0;
        struct pollfd waiting = {.fd = s, .events = POLLIN};
        assert_int_equal(poll(&waiting, 1, ECHO_WAIT_MS), 1);
        ssize_t n = recv(s, &first, 1, 0);
        assert_true(n <= 0 || first == 0x15); /* alert */
        close(s);
    }
    tls_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    return cmocka_run_group_tests(tests, NULL, NULL);
}
