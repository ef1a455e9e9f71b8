/* Signed data of clouds: who may sign, under which names, by which algorithms; and tokens signed
 * with RS256. */
#include "lib/crypto/signed_data.h"

#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/crypto/rs256.h"
#include "lib/crypto/signed_data_make.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/test.h"

enum { NOW = 1795600000, DAY = 86400 };

static struct scribe *root, *middle, *leaf, *weak;

static int make_keys(void **state)
{
    (void)state;
    struct error err = {0};
    assert_ok(scribe_generate(SCRIBE_BITS, &root, &err));
    assert_ok(scribe_generate(SCRIBE_BITS, &middle, &err));
    assert_ok(scribe_generate(SCRIBE_BITS, &leaf, &err));
    assert_ok(scribe_generate(1024, &weak, &err));
    return 0;
}

static int drop_keys(void **state)
{
    (void)state;
    scribe_free(root);
    scribe_free(middle);
    scribe_free(leaf);
    scribe_free(weak);
    return 0;
}

/* A path from a root by an intermediate to a leaf, and what the leaf signs. */
struct matter {
    const char *name;         /* of the leaf, for TLS */
    const struct scribe *key; /* of the leaf */
    bool leaf_is_ca, without_middle, bare, sha1, detached, over;
    const char *usage; /* of the leaf's key, where it is not for signatures */
    const char *wanted;
    int64_t later_seconds;
};

static struct matter best(void)
{
    return (struct matter){
        .name = "metadata.azure.com", .key = leaf, .wanted = "metadata.azure.com"};
}

static void certify(const struct scribe *issuer, const struct scribe *subject, const char *from,
                    const char *to, const char *name, bool ca, bool over, struct bytes *out)
{
    struct error err = {0};
    const struct scribe_wish wish = {.subject = to,
                                     .issuer = from,
                                     .dns_name = name,
                                     .serial = 7,
                                     .from = clock_at_seconds(NOW - 2 * DAY),
                                     .to = clock_at_seconds(over ? NOW - DAY : NOW + DAY),
                                     .ca = ca};
    assert_ok(scribe_certify(issuer, subject, &wish, out, &err));
}

static EVP_PKEY *pkey_of(const struct scribe *scribe)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    assert_ok(scribe_to_pem(scribe, &pem, &err));
    BIO *in = BIO_new_mem_buf(pem.at, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    BIO_free(in);
    assert_non_null(key);
    return key;
}

static X509 *cert_of(const struct bytes *der)
{
    const unsigned char *at = der->at;
    X509 *cert = d2i_X509(NULL, &at, (long)der->len);
    assert_non_null(cert);
    return cert;
}

/* The same certificate for another use of its key, signed again by its issuer. */
static void certify_for(const char *usage, const struct scribe *issuer, struct bytes *der)
{
    X509 *cert = cert_of(der);
    EVP_PKEY *key = pkey_of(issuer);
    unsigned char *out = NULL;
    const int old = X509_get_ext_by_NID(cert, NID_key_usage, -1);
    if (old >= 0)
        X509_EXTENSION_free(X509_delete_ext(cert, old));
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
    assert_true(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    const int len = i2d_X509(cert, &out);
    bytes_done(der);
    bytes_add(der, SPAN(out, (size_t)len));
    OPENSSL_free(out);
    X509_EXTENSION_free(extension);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void sign(const struct matter *m, struct bytes *out, struct x509_list *anchors)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes top = {0};
    OWNED(bytes_done) struct bytes between = {0};
    OWNED(bytes_done) struct bytes bottom = {0};
    certify(root, root, "Root", "Root", NULL, true, false, &top);
    certify(root, middle, "Root", "Middle", NULL, true, m->over, &between);
    certify(middle, m->key, "Middle", "Leaf", m->name, m->leaf_is_ca, false, &bottom);
    if (m->usage != NULL)
        certify_for(m->usage, middle, &bottom);
    assert_ok(x509_list_read(anchors, bytes_span(&top), &err));
    const struct scribe_data data = {
        .content = span_of_text("{\"vmId\":1}"),
        .certificate = bytes_span(&bottom),
        .beside = m->without_middle ? (struct span){0} : bytes_span(&between),
        .bare = m->bare,
        .sha1 = m->sha1,
        .detached = m->detached,
    };
    assert_ok(scribe_sign_data(m->key, &data, out, &err));
}

/* "ok", or why not, in words that hold these. */
static void comes_to(const struct matter *m, const char *expected, const char *saying)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(x509_list_done) struct x509_list anchors = {0};
    OWNED(signed_data_drop) struct signed_data *data = NULL;
    OWNED(x509_drop) struct x509 *signer = NULL;
    sign(m, &der, &anchors);
    enum outcome outcome = signed_data_read(bytes_span(&der), &data, &err);
    const struct signed_data_rule rule = {&anchors, &m->wanted, 1,
                                          clock_at_seconds(NOW + m->later_seconds)};
    if (outcome == OK)
        outcome = signed_data_certified(data, &rule, &signer, &err);
    if (outcome == OK)
        outcome = signed_data_verify(data, signer, span_of_text("{\"vmId\":1}"), &err);
    assert_string_equal(outcome == OK ? "ok" : err.code, expected);
    assert_non_null(strstr(err.text, saying));
}

#define COMES_TO(expected, change) COMES_TO_SAYING(expected, "", change)
#define COMES_TO_SAYING(expected, saying, change)                                                  \
    do {                                                                                           \
        struct matter matter = best();                                                             \
        struct matter *const m = &matter;                                                          \
        change;                                                                                    \
        comes_to(&matter, expected, saying);                                                       \
    } while (0)

static void a_path_that_came_along_leads_to_the_root(void **state)
{
    (void)state;
    COMES_TO("ok", (void)m);
    COMES_TO("chain-untrusted", m->without_middle = true);
    COMES_TO_SAYING("chain-untrusted", "did not come along", m->bare = true);
    COMES_TO("chain-untrusted", m->over = true);
    COMES_TO("chain-untrusted", m->later_seconds = 2 * DAY);
    COMES_TO("chain-untrusted", m->later_seconds = -3 * DAY);
}

static void the_signer_has_the_clouds_name_or_one_below(void **state)
{
    (void)state;
    COMES_TO("ok", m->name = "westeurope.metadata.azure.com");
    COMES_TO("ok", m->name = "*.metadata.azure.com");
    COMES_TO("ok", m->name = "METADATA.azure.com");
    COMES_TO("chain-untrusted", m->name = "evilmetadata.azure.com");
    COMES_TO("chain-untrusted", m->name = "metadata.azure.com.example.org");
    COMES_TO("chain-untrusted", m->name = "azure.com");
}

static void who_signs_documents_signs_nothing_else(void **state)
{
    (void)state;
    COMES_TO_SAYING("chain-untrusted", "may sign certificates", m->leaf_is_ca = true);
    COMES_TO_SAYING("chain-untrusted", "may sign certificates",
                    (m->leaf_is_ca = true, m->usage = "digitalSignature,keyCertSign"));
    COMES_TO_SAYING("chain-untrusted", "the signer may not sign", m->usage = "keyEncipherment");
    COMES_TO("ok", m->usage = "digitalSignature,keyEncipherment");
}

static void weak_keys_and_digests_are_not_taken(void **state)
{
    (void)state;
    COMES_TO("chain-untrusted", m->key = weak);
    COMES_TO("unsupported-algorithm", m->sha1 = true);
}

static void content_may_stand_beside_the_signature(void **state)
{
    (void)state;
    struct error err = {0};
    struct matter m = best();
    m.detached = true;
    comes_to(&m, "ok", "");
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(x509_list_done) struct x509_list anchors = {0};
    OWNED(signed_data_drop) struct signed_data *data = NULL;
    OWNED(x509_drop) struct x509 *signer = NULL;
    sign(&m, &der, &anchors);
    assert_ok(signed_data_read(bytes_span(&der), &data, &err));
    assert_int_equal(signed_data_content(data).len, 0);
    const struct signed_data_rule rule = {&anchors, &m.wanted, 1, clock_at_seconds(NOW)};
    assert_ok(signed_data_certified(data, &rule, &signer, &err));
    assert_fails(signed_data_verify(data, signer, span_of_text("{\"vmId\":2}"), &err), ERR_DENIED,
                 "bad-signature");
}

/* ---- what is no signed data ------------------------------------------------------------------ */

static void is_malformed(struct span der, const char *saying)
{
    struct error err = {0};
    struct signed_data *data = NULL;
    assert_fails(signed_data_read(der, &data, &err), ERR_INVALID, "malformed");
    assert_non_null(strstr(err.text, saying));
}

/* Takes it over. */
static void message_is_malformed(CMS_ContentInfo *cms, const char *saying)
{
    unsigned char *der = NULL;
    assert_non_null(cms);
    const int len = i2d_CMS_ContentInfo(cms, &der);
    assert_true(len > 0);
    is_malformed(SPAN(der, (size_t)len), saying);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
}

enum { SIGNERS_MOST = 2 };

/* By so many signers, over content that says it is of this type. */
static CMS_ContentInfo *signed_by(size_t count, int content_type)
{
    const struct scribe *const keys[SIGNERS_MOST] = {leaf, middle};
    BIO *content = BIO_new_mem_buf("{}", 2);
    CMS_ContentInfo *cms =
        CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_BINARY | CMS_NOSMIMECAP);
    assert_true(CMS_set1_eContentType(cms, OBJ_nid2obj(content_type)) == 1);
    for (size_t i = 0; i < count; i++) {
        OWNED(bytes_done) struct bytes der = {0};
        certify(keys[i], keys[i], "Leaf", "Leaf", "metadata.azure.com", false, false, &der);
        X509 *cert = cert_of(&der);
        EVP_PKEY *key = pkey_of(keys[i]);
        assert_non_null(CMS_add1_signer(cms, cert, key, EVP_sha256(), CMS_NOSMIMECAP));
        X509_free(cert);
        EVP_PKEY_free(key);
    }
    assert_true(CMS_final(cms, content, NULL, CMS_BINARY) == 1);
    BIO_free(content);
    return cms;
}

static CMS_ContentInfo *not_signed(void)
{
    BIO *content = BIO_new_mem_buf("{}", 2);
    CMS_ContentInfo *cms = CMS_data_create(content, CMS_BINARY);
    BIO_free(content);
    return cms;
}

static void messages_of_another_shape_are_malformed(void **state)
{
    (void)state;
    message_is_malformed(not_signed(), "not signed data");
    message_is_malformed(signed_by(1, NID_id_smime_ct_TSTInfo), "its content is no data");
    message_is_malformed(signed_by(2, NID_pkcs7_data), "not signed by one");
}

static void what_is_no_signed_data_is_malformed(void **state)
{
    (void)state;
    struct matter m = best();
    OWNED(bytes_done) struct bytes der = {0};
    OWNED(bytes_done) struct bytes long_one = {0};
    OWNED(x509_list_done) struct x509_list anchors = {0};
    sign(&m, &der, &anchors);
    bytes_add_room(&long_one, SIGNED_DATA_MAX + 1);
    is_malformed((struct span){0}, "signed data of 0 bytes");
    is_malformed(bytes_span(&long_one), "signed data of 24577 bytes");
    is_malformed(x509_der(anchors.at[0]), "not signed data");
    is_malformed(span_part(bytes_span(&der), 0, der.len - 1), "not signed data");
    bytes_add_u8(&der, 0);
    is_malformed(bytes_span(&der), "bytes after the signed data");
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static void read_token(const char *header, enum outcome outcome, const char *code)
{
    struct error err = {0};
    OWNED(rs256_token_done) struct rs256_token token = {0};
    OWNED(json_drop) json_t *head = json_loads(header, 0, NULL);
    OWNED(json_drop) json_t *claims = json_pack("{s:i}", "iat", 1);
    OWNED(json_drop) json_t *jwk = scribe_to_jwk(leaf, "k1");
    OWNED(mem_drop) char *text = NULL;
    struct rs256_key key;
    assert_ok(scribe_sign_token(leaf, head, claims, &text, &err));
    if (outcome != OK) {
        assert_fails(rs256_token_read(span_of_text(text), &token, &err), outcome, code);
        return;
    }
    assert_ok(rs256_token_read(span_of_text(text), &token, &err));
    assert_string_equal(token.kid, "k1");
    assert_ok(rs256_key_read(jwk, "", &key, &err));
    assert_ok(rs256_token_verify(&token, &key, &err));
    key.modulus[10] ^= 1;
    assert_fails(rs256_token_verify(&token, &key, &err), ERR_DENIED, "bad-signature");
}

static void tokens_say_rs256_and_nothing_more(void **state)
{
    (void)state;
    read_token("{\"alg\":\"RS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}", OK, NULL);
    read_token("{\"alg\":\"none\",\"kid\":\"k1\"}", ERR_INVALID, "unsupported-algorithm");
    read_token("{\"alg\":\"HS256\",\"kid\":\"k1\"}", ERR_INVALID, "unsupported-algorithm");
    read_token("{\"alg\":\"RS256\"}", ERR_INVALID, "malformed");
    read_token("{\"alg\":\"RS256\",\"kid\":\"k1\",\"jwk\":{}}", ERR_INVALID, "malformed");
    read_token("{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[]}", ERR_INVALID, "malformed");
}

static void what_is_no_token_is_malformed(void **state)
{
    (void)state;
#define HEADER "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0" /* {"alg":"RS256","kid":"k1"} */
    static const struct {
        const char *text, *saying;
    } tokens[] = {
        {"", "a token of 0 bytes"},
        {".", "strict JSON object"},
        {"..", "strict JSON object"},
        {"a.b", "strict JSON object"},
        {"e30.e30.AA", "not of alg, kid and typ"},
        {HEADER ".W10.AA", "strict JSON object"}, /* [] */
        {HEADER "..AA", "strict JSON object"},
        {HEADER ".e30x.AA", "strict JSON object"},
        {HEADER ".e30", "no signature"},
        {HEADER ".e30.", "no signature"},
        {HEADER ".e30.A", "no signature"},
        {HEADER ".e30.AA.AA", "no signature"},
    };
#undef HEADER
    for (size_t i = 0; i < countof(tokens); i++) {
        struct error err = {0};
        OWNED(rs256_token_done) struct rs256_token token = {0};
        assert_fails(rs256_token_read(span_of_text(tokens[i].text), &token, &err), ERR_INVALID,
                     "malformed");
        assert_non_null(strstr(err.text, tokens[i].saying));
    }
}

static void tokens_are_bounded(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(bytes_done) struct bytes long_one = {0};
    OWNED(rs256_token_done) struct rs256_token token = {0};
    memset(bytes_add_room(&long_one, RS256_TOKEN_MAX + 1), 'A', RS256_TOKEN_MAX + 1);
    assert_fails(rs256_token_read(bytes_span(&long_one), &token, &err), ERR_INVALID, "malformed");
    assert_non_null(strstr(err.text, "a token of "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_that_came_along_leads_to_the_root),
        cmocka_unit_test(the_signer_has_the_clouds_name_or_one_below),
        cmocka_unit_test(who_signs_documents_signs_nothing_else),
        cmocka_unit_test(weak_keys_and_digests_are_not_taken),
        cmocka_unit_test(content_may_stand_beside_the_signature),
        cmocka_unit_test(messages_of_another_shape_are_malformed),
        cmocka_unit_test(what_is_no_signed_data_is_malformed),
        cmocka_unit_test(tokens_say_rs256_and_nothing_more),
        cmocka_unit_test(what_is_no_token_is_malformed),
        cmocka_unit_test(tokens_are_bounded),
    };
    return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
