/* A request's target (RFC 9112 origin form), decoded strictly: what could be read two ways is
 * refused, so that nobody in front of us can have read it another way. */
#ifndef MUSTER_CONTROLLER_HTTP_TARGET_H
#define MUSTER_CONTROLLER_HTTP_TARGET_H

#include "lib/base/text.h"

enum { HTTP_TARGET_MAX = 4096, HTTP_QUERY_MAX = 32, HTTP_SEGMENTS_MAX = 16 };

struct http_pair {
    char *name;
    char *value;
};

struct http_target {
    char *segments[HTTP_SEGMENTS_MAX]; /* decoded; none for "/" */
    size_t segment_count;
    struct http_pair query[HTTP_QUERY_MAX]; /* decoded; no name comes twice */
    size_t query_count;
};

/* ERR_INVALID "bad-target": not origin form, bytes that may not stand unescaped, bad escapes, %00,
 * an escaped slash, empty segments, "." and "..", a parameter twice, too much of anything. */
enum outcome http_target_parse(const char *raw, struct http_target *out, struct error *err);
void http_target_done(struct http_target *target);

/* NULL when it was not given. */
const char *http_target_query(const struct http_target *target, const char *name);

#endif
