/* keeper.conf. There is deliberately little to set: what the keeper obeys is the charter, and what
 * it is stands in its folder. */
#ifndef MUSTER_KEEPER_SETTINGS_H
#define MUSTER_KEEPER_SETTINGS_H

#include "lib/base/config.h"

struct keeper_settings {
    char *folder;
    char *controllers;
    char *user;
    int64_t challenges_most;
    int64_t redial_most_seconds;
    int64_t probe_seconds;
};

extern const struct setting keeper_settings_table[];
extern const size_t keeper_settings_count;

enum outcome keeper_settings_read(const char *path, struct keeper_settings *out, struct error *err);
void keeper_settings_done(struct keeper_settings *settings);

#endif
