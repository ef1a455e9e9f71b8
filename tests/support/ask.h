/* The API without a socket: whole calls go to its threads' answer(), on a real database and with a
 * service that does as it is told. Every answer is held to openapi.json. */
#ifndef MUSTER_TESTS_ASK_H
#define MUSTER_TESTS_ASK_H

#include "controller/http_request.h"
#include "db/instance_store.h"

enum { ASK_TOKEN_SIZE = CALLER_TOKEN_MAX + 8 }; /* with "Bearer " */

/* The service behind the API: what it was asked, and how it shall answer. */
struct ask_fake {
    int generated, charters, attested, woken, opinions;
    enum outcome outcome; /* of the next calls */
    const char *code;
    struct service_keepers keepers;
    json_t *keys; /* a loan; NULL: no keeper has said */
};
extern struct ask_fake ask_fake;
extern struct db *ask_db;
extern char ask_tokens[CALLER_ROLE_COUNT][ASK_TOKEN_SIZE];

struct ask {
    const char *authorization;
    const char *key;
    const char *if_match;
    const char *content_type;
    const char *address;
};

struct told {
    int status;
    json_t *body;
    struct http_reply reply;
    const char *code;  /* of a problem, else "" */
    const char *where; /* the same */
};
void told_done(struct told *told);
const char *told_member(const json_t *object, const char *name); /* "" when it is no text */

struct told ask_with(const struct ask *with, const char *method, const char *target,
                     const char *body);
struct told ask_as(enum caller_role role, const char *method, const char *target, const char *body);
struct told ask(const char *method, const char *target, const char *body); /* as admin */

/* Ask, look at the status, forget. */
void ask_does(const char *method, const char *target, const char *body, int status);
void ask_refused(const char *method, const char *target, const char *body, int status,
                 const char *code, const char *where);

#define assert_told(told, expected)                                                                \
    do {                                                                                           \
        if ((told).status != (expected))                                                           \
            fail_msg("%d, not %d: %.*s", (told).status, (expected), (int)(told).reply.body.len,    \
                     (const char *)(told).reply.body.at);                                          \
    } while (0)

#define assert_problem(told, expected_status, expected_code)                                       \
    do {                                                                                           \
        assert_told((told), (expected_status));                                                    \
        assert_string_equal((told).code, (expected_code));                                         \
        assert_string_equal((told).reply.content_type, "application/problem+json");                \
    } while (0)

/* ---- a little world: account acme and image stock are there ---- */

#define ASK_ACCOUNT                                                                                \
    "{\"name\":\"acme\",\"driver\":\"aws\",\"region\":\"eu-west-1\","                              \
    "\"credentials\":{\"source\":\"environment\"}}"
#define ASK_IMAGE "{\"name\":\"stock\",\"driver\":\"aws\",\"ref\":\"ami-0abc\"}"
#define FLEET(name, desired)                                                                       \
    "{\"name\":\"" name "\",\"desired\":" desired ",\"account\":\"acme\",\"image\":\"stock\","     \
    "\"size\":\"m6a.large\",\"policy\":\"web\",\"secrets\":[\"web-key\"]}"

struct instance ask_instance(const char *fleet);          /* phase requested */
struct uuid ask_verdict(const struct instance *instance); /* trusted, for ten minutes */

/* For cmocka: open and close a group, and quiet() before each test. */
int ask_open(void **state);
int ask_close(void **state);
int ask_quiet(void **state);

struct charter_signers;

/* What endorsements are checked against from now on; NULL: AMD's. */
struct snp_roots;
void ask_endorsement_roots(const struct snp_roots *roots);

/* What bundles are sealed with; borrowed. */
void ask_seal_with(const struct key *key, const struct cert *cert);

/* Whose editions of the catalogue count; borrowed. */
void ask_catalogue_signers(const struct charter_signers *signers);

/* From now on the API has this database; NULL: its own again. */
void ask_database(const char *url);

#endif
