#include "tests/support/guest_nitro.h"

#include <string.h>

#include "lib/attest/evidence.h"
#include "lib/base/file.h"
#include "lib/crypto/x509_make.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

#define FIVES "555555555555555555555555555555555555555555555555"

void nitro_write_root(struct deployment *d)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, "simulator-nitro-root.pem");
    pem_add_certificate(&pem, nsm_root(0));
    assert_ok(file_write(path, bytes_span(&pem), 0644, &err));
}

void nitro_write_charter(struct deployment *d)
{
    struct error err = {0};
    json_t *grant = json_deep_copy(deployment_at(d, "grants", "host"));
    json_object_set_new(grant, "policies", json_pack("[s]", "enclave"));
    json_object_set_new(json_object_get(d->charter, "grants"), "enclave-key", grant);
    json_object_set_new(json_object_get(d->charter, "policies"), "enclave",
                        json_pack("{s:{s:{s:s}},s:[],s:i}", "nitro", "pcrs", "0", FIVES FIVES,
                                  "references", "valid_seconds", 7200));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

void nitro_name_root(struct deployment *d)
{
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, nsm_root(0), hash);
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(hash));
    json_array_append_new(json_object_get(d->charter, "simulator_roots"), json_string(hex));
}

struct guest nitro_guest(void)
{
    struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    g.kind = EVIDENCE_NITRO;
    g.policy = "enclave";
    return g;
}

void nitro_answer_done(struct nitro_answer *answer)
{
    bytes_done(&answer->key);
}

void nitro_answer_of(const struct guest *g, const struct challenge *c, struct nitro_answer *out)
{
    struct error err = {0};
    struct binding b = {.kind = g->kind, .instance = g->instance, .rest = bytes_span(&g->rest)};
    memcpy(b.nonce, c->nonce, sizeof b.nonce);
    memcpy(out->nonce, c->nonce, sizeof out->nonce);
    memcpy(b.root_key, c->root_key, sizeof b.root_key);
    key_fingerprint(g->link_key, b.link_key);
    key_fingerprint(g->sealing_key, b.sealing_key);
    binding_digest(&b, out->data);
    bytes_done(&out->key);
    assert_ok(key_to_spki(g->sealing_key, &out->key, &err));
}

void nitro_print(const struct guest *g, const struct nsm_wish *wish,
                 const struct nitro_answer *answer, struct bytes *out)
{
    struct nsm_wish answering = *wish;
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_NITRO};
    answering.nonce = SPAN_OF(answer->nonce);
    answering.user_data = SPAN_OF(answer->data);
    answering.public_key = bytes_span(&answer->key);
    nsm_make(&answering, &e.document);
    bytes_add(&e.rest, bytes_span(&g->rest));
    OWNED(mem_drop) char *text = evidence_print(&e);
    bytes_done(out);
    bytes_add(out, span_of_text(text));
}

void nitro_evidence(const struct guest *g, const struct challenge *c, const struct nsm_wish *wish,
                    struct bytes *out)
{
    OWNED(nitro_answer_done) struct nitro_answer answer = {0};
    nitro_answer_of(g, c, &answer);
    nitro_print(g, wish, &answer, out);
}

void nitro_attest(struct deployment *d, struct guest *g, const struct nsm_wish *wish)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(d, g, &challenge, &err));
    nitro_evidence(g, &challenge, wish, &evidence);
    assert_ok(guest_appraise(d, g, &challenge, &evidence, &err));
}

void nitro_set_up(struct deployment *d)
{
    deployment_stop_keeper(d);
    nitro_write_root(d);
    deployment_start_keeper(d);
    nitro_name_root(d);
    nitro_write_charter(d);
}
