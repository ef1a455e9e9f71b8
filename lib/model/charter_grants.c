/* Reading what guests that passed may get: secrets by grants, passports for relying parties. */
#include <string.h>

#include "lib/model/charter_inside.h"

static enum outcome read_words(const json_t *json, const char *path, struct charter_grant *out,
                               struct error *err)
{
    static const char *const origin_words[] = {"generate"};
    static const struct names origins = NAMES("origin", origin_words);
    int level;
    int scope;
    int kind;
    int origin;
    TRY(charter_read_word(json, path, "least_level", &level_names, &level, err));
    TRY(charter_read_word(json, path, "scope", &secret_scope_names, &scope, err));
    TRY(charter_read_word(json, path, "kind", &secret_kind_names, &kind, err));
    TRY(charter_read_word(json, path, "origin", &origins, &origin, err));
    out->least_level = (enum level)level;
    out->scope = (enum secret_scope)scope;
    out->kind = (enum secret_kind)kind;
    return OK;
}

static enum outcome check_demand(const struct charter *charter, const char *path,
                                 const struct charter_names *policies, enum level least_level,
                                 bool allow_unproven_software, struct error *err)
{
    for (size_t i = 0; i < policies->count; i++)
        if (charter_find_policy(charter, policies->at[i]) == NULL)
            return charter_bad(err, path, "no such policy");
    if (allow_unproven_software && least_level > LEVEL_1)
        return charter_bad(err, path, "unproven software is never above L1");
    if (least_level == LEVEL_0)
        return charter_bad(err, path, "L0 proves nothing");
    return OK;
}

static enum outcome read_grant(const struct charter *charter, const char *name, const json_t *json,
                               struct charter_grant *out, struct error *err)
{
    static const char *const members[] = {"policies",
                                          "least_level",
                                          "accounts",
                                          "regions",
                                          "fleets",
                                          "scope",
                                          "kind",
                                          "origin",
                                          "max_verdict_age_seconds",
                                          "allow_unproven_software",
                                          NULL};
    struct charter_path path = charter_below("/grants", name);
    if (!text_is_name(name))
        return charter_bad(err, path.at, "not a name");
    TRY(json_only(json, path.at, members, err));
    TRY(text_copy(out->name, sizeof out->name, name, path.at, err));
    TRY(charter_read_names(json, path.at, "policies", false, &out->policies, err));
    TRY(charter_read_names(json, path.at, "accounts", true, &out->accounts, err));
    TRY(charter_read_names(json, path.at, "regions", true, &out->regions, err));
    TRY(charter_read_names(json, path.at, "fleets", true, &out->fleets, err));
    TRY(read_words(json, path.at, out, err));
    TRY(json_get_int(json, path.at, "max_verdict_age_seconds", 1, 86400,
                     &out->max_verdict_age_seconds, err));
    TRY(json_get_bool_or(json, path.at, "allow_unproven_software", false,
                         &out->allow_unproven_software, err));
    return check_demand(charter, path.at, &out->policies, out->least_level,
                        out->allow_unproven_software, err);
}

enum outcome charter_read_grants(const json_t *whole, struct charter *out, struct error *err)
{
    json_t *list;
    TRY(json_get_object(whole, "", "grants", &list, err));
    out->grants = mem_new(json_object_size(list) + 1, sizeof *out->grants);
    const char *name;
    json_t *json;
    json_object_foreach (list, name, json)
        TRY(read_grant(out, name, json, &out->grants[out->grant_count++], err));
    return OK;
}

/* ---- relying parties ----------------------------------------------------------------------- */

/* A URL or a name. Those of our own tokens would make one of them pass for another. */
static enum outcome read_audience(const struct charter *charter, const json_t *json,
                                  const char *path, struct charter_party *out, struct error *err)
{
    static const char ours[] = "muster-";
    const char *audience;
    struct charter_path where = charter_below(path, "audience");
    TRY(json_get_text(json, path, "audience", CHARTER_AUDIENCE_SIZE - 1, &audience, err));
    for (const char *c = audience; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return charter_bad(err, where.at, "not a URL or a name");
    if (audience[0] == '\0' || strncmp(audience, ours, sizeof ours - 1) == 0)
        return charter_bad(err, where.at, "empty, or one of Muster's own");
    for (const struct charter_party *p = charter->parties; p != out; p++)
        if (strcmp(p->audience, audience) == 0)
            return charter_bad(err, where.at, "another relying party's");
    return text_copy(out->audience, sizeof out->audience, audience, where.at, err);
}

static enum outcome read_party(const struct charter *charter, const char *name, const json_t *json,
                               struct charter_party *out, struct error *err)
{
    static const char *const members[] = {"audience",
                                          "policies",
                                          "least_level",
                                          "max_verdict_age_seconds",
                                          "valid_seconds",
                                          "allow_unproven_software",
                                          NULL};
    int level;
    struct charter_path path = charter_below("/relying_parties", name);
    if (!text_is_name(name))
        return charter_bad(err, path.at, "not a name");
    TRY(json_only(json, path.at, members, err));
    TRY(text_copy(out->name, sizeof out->name, name, path.at, err));
    TRY(read_audience(charter, json, path.at, out, err));
    TRY(charter_read_names(json, path.at, "policies", true, &out->policies, err));
    TRY(charter_read_word(json, path.at, "least_level", &level_names, &level, err));
    TRY(json_get_int(json, path.at, "max_verdict_age_seconds", 1, 86400,
                     &out->max_verdict_age_seconds, err));
    TRY(json_get_int(json, path.at, "valid_seconds", 1, PASSPORT_SECONDS_MAX, &out->valid_seconds,
                     err));
    TRY(json_get_bool_or(json, path.at, "allow_unproven_software", false,
                         &out->allow_unproven_software, err));
    out->least_level = (enum level)level;
    return check_demand(charter, path.at, &out->policies, out->least_level,
                        out->allow_unproven_software, err);
}

enum outcome charter_read_parties(const json_t *whole, struct charter *out, struct error *err)
{
    json_t *list;
    TRY(json_get_object(whole, "", "relying_parties", &list, err));
    out->parties = mem_new(json_object_size(list) + 1, sizeof *out->parties);
    const char *name;
    json_t *json;
    json_object_foreach (list, name, json)
        TRY(read_party(out, name, json, &out->parties[out->party_count++], err));
    return OK;
}
