#include "agent/passport_command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/local_ask.h"

static const char usage[] =
    "usage: muster-agent passport [--config FILE] [--challenge TEXT] NAME\n"
    "Prints a passport for the relying party NAME of the charter. With --challenge, what the party "
    "asked\n"
    "for, a second line proves that this machine holds the key the passport names.\n";

struct command_line {
    const char *config;
    struct local_request request;
};

static int used_wrongly(const char *why)
{
    if (why != NULL)
        fprintf(stderr, "muster-agent: %s\n", why);
    fputs(usage, stderr);
    return outcome_exit_code(ERR_INVALID);
}

static enum outcome run(const struct command_line *wish, struct error *err)
{
    OWNED(bytes_wipe) struct bytes answer = {0};
    OWNED(mem_drop) char *token = NULL;
    OWNED(mem_drop) char *proof = NULL;
    TRY(local_ask(wish->config, &wish->request, &answer, err));
    TRY(local_answer_parse(bytes_span(&answer), &token, &proof, err));
    if (puts(token) < 0 || (proof != NULL && puts(proof) < 0) || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "standard output is closed");
    return OK;
}

static enum outcome read_words(int argc, char **argv, const char *challenge,
                               struct command_line *out, struct error *err)
{
    if (optind + 1 != argc || !text_is_name(argv[optind]))
        return fail(err, ERR_INVALID, "the name of one relying party is needed");
    TRY(text_copy(out->request.relying_party, sizeof out->request.relying_party, argv[optind], "",
                  err));
    return text_copy(out->request.challenge, sizeof out->request.challenge, challenge,
                     "--challenge", err);
}

int passport_command(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"challenge", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct error err = {0};
    struct command_line wish = {.config = AGENT_CONFIG};
    const char *challenge = "";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h')
            return fputs(usage, stdout) < 0;
        if (c == 'c')
            wish.config = optarg;
        else if (c == 'n')
            challenge = optarg;
        else
            return used_wrongly(NULL);
    }
    if (read_words(argc, argv, challenge, &wish, &err) != OK)
        return used_wrongly(err.text);
    return run(&wish, &err) == OK ? 0 : local_failed(&err);
}
