#include "lib/attest/kds.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/thim.h"
#include "lib/crypto/x509_make.h"

enum { CLOCKS_APART_SECONDS = 300, TURIN_HWID_SIZE = 8 };

static const char *const what_words[] = {"vcek", "chain", "crl"};
_Static_assert(countof(what_words) == KDS_WHAT_COUNT);
const struct names kds_what_names = NAMES("endorsement", what_words);

static const char *const path_words[] = {"vcek", "vlek"};
_Static_assert(countof(path_words) == SIGNER_COUNT);

/* ---- names and addresses ------------------------------------------------------------------ */

static const char *line_word(enum snp_line line)
{
    return name_of(&snp_line_names, (int)line);
}

void kds_name(const struct kds_item *item, char out[static KDS_NAME_SIZE])
{
    char hwid[2 * HWID_SIZE_MAX + 1];
    switch (item->what) {
    case KDS_VCEK:
        hex_encode(SPAN(item->hwid, item->hwid_len), hwid);
        snprintf(out, KDS_NAME_SIZE, "%s-vcek-%s-%016llx", line_word(item->line), hwid,
                 (unsigned long long)item->tcb);
        return;
    case KDS_CHAIN:
        snprintf(out, KDS_NAME_SIZE, "%s-%s-chain", line_word(item->line),
                 path_words[item->signer]);
        return;
    case KDS_CRL:
        snprintf(out, KDS_NAME_SIZE, "%s-crl", line_word(item->line));
        return;
    case KDS_WHAT_COUNT:
        break;
    }
    out[0] = '\0';
}

static void add_tcb(const struct kds_item *item, struct text *out)
{
    const struct snp_tcb tcb = snp_tcb_split(item->tcb, item->line);
    const char *before = "?";
    if (item->line == LINE_TURIN) {
        text_addf(out, "?fmcSPL=%02u", tcb.part[TCB_FMC]);
        before = "&";
    }
    text_addf(out, "%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", before, tcb.part[TCB_BL],
              tcb.part[TCB_TEE], tcb.part[TCB_SNP], tcb.part[TCB_UCODE]);
}

void kds_url(const struct kds_item *item, const char *base, struct text *out)
{
    const bool of_vlek = item->what == KDS_CHAIN && item->signer == SIGNER_VLEK;
    text_addf(out, "%s/%s/v1/%s/", base, path_words[of_vlek ? SIGNER_VLEK : SIGNER_VCEK],
              line_word(item->line));
    switch (item->what) {
    case KDS_VCEK:
        text_add_hex(out, SPAN(item->hwid, item->hwid_len));
        add_tcb(item, out);
        return;
    case KDS_CHAIN:
        text_add(out, "cert_chain");
        return;
    case KDS_CRL:
        text_add(out, "crl");
        return;
    case KDS_WHAT_COUNT:
        return;
    }
}

static size_t hwid_size(enum snp_line line)
{
    return line == LINE_TURIN ? TURIN_HWID_SIZE : SNP_CHIP_ID_SIZE;
}

/* A masked chip id is all zero, and then nobody can say which key signs. */
bool kds_vcek_in(const struct snp_report *report, enum snp_line line, uint64_t tcb,
                 struct kds_item *out)
{
    *out = (struct kds_item){.what = KDS_VCEK, .line = line, .tcb = tcb};
    if (report->signing_key != SIGNER_VCEK || line == LINE_UNKNOWN ||
        span_is_zero(SPAN_OF(report->chip_id)) || snp_tcb_reserved(tcb, line) != 0)
        return false;
    out->hwid_len = hwid_size(line);
    memcpy(out->hwid, report->chip_id, out->hwid_len);
    return true;
}

bool kds_vcek_of(const struct snp_report *report, uint64_t tcb, struct kds_item *out)
{
    return kds_vcek_in(report, snp_product_line(snp_report_product(report)), tcb, out);
}

struct kds_item kds_chain_of(enum snp_line line, enum snp_signer signer)
{
    return (struct kds_item){.what = KDS_CHAIN, .line = line, .signer = signer};
}

struct kds_item kds_crl_of(enum snp_line line)
{
    return (struct kds_item){.what = KDS_CRL, .line = line};
}

/* ---- checking ----------------------------------------------------------------------------- */

void kds_content_done(struct kds_content *content)
{
    bytes_done(&content->bytes);
    *content = (struct kds_content){0};
}

static enum outcome malformed(struct error *err, const char *why)
{
    return fail_code(err, ERR_INVALID, "endorsement-malformed", "%.200s", why);
}

static enum outcome untrusted(struct error *err, const char *why)
{
    return fail_code(err, ERR_DENIED, "endorsement-untrusted", "%.200s", why);
}

static bool tcb_is(const struct snp_ek *ek, const struct kds_item *item)
{
    const struct snp_tcb tcb = snp_tcb_split(item->tcb, item->line);
    for (int i = 0; i < TCB_PART_COUNT; i++)
        if (ek->spl[i] != tcb.part[i])
            return false;
    return true;
}

/* The service answers a wrong TCB with another key's certificate, and says nothing. */
static enum outcome check_is_wanted(const struct kds_item *item, const struct snp_ek *ek,
                                    struct error *err)
{
    if (!ek->signer_known || ek->signer != SIGNER_VCEK || ek->line != item->line)
        return fail_code(err, ERR_DENIED, "endorsement-wrong", "not a VCEK of %s",
                         line_word(item->line));
    if (ek->hwid_len != item->hwid_len || memcmp(ek->hwid, item->hwid, ek->hwid_len) != 0)
        return fail_code(err, ERR_DENIED, "endorsement-wrong", "the VCEK of another chip");
    if (!tcb_is(ek, item))
        return fail_code(err, ERR_DENIED, "endorsement-wrong", "the VCEK of another TCB");
    return OK;
}

bool kds_is(const struct kds_item *item, const struct snp_ek *ek)
{
    return check_is_wanted(item, ek, NULL) == OK;
}

static enum outcome check_vcek(const struct kds_item *item, struct span in, struct span chain,
                               const struct snp_roots *roots, struct kds_content *out,
                               struct error *err)
{
    const struct snp_bundle bundle = {.ek = in, .ca = {chain}, .ca_count = 1};
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(&bundle, roots);
    if (e->ek == NULL)
        return malformed(err,
                         e->format.reason != REASON_OK ? e->format.detail : "not one certificate");
    TRY(check_is_wanted(item, &e->facts, err));
    if (e->extensions.reason != REASON_OK)
        return malformed(err, e->extensions.detail);
    if (e->format.reason != REASON_OK || e->chain.reason != REASON_OK)
        return untrusted(err, e->format.reason != REASON_OK ? e->format.detail : e->chain.detail);
    out->bytes = bytes_copy(x509_der(e->ek));
    return OK;
}

static enum outcome check_chain(const struct kds_item *item, struct span in,
                                const struct snp_roots *roots, struct kds_content *out,
                                struct error *err)
{
    struct error why = {0};
    struct snp_authority above = {0};
    if (snp_authority_read(in, item->line, item->signer, roots, &above, &why) != OK)
        return why.outcome == ERR_INVALID ? malformed(err, why.text) : untrusted(err, why.text);
    pem_add_certificate(&out->bytes, x509_der(above.ca));
    pem_add_certificate(&out->bytes, x509_der(above.ark));
    snp_authority_done(&above);
    return OK;
}

static enum outcome check_list(const struct crl *crl, const struct x509 *ark, struct moment at,
                               struct error *err)
{
    struct error why = {0};
    if (!crl_is_from(crl, ark))
        return fail_code(err, ERR_DENIED, "endorsement-wrong", "the list is not from %s",
                         x509_subject(ark));
    if (crl_check(crl, ark, &why) != OK)
        return untrusted(err, why.text);
    if (moment_seconds_between(at, crl_this_update(crl)) > CLOCKS_APART_SECONDS)
        return untrusted(err, "the list is from the future");
    return OK;
}

static enum outcome check_crl(const struct kds_item *item, struct span in, struct span chain,
                              const struct snp_roots *roots, struct moment at,
                              struct kds_content *out, struct error *err)
{
    struct error why = {0};
    struct snp_authority above = {0};
    OWNED(crl_drop) struct crl *crl = NULL;
    if (crl_from_bytes(in, &crl, &why) != OK)
        return malformed(err, why.text);
    if (snp_authority_read(chain, item->line, SIGNER_VCEK, roots, &above, &why) != OK)
        return untrusted(err, why.text);
    const enum outcome outcome = check_list(crl, above.ark, at, err);
    snp_authority_done(&above);
    TRY(outcome);
    out->bytes = bytes_copy(in);
    out->this_update = crl_this_update(crl);
    out->next_update = crl_next_update(crl);
    return OK;
}

enum outcome kds_check(const struct kds_item *item, struct span in, struct span chain,
                       const struct snp_roots *roots, struct moment at, struct kds_content *out,
                       struct error *err)
{
    if (in.len == 0 || in.len > KDS_ANSWER_MAX)
        return fail_code(err, ERR_INVALID, "endorsement-malformed", "%zu bytes, not 1 to %d",
                         in.len, KDS_ANSWER_MAX);
    switch (item->what) {
    case KDS_VCEK:
        return check_vcek(item, in, chain, roots, out, err);
    case KDS_CHAIN:
        return check_chain(item, in, roots, out, err);
    case KDS_CRL:
        return check_crl(item, in, chain, roots, at, out, err);
    case KDS_WHAT_COUNT:
        break;
    }
    return fail(err, ERR_INTERNAL, "no such endorsement");
}

/* ---- sorting ------------------------------------------------------------------------------ */

void kds_pieces_done(struct kds_pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        bytes_done(&pieces->at[i].bytes);
    *pieces = (struct kds_pieces){0};
}

static enum outcome add_piece(struct kds_pieces *out, const struct kds_item *item, struct span in,
                              struct error *err)
{
    if (out->count == KDS_PIECES_MAX)
        return malformed(err, "more in one file than belongs there");
    out->at[out->count++] = (struct kds_piece){*item, bytes_copy(in)};
    return OK;
}

static enum outcome sort_vcek(const struct x509 *cert, struct kds_pieces *out, struct error *err)
{
    struct snp_ek ek;
    struct finding finding;
    struct snp_tcb tcb = {0};
    struct kds_item item = {.what = KDS_VCEK};
    snp_ek_read(cert, &ek, &finding);
    if (ek.line == LINE_UNKNOWN || finding.reason != REASON_OK)
        return malformed(err, ek.line == LINE_UNKNOWN ? "issued by no known line" : finding.detail);
    for (int i = 0; i < TCB_PART_COUNT; i++) {
        if (ek.spl[i] > UINT8_MAX)
            return malformed(err, "a part of its TCB is above 255");
        tcb.part[i] = (uint8_t)ek.spl[i];
    }
    item.line = ek.line;
    item.tcb = snp_tcb_join(&tcb, ek.line);
    item.hwid_len = ek.hwid_len;
    memcpy(item.hwid, ek.hwid, ek.hwid_len);
    return add_piece(out, &item, x509_der(cert), err);
}

/* An ASK or ASVK makes a chain with the ARK of its line, which stands in the same file. */
static enum outcome sort_authority(const struct x509_list *list, const struct x509 *ca,
                                   struct kds_pieces *out, struct error *err)
{
    for (int line = 0; line < LINE_COUNT; line++)
        for (int signer = 0; signer < SIGNER_COUNT; signer++) {
            char name[X509_NAME_SIZE];
            snp_ca_name((enum snp_signer)signer, (enum snp_line)line, name);
            if (strcmp(x509_subject(ca), name) != 0)
                continue;
            OWNED(bytes_done) struct bytes pem = {0};
            const struct kds_item item = kds_chain_of((enum snp_line)line, (enum snp_signer)signer);
            snprintf(name, sizeof name, "ARK-%s", line_word(item.line));
            pem_add_certificate(&pem, x509_der(ca));
            for (size_t i = 0; i < list->count; i++)
                if (strcmp(x509_subject(list->at[i]), name) == 0)
                    pem_add_certificate(&pem, x509_der(list->at[i]));
            return add_piece(out, &item, bytes_span(&pem), err);
        }
    return OK;
}

static enum outcome sort_certificates(const struct x509_list *list, struct kds_pieces *out,
                                      struct error *err)
{
    for (size_t i = 0; i < list->count; i++) /* chains first: what stands below needs them */
        TRY(sort_authority(list, list->at[i], out, err));
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(x509_subject(list->at[i]), "SEV-VCEK") == 0)
            TRY(sort_vcek(list->at[i], out, err));
    return out->count > 0 ? OK : malformed(err, "no VCEK, no ASK and no ASVK");
}

static enum outcome sort_crl(struct span in, struct kds_pieces *out, struct error *err)
{
    OWNED(crl_drop) struct crl *crl = NULL;
    if (crl_from_bytes(in, &crl, NULL) != OK)
        return malformed(err, "neither certificates nor a revocation list");
    char issuer[X509_NAME_SIZE], name[X509_NAME_SIZE];
    crl_issuer(crl, issuer);
    for (int line = 0; line < LINE_COUNT; line++) {
        const struct kds_item item = kds_crl_of((enum snp_line)line);
        snprintf(name, sizeof name, "ARK-%s", line_word(item.line));
        if (strcmp(issuer, name) == 0)
            return add_piece(out, &item, in, err);
    }
    return malformed(err, "the list is of no known line");
}

static enum outcome sort_thim(struct span in, struct kds_pieces *out, struct error *err)
{
    struct error why = {0};
    struct x509_list list = {0};
    struct thim thim = {0};
    enum outcome outcome = thim_parse(in, &thim, &why);
    if (outcome == OK)
        outcome = x509_list_read(&list, bytes_span(&thim.ca), &why);
    if (outcome == OK)
        outcome = x509_list_read(&list, bytes_span(&thim.ek), &why);
    outcome = outcome == OK ? sort_certificates(&list, out, err) : malformed(err, why.text);
    x509_list_done(&list);
    thim_done(&thim);
    return outcome;
}

enum outcome kds_sort(struct span in, struct kds_pieces *out, struct error *err)
{
    if (in.len == 0 || in.len > KDS_ANSWER_MAX)
        return fail_code(err, ERR_INVALID, "endorsement-malformed", "%zu bytes, not 1 to %d",
                         in.len, KDS_ANSWER_MAX);
    struct x509_list list = {0};
    enum outcome outcome;
    if (in.at[0] == '{')
        outcome = sort_thim(in, out, err);
    else if (x509_list_read(&list, in, NULL) == OK)
        outcome = sort_certificates(&list, out, err);
    else
        outcome = sort_crl(in, out, err);
    x509_list_done(&list);
    if (outcome != OK)
        kds_pieces_done(out);
    return outcome;
}
