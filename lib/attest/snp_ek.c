#include "lib/attest/snp_ek.h"

#include <stdio.h>
#include <string.h>

#define AMD_OID "1.3.6.1.4.1.3704.1."

/* clang-format off */
static const struct {
    const char *oid;
    enum tcb_part part;
} spls[] = {
    {AMD_OID "3.1", TCB_BL},
    {AMD_OID "3.2", TCB_TEE},
    {AMD_OID "3.3", TCB_SNP},
    {AMD_OID "3.8", TCB_UCODE},
    {AMD_OID "3.9", TCB_FMC},
};
/* clang-format on */
/* spl4 to spl7 */
static const char *const reserved_spls[] = {AMD_OID "3.4", AMD_OID "3.5", AMD_OID "3.6",
                                            AMD_OID "3.7"};
static const char *const signer_names[] = {"SEV-VCEK", "SEV-VLEK"};

void finding_set(struct finding *out, enum reason reason, const char *detail, ...)
{
    out->reason = reason;
    va_list args;
    va_start(args, detail);
    vsnprintf(out->detail, sizeof out->detail, detail, args);
    va_end(args);
}

void snp_ca_name(enum snp_signer signer, enum snp_line line, char out[static X509_NAME_SIZE])
{
    snprintf(out, X509_NAME_SIZE, "SEV-%s%s", signer == SIGNER_VLEK ? "VLEK-" : "",
             name_of(&snp_line_names, (int)line));
}

/* The first fault found stands. */
static void malformed(struct finding *out, const char *what, const char *oid)
{
    if (out->reason == REASON_OK)
        finding_set(out, REASON_MALFORMED, "extension %s %s", oid, what);
}

/* A DER INTEGER, shortest form, not negative, at most 32 bits. */
static bool read_integer(struct span in, uint32_t *out)
{
    if (in.len < 3 || in.at[0] != 0x02 || in.at[1] != in.len - 2 || in.at[1] > 5)
        return false;
    const uint8_t *number = in.at + 2;
    const size_t len = in.len - 2;
    if (number[0] >= 0x80 || (len > 1 && number[0] == 0 && number[1] < 0x80) ||
        (len == 5 && number[0] != 0))
        return false;
    *out = 0;
    for (size_t i = 0; i < len; i++)
        *out = *out << 8 | number[i];
    return true;
}

static bool read_ia5(struct span in, char *out, size_t size)
{
    if (in.len < 3 || in.at[0] != 0x16 || in.at[1] != in.len - 2 || in.at[1] >= 0x80 ||
        in.len - 2 >= size)
        return false;
    for (size_t i = 2; i < in.len; i++)
        if (in.at[i] < 0x20 || in.at[i] > 0x7e)
            return false;
    memcpy(out, in.at + 2, in.len - 2);
    out[in.len - 2] = '\0';
    return true;
}

/* Present exactly once; false when absent, with a finding when it must be there or is there twice.
 */
static bool find(const struct x509 *cert, const char *oid, bool needed, struct span *out,
                 struct finding *finding)
{
    const int times = x509_extension(cert, oid, out);
    if (times > 1)
        malformed(finding, "is there more than once", oid);
    else if (times == 0 && needed)
        malformed(finding, "is missing", oid);
    return times == 1;
}

static void get_integer(const struct x509 *cert, const char *oid, bool needed, uint32_t *out,
                        struct finding *finding)
{
    struct span value;
    if (find(cert, oid, needed, &value, finding) && !read_integer(value, out))
        malformed(finding, "is not a small whole number", oid);
}

static void get_text(const struct x509 *cert, const char *oid, bool needed, char *out, size_t size,
                     struct finding *finding)
{
    struct span value;
    if (find(cert, oid, needed, &value, finding) && !read_ia5(value, out, size))
        malformed(finding, "is not a short IA5String", oid);
}

static void get_spls(const struct x509 *cert, struct snp_ek *out, struct finding *finding)
{
    for (size_t i = 0; i < countof(spls); i++) {
        const bool is_fmc = spls[i].part == TCB_FMC;
        struct span value;
        if (is_fmc && out->line != LINE_TURIN) {
            if (x509_extension(cert, spls[i].oid, &value) != 0)
                malformed(finding, "does not belong to this product", spls[i].oid);
            continue;
        }
        get_integer(cert, spls[i].oid, true, &out->spl[spls[i].part], finding);
    }
    for (size_t i = 0; i < countof(reserved_spls); i++) {
        uint32_t value = 0;
        get_integer(cert, reserved_spls[i], false, &value, finding);
        if (value != 0)
            malformed(finding, "is reserved, and not zero", reserved_spls[i]);
    }
}

/* The service writes the bytes bare; an OCTET STRING around them has been seen too. Nothing else
 * has, so the length decides which it is. */
static void get_hwid(const struct x509 *cert, struct snp_ek *out, struct finding *finding)
{
    static const char oid[] = AMD_OID "4";
    struct span value;
    if (!find(cert, oid, out->signer == SIGNER_VCEK, &value, finding))
        return;
    if (out->signer == SIGNER_VLEK) {
        malformed(finding, "does not belong in a VLEK", oid);
        return;
    }
    const size_t len = out->line == LINE_TURIN ? 8 : 64;
    if (value.len == len + 2 && value.at[0] == 0x04 && value.at[1] == len) {
        out->hwid_wrapped = true;
        value = span_part(value, 2, len);
    }
    if (value.len != len) {
        malformed(finding, "has the wrong length", oid);
        return;
    }
    memcpy(out->hwid, value.at, len);
    out->hwid_len = len;
}

static void get_csp_id(const struct x509 *cert, struct snp_ek *out, struct finding *finding)
{
    static const char oid[] = AMD_OID "5";
    struct span value;
    if (out->signer == SIGNER_VLEK)
        get_text(cert, oid, true, out->csp_id, sizeof out->csp_id, finding);
    else if (x509_extension(cert, oid, &value) != 0)
        malformed(finding, "does not belong in a VCEK", oid);
}

static void read_names(const struct x509 *cert, struct snp_ek *out)
{
    for (int i = 0; i < SIGNER_COUNT; i++)
        if (strcmp(x509_subject(cert), signer_names[i]) == 0) {
            out->signer_known = true;
            out->signer = (enum snp_signer)i;
        }
    out->line = LINE_UNKNOWN;
    for (int i = 0; i < LINE_COUNT; i++) {
        char name[X509_NAME_SIZE];
        snp_ca_name(out->signer, (enum snp_line)i, name);
        if (strcmp(x509_issuer(cert), name) == 0)
            out->line = (enum snp_line)i;
    }
}

void snp_ek_read(const struct x509 *cert, struct snp_ek *out, struct finding *finding)
{
    *out = (struct snp_ek){0};
    *finding = (struct finding){0};
    read_names(cert, out);
    uint32_t version = 0;
    get_integer(cert, AMD_OID "1", true, &version, finding);
    out->struct_version = version;
    if (version != (out->line == LINE_TURIN ? 1 : 0))
        malformed(finding, "is not the version of this product", AMD_OID "1");
    get_text(cert, AMD_OID "2", true, out->product_name, sizeof out->product_name, finding);
    get_spls(cert, out, finding);
    get_hwid(cert, out, finding);
    get_csp_id(cert, out, finding);
}

enum snp_line snp_ek_product_line(const struct snp_ek *ek)
{
    const size_t len = strcspn(ek->product_name, "-");
    for (int i = 0; i < LINE_COUNT; i++) {
        const char *word = name_of(&snp_line_names, i);
        if (strlen(word) == len && strncmp(word, ek->product_name, len) == 0)
            return (enum snp_line)i;
    }
    return LINE_UNKNOWN;
}

void snp_ek_claims(const struct snp_ek *ek, const struct x509 *cert, struct members *claims)
{
    if (ek->csp_id[0] != '\0')
        members_text(claims, "csp_id", ek->csp_id);
    if (ek->hwid_len > 0) {
        members_hex(claims, "hwid", SPAN(ek->hwid, ek->hwid_len));
        members_text(claims, "hwid_encoding", ek->hwid_wrapped ? "octet" : "raw");
    }
    members_text(claims, "issuer_cn", x509_issuer(cert));
    if (ek->signer_known)
        members_text(claims, "kind", name_of(&snp_signer_names, (int)ek->signer));
    members_moment(claims, "not_after", x509_not_after(cert));
    members_moment(claims, "not_before", x509_not_before(cert));
    members_text(claims, "product_name", ek->product_name);
}
