#include "lib/model/charter_diff.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/model/charter.h"
#include "lib/model/charter_diff_inside.h"

static const char *const effect_words[] = {"narrows", "widens", "renews", "neither"};
const struct names diff_effect_names = NAMES("effect", effect_words);
_Static_assert(countof(effect_words) == DIFF_EFFECT_COUNT);

/* ---- reporting ----------------------------------------------------------------------------- */

json_t *diff_add(struct diff_run *run, const char *where, enum diff_effect effect, const char *why)
{
    json_t *change = json_object();
    json_put_text(change, "where", where);
    json_put_text(change, "effect", name_of(&diff_effect_names, (int)effect));
    json_put_text(change, "why", why);
    json_add_new(run->changes, change);
    return change;
}

static void put_value(json_t *change, const char *name, const json_t *value)
{
    if (value != NULL)
        json_put_new(change, name, json_incref(json_looked_at(value)));
}

void diff_report(struct diff_run *run, const struct diff_pair *pair, enum diff_effect effect)
{
    static const char *const whys[] = {
        [DIFF_NARROWS] = "less passes",
        [DIFF_WIDENS] = "no rule knows this change, so it is called widening",
        [DIFF_RENEWS] = "every edit dates a charter anew",
        [DIFF_NEITHER] = "means the same",
    };
    const char *why = whys[effect];
    if (effect == DIFF_WIDENS && pair->rule != NULL && pair->rule->widens != NULL)
        why = pair->rule->widens;
    if (effect == DIFF_NARROWS && pair->rule != NULL && pair->rule->narrows != NULL)
        why = pair->rule->narrows;
    json_t *change = diff_add(run, pair->path, effect, why);
    put_value(change, "was", pair->was);
    put_value(change, "is", pair->is);
}

/* ---- values -------------------------------------------------------------------------------- */

static void renews(struct diff_run *run, const struct diff_pair *pair)
{
    diff_report(run, pair, DIFF_RENEWS);
}

static void neither(struct diff_run *run, const struct diff_pair *pair)
{
    diff_report(run, pair, DIFF_NEITHER);
}

static void unknown(struct diff_run *run, const struct diff_pair *pair)
{
    diff_report(run, pair, DIFF_WIDENS);
}

static json_t *meant(const struct diff_pair *pair, const json_t *value)
{
    if (value != NULL)
        return json_incref(json_looked_at(value));
    return pair->rule->silent != NULL ? json_loads(pair->rule->silent, JSON_DECODE_ANY, NULL)
                                      : NULL;
}

static void compare_switch(struct diff_run *run, const struct diff_pair *pair, bool on_widens)
{
    OWNED(json_drop) json_t *was = meant(pair, pair->was);
    OWNED(json_drop) json_t *is = meant(pair, pair->is);
    if (json_is_true(was) == json_is_true(is))
        diff_report(run, pair, DIFF_NEITHER);
    else
        diff_report(run, pair, json_is_true(is) == on_widens ? DIFF_WIDENS : DIFF_NARROWS);
}

static void on_widens(struct diff_run *run, const struct diff_pair *pair)
{
    compare_switch(run, pair, true);
}

static void on_narrows(struct diff_run *run, const struct diff_pair *pair)
{
    compare_switch(run, pair, false);
}

/* A greatest value: absent is without bound. */
static void more_widens(struct diff_run *run, const struct diff_pair *pair)
{
    OWNED(json_drop) json_t *was = meant(pair, pair->was);
    OWNED(json_drop) json_t *is = meant(pair, pair->is);
    const json_int_t before = was != NULL ? json_integer_value(was) : INT64_MAX;
    const json_int_t after = is != NULL ? json_integer_value(is) : INT64_MAX;
    if (before == after)
        diff_report(run, pair, DIFF_NEITHER);
    else
        diff_report(run, pair, after > before ? DIFF_WIDENS : DIFF_NARROWS);
}

/* A least value, which has a meaning in silence. */
static void less_widens(struct diff_run *run, const struct diff_pair *pair)
{
    OWNED(json_drop) json_t *was = meant(pair, pair->was);
    OWNED(json_drop) json_t *is = meant(pair, pair->is);
    diff_report(run, pair,
                json_integer_value(is) < json_integer_value(was) ? DIFF_WIDENS : DIFF_NARROWS);
}

/* An end: absent is never. */
static void later_widens(struct diff_run *run, const struct diff_pair *pair)
{
    struct moment ends[2];
    const json_t *const values[] = {pair->was, pair->is};
    for (size_t i = 0; i < countof(ends); i++) {
        ends[i] = (struct moment){INT64_MAX};
        if (values[i] != NULL && (!json_is_string(values[i]) ||
                                  moment_parse(json_string_value(values[i]), &ends[i], NULL) != OK))
            return unknown(run, pair);
    }
    if (ends[0].us == ends[1].us)
        diff_report(run, pair, DIFF_NEITHER);
    else
        diff_report(run, pair, ends[1].us > ends[0].us ? DIFF_WIDENS : DIFF_NARROWS);
}

/* Words from the least to the greatest demand. */
static void compare_words(struct diff_run *run, const struct diff_pair *pair,
                          const struct names *names, bool up_widens)
{
    int was;
    int is;
    const char *before = pair->was != NULL ? json_string_value(pair->was) : NULL;
    const char *after = pair->is != NULL ? json_string_value(pair->is) : NULL;
    if (before == NULL || after == NULL || name_parse(names, before, &was, NULL) != OK ||
        name_parse(names, after, &is, NULL) != OK)
        unknown(run, pair);
    else
        diff_report(run, pair, (is > was) == up_widens ? DIFF_WIDENS : DIFF_NARROWS);
}

static void higher_level_narrows(struct diff_run *run, const struct diff_pair *pair)
{
    compare_words(run, pair, &level_names, false);
}

static void off_widens(struct diff_run *run, const struct diff_pair *pair)
{
    static const char *const words[] = {"on", "off"};
    static const struct names names = NAMES("switch", words);
    compare_words(run, pair, &names, true);
}

static bool says(const json_t *value, const char *word)
{
    return json_is_string(value) && strcmp(json_string_value(value), word) == 0;
}

/* Another anchor is another word for who a machine is; only giving it up proves less. But with
 * "vtpm" a reference speaks of other evidence than without. */
static void anchor(struct diff_run *run, const struct diff_pair *pair)
{
    diff_report(run, pair,
                says(pair->is, "none") && !says(pair->was, "vtpm") ? DIFF_NARROWS : DIFF_WIDENS);
}

/* ---- lists --------------------------------------------------------------------------------- */

static bool is_any(const json_t *value)
{
    return value == NULL || says(value, "any");
}

static bool holds(const json_t *list, const json_t *item)
{
    size_t i;
    const json_t *other;
    if (json_is_string(list))
        return json_equal(list, item);
    json_array_foreach (json_looked_at(list), i, other)
        if (json_equal(other, item))
            return true;
    return false;
}

/* The items of `list` that are not in `other`; one value stands for a list of it. */
static json_t *missing_from(const json_t *list, const json_t *other)
{
    json_t *out = json_array();
    size_t i;
    json_t *item;
    if (json_is_string(list) && !holds(other, list))
        json_add_new(out, json_incref(json_looked_at(list)));
    json_array_foreach (json_looked_at(list), i, item)
        if (!holds(other, item) && !holds(out, item))
            json_add_new(out, json_incref(item));
    return out;
}

static void report_list(struct diff_run *run, const struct diff_pair *pair, enum diff_effect effect,
                        json_t *added, json_t *removed)
{
    diff_report(run, pair, effect);
    json_t *change = json_array_get(run->changes, json_array_size(run->changes) - 1);
    json_object_del(change, "was");
    json_object_del(change, "is");
    if (json_array_size(added) > 0)
        put_value(change, "added", added);
    if (json_array_size(removed) > 0)
        put_value(change, "removed", removed);
}

/* `more`: the effect of an item more. A list that loses and gains does both, so it widens. */
static void compare_lists(struct diff_run *run, const struct diff_pair *pair, bool more_passes)
{
    OWNED(json_drop) json_t *was = meant(pair, pair->was);
    OWNED(json_drop) json_t *is = meant(pair, pair->is);
    if (is_any(was) || is_any(is)) {
        enum diff_effect effect = DIFF_NEITHER;
        if (!is_any(was) || !is_any(is))
            effect = is_any(is) == more_passes ? DIFF_WIDENS : DIFF_NARROWS;
        diff_report(run, pair, effect);
        return;
    }
    OWNED(json_drop) json_t *added = missing_from(is, was);
    OWNED(json_drop) json_t *removed = missing_from(was, is);
    const bool widens = json_array_size(more_passes ? added : removed) > 0;
    const bool narrows = json_array_size(more_passes ? removed : added) > 0;
    enum diff_effect effect = widens ? DIFF_WIDENS : DIFF_NARROWS;
    report_list(run, pair, widens || narrows ? effect : DIFF_NEITHER, added, removed);
}

static void lets_in(struct diff_run *run, const struct diff_pair *pair)
{
    compare_lists(run, pair, true);
}

static void keeps_out(struct diff_run *run, const struct diff_pair *pair)
{
    compare_lists(run, pair, false);
}

/* ---- references ---------------------------------------------------------------------------- */

/* Hex in whichever letters. */
static bool holds_hex(const json_t *list, const char *hex)
{
    size_t i;
    const json_t *item;
    json_array_foreach (json_looked_at(list), i, item)
        if (hex != NULL && json_is_string(item) && strcasecmp(json_string_value(item), hex) == 0)
            return true;
    return false;
}

static bool share_a_value(const json_t *one, const json_t *other)
{
    size_t i;
    const json_t *item;
    if (is_any(one) || is_any(other))
        return true;
    json_array_foreach (json_looked_at(one), i, item)
        if (holds_hex(other, json_string_value(item)))
            return true;
    return false;
}

static const json_t *find_in(const json_t *charter, const char *group, const char *name)
{
    return json_object_get(json_object_get(charter, group), name);
}

/* Does a policy that named `gone` name another reference that speaks for one of its values? */
static bool policy_has_another(const struct diff_run *run, const char *policy, const char *gone,
                               const json_t *values)
{
    size_t i;
    const json_t *item;
    OWNED(json_drop) json_t *word = json_string(gone);
    if (!holds(json_object_get(find_in(run->was, "policies", policy), "references"), word))
        return false;
    const json_t *list = json_object_get(find_in(run->is, "policies", policy), "references");
    json_array_foreach (json_looked_at(list), i, item) {
        const json_t *other = find_in(run->is, "references", json_string_value(item));
        if (!json_equal(item, word) && !json_is_true(json_object_get(other, "retired")) &&
            share_a_value(values, json_object_get(other, "measurement")))
            return true;
    }
    return false;
}

/* An image is worth the least that its references say: where a value of the one that goes stands
 * in another too, what is left may say more. */
static bool another_speaks_for(const struct diff_run *run, const char *gone)
{
    const json_t *values = json_object_get(find_in(run->was, "references", gone), "measurement");
    const char *policy;
    json_t *value;
    json_object_foreach (json_looked_at(json_object_get(run->is, "policies")), policy, value)
        if (policy_has_another(run, policy, gone, values))
            return true;
    return false;
}

/* "/references/NAME/...": NAME. */
static void reference_of(const char *path, char out[static NAME_SIZE])
{
    const char *name = path + strlen("/references/");
    snprintf(out, NAME_SIZE, "%.*s", (int)strcspn(name, "/"), name);
}

static const char says_more[] =
    "another reference stands for the same measurement, and what is left may say more of it";

static void soften(struct diff_run *run, bool another)
{
    json_t *change = json_array_get(run->changes, json_array_size(run->changes) - 1);
    const char *effect = json_string_value(json_object_get(change, "effect"));
    if (!another || strcmp(effect, "narrows") != 0)
        return;
    json_put_text(change, "effect", "widens");
    json_put_text(change, "why", says_more);
}

static void measurement(struct diff_run *run, const struct diff_pair *pair)
{
    char name[NAME_SIZE];
    reference_of(pair->path, name);
    lets_in(run, pair);
    soften(run, another_speaks_for(run, name));
}

static void retired(struct diff_run *run, const struct diff_pair *pair)
{
    char name[NAME_SIZE];
    reference_of(pair->path, name);
    on_narrows(run, pair);
    soften(run, another_speaks_for(run, name));
}

static void end_of_reference(struct diff_run *run, const struct diff_pair *pair)
{
    char name[NAME_SIZE];
    reference_of(pair->path, name);
    later_widens(run, pair);
    soften(run, another_speaks_for(run, name));
}

static bool policy_names(const json_t *charter, const char *name)
{
    const char *key;
    json_t *policy;
    OWNED(json_drop) json_t *word = json_string(name);
    json_object_foreach (json_looked_at(json_object_get(charter, "policies")), key, policy)
        if (holds(json_object_get(policy, "references"), word))
            return true;
    return false;
}

static void references_of_policy(struct diff_run *run, const struct diff_pair *pair)
{
    bool another = false;
    OWNED(json_drop) json_t *removed = missing_from(pair->was, pair->is);
    size_t i;
    const json_t *item;
    json_array_foreach (removed, i, item)
        another = another || another_speaks_for(run, json_string_value(item));
    lets_in(run, pair);
    soften(run, another);
}

/* ---- objects with names -------------------------------------------------------------------- */

static void descend(struct diff_run *run, const char *path, const json_t *was, const json_t *is);

static void named(struct diff_run *run, const struct diff_pair *pair)
{
    if (json_is_object(pair->was) && json_is_object(pair->is))
        descend(run, pair->path, pair->was, pair->is);
    else
        diff_report(run, pair, pair->was == NULL ? DIFF_WIDENS : DIFF_NARROWS);
}

static void reference(struct diff_run *run, const struct diff_pair *pair)
{
    char name[NAME_SIZE];
    reference_of(pair->path, name);
    if (pair->was == NULL && !policy_names(run->is, name)) {
        json_t *change = diff_add(run, pair->path, DIFF_NEITHER, "no policy names it");
        put_value(change, "is", pair->is);
        return;
    }
    named(run, pair);
    if (pair->is == NULL)
        soften(run, another_speaks_for(run, name));
}

/* ---- what is known ------------------------------------------------------------------------- */

/* clang-format off */
static const struct diff_rule rules[] = {
    {"/serial", renews, NULL, NULL, NULL},
    {"/issued", renews, NULL, NULL, NULL},
    {"/expires", renews, NULL, NULL, NULL},
    {"/keepers", lets_in, NULL, "another keeper may release", "a keeper may release no more"},
    {"/simulator_roots", lets_in, "[]", "another simulator counts", "a simulator counts no more"},
    {"/custody/*", unknown, NULL, "who holds keeper and key decides the level, and is the owner's to judge", NULL},
    {"/tcb_floors", diff_shared_floors, NULL, NULL, NULL},
    {"/deny/*", keeps_out, "[]", "what was denied passes", "more is denied"},
    {"/clouds/*/accounts", lets_in, NULL, "another account counts as ours", "an account counts as ours no more"},

    {"/references/*", reference, NULL, "a policy takes it already", "its measurements pass no more"},
    {"/references/*/measurement", measurement, NULL, "other software passes", "software passes no more"},
    {"/references/*/measured_boot", on_widens, "false", "its software counts as proven", "its software counts as unproven"},
    {"/references/*/anchor", anchor, NULL, "something else tells which machine it is", "nothing tells which machine it is"},
    {"/references/*/provider_execution", off_widens, NULL, "the provider is said to run no code in it", "the provider is said to run code in it"},
    {"/references/*/retired", retired, "false", "a retired image passes again", "the image passes no more"},

    {"/references/*/expires", end_of_reference, NULL, "its measurements pass for longer", "its measurements pass for less long"},

    {"/policies/*", named, NULL, "another way to pass", "its verdicts open nothing more"},
    {"/policies/*/name", neither, NULL, NULL, NULL},
    {"/policies/*/description", neither, NULL, NULL, NULL},
    {"/policies/*/valid_seconds", more_widens, NULL, "a verdict counts for longer", "a verdict counts for less long"},
    {"/policies/*/references", references_of_policy, NULL, "the policy takes other images", "the policy takes fewer images"},
    {"/policies/*/snp/allow_debug", on_widens, "false", "the host may read such guests", "debug mode is refused"},
    {"/policies/*/snp/allow_migration_agent", on_widens, "false", "a migration agent may move such guests", "migration agents are refused"},
    {"/policies/*/snp/allow_smt", on_widens, "true", "guests may share cores", "guests that may share cores are refused"},
    {"/policies/*/snp/max_vmpl", more_widens, "0", "less privileged parts of a guest pass", "only more privileged parts of a guest pass"},
    {"/policies/*/snp/signing_keys", lets_in, NULL, "another kind of signing key counts", "a kind of signing key counts no more"},
    {"/policies/*/snp/vlek_csp_id", lets_in, NULL, "another provider's keys count", "a provider's keys count no more"},
    {"/policies/*/snp/min_tcb", diff_floors, NULL, NULL, NULL},
    {"/policies/*/snp/forbid_platform_info", keeps_out, "[]", "the platform may be what it might not", "the platform may be less"},
    {"/policies/*/snp/require_platform_info", keeps_out, "[]", "the platform may lack what it had to have", "the platform must have more"},
    {"/policies/*/snp/forbid_guest_policy", keeps_out, "[]", "the guest may be launched with leave it might not have", "the guest may be launched with less leave"},
    {"/policies/*/snp/require_guest_policy", keeps_out, "[]", "the guest may be launched without what it had to have", "the guest must be launched with more safeguards"},
    {"/policies/*/snp/require_launch_mit_vector", keeps_out, "[]", "a mitigation may be lacking at launch", "more mitigations must be there at launch"},
    {"/policies/*/snp/require_current_mit_vector", keeps_out, "[]", "a mitigation may be lacking", "more mitigations must be there"},
    {"/policies/*/snp/require_committed_tcb", on_narrows, "false", "hosts may go back to what was before", "hosts must have committed to what they run"},
    {"/policies/*/snp/min_guest_svn", less_widens, "0", "older guests of the same signer pass", "older guests of the same signer are refused"},
    {"/policies/*/snp/chip_id", lets_in, NULL, "other chips pass", "fewer chips pass"},
    {"/policies/*/snp/report_data", lets_in, NULL, "other report data passes", "less report data passes"},
    {"/policies/*/snp/host_data", lets_in, NULL, "other host data passes", "less host data passes"},
    {"/policies/*/snp/id_key_digest", lets_in, NULL, "other ID keys count", "fewer ID keys count"},
    {"/policies/*/snp/author_key_digest", lets_in, NULL, "other author keys count", "fewer author keys count"},
    {"/policies/*/snp/require_crl", on_narrows, "false", "revocation need not be looked at", "revocation must be looked at"},
    {"/policies/*/snp/max_age_seconds", more_widens, NULL, "older evidence passes", "only younger evidence passes"},
    {"/policies/*/azure/pcrs/*", lets_in, NULL, "the register may have other values", "the register may have fewer values"},
    {"/policies/*/azure/require_secure_boot", on_narrows, "false", "secure boot need not be proven", "secure boot must be proven"},
    {"/policies/*/azure/boot_components/*", lets_in, "[]", "something else may start the machine", "less may start the machine"},
    {"/policies/*/vtpm/pcrs/*", lets_in, NULL, "the register may have other values", "the register may have fewer values"},
    {"/policies/*/vtpm/require_secure_boot", on_narrows, "false", "secure boot need not be proven", "secure boot must be proven"},
    {"/policies/*/vtpm/boot_components/*", lets_in, "[]", "something else may start the machine", "less may start the machine"},
    {"/policies/*/vtpm/roots", lets_in, NULL, "another word counts for a vTPM", "a word counts for a vTPM no more"},
    {"/policies/*/vtpm/ak_ca", lets_in, "[]", "another authority certifies vTPMs", "an authority certifies vTPMs no more"},
    {"/policies/*/vtpm/svsm_measurements", lets_in, "[]", "another launch counts as an SVSM", "a launch counts as an SVSM no more"},

    {"/grants/*", named, NULL, "another grant", "it gives nothing more"},
    {"/grants/*/policies", lets_in, NULL, "guests of another policy get it", "guests of a policy get it no more"},
    {"/grants/*/least_level", higher_level_narrows, NULL, "a lower level is enough", "a higher level is asked for"},
    {"/grants/*/accounts", lets_in, NULL, "another account gets it", "an account gets it no more"},
    {"/grants/*/regions", lets_in, NULL, "another region gets it", "a region gets it no more"},
    {"/grants/*/fleets", lets_in, NULL, "another fleet gets it", "a fleet gets it no more"},
    {"/grants/*/max_verdict_age_seconds", more_widens, NULL, "an older verdict is enough", "only a younger verdict is enough"},
    {"/grants/*/allow_unproven_software", on_widens, "false", "guests whose software nothing proves get it", "only proven software gets it"},

    {"/relying_parties/*", named, NULL, "guests get passports for another relying party", "no guest gets a passport for it"},
    {"/relying_parties/*/audience", unknown, NULL, "its passports are for somebody else", NULL},
    {"/relying_parties/*/policies", lets_in, NULL, "guests of another policy get its passports", "guests of a policy get its passports no more"},
    {"/relying_parties/*/least_level", higher_level_narrows, NULL, "a lower level is enough", "a higher level is asked for"},
    {"/relying_parties/*/max_verdict_age_seconds", more_widens, NULL, "an older verdict is enough", "only a younger verdict is enough"},
    {"/relying_parties/*/valid_seconds", more_widens, NULL, "its passports count for longer", "its passports count for less long"},
    {"/relying_parties/*/allow_unproven_software", on_widens, "false", "guests whose software nothing proves get its passports", "only proven software gets its passports"},
};
/* clang-format on */

static bool matches(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        const size_t step = strcspn(pattern + 1, "/");
        const size_t len = strcspn(path + 1, "/");
        const bool any = step == 1 && pattern[1] == '*';
        if (!any && (step != len || memcmp(pattern + 1, path + 1, len) != 0))
            return false;
        pattern += step + 1;
        path += len + 1;
    }
    return *pattern == '\0' && *path == '\0';
}

static const struct diff_rule *rule_for(const char *path)
{
    for (size_t i = 0; i < countof(rules); i++)
        if (matches(rules[i].pattern, path))
            return &rules[i];
    return NULL;
}

static void compare(struct diff_run *run, const char *path, const json_t *was, const json_t *is)
{
    const struct diff_rule *rule = rule_for(path);
    const struct diff_pair pair = {.rule = rule, .path = path, .was = was, .is = is};
    if (was != NULL && is != NULL && json_equal(was, is))
        return;
    if (rule != NULL)
        rule->compare(run, &pair);
    else if (json_is_object(was) && json_is_object(is))
        descend(run, path, was, is);
    else
        unknown(run, &pair);
}

static void step_down(struct diff_run *run, const char *path, const char *name, const json_t *was,
                      const json_t *is)
{
    OWNED(text_done) struct text below = {0};
    text_addf(&below, "%s/%s", path, name);
    compare(run, text_str(&below), was, is);
}

static void descend(struct diff_run *run, const char *path, const json_t *was, const json_t *is)
{
    const char *name;
    json_t *value;
    json_object_foreach (json_looked_at(was), name, value)
        step_down(run, path, name, value, json_object_get(is, name));
    json_object_foreach (json_looked_at(is), name, value)
        if (json_object_get(was, name) == NULL)
            step_down(run, path, name, NULL, value);
}

json_t *charter_diff(const json_t *was, const json_t *is)
{
    struct diff_run run = {.was = was, .is = is, .changes = json_array()};
    descend(&run, "", was, is);
    return run.changes;
}

size_t charter_diff_count(const json_t *changes, enum diff_effect effect)
{
    size_t count = 0, i;
    const json_t *change;
    json_array_foreach (json_looked_at(changes), i, change)
        count += says(json_object_get(change, "effect"), name_of(&diff_effect_names, (int)effect));
    return count;
}
