/* Editions as they come in: strict, bounded, signed by enough of the pinned keys, never going
 * back; and how what a cloud says differs from one. */
#include "drivers/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/model/catalogue_drift.h"
#include "tests/support/rules.h"
#include "tests/support/test.h"

#define COMMON                                                                                     \
    "\"cloud\":\"aws\",\"sure\":\"model\",\"says\":\"s\",\"source\":\"t\","                        \
    "\"valid_from\":\"2026-01-01T00:00:00Z\""
#define RULE(kind, more) "{\"id\":\"a\",\"kind\":\"" kind "\"," COMMON more "}"
#define EDITION(rules)                                                                             \
    "{\"edition\":\"mine\",\"version\":3,\"issued\":\"2026-12-01T00:00:00Z\",\"title\":\"t\","     \
    "\"rules\":[" rules "]}"
#define GOOD EDITION(RULE("sizes", ",\"sizes\":{\"m6a.large\":{\"vcpus\":2}}"))

static enum outcome read_it(const char *text, struct error *err)
{
    OWNED(catalogue_drop) struct catalogue *made = NULL;
    *err = (struct error){0};
    return catalogue_parse(span_of_text(text), &made, err);
}

/* ---- reading -------------------------------------------------------------------------------- */

static void what_comes_with_muster_is_read_and_prints_as_it_was(void **state)
{
    (void)state;
    struct error err = {0};
    for (size_t i = 0; i < CATALOGUE_BUILT_IN_COUNT; i++) {
        OWNED(catalogue_drop) struct catalogue *one = rules_edition(catalogue_built_in_names[i]);
        OWNED(catalogue_drop) struct catalogue *again = NULL;
        OWNED(json_drop) json_t *json = catalogue_to_json(one);
        OWNED(mem_drop) char *text = json_print(json);
        assert_string_equal(one->edition, catalogue_built_in_names[i]);
        assert_ok(catalogue_parse(span_of_text(text), &again, &err));
        OWNED(json_drop) json_t *same = catalogue_to_json(again);
        assert_true(json_equal(json, same));
    }
    struct catalogue *none = NULL;
    assert_fails(catalogue_built_in("seed-2024", &none, &err), ERR_NOT_FOUND, "no-such-edition");
}

/* The installed files are for people; what counts is compiled in, and is the same. */
static void the_files_are_what_is_compiled_in(void **state)
{
    (void)state;
    struct error err = {0};
    for (size_t i = 0; i < CATALOGUE_BUILT_IN_COUNT; i++) {
        OWNED(text_done) struct text path = {0};
        OWNED(bytes_done) struct bytes content = {0};
        OWNED(catalogue_drop) struct catalogue *file = NULL;
        OWNED(catalogue_drop) struct catalogue *one = rules_edition(catalogue_built_in_names[i]);
        text_addf(&path, "%s/drivers/catalogue/%s.json", getenv("MUSTER_SRC"),
                  catalogue_built_in_names[i]);
        assert_ok(file_read(text_str(&path), CATALOGUE_SIZE_MAX, &content, &err));
        assert_ok(catalogue_parse(bytes_span(&content), &file, &err));
        OWNED(json_drop) json_t *a = catalogue_to_json(one);
        OWNED(json_drop) json_t *b = catalogue_to_json(file);
        assert_true(json_equal(a, b));
    }
}

static void every_rule_has_a_source_and_says_how_sure_it_is(void **state)
{
    (void)state;
    OWNED(catalogue_drop) struct catalogue *current = rules_edition(CATALOGUE_CURRENT);
    for (size_t i = 0; i < current->count; i++) {
        assert_true(strlen(current->rules[i].source) > 10);
        assert_int_not_equal(current->rules[i].sure, SURE_WHITEPAPER);
        assert_false(moment_is_none(current->rules[i].valid_from));
    }
}

static void what_no_rule_knows_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *code, *where;
    } rows[] = {
        {"[]", "wrong-type", ""},
        {EDITION("") " ", NULL, ""},
        {"{\"edition\":\"mine\"", "malformed", ""},
        {EDITION(RULE("sizes", ",\"sizes\":{\"a\":{}},\"colour\":1")), "unknown-member",
         "/rules/0/colour"},
        {"{\"edition\":\"mine\",\"version\":3,\"issued\":\"2026-12-01T00:00:00Z\","
         "\"title\":\"t\",\"rules\":[],\"more\":1}",
         "unknown-member", "/more"},
        {EDITION(RULE("sizes", ",\"sizes\":{\"a\":{}},\"regions\":{\"b\":\"c\"}")),
         "unknown-member", "/rules/0/regions"},
        {EDITION(RULE("sizes", "")), "missing-member", "/rules/0"},
        {EDITION(RULE("colours", "")), "unknown-word", "/rules/0/kind"},
        {EDITION(RULE("sizes", ",\"sizes\":{}")), "bad-catalogue", "/rules/0/sizes"},
        {EDITION(RULE("sizes", ",\"sizes\":{\"a b\":{}}")), "bad-catalogue", "/rules/0/sizes"},
        {EDITION(RULE("sizes", ",\"sizes\":{\"a\":{\"vcpus\":0}}")), "out-of-range",
         "/rules/0/sizes/a/vcpus"},
        {EDITION(RULE("sizes", ",\"sizes\":{\"a\":{\"gpus\":1}}")), "unknown-member",
         "/rules/0/sizes/a/gpus"},
        {EDITION(RULE("sizes", ",\"sizes\":{\"a\":{},\"a\":{}}")), "malformed", ""},
        {EDITION(RULE("forbidden", ",\"features\":[\"teleport\"]")), "unknown-word",
         "/rules/0/features"},
        {EDITION(RULE("forbidden", ",\"features\":[]")), "bad-catalogue", "/rules/0/features"},
        {EDITION(RULE("forbidden", ",\"features\":[7]")), "bad-catalogue", "/rules/0/features"},
        {EDITION(RULE("type-change", ",\"to\":\"b\"")), "no-such-rule", "/rules/0"},
        {EDITION(RULE("type-change", ",\"to\":\"a\"")), "no-such-rule", "/rules/0"},
        {EDITION(RULE("fact", "") "," RULE("fact", "")), "twice", "/rules/1"},
        {EDITION(RULE("fact", ",\"valid_until\":\"2026-01-01T00:00:00Z\"")), "bad-catalogue",
         "/rules/0"},
        {EDITION(RULE("families", ",\"families\":[{\"names\":[\"a\"]}]")), "missing-member",
         "/rules/0/families/processor"},
        {EDITION(RULE("families", ",\"families\":[{\"names\":[\"a\"],\"processor\":\"mips\"}]")),
         "unknown-word", NULL},
        {EDITION(RULE("operating-systems", ",\"systems\":[{\"least\":\"1\"}]")), "missing-member",
         "/rules/0/systems/0/names"},
        {EDITION(RULE("limit", ",\"limit\":\"hope\"")), "unknown-word", "/rules/0/limit"},
        {EDITION(RULE("limit", ",\"limit\":\"enclaves\",\"most\":0")), "out-of-range",
         "/rules/0/most"},
        {EDITION(RULE("regions", ",\"regions\":{\"a\":7}")), "bad-catalogue", "/rules/0/regions/a"},
        {EDITION("{\"id\":\"A!\",\"kind\":\"fact\"," COMMON "}"), "bad-catalogue", "/rules/0"},
        {EDITION("7"), "bad-catalogue", "/rules/0"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        struct error err;
        enum outcome outcome = read_it(rows[i].text, &err);
        if ((outcome == OK) != (rows[i].code == NULL))
            fail_msg("%s: %s", rows[i].text, err.text);
        if (rows[i].code != NULL && strcmp(rows[i].code, err.code) != 0)
            fail_msg("%s: %s (%s)", rows[i].text, err.code, err.text);
        if (rows[i].code != NULL && rows[i].where != NULL)
            assert_string_equal(err.where, rows[i].where);
    }
}

static void an_edition_is_bounded(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(text_done) struct text rules = {0};
    for (int i = 0; i <= CATALOGUE_RULES_MAX; i++)
        text_addf(&rules, "%s{\"id\":\"r%d\",\"kind\":\"fact\"," COMMON "}", i > 0 ? "," : "", i);
    OWNED(text_done) struct text many = {0};
    text_addf(&many,
              "{\"edition\":\"m\",\"version\":1,\"issued\":\"2026-12-01T00:00:00Z\","
              "\"title\":\"t\",\"rules\":[%s]}",
              text_str(&rules));
    assert_int_equal(read_it(text_str(&many), &err), ERR_INVALID);
    assert_string_equal(err.where, "/rules");
    OWNED(bytes_done) struct bytes huge = {0};
    memset(bytes_add_room(&huge, 10 * 1024 * 1024), ' ', 10 * 1024 * 1024);
    OWNED(catalogue_drop) struct catalogue *made = NULL;
    assert_fails(catalogue_parse(bytes_span(&huge), &made, &err), ERR_INVALID, "too-large");
}

/* ---- signatures ----------------------------------------------------------------------------- */

struct people {
    struct charter_signers pinned;
    struct key *stranger;
};

static int gather(void **state)
{
    struct error err = {0};
    struct people *people = NEW(struct people);
    people->pinned.threshold = 2;
    people->pinned.count = 3;
    for (size_t i = 0; i < 3; i++)
        assert_ok(key_generate(KEY_P256, &people->pinned.keys[i], &err));
    assert_ok(key_generate(KEY_P256, &people->stranger, &err));
    *state = people;
    return 0;
}

static int part(void **state)
{
    struct people *people = *state;
    charter_signers_done(&people->pinned);
    key_free(people->stranger);
    free(people);
    return 0;
}

static char *signed_by(const char *text, const char *typ, const struct key *const *keys,
                       size_t count)
{
    struct error err = {0};
    char *set = NULL;
    token_set_make(span_of_text(text), &set);
    for (size_t i = 0; i < count; i++) {
        char *next = NULL;
        assert_ok(token_set_sign(span_of_text(set), typ, keys[i], &next, &err));
        free(set);
        set = next;
    }
    return set;
}

static void enough_of_the_pinned_keys_make_an_edition_count(void **state)
{
    const struct people *p = *state;
    struct error err = {0};
    const struct key *const both[] = {p->pinned.keys[0], p->pinned.keys[2]};
    const struct key *const with_stranger[] = {p->pinned.keys[0], p->stranger};
    const struct charter_signers nobody = {0};
    OWNED(catalogue_drop) struct catalogue *made = NULL;
    struct catalogue *none = NULL;
    OWNED(mem_drop) char *good = signed_by(GOOD, CATALOGUE_TYP, both, 2);
    OWNED(mem_drop) char *alone = signed_by(GOOD, CATALOGUE_TYP, both, 1);
    OWNED(mem_drop) char *unsigned_one = signed_by(GOOD, CATALOGUE_TYP, NULL, 0);
    OWNED(mem_drop) char *strange = signed_by(GOOD, CATALOGUE_TYP, with_stranger, 2);
    OWNED(mem_drop) char *charter = signed_by(GOOD, CHARTER_TYP, both, 2);
    assert_ok(catalogue_open(span_of_text(good), &p->pinned, &made, &err));
    assert_string_equal(made->edition, "mine");
    assert_int_equal(made->version, 3);
    assert_fails(catalogue_open(span_of_text(alone), &p->pinned, &none, &err), ERR_DENIED,
                 "too-few-signatures");
    assert_int_not_equal(catalogue_open(span_of_text(unsigned_one), &p->pinned, &none, &err), OK);
    assert_fails(catalogue_open(span_of_text(strange), &p->pinned, &none, &err), ERR_DENIED,
                 "too-few-signatures");
    assert_fails(catalogue_open(span_of_text(charter), &p->pinned, &none, &err), ERR_DENIED,
                 "token-type");
    assert_fails(catalogue_open(span_of_text(good), &nobody, &none, &err), ERR_DENIED,
                 "no-signers");
    /* Cut anywhere, or one byte another. */
    const size_t len = strlen(good);
    for (size_t cut = 0; cut < len; cut += 7)
        assert_int_not_equal(catalogue_open(SPAN(good, cut), &p->pinned, &none, &err), OK);
    for (size_t at = 0; at < len; at += 11) {
        OWNED(mem_drop) char *spoilt = mem_text(good);
        spoilt[at] = spoilt[at] == 'A' ? 'B' : 'A';
        assert_int_not_equal(catalogue_open(span_of_text(spoilt), &p->pinned, &none, &err), OK);
    }
}

static void a_signed_edition_is_read_as_strictly(void **state)
{
    const struct people *p = *state;
    struct error err = {0};
    struct catalogue *none = NULL;
    const struct key *const both[] = {p->pinned.keys[0], p->pinned.keys[1]};
    OWNED(mem_drop)
    char *odd = signed_by(EDITION(RULE("fact", ",\"colour\":1")), CATALOGUE_TYP, both, 2);
    assert_fails(catalogue_open(span_of_text(odd), &p->pinned, &none, &err), ERR_INVALID,
                 "unknown-member");
}

static void an_edition_never_goes_back(void **state)
{
    (void)state;
    struct error err = {0};
    const struct moment day = clock_at_seconds(1800000000);
    const struct catalogue now = {.edition = "mine", .version = 3, .issued = day};
    struct catalogue next = {.edition = "mine", .version = 4, .issued = day};
    assert_ok(catalogue_check_newer(&now, &next, &err));
    next.issued = moment_add_seconds(day, -1);
    assert_fails(catalogue_check_newer(&now, &next, &err), ERR_CONFLICT, "edition-not-newer");
    next.issued = moment_add_seconds(day, 1);
    next.version = 3;
    assert_fails(catalogue_check_newer(&now, &next, &err), ERR_CONFLICT, "edition-not-newer");
    next.version = 2;
    assert_fails(catalogue_check_newer(&now, &next, &err), ERR_CONFLICT, "edition-not-newer");
}

/* ---- drift ---------------------------------------------------------------------------------- */

static void offer(struct offer_list *list, const char *size, int64_t vcpus, int64_t memory)
{
    struct offer *one = offer_list_add(list);
    snprintf(one->size, sizeof one->size, "%s", size);
    one->vcpus = vcpus;
    one->memory_mib = memory;
}

static bool has(const struct drift_list *list, enum drift_kind kind, const char *subject)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i].kind == kind && strcmp(list->at[i].subject, subject) == 0)
            return true;
    return false;
}

static void offer_all(const struct catalogue *catalogue, const char *rule, struct offer_list *out)
{
    const char *size;
    json_t *facts;
    json_object_foreach (catalogue_find(catalogue, rule)->sizes, size, facts)
        offer(out, size, json_integer_value(json_object_get(facts, "vcpus")),
              json_integer_value(json_object_get(facts, "memory_mib")));
}

static void a_cloud_that_says_the_same_has_not_drifted(void **state)
{
    (void)state;
    OWNED(catalogue_drop) struct catalogue *current = rules_edition(CATALOGUE_CURRENT);
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(drift_list_done) struct drift_list drift = {0};
    offer_all(current, "snp-sizes", &offers);
    catalogue_compare(current, DRIVER_AWS, "us-east-2", clock_now(), &offers, &drift);
    assert_int_equal(drift.count, 0);
}

static void each_difference_is_told_with_its_rule(void **state)
{
    (void)state;
    OWNED(catalogue_drop) struct catalogue *current = rules_edition(CATALOGUE_CURRENT);
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(drift_list_done) struct drift_list drift = {0};
    offer_all(current, "snp-sizes", &offers);
    offers.at[0].vcpus = 64;
    offers.at[1].memory_mib = 1;
    offers.at[2].is_restricted = true;
    offers.count--;
    offer(&offers, "m7a.large", 2, 8192);
    catalogue_compare(current, DRIVER_AWS, "eu-west-1", clock_now(), &offers, &drift);
    assert_true(has(&drift, DRIFT_SIZE_DIFFERS, offers.at[0].size));
    assert_true(has(&drift, DRIFT_SIZE_DIFFERS, offers.at[1].size));
    assert_true(has(&drift, DRIFT_SIZE_NOT_OFFERED, offers.at[2].size));
    assert_true(has(&drift, DRIFT_SIZE_UNKNOWN, "m7a.large"));
    assert_int_equal(drift.count, 5); /* and the one that is not there any more */
    assert_string_equal(drift.at[0].rule, "snp-sizes");
}

static void regions_that_came_or_went_are_told_once(void **state)
{
    (void)state;
    OWNED(catalogue_drop) struct catalogue *current = rules_edition(CATALOGUE_CURRENT);
    OWNED(offer_list_done) struct offer_list offers = {0};
    OWNED(drift_list_done) struct drift_list none = {0};
    OWNED(drift_list_done) struct drift_list gone = {0};
    OWNED(drift_list_done) struct drift_list fresh = {0};
    catalogue_compare(current, DRIVER_AWS, "us-east-1", clock_now(), &offers, &none);
    assert_int_equal(none.count, 0);
    catalogue_compare(current, DRIVER_AWS, "us-east-2", clock_now(), &offers, &gone);
    assert_int_equal(gone.count, 1);
    assert_true(has(&gone, DRIFT_REGION_EMPTY, "us-east-2"));
    offer_all(current, "snp-sizes", &offers);
    catalogue_compare(current, DRIVER_AWS, "us-east-1", clock_now(), &offers, &fresh);
    assert_int_equal(fresh.count, 1);
    assert_true(has(&fresh, DRIFT_REGION_UNKNOWN, "us-east-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_with_muster_is_read_and_prints_as_it_was),
        cmocka_unit_test(the_files_are_what_is_compiled_in),
        cmocka_unit_test(every_rule_has_a_source_and_says_how_sure_it_is),
        cmocka_unit_test(what_no_rule_knows_is_refused_with_its_place),
        cmocka_unit_test(an_edition_is_bounded),
        cmocka_unit_test(enough_of_the_pinned_keys_make_an_edition_count),
        cmocka_unit_test(a_signed_edition_is_read_as_strictly),
        cmocka_unit_test(an_edition_never_goes_back),
        cmocka_unit_test(a_cloud_that_says_the_same_has_not_drifted),
        cmocka_unit_test(each_difference_is_told_with_its_rule),
        cmocka_unit_test(regions_that_came_or_went_are_told_once),
    };
    return cmocka_run_group_tests_name("catalogue", tests, gather, part);
}
