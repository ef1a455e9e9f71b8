#include "tests/support/hostile.h"

#include <string.h>

#include "lib/attest/cert_table.h"
#include "lib/base/text.h"
#include "lib/crypto/x509.h"
#include "tests/support/test.h"

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
    hostile_text(&body, dates);
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

void certificate_with_a_giant_serial_number(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    memset(bytes_add_room(&c.serial, 6500), 0x7f, 6500);
    made_cert_add(&c, out);
}

void certificate_with_a_giant_key(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    add_rsa_key(&c.key, 3400);
    made_cert_add(&c, out);
}

void certificate_with_names_without_end(struct bytes *out)
{
    OWNED(made_cert_done) struct made_cert c = {0};
    hostile_fill(&c.name, "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01x", 3400);
    made_cert_add(&c, out);
}

void certificate_with_a_huge_oid(struct bytes *out)
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

void certificate_with_one_extension_again_and_again(struct bytes *out)
{
    static const uint8_t chip[] = {0x30, 0x10, 0x06, 0x09, 0x2b, 0x06, 0x01, 0x04, 0x01,
                                   0x9c, 0x78, 0x01, 0x04, 0x04, 0x03, 0x01, 0x01, 0x01};
    OWNED(made_cert_done) struct made_cert c = {0};
    while (c.extensions.len + sizeof chip < 6800)
        bytes_add(&c.extensions, SPAN_OF(chip));
    made_cert_add(&c, out);
}

void certificate_with_one_huge_extension(struct bytes *out)
{
    static const uint8_t alternative[] = {0x06, 0x03, 0x55, 0x1d, 0x11};
    OWNED(made_cert_done) struct made_cert c = {0};
    OWNED(bytes_done) struct bytes names = {0};
    hostile_fill(&names, "\x82\x01x", 6500);
    der_wrap(&names, 0x30);
    bytes_add(&c.extensions, SPAN_OF(alternative));
    der_add(&c.extensions, 0x04, bytes_span(&names));
    der_wrap(&c.extensions, 0x30);
    made_cert_add(&c, out);
}

void der_nested_as_deep_as_it_goes(struct bytes *out)
{
    for (size_t left = X509_DER_MAX; left >= 4; left -= 4) {
        hostile_text(out, "\x30\x82");
        bytes_add_u16be(out, (uint16_t)(left - 4));
    }
}

void der_of_a_certificate_of_4_gib(struct bytes *out)
{
    hostile_text(out, "\x30\x84\xff\xff\xff\xff");
    hostile_fill(out, "\x30\x84\xff\xff\xff\xff", X509_DER_MAX);
}

void pem_of_ten_thousand_certificates(struct bytes *out)
{
    for (int i = 0; i < 10000; i++)
        hostile_text(out, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
}

/* As many of the dearest as one file may hold. */
void pem_of_certificates_with_names_without_end(struct bytes *out)
{
    enum { FIT = 12 };
    OWNED(x509_list_done) struct x509_list list = {0};
    struct error err = {0};
    OWNED(bytes_done) struct bytes der = {0};
    certificate_with_names_without_end(&der);
    OWNED(mem_drop) char *base64 = base64_of(bytes_span(&der));
    for (int i = 0; i < FIT; i++) {
        hostile_text(out, "-----BEGIN CERTIFICATE-----\n");
        for (size_t at = 0; at < strlen(base64); at += 64) {
            bytes_add(out, span_part(span_of_text(base64), at, 64));
            hostile_text(out, "\n");
        }
        hostile_text(out, "-----END CERTIFICATE-----\n");
    }
    assert_ok(x509_list_read(&list, bytes_span(out), &err));
}

void pem_that_never_begins(struct bytes *out)
{
    hostile_fill(out, "-----BEGIN \n", X509_LIST_BYTES_MAX);
}

static void list_that_revokes(struct bytes *out, size_t count)
{
    static const uint8_t entry[] = {0x30, 0x12, 0x02, 0x01, 0x01, 0x17, 0x0d, '2', '6', '0',
                                    '1',  '0',  '1',  '0',  '0',  '0',  '0',  '0', '0', 'Z'};
    OWNED(bytes_done) struct bytes entries = {0};
    OWNED(bytes_done) struct bytes body = {0};
    for (size_t i = 0; i < count; i++)
        bytes_add(&entries, SPAN_OF(entry));
    hostile_text(&body, "\x02\x01\x01");
    bytes_add(&body, SPAN_OF(pss_oid));
    add_name(&body, (struct span){0});
    hostile_text(&body, "\x17\x0d"
                        "260101000000Z");
    der_add(&body, 0x30, bytes_span(&entries));
    der_wrap(&body, 0x30);
    bytes_add(&body, SPAN_OF(pss_oid));
    der_add(&body, 0x03, SPAN_OF("\0 not a signature"));
    der_add(out, 0x30, bytes_span(&body));
}

void list_of_revocations_as_long_as_it_may_be(struct bytes *out)
{
    OWNED(crl_drop) struct crl *crl = NULL;
    struct error err = {0};
    list_that_revokes(out, (CRL_DER_MAX - 200) / 20);
    assert_ok(crl_from_bytes(bytes_span(out), &crl, &err));
}

void list_of_a_hundred_thousand_revocations(struct bytes *out)
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

void table_of_ten_thousand_certificates(struct bytes *out)
{
    table_of(out, 10000, 1);
}

void table_whose_blobs_are_all_the_same(struct bytes *out)
{
    table_of(out, CERT_TABLE_ENTRIES_MAX, CERT_TABLE_SIZE_MAX - 24 * (CERT_TABLE_ENTRIES_MAX + 1));
}

/* Every certificate of the bundle is the dearest one to read. */
void table_of_certificates_in_pem(struct bytes *out)
{
    static const uint8_t ask[] = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
                                  0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82};
    bytes_add(out, SPAN_OF(ask));
    bytes_add_u32le(out, 48);
    bytes_add_u32le(out, CERT_TABLE_SIZE_MAX - 48);
    bytes_add_room(out, 24);
    hostile_fill(out, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
                 CERT_TABLE_SIZE_MAX);
    bytes_add_room(out, CERT_TABLE_SIZE_MAX - out->len);
}
