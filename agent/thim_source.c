#include "agent/thim_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/attest/snp_report.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/crypto/x509.h"

enum { SPACING_MS = 60 * 1000, OLD_MS = 3600 * 1000 };

void thim_source_done(struct thim_source *source)
{
    thim_done(&source->kept);
    *source = (struct thim_source){0};
}

/* ---- the program ----------------------------------------------------------------------------- */

static void close_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int spawn(const struct thim_source *source, int out, pid_t *pid)
{
    char *const arguments[] = {(char *)(uintptr_t)source->program, (char *)(uintptr_t)source->url,
                               NULL};
    char *const environment[] = {NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    int failed = posix_spawn(pid, source->program, &files, &how, arguments, environment);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

static enum outcome hear(int fd, int64_t deadline_ms, struct bytes *out, struct error *err)
{
    uint8_t block[4096];
    for (;;) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        const int64_t left_ms = deadline_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&readable, 1, (int)left_ms) == 0)
            return fail_code(err, ERR_UNREACHABLE, "timeout", "no answer in time");
        const ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, ERR_INTERNAL, "reading the answer: %s", strerror(errno));
        if (n == 0)
            return OK;
        if (out->len + (size_t)n > THIM_ANSWER_MAX)
            return fail_code(err, ERR_INVALID, "too-large", "an answer of more than %d bytes",
                             THIM_ANSWER_MAX);
        bytes_add(out, SPAN(block, (size_t)n));
    }
}

static enum outcome ended_well(pid_t pid, struct error *err)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail_code(err, ERR_UNREACHABLE, "no-answer", "the host gave no certificates");
    return OK;
}

static enum outcome ask(const struct thim_source *source, struct bytes *out, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(err, ERR_INTERNAL, "pipe: %s", strerror(errno));
    OWNED(close_drop) int from = ends[0];
    pid_t pid;
    const int failed = spawn(source, ends[1], &pid);
    close(ends[1]);
    if (failed != 0)
        return fail(err, ERR_INTERNAL, "%s: %s", source->program, strerror(failed));
    const int64_t deadline_ms = clock_monotonic_ms() + source->most_seconds * 1000;
    enum outcome outcome = hear(from, deadline_ms, out, err);
    if (outcome != OK)
        kill(pid, SIGKILL);
    const enum outcome end = ended_well(pid, outcome == OK ? err : NULL);
    return outcome != OK ? outcome : end;
}

/* ---- the certificates ------------------------------------------------------------------------ */

static bool is_due(const struct thim_source *source, uint64_t tcb)
{
    const int64_t age_ms = clock_monotonic_ms() - source->asked_ms;
    if (source->asked_ms == 0)
        return true;
    const bool good = source->kept.ek.len > 0 && source->kept.tcb == tcb;
    return age_ms >= (good ? OLD_MS : SPACING_MS);
}

static enum outcome fetch(struct thim_source *source, struct error *err)
{
    OWNED(bytes_done) struct bytes answer = {0};
    struct thim got = {0};
    source->asked_ms = clock_monotonic_ms();
    TRY(ask(source, &answer, err));
    TRY(thim_parse(bytes_span(&answer), &got, err));
    thim_done(&source->kept);
    source->kept = got;
    return OK;
}

static enum outcome add(const struct thim_source *source, uint64_t tcb, struct evidence *out,
                        struct error *err)
{
    OWNED(x509_list_done) struct x509_list ek = {0};
    OWNED(x509_list_done) struct x509_list ca = {0};
    if (source->kept.ek.len == 0)
        return OK;
    if (source->kept.tcb != tcb)
        return fail_code(err, ERR_CONFLICT, "tcb-mismatch",
                         "the host's certificate is for another TCB than the report's");
    TRY(x509_list_read(&ek, bytes_span(&source->kept.ek), err));
    TRY(x509_list_read(&ca, bytes_span(&source->kept.ca), err));
    if (ek.count != 1 || ca.count > EVIDENCE_CA_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "%zu keys and %zu authorities", ek.count,
                         ca.count);
    out->ek = bytes_copy(x509_der(ek.at[0]));
    for (size_t i = 0; i < ca.count; i++)
        out->ca[out->ca_count++] = bytes_copy(x509_der(ca.at[i]));
    return OK;
}

void thim_source_add(struct thim_source *source, struct evidence *out)
{
    struct error why = {0};
    struct snp_report report;
    if (source->url[0] == '\0' || snp_report_read(evidence_report(out), &report, NULL) != OK)
        return;
    enum outcome outcome = is_due(source, report.reported_tcb) ? fetch(source, &why) : OK;
    if (outcome == OK)
        outcome = add(source, report.reported_tcb, out, &why);
    if (outcome == OK)
        return;
    LOG(WARN, "certificates.left-out", TEXT("code", why.code), TEXT("why", why.text));
    if (why.outcome == ERR_INVALID)
        thim_done(&source->kept); /* no certificates: nothing to keep */
}
