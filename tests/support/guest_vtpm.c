#include "tests/support/guest_vtpm.h"

#include <string.h>

#include "lib/attest/evidence.h"
#include "tests/support/test.h"

static const char launch[] = "111111111111111111111111111111111111111111111111111111111111111111111"
                             "111111111111111111111111111";

static json_t *vtpm_rules(void)
{
    return json_pack("{s:[s],s:[s],s:b,s:{s:[s,s]}}", "ak_ca", made_vtpm_authority(0),
                     "svsm_measurements", launch, "require_secure_boot", 1, "boot_components",
                     "loader", made_vtpm_loader(), made_vtpm_loader_384());
}

void vtpm_write_charter(struct deployment *d)
{
    struct error err = {0};
    json_object_set_new(json_object_get(d->charter, "references"), "vtpm",
                        json_pack("{s:[s],s:b,s:s,s:s}", "measurement", launch, "measured_boot", 1,
                                  "anchor", "vtpm", "provider_execution", "off"));
    json_object_set_new(json_object_get(d->charter, "policies"), "vtpm",
                        json_pack("{s:{},s:o,s:[s],s:i}", "snp", "vtpm", vtpm_rules(), "references",
                                  "vtpm", "valid_seconds", 7200));
    json_t *grant = json_deep_copy(deployment_at(d, "grants", "host"));
    json_object_set_new(grant, "policies", json_pack("[s]", "vtpm"));
    json_object_set_new(json_object_get(d->charter, "grants"), "vm", grant);
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

struct guest vtpm_guest(void)
{
    struct guest g = guest_make(PSP_DIRECT_BOOT, 0);
    g.kind = EVIDENCE_SNP_VTPM;
    g.policy = "vtpm";
    return g;
}

void vtpm_answer(const struct guest *g, const struct challenge *c,
                 uint8_t binding[static BINDING_SIZE])
{
    struct binding b = {.kind = g->kind, .instance = g->instance, .rest = bytes_span(&g->rest)};
    memcpy(b.nonce, c->nonce, sizeof b.nonce);
    memcpy(b.root_key, c->root_key, sizeof b.root_key);
    key_fingerprint(g->link_key, b.link_key);
    key_fingerprint(g->sealing_key, b.sealing_key);
    binding_digest(&b, binding);
}

void vtpm_print(struct deployment *d, const struct guest *g, const struct challenge *c,
                const struct made_vtpm_wish *wish, const uint8_t binding[static BINDING_SIZE],
                struct bytes *out)
{
    struct made_vtpm_wish answering = *wish;
    OWNED(made_vtpm_done) struct made_vtpm t;
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SNP_VTPM};
    OWNED(snp_roots_drop) struct snp_roots *roots = simulator_roots(d->psp);
    answering.nonce = SPAN_OF(c->nonce);
    made_vtpm_make(d->psp, roots, &answering, binding, &t);
    bytes_add(&e.report, bytes_span(&t.report));
    bytes_add(&e.quote, bytes_span(&t.quote));
    bytes_add(&e.signature, bytes_span(&t.signature));
    bytes_add(&e.event_log, bytes_span(&t.log));
    bytes_add(&e.ak, bytes_span(&t.ak));
    bytes_add(&e.ak_cert, bytes_span(&t.ak_cert));
    bytes_add(&e.manifest, bytes_span(&t.manifest));
    bytes_add(&e.document, bytes_span(&t.document));
    bytes_add(&e.cert_table, bytes_span(&t.table));
    bytes_add(&e.rest, bytes_span(&g->rest));
    e.pcrs = t.pcrs != NULL ? json_incref(t.pcrs) : NULL;
    OWNED(mem_drop) char *text = evidence_print(&e);
    bytes_done(out);
    bytes_add(out, span_of_text(text));
}

void vtpm_evidence(struct deployment *d, const struct guest *g, const struct challenge *c,
                   const struct made_vtpm_wish *wish, struct bytes *out)
{
    uint8_t binding[BINDING_SIZE];
    vtpm_answer(g, c, binding);
    vtpm_print(d, g, c, wish, binding, out);
}

void vtpm_attest(struct deployment *d, struct guest *g, const struct made_vtpm_wish *wish)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, g, &challenge, &err));
    vtpm_evidence(d, g, &challenge, wish, &evidence);
    assert_ok(guest_appraise(d, g, &challenge, &evidence, &err));
}
