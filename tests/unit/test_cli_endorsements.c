/* `muster endorsements import|export` against a server that the test plays. */
#include "cli/endorsements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/fake_http.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static struct fake_http *server;

static int set_up(void **state)
{
    server = fake_http_start();
    setenv("MUSTER_SERVER", fake_http_url(server), 1);
    setenv("MUSTER_TOKEN", "abc123", 1);
    unsetenv("MUSTER_CA");
    unsetenv("MUSTER_TOKEN_FILE");
    return scratch_open(state);
}

static int tear_down(void **state)
{
    fake_http_stop(server);
    return scratch_close(state);
}

static int run(const char *verb, const char *folder)
{
    char name[] = "endorsements";
    char *argv[] = {name, (char *)(uintptr_t)verb, (char *)(uintptr_t)folder, NULL};
    return endorsements_main(folder != NULL ? 3 : 2, argv);
}

static void put(const char *folder, const char *name, const char *content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(folder, name);
    assert_ok(file_write(path, span_of_text(content), 0644, &err));
}

static void heard(unsigned n, const char *words)
{
    const char *request = fake_http_heard(server, n);
    assert_non_null(request);
    if (strstr(request, words) == NULL)
        fail_msg("%s: not in %s", words, request);
}

static void every_file_is_offered_and_what_lacks_its_chain_comes_again(void **state)
{
    put(*state, "a.der", "first");
    put(*state, "b.pem", "second");
    put(*state, ".hidden", "third");
    fake_http_say(server, 409, "{\"code\":\"endorsement-chain-missing\",\"detail\":\"x\"}");
    fake_http_say(server, 200, "{\"kept\":[\"Milan-vcek-chain\"]}");
    fake_http_say(server, 200, "{\"kept\":[\"Milan-vcek-ab-01\"]}");
    assert_int_equal(run("import", *state), 0);
    heard(0, "POST /v1/endorsements HTTP/1.1\r\n");
    heard(0, "{\"content\":\"Zmlyc3Q=\"}");
    heard(1, "{\"content\":\"c2Vjb25k\"}");
    heard(2, "{\"content\":\"Zmlyc3Q=\"}");
    assert_null(fake_http_heard(server, 3));
}

static void a_refused_file_does_not_keep_the_others_out(void **state)
{
    put(*state, "a", "first");
    put(*state, "b", "second");
    fake_http_say(server, 403, "{\"code\":\"endorsement-untrusted\",\"detail\":\"x\"}");
    fake_http_say(server, 200, "{\"kept\":[\"Milan-crl\"]}");
    assert_int_equal(run("import", *state), 3);
    assert_non_null(fake_http_heard(server, 1));
}

static void a_caller_that_may_not_stops_at_the_first(void **state)
{
    put(*state, "a", "first");
    put(*state, "b", "second");
    fake_http_say(server, 403, "{\"code\":\"role-missing\",\"detail\":\"x\"}");
    assert_int_equal(run("import", *state), 3);
    assert_null(fake_http_heard(server, 1));
}

static void an_export_writes_a_file_for_each(void **state)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes content = {0};
    OWNED(mem_drop) char *folder = scratch_path(*state, "out");
    OWNED(mem_drop) char *pem = scratch_path(*state, "out/Milan-vcek-chain.pem");
    OWNED(mem_drop) char *crl = scratch_path(*state, "out/Milan-crl.crl");
    fake_http_say(server, 200,
                  "{\"items\":[{\"name\":\"Milan-crl\",\"what\":\"crl\"},"
                  "{\"name\":\"Milan-vcek-chain\",\"what\":\"chain\"}]}");
    fake_http_say(server, 200, "the list");
    fake_http_say(server, 200, "the chain");
    assert_int_equal(run("export", folder), 0);
    heard(1, "GET /v1/endorsements/Milan-crl HTTP/1.1\r\n");
    assert_ok(file_read(pem, 64, &content, &err));
    assert_memory_equal(content.at, "the chain", 9);
    assert_int_equal(access(crl, R_OK), 0);
}

static void a_server_does_not_choose_where_an_export_writes(void **state)
{
    static const char *const items[] = {
        "{\"name\":\"../../etc/passwd\",\"what\":\"crl\"}", "{\"name\":\"\",\"what\":\"crl\"}",
        "{\"name\":\"Milan-crl\",\"what\":\"../x\"}", "{\"name\":7,\"what\":\"crl\"}", "7"};
    for (unsigned i = 0; i < countof(items); i++) {
        OWNED(text_done) struct text answer = {0};
        OWNED(mem_drop) char *folder = scratch_path(*state, "out");
        text_addf(&answer, "{\"items\":[%s]}", items[i]);
        fake_http_say(server, 200, text_str(&answer));
        assert_int_not_equal(run("export", folder), 0);
        assert_null(fake_http_heard(server, i + 1));
    }
}

static void other_words_and_missing_folders_are_wrong_use(void **state)
{
    OWNED(mem_drop) char *none = scratch_path(*state, "none");
    assert_int_equal(run("import", NULL), 2);
    assert_int_equal(run("burn", *state), 2);
    assert_int_equal(run("import", none), 2);
    assert_null(fake_http_heard(server, 0));
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(every_file_is_offered_and_what_lacks_its_chain_comes_again),
        SERVED(a_refused_file_does_not_keep_the_others_out),
        SERVED(a_caller_that_may_not_stops_at_the_first),
        SERVED(an_export_writes_a_file_for_each),
        SERVED(a_server_does_not_choose_where_an_export_writes),
        SERVED(other_words_and_missing_folders_are_wrong_use),
    };
    return cmocka_run_group_tests_name("cli_endorsements", tests, NULL, NULL);
}
