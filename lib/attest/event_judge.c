#include "lib/attest/event_judge.h"

#include <stdio.h>
#include <string.h>

#include "lib/attest/boot_facts.h"

/* Of the events that name a kernel, the first few, cut to a length. */
enum { KERNEL_EVENTS_MAX = 4, KERNEL_TEXT_MAX = 400, FACTS_PCR = 7 };

/* Of the types that a log may invent for each event, so many are counted by name. */
enum { TYPES_MAX = 64 };

/* ---- registers ------------------------------------------------------------------------------ */

static enum outcome read_value(const char *bank_word, const char *index, const json_t *value,
                               enum bank bank, struct pcr_values *out, struct error *err)
{
    char where[ERROR_WHERE_SIZE];
    int64_t pcr;
    snprintf(where, sizeof where, "/%.16s/%.16s", bank_word, index);
    const char *hex = json_string_value(value);
    if (number_parse(index, 0, PCR_COUNT - 1, &pcr, NULL) != OK)
        return fail_at(err, ERR_INVALID, "wrong-value", where, "%s: not a register", where);
    if (hex == NULL || hex_decode_exact(hex, out->value[pcr], bank_size(bank), NULL) != OK)
        return fail_at(err, ERR_INVALID, "wrong-value", where, "%s: not a value in hex", where);
    out->has[pcr] = true;
    return OK;
}

enum outcome pcr_set_from_json(const json_t *value, struct pcr_set *out, struct error *err)
{
    const char *word;
    json_t *registers;
    if (!json_is_object(value))
        return fail_at(err, ERR_INVALID, "wrong-type", "", "not registers by bank");
    json_object_foreach (json_looked_at(value), word, registers) {
        int bank;
        TRY(name_parse(&bank_names, word, &bank, err));
        if (!json_is_object(registers))
            return fail_at(err, ERR_INVALID, "wrong-type", "", "%s: not registers by number",
                           bank_names.words[bank]);
        const char *index;
        json_t *hex;
        json_object_foreach (registers, index, hex)
            TRY(read_value(word, index, hex, (enum bank)bank, &out->banks[bank], err));
    }
    return OK;
}

/* ---- checks --------------------------------------------------------------------------------- */

static bool is_same(const struct pcr_values *want, const struct event_replay *replay,
                    enum bank bank, int pcr)
{
    return !want->has[pcr] ||
           memcmp(want->value[pcr], replay->banks[bank].value[pcr], bank_size(bank)) == 0;
}

static void check_registers(const struct event_replay *replay, const struct pcr_set *expected,
                            struct verdict *out)
{
    static const char name[] = "registers";
    size_t compared = 0;
    if (expected == NULL) {
        verdict_add(out, name, CHECK_SKIP, REASON_OK, "no registers to compare with");
        return;
    }
    for (int bank = 0; bank < BANK_COUNT; bank++)
        for (int pcr = 0; pcr < PCR_COUNT; pcr++) {
            if (!is_same(&expected->banks[bank], replay, (enum bank)bank, pcr)) {
                verdict_add(out, name, CHECK_FAIL, REASON_PCR_MISMATCH,
                            "PCR%d of %s is another than the log leads to", pcr,
                            name_of(&bank_names, bank));
                return;
            }
            compared += expected->banks[bank].has[pcr];
        }
    if (compared == 0)
        verdict_add(out, name, CHECK_FAIL, REASON_PCR_MISMATCH, "no register was given");
    else
        verdict_add(out, name, CHECK_PASS, REASON_OK, "%zu registers", compared);
}

static void check_events(const struct event_replay *replay, struct verdict *out)
{
    static const char name[] = "event-data";
    if (replay->wrong == 0)
        verdict_add(out, name, CHECK_PASS, REASON_OK, "what defines its digest has it");
    else
        verdict_add(out, name, CHECK_FAIL, REASON_EVENT_DIGEST_MISMATCH,
                    "%zu events, the first of type 0x%x in PCR%u", replay->wrong,
                    replay->wrong_type, replay->wrong_pcr);
}

/* ---- claims --------------------------------------------------------------------------------- */

static json_t *values_to_json(const struct pcr_values *values, enum bank bank)
{
    json_t *out = json_object();
    char index[12];
    for (int pcr = 0; pcr < PCR_COUNT; pcr++) {
        snprintf(index, sizeof index, "%d", pcr);
        if (values->has[pcr])
            json_put_hex(out, index, SPAN(values->value[pcr], bank_size(bank)));
    }
    return out;
}

static void count_type(json_t *types, uint32_t type)
{
    char name[12];
    snprintf(name, sizeof name, "0x%x", type);
    if (json_object_get(types, name) == NULL && json_object_size(types) >= TYPES_MAX)
        snprintf(name, sizeof name, "other");
    json_put_int(types, name, json_integer_value(json_object_get(types, name)) + 1);
}

static bool names_kernel(struct span data)
{
    static const char *const words[] = {"vmlinuz", "kernel_cmdline"};
    for (size_t i = 0; i < countof(words); i++)
        if (data.len > 0 && memmem(data.at, data.len, words[i], strlen(words[i])) != NULL)
            return true;
    return false;
}

/* UTF-8 continues with 10xxxxxx: no character is cut in two. */
static struct span cut(struct span text)
{
    if (text.len <= KERNEL_TEXT_MAX)
        return text;
    text.len = KERNEL_TEXT_MAX;
    while (text.len > 0 && (text.at[text.len] & 0xc0) == 0x80)
        text.len--;
    return text;
}

static void add_kernel(json_t *list, const struct event *event)
{
    struct span text = event->data;
    if (event->type != EV_IPL || json_array_size(list) == KERNEL_EVENTS_MAX || !names_kernel(text))
        return;
    while (text.len > 0 && text.at[text.len - 1] == '\0')
        text.len--;
    text = cut(text);
    if (!text_is_clean(text))
        return;
    json_t *item = json_object();
    json_put_int(item, "pcr", event->pcr);
    json_put_span(item, "event", text);
    json_add_new(list, item);
}

static void put_events(struct span in, json_t *claims)
{
    struct event_log log;
    struct event event;
    bool done = false;
    json_t *types = json_object();
    json_t *kernel = json_array();
    json_t *names = json_array();
    if (event_log_open(in, &log, NULL) == OK) {
        for (int bank = 0; bank < BANK_COUNT; bank++)
            if (log.has_bank[bank])
                json_add_new(names, json_string(name_of(&bank_names, bank)));
        while (event_log_next(&log, &event, &done, NULL) == OK && !done) {
            count_type(types, event.type);
            add_kernel(kernel, &event);
        }
    }
    json_put_new(claims, "banks", names);
    json_put_new(claims, "event_types", types);
    json_put_new(claims, "kernel_events", kernel);
}

/* The bank that the facts are read in: the strongest that was given, or that the log has. SHA-1
 * proves nothing: two texts of one digest can be made. */
static enum bank bank_for_facts(const struct pcr_set *expected, const struct event_replay *replay)
{
    static const enum bank order[] = {BANK_SHA512, BANK_SHA384, BANK_SHA256};
    for (size_t i = 0; i < countof(order); i++)
        if (expected != NULL ? expected->banks[order[i]].has[FACTS_PCR]
                             : replay->banks[order[i]].has[FACTS_PCR])
            return order[i];
    return BANK_COUNT;
}

/* "proven" is for whoever knows that the registers are a verified quote's. */
static void put_facts(struct span log, const struct event_replay *replay,
                      const struct pcr_set *expected, bool led_there, json_t *claims)
{
    OWNED(boot_facts_done) struct boot_facts facts = {0};
    const enum bank bank = bank_for_facts(expected, replay);
    if (bank != BANK_COUNT)
        boot_facts_read(log, bank, &facts);
    json_put_text(claims, "secure_boot", name_of(&secure_boot_names, (int)facts.secure_boot));
    json_put_bool(claims, "secure_boot_proven",
                  led_there && facts.secure_boot != SECURE_BOOT_UNKNOWN);
    json_put_new(claims, "boot_components",
                 facts.components != NULL ? json_incref(facts.components) : json_array());
}

static json_t *claims_of(struct span log, const struct event_replay *replay, bool has_registers)
{
    json_t *claims = json_object();
    json_t *pcrs = json_object();
    for (int bank = 0; bank < BANK_COUNT; bank++) {
        OWNED(json_drop) json_t *values = values_to_json(&replay->banks[bank], (enum bank)bank);
        if (json_object_size(values) > 0)
            json_put_new(pcrs, name_of(&bank_names, bank), json_incref(values));
    }
    json_put_int(claims, "event_count", (int64_t)replay->events);
    json_put_int(claims, "parsed_bytes", (int64_t)log.len);
    json_put_text(claims, "pcr_source", has_registers ? "tpm" : "replay");
    json_put_new(claims, "pcrs", pcrs);
    put_events(log, claims);
    return claims;
}

void event_judge(struct span log, const struct pcr_set *expected, struct verdict *out)
{
    static const char name[] = "log-format";
    static const struct standing none = {0};
    OWNED(mem_drop) struct event_replay *replay = NEW(struct event_replay);
    struct error why = {0};
    *out = (struct verdict){0};
    const bool readable = event_log_replay(log, replay, &why) == OK;
    if (readable) {
        verdict_add(out, name, CHECK_PASS, REASON_OK, "%zu events", replay->events);
        check_registers(replay, expected, out);
        check_events(replay, out);
        out->claims = claims_of(log, replay, expected != NULL);
        const struct check *registers = verdict_check(out, "registers");
        put_facts(log, replay, expected, registers->result == CHECK_PASS, out->claims);
    } else {
        verdict_add(out, name, CHECK_FAIL, REASON_MALFORMED, "%s", why.text);
        verdict_add(out, "registers", CHECK_SKIP, REASON_OK, "no log");
        verdict_add(out, "event-data", CHECK_SKIP, REASON_OK, "no log");
        out->claims = json_object();
    }
    out->trusted = out->reason == REASON_OK;
    verdict_grade(out, &none);
}
