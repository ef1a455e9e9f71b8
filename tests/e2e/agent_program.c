/* The program muster-agent over a real link: the test is controller, keeper and security processor.
 * trust.md sections 3, 4 and 7; R11. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/attest/evidence.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "lib/model/message.h"
#include "tests/support/link_party.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

extern char **environ;

#define CANARY "canary-7f3a9c51e08d4b26"

struct world {
    char *folder;
    struct root root;
    struct credential signer;
    struct link_identity *identity;
    struct queue *events;
    struct link *link;
    struct link_peer *peer;
    struct uuid instance;
    pid_t agent;
    int psp; /* listening socket */
    pthread_t psp_thread;
    struct key *sealing;
    uint8_t nonce[NONCE_SIZE];
};

/* ---- the security processor ------------------------------------------------------------------ */

static void answer_report(int fd)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes line = {0};
    OWNED(json_drop) json_t *request = NULL;
    uint8_t byte;
    while (read(fd, &byte, 1) == 1 && byte != '\n')
        bytes_add_u8(&line, byte);
    uint8_t report[1184] = {2};
    if (json_parse(bytes_span(&line), 4096, &request, &err) != OK ||
        json_get_hex(request, "", "report_data", report + 0x50, 64, &err) != OK)
        return;
    OWNED(text_done) struct text answer = {0};
    text_add(&answer, "{\"report\":\"");
    text_add_base64(&answer, SPAN_OF(report));
    text_add(&answer, "\"}\n");
    if (write(fd, answer.at, answer.len) < 0)
        perror("psp");
}

static void *serve_reports(void *context)
{
    const struct world *w = context;
    for (int fd; (fd = accept(w->psp, NULL, NULL)) >= 0;) {
        answer_report(fd);
        close(fd);
    }
    return NULL;
}

static void start_psp(struct world *w)
{
    OWNED(mem_drop) char *path = scratch_path(w->folder, "psp");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    w->psp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(w->psp, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(w->psp, 4), 0);
    assert_int_equal(pthread_create(&w->psp_thread, NULL, serve_reports, w), 0);
}

/* ---- the files of the guest ------------------------------------------------------------------ */

static void put(const struct world *w, const char *name, const char *content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(w->folder, name);
    assert_ok(file_write(path, span_of_text(content), 0600, &err));
}

static void put_root(const struct world *w, const char *name, const struct cert *root)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(cert_to_pem(root, &pem, &err));
    bytes_add_u8(&pem, 0);
    put(w, name, (const char *)pem.at);
}

static void put_userdata(const struct world *w, const struct cert *root)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(json_drop) json_t *data = json_object();
    char url[64];
    snprintf(url, sizeof url, "tls+tcp://127.0.0.1:%d", link_port(w->link));
    json_t *controllers = json_array();
    json_add_new(controllers, json_string(url));
    json_put_int(data, "muster", 1);
    json_put_new(data, "controllers", controllers);
    json_put_uuid(data, "instance", &w->instance);
    json_put_text(data, "ticket", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_ok(cert_to_pem(root, &pem, &err));
    json_put_span(data, "root", bytes_span(&pem));
    OWNED(mem_drop) char *text = json_print(data);
    put(w, "user-data", text);
}

static void put_config(const struct world *w, const char *more)
{
    OWNED(text_done) struct text config = {0};
    text_addf(&config, "user-data = %s/user-data\ntee = simulated\ntee-socket = %s/psp\n",
              w->folder, w->folder);
    text_addf(&config, "secrets-dir = %s/secrets\nallow-non-tmpfs = true\n", w->folder);
    text_addf(&config, "hooks-dir = %s/hooks\nredial-most-seconds = 1\n%s", w->folder, more);
    put(w, "agent.conf", text_str(&config));
}

static void start_agent(struct world *w)
{
    const char *build = getenv("MUSTER_BUILD");
    OWNED(text_done) struct text program = {0};
    OWNED(mem_drop) char *config = scratch_path(w->folder, "agent.conf");
    text_addf(&program, "%s/agent/muster-agent", build != NULL ? build : ".");
    char name[] = "muster-agent";
    char option[] = "--config";
    char *const argv[] = {name, option, config, NULL};
    assert_int_equal(posix_spawn(&w->agent, text_str(&program), NULL, NULL, argv, environ), 0);
}

static int stop_agent(struct world *w, int signal)
{
    int status = 0;
    kill(w->agent, signal);
    assert_int_equal(waitpid(w->agent, &status, 0), w->agent);
    w->agent = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int set_up(void **state)
{
    struct error err = {0};
    struct world *w = NEW(struct world);
    void *folder = NULL;
    assert_int_equal(scratch_open(&folder), 0);
    w->folder = folder;
    w->root = root_make();
    w->signer = credential_make(&w->root, ROLE_KEEPER_SIGN, clock_now(), 30);
    w->identity = identity_make(&w->root, ROLE_CONTROLLER);
    w->events = queue_new(1024);
    w->instance = uuid_new();
    struct link_settings settings = link_settings_usual();
    settings.peers_most = 64;
    settings.urls[0] = "127.0.0.1:0";
    assert_ok(link_listen(&settings, w->identity, w->events, &w->link, &err));
    start_psp(w);
    put_userdata(w, w->root.cert);
    put_root(w, "root.pem", w->root.cert);
    put_config(w, "");
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    if (w->agent != 0)
        stop_agent(w, SIGKILL);
    link_peer_free(w->peer);
    link_close(w->link, 5000);
    for (struct link_event *event; (event = link_event_next(w->events, 0)) != NULL;)
        link_event_free(event);
    queue_free(w->events);
    link_identity_free(w->identity);
    credential_done(&w->signer);
    root_done(&w->root);
    key_free(w->sealing);
    shutdown(w->psp, SHUT_RDWR);
    pthread_join(w->psp_thread, NULL);
    close(w->psp);
    void *folder = w->folder;
    free(w);
    return scratch_close(&folder);
}

/* ---- the controller -------------------------------------------------------------------------- */

/* The next event of this kind; heartbeats and losses of earlier peers are passed over. */
static struct link_event *next_event(struct world *w, enum link_event_kind kind)
{
    int64_t deadline = clock_monotonic_ms() + EVENT_WAIT_MS;
    for (;;) {
        struct link_event *event = link_event_next(w->events, deadline - clock_monotonic_ms());
        if (event == NULL)
            fail_msg("no event %d in time", (int)kind);
        if (event->kind == kind && !(kind == LINK_FRAME && event->type == FRAME_NOTE))
            return event;
        link_event_free(event);
    }
}

static uint64_t take_request(struct world *w, enum verb verb, const struct record *record,
                             void *out)
{
    struct error err = {0};
    OWNED(link_event_drop) struct link_event *event = next_event(w, LINK_FRAME);
    OWNED(json_drop) json_t *message = NULL;
    enum verb said;
    assert_int_equal(event->type, FRAME_REQUEST);
    assert_ok(message_parse(bytes_span(&event->body), &said, &message, &err));
    assert_int_equal(said, verb);
    assert_ok(record_from_json(record, message, "", out, &err));
    return event->id;
}

static void answer(struct world *w, uint64_t id, const struct record *record, const void *object)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    assert_ok(link_send(w->peer, FRAME_REPLY, id, bytes_span(&body), &err));
}

static void take_hello(struct world *w)
{
    struct hello hello = {0};
    OWNED(link_event_drop) struct link_event *opened = next_event(w, LINK_OPENED);
    link_peer_drop(&w->peer);
    w->peer = link_peer_share(opened->peer);
    assert_int_equal(link_peer_role(w->peer), ROLE_GUEST);
    uint64_t id = take_request(w, VERB_HELLO, &hello_record, &hello);
    assert_true(uuid_equal(&hello.instance, &w->instance));
    record_done(&hello_record, &hello);
    link_peer_admit(w->peer, LINK_PROVING);
    const struct hello_reply reply = {.trust = "unknown", .epoch = 1, .heartbeat_seconds = 1};
    answer(w, id, &hello_reply_record, &reply);
}

static void send_challenge(struct world *w, const struct cert *root)
{
    struct error err = {0};
    struct attest_begin begin = {0};
    uint64_t id = take_request(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin);
    key_drop(&w->sealing);
    assert_ok(key_from_spki(bytes_span(&begin.sealing_key), &w->sealing, &err));
    record_done(&attest_begin_record, &begin);
    struct challenge challenge = {.expires_seconds = 180};
    random_fill(w->nonce, sizeof w->nonce);
    memcpy(challenge.nonce, w->nonce, NONCE_SIZE);
    cert_spki_sha256(root, challenge.root_key);
    answer(w, id, &challenge_record, &challenge);
}

/* What the keeper would recompute, under the root it knows. */
static bool binds(const struct world *w, const struct evidence *evidence, const struct cert *root)
{
    struct binding binding = {
        .kind = EVIDENCE_SIMULATED, .instance = w->instance, .rest = bytes_span(&evidence->rest)};
    memcpy(binding.nonce, w->nonce, NONCE_SIZE);
    memcpy(binding.link_key, link_peer_fingerprint(w->peer), SHA256_SIZE);
    key_fingerprint(w->sealing, binding.sealing_key);
    cert_spki_sha256(root, binding.root_key);
    uint8_t expected[BINDING_SIZE];
    binding_digest(&binding, expected);
    return memcmp(evidence->report.at + 0x50, expected, BINDING_SIZE) == 0;
}

static uint64_t take_evidence(struct world *w, struct evidence *out)
{
    struct error err = {0};
    struct evidence_part part = {0};
    uint64_t id = take_request(w, VERB_EVIDENCE, &evidence_part_record, &part);
    assert_int_equal(part.parts, 1);
    assert_ok(evidence_parse(bytes_span(&part.data), out, &err));
    record_done(&evidence_part_record, &part);
    return id;
}

static void trust_it(struct world *w)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    take_hello(w);
    send_challenge(w, w->root.cert);
    uint64_t id = take_evidence(w, &evidence);
    assert_true(binds(w, &evidence, w->root.cert));
    link_peer_admit(w->peer, LINK_READY);
    const struct verdict_notice verdict = {
        .verdict = "trusted", .reason = "ok", .level = "L1", .reattest_seconds = 3600};
    answer(w, id, &verdict_notice_record, &verdict);
}

static void deliver(struct world *w, const char *plain, uint8_t check[static SHA256_SIZE])
{
    struct error err = {0};
    struct seal_header header = {
        .purpose = SEAL_PURPOSE_SECRET,
        .instance = w->instance,
        .delivery = uuid_new(),
        .secret = uuid_new(),
        .name = "web-key",
        .kind = "opaque",
        .version = 1,
        .grant = "web",
        .verdict = uuid_new(),
        .sequence = 1,
    };
    cert_spki_sha256(w->root.cert, header.deployment);
    key_fingerprint(w->sealing, header.sealing_key);
    random_fill(header.salt, sizeof header.salt);
    seal_check(SPAN_OF(header.salt), span_of_text(plain), check);
    struct secret_delivery delivery = {.delivery = header.delivery, .secret = "web-key"};
    assert_ok(seal_to(w->sealing, &header, span_of_text(plain), w->signer.key, w->signer.cert,
                      &delivery.envelope, &err));
    OWNED(bytes_done) struct bytes body = {0};
    message_print(VERB_SECRET, &secret_delivery_record, &delivery, &body);
    record_done(&secret_delivery_record, &delivery);
    assert_ok(link_send(w->peer, FRAME_REQUEST, 4711, bytes_span(&body), &err));
}

static void assert_loaded(struct world *w, const uint8_t check[static SHA256_SIZE])
{
    struct error err = {0};
    struct secret_loaded loaded = {0};
    OWNED(link_event_drop) struct link_event *event = next_event(w, LINK_FRAME);
    assert_int_equal(event->type, FRAME_REPLY);
    assert_int_equal(event->id, 4711);
    assert_ok(message_parse_reply(bytes_span(&event->body), &secret_loaded_record, &loaded, &err));
    assert_true(loaded.loaded);
    assert_memory_equal(loaded.check, check, SHA256_SIZE);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void an_agent_proves_itself_puts_a_secret_beats_and_ends_cleanly(void **state)
{
    struct world *w = *state;
    struct error err = {0};
    uint8_t check[SHA256_SIZE];
    start_agent(w);
    trust_it(w);
    deliver(w, CANARY, check);
    assert_loaded(w, check);
    OWNED(mem_drop) char *path = scratch_path(w->folder, "secrets/web-key");
    OWNED(bytes_done) struct bytes content = {0};
    assert_ok(file_read(path, 4096, &content, &err));
    assert_true(span_equal(bytes_span(&content), span_of_text(CANARY)));

    OWNED(link_event_drop) struct link_event *beat = link_event_next(w->events, EVENT_WAIT_MS);
    assert_non_null(beat);
    assert_int_equal(beat->kind, LINK_FRAME);
    assert_int_equal(beat->type, FRAME_NOTE);
    assert_int_equal(stop_agent(w, SIGTERM), 0);
}

/* Every writable part of its memory, read from outside. */
static int count_in_memory(pid_t pid, const char *needle)
{
    char path[64];
    char line[512];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "r");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    if (maps == NULL || mem < 0)
        found = -1;
    while (found >= 0 && fgets(line, sizeof line, maps) != NULL) {
        unsigned long from, to;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w' ||
            to - from > (256UL << 20))
            continue;
        OWNED(bytes_done) struct bytes part = {0};
        ssize_t n = pread(mem, bytes_add_room(&part, to - from), to - from, (off_t)from);
        const uint8_t *at = part.at;
        for (size_t left = n > 0 ? (size_t)n : 0; at != NULL && left > 0;) {
            const uint8_t *hit = memmem(at, left, needle, strlen(needle));
            if (hit == NULL)
                break;
            found++;
            left -= (size_t)(hit + 1 - at);
            at = hit + 1;
        }
    }
    if (maps != NULL)
        fclose(maps);
    if (mem >= 0)
        close(mem);
    return found;
}

static void nothing_of_a_secret_stays_in_the_agents_memory(void **state)
{
    struct world *w = *state;
    uint8_t check[SHA256_SIZE];
    start_agent(w);
    trust_it(w);
    deliver(w, CANARY, check);
    assert_loaded(w, check);
    /* That the search finds anything at all: where it puts secrets. */
    int known = count_in_memory(w->agent, w->folder);
    if (known < 0) {
        fprintf(stderr, "# skipped: may not read another process's memory here\n");
        skip();
    }
    assert_true(known > 0);
    assert_int_equal(count_in_memory(w->agent, CANARY), 0);
}

static void an_agent_leaves_no_core(void **state)
{
    struct world *w = *state;
    struct rlimit core;
    start_agent(w);
    take_hello(w);
    assert_int_equal(prlimit(w->agent, RLIMIT_CORE, NULL, &core), 0);
    assert_int_equal(core.rlim_cur, 0);
    assert_int_equal(core.rlim_max, 0);
}

/* What /proc says of a process under this word, read in this base. */
static unsigned long status_of(pid_t pid, const char *word, int base)
{
    char path[64];
    char line[256];
    unsigned long value = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, word, strlen(word)) == 0)
            value = strtoul(line + strlen(word), NULL, base);
    fclose(status);
    return value;
}

/* The two keys stand in OpenSSL's ordinary memory, so all of it is kept from the host's disks. */
static void where_it_may_an_agent_keeps_its_memory_out_of_swap(void **state)
{
    struct world *w = *state;
    struct rlimit limit;
    start_agent(w);
    take_hello(w);
    assert_int_equal(prlimit(w->agent, RLIMIT_MEMLOCK, NULL, &limit), 0);
    bool may = limit.rlim_cur == RLIM_INFINITY ||
               (status_of(w->agent, "CapEff:", 16) & 1UL << CAP_IPC_LOCK) != 0;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    may = false; /* sanitizers make mlockall do nothing */
#endif
    assert_true(!may || status_of(w->agent, "VmLck:", 10) > 1024);
}

static void a_restart_makes_new_keys(void **state)
{
    struct world *w = *state;
    uint8_t first[SHA256_SIZE];
    start_agent(w);
    take_hello(w);
    memcpy(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
    stop_agent(w, SIGKILL);
    start_agent(w);
    take_hello(w);
    assert_memory_not_equal(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
}

static void a_lost_controller_is_dialled_again_with_the_same_key(void **state)
{
    struct world *w = *state;
    uint8_t first[SHA256_SIZE];
    start_agent(w);
    trust_it(w);
    memcpy(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
    link_peer_close(w->peer, NULL);
    take_hello(w);
    assert_memory_equal(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
}

/* R11: the host names another root and its own controller. */
static void with_the_root_in_the_image_a_diverted_agent_never_says_hello(void **state)
{
    struct world *w = *state;
    struct root image = root_make();
    put_root(w, "root.pem", image.cert);
    OWNED(text_done) struct text more = {0};
    text_addf(&more, "root-file = %s/root.pem\n", w->folder);
    put_config(w, text_str(&more));
    start_agent(w);
    struct link_counts counts = {0};
    int64_t deadline = clock_monotonic_ms() + EVENT_WAIT_MS;
    while (counts.closed < 2) { /* it came, it saw, it left; twice */
        assert_true(clock_monotonic_ms() < deadline);
        struct link_event *event = link_event_next(w->events, 50);
        if (event != NULL)
            assert_int_not_equal(event->kind, LINK_FRAME);
        link_event_free(event);
        link_count(w->link, &counts);
    }
    assert_int_equal(counts.frames_in, 0);
    root_done(&image);
}

static void without_one_its_evidence_is_worth_nothing_to_the_true_keeper(void **state)
{
    struct world *w = *state;
    struct root truth = root_make();
    OWNED(evidence_done) struct evidence evidence = {0};
    start_agent(w); /* the user-data holds the enemy's root, which is ours here */
    take_hello(w);
    send_challenge(w, w->root.cert);
    take_evidence(w, &evidence);
    assert_true(binds(w, &evidence, w->root.cert));
    assert_false(binds(w, &evidence, truth.cert));
    root_done(&truth);
}

static void a_relayed_challenge_of_the_true_root_gets_no_evidence(void **state)
{
    struct world *w = *state;
    struct root truth = root_make();
    struct attest_begin begin = {0};
    put_config(w, "retry-first-seconds = 1\n");
    start_agent(w);
    take_hello(w);
    send_challenge(w, truth.cert);
    take_request(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin); /* it begins anew instead */
    record_done(&attest_begin_record, &begin);
    root_done(&truth);
}

static int run_agent(struct world *w, const char *option, struct ran *ran)
{
    OWNED(mem_drop) char *config = scratch_path(w->folder, "agent.conf");
    const char *const argv[] = {"agent/muster-agent", "--config", config, option, NULL};
    ran_done(ran);
    *ran = run(argv);
    return ran->exit_code;
}

static void junk_from_the_host_ends_it_with_code_2(void **state)
{
    struct world *w = *state;
    static const char *const junk[] = {"", "junk", "{}", "#cloud-config\n", "{\"muster\":1}"};
    OWNED(ran_done) struct ran ran = {0};
    for (size_t i = 0; i < countof(junk); i++) {
        put(w, "user-data", junk[i]);
        assert_int_equal(run_agent(w, NULL, &ran), 2);
    }
    put_userdata(w, w->root.cert);
    assert_int_equal(run_agent(w, "--check-config", &ran), 0);
    assert_string_equal((char *)ran.out.at, "ok\n");
    put_config(w, "colour = red\n");
    assert_int_equal(run_agent(w, "--check-config", &ran), 2);
    assert_non_null(strstr((char *)ran.err.at, "unknown-setting"));
    put_config(w, "root-file = /nonexistent/root.pem\n");
    assert_int_not_equal(run_agent(w, "--check-config", &ran), 0);
}

static void it_says_how_it_is_used(void **state)
{
    struct world *w = *state;
    static const char *const help[] = {"agent/muster-agent", "--help", NULL};
    static const char *const version[] = {"agent/muster-agent", "--version", NULL};
    static const char *const wrong[] = {"agent/muster-agent", "--colour", NULL};
    static const char *const more[] = {"agent/muster-agent", "now", NULL};
    OWNED(ran_done) struct ran a = run(help);
    OWNED(ran_done) struct ran b = run(version);
    OWNED(ran_done) struct ran c = run(wrong);
    OWNED(ran_done) struct ran d = run(more);
    (void)w;
    assert_int_equal(a.exit_code, 0);
    assert_non_null(strstr((char *)a.out.at, "secrets-dir"));
    assert_int_equal(b.exit_code, 0);
    assert_non_null(strstr((char *)b.out.at, "muster-agent "));
    assert_int_equal(c.exit_code, 2);
    assert_int_equal(d.exit_code, 2);
}

int main(void)
{
#ifndef MUSTER_SIMULATION
    printf("1..0 # SKIP this build has no simulated hardware to run the agent on\n");
    return 0;
#endif
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(an_agent_proves_itself_puts_a_secret_beats_and_ends_cleanly),
        T(nothing_of_a_secret_stays_in_the_agents_memory),
        T(an_agent_leaves_no_core),
        T(where_it_may_an_agent_keeps_its_memory_out_of_swap),
        T(a_restart_makes_new_keys),
        T(a_lost_controller_is_dialled_again_with_the_same_key),
        T(with_the_root_in_the_image_a_diverted_agent_never_says_hello),
        T(without_one_its_evidence_is_worth_nothing_to_the_true_keeper),
        T(a_relayed_challenge_of_the_true_root_gets_no_evidence),
        T(junk_from_the_host_ends_it_with_code_2),
        T(it_says_how_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
