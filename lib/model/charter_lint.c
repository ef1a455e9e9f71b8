#include "lib/model/charter_lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/charter.h"
#include "lib/model/snp_words.h"

void lint_done(struct lint *lint)
{
    free(lint->at);
    *lint = (struct lint){0};
}

/* Names of a draft may be anything, and may have been cut in the middle of a letter. */
static void keep_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = '?';
}

PRINTF(4, 5)
static void find(struct lint *out, enum lint_code code, const char *where, const char *detail, ...)
{
    if (out->count == out->room) {
        struct lint_finding *grown = mem_new(2 * out->room + 8, sizeof *grown);
        if (out->count > 0)
            memcpy(grown, out->at, out->count * sizeof *grown);
        free(out->at);
        out->at = grown;
        out->room = 2 * out->room + 8;
    }
    struct lint_finding *finding = &out->at[out->count++];
    *finding = (struct lint_finding){.code = code};
    snprintf(finding->where, sizeof finding->where, "%s", where);
    va_list args;
    va_start(args, detail);
    vsnprintf(finding->detail, sizeof finding->detail, detail, args);
    va_end(args);
    keep_printable(finding->where);
    keep_printable(finding->detail);
}

static void find_plain(struct lint *out, enum lint_code code, const char *where)
{
    find(out, code, where, "%s", "");
}

/* ---- looking at a document that may be any ------------------------------------------------ */

struct pointer {
    char at[ERROR_WHERE_SIZE];
};

static struct pointer below(const char *path, const char *name)
{
    struct pointer made;
    if (snprintf(made.at, sizeof made.at, "%s/%s", path, name) >= (int)sizeof made.at)
        made.at[sizeof made.at - 1] = '\0';
    return made;
}

static json_t *member(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

static bool says(const json_t *object, const char *name, const char *word)
{
    const char *text = json_string_value(member(object, name));
    return text != NULL && strcmp(text, word) == 0;
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(member(object, name));
}

static bool list_has(const json_t *list, const char *word)
{
    size_t i;
    const json_t *item;
    json_array_foreach (json_looked_at(list), i, item)
        if (json_is_string(item) && strcmp(json_string_value(item), word) == 0)
            return true;
    return false;
}

/* Does any object of `group` list `word` under `name`? */
static bool is_named(const json_t *group, const char *name, const char *word)
{
    const char *key;
    json_t *object;
    json_object_foreach (json_looked_at(group), key, object)
        if (list_has(member(object, name), word))
            return true;
    return false;
}

static enum level level_asked(const json_t *grant)
{
    int level = LEVEL_0;
    const char *word = json_string_value(member(grant, "least_level"));
    if (word == NULL || name_parse(&level_names, word, &level, NULL) != OK)
        return LEVEL_0;
    return (enum level)level;
}

/* ---- the head ----------------------------------------------------------------------------- */

static void lint_head(const json_t *charter, const struct lint_frame *frame, struct lint *out)
{
    struct moment expires;
    if (frame->threshold == 1)
        find_plain(out, LINT_THRESHOLD_ONE, "");
    if (json_array_size(member(charter, "keepers")) == 0)
        find_plain(out, LINT_NO_KEEPERS, "/keepers");
    if (json_get_moment(charter, "", "expires", &expires, NULL) != OK)
        return; /* charter_parse says so */
    const int64_t left = moment_seconds_between(frame->now, expires);
    if (left <= 0)
        find(out, LINT_EXPIRED, "/expires", "since %s", moment_text(expires).at);
    else if (left <= INT64_C(86400) * LINT_SOON_DAYS)
        find(out, LINT_EXPIRES_SOON, "/expires", "on %s", moment_text(expires).at);
}

static void lint_denied(const json_t *charter, struct lint *out)
{
    static const char *const lists[] = {"chips", "measurements", "anchors", "guest_keys",
                                        "signers"};
    static const size_t needed = countof(lists) - 1; /* the last came later */
    const json_t *deny = member(charter, "deny");
    for (size_t i = 0; i < countof(lists); i++) {
        const struct pointer where = below("/deny", lists[i]);
        const json_t *list = member(deny, lists[i]);
        size_t at;
        const json_t *item;
        if (i < needed && !json_is_array(list))
            find_plain(out, LINT_DENY_LIST_MISSING, where.at);
        json_array_foreach (json_looked_at(list), at, item) {
            const char *hex = json_is_string(item) ? json_string_value(item) : "";
            if (hex[0] != '\0' && strspn(hex, "0") == strlen(hex))
                find(out, LINT_DENIES_ZEROES, where.at, "entry %zu", at);
        }
    }
}

/* A VLEK's whole name of another provider than those we can read may be any. */
static void lint_denied_regions(const json_t *charter, const json_t *known, struct lint *out)
{
    size_t at;
    const json_t *item;
    if (known == NULL)
        return;
    json_array_foreach (json_looked_at(member(member(charter, "deny"), "regions")), at, item) {
        char region[REGION_SIZE];
        const char *word = json_is_string(item) ? json_string_value(item) : "";
        snp_csp_region(word, region);
        const char *name = region[0] != '\0' ? region : word;
        if (strchr(name, '=') == NULL && json_object_get(known, name) == NULL)
            find(out, LINT_DENIES_UNKNOWN_REGION, "/deny/regions", "%.100s", word);
    }
}

/* ---- floors ------------------------------------------------------------------------------- */

static bool has_floors(const json_t *floors)
{
    return json_object_size(floors) > 0;
}

static bool is_zero(const struct snp_tcb *tcb)
{
    return span_is_zero(SPAN_OF(tcb->part));
}

static void lint_dates(const struct tcb_floor *floor, const char *where, struct moment now,
                       struct lint *out)
{
    struct snp_tcb before = floor->first;
    for (size_t i = 0; i < floor->later_count; i++) {
        const struct moment_text from = moment_text(floor->later[i].from);
        if (snp_tcb_below(&floor->later[i].least, &before) != TCB_PART_COUNT)
            find(out, LINT_FLOOR_LOWERED, where, "from %s", from.at);
        if (floor->later[i].from.us <= now.us)
            find(out, LINT_FLOOR_DATE_PASSED, where, "since %s", from.at);
        else
            find(out, LINT_FLOOR_PENDING, where, "from %s", from.at);
        before = floor->later[i].least;
    }
}

/* What cannot be read is charter_parse's to say. */
static void lint_floors(const json_t *floors, const char *path, const struct lint_frame *frame,
                        struct lint *out)
{
    OWNED(mem_drop) struct policy *policy = NEW(struct policy);
    const char *word;
    json_t *value;
    json_object_foreach (json_looked_at(floors), word, value) {
        enum snp_product product = PRODUCT_UNKNOWN;
        OWNED(json_drop) json_t *alone = json_object();
        json_t *snp = json_object();
        json_t *min_tcb = json_object();
        json_put_new(min_tcb, word, json_incref(value));
        json_put_new(snp, "min_tcb", min_tcb);
        json_put_new(alone, "snp", snp);
        if (policy_from_json(alone, "", POLICY_EXPECT, policy, NULL) != OK ||
            snp_product_parse(word, &product, NULL) != OK)
            continue;
        const struct tcb_floor *floor = &policy->snp.min_tcb[product];
        const struct snp_tcb today = tcb_floor_at(floor, frame->now);
        const struct pointer where = below(path, word);
        if (is_zero(&today))
            find_plain(out, LINT_FLOOR_OF_ZERO, where.at);
        lint_dates(floor, where.at, frame->now, out);
    }
}

/* ---- references and policies --------------------------------------------------------------- */

static void lint_end(const json_t *reference, const char *path, struct moment now, struct lint *out)
{
    struct moment end;
    if (json_get_moment(reference, path, "expires", &end, NULL) != OK)
        return; /* it has none, or charter_parse says so */
    const struct pointer where = below(path, "expires");
    const int64_t left = moment_seconds_between(now, end);
    if (left <= 0)
        find(out, LINT_REFERENCE_EXPIRED, where.at, "since %s", moment_text(end).at);
    else if (left <= INT64_C(86400) * LINT_SOON_DAYS)
        find(out, LINT_REFERENCE_EXPIRES_SOON, where.at, "on %s", moment_text(end).at);
}

static void lint_references(const json_t *charter, const struct lint_frame *frame, struct lint *out)
{
    const char *name;
    json_t *reference;
    json_object_foreach (json_looked_at(member(charter, "references")), name, reference) {
        const struct pointer where = below("/references", name);
        if (says(reference, "measurement", "any"))
            find_plain(out, LINT_MEASUREMENT_ANY, where.at);
        lint_end(reference, where.at, frame->now, out);
        if (is_true(reference, "measured_boot") && says(reference, "provider_execution", "on"))
            find_plain(out, LINT_PROVIDER_EXECUTION, where.at);
        if (!is_named(member(charter, "policies"), "references", name))
            find_plain(out, LINT_REFERENCE_UNUSED, where.at);
    }
}

static bool accepts_something(const json_t *reference, struct moment now)
{
    struct moment end;
    const bool over =
        json_get_moment(reference, "", "expires", &end, NULL) == OK && end.us <= now.us;
    return !is_true(reference, "retired") && !over &&
           (says(reference, "measurement", "any") ||
            json_array_size(member(reference, "measurement")) > 0);
}

static void lint_references_of(const json_t *charter, const json_t *policy, const char *path,
                               struct moment now, struct lint *out)
{
    bool accepts = false;
    size_t i;
    const json_t *item;
    json_array_foreach (json_looked_at(member(policy, "references")), i, item) {
        const char *name = json_is_string(item) ? json_string_value(item) : "";
        const json_t *reference = member(member(charter, "references"), name);
        accepts = accepts || accepts_something(reference, now);
        if (is_true(reference, "retired"))
            find(out, LINT_RETIRED_REFERENCE_NAMED, below(path, "references").at, "%.63s", name);
    }
    if (!accepts)
        find_plain(out, LINT_POLICY_ACCEPTS_NOTHING, below(path, "references").at);
}

/* Are there values of this, and not just any? */
static bool pins(const json_t *snp, const char *name)
{
    return member(snp, name) != NULL && !says(snp, name, "any");
}

/* A product that a list of floors leaves out is refused. */
static void lint_products(const json_t *charter, const json_t *snp, const char *path,
                          const struct lint_frame *frame, struct lint *out)
{
    const json_t *shared = member(charter, "tcb_floors");
    const json_t *own = member(snp, "min_tcb");
    const bool milan = (!has_floors(shared) || member(shared, "Milan") != NULL) &&
                       (own == NULL || member(own, "Milan") != NULL);
    if (!has_floors(shared) && own == NULL)
        find_plain(out, LINT_NO_TCB_FLOOR, path);
    if (milan && !pins(snp, "chip_id"))
        find_plain(out, LINT_MILAN_ALLOWED, path);
    if (member(snp, "min_guest_svn") != NULL && !pins(snp, "id_key_digest") &&
        !pins(snp, "author_key_digest"))
        find_plain(out, LINT_SVN_UNPINNED, below(path, "min_guest_svn").at);
    lint_floors(own, below(path, "min_tcb").at, frame, out);
}

static void lint_vtpms(const json_t *policy, const char *path, struct lint *out)
{
    static const char *const kinds[] = {"azure", "vtpm"};
    const json_t *vtpm = member(policy, "vtpm");
    const json_t *roots = member(vtpm, "roots");
    if (vtpm != NULL && (roots == NULL || list_has(roots, "unrooted")))
        find_plain(out, LINT_VTPM_UNROOTED, below(path, "vtpm/roots").at);
    for (size_t i = 0; i < countof(kinds); i++) {
        const json_t *rules = member(policy, kinds[i]);
        if (rules != NULL && member(rules, "boot_components") == NULL &&
            member(member(rules, "pcrs"), "4") == NULL)
            find_plain(out, LINT_BOOT_UNPINNED, below(path, kinds[i]).at);
    }
}

static void lint_policies(const json_t *charter, const struct lint_frame *frame, struct lint *out)
{
    const char *name;
    json_t *policy;
    json_object_foreach (json_looked_at(member(charter, "policies")), name, policy) {
        const struct pointer where = below("/policies", name);
        const struct pointer inside = below(where.at, "snp");
        const json_t *snp = member(policy, "snp");
        if (is_true(snp, "allow_debug"))
            find_plain(out, LINT_DEBUG_ALLOWED, below(inside.at, "allow_debug").at);
        if (is_true(snp, "allow_migration_agent"))
            find_plain(out, LINT_MIGRATION_ALLOWED, below(inside.at, "allow_migration_agent").at);
        lint_products(charter, snp, inside.at, frame, out);
        if (!is_true(snp, "require_crl"))
            find_plain(out, LINT_CRL_NOT_REQUIRED, inside.at);
        lint_references_of(charter, policy, where.at, frame->now, out);
        lint_vtpms(policy, where.at, out);
        if (!is_named(member(charter, "grants"), "policies", name) &&
            !is_named(member(charter, "relying_parties"), "policies", name))
            find_plain(out, LINT_POLICY_UNUSED, where.at);
    }
}

/* ---- grants ------------------------------------------------------------------------------- */

/* What a reference lets evidence prove at best. */
static bool proves_software(const json_t *reference)
{
    return is_true(reference, "measured_boot") && says(reference, "provider_execution", "off");
}

static bool proves_instance(const json_t *reference)
{
    return is_true(reference, "measured_boot") && member(reference, "anchor") != NULL &&
           !says(reference, "anchor", "none");
}

static bool proves_both(const json_t *reference)
{
    return proves_software(reference) && proves_instance(reference);
}

/* Is there a reference in use behind any policy of the grant of which `proves` holds? */
static bool any_reference(const json_t *charter, const json_t *grant,
                          bool (*proves)(const json_t *), struct moment now)
{
    size_t i;
    size_t j;
    const json_t *policy_name;
    const json_t *reference_name;
    json_array_foreach (json_looked_at(member(grant, "policies")), i, policy_name) {
        const char *name = json_is_string(policy_name) ? json_string_value(policy_name) : "";
        const json_t *policy = member(member(charter, "policies"), name);
        json_array_foreach (json_looked_at(member(policy, "references")), j, reference_name) {
            const char *named =
                json_is_string(reference_name) ? json_string_value(reference_name) : "";
            const json_t *reference = member(member(charter, "references"), named);
            if (accepts_something(reference, now) && proves(reference))
                return true;
        }
    }
    return false;
}

static bool custody_is_outside(const json_t *charter)
{
    const json_t *custody = member(charter, "custody");
    return says(custody, "keeper", "on-premises") &&
           (says(custody, "kek", "file") || says(custody, "kek", "hsm"));
}

static bool makes_keys_only(const json_t *grant)
{
    static const char *const kinds[] = {"disk-key", "ssh-host-key", "ca-key", "x509"};
    for (size_t i = 0; i < countof(kinds); i++)
        if (says(grant, "kind", kinds[i]))
            return true;
    return false;
}

/* What stands around the machine, by the grants that bring it. */
static bool grants_kind(const json_t *charter, const char *kind)
{
    const char *name;
    json_t *grant;
    json_object_foreach (json_looked_at(member(charter, "grants")), name, grant)
        if (says(grant, "kind", kind))
            return true;
    return false;
}

static bool has_disk_keys(const json_t *charter)
{
    return grants_kind(charter, "disk-key");
}

static bool has_transit_keys(const json_t *charter)
{
    return grants_kind(charter, "ssh-host-key") || grants_kind(charter, "x509");
}

/* Of a grant or a relying party. */
static void lint_level(const json_t *charter, const json_t *grant, const char *path,
                       struct moment now, struct lint *out)
{
    const struct pointer where = below(path, "least_level");
    const enum level asked = level_asked(grant);
    if (member(grant, "least_level") == NULL || asked == LEVEL_0)
        find_plain(out, LINT_NO_LEAST_LEVEL, where.at);
    if (asked >= LEVEL_2) {
        const bool image =
            says(grant, "policies", "any") || any_reference(charter, grant, proves_both, now);
        const bool disk = has_disk_keys(charter);
        const bool transit = has_transit_keys(charter);
        if (!image || !disk || !transit)
            find(out, LINT_LEVEL_OUT_OF_REACH, where.at, "missing:%s%s%s",
                 image ? "" : " measured-image", disk ? "" : " disk-encryption",
                 transit ? "" : " transit-encryption");
    }
    if (asked == LEVEL_3 && !custody_is_outside(charter))
        find_plain(out, LINT_CUSTODY_INSIDE, where.at);
}

static void lint_grants(const json_t *charter, struct moment now, struct lint *out)
{
    const char *name;
    json_t *grant;
    json_object_foreach (json_looked_at(member(charter, "grants")), name, grant) {
        const struct pointer where = below("/grants", name);
        const json_t *accounts = member(grant, "accounts");
        if (json_array_size(member(grant, "policies")) == 0)
            find_plain(out, LINT_GRANT_WITHOUT_POLICIES, below(where.at, "policies").at);
        lint_level(charter, grant, where.at, now, out);
        if (is_true(grant, "allow_unproven_software"))
            find_plain(out, LINT_UNPROVEN_SOFTWARE, below(where.at, "allow_unproven_software").at);
        if (makes_keys_only(grant) && !says(grant, "origin", "generate"))
            find_plain(out, LINT_KEY_IMPORTABLE, below(where.at, "origin").at);
        if (json_is_array(accounts) && json_object_size(member(charter, "clouds")) == 0)
            find_plain(out, LINT_ACCOUNT_UNPROVEN, below(where.at, "accounts").at);
        if (says(grant, "scope", "instance") && member(member(charter, "clouds"), "gcp") == NULL &&
            !any_reference(charter, grant, proves_instance, now))
            find_plain(out, LINT_INSTANCE_UNPROVEN, below(where.at, "scope").at);
    }
}

/* Each entry is one certificate; what is none the form tells. */
static void lint_certificates(const json_t *list, const char *where, const char *expires,
                              struct lint *out)
{
    size_t i;
    json_t *item;
    struct moment end;
    if (expires == NULL || moment_parse(expires, &end, NULL) != OK)
        return;
    json_array_foreach (json_looked_at(list), i, item) {
        OWNED(x509_list_done) struct x509_list read = {0};
        const char *pem = json_is_string(item) ? json_string_value(item) : "";
        if (x509_list_read(&read, span_of_text(pem), NULL) == OK &&
            x509_not_after(read.at[0]).us < end.us)
            find(out, LINT_CLOUD_CERT_ENDS, where, "ends %s",
                 moment_text(x509_not_after(read.at[0])).at);
    }
}

static void lint_clouds(const json_t *charter, struct lint *out)
{
    const char *name;
    json_t *cloud;
    const char *expires = json_string_value(member(charter, "expires"));
    const json_t *regions = member(member(member(charter, "clouds"), "aws"), "certificates");
    const json_t *authorities = member(member(member(charter, "clouds"), "azure"), "authorities");
    json_object_foreach (json_looked_at(member(charter, "clouds")), name, cloud)
        if (says(cloud, "accounts", "any"))
            find_plain(out, LINT_CLOUD_ACCOUNTS_ANY,
                       below(below("/clouds", name).at, "accounts").at);
    json_object_foreach (json_looked_at(regions), name, cloud)
        lint_certificates(cloud, below("/clouds/aws/certificates", name).at, expires, out);
    lint_certificates(authorities, "/clouds/azure/authorities", expires, out);
}

static void lint_parties(const json_t *charter, struct moment now, struct lint *out)
{
    const char *name;
    json_t *party;
    json_object_foreach (json_looked_at(member(charter, "relying_parties")), name, party) {
        const struct pointer where = below("/relying_parties", name);
        const struct pointer policies = below(where.at, "policies");
        if (says(party, "policies", "any"))
            find_plain(out, LINT_PARTY_POLICY_ANY, policies.at);
        else if (json_array_size(member(party, "policies")) == 0)
            find_plain(out, LINT_PARTY_WITHOUT_POLICIES, policies.at);
        lint_level(charter, party, where.at, now, out);
        if (is_true(party, "allow_unproven_software"))
            find_plain(out, LINT_PARTY_UNPROVEN_SOFTWARE,
                       below(where.at, "allow_unproven_software").at);
    }
}

/* R137: what a confidential machine is worth by what stands around it. */
static void lint_merit(const json_t *charter, struct lint *out)
{
    const bool disk = has_disk_keys(charter);
    const bool transit = has_transit_keys(charter);
    const bool outside = custody_is_outside(charter);
    const bool secrets = json_object_size(member(charter, "grants")) > 0;
    if (disk && transit && outside && secrets)
        return;
    find(out, LINT_NEGLIGIBLE_MERIT, "/grants", "missing:%s%s%s%s", disk ? "" : " disk-encryption",
         transit ? "" : " transit-encryption", outside ? "" : " external-authentication",
         secrets ? "" : " secret-provisioning");
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void lint_form(const json_t *charter, struct lint *out)
{
    struct error err = {0};
    OWNED(charter_drop) struct charter *parsed = NULL;
    OWNED(mem_drop) char *text = json_print(charter);
    if (charter_parse(span_of_text(text), &parsed, &err) != OK)
        find(out, LINT_BAD_CHARTER, err.where, "%s: %s", err.code, err.text);
}

void charter_lint(const json_t *charter, const struct lint_frame *frame, struct lint *out)
{
    lint_form(charter, out);
    lint_head(charter, frame, out);
    lint_denied(charter, out);
    lint_denied_regions(charter, frame->regions, out);
    lint_floors(member(charter, "tcb_floors"), "/tcb_floors", frame, out);
    lint_references(charter, frame, out);
    lint_policies(charter, frame, out);
    lint_grants(charter, frame->now, out);
    lint_parties(charter, frame->now, out);
    lint_clouds(charter, out);
    lint_merit(charter, out);
}

bool lint_has(const struct lint *lint, enum lint_code code)
{
    for (size_t i = 0; i < lint->count; i++)
        if (lint->at[i].code == code)
            return true;
    return false;
}

bool lint_has_errors(const struct lint *lint)
{
    for (size_t i = 0; i < lint->count; i++)
        if (lint_rules[lint->at[i].code].severity == LINT_ERROR)
            return true;
    return false;
}

json_t *lint_to_json(const struct lint *lint)
{
    json_t *list = json_array();
    for (size_t i = 0; i < lint->count; i++) {
        const struct lint_finding *finding = &lint->at[i];
        const struct lint_rule *rule = &lint_rules[finding->code];
        json_t *item = json_object();
        json_put_text(item, "code", rule->code);
        json_put_text(item, "severity", name_of(&lint_severity_names, (int)rule->severity));
        json_put_text(item, "where", finding->where);
        json_put_text(item, "sentence", rule->sentence);
        if (finding->detail[0] != '\0')
            json_put_text(item, "detail", finding->detail);
        json_add_new(list, item);
    }
    return list;
}
