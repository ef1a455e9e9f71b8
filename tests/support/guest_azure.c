#include "tests/support/guest_azure.h"

#include <string.h>

#include "lib/attest/evidence.h"
#include "tests/support/test.h"

static const char id_key[] = "333333333333333333333333333333333333333333333333333333333333333333333"
                             "333333333333333333333333333";
static const char register_4[] = "0404040404040404040404040404040404040404040404040404040404040404";

void azure_policy(struct deployment *d, const char *name, json_t *measurement)
{
    json_object_set_new(json_object_get(d->charter, "references"), name,
                        json_pack("{s:o,s:b,s:s,s:s}", "measurement", measurement, "measured_boot",
                                  1, "anchor", "vtpm", "provider_execution", "off"));
    json_object_set_new(json_object_get(d->charter, "policies"), name,
                        json_pack("{s:{s:s},s:{s:{s:s}},s:[s],s:i}", "snp", "id_key_digest", id_key,
                                  "azure", "pcrs", "4", register_4, "references", name,
                                  "valid_seconds", 7200));
}

void azure_write_charter(struct deployment *d)
{
    struct error err = {0};
    azure_policy(d, "azure", json_string("any"));
    json_t *grant = json_deep_copy(deployment_at(d, "grants", "host"));
    json_object_set_new(grant, "policies", json_pack("[s]", "azure"));
    json_object_set_new(json_object_get(d->charter, "grants"), "vm", grant);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

struct guest azure_guest(void)
{
    struct guest g = guest_make(PSP_DIRECT_BOOT, 0);
    g.kind = EVIDENCE_SNP_AZURE;
    g.policy = "azure";
    return g;
}

struct paravisor_wish azure_wish(int which)
{
    struct paravisor_wish wish = paravisor_wish();
    wish.machine = which;
    wish.measurement = MEASURED_PARAVISOR;
    return wish;
}

void azure_answer(const struct guest *g, const struct challenge *c, uint8_t out[static SHA256_SIZE])
{
    uint8_t whole[BINDING_SIZE];
    struct binding b = {.kind = g->kind, .instance = g->instance, .rest = bytes_span(&g->rest)};
    memcpy(b.nonce, c->nonce, sizeof b.nonce);
    memcpy(b.root_key, c->root_key, sizeof b.root_key);
    key_fingerprint(g->link_key, b.link_key);
    key_fingerprint(g->sealing_key, b.sealing_key);
    binding_digest(&b, whole);
    digest(DIGEST_SHA256, SPAN_OF(whole), out);
}

void azure_print(struct deployment *d, const struct guest *g, const struct paravisor_wish *wish,
                 struct bytes *out)
{
    OWNED(paravisor_done) struct paravisor p;
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP_AZURE};
    OWNED(snp_roots_drop) struct snp_roots *roots = simulator_roots(d->psp);
    paravisor_make(d->psp, roots, wish, &p);
    bytes_add(&e.hcl, bytes_span(&p.hcl));
    bytes_add(&e.quote, bytes_span(&p.quote));
    bytes_add(&e.signature, bytes_span(&p.signature));
    bytes_add(&e.cert_table, bytes_span(&p.table));
    bytes_add(&e.rest, bytes_span(&g->rest));
    e.pcrs = json_incref(p.pcrs);
    OWNED(mem_drop) char *text = evidence_print(&e);
    bytes_done(out);
    bytes_add(out, span_of_text(text));
}

void azure_evidence(struct deployment *d, const struct guest *g, const struct challenge *c,
                    const struct paravisor_wish *wish, struct bytes *out)
{
    uint8_t answer[SHA256_SIZE];
    struct paravisor_wish answering = *wish;
    azure_answer(g, c, answer);
    answering.answer = SPAN_OF(answer);
    azure_print(d, g, &answering, out);
}

void azure_attest(struct deployment *d, struct guest *g, const struct paravisor_wish *wish)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, g, &challenge, &err));
    azure_evidence(d, g, &challenge, wish, &evidence);
    assert_ok(guest_appraise(d, g, &challenge, &evidence, &err));
}
