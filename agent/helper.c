#include "agent/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

static void close_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int spawn(const struct helper *helper, int out, pid_t *pid)
{
    char *const *arguments = (char *const *)(uintptr_t)helper->arguments;
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
    int failed = posix_spawn(pid, arguments[0], &files, &how, arguments, environment);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return failed;
}

static enum outcome hear(int fd, int64_t deadline_ms, size_t most, struct bytes *out,
                         struct error *err)
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
        if (out->len + (size_t)n > most)
            return fail_code(err, ERR_INVALID, "too-large", "an answer of more than %zu bytes",
                             most);
        bytes_add(out, SPAN(block, (size_t)n));
    }
}

static enum outcome ended_well(pid_t pid, struct error *err)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return fail_code(err, ERR_UNREACHABLE, "no-answer", "the host gave no answer");
    return OK;
}

enum outcome helper_run(const struct helper *helper, struct bytes *out, struct error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return fail(err, ERR_INTERNAL, "pipe: %s", strerror(errno));
    OWNED(close_drop) int from = ends[0];
    pid_t pid;
    const int failed = spawn(helper, ends[1], &pid);
    close(ends[1]);
    if (failed != 0)
        return fail(err, ERR_INTERNAL, "%s: %s", helper->arguments[0], strerror(failed));
    const int64_t deadline_ms = clock_monotonic_ms() + helper->most_seconds * 1000;
    enum outcome outcome = hear(from, deadline_ms, helper->most_bytes, out, err);
    if (outcome != OK)
        kill(pid, SIGKILL);
    const enum outcome end = ended_well(pid, outcome == OK ? err : NULL);
    return outcome != OK ? outcome : end;
}
