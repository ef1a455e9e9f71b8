#include "keeper/settings.h"

#include <string.h>

#define ROW(member, key, kind, ...) SETTING(keeper_settings, member, key, kind, __VA_ARGS__)

/* clang-format off */
const struct setting keeper_settings_table[] = {
    ROW(folder, "folder", SETTING_TEXT, "/etc/muster/keeper",
        .help = "where muster keeper init put keys, certificates and memory"),
    ROW(controllers, "controllers", SETTING_TEXT, NULL,
        .help = "tls+tcp://HOST:PORT of every controller, with spaces between"),
    ROW(user, "user", SETTING_TEXT, "",
        .help = "user to become when started as root; the folder must be that user's"),
    ROW(challenges_most, "challenges-most", SETTING_INT, "20000", .least = 16, .most = 1000000,
        .help = "open challenges; each lives up to 180 s"),
    ROW(redial_most_seconds, "redial-most-seconds", SETTING_INT, "15", .least = 1, .most = 3600,
        .help = "longest wait between two attempts to reach a controller"),
    ROW(probe_seconds, "probe-seconds", SETTING_INT, "60", .least = 1, .most = 3600,
        .help = "about how often one of its guests' evidence is judged against what it must not fit"),
};
/* clang-format on */
const size_t keeper_settings_count = countof(keeper_settings_table);

enum outcome keeper_settings_read(const char *path, struct keeper_settings *out, struct error *err)
{
    return config_read(path, keeper_settings_table, keeper_settings_count, out, err);
}

void keeper_settings_done(struct keeper_settings *settings)
{
    config_done(keeper_settings_table, keeper_settings_count, settings);
}
