#include "lib/base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Atomic bool frozen;
static _Atomic int64_t frozen_us;
static _Atomic int64_t frozen_monotonic_ms;

static int64_t read_us(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * SECONDS_US + t.tv_nsec / 1000;
}

struct moment clock_now(void)
{
    return (struct moment){frozen ? frozen_us : read_us(CLOCK_REALTIME)};
}

int64_t clock_monotonic_ms(void)
{
    return frozen ? frozen_monotonic_ms : read_us(CLOCK_MONOTONIC) / 1000;
}

void clock_freeze(struct moment at)
{
    frozen_us = at.us;
    frozen_monotonic_ms = 1000;
    frozen = true;
}

void clock_advance_ms(int64_t ms)
{
    frozen_us += ms * 1000;
    frozen_monotonic_ms += ms;
}

void clock_thaw(void)
{
    frozen = false;
}

struct moment clock_at_seconds(int64_t unix_seconds)
{
    return (struct moment){unix_seconds * SECONDS_US};
}

struct moment moment_add_seconds(struct moment m, int64_t seconds)
{
    return (struct moment){m.us + seconds * SECONDS_US};
}

int64_t moment_seconds(struct moment m)
{
    return m.us / SECONDS_US - (m.us % SECONDS_US < 0 ? 1 : 0);
}

int64_t moment_seconds_between(struct moment from, struct moment to)
{
    return (to.us - from.us) / SECONDS_US;
}

bool moment_is_none(struct moment m)
{
    return m.us == 0;
}

struct moment_text moment_text(struct moment m)
{
    struct moment_text out = {0};
    time_t seconds = moment_seconds(m);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(out.at, sizeof out.at, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t us = m.us - seconds * SECONDS_US;
    if (us != 0)
        snprintf(out.at + n, sizeof out.at - n, ".%06dZ", (int)us);
    else
        snprintf(out.at + n, sizeof out.at - n, "Z");
    return out;
}

static bool two_digits(const char **at, int least, int most, int *out)
{
    const char *s = *at;
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return false;
    *out = (s[0] - '0') * 10 + (s[1] - '0');
    *at = s + 2;
    return *out >= least && *out <= most;
}

static bool one_of(const char **at, const char *letters)
{
    if (**at == '\0' || strchr(letters, **at) == NULL)
        return false;
    ++*at;
    return true;
}

static bool fraction(const char **at, int64_t *out_us)
{
    *out_us = 0;
    if (**at != '.')
        return true;
    ++*at;
    int64_t scale = 100000;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; ++*at, scale /= 10)
        *out_us += (**at - '0') * scale;
    return true;
}

static bool offset(const char **at, int *out_seconds)
{
    *out_seconds = 0;
    if (one_of(at, "Zz"))
        return true;
    int sign = **at == '-' ? -1 : 1;
    int hours;
    int minutes;
    if (!one_of(at, "+-") || !two_digits(at, 0, 23, &hours) || !one_of(at, ":") ||
        !two_digits(at, 0, 59, &minutes))
        return false;
    *out_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

enum outcome moment_parse(const char *text, struct moment *out, struct error *err)
{
    const char *at = text;
    struct tm tm = {0};
    int century;
    int year;
    int64_t us;
    int offset_seconds;
    bool fine = two_digits(&at, 19, 99, &century) && two_digits(&at, 0, 99, &year) &&
                one_of(&at, "-") && two_digits(&at, 1, 12, &tm.tm_mon) && one_of(&at, "-") &&
                two_digits(&at, 1, 31, &tm.tm_mday) && one_of(&at, "Tt") &&
                two_digits(&at, 0, 23, &tm.tm_hour) && one_of(&at, ":") &&
                two_digits(&at, 0, 59, &tm.tm_min) && one_of(&at, ":") &&
                two_digits(&at, 0, 60, &tm.tm_sec) && fraction(&at, &us) &&
                offset(&at, &offset_seconds) && *at == '\0';
    if (fine) {
        tm.tm_year = century * 100 + year - 1900;
        tm.tm_mon -= 1;
        int day = tm.tm_mday;
        time_t seconds = timegm(&tm);
        fine = tm.tm_mday == day && tm.tm_year >= 70; /* timegm would turn 30 February into March */
        *out = (struct moment){((int64_t)seconds - offset_seconds) * SECONDS_US + us};
    }
    if (!fine)
        return fail(err, ERR_INVALID, "not an RFC 3339 time: '%.40s'", text);
    return OK;
}
