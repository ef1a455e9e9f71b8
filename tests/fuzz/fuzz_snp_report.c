#include "lib/attest/snp_report.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snp_report report;
    if (snp_report_read(SPAN(data, size), &report, NULL) != OK)
        return 0;
    const char *why = NULL;
    (void)snp_report_fault(&report, &why);
    OWNED(json_drop) json_t *claims = json_object();
    snp_report_claims(&report, (enum snp_line)(report.version % (LINE_UNKNOWN + 1)), claims);
    OWNED(mem_drop) char *text = json_print(claims);
    return 0;
}
