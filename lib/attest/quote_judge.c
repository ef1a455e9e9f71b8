#include "lib/attest/quote_judge.h"

#include <string.h>

#include "lib/attest/nitro_document.h"

enum { LOADERS = 4, SECURE_BOOT = 7 };

void quote_hearing_done(struct quote_hearing *h)
{
    boot_facts_done(&h->facts);
    bytes_done(&h->loaders);
}

/* ---- the quote ------------------------------------------------------------------------------ */

void quote_check_format(struct quote_hearing *h)
{
    static const char name[] = "quote-format";
    struct error why = {0};
    if (!h->in->has_quote) {
        verdict_skip(h->out, name, "no quote was given");
        return;
    }
    h->has_quote = tpm_quote_read(h->in->quote, &h->quote, &why) == OK;
    if (h->has_quote)
        verdict_pass(h->out, name, "a TPM's quote");
    else
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
}

void quote_check_nonce(struct quote_hearing *h)
{
    static const char name[] = "nonce";
    if (!h->in->has_nonce)
        verdict_skip(h->out, name, "not asked for");
    else if (!h->has_quote)
        verdict_refuse(h->out, name, REASON_NONCE_MISMATCH, "no quote answers it");
    else if (!span_equal(h->quote.extra_data, h->in->nonce))
        verdict_refuse(h->out, name, REASON_NONCE_MISMATCH, "the quote's extra data is another");
    else
        verdict_pass(h->out, name, "the quote's extra data");
}

/* ---- the registers -------------------------------------------------------------------------- */

static bool read_registers(const json_t *list, struct pcr_values *out)
{
    if (json_array_size(list) != PCR_COUNT)
        return false;
    for (size_t i = 0; i < PCR_COUNT; i++) {
        const char *hex = json_string_value(json_array_get(list, i));
        if (hex == NULL || hex_decode_exact(hex, out->value[i], SHA256_SIZE, NULL) != OK)
            return false;
    }
    return true;
}

static bool check_registers_format(struct quote_hearing *h, struct pcr_values *out)
{
    static const char name[] = "registers-format";
    if (h->in->pcrs == NULL) {
        verdict_skip(h->out, name, "no registers were given");
        return false;
    }
    const bool readable = read_registers(h->in->pcrs, out);
    if (readable)
        verdict_pass(h->out, name, "24 SHA-256 values");
    else
        verdict_refuse(h->out, name, REASON_MALFORMED, "not 24 SHA-256 values in hex");
    return readable;
}

/* One selection, of SHA-256: then its digest is over those registers in the order of their index.
 */
static bool quote_covers(const struct tpm_quote *quote, const struct pcr_values *values)
{
    uint8_t hash[SHA256_SIZE];
    OWNED(bytes_done) struct bytes joined = {0};
    if (quote->selection_count != 1 || quote->selections[0].algorithm != TPM_ALG_SHA256)
        return false;
    for (size_t i = 0; i < PCR_COUNT; i++)
        if ((quote->selections[0].registers >> i & 1) != 0)
            bytes_add(&joined, SPAN(values->value[i], SHA256_SIZE));
    digest(DIGEST_SHA256, bytes_span(&joined), hash);
    return span_equal(quote->pcr_digest, SPAN_OF(hash));
}

/* A register counts only where the quote selects it. */
void quote_check_registers(struct quote_hearing *h)
{
    static const char name[] = "registers";
    OWNED(mem_drop) struct pcr_values *values = NEW(struct pcr_values);
    const bool readable = check_registers_format(h, values);
    if (!readable || !h->has_quote)
        verdict_skip(h->out, name, "no registers or no quote");
    else if (!quote_covers(&h->quote, values))
        verdict_refuse(h->out, name, REASON_PCR_MISMATCH,
                       "the quote's digest is not over these registers");
    else
        verdict_pass(h->out, name, "the quote's digest is over them");
    if (!verdict_passed(h->out, name))
        return;
    h->bank = BANK_SHA256;
    for (size_t i = 0; i < PCR_COUNT; i++)
        values->has[i] = (h->quote.selections[0].registers >> i & 1) != 0;
    h->registers = *values;
}

void quote_take_document(struct quote_hearing *h, const struct nitro_document *document)
{
    h->bank = BANK_SHA384;
    for (size_t i = 0; i < PCR_COUNT; i++) {
        const struct nitro_pcr *pcr = &document->pcrs[i];
        h->registers.has[i] = pcr->len == SHA384_SIZE;
        if (h->registers.has[i])
            memcpy(h->registers.value[i], pcr->value, SHA384_SIZE);
    }
}

static struct span register_value(const struct quote_hearing *h, size_t pcr)
{
    const bool there = pcr < PCR_COUNT && h->registers.has[pcr];
    return there ? SPAN(h->registers.value[pcr], bank_size(h->bank)) : (struct span){0};
}

/* ---- the log -------------------------------------------------------------------------------- */

static bool has_registers(const struct quote_hearing *h)
{
    for (size_t i = 0; i < FIRMWARE_PCRS; i++)
        if (h->registers.has[i])
            return true;
    return false;
}

/* A log without events in this bank leads to where a TPM starts. */
static void follow(struct quote_hearing *h, const struct event_replay *replay)
{
    for (size_t i = 0; i < PCR_COUNT; i++)
        h->led[i] = h->registers.has[i] &&
                    span_equal(register_value(h, i),
                               SPAN(replay->banks[h->bank].value[i], bank_size(h->bank)));
}

static void check_log_registers(struct quote_hearing *h)
{
    static const char name[] = "log-registers";
    size_t led = 0;
    if (!has_registers(h)) {
        verdict_skip(h->out, name, "nobody vouches for registers of the firmware");
        return;
    }
    for (size_t i = 0; i < PCR_COUNT; i++) {
        if (i < FIRMWARE_PCRS && h->registers.has[i] && !h->led[i]) {
            verdict_add(h->out, name, CHECK_FAIL, REASON_PCR_MISMATCH,
                        "the log does not lead to PCR%zu", i);
            return;
        }
        led += h->led[i];
    }
    verdict_add(h->out, name, CHECK_PASS, REASON_OK, "it leads to %zu registers", led);
}

static void check_event_data(struct quote_hearing *h, const struct event_replay *replay)
{
    static const char name[] = "event-data";
    if (replay->wrong == 0)
        verdict_pass(h->out, name, "what defines its digest has it");
    else
        verdict_add(h->out, name, CHECK_FAIL, REASON_EVENT_DIGEST_MISMATCH,
                    "%zu events, the first of type 0x%x in PCR%u", replay->wrong,
                    replay->wrong_type, replay->wrong_pcr);
}

static void skip_log(struct quote_hearing *h)
{
    verdict_skip(h->out, "log-registers", "no log");
    verdict_skip(h->out, "event-data", "no log");
}

void quote_check_log(struct quote_hearing *h)
{
    static const char name[] = "log-format";
    OWNED(mem_drop) struct event_replay *replay = NEW(struct event_replay);
    struct error why = {0};
    if (h->in->log.len == 0) {
        verdict_skip(h->out, name, "no log was given");
        skip_log(h);
        return;
    }
    if (h->in->log.len > QUOTE_LOG_MAX)
        error_ignore(fail(&why, ERR_INVALID, "a log of %zu bytes", h->in->log.len));
    else
        h->has_log = event_log_replay(h->in->log, replay, &why) == OK;
    if (!h->has_log) {
        verdict_refuse(h->out, name, REASON_MALFORMED, why.text);
        skip_log(h);
        return;
    }
    verdict_add(h->out, name, CHECK_PASS, REASON_OK, "%zu events", replay->events);
    follow(h, replay);
    check_log_registers(h);
    check_event_data(h, replay);
    boot_facts_read(h->in->log, h->bank, &h->facts);
    if (!h->led[SECURE_BOOT])
        h->facts.secure_boot = SECURE_BOOT_UNKNOWN;
    if (h->led[LOADERS])
        boot_loaders_read(h->in->log, h->bank, &h->loaders);
}

/* ---- the policy ----------------------------------------------------------------------------- */

static bool asks_registers(const struct quote_hearing *h)
{
    const struct boot_rules *rules = h->in->rules;
    if (rules == NULL || rules->pcrs.any)
        return false;
    return rules->pcrs.said || (h->in->mode == POLICY_WHOLE && rules->component_count == 0);
}

static void check_policy_pcrs(struct quote_hearing *h)
{
    const char *name = name_of(&reason_names, REASON_POLICY_PCR);
    size_t right = 0;
    if (!asks_registers(h)) {
        verdict_skip(h->out, name, "not asked for");
        return;
    }
    for (size_t i = 0; i < POLICY_PCRS; i++) {
        const enum pcr_answer answer =
            pcr_rules_check(&h->in->rules->pcrs, i, register_value(h, i));
        if (answer == PCR_WRONG) {
            verdict_add(h->out, name, CHECK_FAIL, REASON_POLICY_PCR,
                        "PCR%zu is another, or no quote covers it", i);
            return;
        }
        right += answer == PCR_RIGHT;
    }
    if (right == 0 && h->in->mode == POLICY_WHOLE)
        verdict_refuse(h->out, name, REASON_POLICY_PCR, "the policy names no PCR");
    else
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "%zu as they should be", right);
}

static void check_secure_boot(struct quote_hearing *h)
{
    const char *name = name_of(&reason_names, REASON_POLICY_SECURE_BOOT);
    if (h->in->rules == NULL || !h->in->rules->require_secure_boot)
        verdict_skip(h->out, name, "not asked for");
    else if (h->facts.secure_boot != SECURE_BOOT_ON)
        verdict_add(h->out, name, CHECK_FAIL, REASON_POLICY_SECURE_BOOT,
                    "secure boot is %s by what the log proves",
                    name_of(&secure_boot_names, (int)h->facts.secure_boot));
    else
        verdict_pass(h->out, name, "on, as the firmware measured it");
}

/* Every digest in the loaders' register, whatever its event calls itself. */
static void check_components(struct quote_hearing *h)
{
    const char *name = name_of(&reason_names, REASON_POLICY_BOOT_COMPONENT);
    const size_t size = bank_size(h->bank);
    const struct span all = bytes_span(&h->loaders);
    if (h->in->rules == NULL || h->in->rules->component_count == 0) {
        verdict_skip(h->out, name, "not asked for");
        return;
    }
    for (size_t at = 0; at < all.len; at += size) {
        const struct span one = span_part(all, at, size);
        OWNED(mem_drop) char *hex = hex_of(one);
        if (boot_rules_component(h->in->rules, one) != NULL)
            continue;
        verdict_add(h->out, name, CHECK_FAIL, REASON_POLICY_BOOT_COMPONENT, "%s is not named", hex);
        return;
    }
    if (all.len == 0)
        verdict_refuse(h->out, name, REASON_POLICY_BOOT_COMPONENT,
                       "no log proves what started the machine");
    else
        verdict_add(h->out, name, CHECK_PASS, REASON_OK, "%zu, each of them named", all.len / size);
}

void quote_check_policy(struct quote_hearing *h)
{
    check_policy_pcrs(h);
    check_secure_boot(h);
    check_components(h);
}

/* The loaders alone: the firmware extends 4 before anything else runs. Later ones start at zero and
 * are extended by what was started, so that another system brings them to any value it has seen;
 * they count beside 4, as every other does. 16 and 23 are the guest's own to reset. */
bool quote_pins_boot(const struct quote_hearing *h)
{
    const struct boot_rules *rules = h->in->rules;
    if (rules == NULL)
        return false;
    const bool measured = !span_is_zero(register_value(h, LOADERS)); /* else nobody extended it */
    return (rules->pcrs.at[LOADERS].count > 0 && measured &&
            verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_PCR))) ||
           verdict_passed(h->out, name_of(&reason_names, REASON_POLICY_BOOT_COMPONENT));
}

/* ---- claims --------------------------------------------------------------------------------- */

static json_t *loaders_to_json(const struct quote_hearing *h)
{
    json_t *list = json_array();
    const struct span all = bytes_span(&h->loaders);
    for (size_t at = 0; at < all.len; at += bank_size(h->bank)) {
        const struct span one = span_part(all, at, bank_size(h->bank));
        const char *name = h->in->rules != NULL ? boot_rules_component(h->in->rules, one) : NULL;
        json_t *item = json_object();
        json_put_hex(item, "digest", one);
        if (name != NULL)
            json_put_text(item, "name", name);
        json_add_new(list, item);
    }
    return list;
}

void quote_put_claims(const struct quote_hearing *h, json_t *claims)
{
    if (h->has_quote)
        json_put_new(claims, "quote", tpm_quote_to_json(&h->quote));
    if (!h->has_log)
        return;
    json_t *boot = json_object();
    json_put_text(boot, "secure_boot", name_of(&secure_boot_names, (int)h->facts.secure_boot));
    json_put_new(boot, "loaders", loaders_to_json(h));
    json_put_new(claims, "boot", boot);
}
