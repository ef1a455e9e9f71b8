#include "tests/support/nsm.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "lib/attest/cose_sign1.h"
#include "lib/attest/nitro_document.h"
#include "lib/crypto/sign.h"
#include "tests/support/test.h"

/* ---- keys, made once a run ------------------------------------------------------------------ */

enum { ROOTS = 2, STRANGER = NSM_CERTS, KEYS };

static EVP_PKEY *keys[KEYS][ROOTS][2];
static struct bytes roots[ROOTS];
static int64_t hour = NSM_NOW;

static EVP_PKEY *key_of(int which, int root, enum nsm_curve curve)
{
    EVP_PKEY **key = &keys[which][which == NSM_ROOT ? root : 0][curve];
    if (*key == NULL)
        *key = EVP_EC_gen(curve == NSM_P384 ? "P-384" : "P-256");
    assert_non_null(*key);
    return *key;
}

struct nsm_wish nsm_wish(void)
{
    enum { DAY = 86400 };
    struct nsm_wish wish = {
        .module_id = "i-0123456789abcdef0-enc0123456789abcde",
        .digest = "SHA384",
        .timestamp_ms = (uint64_t)hour * 1000,
        .image = 0x55,
        .pcr_len = 48,
        .parent = 0x66,
        .nonce = span_of_text("nonce"),
        .public_key = span_of_text("key"),
        .user_data = span_of_text("data"),
        .indefinite = true,
        .algorithm = 34,
        .signature_len = COSE_SIGNATURE_SIZE,
    };
    for (int i = 0; i < NSM_CERTS; i++)
        wish.certs[i] = (struct nsm_cert){
            .from = hour - DAY, .to = hour + DAY, .ca = i != NSM_LEAF, .may_sign = true};
    return wish;
}

/* ---- certificates --------------------------------------------------------------------------- */

static void name_it(X509_NAME *name, int which, int root)
{
    static const char *const words[] = {"enclaves", "region", "instance", "leaf"};
    char text[64];
    snprintf(text, sizeof text, "made-up %s %d", words[which], which == NSM_ROOT ? root : 0);
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)text, -1, -1, 0), 1);
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_unknown(X509 *cert)
{
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.55555.1", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\5", 2), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, 1, value);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static const char *usage_of(const struct nsm_cert *c)
{
    if (!c->may_sign)
        return "critical,keyAgreement";
    if (c->signs_all)
        return "critical,keyCertSign,digitalSignature";
    return c->ca ? "critical,keyCertSign" : "critical,digitalSignature";
}

static void make_cert(const struct nsm_wish *wish, int which, int issuer, struct bytes *out)
{
    const struct nsm_cert *c = &wish->certs[which];
    X509 *cert = X509_new();
    EVP_PKEY *signer = c->by_other_key ? key_of(STRANGER, 0, NSM_P384)
                                       : key_of(issuer, wish->root, wish->certs[issuer].curve);
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), which + 1), 1);
    name_it(X509_get_subject_name(cert), which, wish->root);
    name_it(X509_get_issuer_name(cert), issuer, wish->root);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)c->from);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)c->to);
    assert_int_equal(X509_set_pubkey(cert, key_of(which, wish->root, c->curve)), 1);
    add_extension(cert, NID_basic_constraints, c->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(cert, NID_key_usage, usage_of(c));
    if (c->critical_unknown)
        add_unknown(cert);
    assert_true(X509_sign(cert, signer, c->sha256 ? EVP_sha256() : EVP_sha384()) > 0);
    uint8_t *der = NULL;
    const int len = i2d_X509(cert, &der);
    assert_true(len > 0);
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    X509_free(cert);
}

/* ECDSA makes another signature each time; a pinned root must stay the same. */
struct span nsm_root(int which)
{
    struct nsm_wish plain = nsm_wish();
    plain.root = which;
    if (roots[which].len == 0)
        make_cert(&plain, NSM_ROOT, NSM_ROOT, &roots[which]);
    return bytes_span(&roots[which]);
}

/* A file of key and certificate, as openssl writes them. */
void nsm_keep(const char *path, struct moment now)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);
    uint8_t *der = NULL;
    const int len = i2d_X509(cert, &der);
    assert_true(key != NULL && len > 0);
    EVP_PKEY_free(keys[NSM_ROOT][0][NSM_P384]);
    keys[NSM_ROOT][0][NSM_P384] = key;
    bytes_done(&roots[0]);
    bytes_add(&roots[0], SPAN(der, (size_t)len));
    hour = moment_seconds(now);
    OPENSSL_free(der);
    X509_free(cert);
    fclose(file);
}

static bool is_plain(const struct nsm_cert *c)
{
    const struct nsm_wish plain = nsm_wish();
    const struct nsm_cert *p = &plain.certs[NSM_ROOT];
    return c->from == p->from && c->to == p->to && c->ca && c->may_sign && c->curve == NSM_P384 &&
           !c->sha256 && !c->by_other_key && !c->critical_unknown && !c->signs_all;
}

static void add_root(const struct nsm_wish *wish, struct bytes *out)
{
    if (is_plain(&wish->certs[NSM_ROOT]))
        bytes_add(out, nsm_root(wish->root));
    else
        make_cert(wish, NSM_ROOT, NSM_ROOT, out);
}

/* ---- CBOR ----------------------------------------------------------------------------------- */

enum { UNSIGNED = 0, BYTES = 2, TEXT = 3, LIST = 4, MAP = 5, BREAK = 0xff, NOTHING = 0xf6 };

static void add_head(struct bytes *out, int major, uint64_t value)
{
    const uint8_t top = (uint8_t)(major << 5);
    if (value < 24) {
        bytes_add_u8(out, (uint8_t)(top | value));
    } else if (value <= UINT8_MAX) {
        bytes_add_u8(out, top | 24);
        bytes_add_u8(out, (uint8_t)value);
    } else if (value <= UINT16_MAX) {
        bytes_add_u8(out, top | 25);
        bytes_add_u16be(out, (uint16_t)value);
    } else {
        bytes_add_u8(out, top | 27);
        bytes_add_u64be(out, value);
    }
}

static void add_string(struct bytes *out, int major, struct span value)
{
    add_head(out, major, value.len);
    bytes_add(out, value);
}

static void add_text(struct bytes *out, const char *text)
{
    add_string(out, TEXT, span_of_text(text));
}

static void add_pcr(struct bytes *out, uint64_t index, uint8_t value, size_t len)
{
    add_head(out, UNSIGNED, index);
    add_head(out, BYTES, len);
    memset(bytes_add_room(out, len), value, len);
}

static void add_registers(const struct nsm_wish *wish, struct bytes *out)
{
    add_text(out, "nitrotpm_pcrs");
    add_head(out, MAP, 24);
    for (uint64_t i = 0; i < 24; i++) {
        add_head(out, UNSIGNED, i);
        add_string(out, BYTES, SPAN_OF(wish->registers[i]));
    }
}

static void add_pcrs(const struct nsm_wish *wish, struct bytes *out)
{
    if (wish->registers != NULL) {
        add_registers(wish, out);
        return;
    }
    add_text(out, wish->of_tpm ? "nitrotpm_pcrs" : "pcrs");
    bytes_add_u8(out, MAP << 5 | 31);
    for (uint64_t i = wish->without_image ? 1 : 0; i < 16; i++)
        add_pcr(out, i, i <= 2 ? wish->image : i == 4 ? wish->parent : 0, wish->pcr_len);
    if (wish->pcr_twice)
        add_pcr(out, 7, 0, wish->pcr_len);
    bytes_add_u8(out, BREAK);
}

static void add_certificates(const struct nsm_wish *wish, struct bytes *out)
{
    OWNED(bytes_done) struct bytes root = {0};
    OWNED(bytes_done) struct bytes region = {0};
    OWNED(bytes_done) struct bytes instance = {0};
    OWNED(bytes_done) struct bytes leaf = {0};
    add_root(wish, &root);
    make_cert(wish, NSM_REGION, NSM_ROOT, &region);
    make_cert(wish, NSM_INSTANCE, NSM_REGION, &instance);
    make_cert(wish, NSM_LEAF, NSM_INSTANCE, &leaf);
    add_text(out, "certificate");
    add_string(out, BYTES, bytes_span(&leaf));
    add_text(out, "cabundle");
    add_head(out, LIST, (wish->without_region ? 2u : 3u) + wish->bundle_repeated);
    if (!wish->root_last)
        add_string(out, BYTES, bytes_span(&root));
    for (size_t i = 0; i < wish->bundle_repeated; i++)
        add_string(out, BYTES, bytes_span(&root));
    if (!wish->without_region)
        add_string(out, BYTES, bytes_span(&region));
    add_string(out, BYTES, bytes_span(&instance));
    if (wish->root_last)
        add_string(out, BYTES, bytes_span(&root));
}

static void add_field(const struct nsm_wish *wish, const char *name, struct span value,
                      struct bytes *out)
{
    if (wish->fields_absent)
        return;
    add_text(out, name);
    if (wish->fields_null || value.at == NULL)
        bytes_add_u8(out, NOTHING);
    else
        add_string(out, BYTES, value);
}

static uint64_t members_of(const struct nsm_wish *wish)
{
    return 6u - wish->without_timestamp + wish->module_twice + wish->unknown_member +
           wish->of_both + (wish->fields_absent ? 0 : 3);
}

static void make_payload(const struct nsm_wish *wish, struct bytes *out)
{
    if (wish->indefinite)
        bytes_add_u8(out, MAP << 5 | 31);
    else
        add_head(out, MAP, members_of(wish));
    for (int i = 0; i <= wish->module_twice; i++) {
        add_text(out, "module_id");
        add_text(out, wish->module_id);
    }
    add_text(out, "digest");
    add_text(out, wish->digest);
    if (!wish->without_timestamp) {
        add_text(out, "timestamp");
        add_head(out, UNSIGNED, wish->timestamp_ms);
    }
    add_pcrs(wish, out);
    if (wish->of_both) {
        struct nsm_wish other = *wish;
        other.of_tpm = !wish->of_tpm;
        add_pcrs(&other, out);
    }
    add_certificates(wish, out);
    add_field(wish, "public_key", wish->public_key, out);
    add_field(wish, "user_data", wish->user_data, out);
    add_field(wish, "nonce", wish->nonce, out);
    if (wish->unknown_member) {
        add_text(out, "more");
        add_head(out, UNSIGNED, 1);
    }
    if (wish->indefinite)
        bytes_add_u8(out, BREAK);
    bytes_add_room(out, wish->payload_trailing);
}

/* ---- COSE_Sign1 ----------------------------------------------------------------------------- */

/* The leaf's key may be of a kind that signs no document; then another's signature stands there. */
static void sign(const struct nsm_wish *wish, struct span header, struct span payload,
                 struct bytes *out)
{
    struct error err = {0};
    const struct cose_sign1 cose = {.protected_header = header, .payload = payload};
    OWNED(bytes_done) struct bytes message = {0};
    EVP_PKEY *pkey = key_of(wish->signed_by_other ? STRANGER : NSM_LEAF, 0, NSM_P384);
    assert_int_equal(EVP_PKEY_up_ref(pkey), 1);
    OWNED(key_drop) struct key *key = key_wrap(pkey, &err);
    assert_non_null(key);
    cose_sign1_signed_bytes(&cose, &message);
    assert_ok(key_sign(key, bytes_span(&message), out, &err));
    if (wish->signature_len > out->len)
        bytes_add_room(out, wish->signature_len - out->len);
    out->len = wish->signature_len;
    out->at[out->len - 1] ^= wish->signature_flip;
}

/* Still a document, but not the one that was signed. */
static void flip_module(const struct nsm_wish *wish, struct bytes *payload)
{
    if (wish->module_flip == 0)
        return;
    uint8_t *at = memmem(payload->at, payload->len, wish->module_id, strlen(wish->module_id));
    assert_non_null(at);
    at[0] ^= wish->module_flip;
}

void nsm_make(const struct nsm_wish *wish, struct bytes *out)
{
    const uint8_t header[] = {0xa1, 0x01, 0x38, (uint8_t)wish->algorithm};
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    make_payload(wish, &payload);
    sign(wish, SPAN_OF(header), bytes_span(&payload), &signature);
    flip_module(wish, &payload);
    bytes_done(out);
    if (wish->tagged)
        bytes_add_u8(out, 0xd2);
    add_head(out, LIST, 4);
    add_string(out, BYTES, SPAN_OF(header));
    add_head(out, MAP, wish->unprotected);
    if (wish->unprotected) {
        add_head(out, UNSIGNED, 4);
        add_head(out, UNSIGNED, 1);
    }
    add_string(out, BYTES, bytes_span(&payload));
    add_string(out, BYTES, bytes_span(&signature));
    bytes_add_room(out, wish->trailing);
}
