/* A charter that nobody would object to, and changes of one thing in it. */
#ifndef MUSTER_TESTS_CHARTERS_H
#define MUSTER_TESTS_CHARTERS_H

#include "lib/base/json.h"

/* Issued 2026-11-23, ends 2026-12-20. The caller's. */
json_t *charter_sound(void);
struct moment charter_sound_day(void); /* a day on which it is in force */

/* "/policies/web/snp/allow_debug"; `value` is JSON, NULL removes. Objects on the way are made. */
void charter_change(json_t *charter, const char *pointer, const char *value);

#endif
