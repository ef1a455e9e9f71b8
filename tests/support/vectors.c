#include "tests/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "tests/support/test.h"

const char *vectors_folder(void)
{
    const char *folder = getenv("MUSTER_VECTORS");
    if (folder == NULL)
        folder = "../shared/vectors";
    if (access(folder, R_OK) == 0)
        return folder;
    fprintf(stderr, "# skipped: no genuine samples at %s\n", folder);
    return NULL;
}

struct bytes vectors_read(const char *path)
{
    struct error err = {0};
    struct bytes content = {0};
    char whole[512];
    snprintf(whole, sizeof whole, "%s/%s", vectors_folder(), path);
    assert_ok(file_read(whole, 64 << 20, &content, &err));
    return content;
}

json_t *vectors_json(const char *path)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes content = vectors_read(path);
    json_t *value = NULL;
    assert_ok(json_parse(bytes_span(&content), 64 << 20, &value, &err));
    return value;
}
