#include "lib/model/charter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/charter_inside.h"

static const char *const kind_words[] = {"opaque", "ssh-host-key"};
const struct names secret_kind_names = NAMES("secret kind", kind_words);
_Static_assert(countof(kind_words) == SECRET_KIND_COUNT);

static const char *const scope_words[] = {"fleet", "instance"};
const struct names secret_scope_names = NAMES("scope", scope_words);
_Static_assert(countof(scope_words) == SECRET_SCOPE_COUNT);

struct charter_path charter_below(const char *path, const char *name)
{
    struct charter_path made;
    if (snprintf(made.at, sizeof made.at, "%s/%s", path, name) >= (int)sizeof made.at)
        made.at[sizeof made.at - 1] = '\0';
    return made;
}

enum outcome charter_bad(struct error *err, const char *where, const char *what)
{
    return fail_at(err, ERR_INVALID, "bad-charter", where, "charter: %s: %s", where, what);
}

/* ---- lists -------------------------------------------------------------------------------- */

static bool says_any(const json_t *value)
{
    return json_is_string(value) && strcmp(json_string_value(value), "any") == 0;
}

enum outcome charter_read_names(const json_t *object, const char *path, const char *name,
                                bool may_be_any, struct charter_names *out, struct error *err)
{
    const json_t *value = json_object_get(object, name);
    struct charter_path where = charter_below(path, name);
    if (may_be_any && says_any(value)) {
        out->any = true;
        return OK;
    }
    json_t *list;
    TRY(json_get_array(object, path, name, CHARTER_LIST_MAX, &list, err));
    out->at = mem_new(json_array_size(list) + 1, sizeof *out->at);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *word = json_string_value(item);
        if (word == NULL || !text_is_name(word))
            return charter_bad(err, where.at, "not a name");
        TRY(text_copy(out->at[out->count++], NAME_SIZE, word, where.at, err));
    }
    return OK;
}

bool charter_names_have(const struct charter_names *names, const char *name)
{
    if (names->any)
        return true;
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->at[i], name) == 0)
            return true;
    return false;
}

static enum outcome read_values(const json_t *object, const char *path, const char *name,
                                size_t len, bool may_be_any, struct charter_values *out,
                                struct error *err)
{
    const json_t *value = json_object_get(object, name);
    struct charter_path where = charter_below(path, name);
    out->len = len;
    if (may_be_any && says_any(value)) {
        out->any = true;
        return OK;
    }
    json_t *list;
    TRY(json_get_array(object, path, name, CHARTER_LIST_MAX, &list, err));
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *hex = json_string_value(item);
        if (hex == NULL || hex_decode_exact(hex, bytes_add_room(&out->at, len), len, NULL) != OK)
            return charter_bad(err, where.at, "not hex of the right length");
    }
    return OK;
}

bool charter_values_have(const struct charter_values *values, struct span value)
{
    if (values->any)
        return true;
    for (size_t at = 0; values->len > 0 && at < values->at.len; at += values->len)
        if (span_equal(SPAN(values->at.at + at, values->len), value))
            return true;
    return false;
}

/* ---- references --------------------------------------------------------------------------- */

enum outcome charter_read_word(const json_t *object, const char *path, const char *name,
                               const struct names *names, int *out, struct error *err)
{
    const char *word;
    TRY(json_get_text(object, path, name, NAME_SIZE, &word, err));
    return name_parse(names, word, out, err) == OK
               ? OK
               : charter_bad(err, charter_below(path, name).at, "unknown word");
}

static enum outcome read_reference(const char *name, const json_t *json,
                                   struct charter_reference *out, struct error *err)
{
    static const char *const members[] = {
        "measurement", "measured_boot", "anchor", "provider_execution", "retired", "expires", NULL};
    static const char *const switch_words[] = {"off", "on"};
    static const struct names switches = NAMES("switch", switch_words);
    struct charter_path path = charter_below("/references", name);
    int anchor;
    int execution;
    if (!text_is_name(name))
        return charter_bad(err, path.at, "not a name");
    TRY(json_only(json, path.at, members, err));
    TRY(text_copy(out->name, sizeof out->name, name, path.at, err));
    TRY(read_values(json, path.at, "measurement", CHARTER_MEASUREMENT_SIZE, true, &out->measurement,
                    err));
    TRY(json_get_bool(json, path.at, "measured_boot", &out->facts.measured_boot, err));
    TRY(charter_read_word(json, path.at, "anchor", &anchor_kind_names, &anchor, err));
    TRY(charter_read_word(json, path.at, "provider_execution", &switches, &execution, err));
    TRY(json_get_bool_or(json, path.at, "retired", false, &out->retired, err));
    if (json_object_get(json, "expires") != NULL)
        TRY(json_get_moment(json, path.at, "expires", &out->expires, err));
    out->facts.anchor = (enum anchor_kind)anchor;
    out->facts.provider_execution_off = execution == 0;
    /* Under a vTPM the policy's registers and ID key say what booted, and judge it. */
    const bool by_quote = out->facts.anchor == ANCHOR_VTPM;
    if (out->measurement.any && !by_quote &&
        (out->facts.measured_boot || out->facts.anchor != ANCHOR_NONE))
        return charter_bad(err, path.at, "any measurement proves neither software nor identity");
    if (out->measurement.any && !moment_is_none(out->expires))
        return charter_bad(err, path.at, "any measurement has no end");
    return OK;
}

static enum outcome read_references(const json_t *whole, struct charter *out, struct error *err)
{
    json_t *list;
    TRY(json_get_object(whole, "", "references", &list, err));
    out->references = mem_new(json_object_size(list) + 1, sizeof *out->references);
    const char *name;
    json_t *json;
    json_object_foreach (list, name, json)
        TRY(read_reference(name, json, &out->references[out->reference_count++], err));
    return OK;
}

static size_t find_reference(const struct charter *charter, const char *name)
{
    size_t i = 0;
    while (i < charter->reference_count && strcmp(charter->references[i].name, name) != 0)
        i++;
    return i;
}

/* ---- policies ----------------------------------------------------------------------------- */

/* The measurements of a policy are those of its references, so that they stand in one place. */
static enum outcome take_measurements(const struct charter *charter, struct charter_policy *p,
                                      const char *path, struct error *err)
{
    struct value_set *set = &p->policy->snp.measurement;
    if (p->policy->has_azure && !p->policy->has_snp)
        return charter_bad(err, path, "azure stands beside snp, which speaks of the report inside");
    if (p->policy->has_vtpm && !p->policy->has_snp)
        return charter_bad(err, path, "vtpm stands beside snp, which speaks of the report");
    if (p->policy->nitro.has_nonce)
        return charter_bad(err, path, "the nonce is the keeper's own");
    if (!p->policy->has_snp && p->reference_count > 0)
        return charter_bad(err, path, "an enclave's image stands in pcrs, not in references");
    if (set->said)
        return charter_bad(err, path, "measurements stand in references");
    set->said = true;
    set->len = CHARTER_MEASUREMENT_SIZE;
    for (size_t i = 0; i < p->reference_count; i++) {
        const struct charter_reference *r = &charter->references[p->references[i]];
        if (r->retired)
            continue;
        set->any = set->any || r->measurement.any;
        const struct bytes *values = &r->measurement.at;
        for (size_t at = 0; at < values->len; at += set->len) {
            if (set->count == POLICY_SET_MAX)
                return charter_bad(err, path, "too many measurements");
            set->until[set->count] = r->expires;
            memcpy(set->at[set->count++], values->at + at, set->len);
        }
    }
    return OK;
}

/* Floors only narrow: where both list products, one that either leaves out is refused. */
static enum outcome raise_floors(struct snp_policy *p, const struct snp_policy *floors,
                                 const char *path, struct error *err)
{
    if (!floors->has_min_tcb)
        return OK;
    for (int product = 0; product < PRODUCT_COUNT; product++) {
        bool listed = !p->has_min_tcb || p->has_floor[product];
        p->has_floor[product] = listed && floors->has_floor[product];
        if (!tcb_floor_raise(&p->min_tcb[product], &floors->min_tcb[product]))
            return charter_bad(err, path, "too many dates of floors");
    }
    p->has_min_tcb = true;
    return OK;
}

static enum outcome find_references(const struct charter *charter, const json_t *json,
                                    const char *path, struct charter_policy *out, struct error *err)
{
    json_t *list;
    TRY(json_get_array(json, path, "references", CHARTER_LIST_MAX, &list, err));
    out->references = mem_new(json_array_size(list) + 1, sizeof *out->references);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const char *name = json_string_value(item);
        size_t found = name != NULL ? find_reference(charter, name) : charter->reference_count;
        if (found == charter->reference_count)
            return charter_bad(err, charter_below(path, "references").at, "no such reference");
        out->references[out->reference_count++] = found;
    }
    return OK;
}

static void put_shared(json_t *all, const json_t *whole, const char *name)
{
    json_t *value = json_object_get(whole, name);
    json_put_new(all, name, value != NULL ? json_incref(value) : json_object());
}

/* What a verdict was judged by: the policy's words, those of its references, the floors, custody
 * (which makes the level), the simulator's roots, and whose word on an instance counts. */
static void digest_policy(const json_t *whole, const struct charter *charter, const json_t *json,
                          struct charter_policy *out)
{
    static const char *const shared[] = {"tcb_floors", "custody", "simulator_roots"};
    OWNED(json_drop) json_t *all = json_object();
    json_t *references = json_object();
    for (size_t i = 0; i < out->reference_count; i++) {
        const char *name = charter->references[out->references[i]].name;
        json_t *reference = json_object_get(json_object_get(whole, "references"), name);
        json_put_new(references, name, json_incref(reference));
    }
    json_put_new(all, "policy", json_incref(json_looked_at(json)));
    json_put_new(all, "references", references);
    for (size_t i = 0; i < countof(shared); i++)
        put_shared(all, whole, shared[i]);
    if (json_object_get(whole, "clouds") != NULL)
        put_shared(all, whole, "clouds");
    OWNED(mem_drop) char *printed = json_print(all);
    digest(DIGEST_SHA256, span_of_text(printed), out->digest);
}

static enum outcome read_policy(const json_t *whole, const struct charter *charter,
                                const struct policy *floors, const char *name, const json_t *json,
                                struct charter_policy *out, struct error *err)
{
    struct charter_path path = charter_below("/policies", name);
    if (!text_is_name(name))
        return charter_bad(err, path.at, "not a name");
    TRY(text_copy(out->name, sizeof out->name, name, path.at, err));
    TRY(json_get_int(json, path.at, "valid_seconds", 60, 86400, &out->valid_seconds, err));
    TRY(find_references(charter, json, path.at, out, err));
    OWNED(json_drop) json_t *appraisal = json_copy(json_looked_at(json));
    json_object_del(appraisal, "valid_seconds");
    json_object_del(appraisal, "references");
    out->policy = NEW(struct policy);
    TRY(policy_from_json(appraisal, path.at, POLICY_WHOLE, out->policy, err));
    TRY(take_measurements(charter, out, path.at, err));
    TRY(raise_floors(&out->policy->snp, &floors->snp, path.at, err));
    digest_policy(whole, charter, json, out);
    return OK;
}

/* Read as the min_tcb of a policy, which they raise. */
static enum outcome read_floors(const json_t *whole, struct policy *out, struct error *err)
{
    json_t *floors = json_object_get(whole, "tcb_floors");
    if (floors == NULL || (json_is_object(floors) && json_object_size(floors) == 0))
        return OK;
    OWNED(json_drop) json_t *expect = json_object();
    json_t *snp = json_object();
    json_put_new(snp, "min_tcb", json_incref(floors));
    json_put_new(expect, "snp", snp);
    return policy_from_json(expect, "/tcb_floors", POLICY_EXPECT, out, err);
}

static enum outcome read_policies(const json_t *whole, struct charter *out, struct error *err)
{
    json_t *list;
    OWNED(mem_drop) struct policy *floors = NEW(struct policy);
    TRY(read_floors(whole, floors, err));
    TRY(json_get_object(whole, "", "policies", &list, err));
    out->policies = mem_new(json_object_size(list) + 1, sizeof *out->policies);
    const char *name;
    json_t *json;
    json_object_foreach (list, name, json)
        TRY(read_policy(whole, out, floors, name, json, &out->policies[out->policy_count++], err));
    return OK;
}

/* ---- the rest ----------------------------------------------------------------------------- */

/* Product lines, for a chip's generation is what its chain of keys belongs to. */
static enum outcome read_denied_lines(const json_t *deny, struct charter *out, struct error *err)
{
    json_t *list;
    size_t i;
    json_t *item;
    if (json_object_get(deny, "products") == NULL)
        return OK;
    TRY(json_get_array(deny, "/deny", "products", LINE_COUNT, &list, err));
    json_array_foreach (list, i, item) {
        const char *word = json_is_string(item) ? json_string_value(item) : "";
        int line;
        if (name_parse(&snp_line_names, word, &line, NULL) != OK)
            return charter_bad(err, "/deny/products", "not Milan, Genoa or Turin");
        out->denied_lines[line] = true;
    }
    return OK;
}

/* Regions, or the whole of what a VLEK says of its provider. */
static enum outcome read_denied_regions(const json_t *deny, struct charter *out, struct error *err)
{
    json_t *list;
    size_t i;
    json_t *item;
    if (json_object_get(deny, "regions") == NULL)
        return OK;
    TRY(json_get_array(deny, "/deny", "regions", CHARTER_LIST_MAX, &list, err));
    out->denied_regions = mem_new(json_array_size(list) + 1, sizeof *out->denied_regions);
    json_array_foreach (list, i, item) {
        const char *word = json_is_string(item) ? json_string_value(item) : "";
        if (word[0] == '\0' || !text_is_clean(span_of_text(word)))
            return charter_bad(err, "/deny/regions", "not a region");
        TRY(text_copy(out->denied_regions[out->denied_region_count++], CSP_ID_SIZE, word,
                      "/deny/regions", err));
    }
    return OK;
}

/* The first four have always been asked for; the others came later, and absent denies nothing. */
static enum outcome read_denied(const json_t *whole, struct charter *out, struct error *err)
{
    static const char *const members[] = {"chips",    "measurements", "anchors", "guest_keys",
                                          "products", "regions",      "signers", NULL};
    json_t *deny;
    TRY(json_get_object(whole, "", "deny", &deny, err));
    TRY(json_only(deny, "/deny", members, err));
    TRY(read_values(deny, "/deny", "chips", CHARTER_CHIP_SIZE, false, &out->denied_chips, err));
    TRY(read_values(deny, "/deny", "measurements", CHARTER_MEASUREMENT_SIZE, false,
                    &out->denied_measurements, err));
    TRY(read_values(deny, "/deny", "anchors", SHA256_SIZE, false, &out->denied_anchors, err));
    TRY(read_denied_lines(deny, out, err));
    TRY(read_denied_regions(deny, out, err));
    if (json_object_get(deny, "signers") != NULL)
        TRY(read_values(deny, "/deny", "signers", SIGNER_DIGEST_SIZE, false, &out->denied_signers,
                        err));
    return read_values(deny, "/deny", "guest_keys", SHA256_SIZE, false, &out->denied_guest_keys,
                       err);
}

static enum outcome read_custody(const json_t *whole, struct charter *out, struct error *err)
{
    static const char *const members[] = {"keeper", "kek", NULL};
    json_t *custody;
    const char *keeper;
    const char *kek;
    TRY(json_get_object(whole, "", "custody", &custody, err));
    TRY(json_only(custody, "/custody", members, err));
    TRY(json_get_text(custody, "/custody", "keeper", NAME_SIZE, &keeper, err));
    TRY(json_get_text(custody, "/custody", "kek", NAME_SIZE, &kek, err));
    /* Outside the provider: the keeper stands with its owner and so does the key. */
    out->custody_outside =
        strcmp(keeper, "on-premises") == 0 && (strcmp(kek, "file") == 0 || strcmp(kek, "hsm") == 0);
    return OK;
}

static enum outcome read_lists(const json_t *whole, struct charter *out, struct error *err)
{
    TRY(read_denied(whole, out, err));
    TRY(read_values(whole, "", "keepers", SHA256_SIZE, false, &out->keepers, err));
    if (json_object_get(whole, "simulator_roots") != NULL)
        TRY(read_values(whole, "", "simulator_roots", SHA256_SIZE, false, &out->simulator_roots,
                        err));
    if (out->simulator_roots.at.len > 0 && out->realm != REALM_SIMULATION)
        return charter_bad(err, "/simulator_roots", "only in the simulation realm");
    return read_custody(whole, out, err);
}

static enum outcome read_head(const json_t *whole, struct charter *out, struct error *err)
{
    int64_t version;
    int realm;
    TRY(json_get_int(whole, "", "charter", 1, 1, &version, err));
    TRY(charter_read_word(whole, "", "realm", &realm_names, &realm, err));
    TRY(json_get_int(whole, "", "serial", 1, INT64_MAX, &out->serial, err));
    TRY(json_get_moment(whole, "", "issued", &out->issued, err));
    TRY(json_get_moment(whole, "", "expires", &out->expires, err));
    out->realm = (enum realm)realm;
    int64_t lives = moment_seconds_between(out->issued, out->expires);
    if (lives <= 0 || lives > INT64_C(86400) * CHARTER_DAYS_MAX)
        return charter_bad(err, "/expires", "a charter lives up to 30 days");
    return OK;
}

static enum outcome read_whole(const json_t *whole, struct charter *out, struct error *err)
{
    static const char *const members[] = {
        "charter",    "realm",           "serial",     "issued", "expires", "policies",
        "references", "grants",          "tcb_floors", "deny",   "keepers", "relying_parties",
        "custody",    "simulator_roots", "clouds",     NULL};
    TRY(json_only(whole, "", members, err));
    TRY(read_head(whole, out, err));
    TRY(read_references(whole, out, err));
    TRY(read_policies(whole, out, err));
    TRY(charter_read_grants(whole, out, err));
    TRY(charter_read_parties(whole, out, err));
    TRY(charter_read_clouds(whole, out, err));
    return read_lists(whole, out, err);
}

enum outcome charter_parse(struct span json, struct charter **out, struct error *err)
{
    OWNED(json_drop) json_t *whole = NULL;
    OWNED(charter_drop) struct charter *charter = NEW(struct charter);
    TRY(json_parse(json, CHARTER_SIZE_MAX, &whole, err));
    if (!json_is_object(whole))
        return charter_bad(err, "", "not an object");
    TRY(read_whole(whole, charter, err));
    digest(DIGEST_SHA256, json, charter->digest);
    *out = TAKE(charter);
    return OK;
}

static void free_names(struct charter_names *names)
{
    free(names->at);
}

void charter_free(struct charter *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->policy_count; i++) {
        free(c->policies[i].policy);
        free(c->policies[i].references);
    }
    for (size_t i = 0; i < c->reference_count; i++)
        bytes_done(&c->references[i].measurement.at);
    for (size_t i = 0; i < c->grant_count; i++) {
        free_names(&c->grants[i].policies);
        free_names(&c->grants[i].accounts);
        free_names(&c->grants[i].regions);
        free_names(&c->grants[i].fleets);
    }
    for (size_t i = 0; i < c->party_count; i++)
        free_names(&c->parties[i].policies);
    free(c->policies);
    free(c->references);
    free(c->grants);
    free(c->parties);
    bytes_done(&c->denied_chips.at);
    bytes_done(&c->denied_measurements.at);
    bytes_done(&c->denied_anchors.at);
    bytes_done(&c->denied_guest_keys.at);
    bytes_done(&c->denied_signers.at);
    free(c->denied_regions);
    bytes_done(&c->keepers.at);
    bytes_done(&c->simulator_roots.at);
    charter_clouds_done(&c->clouds);
    free(c);
}
