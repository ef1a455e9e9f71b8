/* Manners towards a cloud: each call asks here before it goes out and tells how it ended. What is
 * left of a cloud's limits is kept by account, region and limit, and shared by all threads of this
 * process; how many other controllers there are is told. Nobody sleeps here: who has no turn is
 * told when to come back. */
#ifndef MUSTER_DRIVERS_MANNERS_H
#define MUSTER_DRIVERS_MANNERS_H

#include "drivers/pace.h"
#include "lib/model/account.h"
#include "lib/net/http.h"

struct call_limits {
    const struct call_limit *at;
    size_t count;
};

struct manners; /* one cloud's, one thread's */

/* Accounts that sign in alike at the same place share their limits, whatever they are called. */
struct manners *manners_open(const struct account *account, const struct call_limits *limits);
void manners_close(struct manners *manners); /* NULL is fine */
DROP(manners_drop, struct manners, manners_close)

/* May `call` go out now? ERR_THROTTLED "paced" with `err->retry_ms` when not. A call that no row
 * names always may. */
enum outcome manners_ask(struct manners *manners, const char *call, struct error *err);
/* The same ahead of time, before something is written down that only the call can end: the next
 * manners_ask() of this call, by this thread, is granted already. */
enum outcome manners_hold(struct manners *manners, const char *call, struct error *err);

/* Around each exchange with the cloud, signing in included. One that nobody answers for long holds
 * its thread, and with it the rows of other accounts: after the first, all others are told to come
 * back, and one at a time tries again. ERR_THROTTLED "paced" as above; manners_reached() hands its
 * outcome through. */
enum outcome manners_reach(struct manners *manners, struct error *err);
enum outcome manners_reached(struct manners *manners, enum outcome outcome);
/* The same where an exchange may not have been needed: that all is well says nothing then. */
enum outcome manners_unless_reached(struct manners *manners, enum outcome outcome);

enum {
    SILENT_MS = 2000, /* who fails sooner holds up nobody */
    SILENT_FIRST_MS = 5000,
    SILENT_MOST_MS = 60000, /* until it is tried again */
    SILENT_TRY_MS = 60000,  /* longer than any call: whoever tries may have died */
};

/* How it ended. Rate headers in the answer are honoured, and Retry-After when it was throttled;
 * gives how long to wait then, else 0. */
int64_t manners_tell(struct manners *manners, const char *call, const struct http_answer *answer,
                     bool throttled);

/* So many controllers live, this one included. */
void manners_share(int64_t controllers);

#endif
