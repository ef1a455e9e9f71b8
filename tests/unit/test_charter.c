/* The charter: strict on the way in, and one code for each way to be refused (trust.md section 5;
 * R5). */
#include "lib/model/charter.h"

#include <string.h>

#include "tests/support/test.h"

#define PARTY(audience, policies, level, valid)                                                    \
    "{\"audience\":" audience ",\"policies\":" policies ",\"least_level\":\"" level                \
    "\",\"max_verdict_age_seconds\":600,\"valid_seconds\":" valid "}"

static const char template[] =
    "{\"charter\":1,\"realm\":\"simulation\",\"serial\":7,"
    "\"issued\":\"2026-11-23T00:00:00Z\",\"expires\":\"2026-12-20T00:00:00Z\","
    "\"policies\":{\"web\":{\"snp\":{},\"references\":[\"direct\",\"stock\"],"
    "\"valid_seconds\":3600}},"
    "\"references\":{"
    "\"direct\":{\"measurement\":[\"11111111111111111111111111111111111111111111111111111111111111"
    "1111111111111111111111111111111111\"],\"measured_boot\":true,\"anchor\":\"host-data\","
    "\"provider_execution\":\"off\"},"
    "\"stock\":{\"measurement\":[\"2222222222222222222222222222222222222222222222222222222222222222"
    "22222222222222222222222222222222\"],\"measured_boot\":false,\"anchor\":\"none\","
    "\"provider_execution\":\"on\"}},"
    "\"grants\":{"
    "\"web-key\":{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\","
    "\"regions\":\"any\",\"fleets\":\"any\",\"scope\":\"fleet\",\"kind\":\"opaque\","
    "\"origin\":\"generate\",\"max_verdict_age_seconds\":3600,\"allow_unproven_software\":true},"
    "\"host\":{\"policies\":[\"web\"],\"least_level\":\"L1\",\"accounts\":\"any\","
    "\"regions\":[\"us-east-1\"],\"fleets\":[\"web\"],\"scope\":\"instance\","
    "\"kind\":\"ssh-host-key\",\"origin\":\"generate\",\"max_verdict_age_seconds\":600}},"
    "\"tcb_floors\":{},"
    "\"deny\":{\"chips\":[],\"measurements\":[],\"anchors\":[],\"guest_keys\":[]},"
    "\"keepers\":[],\"relying_parties\":{\"bao\":" PARTY(
        "\"https://bao\"", "[\"web\"]", "L2",
        "120") "},"
               "\"custody\":{\"keeper\":\"on-premises\",\"kek\":\"file\"},\"simulator_roots\":[]}";

static struct charter *parsed(const json_t *json)
{
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(mem_drop) char *text = json_print(json);
    assert_ok(charter_parse(span_of_text(text), &charter, &err));
    return charter;
}

static json_t *fresh(void)
{
    json_t *json = json_loads(template, 0, NULL);
    assert_non_null(json);
    return json;
}

/* Walk "a/b/c" down; the last part stays for the caller. */
static json_t *parent_of(json_t *json, const char *path, const char **last)
{
    char step[64];
    const char *slash;
    while ((slash = strchr(path, '/')) != NULL) {
        memcpy(step, path, (size_t)(slash - path));
        step[slash - path] = '\0';
        json = json_object_get(json, step);
        path = slash + 1;
    }
    *last = path;
    return json;
}

static void a_whole_charter_is_read(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = fresh();
    OWNED(charter_drop) struct charter *c = parsed(json);
    assert_int_equal(c->serial, 7);
    assert_int_equal(c->realm, REALM_SIMULATION);
    assert_true(c->custody_outside);
    const struct charter_policy *web = charter_find_policy(c, "web");
    assert_non_null(web);
    assert_int_equal(web->policy->snp.measurement.count, 2);
    assert_false(policy_takes_any_measurement(&web->policy->snp));
    assert_null(charter_find_policy(c, "other"));
    assert_int_equal(charter_find_grant(c, "host")->max_verdict_age_seconds, 600);
}

static void every_bad_value_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *value; /* NULL: remove */
    } changes[] = {
        {"charter", "2"},
        {"realm", "\"test\""},
        {"serial", "0"},
        {"serial", "-1"},
        {"serial", NULL},
        {"issued", NULL},
        {"expires", "\"2026-12-24T00:00:01Z\""},
        {"expires", "\"2026-11-23T00:00:00Z\""},
        {"surprise", "1"},
        {"policies", NULL},
        {"policies/web/snp", NULL},
        {"policies/web/snp/measurement", "\"any\""},
        {"policies/web/snp/surprise", "1"},
        {"policies/web/references", "[\"nobody\"]"},
        {"policies/web/references", NULL},
        {"policies/web/valid_seconds", "0"},
        {"policies/web/valid_seconds", "86401"},
        {"policies/UPPER", "{}"},
        {"references/direct/measurement", "[\"00\"]"},
        {"references/direct/measurement", "\"any\""}, /* and measured_boot: a contradiction */
        {"references/direct/measured_boot", "1"},
        {"references/direct/anchor", "\"hope\""},
        {"references/direct/provider_execution", NULL},
        {"references/direct/surprise", "true"},
        {"grants/web-key/policies", "[\"nobody\"]"},
        {"grants/web-key/policies", "\"any\""},
        {"grants/web-key/regions", NULL}, /* absent is not any */
        {"grants/web-key/accounts", NULL},
        {"grants/web-key/fleets", NULL},
        {"grants/web-key/least_level", "\"L0\""},
        {"grants/web-key/least_level", "\"L2\""}, /* and unproven software: a contradiction */
        {"grants/web-key/scope", "\"world\""},
        {"grants/web-key/kind", "\"disk-key\""},
        {"grants/web-key/origin", "\"import\""},
        {"grants/web-key/max_verdict_age_seconds", "0"},
        {"grants/web-key/surprise", "true"},
        {"deny", NULL},
        {"deny/chips", NULL},
        {"deny/chips", "\"any\""},
        {"deny/products", "[\"Rome\"]"},
        {"deny/products", "\"Milan\""},
        {"deny/regions", "[\"\"]"},
        {"deny/signers", "[\"00\"]"},
        {"references/stock/expires", "\"tomorrow\""},
        {"references/direct/expires", "\"1970-01-01T00:00:00Z\""}, /* else it would be none */
        {"references/direct/expires", "\"1970-01-01T01:00:00+01:00\""},
        {"deny/anchors", "[\"zz\"]"},
        {"keepers", "[\"00\"]"},
        {"custody", NULL},
        {"relying_parties", "[]"},
        {"relying_parties/vault", "{}"},
        {"relying_parties/UPPER", PARTY("\"https://vault\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"a b\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"muster-keeper\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"muster-opinion\"", "[\"web\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"https://bao\"", "[\"web\"]", "L1", "300")}, /* bao's */
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"nobody\"]", "L1", "300")},
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"web\"]", "L0", "300")},
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"web\"]", "L1", "301")},
        {"relying_parties/vault", PARTY("\"https://vault\"", "[\"web\"]", "L1", "0")},
        {"relying_parties/bao/allow_unproven_software", "true"}, /* and L2: a contradiction */
        {"relying_parties/bao/policies", NULL},                  /* absent is not any */
        {"relying_parties/bao/audience", NULL},
        {"relying_parties/bao/max_verdict_age_seconds", NULL},
        {"relying_parties/bao/valid_seconds", NULL},
        {"relying_parties/bao/surprise", "1"},
        {"tcb_floors", "{\"Zen\":{}}"},
        {"tcb_floors", "[]"},
        {"tcb_floors", "{\"Milan\":[{}, {\"snp\":1}]}"},
    };
    for (size_t i = 0; i < countof(changes); i++) {
        struct error err = {0};
        struct charter *charter = NULL;
        const char *last;
        OWNED(json_drop) json_t *json = fresh();
        json_t *at = parent_of(json, changes[i].path, &last);
        if (changes[i].value != NULL)
            json_object_set_new(at, last, json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        else
            json_object_del(at, last);
        OWNED(mem_drop) char *text = json_print(json);
        if (charter_parse(span_of_text(text), &charter, &err) != ERR_INVALID)
            fail_msg("taken: %s = %s", changes[i].path, changes[i].value);
        assert_null(charter);
    }
}

static void simulator_roots_exist_in_the_simulation_realm_only(void **state)
{
    (void)state;
    struct error err = {0};
    struct charter *charter = NULL;
    OWNED(json_drop) json_t *json = fresh();
    OWNED(text_done) struct text hash = {0};
    text_add_hex(&hash, SPAN("0123456789abcdef0123456789abcdef", 32));
    json_array_append_new(json_object_get(json, "simulator_roots"), json_string(text_str(&hash)));
    OWNED(charter_drop) struct charter *simulation = parsed(json);
    assert_true(charter_values_have(&simulation->simulator_roots,
                                    SPAN("0123456789abcdef0123456789abcdef", 32)));
    json_put_text(json, "realm", "production");
    OWNED(mem_drop) char *text = json_print(json);
    assert_fails(charter_parse(span_of_text(text), &charter, &err), ERR_INVALID, "bad-charter");
    assert_string_equal(err.where, "/simulator_roots");
}

static void a_charter_counts_in_its_realm_and_time_only(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(json_drop) json_t *json = fresh();
    OWNED(charter_drop) struct charter *c = parsed(json);
    struct moment now = moment_add_seconds(c->issued, 60);
    assert_ok(charter_check(c, REALM_SIMULATION, now, &err));
    assert_fails(charter_check(c, REALM_PRODUCTION, now, &err), ERR_DENIED, "charter-realm");
    assert_fails(charter_check(c, REALM_SIMULATION, c->expires, &err), ERR_DENIED,
                 "charter-expired");
    assert_fails(charter_check(c, REALM_SIMULATION, moment_add_seconds(c->issued, -3600), &err),
                 ERR_DENIED, "charter-not-yet-valid");
}

static void an_image_is_worth_the_least_that_its_references_say(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = fresh();
    OWNED(charter_drop) struct charter *c = parsed(json);
    const struct charter_policy *web = charter_find_policy(c, "web");
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    struct image_facts facts;
    const struct moment day = c->issued;
    memset(measurement, 0x11, sizeof measurement);
    assert_true(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_true(facts.measured_boot && facts.provider_execution_off);
    assert_int_equal(facts.anchor, ANCHOR_HOST_DATA);
    memset(measurement, 0x22, sizeof measurement);
    assert_true(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_false(facts.measured_boot || facts.provider_execution_off);
    measurement[0] = 0;
    assert_false(charter_image_facts(c, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_false(facts.measured_boot);
}

static void a_retired_reference_neither_passes_nor_leaves_the_policy_the_same(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = fresh();
    OWNED(charter_drop) struct charter *before = parsed(json);
    const char *last;
    json_put_bool(parent_of(json, "references/direct/x", &last), "retired", true);
    OWNED(charter_drop) struct charter *after = parsed(json);
    const struct charter_policy *web = charter_find_policy(after, "web");
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    struct image_facts facts;
    const struct moment day = after->issued;
    memset(measurement, 0x11, sizeof measurement);
    assert_false(charter_image_facts(after, web, EVIDENCE_SNP, SPAN_OF(measurement), day, &facts));
    assert_false(value_set_has(&web->policy->snp.measurement, SPAN_OF(measurement)));
    assert_memory_not_equal(web->digest, charter_find_policy(before, "web")->digest, SHA256_SIZE);
}

static void a_floor_of_the_charter_raises_that_of_every_policy(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = fresh();
    const char *last;
    json_object_set_new(json, "tcb_floors", json_pack("{s:{s:i}}", "Milan", "snp", 24));
    json_object_set_new(parent_of(json, "policies/web/snp/x", &last), "min_tcb",
                        json_pack("{s:{s:i,s:i}}", "Milan", "snp", 20, "ucode", 219));
    OWNED(charter_drop) struct charter *c = parsed(json);
    const struct snp_policy *p = &charter_find_policy(c, "web")->policy->snp;
    assert_int_equal(p->min_tcb[PRODUCT_MILAN].first.part[TCB_SNP], 24);
    assert_int_equal(p->min_tcb[PRODUCT_MILAN].first.part[TCB_UCODE], 219);
}

/* Where policy and charter both list products, one that either leaves out is refused. */
static void floors_let_in_no_product_that_policy_or_charter_leaves_out(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = fresh();
    const char *last;
    json_object_set_new(json, "tcb_floors",
                        json_pack("{s:{s:i},s:{s:i}}", "Milan", "snp", 24, "Genoa", "snp", 20));
    json_object_set_new(parent_of(json, "policies/web/snp/x", &last), "min_tcb",
                        json_pack("{s:{s:i},s:{s:i}}", "Milan", "snp", 20, "Turin", "snp", 1));
    OWNED(charter_drop) struct charter *c = parsed(json);
    const struct snp_policy *p = &charter_find_policy(c, "web")->policy->snp;
    assert_true(p->has_min_tcb && p->has_floor[PRODUCT_MILAN]);
    assert_false(p->has_floor[PRODUCT_GENOA]);
    assert_false(p->has_floor[PRODUCT_TURIN]);
}

/* Custody makes the level, a simulator's roots its trust: a verdict under others is another one. */
static void whatever_a_verdict_follows_from_changes_its_policy(void **state)
{
    (void)state;
    static const struct {
        const char *path, *value;
    } changes[] = {
        {"custody/keeper", "\"cloud\""},
        {"custody/kek", "\"kms\""},
        {"simulator_roots",
         "[\"00000000000000000000000000000000000000000000000000000000000000aa\"]"},
        {"tcb_floors", "{\"Milan\":{}}"},
        {"policies/web/valid_seconds", "60"},
    };
    OWNED(json_drop) json_t *json = fresh();
    OWNED(charter_drop) struct charter *before = parsed(json);
    for (size_t i = 0; i < countof(changes); i++) {
        OWNED(json_drop) json_t *other = fresh();
        const char *last;
        json_t *at = parent_of(other, changes[i].path, &last);
        json_object_set_new(at, last, json_loads(changes[i].value, JSON_DECODE_ANY, NULL));
        OWNED(charter_drop) struct charter *after = parsed(other);
        assert_memory_not_equal(charter_find_policy(after, "web")->digest,
                                charter_find_policy(before, "web")->digest, SHA256_SIZE);
    }
}

/* ---- grants ---- */

struct scene {
    json_t *json;
    struct charter *charter;
    struct charter_case good;
};

static int set_up(void **state)
{
    struct scene *s = NEW(struct scene);
    s->json = fresh();
    s->charter = parsed(s->json);
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
    return 0;
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
    OWNED(json_drop) json_t *json = fresh();
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(s->good.anchor));
    json_object_set_new(parent_of(json, "deny/x", &last), "anchors", json_pack("[s]", hex));
    OWNED(charter_drop) struct charter *c = parsed(json);
    assert_fails(charter_party_allows(c, "bao", &s->good, &err), ERR_DENIED, "denied-anchor");
}

/* ---- grants and what is denied ---- */

static void an_account_that_is_not_proven_is_refused(void **state)
{
    struct scene *s = *state;
    struct error err = {0};
    const char *last;
    json_object_set_new(parent_of(s->json, "grants/host/x", &last), "accounts",
                        json_pack("[s]", "prod"));
    charter_free(s->charter);
    s->charter = parsed(s->json);
    assert_fails(charter_grant_allows(s->charter, "host", &s->good, &err), ERR_DENIED,
                 "grant-account");
    s->good.account = "prod";
    assert_ok(charter_grant_allows(s->charter, "host", &s->good, &err));
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
        struct error err = {0};
        OWNED(json_drop) json_t *json = fresh();
        uint8_t value[CHARTER_CHIP_SIZE] = {lists[i].first};
        OWNED(mem_drop) char *hex = hex_of(SPAN(value, lists[i].len));
        const char *last;
        json_object_set_new(parent_of(json, "deny/x", &last), lists[i].list, json_pack("[s]", hex));
        OWNED(charter_drop) struct charter *c = parsed(json);
        assert_fails(charter_grant_allows(c, "host", &s->good, &err), ERR_DENIED, lists[i].code);
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
        OWNED(json_drop) json_t *json = fresh();
        json_object_set_new(parent_of(json, "deny/x", &last), lists[i].list,
                            json_pack("[s]", lists[i].value));
        OWNED(charter_drop) struct charter *charter = parsed(json);
        c.made = (struct provenance){.has_line = true, .line = LINE_MILAN};
        c.region = "";
        assert_ok(charter_check_denied(charter, &c, &err));
        c.made.line = lists[i].slot < 0 && i == 0 ? LINE_GENOA : LINE_MILAN;
        snprintf(c.made.csp_id, sizeof c.made.csp_id, "%s", lists[i].csp_id);
        c.region = lists[i].region;
        if (lists[i].slot >= 0)
            memcpy(c.made.signers[lists[i].slot], value, sizeof value);
        assert_fails(charter_check_denied(charter, &c, &err), ERR_DENIED, lists[i].code);
        c.made.has_line = false;
        assert_int_equal(charter_check_denied(charter, &c, &err), i == 0 ? OK : ERR_DENIED);
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
    OWNED(json_drop) json_t *json = fresh();
    json_put_moment(parent_of(json, "references/direct/x", &last), "expires", end);
    OWNED(charter_drop) struct charter *c = parsed(json);
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
    OWNED(json_drop) json_t *json = fresh();
    uint8_t zero[CHARTER_CHIP_SIZE] = {0};
    OWNED(mem_drop) char *hex = hex_of(SPAN_OF(zero));
    json_object_set_new(parent_of(json, "deny/x", &last), "chips", json_pack("[s]", hex));
    OWNED(charter_drop) struct charter *c = parsed(json);
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
        cmocka_unit_test(a_whole_charter_is_read),
        cmocka_unit_test(every_bad_value_is_refused_with_its_place),
        cmocka_unit_test(simulator_roots_exist_in_the_simulation_realm_only),
        cmocka_unit_test(a_charter_counts_in_its_realm_and_time_only),
        cmocka_unit_test(an_image_is_worth_the_least_that_its_references_say),
        cmocka_unit_test(a_retired_reference_neither_passes_nor_leaves_the_policy_the_same),
        cmocka_unit_test(a_floor_of_the_charter_raises_that_of_every_policy),
        cmocka_unit_test(floors_let_in_no_product_that_policy_or_charter_leaves_out),
        cmocka_unit_test(whatever_a_verdict_follows_from_changes_its_policy),
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
    return cmocka_run_group_tests_name("charter", tests, NULL, NULL);
}
