/* What a charter grants: one code for each way to be refused, whoever asks (trust.md section 5;
 * R5). */
#include "lib/model/charter.h"

#include <string.h>

#include "tests/support/cases.h"
#include "tests/support/small_charter.h"
#include "tests/support/test.h"

/* ---- grants ---- */

struct scene {
    json_t *json;
    struct charter *charter;
    struct charter_case good;
};

static int set_up(void **state)
{
    struct scene *s = NEW(struct scene);
    s->json = small_charter();
    s->charter = small_charter_parsed(s->json);
    s->good = (struct charter_case){
        .trusted = true,
        .policy = "web",
        .software = SOURCE_HARDWARE,
        .identity = SOURCE_HARDWARE,
        .level = LEVEL_2,
        .age_seconds = 10,
        .region = "us-east-1",
        .account = "",
        .anchor = {1},
        .link_key = {2},
        .measurement = {3},
        .chip = {4},
        .fleet = "web",
        .kind = SECRET_SSH_HOST_KEY,
        .scope = SCOPE_INSTANCE,
        .secret_anchor = {1},
    };
    memcpy(s->good.policy_digest, charter_find_policy(s->charter, "web")->digest, SHA256_SIZE);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    json_decref(s->json);
    charter_free(s->charter);
    mem_drop(state);
    return cases_end(NULL);
}

static void a_good_case_is_allowed(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    assert_ok(charter_grant_allows(s->charter, "host", &s->good, &err));
}

#define REFUSED(member, value, code)                                                               \
    do {                                                                                           \
        struct charter_case c = s->good;                                                           \
        c.member = (value);                                                                        \
        assert_fails(charter_grant_allows(s->charter, "host", &c, &err), ERR_DENIED, (code));      \
    } while (0)

static void every_rule_refuses_with_its_own_code(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    REFUSED(trusted, false, "verdict-rejected");
    REFUSED(policy, "other", "grant-policy");
    REFUSED(policy_digest[0], (uint8_t)(s->good.policy_digest[0] ^ 1), "policy-changed");
    REFUSED(age_seconds, 601, "verdict-too-old");
    REFUSED(age_seconds, -1, "verdict-too-old");
    REFUSED(software, SOURCE_NONE, "software-unproven");
    REFUSED(level, LEVEL_0, "grant-level");
    REFUSED(region, "eu-west-1", "grant-region");
    REFUSED(region, "", "grant-region");
    REFUSED(fleet, "db", "grant-fleet");
    REFUSED(kind, SECRET_OPAQUE, "grant-kind");
    REFUSED(scope, SCOPE_FLEET, "grant-scope");
    REFUSED(anchor[0], 9, "anchor-mismatch");
    REFUSED(anchor[0], 0, "anchor-unproven");
    REFUSED(identity, SOURCE_NONE, "anchor-unproven");
    assert_fails(charter_grant_allows(s->charter, "nobody", &s->good, &err), ERR_DENIED,
                 "grant-unknown");
}

/* ---- relying parties ---- */

static void a_relying_party_is_read(void **state)
{
    struct scene *s = *state;
    const struct charter_party *bao = charter_find_party(s->charter, "bao");
    assert_non_null(bao);
    assert_string_equal(bao->audience, "https://bao");
    assert_int_equal(bao->least_level, LEVEL_2);
    assert_int_equal(bao->valid_seconds, 120);
    assert_int_equal(bao->max_verdict_age_seconds, 600);
    assert_false(bao->allow_unproven_software);
    assert_null(charter_find_party(s->charter, "vault"));
}

#define NO_PASSPORT(member, value, code)                                                           \
    do {                                                                                           \
        struct charter_case c = s->good;                                                           \
        c.member = (value);                                                                        \
        assert_fails(charter_party_allows(s->charter, "bao", &c, &err), ERR_DENIED, (code));       \
    } while (0)

/* Nothing is asked of it about secrets, fleets and regions. */
static void a_relying_party_takes_what_it_asks_for_and_nothing_less(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    assert_ok(charter_party_allows(s->charter, "bao", &s->good, &err));
    NO_PASSPORT(trusted, false, "verdict-rejected");
    NO_PASSPORT(policy, "other", "party-policy");
    NO_PASSPORT(policy_digest[0], (uint8_t)(s->good.policy_digest[0] ^ 1), "policy-changed");
    NO_PASSPORT(age_seconds, 601, "verdict-too-old");
    NO_PASSPORT(age_seconds, -1, "verdict-too-old");
    NO_PASSPORT(software, SOURCE_NONE, "software-unproven");
    NO_PASSPORT(level, LEVEL_1, "party-level");
    assert_fails(charter_party_allows(s->charter, "nobody", &s->good, &err), ERR_DENIED,
                 "party-unknown");
}

static void who_is_denied_gets_no_passport(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    const char *last;
    OWNED(json_drop) json_t *json = small_charter();
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(s->good.anchor));
    json_object_set_new(small_charter_parent(json, "deny/x", &last), "anchors",
                        json_pack("[s]", hex));
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    assert_fails(charter_party_allows(c, "bao", &s->good, &err), ERR_DENIED, "denied-anchor");
}

/* ---- grants and what is denied ---- */

static void an_account_that_is_not_proven_is_refused(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    const char *last;
    json_object_set_new(small_charter_parent(s->json, "grants/host/x", &last), "accounts",
                        json_pack("[s]", "prod"));
    charter_free(s->charter);
    s->charter = small_charter_parsed(s->json);
    assert_fails(charter_grant_allows(s->charter, "host", &s->good, &err), ERR_DENIED,
                 "grant-account");
    s->good.account = "prod";
    assert_ok(charter_grant_allows(s->charter, "host", &s->good, &err));
}

/* Whoever asks is told the same. */
static void try_denied(const struct charter *charter, const struct charter_case *c,
                       const char *code, const char *test)
{
    struct error grant = {0}, party = {0}, alone = {0};
    error_ignore(charter_grant_allows(charter, "host", c, &grant));
    error_ignore(charter_party_allows(charter, "bao", c, &party));
    error_ignore(charter_check_denied(charter, c, &alone));
    case_words(grant.code, code, test);
    case_words(party.code, code, test);
    case_words(alone.code, code, test);
}

static void whatever_is_on_a_deny_list_is_refused(void **state)
{
    struct scene *s = *state;
    static const struct {
        const char *list, *code;
        size_t len;
        uint8_t first;
    } lists[] = {
        {"chips", "denied-chip", CHARTER_CHIP_SIZE, 4},
        {"measurements", "denied-measurement", CHARTER_MEASUREMENT_SIZE, 3},
        {"anchors", "denied-anchor", SHA256_SIZE, 1},
        {"guest_keys", "denied-guest-key", SHA256_SIZE, 2},
    };
    for (size_t i = 0; i < countof(lists); i++) {
        OWNED(json_drop) json_t *json = small_charter();
        uint8_t value[CHARTER_CHIP_SIZE] = {lists[i].first};
        OWNED(mem_drop) char *hex = hex_of(SPAN(value, lists[i].len));
        const char *last;
        json_object_set_new(small_charter_parent(json, "deny/x", &last), lists[i].list,
                            json_pack("[s]", hex));
        OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
        try_denied(c, &s->good, lists[i].code, __func__);
    }
}

/* Of whose make it is: the generation of its chip, its region, who signed its image. */
static void whoever_is_of_a_denied_make_is_refused(void **state)
{
    struct scene *s = *state;
    char signer[2 * SIGNER_DIGEST_SIZE + 1];
    uint8_t value[SIGNER_DIGEST_SIZE] = {7};
    hex_encode(SPAN_OF(value), signer);
    const struct {
        const char *list, *value, *code;
        const char *csp_id, *region;
        int slot; /* of a signer; -1: none */
    } lists[] = {
        {"products", "Genoa", "denied-product", "", "", -1},
        {"products", "Genoa", "denied-product", "CN=cc-us-east-2.amazonaws.com", "", -1},
        {"products", "Genoa", "denied-product", "", "us-east-2", -1},
        {"regions", "us-east-2", "denied-region", "CN=cc-us-east-2.amazonaws.com", "", -1},
        {"regions", "us-east-2", "denied-region", "", "us-east-2", -1},
        {"regions", "CN=somebody else", "denied-region", "CN=somebody else", "", -1},
        {"signers", signer, "denied-signer", "", "", 0},
        {"signers", signer, "denied-signer", "", "", 1},
    };
    for (size_t i = 0; i < countof(lists); i++) {
        struct error err = {0};
        const char *last;
        struct charter_case c = s->good;
        OWNED(json_drop) json_t *json = small_charter();
        json_object_set_new(small_charter_parent(json, "deny/x", &last), lists[i].list,
                            json_pack("[s]", lists[i].value));
        OWNED(charter_drop) struct charter *charter = small_charter_parsed(json);
        c.made = (struct provenance){.has_line = true, .line = LINE_MILAN};
        c.region = "";
        assert_ok(charter_check_denied(charter, &c, &err));
        c.made.line = strcmp(lists[i].list, "products") == 0 ? LINE_GENOA : LINE_MILAN;
        snprintf(c.made.csp_id, sizeof c.made.csp_id, "%s", lists[i].csp_id);
        c.region = lists[i].region;
        if (lists[i].slot >= 0)
            memcpy(c.made.signers[lists[i].slot], value, sizeof value);
        struct error why = {0}, unknown = {0};
        error_ignore(charter_check_denied(charter, &c, &why));
        case_is(why.code, lists[i].code);
        c.made.has_line = false;
        error_ignore(charter_check_denied(charter, &c, &unknown));
        case_is(unknown.code, strcmp(lists[i].list, "products") == 0 ? "" : lists[i].code);
    }
}

/* From its end on a reference is as good as retired, whatever else names the same software. */
static void a_reference_ends_at_its_time(void **state)
{
    (void)state;
    const struct moment end = clock_at_seconds(1795600000);
    const struct moment before = moment_add_seconds(end, -1);
    const char *last;
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    struct image_facts facts;
    OWNED(json_drop) json_t *json = small_charter();
    json_put_moment(small_charter_parent(json, "references/direct/x", &last), "expires", end);
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    const struct charter_policy *web = charter_find_policy(c, "web");
    const struct value_set *set = &web->policy->snp.measurement;
    memset(measurement, 0x11, sizeof measurement);
    assert_true(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), before, &facts));
    assert_false(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), end, &facts));
    assert_true(value_set_has_at(set, SPAN_OF(measurement), before));
    assert_false(value_set_has_at(set, SPAN_OF(measurement), end));
    assert_int_equal(value_set_until(set, SPAN_OF(measurement)).us, end.us);
    memset(measurement, 0x22, sizeof measurement);
    assert_true(value_set_has_at(set, SPAN_OF(measurement), end));
    assert_true(moment_is_none(value_set_until(set, SPAN_OF(measurement))));
}

static void a_chip_that_evidence_does_not_name_is_on_no_list(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    const char *last;
    OWNED(json_drop) json_t *json = small_charter();
    uint8_t zero[CHARTER_CHIP_SIZE] = {0};
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(zero));
    json_object_set_new(small_charter_parent(json, "deny/x", &last), "chips",
                        json_pack("[s]", hex));
    OWNED(charter_drop) struct charter *c = small_charter_parsed(json);
    s->good.chip[0] = 0;
    assert_ok(charter_grant_allows(c, "host", &s->good, &err));
}

/* ---- signatures ---- */

static void a_charter_opens_under_its_signers_only(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    OWNED(key_drop) struct key *key = NULL;
    OWNED(key_drop) struct key *stranger = NULL;
    OWNED(bytes_done) struct bytes pem = {0};
    OWNED(charter_signers_done) struct charter_signers signers = {0};
    assert_ok(key_generate(KEY_P256, &key, &err));
    assert_ok(key_generate(KEY_P256, &stranger, &err));
    assert_ok(key_to_public_pem(key, &pem, &err));
    OWNED(json_drop)
    json_t *pinned =
        json_pack("{s:i,s:[s%]}", "threshold", 1, "keys", (const char *)pem.at, pem.len);
    OWNED(mem_drop) char *text = json_print(pinned);
    assert_ok(charter_signers_parse(span_of_text(text), &signers, &err));

    OWNED(mem_drop) char *printed = json_print(s->json);
    OWNED(mem_drop) char *unsigned_set = NULL;
    OWNED(mem_drop) char *good = NULL;
    OWNED(mem_drop) char *bad = NULL;
    OWNED(mem_drop) char *other_typ = NULL;
    OWNED(charter_drop) struct charter *charter = NULL;
    token_set_make(span_of_text(printed), &unsigned_set);
    assert_ok(token_set_sign(span_of_text(unsigned_set), CHARTER_TYP, key, &good, &err));
    assert_ok(token_set_sign(span_of_text(unsigned_set), CHARTER_TYP, stranger, &bad, &err));
    assert_ok(token_set_sign(span_of_text(unsigned_set), "order", key, &other_typ, &err));
    assert_fails(charter_open(span_of_text(bad), &signers, &charter, &err), ERR_DENIED,
                 "too-few-signatures");
    assert_fails(charter_open(span_of_text(other_typ), &signers, &charter, &err), ERR_DENIED,
                 "token-type");
    assert_ok(charter_open(span_of_text(good), &signers, &charter, &err));
    assert_int_equal(charter->serial, 7);
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCENE(a_good_case_is_allowed),
        IN_SCENE(every_rule_refuses_with_its_own_code),
        IN_SCENE(a_relying_party_is_read),
        IN_SCENE(a_relying_party_takes_what_it_asks_for_and_nothing_less),
        IN_SCENE(who_is_denied_gets_no_passport),
        IN_SCENE(an_account_that_is_not_proven_is_refused),
        IN_SCENE(whatever_is_on_a_deny_list_is_refused),
        IN_SCENE(whoever_is_of_a_denied_make_is_refused),
        cmocka_unit_test(a_reference_ends_at_its_time),
        IN_SCENE(a_chip_that_evidence_does_not_name_is_on_no_list),
        IN_SCENE(a_charter_opens_under_its_signers_only),
    };
    return cmocka_run_group_tests_name("charter_grants", tests, NULL, NULL);
}
