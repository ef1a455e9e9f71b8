/* The table of multiples says what OpenSSL's own verification says, for good signatures, bad ones
 * and ones at the edges (R77). */
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

static void assert_both(struct p384 *key, const struct signature *s, bool good)
{
    assert_int_equal(p384_verify_plain(key, s->hash, s->r, s->s), good);
    assert_int_equal(p384_verify_table(key, s->hash, s->r, s->s), good);
}

static void table_agrees_with_openssl_on_good_and_altered_signatures(void **state)
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
        assert_both(key, &good, true);
        struct signature bad = good;
        bad.hash[random_below(48)] ^= (uint8_t)(1u << random_below(8));
        assert_both(key, &bad, false);
        bad = good;
        bad.r[random_below(48)] ^= (uint8_t)(1u << random_below(8));
        assert_both(key, &bad, false);
        bad = good;
        bad.s[random_below(48)] ^= (uint8_t)(1u << random_below(8));
        assert_both(key, &bad, false);
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
        assert_both(key, &bad, false);
        bad = good;
        memcpy(bad.s, odd[i], sizeof bad.s);
        assert_both(key, &bad, false);
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
        assert_both(key, &good, true);
    }
}

/* A key whose private half is this number. */
static EVP_PKEY *key_of(const BIGNUM *number)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
    EC_POINT *point = EC_POINT_new(group);
    uint8_t bytes[97];
    assert_int_equal(EC_POINT_mul(group, point, number, NULL, NULL, NULL), 1);
    assert_int_equal(
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, bytes, sizeof bytes, NULL),
        sizeof bytes);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0);
    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number);
    OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    OWNED(context_drop) EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, parameters), 1);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    return key;
}

/* Where multiples of key and generator meet, additions become doublings or cancel out. */
static void keys_next_to_the_generator_are_handled(void **state)
{
    (void)state;
    struct error err = {0};
    for (int i = 0; i < 4; i++) {
        BIGNUM *number = BN_new();
        BN_set_word(number, (BN_ULONG)(i % 2 + 1));
        if (i >= 2) { /* n - 1, n - 2 */
            BIGNUM *n = BN_bin2bn(order, sizeof order, NULL);
            BN_sub(number, n, number);
            BN_free(n);
        }
        OWNED(evp_drop) EVP_PKEY *pkey = key_of(number);
        BN_free(number);
        OWNED(p384_drop) struct p384 *key = NULL;
        assert_ok(p384_new(pkey, &key, &err));
        for (int turn = 0; turn < 10; turn++) {
            uint8_t hash[SHA384_SIZE];
            random_fill(hash, sizeof hash);
            struct signature s = sign(pkey, hash);
            assert_both(key, &s, true);
            s.hash[0] ^= 1;
            assert_both(key, &s, false);
            memcpy(s.hash, s.r, sizeof s.hash); /* u1 == u2: the sums cancel for n - 1 */
            assert_both(key, &s, false);
        }
    }
}

static void many_messages_under_one_key_verify_before_and_after_the_table(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(key_drop) struct key *signer = NULL;
    assert_ok(key_generate(KEY_P384, &signer, &err));
    OWNED(p384_drop) struct p384 *key = NULL;
    assert_ok(p384_new(key_inside(signer), &key, &err));
    for (uint32_t i = 0; i < 3 * P384_CROSS_CHECK_EACH; i++) {
        OWNED(bytes_done) struct bytes signature = {0};
        assert_ok(key_sign(signer, SPAN_OF(&i), &signature, &err));
        assert_true(p384_verify(key, SPAN_OF(&i), signature.at, signature.at + 48));
        const uint32_t other = i + 1;
        assert_false(p384_verify(key, SPAN_OF(&other), signature.at, signature.at + 48));
    }
}

static void tables_are_bounded_and_keys_without_one_still_verify(void **state)
{
    (void)state;
    struct error err = {0};
    struct p384 *all[P384_TABLES_MAX + 2] = {0};
    OWNED(evp_drop) EVP_PKEY *pkey = EVP_EC_gen("P-384");
    const uint8_t hash[SHA384_SIZE] = {9};
    const struct signature good = sign(pkey, hash);
    size_t with_table = 0;
    for (size_t i = 0; i < countof(all); i++) {
        assert_ok(p384_new(pkey, &all[i], &err));
        with_table += p384_verify_table(all[i], good.hash, good.r, good.s);
        assert_true(p384_verify_plain(all[i], good.hash, good.r, good.s));
    }
    assert_int_equal(with_table, P384_TABLES_MAX);
    for (size_t i = 0; i < countof(all); i++)
        p384_free(all[i]);
    OWNED(p384_drop) struct p384 *again = NULL;
    assert_ok(p384_new(pkey, &again, &err));
    assert_true(p384_verify_table(again, good.hash, good.r, good.s));
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct p384 *key = NULL;
    OWNED(evp_drop) EVP_PKEY *p256 = EVP_EC_gen("P-256");
    assert_fails(p384_new(p256, &key, &err), ERR_DENIED, "bad-signature");
    assert_fails(p384_new(NULL, &key, &err), ERR_DENIED, "bad-signature");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_agrees_with_openssl_on_good_and_altered_signatures),
        cmocka_unit_test(numbers_out_of_range_are_refused_before_any_reduction),
        cmocka_unit_test(digests_at_the_edges_are_handled),
        cmocka_unit_test(keys_next_to_the_generator_are_handled),
        cmocka_unit_test(many_messages_under_one_key_verify_before_and_after_the_table),
        cmocka_unit_test(tables_are_bounded_and_keys_without_one_still_verify),
        cmocka_unit_test(other_keys_are_refused),
    };
    return cmocka_run_group_tests_name("p384", tests, NULL, NULL);
}
