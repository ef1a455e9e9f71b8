#include "lib/attest/evidence_lack.h"

#include <stdio.h>
#include <string.h>

#include "lib/crypto/x509_make.h"

/* The certificates that came, key and above. */
struct brought {
    struct x509_list ek;
    struct x509_list ca;
};

static void brought_done(struct brought *b)
{
    x509_list_done(&b->ek);
    x509_list_done(&b->ca);
}

/* What cannot be read did not come. */
static void add(struct x509_list *list, struct span blob)
{
    if (blob.len > 0)
        error_ignore(x509_list_read(list, blob, NULL));
}

static void look(const struct evidence *e, enum snp_signer signer, struct brought *out)
{
    struct cert_table table = {0};
    if (e->cert_table.len > 0 && cert_table_read(bytes_span(&e->cert_table), &table, NULL) != OK)
        table.count = 0;
    if (e->ek.len > 0)
        add(&out->ek, bytes_span(&e->ek));
    else
        add(&out->ek, cert_table_find(&table, signer == SIGNER_VLEK ? TABLE_VLEK : TABLE_VCEK));
    for (size_t i = 0; i < e->ca_count; i++)
        add(&out->ca, bytes_span(&e->ca[i]));
    add(&out->ca, cert_table_find(&table, TABLE_ASK));
    add(&out->ca, cert_table_find(&table, TABLE_ARK));
}

static const struct x509 *find(const struct x509_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(x509_subject(list->at[i]), name) == 0)
            return list->at[i];
    return NULL;
}

/* `out_pem` may be NULL. */
static bool has_authority(const struct x509_list *list, enum snp_line line, enum snp_signer signer,
                          struct bytes *out_pem)
{
    char name[X509_NAME_SIZE];
    snp_ca_name(signer, line, name);
    const struct x509 *ca = find(list, name);
    snprintf(name, sizeof name, "ARK-%s", name_of(&snp_line_names, (int)line));
    const struct x509 *ark = find(list, name);
    if (ca == NULL || ark == NULL)
        return false;
    if (out_pem != NULL) {
        pem_add_certificate(out_pem, x509_der(ca));
        pem_add_certificate(out_pem, x509_der(ark));
    }
    return true;
}

static bool has_key(const struct x509_list *list, enum snp_signer signer, struct snp_ek *out)
{
    struct finding finding;
    if (list->count != 1)
        return false;
    snp_ek_read(list->at[0], out, &finding);
    return out->signer_known && out->signer == signer;
}

/* A report of version 2 does not name its line; its key's certificate does. */
static enum snp_line line_of(const struct snp_report *report, bool has_ek, const struct snp_ek *ek,
                             enum snp_line otherwise)
{
    if (snp_report_has_product(report))
        return snp_product_line(snp_report_product(report));
    return has_ek ? ek->line : otherwise;
}

static void find_coming(const struct snp_report *report, struct evidence_lack *out)
{
    const struct snp_tcb reported = snp_tcb_split(report->reported_tcb, out->vcek.line);
    const struct snp_tcb committed = snp_tcb_split(report->committed_tcb, out->vcek.line);
    out->is_coming = report->committed_tcb != report->reported_tcb &&
                     snp_tcb_below(&committed, &reported) == TCB_PART_COUNT &&
                     kds_vcek_in(report, out->vcek.line, report->committed_tcb, &out->coming);
}

void evidence_lack_find_in(const struct evidence *e, enum snp_line otherwise,
                           struct evidence_lack *out)
{
    struct snp_report report;
    struct snp_ek ek = {0};
    OWNED(brought_done) struct brought brought = {0};
    *out = (struct evidence_lack){0};
    if (snp_report_read(evidence_report(e), &report, NULL) != OK ||
        report.signing_key >= SIGNER_COUNT)
        return;
    const enum snp_signer signer = (enum snp_signer)report.signing_key;
    look(e, signer, &brought);
    const bool has_ek = has_key(&brought.ek, signer, &ek);
    const enum snp_line line = line_of(&report, has_ek, &ek, otherwise);
    out->unsaid = !has_ek && !snp_report_has_product(&report);
    if (line == LINE_UNKNOWN)
        return;
    out->known = true;
    out->ek_can_be_had = kds_vcek_in(&report, line, report.reported_tcb, &out->vcek);
    out->ek = !has_ek || (out->ek_can_be_had && !kds_is(&out->vcek, &ek));
    out->ca = !has_authority(&brought.ca, line, signer, NULL);
    out->chain = kds_chain_of(line, signer);
    out->crl = kds_crl_of(line);
    if (out->ek_can_be_had)
        find_coming(&report, out);
}

void evidence_lack_find(const struct evidence *e, struct evidence_lack *out)
{
    evidence_lack_find_in(e, LINE_UNKNOWN, out);
}

void evidence_own(const struct evidence *e, const struct evidence_lack *lack,
                  struct bytes *out_vcek, struct bytes *out_chain)
{
    OWNED(brought_done) struct brought brought = {0};
    if (!lack->known)
        return;
    look(e, lack->chain.signer, &brought);
    if (!lack->ca)
        (void)has_authority(&brought.ca, lack->chain.line, lack->chain.signer, out_chain);
    if (!lack->ek && lack->ek_can_be_had)
        bytes_add(out_vcek, x509_der(brought.ek.at[0]));
}
