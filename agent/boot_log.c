#include "agent/boot_log.h"

#include "lib/base/file.h"
#include "lib/base/log.h"

void boot_log_add(const char *path, struct evidence *out)
{
    struct error why = {0};
    if (path[0] != '\0' && file_read(path, EVIDENCE_LOG_MAX, &out->event_log, &why) != OK)
        LOG(WARN, "event-log.left-out", TEXT("code", why.code), TEXT("why", why.text));
}
