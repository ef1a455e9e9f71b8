/* What every handler of the API is given, and the steps from a call at the door to its answer:
 * route, caller, parameters, body, once-only, handler, problem document. */
#ifndef MUSTER_CONTROLLER_HTTP_REQUEST_H
#define MUSTER_CONTROLLER_HTTP_REQUEST_H

#include "controller/auth.h"
#include "controller/http_server.h"
#include "controller/service.h"
#include "lib/base/record.h"
#include "lib/model/audit.h"

struct cert;
struct charter_signers;
struct key;
struct route;
struct snp_roots;
struct verify_gate;

/* The rest of the controller as the API sees it: service.h's functions, or a test's own. */
struct api_service {
    struct service *service;
    enum outcome (*generate)(struct service *, const struct generate_wish *,
                             struct generate_reply *, struct error *);
    enum outcome (*opinion)(struct service *, const struct opinion_wish *, struct opinion_reply *,
                            struct error *);
    enum outcome (*keys)(struct service *, json_t **out, struct error *);
    enum outcome (*charter)(struct service *, const char *jws, int64_t *out_serial, struct error *);
    void (*keepers)(struct service *, struct service_keepers *);
    enum outcome (*attest)(struct service *, const struct uuid *, const char *why, struct error *);
    void (*wake)(struct service *);
};

/* Shared by the threads of the API; read-only but for what guard and gate lock themselves. */
struct api {
    const char *database; /* URL */
    const char *project;  /* of callers that have none, such as strangers in the audit trail */
    struct api_service service;
    const struct snp_roots *endorsement_roots;       /* NULL: AMD's */
    const struct charter_signers *catalogue_signers; /* NULL: no edition can be loaded */
    const struct key *seal_key;                      /* the controller's own: seals bundles */
    const struct cert *seal_cert;
    struct auth_guard *guard;
    struct verify_gate *verify_gate;
};

enum { REQUEST_ARGS_MAX = 2, LIST_LIMIT_MAX = 1000, LIST_LIMIT_USUAL = 100 };

struct request {
    const struct api *api;
    struct db *db;
    const struct http_call *call;
    struct http_reply *reply;
    const struct route *route;
    struct caller caller;
    char actor[AUDIT_ACTOR_SIZE];       /* "token:<label>" */
    const char *args[REQUEST_ARGS_MAX]; /* what stood for {name}, in order */
    json_t *body;                       /* an object, empty when none came; NULL for GET */
    json_t *problem; /* more members for the problem document, when it comes to one; owned */
};

/* What http_server calls; `owner` is the struct api. */
struct http_owner api_http_owner(struct api *api);

/* ---- for handlers -------------------------------------------------------------------------- */

/* Answer with JSON; takes `value` over. */
void request_answer(struct request *r, int status, json_t *value);
/* 201 with Location `path`/`name`. */
void request_answer_made(struct request *r, const char *path, const char *name, json_t *value);
/* ETag: "<epoch>". */
void request_tag(struct request *r, int64_t epoch);
/* What If-Match asks for; 0 when it is absent or "*". ERR_INVALID "bad-request". */
enum outcome request_if_match(const struct request *r, int64_t *out_epoch, struct error *err);

const char *request_query(const struct request *r, const char *name); /* NULL: not given */
enum outcome request_query_bool(const struct request *r, const char *name, bool *out,
                                struct error *err);
/* ?limit=, 1..LIST_LIMIT_MAX. */
enum outcome request_limit(const struct request *r, int64_t *out, struct error *err);
/* {id} of the path. Not a UUID is not found, for no such thing can be there. */
enum outcome request_id(const struct request *r, size_t arg, struct uuid *out, struct error *err);

/* PUT: `now` with the members of the body in place of its own, without what is read only. A thing
 * keeps its name: ERR_INVALID "name-is-fixed". */
enum outcome request_merge(const struct request *r, const struct record *record, const void *now,
                           json_t **out, struct error *err);

/* Pages of things that are in the order of their names: the cursor is opaque to callers. */
enum outcome request_cursor(const struct request *r, char out_after[static NAME_SIZE],
                            struct error *err);
/* {"items": [...], "cursor": ...}; no cursor when there is no further page. Takes `items` over. */
void request_answer_page(struct request *r, json_t *items, const char *last_name, bool more);

#endif
