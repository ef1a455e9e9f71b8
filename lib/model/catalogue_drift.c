#include "lib/model/catalogue_drift.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/catalogue_inside.h"

static const char *const drift_words[] = {"region-unknown", "region-empty", "size-unknown",
                                          "size-not-offered", "size-differs"};
_Static_assert(countof(drift_words) == DRIFT_KIND_COUNT);
const struct names drift_kind_names = NAMES("drift", drift_words);

static const struct field fields[] = {
    FIELD(drift, kind, FIELD_NAME, .names = &drift_kind_names),
    FIELD(drift, rule, FIELD_TEXT),
    FIELD(drift, subject, FIELD_TEXT),
    FIELD(drift, text, FIELD_TEXT),
};
const struct record drift_record = RECORD(drift, fields);

struct offer *offer_list_add(struct offer_list *list)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 64 : list->room * 2;
        list->at = mem_resize(list->at, list->room, sizeof *list->at);
    }
    struct offer *fresh = &list->at[list->count++];
    *fresh = (struct offer){0};
    return fresh;
}

void offer_list_done(struct offer_list *list)
{
    free(list->at);
    *list = (struct offer_list){0};
}

void drift_list_done(struct drift_list *list)
{
    free(list->at);
    *list = (struct drift_list){0};
}

PRINTF(5, 6)
static void add(struct drift_list *list, enum drift_kind kind, const struct catalogue_rule *rule,
                const char *subject, const char *format, ...)
{
    struct drift drift = {.kind = kind};
    va_list args;
    va_start(args, format);
    vsnprintf(drift.text, sizeof drift.text, format, args);
    va_end(args);
    snprintf(drift.rule, sizeof drift.rule, "%s", rule->id);
    snprintf(drift.subject, sizeof drift.subject, "%.63s", subject);
    list->at = mem_resize(list->at, list->count + 1, sizeof *list->at);
    list->at[list->count++] = drift;
}

/* The rule of that kind which speaks of SEV-SNP; NULL: there is none. */
static const struct catalogue_rule *rule_of(const struct catalogue *catalogue,
                                            enum account_driver cloud, enum catalogue_kind kind,
                                            struct moment at)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        const struct catalogue_rule *rule = &catalogue->rules[i];
        if (rule->cloud == cloud && rule->kind == kind && catalogue_rule_is_valid(rule, at) &&
            catalogue_words_have(rule->when, name_of(&catalogue_feature_names, FEATURE_SNP)))
            return rule;
    }
    return NULL;
}

static const struct offer *find(const struct offer_list *offers, const char *size)
{
    for (size_t i = 0; i < offers->count; i++)
        if (strcmp(offers->at[i].size, size) == 0)
            return &offers->at[i];
    return NULL;
}

static void compare_offer(const struct catalogue *catalogue, const struct catalogue_rule *rule,
                          const struct offer *offer, struct drift_list *out)
{
    if (json_object_get(rule->sizes, offer->size) == NULL) {
        if (!offer->is_restricted)
            add(out, DRIFT_SIZE_UNKNOWN, rule, offer->size,
                "offered with SEV-SNP, not in the rule");
        return;
    }
    const struct catalogue_size known = catalogue_size(catalogue, rule->cloud, offer->size);
    if (offer->vcpus > 0 && known.vcpus > 0 && offer->vcpus != known.vcpus)
        add(out, DRIFT_SIZE_DIFFERS, rule, offer->size, "%lld vCPUs, the rule says %lld",
            (long long)offer->vcpus, (long long)known.vcpus);
    else if (offer->memory_mib > 0 && known.memory_mib > 0 && offer->memory_mib != known.memory_mib)
        add(out, DRIFT_SIZE_DIFFERS, rule, offer->size, "%lld MiB, the rule says %lld",
            (long long)offer->memory_mib, (long long)known.memory_mib);
}

static void compare_sizes(const struct catalogue *catalogue, const struct catalogue_rule *rule,
                          const struct offer_list *offers, struct drift_list *out)
{
    const char *size;
    json_t *facts;
    for (size_t i = 0; i < offers->count; i++)
        compare_offer(catalogue, rule, &offers->at[i], out);
    json_object_foreach (rule->sizes, size, facts) {
        const struct offer *offer = find(offers, size);
        if (offer == NULL || offer->is_restricted)
            add(out, DRIFT_SIZE_NOT_OFFERED, rule, size,
                offer == NULL ? "in the rule, not offered" : "not for this account");
    }
}

static bool has_any(const struct offer_list *offers)
{
    for (size_t i = 0; i < offers->count; i++)
        if (!offers->at[i].is_restricted)
            return true;
    return false;
}

void catalogue_compare(const struct catalogue *catalogue, enum account_driver cloud,
                       const char *region, struct moment at, const struct offer_list *offers,
                       struct drift_list *out)
{
    const struct catalogue_rule *regions = rule_of(catalogue, cloud, RULE_REGIONS, at);
    const struct catalogue_rule *sizes = rule_of(catalogue, cloud, RULE_SIZES, at);
    const bool is_named = regions == NULL || json_object_get(regions->regions, region) != NULL;
    const bool any = has_any(offers);
    if (!is_named && any)
        add(out, DRIFT_REGION_UNKNOWN, regions, region, "SEV-SNP is offered, and not in the rule");
    if (is_named && !any && regions != NULL)
        add(out, DRIFT_REGION_EMPTY, regions, region, "in the rule, and no SEV-SNP is offered");
    if (is_named && any && sizes != NULL)
        compare_sizes(catalogue, sizes, offers, out);
}
