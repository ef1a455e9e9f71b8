#include "tests/support/made_vtpm.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lib/attest/event_log.h"
#include "lib/attest/tpm_key.h"
#include "lib/attest/tpm_quote.h"
#include "lib/crypto/rsa_key.h"
#include "tests/support/test.h"

enum { P256_SIZE = 32 };
enum { ATTESTS = 1u << 1 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 16 | 1u << 18 };
enum { ENDORSES = 1u << 1 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16 | 1u << 17 };

/* ---- keys, made once a run ------------------------------------------------------------------ */

enum which {
    KEY_OWN,
    KEY_OTHER,
    KEY_ENDORSEMENT,
    KEY_AUTHORITY,
    KEY_AUTHORITY_2,
    KEY_AUTHORITY_3,
    KEY_STRANGER,
    KEYS
};

static EVP_PKEY *key_of(enum which which, bool on_p256)
{
    static EVP_PKEY *keys[KEYS][2];
    EVP_PKEY **key = &keys[which][on_p256];
    if (*key == NULL)
        *key = on_p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    assert_non_null(*key);
    return *key;
}

static void add_sized(struct bytes *out, struct span value)
{
    bytes_add_u16be(out, (uint16_t)value.len);
    bytes_add(out, value);
}

static void add_number(struct bytes *out, const EVP_PKEY *key, const char *name, int size)
{
    BIGNUM *number = NULL;
    uint8_t raw[RSA_KEY_SIZE];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    assert_int_equal(BN_bn2binpad(number, raw, size), size);
    BN_free(number);
    add_sized(out, SPAN(raw, (size_t)size));
}

/* TPMT_PUBLIC; an endorsement key has a symmetric algorithm in place of a scheme. */
static void add_public(const struct made_vtpm_wish *wish, enum which which, struct bytes *out)
{
    const bool endorses = which == KEY_ENDORSEMENT;
    const EVP_PKEY *key = key_of(which, wish->on_p256);
    bytes_add_u16be(out, wish->on_p256 ? 0x0023 : 0x0001);
    bytes_add_u16be(out, wish->ak_name_hash);
    bytes_add_u32be(out, endorses ? ENDORSES : wish->ak_attributes);
    add_sized(out, (struct span){0});
    bytes_add_u16be(out, endorses ? 0x0006 : 0x0010);
    if (endorses)
        bytes_add_u32be(out, 128u << 16 | 0x0043);
    bytes_add_u16be(out, endorses ? 0x0010 : wish->on_p256 ? 0x0018 : 0x0014);
    if (!endorses)
        bytes_add_u16be(out, TPM_ALG_SHA256);
    if (wish->on_p256) {
        bytes_add_u16be(out, wish->ak_curve);
        bytes_add_u16be(out, 0x0010);
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, P256_SIZE);
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, P256_SIZE);
    } else {
        bytes_add_u16be(out, wish->ak_bits);
        bytes_add_u32be(out, 0);
        add_number(out, key, OSSL_PKEY_PARAM_RSA_N, RSA_KEY_SIZE);
    }
}

struct made_vtpm_wish made_vtpm_wish(enum made_vouch vouch)
{
    return (struct made_vtpm_wish){
        .vouch = vouch,
        .measurement = 0x11,
        .ak_attributes = ATTESTS,
        .ak_bits = 2048,
        .ak_curve = 3,
        .ak_name_hash = TPM_ALG_SHA256,
        .cert_from = SIMULATOR_TODAY - 86400,
        .cert_to = SIMULATOR_TODAY + 86400,
        .quote_magic = 0xff544347,
        .quote_algorithm = TPM_ALG_SHA256,
        .quote_registers = 0xffffff,
        .signature_hash = TPM_ALG_SHA256,
        .document = nsm_wish(),
    };
}

/* ---- the boot ------------------------------------------------------------------------------- */

static void add_u16le(struct bytes *out, uint16_t value)
{
    bytes_add_u8(out, (uint8_t)value);
    bytes_add_u8(out, (uint8_t)(value >> 8));
}

static const struct {
    enum digest_kind kind;
    uint16_t algorithm;
} banks[] = {{DIGEST_SHA256, 0x000b}, {DIGEST_SHA384, 0x000c}};

static void add_header(struct bytes *log)
{
    static const char signature[] = "Spec ID Event03";
    OWNED(bytes_done) struct bytes spec = {0};
    bytes_add(&spec, SPAN_OF(signature));
    bytes_add_u32le(&spec, 0);
    bytes_add_u32le(&spec, 0x02000200);
    bytes_add_u32le(&spec, countof(banks));
    for (size_t i = 0; i < countof(banks); i++) {
        add_u16le(&spec, banks[i].algorithm);
        add_u16le(&spec, (uint16_t)digest_size(banks[i].kind));
    }
    bytes_add_u8(&spec, 0);
    bytes_add_u32le(log, 0);
    bytes_add_u32le(log, EV_NO_ACTION);
    bytes_add_room(log, SHA1_SIZE);
    bytes_add_u32le(log, (uint32_t)spec.len);
    bytes_add(log, bytes_span(&spec));
}

static void add_event(struct bytes *log, uint32_t pcr, uint32_t type, struct span said,
                      struct span measured)
{
    bytes_add_u32le(log, pcr);
    bytes_add_u32le(log, type);
    bytes_add_u32le(log, countof(banks));
    for (size_t i = 0; i < countof(banks); i++) {
        uint8_t hash[DIGEST_SIZE_MAX];
        digest(banks[i].kind, measured, hash);
        add_u16le(log, banks[i].algorithm);
        bytes_add(log, SPAN(hash, digest_size(banks[i].kind)));
    }
    bytes_add_u32le(log, (uint32_t)said.len);
    bytes_add(log, said);
}

static void add_variable(struct bytes *out, uint8_t value)
{
    static const uint8_t global[16] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                       0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
    static const char name[] = "SecureBoot";
    bytes_add(out, SPAN_OF(global));
    bytes_add_u32le(out, sizeof name - 1);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, 1);
    bytes_add_u32le(out, 0);
    for (const char *at = name; *at != '\0'; at++)
        add_u16le(out, (uint8_t)*at);
    bytes_add_u8(out, value);
}

static const char loader[] = "a loader's code";
static const char kernel[] = "a kernel's code";
static const char calling[] = "Calling EFI Application from Boot Option";

static const char *loader_in(enum digest_kind kind, char *hex)
{
    uint8_t hash[DIGEST_SIZE_MAX];
    digest(kind, span_of_text(loader), hash);
    OWNED(mem_drop) char *text = hex_of(SPAN(hash, digest_size(kind)));
    return strcpy(hex, text);
}

const char *made_vtpm_loader(void)
{
    static char hex[2 * SHA256_SIZE + 1];
    return loader_in(DIGEST_SHA256, hex);
}

const char *made_vtpm_loader_384(void)
{
    static char hex[2 * SHA384_SIZE + 1];
    return loader_in(DIGEST_SHA384, hex);
}

/* What the machine did, or what its log says: these differ where the wish says so. */
static void add_boot(const struct made_vtpm_wish *wish, bool truth, struct bytes *log)
{
    static const uint8_t zeroes[4] = {0};
    const bool off = wish->secure_boot_off || wish->secure_boot_relabelled;
    const char *started = wish->log_of_other_loader && !truth ? "another loader" : loader;
    OWNED(bytes_done) struct bytes said = {0};
    OWNED(bytes_done) struct bytes measured = {0};
    add_variable(&measured, !off);
    add_variable(&said, !off || (wish->secure_boot_relabelled && !truth));
    add_header(log);
    add_event(log, 0, EV_S_CRTM_VERSION, span_of_text("1"), span_of_text("1"));
    add_event(log, 7, EV_EFI_VARIABLE_DRIVER_CONFIG, bytes_span(&said), bytes_span(&measured));
    for (uint32_t pcr = 0; pcr < 8; pcr++)
        add_event(log, pcr, EV_SEPARATOR, SPAN_OF(zeroes), SPAN_OF(zeroes));
    add_event(log, 4, EV_EFI_ACTION, span_of_text(calling), span_of_text(calling));
    add_event(log, 4, EV_EFI_BOOT_SERVICES_APPLICATION, span_of_text("path"),
              span_of_text(started));
    if (wish->loader_as_words)
        add_event(log, 4, 0x80000010, span_of_text(calling), span_of_text("a loader unseen"));
    if (truth || !wish->kernel_left_out)
        add_event(log, 9, EV_IPL, span_of_text("vmlinuz"), span_of_text(kernel));
}

/* Register 11 was extended once more by what runs, and no log says so. */
static void make_registers(const struct made_vtpm_wish *wish, struct event_replay *out)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes log = {0};
    add_boot(wish, true, &log);
    assert_ok(event_log_replay(bytes_span(&log), out, &err));
    memset(out->banks[BANK_SHA256].value[11], 0xb0, SHA256_SIZE);
    memset(out->banks[BANK_SHA384].value[11], 0xb0, SHA384_SIZE);
    if (wish->loader_unmeasured) {
        memset(out->banks[BANK_SHA256].value[4], 0, SHA256_SIZE);
        memset(out->banks[BANK_SHA384].value[4], 0, SHA384_SIZE);
    }
}

/* ---- report and manifest -------------------------------------------------------------------- */

static const uint8_t table_guid[16] = {0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46,
                                       0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb};
static const uint8_t vtpm_guid[16] = {0xeb, 0xf1, 0x76, 0xc4, 0x23, 0x01, 0xa5, 0x45,
                                      0x96, 0x41, 0xb4, 0xe7, 0xdd, 0xe5, 0xbf, 0xe3};

static void add_table(const struct made_vtpm_wish *wish, struct span keys, struct bytes *out)
{
    static const uint8_t other[16] = {7};
    const bool none = wish->manifest == MANIFEST_TABLE_WITHOUT_VTPM;
    const bool twice = wish->manifest == MANIFEST_TABLE_OF_TWO_VTPMS;
    const uint32_t heads = 3 * 24;
    const uint32_t more = wish->manifest == MANIFEST_TABLE_LONGER;
    bytes_add(out, SPAN_OF(table_guid));
    bytes_add_u32le(out, heads + (uint32_t)keys.len + more);
    bytes_add_u32le(out, 2);
    bytes_add(out, twice ? SPAN_OF(vtpm_guid) : SPAN_OF(other));
    bytes_add_u32le(out, heads);
    bytes_add_u32le(out, 0);
    bytes_add(out, none ? SPAN_OF(other) : SPAN_OF(vtpm_guid));
    bytes_add_u32le(out, heads);
    bytes_add_u32le(out, (uint32_t)keys.len + (wish->manifest == MANIFEST_TABLE_BEYOND));
    bytes_add(out, keys);
}

static void make_manifest(const struct made_vtpm_wish *wish, struct bytes *out)
{
    OWNED(bytes_done) struct bytes keys = {0};
    const enum made_manifest m = wish->manifest;
    if (m == MANIFEST_EK || m == MANIFEST_EK_AND_KEY)
        add_public(wish, KEY_ENDORSEMENT, &keys);
    if (m == MANIFEST_OTHER_KEY)
        add_public(wish, KEY_OTHER, &keys);
    if (m != MANIFEST_EK && m != MANIFEST_OTHER_KEY && m != MANIFEST_NOTHING)
        add_public(wish, KEY_OWN, &keys);
    if (m == MANIFEST_CUT)
        keys.len--;
    if (m >= MANIFEST_TABLE)
        add_table(wish, bytes_span(&keys), out);
    else if (m == MANIFEST_NOTHING)
        bytes_add(out, SPAN_OF("\0\1")); /* a type and nothing after it */
    else
        bytes_add(out, bytes_span(&keys));
}

static void make_report(struct psp *psp, const struct made_vtpm_wish *wish, struct made_vtpm *out)
{
    struct psp_wish report = psp_wish(PSP_DIRECT_BOOT);
    OWNED(bytes_done) struct bytes data = {0};
    report.vmpl = wish->vmpl;
    if (wish->report_id != 0)
        memset(report.report_id, wish->report_id, sizeof report.report_id);
    if (wish->debug)
        report.policy |= SNP_POLICY_DEBUG;
    memset(report.measurement, wish->measurement, sizeof report.measurement);
    memcpy(report.report_data, out->binding, sizeof report.report_data);
    report.report_data[0] ^= wish->report_for_other_binding;
    if (wish->vouch == VOUCH_SVSM && !wish->bare_report_data) {
        bytes_add(&data, SPAN_OF(report.report_data));
        bytes_add(&data, bytes_span(&out->manifest));
        digest(DIGEST_SHA512, bytes_span(&data), report.report_data);
    }
    struct simulated s = simulator_evidence(psp, &report);
    out->report = s.report;
    out->table = s.table;
    out->report.at[0x90] ^= wish->report_flip;
}

/* ---- the certificate ------------------------------------------------------------------------ */

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

static void name_it(X509_NAME *name, const char *text)
{
    assert_int_equal(
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)text, -1, -1, 0), 1);
}

static const char *const authorities[] = {"made-up vTPM authority", "another vTPM authority",
                                          "a vTPM authority of yesterday"};

static X509 *start_cert(const char *subject, int authority, EVP_PKEY *key, int64_t from, int64_t to)
{
    X509 *cert = X509_new();
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    name_it(X509_get_subject_name(cert), subject);
    name_it(X509_get_issuer_name(cert), authorities[authority]);
    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from);
    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)to);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    return cert;
}

const char *made_vtpm_authority(int which)
{
    static struct bytes pems[countof(authorities)];
    if (pems[which].len > 0)
        return (const char *)pems[which].at;
    EVP_PKEY *key = key_of(KEY_AUTHORITY + (enum which)which, false);
    const int64_t end = SIMULATOR_TODAY + (which == MADE_VTPM_AUTHORITY_OVER ? -1 : 86400);
    X509 *cert = start_cert(authorities[which], which, key, SIMULATOR_TODAY - 86400, end);
    BIO *bio = BIO_new(BIO_s_mem());
    char *at;
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_key_usage, "critical,keyCertSign");
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    const long len = BIO_get_mem_data(bio, &at);
    bytes_add(&pems[which], SPAN(at, (size_t)len));
    bytes_add_u8(&pems[which], 0);
    BIO_free(bio);
    X509_free(cert);
    return (const char *)pems[which].at;
}

static void certify(const struct made_vtpm_wish *wish, EVP_PKEY *key, struct bytes *out)
{
    const enum which signer =
        wish->cert_by_stranger ? KEY_STRANGER : KEY_AUTHORITY + (enum which)wish->authority;
    X509 *cert =
        start_cert("a machine's vTPM", wish->authority, key, wish->cert_from, wish->cert_to);
    uint8_t *der = NULL;
    add_extension(cert, NID_basic_constraints,
                  wish->cert_is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(cert, NID_key_usage,
                  wish->cert_may_not_sign ? "critical,keyEncipherment"
                                          : "critical,digitalSignature");
    if (wish->cert_critical_unknown)
        add_unknown(cert);
    assert_true(
        X509_sign(cert, key_of(signer, false), wish->cert_sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    const int len = i2d_X509(cert, &der);
    assert_true(len > 0);
    bytes_add(out, SPAN(der, (size_t)len));
    OPENSSL_free(der);
    X509_free(cert);
}

static void make_cert(const struct made_vtpm_wish *wish, struct bytes *out)
{
    certify(wish, key_of(wish->cert_of_other_key ? KEY_OTHER : KEY_OWN, wish->on_p256), out);
}

void made_vtpm_certify(struct span spki, struct bytes *out)
{
    const struct made_vtpm_wish wish = made_vtpm_wish(VOUCH_AUTHORITY);
    const uint8_t *at = spki.at;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_non_null(key);
    certify(&wish, key, out);
    EVP_PKEY_free(key);
}

/* ---- the quote ------------------------------------------------------------------------------ */

static void answer_of(const struct made_vtpm_wish *wish, const struct made_vtpm *t,
                      uint8_t out[static SHA256_SIZE])
{
    uint8_t report[SHA256_SIZE];
    OWNED(bytes_done) struct bytes parts = {0};
    digest(DIGEST_SHA256, bytes_span(&t->report), report);
    report[0] ^= wish->quote_of_other_report;
    bytes_add(&parts, SPAN_OF(t->binding));
    if (!wish->quote_answers_binding_alone)
        bytes_add(&parts, SPAN_OF(report));
    digest(DIGEST_SHA256, bytes_span(&parts), out);
}

static void registers_digest(const struct made_vtpm_wish *wish, const struct pcr_values *values,
                             uint8_t out[static SHA256_SIZE])
{
    OWNED(bytes_done) struct bytes joined = {0};
    for (size_t i = 0; i < PCR_COUNT; i++)
        if ((wish->quote_registers >> i & 1) != 0)
            bytes_add(&joined, SPAN(values->value[i], SHA256_SIZE));
    digest(DIGEST_SHA256, bytes_span(&joined), out);
    out[0] ^= wish->quote_digest_of_others;
}

static void make_quote(const struct made_vtpm_wish *wish, const struct pcr_values *values,
                       struct made_vtpm *t)
{
    uint8_t hash[SHA256_SIZE];
    uint8_t answer[SHA256_SIZE];
    struct bytes *out = &t->quote;
    registers_digest(wish, values, hash);
    answer_of(wish, t, answer);
    bytes_add_u32be(out, wish->quote_magic);
    bytes_add_u16be(out, 0x8018);
    add_sized(out, span_of_text("signer"));
    add_sized(out, SPAN_OF(answer));
    bytes_add_room(out, 8);
    bytes_add_u32be(out, wish->reset_count);
    bytes_add_u32be(out, wish->restart_count);
    bytes_add_room(out, 1 + 8);
    bytes_add_u32be(out, 1);
    bytes_add_u16be(out, wish->quote_algorithm);
    bytes_add_u8(out, 3);
    for (int i = 0; i < 3; i++)
        bytes_add_u8(out, (uint8_t)(wish->quote_registers >> (8 * i)));
    add_sized(out, SPAN_OF(hash));
    bytes_add_room(out, wish->quote_trailing);
}

static void add_ecdsa(struct span der, struct bytes *out)
{
    const unsigned char *at = der.at;
    uint8_t number[P256_SIZE];
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), number, P256_SIZE), P256_SIZE);
    add_sized(out, SPAN_OF(number));
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), number, P256_SIZE), P256_SIZE);
    add_sized(out, SPAN_OF(number));
    ECDSA_SIG_free(pair);
}

/* TPMT_SIGNATURE */
static void sign_quote(const struct made_vtpm_wish *wish, struct made_vtpm *t)
{
    uint8_t made[RSA_KEY_SIZE];
    size_t len = sizeof made;
    EVP_PKEY *key = key_of(wish->quote_by_other_key ? KEY_OTHER : KEY_OWN, wish->on_p256);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, made, &len, t->quote.at, t->quote.len), 1);
    EVP_MD_CTX_free(context);
    bytes_add_u16be(&t->signature, wish->on_p256 ? 0x0018 : 0x0014);
    bytes_add_u16be(&t->signature, wish->signature_hash);
    if (wish->on_p256)
        add_ecdsa(SPAN(made, len), &t->signature);
    else
        add_sized(&t->signature, SPAN(made, len));
    t->signature.at[t->signature.len - 1] ^= wish->signature_flip;
}

static void put_registers(const struct pcr_values *values, struct made_vtpm *out)
{
    out->pcrs = json_array();
    for (size_t i = 0; i < PCR_COUNT; i++) {
        OWNED(mem_drop) char *hex = hex_of(SPAN(values->value[i], SHA256_SIZE));
        json_add_new(out->pcrs, json_string(hex));
    }
}

/* ---- the document --------------------------------------------------------------------------- */

static void make_document(const struct made_vtpm_wish *wish, const struct pcr_values *values,
                          struct made_vtpm *out)
{
    static const uint8_t other[BINDING_SIZE] = {9};
    uint8_t registers[PCR_COUNT][SHA384_SIZE];
    struct nsm_wish document = wish->document;
    for (size_t i = 0; i < PCR_COUNT; i++)
        memcpy(registers[i], values->value[i], SHA384_SIZE);
    if (!wish->document_of_enclave)
        document.registers = (const uint8_t(*)[SHA384_SIZE])registers;
    document.module_id = "i-0123456789abcdef0-tpm0123456789abcde";
    document.nonce = SPAN_OF(out->nonce);
    document.user_data = wish->document_without_binding ? SPAN_OF(other) : SPAN_OF(out->binding);
    nsm_make(&document, &out->document);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void fill_input(struct made_vtpm *t)
{
    t->input = (struct vtpm_input){
        .report = bytes_span(&t->report),
        .quote = bytes_span(&t->quote),
        .signature = bytes_span(&t->signature),
        .pcrs = t->pcrs,
        .log = bytes_span(&t->log),
        .ak = bytes_span(&t->ak),
        .ak_cert = bytes_span(&t->ak_cert),
        .manifest = bytes_span(&t->manifest),
        .document = bytes_span(&t->document),
        .binding = SPAN_OF(t->binding),
        .nonce = t->document.len > 0 ? SPAN_OF(t->nonce) : (struct span){0},
        .nitro_roots = &t->nitro_roots,
        .endorsements = t->endorsements,
        .at = clock_at_seconds(SIMULATOR_TODAY),
        .asked_at = clock_at_seconds(SIMULATOR_TODAY),
        .image = {.measured_boot = true, .provider_execution_off = true},
    };
}

static void make_tpm(const struct made_vtpm_wish *wish, struct made_vtpm *out)
{
    OWNED(mem_drop) struct event_replay *boot = NEW(struct event_replay);
    make_registers(wish, boot);
    if (!wish->without_quote) {
        make_quote(wish, &boot->banks[BANK_SHA256], out);
        sign_quote(wish, out);
        put_registers(&boot->banks[BANK_SHA256], out);
    }
    if (!wish->without_log)
        add_boot(wish, false, &out->log);
    out->log.len -= wish->log_cut;
    if (wish->vouch == VOUCH_DOCUMENT)
        make_document(wish, &boot->banks[BANK_SHA384], out);
}

void made_vtpm_make(struct psp *psp, const struct snp_roots *roots,
                    const struct made_vtpm_wish *wish, const uint8_t *binding,
                    struct made_vtpm *out)
{
    struct error err = {0};
    *out = (struct made_vtpm){0};
    memset(out->binding, 0x42, sizeof out->binding);
    memset(out->nonce, 0x24, sizeof out->nonce);
    if (wish->nonce.len == sizeof out->nonce)
        memcpy(out->nonce, wish->nonce.at, sizeof out->nonce);
    if (binding != NULL)
        memcpy(out->binding, binding, sizeof out->binding);
    add_public(wish, KEY_OWN, &out->ak);
    bytes_add_room(&out->ak, wish->ak_trailing);
    if (wish->vouch == VOUCH_SVSM)
        make_manifest(wish, &out->manifest);
    make_report(psp, wish, out);
    if (wish->vouch == VOUCH_AUTHORITY || wish->also_certified)
        make_cert(wish, &out->ak_cert);
    make_tpm(wish, out);
    const struct snp_bundle bundle = {.cert_table = bytes_span(&out->table)};
    out->endorsements = snp_endorse(&bundle, roots);
    assert_ok(nitro_roots_add(&out->nitro_roots, nsm_root(0), &err));
    fill_input(out);
}

void made_vtpm_done(struct made_vtpm *t)
{
    struct bytes *const blobs[] = {&t->report, &t->table,   &t->quote,    &t->signature, &t->log,
                                   &t->ak,     &t->ak_cert, &t->manifest, &t->document};
    for (size_t i = 0; i < countof(blobs); i++)
        bytes_done(blobs[i]);
    json_decref(t->pcrs);
    snp_endorsements_free(t->endorsements);
}
