/* Bundles whose makers lie: a keeper, or who has its key for opinions, and a controller that writes
 * a trail of its own. Both have the right keys; what they say contradicts the evidence, or itself.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/crypto/random.h"
#include "lib/model/audit.h"
#include "tests/support/bundled.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

static struct bundled b;

static int set_up(void **state)
{
    int failed = deployment_open(state);
    bundled_open(*state, &b);
    return failed;
}

static int tear_down(void **state)
{
    bundled_done(&b);
    return deployment_close(state);
}

/* ---- a keeper that does not tell the truth ----------------------------------------------------
 */

/* Whoever has the keeper's key too can say what he wants; the evidence still speaks for itself. */
struct lie {
    void (*tell)(struct testimony *t, struct bundle *parts);
    const char *reason;
    const char *saying; /* NULL: whatever it says */
};

static void another_nonce(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    random_fill(t->nonce, sizeof t->nonce);
}

static void another_link_key(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    random_fill(t->link_key, sizeof t->link_key);
}

static void another_instance(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->instance = uuid_new();
}

static void another_sealing_key(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->sealing_key.at[t->sealing_key.len - 1] ^= 1;
}

static void another_root(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->deployment[0] ^= 1;
}

static void another_realm(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->realm = REALM_PRODUCTION;
}

static void another_policy(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    strcpy(t->policy, "stock");
}

static void a_rejection(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    strcpy(t->verdict, "rejected");
    strcpy(t->reason, "policy-debug");
}

static void not_simulated(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->simulated = false;
}

static void better_claims(struct testimony *t, struct bundle *parts)
{
    json_put_text(parts->claims, "level", "L3");
    testimony_digest(parts->claims, t->claims_digest);
}

static void kinder_checks(struct testimony *t, struct bundle *parts)
{
    json_array_remove(parts->checks, 0);
    testimony_digest(parts->checks, t->checks_digest);
}

static void another_kind(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->kind = EVIDENCE_SNP;
}

static void evidence_that_nobody_can_read(struct testimony *t, struct bundle *parts)
{
    bytes_done(&parts->evidence);
    bytes_add(&parts->evidence, span_of_text("{\"kind\":\"snp\",\"report\":7}"));
    digest(DIGEST_SHA256, bytes_span(&parts->evidence), t->evidence_digest);
}

/* What is quoted of it ends within a character. */
static void evidence_with_a_long_name(struct testimony *t, struct bundle *parts)
{
    bytes_done(&parts->evidence);
    bytes_add(&parts->evidence, span_of_text("{\"kind\":\"snp\",\""));
    for (size_t i = 0; i < 100; i++)
        bytes_add(&parts->evidence, span_of_text("\U0001f600"));
    bytes_add(&parts->evidence, span_of_text("\":7}"));
    digest(DIGEST_SHA256, bytes_span(&parts->evidence), t->evidence_digest);
}

static void judged_before_its_key_was_certified(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->asked = t->judged = moment_add_seconds(clock_now(), -40 * 86400);
}

static void judged_when_the_charter_was_over(struct testimony *t, struct bundle *parts)
{
    t->asked = t->judged = moment_add_seconds(clock_now(), 40 * 86400);
    parts->exported = moment_add_seconds(t->judged, 60);
}

static void judged_before_it_was_asked(struct testimony *t, struct bundle *parts)
{
    (void)parts;
    t->asked = moment_add_seconds(t->judged, 60);
}

static const struct lie lies[] = {
    {another_nonce, "bundle-binding"},
    {another_link_key, "bundle-binding"},
    {another_instance, "bundle-binding"},
    {another_sealing_key, "bundle-binding"},
    {another_root, "bundle-deployment"},
    {another_realm, "bundle-deployment"},
    {another_policy, "bundle-policy"},
    {a_rejection, "bundle-verdict"},
    {not_simulated, "bundle-verdict"},
    {better_claims, "bundle-claims"},
    {kinder_checks, "bundle-claims"},
    {another_kind, "bundle-evidence", "another kind"},
    {evidence_that_nobody_can_read, "bundle-evidence", "/report"},
    {evidence_with_a_long_name, "bundle-evidence", "unknown-member"},
    {judged_before_its_key_was_certified, "bundle-testimony"},
    {judged_when_the_charter_was_over, "bundle-charter"},
    {judged_before_it_was_asked, "bundle-times"},
};

/* By somebody who looks when all of it is in the past. */
static void assert_refused_later(const char *sealed, const char *reason, const char *saying)
{
    struct bundle_terms terms = bundled_terms(&b);
    OWNED(bundle_answer_done) struct bundle_answer answer = {0};
    terms.at = moment_add_seconds(clock_now(), 60 * 86400);
    bundle_judge(span_of_text(sealed), &terms, &answer);
    assert_false(answer.good);
    assert_string_equal(answer.reason, reason);
    for (size_t i = 0; saying != NULL && i < answer.check_count; i++)
        if (answer.checks[i].result == CHECK_FAIL)
            assert_non_null(strstr(answer.checks[i].detail, saying));
    OWNED(json_drop) json_t *json = bundle_answer_to_json(&answer); /* whatever it quotes */
    assert_non_null(json);
}

static struct key *opinion_key(void)
{
    struct error err = {0};
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(mem_drop) char *path = scratch_path(b.d->keeper_folder, "opinion-key.pem");
    struct key *key = NULL;
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &key, &err));
    return key;
}

static void a_keepers_lie_contradicts_the_evidence(void **state)
{
    (void)state;
    OWNED(key_drop) struct key *key = opinion_key();
    for (size_t i = 0; i < countof(lies); i++) {
        struct error err = {0};
        OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
        OWNED(bundle_done) struct bundle parts = {0};
        OWNED(testimony_done) struct testimony t = {0};
        bundled_guest(&b, &g, &parts);
        assert_ok(testimony_read(span_of_text(parts.testimony), key, &t, &err));
        lies[i].tell(&t, &parts);
        free(parts.testimony);
        assert_ok(testimony_print(key, &t, &parts.testimony, &err));
        OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
        assert_refused_later(sealed, lies[i].reason, lies[i].saying);
    }
}

/* Who brings no signers has the keeper's word for it, and still a charter to read. */
static void what_stands_for_a_charter_must_be_one(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(mem_drop) char *none = NULL;
    OWNED(bundle_answer_done) struct bundle_answer answer = {0};
    struct bundle_terms terms = bundled_terms(&b);
    bundled_guest(&b, &g, &parts);
    token_set_make(span_of_text("{\"realm\":\"simulation\"}"), &none);
    bytes_done(&parts.charter);
    bytes_add(&parts.charter, span_of_text(none));
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    terms.signers = NULL;
    bundle_judge(span_of_text(sealed), &terms, &answer);
    assert_false(answer.good);
    assert_string_equal(answer.reason, "bundle-charter");
}

/* ---- a trail that is not the one that was -----------------------------------------------------
 */

/* Every entry is changed, and then chained anew as it should be. */
static void rewrite(struct bundle *parts, int64_t first, void (*change)(struct audit_entry *))
{
    struct error err = {0};
    struct audit_entry head = {.number = first - 1};
    memset(head.hash, 0x77, sizeof head.hash);
    json_t *rewritten = json_array();
    for (size_t i = 0; i < json_array_size(parts->audit); i++) {
        OWNED(audit_entry_done) struct audit_entry entry = {0};
        assert_ok(
            record_from_json(&audit_record, json_array_get(parts->audit, i), "", &entry, &err));
        change(&entry);
        audit_chain(&entry, head.number > 0 ? &head : NULL);
        json_add_new(rewritten, record_to_json(&audit_record, &entry));
        head.number = entry.number;
        memcpy(head.hash, entry.hash, sizeof head.hash);
    }
    json_decref(parts->audit);
    parts->audit = rewritten;
}

static void nothing(struct audit_entry *entry)
{
    (void)entry;
}

static void another_verdict(struct audit_entry *entry)
{
    json_put_text(entry->detail, "verdict", "rejected");
}

static void other_evidence(struct audit_entry *entry)
{
    uint8_t other[SHA256_SIZE] = {1};
    json_put_hex(entry->detail, "evidence_digest", SPAN_OF(other));
}

static void another_object(struct audit_entry *entry)
{
    strcpy(entry->object, "instance:00000000-0000-4000-8000-000000000001");
}

static void another_id(struct audit_entry *entry)
{
    const struct uuid other = uuid_new();
    json_put_uuid(entry->detail, "verdict_id", &other);
}

static void another_level(struct audit_entry *entry)
{
    json_put_int(entry->detail, "level", 3);
}

static void another_serial(struct audit_entry *entry)
{
    json_put_int(entry->detail, "charter_serial", 77);
}

static void genuine_silicon(struct audit_entry *entry)
{
    json_put_bool(entry->detail, "simulated", false);
}

static void another_verb(struct audit_entry *entry)
{
    strcpy(entry->verb, "instance.trust-changed");
}

static void a_trail_about_something_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        void (*change)(struct audit_entry *);
        int64_t first;
        const char *reason;
    } trails[] = {
        {nothing, 42, "ok"},
        {nothing, 1, "ok"}, /* nothing came before the first */
        {another_verdict, 42, "bundle-audit"},
        {other_evidence, 42, "bundle-audit"},
        {another_object, 42, "bundle-audit"},
        {another_id, 42, "bundle-audit"},
        {another_verb, 42, "bundle-audit"},
        {another_level, 42, "bundle-audit"},
        {another_serial, 42, "bundle-audit"},
        {genuine_silicon, 42, "bundle-audit"},
    };
    for (size_t i = 0; i < countof(trails); i++) {
        OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
        OWNED(bundle_done) struct bundle parts = {0};
        bundled_guest(&b, &g, &parts);
        rewrite(&parts, trails[i].first, trails[i].change);
        OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
        assert_bundle(&b, sealed, trails[i].reason);
    }
}

/* Good by itself, but not what the one before says it is. */
static void a_neighbour_of_another_chain_is_refused(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(json_drop) json_t *first = json_incref(json_array_get(parts.audit, 0));
    rewrite(&parts, 42, nothing);
    json_array_set(parts.audit, 0, first);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    assert_bundle(&b, sealed, "bundle-audit");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_keepers_lie_contradicts_the_evidence),
        T(what_stands_for_a_charter_must_be_one),
        T(a_trail_about_something_else_is_refused),
        T(a_neighbour_of_another_chain_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
