/* Who may speak with whom (trust.md section 3): a controller's certificate is never accepted as a
 * keeper's nor the reverse; TLS 1.3 and a certificate on both sides, always. */
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/hostile_peer.h"
#include "tests/support/test.h"

static int64_t days(int64_t n)
{
    return n * 86400;
}

static void a_guest_is_known_by_its_key(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    OWNED(credential_done) struct credential guest = credential_guest();
    struct link_settings to = caller_settings(desk);
    struct caller caller = caller_open(&to, identity_of(&guest, &desk->root));
    caller_opened(&caller);
    caller_hello(&caller);
    uint8_t key[SHA256_SIZE];
    key_fingerprint(guest.key, key);
    assert_int_equal(desk->last_role, ROLE_GUEST);
    assert_memory_equal(desk->last_fingerprint, key, SHA256_SIZE);
    assert_int_equal(link_peer_role(caller.peer), ROLE_CONTROLLER);
    assert_true(strlen(link_peer_group(caller.peer)) > 0);
    assert_non_null(strstr(link_peer_address(caller.peer), "127.0.0.1:"));
    caller_close(&caller);
    desk_close(desk);
}

static void a_keeper_is_known_by_its_role(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct link_settings to = caller_settings(desk);
    struct caller caller = caller_open(&to, identity_make(&desk->root, ROLE_KEEPER_LINK));
    caller_opened(&caller);
    caller_hello(&caller);
    assert_int_equal(desk->last_role, ROLE_KEEPER_LINK);
    caller_close(&caller);
    desk_close(desk);
}

/* What a server with this credential is to a guest that trusts `root`. */
static void expect_refused_server(const struct root *root, const struct credential *credential,
                                  bool tls12_only, const char *why)
{
    struct hostile_server server;
    hostile_serve(&server, credential, tls12_only);
    struct link_settings settings = link_settings_usual();
    char url[32];
    snprintf(url, sizeof url, "127.0.0.1:%d", server.port);
    settings.urls[0] = url;
    struct caller caller = caller_open(&settings, identity_make(root, ROLE_GUEST));
    caller_closed(&caller, why);
    struct error trouble;
    link_trouble(caller.link, &trouble);
    assert_string_equal(trouble.code, why);
    caller_close(&caller);
    hostile_serve_end(&server);
    assert_int_equal(server.shaken, 0);
}

static void a_guest_refuses_a_false_controller(void **state)
{
    (void)state;
    struct root root = root_make();
    struct root other = root_make();
    struct moment now = clock_now();
    const struct {
        const struct root *root;
        enum cert_role role;
        struct moment from;
        const char *why;
    } cases[] = {
        {&other, ROLE_CONTROLLER, now, "wrong-root"},
        {&root, ROLE_KEEPER_LINK, now, "wrong-role"},
        {&root, ROLE_KEEPER_SIGN, now, "wrong-role"},
        {&root, ROLE_CONTROLLER, moment_add_seconds(now, -days(31)), "cert-expired"},
        {&root, ROLE_CONTROLLER, moment_add_seconds(now, days(2)), "cert-not-yet-valid"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct credential shown = credential_make(cases[i].root, cases[i].role, cases[i].from, 30);
        expect_refused_server(&root, &shown, false, cases[i].why);
        credential_done(&shown);
    }
    struct credential self_made = credential_guest();
    expect_refused_server(&root, &self_made, false, "wrong-root");
    credential_done(&self_made);
    root_done(&root);
    root_done(&other);
}

static void a_guest_refuses_a_controller_of_tls_1_2(void **state)
{
    (void)state;
    struct root root = root_make();
    struct credential shown = credential_make(&root, ROLE_CONTROLLER, clock_now(), 30);
    expect_refused_server(&root, &shown, true, "refused-by-peer");
    credential_done(&shown);
    root_done(&root);
}

/* The API's port shows a controller's certificate too. */
static void a_guest_refuses_a_server_of_another_protocol(void **state)
{
    (void)state;
    struct root root = root_make();
    struct credential shown = credential_make(&root, ROLE_CONTROLLER, clock_now(), 30);
    struct hostile_server server;
    struct link_settings settings = link_settings_usual();
    char url[32];
    hostile_serve(&server, &shown, false);
    SSL_CTX_set_alpn_select_cb(server.context, NULL, NULL);
    snprintf(url, sizeof url, "127.0.0.1:%d", server.port);
    settings.urls[0] = url;
    struct caller caller = caller_open(&settings, identity_make(&root, ROLE_GUEST));
    caller_closed(&caller, "handshake-failed");
    caller_close(&caller);
    hostile_serve_end(&server);
    credential_done(&shown);
    root_done(&root);
}

static bool desk_accepts(struct desk *desk, const struct hostile_ways *ways)
{
    struct hostile client = hostile_open(link_port(desk->link), ways);
    bool accepted = hostile_is_accepted(&client, 300);
    hostile_close(&client, false);
    return accepted;
}

static void a_controller_takes_guests_and_its_own_keepers_only(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct root other = root_make();
    struct moment now = clock_now();
    const struct {
        const struct root *root;
        enum cert_role role;
        struct moment from;
        bool accepted;
    } cases[] = {
        {&desk->root, ROLE_KEEPER_LINK, now, true},
        {&other, ROLE_KEEPER_LINK, now, false},
        {&desk->root, ROLE_CONTROLLER, now, false},
        {&desk->root, ROLE_KEEPER_SIGN, now, false},
        {&desk->root, ROLE_KEEPER_IMPORT, now, false},
        {&desk->root, ROLE_KEEPER_LINK, moment_add_seconds(now, -days(31)), false},
        {&desk->root, ROLE_KEEPER_LINK, moment_add_seconds(now, days(2)), false},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        struct credential shown = credential_make(cases[i].root, cases[i].role, cases[i].from, 30);
        assert_int_equal(desk_accepts(desk, &(struct hostile_ways){.credential = &shown}),
                         cases[i].accepted);
        credential_done(&shown);
    }
    struct credential guest = credential_guest();
    assert_true(desk_accepts(desk, &(struct hostile_ways){.credential = &guest}));
    assert_false(desk_accepts(desk, &(struct hostile_ways){.credential = NULL}));
    assert_false(
        desk_accepts(desk, &(struct hostile_ways){.credential = &guest, .tls12_only = true}));
    assert_false(
        desk_accepts(desk, &(struct hostile_ways){.credential = &guest, .protocol = "http/1.1"}));
    assert_false(desk_accepts(desk, &(struct hostile_ways){.credential = &guest, .protocol = ""}));
    credential_done(&guest);
    root_done(&other);
    struct caller good = caller_to(desk);
    caller_close(&good);
    desk_close(desk);
}

/* Whoever copied a session could skip showing a certificate, or have its first bytes replayed. */
static void a_session_is_never_resumed_and_nothing_is_sent_early(void **state)
{
    (void)state;
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct credential guest = credential_guest();
    const struct hostile_ways ways = {.credential = &guest};
    struct hostile first = hostile_open(link_port(desk->link), &ways);
    assert_true(hostile_is_accepted(&first, 300)); /* a ticket would have come by now */
    SSL_SESSION *session = SSL_get1_session(first.ssl);
    assert_false(SSL_SESSION_has_ticket(session));
    assert_int_equal(SSL_SESSION_is_resumable(session), 0);
    assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
    struct hostile second = hostile_open(link_port(desk->link), &ways);
    SSL_set_session(second.ssl, session);
    assert_true(hostile_shake(&second));
    assert_int_equal(SSL_session_reused(second.ssl), 0);
    SSL_SESSION_free(session);
    hostile_close(&first, false);
    hostile_close(&second, false);
    credential_done(&guest);
    desk_close(desk);
}

static void the_root_itself_is_nobody_on_the_link(void **state)
{
    (void)state;
    struct error err = {0};
    struct root root = root_make();
    struct link_identity *identity = NULL;
    assert_int_not_equal(link_identity_new(root.key, root.cert, &root.cert, 1, &identity, &err),
                         OK);
    assert_null(identity);
    root_done(&root);
}

static void an_identity_that_peers_would_refuse_is_refused_at_the_start(void **state)
{
    (void)state;
    struct error err = {0};
    struct root root = root_make();
    struct root other = root_make();
    struct link_identity *identity = NULL;
    struct credential old =
        credential_make(&root, ROLE_CONTROLLER, moment_add_seconds(clock_now(), -days(31)), 30);
    assert_fails(link_identity_new(old.key, old.cert, &root.cert, 1, &identity, &err), ERR_DENIED,
                 "cert-expired");
    struct credential fine = credential_make(&root, ROLE_CONTROLLER, clock_now(), 30);
    assert_fails(link_identity_new(fine.key, fine.cert, &other.cert, 1, &identity, &err),
                 ERR_DENIED, "wrong-root");
    assert_fails(link_identity_new(old.key, fine.cert, &root.cert, 1, &identity, &err), ERR_INVALID,
                 "wrong-key");
    struct credential signer = credential_make(&root, ROLE_KEEPER_SIGN, clock_now(), 30);
    assert_fails(link_identity_new(signer.key, signer.cert, &root.cert, 1, &identity, &err),
                 ERR_DENIED, "wrong-role");
    assert_null(identity);
    credential_done(&old);
    credential_done(&fine);
    credential_done(&signer);
    root_done(&root);
    root_done(&other);
}

static void controllers_listen_and_the_others_dial(void **state)
{
    (void)state;
    struct error err = {0};
    struct root root = root_make();
    struct queue *events = queue_new(8);
    struct link *link = NULL;
    struct link_settings settings = desk_settings();
    struct link_identity *guest = identity_make(&root, ROLE_GUEST);
    struct link_identity *controller = identity_make(&root, ROLE_CONTROLLER);
    assert_fails(link_listen(&settings, guest, events, &link, &err), ERR_DENIED, "wrong-role");
    assert_fails(link_dial(&settings, controller, events, &link, &err), ERR_DENIED, "wrong-role");
    assert_null(link);
    link_identity_free(guest);
    link_identity_free(controller);
    queue_free(events);
    root_done(&root);
}

/* Roots are changed by overlap: first everybody trusts both, then certificates change. */
static void a_renewed_identity_counts_from_the_next_connection_on(void **state)
{
    (void)state;
    struct error err = {0};
    struct link_settings settings = desk_settings();
    struct desk *desk = desk_open(&settings, PARTY_QUEUE_ROOM);
    struct root next = root_make();
    struct cert *both[] = {desk->root.cert, next.cert};
    struct credential renewed = credential_make(&next, ROLE_CONTROLLER, clock_now(), 30);
    struct caller before = caller_to(desk);
    assert_ok(link_identity_renew(desk->identity, renewed.key, renewed.cert, both, 2, &err));
    caller_echo(&before, 5, span_of_text("still here"));

    struct link_settings to = caller_settings(desk);
    struct caller after = caller_open(&to, identity_make(&next, ROLE_GUEST));
    caller_opened(&after);
    caller_hello(&after);
    uint8_t key[SHA256_SIZE];
    key_fingerprint(renewed.key, key);
    assert_memory_equal(link_peer_fingerprint(after.peer), key, SHA256_SIZE);

    struct caller behind = caller_open(&to, identity_make(&desk->root, ROLE_GUEST));
    caller_closed(&behind, "wrong-root");
    caller_close(&behind);
    caller_close(&before);
    caller_close(&after);
    credential_done(&renewed);
    root_done(&next);
    desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_is_known_by_its_key),
        cmocka_unit_test(a_keeper_is_known_by_its_role),
        cmocka_unit_test(a_guest_refuses_a_false_controller),
        cmocka_unit_test(a_guest_refuses_a_controller_of_tls_1_2),
        cmocka_unit_test(a_guest_refuses_a_server_of_another_protocol),
        cmocka_unit_test(a_controller_takes_guests_and_its_own_keepers_only),
        cmocka_unit_test(a_session_is_never_resumed_and_nothing_is_sent_early),
        cmocka_unit_test(the_root_itself_is_nobody_on_the_link),
        cmocka_unit_test(an_identity_that_peers_would_refuse_is_refused_at_the_start),
        cmocka_unit_test(controllers_listen_and_the_others_dial),
        cmocka_unit_test(a_renewed_identity_counts_from_the_next_connection_on),
    };
    signal(SIGPIPE, SIG_IGN); /* plain OpenSSL writes without MSG_NOSIGNAL */
    return cmocka_run_group_tests_name("link_roles", tests, NULL, NULL);
}
