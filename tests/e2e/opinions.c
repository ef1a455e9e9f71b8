/* Opinions of the keeper: about anybody's evidence, for anybody, and good for nothing else
 * (trust.md section 6). */
#include <string.h>
#include <unistd.h>

#include "keeper/claims.h"
#include "lib/attest/evidence.h"
#include "lib/base/file.h"
#include "tests/support/deployment.h"
#include "tests/support/nsm.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/* Evidence of a guest that nobody challenged; `data` is what its report carries. */
static void unasked(struct deployment *d, struct guest *g, uint8_t data, struct bytes *out)
{
    struct error err = {0};
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_SIMULATED};
    memset(g->wish.report_data, data, sizeof g->wish.report_data);
    assert_ok(psp_report(d->psp, &g->wish, &e.report, &e.cert_table, &err));
    OWNED(mem_drop) char *text = evidence_print(&e);
    bytes_done(out);
    bytes_add(out, span_of_text(text));
}

static enum outcome opine(struct deployment *d, const struct opinion_wish *wish,
                          struct opinion_reply *out, struct error *err)
{
    return deployment_ask(d, VERB_OPINION, &opinion_wish_record, wish, &opinion_reply_record, out,
                          err);
}

static struct key *key_in(const struct deployment *d, const char *name)
{
    struct error err = {0};
    struct key *key = NULL;
    OWNED(bytes_wipe) struct bytes pem = {0};
    OWNED(mem_drop) char *path = scratch_path(d->keeper_folder, name);
    assert_ok(file_read_private(path, 4096, &pem, &err));
    assert_ok(key_from_private_pem(bytes_span(&pem), &key, &err));
    return key;
}

static json_t *open_token(const struct deployment *d, const char *token)
{
    struct error err = {0};
    json_t *json = NULL;
    OWNED(key_drop) struct key *key = key_in(d, "opinion-key.pem");
    assert_ok(token_verify(span_of_text(token), SIMULATED_OPINION_TYP, key, &json, &err));
    return json;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* ---- what it says --------------------------------------------------------------------------- */

static void an_opinion_says_whose_nonce_and_which_policy_it_was(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    uint8_t data[SNP_REPORT_DATA_SIZE];
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = "direct"};
    unasked(d, &g, 7, &wish.evidence);
    memset(data, 7, sizeof data);
    bytes_add(&wish.nonce, SPAN_OF(data));
    assert_ok(opine(d, &wish, &reply, &err));
    assert_string_equal(text_of(reply.verdict, "verdict"), "trusted");
    assert_true(json_array_size(json_object_get(reply.verdict, "checks")) > 10);
    OWNED(json_drop) json_t *token = open_token(d, reply.token);
    const json_t *claims = json_object_get(token, "muster");
    assert_string_equal(text_of(token, "aud"), "muster-opinion");
    assert_string_equal(text_of(token, "iss"), "muster-keeper-simulation");
    assert_string_equal(text_of(claims, "nonce_source"), "asker");
    assert_string_equal(text_of(claims, "policy"), "direct");
    assert_string_equal(text_of(claims, "software"), "hardware");
    assert_int_equal(strlen(text_of(claims, "policy_digest")), 2 * SHA256_SIZE);
    assert_true(json_is_true(json_object_get(claims, "simulated")));
    assert_null(json_object_get(claims, "sealing_key"));
    assert_null(json_object_get(claims, "instance"));
    record_done(&opinion_reply_record, &reply);
    record_done(&opinion_wish_record, &wish);
}

static void without_a_nonce_nothing_is_fresh(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = ""};
    unasked(d, &g, 7, &wish.evidence);
    assert_ok(opine(d, &wish, &reply, &err));
    OWNED(json_drop) json_t *token = open_token(d, reply.token);
    const json_t *claims = json_object_get(token, "muster");
    assert_string_equal(text_of(claims, "nonce_source"), "none");
    assert_string_equal(text_of(claims, "policy"), "");
    assert_string_equal(text_of(claims, "level"), "L1");
    OWNED(mem_drop) char *missing = json_print(json_object_get(claims, "missing"));
    assert_non_null(strstr(missing, "freshness"));
    record_done(&opinion_reply_record, &reply);
    record_done(&opinion_wish_record, &wish);
}

static void assert_opinion(struct deployment *d, struct opinion_wish *wish, const char *reason)
{
    struct error err = {0};
    struct opinion_reply reply = {0};
    assert_ok(opine(d, wish, &reply, &err));
    assert_string_equal(text_of(reply.verdict, "reason"), reason);
    record_done(&opinion_reply_record, &reply);
}

static void an_asker_may_bring_nonce_and_policy(void **state)
{
    struct deployment *d = *state;
    uint8_t data[SNP_REPORT_DATA_SIZE];
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = ""};
    unasked(d, &g, 7, &wish.evidence);
    memset(data, 8, sizeof data);
    bytes_add(&wish.nonce, SPAN_OF(data));
    assert_opinion(d, &wish, "policy-report-data");
    wish.nonce.at[0] = 7;
    wish.nonce.len = 1;
    assert_opinion(d, &wish, "policy-report-data");
    bytes_done(&wish.nonce);
    wish.appraisal = json_loads("{\"snp\":{\"measurement\":\"any\"}}", 0, NULL);
    assert_opinion(d, &wish, "ok");
    json_decref(wish.appraisal);
    wish.appraisal = json_loads("{\"snp\":{}}", 0, NULL); /* default deny */
    assert_opinion(d, &wish, "policy-measurement");
    json_decref(wish.appraisal);
    wish.appraisal = json_loads("{\"nitro\":{\"pcrs\":\"any\"}}", 0, NULL);
    assert_opinion(d, &wish, "unsupported-evidence");
    record_done(&opinion_wish_record, &wish);
}

/* The simulation realm's keeper still knows AWS's own root for enclaves. */
static void documents_of_enclaves_are_judged_too(void **state)
{
    struct deployment *d = *state;
    const struct nsm_wish document = nsm_wish();
    OWNED(evidence_done) struct evidence e = {.kind = EVIDENCE_NITRO};
    nsm_make(&document, &e.document);
    OWNED(mem_drop) char *text = evidence_print(&e);
    struct opinion_wish wish = {.policy = ""};
    bytes_add(&wish.evidence, span_of_text(text));
    assert_opinion(d, &wish, "chain-untrusted");
    record_done(&opinion_wish_record, &wish);
}

/* Though nobody asked it anything, and by no policy that would count it as its identity. */
static void a_machine_that_the_charter_denies_is_not_trusted_unasked(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = "direct"};
    unasked(d, &g, 7, &wish.evidence);
    assert_ok(opine(d, &wish, &reply, &err));
    const char *anchor = text_of(json_object_get(reply.verdict, "anchor"), "sha256");
    json_object_set_new(json_object_get(d->charter, "deny"), "anchors", json_pack("[s]", anchor));
    record_done(&opinion_reply_record, &reply);
    wish.policy[0] = '\0';
    assert_opinion(d, &wish, "ok");
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    assert_opinion(d, &wish, "denied-anchor");
    record_done(&opinion_wish_record, &wish);
}

static void what_the_charter_denies_is_not_trusted(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = ""};
    OWNED(mem_drop) char *chip = hex_of(SPAN_OF(g.wish.chip_id));
    json_object_set_new(json_object_get(d->charter, "deny"), "chips", json_pack("[s]", chip));
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
    unasked(d, &g, 7, &wish.evidence);
    assert_ok(opine(d, &wish, &reply, &err));
    OWNED(json_drop) json_t *token = open_token(d, reply.token);
    const json_t *both[] = {reply.verdict, json_object_get(token, "muster")};
    for (size_t i = 0; i < countof(both); i++) {
        assert_string_equal(text_of(both[i], "verdict"), "rejected");
        assert_string_equal(text_of(both[i], "reason"), "denied-chip");
        assert_string_equal(text_of(both[i], "hardware"), "none");
        assert_string_equal(text_of(both[i], "level"), "L0");
    }
    record_done(&opinion_reply_record, &reply);
    record_done(&opinion_wish_record, &wish);
}

/* ---- what it is not ------------------------------------------------------------------------- */

static void refused(struct deployment *d, struct guest *g, struct stored *s, char *token,
                    const char *code)
{
    struct error err = {0};
    struct release_reply reply = {0};
    struct release_wish wish = release_wish_of(g, s);
    wish.token = token;
    assert_fails(release_ask(d, &wish, &reply, &err), ERR_DENIED, code);
}

static void an_opinion_opens_nothing(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    struct opinion_wish wish = {.policy = "direct"};
    assert_ok(guest_attest(d, &g, &err));
    assert_ok(stored_make(d, "for-all", NULL, &s, &err));
    unasked(d, &g, 7, &wish.evidence);
    assert_ok(opine(d, &wish, &reply, &err));
    refused(d, &g, &s, reply.token, "opinion-not-verdict");
    record_done(&opinion_reply_record, &reply);
    record_done(&opinion_wish_record, &wish);
}

/* Whoever got hold of the key for opinions has no key for verdicts, and the other way round. */
static void the_key_of_opinions_signs_no_verdict(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    OWNED(key_drop) struct key *opinion = key_in(d, "opinion-key.pem");
    OWNED(key_drop) struct key *signer = key_in(d, "sign-key.pem");
    OWNED(json_drop) json_t *claims = NULL;
    OWNED(mem_drop) char *forged = NULL;
    assert_false(key_equal(opinion, signer));
    assert_ok(guest_attest(d, &g, &err));
    assert_ok(stored_make(d, "for-all", NULL, &s, &err));
    assert_ok(token_verify(span_of_text(g.token), SIMULATED_VERDICT_TYP, signer, &claims, &err));
    assert_ok(token_sign(opinion, SIMULATED_VERDICT_TYP, claims, &forged, &err));
    refused(d, &g, &s, forged, "verdict-key");
}

static void an_opinion_takes_no_challenge_away(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct challenge asked;
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = "direct"};
    assert_ok(guest_challenge(d, &g, &asked, &err));
    guest_evidence(d, &g, &asked, &wish.evidence);
    assert_ok(opine(d, &wish, &reply, &err));
    assert_ok(guest_appraise(d, &g, &asked, &wish.evidence, &err));
    assert_string_equal(text_of(g.verdict.claims, "verdict"), "trusted");
    record_done(&opinion_reply_record, &reply);
    record_done(&opinion_wish_record, &wish);
}

/* ---- what it refuses ------------------------------------------------------------------------ */

static void what_is_no_evidence_gets_no_opinion(void **state)
{
    struct deployment *d = *state;
    static const struct {
        const char *evidence, *code;
    } bad[] = {
        {"", "missing-member"},
        {" ", "malformed"},
        {"{", "malformed"},
        {"[]", "wrong-type"},
        {"{\"kind\":\"snp\"}", "missing-member"},
        {"{\"kind\":\"sev\",\"report\":\"AA==\"}", "unsupported-evidence"},
        {"{\"kind\":\"sev-es\",\"report\":\"AA==\"}", "unsupported-evidence"},
        {"{\"kind\":\"tdx\",\"report\":\"AA==\"}", "unsupported-evidence"},
        {"{\"kind\":\"sgx\",\"report\":\"AA==\"}", "unsupported-evidence"},
        {"{\"kind\":\"snp\",\"report\":\"AA==\",\"token\":\"x\"}", "unknown-member"},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct opinion_reply reply = {0};
        struct opinion_wish wish = {.policy = ""};
        bytes_add(&wish.evidence, span_of_text(bad[i].evidence));
        assert_int_equal(opine(d, &wish, &reply, &err), ERR_INVALID);
        assert_string_equal(err.code, bad[i].code);
        record_done(&opinion_wish_record, &wish);
    }
}

/* Evidence of this kind with `blob` as its main member. */
static void wrap(const char *kind, const char *member, const struct bytes *blob, struct bytes *out)
{
    OWNED(mem_drop) char *base64 = base64_of(bytes_span(blob));
    OWNED(text_done) struct text text = {0};
    text_addf(&text, "{\"kind\":\"%s\",\"%s\":\"%s\"}", kind, member, base64);
    bytes_done(out);
    bytes_add(out, span_of_text(text_str(&text)));
}

/* What hostile bytes hold, a keeper says to the end, and goes on. */
static void hostile_evidence_of_every_kind_is_rejected(void **state)
{
    struct deployment *d = *state;
    static const struct {
        const char *kind, *member, *reason;
        uint8_t unit;
        size_t len;
    } bad[] = {
        {"simulated", "report", "malformed", 0, 0},
        {"simulated", "report", "unsupported-version", 0xff, 1184},
        {"simulated", "report", "unsupported-version", 0, 1184},
        {"snp-azure", "hcl", "malformed", 0, 0},
        {"snp-azure", "hcl", "malformed", '{', 4096},
        {"nitro", "document", "malformed", 0, 0},
        {"nitro", "document", "malformed", 0x81, 20480}, /* nested as deep as it goes */
        {"nitro", "document", "malformed", 0x9b, 20480}, /* declares more than there is */
        {"nitro", "document", "malformed", 0xbf, 20480},
    };
    for (size_t i = 0; i < countof(bad); i++) {
        struct error err = {0};
        struct opinion_reply reply = {0};
        struct opinion_wish wish = {.policy = ""};
        OWNED(bytes_done) struct bytes blob = {0};
        for (size_t n = 0; n < bad[i].len; n++)
            bytes_add_u8(&blob, bad[i].unit);
        wrap(bad[i].kind, bad[i].member, &blob, &wish.evidence);
        assert_ok(opine(d, &wish, &reply, &err));
        assert_string_equal(text_of(reply.verdict, "verdict"), "rejected");
        assert_string_equal(text_of(reply.verdict, "reason"), bad[i].reason);
        record_done(&opinion_reply_record, &reply);
        record_done(&opinion_wish_record, &wish);
    }
}

static void a_policy_is_one_of_the_charters_or_one_of_the_askers(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = "nobodys"};
    unasked(d, &g, 7, &wish.evidence);
    assert_fails(opine(d, &wish, &reply, &err), ERR_DENIED, "policy-unknown");
    wish.appraisal = json_object();
    assert_fails(opine(d, &wish, &reply, &err), ERR_INVALID, "wrong-value");
    wish.policy[0] = '\0';
    assert_fails(opine(d, &wish, &reply, &err), ERR_INVALID, "missing-member");
    record_done(&opinion_wish_record, &wish);
}

static void a_folder_without_a_key_for_opinions_gives_none(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    struct opinion_reply reply = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    struct opinion_wish wish = {.policy = ""};
    OWNED(mem_drop) char *cert = scratch_path(d->keeper_folder, "opinion-cert.pem");
    OWNED(mem_drop) char *signing = scratch_path(d->keeper_folder, "sign-cert.pem");
    OWNED(bytes_done) struct bytes other = {0};
    deployment_stop_keeper(d);
    assert_int_equal(unlink(cert), 0);
    deployment_start_keeper(d);
    unasked(d, &g, 7, &wish.evidence);
    assert_fails(opine(d, &wish, &reply, &err), ERR_DENIED, "no-opinion-key");
    record_done(&opinion_wish_record, &wish);
    /* and a certificate of another role is none for opinions */
    assert_ok(file_read(signing, 4096, &other, &err));
    assert_ok(file_write(cert, bytes_span(&other), 0644, &err));
    deployment_stop_keeper(d);
    assert_fails(keeper_open(d->keeper_folder, 64, &d->keeper, &err), ERR_DENIED, "wrong-role");
}

#define IN(test) cmocka_unit_test_setup_teardown(test, deployment_open, deployment_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN(an_opinion_says_whose_nonce_and_which_policy_it_was),
        IN(without_a_nonce_nothing_is_fresh),
        IN(an_asker_may_bring_nonce_and_policy),
        IN(documents_of_enclaves_are_judged_too),
        IN(a_machine_that_the_charter_denies_is_not_trusted_unasked),
        IN(what_the_charter_denies_is_not_trusted),
        IN(an_opinion_opens_nothing),
        IN(the_key_of_opinions_signs_no_verdict),
        IN(an_opinion_takes_no_challenge_away),
        IN(what_is_no_evidence_gets_no_opinion),
        IN(hostile_evidence_of_every_kind_is_rejected),
        IN(a_policy_is_one_of_the_charters_or_one_of_the_askers),
        IN(a_folder_without_a_key_for_opinions_gives_none),
    };
    return cmocka_run_group_tests_name("opinions", tests, NULL, NULL);
}
