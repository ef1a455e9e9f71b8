#include "lib/attest/validity.h"

/* 2020-01-01 and 2100-01-01 */
static const int64_t sane_from = INT64_C(1577836800);
static const int64_t sane_to = INT64_C(4102444800);

static bool clock_is_sane(struct verdict *out, const char *name, struct moment at)
{
    const int64_t seconds = moment_seconds(at);
    if (seconds < sane_from)
        verdict_add(out, name, CHECK_FAIL, REASON_CERT_NOT_YET_VALID,
                    "the clock stands before 2020");
    else if (seconds >= sane_to)
        verdict_add(out, name, CHECK_FAIL, REASON_CERT_EXPIRED, "the clock stands after 2100");
    else
        return true;
    return false;
}

static bool is_valid(struct verdict *out, const char *name, const struct x509 *cert,
                     struct moment at, int64_t slack_seconds)
{
    const struct moment from = x509_not_before(cert);
    const struct moment to = x509_not_after(cert);
    if (moment_add_seconds(at, slack_seconds).us < from.us)
        verdict_add(out, name, CHECK_FAIL, REASON_CERT_NOT_YET_VALID, "%s is valid from %s",
                    x509_subject(cert), moment_text(from).at);
    else if (at.us > to.us)
        verdict_add(out, name, CHECK_FAIL, REASON_CERT_EXPIRED, "%s was valid until %s",
                    x509_subject(cert), moment_text(to).at);
    else
        return true;
    return false;
}

void validity_check(struct verdict *out, const char *name, struct x509 *const *certs, size_t count,
                    struct moment at, int64_t slack_seconds, const char *passed)
{
    if (!clock_is_sane(out, name, at))
        return;
    for (size_t i = 0; i < count && certs[i] != NULL; i++)
        if (!is_valid(out, name, certs[i], at, slack_seconds))
            return;
    verdict_add(out, name, CHECK_PASS, REASON_OK, "%s", passed);
}
