/* The simulator's security processor: one line of JSON each way over a unix socket. Left out of
 * production packages (trust.md section 3). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/tee.h"
#include "lib/base/json.h"

enum { WAIT_SECONDS = 20, ANSWER_MAX = 2 * TEE_CERTS_MAX };

static void close_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static enum outcome dial(const char *path, int *out, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return fail(err, ERR_INVALID, "path too long for a socket: %.120s", path);
    memcpy(address.sun_path, path, strlen(path));
    OWNED(close_drop) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval wait = {.tv_sec = WAIT_SECONDS};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        return fail(err, ERR_UNREACHABLE, "%s: %s", path, strerror(errno));
    *out = fd;
    fd = -1;
    return OK;
}

static enum outcome send_line(int fd, const char *line, struct error *err)
{
    for (size_t left = strlen(line); left > 0;) {
        ssize_t n = send(fd, line, left, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, ERR_UNREACHABLE, "asking the simulator: %s", strerror(errno));
        line += n;
        left -= (size_t)n;
    }
    return OK;
}

static enum outcome receive_line(int fd, struct bytes *out, struct error *err)
{
    uint8_t block[4096];
    while (out->len == 0 || memchr(out->at, '\n', out->len) == NULL) {
        ssize_t n = recv(fd, block, sizeof block, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(err, ERR_UNREACHABLE, "the simulator's answer broke off: %s",
                        n < 0 ? strerror(errno) : "closed");
        if (out->len + (size_t)n > ANSWER_MAX)
            return fail_code(err, ERR_INVALID, "too-large", "the simulator's answer is too long");
        bytes_add(out, SPAN(block, (size_t)n));
    }
    return OK;
}

static enum outcome read_answer(struct span line, struct evidence *out, struct error *err)
{
    OWNED(json_drop) json_t *answer = NULL;
    TRY(json_parse(line, ANSWER_MAX, &answer, err));
    if (json_object_get(answer, "error") != NULL) {
        const char *why;
        TRY(json_get_text(answer, "", "error", ERROR_TEXT_SIZE, &why, err));
        return fail_code(err, ERR_CONFLICT, "simulator-refused", "the simulator says: %.200s", why);
    }
    TRY(json_get_base64(answer, "", "report", TEE_REPORT_SIZE, &out->report, err));
    if (json_object_get(answer, "cert_table") == NULL)
        return OK;
    return json_get_base64(answer, "", "cert_table", TEE_CERTS_MAX, &out->cert_table, err);
}

static enum outcome simulated_prove(void *self, const struct evidence_binding *asked,
                                    struct evidence *out, struct error *err)
{
    OWNED(json_drop) json_t *request = json_object();
    json_put_hex(request, "report_data", SPAN_OF(asked->digest));
    OWNED(mem_drop) char *body = json_print(request);
    OWNED(text_done) struct text line = {0};
    text_addf(&line, "%s\n", body);
    OWNED(close_drop) int fd = -1;
    OWNED(bytes_done) struct bytes answer = {0};
    TRY(dial(self, &fd, err));
    TRY(send_line(fd, text_str(&line), err));
    TRY(receive_line(fd, &answer, err));
    size_t len = (size_t)((uint8_t *)memchr(answer.at, '\n', answer.len) - answer.at);
    return read_answer(span_part(bytes_span(&answer), 0, len), out, err);
}

static enum outcome simulated_open(const struct tee_places *places, void **out, struct error *err)
{
    if (places->socket == NULL || places->socket[0] == '\0')
        return fail_code(err, ERR_INVALID, "missing-setting",
                         "tee = simulated needs tee-socket, the simulator's socket");
    *out = mem_text(places->socket);
    return OK;
}

const struct tee_driver tee_simulated_driver = {
    .name = "simulated",
    .kind = EVIDENCE_SIMULATED,
    .open = simulated_open,
    .close = free,
    .report_size = TEE_REPORT_SIZE,
    .prove = simulated_prove,
};
