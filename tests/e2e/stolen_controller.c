/* Whoever holds the controller, its database and its credentials asks the keeper for what it should
 * not give (trust.md section 1). Each attack is refused, with a code of its own. R6, R32, R112. */
#include <string.h>
#include <unistd.h>

#include "lib/model/charter.h"
#include "lib/model/verdict_vector.h"
#include "tests/support/heist.h"
#include "tests/support/scratch.h"
#include "tests/support/test.h"

/* ---- the honest way ----------------------------------------------------------------------- */

static void a_guest_that_proves_itself_gets_its_secret_and_nobody_else_can_read_it(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(guest_done) struct guest other = guest_make(PSP_DIRECT_BOOT, 6);
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    uint8_t check[SHA256_SIZE];
    guest_attested(d, &g);
    guest_attested(d, &other);
    assert_verdict(&g, "trusted", "ok");
    assert_claim(&g, "software", "hardware");
    assert_claim(&g, "identity", "hardware");
    stored_made(d, "proven", NULL, &s);
    struct release_wish wish = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &wish, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    assert_int_equal(plain.len, 32);
    assert_string_equal(header.name, "web-key");
    assert_string_equal(header.grant, "proven");
    assert_int_equal(header.version, 1);
    seal_check(SPAN_OF(header.salt), locked_span(&plain), check);
    assert_memory_equal(check, s.reply.check, sizeof check);
    assert_memory_equal(check, reply.check, sizeof check);
    assert_fails(guest_open(d, &other, bytes_span(&reply.envelope), &header, &plain, &err),
                 ERR_DENIED, "envelope-not-ours");
    assert_null(memmem(s.reply.record.at, s.reply.record.len, plain.at, plain.len));
    record_done(&release_reply_record, &reply);
}

static void plain_cloud_evidence_is_l1_and_says_why(void **state)
{
    struct deployment *d = *state;
    OWNED(guest_done) struct guest g = guest_make(PSP_FIRMWARE_ONLY, 0);
    guest_attested(d, &g);
    assert_verdict(&g, "trusted", "ok");
    assert_claim(&g, "level", "L1");
    assert_claim(&g, "hardware", "hardware");
    assert_claim(&g, "software", "none");
    assert_claim(&g, "identity", "none");
    assert_claim(&g, "region", "us-east-2");
    assert_true(json_is_true(json_object_get(g.verdict.claims, "simulated")));
    assert_null(json_object_get(g.verdict.claims, "anchor"));
}

static void a_host_key_is_made_for_one_machine_with_its_public_half(void **state)
{
    struct deployment *d = *state;
    struct error err = {0};
    OWNED(guest_done) struct guest g = guest_make(PSP_DIRECT_BOOT, 5);
    OWNED(stored_done) struct stored s = {0};
    OWNED(locked_done) struct locked plain = {0};
    struct release_reply reply = {0};
    struct seal_header header;
    guest_attested(d, &g);
    stored_made(d, "host", &g, &s);
    assert_memory_equal(s.reply.public, "ssh-ed25519 AAAA", 16);
    struct release_wish wish = release_wish_of(&g, &s);
    assert_ok(release_ask(d, &wish, &reply, &err));
    assert_ok(guest_open(d, &g, bytes_span(&reply.envelope), &header, &plain, &err));
    assert_memory_equal(plain.at, "-----BEGIN OPENSSH PRIVATE KEY-----\n", 36);
    assert_string_equal(header.kind, "ssh-host-key");
    record_done(&release_reply_record, &reply);
}

/* ---- secrets for the wrong machine -------------------------------------------------------- */

static struct release_wish ask_for_another_machine(struct heist *h)
{
    guest_attested(h->d, &h->other);
    return release_wish_of(&h->other, &h->s);
}

static struct release_wish ask_for_no_proven_machine(struct heist *h)
{
    memset(h->other.wish.host_data, 0, sizeof h->other.wish.host_data);
    return ask_for_another_machine(h);
}

static struct release_wish make_with_and_without_anchor(struct heist *h)
{
    struct error err = {0};
    struct stored s = {0};
    assert_fails(stored_make(h->d, "host", NULL, &s, &err), ERR_INVALID, "anchor-missing");
    assert_fails(stored_make(h->d, "for-all", &h->g, &s, &err), ERR_INVALID, "anchor-unexpected");
    return heist_ask(h);
}

static struct release_wish ask_under_a_grant_that_says_so(struct heist *h)
{
    struct release_wish wish = heist_ask(h);
    assert_refused(h->d, &wish, "software-unproven");
    stored_done(&h->s);
    stored_made(h->d, "for-all", NULL, &h->s);
    return heist_ask(h);
}

/* ---- the charter -------------------------------------------------------------------------- */

static void change_charter(struct deployment *d)
{
    struct error err = {0};
    deployment_raise_serial(d);
    assert_ok(deployment_apply(d, &err));
}

static struct release_wish let_the_charter_expire(struct heist *h)
{
    struct error err = {0};
    struct challenge challenge;
    clock_advance_ms(INT64_C(1000) * 86400 * CHARTER_DAYS_MAX);
    assert_fails(guest_challenge(h->d, &h->g, &challenge, &err), ERR_DENIED, "charter-expired");
    deployment_raise_serial(h->d); /* the same dates under a new serial are no better */
    assert_fails(deployment_apply(h->d, &err), ERR_DENIED, "charter-expired");
    return heist_ask(h);
}

static struct release_wish narrow_the_charter(struct heist *h)
{
    json_put_bool(deployment_at(h->d, "references", "stock"), "retired", true);
    change_charter(h->d);
    struct release_wish changed = heist_ask(h);
    assert_refused(h->d, &changed, "policy-changed");
    json_object_del(json_object_get(h->d->charter, "grants"), "for-all");
    change_charter(h->d);
    return heist_ask(h);
}

static int64_t claimed(const struct guest *g, const char *claim)
{
    const json_t *vector = json_object_get(g->verdict.claims, "trust_vector");
    assert_int_equal(json_object_size(vector), TRUST_CLAIM_COUNT);
    return json_integer_value(json_object_get(vector, claim));
}

static struct release_wish be_denied_by_the_charter(struct heist *h)
{
    const char *anchor = json_string_value(json_object_get(h->g.verdict.claims, "anchor"));
    for (size_t i = 0; i < TRUST_CLAIM_COUNT; i++) /* it is simulated */
        assert_int_equal(claimed(&h->g, trust_claim_names.words[i]), TIER_NONE);
    json_object_set_new(json_object_get(h->d->charter, "deny"), "anchors",
                        json_pack("[s]", anchor));
    change_charter(h->d);
    struct release_wish wish = heist_ask(h);
    assert_refused(h->d, &wish, "denied-anchor");
    guest_attested(h->d, &h->g);
    assert_verdict(&h->g, "rejected", "denied-anchor");
    assert_int_equal(claimed(&h->g, "instance-identity"), TIER_CONTRAINDICATED);
    assert_int_equal(claimed(&h->g, "hardware"), TIER_NONE);
    return heist_ask(h);
}

/* What its host wrote says which machine it is, although no reference counts it as that: a list
 * reaches it, in verdicts of before too. */
static struct release_wish be_denied_by_what_it_names(struct heist *h)
{
    json_put_text(deployment_at(h->d, "references", "direct"), "anchor", "none");
    change_charter(h->d);
    guest_attested(h->d, &h->g);
    assert_verdict(&h->g, "trusted", "ok");
    assert_null(json_object_get(h->g.verdict.claims, "anchor"));
    const char *named = json_string_value(json_object_get(h->g.verdict.claims, "named"));
    assert_non_null(named);
    assert_int_equal(strlen(named), 2 * VERDICT_NAMED * SHA256_SIZE);
    json_object_set_new(json_object_get(h->d->charter, "deny"), "anchors",
                        json_pack("[s%]", named, (size_t)2 * SHA256_SIZE));
    change_charter(h->d);
    return heist_ask(h);
}

/* One release must not spoil every later one: not even to make such a version is possible. */
static struct release_wish jump_to_the_last_version(struct heist *h)
{
    struct error err = {0};
    OWNED(stored_done) struct stored far = {.wish = h->s.wish};
    far.wish.version = INT32_MAX - 1;
    assert_fails(stored_renew(h->d, &far, &err), ERR_DENIED, "version-jump");
    return heist_ask(h);
}

/* Its verdict says whose chip, region and provider it is, so a list acts on what was judged before.
 */
static struct release_wish be_denied_by_its_make(struct heist *h)
{
    static const struct {
        const char *list, *value, *code;
    } lists[] = {{"products", "Milan", "denied-product"},
                 {"regions", "us-east-2", "denied-region"},
                 {"regions", "CN=cc-us-east-2.amazonaws.com", "denied-region"}};
    json_t *deny = json_object_get(h->d->charter, "deny");
    for (size_t i = 0; i < countof(lists); i++) {
        guest_attested(h->d, &h->g);
        assert_verdict(&h->g, "trusted", "ok");
        json_object_set_new(deny, lists[i].list, json_pack("[s]", lists[i].value));
        change_charter(h->d);
        struct release_wish wish = heist_ask(h);
        assert_refused(h->d, &wish, lists[i].code);
        guest_attested(h->d, &h->g);
        assert_verdict(&h->g, "rejected", lists[i].code);
        json_object_set_new(deny, lists[i].list, json_array());
        change_charter(h->d);
    }
    return heist_ask(h);
}

static struct release_wish outlive_the_reference(struct heist *h)
{
    const struct moment end = moment_add_seconds(clock_now(), 120);
    json_put_moment(deployment_at(h->d, "references", "stock"), "expires", end);
    change_charter(h->d);
    guest_attested(h->d, &h->g);
    assert_verdict(&h->g, "trusted", "ok");
    assert_int_equal(h->g.verdict.expires.us, end.us);
    clock_advance_ms(INT64_C(1000) * 120);
    struct release_wish wish = heist_ask(h);
    assert_refused(h->d, &wish, "verdict-expired");
    guest_attested(h->d, &h->g);
    assert_verdict(&h->g, "rejected", "policy-measurement");
    return heist_ask(h);
}

/* ---- versions and records ----------------------------------------------------------------- */

static struct release_wish move_under_another_grant(struct heist *h)
{
    uint8_t *grant = memmem(h->s.reply.record.at, h->s.reply.record.len, "proven", 6);
    assert_non_null(grant);
    memcpy(grant, "direct", 6);
    return heist_ask(h);
}

static struct release_wish ask_for_a_lower_version(struct heist *h)
{
    struct error err = {0};
    OWNED(stored_done) struct stored second = {.wish = h->s.wish};
    assert_ok(stored_renew(h->d, &second, &err));
    struct release_wish newer = release_wish_of(&h->g, &second);
    assert_released(h->d, &newer);
    struct release_wish older = heist_ask(h);
    assert_refused(h->d, &older, "version-too-low");
    deployment_stop_keeper(h->d);
    deployment_start_keeper(h->d);
    return heist_ask(h);
}

static struct release_wish ask_for_another_secret(struct heist *h)
{
    struct release_wish wish = heist_ask(h);
    wish.secret.at[0] ^= 1;
    return wish;
}

static struct release_wish ask_by_another_name(struct heist *h)
{
    struct release_wish wish = heist_ask(h);
    memcpy(wish.name, "tls-key", 8);
    return wish;
}

static struct release_wish ask_for_another_version(struct heist *h)
{
    struct release_wish wish = heist_ask(h);
    wish.version = 2;
    return wish;
}

static struct release_wish bring_a_record_from_elsewhere(struct heist *h)
{
    struct deployment *elsewhere = heist_elsewhere();
    stored_done(&h->s);
    stored_made(elsewhere, h->attack->grant, NULL, &h->s);
    deployment_free(elsewhere);
    return heist_ask(h);
}

static struct release_wish bring_what_is_no_record(struct heist *h)
{
    static const char *const records[] = {"x", "MUSTREC1", "MUSTREC1\xff\xff\xff\xff"};
    for (size_t i = 0; i < countof(records); i++) {
        struct error err = {0};
        struct release_reply reply = {0};
        struct release_wish wish = heist_ask(h);
        wish.record = bytes_copy(span_of_text(records[i]));
        assert_fails(release_ask(h->d, &wish, &reply, &err), ERR_INVALID, "record-malformed");
        bytes_done(&wish.record);
    }
    return heist_ask(h);
}

static struct release_wish take_the_keepers_memory(struct heist *h)
{
    struct error err = {0};
    struct stored more = {0};
    OWNED(mem_drop) char *path = scratch_path(h->d->keeper_folder, "state");
    deployment_stop_keeper(h->d);
    assert_int_equal(unlink(path), 0);
    deployment_start_keeper(h->d);
    guest_attested(h->d, &h->g);
    assert_verdict(&h->g, "trusted", "ok");
    assert_fails(stored_make(h->d, "for-all", NULL, &more, &err), ERR_DENIED, "state-missing");
    deployment_raise_serial(h->d);
    assert_fails(deployment_apply(h->d, &err), ERR_DENIED, "state-missing");
    return heist_ask(h);
}

/* ---- the attacks -------------------------------------------------------------------------- */

/* clang-format off */
static const struct attack attacks[] = {
    {"a_secret_of_one_machine_is_refused_to_another_anchor",
     PSP_DIRECT_BOOT, "host", ask_for_another_machine, "anchor-mismatch"},
    {"a_secret_of_one_machine_is_refused_where_no_machine_is_proven",
     PSP_DIRECT_BOOT, "host", ask_for_no_proven_machine, "anchor-unproven"},
    {"a_secret_of_one_machine_needs_its_anchor_and_one_of_a_fleet_has_none",
     PSP_DIRECT_BOOT, "proven", make_with_and_without_anchor, NULL},
    {"a_policy_that_the_grant_does_not_name_gets_nothing",
     PSP_FIRMWARE_ONLY, "direct-only", heist_ask, "grant-policy"},
    {"unproven_software_gets_nothing_unless_the_grant_says_so",
     PSP_FIRMWARE_ONLY, "proven", ask_under_a_grant_that_says_so, NULL},
    {"an_expired_charter_stops_everything",
     PSP_FIRMWARE_ONLY, "for-all", let_the_charter_expire, "charter-expired"},
    {"narrowing_acts_at_once",
     PSP_FIRMWARE_ONLY, "for-all", narrow_the_charter, "grant-unknown"},
    {"what_the_charter_denies_is_not_trusted",
     PSP_DIRECT_BOOT, "proven", be_denied_by_the_charter, "verdict-rejected"},
    {"whoever_names_a_denied_machine_gets_nothing_by_its_old_verdict",
     PSP_DIRECT_BOOT, "for-all", be_denied_by_what_it_names, "denied-anchor"},
    {"no_version_jumps_far_above_the_last",
     PSP_FIRMWARE_ONLY, "for-all", jump_to_the_last_version, NULL},
    {"whoever_is_of_a_denied_make_is_not_trusted",
     PSP_FIRMWARE_ONLY, "for-all", be_denied_by_its_make, "verdict-rejected"},
    {"a_verdict_ends_with_the_reference_that_it_rests_on",
     PSP_FIRMWARE_ONLY, "for-all", outlive_the_reference, "verdict-rejected"},
    {"a_secret_cannot_be_moved_under_another_grant",
     PSP_FIRMWARE_ONLY, "proven", move_under_another_grant, "record-not-ours"},
    {"a_lower_version_is_refused_even_after_a_restart",
     PSP_FIRMWARE_ONLY, "for-all", ask_for_a_lower_version, "version-too-low"},
    {"a_record_is_not_released_as_another_secret",
     PSP_FIRMWARE_ONLY, "for-all", ask_for_another_secret, "record-mismatch"},
    {"a_record_is_not_released_by_another_name",
     PSP_FIRMWARE_ONLY, "for-all", ask_by_another_name, "record-mismatch"},
    {"a_record_is_not_released_as_another_version",
     PSP_FIRMWARE_ONLY, "for-all", ask_for_another_version, "record-mismatch"},
    {"a_record_of_another_deployment_is_nothing_here",
     PSP_FIRMWARE_ONLY, "for-all", bring_a_record_from_elsewhere, "record-not-ours"},
    {"a_record_that_is_none_opens_nothing",
     PSP_FIRMWARE_ONLY, "for-all", bring_what_is_no_record, NULL},
    {"without_its_memory_the_keeper_appraises_and_releases_nothing",
     PSP_FIRMWARE_ONLY, "for-all", take_the_keepers_memory, "state-missing"},
};
/* clang-format on */

#define IN(test) cmocka_unit_test_setup_teardown(test, deployment_open, deployment_close)

int main(void)
{
    const struct CMUnitTest honest[] = {
        IN(a_guest_that_proves_itself_gets_its_secret_and_nobody_else_can_read_it),
        IN(plain_cloud_evidence_is_l1_and_says_why),
        IN(a_host_key_is_made_for_one_machine_with_its_public_half),
    };
    struct CMUnitTest tests[countof(honest) + countof(attacks)];
    memcpy(tests, honest, sizeof honest);
    for (size_t i = 0; i < countof(attacks); i++)
        tests[countof(honest) + i] = heist_test(&attacks[i]);
    return cmocka_run_group_tests_name("stolen controller", tests, NULL, NULL);
}
