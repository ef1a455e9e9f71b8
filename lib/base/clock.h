/* Time that a test can set. Wall time is a `struct moment` (microseconds since 1970, UTC; zero
 * means "none"); durations are plain integers with their unit in the name. */
#ifndef MUSTER_BASE_CLOCK_H
#define MUSTER_BASE_CLOCK_H

#include <stdint.h>

#include "lib/base/error.h"

struct moment {
    int64_t us;
};

enum { MOMENT_TEXT_SIZE = 32 };

#define SECONDS_US INT64_C(1000000)

struct moment clock_now(void);
struct moment clock_at_seconds(int64_t unix_seconds);
struct moment moment_add_seconds(struct moment m, int64_t seconds);
int64_t moment_seconds(struct moment m); /* unix seconds, rounded down */
int64_t moment_seconds_between(struct moment from, struct moment to); /* to - from */
bool moment_is_none(struct moment m);

/* Milliseconds that only go forward; for deadlines inside one process. */
int64_t clock_monotonic_ms(void);

/* Tests only: from now on both clocks stand still and move when told. */
void clock_freeze(struct moment at);
void clock_advance_ms(int64_t ms);
void clock_thaw(void);

/* RFC 3339, always UTC: "2026-11-23T10:00:00Z", with microseconds only when they are not zero.
 * Parsing takes any offset, years 1970 to 9999. */
struct moment_text {
    char at[MOMENT_TEXT_SIZE];
};
struct moment_text moment_text(struct moment m);
enum outcome moment_parse(const char *text, struct moment *out, struct error *err);

#endif
