/* The emulator's settings file: one table, which --help follows. */
#ifndef MUSTER_EMULATOR_SETTINGS_H
#define MUSTER_EMULATOR_SETTINGS_H

#include "emulator/guest.h"
#include "lib/base/config.h"

struct sim_settings {
    struct world_settings world;
    struct guest_settings guest;
    int64_t port;
    char *regions;
    int64_t page_most;
    char *access_key_id;
    char *secret_access_key;
    char *azure_subscription;
    char *azure_tenant;
    char *azure_client_id;
    char *azure_client_secret;
    char *azure_certificate;
    char *azure_federated_token;
    char *azure_locations;
    int64_t poll_seconds;
    int64_t tls_port;
    char *images;
    char *psp_folder;
    char *gcp_project;
    char *gcp_regions;
};

extern const struct setting sim_settings_table[];
extern const size_t sim_settings_count;

enum outcome sim_settings_read(const char *path, struct sim_settings *out, struct error *err);
void sim_settings_done(struct sim_settings *settings);

#endif
