#include "lib/crypto/seal.h"

#include <limits.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/crypto/openssl_error.h"
#include "lib/crypto/seal_shape.h"

DROP(bio_drop, BIO, BIO_free)
DROP(cms_drop, CMS_ContentInfo, CMS_ContentInfo_free)
DROP(x509_drop, X509, X509_free)

enum { HEADER_MAX = 4096 };

/* clang-format off */
static const struct field header_fields[] = {
    FIELD(seal_header, purpose, FIELD_TEXT),
    FIELD(seal_header, deployment, FIELD_HEX),
    FIELD(seal_header, instance, FIELD_UUID),
    FIELD(seal_header, anchor, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(seal_header, sealing_key, FIELD_HEX),
    FIELD(seal_header, delivery, FIELD_UUID),
    FIELD(seal_header, secret, FIELD_UUID),
    FIELD(seal_header, name, FIELD_TEXT),
    FIELD(seal_header, kind, FIELD_TEXT),
    FIELD(seal_header, version, FIELD_INT, .least = 1, .most = INT32_MAX),
    FIELD(seal_header, grant, FIELD_TEXT),
    FIELD(seal_header, verdict, FIELD_UUID, .flags = FIELD_OPTIONAL),
    FIELD(seal_header, sequence, FIELD_INT, .least = 1, .most = INT64_MAX),
    FIELD(seal_header, salt, FIELD_HEX, .flags = FIELD_OPTIONAL),
};
const struct record seal_header_record = RECORD(seal_header, header_fields);
/* clang-format on */

/* OpenSSL keeps what it read or wrote in plain strings: wipe them before they are let go. */
static void signed_drop(CMS_ContentInfo **cms)
{
    ASN1_OCTET_STRING **content = *cms != NULL ? CMS_get0_content(*cms) : NULL;
    if (content != NULL && *content != NULL)
        explicit_bzero((void *)(uintptr_t)ASN1_STRING_get0_data(*content),
                       (size_t)ASN1_STRING_length(*content));
    cms_drop(cms);
}

void seal_check(struct span salt, struct span plain, uint8_t out[static SHA256_SIZE])
{
    struct digest_run run;
    digest_start(&run, DIGEST_SHA256);
    digest_more(&run, salt);
    digest_more(&run, plain);
    digest_end(&run, out);
}

/* ---- closing ------------------------------------------------------------------------------ */

static enum outcome write_inner(const struct seal_header *header, struct span payload,
                                struct bytes *out, struct error *err)
{
    OWNED(json_drop) json_t *json = record_to_json(&seal_header_record, header);
    OWNED(mem_drop) char *printed = json_print(json);
    struct span text = span_of_text(printed);
    if (text.len > HEADER_MAX || payload.len > SEAL_PAYLOAD_MAX)
        return fail_code(err, ERR_INVALID, "too-large", "a payload of %zu bytes", payload.len);
    bytes_add_room(out, 4 + text.len + payload.len); /* once: growing leaves copies behind */
    out->len = 0;
    bytes_add_u32be(out, (uint32_t)text.len);
    bytes_add(out, text);
    bytes_add(out, payload);
    return OK;
}

static enum outcome sign(struct span inner, const struct key *signer, const struct cert *cert,
                         struct bytes *out, struct error *err)
{
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(inner.at, (int)inner.len);
    OWNED(signed_drop)
    CMS_ContentInfo *cms =
        CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP);
    bool fine = cms != NULL && in != NULL &&
                CMS_add1_signer(cms, cert_inside(cert), key_inside(signer), EVP_sha256(),
                                CMS_BINARY | CMS_NOSMIMECAP) != NULL &&
                CMS_set_detached(cms, 0) == 1 && CMS_final(cms, in, NULL, CMS_BINARY) == 1;
    unsigned char *der = NULL;
    int len = fine ? i2d_CMS_ContentInfo(cms, &der) : -1;
    if (len <= 0)
        return openssl_failed(err, "signing an envelope");
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_clear_free(der, (size_t)len);
    return OK;
}

/* CMS names a recipient by certificate, and a guest has only a key: this one carries the key's id,
 * is signed by nobody in particular and is thrown away. */
static X509 *recipient_cert(const struct key *sealing_key)
{
    uint8_t id[SHA256_SIZE];
    key_fingerprint(sealing_key, id);
    X509 *x509 = X509_new();
    ASN1_OCTET_STRING *key_id = ASN1_OCTET_STRING_new();
    EVP_PKEY *anybody = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "prime256v1");
    bool fine = x509 != NULL && key_id != NULL && anybody != NULL &&
                X509_set_version(x509, X509_VERSION_3) == 1 &&
                X509_set_pubkey(x509, key_inside(sealing_key)) == 1 &&
                ASN1_OCTET_STRING_set(key_id, id, SEAL_KEY_ID_SIZE) == 1 &&
                X509_add1_ext_i2d(x509, NID_subject_key_identifier, key_id, 0, 0) == 1 &&
                ASN1_TIME_set(X509_getm_notBefore(x509), 0) != NULL &&
                ASN1_TIME_set(X509_getm_notAfter(x509), 0) != NULL &&
                X509_sign(x509, anybody, EVP_sha256()) > 0;
    EVP_PKEY_free(anybody);
    ASN1_OCTET_STRING_free(key_id);
    if (!fine) {
        X509_free(x509);
        return NULL;
    }
    return x509;
}

static CMS_ContentInfo *made(CMS_ContentInfo *cms, bool fine)
{
    if (fine)
        return cms;
    CMS_ContentInfo_free(cms);
    return NULL;
}

static CMS_ContentInfo *to_point(X509 *recipient)
{
    CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
    CMS_RecipientInfo *to =
        cms != NULL ? CMS_add1_recipient_cert(cms, recipient, CMS_USE_KEYID) : NULL;
    EVP_PKEY_CTX *agreement = to != NULL ? CMS_RecipientInfo_get0_pkey_ctx(to) : NULL;
    /* Left alone, OpenSSL 3.0 would derive with SHA-1. */
    return made(cms,
                agreement != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(agreement, EVP_sha256()) == 1);
}

static CMS_ContentInfo *to_rsa(X509 *recipient)
{
    CMS_ContentInfo *cms = CMS_EnvelopedData_create(EVP_aes_256_cbc());
    CMS_RecipientInfo *to =
        cms != NULL ? CMS_add1_recipient_cert(cms, recipient, CMS_USE_KEYID | CMS_KEY_PARAM) : NULL;
    EVP_PKEY_CTX *transport = to != NULL ? CMS_RecipientInfo_get0_pkey_ctx(to) : NULL;
    return made(cms, transport != NULL &&
                         EVP_PKEY_CTX_set_rsa_padding(transport, RSA_PKCS1_OAEP_PADDING) == 1 &&
                         EVP_PKEY_CTX_set_rsa_oaep_md(transport, EVP_sha256()) == 1 &&
                         EVP_PKEY_CTX_set_rsa_mgf1_md(transport, EVP_sha256()) == 1);
}

/* AWS's parser reads the outer elements in indefinite length alone, which is how a stream is
 * written. */
static bool write_cms(CMS_ContentInfo *cms, BIO *in, bool as_stream, BIO *out)
{
    if (CMS_set_detached(cms, 0) != 1)
        return false;
    if (as_stream)
        return i2d_CMS_bio_stream(out, cms, in, CMS_STREAM | CMS_BINARY) == 1;
    return CMS_final(cms, in, NULL, CMS_BINARY) == 1 && i2d_CMS_bio(out, cms) == 1;
}

static enum outcome encrypt(struct span signed_data, const struct key *sealing_key,
                            struct bytes *out, struct error *err)
{
    const bool rsa = key_kind_of(sealing_key) == KEY_RSA;
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(signed_data.at, (int)signed_data.len);
    OWNED(bio_drop) BIO *written = BIO_new(BIO_s_mem());
    OWNED(x509_drop) X509 *recipient = recipient_cert(sealing_key);
    OWNED(cms_drop) CMS_ContentInfo *cms = NULL;
    if (recipient != NULL)
        cms = rsa ? to_rsa(recipient) : to_point(recipient);
    if (in == NULL || written == NULL || cms == NULL || !write_cms(cms, in, rsa, written))
        return openssl_failed(err, "encrypting an envelope");
    char *at = NULL;
    const long len = BIO_get_mem_data(written, &at);
    bytes_add(out, SPAN(at, (size_t)len));
    return OK;
}

enum outcome seal_to(const struct key *sealing_key, const struct seal_header *header,
                     struct span payload, const struct key *signer, const struct cert *signer_cert,
                     struct bytes *out, struct error *err)
{
    uint8_t fingerprint[SHA256_SIZE];
    key_fingerprint(sealing_key, fingerprint);
    if ((key_kind_of(sealing_key) != KEY_P256 && key_kind_of(sealing_key) != KEY_RSA) ||
        memcmp(fingerprint, header->sealing_key, sizeof fingerprint) != 0)
        return fail(err, ERR_INVALID, "the header names another sealing key");
    OWNED(bytes_wipe) struct bytes inner = {0};
    OWNED(bytes_wipe) struct bytes signed_data = {0};
    TRY(write_inner(header, payload, &inner, err));
    TRY(sign(bytes_span(&inner), signer, signer_cert, &signed_data, err));
    return encrypt(bytes_span(&signed_data), sealing_key, out, err);
}

/* ---- opening ------------------------------------------------------------------------------ */

static enum outcome take_bio(BIO *bio, struct locked *out, struct error *err)
{
    char *at = NULL;
    long len = BIO_get_mem_data(bio, &at);
    TRY(locked_new((size_t)len, out, err));
    if (len > 0)
        memcpy(out->at, at, (size_t)len);
    return OK;
}

static CMS_ContentInfo *parse(struct span der)
{
    const unsigned char *at = der.at;
    return d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
}

static bool unlock(CMS_ContentInfo *cms, const struct key *sealing_key)
{
    if (key_kind_of(sealing_key) == KEY_RSA) /* what cannot be opened gets a key of chance */
        return CMS_decrypt_set1_pkey(cms, key_inside(sealing_key), NULL) == 1;
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
    if (sk_CMS_RecipientInfo_num(recipients) != 1)
        return false;
    CMS_RecipientInfo *us = sk_CMS_RecipientInfo_value(recipients, 0);
    STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(us);
    if (sk_CMS_RecipientEncryptedKey_num(keys) != 1 ||
        CMS_RecipientInfo_kari_set0_pkey(us, key_inside(sealing_key)) != 1)
        return false;
    return CMS_RecipientInfo_kari_decrypt(cms, us, sk_CMS_RecipientEncryptedKey_value(keys, 0)) ==
           1;
}

static enum outcome not_ours(struct error *err)
{
    return fail_code(err, ERR_DENIED, "envelope-not-ours",
                     "sealed to another key, or changed on the way");
}

/* What came out is given whether or not it is whole, for its shape to be looked at: open_rsa(). */
static enum outcome decrypt(struct span envelope, const struct key *sealing_key, bool *out_opened,
                            struct locked *out, struct error *err)
{
    OWNED(cms_drop) CMS_ContentInfo *cms = parse(envelope);
    OWNED(bio_drop) BIO *plain = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    if (plain == NULL)
        return openssl_failed(err, "opening an envelope");
    *out_opened = cms != NULL && unlock(cms, sealing_key) &&
                  CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY) == 1;
    ERR_clear_error();
    return take_bio(plain, out, err);
}

/* The one signer's certificate. Its algorithms were fixed by the shape. */
static enum outcome check_signer(CMS_ContentInfo *cms, const struct seal_expected *expected,
                                 struct error *err)
{
    STACK_OF(X509) *signers = CMS_get0_signers(cms);
    if (signers == NULL || sk_X509_num(signers) != 1) {
        sk_X509_free(signers);
        return fail_code(err, ERR_INVALID, "envelope-malformed", "not one signer");
    }
    X509 *x509 = sk_X509_value(signers, 0);
    sk_X509_free(signers);
    X509_up_ref(x509);
    OWNED(cert_drop) struct cert *cert = cert_wrap(x509);
    return cert_check_role(cert, ROLE_KEEPER_SIGN, expected->roots, expected->root_count,
                           expected->at, err);
}

static enum outcome verify(struct span signed_data, const struct seal_expected *expected,
                           struct locked *out, struct error *err)
{
    OWNED(signed_drop) CMS_ContentInfo *cms = parse(signed_data);
    OWNED(bio_drop) BIO *inner = BIO_new(BIO_s_secmem());
    if (cms == NULL || inner == NULL)
        return fail_code(err, ERR_INVALID, "envelope-malformed", "not signed data");
    bool good =
        CMS_verify(cms, NULL, NULL, NULL, inner, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1;
    ERR_clear_error();
    if (!good)
        return fail_code(err, ERR_DENIED, "bad-signature",
                         "the keeper's signature does not verify");
    TRY(check_signer(cms, expected, err));
    return take_bio(inner, out, err);
}

static enum outcome read_inner(struct span inner, struct seal_header *out_header,
                               struct locked *out_payload, struct error *err)
{
    struct reader in = reader_of(inner);
    struct span text = read_span(&in, read_u32be(&in));
    struct span payload = read_span(&in, reader_left(&in));
    OWNED(json_drop) json_t *json = NULL;
    struct seal_header header = {0};
    if (in.ran_short || json_parse(text, HEADER_MAX, &json, NULL) != OK ||
        record_from_json(&seal_header_record, json, "", &header, NULL) != OK ||
        !text_is_name(header.name))
        return fail_code(err, ERR_INVALID, "envelope-malformed", "the header is not one");
    TRY(locked_new(payload.len, out_payload, err));
    if (payload.len > 0)
        memcpy(out_payload->at, payload.at, payload.len);
    *out_header = header;
    return OK;
}

static bool is_our_deployment(const struct seal_header *header,
                              const struct seal_expected *expected)
{
    for (size_t i = 0; i < expected->root_count; i++) {
        uint8_t root[SHA256_SIZE];
        cert_spki_sha256(expected->roots[i], root);
        if (memcmp(root, header->deployment, sizeof root) == 0)
            return true;
    }
    return false;
}

static enum outcome check_header(const struct seal_header *header, const struct key *sealing_key,
                                 const struct seal_expected *expected, struct error *err)
{
    uint8_t fingerprint[SHA256_SIZE];
    key_fingerprint(sealing_key, fingerprint);
    if (strcmp(header->purpose, expected->purpose) != 0)
        return fail_code(err, ERR_DENIED, "wrong-purpose", "sealed to '%s', wanted '%s'",
                         header->purpose, expected->purpose);
    if (!is_our_deployment(header, expected))
        return fail_code(err, ERR_DENIED, "wrong-deployment", "sealed for another deployment");
    if (!uuid_equal(&header->instance, &expected->instance))
        return fail_code(err, ERR_DENIED, "wrong-instance", "sealed for instance %s",
                         uuid_text(&header->instance).at);
    if (memcmp(header->sealing_key, fingerprint, sizeof fingerprint) != 0)
        return fail_code(err, ERR_DENIED, "wrong-sealing-key", "signed for another sealing key");
    if (header->sequence <= expected->after_sequence)
        return fail_code(err, ERR_DENIED, "old-sequence", "sequence %lld, seen %lld",
                         (long long)header->sequence, (long long)expected->after_sequence);
    return OK;
}

static enum outcome open_point(struct span envelope, const struct key *sealing_key,
                               const struct seal_expected *expected, struct locked *out,
                               struct error *err)
{
    bool opened;
    OWNED(locked_done) struct locked signed_data = {0};
    TRY(decrypt(envelope, sealing_key, &opened, &signed_data, err));
    if (!opened)
        return not_ours(err);
    TRY(seal_check_signed(locked_span(&signed_data), err));
    return verify(locked_span(&signed_data), expected, out, err);
}

/* CBC does not tell that it was changed; the signature inside does. Until that is found to be good,
 * whatever is wrong looks alike and takes the same steps: whoever changes bytes and asks again and
 * again learns nothing of those that he cannot read. */
static enum outcome open_rsa(struct span envelope, const struct key *sealing_key,
                             const struct seal_expected *expected, struct locked *out,
                             struct error *err)
{
    bool opened;
    OWNED(locked_done) struct locked signed_data = {0};
    TRY(decrypt(envelope, sealing_key, &opened, &signed_data, err));
    const bool shaped = seal_check_signed(locked_span(&signed_data), NULL) == OK;
    if (!opened || !shaped || verify(locked_span(&signed_data), expected, out, NULL) != OK)
        return not_ours(err);
    return OK;
}

enum outcome seal_open(struct span envelope, const struct key *sealing_key,
                       const struct seal_expected *expected, struct seal_header *out_header,
                       struct locked *out_payload, struct error *err)
{
    OWNED(locked_done) struct locked inner = {0};
    OWNED(locked_done) struct locked payload = {0};
    struct seal_header header = {0};
    TRY(seal_check_outer(envelope, sealing_key, err));
    TRY(key_kind_of(sealing_key) == KEY_RSA
            ? open_rsa(envelope, sealing_key, expected, &inner, err)
            : open_point(envelope, sealing_key, expected, &inner, err));
    TRY(read_inner(locked_span(&inner), &header, &payload, err));
    TRY(check_header(&header, sealing_key, expected, err));
    *out_header = header;
    *out_payload = payload;
    payload = (struct locked){0};
    return OK;
}
