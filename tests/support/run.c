#include "tests/support/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/support/test.h"

extern char **environ;

enum { DEADLINE_MS = 60000 };

struct pipes {
    int from_out[2];
    int from_err[2];
};

static pid_t start(const char *const *argv, const struct pipes *pipes)
{
    const char *build = getenv("MUSTER_BUILD");
    char path[512];
    snprintf(path, sizeof path, "%s/%s", build != NULL ? build : ".", argv[0]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes->from_out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipes->from_err[1], 2);
    pid_t pid = -1;
    assert_int_equal(
        posix_spawn(&pid, path, &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static bool take(int fd, struct bytes *into)
{
    uint8_t block[4096];
    const ssize_t n = read(fd, block, sizeof block);
    if (n > 0)
        bytes_add(into, SPAN(block, (size_t)n));
    return n > 0;
}

/* Both at once, so that neither pipe fills while the other is waited for. */
static void take_all(const struct pipes *pipes, struct ran *ran, pid_t pid)
{
    struct pollfd fds[] = {{pipes->from_out[0], POLLIN, 0}, {pipes->from_err[0], POLLIN, 0}};
    const int64_t deadline = clock_monotonic_ms() + DEADLINE_MS;
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        const int64_t left = deadline - clock_monotonic_ms();
        if (left <= 0 || poll(fds, 2, (int)left) == 0) {
            kill(pid, SIGKILL);
            fail_msg("the program did not end in time");
        }
        if (fds[0].revents != 0 && !take(fds[0].fd, &ran->out))
            fds[0].fd = -1;
        if (fds[1].revents != 0 && !take(fds[1].fd, &ran->err))
            fds[1].fd = -1;
    }
}

struct ran run(const char *const *argv)
{
    struct pipes pipes;
    assert_int_equal(pipe2(pipes.from_out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(pipes.from_err, O_CLOEXEC), 0);
    const pid_t pid = start(argv, &pipes);
    close(pipes.from_out[1]);
    close(pipes.from_err[1]);
    struct ran ran = {0};
    take_all(&pipes, &ran, pid);
    close(pipes.from_out[0]);
    close(pipes.from_err[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    bytes_add_u8(&ran.out, 0); /* so that tests can look at it as text */
    bytes_add_u8(&ran.err, 0);
    return ran;
}

void ran_done(struct ran *ran)
{
    bytes_done(&ran->out);
    bytes_done(&ran->err);
}
