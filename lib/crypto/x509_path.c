#include "lib/crypto/x509_path.h"

#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

DROP(store_drop, X509_STORE, X509_STORE_free)
DROP(context_drop, X509_STORE_CTX, X509_STORE_CTX_free)

static void stack_drop(STACK_OF(X509) * *stack)
{
    sk_X509_free(*stack); /* the certificates are borrowed */
}

#define untrusted(err, ...) fail_code((err), ERR_DENIED, "chain-untrusted", __VA_ARGS__)

static bool is_p384(X509 *cert)
{
    const EVP_PKEY *key = X509_get0_pubkey(cert);
    return key != NULL && EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 384;
}

static enum outcome check_algorithms(const struct x509 *cert, struct error *err)
{
    X509 *inside = x509_inside(cert);
    if (!is_p384(inside))
        return untrusted(err, "%s holds no P-384 key", x509_subject(cert));
    if (X509_get_signature_nid(inside) != NID_ecdsa_with_SHA384)
        return untrusted(err, "%s is not signed by ECDSA with SHA-384", x509_subject(cert));
    return OK;
}

/* It signs documents, and nothing that others would then trust. */
static enum outcome check_leaf(const struct x509 *leaf, struct error *err)
{
    X509 *inside = x509_inside(leaf);
    if ((X509_get_extension_flags(inside) & EXFLAG_CA) != 0)
        return untrusted(err, "%s, the leaf, may sign certificates", x509_subject(leaf));
    if ((X509_get_key_usage(inside) & KU_DIGITAL_SIGNATURE) == 0)
        return untrusted(err, "%s, the leaf, may not sign", x509_subject(leaf));
    return OK;
}

/* OpenSSL may find another way to the root than the one that was sent; only that one counts. */
static bool is_same_path(const X509_STORE_CTX *context, struct x509 *const *path, size_t count)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
    if (chain == NULL || (size_t)sk_X509_num(chain) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (X509_cmp(sk_X509_value(chain, (int)i), x509_inside(path[count - 1 - i])) != 0)
            return false;
    return true;
}

static enum outcome build_path(struct x509 *const *path, size_t count, struct error *err)
{
    OWNED(store_drop) X509_STORE *store = X509_STORE_new();
    OWNED(context_drop) X509_STORE_CTX *context = X509_STORE_CTX_new();
    OWNED(stack_drop) STACK_OF(X509) *between = sk_X509_new_null();
    bool made = store != NULL && context != NULL && between != NULL &&
                X509_STORE_add_cert(store, x509_inside(path[0])) == 1;
    for (size_t i = 1; made && i + 1 < count; i++)
        made = sk_X509_push(between, x509_inside(path[i])) > 0;
    made = made && X509_STORE_CTX_init(context, store, x509_inside(path[count - 1]), between) == 1;
    if (!made)
        return fail(err, ERR_INTERNAL, "no path could be prepared");
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME);
    X509_STORE_CTX_set_depth(context, (int)count);
    if (X509_verify_cert(context) != 1)
        return untrusted(err, "%s",
                         X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    if (!is_same_path(context, path, count))
        return untrusted(err, "the certificates do not follow one another");
    return OK;
}

enum outcome x509_path_check(struct x509 *const *path, size_t count, struct error *err)
{
    if (count < 2)
        return untrusted(err, "a path needs a root and a leaf");
    for (size_t i = 0; i < count; i++)
        TRY(check_algorithms(path[i], err));
    TRY(check_leaf(path[count - 1], err));
    return build_path(path, count, err);
}
