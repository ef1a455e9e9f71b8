#include "agent/local_ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/settings.h"

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

enum outcome local_ask(const char *config, const struct local_request *request, struct bytes *out,
                       struct error *err)
{
    OWNED(agent_settings_done) struct agent_settings settings = {0};
    OWNED(close_drop) int fd = -1;
    TRY(agent_settings_read(config, &settings, err));
    if (settings.passport_socket[0] == '\0')
        return fail_code(err, ERR_INVALID, "bad-setting", "%s names no passport-socket", config);
    TRY(reach(settings.passport_socket, settings.answer_seconds, &fd, err));
    return exchange(fd, request, out, err);
}

int local_failed(const struct error *why)
{
    fprintf(stderr, "muster-agent: %s: %s\n", why->code, why->text);
    return outcome_exit_code(why->outcome);
}
