#include "lib/attest/snp_ek.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWNED(x509_list_done) struct x509_list list = {0};
    error_ignore(x509_list_read(&list, SPAN(data, size), NULL));
    for (size_t i = 0; i < list.count; i++) {
        struct snp_ek ek;
        struct finding finding;
        snp_ek_read(list.at[i], &ek, &finding);
        OWNED(members_done) struct members claims = {0};
        snp_ek_claims(&ek, list.at[i], &claims);
        error_ignore(x509_check_issued(list.at[0], list.at[i], NULL));
        OWNED(p384_drop) struct p384 *key = NULL;
        error_ignore(p384_from_cert(list.at[i], &key, NULL));
    }
    OWNED(crl_drop) struct crl *crl = NULL;
    if (crl_from_bytes(SPAN(data, size), &crl, NULL) == OK) {
        (void)crl_this_update(crl);
        (void)crl_next_update(crl);
        if (list.count > 0)
            error_ignore(crl_check(crl, list.at[0], NULL));
    }
    return 0;
}
