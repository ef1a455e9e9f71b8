#include "tests/support/agent_world.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

extern char **environ;

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
    const struct agent_world *w = context;
    for (int fd; (fd = accept(w->psp, NULL, NULL)) >= 0;) {
        answer_report(fd);
        close(fd);
    }
    return NULL;
}

static void start_psp(struct agent_world *w)
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

void agent_put(const struct agent_world *w, const char *name, const char *content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(w->folder, name);
    assert_ok(file_write(path, span_of_text(content), 0600, &err));
}

void agent_put_root(const struct agent_world *w, const char *name, const struct cert *root)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    assert_ok(cert_to_pem(root, &pem, &err));
    bytes_add_u8(&pem, 0);
    agent_put(w, name, (const char *)pem.at);
}

void agent_put_userdata(const struct agent_world *w, const struct cert *root)
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
    agent_put(w, "user-data", text);
}

void agent_put_config(const struct agent_world *w, const char *more)
{
    OWNED(text_done) struct text lines = {0};
    text_addf(&lines, "tee = simulated\ntee-socket = %s/psp\n%s", w->folder, more);
    agent_put_hardware(w, text_str(&lines));
}

void agent_put_hardware(const struct agent_world *w, const char *more)
{
    OWNED(text_done) struct text config = {0};
    text_addf(&config, "user-data = %s/user-data\n", w->folder);
    text_addf(&config, "secrets-dir = %s/secrets\nallow-non-tmpfs = true\n", w->folder);
    text_addf(&config, "hooks-dir = %s/hooks\nredial-most-seconds = 1\n%s", w->folder, more);
    agent_put(w, "agent.conf", text_str(&config));
}

/* ---- the agent ------------------------------------------------------------------------------- */

void agent_start(struct agent_world *w)
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

int agent_stop(struct agent_world *w, int signal)
{
    int status = 0;
    kill(w->agent, signal);
    assert_int_equal(waitpid(w->agent, &status, 0), w->agent);
    w->agent = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int agent_set_up(void **state)
{
    struct error err = {0};
    struct agent_world *w = NEW(struct agent_world);
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
    agent_put_userdata(w, w->root.cert);
    agent_put_root(w, "root.pem", w->root.cert);
    agent_put_config(w, "");
    *state = w;
    return 0;
}

int agent_tear_down(void **state)
{
    struct agent_world *w = *state;
    if (w->agent != 0)
        agent_stop(w, SIGKILL);
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

struct link_event *agent_event(struct agent_world *w, enum link_event_kind kind)
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

uint64_t agent_take_request(struct agent_world *w, enum verb verb, const struct record *record,
                            void *out)
{
    struct error err = {0};
    OWNED(link_event_drop) struct link_event *event = agent_event(w, LINK_FRAME);
    OWNED(json_drop) json_t *message = NULL;
    enum verb said;
    assert_int_equal(event->type, FRAME_REQUEST);
    assert_ok(message_parse(bytes_span(&event->body), &said, &message, &err));
    assert_int_equal(said, verb);
    assert_ok(record_from_json(record, message, "", out, &err));
    return event->id;
}

static void answer(struct agent_world *w, uint64_t id, const struct record *record,
                   const void *object)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes body = {0};
    message_print_reply(record, object, &body);
    assert_ok(link_send(w->peer, FRAME_REPLY, id, bytes_span(&body), &err));
}

void agent_take_hello(struct agent_world *w)
{
    struct hello hello = {0};
    OWNED(link_event_drop) struct link_event *opened = agent_event(w, LINK_OPENED);
    link_peer_drop(&w->peer);
    w->peer = link_peer_share(opened->peer);
    assert_int_equal(link_peer_role(w->peer), ROLE_GUEST);
    uint64_t id = agent_take_request(w, VERB_HELLO, &hello_record, &hello);
    assert_true(uuid_equal(&hello.instance, &w->instance));
    record_done(&hello_record, &hello);
    link_peer_admit(w->peer, LINK_PROVING);
    const struct hello_reply reply = {.trust = "unknown", .epoch = 1, .heartbeat_seconds = 1};
    answer(w, id, &hello_reply_record, &reply);
}

void agent_challenge(struct agent_world *w, const struct cert *root)
{
    struct error err = {0};
    struct attest_begin begin = {0};
    uint64_t id = agent_take_request(w, VERB_ATTEST_BEGIN, &attest_begin_record, &begin);
    key_drop(&w->sealing);
    assert_ok(key_from_spki(bytes_span(&begin.sealing_key), &w->sealing, &err));
    record_done(&attest_begin_record, &begin);
    struct challenge challenge = {.expires_seconds = 180};
    random_fill(w->nonce, sizeof w->nonce);
    memcpy(challenge.nonce, w->nonce, NONCE_SIZE);
    cert_spki_sha256(root, challenge.root_key);
    answer(w, id, &challenge_record, &challenge);
}

void agent_binding(const struct agent_world *w, const struct evidence *evidence,
                   const struct cert *root, uint8_t out[static BINDING_SIZE])
{
    struct binding binding = {
        .kind = evidence->kind, .instance = w->instance, .rest = bytes_span(&evidence->rest)};
    memcpy(binding.nonce, w->nonce, NONCE_SIZE);
    memcpy(binding.link_key, link_peer_fingerprint(w->peer), SHA256_SIZE);
    key_fingerprint(w->sealing, binding.sealing_key);
    cert_spki_sha256(root, binding.root_key);
    binding_digest(&binding, out);
}

bool agent_binds(const struct agent_world *w, const struct evidence *evidence,
                 const struct cert *root)
{
    uint8_t expected[BINDING_SIZE];
    agent_binding(w, evidence, root, expected);
    return evidence->kind == EVIDENCE_SIMULATED &&
           memcmp(evidence->report.at + 0x50, expected, BINDING_SIZE) == 0;
}

uint64_t agent_take_evidence(struct agent_world *w, struct evidence *out)
{
    struct error err = {0};
    struct evidence_part part = {0};
    uint64_t id = agent_take_request(w, VERB_EVIDENCE, &evidence_part_record, &part);
    assert_int_equal(part.parts, 1);
    assert_ok(evidence_parse(bytes_span(&part.data), out, &err));
    record_done(&evidence_part_record, &part);
    return id;
}

void agent_trust(struct agent_world *w)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    agent_take_hello(w);
    agent_challenge(w, w->root.cert);
    uint64_t id = agent_take_evidence(w, &evidence);
    assert_true(agent_binds(w, &evidence, w->root.cert));
    link_peer_admit(w->peer, LINK_READY);
    const struct verdict_notice verdict = {
        .verdict = "trusted", .reason = "ok", .level = "L1", .reattest_seconds = 3600};
    answer(w, id, &verdict_notice_record, &verdict);
}
