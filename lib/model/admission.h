/* Who may prove itself when, so that ten thousand machines do not come at once (design.md section
 * 4, storm brakes). Pure: it knows applicants, limits and the time it is told.
 *
 * An applicant asks and is admitted, held (its request stays open until its turn, soon) or told
 * when to come again. The order is: who was demanded; then by the time until which each had better
 * be served (a renewal's is shortly before its verdict ends, a first boot's a minute after it first
 * asked); so who waits is overtaken only by what is more pressing, and for ever by nobody. Memory
 * is one small entry for each applicant that waits, and goes with its connection. */
#ifndef MUSTER_MODEL_ADMISSION_H
#define MUSTER_MODEL_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum applicant_class {
    APPLICANT_DEMANDED, /* the controller wants its evidence: an eviction, a claimant */
    APPLICANT_FIRST,    /* never passed yet */
    APPLICANT_RENEWAL,  /* `good_until_ms` is when its verdict ends, or in the past */
    APPLICANT_STRANGER, /* claims an instance that passed with another key; a quarter at most */
};

enum applicant_state { APPLICANT_IDLE, APPLICANT_AWAY, APPLICANT_HELD, APPLICANT_ADMITTED };

enum { APPLICANT_KEY_SIZE = 32 };

/* Stands in whatever applies. The first three are set before each admission_ask(). */
struct applicant {
    enum applicant_class class;
    int64_t good_until_ms;
    uint8_t key[APPLICANT_KEY_SIZE]; /* one of a key at a time is admitted or held */
    /* Kept here: */
    enum applicant_state state;
    int64_t asked_ms; /* first, since it was last served */
    int64_t due_ms;   /* had better be served by then */
    int64_t order;
    int64_t since_ms; /* of held and admitted; of those away, when they should be back */
    size_t at;
};

struct admission_limits {
    int64_t at_once;    /* admitted and not ended */
    int64_t per_second; /* started, over at_once at first; 0: as they end */
};

enum {
    ADMISSION_HOLD_MS = 4000,   /* a request is open no longer than this */
    ADMISSION_LAPSE_MS = 30000, /* whoever does nothing with its slot loses it */
    ADMISSION_LATER_MOST_MS = 600000,
};

struct admission;
struct admission *admission_new(const struct admission_limits *limits);
void admission_free(struct admission *a);
void admission_limit(struct admission *a, const struct admission_limits *limits);

/* The state it is in now. AWAY: `out_after_ms` says when to ask again. */
enum applicant_state admission_ask(struct admission *a, struct applicant *who, int64_t now_ms,
                                   int64_t *out_after_ms);
/* The held one whose turn it is, now admitted; NULL: nobody's. */
struct applicant *admission_next(struct admission *a, int64_t now_ms);
/* A held one that waits too long, now away, to be told when to come again; NULL: none. */
struct applicant *admission_overdue(struct admission *a, int64_t now_ms, int64_t *out_after_ms);
/* It was served, gave up or is gone; in any state. */
void admission_end(struct admission *a, struct applicant *who, int64_t now_ms);
/* Drop who does nothing with its slot, and who did not come back. */
void admission_tick(struct admission *a, int64_t now_ms);

size_t admission_under_way(const struct admission *a);
size_t admission_waiting(const struct admission *a);

#endif
