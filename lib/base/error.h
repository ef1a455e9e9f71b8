/* Outcomes and errors. Every call that can fail returns `enum outcome` and takes `struct error
 * *err` last. An error owns nothing, so it can be copied, stored in a row and sent as JSON as it
 * is. */
#ifndef MUSTER_BASE_ERROR_H
#define MUSTER_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/base.h"

/* clang-format off */
enum [[nodiscard]] outcome {
    OK,
    ERR_INVALID,     /* what came in is not acceptable; the same again will fail again */
    ERR_DENIED,      /* understood, and refused by a rule */
    ERR_NOT_FOUND,   /* no such thing */
    ERR_CONFLICT,    /* it is there, but not in a state that allows this */
    ERR_THROTTLED,   /* later */
    ERR_UNREACHABLE, /* the other side did not answer */
    ERR_AMBIGUOUS,   /* it may or may not have happened: look before repeating */
    ERR_INTERNAL,    /* ours */
    OUTCOME_COUNT
};
/* clang-format on */

enum {
    ERROR_CODE_SIZE = 48,
    ERROR_WHERE_SIZE = 96,
    ERROR_TEXT_SIZE = 320,
};

struct error {
    enum outcome outcome;
    char code[ERROR_CODE_SIZE];   /* stable, `[a-z0-9-]+`; what programs look at */
    char where[ERROR_WHERE_SIZE]; /* JSON pointer, file:line or field name; may be empty */
    char text[ERROR_TEXT_SIZE];   /* for people: lower case, no full stop */
    int64_t retry_ms;             /* after this it may be otherwise; 0: nobody said */
};

/* Fill `err` (may be NULL) and give `outcome`, so that `return fail(...)` reads well. fail() gives
 * the outcome's own word as code; fail_code() names one; fail_at() also says where. Macros, so that
 * the compiler sees that the result is not OK. */
#define fail(err, kind, ...) fail_at((err), (kind), NULL, "", __VA_ARGS__)
#define fail_code(err, kind, code, ...) fail_at((err), (kind), (code), "", __VA_ARGS__)
#define fail_at(err, kind, code, where, ...)                                                       \
    ({                                                                                             \
        const enum outcome fail_ = (kind);                                                         \
        error_fill((err), fail_, (code), (where), __VA_ARGS__);                                    \
        fail_;                                                                                     \
    })

/* What the macros call. A NULL code is the outcome's own word. */
PRINTF(5, 6)
void error_fill(struct error *err, enum outcome outcome, const char *code, const char *where,
                const char *format, ...);

/* Put context before the text on the way up: "launching i-42: ...". Returns err's outcome. */
PRINTF(2, 3) enum outcome error_context(struct error *err, const char *format, ...);

/* For the places where there is nobody to tell; says so instead of a silent (void). */
void error_ignore(enum outcome outcome);

/* Facts about an outcome, from one table. */
const char *
outcome_name(enum outcome outcome); /* "invalid", "denied", ...; also the default code */
int outcome_http_status(enum outcome outcome);
bool outcome_is_worth_retrying(enum outcome outcome);
int outcome_exit_code(
    enum outcome outcome); /* 0 done, 1 failed, 2 used wrongly, 3 refused, 4 unreachable */

#endif
