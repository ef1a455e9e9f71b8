/* musterd's settings file, one table: what --help prints and doc/operations.md lists. */
#ifndef MUSTER_CONTROLLER_SETTINGS_H
#define MUSTER_CONTROLLER_SETTINGS_H

#include "controller/http_server.h"
#include "controller/service.h"
#include "lib/base/config.h"

struct musterd_settings {
    char *database;
    char *project;
    char *api_listen;
    char *link_listen;
    char *link_url;
    char *cert_file;
    char *key_file;
    char *root_file;
    char *endorsements;
    char *endorsement_roots;
    char *endorsement_ca;
    char *catalogue_signers;
    int64_t api_threads;
    int64_t api_connections;
    int64_t api_per_address;
    int64_t verify_most;
    int64_t heartbeat_seconds;
    int64_t keeper_seconds;
    int64_t appraisals_at_once;
    int64_t appraisals_per_second;
    int64_t probe_seconds;
    int64_t workers;
    int64_t lease_seconds;
    int64_t watch_seconds;
    int64_t catalogue_seconds;
    int64_t leftover_seconds;
    int64_t vanish_hold_seconds;
    int64_t retain_days;
    int64_t retain_verdicts_days;
    int64_t agents_most;
    int64_t link_per_address;
    int64_t stop_seconds;
};

extern const struct setting musterd_settings_table[];
extern const size_t musterd_settings_count;

/* ERR_INVALID "bad-setting" also for values that do not go together. */
enum outcome musterd_settings_read(const char *path, struct musterd_settings *out,
                                   struct error *err);
void musterd_settings_done(struct musterd_settings *settings);

/* "127.0.0.1:8443", "[::1]:8443"; port 0 is any. */
struct listen_at {
    char address[64];
    int64_t port;
};
enum outcome listen_parse(const char *text, const char *where, struct listen_at *out,
                          struct error *err);

/* Borrows from `settings`; who signs editions of the catalogue is the caller's to read. */
struct service_settings musterd_service_settings(const struct musterd_settings *settings);

#endif
