#include "tests/support/judged.h"

#include <string.h>
#include <time.h>

#include "db/case_store.h"
#include "db/verdict_store.h"
#include "lib/attest/evidence.h"
#include "lib/crypto/random.h"
#include "tests/support/ask.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

enum { DAY = 86400 };

struct deployment *world;

/* Good by the tests' clock, and by the database's, which does not stand still. */
static struct moment good_until(void)
{
    const int64_t here = moment_seconds(clock_now());
    const int64_t there = (int64_t)time(NULL);
    return clock_at_seconds((here > there ? here : there) + 30 * DAY);
}

/* A verdict as the keeper would have given it for this evidence. */
static void stands_on(const struct instance *instance, struct span evidence,
                      const struct judged *as)
{
    struct error err = {0};
    char measurement[2 * SNP_MEASUREMENT_SIZE + 1];
    uint8_t value[SNP_MEASUREMENT_SIZE];
    struct verdict_row row = {.instance = instance->id,
                              .project = "default",
                              .kind = "simulated",
                              .level = as->rejected == NULL ? LEVEL_1 : LEVEL_0,
                              .hardware = as->rejected == NULL ? SOURCE_HARDWARE : SOURCE_NONE,
                              .simulated = true,
                              .policy = "stock",
                              .charter_serial = 1,
                              .keeper = "0102030405060708",
                              .nonce_issued = moment_add_seconds(clock_now(), -30),
                              .valid_until = good_until()};
    snprintf(row.verdict, sizeof row.verdict, "%s", as->rejected == NULL ? "trusted" : "rejected");
    snprintf(row.reason, sizeof row.reason, "%s", as->rejected == NULL ? "ok" : as->rejected);
    memset(value, as->measurement, sizeof value);
    hex_encode(SPAN_OF(value), measurement);
    row.claims =
        json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s,s:s}}", "measurement", measurement, "product",
                  "Milan", "region", "us-east-2", "evidence", "product", "Milan", "signing_key",
                  "VLEK", "reported_tcb", "0x7308000000000003", "measurement", measurement);
    if (as->carried)
        json_put_new(row.claims, "evidence",
                     json_pack("{s:O}", "snp", json_object_get(row.claims, "evidence")));
    if (as->chip != 0) {
        uint8_t chip[SNP_CHIP_ID_SIZE];
        memset(chip, as->chip, sizeof chip);
        json_put_hex(row.claims, "chip", SPAN_OF(chip));
    }
    const bool unknown = as->rejected != NULL && strcmp(as->rejected, "policy-measurement") == 0;
    row.checks = json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "check", "chain", "result", "pass",
                           "check", "signature", "result", as->bad_signature ? "fail" : "pass",
                           "check", "policy-measurement", "result", unknown ? "fail" : "pass");
    row.token = mem_text("eyJ.the.token");
    memcpy(row.link_key, instance->id.at, sizeof instance->id.at);
    random_fill(row.sealing_key, sizeof row.sealing_key);
    assert_ok(verdict_store_record(ask_db, &row, evidence, "keeper:test", NULL, &err));
    if (case_is_one(&row))
        assert_ok(case_store_note(ask_db, &row, &err));
    verdict_row_done(&row);
}

void judged_prove(const struct instance *instance, const struct judged *as)
{
    struct psp_wish wish = psp_wish(PSP_FIRMWARE_ONLY);
    memset(wish.measurement, as->measurement, sizeof wish.measurement);
    random_fill(wish.report_id, sizeof wish.report_id);
    struct simulated s = simulator_evidence(world->psp, &wish);
    OWNED(evidence_done)
    struct evidence e = {.kind = EVIDENCE_SIMULATED, .report = s.report, .cert_table = s.table};
    if (as->bad_signature)
        e.report.at[0x2a0] ^= 1;
    OWNED(mem_drop) char *printed = evidence_print(&e);
    stands_on(instance, span_of_text(printed), as);
}

struct instance judged_machine(const struct judged *as)
{
    struct instance instance = ask_instance("stock-fleet");
    judged_prove(&instance, as);
    judged_policy("stock");
    return instance;
}

void judged_policy(const char *name)
{
    struct error err = {0};
    OWNED(text_done) struct text sql = {0};
    text_addf(&sql, "UPDATE instances SET policy = '%s'", name);
    assert_ok(db_script(ask_db, text_str(&sql), &err));
}

int judged_open(void **state)
{
    void *made = NULL;
    if (ask_open(state) != 0 || deployment_open(&made) != 0)
        return -1;
    world = made;
    for (int i = 0; i < 3; i++)
        judged_machine(&judged_stock);
    return 0;
}

int judged_close(void **state)
{
    void *made = world;
    return deployment_close(&made) | ask_close(state);
}

const struct judged judged_stock = {.measurement = MEASURED_STOCK};

struct told judged_apply(const char *if_plan)
{
    OWNED(mem_drop) char *jws = deployment_sign(world, world->charter_key);
    OWNED(json_drop) json_t *body = json_pack("{s:s}", "jws", jws);
    if (if_plan != NULL)
        json_put_text(body, "if_plan", if_plan);
    OWNED(mem_drop) char *text = json_print(body);
    return ask("POST", "/v1/charter", text);
}
