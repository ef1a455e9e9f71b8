#include "agent/passport_command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/local_request.h"
#include "agent/settings.h"

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

static void close_drop(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static enum outcome failed(const char *what, struct error *err)
{
    return fail_code(err, ERR_UNREACHABLE, "agent-unreachable", "%s: %s", what, strerror(errno));
}

/* A little longer than the agent gives the controller. */
static enum outcome reach(const char *path, int64_t seconds, int *out, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval limit = {.tv_sec = (time_t)seconds + 10};
    TRY(text_copy(address.sun_path, sizeof address.sun_path, path, "passport-socket", err));
    *out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*out < 0 || setsockopt(*out, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(*out, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(*out, (struct sockaddr *)&address, sizeof address) != 0)
        return failed(path, err);
    return OK;
}

static enum outcome exchange(int fd, const struct local_request *request, struct bytes *out,
                             struct error *err)
{
    OWNED(text_done) struct text line = {0};
    uint8_t some[4096];
    local_request_print(request, &line);
    if (send(fd, line.at, line.len, MSG_NOSIGNAL) != (ssize_t)line.len)
        return failed("asking the agent", err);
    while (out->len <= LOCAL_ANSWER_MAX) {
        ssize_t n = recv(fd, some, sizeof some, 0);
        if (n < 0)
            return failed("the agent's answer", err);
        if (n == 0)
            break;
        bytes_add(out, SPAN(some, (size_t)n));
    }
    if (out->len == 0 || out->at[out->len - 1] != '\n')
        return fail_code(err, ERR_UNREACHABLE, "agent-unreachable", "the agent answered nothing");
    out->len--;
    return OK;
}

static enum outcome ask(const struct command_line *wish, int64_t seconds, const char *path,
                        struct error *err)
{
    OWNED(close_drop) int fd = -1;
    OWNED(bytes_wipe) struct bytes answer = {0};
    OWNED(mem_drop) char *token = NULL;
    OWNED(mem_drop) char *proof = NULL;
    TRY(reach(path, seconds, &fd, err));
    TRY(exchange(fd, &wish->request, &answer, err));
    TRY(local_answer_parse(bytes_span(&answer), &token, &proof, err));
    if (puts(token) < 0 || (proof != NULL && puts(proof) < 0) || fflush(stdout) != 0)
        return fail(err, ERR_INTERNAL, "standard output is closed");
    return OK;
}

static enum outcome run(const struct command_line *wish, struct error *err)
{
    OWNED(agent_settings_done) struct agent_settings settings = {0};
    TRY(agent_settings_read(wish->config, &settings, err));
    if (settings.passport_socket[0] == '\0')
        return fail_code(err, ERR_INVALID, "bad-setting", "%s names no passport-socket",
                         wish->config);
    return ask(wish, settings.answer_seconds, settings.passport_socket, err);
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
    struct command_line wish = {.config = "/etc/muster/agent.conf"};
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
    if (run(&wish, &err) == OK)
        return 0;
    fprintf(stderr, "muster-agent: %s: %s\n", err.code, err.text);
    return outcome_exit_code(err.outcome);
}
