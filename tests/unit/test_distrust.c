/* How distrust is written into a charter, what it looks like in verdicts from before, and when what
 * a policy takes changes by itself. */
#include "lib/model/distrust.h"

#include <stdio.h>
#include <string.h>

#include "lib/model/charter.h"
#include "tests/support/charters.h"
#include "tests/support/test.h"

static char *hex(int byte, size_t len)
{
    uint8_t value[CHARTER_CHIP_SIZE];
    memset(value, byte, sizeof value);
    return hex_of(SPAN(value, len));
}

static void parses(const json_t *json)
{
    struct error err = {0};
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(mem_drop) char *text = json_print(json);
    assert_ok(charter_parse(span_of_text(text), &charter, &err));
}

/* Also into a charter from before those lists were known. */
static void each_kind_is_written_once_and_stands_then(void **state)
{
    (void)state;
    OWNED(mem_drop) char *chip = hex(0xab, CHARTER_CHIP_SIZE);
    OWNED(mem_drop) char *digest48 = hex(0xab, CHARTER_MEASUREMENT_SIZE);
    OWNED(mem_drop) char *digest32 = hex(0xab, SHA256_SIZE);
    const struct {
        enum distrust_kind kind;
        const char *value;
    } kinds[] = {
        {DISTRUST_CHIP, chip},          {DISTRUST_GENERATION, "Genoa"},
        {DISTRUST_REGION, "us-east-2"}, {DISTRUST_MEASUREMENT, digest48},
        {DISTRUST_SIGNER, digest48},    {DISTRUST_IMAGE, "direct"},
        {DISTRUST_ANCHOR, digest32},    {DISTRUST_GUEST_KEY, digest32},
    };
    _Static_assert(countof(kinds) == DISTRUST_KIND_COUNT);
    for (size_t i = 0; i < countof(kinds); i++) {
        struct error err = {0};
        OWNED(json_drop) json_t *json = charter_sound();
        assert_false(distrust_stands(json, kinds[i].kind, kinds[i].value));
        assert_ok(distrust_add(json, kinds[i].kind, kinds[i].value, &err));
        assert_true(distrust_stands(json, kinds[i].kind, kinds[i].value));
        parses(json);
        assert_fails(distrust_add(json, kinds[i].kind, kinds[i].value, &err), ERR_CONFLICT,
                     "distrusted-already");
    }
}

static void hex_is_the_same_in_large_and_small_letters(void **state)
{
    (void)state;
    struct error err = {0};
    OWNED(json_drop) json_t *json = charter_sound();
    OWNED(mem_drop) char *small = hex(0xab, SHA256_SIZE);
    char large[2 * SHA256_SIZE + 1];
    snprintf(large, sizeof large, "%s", small);
    for (char *c = large; *c != '\0'; c++)
        *c = *c >= 'a' ? (char)(*c - 'a' + 'A') : *c;
    assert_ok(distrust_add(json, DISTRUST_ANCHOR, large, &err));
    assert_true(distrust_stands(json, DISTRUST_ANCHOR, small));
    OWNED(json_drop) json_t *claims = distrust_claims(json, DISTRUST_ANCHOR, large);
    assert_string_equal(json_string_value(json_object_get(json_array_get(claims, 0), "anchor")),
                        small);
}

static void an_image_is_seen_by_its_digests(void **state)
{
    (void)state;
    OWNED(json_drop) json_t *json = charter_sound();
    OWNED(json_drop) json_t *claims = distrust_claims(json, DISTRUST_IMAGE, "direct");
    OWNED(mem_drop) char *measured = hex(0x11, CHARTER_MEASUREMENT_SIZE);
    assert_int_equal(json_array_size(claims), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(claims, 0), "measurement")), measured);
    OWNED(json_drop) json_t *region = distrust_claims(json, DISTRUST_REGION, "us-east-2");
    assert_int_equal(json_array_size(region), 2);
    OWNED(json_drop) json_t *nobody = distrust_claims(json, DISTRUST_IMAGE, "nobodys");
    assert_int_equal(json_array_size(nobody), 0);
}

/* ---- dates ---------------------------------------------------------------------------------- */

/* 16 floors over four products and an end: the nearest are kept, in order. */
static void the_next_dates_are_kept_in_order(void **state)
{
    (void)state;
    struct error err = {0};
    static const char *const products[] = {"Milan", "Genoa", "Siena", "Turin"};
    OWNED(charter_drop) struct charter *charter = NULL;
    OWNED(json_drop) json_t *json = charter_sound();
    const struct moment day = charter_sound_day();
    const uint8_t other[CHARTER_MEASUREMENT_SIZE] = {1};
    json_t *floors = json_object_get(json, "tcb_floors");
    json_object_clear(floors);
    for (int p = 0; p < (int)countof(products); p++) {
        json_t *list = json_pack("[{s:i}]", "snp", 0);
        for (int i = 1; i <= 4; i++) {
            const struct moment from = moment_add_seconds(day, 3600 * (5 * i + p));
            json_add_new(list, json_pack("{s:i,s:s}", "snp", i, "from", moment_text(from).at));
        }
        json_put_new(floors, products[p], list);
    }
    charter_change(json, "/references/direct/expires", "\"2026-11-24T13:00:00Z\"");
    OWNED(mem_drop) char *text = json_print(json);
    assert_ok(charter_parse(span_of_text(text), &charter, &err));
    struct charter_dates dates = {.after = day, .until = moment_add_seconds(day, 86400)};
    charter_dates(charter_find_policy(charter, "web"), &dates);
    assert_int_equal(dates.count, CHARTER_DATES_MAX);
    assert_int_equal(moment_seconds_between(day, dates.at[0]), 3600); /* the reference's end */
    for (size_t i = 1; i < dates.count; i++)
        assert_true(dates.at[i].us > dates.at[i - 1].us);
    struct charter_dates own = {.after = day,
                                .until = dates.until,
                                .product = PRODUCT_GENOA,
                                .measurement = SPAN_OF(other)};
    charter_dates(charter_find_policy(charter, "web"), &own);
    assert_int_equal(own.count, 4); /* Genoa's floors, and no end of another image */
    dates = (struct charter_dates){.after = dates.at[0], .until = dates.at[2]};
    charter_dates(charter_find_policy(charter, "web"), &dates);
    assert_int_equal(dates.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_written_once_and_stands_then),
        cmocka_unit_test(hex_is_the_same_in_large_and_small_letters),
        cmocka_unit_test(an_image_is_seen_by_its_digests),
        cmocka_unit_test(the_next_dates_are_kept_in_order),
    };
    return cmocka_run_group_tests_name("distrust", tests, NULL, NULL);
}
