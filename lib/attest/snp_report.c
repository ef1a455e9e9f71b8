#include "lib/attest/snp_report.h"

#include <stdio.h>

static void read_reserved(struct reader *in, size_t len, struct snp_report *out)
{
    if (!read_zeroes(in, len))
        out->reserved_set = true;
}

static void read_key_info(struct reader *in, struct snp_report *out)
{
    const uint32_t info = read_u32le(in);
    out->author_key_en = (info & 1) != 0;
    out->mask_chip_key = (info >> 1 & 1) != 0;
    out->signing_key = info >> 2 & 7;
    if (info >> 5 != 0)
        out->reserved_set = true;
}

static void read_firmware(struct reader *in, struct snp_firmware *out, struct snp_report *report)
{
    out->build = read_u8(in);
    out->minor = read_u8(in);
    out->major = read_u8(in);
    read_reserved(in, 1, report);
}

/* 72 bytes little-endian, of which P-384 uses 48. */
static void read_signature_number(struct reader *in, uint8_t out[static 48],
                                  struct snp_report *report)
{
    for (int i = 47; i >= 0; i--)
        out[i] = read_u8(in);
    read_reserved(in, 24, report);
}

static void read_head(struct reader *in, struct snp_report *out)
{
    out->version = read_u32le(in);
    out->guest_svn = read_u32le(in);
    out->policy = read_u64le(in);
    read_into(in, out->family_id, sizeof out->family_id);
    read_into(in, out->image_id, sizeof out->image_id);
    out->vmpl = read_u32le(in);
    out->signature_algo = read_u32le(in);
    out->current_tcb = read_u64le(in);
    out->platform_info = read_u64le(in);
    read_key_info(in, out);
    read_reserved(in, 4, out);
    read_into(in, out->report_data, sizeof out->report_data);
    read_into(in, out->measurement, sizeof out->measurement);
    read_into(in, out->host_data, sizeof out->host_data);
    read_into(in, out->id_key_digest, sizeof out->id_key_digest);
    read_into(in, out->author_key_digest, sizeof out->author_key_digest);
    read_into(in, out->report_id, sizeof out->report_id);
    read_into(in, out->report_id_ma, sizeof out->report_id_ma);
}

static void read_rest(struct reader *in, struct snp_report *out)
{
    out->reported_tcb = read_u64le(in);
    out->cpuid_family = read_u8(in);
    out->cpuid_model = read_u8(in);
    out->cpuid_stepping = read_u8(in);
    read_reserved(in, 21, out);
    read_into(in, out->chip_id, sizeof out->chip_id);
    out->committed_tcb = read_u64le(in);
    read_firmware(in, &out->current, out);
    read_firmware(in, &out->committed, out);
    out->launch_tcb = read_u64le(in);
    out->launch_mit_vector = read_u64le(in);
    out->current_mit_vector = read_u64le(in);
    read_reserved(in, 152, out);
    read_signature_number(in, out->r, out);
    read_signature_number(in, out->s, out);
    read_reserved(in, 368, out); /* not signed: two byte strings must not be one report */
}

enum outcome snp_report_read(struct span in, struct snp_report *out, struct error *err)
{
    if (in.len != SNP_REPORT_SIZE)
        return fail_code(err, ERR_INVALID, "malformed", "a report has %d bytes, this has %zu",
                         SNP_REPORT_SIZE, in.len);
    *out = (struct snp_report){0};
    struct reader reader = reader_of(in);
    read_head(&reader, out);
    read_rest(&reader, out);
    return reader_end(&reader, err);
}

bool snp_report_has_product(const struct snp_report *report)
{
    return report->version >= 3;
}

enum snp_product snp_report_product(const struct snp_report *report)
{
    if (!snp_report_has_product(report))
        return PRODUCT_UNKNOWN;
    return snp_product_of(report->cpuid_family, report->cpuid_model);
}

/* Fields that came with a later version are reserved in the earlier ones. */
static bool has_later_fields(const struct snp_report *r)
{
    if (r->version < 3 && (r->cpuid_family | r->cpuid_model | r->cpuid_stepping) != 0)
        return true;
    return r->version < 5 && (r->launch_mit_vector | r->current_mit_vector) != 0;
}

enum reason snp_report_fault(const struct snp_report *r, const char **why)
{
    *why = "";
    if (r->version < SNP_VERSION_LEAST || r->version > SNP_VERSION_MOST) {
        *why = "the report's version is not 2 to 5";
        return REASON_UNSUPPORTED_VERSION;
    }
    if (r->signature_algo != SNP_ALGORITHM_ECDSA_P384) {
        *why = "the signature algorithm is not ECDSA P-384 with SHA-384";
        return REASON_UNSUPPORTED_ALGORITHM;
    }
    if (r->reserved_set)
        *why = "a reserved byte is set";
    else if (has_later_fields(r))
        *why = "a field of a later version is set";
    else if (r->vmpl > 3 && r->vmpl != SNP_VMPL_HOST)
        *why = "the VMPL is not 0 to 3";
    else if ((r->policy & SNP_POLICY_MUST_BE_ONE) == 0)
        *why = "bit 17 of the guest policy is clear";
    else if (r->policy >> 26 != 0)
        *why = "a reserved bit of the guest policy is set";
    return **why == '\0' ? REASON_OK : REASON_MALFORMED;
}

/* ---- claims, in the order of their names: those that hold only for some are put last ----------
 */

static void put_hex_number(struct members *m, const char *name, int width, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "0x%0*llx", width, (unsigned long long)value);
    members_text(m, name, text);
}

static void put_firmware(struct members *m, const char *name, const struct snp_firmware *f)
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u", f->major, f->minor, f->build);
    members_text(m, name, text);
}

static void put_bits(struct members *m, const char *name, const struct bit_word *words,
                     uint64_t value)
{
    OWNED(members_done) struct members bits = {0};
    for (const struct bit_word *w = words; w->name != NULL; w++)
        members_int(&bits, w->name, (int64_t)(value >> w->from & ((1u << w->bits) - 1)));
    members_object(m, name, &bits);
}

static void put_tcb_parts(struct members *m, const char *name, uint64_t raw, enum snp_line line)
{
    OWNED(members_done) struct members parts = {0};
    const struct snp_tcb tcb = snp_tcb_split(raw, line);
    for (int i = line == LINE_TURIN ? TCB_FMC : TCB_BL; i < TCB_PART_COUNT; i++)
        members_int(&parts, name_of(&tcb_part_names, i), tcb.part[i]);
    members_object(m, name, &parts);
}

static const char *signing_key_word(const struct snp_report *r)
{
    if (r->signing_key < SIGNER_COUNT)
        return name_of(&snp_signer_names, r->signing_key);
    return r->signing_key == SNP_SIGNING_KEY_NONE ? "none" : "reserved";
}

static void put_product(struct members *m, enum snp_product product)
{
    if (product == PRODUCT_UNKNOWN)
        members_printed(m, "product", SPAN("null", 4));
    else
        members_text(m, "product", name_of(&snp_product_names, (int)product));
}

static void put_cpuid(struct members *m, const struct snp_report *r)
{
    OWNED(members_done) struct members cpuid = {0};
    put_hex_number(&cpuid, "family", 2, r->cpuid_family);
    put_hex_number(&cpuid, "model", 2, r->cpuid_model);
    put_hex_number(&cpuid, "stepping", 1, r->cpuid_stepping);
    members_object(m, "cpuid", &cpuid);
}

void snp_report_claims(const struct snp_report *r, enum snp_line line, struct members *m)
{
    const enum snp_product product = snp_report_product(r);
    members_hex(m, "author_key_digest", SPAN_OF(r->author_key_digest));
    members_int(m, "author_key_en", r->author_key_en);
    members_hex(m, "chip_id", SPAN_OF(r->chip_id));
    put_firmware(m, "committed_fw", &r->committed);
    put_hex_number(m, "committed_tcb", 16, r->committed_tcb);
    put_firmware(m, "current_fw", &r->current);
    put_hex_number(m, "current_tcb", 16, r->current_tcb);
    members_hex(m, "family_id", SPAN_OF(r->family_id));
    members_int(m, "guest_svn", r->guest_svn);
    members_hex(m, "host_data", SPAN_OF(r->host_data));
    members_hex(m, "id_key_digest", SPAN_OF(r->id_key_digest));
    members_hex(m, "image_id", SPAN_OF(r->image_id));
    put_hex_number(m, "launch_tcb", 16, r->launch_tcb);
    members_int(m, "mask_chip_key", r->mask_chip_key);
    members_hex(m, "measurement", SPAN_OF(r->measurement));
    put_hex_number(m, "platform_info", 1, r->platform_info);
    put_hex_number(m, "policy", 1, r->policy);
    put_bits(m, "policy_bits", snp_policy_words, r->policy);
    put_product(m, product);
    members_hex(m, "report_data", SPAN_OF(r->report_data));
    members_hex(m, "report_id", SPAN_OF(r->report_id));
    members_hex(m, "report_id_ma", SPAN_OF(r->report_id_ma));
    put_hex_number(m, "reported_tcb", 16, r->reported_tcb);
    put_tcb_parts(m, "reported_tcb_parts", r->reported_tcb,
                  product == PRODUCT_UNKNOWN ? line : snp_product_line(product));
    members_int(m, "signature_algo", r->signature_algo);
    members_text(m, "signing_key", signing_key_word(r));
    members_int(m, "version", r->version);
    members_int(m, "vmpl", r->vmpl);
    if (snp_report_has_product(r))
        put_cpuid(m, r);
    if (r->version < 5)
        return;
    put_hex_number(m, "current_mit_vector", 1, r->current_mit_vector);
    put_hex_number(m, "launch_mit_vector", 1, r->launch_mit_vector);
}
