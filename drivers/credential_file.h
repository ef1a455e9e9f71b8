/* Files of credentials: an account names one, and where they are is the machine's to say, so that
 * whoever may write accounts does not choose what is read. */
#ifndef MUSTER_DRIVERS_CREDENTIAL_FILE_H
#define MUSTER_DRIVERS_CREDENTIAL_FILE_H

#include "lib/base/text.h"

/* In $CREDENTIALS_DIRECTORY, which systemd sets for its LoadCredential=, or else in
 * /etc/muster/credentials. */
void credential_file_path(const char *name, struct text *out);

#endif
