/* The shared files of AWS's tools: sections of `name = value`. Pure. */
#ifndef MUSTER_DRIVERS_AWS_PROFILE_H
#define MUSTER_DRIVERS_AWS_PROFILE_H

#include "lib/base/bytes.h"

enum { PROFILE_NAME_SIZE = 128, PROFILE_FILE_MAX = 1024 * 1024 };

struct profile {
    bool found; /* a section of that name is there, even an empty one */
    char access_key_id[129];
    char secret_access_key[257];
    char session_token[4097];
    char role_arn[2049];
    char role_session_name[65];
    char external_id[1225];
    char source_profile[PROFILE_NAME_SIZE];
    char credential_source[64];
    char web_identity_token_file[1024];
    char credential_process[1024];
};
void profile_done(struct profile *profile); /* wipes */

/* Adds what the section says and `out` does not know yet. Lines that are no setting of ours, or do
 * not fit, are passed over, as AWS's tools do. */
void profile_read(struct span file, const char *section, struct profile *out);

#endif
