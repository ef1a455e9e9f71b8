/* The emulator's own account of what really happened, one JSON object a line, on disk before
 * anybody is answered: tests compare it with what Muster believes. */
#ifndef MUSTER_EMULATOR_LEDGER_H
#define MUSTER_EMULATOR_LEDGER_H

#include "lib/base/json.h"

struct ledger;

/* What a line tells besides its number, time and event; NULL and 0 are left out. */
struct ledger_line {
    const char *cloud;
    const char *ref;
    const char *name;
    const char *client_token;
    const char *instance;
    const char *action;
    const char *detail;
    int64_t pid;
};

/* Appends to what is there. A torn last line, from a crash, is cut off. Without `flush` nobody
 * waits for the disk. */
enum outcome ledger_open(const char *path, bool flush, struct ledger **out, struct error *err);
void ledger_close(struct ledger *ledger); /* NULL is fine */

/* Never fails: a ledger that cannot be written ends the process. */
void ledger_note(struct ledger *ledger, const char *event, const struct ledger_line *line);

/* Entries with a number above `after`, as they are on disk: [{"n", "at", "event", ...}]. The caller
 * releases it. */
json_t *ledger_since(const struct ledger *ledger, int64_t after);

#endif
