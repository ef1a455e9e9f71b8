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
        return policy_refuse(where, err, "not a digest in hex");
    memcpy(rule->at[rule->count], value.at, value.len);
    rule->len[rule->count++] = value.len;
    return OK;
}

/* An empty list would accept nothing and is a mistake. */
enum outcome policy_read_values(const json_t *value, const struct policy_path *where,
                                struct pcr_rule *out, struct error *err)
{
    size_t i;
    json_t *item;
    if (!json_is_array(value))
        return add_value(out, where, value, err);
    json_array_foreach (json_looked_at(value), i, item)
        TRY(add_value(out, where, item, err));
    return out->count > 0 ? OK : policy_refuse(where, err, "names no value");
}

static enum outcome read_rule(const char *path, const char *index, const json_t *value,
                              struct pcr_rules *out, struct error *err)
{
    const struct policy_path where = policy_below(path, index);
    int64_t number;
    if (number_parse(index, 0, POLICY_PCRS - 1, &number, NULL) != OK)
        return policy_refuse(&where, err, "not the number of a PCR");
    struct pcr_rule *rule = &out->at[number];
    if (rule->count > 0)
        return policy_refuse(&where, err, "says the same PCR again");
    return policy_read_values(value, &where, rule, err);
}

/* "any" or {"0": HEX, "8": [HEX, HEX]}. */
enum outcome policy_read_pcrs(const json_t *o, const char *path, struct pcr_rules *out,
                              struct error *err)
{
    const struct policy_path where = policy_below(path, "pcrs");
    const json_t *value = json_object_get(o, "pcrs");
    if (value == NULL)
        return OK;
    out->said = true;
    const char *text = json_string_value(value);
    out->any = text != NULL && strcmp(text, "any") == 0;
    if (out->any)
        return OK;
    if (!json_is_object(value))
        return policy_refuse(&where, err, "neither \"any\" nor values by number");
    const char *index;
    json_t *rule;
    json_object_foreach (json_looked_at(value), index, rule)
        TRY(read_rule(where.at, index, rule, out, err));
    return OK;
}

enum pcr_answer pcr_rules_check(const struct pcr_rules *rules, size_t pcr, struct span value)
{
    const struct pcr_rule *rule = &rules->at[pcr];
    if (rule->count == 0)
        return PCR_NOT_ASKED;
    for (size_t i = 0; i < rule->count; i++)
        if (span_equal(SPAN(rule->at[i], rule->len[i]), value))
            return PCR_RIGHT;
    return PCR_WRONG;
}
