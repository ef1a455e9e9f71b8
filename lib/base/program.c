#include "lib/base/program.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/base/log.h"
#include "lib/base/text.h"

/* ---- the command line ---------------------------------------------------------------------- */

enum { OPTION_CONFIG = 1, OPTION_CHECK, OPTION_HELP, OPTION_VERSION, OPTION_ORDER };

static size_t order_count(const struct program *program)
{
    size_t count = 0;
    while (count < PROGRAM_ORDERS_MAX && program->orders[count].name != NULL)
        count++;
    return count;
}

static int help(const struct program *program, FILE *out)
{
    size_t orders = order_count(program);
    fprintf(out, "usage: %s [--config FILE] [--check-config", program->name);
    for (size_t i = 0; i < orders; i++)
        fprintf(out, " | --%s %s", program->orders[i].name, program->orders[i].value);
    fprintf(out, "]\n%s%s\n\n", program->commands != NULL ? program->commands : "",
            program->purpose);
    fprintf(out, "  --config FILE                settings (default %s)\n", program->config);
    fprintf(out, "  --check-config               %s, then stop\n", program->check);
    for (size_t i = 0; i < orders; i++) {
        OWNED(text_done) struct text option = {0};
        text_addf(&option, "--%s %s", program->orders[i].name, program->orders[i].value);
        fprintf(out, "  %-28s %s, then stop\n", text_str(&option), program->orders[i].help);
    }
    fprintf(out, "  --help, --version\n\nsettings:\n");
    config_print_help(program->settings, *program->setting_count, out);
    return out == stderr ? outcome_exit_code(ERR_INVALID) : 0;
}

static void fill_options(const struct program *program, struct option *out)
{
    *out++ = (struct option){"config", required_argument, NULL, OPTION_CONFIG};
    *out++ = (struct option){"check-config", no_argument, NULL, OPTION_CHECK};
    *out++ = (struct option){"help", no_argument, NULL, OPTION_HELP};
    *out++ = (struct option){"version", no_argument, NULL, OPTION_VERSION};
    for (size_t i = 0; i < order_count(program); i++)
        *out++ = (struct option){program->orders[i].name, required_argument, NULL,
                                 OPTION_ORDER + (int)i};
    *out = (struct option){0};
}

/* One thing at a time. */
static bool is_one_task(const struct program_call *call)
{
    size_t tasks = call->only_check;
    for (size_t i = 0; i < PROGRAM_ORDERS_MAX; i++)
        tasks += call->orders[i] != NULL;
    return tasks <= 1;
}

static int run_logged(const struct program *program, const struct program_call *call,
                      enum outcome (*run)(const struct program_call *, struct error *))
{
    struct error err = {0};
    log_start(program->name);
    if (run(call, &err) == OK)
        return call->only_check ? printf("ok\n") < 0 : 0;
    log_error(program->failed, &err);
    return outcome_exit_code(err.outcome);
}

int program_main(const struct program *program, int argc, char **argv,
                 enum outcome (*run)(const struct program_call *, struct error *))
{
    struct option options[5 + PROGRAM_ORDERS_MAX];
    struct program_call call = {.config = program->config};
    fill_options(program, options);
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == OPTION_HELP)
            return help(program, stdout);
        if (c == OPTION_VERSION)
            return printf("%s %s\n", program->name, PACKAGE_VERSION) < 0;
        if (c == '?')
            return help(program, stderr);
        if (c == OPTION_CONFIG)
            call.config = optarg;
        else if (c == OPTION_CHECK)
            call.only_check = true;
        else
            call.orders[c - OPTION_ORDER] = optarg;
    }
    if (optind != argc || !is_one_task(&call))
        return help(program, stderr);
    return run_logged(program, &call, run);
}

/* ---- shutters ------------------------------------------------------------------------------ */

enum outcome program_close_shutters(struct error *err)
{
    const struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0)
        return fail(err, ERR_INTERNAL, "forbidding core dumps: %s", strerror(errno));
    return OK;
}

/* ---- the end ------------------------------------------------------------------------------- */

static sigset_t ending_signals(const struct program *program)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (program->hangup_ends)
        sigaddset(&signals, SIGHUP);
    return signals;
}

void program_block_signals(const struct program *program)
{
    sigset_t signals = ending_signals(program);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

void program_wait(const struct program *program)
{
    sigset_t signals = ending_signals(program);
    int number;
    while (sigwait(&signals, &number) != 0)
        ;
    LOG(INFO, program->stopping, INT("signal", number));
}

static void *wait_and_close(void *context)
{
    const struct program_waiter *waiter = context;
    program_wait(waiter->program);
    queue_close(waiter->queue);
    return NULL;
}

enum outcome program_waiter_start(struct program_waiter *waiter, struct error *err)
{
    int failed = pthread_create(&waiter->thread, NULL, wait_and_close, waiter);
    if (failed != 0)
        return fail(err, ERR_INTERNAL, "starting a thread: %s", strerror(failed));
    return OK;
}

void program_waiter_join(struct program_waiter *waiter)
{
    pthread_join(waiter->thread, NULL);
}
