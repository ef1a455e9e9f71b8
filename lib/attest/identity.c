#include "lib/attest/identity.h"

#include <string.h>
#include <strings.h>

#include "lib/attest/identity_inside.h"
#include "lib/base/text.h"
#include "lib/base/uuid.h"

void identity_done(struct identity *identity)
{
    verdict_done(&identity->checks);
    *identity = (struct identity){0};
}

/* ---- what the clouds' judges share ----------------------------------------------------------- */

/* Every check is called as the reason that its failure gives. */
void identity_pass(struct identity_hearing *h, const char *detail, enum reason reason)
{
    verdict_pass(&h->out->checks, name_of(&reason_names, (int)reason), detail);
}

void identity_skip(struct identity_hearing *h, const char *detail, enum reason reason)
{
    verdict_skip(&h->out->checks, name_of(&reason_names, (int)reason), detail);
}

void identity_refuse(struct identity_hearing *h, const char *detail, enum reason reason)
{
    verdict_refuse(&h->out->checks, name_of(&reason_names, (int)reason), reason, detail);
}

void identity_check(struct identity_hearing *h, enum outcome outcome, const struct error *why,
                    const char *fine, enum reason reason)
{
    if (outcome == OK)
        identity_pass(h, fine, reason);
    else
        identity_refuse(h, why->text, reason);
}

void identity_recall(struct identity_hearing *h, bool was_bad, enum reason reason)
{
    if (was_bad)
        identity_refuse(h, "refused when it was shown", reason);
    else
        identity_pass(h, "not refused when it was shown", reason);
}

void identity_nothing(struct identity_hearing *h, const char *note)
{
    h->out->note = note;
}

enum outcome identity_get_word(const json_t *object, const char *name, char *out, size_t size,
                               struct error *err)
{
    const char *word;
    TRY(json_get_text(object, "", name, size - 1, &word, err));
    if (!text_is_word(word))
        return fail_at(err, ERR_INVALID, "wrong-value", name, "%s is not a word", name);
    return text_copy(out, size, word, name, err);
}

enum outcome identity_unwrap(struct span text, struct bytes *out, struct error *err)
{
    OWNED(bytes_done) struct bytes plain = {0};
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] != '\n' && text.at[i] != '\r')
            bytes_add_u8(&plain, text.at[i]);
    return base64_decode(bytes_span(&plain), out, err);
}

/* ---- does it agree --------------------------------------------------------------------------- */

static void check_account(struct identity_hearing *h)
{
    const struct charter_names *ours = &h->terms->clouds->accounts[h->documents->cloud];
    if (!charter_names_have(ours, h->facts.account))
        identity_refuse(h, "the charter does not call this account ours", REASON_IDENTITY_ACCOUNT);
    else
        identity_pass(h, ours->any ? "any account" : "an account of ours", REASON_IDENTITY_ACCOUNT);
}

enum agreement { DIFFERS, AGREES, UNKNOWN };

/* "i-0abc-enc0123" is an enclave of i-0abc. */
static enum agreement with_enclave(const struct identity_hearing *h, struct span module)
{
    static const char mark[] = "-enc";
    const size_t len = strlen(h->facts.machine);
    const bool same = span_equal(span_part(module, 0, len), span_of_text(h->facts.machine)) &&
                      span_equal(span_part(module, len, sizeof mark - 1), span_of_text(mark));
    return same ? AGREES : DIFFERS;
}

static const char *last_part(const char *ref)
{
    const char *slash = strrchr(ref, '/');
    return slash != NULL ? slash + 1 : ref;
}

/* Does a path name this one in this place? Paths that do not name such a thing do not differ. */
static bool path_allows(const char *ref, const char *what, const char *value)
{
    const char *at = strcasestr(ref, what);
    if (at == NULL)
        return true;
    at += strlen(what);
    const size_t len = strcspn(at, "/");
    return len == strlen(value) && strncasecmp(at, value, len) == 0;
}

/* "us-central1-a/web-1" */
static bool zone_allows(const char *ref, const char *zone)
{
    const char *slash = strchr(ref, '/');
    const size_t len = slash != NULL ? (size_t)(slash - ref) : 0;
    return slash == NULL || strchr(slash + 1, '/') != NULL ||
           (len == strlen(zone) && memcmp(ref, zone, len) == 0);
}

/* A number, a name, or a path that ends in one. */
static enum agreement with_gcp_ref(const struct cloud_facts *f, const char *ref)
{
    const char *last = last_part(ref);
    const bool same = (strcmp(last, f->machine) == 0 || strcmp(last, f->name) == 0) &&
                      path_allows(ref, "projects/", f->account) &&
                      path_allows(ref, "zones/", f->zone) && zone_allows(ref, f->zone);
    return same ? AGREES : DIFFERS;
}

/* Azure knows a machine by its name or path too, which attested data does not hold: then only what
 * it says of the subscription can differ. */
static enum agreement with_azure_ref(const struct cloud_facts *f, const char *ref)
{
    struct uuid id;
    if (uuid_parse(ref, &id, NULL) == OK)
        return strcasecmp(ref, f->machine) == 0 ? AGREES : DIFFERS;
    return path_allows(ref, "subscriptions/", f->account) ? UNKNOWN : DIFFERS;
}

static enum agreement with_ref(const struct identity_hearing *h, const char *ref)
{
    switch (h->documents->cloud) {
    case CLOUD_AWS:
        return strcmp(ref, h->facts.machine) == 0 ? AGREES : DIFFERS;
    case CLOUD_AZURE:
        return with_azure_ref(&h->facts, ref);
    case CLOUD_GCP:
        return with_gcp_ref(&h->facts, ref);
    case CLOUD_NONE:
    case CLOUD_KIND_COUNT:
        break;
    }
    return UNKNOWN;
}

/* The hardware's word first, then that of whoever launched the machine; one of them must know it,
 * and neither may gainsay it. */
static enum agreement with_all(const struct identity_hearing *h, const struct identity_witness *w)
{
    const char *ref = h->terms->declared != NULL ? h->terms->declared->machine : "";
    enum agreement found = UNKNOWN;
    if (w->enclave.len > 0)
        found = with_enclave(h, w->enclave);
    else if (w->vm_id[0] != '\0')
        found = h->documents->cloud == CLOUD_AZURE && strcasecmp(w->vm_id, h->facts.machine) == 0
                    ? AGREES
                    : DIFFERS;
    if (found == DIFFERS || ref[0] == '\0')
        return found;
    const enum agreement said = with_ref(h, ref);
    return said == UNKNOWN ? found : said;
}

static bool check_machine(struct identity_hearing *h, const struct identity_witness *w)
{
    switch (with_all(h, w)) {
    case AGREES:
        identity_pass(h, "the machine that was launched", REASON_IDENTITY_INSTANCE);
        return true;
    case DIFFERS:
        identity_refuse(h, "of another machine", REASON_IDENTITY_INSTANCE);
        return true;
    case UNKNOWN:
        break;
    }
    identity_skip(h, "nobody says which machine it should be", REASON_IDENTITY_INSTANCE);
    return false;
}

static bool regions_differ(const char *a, const char *b)
{
    return a[0] != '\0' && b[0] != '\0' && strcmp(a, b) != 0;
}

/* A VLEK names the provider too, and so far only AWS has one whose region can be read. */
static void check_region(struct identity_hearing *h, const struct identity_witness *w)
{
    char proven[REGION_SIZE];
    const char *declared = h->terms->declared != NULL ? h->terms->declared->region : "";
    snp_csp_region(w->csp_id, proven);
    if (proven[0] != '\0' && h->documents->cloud != CLOUD_AWS)
        identity_refuse(h, "of another cloud than the chip's key", REASON_IDENTITY_REGION);
    else if (regions_differ(h->facts.region, proven))
        identity_refuse(h, "of another region than the chip's key", REASON_IDENTITY_REGION);
    else if (regions_differ(h->facts.region, declared))
        identity_refuse(h, "of another region than it was launched in", REASON_IDENTITY_REGION);
    else if (h->facts.region[0] == '\0')
        identity_skip(h, "it names no region", REASON_IDENTITY_REGION);
    else
        identity_pass(h, "the region that it should be", REASON_IDENTITY_REGION);
}

/* ---- all ------------------------------------------------------------------------------------- */

/* EC2's document answers nobody, so that whoever has read it can show it beside evidence of his own
 * machine; Azure's answers us, for whoever runs a program on a machine of ours. They count where
 * evidence says that Amazon runs the machine, or which of Azure's it is. Google's machines have no
 * such evidence. */
static const char *why_not_here(const struct identity_hearing *h, const struct identity_witness *w)
{
    char proven[REGION_SIZE];
    snp_csp_region(w->csp_id, proven);
    if (h->documents->cloud == CLOUD_AWS && proven[0] == '\0' && w->enclave.len == 0)
        return "no key of the chip's says that Amazon runs this machine";
    if (h->documents->cloud == CLOUD_AZURE && w->vm_id[0] == '\0' && !w->imitated)
        return "no evidence says which machine of Azure's this is";
    return NULL;
}

static void conclude(struct identity_hearing *h, bool known, const char *unless)
{
    struct identity *out = h->out;
    out->reason = out->checks.reason;
    if (out->reason != REASON_OK) {
        out->state = DOCUMENTS_SUSPECT;
        return;
    }
    if (!known) {
        identity_nothing(h, unless);
        return;
    }
    out->state = DOCUMENTS_AGREE;
    memcpy(out->account, h->facts.account, sizeof out->account);
    memcpy(out->region, h->facts.region, sizeof out->region);
    memcpy(out->machine, h->facts.machine, sizeof out->machine);
}

static void judge(struct identity_hearing *h, const struct identity_witness *witness)
{
    static void (*const judges[CLOUD_KIND_COUNT])(struct identity_hearing *) = {
        [CLOUD_AWS] = identity_judge_aws,
        [CLOUD_AZURE] = identity_judge_azure,
        [CLOUD_GCP] = identity_judge_gcp,
    };
    bool known = false;
    judges[h->documents->cloud](h);
    if (h->out->note != NULL)
        return;
    if (h->readable) {
        check_account(h);
        known = check_machine(h, witness);
        check_region(h, witness);
    }
    const char *unless = why_not_here(h, witness);
    if (unless != NULL)
        conclude(h, false, unless);
    else
        conclude(h, known, "nobody says which machine it should be");
}

void identity_judge(struct span record, const struct identity_terms *terms,
                    const struct identity_witness *witness, struct identity *out)
{
    OWNED(cloud_documents_done) struct cloud_documents documents = {0};
    struct error why = {0};
    *out = (struct identity){0};
    struct identity_hearing h = {.terms = terms, .documents = &documents, .out = out};
    if (cloud_documents_read(record, &documents, &why) != OK) {
        identity_refuse(&h, why.text, REASON_IDENTITY_FORMAT);
        conclude(&h, false, NULL);
        return;
    }
    out->cloud = documents.cloud;
    if (documents.cloud == CLOUD_NONE)
        identity_nothing(&h, "no document came");
    else if (!terms->clouds->said[documents.cloud])
        identity_nothing(&h, "the charter says nothing of this cloud");
    else
        judge(&h, witness);
}

json_t *identity_to_json(const struct identity *identity)
{
    json_t *out = json_object();
    json_put_text(out, "state", name_of(&document_state_names, (int)identity->state));
    if (identity->cloud != CLOUD_NONE)
        json_put_text(out, "cloud", name_of(&cloud_kind_names, (int)identity->cloud));
    if (identity->state == DOCUMENTS_SUSPECT)
        json_put_text(out, "reason", name_of(&reason_names, (int)identity->reason));
    if (identity->note != NULL)
        json_put_text(out, "note", identity->note);
    if (identity->checks.check_count > 0)
        json_put_new(out, "checks", verdict_checks_to_json(&identity->checks));
    if (identity->state != DOCUMENTS_AGREE)
        return out;
    json_put_text(out, "account", identity->account);
    json_put_text(out, "machine", identity->machine);
    if (identity->region[0] != '\0')
        json_put_text(out, "region", identity->region);
    return out;
}
