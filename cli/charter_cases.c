#include "cli/charter_cases.h"

#include <stdio.h>
#include <string.h>

#include "cli/verify_common.h"
#include "lib/attest/deny.h"
#include "lib/attest/evidence.h"

static enum outcome bad(struct error *err, const char *where, const char *name, const char *what)
{
    char place[2 * ERROR_WHERE_SIZE];
    snprintf(place, sizeof place, "%s/%s", where, name);
    return fail_at(err, ERR_INVALID, "bad-case", place, "%s: %s", place, what);
}

/* ---- files --------------------------------------------------------------------------------- */

/* A file of the case, by a path that starts at its folder. */
static enum outcome read_file(const char *folder, const char *path, struct bytes *out,
                              struct error *err)
{
    OWNED(text_done) struct text whole = {0};
    if (path[0] != '/')
        text_addf(&whole, "%s/", folder);
    text_add(&whole, path);
    return argument_file(text_str(&whole), VERIFY_FILE_MAX, out, err);
}

static enum outcome read_named(const json_t *files, const char *where, const char *name,
                               const char *folder, struct bytes *out, struct error *err)
{
    const char *path;
    if (json_object_get(files, name) == NULL)
        return OK;
    TRY(json_get_text(files, where, name, 1024, &path, err));
    return read_file(folder, path, out, err);
}

static enum outcome read_list(const json_t *files, const char *where, const char *name,
                              const char *folder, struct file_list *out, struct error *err)
{
    json_t *list;
    size_t i;
    json_t *item;
    if (json_object_get(files, name) == NULL)
        return OK;
    TRY(json_get_array(files, where, name, ARGUMENT_LIST_MAX, &list, err));
    json_array_foreach (list, i, item) {
        if (!json_is_string(item))
            return bad(err, where, name, "not a path");
        TRY(read_file(folder, json_string_value(item), &out->at[out->count], err));
        out->count++;
    }
    return OK;
}

/* How a case names a file, and the member of the envelope that holds its bytes. */
static const struct {
    const char *file;
    const char *member;
} blobs[] = {
    {"report", "report"},
    {"hcl", "hcl"},
    {"quote_msg", "quote"},
    {"quote_sig", "signature"},
    {"document", "document"},
    {"ek", "ek"},
    {"cert_table", "cert_table"},
    {"event_log", "event_log"},
    {"ak", "ak"},
    {"ak_cert", "ak_cert"},
    {"manifest", "manifest"},
};

static enum outcome only_known(const json_t *files, const char *where, struct error *err)
{
    const char *names[countof(blobs) + 6] = {"ca", "pcrs", "crl", "root", "document_root"};
    for (size_t i = 0; i < countof(blobs); i++)
        names[5 + i] = blobs[i].file;
    return json_only(files, where, names, err);
}

static enum outcome put_blobs(const json_t *files, const char *where, const char *folder,
                              json_t *envelope, struct error *err)
{
    OWNED(file_list_done) struct file_list ca = {0};
    OWNED(bytes_done) struct bytes pcrs = {0};
    json_t *registers = NULL;
    for (size_t i = 0; i < countof(blobs); i++) {
        OWNED(bytes_done) struct bytes blob = {0};
        TRY(read_named(files, where, blobs[i].file, folder, &blob, err));
        if (json_object_get(files, blobs[i].file) != NULL)
            json_put_base64(envelope, blobs[i].member, bytes_span(&blob));
    }
    TRY(read_list(files, where, "ca", folder, &ca, err));
    for (size_t i = 0; i < ca.count; i++) {
        OWNED(mem_drop) char *text = base64_of(bytes_span(&ca.at[i]));
        if (i == 0)
            json_put_new(envelope, "ca", json_array());
        json_add_new(json_object_get(envelope, "ca"), json_string(text));
    }
    TRY(read_named(files, where, "pcrs", folder, &pcrs, err));
    if (pcrs.len == 0)
        return OK;
    TRY(json_parse(bytes_span(&pcrs), VERIFY_FILE_MAX, &registers, err));
    json_put_new(envelope, "pcrs", registers);
    return OK;
}

/* What a guest would have sent, by the rules for what a guest may send. */
static enum outcome read_evidence(const json_t *json, const json_t *files, const char *where,
                                  const char *folder, struct evidence *out, struct error *err)
{
    OWNED(json_drop) json_t *envelope = json_object();
    json_put_new(envelope, "kind", json_incref(json_object_get(json, "kind")));
    TRY(put_blobs(files, where, folder, envelope, err));
    OWNED(mem_drop) char *text = json_print(envelope);
    return evidence_parse(span_of_text(text), out, err) == OK ? OK
                                                              : error_context(err, "%s", where);
}

/* ---- judging ------------------------------------------------------------------------------- */

struct hearing {
    const struct charter *charter;
    const struct charter_policy *policy;
    const json_t *json;
    const char *path;
    struct moment at;
};

/* Who is believed: the makers, or whom the case names in their place. */
struct believed {
    struct snp_roots *custom;
    struct nitro_roots nitro;
    struct snp_cache *chains;
};

static void believed_done(struct believed *b)
{
    snp_cache_free(b->chains);
    snp_roots_free(b->custom);
}

static enum outcome believe_aws(const struct file_list *roots, struct nitro_roots *out,
                                struct error *err)
{
    *out = roots->count > 0 ? (struct nitro_roots){0} : nitro_roots_aws;
    for (size_t i = 0; i < roots->count; i++)
        TRY(nitro_roots_add(out, bytes_span(&roots->at[i]), err));
    return OK;
}

static enum outcome believe_chips(const struct file_list *roots, struct believed *out,
                                  struct error *err)
{
    struct span blobs_of[ARGUMENT_LIST_MAX];
    for (size_t i = 0; i < roots->count; i++)
        blobs_of[i] = bytes_span(&roots->at[i]);
    if (roots->count > 0)
        TRY(snp_roots_custom(blobs_of, roots->count, &out->custom, err));
    out->chains = snp_cache_new(out->custom != NULL ? out->custom : snp_roots_amd(), 1);
    return OK;
}

/* "root" is of whoever signs the evidence; where that is a chip, a document beside its report has
 * "document_root". */
static enum outcome believe(const json_t *files, const char *where, const char *folder,
                            enum evidence_kind kind, struct believed *out, struct error *err)
{
    static const struct file_list none = {0};
    OWNED(file_list_done) struct file_list roots = {0};
    OWNED(file_list_done) struct file_list document_roots = {0};
    TRY(read_list(files, where, "root", folder, &roots, err));
    TRY(read_list(files, where, "document_root", folder, &document_roots, err));
    const bool of_enclaves = kind == EVIDENCE_NITRO;
    TRY(believe_aws(of_enclaves ? &roots : &document_roots, &out->nitro, err));
    return believe_chips(of_enclaves ? &none : &roots, out, err);
}

/* A keeper rejects what would pass but stands on a deny list. */
static void apply_denials(const struct hearing *h, const struct evidence_facts *facts,
                          const struct verdict *v, struct case_answer *out)
{
    const struct charter_case c = deny_case(facts, v);
    struct error err = {0};
    if (!v->trusted || charter_check_denied(h->charter, &c, &err) == OK)
        return;
    *out = (struct case_answer){.verdict = "rejected", .level = "L0"};
    snprintf(out->reason, sizeof out->reason, "%s", err.code);
}

static void answer_with(const struct verdict *v, struct case_answer *out)
{
    snprintf(out->verdict, sizeof out->verdict, "%s", v->trusted ? "trusted" : "rejected");
    snprintf(out->reason, sizeof out->reason, "%s", name_of(&reason_names, (int)v->reason));
    snprintf(out->level, sizeof out->level, "%s", name_of(&level_names, (int)v->level));
}

static void judge_as_keeper(const struct hearing *h, const struct evidence *evidence,
                            const struct believed *believed, struct span given,
                            const struct file_list *crl, struct case_answer *out)
{
    struct evidence_facts facts;
    OWNED(verdict_done) struct verdict v = {0};
    struct evidence_terms terms = {
        .chains = believed->chains,
        .nitro_roots = &believed->nitro,
        .simulation_realm = h->charter->realm == REALM_SIMULATION,
        .policy = h->policy->policy,
        .given = given,
        .at = h->at,
        .asked_at = h->at,
        .standing = {.custody_outside = h->charter->custody_outside},
    };
    for (size_t i = 0; i < crl->count; i++)
        evidence_terms_add_crl(&terms, bytes_span(&crl->at[i]));
    evidence_facts(evidence, &facts);
    (void)charter_image_facts(h->charter, h->policy, evidence->kind, SPAN_OF(facts.measurement),
                              h->at, &terms.image);
    evidence_judge(evidence, &terms, &v);
    answer_with(&v, out);
    apply_denials(h, &facts, &v, out);
}

/* What the evidence answers to: "report_data" is the whole of a report's (or, under an SVSM, what
 * goes into it), "nonce" what stands in a
 * quote or a document. */
static enum outcome get_given(const struct hearing *h, enum evidence_kind kind, struct bytes *out,
                              struct error *err)
{
    const bool bare = kind != EVIDENCE_SNP_AZURE && kind != EVIDENCE_NITRO;
    const char *name = bare ? "report_data" : "nonce";
    const char *other = bare ? "nonce" : "report_data";
    const char *text;
    if (json_object_get(h->json, other) != NULL)
        return bad(err, h->path, other, "not with this kind of evidence");
    if (json_object_get(h->json, name) == NULL)
        return OK;
    TRY(json_get_text(h->json, h->path, name, 2048, &text, err));
    return text[0] != '\0' && hex_decode(text, out, NULL) == OK
               ? OK
               : bad(err, h->path, name, "not hex");
}

static enum outcome judge_evidence(const struct hearing *h, const char *folder,
                                   struct case_answer *out, struct error *err)
{
    json_t *files;
    char where[ERROR_WHERE_SIZE];
    OWNED(evidence_done) struct evidence evidence = {0};
    OWNED(file_list_done) struct file_list crl = {0};
    OWNED(believed_done) struct believed believed = {0};
    OWNED(bytes_done) struct bytes given = {0};
    TRY(json_get_object(h->json, h->path, "evidence", &files, err));
    snprintf(where, sizeof where, "%s/evidence", h->path);
    TRY(only_known(files, where, err));
    TRY(read_evidence(h->json, files, where, folder, &evidence, err));
    TRY(read_list(files, where, "crl", folder, &crl, err));
    if (crl.count > SNP_CRLS_MAX)
        return bad(err, where, "crl", "too many lists");
    TRY(believe(files, where, folder, evidence.kind, &believed, err));
    TRY(get_given(h, evidence.kind, &given, err));
    judge_as_keeper(h, &evidence, &believed, bytes_span(&given), &crl, out);
    return OK;
}

/* ---- claims -------------------------------------------------------------------------------- */

/* What a verdict might say, for the grants: everything that is not named is the least. */
struct claims {
    bool trusted, suspect;
    enum source software, identity;
    enum level level;
    int64_t age_seconds;
    char region[NAME_SIZE], account[NAME_SIZE], fleet[NAME_SIZE];
    uint8_t anchor[SHA256_SIZE], secret_anchor[SHA256_SIZE], link_key[SHA256_SIZE];
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE], chip[CHARTER_CHIP_SIZE];
    enum secret_kind secret_kind;
    enum secret_scope secret_scope;
};

/* clang-format off */
static const struct field claims_fields[] = {
    FIELD(claims, trusted, FIELD_BOOL, .flags = FIELD_OPTIONAL),
    FIELD(claims, suspect, FIELD_BOOL, .flags = FIELD_OPTIONAL),
    FIELD(claims, software, FIELD_NAME, .names = &source_names, .flags = FIELD_OPTIONAL),
    FIELD(claims, identity, FIELD_NAME, .names = &source_names, .flags = FIELD_OPTIONAL),
    FIELD(claims, level, FIELD_NAME, .names = &level_names, .flags = FIELD_OPTIONAL),
    FIELD(claims, age_seconds, FIELD_INT, .least = 0, .most = INT32_MAX, .flags = FIELD_OPTIONAL),
    FIELD(claims, region, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(claims, account, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(claims, fleet, FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(claims, anchor, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(claims, secret_anchor, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(claims, link_key, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(claims, measurement, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(claims, chip, FIELD_HEX, .flags = FIELD_OPTIONAL),
    FIELD(claims, secret_kind, FIELD_NAME, .names = &secret_kind_names, .flags = FIELD_OPTIONAL),
    FIELD(claims, secret_scope, FIELD_NAME, .names = &secret_scope_names, .flags = FIELD_OPTIONAL),
};
static const struct record claims_record = RECORD(claims, claims_fields);
/* clang-format on */

static void fill_case(const struct claims *from, const struct charter_policy *policy,
                      struct charter_case *out)
{
    *out = (struct charter_case){
        .trusted = from->trusted,
        .policy = policy->name,
        .software = from->software,
        .identity = from->identity,
        .level = from->level,
        .age_seconds = from->age_seconds,
        .region = from->region,
        .account = from->account,
        .suspect = from->suspect,
        .fleet = from->fleet,
        .kind = from->secret_kind,
        .scope = from->secret_scope,
    };
    memcpy(out->policy_digest, policy->digest, sizeof out->policy_digest);
    memcpy(out->anchor, from->anchor, sizeof out->anchor);
    memcpy(out->secret_anchor, from->secret_anchor, sizeof out->secret_anchor);
    memcpy(out->link_key, from->link_key, sizeof out->link_key);
    memcpy(out->measurement, from->measurement, sizeof out->measurement);
    memcpy(out->chip, from->chip, sizeof out->chip);
}

/* The secret is one of the grant's kind and scope unless the claims say otherwise. */
static enum outcome read_claims(const struct hearing *h, const struct charter_grant *grant,
                                struct claims *out, struct error *err)
{
    char where[ERROR_WHERE_SIZE];
    const json_t *json = json_object_get(h->json, "claims");
    OWNED(json_drop) json_t *whole = json_is_object(json) ? json_copy(json_looked_at(json)) : NULL;
    if (whole == NULL)
        return bad(err, h->path, "claims", "not an object");
    if (json_object_get(whole, "trusted") == NULL)
        json_put_bool(whole, "trusted", true);
    if (grant != NULL && json_object_get(whole, "secret_kind") == NULL)
        json_put_text(whole, "secret_kind", name_of(&secret_kind_names, (int)grant->kind));
    if (grant != NULL && json_object_get(whole, "secret_scope") == NULL)
        json_put_text(whole, "secret_scope", name_of(&secret_scope_names, (int)grant->scope));
    snprintf(where, sizeof where, "%s/claims", h->path);
    return record_from_json(&claims_record, whole, where, out, err);
}

/* A secret of a grant, or a passport for a relying party. */
static enum outcome try_claims(const struct hearing *h, struct case_answer *out, struct error *err)
{
    const char *name;
    struct error refusal = {0};
    struct claims claims = {.trusted = true};
    struct charter_case c;
    const bool passport = json_object_get(h->json, "relying_party") != NULL;
    if (passport && json_object_get(h->json, "grant") != NULL)
        return bad(err, h->path, "relying_party", "a grant or a relying party");
    TRY(json_get_text(h->json, h->path, passport ? "relying_party" : "grant", NAME_SIZE, &name,
                      err));
    TRY(read_claims(h, passport ? NULL : charter_find_grant(h->charter, name), &claims, err));
    fill_case(&claims, h->policy, &c);
    const bool allowed = (passport ? charter_party_allows(h->charter, name, &c, &refusal)
                                   : charter_grant_allows(h->charter, name, &c, &refusal)) == OK;
    snprintf(out->verdict, sizeof out->verdict, "%s",
             !allowed   ? "refused"
             : passport ? "issued"
                        : "released");
    snprintf(out->reason, sizeof out->reason, "%s", allowed ? "ok" : refusal.code);
    return OK;
}

/* ---- a case -------------------------------------------------------------------------------- */

static enum outcome read_expected(const json_t *json, const char *path, struct case_answer *out,
                                  struct error *err)
{
    static const char *const members[] = {"verdict", "reason", "level", NULL};
    static const char *const words[] = {"trusted", "rejected", "released", "issued", "refused"};
    static const struct names verdicts = NAMES("verdict", words);
    char where[ERROR_WHERE_SIZE];
    json_t *expect;
    int known;
    snprintf(where, sizeof where, "%s/expect", path);
    TRY(json_get_object(json, path, "expect", &expect, err));
    TRY(json_only(expect, where, members, err));
    for (size_t i = 0; i + 1 < countof(members); i++) {
        const char *word;
        char *const into[] = {out->verdict, out->reason, out->level};
        TRY(json_get_text_or(expect, where, members[i], CASE_WORD_SIZE - 1, "", &word, err));
        TRY(text_copy(into[i], CASE_WORD_SIZE, word, where, err));
    }
    return name_parse(&verdicts, out->verdict, &known, NULL) == OK
               ? OK
               : bad(err, where, "verdict", "trusted, rejected, released, issued or refused");
}

static bool agrees(const char *expected, const char *got)
{
    return expected[0] == '\0' || strcmp(expected, got) == 0;
}

static enum outcome read_case(const struct charter *charter, const json_t *json, const char *path,
                              struct case_result *result, struct hearing *out, struct error *err)
{
    static const char *const members[] = {
        "name",   "policy",        "at",          "kind",   "evidence", "nonce", "grant",
        "claims", "relying_party", "report_data", "expect", "comment",  NULL};
    const char *name;
    const char *policy;
    TRY(json_only(json, path, members, err));
    TRY(json_get_text(json, path, "name", sizeof result->name - 1, &name, err));
    TRY(text_copy(result->name, sizeof result->name, name, path, err));
    TRY(json_get_text(json, path, "policy", NAME_SIZE, &policy, err));
    *out = (struct hearing){.charter = charter, .json = json, .path = path, .at = clock_now()};
    if (json_object_get(json, "at") != NULL)
        TRY(json_get_moment(json, path, "at", &out->at, err));
    out->policy = charter_find_policy(charter, policy);
    if (out->policy == NULL)
        return bad(err, path, "policy", "the charter has no such policy");
    if ((json_object_get(json, "claims") == NULL) == (json_object_get(json, "evidence") == NULL))
        return bad(err, path, "evidence", "a case has evidence or claims");
    return read_expected(json, path, &result->expected, err);
}

enum outcome charter_case_run(const struct charter *charter, const json_t *json, const char *path,
                              const char *folder, struct case_result *out, struct error *err)
{
    struct hearing hearing;
    *out = (struct case_result){0};
    TRY(read_case(charter, json, path, out, &hearing, err));
    TRY(json_object_get(json, "claims") != NULL ? try_claims(&hearing, &out->got, err)
                                                : judge_evidence(&hearing, folder, &out->got, err));
    out->passed = agrees(out->expected.verdict, out->got.verdict) &&
                  agrees(out->expected.reason, out->got.reason) &&
                  agrees(out->expected.level, out->got.level);
    return OK;
}
