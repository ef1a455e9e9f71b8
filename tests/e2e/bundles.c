/* Evidence bundles and whoever would change one: a stranger on the way, and a controller that was
 * stolen with its key, so that whatever it writes is sealed as it should be. */
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/bundled.h"
#include "tests/support/spoil.h"
#include "tests/support/test.h"

#ifdef __SANITIZE_ADDRESS__
enum { FLIP_STEP = 17 }; /* still every bit */
#else
enum { FLIP_STEP = 1 };
#endif

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

/* ---- the honest way -------------------------------------------------------------------------- */

static void what_a_keeper_judged_is_genuine_to_a_third_party(void **state)
{
    (void)state;
    static const enum psp_flavour flavours[] = {PSP_FIRMWARE_ONLY, PSP_DIRECT_BOOT};
    for (size_t i = 0; i < countof(flavours); i++) {
        OWNED(guest_done) struct guest g = guest_make(flavours[i], 9);
        OWNED(bundle_done) struct bundle parts = {0};
        bundled_guest(&b, &g, &parts);
        OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
        assert_bundle(&b, sealed, "ok");
        OWNED(bundle_answer_done)
        struct bundle_answer answer = bundled_judge(&b, span_of_text(sealed));
        assert_true(answer.verdict.trusted);
        assert_true(answer.verdict.simulated);
        for (size_t c = 0; c < answer.check_count; c++)
            assert_int_equal(answer.checks[c].result, CHECK_PASS);
    }
}

static void a_rejection_is_as_genuine_as_a_pass(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    g.wish.tamper = PSP_ALTER_MEASUREMENT;
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    assert_bundle(&b, sealed, "ok");
    OWNED(bundle_answer_done) struct bundle_answer answer = bundled_judge(&b, span_of_text(sealed));
    assert_string_equal(answer.testimony.verdict, "rejected");
    assert_false(answer.verdict.trusted);
}

static void evidence_that_answers_another_challenge_is_shown_as_rejected(void **state)
{
    (void)state;
    struct error err = {0};
    struct challenge asked;
    OWNED(bytes_done) struct bytes evidence = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    assert_ok(guest_challenge(b.d, &g, &asked, &err));
    struct challenge spoiled = asked;
    spoil_nonce(&g, &spoiled);
    guest_evidence(b.d, &g, &spoiled, &evidence);
    assert_ok(guest_appraise(b.d, &g, &asked, &evidence, &err));
    bundled_parts(&b, &g, bytes_span(&evidence), (struct span){0}, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    assert_bundle(&b, sealed, "ok");
    OWNED(bundle_answer_done) struct bundle_answer answer = bundled_judge(&b, span_of_text(sealed));
    assert_string_equal(answer.testimony.reason, "policy-report-data");
}

/* The charter denies what the evidence proves well: the same when it is judged again. */
static void what_the_charter_denies_is_rejected_here_too(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(g.wish.chip_id));
    json_t *deny = json_object_get(d->charter, "deny");
    json_array_append_new(json_object_get(deny, "chips"), json_string(hex));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    bundled_done(&b);
    bundled_open(d, &b);
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    assert_bundle(&b, sealed, "ok");
    OWNED(bundle_answer_done) struct bundle_answer answer = bundled_judge(&b, span_of_text(sealed));
    assert_string_equal(answer.testimony.reason, "denied-chip");
    assert_true(answer.verdict.trusted);
}

static void without_the_signers_it_says_that_it_did_not_look(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(bundle_answer_done) struct bundle_answer answer = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    struct bundle_terms terms = bundled_terms(&b);
    terms.signers = NULL;
    bundle_judge(span_of_text(sealed), &terms, &answer);
    assert_true(answer.good);
    size_t skipped = 0;
    for (size_t i = 0; i < answer.check_count; i++)
        skipped += answer.checks[i].result == CHECK_SKIP &&
                   strcmp(answer.checks[i].name, "charter-signers") == 0;
    assert_int_equal(skipped, 1);
}

/* ---- who looks ------------------------------------------------------------------------------- */

static void assert_terms(const char *sealed, const struct bundle_terms *terms, const char *reason)
{
    OWNED(bundle_answer_done) struct bundle_answer answer = {0};
    bundle_judge(span_of_text(sealed), terms, &answer);
    assert_false(answer.good);
    assert_string_equal(answer.reason, reason);
}

static void whoever_trusts_others_refuses_it(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(cert_drop) struct cert *root = NULL;
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    assert_ok(key_generate(KEY_P384, &key, &err));
    assert_ok(cert_make_root(key, REALM_SIMULATION, clock_now(), &root, &err));
    struct bundle_terms terms = bundled_terms(&b);
    terms.roots = &root;
    assert_terms(sealed, &terms, "bundle-exporter");
    terms = bundled_terms(&b);
    terms.simulator = NULL;
    assert_terms(sealed, &terms, "bundle-appraisal");
    terms = bundled_terms(&b);
    uint8_t unnamed[SHA256_SIZE] = {1};
    terms.simulator_hashes = SPAN_OF(unnamed);
    assert_terms(sealed, &terms, "bundle-appraisal");
    terms = bundled_terms(&b);
    terms.at = moment_add_seconds(clock_now(), -3600);
    assert_terms(sealed, &terms, "bundle-times");
    OWNED(charter_signers_done) struct charter_signers others = {.threshold = 1, .count = 1};
    assert_ok(key_generate(KEY_P256, &others.keys[0], &err));
    terms = bundled_terms(&b);
    terms.signers = &others;
    assert_terms(sealed, &terms, "bundle-charter-signers");
    (void)d;
}

/* ---- a stranger on the way ------------------------------------------------------------------- */

static bool is_refused(struct span in)
{
    OWNED(bundle_answer_done) struct bundle_answer answer = bundled_judge(&b, in);
    return !answer.good;
}

/* A bit of every byte, another one each time. */
static void assert_bytes_fixed(char *sealed, size_t step)
{
    const size_t len = strlen(sealed);
    for (size_t i = 0; i < len; i += step) {
        const char was = sealed[i];
        sealed[i] = (char)(was ^ 1 << i % 8);
        if (!is_refused(SPAN(sealed, len)))
            fail_msg("byte %zu of %zu may be changed", i, len);
        sealed[i] = was;
    }
    assert_bundle(&b, sealed, "ok");
}

static void every_changed_byte_is_refused(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    assert_bytes_fixed(sealed, FLIP_STEP);
}

static void what_is_cut_or_added_to_is_refused(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    const size_t len = strlen(sealed);
    for (size_t left = 0; left < len; left += left < 300 || left > len - 300 ? 1 : 97)
        assert_true(is_refused(SPAN(sealed, left)));
    static const char *const ends[] = {"\n", " ", "=", ".", "A", ".AA"};
    for (size_t i = 0; i < countof(ends); i++) {
        OWNED(text_done) struct text longer = {0};
        text_addf(&longer, "%s%s", sealed, ends[i]);
        assert_true(is_refused(text_span(&longer)));
        OWNED(text_done) struct text before = {0};
        text_addf(&before, "%s%s", ends[i], sealed);
        assert_true(is_refused(text_span(&before)));
    }
    OWNED(bytes_done) struct bytes nul = bytes_copy(SPAN(sealed, len + 1));
    assert_true(is_refused(bytes_span(&nul)));
}

/* (r, n - s) verifies as (r, s) does, and needs no key. */
static void a_signature_turned_over_is_refused(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
                                      0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(bytes_done) struct bytes signature = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    char *last = strrchr(sealed, '.');
    assert_ok(base64url_decode(span_of_text(last + 1), &signature, &err));
    for (int i = 31, borrow = 0; i >= 0; i--) {
        const int left = order[i] - signature.at[32 + i] - borrow;
        signature.at[32 + i] = (uint8_t)left;
        borrow = left < 0;
    }
    const struct span message = SPAN(sealed, (size_t)(last - sealed));
    assert_ok(key_verify(b.controller_key, message, bytes_span(&signature), &err));
    OWNED(text_done) struct text turned = {0};
    text_add_span(&turned, message);
    text_add(&turned, ".");
    text_add_base64url(&turned, bytes_span(&signature));
    assert_bundle(&b, text_str(&turned), "bundle-seal");
}

/* ---- a stolen controller --------------------------------------------------------------------- */

/* Another way to write the same, sealed with the right key. */
static void assert_payload(const char *payload, const char *reason)
{
    struct error err = {0};
    OWNED(mem_drop) char *sealed = NULL;
    assert_ok(token_seal(b.controller_key, BUNDLE_TYP, span_of_text(payload), BUNDLE_SIZE_MAX,
                         &sealed, &err));
    assert_bundle(&b, sealed, reason);
}

static char *payload_of(const char *sealed)
{
    struct error err = {0};
    OWNED(bytes_done) struct bytes payload = {0};
    assert_ok(token_open(span_of_text(sealed), BUNDLE_SIZE_MAX, &payload, &err));
    bytes_add_u8(&payload, 0);
    return mem_text((const char *)payload.at);
}

static void there_is_one_way_to_write_it(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    OWNED(text_done) struct text other = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    OWNED(mem_drop) char *payload = payload_of(sealed);
    assert_payload(payload, "ok");
    text_addf(&other, "%s ", payload);
    assert_payload(text_str(&other), "bundle-format");
    text_done(&other);
    text_addf(&other, "{ %s", payload + 1);
    assert_payload(text_str(&other), "bundle-format");
    text_done(&other);
    text_addf(&other, "{\"version\":\"1.2.3\",%s", payload + 1);
    assert_payload(text_str(&other), "bundle-format");
    text_done(&other);
    text_addf(&other, "{\"zz\":1,%s", payload + 1);
    assert_payload(text_str(&other), "bundle-format");
    text_done(&other);
    const char *version = strstr(payload, "\"1.2.3\"");
    text_add_span(&other, SPAN(payload, (size_t)(version - payload)));
    text_addf(&other, "\"\\u0031.2.3\"%s", version + 7);
    assert_payload(text_str(&other), "bundle-format");
    text_done(&other);
    const char *exported = strstr(payload, "\"exported\":\"") + 12;
    const char *zone = strchr(exported, 'Z');
    text_add_span(&other, SPAN(payload, (size_t)(zone - payload)));
    text_addf(&other, "+00:00%s", zone + 1);
    assert_payload(text_str(&other), "bundle-format");
}

/* One part altered, and the rest genuine. */
struct alteration {
    void (*alter)(struct bundle *parts);
    const char *reason;
};

static void flip(struct bytes *matter)
{
    matter->at[matter->len / 2] ^= 1;
}

static void alter_evidence(struct bundle *p)
{
    flip(&p->evidence);
}

static void add_a_list(struct bundle *p)
{
    bytes_add(&p->crl, span_of_text("any list"));
}

static void alter_charter(struct bundle *p)
{
    flip(&p->charter);
}

static void drop_charter_signatures(struct bundle *p)
{
    struct error err = {0};
    size_t count;
    OWNED(bytes_done) struct bytes payload = {0};
    OWNED(mem_drop) char *bare = NULL;
    assert_ok(token_set_look(bytes_span(&p->charter), CHARTER_SIZE_MAX, &payload, &count, &err));
    token_set_make(bytes_span(&payload), &bare);
    bytes_done(&p->charter);
    bytes_add(&p->charter, span_of_text(bare));
}

/* A later charter, rightly signed, but not the one that was obeyed. */
static void bring_another_charter(struct bundle *p)
{
    deployment_raise_serial(b.d);
    OWNED(mem_drop) char *jws = deployment_sign(b.d, b.d->charter_key);
    bytes_done(&p->charter);
    bytes_add(&p->charter, span_of_text(jws));
}

static void alter_testimony(struct bundle *p)
{
    char *at = strchr(p->testimony, '.') + 20;
    *at = *at == 'A' ? 'B' : 'A';
}

static void testify_with_the_controllers_key(struct bundle *p)
{
    struct error err = {0};
    OWNED(testimony_done) struct testimony t = {0};
    OWNED(key_drop) struct key *keeper = NULL;
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(mem_drop) char *forged = NULL;
    assert_ok(cert_from_der(bytes_span(&p->testimony_cert), &cert, &err));
    assert_ok(cert_key(cert, &keeper, &err));
    assert_ok(testimony_read(span_of_text(p->testimony), keeper, &t, &err));
    assert_ok(testimony_print(b.controller_key, &t, &forged, &err));
    bytes_done(&p->testimony_cert);
    bytes_add(&p->testimony_cert, bytes_span(&p->certificate));
    free(p->testimony);
    p->testimony = TAKE(forged);
}

/* The keeper's key for verdicts is not the one for testimonies. */
static void testify_with_the_key_for_verdicts(struct bundle *p)
{
    struct error err = {0};
    OWNED(testimony_done) struct testimony t = {0};
    OWNED(key_drop) struct key *keeper = NULL, *signer = deployment_signer(b.d);
    OWNED(cert_drop) struct cert *cert = NULL;
    OWNED(mem_drop) char *forged = NULL;
    assert_ok(cert_from_der(bytes_span(&p->testimony_cert), &cert, &err));
    assert_ok(cert_key(cert, &keeper, &err));
    assert_ok(testimony_read(span_of_text(p->testimony), keeper, &t, &err));
    assert_ok(testimony_print(signer, &t, &forged, &err));
    free(p->testimony);
    p->testimony = TAKE(forged);
}

static void improve_claims(struct bundle *p)
{
    json_put_text(p->claims, "level", "L3");
}

static void alter_checks(struct bundle *p)
{
    json_put_text(json_array_get(p->checks, 1), "detail", "all is well");
}

static void relabel_instance(struct bundle *p)
{
    const struct uuid other = uuid_new();
    json_put_uuid(p->claims, "instance", &other);
}

static void drop_audit(struct bundle *p)
{
    json_array_clear(p->audit);
}

static void drop_first_entry(struct bundle *p)
{
    json_array_remove(p->audit, 0);
}

static void alter_actor(struct bundle *p)
{
    json_put_text(json_array_get(p->audit, 0), "actor", "somebody");
}

static void alter_link(struct bundle *p)
{
    uint8_t other[SHA256_SIZE] = {1};
    json_put_hex(json_array_get(p->audit, 1), "prev_hash", SPAN_OF(other));
}

static void turn_entries_around(struct bundle *p)
{
    json_array_append(p->audit, json_array_get(p->audit, 0));
    json_array_remove(p->audit, 0);
}

/* The certificates are as old as the verdict here, so this one is caught by them. */
static void date_it_before_its_certificate(struct bundle *p)
{
    p->exported = moment_add_seconds(clock_now(), -1800);
}

static void date_it_after_its_certificate(struct bundle *p)
{
    p->exported = moment_add_seconds(clock_now(), 100 * 86400);
}

static void bring_the_keepers_certificate(struct bundle *p)
{
    bytes_done(&p->certificate);
    bytes_add(&p->certificate, bytes_span(&p->testimony_cert));
}

static const struct alteration alterations[] = {
    {alter_evidence, "bundle-evidence"},
    {add_a_list, "bundle-endorsements"},
    {alter_charter, "bundle-charter-signers"},
    {drop_charter_signatures, "bundle-charter-signers"},
    {bring_another_charter, "bundle-charter"},
    {alter_testimony, "bundle-testimony"},
    {testify_with_the_controllers_key, "bundle-testimony"},
    {testify_with_the_key_for_verdicts, "bundle-testimony"},
    {improve_claims, "bundle-claims"},
    {alter_checks, "bundle-claims"},
    {relabel_instance, "bundle-claims"},
    {drop_audit, "bundle-audit"},
    {drop_first_entry, "bundle-audit"},
    {alter_actor, "bundle-audit"},
    {alter_link, "bundle-audit"},
    {turn_entries_around, "bundle-audit"},
    {date_it_before_its_certificate, "bundle-exporter"},
    {date_it_after_its_certificate, "bundle-exporter"},
    {bring_the_keepers_certificate, "bundle-seal"},
};

static void a_stolen_controller_alters_no_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < countof(alterations); i++) {
        OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
        OWNED(bundle_done) struct bundle parts = {0};
        bundled_guest(&b, &g, &parts);
        alterations[i].alter(&parts);
        OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
        assert_bundle(&b, sealed, alterations[i].reason);
    }
}

/* Without the signers the keeper's word still names the charter. */
static void an_altered_charter_is_refused_without_the_signers_too(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    bundled_guest(&b, &g, &parts);
    bring_another_charter(&parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    struct bundle_terms terms = bundled_terms(&b);
    terms.signers = NULL;
    assert_terms(sealed, &terms, "bundle-charter");
}

/* ---- parts of another bundle ----------------------------------------------------------------- */

#define SWAP(member)                                                                               \
    static void swap_##member(struct bundle *p, struct bundle *q)                                  \
    {                                                                                              \
        typeof(p->member) kept = p->member;                                                        \
        p->member = q->member;                                                                     \
        q->member = kept;                                                                          \
    }
SWAP(evidence)
SWAP(testimony)
SWAP(claims)
SWAP(checks)
SWAP(audit)

static void parts_of_two_bundles_do_not_fit_together(void **state)
{
    (void)state;
    static const struct {
        void (*swap)(struct bundle *, struct bundle *);
        const char *reason;
    } swaps[] = {
        {swap_evidence, "bundle-evidence"}, {swap_testimony, "bundle-evidence"},
        {swap_claims, "bundle-claims"},     {swap_checks, "bundle-claims"},
        {swap_audit, "bundle-audit"},
    };
    for (size_t i = 0; i < countof(swaps); i++) {
        OWNED(guest_done) struct guest first = guest_make(PSP_DIRECT_BOOT, 9);
        OWNED(guest_done) struct guest second = guest_make(PSP_FIRMWARE_ONLY, 8);
        OWNED(bundle_done) struct bundle one = {0};
        OWNED(bundle_done) struct bundle two = {0};
        bundled_guest(&b, &first, &one);
        bundled_guest(&b, &second, &two);
        swaps[i].swap(&one, &two);
        OWNED(mem_drop) char *sealed = bundled_seal(&b, &one);
        assert_bundle(&b, sealed, swaps[i].reason);
    }
}

/* ---- what it opens --------------------------------------------------------------------------- */

static void a_testimony_releases_nothing(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(stored_done) struct stored s = {0};
    guest_attested(d, &g);
    stored_made(d, "for-all", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    assert_released(d, &wish);
    wish = release_wish_of(&g, &s);
    wish.token = g.verdict.testimony;
    assert_refused(d, &wish, "verdict-type");
}

static void a_bundle_holds_no_token_of_the_verdict(void **state)
{
    (void)state;
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 9);
    OWNED(bundle_done) struct bundle parts = {0};
    bundled_guest(&b, &g, &parts);
    OWNED(mem_drop) char *sealed = bundled_seal(&b, &parts);
    OWNED(mem_drop) char *payload = payload_of(sealed);
    assert_null(strstr(payload, g.token));
    assert_null(strstr(payload, strrchr(g.token, '.') + 1));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_a_keeper_judged_is_genuine_to_a_third_party),
        T(a_rejection_is_as_genuine_as_a_pass),
        T(evidence_that_answers_another_challenge_is_shown_as_rejected),
        T(what_the_charter_denies_is_rejected_here_too),
        T(without_the_signers_it_says_that_it_did_not_look),
        T(whoever_trusts_others_refuses_it),
        T(every_changed_byte_is_refused),
        T(what_is_cut_or_added_to_is_refused),
        T(a_signature_turned_over_is_refused),
        T(there_is_one_way_to_write_it),
        T(a_stolen_controller_alters_no_part),
        T(an_altered_charter_is_refused_without_the_signers_too),
        T(parts_of_two_bundles_do_not_fit_together),
        T(a_testimony_releases_nothing),
        T(a_bundle_holds_no_token_of_the_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
