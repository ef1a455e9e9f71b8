#include "lib/crypto/locked.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum outcome locked_new(size_t len, struct locked *out, struct error *err)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t mapped = (len / page + 1) * page;
    void *at = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return fail(err, ERR_INTERNAL, "mapping %zu bytes: %s", mapped, strerror(errno));
    if (mlock(at, mapped) != 0 || madvise(at, mapped, MADV_DONTDUMP) != 0 ||
        madvise(at, mapped, MADV_DONTFORK) != 0) {
        int why = errno;
        munmap(at, mapped);
        return fail_code(err, ERR_INTERNAL, "memory-not-locked", "locking %zu bytes: %s", mapped,
                         strerror(why));
    }
    *out = (struct locked){.at = at, .len = len, .mapped = mapped};
    return OK;
}

void locked_done(struct locked *l)
{
    if (l->at != NULL) {
        explicit_bzero(l->at, l->mapped);
        munmap(l->at, l->mapped);
    }
    *l = (struct locked){0};
}

struct span locked_span(const struct locked *l)
{
    return SPAN(l->at, l->len);
}

enum outcome locked_take(struct bytes *from, struct locked *out, struct error *err)
{
    TRY(locked_new(from->len, out, err));
    if (from->len > 0)
        memcpy(out->at, from->at, from->len);
    bytes_wipe(from);
    return OK;
}
