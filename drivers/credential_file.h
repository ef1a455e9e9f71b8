/* Files of credentials: an account names one, and where they are is the machine's to say, so that
 * whoever may write accounts does not choose what is read. */
#ifndef MUSTER_DRIVERS_CREDENTIAL_FILE_H
#define MUSTER_DRIVERS_CREDENTIAL_FILE_H

#include "lib/base/text.h"
#include "lib/crypto/locked.h"

/* In $CREDENTIALS_DIRECTORY, which systemd sets for its LoadCredential=, or else in
 * /etc/muster/credentials. */
void credential_file_path(const char *name, struct text *out);

/* The content with a NUL after it, without line ends at the end. ERR_DENIED "no-credentials". */
enum outcome credential_file_read(const char *name, size_t most, struct locked *out,
                                  struct error *err);
/* The same of a file that a variable of the environment names by its path. */
enum outcome credential_path_read(const char *variable, size_t most, struct locked *out,
                                  struct error *err);

#endif
