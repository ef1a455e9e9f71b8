#include "lib/attest/tpm_key.h"

#include <string.h>

#include "lib/attest/tpm_quote.h"
#include "lib/crypto/rsa_key.h"
#include "lib/crypto/sign.h"

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)
#define unsupported(err, ...) fail_code((err), ERR_INVALID, "unsupported-key", __VA_ARGS__)

/* TCG Algorithm Registry */
enum {
    ALG_RSA = 0x0001,
    ALG_NULL = 0x0010,
    ALG_RSASSA = 0x0014,
    ALG_RSAES = 0x0015,
    ALG_ECDSA = 0x0018,
    ALG_ECDAA = 0x001a,
    ALG_ECC = 0x0023,
    CURVE_P256 = 0x0003,
};

/* TPMA_OBJECT */
enum {
    FIXED_TPM = 1u << 1,
    FIXED_PARENT = 1u << 4,
    ORIGIN_IS_TPM = 1u << 5,
    RESTRICTED = 1u << 16,
    DECRYPT = 1u << 17,
    SIGN = 1u << 18,
};

enum { RSA_BITS = 8 * RSA_KEY_SIZE, EXPONENT = 65537, P256_NUMBER = 32 };

/* ---- keys ----------------------------------------------------------------------------------- */

/* TPM2B: u16 length and bytes. */
static struct span read_sized(struct reader *in)
{
    return read_span(in, read_u16be(in));
}

/* TPMT_SYM_DEF_OBJECT: an algorithm, and bits and mode where there is one. */
static void skip_symmetric(struct reader *in)
{
    if (read_u16be(in) != ALG_NULL)
        (void)read_u32be(in);
}

/* TPMT_ASYM_SCHEME and TPMT_KDF_SCHEME: an algorithm, and its hash where it has one. */
static uint16_t skip_scheme(struct reader *in)
{
    const uint16_t scheme = read_u16be(in);
    if (scheme != ALG_NULL && scheme != ALG_RSAES)
        (void)read_u16be(in);
    if (scheme == ALG_ECDAA)
        (void)read_u16be(in);
    return scheme;
}

static void read_rsa(struct reader *in, bool sha256, struct tpm_public *out)
{
    skip_symmetric(in);
    const uint16_t scheme = skip_scheme(in);
    const uint16_t bits = read_u16be(in);
    const uint32_t exponent = read_u32be(in);
    out->modulus = read_sized(in);
    if (sha256 && bits == RSA_BITS && out->modulus.len == RSA_KEY_SIZE &&
        (exponent == 0 || exponent == EXPONENT) && (scheme == ALG_RSASSA || scheme == ALG_NULL))
        out->kind = TPM_KEY_RSA_2048;
}

static void read_ecc(struct reader *in, bool sha256, struct tpm_public *out)
{
    skip_symmetric(in);
    const uint16_t scheme = skip_scheme(in);
    const uint16_t curve = read_u16be(in);
    (void)skip_scheme(in);
    out->x = read_sized(in);
    out->y = read_sized(in);
    if (sha256 && curve == CURVE_P256 && out->x.len == P256_NUMBER && out->y.len == P256_NUMBER &&
        (scheme == ALG_ECDSA || scheme == ALG_NULL))
        out->kind = TPM_KEY_P256;
}

enum outcome tpm_public_next(struct span *in, struct tpm_public *out, struct error *err)
{
    struct reader reader = reader_of(*in);
    *out = (struct tpm_public){0};
    const uint16_t type = read_u16be(&reader);
    const bool sha256 = read_u16be(&reader) == TPM_ALG_SHA256;
    out->attributes = read_u32be(&reader);
    (void)read_sized(&reader); /* the policy that lets the key be used */
    if (type == ALG_RSA)
        read_rsa(&reader, sha256, out);
    else if (type == ALG_ECC)
        read_ecc(&reader, sha256, out);
    else
        return malformed(err, "a public area of type 0x%x", type);
    if (reader.ran_short)
        return malformed(err, "a public area that ends in the middle");
    out->whole = span_part(*in, 0, reader.at);
    *in = span_part(*in, reader.at, in->len);
    return OK;
}

enum outcome tpm_public_read(struct span in, struct tpm_public *out, struct error *err)
{
    if (in.len > TPM_PUBLIC_MAX)
        return malformed(err, "a public area of %zu bytes", in.len);
    TRY(tpm_public_next(&in, out, err));
    return in.len == 0 ? OK : malformed(err, "%zu bytes behind the public area", in.len);
}

static bool has_all(const struct tpm_public *key, uint32_t attributes)
{
    return (key->attributes & attributes) == attributes;
}

bool tpm_public_attests(const struct tpm_public *key)
{
    return has_all(key, RESTRICTED | SIGN | FIXED_TPM | FIXED_PARENT | ORIGIN_IS_TPM) &&
           (key->attributes & DECRYPT) == 0;
}

bool tpm_public_decrypts(const struct tpm_public *key)
{
    return has_all(key, RESTRICTED | DECRYPT) && (key->attributes & SIGN) == 0;
}

/* ---- as others write them ------------------------------------------------------------------- */

enum outcome tpm_public_spki(const struct tpm_public *key, struct bytes *out, struct error *err)
{
    static const uint8_t rsa[] = {0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                  0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03, 0x82, 0x01,
                                  0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00};
    static const uint8_t f4[] = {0x02, 0x03, 0x01, 0x00, 0x01};
    static const uint8_t p256[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                   0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
    switch (key->kind) {
    case TPM_KEY_RSA_2048:
        if ((key->modulus.at[0] & 0x80) == 0)
            return unsupported(err, "a modulus of fewer than %d bits", RSA_BITS);
        bytes_add(out, SPAN_OF(rsa));
        bytes_add(out, key->modulus);
        bytes_add(out, SPAN_OF(f4));
        return OK;
    case TPM_KEY_P256:
        bytes_add(out, SPAN_OF(p256));
        bytes_add(out, key->x);
        bytes_add(out, key->y);
        return OK;
    case TPM_KEY_OTHER:
        break;
    }
    return unsupported(err, "neither RSA of %d bits nor P-256, with SHA-256", RSA_BITS);
}

/* ---- signatures ----------------------------------------------------------------------------- */

static enum outcome verify_rsa(const struct tpm_public *key, struct span message, struct reader *in,
                               struct error *err)
{
    static const uint8_t f4[] = {0x01, 0x00, 0x01};
    const struct span signature = read_sized(in);
    if (reader_end(in, NULL) != OK)
        return malformed(err, "a signature of another length");
    return rsa_key_verify(key->modulus, SPAN_OF(f4), message, signature, err);
}

/* TPMs may leave leading zeroes out. */
static bool add_number(struct bytes *out, struct span number)
{
    if (number.len > P256_NUMBER)
        return false;
    (void)bytes_add_room(out, P256_NUMBER - number.len);
    bytes_add(out, number);
    return true;
}

static enum outcome verify_ecc(const struct tpm_public *key, struct span message, struct reader *in,
                               struct error *err)
{
    OWNED(bytes_done) struct bytes spki = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    OWNED(key_drop) struct key *point = NULL;
    const struct span r = read_sized(in);
    const struct span s = read_sized(in);
    if (reader_end(in, NULL) != OK || !add_number(&signature, r) || !add_number(&signature, s))
        return malformed(err, "a signature of another length");
    TRY(tpm_public_spki(key, &spki, err));
    TRY(key_from_spki(bytes_span(&spki), &point, err));
    return key_verify(point, message, bytes_span(&signature), err);
}

enum outcome tpm_public_verify(const struct tpm_public *key, struct span message,
                               struct span signature, struct error *err)
{
    struct reader in = reader_of(signature);
    const uint16_t algorithm = read_u16be(&in);
    const uint16_t hash = read_u16be(&in);
    if (in.ran_short || hash != TPM_ALG_SHA256)
        return malformed(err, "not a signature over SHA-256");
    if (algorithm == ALG_RSASSA && key->kind == TPM_KEY_RSA_2048)
        return verify_rsa(key, message, &in, err);
    if (algorithm == ALG_ECDSA && key->kind == TPM_KEY_P256)
        return verify_ecc(key, message, &in, err);
    return fail_code(err, ERR_INVALID, "unsupported-key", "signature 0x%x by another kind of key",
                     algorithm);
}
