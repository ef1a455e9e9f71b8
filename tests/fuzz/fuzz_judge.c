/* Input: a report, then a certificate table; judged under the policy of a real fleet. */
#include <stdlib.h>
#include <string.h>

#include "lib/attest/judge.h"
#include "tests/fuzz/fuzz.h"

static const char policy_text[] =
    "{\"snp\":{\"measurement\":\"any\",\"require_crl\":true,\"vlek_csp_id\":\"CN=x\","
    "\"min_tcb\":{\"Milan\":{\"snp\":1},\"Turin\":{\"fmc\":1}},\"signing_keys\":[\"VLEK\"],"
    "\"require_platform_info\":[\"ecc_en\"],\"require_guest_policy\":[\"rapl_dis\"],"
    "\"require_launch_mit_vector\":[0,63],\"require_committed_tcb\":true,\"min_guest_svn\":2,"
    "\"chip_id\":[],\"max_age_seconds\":10}}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct policy policy;
    if (!policy.has_snp &&
        policy_parse(span_of_text(policy_text), POLICY_WHOLE, &policy, NULL) != OK)
        abort();
    const struct span all = SPAN(data, size);
    const struct snp_bundle bundle = {.cert_table = span_part(all, SNP_REPORT_SIZE, size)};
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&bundle, snp_roots_amd());
    const struct judge_input input = {
        .kind = EVIDENCE_SNP,
        .report = span_part(all, 0, SNP_REPORT_SIZE),
        .endorsements = e,
        .policy = &policy,
        .at = clock_at_seconds(1795478400),
        .image = {.measured_boot = true, .anchor = ANCHOR_HOST_DATA},
    };
    OWNED(verdict_done) struct verdict v = {0};
    judge(&input, &v);
    OWNED(json_drop) json_t *object = verdict_to_json(&v);
    OWNED(mem_drop) char *text = json_print(object);
    /* The verdict, its reason and its checks never disagree. */
    bool failed = false;
    for (size_t i = 0; i < v.check_count; i++)
        failed = failed || v.checks[i].result == CHECK_FAIL;
    if (v.trusted || v.trusted == failed || v.level != LEVEL_0)
        abort();
    return 0;
}
