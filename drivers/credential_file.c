#include "drivers/credential_file.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

void credential_file_path(const char *name, struct text *out)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    text_addf(out, "%s/%s",
              folder != NULL && folder[0] != '\0' ? folder : "/etc/muster/credentials", name);
}

static enum outcome read_path(const char *path, size_t most, struct locked *out, struct error *err)
{
    struct error why = {0};
    struct bytes content = {0};
    if (file_read(path, most, &content, &why) != OK)
        return fail_code(err, ERR_DENIED, "no-credentials", "%s", why.text);
    while (content.len > 0 && strchr("\r\n", content.at[content.len - 1]) != NULL)
        content.len--;
    if (content.len == 0 || memchr(content.at, '\0', content.len) != NULL) {
        bytes_wipe(&content);
        return fail_code(err, ERR_DENIED, "no-credentials", "%s holds no text", path);
    }
    bytes_add_u8(&content, 0);
    return locked_take(&content, out, err);
}

enum outcome credential_file_read(const char *name, size_t most, struct locked *out,
                                  struct error *err)
{
    OWNED(text_done) struct text path = {0};
    if (!text_is_name(name))
        return fail_code(err, ERR_DENIED, "no-credentials", "no file of credentials is named");
    credential_file_path(name, &path);
    return read_path(text_str(&path), most, out, err);
}

enum outcome credential_path_read(const char *variable, size_t most, struct locked *out,
                                  struct error *err)
{
    const char *path = getenv(variable);
    if (path == NULL || path[0] == '\0')
        return fail_code(err, ERR_DENIED, "no-credentials", "%s is not set", variable);
    return read_path(path, most, out, err);
}
