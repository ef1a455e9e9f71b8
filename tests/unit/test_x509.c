/* Lists of revocations and chip keys that are odd in one thing, read as the chip maker's. */
#include "lib/crypto/x509.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static void make_list(struct bytes *out)
{
    struct error err = {0};
    const struct moment today = clock_at_seconds(SIMULATOR_TODAY);
    assert_ok(
        psp_crl(simulator.psp, LINE_MILAN, false, today, moment_add_seconds(today, 60), out, &err));
}

static struct x509 *root_of(enum snp_line line)
{
    struct error err = {0};
    struct x509 *root = NULL;
    assert_ok(x509_from_der(psp_ark(simulator.psp, line), &root, &err));
    return root;
}

static void list_says(struct span in, const char *says)
{
    struct error err = {0};
    OWNED(crl_drop) struct crl *crl = NULL;
    assert_fails(crl_from_bytes(in, &crl, &err), ERR_INVALID, "malformed");
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' is not '%s'", err.text, says);
}

static void add_pem(struct bytes *out, const char *kind, struct span der)
{
    OWNED(mem_drop) char *base64 = base64_of(der);
    OWNED(text_done) struct text pem = {0};
    text_addf(&pem, "-----BEGIN %s-----\n", kind);
    for (size_t at = 0; at < strlen(base64); at += 64)
        text_addf(&pem, "%.64s\n", base64 + at);
    text_addf(&pem, "-----END %s-----\n", kind);
    bytes_add(out, text_span(&pem));
}

static void a_list_of_no_size_or_over_its_size_is_not_read(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes list = {0};
    make_list(&list);
    list_says((struct span){0}, "a revocation list of 0 bytes");
    bytes_add_room(&list, CRL_DER_MAX + 1 - list.len);
    list_says(bytes_span(&list), "a revocation list of 262145 bytes");
    list.len--;
    list_says(bytes_span(&list), "not a revocation list");
}

static void pem_of_something_else_is_no_list(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes list = {0};
    OWNED(bytes_done) struct bytes right = {0};
    OWNED(bytes_done) struct bytes wrong = {0};
    OWNED(crl_drop) struct crl *crl = NULL;
    make_list(&list);
    add_pem(&right, "X509 CRL", bytes_span(&list));
    assert_ok(crl_from_bytes(bytes_span(&right), &crl, &err));
    add_pem(&wrong, "CERTIFICATE", bytes_span(&list));
    list_says(bytes_span(&wrong), "not a revocation list in PEM");
    list_says(span_part(bytes_span(&right), 0, right.len - 20), "not a revocation list in PEM");
    list_says(span_of_text("-----BEGIN X509 CRL-----\n?\n-----END X509 CRL-----\n"),
              "not a revocation list in PEM");
}

/* All roots of the simulator have one key, so that only the name tells them apart. */
static void a_list_counts_for_its_own_issuer_only(void **state)
{
    (void)state;
    static const enum snp_line others[] = {LINE_GENOA, LINE_TURIN};
    struct error err = {0};
    OWNED(bytes_done) struct bytes list = {0};
    OWNED(crl_drop) struct crl *crl = NULL;
    OWNED(x509_drop) struct x509 *own = root_of(LINE_MILAN);
    make_list(&list);
    assert_ok(crl_from_bytes(bytes_span(&list), &crl, &err));
    assert_ok(crl_check(crl, own, &err));
    for (size_t i = 0; i < countof(others); i++) {
        OWNED(x509_drop) struct x509 *other = root_of(others[i]);
        assert_fails(crl_check(crl, other, &err), ERR_DENIED, "crl-untrusted");
        assert_non_null(strstr(err.text, "the list is not from"));
    }
}

/* ---- signed by the root itself -------------------------------------------------------------- */

static EVP_PKEY *root_key(void)
{
    char path[512];
    const char *build = getenv("MUSTER_BUILD");
    snprintf(path, sizeof path, "%s/tests/simulator-state/ark.key", build != NULL ? build : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(key);
    return key;
}

static void add_extension(X509_CRL *crl, const char *dotted, bool critical)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(dotted, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, critical, value);
    assert_int_equal(X509_CRL_add_ext(crl, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void sign_anew(struct span der, const char *dotted, bool critical, struct bytes *out)
{
    const unsigned char *at = der.at;
    unsigned char *made = NULL;
    EVP_PKEY_CTX *inside = NULL;
    EVP_PKEY *key = root_key();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    add_extension(crl, dotted, critical);
    assert_int_equal(EVP_DigestSignInit(context, &inside, EVP_sha384(), NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inside, RSA_PKCS1_PSS_PADDING), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(inside, 48), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(inside, EVP_sha384()), 1);
    assert_true(X509_CRL_sign_ctx(crl, context) > 0);
    const int len = i2d_X509_CRL(crl, &made);
    assert_true(len > 0);
    bytes_add(out, SPAN(made, (size_t)len));
    OPENSSL_free(made);
    X509_CRL_free(crl);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

/* A delta lists what changed, a partitioned list a part: neither says who is not revoked. */
static void a_list_that_asks_to_be_understood_does_not_count(void **state)
{
    (void)state;
    static const struct {
        const char *oid;
        bool critical;
    } cases[] = {{"1.3.6.1.4.1.99999.1", false}, /* what nobody need know */
                 {"1.3.6.1.4.1.99999.1", true},
                 {"2.5.29.27", true},  /* delta */
                 {"2.5.29.28", true}}; /* a part */
    OWNED(bytes_done) struct bytes list = {0};
    OWNED(x509_drop) struct x509 *root = root_of(LINE_MILAN);
    make_list(&list);
    for (size_t i = 0; i < countof(cases); i++) {
        struct error err = {0};
        OWNED(bytes_done) struct bytes odd = {0};
        OWNED(crl_drop) struct crl *crl = NULL;
        sign_anew(bytes_span(&list), cases[i].oid, cases[i].critical, &odd);
        assert_ok(crl_from_bytes(bytes_span(&odd), &crl, &err));
        if (!cases[i].critical) {
            assert_ok(crl_check(crl, root, &err));
            continue;
        }
        assert_fails(crl_check(crl, root, &err), ERR_DENIED, "crl-untrusted");
        assert_non_null(strstr(err.text, "extensions that cannot be honoured"));
    }
}

/* An authority's own certificate: RSA. */
static void a_chip_key_is_a_p384_one(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(p384_drop) struct p384 *verifier = NULL;
    OWNED(x509_drop) struct x509 *root = root_of(LINE_MILAN);
    assert_fails(p384_from_cert(root, &verifier, &err), ERR_DENIED, "bad-signature");
    assert_non_null(strstr(err.text, "holds no P-384 key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_of_no_size_or_over_its_size_is_not_read),
        cmocka_unit_test(pem_of_something_else_is_no_list),
        cmocka_unit_test(a_list_counts_for_its_own_issuer_only),
        cmocka_unit_test(a_list_that_asks_to_be_understood_does_not_count),
        cmocka_unit_test(a_chip_key_is_a_p384_one),
    };
    return cmocka_run_group_tests_name("x509", tests, simulator_set_up, simulator_tear_down);
}
