#include "agent/evidence_command.h"

#include <getopt.h>
#include <stdio.h>

#include "agent/local_ask.h"

static const char usage[] =
    "usage: muster-agent evidence [--config FILE] --nonce HEX\n"
    "Prints evidence over a relying party's nonce (16 to 64 bytes) and this machine's link key, to "
    "be\n"
    "shown to that party: {\"evidence\": {...}, \"link_key\": BASE64}.\n";

static int used_wrongly(const char *why)
{
    if (why != NULL)
        fprintf(stderr, "muster-agent: %s\n", why);
    fputs(usage, stderr);
    return outcome_exit_code(ERR_INVALID);
}

static enum outcome run(const char *config, const struct local_request *request, struct error *err)
{
    OWNED(bytes_done) struct bytes answer = {0};
    TRY(local_ask(config, request, &answer, err));
    TRY(local_shown_parse(bytes_span(&answer), err));
    bytes_add_u8(&answer, '\n');
    if (fwrite(answer.at, 1, answer.len, stdout) != answer.len || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "standard output is closed");
    return OK;
}

int evidence_command(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"nonce", required_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct error err = {0};
    struct local_request request = {.wish = LOCAL_EVIDENCE};
    const char *config = AGENT_CONFIG;
    const char *nonce = "";
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'h')
            return fputs(usage, stdout) < 0;
        if (c == 'c')
            config = optarg;
        else if (c == 'n')
            nonce = optarg;
        else
            return used_wrongly(NULL);
    }
    if (optind != argc)
        return used_wrongly("one nonce is needed, and nothing else");
    if (local_nonce_parse(nonce, &request, &err) != OK)
        return used_wrongly(err.text);
    return run(config, &request, &err) == OK ? 0 : local_failed(&err);
}
