#include "lib/crypto/signed_data.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct signed_data {
    CMS_ContentInfo *cms;
    CMS_SignerInfo *signer;
};

DROP(bio_drop, BIO, BIO_free)
DROP(store_drop, X509_STORE, X509_STORE_free)
DROP(context_drop, X509_STORE_CTX, X509_STORE_CTX_free)

enum { DEPTH_MAX = 6, KEY_SECURITY = 2 }; /* security level 2: RSA of 2,048 bits, no SHA-1 */

static void borrowed_drop(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack);
}

static void owned_drop(STACK_OF(X509) * *stack)
{
    sk_X509_pop_free(*stack, X509_free);
}

static void names_drop(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static enum outcome malformed(struct error *err, const char *what)
{
    ERR_clear_error();
    return fail_code(err, ERR_INVALID, "malformed", "%s", what);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int nid_of(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *object = NULL;
    X509_ALGOR_get0(&object, NULL, NULL, algorithm);
    return OBJ_obj2nid(object);
}

static enum outcome check_algorithms(CMS_SignerInfo *signer, struct error *err)
{
    X509_ALGOR *digest = NULL;
    X509_ALGOR *signature = NULL;
    CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &signature);
    const int how = nid_of(signature);
    if (nid_of(digest) != NID_sha256 ||
        (how != NID_rsaEncryption && how != NID_sha256WithRSAEncryption))
        return fail_code(err, ERR_INVALID, "unsupported-algorithm",
                         "signed otherwise than by RSA with SHA-256");
    return OK;
}

static enum outcome look_inside(struct signed_data *data, struct error *err)
{
    STACK_OF(CMS_SignerInfo) *signers = NULL;
    if (OBJ_obj2nid(CMS_get0_type(data->cms)) != NID_pkcs7_signed)
        return malformed(err, "not signed data");
    if (OBJ_obj2nid(CMS_get0_eContentType(data->cms)) != NID_pkcs7_data)
        return malformed(err, "its content is no data");
    signers = CMS_get0_SignerInfos(data->cms);
    if (signers == NULL || sk_CMS_SignerInfo_num(signers) != 1)
        return malformed(err, "not signed by one");
    data->signer = sk_CMS_SignerInfo_value(signers, 0);
    return check_algorithms(data->signer, err);
}

enum outcome signed_data_read(struct span der, struct signed_data **out, struct error *err)
{
    if (der.len == 0 || der.len > SIGNED_DATA_MAX)
        return fail_code(err, ERR_INVALID, "malformed", "signed data of %zu bytes", der.len);
    OWNED(signed_data_drop) struct signed_data *data = NEW(struct signed_data);
    const unsigned char *at = der.at;
    data->cms = d2i_CMS_ContentInfo(NULL, &at, (long)der.len);
    if (data->cms == NULL || at != der.at + der.len)
        return malformed(err,
                         data->cms == NULL ? "not signed data" : "bytes after the signed data");
    TRY(look_inside(data, err));
    *out = TAKE(data);
    return OK;
}

void signed_data_free(struct signed_data *data)
{
    if (data == NULL)
        return;
    CMS_ContentInfo_free(data->cms);
    free(data);
}

struct span signed_data_content(const struct signed_data *data)
{
    ASN1_OCTET_STRING **content = CMS_get0_content(data->cms);
    if (content == NULL || *content == NULL)
        return (struct span){0};
    return SPAN(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content));
}

/* ---- who signed ------------------------------------------------------------------------------ */

struct x509 *signed_data_signer(const struct signed_data *data, const struct x509_list *pins)
{
    for (size_t i = 0; i < pins->count; i++)
        if (CMS_SignerInfo_cert_cmp(data->signer, x509_inside(pins->at[i])) == 0)
            return pins->at[i];
    return NULL;
}

#define untrusted(err, ...) fail_code((err), ERR_DENIED, "chain-untrusted", __VA_ARGS__)

static X509 *find_signer(const struct signed_data *data, const STACK_OF(X509) * came)
{
    for (int i = 0; came != NULL && i < sk_X509_num(came); i++)
        if (CMS_SignerInfo_cert_cmp(data->signer, sk_X509_value(came, i)) == 0)
            return sk_X509_value(came, i);
    return NULL;
}

static bool is_name_or_below(const ASN1_STRING *text, const struct signed_data_rule *rule)
{
    const size_t len = (size_t)ASN1_STRING_length(text);
    const char *at = (const char *)ASN1_STRING_get0_data(text);
    for (size_t i = 0; i < rule->name_count; i++) {
        const size_t want = strlen(rule->names[i]);
        if (len < want || strncasecmp(at + len - want, rule->names[i], want) != 0)
            continue;
        if (len == want || at[len - want - 1] == '.')
            return true;
    }
    return false;
}

/* By its names for TLS, which are what its authority looked at. */
static bool has_name(X509 *leaf, const struct signed_data_rule *rule)
{
    OWNED(names_drop)
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && is_name_or_below(name->d.dNSName, rule))
            return true;
    }
    return false;
}

static enum outcome build_path(X509 *leaf, STACK_OF(X509) * between,
                               const struct signed_data_rule *rule, struct error *err)
{
    OWNED(store_drop) X509_STORE *store = X509_STORE_new();
    OWNED(context_drop) X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool made = store != NULL && context != NULL;
    for (size_t i = 0; made && i < rule->anchors->count; i++)
        made = X509_STORE_add_cert(store, x509_inside(rule->anchors->at[i])) == 1;
    made = made && X509_STORE_CTX_init(context, store, leaf, between) == 1;
    if (!made)
        return fail(err, ERR_INTERNAL, "no path could be prepared");
    X509_VERIFY_PARAM *how = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(how, (time_t)moment_seconds(rule->at));
    X509_VERIFY_PARAM_set_depth(how, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(how, KEY_SECURITY);
    X509_VERIFY_PARAM_set_flags(how, X509_V_FLAG_PARTIAL_CHAIN);
    const bool good = X509_verify_cert(context) == 1;
    ERR_clear_error();
    if (!good)
        return untrusted(err, "%s",
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    return OK;
}

static enum outcome check_leaf(X509 *leaf, const struct signed_data_rule *rule, struct error *err)
{
    if ((X509_get_extension_flags(leaf) & EXFLAG_CA) != 0)
        return untrusted(err, "the signer may sign certificates");
    if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
        return untrusted(err, "the signer may not sign");
    if (!has_name(leaf, rule))
        return untrusted(err, "the signer has another name than the cloud's");
    return OK;
}

static enum outcome wrap(X509 *cert, struct x509 **out, struct error *err)
{
    unsigned char *der = NULL;
    const int len = i2d_X509(cert, &der);
    enum outcome outcome = len > 0 ? x509_from_der(SPAN(der, (size_t)len), out, err)
                                   : malformed(err, "the signer's certificate");
    OPENSSL_free(der);
    return outcome;
}

enum outcome signed_data_certified(const struct signed_data *data,
                                   const struct signed_data_rule *rule, struct x509 **out_signer,
                                   struct error *err)
{
    OWNED(owned_drop) STACK_OF(X509) *came = CMS_get1_certs(data->cms);
    X509 *leaf = find_signer(data, came);
    if (leaf == NULL)
        return untrusted(err, "the signer's certificate did not come along");
    TRY(build_path(leaf, came, rule, err));
    TRY(check_leaf(leaf, rule, err));
    return wrap(leaf, out_signer, err);
}

/* ---- the signature --------------------------------------------------------------------------- */

enum outcome signed_data_verify(const struct signed_data *data, const struct x509 *signer,
                                struct span beside, struct error *err)
{
    const bool inside = signed_data_content(data).len > 0;
    OWNED(borrowed_drop) STACK_OF(X509) *only = sk_X509_new_null();
    OWNED(bio_drop) BIO *in = inside ? NULL : BIO_new_mem_buf(beside.at, (int)beside.len);
    OWNED(bio_drop) BIO *out = BIO_new(BIO_s_mem());
    if (only == NULL || out == NULL || (!inside && in == NULL) ||
        sk_X509_push(only, x509_inside(signer)) <= 0)
        return fail(err, ERR_INTERNAL, "no signature could be looked at");
    const bool good = CMS_verify(data->cms, only, NULL, in, out,
                                 CMS_BINARY | CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY) == 1;
    ERR_clear_error();
    return good ? OK
                : fail_code(err, ERR_DENIED, "bad-signature", "not made by %s over this content",
                            x509_subject(signer));
}
