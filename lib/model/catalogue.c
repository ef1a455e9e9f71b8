#include "lib/model/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const char *const feature_words[] = {
    "snp", "enclaves", "hibernation", "dedicated-host", "outpost", "local-zone", "wavelength-zone",
    "live-migration", "suspend", "ephemeral-disk", "host-encryption", "confidential-disk",
    "no-secure-boot",
};
_Static_assert(countof(feature_words) == CATALOGUE_FEATURE_COUNT);
const struct names catalogue_feature_names = NAMES("feature", feature_words);

static const char *const kind_words[] = {
    "sizes", "families", "excluded", "least-vcpus", "regions", "zones", "boot-modes",
    "operating-systems", "enclave-systems", "forbidden", "launch-only", "lifelong",
    "type-change", "limit", "fact",
};
_Static_assert(countof(kind_words) == CATALOGUE_KIND_COUNT);
const struct names catalogue_kind_names = NAMES("kind of rule", kind_words);

static const char *const certainty_words[] = {"model", "documentation", "knowledge", "whitepaper"};
_Static_assert(countof(certainty_words) == CATALOGUE_CERTAINTY_COUNT);
const struct names catalogue_certainty_names = NAMES("certainty", certainty_words);

static const char *const effect_words[] = {"refuse", "warn"};
_Static_assert(countof(effect_words) == CATALOGUE_EFFECT_COUNT);
const struct names catalogue_effect_names = NAMES("effect", effect_words);

static const char *const limit_words[] = {"enclaves", "enclave-vcpus", "enclave-memory-mib", "parent-vcpus"};
_Static_assert(countof(limit_words) == CATALOGUE_LIMIT_COUNT);
const struct names catalogue_limit_names = NAMES("limit", limit_words);

static const char *const processor_words[] = {"amd", "intel", "graviton"};
_Static_assert(countof(processor_words) == CATALOGUE_PROCESSOR_COUNT);
const struct names catalogue_processor_names = NAMES("processor", processor_words);

static const struct field rule_fields[] = {
    FIELD(catalogue_rule, id,          FIELD_TEXT),
    FIELD(catalogue_rule, kind,        FIELD_NAME, .names = &catalogue_kind_names),
    FIELD(catalogue_rule, cloud,       FIELD_NAME, .names = &account_driver_names),
    FIELD(catalogue_rule, effect,      FIELD_NAME, .names = &catalogue_effect_names, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, sure,        FIELD_NAME, .names = &catalogue_certainty_names),
    FIELD(catalogue_rule, says,        FIELD_STRING),
    FIELD(catalogue_rule, source,      FIELD_STRING),
    FIELD(catalogue_rule, valid_from,  FIELD_MOMENT),
    FIELD(catalogue_rule, valid_until, FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, when,        FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, sizes,       FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, families,    FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, vcpus,       FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, names,       FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, prefixes,    FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, processors,  FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, regions,     FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, zones,       FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, boot_modes,  FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, systems,     FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, features,    FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, to,          FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, limit,       FIELD_NAME, .names = &catalogue_limit_names, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, least,       FIELD_INT, .least = 1, .most = INT32_MAX, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, most,        FIELD_INT, .least = 1, .most = INT32_MAX, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, multiple,    FIELD_INT, .least = 1, .most = INT32_MAX, .flags = FIELD_OPTIONAL),
    FIELD(catalogue_rule, values,      FIELD_JSON, .flags = FIELD_OPTIONAL),
};
static const struct record rule_record = RECORD(catalogue_rule, rule_fields);

#define OF_ALL "id", "kind", "cloud", "effect", "sure", "says", "source", "valid_from", "valid_until", "when"

/* What each kind takes beside what all take; the first `needs` of them must be there. */
static const struct {
    size_t needs;
    const char *members[16];
} kinds[] = {
    [RULE_SIZES]             = {1, {"sizes", OF_ALL}},
    [RULE_FAMILIES]          = {1, {"families", "vcpus", OF_ALL}},
    [RULE_EXCLUDED]          = {1, {"names", "prefixes", OF_ALL}},
    [RULE_LEAST_VCPUS]       = {2, {"processors", "least", OF_ALL}},
    [RULE_REGIONS]           = {1, {"regions", OF_ALL}},
    [RULE_ZONES]             = {1, {"zones", OF_ALL}},
    [RULE_BOOT_MODES]        = {1, {"boot_modes", OF_ALL}},
    [RULE_OPERATING_SYSTEMS] = {1, {"systems", OF_ALL}},
    [RULE_ENCLAVE_SYSTEMS]   = {1, {"systems", OF_ALL}},
    [RULE_FORBIDDEN]         = {1, {"features", OF_ALL}},
    [RULE_LAUNCH_ONLY]       = {1, {"features", OF_ALL}},
    [RULE_LIFELONG]          = {1, {"features", OF_ALL}},
    [RULE_TYPE_CHANGE]       = {1, {"to", OF_ALL}},
    [RULE_LIMIT]             = {1, {"limit", "least", "most", "multiple", "processors", OF_ALL}},
    [RULE_FACT]              = {0, {"values", OF_ALL}},
};
_Static_assert(countof(kinds) == CATALOGUE_KIND_COUNT);
/* clang-format on */

/* ---- what is in a member -------------------------------------------------------------------- */

static enum outcome bad(struct error *err, const char *where, const char *why)
{
    return fail_at(err, ERR_INVALID, "bad-catalogue", where, "%s: %s", where, why);
}

static enum outcome check_count(size_t count, const char *where, struct error *err)
{
    if (count == 0 || count > CATALOGUE_WORDS_MAX)
        return bad(err, where, "empty, or more than is taken");
    return OK;
}

static enum outcome check_word(const char *word, const char *where, struct error *err)
{
    if (word == NULL || strlen(word) >= NAME_SIZE || !text_is_word(word))
        return bad(err, where, "not a list of words");
    return OK;
}

static enum outcome check_words(const json_t *value, const char *where, struct error *err)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        return bad(err, where, "not a list of words");
    TRY(check_count(json_array_size(value), where, err));
    json_array_foreach (json_looked_at(value), i, item)
        TRY(check_word(json_string_value(item), where, err));
    return OK;
}

/* Words of one of our own tables. */
static enum outcome check_names(const json_t *value, const struct names *names, const char *where,
                                struct error *err)
{
    size_t i;
    json_t *item;
    int number;
    TRY(check_words(value, where, err));
    json_array_foreach (json_looked_at(value), i, item)
        if (name_parse(names, json_string_value(item), &number, NULL) != OK)
            return fail_at(err, ERR_INVALID, "unknown-word", where, "%s: '%.60s' is no %s", where,
                           json_string_value(item), names->what);
    return OK;
}

static enum outcome check_features(const json_t *value, const char *where, struct error *err)
{
    return check_names(value, &catalogue_feature_names, where, err);
}

static enum outcome check_processors(const json_t *value, const char *where, struct error *err)
{
    return check_names(value, &catalogue_processor_names, where, err);
}

/* {"name": ...}: each name a word, each value what `check_value` takes. */
static enum outcome check_map(const json_t *value, const char *where,
                              enum outcome (*check_value)(const json_t *, const char *,
                                                          struct error *),
                              struct error *err)
{
    const char *name;
    json_t *item;
    if (!json_is_object(value))
        return bad(err, where, "not an object");
    TRY(check_count(json_object_size(value), where, err));
    json_object_foreach (json_looked_at(value), name, item) {
        char at[ERROR_WHERE_SIZE];
        snprintf(at, sizeof at, "%.40s/%.50s", where, name);
        TRY(check_word(name, where, err));
        TRY(check_value(item, at, err));
    }
    return OK;
}

static enum outcome check_size_facts(const json_t *value, const char *where, struct error *err)
{
    int64_t number;
    if (!json_is_object(value))
        return bad(err, where, "not an object");
    TRY(json_only(value, where, (const char *const[]){"vcpus", "memory_mib", NULL}, err));
    TRY(json_get_int_or(value, where, "vcpus", 1, 65536, 1, &number, err));
    return json_get_int_or(value, where, "memory_mib", 1, INT32_MAX, 1, &number, err);
}

static enum outcome check_sizes(const json_t *value, const char *where, struct error *err)
{
    return check_map(value, where, check_size_facts, err);
}

static enum outcome check_vcpu_count(const json_t *value, const char *where, struct error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > 65536)
        return bad(err, where, "not a number of vCPUs");
    return OK;
}

static enum outcome check_vcpus(const json_t *value, const char *where, struct error *err)
{
    return check_map(value, where, check_vcpu_count, err);
}

static enum outcome check_title(const json_t *value, const char *where, struct error *err)
{
    if (!json_is_string(value) || json_string_length(value) > NAME_SIZE ||
        !text_is_clean(span_of_text(json_string_value(value))))
        return bad(err, where, "not a name for people");
    return OK;
}

static enum outcome check_regions(const json_t *value, const char *where, struct error *err)
{
    return check_map(value, where, check_title, err);
}

/* A list of objects that each have `names`. */
static enum outcome check_groups(const json_t *value, const char *where, const char *other,
                                 struct error *err)
{
    size_t i;
    json_t *item, *names;
    if (!json_is_array(value))
        return bad(err, where, "not a list");
    TRY(check_count(json_array_size(value), where, err));
    json_array_foreach (json_looked_at(value), i, item) {
        char at[ERROR_WHERE_SIZE];
        snprintf(at, sizeof at, "%.60s/%zu", where, i);
        if (!json_is_object(item))
            return bad(err, at, "not an object");
        TRY(json_only(item, at, (const char *const[]){"names", other, NULL}, err));
        TRY(json_get_array(item, at, "names", CATALOGUE_WORDS_MAX, &names, err));
        TRY(check_words(names, at, err));
    }
    return OK;
}

static enum outcome check_families(const json_t *value, const char *where, struct error *err)
{
    size_t i;
    json_t *item;
    TRY(check_groups(value, where, "processor", err));
    json_array_foreach (json_looked_at(value), i, item) {
        const char *word;
        int processor;
        TRY(json_get_text(item, where, "processor", NAME_SIZE - 1, &word, err));
        TRY(name_parse(&catalogue_processor_names, word, &processor, err));
    }
    return OK;
}

static enum outcome check_systems(const json_t *value, const char *where, struct error *err)
{
    size_t i;
    json_t *item;
    TRY(check_groups(value, where, "least", err));
    json_array_foreach (json_looked_at(value), i, item) {
        const char *least;
        TRY(json_get_text_or(item, where, "least", NAME_SIZE - 1, "0", &least, err));
        TRY(check_word(least, where, err));
    }
    return OK;
}

static enum outcome check_value(const json_t *value, const char *where, struct error *err)
{
    return json_is_integer(value) || json_is_boolean(value) ? OK : check_title(value, where, err);
}

static enum outcome check_values(const json_t *value, const char *where, struct error *err)
{
    return check_map(value, where, check_value, err);
}

static const struct {
    const char *name;
    enum outcome (*check)(const json_t *, const char *where, struct error *);
} members[] = {
    {"when", check_features},   {"sizes", check_sizes},       {"families", check_families},
    {"vcpus", check_vcpus},     {"names", check_words},       {"prefixes", check_words},
    {"regions", check_regions}, {"zones", check_words},       {"boot_modes", check_words},
    {"systems", check_systems}, {"features", check_features}, {"processors", check_processors},
    {"values", check_values},
};

/* ---- a rule --------------------------------------------------------------------------------- */

static enum outcome check_members(const json_t *json, enum catalogue_kind kind, const char *path,
                                  struct error *err)
{
    TRY(json_only(json, path, kinds[kind].members, err));
    for (size_t i = 0; i < kinds[kind].needs; i++)
        if (json_object_get(json, kinds[kind].members[i]) == NULL)
            return fail_at(err, ERR_INVALID, "missing-member", path, "%s: a rule of %s needs %s",
                           path, name_of(&catalogue_kind_names, (int)kind), kinds[kind].members[i]);
    for (size_t i = 0; i < countof(members); i++) {
        const json_t *value = json_object_get(json, members[i].name);
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "%.40s/%s", path, members[i].name);
        if (value != NULL)
            TRY(members[i].check(value, where, err));
    }
    return OK;
}

static enum outcome read_rule(const json_t *json, const char *path, struct catalogue_rule *out,
                              struct error *err)
{
    if (!json_is_object(json))
        return bad(err, path, "not an object");
    TRY(record_from_json(&rule_record, json, path, out, err));
    TRY(check_members(json, out->kind, path, err));
    if (!text_is_name(out->id))
        return bad(err, path, "an id is [a-z0-9-]{1,63}");
    if (strlen(out->says) > CATALOGUE_TEXT_MAX || strlen(out->source) > CATALOGUE_TEXT_MAX ||
        out->says[0] == '\0' || out->source[0] == '\0')
        return bad(err, path, "a rule says something, has a source, and is no longer than that");
    if (!moment_is_none(out->valid_until) && out->valid_until.us <= out->valid_from.us)
        return bad(err, path, "it ends before it begins");
    return OK;
}

static enum outcome check_references(const struct catalogue *c, const struct catalogue_rule *rule,
                                     const char *where, struct error *err)
{
    if (rule->kind != RULE_TYPE_CHANGE)
        return OK;
    const struct catalogue_rule *to = catalogue_find(c, rule->to);
    if (to == NULL || to->kind != RULE_SIZES || to->cloud != rule->cloud)
        return fail_at(err, ERR_INVALID, "no-such-rule", where,
                       "%s: '%.60s' is no rule of sizes of that cloud", where, rule->to);
    return OK;
}

static enum outcome check_ids(const struct catalogue *c, struct error *err)
{
    for (size_t i = 0; i < c->count; i++) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "/rules/%zu", i);
        for (size_t j = 0; j < i; j++)
            if (strcmp(c->rules[j].id, c->rules[i].id) == 0)
                return fail_at(err, ERR_INVALID, "twice", where, "%s: '%s' is there twice", where,
                               c->rules[i].id);
        TRY(check_references(c, &c->rules[i], where, err));
    }
    return OK;
}

/* ---- an edition ----------------------------------------------------------------------------- */

static enum outcome read_catalogue(const json_t *json, struct catalogue *out, struct error *err)
{
    static const char *const known[] = {"edition", "version", "issued", "title", "rules", NULL};
    const char *edition, *title;
    json_t *rules;
    TRY(json_only(json, "", known, err));
    TRY(json_get_text(json, "", "edition", NAME_SIZE - 1, &edition, err));
    TRY(json_get_text(json, "", "title", CATALOGUE_TEXT_MAX, &title, err));
    TRY(json_get_int(json, "", "version", 1, INT32_MAX, &out->version, err));
    TRY(json_get_moment(json, "", "issued", &out->issued, err));
    TRY(json_get_array(json, "", "rules", CATALOGUE_RULES_MAX, &rules, err));
    if (!text_is_name(edition))
        return bad(err, "/edition", "an edition's name is [a-z0-9-]{1,63}");
    if (!text_is_clean(span_of_text(title)))
        return bad(err, "/title", "control characters");
    TRY(text_copy(out->edition, sizeof out->edition, edition, "/edition", err));
    out->title = mem_text(title);
    out->rules = mem_new(json_array_size(rules) + 1, sizeof *out->rules);
    for (size_t i = 0; i < json_array_size(rules); i++) {
        char path[ERROR_WHERE_SIZE];
        snprintf(path, sizeof path, "/rules/%zu", i);
        out->count++;
        TRY(read_rule(json_array_get(rules, i), path, &out->rules[i], err));
    }
    return check_ids(out, err);
}

enum outcome catalogue_parse(struct span text, struct catalogue **out, struct error *err)
{
    OWNED(json_drop) json_t *json = NULL;
    OWNED(catalogue_drop) struct catalogue *made = NEW(struct catalogue);
    TRY(json_parse(text, CATALOGUE_SIZE_MAX, &json, err));
    TRY(read_catalogue(json, made, err));
    *out = TAKE(made);
    return OK;
}

void catalogue_free(struct catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    for (size_t i = 0; i < catalogue->count; i++)
        record_done(&rule_record, &catalogue->rules[i]);
    free(catalogue->rules);
    free(catalogue->title);
    free(catalogue);
}

enum outcome catalogue_open(struct span jws, const struct charter_signers *signers,
                            struct catalogue **out, struct error *err)
{
    OWNED(bytes_done) struct bytes payload = {0};
    if (signers->count == 0)
        return fail_code(err, ERR_DENIED, "no-signers", "nobody is pinned who may sign an edition");
    TRY(token_set_verify(jws, CATALOGUE_TYP, signers->keys, signers->count, signers->threshold,
                         CATALOGUE_SIZE_MAX, &payload, err));
    return catalogue_parse(bytes_span(&payload), out, err);
}

enum outcome catalogue_check_newer(const struct catalogue *now, const struct catalogue *next,
                                   struct error *err)
{
    if (next->version <= now->version)
        return fail_code(err, ERR_CONFLICT, "edition-not-newer",
                         "%s is at version %lld, this is %lld", now->edition,
                         (long long)now->version, (long long)next->version);
    if (next->issued.us < now->issued.us)
        return fail_code(err, ERR_CONFLICT, "edition-not-newer", "%s is of %s, this is of %s",
                         now->edition, moment_text(now->issued).at, moment_text(next->issued).at);
    return OK;
}

const struct catalogue_rule *catalogue_find(const struct catalogue *catalogue, const char *id)
{
    for (size_t i = 0; i < catalogue->count; i++)
        if (strcmp(catalogue->rules[i].id, id) == 0)
            return &catalogue->rules[i];
    return NULL;
}

bool catalogue_rule_is_valid(const struct catalogue_rule *rule, struct moment at)
{
    return at.us >= rule->valid_from.us &&
           (moment_is_none(rule->valid_until) || at.us < rule->valid_until.us);
}

json_t *catalogue_rule_to_json(const struct catalogue_rule *rule)
{
    /* Numbers and words are printed whether they count or not. */
    json_t *out = record_to_json(&rule_record, rule);
    if (rule->kind != RULE_LIMIT)
        json_object_del(out, "limit");
    if (rule->least == 0)
        json_object_del(out, "least");
    if (rule->most == 0)
        json_object_del(out, "most");
    if (rule->multiple == 0)
        json_object_del(out, "multiple");
    return out;
}

json_t *catalogue_to_json(const struct catalogue *catalogue)
{
    json_t *out = json_object();
    json_t *rules = json_array();
    json_put_text(out, "edition", catalogue->edition);
    json_put_int(out, "version", catalogue->version);
    json_put_moment(out, "issued", catalogue->issued);
    json_put_text(out, "title", catalogue->title);
    for (size_t i = 0; i < catalogue->count; i++)
        json_add_new(rules, catalogue_rule_to_json(&catalogue->rules[i]));
    json_put_new(out, "rules", rules);
    return out;
}
