#include "lib/crypto/seal_shape.h"

#include <string.h>

#include "lib/crypto/der.h"
#include "lib/crypto/seal.h"

/* clang-format off */
static const uint8_t auth_enveloped_data[] = {0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x17};
static const uint8_t signed_data_type[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
static const uint8_t data_type[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
/* id-ecPublicKey without parameters: the curve is the recipient's. */
static const uint8_t ec_public_key[] = {0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
/* dhSinglePass-stdDH-sha256kdf-scheme with id-aes256-wrap */
static const uint8_t agreement[] = {0x30, 0x15, 0x06, 0x06, 0x2b, 0x81, 0x04, 0x01, 0x0b, 0x01,
    0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d};
static const uint8_t aes_256_gcm[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e};
static const uint8_t sha_256[] = {0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t ecdsa_sha_256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t enveloped_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
/* RSAES-OAEP, its hash and MGF1 with SHA-256 */
static const uint8_t transport[] = {0x30, 0x38, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x07, 0x30, 0x2b,
    0xa0, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
    0xa1, 0x1a, 0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08,
    0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
static const uint8_t aes_256_cbc[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a};
static const uint8_t version_0[] = {0x02, 0x01, 0x00};
static const uint8_t version_1[] = {0x02, 0x01, 0x01};
static const uint8_t version_2[] = {0x02, 0x01, 0x02};
static const uint8_t version_3[] = {0x02, 0x01, 0x03};
static const uint8_t tag_16[] = {0x02, 0x01, 0x10};
/* clang-format on */

static enum outcome malformed(struct error *err, const char *what)
{
    return fail_code(err, ERR_INVALID, "envelope-malformed", "envelope: %s", what);
}

static enum outcome other_algorithm(struct error *err, const char *what)
{
    return fail_code(err, ERR_DENIED, "envelope-algorithm", "envelope: another %s", what);
}

/* Everything must be there, and nothing after it. */
static bool at_end(const struct reader *r)
{
    return !r->ran_short && reader_left(r) == 0;
}

static enum outcome check_encrypted_keys(struct reader *recipient, const struct key *sealing_key,
                                         struct error *err)
{
    uint8_t id[SHA256_SIZE];
    key_fingerprint(sealing_key, id);
    struct reader keys = der_enter(recipient, DER_SEQUENCE);
    struct reader one = der_enter(&keys, DER_SEQUENCE);
    struct reader by_id = der_enter(&one, DER_CONSTRUCTED | 0);
    struct span key_id = der_next(&by_id, DER_OCTET_STRING);
    struct span wrapped = der_next(&one, DER_OCTET_STRING);
    if (!at_end(&keys) || !at_end(&one) || !at_end(&by_id) || wrapped.len != 40)
        return malformed(err, "not one wrapped key");
    if (!span_equal(key_id, SPAN(id, SEAL_KEY_ID_SIZE)))
        return fail_code(err, ERR_DENIED, "envelope-not-ours", "sealed to another key");
    return OK;
}

static enum outcome check_recipient(struct reader *in, const struct key *sealing_key,
                                    struct error *err)
{
    struct reader set = der_enter(in, DER_SET);
    struct reader recipient = der_enter(&set, DER_CONSTRUCTED | 1);
    if (!der_is(&recipient, SPAN_OF(version_3)))
        return malformed(err, "the recipient is not a key agreement");
    struct reader originator = der_enter(&recipient, DER_CONSTRUCTED | 0);
    struct reader key = der_enter(&originator, DER_CONSTRUCTED | 1);
    if (!der_is(&key, SPAN_OF(ec_public_key)))
        return other_algorithm(err, "kind of ephemeral key");
    struct span point = der_next(&key, DER_BIT_STRING);
    if (!at_end(&key) || !at_end(&originator) || point.len != 66)
        return malformed(err, "not one ephemeral point");
    if (!der_is(&recipient, SPAN_OF(agreement)))
        return other_algorithm(err, "key agreement, derivation or wrap");
    TRY(check_encrypted_keys(&recipient, sealing_key, err));
    return at_end(&recipient) && at_end(&set) ? OK : malformed(err, "not one recipient");
}

static enum outcome check_content(struct reader *in, struct error *err)
{
    struct reader content = der_enter(in, DER_SEQUENCE);
    if (!der_is(&content, SPAN_OF(data_type)))
        return malformed(err, "the content is of another type");
    struct reader algorithm = der_enter(&content, DER_SEQUENCE);
    if (!der_is(&algorithm, SPAN_OF(aes_256_gcm)))
        return other_algorithm(err, "cipher");
    struct reader parameters = der_enter(&algorithm, DER_SEQUENCE);
    struct span nonce = der_next(&parameters, DER_OCTET_STRING);
    if (!der_is(&parameters, SPAN_OF(tag_16)) || !at_end(&parameters) || nonce.len != 12)
        return other_algorithm(err, "nonce or tag size");
    (void)der_next(&content, DER_CONTEXT | 0);
    return at_end(&algorithm) && at_end(&content) ? OK : malformed(err, "not one content");
}

static enum outcome check_to_point(struct span envelope, const struct key *sealing_key,
                                   struct error *err)
{
    struct reader whole = reader_of(envelope);
    struct reader info = der_enter(&whole, DER_SEQUENCE);
    if (!der_is(&info, SPAN_OF(auth_enveloped_data)))
        return malformed(err, "not authenticated enveloped data");
    struct reader explicit = der_enter(&info, DER_CONSTRUCTED | 0);
    struct reader data = der_enter(&explicit, DER_SEQUENCE);
    if (!der_is(&data, SPAN_OF(version_0)))
        return malformed(err, "another version");
    TRY(check_recipient(&data, sealing_key, err));
    TRY(check_content(&data, err));
    struct span tag = der_next(&data, DER_OCTET_STRING);
    bool whole_is_read = at_end(&data) && at_end(&explicit) && at_end(&info) && at_end(&whole);
    return whole_is_read && tag.len == 16 ? OK : malformed(err, "more or less than one envelope");
}

/* ---- as AWS's key service writes it ---------------------------------------------------------- */

/* An element without a length, which only its end ends. */
static bool opens(struct reader *in, unsigned tag)
{
    return read_u8(in) == tag && read_u8(in) == 0x80;
}

static bool closes(struct reader *in)
{
    return read_u8(in) == 0 && read_u8(in) == 0 && !in->ran_short;
}

static enum outcome check_transport(struct reader *in, struct span *out_key_id, struct error *err)
{
    enum { WRAPPED_LEAST = 256, WRAPPED_MOST = 512 };
    struct reader set = der_enter(in, DER_SET);
    struct reader recipient = der_enter(&set, DER_SEQUENCE);
    if (!der_is(&recipient, SPAN_OF(version_2)))
        return malformed(err, "the recipient is not named by its key");
    *out_key_id = der_next(&recipient, DER_CONTEXT | 0);
    if (!der_is(&recipient, SPAN_OF(transport)))
        return other_algorithm(err, "key transport");
    struct span wrapped = der_next(&recipient, DER_OCTET_STRING);
    if (!at_end(&recipient) || !at_end(&set) || wrapped.len < WRAPPED_LEAST ||
        wrapped.len > WRAPPED_MOST)
        return malformed(err, "not one recipient");
    return OK;
}

static enum outcome check_parts(struct reader *in, struct error *err)
{
    enum { BLOCK = 16 };
    size_t len = 0;
    if (!opens(in, DER_CONSTRUCTED | 0))
        return malformed(err, "the content is not in parts");
    while (der_peek(in) == DER_OCTET_STRING && !in->ran_short)
        len += der_next(in, DER_OCTET_STRING).len;
    return closes(in) && len > 0 && len % BLOCK == 0 ? OK : malformed(err, "not whole blocks");
}

static enum outcome check_content_in_parts(struct reader *in, struct error *err)
{
    if (!opens(in, DER_SEQUENCE) || !der_is(in, SPAN_OF(data_type)))
        return malformed(err, "the content is of another type");
    struct reader algorithm = der_enter(in, DER_SEQUENCE);
    if (!der_is(&algorithm, SPAN_OF(aes_256_cbc)))
        return other_algorithm(err, "cipher");
    struct span iv = der_next(&algorithm, DER_OCTET_STRING);
    if (!at_end(&algorithm) || iv.len != 16)
        return malformed(err, "not one initial block");
    TRY(check_parts(in, err));
    return closes(in) ? OK : malformed(err, "not one content");
}

static enum outcome check_to_rsa(struct span envelope, const struct key *sealing_key,
                                 struct error *err)
{
    uint8_t id[SHA256_SIZE];
    struct span key_id;
    struct reader in = reader_of(envelope);
    if (!opens(&in, DER_SEQUENCE) || !der_is(&in, SPAN_OF(enveloped_data)) ||
        !opens(&in, DER_CONSTRUCTED | 0) || !opens(&in, DER_SEQUENCE) ||
        !der_is(&in, SPAN_OF(version_2)))
        return malformed(err, "not enveloped data");
    TRY(check_transport(&in, &key_id, err));
    TRY(check_content_in_parts(&in, err));
    if (!closes(&in) || !closes(&in) || !closes(&in) || !at_end(&in))
        return malformed(err, "more or less than one envelope");
    key_fingerprint(sealing_key, id);
    if (!span_equal(key_id, SPAN(id, SEAL_KEY_ID_SIZE)))
        return fail_code(err, ERR_DENIED, "envelope-not-ours", "sealed to another key");
    return OK;
}

/* The form follows from the key alone, so that nobody chooses the weaker one. */
enum outcome seal_check_outer(struct span envelope, const struct key *sealing_key,
                              struct error *err)
{
    if (envelope.len > SEAL_ENVELOPE_MAX)
        return malformed(err, "too large");
    return key_kind_of(sealing_key) == KEY_RSA ? check_to_rsa(envelope, sealing_key, err)
                                               : check_to_point(envelope, sealing_key, err);
}

/* ---- what is inside -------------------------------------------------------------------------- */

static enum outcome check_signer_info(struct reader *in, struct error *err)
{
    struct reader set = der_enter(in, DER_SET);
    struct reader info = der_enter(&set, DER_SEQUENCE);
    if (!der_is(&info, SPAN_OF(version_1)))
        return malformed(err, "another version of signer");
    (void)der_next(&info, DER_SEQUENCE); /* issuer and serial number */
    if (!der_is(&info, SPAN_OF(sha_256)))
        return other_algorithm(err, "digest");
    (void)der_next(&info, DER_CONSTRUCTED | 0); /* signed attributes: CMS_verify reads them */
    if (!der_is(&info, SPAN_OF(ecdsa_sha_256)))
        return other_algorithm(err, "signature algorithm");
    (void)der_next(&info, DER_OCTET_STRING);
    return at_end(&info) && at_end(&set) ? OK : malformed(err, "not one signer");
}

enum outcome seal_check_signed(struct span signed_data, struct error *err)
{
    struct reader whole = reader_of(signed_data);
    struct reader info = der_enter(&whole, DER_SEQUENCE);
    if (!der_is(&info, SPAN_OF(signed_data_type)))
        return malformed(err, "the content is not signed data");
    struct reader explicit = der_enter(&info, DER_CONSTRUCTED | 0);
    struct reader data = der_enter(&explicit, DER_SEQUENCE);
    if (!der_is(&data, SPAN_OF(version_1)))
        return malformed(err, "another version of signed data");
    struct reader digests = der_enter(&data, DER_SET);
    if (!der_is(&digests, SPAN_OF(sha_256)) || !at_end(&digests))
        return other_algorithm(err, "digest");
    struct reader content = der_enter(&data, DER_SEQUENCE);
    if (!der_is(&content, SPAN_OF(data_type)))
        return malformed(err, "the signed content is of another type");
    struct reader wrapped = der_enter(&content, DER_CONSTRUCTED | 0);
    (void)der_next(&wrapped, DER_OCTET_STRING);
    struct reader certificates = der_enter(&data, DER_CONSTRUCTED | 0);
    (void)der_next(&certificates, DER_SEQUENCE);
    if (!at_end(&content) || !at_end(&wrapped) || !at_end(&certificates))
        return malformed(err, "not one content and one certificate");
    TRY(check_signer_info(&data, err));
    bool whole_is_read = at_end(&data) && at_end(&explicit) && at_end(&info) && at_end(&whole);
    return whole_is_read ? OK : malformed(err, "more or less than signed data");
}
