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

#else

/* ISO C wants a translation unit to hold something. */
extern int fault_is_off;

#endif
