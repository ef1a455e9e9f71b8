/* Programs of the measured image that are run by name, never by text from the link (trust.md
 * section 8). One is started, then asked now and then whether it is done; nothing waits for it. */
#ifndef MUSTER_AGENT_HOOK_H
#define MUSTER_AGENT_HOOK_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"

struct hook {
    pid_t pid; /* 0: none is running */
    int64_t deadline_ms;
    char name[64];
};

/* Run `folder`/`name` as `name ACTION NAME` (action: reload, forget) with an empty environment and
 * our three standard descriptors; it ends when we do. No such file is fine: then none is running.
 * ERR_DENIED "bad-hook" for a name that is none, or a file that others may write.
 */
enum outcome hook_start(struct hook *hook, const char *folder, const char *name, const char *action,
                        int64_t most_seconds, struct error *err);

bool hook_is_running(const struct hook *hook);

/* False while it runs. When it ended, *result is OK or ERR_CONFLICT "hook-failed"; a hook over its
 * time is killed with all it started. */
bool hook_ended(struct hook *hook, enum outcome *result, struct error *err);

void hook_kill(struct hook *hook);

#endif
