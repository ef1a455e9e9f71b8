#include "lib/crypto/p384.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/p384_comb.h"

enum { POINT_SIZE = 97, KEY_WIDTH = 4, GENERATOR_WIDTH = 6 };

struct p384 {
    EVP_PKEY_CTX *context;
    EVP_MD *sha384;
    EVP_MD_CTX *hash;
    uint8_t point[POINT_SIZE]; /* uncompressed */
    size_t uses;
    struct comb *comb; /* NULL until it is worth it */
    BN_CTX *numbers;
    BIGNUM *r, *s, *h, *inverse, *x;
    EC_POINT *sum;
};

/* The curve and the multiples of its generator, made once for all keys. */
static struct {
    pthread_once_t once;
    EC_GROUP *group;
    struct comb *generator;
    atomic_int tables;
} curve = {.once = PTHREAD_ONCE_INIT};

static void curve_make(void)
{
    BN_CTX *ctx = BN_CTX_new();
    curve.group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    if (curve.group != NULL && ctx != NULL)
        curve.generator =
            comb_new(curve.group, EC_GROUP_get0_generator(curve.group), GENERATOR_WIDTH, ctx);
    BN_CTX_free(ctx);
}

static bool is_p384(EVP_PKEY *key)
{
    char group[32] = "";
    return key != NULL && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
           strcmp(group, "secp384r1") == 0;
}

static bool prepare(struct p384 *key, EVP_PKEY *from)
{
    size_t len = 0;
    key->context = EVP_PKEY_CTX_new_from_pkey(NULL, from, NULL);
    key->sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    key->hash = EVP_MD_CTX_new();
    return key->context != NULL && key->sha384 != NULL && key->hash != NULL &&
           EVP_PKEY_public_check_quick(key->context) == 1 &&
           EVP_PKEY_get_octet_string_param(from, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, key->point,
                                           sizeof key->point, &len) == 1 &&
           len == sizeof key->point && EVP_PKEY_verify_init(key->context) == 1;
}

enum outcome p384_new(struct evp_pkey_st *from, struct p384 **out, struct error *err)
{
    OWNED(p384_drop) struct p384 *made = NEW(struct p384);
    if (!is_p384(from) || !prepare(made, from))
        return fail_code(err, ERR_DENIED, "bad-signature", "not a usable P-384 key");
    *out = TAKE(made);
    return OK;
}

void p384_free(struct p384 *key)
{
    if (key == NULL)
        return;
    if (key->comb != NULL)
        atomic_fetch_sub(&curve.tables, 1);
    comb_free(key->comb);
    EC_POINT_free(key->sum);
    BN_free(key->r);
    BN_free(key->s);
    BN_free(key->h);
    BN_free(key->inverse);
    BN_free(key->x);
    BN_CTX_free(key->numbers);
    EVP_PKEY_CTX_free(key->context);
    EVP_MD_CTX_free(key->hash);
    EVP_MD_free(key->sha384);
    free(key);
}

static bool make_numbers(struct p384 *key)
{
    key->numbers = BN_CTX_new();
    key->r = BN_new();
    key->s = BN_new();
    key->h = BN_new();
    key->inverse = BN_new();
    key->x = BN_new();
    key->sum = EC_POINT_new(curve.group);
    return key->numbers != NULL && key->r != NULL && key->s != NULL && key->h != NULL &&
           key->inverse != NULL && key->x != NULL && key->sum != NULL;
}

/* False when there are tables enough already, or OpenSSL fails: then the plain way stays. */
static bool make_table(struct p384 *key)
{
    pthread_once(&curve.once, curve_make);
    if (curve.generator == NULL || (key->numbers == NULL && !make_numbers(key)))
        return false;
    if (atomic_fetch_add(&curve.tables, 1) < P384_TABLES_MAX) {
        EC_POINT *point = EC_POINT_new(curve.group);
        if (point != NULL && EC_POINT_oct2point(curve.group, point, key->point, sizeof key->point,
                                                key->numbers) == 1)
            key->comb = comb_new(curve.group, point, KEY_WIDTH, key->numbers);
        EC_POINT_free(point);
    }
    if (key->comb == NULL)
        atomic_fetch_sub(&curve.tables, 1);
    return key->comb != NULL;
}

/* A positive DER INTEGER: as short as can be, no sign bit. */
static size_t der_integer(const uint8_t in[static P384_NUMBER_SIZE], uint8_t *out)
{
    size_t skip = 0;
    while (skip < P384_NUMBER_SIZE - 1 && in[skip] == 0)
        skip++;
    const size_t sign = in[skip] >> 7;
    out[0] = 0x02;
    out[1] = (uint8_t)(P384_NUMBER_SIZE - skip + sign);
    out[2] = 0;
    memcpy(out + 2 + sign, in + skip, P384_NUMBER_SIZE - skip);
    return 2 + sign + P384_NUMBER_SIZE - skip;
}

bool p384_verify_plain(struct p384 *key, const uint8_t hash[static SHA384_SIZE],
                       const uint8_t r[static P384_NUMBER_SIZE],
                       const uint8_t s[static P384_NUMBER_SIZE])
{
    uint8_t der[2 + 2 * 51];
    size_t len = der_integer(r, der + 2);
    len += der_integer(s, der + 2 + len);
    der[0] = 0x30;
    der[1] = (uint8_t)len; /* at most 102: the short form */
    /* OpenSSL refuses 0 and n or more before it computes anything. */
    return EVP_PKEY_verify(key->context, der, len + 2, hash, SHA384_SIZE) == 1;
}

static bool is_in_range(const BIGNUM *number, const BIGNUM *order)
{
    return !BN_is_zero(number) && BN_cmp(number, order) < 0;
}

/* u = a / s mod n, as 48 bytes. */
static bool scale(struct p384 *key, const BIGNUM *a, const BIGNUM *order,
                  uint8_t out[static P384_NUMBER_SIZE])
{
    return BN_mod_mul(key->x, a, key->inverse, order, key->numbers) == 1 &&
           BN_bn2binpad(key->x, out, P384_NUMBER_SIZE) == P384_NUMBER_SIZE;
}

/* x of (h/s) G + (r/s) Q, mod n, into key->x; false when it is the point at infinity. */
static bool sum_x(struct p384 *key, const BIGNUM *order)
{
    uint8_t u1[P384_NUMBER_SIZE];
    uint8_t u2[P384_NUMBER_SIZE];
    return scale(key, key->h, order, u1) && scale(key, key->r, order, u2) &&
           EC_POINT_set_to_infinity(curve.group, key->sum) == 1 &&
           comb_add(curve.generator, curve.group, u1, key->sum, key->numbers) &&
           comb_add(key->comb, curve.group, u2, key->sum, key->numbers) &&
           EC_POINT_is_at_infinity(curve.group, key->sum) == 0 &&
           EC_POINT_get_affine_coordinates(curve.group, key->sum, key->x, NULL, key->numbers) ==
               1 &&
           BN_nnmod(key->x, key->x, order, key->numbers) == 1;
}

bool p384_verify_table(struct p384 *key, const uint8_t hash[static SHA384_SIZE],
                       const uint8_t r[static P384_NUMBER_SIZE],
                       const uint8_t s[static P384_NUMBER_SIZE])
{
    if (key->comb == NULL && !make_table(key))
        return false;
    const BIGNUM *order = EC_GROUP_get0_order(curve.group);
    return BN_bin2bn(r, P384_NUMBER_SIZE, key->r) != NULL &&
           BN_bin2bn(s, P384_NUMBER_SIZE, key->s) != NULL &&
           BN_bin2bn(hash, SHA384_SIZE, key->h) != NULL && is_in_range(key->r, order) &&
           is_in_range(key->s, order) &&
           BN_mod_inverse(key->inverse, key->s, order, key->numbers) != NULL && sum_x(key, order) &&
           BN_cmp(key->x, key->r) == 0;
}

static bool hash_message(struct p384 *key, struct span message, uint8_t out[static SHA384_SIZE])
{
    return EVP_DigestInit_ex2(key->hash, key->sha384, NULL) == 1 &&
           EVP_DigestUpdate(key->hash, message.at, message.len) == 1 &&
           EVP_DigestFinal_ex(key->hash, out, NULL) == 1;
}

bool p384_verify(struct p384 *key, struct span message, const uint8_t r[static P384_NUMBER_SIZE],
                 const uint8_t s[static P384_NUMBER_SIZE])
{
    uint8_t hash[SHA384_SIZE];
    if (!hash_message(key, message, hash))
        return false;
    key->uses++;
    if (key->uses == P384_USES_BEFORE_TABLE)
        (void)make_table(key);
    /* What the table does not accept OpenSSL decides, so that the table can never refuse alone. */
    if (key->comb == NULL || !p384_verify_table(key, hash, r, s))
        return p384_verify_plain(key, hash, r, s);
    if (key->uses % P384_CROSS_CHECK_EACH == 0 && !p384_verify_plain(key, hash, r, s))
        abort(); /* accepted what OpenSSL refuses: nothing this process says can be trusted */
    return true;
}
