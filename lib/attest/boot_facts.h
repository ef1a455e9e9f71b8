/* What a boot log says of secure boot and of what was started, read from those events alone whose
 * data their digest proves, in one bank. It is a fact only where that bank's registers come from a
 * verified quote and the log leads to them. Whoever runs later may extend registers too, so that a
 * component is something that was measured, not all that runs. */
#ifndef MUSTER_ATTEST_BOOT_FACTS_H
#define MUSTER_ATTEST_BOOT_FACTS_H

#include "lib/attest/event_log.h"
#include "lib/base/json.h"

enum { BOOT_COMPONENTS_MAX = 256, BOOT_TEXT_MAX = 1024 };

/* "unknown" unless the firmware said so once, before it handed over, and nothing contradicts it. */
enum secure_boot { SECURE_BOOT_UNKNOWN, SECURE_BOOT_OFF, SECURE_BOOT_ON, SECURE_BOOT_COUNT };
extern const struct names secure_boot_names; /* "unknown", "off", "on" */

struct boot_facts {
    enum secure_boot secure_boot;
    json_t *components; /* owned: [{"pcr","digest","text"?}], text only where that was measured */
};
void boot_facts_done(struct boot_facts *facts);

/* A log that cannot be read to its end says nothing at all. */
void boot_facts_read(struct span log, enum bank bank, struct boot_facts *out);

/* Every digest that was measured into the loaders' register but those of separators and of the
 * firmware's fixed words: a loader is one whatever its event calls itself. Empty where the log
 * cannot be read. */
void boot_loaders_read(struct span log, enum bank bank, struct bytes *out);

#endif
