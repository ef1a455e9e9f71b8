/* No input costs more than its answer is worth: the worst shapes at the limit of every parser that
 * strangers reach, and far beyond it, under 50 ms of processor and 8 MB of memory each. */
#include <stdio.h>
#include <string.h>

#include "lib/attest/azure_judge.h"
#include "lib/attest/event_judge.h"
#include "lib/attest/evidence.h"
#include "lib/attest/firmware.h"
#include "lib/attest/hcl_report.h"
#include "lib/attest/kds.h"
#include "lib/attest/nitro_document.h"
#include "lib/attest/thim.h"
#include "lib/attest/quote_judge.h"
#include "lib/attest/vtpm_judge.h"
#include "lib/model/charter.h"
#include "lib/model/policy.h"
#include "lib/crypto/x509.h"
#include "tests/support/cost.h"
#include "tests/support/test.h"

enum { MIB = 1 << 20, COST_MS_MAX = 50, COST_BYTES_MAX = 8 * MIB, HOSTILE_NOW = 1795478400 };

/* ---- what is written ------------------------------------------------------------------------ */

typedef void make_fn(struct bytes *out);

static void add_text(struct bytes *out, const char *text)
{
    bytes_add(out, span_of_text(text));
}

static void add_u16le(struct bytes *out, uint16_t value)
{
    bytes_add_u8(out, (uint8_t)value);
    bytes_add_u8(out, (uint8_t)(value >> 8));
}

/* `unit` again and again, up to `most` bytes. */
static void fill(struct bytes *out, const char *unit, size_t most)
{
    while (out->len + strlen(unit) <= most)
        add_text(out, unit);
}

static void filled(struct bytes *out, const char *before, const char *unit, const char *after,
                   size_t most)
{
    add_text(out, before);
    fill(out, unit, most - strlen(after));
    add_text(out, after);
}

/* An object of as many members, each with this value. */
static void members_of(struct bytes *out, const char *value, size_t most)
{
    char member[64];
    add_text(out, "{");
    for (unsigned i = 0; out->len + 40 < most; i++) {
        snprintf(member, sizeof member, "\"%x\":%s,", i, value);
        add_text(out, member);
    }
    add_text(out, "\"\":0}");
}

/* As many items as are taken, which is fewer than a MiB has room for. */
static void taken(struct bytes *out, const char *before, const char *unit, size_t items,
                  const char *after)
{
    OWNED(json_drop) json_t *value = NULL;
    struct error err = {0};
    add_text(out, before);
    for (size_t i = 2; i + items <= JSON_ITEMS_MAX; i += items)
        add_text(out, unit);
    add_text(out, after);
    assert_ok(json_parse(bytes_span(out), MIB, &value, &err));
}

static void json_nested_a_million_deep(struct bytes *out)
{
    fill(out, "[", MIB);
}

static void json_of_numbers(struct bytes *out)
{
    filled(out, "[", "0,", "0]", MIB);
}

static void json_of_objects(struct bytes *out)
{
    filled(out, "[", "{},", "0]", MIB);
}

static void json_of_members(struct bytes *out)
{
    members_of(out, "\"\"", MIB);
}

static void json_of_as_many_numbers_as_are_taken(struct bytes *out)
{
    taken(out, "[", "0,", 1, "0]");
}

static void json_of_as_many_strings_as_are_taken(struct bytes *out)
{
    taken(out, "[", "\"\",", 1, "0]");
}

static void json_of_as_many_objects_as_are_taken(struct bytes *out)
{
    taken(out, "[", "{},", 2, "0]");
}

static void json_of_as_many_full_objects_as_are_taken(struct bytes *out)
{
    taken(out, "[", "{\"\":{}},", 3, "0]");
}

static void json_of_as_many_lists_as_are_taken(struct bytes *out)
{
    taken(out, "[", "[],", 2, "0]");
}

static void json_of_as_many_members_as_are_taken(struct bytes *out)
{
    members_of(out, "\"\"", (JSON_ITEMS_MAX - 2) * 9);
    taken(out, "", "", JSON_ITEMS_MAX, "");
}

static void json_of_one_member_again_and_again(struct bytes *out)
{
    filled(out, "{\"a\":0,", "\"b\":0,", "\"c\":0}", MIB);
}

static void json_of_one_long_string(struct bytes *out)
{
    filled(out, "\"", "\\u0041", "\"", MIB);
}

static void json_of_one_long_number(struct bytes *out)
{
    fill(out, "9", MIB);
}

static void json_of_a_gigabyte(struct bytes *out)
{
    bytes_add_room(out, 1 << 30);
}

static void policy_of_sets(struct bytes *out)
{
    filled(out, "{\"snp\":{\"measurement\":[", "\"00\",", "\"00\"]}}", POLICY_JSON_MAX);
}

static void policy_of_members(struct bytes *out)
{
    members_of(out, "{}", POLICY_JSON_MAX);
}

static void charter_of_policies(struct bytes *out)
{
    filled(out, "{\"policies\":[", "{},", "{}]}", CHARTER_SIZE_MAX);
}

static void claims_of_keys(struct bytes *out)
{
    filled(out, "{\"keys\":[", "{},", "{}]}", HCL_REPORT_MAX);
}

static void evidence_of_certificates(struct bytes *out)
{
    filled(out, "{\"kind\":\"snp\",\"report\":\"\",\"ca\":[", "\"AA==\",", "\"AA==\"]}",
           EVIDENCE_JSON_MAX);
}

static void thim_of_members(struct bytes *out)
{
    members_of(out, "\"\"", THIM_ANSWER_MAX);
}

/* ---- CBOR ----------------------------------------------------------------------------------- */

static void cbor_nested_a_million_deep(struct bytes *out)
{
    fill(out, "\x81", MIB);
}

static void cbor_that_declares_two_to_the_30th(struct bytes *out)
{
    static const uint8_t list[] = {0x9b, 0, 0, 0, 0, 0x40, 0, 0, 0};
    bytes_add(out, SPAN_OF(list));
    fill(out, "\x9b", NITRO_DOCUMENT_MAX);
}

/* A document around this payload: what stands before the payload is as it should be. */
static void document_around(struct bytes *out, struct span payload)
{
    static const uint8_t head[] = {0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x59};
    bytes_add(out, SPAN_OF(head));
    bytes_add_u16be(out, (uint16_t)payload.len);
    bytes_add(out, payload);
    bytes_add_u8(out, 0x58);
    bytes_add_u8(out, COSE_SIGNATURE_SIZE);
    bytes_add_room(out, COSE_SIGNATURE_SIZE);
}

static void document_nested_as_deep_as_it_goes(struct bytes *out)
{
    OWNED(bytes_done) struct bytes payload = {0};
    fill(&payload, "\xa1", COSE_PAYLOAD_MAX);
    document_around(out, bytes_span(&payload));
}

static void document_of_registers_without_end(struct bytes *out)
{
    OWNED(bytes_done) struct bytes payload = {0};
    add_text(&payload, "\xbf\x64pcrs\xbf");
    fill(&payload, "\x18\x20", COSE_PAYLOAD_MAX);
    document_around(out, bytes_span(&payload));
}

static void document_with_two_to_the_30th_registers(struct bytes *out)
{
    static const uint8_t pcrs[] = {0xa1, 0x64, 'p', 'c', 'r', 's', 0xba, 0x40, 0, 0, 0};
    document_around(out, SPAN_OF(pcrs));
}

/* ---- DER ------------------------------------------------------------------------------------ */

static void der_add(struct bytes *out, uint8_t tag, struct span content)
{
    bytes_add_u8(out, tag);
    if (content.len < 0x80) {
        bytes_add_u8(out, (uint8_t)content.len);
    } else {
        bytes_add_u8(out, 0x83);
        bytes_add_u8(out, (uint8_t)(content.len >> 16));
        bytes_add_u16be(out, (uint16_t)content.len);
    }
    bytes_add(out, content);
}

static void der_wrap(struct bytes *content, uint8_t tag)
{
    OWNED(bytes_done) struct bytes inner = bytes_take(content);
    der_add(content, tag, bytes_span(&inner));
}

/* The parts of a certificate, each empty for a usual one. */
struct made_cert {
    struct bytes serial, name, key, extensions;
};

static void made_cert_done(struct made_cert *c)
{
    bytes_done(&c->serial);
    bytes_done(&c->name);
    bytes_done(&c->key);
    bytes_done(&c->extensions);
}

static void add_name(struct bytes *out, struct span more)
{
    static const uint8_t common[] = {0x31, 0x13, 0x30, 0x11, 0x06, 0x03, 0x55,
                                     0x04, 0x03, 0x0c, 0x0a, 'S',  'E',  'V',
                                     '-',  'M',  'i',  'l',  'a',  'n',  '1'};
    OWNED(bytes_done) struct bytes name = {0};
    bytes_add(&name, SPAN_OF(common));
    bytes_add(&name, more);
    der_add(out, 0x30, bytes_span(&name));
}

static const uint8_t pss_oid[] = {0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48,
                                  0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a};

/* An RSA key with this modulus. */
static void add_rsa_key(struct bytes *out, size_t modulus)
{
    static const uint8_t rsa[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                  0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};
    OWNED(bytes_done) struct bytes number = {0};
    OWNED(bytes_done) struct bytes pair = {0};
    OWNED(bytes_done) struct bytes bits = {0};
    memset(bytes_add_room(&number, modulus), 0x5a, modulus);
    der_add(&pair, 0x02, bytes_span(&number));
    der_add(&pair, 0x02, bytes_span(&number));
    der_wrap(&pair, 0x30);
    bytes_add_u8(&bits, 0);
    bytes_add(&bits, bytes_span(&pair));
    bytes_add(out, SPAN_OF(rsa));
    der_add(out, 0x03, bytes_span(&bits));
    der_wrap(out, 0x30);
}

static void made_cert_add(struct made_cert *c, struct bytes *out)
{
    static const uint8_t version[] = {0xa0, 0x03, 0x02, 0x01, 0x02};
    static const char dates[] = "\x30\x1e\x17\x0d"
                                "260101000000Z"
                                "\x17\x0d"
                                "360101000000Z";
    OWNED(bytes_done) struct bytes body = {0};
    if (c->serial.len == 0)
        bytes_add_u8(&c->serial, 1);
    if (c->key.len == 0)
        add_rsa_key(&c->key, 512);
    bytes_add(&body, SPAN_OF(version));
    der_add(&body, 0x02, bytes_span(&c->serial));
    bytes_add(&body, SPAN_OF(pss_oid));
    add_name(&body, bytes_span(&c->name));
    add_text(&body, dates);
    add_name(&body, bytes_span(&c->name));
    bytes_add(&body, bytes_span(&c->key));
    if (c->extensions.len > 0) {
        der_wrap(&c->extensions, 0x30);
        der_add(&body, 0xa3, bytes_span(&c->extensions));
    }
    der_wrap(&body, 0x30);
    bytes_add(&body, SPAN_OF(pss_oid));
    der_add(&body, 0x03, SPAN_OF("\0 not a signature"));
    der_add(out, 0x30, bytes_span(&body));
    OWNED(x509_drop) struct x509 *cert = NULL; /* else nothing of it would be looked at */
    struct error err = {0};
    assert_ok(x509_from_der(bytes_span(out), &cert, &err));
}

static void certificate_with_a_giant_serial_number(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    memset(bytes_add_room(&c.serial, 6500), 0x7f, 6500);
    made_cert_add(&c, out);
}

static void certificate_with_a_giant_key(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    add_rsa_key(&c.key, 3400);
    made_cert_add(&c, out);
}

static void certificate_with_names_without_end(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    fill(&c.name, "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x", 3400);
    made_cert_add(&c, out);
}

static void certificate_with_a_huge_oid(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    OWNED(bytes_done) struct bytes oid = {0};
    memset(bytes_add_room(&oid, 6500), 0xff, 6500);
    bytes_add_u8(&oid, 0x7f);
    der_add(&c.extensions, 0x06, bytes_span(&oid));
    der_add(&c.extensions, 0x04, span_of_text("x"));
    der_wrap(&c.extensions, 0x30);
    made_cert_add(&c, out);
}

static void certificate_with_one_extension_again_and_again(struct bytes *out)
{
    static const uint8_t chip[] = {0x30, 0x10, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01,
                                   0x9c, 0x78, 0x01, 0x04, 0x04, 0x03, 0x01, 0x01, 0x01};
    OWNED(made_cert_done) struct made_cert c = {0};
    while (c.extensions.len + sizeof chip < 6800)
        bytes_add(&c.extensions, SPAN_OF(chip));
    made_cert_add(&c, out);
}

static void certificate_with_one_huge_extension(struct bytes *out)
{
    static const uint8_t alternative[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    OWNED(made_cert_done) struct made_cert c = {0};
    OWNED(bytes_done) struct bytes names = {0};
    fill(&names, "\x82\x01x", 6500);
    der_wrap(&names, 0x30);
    bytes_add(&c.extensions, SPAN_OF(alternative));
    der_add(&c.extensions, 0x04, bytes_span(&names));
    der_wrap(&c.extensions, 0x30);
    made_cert_add(&c, out);
}

static void der_nested_as_deep_as_it_goes(struct bytes *out)
{
    for (size_t left = X509_DER_MAX; left >= 4; left -= 4) {
        add_text(out, "\x30\x82");
        bytes_add_u16be(out, (uint16_t)(left - 4));
    }
}

static void der_of_a_certificate_of_4_gib(struct bytes *out)
{
    add_text(out, "\x30\x84\xff\xff\xff\xff");
    fill(out, "\x30\x84\xff\xff\xff\xff", X509_DER_MAX);
}

static void pem_of_ten_thousand_certificates(struct bytes *out)
{
    for (int i = 0; i < 10000; i++)
        add_text(out, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
}

/* As many of the dearest as one file may hold. */
static void pem_of_certificates_with_names_without_end(struct bytes *out)
{
    enum { FIT = 24 };
    OWNED(x509_list_done) struct x509_list list = {0};
    struct error err = {0};
    OWNED(bytes_done) struct bytes der = {0};
    certificate_with_names_without_end(&der);
    OWNED(mem_drop) char *base64 = base64_of(bytes_span(&der));
    for (int i = 0; i < FIT; i++) {
        add_text(out, "-----BEGIN CERTIFICATE-----\n");
        for (size_t at = 0; at < strlen(base64); at += 64) {
            bytes_add(out, span_part(span_of_text(base64), at, 64));
            add_text(out, "\n");
        }
        add_text(out, "-----END CERTIFICATE-----\n");
    }
    assert_ok(x509_list_read(&list, bytes_span(out), &err));
}

static void pem_that_never_begins(struct bytes *out)
{
    fill(out, "-----BEGIN \n", (size_t)X509_LIST_MAX * X509_DER_MAX);
}

static void list_that_revokes(struct bytes *out, size_t count)
{
    static const uint8_t entry[] = {0x30, 0x12, 0x02, 0x01, 0x01, 0x17, 0x0d, '2', '6', '0',
                                    '1',  '0',  '1',  '0',  '0',  '0',  '0',  '0', '0', 'Z'};
    OWNED(bytes_done) struct bytes entries = {0};
    OWNED(bytes_done) struct bytes body = {0};
    for (size_t i = 0; i < count; i++)
        bytes_add(&entries, SPAN_OF(entry));
    add_text(&body, "\x02\x01\x01");
    bytes_add(&body, SPAN_OF(pss_oid));
    add_name(&body, (struct span){0});
    add_text(&body, "\x17\x0d"
                    "260101000000Z");
    der_add(&body, 0x30, bytes_span(&entries));
    der_wrap(&body, 0x30);
    bytes_add(&body, SPAN_OF(pss_oid));
    der_add(&body, 0x03, SPAN_OF("\0 not a signature"));
    der_add(out, 0x30, bytes_span(&body));
}

static void list_of_revocations_as_long_as_it_may_be(struct bytes *out)
{
    OWNED(crl_drop) struct crl *crl = NULL;
    struct error err = {0};
    list_that_revokes(out, (CRL_DER_MAX - 200) / 20);
    assert_ok(crl_from_bytes(bytes_span(out), &crl, &err));
}

static void list_of_a_hundred_thousand_revocations(struct bytes *out)
{
    list_that_revokes(out, 100000);
}

/* ---- certificate tables --------------------------------------------------------------------- */

static void table_of(struct bytes *out, size_t entries, uint32_t length)
{
    for (size_t i = 0; i < entries; i++) {
        bytes_add_u64be(out, 1 + i);
        bytes_add_u64be(out, 0);
        bytes_add_u32le(out, (uint32_t)(entries + 1) * 24);
        bytes_add_u32le(out, length);
    }
    bytes_add_room(out, 24);
    bytes_add_room(out, length);
}

static void table_of_ten_thousand_certificates(struct bytes *out)
{
    table_of(out, 10000, 1);
}

static void table_whose_blobs_are_all_the_same(struct bytes *out)
{
    table_of(out, CERT_TABLE_ENTRIES_MAX, CERT_TABLE_SIZE_MAX - 24 * (CERT_TABLE_ENTRIES_MAX + 1));
}

/* Every certificate of the bundle is the dearest one to read. */
static void table_of_certificates_in_pem(struct bytes *out)
{
    static const uint8_t ask[] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                  0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
    bytes_add(out, SPAN_OF(ask));
    bytes_add_u32le(out, 48);
    bytes_add_u32le(out, CERT_TABLE_SIZE_MAX - 48);
    bytes_add_room(out, 24);
    fill(out, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
         CERT_TABLE_SIZE_MAX);
    bytes_add_room(out, CERT_TABLE_SIZE_MAX - out->len);
}

/* ---- boot logs ------------------------------------------------------------------------------ */

static const uint16_t log_banks[][2] = {{0x04, 20}, {0x0b, 32}, {0x0c, 48}, {0x0d, 64}};

static void add_log_header(struct bytes *out)
{
    static const char signature[] = "Spec ID Event03";
    OWNED(bytes_done) struct bytes spec = {0};
    bytes_add(&spec, SPAN_OF(signature));
    bytes_add_u64be(&spec, 0);
    bytes_add_u32le(&spec, countof(log_banks));
    for (size_t i = 0; i < countof(log_banks); i++) {
        add_u16le(&spec, log_banks[i][0]);
        add_u16le(&spec, log_banks[i][1]);
    }
    bytes_add_u8(&spec, 0);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, EV_NO_ACTION);
    bytes_add_room(out, SHA1_SIZE);
    bytes_add_u32le(out, (uint32_t)spec.len);
    bytes_add(out, bytes_span(&spec));
}

/* With the digests of so many banks, right ones over `measured`, the last one wrong. */
static void add_log_event(struct bytes *out, uint32_t pcr, uint32_t type, size_t banks,
                          struct span measured, struct span data)
{
    bytes_add_u32le(out, pcr);
    bytes_add_u32le(out, type);
    bytes_add_u32le(out, (uint32_t)banks);
    for (size_t i = 0; i < banks; i++) {
        uint8_t hash[DIGEST_SIZE_MAX];
        digest(bank_digest((enum bank)i), measured, hash);
        hash[0] ^= (uint8_t)(i + 1 == BANK_COUNT);
        add_u16le(out, log_banks[i][0]);
        bytes_add(out, SPAN(hash, log_banks[i][1]));
    }
    bytes_add_u32le(out, (uint32_t)data.len);
    bytes_add(out, data);
}

static void log_of(struct bytes *out, uint32_t type, size_t banks)
{
    OWNED(bytes_done) struct bytes event = {0};
    add_log_header(out);
    add_log_event(&event, 8, type, banks, span_of_text("x"), span_of_text("x"));
    while (out->len + event.len <= EVENT_LOG_MAX)
        bytes_add(out, bytes_span(&event));
}

static void log_of_many_tiny_events(struct bytes *out)
{
    log_of(out, EV_SEPARATOR, 1);
}

static void log_of_many_events_with_many_digests(struct bytes *out)
{
    log_of(out, EV_IPL, BANK_COUNT);
}

static void log_of_events_without_digests(struct bytes *out)
{
    log_of(out, EV_NO_ACTION, 0);
}

static void log_of_as_many_types_as_events(struct bytes *out)
{
    add_log_header(out);
    for (uint32_t i = 0; out->len + 16 <= EVENT_LOG_MAX; i++)
        add_log_event(out, 0, 0x1000 + i, 0, (struct span){0}, (struct span){0});
}

static void log_of_one_huge_event(struct bytes *out)
{
    OWNED(bytes_done) struct bytes words = {0};
    add_log_header(out);
    add_text(&words, "grub_cmd: ");
    memset(bytes_add_room(&words, EVENT_LOG_MAX - 1024), 'x', EVENT_LOG_MAX - 1024);
    add_log_event(out, 8, EV_IPL, BANK_COUNT, span_part(bytes_span(&words), 10, words.len),
                  bytes_span(&words));
}

static void log_of_huge_kernel_words(struct bytes *out)
{
    OWNED(bytes_done) struct bytes words = {0};
    filled(&words, "", "vmlinu", "vmlinuz", 4096);
    add_log_header(out);
    while (out->len + words.len + 512 < EVENT_LOG_MAX)
        add_log_event(out, 9, EV_IPL, BANK_COUNT, (struct span){0}, bytes_span(&words));
}

static void log_that_claims_4_gb(struct bytes *out)
{
    add_log_header(out);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, EV_SEPARATOR);
    bytes_add_u32le(out, 0);
    bytes_add_u32le(out, UINT32_MAX);
}

/* ---- who reads it --------------------------------------------------------------------------- */

typedef void feed_fn(struct span in);

static void feed_json(struct span in)
{
    OWNED(json_drop) json_t *value = NULL;
    error_ignore(json_parse(in, MIB, &value, NULL));
}

static void feed_policy(struct span in)
{
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    error_ignore(policy_parse(in, POLICY_WHOLE, policy, NULL));
}

static void feed_charter(struct span in)
{
    OWNED(charter_drop) struct charter *charter = NULL;
    error_ignore(charter_parse(in, &charter, NULL));
}

static void feed_claims(struct span in)
{
    OWNED(hcl_claims_done) struct hcl_claims claims = {.vm_id = ""};
    error_ignore(hcl_claims_read(in, &claims, NULL));
}

static void feed_evidence(struct span in)
{
    OWNED(evidence_done) struct evidence evidence = {0};
    error_ignore(evidence_parse(in, &evidence, NULL));
}

static void feed_thim(struct span in)
{
    OWNED(thim_done) struct thim thim = {0};
    error_ignore(thim_parse(in, &thim, NULL));
}

static void feed_nitro(struct span in)
{
    OWNED(verdict_done) struct verdict v = {0};
    const struct nitro_input input = {
        .document = in, .roots = &nitro_roots_aws, .at = clock_at_seconds(HOSTILE_NOW)};
    nitro_judge(&input, &v);
    assert_false(v.trusted);
}

/* As chip key, and as every authority that evidence may bring. */
static void feed_certificates(struct span in)
{
    struct snp_bundle bundle = {.ek = in, .ca_count = EVIDENCE_CA_MAX};
    for (size_t i = 0; i < bundle.ca_count; i++)
        bundle.ca[i] = in;
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&bundle, snp_roots_amd());
    assert_null(e->ark);
}

static void feed_list(struct span in)
{
    OWNED(x509_list_done) struct x509_list list = {0};
    error_ignore(x509_list_read(&list, in, NULL));
}

static void feed_import(struct span in)
{
    OWNED(kds_pieces_done) struct kds_pieces pieces = {0};
    error_ignore(kds_sort(in, &pieces, NULL));
}

static void feed_crl(struct span in)
{
    OWNED(crl_drop) struct crl *crl = NULL;
    char issuer[X509_NAME_SIZE];
    if (crl_from_bytes(in, &crl, NULL) == OK)
        crl_issuer(crl, issuer);
}

static void feed_table(struct span in)
{
    const struct snp_bundle bundle = {.cert_table = in};
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&bundle, snp_roots_amd());
    assert_null(e->ark);
}

static void feed_log(struct span in)
{
    OWNED(verdict_done) struct verdict v = {0};
    event_judge(in, NULL, &v);
}

/* Of a vTPM, in each place where it may stand; nobody asked for what it must answer. */
static void judge_vtpm(struct vtpm_input *input)
{
    static const struct snp_bundle none = {0};
    OWNED(verdict_done) struct verdict v = {0};
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(&none, snp_roots_amd());
    input->endorsements = e;
    input->nitro_roots = &nitro_roots_aws;
    input->at = clock_at_seconds(HOSTILE_NOW);
    vtpm_judge(input, &v);
    assert_false(v.trusted);
}

/* As many whole events as evidence may bring. */
static void feed_vtpm_log(struct span in)
{
    struct event_log log;
    struct event event;
    struct vtpm_input input = {0};
    bool done = false;
    if (event_log_open(in, &log, NULL) == OK)
        while (event_log_next(&log, &event, &done, NULL) == OK && !done &&
               in.len - log.rest.len <= QUOTE_LOG_MAX)
            input.log = span_part(in, 0, in.len - log.rest.len);
    judge_vtpm(&input);
}

static void feed_vtpm_certificate(struct span in)
{
    struct vtpm_input input = {.ak_cert = in};
    judge_vtpm(&input);
}

static void feed_vtpm_keys(struct span in)
{
    struct vtpm_input input = {.ak = in, .manifest = in, .quote = in, .signature = in};
    judge_vtpm(&input);
}

static void feed_vtpm_document(struct span in)
{
    struct vtpm_input input = {.document = in};
    judge_vtpm(&input);
}

static void feed_quote(struct span in)
{
    struct tpm_quote quote;
    error_ignore(tpm_quote_read(in, &quote, NULL));
}

/* ---- the table ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *name;
    make_fn *make;
    feed_fn *feed;
} rows[] = {
#define ROW(make, feed) {#make, make, feed}
    ROW(json_nested_a_million_deep, feed_json),
    ROW(json_of_numbers, feed_json),
    ROW(json_of_objects, feed_json),
    ROW(json_of_members, feed_json),
    ROW(json_of_as_many_numbers_as_are_taken, feed_json),
    ROW(json_of_as_many_strings_as_are_taken, feed_json),
    ROW(json_of_as_many_objects_as_are_taken, feed_json),
    ROW(json_of_as_many_full_objects_as_are_taken, feed_json),
    ROW(json_of_as_many_lists_as_are_taken, feed_json),
    ROW(json_of_as_many_members_as_are_taken, feed_json),
    ROW(json_of_one_member_again_and_again, feed_json),
    ROW(json_of_one_long_string, feed_json),
    ROW(json_of_one_long_number, feed_json),
    ROW(policy_of_sets, feed_policy),
    ROW(policy_of_members, feed_policy),
    ROW(charter_of_policies, feed_charter),
    ROW(claims_of_keys, feed_claims),
    ROW(evidence_of_certificates, feed_evidence),
    ROW(thim_of_members, feed_thim),
    ROW(cbor_nested_a_million_deep, feed_nitro),
    ROW(cbor_that_declares_two_to_the_30th, feed_nitro),
    ROW(document_nested_as_deep_as_it_goes, feed_nitro),
    ROW(document_of_registers_without_end, feed_nitro),
    ROW(document_with_two_to_the_30th_registers, feed_nitro),
    ROW(certificate_with_a_giant_serial_number, feed_certificates),
    ROW(certificate_with_a_giant_key, feed_certificates),
    ROW(certificate_with_names_without_end, feed_certificates),
    ROW(certificate_with_a_huge_oid, feed_certificates),
    ROW(certificate_with_one_extension_again_and_again, feed_certificates),
    ROW(certificate_with_one_huge_extension, feed_certificates),
    ROW(der_nested_as_deep_as_it_goes, feed_certificates),
    ROW(der_of_a_certificate_of_4_gib, feed_certificates),
    ROW(pem_of_ten_thousand_certificates, feed_list),
    ROW(pem_of_certificates_with_names_without_end, feed_list),
    ROW(pem_that_never_begins, feed_list),
    ROW(pem_of_ten_thousand_certificates, feed_import),
    ROW(pem_of_certificates_with_names_without_end, feed_import),
    ROW(list_of_revocations_as_long_as_it_may_be, feed_import),
    ROW(list_of_revocations_as_long_as_it_may_be, feed_crl),
    ROW(list_of_a_hundred_thousand_revocations, feed_crl),
    ROW(table_of_ten_thousand_certificates, feed_table),
    ROW(table_whose_blobs_are_all_the_same, feed_table),
    ROW(table_of_certificates_in_pem, feed_table),
    ROW(log_of_many_tiny_events, feed_log),
    ROW(log_of_many_events_with_many_digests, feed_log),
    ROW(log_of_events_without_digests, feed_log),
    ROW(log_of_as_many_types_as_events, feed_log),
    ROW(log_of_one_huge_event, feed_log),
    ROW(log_of_huge_kernel_words, feed_log),
    ROW(log_that_claims_4_gb, feed_log),
    ROW(cbor_nested_a_million_deep, feed_quote),
    ROW(log_of_many_tiny_events, feed_vtpm_log),
    ROW(log_of_many_events_with_many_digests, feed_vtpm_log),
    ROW(log_of_events_without_digests, feed_vtpm_log),
    ROW(log_of_as_many_types_as_events, feed_vtpm_log),
    ROW(log_of_huge_kernel_words, feed_vtpm_log),
    ROW(certificate_with_a_giant_key, feed_vtpm_certificate),
    ROW(certificate_with_names_without_end, feed_vtpm_certificate),
    ROW(certificate_with_one_huge_extension, feed_vtpm_certificate),
    ROW(document_of_registers_without_end, feed_vtpm_document),
    ROW(cbor_nested_a_million_deep, feed_vtpm_keys),
#undef ROW
};
/* clang-format on */

struct feeding {
    feed_fn *feed;
    struct span in;
};

static void feed_it(void *context)
{
    const struct feeding *f = context;
    f->feed(f->in);
}

static bool is_cheap(size_t row)
{
    OWNED(bytes_done) struct bytes in = {0};
    rows[row].make(&in);
    struct feeding feeding = {rows[row].feed, bytes_span(&in)};
    const struct cost cost = cost_of(feed_it, &feeding);
    print_message("%-50s %8zu bytes: %6.1f ms, %7.1f KB\n", rows[row].name, in.len, cost.cpu_ms,
                  (double)cost.peak_bytes / 1024);
    return !cost_is_measurable() || (cost.cpu_ms < COST_MS_MAX && cost.peak_bytes < COST_BYTES_MAX);
}

static void no_input_costs_50_ms_or_8_mb(void **state)
{
    (void)state;
    size_t dear = 0;
    for (size_t i = 0; i < countof(rows); i++)
        if (!is_cheap(i)) {
            print_error("%s costs too much\n", rows[i].name);
            dear++;
        }
    assert_int_equal(dear, 0);
}

/* Pages that nobody touches cost nothing, so a gigabyte here is zeroes. */
static void a_gigabyte_is_refused_by_its_size(void **state)
{
    (void)state;
    OWNED(bytes_done) struct bytes in = {0};
    json_of_a_gigabyte(&in);
    for (size_t i = 0; i < countof(rows); i++) {
        struct feeding feeding = {rows[i].feed, bytes_span(&in)};
        const struct cost cost = cost_of(feed_it, &feeding);
        if (cost_is_measurable() &&
            (cost.cpu_ms >= COST_MS_MAX || cost.peak_bytes >= COST_BYTES_MAX))
            fail_msg("%s: %.1f ms, %zu bytes", rows[i].name, cost.cpu_ms, cost.peak_bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_input_costs_50_ms_or_8_mb),
        cmocka_unit_test(a_gigabyte_is_refused_by_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
