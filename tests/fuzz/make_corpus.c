/* Seeds for the fuzz targets of lib/attest: `make_corpus FOLDER` writes FOLDER/TARGET/NAME. All are
 * made by the simulator. */
#include <stdio.h>
#include <stdlib.h>

#include "emulator/papers.h"
#include "emulator/psp.h"
#include "lib/attest/cloud_documents.h"
#include "lib/attest/evidence.h"
#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"

static void must(enum outcome outcome, const struct error *err)
{
    if (outcome == OK)
        return;
    fprintf(stderr, "make_corpus: %s\n", err->text);
    exit(1);
}

static void put(const char *folder, const char *target, const char *name, struct span content)
{
    struct error err = {0};
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, target);
    must(folder_make(path, 0755, &err), &err);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    must(file_write(path, content, 0644, &err), &err);
}

static void put_evidence(const char *folder, const char *name, const struct bytes *report,
                         const struct bytes *table)
{
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SIMULATED};
    bytes_add(&e.report, bytes_span(report));
    bytes_add(&e.cert_table, bytes_span(table));
    bytes_add(&e.rest, span_of_text("{}"));
    OWNED(mem_drop) char *text = evidence_print(&e);
    put(folder, "evidence", name, span_of_text(text));
    OWNED(bytes_done) struct bytes both = {0};
    bytes_add(&both, bytes_span(report));
    bytes_add(&both, bytes_span(table));
    put(folder, "judge", name, bytes_span(&both));
}

static void put_certificates(const char *folder, const char *name, const struct bytes *table)
{
    struct error err = {0};
    struct cert_table read;
    must(cert_table_read(bytes_span(table), &read, &err), &err);
    put(folder, "certificates", name, read.entries[0].blob);
}

static void put_flavour(struct psp *psp, const char *folder, enum psp_flavour flavour,
                        enum snp_product product, const char *name)
{
    struct error err = {0};
    struct psp_wish wish = psp_wish(flavour);
    wish.product = product;
    wish.version = product == PRODUCT_TURIN ? 5 : 3;
    OWNED(bytes_done) struct bytes report = {0};
    OWNED(bytes_done) struct bytes table = {0};
    must(psp_report(psp, &wish, &report, &table, &err), &err);
    put(folder, "snp_report", name, bytes_span(&report));
    put(folder, "cert_table", name, bytes_span(&table));
    put_certificates(folder, name, &table);
    put_evidence(folder, name, &report, &table);
}

/* What the key distribution service and Azure's host would answer. */
static void put_endorsements(struct psp *psp, const char *folder, const struct bytes *crl)
{
    struct error err = {0};
    const struct psp_wish wish = psp_wish(PSP_DIRECT_BOOT);
    struct cert_table read;
    OWNED(bytes_done) struct bytes report = {0};
    OWNED(bytes_done) struct bytes table = {0};
    OWNED(bytes_done) struct bytes chain = {0};
    OWNED(bytes_done) struct bytes vcek = {0};
    must(psp_report(psp, &wish, &report, &table, &err), &err);
    must(cert_table_read(bytes_span(&table), &read, &err), &err);
    pem_add_certificate(&chain, psp_ca(psp, LINE_MILAN, SIGNER_VCEK));
    pem_add_certificate(&chain, psp_ark(psp, LINE_MILAN));
    pem_add_certificate(&vcek, cert_table_find(&read, TABLE_VCEK));
    put(folder, "endorsements", "vcek", cert_table_find(&read, TABLE_VCEK));
    put(folder, "endorsements", "chain", bytes_span(&chain));
    put(folder, "endorsements", "crl", bytes_span(crl));
    OWNED(json_drop) json_t *thim = json_object();
    json_put_span(thim, "vcekCert", bytes_span(&vcek));
    json_put_span(thim, "certificateChain", bytes_span(&chain));
    json_put_text(thim, "tcbm", "d31b000000000003");
    json_put_text(thim, "cacheControl", "86400");
    OWNED(mem_drop) char *text = json_print(thim);
    put(folder, "endorsements", "thim", span_of_text(text));
}

/* The charter's part on the first line, then the record. */
static void put_record(const struct papers *papers, const char *folder, const char *name,
                       const struct cloud_documents *documents)
{
    OWNED(json_drop) json_t *all = papers_clouds(papers, "us-east-2");
    OWNED(json_drop) json_t *clouds = json_object();
    OWNED(mem_drop) char *record = cloud_documents_print(1, documents);
    OWNED(bytes_done) struct bytes both = {0};
    json_put_new(clouds, name, json_incref(json_object_get(all, name)));
    OWNED(mem_drop) char *text = json_print(clouds);
    bytes_add(&both, span_of_text(text));
    bytes_add_u8(&both, '\n');
    bytes_add(&both, span_of_text(record));
    put(folder, "identity", name, bytes_span(&both));
}

static void put_identity(const char *folder, const char *state, struct moment now)
{
    static const uint8_t nonce[NONCE_SIZE] = {1, 2, 3, 4};
    struct error err = {0};
    OWNED(papers_drop) struct papers *papers = NULL;
    OWNED(cloud_documents_done) struct cloud_documents aws = {.cloud = CLOUD_AWS};
    OWNED(cloud_documents_done) struct cloud_documents azure = {.cloud = CLOUD_AZURE};
    OWNED(cloud_documents_done) struct cloud_documents gcp = {.cloud = CLOUD_GCP};
    char path[1024];
    char digits[CLOUD_DIGITS_SIZE];
    char audience[CLOUD_AUDIENCE_SIZE];
    struct paper paper = {.account = "111122223333",
                          .region = "us-east-2",
                          .zone = "us-east-2a",
                          .machine = "i-0123456789abcdef0",
                          .name = "web-1",
                          .image = "ami-1",
                          .size = "m6a.large",
                          .started = now,
                          .at = now,
                          .confidentiality = 1};
    cloud_digits(nonce, digits);
    cloud_audience(nonce, audience);
    snprintf(path, sizeof path, "%s/papers", state);
    must(papers_open(path, &papers, &err), &err);
    must(papers_aws(papers, &paper, &aws.parts[AWS_DOCUMENT], &aws.parts[AWS_RSA2048], &err), &err);
    paper.nonce = digits;
    must(papers_azure(papers, &paper, &azure.parts[AZURE_ATTESTED], &err), &err);
    paper.nonce = audience;
    must(papers_gcp(papers, &paper, &gcp.parts[GCP_TOKEN], &err), &err);
    put_record(papers, folder, "aws", &aws);
    put_record(papers, folder, "azure", &azure);
    put_record(papers, folder, "gcp", &gcp);
}

int main(int argc, char **argv)
{
    struct error err = {0};
    if (argc != 3) {
        fputs("make_corpus FOLDER STATE\n", stderr);
        return 2;
    }
    OWNED(psp_drop) struct psp *psp = NULL;
    const struct moment now = clock_at_seconds(1795478400);
    must(psp_open(argv[2], now, &psp, &err), &err);
    put_flavour(psp, argv[1], PSP_FIRMWARE_ONLY, PRODUCT_MILAN, "vlek-milan");
    put_flavour(psp, argv[1], PSP_DIRECT_BOOT, PRODUCT_SIENA, "vcek-siena");
    put_flavour(psp, argv[1], PSP_DIRECT_BOOT, PRODUCT_TURIN, "vcek-turin");
    OWNED(bytes_done) struct bytes crl = {0};
    must(psp_crl(psp, LINE_MILAN, true, now, moment_add_seconds(now, 86400), &crl, &err), &err);
    put(argv[1], "certificates", "crl", bytes_span(&crl));
    put_endorsements(psp, argv[1], &crl);
    put_identity(argv[1], argv[2], now);
    put(argv[1], "certificates", "roots-pem", psp_roots(psp));
    put(argv[1], "policy", "whole",
        span_of_text("{\"name\":\"web\",\"snp\":{\"measurement\":\"any\",\"max_vmpl\":1,"
                     "\"min_tcb\":{\"Milan\":{\"bl\":4,\"snp\":24,\"ucode\":219}}}}"));
    put(argv[1], "policy", "expect",
        span_of_text("{\"snp\":{\"allow_debug\":false,\"signing_keys\":[\"VCEK\",\"VLEK\"],"
                     "\"forbid_platform_info\":[\"smt_en\"],\"vlek_csp_id\":[\"CN=x\"],"
                     "\"host_data\":[],\"max_age_seconds\":60,\"require_crl\":true}}"));
    put(argv[1], "policy", "bits",
        span_of_text("{\"snp\":{\"forbid_guest_policy\":[\"cxl_allow\"],"
                     "\"require_guest_policy\":[\"rapl_dis\"],"
                     "\"require_launch_mit_vector\":[0,63],\"require_current_mit_vector\":[],"
                     "\"require_committed_tcb\":true,\"min_guest_svn\":5,\"chip_id\":[]}}"));
    return 0;
}
