#include "tests/support/azure_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tpm.h"
#include "lib/attest/cert_table.h"
#include "lib/attest/snp_report.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

struct azure_machine azure_machine;

/* ---- making an Azure machine ----------------------------------------------------------------- */

static void read_modulus(struct soft_tpm *from, struct bytes *out)
{
    struct error err = {0};
    const struct tpm_key_choice key = {TPM_KEY_PERSISTENT, 0x81000003};
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes public = {0};
    assert_ok(tpm_open(soft_tpm_tcti(from), &tpm, &err));
    assert_ok(tpm_use_key(tpm, &key, &public, &err));
    bytes_add(out, SPAN(public.at + public.len - 256, 256));
}

void azure_machine_put_report(const char *claims_more)
{
    OWNED(bytes_done) struct bytes modulus = {0};
    struct paravisor_wish wish = paravisor_wish();
    read_modulus(azure_machine.tpm, &modulus);
    wish.modulus = bytes_span(&modulus);
    wish.claims_more = claims_more;
    paravisor_done(&azure_machine.paravisor);
    paravisor_make(simulator.psp, simulator.roots, &wish, &azure_machine.paravisor);
    soft_tpm_put(azure_machine.tpm, AZURE_INDEX_REPORT, bytes_span(&azure_machine.paravisor.hcl));
}

/* The key is made once a run. */
static void start(void)
{
    static struct bytes made;
    azure_machine.tpm = soft_tpm_start_as(bytes_span(&made));
    azure_machine.places = (struct tee_places){.tpm = soft_tpm_tcti(azure_machine.tpm),
                                               .report_from = "boot",
                                               .event_log = "",
                                               .thim_program = "",
                                               .thim_url = ""};
    if (made.len > 0)
        return;
    soft_tpm_make_azure_key(azure_machine.tpm);
    soft_tpm_state(azure_machine.tpm, &made);
}

int azure_machine_set_up(void **state)
{
    void *folder = NULL;
    (void)state;
    assert_int_equal(scratch_open(&folder), 0);
    azure_machine.folder = folder;
    start();
    azure_machine_put_report("");
    return 0;
}

int azure_machine_tear_down(void **state)
{
    (void)state;
    void *folder = azure_machine.folder;
    paravisor_done(&azure_machine.paravisor);
    soft_tpm_stop(azure_machine.tpm);
    scratch_close(&folder);
    memset(&azure_machine, 0, sizeof azure_machine);
    return 0;
}

struct tee *azure_machine_open(void)
{
    struct error err = {0};
    struct tee *tee = NULL;
    assert_ok(tee_open("azure", &azure_machine.places, &tee, &err));
    return tee;
}

/* What a keeper with the simulator's roots says; register 4 shall be as at the TPM's start. */
static const char *judge_evidence(const struct evidence *e, const struct evidence_binding *binding)
{
    static const char rules[] =
        "{\"azure\":{\"pcrs\":{\"4\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}}}";
    struct error err = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    OWNED(snp_cache_drop) struct snp_cache *cache = snp_cache_new(simulator.roots, 2);
    OWNED(verdict_done) struct verdict v = {0};
    assert_ok(policy_parse(span_of_text(rules), POLICY_EXPECT, policy, &err));
    const struct evidence_terms terms = {.chains = cache,
                                         .policy = policy,
                                         .binding = binding,
                                         .at = clock_at_seconds(SIMULATOR_TODAY)};
    evidence_judge(e, &terms, &v);
    return name_of(&reason_names, (int)v.reason);
}

/* As it arrives: printed, read again, and with the certificates that a controller adds. */
const char *azure_machine_judge(const struct evidence *sent, const struct evidence_binding *binding)
{
    struct error err = {0};
    OWNED(mem_drop) char *text = evidence_print(sent);
    OWNED(evidence_done) struct evidence e = {0};
    assert_ok(evidence_parse(span_of_text(text), &e, &err));
    if (e.ek.len == 0)
        bytes_add(&e.cert_table, bytes_span(&azure_machine.paravisor.table));
    return judge_evidence(&e, binding);
}

/* ---- its host -------------------------------------------------------------------------------- */

uint64_t azure_machine_tcb(void)
{
    struct error err = {0};
    struct snp_report report;
    const struct evidence e = {.kind = EVIDENCE_SNP_AZURE, .hcl = azure_machine.paravisor.hcl};
    assert_ok(snp_report_read(evidence_report(&e), &report, &err));
    return report.reported_tcb;
}

char *azure_host_certificates(uint64_t tcb, const char *before)
{
    struct error err = {0};
    struct cert_table table;
    OWNED(bytes_done) struct bytes ek = {0};
    OWNED(bytes_done) struct bytes ca = {0};
    OWNED(json_drop) json_t *answer = json_object();
    char digits[17];
    assert_ok(cert_table_read(bytes_span(&azure_machine.paravisor.table), &table, &err));
    bytes_add(&ek, span_of_text(before));
    pem_add_certificate(&ek, cert_table_find(&table, TABLE_VCEK));
    pem_add_certificate(&ca, cert_table_find(&table, TABLE_ASK));
    pem_add_certificate(&ca, cert_table_find(&table, TABLE_ARK));
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)tcb);
    json_put_span(answer, "vcekCert", bytes_span(&ek));
    json_put_span(answer, "certificateChain", bytes_span(&ca));
    json_put_text(answer, "tcbm", digits);
    json_put_text(answer, "cacheControl", "86400");
    return json_print(answer);
}

void azure_host_start(struct azure_host *host)
{
    const char *build = getenv("MUSTER_BUILD");
    host->host = fake_http_start();
    snprintf(host->program, sizeof host->program, "%s/agent/muster-agent-thim",
             build != NULL ? build : ".");
    snprintf(host->url, sizeof host->url, "%s/metadata/THIM/amd/certification",
             fake_http_url(host->host));
    azure_machine.places.thim_program = host->program;
    azure_machine.places.thim_url = host->url;
    azure_machine.places.thim_seconds = 5;
}

void azure_host_say_certificates(struct azure_host *host)
{
    OWNED(mem_drop) char *answer = azure_host_certificates(azure_machine_tcb(), "");
    fake_http_say(host->host, 200, answer);
}

void azure_host_done(struct azure_host *host)
{
    fake_http_stop(host->host);
    *host = (struct azure_host){0};
}
