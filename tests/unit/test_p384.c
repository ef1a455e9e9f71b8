/* Good signatures, altered ones and ones at the edges, under one key again and again (R77). */
#include "lib/crypto/p384.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "lib/crypto/sign.h"
#include "tests/support/test.h"

/* The order n of the group, big-endian. */
static const uint8_t order[P384_NUMBER_SIZE] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73};

struct signature {
    uint8_t hash[SHA384_SIZE];
    uint8_t r[P384_NUMBER_SIZE];
    uint8_t s[P384_NUMBER_SIZE];
};

DROP(evp_drop, EVP_PKEY, EVP_PKEY_free)
DROP(context_drop, EVP_PKEY_CTX, EVP_PKEY_CTX_free)

static struct signature sign(EVP_PKEY *key, const uint8_t hash[static SHA384_SIZE])
{
    struct signature made;
    uint8_t der[128];
    size_t len = sizeof der;
    OWNED(context_drop) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_sign(context, der, &len, hash, SHA384_SIZE), 1);
    const uint8_t *at = der;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(parts), made.r, sizeof made.r), 48);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(parts), made.s, sizeof made.s), 48);
    ECDSA_SIG_free(parts);
    memcpy(made.hash, hash, SHA384_SIZE);
    return made;
}

static void assert_says(struct p384 *key, const struct signature *s, bool good)
{
    assert_int_equal(p384_verify_digest(key, s->hash, s->r, s->s), good);
}

static void one_key_tells_good_from_altered_signatures_many_times(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evp_drop) EVP_PKEY *pkey = EVP_EC_gen("P-384");
    OWNED(p384_drop) struct p384 *key = NULL;
    assert_ok(p384_new(pkey, &key, &err));
    for (int i = 0; i < 60; i++) {
        uint8_t hash[SHA384_SIZE];
        random_fill(hash, sizeof hash);
        struct signature good = sign(pkey, hash);
        assert_says(key, &good, true);
        struct signature bad = good;
        bad.hash[random_below(48)] ^= (uint8_t)(1u << random_below(8));
        assert_says(key, &bad, false);
        bad = good;
        bad.r[random_below(48)] ^= (uint8_t)(1u << random_below(8));
        assert_says(key, &bad, false);
        bad = good;
        bad.s[random_below(48)] ^= (uint8_t)(1u << random_below(8));
        assert_says(key, &bad, false);
    }
}

static void numbers_out_of_range_are_refused_before_any_reduction(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evp_drop) EVP_PKEY *pkey = EVP_EC_gen("P-384");
    OWNED(p384_drop) struct p384 *key = NULL;
    assert_ok(p384_new(pkey, &key, &err));
    const uint8_t hash[SHA384_SIZE] = {1};
    const struct signature good = sign(pkey, hash);
    uint8_t odd[3][P384_NUMBER_SIZE] = {{0}};
    memcpy(odd[1], order, sizeof order);
    memset(odd[2], 0xff, sizeof odd[2]);
    for (size_t i = 0; i < countof(odd); i++) {
        struct signature bad = good;
        memcpy(bad.r, odd[i], sizeof bad.r);
        assert_says(key, &bad, false);
        bad = good;
        memcpy(bad.s, odd[i], sizeof bad.s);
        assert_says(key, &bad, false);
    }
}

static void digests_at_the_edges_are_handled(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(evp_drop) EVP_PKEY *pkey = EVP_EC_gen("P-384");
    OWNED(p384_drop) struct p384 *key = NULL;
    assert_ok(p384_new(pkey, &key, &err));
    uint8_t edges[4][SHA384_SIZE] = {{0}};
    edges[1][47] = 1;
    memset(edges[2], 0xff, sizeof edges[2]); /* above n */
    memcpy(edges[3], order, sizeof order);
    for (size_t i = 0; i < countof(edges); i++) {
        const struct signature good = sign(pkey, edges[i]);
        assert_says(key, &good, true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_key_tells_good_from_altered_signatures_many_times),
        cmocka_unit_test(numbers_out_of_range_are_refused_before_any_reduction),
        cmocka_unit_test(digests_at_the_edges_are_handled),
    };
    return cmocka_run_group_tests_name("p384", tests, NULL, NULL);
}
