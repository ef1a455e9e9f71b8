/* Which rules a wish breaks: one small function a kind of rule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/model/catalogue_inside.h"
#include "lib/model/catalogue_wish.h"

static const char *const finding_words[] = {"broken", "warning", "waived", "unsaid"};
_Static_assert(countof(finding_words) == FINDING_KIND_COUNT);
const struct names finding_kind_names = NAMES("result", finding_words);

/* One rule before one wish. */
struct look {
    const struct catalogue *catalogue;
    const struct catalogue_rule *rule;
    const struct catalogue_wish *wish;
    char *text; /* what is wrong, ERROR_TEXT_SIZE */
};

enum answer { KEPT, BROKEN, UNSAID };

PRINTF(2, 3) static enum answer broken(const struct look *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(l->text, ERROR_TEXT_SIZE, format, args);
    va_end(args);
    return BROKEN;
}

static enum answer unsaid(const struct look *l, const char *what)
{
    snprintf(l->text, ERROR_TEXT_SIZE, "nobody said which %s it is", what);
    return UNSAID;
}

/* What differs only in capitals from one that would do is told so. */
static enum answer not_among(const struct look *l, const json_t *those, const char *said,
                             const char *what)
{
    const char *name;
    json_t *value;
    json_object_foreach (json_looked_at(those), name, value)
        if (strcasecmp(name, said) == 0)
            return broken(l, "%s is not one of these %s, %s is", said, what, name);
    return broken(l, "%s is not one of these %s", said, what);
}

/* ---- size ----------------------------------------------------------------------------------- */

static enum answer check_sizes(const struct look *l)
{
    if (l->wish->size[0] == '\0')
        return unsaid(l, "size");
    if (json_object_get(l->rule->sizes, l->wish->size) == NULL)
        return not_among(l, l->rule->sizes, l->wish->size, "sizes");
    return KEPT;
}

static enum answer check_families(const struct look *l)
{
    enum catalogue_processor processor;
    if (l->wish->size[0] == '\0')
        return unsaid(l, "size");
    if (catalogue_is_metal(l->wish->size))
        return broken(l, "%s is bare metal", l->wish->size);
    if (!catalogue_families_have(l->rule, l->wish->size, &processor))
        return broken(l, "%s is of no such family", l->wish->size);
    return KEPT;
}

static enum answer check_excluded(const struct look *l)
{
    const char *size = l->wish->size;
    char family[NAME_SIZE];
    if (size[0] == '\0')
        return unsaid(l, "size");
    catalogue_family(size, family);
    if (catalogue_words_have(l->rule->names, size) || catalogue_words_have(l->rule->names, family))
        return broken(l, "%s is excluded", size);
    for (size_t i = 0; i < json_array_size(l->rule->prefixes); i++) {
        const char *prefix = json_string_value(json_array_get(l->rule->prefixes, i));
        if (strncmp(size, prefix, strlen(prefix)) == 0)
            return broken(l, "%s is excluded, as all of %s*", size, prefix);
    }
    return KEPT;
}

/* A size whose processor nobody knows is the families' business, as bare metal is. */
static bool is_of_processors(const struct look *l, const struct catalogue_size *size)
{
    return l->rule->processors == NULL ||
           (size->has_processor &&
            catalogue_words_have(l->rule->processors,
                                 name_of(&catalogue_processor_names, (int)size->processor)));
}

static enum answer check_least_vcpus(const struct look *l)
{
    const struct catalogue_size size = catalogue_size(l->catalogue, l->wish->cloud, l->wish->size);
    if (l->wish->size[0] == '\0')
        return unsaid(l, "size");
    if (!is_of_processors(l, &size) || catalogue_is_metal(l->wish->size))
        return KEPT;
    if (size.vcpus == 0)
        return broken(l, "nobody knows how many vCPUs %s has", l->wish->size);
    if (size.vcpus < l->rule->least)
        return broken(l, "%s has %lld vCPUs, less than %lld", l->wish->size, (long long)size.vcpus,
                      (long long)l->rule->least);
    return KEPT;
}

/* ---- place ---------------------------------------------------------------------------------- */

static enum answer check_regions(const struct look *l)
{
    if (l->wish->region[0] == '\0')
        return unsaid(l, "region");
    if (json_object_get(l->rule->regions, l->wish->region) == NULL)
        return not_among(l, l->rule->regions, l->wish->region, "regions");
    return KEPT;
}

/* Where none is named the cloud chooses one that has it. */
static enum answer check_zones(const struct look *l)
{
    if (l->wish->zone[0] != '\0' && !catalogue_words_have(l->rule->zones, l->wish->zone))
        return broken(l, "%s is not one of these zones", l->wish->zone);
    return KEPT;
}

/* ---- image ---------------------------------------------------------------------------------- */

static enum answer check_boot_modes(const struct look *l)
{
    if (l->wish->boot_mode[0] == '\0')
        return unsaid(l, "boot mode");
    if (!catalogue_words_have(l->rule->boot_modes, l->wish->boot_mode))
        return broken(l, "the image boots by %s", l->wish->boot_mode);
    return KEPT;
}

/* Numbers of a version, one after the other, whatever stands between: "15-SP4" is 15.4. */
static bool next_number(const char **at, int64_t *out)
{
    *at += strcspn(*at, "0123456789");
    if (**at == '\0')
        return false;
    *out = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++)
        *out = *out < INT32_MAX ? *out * 10 + (**at - '0') : INT32_MAX;
    return true;
}

static bool is_at_least(const char *version, const char *least)
{
    int64_t is, must;
    while (next_number(&least, &must)) {
        if (!next_number(&version, &is))
            return must == 0;
        if (is != must)
            return is > must;
    }
    return true;
}

static enum answer check_system(const struct look *l, const char *name, const char *version)
{
    for (size_t i = 0; i < json_array_size(l->rule->systems); i++) {
        const json_t *system = json_array_get(l->rule->systems, i);
        const char *least = json_string_value(json_object_get(system, "least"));
        if (!catalogue_words_have(json_object_get(system, "names"), name))
            continue;
        if (least == NULL)
            return KEPT;
        if (version[0] == '\0' || strcmp(version, "-") == 0)
            return unsaid(l, "version of the operating system");
        if (!is_at_least(version, least))
            return broken(l, "%s %s is older than %s", name, version, least);
        return KEPT;
    }
    return broken(l, "%s is not one of these systems", name);
}

static enum answer check_operating_systems(const struct look *l)
{
    if (l->wish->os_name[0] == '\0' || strcmp(l->wish->os_name, "-") == 0)
        return unsaid(l, "operating system");
    return check_system(l, l->wish->os_name, l->wish->os_version);
}

static enum answer check_enclave_systems(const struct look *l)
{
    if (l->wish->enclave_os[0] == '\0')
        return unsaid(l, "operating system of the enclave");
    return check_system(l, l->wish->enclave_os, "");
}

/* ---- features ------------------------------------------------------------------------------- */

static unsigned bits_of(const json_t *words)
{
    unsigned bits = 0;
    for (size_t i = 0; i < json_array_size(words); i++) {
        int feature = 0;
        error_ignore(name_parse(&catalogue_feature_names,
                                json_string_value(json_array_get(words, i)), &feature, NULL));
        bits |= FEATURE_BIT((unsigned)feature);
    }
    return bits;
}

static const char *first_word(unsigned bits)
{
    int feature = 0;
    while (feature < CATALOGUE_FEATURE_COUNT - 1 && (bits & FEATURE_BIT((unsigned)feature)) == 0)
        feature++;
    return name_of(&catalogue_feature_names, feature);
}

static enum answer check_forbidden(const struct look *l)
{
    const unsigned asked = bits_of(l->rule->features) & l->wish->features;
    if (asked == 0)
        return KEPT;
    if (l->rule->when == NULL)
        return broken(l, "%s is asked for", first_word(asked));
    return broken(l, "%s and %s are asked for together", first_word(bits_of(l->rule->when)),
                  first_word(asked));
}

static enum answer check_switched(const struct look *l, unsigned from, unsigned to, const char *how)
{
    const unsigned switched = bits_of(l->rule->features) & to & ~from;
    if (l->wish->from_size[0] == '\0' || switched == 0)
        return KEPT;
    return broken(l, "%s would be switched %s", first_word(switched), how);
}

static enum answer check_launch_only(const struct look *l)
{
    return check_switched(l, l->wish->from_features, l->wish->features, "on after launch");
}

static enum answer check_lifelong(const struct look *l)
{
    return check_switched(l, l->wish->features, l->wish->from_features, "off");
}

static enum answer check_type_change(const struct look *l)
{
    const struct catalogue_rule *to = catalogue_find(l->catalogue, l->rule->to);
    const struct catalogue_wish *wish = l->wish;
    if (wish->from_size[0] == '\0' || strcmp(wish->from_size, wish->size) == 0)
        return KEPT;
    if (json_object_get(to->sizes, wish->size) == NULL)
        return broken(l, "%s cannot become %s", wish->from_size, wish->size);
    return KEPT;
}

/* ---- limits --------------------------------------------------------------------------------- */

/* The number that a limit is about; negative: not said. */
static int64_t number_of(const struct look *l, const struct catalogue_size *size)
{
    const struct catalogue_wish *wish = l->wish;
    switch (l->rule->limit) {
    case LIMIT_ENCLAVES:
        return wish->enclaves;
    case LIMIT_ENCLAVE_VCPUS:
        return wish->enclave_vcpus > 0 ? wish->enclave_vcpus : -1;
    case LIMIT_ENCLAVE_MEMORY_MIB:
        return wish->enclave_memory_mib > 0 ? wish->enclave_memory_mib : -1;
    case LIMIT_PARENT_VCPUS:
        if (size->vcpus == 0 || wish->enclave_vcpus == 0)
            return -1;
        return size->vcpus > wish->enclaves * wish->enclave_vcpus
                   ? size->vcpus - wish->enclaves * wish->enclave_vcpus
                   : 0;
    case CATALOGUE_LIMIT_COUNT:
        break;
    }
    abort();
}

static enum answer check_limit(const struct look *l)
{
    const struct catalogue_size size = catalogue_size(l->catalogue, l->wish->cloud, l->wish->size);
    const char *what = name_of(&catalogue_limit_names, (int)l->rule->limit);
    if (l->rule->processors != NULL && !is_of_processors(l, &size))
        return KEPT;
    const int64_t number = number_of(l, &size);
    if (number < 0)
        return unsaid(l, what);
    if (l->rule->most > 0 && number > l->rule->most)
        return broken(l, "%s: %lld is more than %lld", what, (long long)number,
                      (long long)l->rule->most);
    if (l->rule->least > 0 && number < l->rule->least)
        return broken(l, "%s: %lld is less than %lld", what, (long long)number,
                      (long long)l->rule->least);
    if (l->rule->multiple > 0 && number % l->rule->multiple != 0)
        return broken(l, "%s: %lld is no multiple of %lld", what, (long long)number,
                      (long long)l->rule->multiple);
    return KEPT;
}

static enum answer check_fact(const struct look *l)
{
    (void)l;
    return KEPT;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static enum answer (*const checks[])(const struct look *) = {
    [RULE_SIZES] = check_sizes,
    [RULE_FAMILIES] = check_families,
    [RULE_EXCLUDED] = check_excluded,
    [RULE_LEAST_VCPUS] = check_least_vcpus,
    [RULE_REGIONS] = check_regions,
    [RULE_ZONES] = check_zones,
    [RULE_BOOT_MODES] = check_boot_modes,
    [RULE_OPERATING_SYSTEMS] = check_operating_systems,
    [RULE_ENCLAVE_SYSTEMS] = check_enclave_systems,
    [RULE_FORBIDDEN] = check_forbidden,
    [RULE_LAUNCH_ONLY] = check_launch_only,
    [RULE_LIFELONG] = check_lifelong,
    [RULE_TYPE_CHANGE] = check_type_change,
    [RULE_LIMIT] = check_limit,
    [RULE_FACT] = check_fact,
};
_Static_assert(countof(checks) == CATALOGUE_KIND_COUNT);

/* A rule of change speaks of the machine that is there. */
static bool speaks_of(const struct catalogue_rule *rule, const struct catalogue_wish *wish,
                      struct moment at)
{
    const bool is_of_change = rule->kind == RULE_LIFELONG || rule->kind == RULE_TYPE_CHANGE;
    const unsigned features = is_of_change ? wish->from_features : wish->features;
    const unsigned needed = bits_of(rule->when);
    return rule->cloud == wish->cloud && catalogue_rule_is_valid(rule, at) &&
           (features & needed) == needed;
}

static enum finding_kind kind_of(enum answer answer, const struct catalogue_rule *rule,
                                 const struct catalogue_waivers *waivers)
{
    if (answer == UNSAID)
        return FINDING_UNSAID;
    if (rule->effect == EFFECT_WARN)
        return FINDING_WARNING;
    for (size_t i = 0; waivers != NULL && i < waivers->count; i++)
        if (strcmp(waivers->rules[i], rule->id) == 0)
            return FINDING_WAIVED;
    return FINDING_BROKEN;
}

static void add(struct finding_list *list, const struct finding *finding)
{
    if (list->count % 16 == 0)
        list->at = mem_resize(list->at, list->count + 16, sizeof *list->at);
    list->at[list->count++] = *finding;
    list->broken += finding->kind == FINDING_BROKEN;
}

void catalogue_check(const struct catalogue *catalogue, const struct catalogue_waivers *waivers,
                     const struct catalogue_wish *wish, struct finding_list *out)
{
    const struct moment at = moment_is_none(wish->at) ? clock_now() : wish->at;
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct catalogue_rule *rule = &catalogue->rules[i];
        struct finding finding = {.rule = rule};
        text_clip(finding.place, sizeof finding.place,
                  wish->zone[0] != '\0' ? wish->zone : wish->region);
        const struct look look = {catalogue, rule, wish, finding.text};
        if (!speaks_of(rule, wish, at))
            continue;
        out->looked_at++;
        const enum answer answer = checks[rule->kind](&look);
        if (answer == KEPT)
            continue;
        finding.kind = kind_of(answer, rule, waivers);
        add(out, &finding);
    }
}

void finding_list_done(struct finding_list *list)
{
    free(list->at);
    *list = (struct finding_list){0};
}

json_t *findings_to_json(const struct finding_list *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const struct catalogue_rule *rule = list->at[i].rule;
        json_t *one = json_object();
        json_put_text(one, "rule", rule->id);
        json_put_text(one, "result", name_of(&finding_kind_names, (int)list->at[i].kind));
        json_put_text(one, "cloud", name_of(&account_driver_names, (int)rule->cloud));
        json_put_text(one, "place", list->at[i].place);
        json_put_text(one, "detail", list->at[i].text);
        json_put_text(one, "says", rule->says);
        json_put_text(one, "source", rule->source);
        json_put_text(one, "sure", name_of(&catalogue_certainty_names, (int)rule->sure));
        json_add_new(out, one);
    }
    return out;
}

json_t *findings_broken(const struct finding_list *list)
{
    json_t *out = json_array();
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].kind == FINDING_BROKEN && !catalogue_words_have(out, list->at[i].rule->id))
            json_add_new(out, json_string(list->at[i].rule->id));
    return out;
}

/* So much of a text as whole words leave room for. */
static int words_within(const char *text, int most)
{
    if (strlen(text) <= (size_t)most)
        return (int)strlen(text);
    while (most > 0 && text[most] != ' ')
        most--;
    return most;
}

enum outcome findings_refuse(const struct finding_list *list, struct error *err)
{
    OWNED(text_done) struct text rules = {0};
    OWNED(json_drop) json_t *ids = findings_broken(list);
    const struct finding *first = list->at;
    if (json_array_size(ids) == 0)
        return OK;
    while (first->kind != FINDING_BROKEN)
        first++;
    for (size_t i = 0; i < json_array_size(ids); i++)
        text_addf(&rules, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(ids, i)));
    const char *source = first->rule->source;
    const int shown = words_within(source, 60);
    return fail_code(err, ERR_INVALID, "against-the-catalogue", "%s (%.*s%s): breaks %.160s",
                     first->text, shown, source, source[shown] != '\0' ? " ..." : "",
                     text_str(&rules));
}
