#include "lib/attest/tpm_quote.h"

#include <stdio.h>

#define malformed(err, ...) fail_code((err), ERR_INVALID, "malformed", __VA_ARGS__)
#define TPM_GENERATED UINT32_C(0xff544347)

enum { ST_ATTEST_QUOTE = 0x8018, SELECT_MAX = 4, PCR_LIMIT = 24 };

/* TPM2B: u16 length and bytes. */
static struct span read_sized(struct reader *in)
{
    return read_span(in, read_u16be(in));
}

static enum outcome read_selection(struct reader *in, struct tpm_selection *out, struct error *err)
{
    out->algorithm = read_u16be(in);
    const uint8_t size = read_u8(in);
    if (size > SELECT_MAX)
        return malformed(err, "a selection of %u bytes", size);
    for (uint8_t i = 0; i < size; i++)
        out->registers |= (uint32_t)read_u8(in) << (8 * i);
    if (out->registers >> PCR_LIMIT != 0)
        return malformed(err, "a selection of registers that do not exist");
    return OK;
}

static enum outcome read_selections(struct reader *in, struct tpm_quote *out, struct error *err)
{
    const uint32_t count = read_u32be(in);
    if (count > TPM_SELECTIONS_MAX)
        return malformed(err, "%u selections", count);
    out->selection_count = count;
    for (uint32_t i = 0; i < count; i++)
        TRY(read_selection(in, &out->selections[i], err));
    return OK;
}

enum outcome tpm_quote_read(struct span in, struct tpm_quote *out, struct error *err)
{
    struct reader reader = reader_of(in);
    *out = (struct tpm_quote){0};
    if (in.len > TPM_QUOTE_MAX)
        return malformed(err, "a quote of %zu bytes", in.len);
    const uint32_t magic = read_u32be(&reader);
    const uint16_t type = read_u16be(&reader);
    if (magic != TPM_GENERATED || type != ST_ATTEST_QUOTE)
        return malformed(err, "not a TPM's quote: magic 0x%x, type 0x%x", magic, type);
    out->qualified_signer = read_sized(&reader);
    out->extra_data = read_sized(&reader);
    out->clock = read_u64be(&reader);
    out->reset_count = read_u32be(&reader);
    out->restart_count = read_u32be(&reader);
    out->safe = read_u8(&reader);
    out->firmware_version = read_u64be(&reader);
    TRY(read_selections(&reader, out, err));
    out->pcr_digest = read_sized(&reader);
    if (reader.ran_short)
        return malformed(err, "a quote that ends in the middle");
    out->trailing = reader_left(&reader);
    return OK;
}

static json_t *selection_to_json(const struct tpm_selection *selection)
{
    char algorithm[8];
    json_t *out = json_object();
    json_t *registers = json_array();
    snprintf(algorithm, sizeof algorithm, "0x%04x", selection->algorithm);
    for (int i = 0; i < PCR_LIMIT; i++)
        if ((selection->registers >> i & 1) != 0)
            json_add_new(registers, json_integer(i));
    json_put_text(out, "alg", algorithm);
    json_put_new(out, "pcrs", registers);
    return out;
}

json_t *tpm_quote_to_json(const struct tpm_quote *quote)
{
    char version[20];
    json_t *out = json_object();
    json_t *selections = json_array();
    for (size_t i = 0; i < quote->selection_count; i++)
        json_add_new(selections, selection_to_json(&quote->selections[i]));
    snprintf(version, sizeof version, "0x%llx", (unsigned long long)quote->firmware_version);
    json_put_hex(out, "qualified_signer", quote->qualified_signer);
    json_put_hex(out, "extra_data", quote->extra_data);
    if (quote->clock <= INT64_MAX)
        json_put_int(out, "clock", (int64_t)quote->clock);
    json_put_int(out, "reset_count", quote->reset_count);
    json_put_int(out, "restart_count", quote->restart_count);
    json_put_int(out, "safe", quote->safe);
    json_put_text(out, "firmware_version", version);
    json_put_new(out, "pcr_selection", selections);
    json_put_hex(out, "pcr_digest", quote->pcr_digest);
    return out;
}
