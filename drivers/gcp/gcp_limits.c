#include "drivers/gcp/gcp_limits.h"

#include <string.h>

/* Read in November 2026: a quota a minute, project, region and kind of call. A tenth of a minute's
 * may go out at once, so that the other calls of that minute find some left. */
#define GCE_RATES "https://docs.cloud.google.com/compute/api-quota"

/* clang-format off */
static const struct call_limit limits[] = {
    {"writes",     "writes",     150, 1500, GCE_RATES},
    {"reads",      "reads",      150, 1500, GCE_RATES},
    {"lists",      "lists",      150, 1500, GCE_RATES},
    {"operations", "operations", 150, 1500, GCE_RATES},
};
/* clang-format on */
const struct call_limits gcp_limits = {limits, countof(limits)};

const char *gcp_call_kind(const struct gcp_call *call)
{
    const char *path = text_str(&call->path);
    if (strstr(path, "/operations/") != NULL)
        return "operations";
    if (strcmp(call->method, "GET") != 0)
        return "writes";
    return strstr(path, "maxResults=") != NULL ? "lists" : "reads";
}
