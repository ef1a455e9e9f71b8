#include "tests/support/paravisor.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "lib/attest/event_log.h"
#include "lib/attest/hcl_report.h"
#include "lib/crypto/rsa_key.h"
#include "tests/support/test.h"

enum { KEYS = 2 };

/* Made once a run: RSA keys take their time. */
static EVP_PKEY *key_of(int which)
{
    static EVP_PKEY *keys[KEYS];
    if (keys[which] == NULL)
        keys[which] = EVP_RSA_gen(2048);
    assert_non_null(keys[which]);
    return keys[which];
}

static char *modulus_of(const struct paravisor_wish *wish)
{
    EVP_PKEY *key = key_of(wish->machine);
    BIGNUM *n = NULL;
    uint8_t raw[RSA_KEY_SIZE];
    if (wish->modulus.len > 0)
        return base64url_of(wish->modulus);
    assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_bn2binpad(n, raw, sizeof raw), (int)sizeof raw);
    BN_free(n);
    return base64url_of(SPAN_OF(raw));
}

struct paravisor_wish paravisor_wish(void)
{
    return (struct paravisor_wish){
        .hcl_version = 1,
        .request_type = 2,
        .report_type = 2,
        .hash_type = 1,
        .claims_key = "HCLAkPub",
        .claims_more = "",
        .quote_magic = 0xff544347,
        .quote_type = 0x8018,
        .quote_algorithm = 0x000b,
        .quote_registers = 0xffffff,
        .nonce = "challenge",
    };
}

/* ---- the wrapper ---------------------------------------------------------------------------- */

static void add_claims(const struct paravisor_wish *wish, struct text *out)
{
    OWNED(mem_drop) char *modulus = modulus_of(wish);
    text_addf(out,
              "{\"keys\":[{\"kid\":\"%s\",\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}],"
              "\"vm-configuration\":{\"vmUniqueId\":\"11111111-2222-3333-4444-55555555555%d\"}%s}",
              wish->claims_key, modulus, wish->machine, wish->claims_more);
}

static struct simulated report_over(struct psp *psp, const struct paravisor_wish *wish,
                                    struct span claims)
{
    struct psp_wish report = psp_wish(PSP_DIRECT_BOOT);
    report.vmpl = wish->vmpl;
    digest(DIGEST_SHA256, claims, report.report_data);
    report.report_data[0] ^= wish->report_over_other_claims ? 1 : 0;
    report.report_data[SHA256_SIZE] = wish->report_data_tail;
    memset(report.measurement, wish->measurement, sizeof report.measurement);
    memset(report.id_key_digest, 0x33, sizeof report.id_key_digest);
    return simulator_evidence(psp, &report);
}

static void wrap(const struct paravisor_wish *wish, struct span report, struct span claims,
                 struct bytes *out)
{
    enum { DATA_HEAD = 20, HEADER = 0x20, PADDING = 64 };
    bytes_add(out, span_of_text("HCLA"));
    bytes_add_u32le(out, wish->hcl_version);
    bytes_add_u32le(out, (uint32_t)(HEADER + HCL_HARDWARE_SIZE + DATA_HEAD + claims.len));
    bytes_add_u32le(out, wish->request_type);
    bytes_add_room(out, HEADER - 16);
    bytes_add(out, report);
    bytes_add_u32le(out, (uint32_t)(DATA_HEAD + claims.len));
    bytes_add_u32le(out, 1);
    bytes_add_u32le(out, wish->report_type);
    bytes_add_u32le(out, wish->hash_type);
    bytes_add_u32le(out, (uint32_t)claims.len);
    bytes_add(out, claims);
    bytes_add_room(out, PADDING);
}

/* ---- registers and quote -------------------------------------------------------------------- */

static void register_of(const struct paravisor_wish *wish, uint8_t pcr,
                        uint8_t out[static SHA256_SIZE])
{
    struct error err = {0};
    const json_t *given = json_array_get(wish->registers, pcr);
    memset(out, pcr == 4 ? pcr ^ wish->other_register : pcr, SHA256_SIZE);
    if (given != NULL)
        assert_ok(hex_decode_exact(json_string_value(given), out, SHA256_SIZE, &err));
}

static void make_registers(const struct paravisor_wish *wish, struct paravisor *out)
{
    out->pcrs = json_array();
    for (uint8_t i = 0; i < PCR_COUNT; i++) {
        uint8_t value[SHA256_SIZE];
        register_of(wish, i, value);
        OWNED(mem_drop) char *hex = hex_of(SPAN_OF(value));
        json_add_new(out->pcrs, json_string(hex));
    }
}

static void registers_digest(const struct paravisor_wish *wish, uint8_t out[static SHA256_SIZE])
{
    OWNED(bytes_done) struct bytes joined = {0};
    for (uint8_t i = 0; i < PCR_COUNT; i++)
        if ((wish->quote_registers >> i & 1) != 0)
            register_of(wish, i, bytes_add_room(&joined, SHA256_SIZE));
    digest(DIGEST_SHA256, bytes_span(&joined), out);
    out[0] ^= wish->quote_digest_of_others ? 1 : 0;
}

static void add_sized(struct bytes *out, struct span value)
{
    bytes_add_u16be(out, (uint16_t)value.len);
    bytes_add(out, value);
}

static void make_quote(const struct paravisor_wish *wish, struct bytes *out)
{
    uint8_t hash[SHA256_SIZE];
    registers_digest(wish, hash);
    bytes_add_u32be(out, wish->quote_magic);
    bytes_add_u16be(out, wish->quote_type);
    add_sized(out, span_of_text("signer"));
    add_sized(out, wish->answer.len > 0 ? wish->answer : span_of_text(wish->nonce));
    bytes_add_room(out, 8); /* clock */
    bytes_add_u32be(out, wish->reset_count);
    bytes_add_room(out, 4 + 1 + 8); /* restarts, safe, firmware */
    bytes_add_u32be(out, 1);
    bytes_add_u16be(out, wish->quote_algorithm);
    bytes_add_u8(out, 3);
    for (int i = 0; i < 3; i++)
        bytes_add_u8(out, (uint8_t)(wish->quote_registers >> (8 * i)));
    add_sized(out, SPAN_OF(hash));
    bytes_add_room(out, wish->quote_trailing);
}

static void sign_quote(EVP_PKEY *key, struct span message, struct bytes *out)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = RSA_KEY_SIZE;
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(
        EVP_DigestSign(context, bytes_add_room(out, len), &len, message.at, message.len), 1);
    EVP_MD_CTX_free(context);
}

/* ---- all of it ------------------------------------------------------------------------------ */

void paravisor_make(struct psp *psp, const struct snp_roots *roots,
                    const struct paravisor_wish *wish, struct paravisor *out)
{
    OWNED(text_done) struct text claims = {0};
    *out = (struct paravisor){0};
    add_claims(wish, &claims);
    OWNED(simulated_done) struct simulated s = report_over(psp, wish, text_span(&claims));
    wrap(wish, bytes_span(&s.report), text_span(&claims), &out->hcl);
    out->table = s.table;
    s.table = (struct bytes){0};
    make_registers(wish, out);
    make_quote(wish, &out->quote);
    sign_quote(key_of(wish->quote_by_other_key ? !wish->machine : wish->machine),
               bytes_span(&out->quote), &out->signature);
    const struct snp_bundle bundle = {.cert_table = bytes_span(&out->table)};
    out->endorsements = snp_endorse(&bundle, roots);
    out->input = (struct azure_input){
        .hcl = bytes_span(&out->hcl),
        .has_quote = true,
        .quote = bytes_span(&out->quote),
        .signature = bytes_span(&out->signature),
        .pcrs = out->pcrs,
        .has_nonce = true,
        .nonce = span_of_text("challenge"),
        .endorsements = out->endorsements,
        .at = clock_at_seconds(SIMULATOR_TODAY),
    };
}

void paravisor_done(struct paravisor *p)
{
    bytes_done(&p->hcl);
    bytes_done(&p->quote);
    bytes_done(&p->signature);
    bytes_done(&p->table);
    json_decref(p->pcrs);
    snp_endorsements_free(p->endorsements);
}
