/* The agent's settings file: one table, which --help and the man page follow. */
#ifndef MUSTER_AGENT_SETTINGS_H
#define MUSTER_AGENT_SETTINGS_H

#include "lib/base/config.h"

struct agent_settings {
    char *user_data;
    char *root_file;
    char *next_root_file;
    char *tee;
    char *tee_socket;
    char *tsm_path;
    int64_t privlevel;
    bool svsm;
    char *tpm;
    char *tpm_key;
    char *tpm_key_cert;
    char *tpm_document;
    char *report_from;
    char *event_log;
    char *thim_program;
    char *thim_url;
    int64_t thim_seconds;
    char *nsm_path;
    char *metadata;
    char *metadata_endpoint;
    char *metadata_program;
    int64_t metadata_seconds;
    char *smbios_vendor;
    char *secrets_dir;
    bool allow_non_tmpfs;
    char *hooks_dir;
    int64_t hook_seconds;
    int64_t redial_most_seconds;
    int64_t retry_first_seconds;
    int64_t retry_most_seconds;
    int64_t answer_seconds;
    char *passport_socket;
};

extern const struct setting agent_settings_table[];
extern const size_t agent_settings_count;

enum outcome agent_settings_read(const char *path, struct agent_settings *out, struct error *err);
void agent_settings_done(struct agent_settings *s);

#endif
