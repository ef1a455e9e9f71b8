#include "lib/base/fault.h"

#ifdef MUSTER_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum outcome fault_hit(const char *name, struct error *err)
{
    static _Atomic int hits;
    const char *wish = getenv("MUSTER_FAULT");
    size_t len = strlen(name);
    if (wish == NULL || strncmp(wish, name, len) != 0 || wish[len] != ':')
        return OK;
    const char *act = wish + len + 1;
    const char *count = strchr(act, ':');
    if (++hits != (count != NULL ? atoi(count + 1) : 1))
        return OK;
    if (strncmp(act, "die", 3) == 0)
        kill(getpid(), SIGKILL);
    if (strncmp(act, "hang", 4) == 0)
        pause();
    return fail_code(err, ERR_INTERNAL, "fault", "fault '%s' was asked for", name);
}

bool fault_blinds(const char *check)
{
    static const char before[] = "check-";
    const char *wish = getenv("MUSTER_FAULT");
    const size_t len = strlen(check);
    return wish != NULL && strncmp(wish, before, sizeof before - 1) == 0 &&
           strncmp(wish + sizeof before - 1, check, len) == 0 &&
           strcmp(wish + sizeof before - 1 + len, ":blind") == 0;
}

#else

/* ISO C wants a translation unit to hold something. */
extern int fault_is_off;

#endif
