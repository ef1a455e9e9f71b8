/* Where agents and keepers speak: one thread takes every event of the link, owns guests, keepers
 * and pending calls, and has a database connection of its own. So nothing here locks; HTTP threads
 * come in through the inbox. */
#ifndef MUSTER_CONTROLLER_DESK_H
#define MUSTER_CONTROLLER_DESK_H

#include <pthread.h>

#include "controller/calls.h"
#include "controller/endorser.h"
#include "controller/keepers.h"
#include "controller/key_book.h"
#include "controller/service.h"
#include "controller/slots.h"
#include "db/holder_store.h"
#include "db/ticket_store.h"
#include "lib/base/bucket.h"
#include "lib/base/map.h"
#include "lib/crypto/cert_life.h"
#include "lib/net/link_replies.h"

enum {
    AGENT_WAIT_MS = 15000,
    KEEPER_SECONDS = 30, /* between two questions how it is */
    PROBE_SECONDS = 60,  /* and between two rounds of what it must refuse */
    DESK_TICK_MS = 1000,
    DESK_ROOTS_MAX = 2,
    GUEST_REPLIES = 16,
    GUEST_REPLY_BYTES = 8 * 1024,
    DESK_ENDORSING_MAX = 128, /* appraisals that wait for certificates; fits the inbox */
};

struct desk {
    const struct service_settings *settings;
    struct db *db;
    struct link_identity *identity;
    struct cert *roots[DESK_ROOTS_MAX];
    size_t root_count;
    struct queue *events;
    struct link *link;
    struct cert_term term; /* of our own certificate */
    struct map *guests;    /* instance -> the guest that speaks for it: proven, its link key */
    struct keepers keepers;
    struct key_book *keys;
    struct calls *calls;
    struct endorser *endorser;   /* NULL: evidence goes on as it came */
    size_t endorsing;            /* appraisals that wait for it */
    struct admission *admission; /* who may prove itself when */
    int64_t controllers;         /* over this database, as last counted */
    int count_in_ticks;          /* until they are counted again */
    struct queue *inbox;         /* struct desk_task *, from HTTP threads */
    struct beat beats[BEATS_MAX];
    size_t beat_count;
    struct uuid turned[HOLDERS_MAX]; /* whose holder came or left since the last tick */
    size_t turned_count;
    char actor[HOLDER_SIZE]; /* "controller:..." in audit, and holder of delivery leases */
    int64_t next_tick_ms;
    bool release_soon;
    _Atomic bool due_soon; /* desk_wake(): something became due */
    struct uuid recalled;  /* whom recall.c looked at last; zero: begins anew */
    int recall_in_ticks;
    int plan_in_ticks; /* until everybody is looked at for new deliveries */
    _Atomic bool stopping;
    _Atomic int64_t keepers_connected; /* and answering; for other threads to look at */
    _Atomic int64_t charter_serial;
    pthread_t thread;
    bool running;
};

/* Whose connection it is, to the instance it speaks of. */
enum claim {
    CLAIM_FIRST,  /* nobody has passed for it yet; this one has the ticket */
    CLAIM_HOLDER, /* the last verdict's link key is this connection's */
    CLAIM_OTHER,  /* another one's is */
};

/* One agent's connection. It belongs to the link's peer and goes with its LINK_CLOSED. */
struct guest {
    struct desk *desk;
    struct link_peer *peer;
    struct uuid instance;
    bool known;   /* its hello was accepted */
    bool proven;  /* the verdict's link key is this connection's */
    bool greeted; /* its row says running */
    bool busy;    /* a challenge or an appraisal is under way, or waits for its turn */
    enum claim claim;
    struct moment good_until; /* of the holder: its verdict's end */
    bool demanded;            /* we asked for its evidence */
    struct slot *slot;
    struct ticket_hold hold; /* first enrolment: it showed the launch ticket */
    enum evidence_kind kind;
    uint8_t nonce[NONCE_SIZE];
    bool challenged;
    struct bytes evidence;
    int64_t parts;
    int64_t next_part;
    struct bucket passports;
    struct link_replies *replies;
};

/* What HTTP threads ask of the desk; run on its thread, once. `run` frees the task. */
struct desk_task {
    void (*run)(struct desk *desk, struct desk_task *task); /* desk NULL: it is shutting down */
};

enum outcome desk_start(struct desk *desk, struct error *err);
bool desk_stop(struct desk *desk, int64_t wait_ms);
bool desk_put(struct desk *desk, struct desk_task *task); /* false: busy or shutting down */
void desk_wake(struct desk *desk);

/* Answers to an agent's request; kept, so that a repeated one is answered from memory. */
void guest_reply(struct guest *guest, uint64_t id, const struct record *record, const void *object);
void guest_refuse(struct guest *guest, uint64_t id, const struct error *why);
void guest_put_off(struct guest *guest, uint64_t id, int64_t after_ms);

/* An answer that comes later: keeps the peer, so the guest can be looked for when it comes. */
struct later {
    struct desk *desk;
    struct link_peer *peer;
    struct slot *slot; /* stays taken until then */
    uint64_t id;
    uint8_t keeper_boot[8]; /* of the keeper that is asked; zero: it does not matter */
};
struct later *later_new(struct guest *guest, uint64_t id);
struct guest *later_guest(struct later *later); /* NULL: the connection is gone */
void later_free(struct later *later);

/* The rows of the desk's table of verbs (guests.c, attestation.c, passport.c). */
typedef enum outcome guest_fn(struct guest *guest, uint64_t id, const json_t *message,
                              struct error *err);
guest_fn guest_hello, guest_attest_begin, guest_evidence, guest_heartbeat, guest_passport;
void guest_frame(struct guest *guest, struct link_event *event);
struct guest *guest_new(struct desk *desk, struct link_peer *peer);
void guest_free(struct guest *guest);
/* Is this connection's key the one that passed last? */
bool guest_is_holder(const struct guest *guest, const struct instance *instance);
/* From now on this connection speaks for the instance; another one is closed. */
void guest_takes_over(struct guest *guest);
/* Its evidence is wanted now; told in a NOTE, and then it goes before others. */
enum outcome guest_demand(struct guest *guest, const char *why, struct error *err);
/* attestation.c: its turn has come. `begin` is a loan. */
void guest_challenge(struct guest *guest, uint64_t id, const struct attest_begin *begin);

/* holders.c: which instances' holders are on this controller's link, for the others over the
 * database to know; and whose evidence they want. The database lags by a tick at most. */
void holders_note(struct desk *desk, const struct uuid *instance); /* its holder came or left */
void holders_tick(struct desk *desk);
void holders_leave(struct desk *desk);

/* recall.c: ask whom a charter distrusts for new evidence, some at each tick. */
void recall_due(struct desk *desk);

/* release.c: hand out what is due; called at ticks and after verdicts. */
void release_due(struct desk *desk);
/* Have the keeper make what an instance should have for itself; NULL: what anybody should. */
void release_make_wanting(struct desk *desk, const struct uuid *instance);

#endif
