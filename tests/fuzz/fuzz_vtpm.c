#include <stdlib.h>

#include "lib/attest/vtpm_judge.h"
#include "tests/fuzz/fuzz.h"

enum { PCRS = 24 };

/* Two bytes say how long the next part is. */
static struct span next(struct span *in)
{
    if (in->len < 2)
        return (struct span){0};
    const size_t len = (size_t)(in->at[0] | in->at[1] << 8);
    const struct span part = span_part(*in, 2, len);
    *in = span_part(*in, 2 + part.len, in->len);
    return part;
}

static json_t *registers(struct span raw)
{
    json_t *list = json_array();
    for (size_t i = 0; i < PCRS; i++) {
        OWNED(mem_drop) char *hex = hex_of(span_part(raw, 32 * i, 32));
        json_add_new(list, json_string(hex));
    }
    return list;
}

/* One that asks for everything. */
static const struct policy *policy(void)
{
    static struct policy made;
    static const char text[] =
        "{\"snp\":{\"max_vmpl\":3},\"vtpm\":{\"roots\":[\"svsm\",\"provider\",\"unrooted\"],"
        "\"svsm_measurements\":[],\"pcrs\":{\"4\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"},"
        "\"require_secure_boot\":true,\"boot_components\":{\"x\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"}}}";
    if (!made.has_vtpm && policy_parse(span_of_text(text), POLICY_EXPECT, &made, NULL) != OK)
        abort();
    return &made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct snp_bundle none = {0};
    static const uint8_t binding[64] = {1};
    struct span in = SPAN(data, size);
    OWNED(snp_endorsements_drop) struct snp_endorsements *e = snp_endorse(&none, snp_roots_amd());
    struct vtpm_input input = {
        .report = next(&in),
        .quote = next(&in),
        .signature = next(&in),
        .log = next(&in),
        .ak = next(&in),
        .ak_cert = next(&in),
        .manifest = next(&in),
        .document = next(&in),
        .binding = size % 2 == 0 ? SPAN_OF(binding) : (struct span){0},
        .nitro_roots = &nitro_roots_aws,
        .endorsements = e,
        .policy = policy(),
        .at = clock_at_seconds(1795478400),
    };
    OWNED(json_drop) json_t *pcrs = registers(next(&in));
    OWNED(verdict_done) struct verdict v = {0};
    input.pcrs = pcrs;
    vtpm_judge(&input, &v);
    OWNED(json_drop) json_t *object = verdict_to_json(&v);
    OWNED(mem_drop) char *text = json_print(object);
    if (v.trusted)
        abort(); /* nothing here has a chip's certificate */
    return 0;
}
