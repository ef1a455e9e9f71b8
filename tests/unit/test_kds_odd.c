/* Certificates, lists and files for import that are odd in one thing, under a root that is pinned.
 */
#include "lib/attest/kds.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

#define AMD_OID "1.3.6.1.4.1.3704.1."

static struct moment today(void)
{
    return clock_at_seconds(SIMULATOR_TODAY);
}

static void add_chain(struct bytes *out)
{
    pem_add_certificate(out, psp_ca(simulator.psp, LINE_MILAN, SIGNER_VCEK));
    pem_add_certificate(out, psp_ark(simulator.psp, LINE_MILAN));
}

/* A VCEK of Milan under the simulator's ASK, all zeroes but for what a case changes. */
enum { ODD_EXTENSIONS = 8 };
struct odd {
    const char *issuer;
    int64_t snp;      /* of its TCB */
    const char *last; /* the last extension's number */
};

static struct bytes odd_vcek(const struct odd *odd)
{
    const char *const oids[ODD_EXTENSIONS] = {AMD_OID "1",   AMD_OID "2",   AMD_OID "3.1",
                                              AMD_OID "3.2", AMD_OID "3.3", AMD_OID "3.8",
                                              AMD_OID "4",   odd->last};
    struct error err = {0};
    char path[512];
    const char *build = getenv("MUSTER_BUILD");
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(maker_drop) struct maker *ask = NULL;
    OWNED(key_drop) struct key *key = NULL;
    struct bytes values[ODD_EXTENSIONS] = {0};
    struct bytes der = {0};
    struct x509_wish wish = {.subject = "SEV-VCEK",
                             .issuer = odd->issuer,
                             .organisation = "Muster simulator, not AMD",
                             .from = clock_at_seconds(SIMULATOR_TODAY - 3600),
                             .to = clock_at_seconds(SIMULATOR_TODAY + 86400),
                             .extra_count = ODD_EXTENSIONS};
    snprintf(path, sizeof path, "%s/tests/simulator-state/ask.key", build != NULL ? build : ".");
    assert_ok(file_read(path, 65536, &pem, &err));
    assert_ok(maker_from_pem(bytes_span(&pem), &ask, &err));
    assert_ok(key_generate(KEY_P384, &key, &err));
    for (size_t i = 0; i < ODD_EXTENSIONS; i++)
        der_add_integer(&values[i], i == 4 ? odd->snp : 0);
    bytes_done(&values[1]);
    der_add_ia5(&values[1], "Milan-B0");
    bytes_done(&values[6]);
    bytes_add_room(&values[6], 64);
    for (size_t i = 0; i < ODD_EXTENSIONS; i++) {
        wish.extras[i].oid = oids[i];
        wish.extras[i].value = bytes_span(&values[i]);
    }
    assert_ok(x509_make_for_key(ask, key, &wish, &der, &err));
    for (size_t i = 0; i < ODD_EXTENSIONS; i++)
        bytes_done(&values[i]);
    return der;
}

static void sort_says(struct span in, const char *says)
{
    struct error err = {0};
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    assert_fails(kds_sort(in, &pieces, &err), ERR_INVALID, "endorsement-malformed");
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' is not '%s'", err.text, says);
}

/* A genuine signature over something that no processor has. */
static void a_vcek_that_says_something_odd_is_not_taken(void **state)
{
    (void)state;
    const struct odd good = {"SEV-Milan", 27, AMD_OID "9.9"};
    const struct odd twice = {"SEV-Milan", 27, AMD_OID "3.8"};
    const struct odd nowhere = {"SEV-Nowhere", 27, AMD_OID "9.9"};
    const struct odd above = {"SEV-Milan", 256, AMD_OID "9.9"};
    struct error err = {0};
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    OWNED(kds_content_done) struct kds_content content = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    OWNED(bytes_done) struct bytes right = odd_vcek(&good);
    OWNED(bytes_done) struct bytes wrong = odd_vcek(&twice);
    OWNED(bytes_done) struct bytes lost = odd_vcek(&nowhere);
    OWNED(bytes_done) struct bytes huge = odd_vcek(&above);
    add_chain(&chain);
    assert_ok(kds_sort(bytes_span(&right), &pieces, &err));
    assert_fails(kds_check(&pieces.at[0].item, bytes_span(&wrong), bytes_span(&chain),
                           simulator.roots, today(), &content, &err),
                 ERR_INVALID, "endorsement-malformed");
    sort_says(bytes_span(&wrong), "is there more than once");
    sort_says(bytes_span(&lost), "issued by no known line");
    sort_says(bytes_span(&huge), "a part of its TCB is above 255");
}

/* ARK-Nowhere's. */
static void a_list_of_no_known_line_is_not_taken(void **state)
{
    (void)state;
    struct error err = {0};
    static const char ark[] = "ARK-Milan";
    OWNED(bytes_done) struct bytes list = {0};
    assert_ok(psp_crl(simulator.psp, LINE_MILAN, false, today(), moment_add_seconds(today(), 60),
                      &list, &err));
    uint8_t *name = memmem(list.at, list.len, ark, sizeof ark - 1);
    assert_non_null(name);
    memcpy(name, "ARK-Munch", sizeof ark - 1);
    sort_says(bytes_span(&list), "the list is of no known line");
}

/* Whatever it holds, for what it is said to be. */
static void an_answer_over_its_size_is_not_read(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(kds_content_done) struct kds_content content = {0};
    OWNED(bytes_done) struct bytes huge = {0};
    const struct kds_item item = kds_chain_of(LINE_MILAN, SIGNER_VCEK);
    add_chain(&huge);
    bytes_add(&huge, span_of_text("\n"));
    while (huge.len <= KDS_ANSWER_MAX)
        bytes_add(&huge, span_of_text("what others say of it\n"));
    assert_fails(kds_check(&item, bytes_span(&huge), (struct span){0}, simulator.roots, today(),
                           &content, &err),
                 ERR_INVALID, "endorsement-malformed");
    sort_says(bytes_span(&huge), "bytes, not 1 to");
}

static void two_keys_and_broken_lists_are_no_endorsement(void **state)
{
    (void)state;
    const struct odd good = {"SEV-Milan", 27, AMD_OID "9.9"};
    OWNED(bytes_done) struct bytes one = odd_vcek(&good);
    OWNED(bytes_done) struct bytes two = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    add_chain(&chain);
    struct snp_bundle bundle = {.ca = {bytes_span(&chain)}, .ca_count = 1};
    pem_add_certificate(&two, bytes_span(&one));
    pem_add_certificate(&two, bytes_span(&one));
    bundle.ek = bytes_span(&two);
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *both = snp_endorse(&bundle, simulator.roots);
    assert_int_equal(both->format.reason, REASON_MALFORMED);
    bundle.ek = bytes_span(&one);
    bundle.crl[bundle.crl_count++] = span_of_text("no list");
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *broken = snp_endorse(&bundle, simulator.roots);
    assert_int_equal(broken->chain.reason, REASON_OK);
    assert_int_equal(broken->crl_state, CRL_BROKEN);
}

/* ---- signed by the ASK itself, but not as AMD signs -------------------------------------------
 */

struct manner {
    int padding; /* of RSA */
    const EVP_MD *hash, *mask;
    int salt;
    bool critical; /* with an extension that nobody knows and that must be known */
    bool good;
};

static EVP_PKEY *ask_key(void)
{
    char path[512];
    const char *build = getenv("MUSTER_BUILD");
    snprintf(path, sizeof path, "%s/tests/simulator-state/ask.key", build != NULL ? build : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(key);
    return key;
}

static void add_critical(X509 *cert)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, (const unsigned char *)"\x05", 2), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void sign_anew(const struct manner *how, struct span der, struct bytes *out)
{
    const unsigned char *at = der.at;
    unsigned char *made = NULL;
    EVP_PKEY_CTX *inside = NULL;
    EVP_PKEY *key = ask_key();
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    X509 *cert = d2i_X509(NULL, &at, (long)der.len);
    if (how->critical)
        add_critical(cert);
    assert_int_equal(EVP_DigestSignInit(context, &inside, how->hash, NULL, key), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(inside, how->padding), 1);
    if (how->padding == RSA_PKCS1_PSS_PADDING) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(inside, how->salt), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(inside, how->mask), 1);
    }
    assert_true(X509_sign_ctx(cert, context) > 0);
    const int len = i2d_X509(cert, &made);
    assert_true(len > 0);
    bytes_add(out, SPAN(made, (size_t)len));
    OPENSSL_free(made);
    X509_free(cert);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static void only_amds_manner_of_signing_counts(void **state)
{
    (void)state;
    const struct odd good = {"SEV-Milan", 27, AMD_OID "9.9"};
    const struct manner manners[] = {
        {RSA_PKCS1_PSS_PADDING, EVP_sha384(), EVP_sha384(), 48, false, true},
        {RSA_PKCS1_PADDING, EVP_sha384(), EVP_sha384(), 0, false, false},
        {RSA_PKCS1_PSS_PADDING, EVP_sha256(), EVP_sha256(), 48, false, false},
        {RSA_PKCS1_PSS_PADDING, EVP_sha384(), EVP_sha256(), 48, false, false},
        {RSA_PKCS1_PSS_PADDING, EVP_sha384(), EVP_sha384(), 32, false, false},
        {RSA_PKCS1_PSS_PADDING, EVP_sha384(), EVP_sha384(), 48, true, false},
    };
    OWNED(bytes_done) struct bytes chain = {0};
    OWNED(bytes_done) struct bytes plain = odd_vcek(&good);
    add_chain(&chain);
    for (size_t i = 0; i < countof(manners); i++) {
        OWNED(bytes_done) struct bytes der = {0};
        sign_anew(&manners[i], bytes_span(&plain), &der);
        const struct snp_bundle bundle = {
            .ek = bytes_span(&der), .ca = {bytes_span(&chain)}, .ca_count = 1};
        OWNED(snp_endorsements_drop)
        struct snp_endorsements *e = snp_endorse(&bundle, simulator.roots);
        if ((e->chain.reason == REASON_OK) != manners[i].good)
            fail_msg("manner %zu: %s", i, e->chain.detail);
    }
}

static void list_says(struct span in, const char *says)
{
    struct error err = {0};
    OWNED(x509_list_done) struct x509_list list = {0};
    assert_fails(x509_list_read(&list, in, &err), ERR_INVALID, "malformed");
    if (strstr(err.text, says) == NULL)
        fail_msg("'%s' is not '%s'", err.text, says);
}

static void lists_of_certificates_are_bounded(void **state)
{
    (void)state;
    const struct odd good = {"SEV-Milan", 27, AMD_OID "9.9"};
    OWNED(bytes_done) struct bytes one = odd_vcek(&good);
    OWNED(bytes_done) struct bytes many = {0};
    OWNED(bytes_done) struct bytes huge = {0};
    for (int i = 0; i <= X509_LIST_MAX; i++)
        pem_add_certificate(&many, bytes_span(&one));
    bytes_add_room(&huge, X509_LIST_BYTES_MAX + 1);
    list_says(bytes_span(&many), "more than 32 certificates");
    list_says(span_of_text("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"),
              "not certificates in PEM");
    list_says(SPAN(huge.at, X509_DER_MAX + 1), "a certificate of 8193 bytes");
    list_says(bytes_span(&huge), "131073 bytes of certificates");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vcek_that_says_something_odd_is_not_taken),
        cmocka_unit_test(a_list_of_no_known_line_is_not_taken),
        cmocka_unit_test(an_answer_over_its_size_is_not_read),
        cmocka_unit_test(two_keys_and_broken_lists_are_no_endorsement),
        cmocka_unit_test(only_amds_manner_of_signing_counts),
        cmocka_unit_test(lists_of_certificates_are_bounded),
    };
    return cmocka_run_group_tests_name("kds_odd", tests, simulator_set_up, simulator_tear_down);
}
