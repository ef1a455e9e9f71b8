#include "tests/support/matter.h"

#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/test.h"

static const char pinned[] = "{\"snp\":{\"measurement\":[\"" ONES ONES "\"]}}";

struct matter matter_of(enum psp_flavour flavour)
{
    struct matter m = {.wish = psp_wish(flavour), .policy = pinned};
    memset(m.wish.measurement, 0x11, sizeof m.wish.measurement);
    m.in = (struct judge_input){.kind = EVIDENCE_SIMULATED,
                                .simulation_realm = true,
                                .at = clock_at_seconds(SIMULATOR_TODAY)};
    return m;
}

struct matter matter_best(void)
{
    struct matter m = matter_of(PSP_DIRECT_BOOT);
    static const uint8_t binding[SNP_REPORT_DATA_SIZE] = {7};
    memset(m.wish.host_data, 0x22, sizeof m.wish.host_data);
    memcpy(m.wish.report_data, binding, sizeof binding);
    m.in.expected_report_data = SPAN_OF(binding);
    m.in.image = (struct image_facts){true, true, ANCHOR_HOST_DATA};
    m.in.standing = (struct standing){.disk_encrypted = true,
                                      .transit_encrypted = true,
                                      .endpoint_keys = true,
                                      .custody_outside = true};
    return m;
}

struct verdict matter_judge_report(struct matter *m, const struct simulated *s)
{
    struct error err = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    if (m->policy != NULL) {
        assert_ok(policy_parse(span_of_text(m->policy), m->expect ? POLICY_EXPECT : POLICY_WHOLE,
                               policy, &err));
        m->in.policy = policy;
    }
    const struct snp_bundle bundle = {.cert_table = bytes_span(&s->table),
                                      .crl_count = m->crl.len > 0,
                                      .crl = {m->crl},
                                      .wanted = m->wish.flavour == PSP_FIRMWARE_ONLY ? SIGNER_VLEK
                                                                                     : SIGNER_VCEK};
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(&bundle, simulator.roots);
    m->in.endorsements = e;
    m->in.report = bytes_span(&s->report);
    struct verdict v;
    judge(&m->in, &v);
    return v;
}

struct verdict matter_judge(struct matter *m)
{
    OWNED(simulated_done) struct simulated s = simulator_evidence(simulator.psp, &m->wish);
    return matter_judge_report(m, &s);
}

void try_judged(struct matter *m, enum reason reason, const char *test)
{
    OWNED(verdict_done) struct verdict v = matter_judge(m);
    case_words(name_of(&reason_names, (int)v.reason), name_of(&reason_names, (int)reason), test);
    assert_int_equal(v.trusted, v.reason == REASON_OK);
}
