/* EC_POINTs_make_affine() is deprecated but has no successor: without it each addition would cost
 * a third more. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "lib/crypto/p384_comb.h"

#include <stdlib.h>

enum { BITS = 384 };

struct comb {
    unsigned width;
    size_t windows;
    size_t digits;     /* of a window, without zero */
    EC_POINT **points; /* [windows][digits] */
};

void comb_free(struct comb *comb)
{
    if (comb == NULL)
        return;
    for (size_t i = 0; i < comb->windows * comb->digits; i++)
        EC_POINT_free(comb->points[i]);
    free(comb->points);
    free(comb);
}

/* 1, 2, 3, ... times `base`; then `base` moves up to the next window. */
static bool fill_window(EC_POINT **row, size_t digits, const EC_GROUP *group, EC_POINT *base,
                        BN_CTX *ctx)
{
    for (size_t i = 0; i < digits; i++) {
        row[i] = EC_POINT_new(group);
        if (row[i] == NULL || (i == 0 ? EC_POINT_copy(row[0], base)
                                      : EC_POINT_add(group, row[i], row[i - 1], base, ctx)) != 1)
            return false;
    }
    return EC_POINT_add(group, base, row[digits - 1], base, ctx) == 1;
}

static bool fill(struct comb *comb, const EC_GROUP *group, EC_POINT *base, BN_CTX *ctx)
{
    for (size_t i = 0; i < comb->windows; i++)
        if (!fill_window(comb->points + i * comb->digits, comb->digits, group, base, ctx))
            return false;
    return EC_POINTs_make_affine(group, comb->windows * comb->digits, comb->points, ctx) == 1;
}

struct comb *comb_new(const EC_GROUP *group, const EC_POINT *point, unsigned width, BN_CTX *ctx)
{
    OWNED(comb_drop) struct comb *comb = NEW(struct comb);
    comb->width = width;
    comb->windows = (BITS + width - 1) / width;
    comb->digits = ((size_t)1 << width) - 1;
    comb->points = mem_new(comb->windows * comb->digits, sizeof *comb->points);
    EC_POINT *base = EC_POINT_dup(point, group);
    const bool fine = base != NULL && fill(comb, group, base, ctx);
    EC_POINT_free(base);
    return fine ? TAKE(comb) : NULL;
}

static unsigned digit_of(const uint8_t k[static 48], size_t from, unsigned width)
{
    unsigned digit = 0;
    for (unsigned i = 0; i < width && from + i < BITS; i++) {
        const size_t bit = from + i;
        digit |= (unsigned)(k[47 - bit / 8] >> bit % 8 & 1) << i;
    }
    return digit;
}

bool comb_add(const struct comb *comb, const EC_GROUP *group, const uint8_t k[static 48],
              EC_POINT *sum, BN_CTX *ctx)
{
    for (size_t i = 0; i < comb->windows; i++) {
        const unsigned digit = digit_of(k, i * comb->width, comb->width);
        if (digit > 0 &&
            EC_POINT_add(group, sum, sum, comb->points[i * comb->digits + digit - 1], ctx) != 1)
            return false;
    }
    return true;
}
