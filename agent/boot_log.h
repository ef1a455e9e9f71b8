/* The log of measured boot, as the kernel shows it: what the registers were extended with. */
#ifndef MUSTER_AGENT_BOOT_LOG_H
#define MUSTER_AGENT_BOOT_LOG_H

#include "lib/attest/evidence.h"

/* Nothing for an empty path. A log that cannot be had is left out and told of in ours: whether the
 * evidence is good without it is for the keeper to say. */
void boot_log_add(const char *path, struct evidence *out);

#endif
