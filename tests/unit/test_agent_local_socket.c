/* The agent's socket for its own machine: one line each way, a few peers at a time, and none that
 * keeps the others waiting. */
#include "agent/local_socket.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define HEX_16 "00112233445566778899aabbccddeeff"

enum { SLOW_MS = 100, ANSWER_MS = 200, WAIT_SECONDS = 20 };

struct house {
    char *folder, *path;
    struct local_socket *socket;
    int pipe[2]; /* a byte for each request */
};

static void wake(void *self)
{
    const struct house *h = self;
    if (write(h->pipe[1], "!", 1) != 1)
        abort();
}

static int house_open(void **state)
{
    struct error err = {0};
    struct house *h = NEW(struct house);
    void *folder = NULL;
    assert_int_equal(scratch_open(&folder), 0);
    h->folder = folder;
    h->path = scratch_path(h->folder, "agent.sock");
    assert_int_equal(pipe(h->pipe), 0);
    const struct local_plan plan = {
        .path = h->path, .slow_ms = SLOW_MS, .answer_ms = ANSWER_MS, .wake = wake, .self = h};
    assert_ok(local_socket_open(&plan, &h->socket, &err));
    *state = h;
    return 0;
}

static int house_close(void **state)
{
    struct house *h = *state;
    void *folder = h->folder;
    local_socket_close(h->socket);
    assert_int_equal(access(h->path, F_OK), -1);
    close(h->pipe[0]);
    close(h->pipe[1]);
    free(h->path);
    free(h);
    return scratch_close(&folder);
}

static int dial(const struct house *h)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = WAIT_SECONDS};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", h->path);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that comes until the end; what came for nobody is "". */
static struct text hear(int fd)
{
    char some[1024];
    struct text heard = {0};
    ssize_t n;
    while ((n = recv(fd, some, sizeof some, 0)) > 0)
        text_addf(&heard, "%.*s", (int)n, some);
    assert_int_equal(n, 0);
    close(fd);
    return heard;
}

static void assert_hears(int fd, const char *words)
{
    OWNED(text_done) struct text heard = hear(fd);
    if (strstr(text_str(&heard), words) == NULL)
        fail_msg("heard '%s', not %s", text_str(&heard), words);
}

/* The next request, as the agent's thread takes it. */
static uint64_t take(const struct house *h, struct local_request *out)
{
    char one;
    uint64_t ticket = 0;
    assert_int_equal(read(h->pipe[0], &one, 1), 1);
    assert_true(local_socket_next(h->socket, &ticket, out));
    return ticket;
}

static void one_line_goes_each_way(void **state)
{
    struct house *h = *state;
    struct local_request request = {0};
    int fd = dial(h);
    say(fd, "{\"passport\":\"va");
    say(fd, "ult\",\"challenge\":\"c-1\"}\n");
    uint64_t ticket = take(h, &request);
    assert_string_equal(request.relying_party, "vault");
    assert_string_equal(request.challenge, "c-1");
    local_socket_answer(h->socket, ticket, span_of_text("{\"token\":\"t\"}\n"));
    OWNED(text_done) struct text heard = hear(fd);
    assert_string_equal(text_str(&heard), "{\"token\":\"t\"}\n");
}

static void evidence_is_asked_for_in_hex(void **state)
{
    struct house *h = *state;
    struct local_request request = {0};
    int fd = dial(h);
    say(fd, "{\"evidence\":\"" HEX_16 "\"}\n");
    uint64_t ticket = take(h, &request);
    assert_int_equal(request.wish, LOCAL_EVIDENCE);
    assert_int_equal(request.nonce_len, 16);
    assert_int_equal(request.nonce[15], 0xff);
    OWNED(text_done) struct text again = {0};
    local_request_print(&request, &again);
    assert_string_equal(text_str(&again), "{\"evidence\":\"" HEX_16 "\"}\n");
    local_socket_answer(h->socket, ticket, span_of_text("{}\n"));
    assert_hears(fd, "{}");
}

static void nobody_else_may_connect(void **state)
{
    struct house *h = *state;
    struct stat st;
    assert_int_equal(stat(h->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_is_no_request_is_refused(void **state)
{
    struct house *h = *state;
    char long_line[2 * LOCAL_LINE_MAX];
    memset(long_line, ' ', sizeof long_line);
    long_line[sizeof long_line - 1] = '\0';
    const struct {
        const char *line, *code;
    } bad[] = {
        {"\n", "malformed"},
        {"{}\n", "missing-member"},
        {"{\"passport\":\"../x\"}\n", "bad-name"},
        {"{\"passport\":1}\n", "wrong-type"},
        {"{\"passport\":\"v\",\"challenge\":\"a b\"}\n", "wrong-value"},
        {"{\"passport\":\"v\",\"more\":1}\n", "unknown-member"},
        {"{\"passport\":\"v\",\"evidence\":\"" HEX_16 "\"}\n", "unknown-member"},
        {"{\"evidence\":\"" HEX_16 "\",\"challenge\":\"c\"}\n", "unknown-member"},
        {"{\"evidence\":1}\n", "wrong-type"},
        {"{\"evidence\":null}\n", "wrong-type"},
        {"{\"evidence\":\"\"}\n", "wrong-value"},
        {"{\"evidence\":\"00112233445566778899aabbccddee\"}\n", "wrong-value"},
        {"{\"evidence\":\"" HEX_16 "0\"}\n", "wrong-value"},
        {"{\"evidence\":\"" HEX_16 "xx\"}\n", "wrong-value"},
        {"{\"evidence\":\"" HEX_16 HEX_16 HEX_16 HEX_16 "00\"}\n", "too-long"},
        {long_line, "too-large"},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        int fd = dial(h);
        say(fd, bad[i].line);
        assert_hears(fd, bad[i].code);
    }
}

/* All seats are taken by peers that say nothing: they go, and the next one is served. */
static void the_silent_are_shown_out(void **state)
{
    struct house *h = *state;
    struct local_request request = {0};
    int silent[LOCAL_SEATS];
    for (size_t i = 0; i < LOCAL_SEATS; i++)
        silent[i] = dial(h);
    int fd = dial(h);
    say(fd, "{\"passport\":\"vault\"}\n");
    uint64_t ticket = take(h, &request);
    local_socket_answer(h->socket, ticket, span_of_text("{}\n"));
    assert_hears(fd, "{}");
    for (size_t i = 0; i < LOCAL_SEATS; i++) {
        OWNED(text_done) struct text heard = hear(silent[i]);
        assert_int_equal(heard.len, 0);
    }
}

static void an_answer_that_does_not_come_is_not_waited_for(void **state)
{
    struct house *h = *state;
    struct local_request request = {0};
    int fd = dial(h);
    say(fd, "{\"passport\":\"vault\"}\n");
    uint64_t ticket = take(h, &request);
    assert_hears(fd, "no-answer");
    local_socket_answer(h->socket, ticket, span_of_text("{}\n")); /* nobody waits for it */
}

/* Who leaves before the answer frees its seat at once. */
static void who_leaves_is_forgotten(void **state)
{
    struct house *h = *state;
    struct local_request request = {0};
    for (size_t i = 0; i < 2 * LOCAL_SEATS; i++) {
        int fd = dial(h);
        say(fd, "{\"passport\":\"vault\"}\n");
        uint64_t ticket = take(h, &request);
        close(fd);
        local_socket_answer(h->socket, ticket, span_of_text("{}\n"));
    }
}

static void a_socket_that_was_left_is_replaced_and_nothing_else_is(void **state)
{
    struct house *h = *state;
    struct error err = {0};
    struct local_socket *second = NULL;
    OWNED(mem_drop) char *file = scratch_path(h->folder, "file");
    const struct local_plan again = {.path = h->path, .wake = wake, .self = h};
    const struct local_plan wrong = {.path = h->folder, .wake = wake, .self = h};
    assert_ok(local_socket_open(&again, &second, &err));
    local_socket_close(second);
    assert_fails(local_socket_open(&wrong, &second, &err), ERR_CONFLICT, "already-there");
}

#define HOUSE(test) cmocka_unit_test_setup_teardown(test, house_open, house_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOUSE(one_line_goes_each_way),
        HOUSE(evidence_is_asked_for_in_hex),
        HOUSE(nobody_else_may_connect),
        HOUSE(what_is_no_request_is_refused),
        HOUSE(the_silent_are_shown_out),
        HOUSE(an_answer_that_does_not_come_is_not_waited_for),
        HOUSE(who_leaves_is_forgotten),
        HOUSE(a_socket_that_was_left_is_replaced_and_nothing_else_is),
    };
    return cmocka_run_group_tests_name("agent local socket", tests, NULL, NULL);
}
