#include "lib/crypto/kek.h"

enum outcome kek_wrap(struct kek *kek, struct span associated, struct span key, struct bytes *out,
                      struct error *err)
{
    return kek->driver->wrap(kek, associated, key, out, err);
}

enum outcome kek_unwrap(struct kek *kek, struct span associated, struct span wrapped,
                        struct locked *out, struct error *err)
{
    return kek->driver->unwrap(kek, associated, wrapped, out, err);
}

void kek_close(struct kek *kek)
{
    if (kek != NULL)
        kek->driver->close(kek);
}
