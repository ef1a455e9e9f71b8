#include "tests/support/simulator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

struct psp *simulator_open(void)
{
    struct error err = {0};
    struct psp *psp = NULL;
    char folder[512];
    const char *build = getenv("MUSTER_BUILD");
    snprintf(folder, sizeof folder, "%s/tests/simulator-state", build != NULL ? build : ".");
    assert_ok(psp_open(folder, clock_at_seconds(SIMULATOR_TODAY), &psp, &err));
    return psp;
}

struct snp_roots *simulator_roots(const struct psp *psp)
{
    struct error err = {0};
    struct snp_roots *roots = NULL;
    const struct span pem = psp_roots(psp);
    assert_ok(snp_roots_custom(&pem, 1, &roots, &err));
    return roots;
}

struct simulator simulator;

int simulator_set_up(void **state)
{
    (void)state;
    simulator.psp = simulator_open();
    simulator.roots = simulator_roots(simulator.psp);
    return 0;
}

int simulator_tear_down(void **state)
{
    (void)state;
    snp_roots_free(simulator.roots);
    psp_close(simulator.psp);
    return 0;
}

struct simulated simulator_evidence(struct psp *psp, const struct psp_wish *wish)
{
    struct error err = {0};
    struct simulated s = {0};
    assert_ok(psp_report(psp, wish, &s.report, &s.table, &err));
    return s;
}

void simulated_done(struct simulated *s)
{
    bytes_done(&s->report);
    bytes_done(&s->table);
}

struct verdict simulator_judge(const struct simulated *s, const struct snp_roots *roots,
                               const char *policy_json, bool whole)
{
    struct error err = {0};
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    if (policy_json != NULL)
        assert_ok(policy_parse(span_of_text(policy_json), whole ? POLICY_WHOLE : POLICY_EXPECT,
                               policy, &err));
    const struct snp_bundle bundle = {.cert_table = bytes_span(&s->table)};
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&bundle, roots != NULL ? roots : snp_roots_amd());
    const struct judge_input in = {
        .kind = EVIDENCE_SIMULATED,
        .simulation_realm = true,
        .report = bytes_span(&s->report),
        .endorsements = e,
        .policy = policy_json != NULL ? policy : NULL,
        .at = clock_at_seconds(SIMULATOR_TODAY),
    };
    struct verdict v;
    judge(&in, &v);
    return v;
}
