/* A whole controller but for its API, on a real PostgreSQL and a real link. The test is its guests
 * and its keeper: what the keeper concludes of whom is the test's to say. */
#ifndef MUSTER_TESTS_FRONT_DESK_H
#define MUSTER_TESTS_FRONT_DESK_H

#include "controller/service.h"
#include "db/verdict_store.h"
#include "tests/support/link_party.h"

struct front {
    char *folder, *cert_file, *key_file, *root_file;
    struct desk there; /* for link_party: its root and url are the controller's */
    struct service_settings settings;
    struct service *service;
    struct db *db;
    struct caller keeper;
    uint8_t keeper_boot[8];
    int64_t keeper_serial;     /* of the charter it obeys */
    int64_t keeper_ahead;      /* seconds, of its clock before ours */
    struct keeper_status told; /* how it is, when it is asked */
    const char *jwks;          /* what the next one says it signs with; NULL: nothing */
    bool undeclared;           /* it saw a document of a machine that nobody had told it of */
    const char *refusal;       /* why the keeper refuses; NULL: "policy-measurement" */
};
extern struct front front;
/* Settings; 0: as usual. */
extern int64_t front_keeper_seconds, front_probe_seconds, front_at_once, front_per_second;

enum { FRONT_STOP_MS = 20000 };

/* For cmocka: database, root and certificates are there, and the controller runs. */
int front_open(void **state);
int front_close(void **state);
#define AT_FRONT(test) cmocka_unit_test_setup_teardown(test, front_open, front_close)

/* The same controller, anew: whatever was in its memory is gone. */
void front_restart(void);

/* A keeper dials in and is welcome. `boot` names its start. */
void front_keeper(uint8_t boot, const char *version);
/* Or it may not be, by the protocol that it speaks. */
enum outcome front_keeper_says(uint8_t boot, int64_t protocol, const char *version,
                               struct error *err);
/* It was offered the stored charter, and takes it. */
void front_keeper_obeys(int64_t serial);
/* Waits until it is asked how it is, and answers. */
void front_keeper_says_how_it_is(void);
/* Waits for what it is asked next but for how it is; `out` may be NULL. */
uint64_t front_keeper_asked(enum verb wanted, const struct record *record, void *out);
void front_keeper_answers(uint64_t id, const struct record *record, const void *object);

/* ---- guests -------------------------------------------------------------------------------- */

struct visitor {
    struct caller caller;
    uint8_t link_key[SHA256_SIZE];
    struct key *sealing;
    struct uuid instance;
};

/* With a link key of its own, connected; it says nothing yet. */
struct visitor visitor_open(void);
void visitor_done(struct visitor *visitor);

/* A booting instance with a launch ticket, whose text is given. */
struct uuid front_instance(const char *fleet, const char *ticket);
struct instance front_row(const struct uuid *id);

enum outcome visitor_hello(struct visitor *v, const struct uuid *instance, const char *ticket,
                           struct hello_reply *out, struct error *err);
/* A challenge, and evidence over it; the keeper passes or refuses it. `boot` is its report id. */
enum outcome visitor_prove(struct visitor *v, bool passes, uint8_t boot, struct verdict_notice *out,
                           struct error *err);
/* No keeper is asked: the controller itself says no. */
enum outcome visitor_turned_away(struct visitor *v, struct error *err);
/* What must go well: its hello, a verdict that trusts it. And is the row's link key its own? */
void visitor_opens(struct visitor *v, const struct uuid *instance, const char *ticket);
void visitor_passes(struct visitor *v, uint8_t boot);
bool visitor_holds(const struct uuid *instance, const struct visitor *v);
bool front_alarmed(const char *code); /* now */
/* The same in two: between them others may act. */
enum outcome visitor_challenge(struct visitor *v, struct challenge *out, struct error *err);
enum outcome visitor_answer(struct visitor *v, const struct challenge *challenge, bool passes,
                            uint8_t boot, struct verdict_notice *out, struct error *err);

/* A passport is asked for; the keeper is asked for it, and gives or refuses it; and what comes of
 * it. */
uint64_t visitor_asks_passport(struct visitor *v, const char *relying_party);
uint64_t front_keeper_asked_passport(struct passport_wish *out);
void front_keeper_gives_passport(uint64_t id, const struct passport_reply *reply);
void front_keeper_refuses(uint64_t id, const char *code);
enum outcome visitor_hears_passport(struct visitor *v, uint64_t id, struct passport_answer *out,
                                    struct error *err);

/* ---- many at once: what is asked comes as it comes, and the test answers --------------------- */

uint64_t visitor_begins(struct visitor *v);
uint64_t visitor_sends(struct visitor *v, const uint8_t nonce[static NONCE_SIZE]);
void front_keeper_challenges(uint64_t asked);
enum outcome visitor_hears(struct visitor *v, uint64_t id, struct verdict_notice *out,
                           struct error *err);
void front_keeper_concludes(uint64_t asked, struct visitor *v, bool passes, uint8_t boot);

#endif
