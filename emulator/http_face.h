/* The emulator's HTTP server, on loopback only: one door to libmicrohttpd. */
#ifndef MUSTER_EMULATOR_HTTP_FACE_H
#define MUSTER_EMULATOR_HTTP_FACE_H

#include "lib/base/text.h"

enum { FACE_BODY_MAX = 256 * 1024, FACE_HEADERS_MAX = 8 };

struct face;

struct face_request {
    const char *method;
    const char *path;
    struct span body;
    bool tls;
    void *connection;
    const struct face *face;
};

/* NULL when absent; a loan until the handler returns. */
const char *face_header(const struct face_request *request, const char *name);
const char *face_argument(const struct face_request *request, const char *name);

struct face_header {
    char name[64];
    char value[512];
};

struct face_answer {
    int status;
    const char *content_type; /* static */
    struct text body;
    struct face_header headers[FACE_HEADERS_MAX];
    size_t header_count;
    int64_t delay_ms;
    int64_t retry_after_seconds; /* a header, when not 0 */
    bool cut;                    /* close the connection without a word */
};

PRINTF(3, 4) void face_say(struct face_answer *answer, const char *name, const char *format, ...);

/* For a handler that waits. True: the server ends, so answer now. */
bool face_pause(const struct face_request *request, int64_t ms);

/* Called in a thread of the connection's own. */
typedef void face_fn(void *context, const struct face_request *request, struct face_answer *out);

/* A server's key and certificate, PEM, for as long as the face is open. */
struct face_tls {
    const char *key;
    const char *certificate;
};

/* Port 0 takes a free one; `out_port` says which. Without `tls` plain HTTP. */
enum outcome face_open(int64_t port, const struct face_tls *tls, face_fn *handler, void *context,
                       struct face **out, int64_t *out_port, struct error *err);
void face_close(struct face *face); /* waits for those being answered; NULL is fine */

#endif
