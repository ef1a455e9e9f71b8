#include "lib/crypto/recovery.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <string.h>

#include "lib/crypto/openssl_error.h"

DROP(bio_drop, BIO, BIO_free)
DROP(cms_drop, CMS_ContentInfo, CMS_ContentInfo_free)

enum outcome recovery_check(struct cert *const *certs, size_t count, struct error *err)
{
    uint8_t seen[RECOVERY_KEYS_MOST][SHA256_SIZE];
    if (count < RECOVERY_KEYS_LEAST || count > RECOVERY_KEYS_MOST)
        return fail_code(err, ERR_INVALID, "recovery-keys", "%zu recovery certificates, %d to %d",
                         count, RECOVERY_KEYS_LEAST, RECOVERY_KEYS_MOST);
    for (size_t i = 0; i < count; i++) {
        OWNED(key_drop) struct key *key = NULL;
        if (cert_key(certs[i], &key, NULL) != OK || key_kind_of(key) == KEY_ED25519)
            return fail_code(err, ERR_INVALID, "recovery-keys",
                             "recovery certificate %zu has no P-256 or P-384 key", i + 1);
        key_fingerprint(key, seen[i]);
        for (size_t j = 0; j < i; j++)
            if (memcmp(seen[i], seen[j], SHA256_SIZE) == 0)
                return fail_code(err, ERR_INVALID, "recovery-keys",
                                 "recovery certificates %zu and %zu have one key", j + 1, i + 1);
    }
    return OK;
}

/* Left alone, OpenSSL 3.0 would derive with SHA-1. */
static bool add_recipient(CMS_ContentInfo *cms, const struct cert *cert)
{
    CMS_RecipientInfo *to = CMS_add1_recipient_cert(cms, cert_inside(cert), 0);
    EVP_PKEY_CTX *agreement = to != NULL ? CMS_RecipientInfo_get0_pkey_ctx(to) : NULL;
    return agreement != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(agreement, EVP_sha256()) == 1;
}

enum outcome recovery_wrap(struct span plain, struct cert *const *certs, size_t count,
                           struct bytes *out, struct error *err)
{
    TRY(recovery_check(certs, count, err));
    OWNED(bio_drop) BIO *in = BIO_new_mem_buf(plain.at, (int)plain.len);
    OWNED(cms_drop) CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
    bool fine = in != NULL && cms != NULL;
    for (size_t i = 0; fine && i < count; i++)
        fine = add_recipient(cms, certs[i]);
    fine = fine && CMS_set_detached(cms, 0) == 1 && CMS_final(cms, in, NULL, CMS_BINARY) == 1;
    unsigned char *der = NULL;
    int len = fine ? i2d_CMS_ContentInfo(cms, &der) : -1;
    if (len <= 0)
        return openssl_failed(err, "wrapping a key for recovery");
    bytes_done(out);
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    return OK;
}

static bool unlock_one(CMS_ContentInfo *cms, CMS_RecipientInfo *recipient, const struct key *key)
{
    if (CMS_RecipientInfo_type(recipient) != CMS_RECIPINFO_AGREE)
        return false;
    STACK_OF(CMS_RecipientEncryptedKey) *keys = CMS_RecipientInfo_kari_get0_reks(recipient);
    bool opened = false;
    for (int i = 0; !opened && i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
        opened = CMS_RecipientInfo_kari_set0_pkey(recipient, key_inside(key)) == 1 &&
                 CMS_RecipientInfo_kari_decrypt(cms, recipient,
                                                sk_CMS_RecipientEncryptedKey_value(keys, i)) == 1;
    return opened;
}

/* Which certificate the key belongs to is not asked: only its own part opens. */
static bool unlock(CMS_ContentInfo *cms, const struct key *key)
{
    STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
    bool opened = false;
    for (int i = 0; !opened && i < sk_CMS_RecipientInfo_num(recipients); i++)
        opened = unlock_one(cms, sk_CMS_RecipientInfo_value(recipients, i), key);
    return opened;
}

enum outcome recovery_open(struct span wrapped, const struct key *key, struct locked *out,
                           struct error *err)
{
    const unsigned char *at = wrapped.at;
    OWNED(cms_drop)
    CMS_ContentInfo *cms =
        wrapped.len <= RECOVERY_SIZE_MAX ? d2i_CMS_ContentInfo(NULL, &at, (long)wrapped.len) : NULL;
    bool shaped = cms != NULL && at == wrapped.at + wrapped.len &&
                  OBJ_obj2nid(CMS_get0_type(cms)) == NID_id_smime_ct_authEnvelopedData;
    ERR_clear_error();
    if (!shaped)
        return fail_code(err, ERR_INVALID, "recovery-malformed", "not a key wrapped for recovery");
    OWNED(bio_drop) BIO *plain = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    bool opened = plain != NULL && key_is_private(key) && unlock(cms, key) &&
                  CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY) == 1;
    ERR_clear_error();
    if (!opened)
        return fail_code(err, ERR_DENIED, "recovery-not-ours",
                         "wrapped to other keys, or changed since");
    char *content = NULL;
    long len = BIO_get_mem_data(plain, &content);
    TRY(locked_new((size_t)len, out, err));
    if (len > 0)
        memcpy(out->at, content, (size_t)len);
    return OK;
}
