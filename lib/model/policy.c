#include "lib/model/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/policy_inside.h"

struct policy_path policy_below(const char *path, const char *name)
{
    struct policy_path made;
    if (snprintf(made.at, sizeof made.at, "%s/%s", path, name) >= (int)sizeof made.at)
        made.at[sizeof made.at - 1] = '\0';
    return made;
}

bool policy_has(const json_t *object, const char *name)
{
    return json_object_get(object, name) != NULL;
}

enum outcome policy_refuse(const struct policy_path *where, struct error *err, const char *what)
{
    return fail_at(err, ERR_INVALID, "wrong-value", where->at, "%s: %s", where->at, what);
}

enum outcome policy_read_say(const json_t *object, const char *path, const char *name,
                             enum say *out, struct error *err)
{
    if (!policy_has(object, name))
        return OK;
    bool yes = false;
    TRY(json_get_bool(object, path, name, &yes, err));
    *out = yes ? SAY_YES : SAY_NO;
    return OK;
}

bool policy_allows(enum policy_mode mode, enum say say, bool silent_whole)
{
    if (say == SAY_NOTHING)
        return mode == POLICY_WHOLE ? silent_whole : true;
    return say == SAY_YES;
}

static enum outcome set_add(struct value_set *set, const struct policy_path *where,
                            const json_t *item, struct error *err)
{
    if (set->count == POLICY_SET_MAX)
        return policy_refuse(where, err, "too many values");
    const char *text = json_string_value(item);
    if (text == NULL || strlen(text) != json_string_length(item) ||
        hex_decode_exact(text, set->at[set->count], set->len, NULL) != OK)
        return policy_refuse(where, err, "not hex of the right length");
    set->count++;
    return OK;
}

enum outcome policy_read_set(const json_t *object, const char *path, const char *name, size_t len,
                             struct value_set *set, struct error *err)
{
    set->len = len;
    const json_t *value = json_object_get(object, name);
    if (value == NULL)
        return OK;
    const struct policy_path where = policy_below(path, name);
    set->said = true;
    if (!json_is_array(value)) {
        set->any = json_is_string(value) && strcmp(json_string_value(value), "any") == 0;
        return set->any ? OK : set_add(set, &where, value, err);
    }
    size_t i;
    json_t *item;
    json_array_foreach (json_looked_at(value), i, item)
        TRY(set_add(set, &where, item, err));
    return OK;
}

static enum outcome read_signers(const json_t *object, const char *path, struct snp_policy *out,
                                 struct error *err)
{
    if (!policy_has(object, "signing_keys"))
        return OK;
    json_t *list = NULL;
    TRY(json_get_array(object, path, "signing_keys", SIGNER_COUNT, &list, err));
    const struct policy_path where = policy_below(path, "signing_keys");
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        int signer = 0;
        if (!json_is_string(item) ||
            name_parse(&snp_signer_names, json_string_value(item), &signer, NULL) != OK)
            return policy_refuse(&where, err, "neither VCEK nor VLEK");
        out->signing_keys |= 1u << signer;
    }
    return out->signing_keys != 0 ? OK : policy_refuse(&where, err, "names no key");
}

static enum outcome csp_add(struct snp_policy *out, const struct policy_path *where,
                            const json_t *item, struct error *err)
{
    const char *text = json_string_value(item);
    if (text == NULL || text[0] == '\0' || json_string_length(item) >= POLICY_CSP_SIZE)
        return policy_refuse(where, err, "not a provider id");
    if (out->csp_count == POLICY_CSP_MAX)
        return policy_refuse(where, err, "too many values");
    snprintf(out->vlek_csp_id[out->csp_count++], POLICY_CSP_SIZE, "%s", text);
    return OK;
}

static enum outcome read_csp(const json_t *object, const char *path, struct snp_policy *out,
                             struct error *err)
{
    const json_t *value = json_object_get(object, "vlek_csp_id");
    if (value == NULL)
        return OK;
    const struct policy_path where = policy_below(path, "vlek_csp_id");
    if (!json_is_array(value))
        return csp_add(out, &where, value, err);
    size_t i;
    json_t *item;
    json_array_foreach (json_looked_at(value), i, item)
        TRY(csp_add(out, &where, item, err));
    return out->csp_count != 0 ? OK : policy_refuse(&where, err, "names no provider");
}

static enum outcome read_sets(const json_t *o, const char *path, struct snp_policy *p,
                              struct error *err)
{
    TRY(policy_read_set(o, path, "measurement", 48, &p->measurement, err));
    TRY(policy_read_set(o, path, "report_data", 64, &p->report_data, err));
    TRY(policy_read_set(o, path, "host_data", 32, &p->host_data, err));
    TRY(policy_read_set(o, path, "id_key_digest", 48, &p->id_key_digest, err));
    TRY(policy_read_set(o, path, "author_key_digest", 48, &p->author_key_digest, err));
    return policy_read_set(o, path, "chip_id", 64, &p->chip_id, err);
}

static enum outcome read_snp(const json_t *o, const char *path, struct snp_policy *p,
                             struct error *err)
{
    static const char *const members[] = {"allow_debug",
                                          "allow_migration_agent",
                                          "allow_smt",
                                          "max_vmpl",
                                          "signing_keys",
                                          "vlek_csp_id",
                                          "min_tcb",
                                          "forbid_platform_info",
                                          "require_platform_info",
                                          "forbid_guest_policy",
                                          "require_guest_policy",
                                          "require_launch_mit_vector",
                                          "require_current_mit_vector",
                                          "require_committed_tcb",
                                          "min_guest_svn",
                                          "measurement",
                                          "report_data",
                                          "host_data",
                                          "id_key_digest",
                                          "author_key_digest",
                                          "chip_id",
                                          "require_crl",
                                          "max_age_seconds",
                                          NULL};
    TRY(json_only(o, path, members, err));
    TRY(policy_read_say(o, path, "allow_debug", &p->allow_debug, err));
    TRY(policy_read_say(o, path, "allow_migration_agent", &p->allow_migration_agent, err));
    TRY(policy_read_say(o, path, "allow_smt", &p->allow_smt, err));
    int64_t vmpl = -1;
    if (policy_has(o, "max_vmpl"))
        TRY(json_get_int(o, path, "max_vmpl", 0, 3, &vmpl, err));
    p->max_vmpl = (int)vmpl;
    TRY(read_signers(o, path, p, err));
    TRY(read_csp(o, path, p, err));
    TRY(policy_read_floors(o, path, p, err));
    TRY(policy_read_bits(o, path, p, err));
    TRY(json_get_bool_or(o, path, "require_committed_tcb", false, &p->require_committed_tcb, err));
    if (policy_has(o, "min_guest_svn"))
        TRY(json_get_int(o, path, "min_guest_svn", 1, UINT32_MAX, &p->min_guest_svn, err));
    TRY(read_sets(o, path, p, err));
    TRY(json_get_bool_or(o, path, "require_crl", false, &p->require_crl, err));
    if (policy_has(o, "max_age_seconds"))
        TRY(json_get_int(o, path, "max_age_seconds", 1, INT32_MAX, &p->max_age_seconds, err));
    return OK;
}

/* The object of a kind, and its path; `*out` stays NULL where the policy does not name it. */
static enum outcome find_kind(const json_t *value, const char *path, const char *name, bool *has,
                              json_t **out, struct policy_path *where, struct error *err)
{
    *has = policy_has(value, name);
    *where = policy_below(path, name);
    return *has ? json_get_object(value, path, name, out, err) : OK;
}

static enum outcome read_kinds(const json_t *value, const char *path, struct policy *out,
                               struct error *err)
{
    json_t *kind = NULL;
    struct policy_path where;
    TRY(find_kind(value, path, "snp", &out->has_snp, &kind, &where, err));
    if (out->has_snp)
        TRY(read_snp(kind, where.at, &out->snp, err));
    TRY(find_kind(value, path, "nitro", &out->has_nitro, &kind, &where, err));
    if (out->has_nitro)
        TRY(policy_read_nitro(kind, where.at, &out->nitro, err));
    TRY(find_kind(value, path, "azure", &out->has_azure, &kind, &where, err));
    if (out->has_azure)
        TRY(policy_read_azure(kind, where.at, &out->azure, err));
    TRY(find_kind(value, path, "vtpm", &out->has_vtpm, &kind, &where, err));
    if (out->has_vtpm)
        TRY(policy_read_vtpm(kind, where.at, &out->vtpm, err));
    return OK;
}

enum outcome policy_from_json(const json_t *value, const char *path, enum policy_mode mode,
                              struct policy *out, struct error *err)
{
    static const char *const whole[] = {"name",  "description", "snp", "nitro",
                                        "azure", "vtpm",        NULL};
    TRY(json_only(value, path, mode == POLICY_WHOLE ? whole : whole + 2, err));
    const char *text = NULL;
    TRY(json_get_text_or(value, path, "name", 63, "", &text, err));
    TRY(json_get_text_or(value, path, "description", 1024, "", &text, err));
    OWNED(mem_drop) struct policy *made = NEW(struct policy);
    made->snp.mode = mode;
    made->snp.max_vmpl = -1;
    made->nitro.mode = mode;
    made->azure.mode = mode;
    made->vtpm.mode = mode;
    TRY(read_kinds(value, path, made, err));
    if (mode == POLICY_WHOLE && !made->has_snp && !made->has_nitro && !made->has_azure &&
        !made->has_vtpm)
        return fail_at(err, ERR_INVALID, "missing-member", path,
                       "%s: a policy names at least one kind of evidence", path);
    *out = *made;
    return OK;
}

enum outcome policy_parse(struct span in, enum policy_mode mode, struct policy *out,
                          struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    TRY(json_parse(in, POLICY_JSON_MAX, &value, err));
    return policy_from_json(value, "", mode, out, err);
}

static bool is_value(const struct value_set *set, size_t i, struct span value)
{
    return span_equal(SPAN(set->at[i], set->len), value);
}

bool value_set_has(const struct value_set *set, struct span value)
{
    if (set->any)
        return true;
    for (size_t i = 0; i < set->count; i++)
        if (is_value(set, i, value))
            return true;
    return false;
}

bool value_set_has_at(const struct value_set *set, struct span value, struct moment at)
{
    if (set->any)
        return true;
    for (size_t i = 0; i < set->count; i++)
        if ((moment_is_none(set->until[i]) || at.us < set->until[i].us) && is_value(set, i, value))
            return true;
    return false;
}

struct moment value_set_until(const struct value_set *set, struct span value)
{
    struct moment until = {0};
    for (size_t i = 0; i < set->count; i++) {
        if (set->any || (is_value(set, i, value) && moment_is_none(set->until[i])))
            return (struct moment){0};
        if (is_value(set, i, value) && set->until[i].us > until.us)
            until = set->until[i];
    }
    return until;
}

bool policy_allows_debug(const struct snp_policy *p)
{
    return policy_allows(p->mode, p->allow_debug, false);
}

bool policy_allows_migration(const struct snp_policy *p)
{
    return policy_allows(p->mode, p->allow_migration_agent, false);
}

/* Every cloud offers threads only in pairs, so silence allows them. */
bool policy_allows_smt(const struct snp_policy *p)
{
    return policy_allows(p->mode, p->allow_smt, true);
}

int policy_max_vmpl(const struct snp_policy *p)
{
    if (p->max_vmpl >= 0)
        return p->max_vmpl;
    return p->mode == POLICY_WHOLE ? 0 : 3;
}

bool policy_takes_any_measurement(const struct snp_policy *p)
{
    if (!p->measurement.said)
        return p->mode == POLICY_EXPECT;
    return p->measurement.any;
}
