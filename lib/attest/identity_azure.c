/* Azure's attested data: a signed record with ten digits of ours in it. */
#include <string.h>

#include "lib/attest/identity_inside.h"
#include "lib/crypto/signed_data.h"

enum { TIME_SIZE = 40 };

struct azure_hearing {
    struct identity_hearing *h;
    struct signed_data *data;
    char nonce[CLOUD_DIGITS_SIZE];
    struct moment created, expires;
};

static void azure_hearing_done(struct azure_hearing *a)
{
    signed_data_free(a->data);
}

/* "11/28/26 00:16:17 -0000", and nothing else. */
static enum outcome get_time(const json_t *times, const char *name, struct moment *out,
                             struct error *err)
{
    const char *text;
    TRY(json_get_text(times, "/timeStamp", name, TIME_SIZE, &text, err));
    static const char shape[] = "00/00/00 00:00:00 -0000";
    bool fits = strlen(text) == sizeof shape - 1;
    for (size_t i = 0; fits && shape[i] != '\0'; i++)
        fits = i < sizeof shape - 6 && shape[i] == '0' ? text[i] >= '0' && text[i] <= '9'
                                                       : text[i] == shape[i];
    if (!fits)
        return fail_at(err, ERR_INVALID, "wrong-value", name, "%s is no time of Azure's", name);
    char iso[] = "2000-00-00T00:00:00Z";
    memcpy(iso + 2, text + 6, 2);
    memcpy(iso + 5, text, 2);
    memcpy(iso + 8, text + 3, 2);
    memcpy(iso + 11, text + 9, 8);
    return moment_parse(iso, out, err);
}

static enum outcome read_content(struct azure_hearing *a, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    struct cloud_facts *f = &a->h->facts;
    json_t *times;
    TRY(json_parse(signed_data_content(a->data), SIGNED_DATA_MAX, &json, err));
    TRY(identity_get_word(json, "vmId", f->machine, sizeof f->machine, err));
    TRY(identity_get_word(json, "subscriptionId", f->account, sizeof f->account, err));
    TRY(identity_get_word(json, "nonce", a->nonce, sizeof a->nonce, err));
    TRY(json_get_object(json, "", "timeStamp", &times, err));
    TRY(get_time(times, "createdOn", &a->created, err));
    return get_time(times, "expiresOn", &a->expires, err);
}

static enum outcome read_all(struct azure_hearing *a, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    OWNED(bytes_done) struct bytes der = {0};
    const char *encoding;
    const char *signature;
    TRY(json_parse(bytes_span(&a->h->documents->parts[AZURE_ATTESTED]), CLOUD_PART_MAX, &json,
                   err));
    TRY(json_get_text(json, "", "encoding", 16, &encoding, err));
    TRY(json_get_text(json, "", "signature", CLOUD_PART_MAX, &signature, err));
    if (strcmp(encoding, "pkcs7") != 0)
        return fail_at(err, ERR_INVALID, "wrong-value", "/encoding", "encoded as %.16s", encoding);
    TRY(identity_unwrap(span_of_text(signature), &der, err));
    TRY(signed_data_read(bytes_span(&der), &a->data, err));
    return read_content(a, err);
}

static struct x509 *check_signer(struct azure_hearing *a)
{
    const struct charter_clouds *clouds = a->h->terms->clouds;
    struct x509 *signer = NULL;
    struct error why = {0};
    const struct signed_data_rule rule = {.anchors = &clouds->azure_authorities,
                                          .names = (const char *const *)clouds->azure_names,
                                          .name_count = clouds->azure_name_count,
                                          .at = a->h->terms->at};
    identity_check(a->h, signed_data_certified(a->data, &rule, &signer, &why), &why,
                   "certified for Azure's metadata service", REASON_IDENTITY_SIGNER);
    return signer;
}

static void check_signature(struct azure_hearing *a, const struct x509 *signer)
{
    struct error why = {0};
    if (signer == NULL)
        identity_skip(a->h, "no certificate", REASON_IDENTITY_SIGNATURE);
    else
        identity_check(a->h, signed_data_verify(a->data, signer, (struct span){0}, &why), &why,
                       "RSA with SHA-256", REASON_IDENTITY_SIGNATURE);
}

static void check_time(struct azure_hearing *a)
{
    const struct moment at = a->h->terms->at;
    if (a->h->terms->then != NULL)
        identity_recall(a->h, a->h->terms->then->bad_time, REASON_IDENTITY_TIME);
    else if (a->created.us > moment_add_seconds(at, IDENTITY_SLACK_SECONDS).us)
        identity_refuse(a->h, "made in the future", REASON_IDENTITY_TIME);
    else if (at.us > a->expires.us)
        identity_refuse(a->h, "expired", REASON_IDENTITY_TIME);
    else
        identity_pass(a->h, "made before now, and not expired", REASON_IDENTITY_TIME);
}

static void check_nonce(struct azure_hearing *a)
{
    char ours[CLOUD_DIGITS_SIZE] = "";
    if (a->h->terms->nonce != NULL)
        cloud_digits(a->h->terms->nonce, ours);
    if (a->h->terms->then != NULL)
        identity_recall(a->h, a->h->terms->then->bad_nonce, REASON_IDENTITY_NONCE);
    else if (ours[0] == '\0' || strcmp(ours, a->nonce) != 0)
        identity_refuse(a->h, "answers another challenge", REASON_IDENTITY_NONCE);
    else
        identity_pass(a->h, "the digits of our challenge", REASON_IDENTITY_NONCE);
}

void identity_judge_azure(struct identity_hearing *h)
{
    struct error why = {0};
    OWNED(azure_hearing_done) struct azure_hearing a = {.h = h};
    if (h->documents->parts[AZURE_ATTESTED].len == 0) {
        identity_nothing(h, "no attested data came");
        return;
    }
    h->readable = read_all(&a, &why) == OK;
    identity_check(h, h->readable ? OK : ERR_INVALID, &why, "attested data that can be read",
                   REASON_IDENTITY_FORMAT);
    if (!h->readable)
        return;
    OWNED(x509_drop) struct x509 *signer = check_signer(&a);
    check_signature(&a, signer);
    check_time(&a);
    check_nonce(&a);
}
