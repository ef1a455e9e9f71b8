/* One request in, one answer out, blocking: the only door to libcurl. TLS is always verified,
 * nothing is followed, repeated or sent through a proxy, and every header is ours. */
#ifndef MUSTER_NET_HTTP_H
#define MUSTER_NET_HTTP_H

#include "lib/base/bytes.h"

enum {
    HTTP_ANSWER_MAX = 8 * 1024 * 1024,
    HTTP_HEADERS_MAX = 64 * 1024,
    HTTP_TIMEOUT_MS = 30000,
};

struct http_header {
    const char *name;
    const char *value;
};

struct http_request {
    const char *method; /* "GET", "POST", ... */
    const char *url;    /* http:// or https:// */
    const struct http_header *headers;
    size_t header_count;
    struct span body;    /* sent for every method but GET; may be empty */
    int64_t timeout_ms;  /* whole exchange; 0 is HTTP_TIMEOUT_MS */
    size_t answer_limit; /* 0 is HTTP_ANSWER_MAX */
    const char *ca_file; /* PEM; NULL is the system's */
};

struct http_answer {
    int status;
    char content_type[96];
    int64_t retry_after_seconds; /* 0 when not told */
    struct bytes body;
    struct bytes headers; /* "name\0value\0" each, as they came */
};

void http_answer_done(struct http_answer *answer);

/* The value of a header, the first where there are several; NULL when there is none. A loan. */
const char *http_answer_header(const struct http_answer *answer, const char *name);
/* Puts a header in, as if it had come: for answers that are read from elsewhere. */
void http_answer_put_header(struct http_answer *answer, const char *name, const char *value);

struct http; /* one a thread */

struct http *http_new(void);
void http_free(struct http *http);
DROP(http_drop, struct http, http_free)

/* Any status is an answer. ERR_UNREACHABLE: not a byte of the request left, so it may be repeated
 * ("unreachable", "tls-refused"). ERR_AMBIGUOUS: it may have been received ("timeout", "cut-off",
 * "answer-too-large"). ERR_INVALID: the request itself is no good. */
enum outcome http_send(struct http *http, const struct http_request *request,
                       struct http_answer *out, struct error *err);

#endif
