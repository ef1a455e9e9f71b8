/* Where machines go, on hand-made fleets and on seeded random histories with a virtual clock. */
#include "lib/model/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"
#include "tests/support/test.h"

/* Sanitizers are ten times slower and look for something else. */
#ifdef __SANITIZE_ADDRESS__
enum { HISTORIES = 2000 };
#else
enum { HISTORIES = 20000 };
#endif
enum { MACHINES = 24 };

static const struct moment epoch = {INT64_C(1795392000000000)};

static enum outcome begin(const char *json, int64_t zone_most, struct placement *out,
                          struct error *err)
{
    OWNED(json_drop) json_t *value = NULL;
    OWNED(place_list_done) struct place_list places = {0};
    TRY(json_parse(span_of_text(json), 65536, &value, err));
    TRY(places_from_json(value, &places, err));
    placement_begin(&places, zone_most, out);
    return OK;
}

static struct placement placement_of(const char *json, int64_t zone_most)
{
    struct error err = {0};
    struct placement out = {0};
    assert_ok(begin(json, zone_most, &out, &err));
    return out;
}

static void refuses(const char *json, const char *code)
{
    struct error err = {0};
    OWNED(placement_done) struct placement out = {0};
    assert_int_equal(begin(json, 0, &out, &err), ERR_INVALID);
    assert_string_equal(err.code, code);
}

static const char *account_of(const struct placement *p, const struct spot *spot)
{
    return p->places.at[spot->place].account;
}

/* ---- hand-made ---- */

static void a_spec_with_a_mistake_is_refused(void **state)
{
    (void)state;
    refuses("{}", "wrong-type");
    refuses("[1]", "wrong-type");
    refuses("[{\"account\": \"A\"}]", "bad-name");
    refuses("[{\"account\": \"a\", \"weight\": 0}]", "out-of-range");
    refuses("[{\"account\": \"a\", \"weight\": 1001}]", "out-of-range");
    refuses("[{\"account\": \"a\", \"colour\": 1}]", "unknown-member");
    refuses("[{\"weight\": 1}]", "missing-member");
    refuses("[{\"account\": \"a\", \"zones\": [\"z\", \"z\"]}]", "twice");
    refuses("[{\"account\": \"a\", \"zones\": [\"Z\"]}]", "bad-name");
    refuses("[{\"account\": \"a\", \"zones\": \"z\"}]", "wrong-type");
    refuses("[{\"account\": \"a\", \"size\": \"a b\"}]", "bad-name");
    refuses("[{\"account\": \"a\"}, {\"account\": \"a\", \"zones\": [\"z\"]}]", "twice");
    refuses("[{\"account\": \"a\", \"zones\": [\"y\", \"z\"]},"
            " {\"account\": \"a\", \"zones\": [\"z\"]}]",
            "twice");
}

static void weights_share_out_what_is_launched(void **state)
{
    (void)state;
    OWNED(placement_done)
    struct placement p = placement_of("[{\"account\": \"a\", \"weight\": 3},"
                                      " {\"account\": \"b\", \"weight\": 1}]",
                                      0);
    for (int i = 0; i < 40; i++)
        assert_non_null(placement_next(&p, epoch));
    assert_int_equal(p.spots[0].standing, 30);
    assert_int_equal(p.spots[1].standing, 10);
}

static void a_place_without_room_is_left_out_until_its_time_came(void **state)
{
    (void)state;
    OWNED(placement_done)
    struct placement p = placement_of("[{\"account\": \"a\"}, {\"account\": \"b\"}]", 0);
    placement_spot(&p, "a", "")->closed_until = moment_add_seconds(epoch, 30);
    for (int i = 0; i < 4; i++)
        assert_string_equal(account_of(&p, placement_next(&p, epoch)), "b");
    const struct moment later = moment_add_seconds(epoch, 30);
    for (int i = 0; i < 4; i++) /* what it was owed comes back to it */
        assert_string_equal(account_of(&p, placement_next(&p, later)), "a");
}

static void nothing_goes_anywhere_when_all_is_closed(void **state)
{
    (void)state;
    OWNED(placement_done) struct placement p = placement_of("[{\"account\": \"a\"}]", 0);
    p.spots[0].closed_until = moment_add_seconds(epoch, 1);
    assert_null(placement_next(&p, epoch));
    OWNED(placement_done) struct placement none = placement_of("[]", 0);
    assert_null(placement_next(&none, epoch));
}

static void zones_of_a_place_are_filled_evenly_and_never_above_their_most(void **state)
{
    (void)state;
    OWNED(placement_done)
    struct placement p =
        placement_of("[{\"account\": \"a\", \"zones\": [\"x\", \"y\", \"z\"]}]", 2);
    for (int i = 0; i < 6; i++)
        assert_non_null(placement_next(&p, epoch));
    assert_null(placement_next(&p, epoch));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(p.spots[i].standing, 2);
}

static void a_machine_counts_to_its_zone_or_to_the_account_that_names_none(void **state)
{
    (void)state;
    OWNED(placement_done)
    struct placement p =
        placement_of("[{\"account\": \"a\", \"zones\": [\"x\"]}, {\"account\": \"b\"}]", 0);
    assert_ptr_equal(placement_spot(&p, "a", "x"), &p.spots[0]);
    assert_null(placement_spot(&p, "a", "y"));
    assert_ptr_equal(placement_spot(&p, "b", "whatever"), &p.spots[1]);
    assert_null(placement_spot(&p, "c", ""));
}

static void a_place_that_fails_again_and_again_is_closed_for_longer(void **state)
{
    (void)state;
    assert_int_equal(refusal_seconds(refusal_of("capacity"), 1), 30);
    assert_int_equal(refusal_seconds(refusal_of("quota"), 2), 60);
    assert_int_equal(refusal_seconds(refusal_of("capacity"), 3), 120);
    assert_int_equal(refusal_seconds(refusal_of("capacity"), 100), 3600);
    assert_int_equal(refusal_seconds(refusal_of("unsupported"), 1), 3600);
    assert_int_equal(refusal_seconds(refusal_of("unsupported"), 2), 7200);
    assert_int_equal(refusal_seconds(refusal_of("unsupported"), 100), 86400);
}

static void only_what_another_place_may_have_closes_one(void **state)
{
    (void)state;
    static const enum cloud_error closing[] = {CLOUD_CAPACITY, CLOUD_QUOTA, CLOUD_UNSUPPORTED};
    size_t closes = 0;
    for (int i = 0; i < CLOUD_ERROR_COUNT; i++)
        closes += refusal_of(name_of(&cloud_error_names, i)) != NULL;
    assert_int_equal(closes, countof(closing));
    for (size_t i = 0; i < countof(closing); i++)
        assert_non_null(refusal_of(name_of(&cloud_error_names, (int)closing[i])));
}

static void a_placement_prints_as_json(void **state)
{
    (void)state;
    OWNED(placement_done)
    struct placement p = placement_of(
        "[{\"account\": \"a\", \"zones\": [\"x\"], \"size\": \"big\", \"weight\": 2}]", 0);
    p.spots[0].closed_until = moment_add_seconds(epoch, 30);
    strcpy(p.spots[0].closed_code, "capacity");
    strcpy(p.spots[0].closed_text, "no room");
    OWNED(json_drop) json_t *json = placement_to_json(&p, epoch);
    OWNED(json_drop)
    json_t *wanted =
        json_pack("[{s:s, s:s, s:s, s:i, s:i, s:b, s:s, s:s, s:s}]", "account", "a", "zone", "x",
                  "size", "big", "weight", 2, "standing", 0, "open", 0, "closed_until",
                  moment_text(p.spots[0].closed_until).at, "reason", "capacity", "text", "no room");
    assert_true(json_equal(json, wanted));
}

/* ---- seeded histories ---- */

struct history {
    uint64_t seed;
    uint64_t random;
    struct moment now;
    struct placement p;
    bool disturbed; /* something closed, opened or left: shares only have to mend */
};

static uint64_t draw(struct history *h)
{
    uint64_t z = h->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#define CHECK(h, condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu: %s", (unsigned long long)(h)->seed, #condition);                  \
    } while (0)

static void make_places(struct history *h)
{
    struct place_list places = {.count = 1 + (size_t)(draw(h) % 5)};
    places.at = mem_new(places.count, sizeof *places.at);
    for (size_t i = 0; i < places.count; i++) {
        struct place *place = &places.at[i];
        snprintf(place->account, sizeof place->account, "account-%zu", i);
        place->weight = 1 + (int64_t)(draw(h) % 7);
        place->zone_count = (size_t)(draw(h) % 4);
        for (size_t z = 0; z < place->zone_count; z++)
            snprintf(place->zones[z], sizeof place->zones[z], "zone-%zu", z);
    }
    placement_begin(&places, draw(h) % 4 == 0 ? 1 + (int64_t)(draw(h) % 6) : 0, &h->p);
}

static bool place_is_open(const struct history *h, size_t place)
{
    for (size_t i = 0; i < h->p.spot_count; i++)
        if (h->p.spots[i].place == place && spot_is_open(&h->p, &h->p.spots[i], h->now))
            return true;
    return false;
}

static int64_t standing_in(const struct history *h, size_t place)
{
    int64_t n = 0;
    for (size_t i = 0; i < h->p.spot_count; i++)
        n += h->p.spots[i].place == place ? h->p.spots[i].standing : 0;
    return n;
}

/* Of what is open: the weights, and what stands there. */
static void sum_open(const struct history *h, int64_t *weights, int64_t *standing)
{
    *weights = *standing = 0;
    for (size_t i = 0; i < h->p.places.count; i++)
        if (place_is_open(h, i)) {
            *weights += h->p.places.at[i].weight;
            *standing += standing_in(h, i);
        }
}

static void shares_match_within_one(const struct history *h)
{
    int64_t weights, standing;
    sum_open(h, &weights, &standing);
    for (size_t i = 0; i < h->p.places.count; i++) {
        int64_t off = standing_in(h, i) * weights - standing * h->p.places.at[i].weight;
        CHECK(h, !place_is_open(h, i) || (off < weights && off > -weights));
    }
}

/* What a launch must hold to, whatever stood before. */
static void launch(struct history *h)
{
    int64_t weights, standing;
    struct spot before[PLACES_MAX * PLACE_ZONES_MAX];
    memcpy(before, h->p.spots, h->p.spot_count * sizeof *before);
    sum_open(h, &weights, &standing);
    const struct spot *spot = placement_next(&h->p, h->now);
    CHECK(h, (spot == NULL) == (weights == 0));
    if (spot == NULL)
        return;
    const struct spot *was = &before[spot - h->p.spots];
    CHECK(h, h->now.us >= was->closed_until.us);
    CHECK(h, h->p.zone_most == 0 || spot->standing <= h->p.zone_most);
    CHECK(h, spot->standing == was->standing + 1);
    int64_t here = standing_in(h, spot->place) - 1;
    CHECK(h, here * weights < (standing + 1) * h->p.places.at[spot->place].weight);
    for (size_t i = 0; i < h->p.spot_count; i++) {
        const struct spot *other = &h->p.spots[i];
        if (other != spot && other->place == spot->place && h->now.us >= other->closed_until.us)
            CHECK(h, was->standing <= other->standing || !spot_is_open(&h->p, other, h->now));
    }
}

static void disturb(struct history *h)
{
    struct spot *spot = &h->p.spots[draw(h) % h->p.spot_count];
    switch (draw(h) % 3) {
    case 0:
        spot->closed_until = moment_add_seconds(h->now, 1 + (int64_t)(draw(h) % 60));
        break;
    case 1:
        spot->standing -= spot->standing > 0;
        break;
    default:
        h->now = moment_add_seconds(h->now, (int64_t)(draw(h) % 60));
    }
    h->disturbed = true;
}

static struct placement copy_shuffled(struct history *h)
{
    struct place_list places = {.count = h->p.places.count};
    places.at = mem_new(places.count, sizeof *places.at);
    for (size_t i = 0; i < places.count; i++)
        places.at[i] = h->p.places.at[places.count - 1 - i];
    struct placement copy;
    placement_begin(&places, h->p.zone_most, &copy);
    for (size_t i = 0; i < h->p.spot_count; i++) {
        const struct spot *from = &h->p.spots[i];
        struct spot *to = placement_spot(&copy, account_of(&h->p, from), from->zone);
        to->standing = from->standing;
        to->closed_until = from->closed_until;
    }
    return copy;
}

static void the_order_of_the_spec_does_not_matter(struct history *h)
{
    OWNED(placement_done) struct placement copy = copy_shuffled(h);
    const struct moment now = h->now;
    const struct spot *other = placement_next(&copy, now);
    struct spot *mine = (struct spot *)(uintptr_t)placement_next(&h->p, now);
    CHECK(h, (mine == NULL) == (other == NULL));
    if (mine == NULL)
        return;
    CHECK(h, strcmp(account_of(&h->p, mine), account_of(&copy, other)) == 0);
    CHECK(h, strcmp(mine->zone, other->zone) == 0);
}

static void shares_hold_over_seeded_histories(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct history h = {.seed = seed, .random = seed, .now = epoch};
        make_places(&h);
        bool calm = seed % 2 == 0;
        for (int i = 0; i < MACHINES; i++) {
            if (!calm && draw(&h) % 3 == 0)
                disturb(&h);
            launch(&h);
            if (!h.disturbed && h.p.zone_most == 0)
                shares_match_within_one(&h);
        }
        if (seed % 16 < 2)
            the_order_of_the_spec_does_not_matter(&h);
        placement_done(&h.p);
    }
}

/* However it came to stand: what is launched from then on evens it out. */
static void what_is_launched_evens_out_what_came_before(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES / 100; seed++) {
        struct history h = {.seed = seed, .random = seed, .now = epoch};
        make_places(&h);
        h.p.zone_most = 0;
        for (int i = 0; i < MACHINES; i++) {
            disturb(&h);
            launch(&h);
        }
        h.now = moment_add_seconds(h.now, 60); /* all memory expired */
        for (int i = 0; i < 40 * MACHINES; i++)
            launch(&h);
        shares_match_within_one(&h);
        placement_done(&h.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_spec_with_a_mistake_is_refused),
        cmocka_unit_test(weights_share_out_what_is_launched),
        cmocka_unit_test(a_place_without_room_is_left_out_until_its_time_came),
        cmocka_unit_test(nothing_goes_anywhere_when_all_is_closed),
        cmocka_unit_test(zones_of_a_place_are_filled_evenly_and_never_above_their_most),
        cmocka_unit_test(a_machine_counts_to_its_zone_or_to_the_account_that_names_none),
        cmocka_unit_test(a_place_that_fails_again_and_again_is_closed_for_longer),
        cmocka_unit_test(only_what_another_place_may_have_closes_one),
        cmocka_unit_test(a_placement_prints_as_json),
        cmocka_unit_test(shares_hold_over_seeded_histories),
        cmocka_unit_test(what_is_launched_evens_out_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
