#include <string.h>

#include "lib/model/policy_inside.h"

static enum outcome add_value(struct pcr_rule *rule, const struct policy_path *where,
                              const json_t *item, struct error *err)
{
    OWNED(bytes_done) struct bytes value = {0};
    const char *text = json_string_value(item);
    if (rule->count == POLICY_PCR_VALUES)
        return policy_refuse(where, err, "too many values");
    if (text == NULL || hex_decode(text, &value, NULL) != OK ||
        (value.len != 32 && value.len != 48 && value.len != 64))
        return policy_refuse(where, err, "not the value of a PCR in hex");
    memcpy(rule->at[rule->count], value.at, value.len);
    rule->len[rule->count++] = value.len;
    return OK;
}

/* One value or a list of values; an empty list would accept nothing and is a mistake. */
static enum outcome read_rule(const char *path, const char *index, const json_t *value,
                              struct nitro_policy *out, struct error *err)
{
    const struct policy_path where = policy_below(path, index);
    int64_t number;
    if (number_parse(index, 0, POLICY_PCRS - 1, &number, NULL) != OK)
        return policy_refuse(&where, err, "not the number of a PCR");
    struct pcr_rule *rule = &out->pcrs[number];
    if (!json_is_array(value))
        return add_value(rule, &where, value, err);
    size_t i;
    json_t *item;
    json_array_foreach (json_looked_at(value), i, item)
        TRY(add_value(rule, &where, item, err));
    return rule->count > 0 ? OK : policy_refuse(&where, err, "names no value");
}

/* "any" or {"0": HEX, "8": [HEX, HEX]}. */
static enum outcome read_pcrs(const json_t *o, const char *path, struct nitro_policy *out,
                              struct error *err)
{
    const struct policy_path where = policy_below(path, "pcrs");
    const json_t *value = json_object_get(o, "pcrs");
    if (value == NULL)
        return OK;
    out->says_pcrs = true;
    const char *text = json_string_value(value);
    out->any_pcr = text != NULL && strcmp(text, "any") == 0;
    if (out->any_pcr)
        return OK;
    if (!json_is_object(value))
        return policy_refuse(&where, err, "neither \"any\" nor values by number");
    const char *index;
    json_t *rule;
    json_object_foreach (json_looked_at(value), index, rule)
        TRY(read_rule(where.at, index, rule, out, err));
    return OK;
}

static enum outcome read_nonce(const json_t *o, const char *path, struct nitro_policy *out,
                               struct error *err)
{
    OWNED(bytes_done) struct bytes value = {0};
    const char *text;
    if (!policy_has(o, "nonce"))
        return OK;
    TRY(json_get_text(o, path, "nonce", 2 * POLICY_NONCE_MAX, &text, err));
    if (hex_decode(text, &value, NULL) != OK) {
        const struct policy_path where = policy_below(path, "nonce");
        return policy_refuse(&where, err, "not hex");
    }
    out->has_nonce = true;
    out->nonce_len = value.len;
    if (value.len > 0)
        memcpy(out->nonce, value.at, value.len);
    return OK;
}

enum outcome policy_read_nitro(const json_t *o, const char *path, struct nitro_policy *out,
                               struct error *err)
{
    static const char *const members[] = {"allow_debug", "pcrs", "nonce", "max_age_seconds", NULL};
    TRY(json_only(o, path, members, err));
    TRY(policy_read_say(o, path, "allow_debug", &out->allow_debug, err));
    TRY(read_pcrs(o, path, out, err));
    TRY(read_nonce(o, path, out, err));
    if (policy_has(o, "max_age_seconds"))
        TRY(json_get_int(o, path, "max_age_seconds", 1, INT32_MAX, &out->max_age_seconds, err));
    return OK;
}

bool policy_allows_nitro_debug(const struct nitro_policy *p)
{
    return policy_allows(p->mode, p->allow_debug, false);
}
