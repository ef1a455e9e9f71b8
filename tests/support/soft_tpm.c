#include "tests/support/soft_tpm.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

extern char **environ;

enum { HEAD = 10, MESSAGE_MAX = 8192, COMMANDS_MAX = 0x200 };

struct message {
    size_t len;
    uint8_t at[MESSAGE_MAX];
};

struct soft_tpm {
    char *folder;
    char tcti[64];
    pid_t pid;
    int listener; /* who asks comes here; the next port is the TPM's own channel of control */
    int tpm;      /* the TPM's end of the wire */
    pthread_t wire;
    atomic_uint command;
    atomic_int event, times;
    atomic_uint answer;
    struct message first; /* the wire's own */
    _Atomic(soft_tpm_other *) other;
    atomic_int heard[COMMANDS_MAX];
};

/* ---- the wire -------------------------------------------------------------------------------- */

static bool receive_all(int s, uint8_t *at, size_t len)
{
    while (len > 0) {
        const ssize_t n = recv(s, at, len, 0);
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* Tag, length of the whole, and code of command or answer. */
static bool receive(int s, struct message *out)
{
    if (!receive_all(s, out->at, HEAD))
        return false;
    struct reader head = reader_of(SPAN(out->at + 2, 4));
    out->len = read_u32be(&head);
    return out->len >= HEAD && out->len <= sizeof out->at &&
           receive_all(s, out->at + HEAD, out->len - HEAD);
}

static bool deliver(int s, const struct message *m)
{
    return send(s, m->at, m->len, MSG_NOSIGNAL) == (ssize_t)m->len;
}

static uint32_t code_of(const struct message *m)
{
    struct reader head = reader_of(SPAN(m->at + 6, 4));
    return read_u32be(&head);
}

static void say(struct message *m, uint32_t answer)
{
    const uint8_t head[HEAD] = {0x80, 0x01, 0, 0, 0, HEAD};
    const uint32_t code = htonl(answer);
    memcpy(m->at, head, sizeof head);
    memcpy(m->at + 6, &code, sizeof code);
    m->len = HEAD;
}

static void extend(const struct soft_tpm *tpm)
{
    struct message m = {.len = 65};
    const uint8_t head[] = {
        0x80, 0x02, 0, 0, 0,    65, 0, 0, 0x01, 0x82, 0, 0, 0, 7, /* PCR_Extend, register 7 */
        0,    0,    0, 9, 0x40, 0,  0, 9, 0,    0,    0, 0, 0, 0,
        0,    0,    1, 0, 0x0b, /* empty password; SHA-256 */
        'x'};
    memcpy(m.at, head, sizeof head);
    if (!deliver(tpm->tpm, &m) || !receive(tpm->tpm, &m) || code_of(&m) != 0)
        fprintf(stderr, "swtpm did not extend\n");
}

/* Whether the answer arrives. */
static bool happen(struct soft_tpm *tpm, uint32_t command, struct message *m)
{
    if (command != tpm->command || tpm->times == 0)
        return true;
    tpm->times--;
    switch ((enum soft_tpm_event)tpm->event) {
    case SOFT_TPM_NOTHING:
        break;
    case SOFT_TPM_EXTENDED:
        extend(tpm);
        break;
    case SOFT_TPM_SAYS:
        say(m, tpm->answer);
        break;
    case SOFT_TPM_REPEATS:
        if (tpm->first.len == 0)
            tpm->first = *m;
        *m = tpm->first;
        break;
    case SOFT_TPM_NOUGHT:
        memset(m->at + m->len - 4, 0, 4);
        break;
    case SOFT_TPM_LATE:
        clock_advance_ms(3600 * 1000);
        break;
    case SOFT_TPM_GONE:
        kill(tpm->pid, SIGKILL);
        return false;
    case SOFT_TPM_CUT:
        return false;
    }
    return true;
}

static bool answer_instead(struct soft_tpm *tpm, uint32_t command, struct message *m)
{
    soft_tpm_other *other = tpm->other;
    OWNED(bytes_done) struct bytes answer = {0};
    if (other == NULL || !other(command, SPAN(m->at, m->len), &answer) || answer.len > sizeof m->at)
        return false;
    memcpy(m->at, answer.at, answer.len);
    m->len = answer.len;
    return true;
}

/* Until one side hangs up. */
static void carry(struct soft_tpm *tpm, int client)
{
    struct message m;
    while (receive(client, &m)) {
        const uint32_t command = code_of(&m);
        if (command < COMMANDS_MAX)
            tpm->heard[command]++;
        if (!answer_instead(tpm, command, &m) && (!deliver(tpm->tpm, &m) || !receive(tpm->tpm, &m)))
            return;
        if (!happen(tpm, command, &m) || !deliver(client, &m))
            return;
    }
}

static void *be_the_wire(void *context)
{
    struct soft_tpm *tpm = context;
    for (int client; (client = accept(tpm->listener, NULL, NULL)) >= 0;) {
        carry(tpm, client);
        close(client);
    }
    return NULL;
}

/* ---- its life -------------------------------------------------------------------------------- */

static int listen_at(int port)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s, (const struct sockaddr *)&address, sizeof address) == 0 && listen(s, 8) == 0)
        return s;
    close(s);
    return -1;
}

static int port_of(int s)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    assert_int_equal(getsockname(s, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

/* tpm2-tss takes the port after the first one for the channel of control. */
static int listen_at_two(struct soft_tpm *tpm)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        tpm->listener = listen_at(0);
        assert_true(tpm->listener >= 0);
        const int port = port_of(tpm->listener);
        const int control = listen_at(port + 1);
        snprintf(tpm->tcti, sizeof tpm->tcti, "swtpm:host=127.0.0.1,port=%d", port);
        if (control >= 0)
            return control;
        close(tpm->listener);
    }
    fail_msg("no two ports beside each other");
    return -1;
}

static void spawn(struct soft_tpm *tpm, int wire, int control)
{
    enum { WIRE = 3, CONTROL = 4 };
    OWNED(text_done) struct text state = {0};
    text_addf(&state, "dir=%s", tpm->folder);
    char *const argv[] = {(char[]){"swtpm"},
                          (char[]){"socket"},
                          (char[]){"--tpm2"},
                          (char[]){"--fd"},
                          (char[]){"3"},
                          (char[]){"--ctrl"},
                          (char[]){"type=tcp,fd=4"},
                          (char[]){"--flags"},
                          (char[]){"startup-clear"},
                          (char[]){"--tpmstate"},
                          state.at,
                          NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    /* Both beyond where they go, so that neither is closed by the other's coming there. */
    const int high_wire = fcntl(wire, F_DUPFD_CLOEXEC, 10);
    const int high_control = fcntl(control, F_DUPFD_CLOEXEC, 10);
    posix_spawn_file_actions_adddup2(&actions, high_wire, WIRE);
    posix_spawn_file_actions_adddup2(&actions, high_control, CONTROL);
    assert_int_equal(posix_spawnp(&tpm->pid, "swtpm", &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(high_wire);
    close(high_control);
}

static const char state_file[] = "tpm2-00.permall";

void soft_tpm_state(const struct soft_tpm *tpm, struct bytes *out)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(tpm->folder, state_file);
    assert_ok(file_read(path, 1 << 20, out, &err));
}

struct soft_tpm *soft_tpm_start(void)
{
    return soft_tpm_start_as((struct span){0});
}

struct soft_tpm *soft_tpm_start_as(struct span state)
{
    struct error err = {0};
    struct soft_tpm *tpm = NEW(struct soft_tpm);
    void *folder = NULL;
    int ends[2];
    assert_int_equal(scratch_open(&folder), 0);
    tpm->folder = folder;
    OWNED(mem_drop) char *path = scratch_path(tpm->folder, state_file);
    if (state.len > 0)
        assert_ok(file_write(path, state, 0600, &err));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const int control = listen_at_two(tpm);
    tpm->tpm = ends[0];
    spawn(tpm, ends[1], control);
    close(ends[1]);
    close(control);
    assert_int_equal(pthread_create(&tpm->wire, NULL, be_the_wire, tpm), 0);
    return tpm;
}

void soft_tpm_stop(struct soft_tpm *tpm)
{
    kill(tpm->pid, SIGKILL);
    waitpid(tpm->pid, NULL, 0);
    shutdown(tpm->listener, SHUT_RDWR);
    pthread_join(tpm->wire, NULL);
    close(tpm->listener);
    close(tpm->tpm);
    void *folder = tpm->folder;
    scratch_close(&folder);
    free(tpm);
}

const char *soft_tpm_tcti(const struct soft_tpm *tpm)
{
    return tpm->tcti;
}

void soft_tpm_stand_in(struct soft_tpm *tpm, soft_tpm_other *other)
{
    tpm->other = other;
}

void soft_tpm_plan(struct soft_tpm *tpm, uint32_t command, enum soft_tpm_event event, int times)
{
    tpm->times = 0;
    tpm->command = command;
    tpm->event = event;
    tpm->times = times;
}

void soft_tpm_plan_answer(struct soft_tpm *tpm, uint32_t command, uint32_t answer, int times)
{
    tpm->answer = answer;
    soft_tpm_plan(tpm, command, SOFT_TPM_SAYS, times);
}

int soft_tpm_heard(struct soft_tpm *tpm, uint32_t command)
{
    return tpm->heard[command];
}

/* ---- what it is made with -------------------------------------------------------------------- */

void soft_tpm_tool(struct soft_tpm *tpm, const char *format, ...)
{
    char arguments[512];
    OWNED(text_done) struct text command = {0};
    va_list list;
    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    text_addf(&command, "cd %s && TPM2TOOLS_TCTI=%s %s >tool.log 2>&1 || { cat tool.log; exit 1; }",
              tpm->folder, tpm->tcti, arguments);
    if (system(text_str(&command)) != 0)
        fail_msg("%s", arguments);
}

void soft_tpm_put(struct soft_tpm *tpm, uint32_t index, struct span content)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(tpm->folder, "content");
    assert_ok(file_write(path, content, 0600, &err));
    soft_tpm_tool(tpm, "tpm2_nvdefine 0x%08x -C o -s %zu -a 'ownerread|ownerwrite'", index,
                  content.len);
    soft_tpm_tool(tpm, "tpm2_nvwrite 0x%08x -C o -i content", index);
}

void soft_tpm_make_azure_key(struct soft_tpm *tpm)
{
    soft_tpm_tool(tpm,
                  "tpm2_createprimary -C e -g sha256 -G rsa2048:rsassa-sha256:null -a "
                  "'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign' -c ak");
    soft_tpm_tool(tpm, "tpm2_evictcontrol -C o -c ak 0x81000003");
    soft_tpm_tool(tpm, "tpm2_flushcontext -t");
}
