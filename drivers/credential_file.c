#include "drivers/credential_file.h"

#include <stdlib.h>

void credential_file_path(const char *name, struct text *out)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    text_addf(out, "%s/%s",
              folder != NULL && folder[0] != '\0' ? folder : "/etc/muster/credentials", name);
}
