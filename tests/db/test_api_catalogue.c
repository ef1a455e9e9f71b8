/* The catalogue over the API: fleets that break a rule are refused with rule and source before
 * anything is written, editions are signed or do not count, and choices and overrides are audited.
 * R1, R166, R169. */
#include "controller/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/audit_store.h"
#include "db/catalogue_store.h"
#include "db/fleet_store.h"
#include "drivers/catalogue.h"
#include "lib/model/charter.h"
#include "tests/support/ask.h"
#include "tests/support/test.h"

#define SPEC(name, more)                                                                           \
    "{\"name\":\"" name "\",\"desired\":0,\"account\":\"acme\",\"image\":\"stock\","               \
    "\"policy\":\"web\"," more "}"

/* The first broken rule of a problem, "" when it names none. */
static const char *rule_of(const struct told *told)
{
    const char *rule = json_string_value(json_array_get(json_object_get(told->body, "rules"), 0));
    return rule != NULL ? rule : "";
}

static void refused_by(const char *method, const char *target, const char *body, const char *rule)
{
    OWNED(told_done) struct told told = ask(method, target, body);
    assert_problem(told, 422, "against-the-catalogue");
    assert_string_equal(rule_of(&told), rule);
    const json_t *finding = json_array_get(json_object_get(told.body, "findings"), 0);
    assert_true(strlen(told_member(finding, "source")) > 10);
    assert_true(strlen(told_member(finding, "says")) > 10);
    assert_non_null(strstr(told_member(told.body, "detail"), rule));
}

static int64_t fleets_there(void)
{
    struct error err = {0};
    OWNED(fleet_list_done) struct fleet_list list = {0};
    assert_ok(fleet_store_list(ask_db, PROJECT_DEFAULT, NULL, 100, &list, &err));
    return (int64_t)list.count;
}

/* How often the trail has this verb. */
static size_t audited(const char *object, const char *verb)
{
    struct error err = {0};
    size_t n = 0;
    OWNED(audit_entry_list_done) struct audit_entry_list list = {0};
    assert_ok(audit_store_trace(ask_db, object, 100, &list, &err));
    for (size_t i = 0; i < list.count; i++)
        n += strcmp(list.at[i].verb, verb) == 0;
    return n;
}

/* ---- fleets --------------------------------------------------------------------------------- */

static void a_fleet_that_breaks_a_rule_is_refused_with_rule_and_source(void **state)
{
    (void)state;
    refused_by("POST", "/v1/fleets", SPEC("odd", "\"size\":\"m5.large\""), "snp-sizes");
    refused_by("POST", "/v1/fleets", SPEC("odd", "\"size\":\"m6a.12xlarge\""), "snp-sizes");
    refused_by("POST", "/v1/fleets?dry_run=true", SPEC("odd", "\"size\":\"M6A.large\""),
               "snp-sizes");
    ask_does("GET", "/v1/fleets/odd", NULL, 404);
    assert_int_equal(ask_fake.woken, 0);
}

/* R1: by the rule first; the tables would not take it either. */
static void snp_and_enclaves_together_are_refused_twice(void **state)
{
    (void)state;
    struct error err = {0};
    const int64_t before = fleets_there();
    refused_by("POST", "/v1/fleets",
               SPEC("both", "\"size\":\"m6a.xlarge\",\"features\":[\"snp\",\"enclaves\"]"),
               "snp-no-enclaves");
    ask_refused("POST", "/v1/fleets",
                SPEC("odd", "\"size\":\"m5.xlarge\",\"features\":[\"hibernation\"]"), 422,
                "unsupported-feature", "/features");
    ask_refused("POST", "/v1/fleets",
                SPEC("odd", "\"size\":\"m6a.large\",\"features\":[\"teleport\"]"), 422,
                "unknown-word", "/features/0");
    ask_refused("POST", "/v1/fleets",
                SPEC("odd", "\"size\":\"m6a.large\",\"features\":[\"snp\",\"snp\"]"), 422, "twice",
                "/features/1");
    ask_refused("POST", "/v1/fleets", SPEC("odd", "\"size\":\"m6a.large\",\"features\":[]"), 422,
                "wrong-type", "/features");
    ask_does("POST", "/v1/fleets", SPEC("plain", "\"size\":\"m6a.large\""), 201);
    assert_int_not_equal(
        db_script(ask_db,
                  "UPDATE fleets SET features = '[\"snp\", \"enclaves\"]' WHERE name = 'plain'",
                  &err),
        OK);
    assert_non_null(strstr(err.where, "fleets_snp_without_enclaves"));
    assert_int_equal(fleets_there(), before + 1);
    ask_does("DELETE", "/v1/fleets/plain", NULL, 202);
}

#define PARENT(name, more) SPEC(name, "\"size\":\"m5.xlarge\",\"features\":[\"enclaves\"]" more)

/* What a parent has room for is the catalogue's: four of them, whole cores, two left for itself. */
static void a_fleet_of_parents_of_enclaves_is_held_to_their_rules(void **state)
{
    (void)state;
    static const char five[] = PARENT("odd", ",\"enclaves\":{\"count\":5,\"vcpus\":2}");
    static const char halves[] = PARENT("odd", ",\"enclaves\":{\"count\":1,\"vcpus\":1}");
    static const char greedy[] = PARENT("odd", ",\"enclaves\":{\"count\":2,\"vcpus\":2}");
    static const char small[] = PARENT("odd", ",\"enclaves\":{\"count\":1,\"memory_mib\":32}");
    static const char fits[] = PARENT("parent", ",\"enclaves\":{\"count\":1,\"vcpus\":2}");
    refused_by("POST", "/v1/fleets", five, "ne-enclaves-per-parent");
    refused_by("POST", "/v1/fleets?dry_run=true", halves, "ne-x86-whole-cores");
    refused_by("POST", "/v1/fleets", greedy, "ne-x86-parent-keeps");
    refused_by("POST", "/v1/fleets", small, "ne-enclave-memory");
    ask_refused("POST", "/v1/fleets", PARENT("odd", ",\"enclaves\":{\"cores\":2}"), 422,
                "unknown-member", "/enclaves/cores");
    ask_refused("POST", "/v1/fleets",
                SPEC("odd", "\"size\":\"m6a.large\",\"enclaves\":{\"count\":1}"), 422,
                "wrong-value", "/enclaves");
    ask_does("POST", "/v1/fleets", fits, 201);
    OWNED(told_done) struct told told = ask("GET", "/v1/fleets/parent", NULL);
    const json_t *kept = json_object_get(told.body, "enclaves");
    assert_int_equal(json_integer_value(json_object_get(kept, "vcpus")), 2);
    refused_by("PUT", "/v1/fleets/parent", "{\"enclaves\":{\"count\":5,\"vcpus\":2}}",
               "ne-enclaves-per-parent");
    ask_does("DELETE", "/v1/fleets/parent", NULL, 202);
}

static void an_image_that_cannot_boot_so_is_refused(void **state)
{
    (void)state;
    ask_does("POST", "/v1/images",
             "{\"name\":\"old\",\"driver\":\"aws\",\"ref\":\"ami-2\",\"boot_mode\":\"legacy-bios\","
             "\"os\":{\"name\":\"ubuntu\",\"version\":\"22.04\"}}",
             201);
    OWNED(told_done)
    struct told told = ask("POST", "/v1/fleets",
                           "{\"name\":\"old\",\"desired\":0,\"account\":\"acme\","
                           "\"image\":\"old\",\"policy\":\"web\",\"size\":\"m6a.large\"}");
    assert_problem(told, 422, "against-the-catalogue");
    assert_string_equal(rule_of(&told), "snp-boot-mode");
    assert_int_equal(json_array_size(json_object_get(told.body, "rules")), 2);
}

static void a_region_without_it_is_refused(void **state)
{
    (void)state;
    ask_does("POST", "/v1/accounts",
             "{\"name\":\"far\",\"driver\":\"aws\",\"region\":\"us-east-1\","
             "\"credentials\":{\"source\":\"environment\"}}",
             201);
    refused_by("POST", "/v1/fleets",
               "{\"name\":\"far\",\"desired\":0,\"account\":\"far\",\"image\":\"stock\","
               "\"policy\":\"web\",\"size\":\"m6a.large\"}",
               "snp-regions");
}

/* Each place is looked at, with its own size; a rule that two of them break is named once. */
static void every_place_of_a_fleet_is_checked(void **state)
{
    (void)state;
    ask_does("POST", "/v1/accounts",
             "{\"name\":\"blue\",\"driver\":\"azure\",\"region\":\"westeurope\","
             "\"subscription\":\"00000000-0000-0000-0000-000000000001\",\"resource_group\":\"g\","
             "\"subnet\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
             "virtualNetworks/v/subnets/n\",\"credentials\":{\"source\":\"environment\"}}",
             201);
    OWNED(told_done)
    struct told told =
        ask("POST", "/v1/fleets",
            "{\"name\":\"spread\",\"desired\":0,\"image\":\"stock\",\"policy\":\"web\","
            "\"size\":\"m6a.large\",\"places\":[{\"account\":\"acme\"},{\"account\":\"blue\","
            "\"size\":\"Standard_DC2es_v5\",\"zones\":[\"1\",\"2\"]}]}");
    assert_problem(told, 422, "against-the-catalogue");
    const json_t *rules = json_object_get(told.body, "rules");
    assert_int_equal(json_array_size(rules), 1);
    assert_string_equal(rule_of(&told), "azure-snp-sizes");
    const json_t *findings = json_object_get(told.body, "findings");
    const json_t *last = json_array_get(findings, json_array_size(findings) - 1);
    assert_string_equal(told_member(last, "cloud"), "azure");
    assert_string_equal(told_member(last, "place"), "2");
}

/* R162, R163: what is given to a machine at its launch is given for life. A fleet that became
 * another kind would keep the machines that it has, and call them what they are not. */
static void what_a_fleets_machines_are_is_for_its_life(void **state)
{
    (void)state;
    ask_does("POST", "/v1/fleets", SPEC("trusty", "\"size\":\"m6a.xlarge\""), 201);
    ask_refused("PUT", "/v1/fleets/trusty", "{\"features\":[\"enclaves\"]}", 409,
                "features-are-fixed", "/features");
    ask_refused("PUT", "/v1/fleets/trusty?dry_run=true",
                "{\"features\":[\"enclaves\"],\"size\":\"m5.xlarge\",\"enclaves\":{\"count\":1}}",
                409, "features-are-fixed", "/features");
    ask_does("PUT", "/v1/fleets/trusty", "{\"features\":[\"snp\"],\"desired\":0}", 200);
    ask_does("DELETE", "/v1/fleets/trusty", NULL, 202);
    ask_does("POST", "/v1/fleets",
             SPEC("parents", "\"size\":\"m6a.xlarge\",\"features\":[\"enclaves\"]"), 201);
    ask_refused("PUT", "/v1/fleets/parents", "{\"features\":[\"snp\"]}", 409, "features-are-fixed",
                "/features");
    ask_does("DELETE", "/v1/fleets/parents", NULL, 202);
}

/* What only stops, shrinks or waits must always go through, whatever a newer edition says. */
static void a_change_is_looked_at_for_what_it_asks_more(void **state)
{
    (void)state;
    struct error err = {0};
    ask_does("POST", "/v1/fleets", FLEET("grows", "2"), 201);
    refused_by("PUT", "/v1/fleets/grows", "{\"size\":\"m5.large\"}", "snp-sizes");
    refused_by("PUT", "/v1/fleets/grows?dry_run=true", "{\"size\":\"m6a.metal\"}", "snp-sizes");
    assert_ok(db_script(ask_db, "UPDATE fleets SET size = 'm5.large' WHERE name = 'grows'", &err));
    ask_does("PUT", "/v1/fleets/grows", "{\"desired\":1}", 200);
    ask_does("PUT", "/v1/fleets/grows", "{\"paused\":true}", 200);
    refused_by("PUT", "/v1/fleets/grows", "{\"paused\":false}", "snp-sizes"); /* it would launch */
    refused_by("PUT", "/v1/fleets/grows", "{\"desired\":2}", "snp-sizes");
    ask_does("PUT", "/v1/fleets/grows", "{\"size\":\"m6a.xlarge\",\"desired\":2}", 200);
    ask_does("DELETE", "/v1/fleets/grows", NULL, 202);
}

#define ACCOUNT(name, region, more)                                                                \
    "{\"name\":\"" name "\",\"driver\":\"aws\",\"region\":\"" region "\"," more                    \
    "\"credentials\":{\"source\":\"environment\"}}"
#define IMAGE(name, mode)                                                                          \
    "{\"name\":\"" name "\",\"driver\":\"aws\",\"ref\":\"ami-1\",\"boot_mode\":\"" mode "\"}"

/* R159, R160: what a fleet names decides what is asked of the cloud as its own words do. */
static void what_a_fleet_names_is_looked_at_when_it_changes(void **state)
{
    (void)state;
    struct error err = {0};
    ask_does("POST", "/v1/accounts", ACCOUNT("near", "us-east-2", ""), 201);
    ask_does("POST", "/v1/images", IMAGE("plain", "uefi"), 201);
    ask_does("POST", "/v1/fleets",
             "{\"name\":\"named\",\"desired\":2,\"places\":[{\"account\":\"near\"}],"
             "\"image\":\"plain\",\"policy\":\"web\",\"size\":\"m6a.large\"}",
             201);
    refused_by("PUT", "/v1/accounts/near", "{\"region\":\"us-east-1\"}", "snp-regions");
    refused_by("PUT", "/v1/images/plain", "{\"boot_mode\":\"legacy-bios\"}", "snp-boot-mode");
    refused_by("PUT", "/v1/images/plain", "{\"os\":{\"name\":\"rhel\",\"version\":\"9.2\"}}",
               "snp-operating-system");
    OWNED(told_done)
    struct told told = ask("PUT", "/v1/accounts/near", "{\"region\":\"us-east-1\"}");
    assert_non_null(strstr(told_member(told.body, "detail"), "fleet named"));
    /* What breaks a rule already, and not by this, is nothing that this asks for. */
    assert_ok(db_script(ask_db, "UPDATE fleets SET size = 'm5.large' WHERE name = 'named'", &err));
    ask_does("PUT", "/v1/images/plain", "{\"ref\":\"ami-2\"}", 200);
    ask_does("PUT", "/v1/images/plain", "{\"os\":{\"name\":\"rhel\",\"version\":\"9.3\"}}", 200);
    ask_does("PUT", "/v1/accounts/near", "{\"region\":\"eu-west-1\"}", 200);
    /* Nor is anything asked for a fleet that wants no machines. */
    ask_does("PUT", "/v1/fleets/named", "{\"desired\":0}", 200);
    ask_does("PUT", "/v1/accounts/near", "{\"region\":\"us-east-1\"}", 200);
    ask_does("PUT", "/v1/images/plain", "{\"boot_mode\":\"legacy-bios\"}", 200);
    ask_does("DELETE", "/v1/fleets/named", NULL, 202);
}

static void a_rehearsal_tells_what_could_not_be_checked(void **state)
{
    (void)state;
    OWNED(told_done) struct told told = ask("POST", "/v1/fleets?dry_run=true", FLEET("maybe", "1"));
    assert_told(told, 200);
    const json_t *report = json_object_get(told.body, "catalogue");
    assert_string_equal(told_member(report, "edition"), "current");
    assert_int_equal(json_array_size(json_object_get(report, "findings")), 2);
    assert_string_equal(
        told_member(json_array_get(json_object_get(report, "findings"), 0), "result"), "unsaid");
}

/* ---- choosing and overriding ---------------------------------------------------------------- */

static void an_edition_is_chosen_by_project_and_audited(void **state)
{
    (void)state;
    OWNED(told_done) struct told before = ask("GET", "/v1/catalogue", NULL);
    assert_told(before, 200);
    assert_string_equal(told_member(before.body, "edition"), "current");
    assert_string_equal(told_member(before.body, "origin"), "built-in");
    assert_true(json_array_size(json_object_get(before.body, "rules")) > 40);
    ask_does("PUT", "/v1/catalogue?dry_run=true", "{\"use\":\"seed-2025\"}", 200);
    OWNED(told_done) struct told still = ask("GET", "/v1/catalogue", NULL);
    assert_string_equal(told_member(still.body, "edition"), "current");
    const size_t audits = audited("catalogue:seed-2025", "catalogue.chosen");
    OWNED(told_done) struct told used = ask("PUT", "/v1/catalogue", "{\"use\":\"seed-2025\"}");
    assert_told(used, 200);
    assert_string_equal(told_member(used.body, "edition"), "seed-2025");
    assert_int_equal(audited("catalogue:seed-2025", "catalogue.chosen"), audits + 1);
    ask_refused("PUT", "/v1/catalogue", "{\"use\":\"seed-1999\"}", 404, "no-such-edition", "");
    OWNED(told_done) struct told other = ask("GET", "/v1/catalogue?edition=current", NULL);
    assert_string_equal(told_member(other.body, "edition"), "current");
    ask_does("PUT", "/v1/catalogue", "{\"use\":\"current\"}", 200);
    OWNED(told_done) struct told rules = ask("GET", "/v1/catalogue/rules?edition=seed-2025", NULL);
    assert_int_equal(json_array_size(json_object_get(rules.body, "items")), 26);
    OWNED(told_done) struct told list = ask("GET", "/v1/catalogue/editions", NULL);
    assert_int_equal(json_array_size(json_object_get(list.body, "items")), 2);
}

static void an_override_lets_one_rule_pass_until_it_ends_or_is_withdrawn(void **state)
{
    (void)state;
    struct error err = {0};
    const char *spec = SPEC("lenient", "\"size\":\"m6a.12xlarge\"");
    refused_by("POST", "/v1/fleets", spec, "snp-sizes");
    ask_does("PUT", "/v1/catalogue",
             "{\"override\":{\"rule\":\"snp-sizes\",\"reason\":\"the vendor told us\"}}", 200);
    assert_int_equal(audited("catalogue:snp-sizes", "catalogue.overridden"), 1);
    OWNED(told_done) struct told tried = ask("POST", "/v1/fleets?dry_run=true", spec);
    assert_told(tried, 200);
    const json_t *findings = json_object_get(json_object_get(tried.body, "catalogue"), "findings");
    assert_string_equal(told_member(json_array_get(findings, 0), "result"), "waived");
    OWNED(told_done) struct told shown = ask("GET", "/v1/catalogue", NULL);
    const json_t *waiver = json_array_get(json_object_get(shown.body, "overrides"), 0);
    assert_string_equal(told_member(waiver, "reason"), "the vendor told us");
    assert_ok(db_script(
        ask_db, "UPDATE catalogue_waivers SET ends = clock_timestamp() - interval '1 s'", &err));
    refused_by("POST", "/v1/fleets", spec, "snp-sizes");
    ask_does("PUT", "/v1/catalogue", "{\"withdraw\":\"snp-sizes\"}", 200);
    assert_int_equal(audited("catalogue:snp-sizes", "catalogue.override-withdrawn"), 1);
    ask_refused("PUT", "/v1/catalogue", "{\"withdraw\":\"snp-sizes\"}", 404, "not-found", "");
}

static void a_change_is_one_thing_and_said_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int status;
        const char *code;
    } rows[] = {
        {"{}", 400, "bad-request"},
        {"{\"use\":\"current\",\"withdraw\":\"snp-sizes\"}", 400, "bad-request"},
        {"{\"rules\":[]}", 422, "unknown-member"},
        {"{\"use\":7}", 422, "wrong-type"},
        {"{\"override\":{\"rule\":\"snp-sizes\"}}", 422, "missing-member"},
        {"{\"override\":{\"rule\":\"snp-sizes\",\"reason\":\"\"}}", 422, "wrong-value"},
        {"{\"override\":{\"rule\":\"no-such\",\"reason\":\"x\"}}", 404, "no-such-rule"},
        {"{\"override\":{\"rule\":\"snp-sizes\",\"reason\":\"x\",\"y\":1}}", 422, "unknown-member"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(told_done) struct told told = ask("PUT", "/v1/catalogue", rows[i].body);
        assert_problem(told, rows[i].status, rows[i].code);
    }
    OWNED(told_done)
    struct told meek = ask_as(CALLER_OPERATOR, "PUT", "/v1/catalogue", "{\"use\":\"current\"}");
    assert_problem(meek, 403, "role-missing");
}

/* ---- loading -------------------------------------------------------------------------------- */

struct people {
    struct charter_signers pinned;
    struct key *stranger;
};
static struct people people;

static void edition(struct text *out, const char *name, int version, const char *issued,
                    const char *size)
{
    text_addf(out,
              "{\"edition\":\"%s\",\"version\":%d,\"issued\":\"%s\",\"title\":\"ours\","
              "\"rules\":[{\"id\":\"our-sizes\",\"kind\":\"sizes\",\"cloud\":\"aws\","
              "\"sure\":\"documentation\",\"says\":\"what we may use\",\"source\":\"our own list\","
              "\"valid_from\":\"2026-01-01T00:00:00Z\",\"when\":[\"snp\"],"
              "\"sizes\":{\"%s\":{}}}]}",
              name, version, issued, size);
}

/* {"jws": ...} with the edition signed by these. */
static char *upload(const char *text, const struct key *const *keys, size_t count)
{
    struct error err = {0};
    char *set = NULL;
    token_set_make(span_of_text(text), &set);
    for (size_t i = 0; i < count; i++) {
        char *next = NULL;
        assert_ok(token_set_sign(span_of_text(set), CATALOGUE_TYP, keys[i], &next, &err));
        free(set);
        set = next;
    }
    OWNED(json_drop) json_t *body = json_pack("{s:s}", "jws", set);
    free(set);
    return json_print(body);
}

static void offer(const char *name, int version, const char *issued, const char *size, int status,
                  const char *code)
{
    const struct key *const both[] = {people.pinned.keys[0], people.pinned.keys[1]};
    OWNED(text_done) struct text text = {0};
    edition(&text, name, version, issued, size);
    OWNED(mem_drop) char *body = upload(text_str(&text), both, 2);
    OWNED(told_done) struct told told = ask("PUT", "/v1/catalogue", body);
    if (status == 200)
        assert_told(told, 200);
    else
        assert_problem(told, status, code);
}

static void a_signed_edition_is_loaded_and_its_rules_count_without_an_upgrade(void **state)
{
    (void)state;
    ask_catalogue_signers(&people.pinned);
    offer("ours", 1, "2026-12-01T00:00:00Z", "m6a.large", 200, NULL);
    assert_int_equal(audited("catalogue:ours", "catalogue.loaded"), 1);
    ask_does("POST", "/v1/fleets", FLEET("stands", "1"), 201);
    ask_does("PUT", "/v1/catalogue", "{\"use\":\"ours\"}", 200);
    refused_by("POST", "/v1/fleets", SPEC("other", "\"size\":\"m6a.xlarge\""), "our-sizes");
    /* A newer one: rules change, and fleets that it would not take are told. */
    const struct key *const both[] = {people.pinned.keys[0], people.pinned.keys[1]};
    OWNED(text_done) struct text text = {0};
    edition(&text, "ours", 2, "2026-12-02T00:00:00Z", "m6a.xlarge");
    OWNED(mem_drop) char *body = upload(text_str(&text), both, 2);
    OWNED(told_done) struct told told = ask("PUT", "/v1/catalogue", body);
    assert_told(told, 200);
    assert_int_equal(json_integer_value(json_object_get(told.body, "version")), 2);
    assert_string_equal(
        told_member(json_array_get(json_object_get(told.body, "breaks"), 0), "fleet"), "stands");
    ask_does("POST", "/v1/fleets", SPEC("other", "\"size\":\"m6a.xlarge\""), 201);
    ask_does("DELETE", "/v1/fleets/other", NULL, 202);
    ask_does("DELETE", "/v1/fleets/stands", NULL, 202);
}

static void what_does_not_count_leaves_the_old_edition(void **state)
{
    (void)state;
    const struct key *const alone[] = {people.pinned.keys[0]};
    const struct key *const strange[] = {people.pinned.keys[0], people.stranger};
    const struct key *const both[] = {people.pinned.keys[0], people.pinned.keys[1]};
    OWNED(text_done) struct text text = {0};
    OWNED(text_done) struct text odd = {0};
    edition(&text, "ours", 3, "2026-12-03T00:00:00Z", "m6a.large");
    text_add(&odd, "{\"edition\":\"ours\",\"version\":3}");
    OWNED(mem_drop) char *unsigned_one = upload(text_str(&text), NULL, 0);
    OWNED(mem_drop) char *by_one = upload(text_str(&text), alone, 1);
    OWNED(mem_drop) char *by_stranger = upload(text_str(&text), strange, 2);
    OWNED(mem_drop) char *malformed = upload(text_str(&odd), both, 2);
    OWNED(mem_drop) char *huge = mem_new(10 * 1024 * 1024 + 16, 1);
    snprintf(huge, 10, "{\"jws\":\"");
    memset(huge + 8, 'x', 10 * 1024 * 1024);
    memcpy(huge + 8 + 10 * 1024 * 1024, "\"}", 3);
    const struct {
        const char *body, *code;
        int status;
    } rows[] = {
        {by_one, "too-few-signatures", 403},
        {by_stranger, "too-few-signatures", 403},
        {malformed, "missing-member", 422},
        {"{\"jws\":\"\"}", "token-malformed", 422},
        {"{\"jws\":\"{\\\"payload\\\":\"}", "token-malformed", 422},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        OWNED(told_done) struct told told = ask("PUT", "/v1/catalogue", rows[i].body);
        if (told.status != rows[i].status || strcmp(told.code, rows[i].code) != 0)
            fail_msg("row %zu: %d %s", i, told.status, told.code);
    }
    OWNED(told_done) struct told bare = ask("PUT", "/v1/catalogue", unsigned_one);
    assert_true(bare.status == 403 || bare.status == 422);
    OWNED(told_done) struct told large = ask("PUT", "/v1/catalogue", huge);
    assert_true(large.status == 413 || large.status == 422);
    offer("ours", 2, "2026-12-05T00:00:00Z", "m6a.large", 409, "edition-not-newer");
    offer("ours", 1, "2026-12-05T00:00:00Z", "m6a.large", 409, "edition-not-newer");
    offer("ours", 3, "2026-12-01T23:59:59Z", "m6a.large", 409, "edition-not-newer");
    offer("seed-2025", 2, "2026-12-05T00:00:00Z", "m6a.large", 409, "edition-is-fixed");
    offer("current", 1, "2026-12-05T00:00:00Z", "m6a.large", 409, "edition-not-newer");
    OWNED(told_done) struct told still = ask("GET", "/v1/catalogue", NULL);
    assert_string_equal(told_member(still.body, "edition"), "ours");
    assert_int_equal(json_integer_value(json_object_get(still.body, "version")), 2);
}

/* Whoever writes into the database, or unpins the keys, does not change the rules. */
static void a_row_whose_signatures_do_not_count_is_not_there(void **state)
{
    (void)state;
    struct error err = {0};
    const struct charter_signers others = {.threshold = 1, .count = 1, .keys = {people.stranger}};
    ask_catalogue_signers(&others);
    ask_refused("GET", "/v1/catalogue", NULL, 404, "no-such-edition", "");
    ask_catalogue_signers(&people.pinned);
    ask_does("PUT", "/v1/catalogue", "{\"use\":\"current\"}", 200);
    offer("current", 7, "2026-12-05T00:00:00Z", "m6a.large", 200, NULL);
    OWNED(told_done) struct told loaded = ask("GET", "/v1/catalogue", NULL);
    assert_int_equal(json_integer_value(json_object_get(loaded.body, "version")), 7);
    assert_string_equal(told_member(loaded.body, "origin"), "loaded");
    assert_ok(db_script(ask_db,
                        "UPDATE catalogue_editions SET jws = replace(jws, 'a', 'b') "
                        "WHERE edition = 'current'",
                        &err));
    OWNED(told_done) struct told back = ask("GET", "/v1/catalogue", NULL);
    assert_told(back, 200);
    assert_string_equal(told_member(back.body, "origin"), "built-in");
    ask_catalogue_signers(NULL);
    offer("ours", 9, "2026-12-09T00:00:00Z", "m6a.large", 403, "no-signers");
    assert_ok(db_script(ask_db, "DELETE FROM catalogue_editions", &err));
}

/* What people signed is that edition's, and no other's: neither a row under another name nor the
 * quotation that is never replaced. */
static void a_row_that_calls_an_edition_by_another_name_is_not_there(void **state)
{
    (void)state;
    struct error err = {0};
    ask_catalogue_signers(&people.pinned);
    offer("lax", 90, "2026-12-05T00:00:00Z", "m5.large", 200, NULL);
    assert_ok(db_script(ask_db, "UPDATE catalogue_editions SET edition = 'current'", &err));
    OWNED(told_done) struct told shown = ask("GET", "/v1/catalogue", NULL);
    assert_told(shown, 200);
    assert_string_equal(told_member(shown.body, "edition"), "current");
    assert_string_equal(told_member(shown.body, "origin"), "built-in");
    refused_by("POST", "/v1/fleets", SPEC("odd", "\"size\":\"m5.large\""), "snp-sizes");
    ask_refused("PUT", "/v1/catalogue", "{\"use\":\"lax\"}", 404, "no-such-edition", "");
    assert_ok(db_script(ask_db, "DELETE FROM catalogue_editions", &err));
}

static void the_seed_is_what_comes_with_the_program_whatever_is_stored(void **state)
{
    (void)state;
    struct error err = {0};
    const struct key *const both[] = {people.pinned.keys[0], people.pinned.keys[1]};
    OWNED(text_done) struct text text = {0};
    OWNED(text_done) struct text script = {0};
    edition(&text, CATALOGUE_SEED, 9, "2026-12-05T00:00:00Z", "m5.large");
    OWNED(mem_drop) char *body = upload(text_str(&text), both, 2);
    OWNED(json_drop) json_t *json = json_loads(body, 0, NULL);
    ask_catalogue_signers(&people.pinned);
    text_addf(&script,
              "INSERT INTO catalogue_editions (edition, version, issued, jws, actor) "
              "VALUES ('seed-2025', 9, now(), $jws$%s$jws$, 'thief')",
              told_member(json, "jws"));
    assert_ok(db_script(ask_db, text_str(&script), &err));
    OWNED(told_done) struct told seed = ask("GET", "/v1/catalogue?edition=seed-2025", NULL);
    assert_told(seed, 200);
    assert_string_equal(told_member(seed.body, "origin"), "built-in");
    assert_int_equal(json_array_size(json_object_get(seed.body, "rules")), 26);
    assert_ok(db_script(ask_db, "DELETE FROM catalogue_editions", &err));
}

static int open_all(void **state)
{
    struct error err = {0};
    people.pinned = (struct charter_signers){.threshold = 2, .count = 2};
    for (size_t i = 0; i < 2; i++)
        assert_ok(key_generate(KEY_P256, &people.pinned.keys[i], &err));
    assert_ok(key_generate(KEY_P256, &people.stranger, &err));
    return ask_open(state);
}

static int close_all(void **state)
{
    charter_signers_done(&people.pinned);
    key_free(people.stranger);
    return ask_close(state);
}

#define QUIET(test) cmocka_unit_test_setup(test, ask_quiet)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUIET(a_fleet_that_breaks_a_rule_is_refused_with_rule_and_source),
        QUIET(snp_and_enclaves_together_are_refused_twice),
        QUIET(a_fleet_of_parents_of_enclaves_is_held_to_their_rules),
        QUIET(an_image_that_cannot_boot_so_is_refused),
        QUIET(a_region_without_it_is_refused),
        QUIET(every_place_of_a_fleet_is_checked),
        QUIET(what_a_fleets_machines_are_is_for_its_life),
        QUIET(a_change_is_looked_at_for_what_it_asks_more),
        QUIET(what_a_fleet_names_is_looked_at_when_it_changes),
        QUIET(a_rehearsal_tells_what_could_not_be_checked),
        QUIET(an_edition_is_chosen_by_project_and_audited),
        QUIET(an_override_lets_one_rule_pass_until_it_ends_or_is_withdrawn),
        QUIET(a_change_is_one_thing_and_said_strictly),
        QUIET(a_signed_edition_is_loaded_and_its_rules_count_without_an_upgrade),
        QUIET(what_does_not_count_leaves_the_old_edition),
        QUIET(a_row_whose_signatures_do_not_count_is_not_there),
        QUIET(a_row_that_calls_an_edition_by_another_name_is_not_there),
        QUIET(the_seed_is_what_comes_with_the_program_whatever_is_stored),
    };
    return cmocka_run_group_tests_name("api_catalogue", tests, open_all, close_all);
}
