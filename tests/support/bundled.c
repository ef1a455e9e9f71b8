#include "tests/support/bundled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/model/audit.h"
#include "tests/support/nsm.h"
#include "tests/support/scratch.h"
#include "tests/support/simulator.h"
#include "tests/support/test.h"

static void read_in(const struct deployment *d, const char *name, struct bytes *out)
{
    struct error err = {0};
    OWNED(mem_drop) char *path = scratch_path(d->folder, name);
    assert_ok(file_read(path, 1 << 20, out, &err));
}

void bundled_open(struct deployment *d, struct bundled *out)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes key = {0};
    OWNED(bytes_done) struct bytes cert = {0};
    OWNED(bytes_done) struct bytes signers = {0};
    *out = (struct bundled){.d = d};
    read_in(d, "controller/key.pem", &key);
    read_in(d, "controller/cert.pem", &cert);
    read_in(d, "keeper/signers.json", &signers);
    assert_ok(key_from_private_pem(bytes_span(&key), &out->controller_key, &err));
    assert_ok(cert_from_pem(bytes_span(&cert), &out->controller_cert, &err));
    assert_ok(charter_signers_parse(bytes_span(&signers), &out->signers, &err));
    assert_ok(charter_root_hashes(psp_roots(d->psp), &out->hashes, &err));
    out->simulator = simulator_roots(d->psp);
    out->charter = deployment_sign(d, d->charter_key);
}

void bundled_done(struct bundled *b)
{
    key_free(b->controller_key);
    cert_free(b->controller_cert);
    snp_roots_free(b->simulator);
    bytes_done(&b->hashes);
    charter_signers_done(&b->signers);
    free(b->charter);
}

void bundled_add_enclaves(struct bundled *b)
{
    struct error err = {0};
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, nsm_root(0), hash);
    bytes_add(&b->hashes, SPAN_OF(hash));
    assert_ok(nitro_roots_add(&b->enclaves, nsm_root(0), &err));
}

/* What the controller writes down with a verdict. */
static void add_entry(const struct guest *g, const struct bundle *parts, struct audit_entry *before,
                      const char *verb, json_t *audit)
{
    struct error err = {0};
    struct audit_entry entry = {.id = before->id + 1, .at = clock_now(), .detail = json_object()};
    uint8_t evidence[SHA256_SIZE];
    digest(DIGEST_SHA256, bytes_span(&parts->evidence), evidence);
    strcpy(entry.project, "default");
    strcpy(entry.actor, "controller:test");
    strcpy(entry.verb, verb);
    snprintf(entry.object, sizeof entry.object, "instance:%s", uuid_text(&g->instance).at);
    static const char *const copied[] = {"verdict", "reason", "policy"};
    for (size_t i = 0; i < countof(copied); i++)
        json_put_text(entry.detail, copied[i],
                      json_string_value(json_object_get(parts->claims, copied[i])));
    int level = 0;
    assert_ok(name_parse(&level_names, json_string_value(json_object_get(parts->claims, "level")),
                         &level, &err));
    json_put_text(entry.detail, "verdict_id",
                  json_string_value(json_object_get(parts->claims, "id")));
    json_put_hex(entry.detail, "evidence_digest", SPAN_OF(evidence));
    json_put_int(entry.detail, "level", level);
    json_put_new(entry.detail, "charter_serial",
                 json_incref(json_object_get(parts->claims, "charter_serial")));
    json_put_new(entry.detail, "simulated",
                 json_incref(json_object_get(parts->claims, "simulated")));
    audit_chain(&entry, before);
    json_add_new(audit, record_to_json(&audit_record, &entry));
    audit_entry_done(before);
    *before = entry;
}

void bundled_parts(const struct bundled *b, const struct guest *g, struct span evidence,
                   struct span crl, struct bundle *out)
{
    struct error err = {0};
    OWNED(audit_entry_done) struct audit_entry before = {.id = 40, .number = 41};
    memset(before.hash, 0x5a, sizeof before.hash);
    strcpy(out->version, "1.2.3");
    out->exported = moment_add_seconds(clock_now(), 60);
    assert_ok(cert_to_der(b->controller_cert, &out->certificate, &err));
    out->evidence = bytes_copy(evidence);
    out->crl = bytes_copy(crl);
    out->charter = bytes_copy(span_of_text(b->charter));
    assert_non_null(g->verdict.testimony);
    out->testimony = mem_text(g->verdict.testimony);
    out->testimony_cert = bytes_copy(bytes_span(&g->verdict.testimony_cert));
    out->claims = json_deep_copy(g->verdict.claims);
    out->checks = json_deep_copy(g->verdict.checks);
    out->audit = json_array();
    add_entry(g, out, &before, "verdict.given", out->audit);
    add_entry(g, out, &before, "instance.trust-changed", out->audit);
}

void bundled_guest(const struct bundled *b, struct guest *g, struct bundle *out)
{
    struct error err = {0};
    struct challenge challenge;
    OWNED(bytes_done) struct bytes evidence = {0};
    assert_ok(guest_challenge(b->d, g, &challenge, &err));
    guest_evidence(b->d, g, &challenge, &evidence);
    assert_ok(guest_appraise(b->d, g, &challenge, &evidence, &err));
    bundled_parts(b, g, bytes_span(&evidence), (struct span){0}, out);
}

char *bundled_seal(const struct bundled *b, struct bundle *parts)
{
    struct error err = {0};
    char *sealed = NULL;
    assert_ok(bundle_seal(parts, b->controller_key, &sealed, &err));
    return sealed;
}

struct bundle_terms bundled_terms(const struct bundled *b)
{
    return (struct bundle_terms){.roots = &b->d->root,
                                 .root_count = 1,
                                 .signers = &b->signers,
                                 .simulator = b->simulator,
                                 .enclaves = b->enclaves.custom ? &b->enclaves : NULL,
                                 .simulator_hashes = bytes_span(&b->hashes),
                                 .at = moment_add_seconds(clock_now(), 3600)};
}

struct bundle_answer bundled_judge(const struct bundled *b, struct span in)
{
    const struct bundle_terms terms = bundled_terms(b);
    struct bundle_answer answer = {0};
    bundle_judge(in, &terms, &answer);
    return answer;
}

void assert_bundle(const struct bundled *b, const char *sealed, const char *reason)
{
    OWNED(bundle_answer_done) struct bundle_answer answer = bundled_judge(b, span_of_text(sealed));
    OWNED(json_drop) json_t *shown = bundle_answer_to_json(&answer);
    OWNED(mem_drop) char *text = json_print_pretty(shown);
    if (strcmp(answer.reason, reason) != 0)
        fail_msg("%s, not %s: %s", answer.reason, reason, text);
    assert_int_equal(answer.good, strcmp(reason, "ok") == 0);
}
