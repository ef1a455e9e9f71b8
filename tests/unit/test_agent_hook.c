/* Hooks run by name from the measured image, never by text from the link (trust.md section 8). */
#include "agent/hook.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "tests/support/test.h"

static char folder[] = "/tmp/muster-hook-XXXXXX";

static void program(const char *name, const char *script, mode_t mode)
{
    struct error err = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(file_write(path, span_of_text(script), mode, &err));
}

static enum outcome run(const char *name, int64_t most_seconds, struct error *err)
{
    struct hook hook = {0};
    TRY(hook_start(&hook, folder, name, "reload", most_seconds, err));
    enum outcome result = OK;
    int64_t deadline = clock_monotonic_ms() + 20000;
    while (hook_is_running(&hook) && !hook_ended(&hook, &result, err)) {
        assert_true(clock_monotonic_ms() < deadline);
        poll(NULL, 0, 2); /* between two looks; the wait is for the hook's end */
    }
    return result;
}

static void a_hook_is_told_its_name_and_nothing_else(void **state)
{
    (void)state;
    struct error err = {0};
    char script[512];
    snprintf(script, sizeof script,
             "#!/bin/sh\necho \"$0 $* $(env | grep -c MUSTER_SRC)\" >%s/told\n", folder);
    setenv("MUSTER_SRC", "something", 1);
    program("web-key", script, 0755);
    assert_ok(run("web-key", 10, &err));
    OWNED(bytes_done) struct bytes told = {0};
    char path[256];
    snprintf(path, sizeof path, "%s/told", folder);
    assert_ok(file_read(path, 1024, &told, &err));
    bytes_add_u8(&told, 0);
    assert_non_null(strstr((char *)told.at, "/web-key reload web-key 0\n"));
}

/* The link's own descriptors among them. */
static void a_hook_gets_no_descriptor_but_the_three(void **state)
{
    (void)state;
    struct error err = {0};
    char script[128];
    int open_one = dup(0);
    assert_true(open_one > 2);
    snprintf(script, sizeof script, "#!/bin/sh\n[ ! -e /proc/$$/fd/%d ]\n", open_one);
    program("nosy", script, 0755);
    assert_ok(run("nosy", 10, &err));
    close(open_one);
}

static void no_hook_is_fine(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(run("absent", 1, &err));
}

static void a_failing_hook_is_a_failure(void **state)
{
    (void)state;
    struct error err = {0};
    program("bad", "#!/bin/sh\nexit 7\n", 0755);
    assert_fails(run("bad", 10, &err), ERR_CONFLICT, "hook-failed");
    assert_non_null(strstr(err.text, "status 7"));
    program("dead", "#!/bin/sh\nkill -9 $$\n", 0755);
    assert_fails(run("dead", 10, &err), ERR_CONFLICT, "hook-failed");
    assert_non_null(strstr(err.text, "signal 9"));
}

static void a_hook_over_its_time_is_killed_with_its_children(void **state)
{
    (void)state;
    struct error err = {0};
    program("slow", "#!/bin/sh\nsleep 600 &\nwait\n", 0755);
    assert_fails(run("slow", 0, &err), ERR_CONFLICT, "hook-failed");
    assert_non_null(strstr(err.text, "too long"));
}

/* Else the next agent would run the same hook beside the one that was left over. */
static void a_hook_ends_with_its_agent(void **state)
{
    (void)state;
    int alive[2];
    char byte;
    assert_int_equal(pipe(alive), 0); /* the hook's standard output: its end is the hook's end */
    program("long", "#!/bin/sh\nexec sleep 60 2>/dev/null\n", 0755);
    pid_t agent = fork();
    if (agent == 0) {
        struct hook hook = {0};
        if (dup2(alive[1], 1) != 1 || hook_start(&hook, folder, "long", "reload", 600, NULL) != OK)
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status = 0;
    close(alive[1]);
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_true(WIFSIGNALED(status));
    struct pollfd end = {.fd = alive[0], .events = POLLIN};
    assert_int_equal(poll(&end, 1, 20000), 1);
    assert_int_equal(read(alive[0], &byte, 1), 0);
    close(alive[0]);
}

static void only_names_are_run(void **state)
{
    (void)state;
    static const char *const names[] = {"../bin/sh", "/bin/sh", "", ".", "a b", "A", "-a", "a;b"};
    for (size_t i = 0; i < countof(names); i++) {
        struct error err = {0};
        assert_fails(run(names[i], 1, &err), ERR_DENIED, "bad-hook");
    }
}

static void a_file_that_others_may_write_or_nobody_may_run_is_no_hook(void **state)
{
    (void)state;
    struct error err = {0};
    program("loose", "#!/bin/sh\n", 0777);
    assert_fails(run("loose", 1, &err), ERR_DENIED, "bad-hook");
    program("flat", "#!/bin/sh\n", 0644);
    assert_fails(run("flat", 1, &err), ERR_DENIED, "bad-hook");
    char path[256];
    snprintf(path, sizeof path, "%s/dir", folder);
    mkdir(path, 0755);
    assert_fails(run("dir", 1, &err), ERR_DENIED, "bad-hook");
}

static int clean_up(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    if (mkdtemp(folder) == NULL)
        return 99;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hook_is_told_its_name_and_nothing_else),
        cmocka_unit_test(a_hook_gets_no_descriptor_but_the_three),
        cmocka_unit_test(no_hook_is_fine),
        cmocka_unit_test(a_failing_hook_is_a_failure),
        cmocka_unit_test(a_hook_over_its_time_is_killed_with_its_children),
        cmocka_unit_test(a_hook_ends_with_its_agent),
        cmocka_unit_test(only_names_are_run),
        cmocka_unit_test(a_file_that_others_may_write_or_nobody_may_run_is_no_hook),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
