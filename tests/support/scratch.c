#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/base.h"
#include "lib/base/text.h"

int scratch_open(void **state)
{
    const char *parent = getenv("TMPDIR");
    struct text path = {0};
    text_addf(&path, "%s/muster-test-XXXXXX", parent != NULL ? parent : "/tmp");
    *state = mkdtemp(path.at);
    return *state != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

int scratch_close(void **state)
{
    int failed = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return failed;
}

char *scratch_path(const char *folder, const char *name)
{
    struct text path = {0};
    text_addf(&path, "%s/%s", folder, name);
    return text_take(&path);
}
