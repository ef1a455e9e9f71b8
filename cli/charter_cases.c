#include "cli/charter_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/evidence_files.h"
#include "lib/attest/azure_judge.h"
#include "lib/attest/deny.h"

static enum outcome bad(struct error *err, const char *where, const char *name, const char *what)
{
    char place[2 * ERROR_WHERE_SIZE];
    snprintf(place, sizeof place, "%s/%s", where, name);
    return fail_at(err, ERR_INVALID, "bad-case", place, "%s: %s", place, what);
}

/* ---- files --------------------------------------------------------------------------------- */

enum { PATHS_MAX = 80 };

/* Paths as named in a case, made whole. */
struct whole_paths {
    const char *folder;
    size_t count;
    char *at[PATHS_MAX];
};

static void whole_paths_done(struct whole_paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->at[i]);
    p->count = 0;
}

static const char *make_whole(struct whole_paths *p, const char *path)
{
    OWNED(text_done) struct text whole = {0};
    if (path[0] == '/')
        text_add(&whole, path);
    else
        text_addf(&whole, "%s/%s", p->folder, path);
    p->at[p->count] = text_take(&whole);
    return p->at[p->count++];
}

static enum outcome get_path(const json_t *files, const char *where, const char *name,
                             struct whole_paths *p, const char **out, struct error *err)
{
    const char *path = NULL;
    if (json_object_get(files, name) == NULL)
        return OK;
    TRY(json_get_text(files, where, name, 1024, &path, err));
    *out = make_whole(p, path);
    return OK;
}

static enum outcome get_paths(const json_t *files, const char *where, const char *name,
                              struct whole_paths *p, struct argument_list *out, struct error *err)
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
        out->at[out->count++] = make_whole(p, json_string_value(item));
    }
    return OK;
}

/* What stands under "evidence", whatever its kind. */
struct case_paths {
    struct evidence_paths snp;
    const char *report, *hcl, *quote, *signature, *pcrs, *document;
};

static enum outcome read_paths(const json_t *files, const char *where, struct whole_paths *p,
                               struct case_paths *out, struct error *err)
{
    static const char *const members[] = {"report",     "hcl",  "quote_msg", "quote_sig",
                                          "pcrs",       "ek",   "ca",        "crl",
                                          "cert_table", "root", "document",  NULL};
    TRY(json_only(files, where, members, err));
    TRY(get_path(files, where, "report", p, &out->report, err));
    TRY(get_path(files, where, "hcl", p, &out->hcl, err));
    TRY(get_path(files, where, "quote_msg", p, &out->quote, err));
    TRY(get_path(files, where, "quote_sig", p, &out->signature, err));
    TRY(get_path(files, where, "pcrs", p, &out->pcrs, err));
    TRY(get_path(files, where, "document", p, &out->document, err));
    TRY(get_path(files, where, "ek", p, &out->snp.ek, err));
    TRY(get_path(files, where, "cert_table", p, &out->snp.cert_table, err));
    TRY(get_paths(files, where, "ca", p, &out->snp.ca, err));
    TRY(get_paths(files, where, "crl", p, &out->snp.crl, err));
    TRY(get_paths(files, where, "root", p, &out->snp.common.root, err));
    if (out->report != NULL)
        out->snp.report.at[out->snp.report.count++] = out->report;
    return OK;
}

/* ---- judging ------------------------------------------------------------------------------- */

struct hearing {
    const struct charter *charter;
    const struct charter_policy *policy;
    const json_t *json;
    const char *path;
    const struct case_paths *paths;
    enum evidence_kind kind;
    struct moment at;
};

static enum outcome get_hex(const struct hearing *h, const char *name, struct bytes *out,
                            struct error *err)
{
    const char *text;
    if (json_object_get(h->json, name) == NULL)
        return OK;
    TRY(json_get_text(h->json, h->path, name, 2048, &text, err));
    return hex_decode(text, out, NULL) == OK ? OK : bad(err, h->path, name, "not hex");
}

static struct image_facts image_of(const struct hearing *h, const struct evidence_facts *facts)
{
    struct image_facts image = {0};
    (void)charter_image_facts(h->charter, h->policy, h->kind, SPAN_OF(facts->measurement), h->at,
                              &image);
    return image;
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

static enum outcome judge_snp(const struct hearing *h, struct case_answer *out, struct error *err)
{
    struct evidence_facts facts;
    OWNED(bytes_done) struct bytes binding = {0};
    OWNED(evidence_files_done) struct evidence_files files = {0};
    OWNED(verdict_done) struct verdict v = {0};
    if (h->paths->report == NULL)
        return bad(err, h->path, "evidence", "names no report");
    TRY(get_hex(h, "report_data", &binding, err));
    TRY(evidence_files_read(&h->paths->snp, &files, err));
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&files.bundle, evidence_files_roots(&files));
    evidence_facts(&(struct evidence){.kind = h->kind, .report = files.report.at[0]}, &facts);
    const struct judge_input input = {
        .kind = h->kind,
        .simulation_realm = h->charter->realm == REALM_SIMULATION,
        .report = bytes_span(&files.report.at[0]),
        .endorsements = e,
        .policy = h->policy->policy,
        .at = h->at,
        .asked_at = h->at,
        .expected_report_data = bytes_span(&binding),
        .image = image_of(h, &facts),
        .standing = {.custody_outside = h->charter->custody_outside},
    };
    judge(&input, &v);
    answer_with(&v, out);
    apply_denials(h, &facts, &v, out);
    return OK;
}

struct azure_files {
    struct bytes hcl, quote, signature, nonce;
    json_t *pcrs;
};

static void azure_files_done(struct azure_files *f)
{
    bytes_done(&f->hcl);
    bytes_done(&f->quote);
    bytes_done(&f->signature);
    bytes_done(&f->nonce);
    json_decref(f->pcrs);
}

static enum outcome azure_files_read(const struct hearing *h, struct azure_files *out,
                                     struct error *err)
{
    OWNED(bytes_done) struct bytes pcrs = {0};
    const struct case_paths *paths = h->paths;
    if (paths->hcl == NULL || (paths->quote == NULL) != (paths->signature == NULL))
        return bad(err, h->path, "evidence", "hcl is needed, quote_msg and quote_sig each other");
    TRY(get_hex(h, "nonce", &out->nonce, err));
    TRY(argument_file(paths->hcl, VERIFY_FILE_MAX, &out->hcl, err));
    TRY(argument_file(paths->quote, VERIFY_FILE_MAX, &out->quote, err));
    TRY(argument_file(paths->signature, VERIFY_FILE_MAX, &out->signature, err));
    TRY(argument_file(paths->pcrs, VERIFY_FILE_MAX, &pcrs, err));
    return paths->pcrs != NULL ? json_parse(bytes_span(&pcrs), VERIFY_FILE_MAX, &out->pcrs, err)
                               : OK;
}

static enum outcome judge_azure(const struct hearing *h, struct case_answer *out, struct error *err)
{
    struct evidence_facts facts;
    OWNED(azure_files_done) struct azure_files own = {0};
    OWNED(evidence_files_done) struct evidence_files files = {0};
    OWNED(verdict_done) struct verdict v = {0};
    TRY(azure_files_read(h, &own, err));
    TRY(evidence_files_read(&h->paths->snp, &files, err));
    OWNED(snp_endorsements_drop)
    struct snp_endorsements *e = snp_endorse(&files.bundle, evidence_files_roots(&files));
    evidence_facts(&(struct evidence){.kind = h->kind, .hcl = own.hcl}, &facts);
    const struct azure_input input = {
        .hcl = bytes_span(&own.hcl),
        .has_quote = h->paths->quote != NULL,
        .quote = bytes_span(&own.quote),
        .signature = bytes_span(&own.signature),
        .pcrs = own.pcrs,
        .has_nonce = json_object_get(h->json, "nonce") != NULL,
        .nonce = bytes_span(&own.nonce),
        .endorsements = e,
        .policy = h->policy->policy,
        .at = h->at,
        .asked_at = h->at,
        .image = image_of(h, &facts),
        .standing = {.custody_outside = h->charter->custody_outside},
    };
    azure_judge(&input, &v);
    answer_with(&v, out);
    apply_denials(h, &facts, &v, out);
    return OK;
}

static enum outcome judge_nitro(const struct hearing *h, struct case_answer *out, struct error *err)
{
    struct nitro_roots roots = nitro_roots_aws;
    OWNED(common_files_done) struct common_files files = {0};
    OWNED(bytes_done) struct bytes document = {0};
    OWNED(verdict_done) struct verdict v = {0};
    struct evidence_facts facts;
    if (h->paths->document == NULL)
        return bad(err, h->path, "evidence", "names no document");
    TRY(common_files_read(&h->paths->snp.common, &files, err));
    TRY(argument_file(h->paths->document, VERIFY_FILE_MAX, &document, err));
    if (files.root.count > 0)
        roots = (struct nitro_roots){0};
    for (size_t i = 0; i < files.root.count; i++)
        TRY(nitro_roots_add(&roots, bytes_span(&files.root.at[i]), err));
    const struct nitro_input input = {.document = bytes_span(&document),
                                      .roots = &roots,
                                      .policy = h->policy->policy,
                                      .at = h->at,
                                      .standing = {.custody_outside = h->charter->custody_outside}};
    evidence_facts(&(struct evidence){.kind = h->kind, .document = document}, &facts);
    nitro_judge(&input, &v);
    answer_with(&v, out);
    apply_denials(h, &facts, &v, out);
    return OK;
}

static enum outcome judge_evidence(struct hearing *h, const char *folder, struct case_answer *out,
                                   struct error *err)
{
    const char *word;
    int kind;
    json_t *files;
    char where[ERROR_WHERE_SIZE];
    struct case_paths paths = {0};
    OWNED(whole_paths_done) struct whole_paths whole = {.folder = folder};
    TRY(json_get_text(h->json, h->path, "kind", NAME_SIZE, &word, err));
    if (name_parse(&evidence_kind_names, word, &kind, NULL) != OK)
        return bad(err, h->path, "kind", "unknown word");
    TRY(json_get_object(h->json, h->path, "evidence", &files, err));
    snprintf(where, sizeof where, "%s/evidence", h->path);
    TRY(read_paths(files, where, &whole, &paths, err));
    h->paths = &paths;
    h->kind = (enum evidence_kind)kind;
    switch (h->kind) {
    case EVIDENCE_SNP:
    case EVIDENCE_SIMULATED:
        return judge_snp(h, out, err);
    case EVIDENCE_SNP_AZURE:
        return judge_azure(h, out, err);
    case EVIDENCE_NITRO:
        return judge_nitro(h, out, err);
    case EVIDENCE_NONE:
    case EVIDENCE_SNP_VTPM:
    case EVIDENCE_KIND_COUNT:
        break;
    }
    return bad(err, h->path, "kind", "not appraised here");
}

/* ---- claims -------------------------------------------------------------------------------- */

/* What a verdict might say, for the grants: everything that is not named is the least. */
struct claims {
    bool trusted;
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
static enum outcome try_grant(const struct hearing *h, struct case_answer *out, struct error *err)
{
    const char *name;
    char where[ERROR_WHERE_SIZE];
    struct error refusal = {0};
    struct claims claims = {.trusted = true};
    struct charter_case c;
    TRY(json_get_text(h->json, h->path, "grant", NAME_SIZE, &name, err));
    const struct charter_grant *grant = charter_find_grant(h->charter, name);
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
    TRY(record_from_json(&claims_record, whole, where, &claims, err));
    fill_case(&claims, h->policy, &c);
    const bool released = charter_grant_allows(h->charter, name, &c, &refusal) == OK;
    snprintf(out->verdict, sizeof out->verdict, "%s", released ? "released" : "refused");
    snprintf(out->reason, sizeof out->reason, "%s", released ? "ok" : refusal.code);
    return OK;
}

/* ---- a case -------------------------------------------------------------------------------- */

static enum outcome read_expected(const json_t *json, const char *path, struct case_answer *out,
                                  struct error *err)
{
    static const char *const members[] = {"verdict", "reason", "level", NULL};
    static const char *const words[] = {"trusted", "rejected", "released", "refused"};
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
               : bad(err, where, "verdict", "trusted, rejected, released or refused");
}

static bool agrees(const char *expected, const char *got)
{
    return expected[0] == '\0' || strcmp(expected, got) == 0;
}

static enum outcome read_case(const struct charter *charter, const json_t *json, const char *path,
                              struct case_result *result, struct hearing *out, struct error *err)
{
    static const char *const members[] = {"name",        "policy", "at",      "kind",
                                          "evidence",    "nonce",  "grant",   "claims",
                                          "report_data", "expect", "comment", NULL};
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
    TRY(json_object_get(json, "claims") != NULL ? try_grant(&hearing, &out->got, err)
                                                : judge_evidence(&hearing, folder, &out->got, err));
    out->passed = agrees(out->expected.verdict, out->got.verdict) &&
                  agrees(out->expected.reason, out->got.reason) &&
                  agrees(out->expected.level, out->got.level);
    return OK;
}
