/* Tokens that tell a cloud who we are. */
#include "lib/crypto/rsa_signer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/rsa_files.h"
#include "tests/support/test.h"

static struct rsa_signer *signer_of(const char *pem)
{
    struct error err = {0};
    struct rsa_signer *signer = NULL;
    assert_ok(rsa_signer_from_pem(span_of_text(pem), &signer, &err));
    return signer;
}

static void a_token_is_of_its_key_and_its_scheme(void **state)
{
    (void)state;
    static const enum rsa_scheme schemes[] = {RSA_PKCS1_SHA256, RSA_PSS_SHA256};
    OWNED(mem_drop) char *pem = rsa_pem_make("us");
    OWNED(mem_drop) char *other_pem = rsa_pem_make("others");
    OWNED(rsa_signer_drop) struct rsa_signer *signer = signer_of(pem);
    OWNED(rsa_signer_drop) struct rsa_signer *other = signer_of(other_pem);
    for (size_t i = 0; i < countof(schemes); i++) {
        struct error err = {0};
        OWNED(mem_drop) char *token = NULL;
        assert_ok(rsa_signer_token(signer, schemes[i], span_of_text("{\"alg\":1}"),
                                   span_of_text("{}"), &token, &err));
        assert_memory_equal(token, "eyJhbGciOjF9.e30.", 17);
        assert_ok(rsa_signer_check(signer, schemes[i], token, &err));
        assert_fails(rsa_signer_check(signer, schemes[1 - i], token, &err), ERR_DENIED,
                     "bad-signature");
        assert_fails(rsa_signer_check(other, schemes[i], token, &err), ERR_DENIED, "bad-signature");
        token[2] ^= 1;
        assert_fails(rsa_signer_check(signer, schemes[i], token, &err), ERR_DENIED,
                     "bad-signature");
    }
}

static void the_certificate_beside_the_key_is_named_by_its_hash(void **state)
{
    (void)state;
    uint8_t hash[SHA256_SIZE];
    OWNED(mem_drop) char *pem = rsa_pem_make("us");
    OWNED(rsa_signer_drop) struct rsa_signer *signer = signer_of(pem);
    assert_true(rsa_signer_thumbprint(signer, hash));
    assert_false(span_is_zero(SPAN_OF(hash)));
    OWNED(mem_drop) char *alone = mem_text(pem);
    *strstr(alone, "-----BEGIN CERTIFICATE") = '\0';
    OWNED(rsa_signer_drop) struct rsa_signer *bare = signer_of(alone);
    assert_false(rsa_signer_thumbprint(bare, hash));
}

static void what_is_no_rsa_key_of_this_certificate_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    struct rsa_signer *signer = NULL;
    OWNED(mem_drop) char *one = rsa_pem_make("one");
    OWNED(mem_drop) char *two = rsa_pem_make("two");
    OWNED(text_done) struct text mixed = {0};
    *strstr(one, "-----BEGIN CERTIFICATE") = '\0';
    text_addf(&mixed, "%s%s", one, strstr(two, "-----BEGIN CERTIFICATE"));
    assert_fails(rsa_signer_from_pem(text_span(&mixed), &signer, &err), ERR_INVALID,
                 "unsupported-key");
    static const char *const bad[] = {"", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n"};
    for (size_t i = 0; i < countof(bad); i++)
        assert_fails(rsa_signer_from_pem(span_of_text(bad[i]), &signer, &err), ERR_INVALID,
                     "unsupported-key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_of_its_key_and_its_scheme),
        cmocka_unit_test(the_certificate_beside_the_key_is_named_by_its_hash),
        cmocka_unit_test(what_is_no_rsa_key_of_this_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
