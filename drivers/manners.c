#include "drivers/manners.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/metrics.h"

/* What one account has left in one region. Kept while the process lives: it is what was used. */
struct ledger {
    struct ledger *next;
    char *key;
    const struct call_limits *limits;
    struct pace *paces; /* one a row; rows of one limit use the first of them */
    int silences;       /* in a row: calls that nobody answered for long */
    int64_t shut_ms;    /* then nobody tries before */
};

struct manners {
    struct ledger *ledger;
    const char *held; /* a call whose turn was taken already */
    bool tries;       /* it is the one that looks whether anybody answers again */
    int64_t since_ms; /* of the exchange that is under way */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct ledger *ledgers;
static int64_t sharers = 1;

/* ---- whose limits --------------------------------------------------------------------------- */

/* Where it signs in and as whom; not what it is called here, nor what it launches. */
static char *key_of(const struct account *account)
{
    static const char *const others[] = {
        "name", "zone", "owner", "subnet", "security_group", "instance_profile", "test"};
    OWNED(json_drop) json_t *json = record_to_json(&account_record, account);
    for (size_t i = 0; i < countof(others); i++)
        json_object_del(json, others[i]);
    return json_print(json);
}

static size_t first_of(const struct call_limits *limits, const char *limit)
{
    size_t i = 0;
    while (strcmp(limits->at[i].limit, limit) != 0)
        i++;
    return i;
}

static struct ledger *ledger_of(const struct account *account, const struct call_limits *limits)
{
    OWNED(mem_drop) char *key = key_of(account);
    for (struct ledger *at = ledgers; at != NULL; at = at->next)
        if (strcmp(at->key, key) == 0)
            return at;
    struct ledger *made = NEW(struct ledger);
    made->key = TAKE(key);
    made->limits = limits;
    made->paces = mem_new(limits->count + 1, sizeof *made->paces);
    for (size_t i = 0; i < limits->count; i++) {
        made->paces[i].limit = &limits->at[i];
        made->paces[i].granted = account->pace_percent;
    }
    made->next = ledgers;
    ledgers = made;
    return made;
}

struct manners *manners_open(const struct account *account, const struct call_limits *limits)
{
    struct manners *manners = NEW(struct manners);
    pthread_mutex_lock(&lock);
    manners->ledger = ledger_of(account, limits);
    pthread_mutex_unlock(&lock);
    return manners;
}

void manners_close(struct manners *manners)
{
    free(manners);
}

void manners_share(int64_t controllers)
{
    pthread_mutex_lock(&lock);
    sharers = controllers;
    pthread_mutex_unlock(&lock);
}

/* ---- before and after a call ---------------------------------------------------------------- */

/* The next pace, from `*at` on, that the call counts against; NULL at the end. */
static struct pace *next_pace(const struct ledger *ledger, const char *call, size_t *at,
                              int64_t now_ms)
{
    while (*at < ledger->limits->count) {
        const struct call_limit *row = &ledger->limits->at[(*at)++];
        if (strcmp(row->call, call) != 0)
            continue;
        struct pace *pace = &ledger->paces[first_of(ledger->limits, row->limit)];
        pace_share(pace, sharers, now_ms);
        return pace;
    }
    return NULL;
}

/* 0: taken from each of its limits; else when to come back, for the one that it must wait for
 * longest. */
static int64_t take_turn(const struct ledger *ledger, const char *call, int64_t now_ms)
{
    int64_t longest = 0;
    struct pace *slowest = NULL;
    size_t at = 0;
    for (struct pace *pace; (pace = next_pace(ledger, call, &at, now_ms)) != NULL;) {
        const int64_t wait = pace_wait_ms(pace, now_ms);
        if (wait <= longest)
            continue;
        longest = wait;
        slowest = pace;
    }
    if (slowest != NULL)
        return pace_promise_ms(slowest, now_ms);
    at = 0;
    for (struct pace *pace; (pace = next_pace(ledger, call, &at, now_ms)) != NULL;)
        pace_take(pace, now_ms);
    return 0;
}

static enum outcome come_back(int64_t wait_ms, struct error *err, const char *why)
{
    metric_add(METRIC_CLOUD_PACED, 1);
    error_fill(err, ERR_THROTTLED, "paced", "", "%s for %lld ms", why, (long long)wait_ms);
    if (err != NULL)
        err->retry_ms = wait_ms;
    return ERR_THROTTLED;
}

/* 0: go; else when to come back. */
static int64_t silence_left(struct manners *manners, int64_t now_ms)
{
    struct ledger *ledger = manners->ledger;
    if (ledger->silences == 0 || manners->tries)
        return 0;
    if (now_ms < ledger->shut_ms)
        return ledger->shut_ms - now_ms;
    manners->tries = true;
    ledger->shut_ms = now_ms + SILENT_TRY_MS;
    return 0;
}

enum outcome manners_reach(struct manners *manners, struct error *err)
{
    pthread_mutex_lock(&lock);
    manners->since_ms = clock_monotonic_ms();
    const int64_t wait_ms = silence_left(manners, manners->since_ms);
    pthread_mutex_unlock(&lock);
    return wait_ms == 0 ? OK
                        : come_back(wait_ms, err, "its cloud does not answer, and is left alone");
}

/* What was under way together and is not answered is one silence. */
static void note_silence(struct ledger *ledger, bool tried, int64_t now_ms)
{
    int64_t wait_ms = SILENT_FIRST_MS;
    if (ledger->silences > 0 && !tried && now_ms < ledger->shut_ms)
        return;
    for (int i = 0; i < ledger->silences && wait_ms < SILENT_MOST_MS; i++)
        wait_ms *= 2;
    ledger->silences++;
    ledger->shut_ms = now_ms + (wait_ms < SILENT_MOST_MS ? wait_ms : SILENT_MOST_MS);
}

enum outcome manners_reached(struct manners *manners, enum outcome outcome)
{
    if (outcome == ERR_THROTTLED) /* nothing was sent */
        return outcome;
    pthread_mutex_lock(&lock);
    const int64_t now_ms = clock_monotonic_ms();
    if (outcome == OK || now_ms - manners->since_ms < SILENT_MS)
        manners->ledger->silences = 0;
    else
        note_silence(manners->ledger, manners->tries, now_ms);
    manners->tries = false;
    pthread_mutex_unlock(&lock);
    return outcome;
}

enum outcome manners_unless_reached(struct manners *manners, enum outcome outcome)
{
    return outcome == OK ? OK : manners_reached(manners, outcome);
}

static enum outcome take(struct manners *manners, const char *call, struct error *err)
{
    pthread_mutex_lock(&lock);
    const int64_t wait_ms = take_turn(manners->ledger, call, clock_monotonic_ms());
    pthread_mutex_unlock(&lock);
    if (wait_ms == 0)
        return OK;
    char why[96];
    snprintf(why, sizeof why, "%.64s: its limit is used up", call);
    return come_back(wait_ms, err, why);
}

enum outcome manners_hold(struct manners *manners, const char *call, struct error *err)
{
    if (manners->held != NULL && strcmp(manners->held, call) == 0)
        return OK;
    TRY(manners_reach(manners, err));
    TRY(take(manners, call, err));
    manners->held = call;
    return OK;
}

enum outcome manners_ask(struct manners *manners, const char *call, struct error *err)
{
    const bool held = manners->held != NULL && strcmp(manners->held, call) == 0;
    if (held)
        manners->held = NULL;
    else
        TRY(take(manners, call, err));
    metric_add(METRIC_CLOUD_REQUESTS, 1);
    return OK;
}

/* Azure's providers have limits of their own besides Resource Manager's: "Microsoft.Compute/PutVM".
 */
static bool is_providers(const struct pace *pace)
{
    return strchr(pace->limit->limit, '/') != NULL;
}

static bool has_providers(const struct ledger *ledger, const char *call, int64_t now_ms)
{
    size_t at = 0;
    for (struct pace *pace; (pace = next_pace(ledger, call, &at, now_ms)) != NULL;)
        if (is_providers(pace))
            return true;
    return false;
}

/* "x-ms-ratelimit-remaining-subscription-writes: 199" is Resource Manager's and
 * "x-ms-ratelimit-remaining-resource: Microsoft.Compute/PutVM3Min;239,Microsoft.Compute/PutVM30Min;
 * 1199" the provider's, or anybody's of a call without such a limit: the least number counts. */
static void honour_rates(struct pace *pace, bool providers, const struct http_answer *answer,
                         int64_t now_ms)
{
    static const char prefix[] = "x-ms-ratelimit-remaining-";
    const char *at = (const char *)answer->headers.at;
    const char *end = at + answer->headers.len;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        const bool is_rate = strncasecmp(at, prefix, sizeof prefix - 1) == 0;
        const bool of_providers = is_rate && strcasecmp(at + sizeof prefix - 1, "resource") == 0;
        const bool counts =
            is_rate && (of_providers ? is_providers(pace) || !providers : !is_providers(pace));
        for (const char *c = value; counts && *c != '\0'; c += strcspn(c, ",;"), c += *c != '\0') {
            char number[20] = "";
            int64_t left;
            strncat(number, c, strspn(c, "0123456789") < 19 ? strspn(c, "0123456789") : 19);
            if (strchr(",;", c[strlen(number)]) != NULL &&
                number_parse(number, 0, INT64_MAX / 2, &left, NULL) == OK)
                pace_left(pace, left, now_ms);
        }
        at = value + strlen(value) + 1;
    }
}

int64_t manners_tell(struct manners *manners, const char *call, const struct http_answer *answer,
                     bool throttled)
{
    int64_t longest = 0;
    size_t at = 0;
    pthread_mutex_lock(&lock);
    const int64_t now_ms = clock_monotonic_ms();
    const bool providers = has_providers(manners->ledger, call, now_ms);
    for (struct pace *pace; (pace = next_pace(manners->ledger, call, &at, now_ms)) != NULL;) {
        const int64_t told_ms = answer->retry_after_seconds * 1000;
        honour_rates(pace, providers, answer, now_ms);
        if (throttled)
            pace_throttled(pace, told_ms, now_ms);
        else if (answer->status >= 500) /* elsewhere it says when to look again at one thing */
            pace_shut(pace, told_ms, now_ms);
        else
            pace_went(pace, now_ms);
        const int64_t wait = throttled ? pace_promise_ms(pace, now_ms) : 0;
        longest = wait > longest ? wait : longest;
    }
    pthread_mutex_unlock(&lock);
    if (throttled)
        metric_add(METRIC_CLOUD_THROTTLES, 1);
    return longest;
}
