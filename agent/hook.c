#include "agent/hook.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/text.h"

static enum outcome find(const char *folder, const char *name, char path[static PATH_MAX],
                         bool *there, struct error *err)
{
    if (!text_is_name(name))
        return fail_code(err, ERR_DENIED, "bad-hook", "not a name");
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        return fail(err, ERR_INVALID, "path too long: %.60s...", folder);
    struct stat st;
    *there = stat(path, &st) == 0;
    if (!*there && errno != ENOENT)
        return fail(err, ERR_INTERNAL, "looking at %s: %s", path, strerror(errno));
    if (*there && (!S_ISREG(st.st_mode) || (st.st_mode & 022) != 0 || access(path, X_OK) != 0))
        return fail_code(err, ERR_DENIED, "bad-hook",
                         "%s is not a program that only its owner may write", path);
    return OK;
}

/* It ends with us: whoever comes after us would start it once more, beside this one. */
[[gnu::noreturn]] static void become(const char *path, const char *name, const char *action,
                                     pid_t parent)
{
    static char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char called[64];
    char what[16];
    char about[64];
    snprintf(called, sizeof called, "%s", name);
    snprintf(what, sizeof what, "%s", action);
    snprintf(about, sizeof about, "%s", name);
    char *const arguments[] = {called, what, about, NULL};
    char *const environment[] = {search, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && close_range(3, ~0U, 0) == 0)
        execve(path, arguments, environment);
    _exit(127);
}

enum outcome hook_start(struct hook *hook, const char *folder, const char *name, const char *action,
                        int64_t most_seconds, struct error *err)
{
    char path[PATH_MAX];
    bool there;
    TRY(find(folder, name, path, &there, err));
    if (!there)
        return OK;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return fail(err, ERR_INTERNAL, "fork: %s", strerror(errno));
    if (pid == 0)
        become(path, name, action, parent);
    setpgid(pid, pid); /* here too: whoever comes first */
    *hook = (struct hook){.pid = pid, .deadline_ms = clock_monotonic_ms() + most_seconds * 1000};
    snprintf(hook->name, sizeof hook->name, "%s", name);
    return OK;
}

bool hook_is_running(const struct hook *hook)
{
    return hook->pid != 0;
}

bool hook_ended(struct hook *hook, enum outcome *result, struct error *err)
{
    int status;
    pid_t ended = waitpid(hook->pid, &status, WNOHANG);
    if (ended == 0 && clock_monotonic_ms() < hook->deadline_ms)
        return false;
    if (ended == 0) {
        hook_kill(hook);
        *result = fail_code(err, ERR_CONFLICT, "hook-failed", "hook %s took too long", hook->name);
        return true;
    }
    hook->pid = 0;
    if (ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        *result = OK;
    else
        *result = fail_code(err, ERR_CONFLICT, "hook-failed", "hook %s ended with %s %d",
                            hook->name, ended > 0 && WIFSIGNALED(status) ? "signal" : "status",
                            ended < 0             ? -1
                            : WIFSIGNALED(status) ? WTERMSIG(status)
                                                  : WEXITSTATUS(status));
    return true;
}

void hook_kill(struct hook *hook)
{
    if (hook->pid == 0)
        return;
    kill(-hook->pid, SIGKILL);
    waitpid(hook->pid, NULL, 0);
    hook->pid = 0;
}
