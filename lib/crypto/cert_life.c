#include "lib/crypto/cert_life.h"

#include <arpa/inet.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "lib/base/names.h"

enum { CERTS_MAX = 4, DAY = 86400 };

/* ---- the end ------------------------------------------------------------------------------ */

struct cert_term cert_term_of(const struct cert *cert)
{
    return (struct cert_term){
        .role = name_of(&cert_role_names, (int)cert_claimed_role(cert)),
        .until = cert_not_after(cert),
    };
}

bool cert_term_is_due(struct cert_term *term, struct moment now)
{
    if (moment_seconds_between(now, term->until) > (int64_t)CERT_WARN_DAYS * DAY)
        return false;
    if (!moment_is_none(term->told) && moment_seconds_between(term->told, now) < DAY)
        return false;
    term->told = now;
    return true;
}

int64_t cert_term_days_left(const struct cert_term *term, struct moment now)
{
    int64_t seconds = moment_seconds_between(now, term->until);
    return seconds > 0 ? seconds / DAY : 0;
}

/* ---- the successor ------------------------------------------------------------------------ */

DROP(general_names_drop, GENERAL_NAMES, GENERAL_NAMES_free)

static bool take_text(const ASN1_STRING *text, char out[static CERT_NAME_SIZE])
{
    int len = ASN1_STRING_length(text);
    const unsigned char *at = ASN1_STRING_get0_data(text);
    if (len < 1 || len >= CERT_NAME_SIZE || memchr(at, '\0', (size_t)len) != NULL)
        return false;
    memcpy(out, at, (size_t)len);
    out[len] = '\0';
    return true;
}

static bool take_address(const ASN1_STRING *address, char out[static CERT_NAME_SIZE])
{
    int len = ASN1_STRING_length(address);
    int family = len == 4 ? AF_INET : len == 16 ? AF_INET6 : AF_UNSPEC;
    return family != AF_UNSPEC &&
           inet_ntop(family, ASN1_STRING_get0_data(address), out, CERT_NAME_SIZE) != NULL;
}

static bool take_name(const GENERAL_NAME *name, char out[static CERT_NAME_SIZE])
{
    int type;
    const void *value = GENERAL_NAME_get0_value(name, &type);
    return type == GEN_DNS     ? take_text(value, out)
           : type == GEN_IPADD ? take_address(value, out)
                               : false;
}

enum outcome cert_names_of(const struct cert *cert, struct cert_names *out, struct error *err)
{
    OWNED(general_names_drop)
    GENERAL_NAMES *names = X509_get_ext_d2i(cert_inside(cert), NID_subject_alt_name, NULL, NULL);
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    if (count > CERT_NAMES_MAX)
        return fail_code(err, ERR_INVALID, "cert-invalid", "it has over %d names", CERT_NAMES_MAX);
    for (int i = 0; i < count; i++)
        if (!take_name(sk_GENERAL_NAME_value(names, i), out->at[i]))
            return fail_code(err, ERR_INVALID, "cert-invalid",
                             "it names something that is neither a host nor an address");
    out->count = (size_t)count;
    return OK;
}

enum outcome cert_of_key(struct span pem, const struct key *key, struct cert **out,
                         struct error *err)
{
    struct cert *found[CERTS_MAX] = {NULL};
    uint8_t wanted[SHA256_SIZE];
    uint8_t certified[SHA256_SIZE];
    size_t count;
    size_t chosen = 0;
    TRY(cert_list_from_pem(pem, found, CERTS_MAX, &count, err));
    key_fingerprint(key, wanted);
    for (size_t i = 0; i < count; i++) {
        cert_spki_sha256(found[i], certified);
        if (memcmp(certified, wanted, sizeof wanted) == 0)
            chosen = i;
    }
    *out = cert_share(found[chosen]);
    for (size_t i = 0; i < count; i++)
        cert_free(found[i]);
    return OK;
}
