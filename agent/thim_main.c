/* muster-agent-thim: one GET to Azure's host, for muster-agent, which speaks no HTTP itself. The
 * answer goes to standard output as it came. */
#include <stdio.h>
#include <string.h>

#include "lib/attest/thim.h"
#include "lib/base/log.h"
#include "lib/net/http.h"

enum { USED_WRONGLY = 2, WAIT_MS = 5000 };

static enum outcome get(const char *url, struct http_answer *out, struct error *err)
{
    static const struct http_header metadata = {"Metadata", "true"};
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = &metadata,
        .header_count = 1,
        .timeout_ms = WAIT_MS,
        .answer_limit = THIM_ANSWER_MAX,
    };
    OWNED(http_drop) struct http *http = http_new();
    TRY(http_send(http, &request, out, err));
    if (out->status != 200)
        return fail_code(err, ERR_UNREACHABLE, "no-answer", "the host answers with %d",
                         out->status);
    return OK;
}

static bool pass_on(struct span body)
{
    return (body.len == 0 || fwrite(body.at, 1, body.len, stdout) == body.len) &&
           fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    struct error err = {0};
    log_start("muster-agent-thim");
    if (argc != 2 || strncmp(argv[1], "http", 4) != 0) {
        fprintf(stderr, "usage: muster-agent-thim URL\n");
        return USED_WRONGLY;
    }
    if (get(argv[1], &answer, &err) != OK) {
        log_error("certificates.not-had", &err);
        return outcome_exit_code(err.outcome);
    }
    return pass_on(bytes_span(&answer.body)) ? 0 : 1;
}
