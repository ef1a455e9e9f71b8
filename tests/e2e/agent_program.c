/* The life of the program muster-agent over a real link, and what of it the host may see. trust.md
 * sections 3, 4 and 7. */
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/attest/cloud_documents.h"
#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/crypto/seal.h"
#include "tests/support/agent_world.h"
#include "tests/support/run.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define CANARY "canary-7f3a9c51e08d4b26"

static void deliver(struct agent_world *w, const char *plain, uint8_t check[static SHA256_SIZE])
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

static void assert_loaded(struct agent_world *w, const uint8_t check[static SHA256_SIZE])
{
    struct error err = {0};
    struct secret_loaded loaded = {0};
    OWNED(link_event_drop) struct link_event *event = agent_event(w, LINK_FRAME);
    assert_int_equal(event->type, FRAME_REPLY);
    assert_int_equal(event->id, 4711);
    assert_ok(message_parse_reply(bytes_span(&event->body), &secret_loaded_record, &loaded, &err));
    assert_true(loaded.loaded);
    assert_memory_equal(loaded.check, check, SHA256_SIZE);
}

static void an_agent_proves_itself_puts_a_secret_beats_and_ends_cleanly(void **state)
{
    struct agent_world *w = *state;
    struct error err = {0};
    uint8_t check[SHA256_SIZE];
    agent_start(w);
    agent_trust(w);
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
    assert_int_equal(agent_stop(w, SIGTERM), 0);
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
    struct agent_world *w = *state;
    uint8_t check[SHA256_SIZE];
    agent_start(w);
    agent_trust(w);
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
    struct agent_world *w = *state;
    struct rlimit core;
    agent_start(w);
    agent_take_hello(w);
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
    struct agent_world *w = *state;
    struct rlimit limit;
    agent_start(w);
    agent_take_hello(w);
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
    struct agent_world *w = *state;
    uint8_t first[SHA256_SIZE];
    agent_start(w);
    agent_take_hello(w);
    memcpy(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
    agent_stop(w, SIGKILL);
    agent_start(w);
    agent_take_hello(w);
    assert_memory_not_equal(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
}

static void a_lost_controller_is_dialled_again_with_the_same_key(void **state)
{
    struct agent_world *w = *state;
    uint8_t first[SHA256_SIZE];
    agent_start(w);
    agent_trust(w);
    memcpy(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
    link_peer_close(w->peer, NULL);
    agent_take_hello(w);
    assert_memory_equal(first, link_peer_fingerprint(w->peer), SHA256_SIZE);
}

static struct cloud_documents documents_shown(struct agent_world *w)
{
    struct error err = {0};
    struct cloud_documents out = {0};
    OWNED(evidence_done) struct evidence evidence = {0};
    agent_challenge(w, w->root.cert);
    agent_take_evidence(w, &evidence);
    assert_ok(cloud_documents_read(bytes_span(&evidence.rest), &out, &err));
    return out;
}

/* What only a machine with a name gets would stay closed until its verdict ends. */
static void an_agent_whose_metadata_service_said_nothing_comes_again_soon(void **state)
{
    struct agent_world *w = *state;
    OWNED(mem_drop) char *service = scratch_path(w->folder, "service");
    OWNED(text_done) struct text config = {0}, program = {0};
    text_addf(&program,
              "#!/bin/sh\n[ -e %s.asked ] && exec echo '{\"aws\":{\"document\":\"aGVyZQ==\"}}'\n"
              "touch %s.asked\necho '{}'\n",
              service, service);
    agent_put(w, "service", text_str(&program));
    assert_int_equal(chmod(service, 0700), 0);
    text_addf(&config, "metadata = aws\nmetadata-program = %s\n", service);
    agent_put_config(w, text_str(&config));
    agent_start(w);
    agent_trust(w); /* for an hour */
    OWNED(cloud_documents_done) struct cloud_documents documents = documents_shown(w);
    assert_true(span_equal(bytes_span(&documents.parts[AWS_DOCUMENT]), span_of_text("here")));
}

static void it_says_how_it_is_used(void **state)
{
    struct agent_world *w = *state;
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
    const struct CMUnitTest tests[] = {
        WITH_AGENT(an_agent_proves_itself_puts_a_secret_beats_and_ends_cleanly),
        WITH_AGENT(nothing_of_a_secret_stays_in_the_agents_memory),
        WITH_AGENT(an_agent_leaves_no_core),
        WITH_AGENT(where_it_may_an_agent_keeps_its_memory_out_of_swap),
        WITH_AGENT(a_restart_makes_new_keys),
        WITH_AGENT(a_lost_controller_is_dialled_again_with_the_same_key),
        WITH_AGENT(an_agent_whose_metadata_service_said_nothing_comes_again_soon),
        WITH_AGENT(it_says_how_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
