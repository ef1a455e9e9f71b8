/* Each kind of hardware from end to end: a TPM in software or a made-up module at one end, the
 * shipping drivers, the agent's session and the keeper's desk, up to a secret that opens. */
#include <stdlib.h>
#include <string.h>

#include "agent/nsm.h"
#include "agent/tee_vtpm.h"
#include "lib/attest/tpm_key.h"
#include "tests/support/azure_machine.h"
#include "tests/support/carried_guest.h"
#include "tests/support/fake_nsm.h"
#include "tests/support/fake_tsm.h"
#include "tests/support/guest_azure.h"
#include "tests/support/guest_nitro.h"
#include "tests/support/made_vtpm.h"
#include "tests/support/test.h"

/* What the firmware measures as the loader, and register 4 with it. */
#define LOADER "0404040404040404040404040404040404040404040404040404040404040404"
#define STARTED "93db88e9a1e1c4f087e6688ac9af5583b4d9899625345acb8bd7fe15589ad823"

static void apply(struct deployment *d)
{
    struct error err = {0};
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

/* A grant for secrets of one machine under this policy. */
static void write_grant(struct deployment *d, const char *name, const char *policy)
{
    json_t *grant = json_deep_copy(deployment_at(d, "grants", "host"));
    json_object_set_new(grant, "policies", json_pack("[s]", policy));
    json_object_set_new(json_object_get(d->charter, "grants"), name, grant);
}

/* From challenge to a secret of its own that it loaded; twice, as for a renewal. */
static void lives_through_it(struct carried *w, const char *grant, const char *kind)
{
    struct error err = {0};
    OWNED(stored_done) struct stored stored = {0};
    struct release_reply sealed = {0};
    struct secret_loaded loaded = {0};
    carried_welcome(w);
    for (int i = 0; i < 2; i++) {
        struct verdict_notice notice = carried_appraise(w);
        assert_string_equal(notice.reason, "ok");
        assert_string_equal(notice.verdict, "trusted");
        if (i == 0)
            carried_advance(w, 1000);
    }
    assert_claim(&w->g, "kind", kind);
    assert_ok(stored_make(w->d, grant, &w->g, &stored, &err));
    struct release_wish wish = release_wish_of(&w->g, &stored);
    assert_ok(release_ask(w->d, &wish, &sealed, &err));
    carried_release(w, &wish, &sealed);
    assert_int_equal(w->type, FRAME_REPLY);
    assert_ok(message_parse_reply(bytes_span(&w->body), &secret_loaded_record, &loaded, &err));
    assert_true(loaded.loaded);
    record_done(&release_reply_record, &sealed);
}

static int set_up(void **state)
{
    struct carried *w = NEW(struct carried);
    void *d = NULL;
    assert_int_equal(deployment_open(&d), 0);
    w->d = d;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct carried *w = *state;
    void *d = w->d;
    carried_done(w);
    free(w);
    return deployment_close(&d);
}

/* ---- Azure ------------------------------------------------------------------------------------
 */

static void a_machine_of_azure_gets_its_own_secret(void **state)
{
    struct carried *w = *state;
    struct deployment *d = w->d;
    OWNED(azure_host_done) struct azure_host host = {0};
    assert_int_equal(azure_machine_set_up(NULL), 0);
    soft_tpm_tool(azure_machine.tpm, "tpm2_pcrextend 4:sha256=" LOADER);
    azure_write_charter(d);
    json_object_set_new(deployment_at(d, "policies", "azure"), "azure",
                        json_pack("{s:{s:s}}", "pcrs", "4", STARTED));
    apply(d);
    azure_host_start(&host);
    azure_host_say_certificates(&host);
    carried_open(w, d, azure_guest(), azure_machine_open());
    lives_through_it(w, "vm", "snp-azure");
    assert_claim(&w->g, "software", "hardware");
    assert_claim(&w->g, "identity", "hardware");
    assert_int_equal(azure_machine_tear_down(NULL), 0);
}

/* ---- a vTPM beside the report -----------------------------------------------------------------
 */

static char no_log[] = "";
static struct {
    struct carried *of;
    struct vtpm vtpm;
} beside;

static void make_report(struct span data, struct bytes *report, struct bytes *certs)
{
    struct error err = {0};
    struct psp_wish *wish = &beside.of->g.wish;
    memcpy(wish->report_data, data.at, data.len);
    assert_ok(psp_report(beside.of->d->psp, wish, report, certs, &err));
}

static enum outcome prove_beside(void *self, const struct evidence_binding *asked,
                                 struct evidence *out, struct error *err)
{
    return vtpm_prove(self, asked, out, err);
}

static enum outcome prove_enclave(void *self, const struct evidence_binding *asked,
                                  struct evidence *out, struct error *err)
{
    return nsm_attest(self, "/dev/nsm", asked, &out->document, err);
}

static void close_nothing(void *self)
{
    (void)self;
}

/* As in tee_vtpm.c and tee_nitro.c, but that the kernel is the test. */
static const struct tee_driver vtpm_driver = {.name = "vtpm",
                                              .kind = EVIDENCE_SNP_VTPM,
                                              .close = close_nothing,
                                              .report_size = TEE_REPORT_SIZE,
                                              .prove = prove_beside};
static const struct tee_driver nitro_driver = {
    .name = "nitro", .kind = EVIDENCE_NITRO, .close = close_nothing, .prove = prove_enclave};

/* The platform's part: a key, made from its template, with its certificate in an index. */
static void certify_key(struct soft_tpm *soft)
{
    struct error err = {0};
    struct tpm_public key;
    OWNED(tpm_drop) struct tpm *tpm = NULL;
    OWNED(bytes_done) struct bytes public = {0};
    OWNED(bytes_done) struct bytes spki = {0};
    OWNED(bytes_done) struct bytes cert = {0};
    assert_ok(tpm_open(soft_tpm_tcti(soft), &tpm, &err));
    assert_ok(tpm_use_key(tpm, &beside.vtpm.key, &public, &err));
    assert_ok(tpm_public_read(bytes_span(&public), &key, &err));
    assert_ok(tpm_public_spki(&key, &spki, &err));
    tpm_drop(&tpm);
    made_vtpm_certify(bytes_span(&spki), &cert);
    soft_tpm_put(soft, 0x01c10000, bytes_span(&cert));
    assert_ok(tpm_index_parse("0x01c10000", &beside.vtpm.key_cert, &err));
}

static void write_policy_beside(struct deployment *d)
{
    json_t *reference = json_deep_copy(deployment_at(d, "references", "direct"));
    json_put_text(reference, "anchor", "vtpm");
    json_object_set_new(json_object_get(d->charter, "references"), "beside", reference);
    json_object_set_new(json_object_get(d->charter, "policies"), "vtpm",
                        json_pack("{s:{},s:{s:[s],s:[s],s:{s:s}},s:[s],s:i}", "snp", "vtpm",
                                  "roots", "provider", "ak_ca", made_vtpm_authority(0), "pcrs", "4",
                                  STARTED, "references", "beside", "valid_seconds", 7200));
}

static void a_machine_with_a_certified_vtpm_gets_its_own_secret(void **state)
{
    struct carried *w = *state;
    struct deployment *d = w->d;
    struct soft_tpm *soft = soft_tpm_start();
    soft_tpm_tool(soft, "tpm2_pcrextend 4:sha256=" LOADER);
    assert_int_equal(fake_tsm_set_up(NULL), 0);
    fake_tsm.make = make_report;
    beside.of = w;
    beside.vtpm = (struct vtpm){.files = &fake_tsm_files,
                                .tsm_path = fake_tsm.tree,
                                .tpm = (char *)(uintptr_t)soft_tpm_tcti(soft),
                                .document_tpm = no_log,
                                .event_log = no_log,
                                .privlevel = -1,
                                .key = {TPM_KEY_MADE, 0}};
    certify_key(soft);
    write_policy_beside(d);
    write_grant(d, "beside", "vtpm");
    apply(d);
    struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    g.kind = EVIDENCE_SNP_VTPM;
    g.policy = "vtpm";
    carried_open(w, d, g, tee_new(&vtpm_driver, &beside.vtpm));
    lives_through_it(w, "beside", "snp-vtpm");
    assert_claim(&w->g, "software", "provider");
    assert_int_equal(fake_tsm_tear_down(NULL), 0);
    soft_tpm_stop(soft);
}

/* ---- an enclave -------------------------------------------------------------------------------
 */

static void an_enclave_gets_its_own_secret(void **state)
{
    struct carried *w = *state;
    nitro_set_up(w->d);
    carried_open(w, w->d, nitro_guest(),
                 tee_new(&nitro_driver, (void *)(uintptr_t)&fake_nsm_calls));
    lives_through_it(w, "enclave-key", "nitro");
    assert_claim(&w->g, "software", "provider");
    fake_nsm_reset(NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_machine_of_azure_gets_its_own_secret),
        T(a_machine_with_a_certified_vtpm_gets_its_own_secret),
        T(an_enclave_gets_its_own_secret),
    };
    return cmocka_run_group_tests_name("agent hardware", tests, simulator_set_up,
                                       simulator_tear_down);
}
