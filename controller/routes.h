/* What the API serves: one row a method and path. controller/openapi.json says the same to others,
 * and a test holds the two together. */
#ifndef MUSTER_CONTROLLER_ROUTES_H
#define MUSTER_CONTROLLER_ROUTES_H

#include "controller/http_request.h"

/* Who may: sets of roles. */
enum {
    MAY_ANYBODY = 0, /* even without a token */
    MAY_READ = (1 << CALLER_ROLE_COUNT) - 1,
    MAY_OPERATE = 1 << CALLER_OPERATOR | 1 << CALLER_ADMIN,
    MAY_SECURE = 1 << CALLER_SECURITY | 1 << CALLER_ADMIN,
    MAY_OPERATE_OR_SECURE = MAY_OPERATE | MAY_SECURE,
    MAY_AUDIT = 1 << CALLER_AUDITOR | MAY_SECURE,
};

enum route_flag {
    ROUTE_OUTSIDE = 1, /* asks a keeper, or replays: no transaction may stand open around it */
};

struct route {
    const char *method;
    const char *pattern; /* "/v1/fleets/{name}" */
    unsigned may;
    enum outcome (*handle)(struct request *, struct error *);
    const char *query; /* the parameters it knows, a space between them */
    unsigned flags;
};

extern const struct route routes[];
extern const size_t route_count;

/* The row for a call; fills `args`. ERR_NOT_FOUND "no-such-route"; ERR_INVALID "wrong-method", then
 * and for OPTIONS `allow` says what there is. */
enum outcome route_find(const char *method, const struct http_target *target,
                        const struct route **out, const char *args[static REQUEST_ARGS_MAX],
                        char *allow, size_t allow_size, struct error *err);

/* ERR_INVALID "unknown-parameter", `where` "?name". */
enum outcome route_check_query(const struct route *route, const struct http_target *target,
                               struct error *err);

#endif
