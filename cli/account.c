#include "cli/account.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/account_explain.h"
#include "cli/account_test.h"
#include "cli/arguments.h"
#include "lib/base/text.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static bool is_interrupted(void)
{
    return interrupted != 0;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

struct test_arguments {
    const char *file;
    bool json;
    int64_t wait_seconds;
};

static enum outcome read_arguments(int argc, char **argv, struct test_arguments *out,
                                   struct error *err)
{
    *out = (struct test_arguments){.wait_seconds = 300};
    const char *wait = NULL;
    const char *output = NULL;
    const struct argument table[] = {
        {"--file", .text = &out->file},
        {"--wait", .text = &wait},
        {"-o", .text = &output},
        {"--output", .text = &output},
    };
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (out->file == NULL)
        return fail(err, ERR_INVALID, "--file ACCOUNT.json is needed");
    if (wait != NULL && number_parse(wait, 1, 3600, &out->wait_seconds, err) != OK)
        return error_context(err, "--wait");
    out->json = output != NULL && strcmp(output, "json") == 0;
    if (output != NULL && !out->json && strcmp(output, "table") != 0)
        return fail(err, ERR_INVALID, "-o takes json or table, not '%.40s'", output);
    return OK;
}

static enum outcome run_test(const struct test_arguments *arguments, struct error *err)
{
    OWNED(account_done) struct account account = {0};
    OWNED(json_drop) json_t *report = NULL;
    if (account_read(arguments->file, &account, err) != OK) /* unusable, so used wrongly */
        return fail_code(err, ERR_INVALID, err->code, "%s", err->text);
    catch_signals();
    const struct account_test_options options = {
        .wait_seconds = arguments->wait_seconds,
        .progress = arguments->json ? NULL : stdout,
        .stop = is_interrupted,
    };
    enum outcome outcome = account_test(&account, &options, &report, err);
    if (arguments->json) {
        OWNED(mem_drop) char *text = json_print_pretty(report);
        puts(text);
    } else {
        printf("%s %s\n", account.name, outcome == OK ? "passed" : "FAILED");
    }
    return outcome;
}

static enum outcome test_main(int argc, char **argv, struct error *err)
{
    struct test_arguments arguments;
    TRY(read_arguments(argc, argv, &arguments, err));
    return run_test(&arguments, err);
}

static enum outcome explain_answer(int argc, char **argv, struct error *err)
{
    const char *file = NULL;
    OWNED(json_drop) json_t *answer = NULL;
    const struct argument table[] = {{"--file", .text = &file}};
    TRY(arguments_read(argc, argv, 2, table, countof(table), err));
    if (file == NULL)
        return fail(err, ERR_INVALID, "--file ANSWER.json is needed");
    TRY(account_explain(file, &answer, err));
    OWNED(mem_drop) char *text = json_print(answer);
    return print_line(text, err);
}

static const struct {
    const char *name;
    enum outcome (*run)(int argc, char **argv, struct error *err);
} verbs[] = {
    {"test", test_main},
    {"explain", explain_answer},
};

static int failed(const struct error *err)
{
    fprintf(stderr, "muster: %s: %s\n", err->code, err->text);
    return outcome_exit_code(err->outcome);
}

int account_main(int argc, char **argv)
{
    struct error err = {0};
    for (size_t i = 0; argc >= 2 && i < countof(verbs); i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc, argv, &err) == OK ? 0 : failed(&err);
    fputs("usage: muster account test --file ACCOUNT.json [--wait SECONDS] [-o json|table]\n"
          "       muster account explain --file ANSWER.json\n",
          stderr);
    return outcome_exit_code(ERR_INVALID);
}
