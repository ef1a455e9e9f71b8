/* EC2's instance identity document and its RSA-2048 signature. It answers no challenge and whoever
 * has read it once can show it again: it names an instance, and says nothing of now. */
#include "lib/attest/identity_inside.h"
#include "lib/crypto/signed_data.h"

struct aws_hearing {
    struct identity_hearing *h;
    struct signed_data *data;
    struct span document;
    struct moment pending;
};

static void aws_hearing_done(struct aws_hearing *a)
{
    signed_data_free(a->data);
}

static enum outcome read_document(struct aws_hearing *a, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    struct cloud_facts *f = &a->h->facts;
    TRY(json_parse(a->document, CLOUD_PART_MAX, &json, err));
    TRY(identity_get_word(json, "accountId", f->account, sizeof f->account, err));
    TRY(identity_get_word(json, "region", f->region, sizeof f->region, err));
    TRY(identity_get_word(json, "instanceId", f->machine, sizeof f->machine, err));
    return json_get_moment(json, "", "pendingTime", &a->pending, err);
}

static enum outcome read_all(struct aws_hearing *a, struct error *err)
{
    OWNED(bytes_done) struct bytes der = {0};
    const struct bytes *parts = a->h->documents->parts;
    TRY(identity_unwrap(bytes_span(&parts[AWS_RSA2048]), &der, err));
    TRY(signed_data_read(bytes_span(&der), &a->data, err));
    a->document = bytes_span(&parts[AWS_DOCUMENT]);
    if (a->document.len == 0)
        a->document = signed_data_content(a->data);
    return read_document(a, err);
}

/* The certificate itself is pinned, a region's own; there is no chain. */
static struct x509 *check_signer(struct aws_hearing *a, const struct charter_aws_region *region)
{
    const struct moment at = a->h->terms->at;
    struct x509 *signer = signed_data_signer(a->data, &region->certificates);
    if (signer == NULL)
        identity_refuse(a->h, "not signed by a certificate of its region", REASON_IDENTITY_SIGNER);
    else if (at.us < x509_not_before(signer).us || at.us > x509_not_after(signer).us)
        identity_refuse(a->h, "its certificate is not of this time", REASON_IDENTITY_SIGNER);
    else
        identity_pass(a->h, "a certificate of its region", REASON_IDENTITY_SIGNER);
    return signer;
}

static void check_signature(struct aws_hearing *a, const struct x509 *signer)
{
    struct error why = {0};
    const struct span inside = signed_data_content(a->data);
    if (signer == NULL)
        identity_skip(a->h, "no certificate", REASON_IDENTITY_SIGNATURE);
    else if (inside.len > 0 && !span_equal(inside, a->document))
        identity_refuse(a->h, "the signature is over another document", REASON_IDENTITY_SIGNATURE);
    else
        identity_check(a->h, signed_data_verify(a->data, signer, a->document, &why), &why,
                       "RSA with SHA-256", REASON_IDENTITY_SIGNATURE);
}

static void check_time(struct aws_hearing *a)
{
    const struct moment late = moment_add_seconds(a->h->terms->at, IDENTITY_SLACK_SECONDS);
    if (a->h->terms->then != NULL)
        identity_recall(a->h, a->h->terms->then->bad_time, REASON_IDENTITY_TIME);
    else if (a->pending.us > late.us)
        identity_refuse(a->h, "of an instance that starts in the future", REASON_IDENTITY_TIME);
    else
        identity_pass(a->h, "its instance had started", REASON_IDENTITY_TIME);
}

void identity_judge_aws(struct identity_hearing *h)
{
    struct error why = {0};
    OWNED(aws_hearing_done) struct aws_hearing a = {.h = h};
    if (h->documents->parts[AWS_RSA2048].len == 0) {
        identity_nothing(h, "the document came without its signature");
        return;
    }
    h->readable = read_all(&a, &why) == OK;
    const struct charter_aws_region *region =
        h->readable ? charter_aws_region(h->terms->clouds, h->facts.region) : NULL;
    if (h->readable && region == NULL) {
        identity_nothing(h, "the charter has no certificate of this region");
        return;
    }
    identity_check(h, h->readable ? OK : ERR_INVALID, &why, "document and signature can be read",
                   REASON_IDENTITY_FORMAT);
    if (!h->readable)
        return;
    check_signature(&a, check_signer(&a, region));
    check_time(&a);
    identity_skip(h, "it answers nobody, and can be shown again", REASON_IDENTITY_NONCE);
}
