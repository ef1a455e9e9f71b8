#include "lib/attest/snp_report.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct snp_report report;
    if (snp_report_read(SPAN(data, size), &report, NULL) != OK)
        return 0;
    const char *why = NULL;
    (void)snp_report_fault(&report, &why);
    OWNED(members_done) struct members claims = {0};
    snp_report_claims(&report, (enum snp_line)(report.version % (LINE_UNKNOWN + 1)), &claims);
    OWNED(text_done) struct text printed = {0};
    members_print(&claims, &printed);
    OWNED(json_drop) json_t *read = NULL;
    if (json_parse(text_span(&printed), printed.len, &read, NULL) != OK)
        abort();
    return 0;
}
