#include "db/verdict_store.h"

#include <string.h>

#include "db/audit_store.h"
#include "lib/crypto/random.h"
#include "tests/support/one_database.h"
#include "tests/support/fixtures.h"
#include "tests/support/test.h"

static size_t history_length(const struct uuid *id)
{
    struct error err;
    OWNED(instance_change_list_done) struct instance_change_list history = {0};
    assert_ok(instance_store_history(db, id, &history, &err));
    return history.count;
}

static void a_passing_verdict_makes_trusted_and_keeps_everything(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web"), now;
    OWNED(verdict_row_done)
    struct verdict_row given = fixture_verdict(db, &row.id, true, 1, 600, &now);
    assert_int_equal(now.trust, TRUST_TRUSTED);
    assert_true(uuid_equal(&now.verdict_id, &given.id));
    assert_int_equal(now.level, 1);
    assert_true(now.simulated);
    assert_memory_equal(now.link_key, given.link_key, SHA256_SIZE);
    assert_memory_equal(now.anchor, given.anchor, SHA256_SIZE);
    assert_false(moment_is_none(now.proven_at));
    OWNED(verdict_row_done) struct verdict_row found = {0};
    assert_ok(verdict_store_find(db, &given.id, &found, &err));
    assert_string_equal(found.token, given.token);
    assert_int_equal(found.hardware, SOURCE_HARDWARE);
    assert_int_equal(found.nonce_issued.us, given.nonce_issued.us);
    OWNED(bytes_done) struct bytes evidence = {0};
    char kind[32];
    assert_ok(evidence_store_find(db, given.evidence_digest, &evidence, kind, &err));
    assert_string_equal(kind, "simulated");
    uint8_t sum[SHA256_SIZE];
    digest(DIGEST_SHA256, bytes_span(&evidence), sum);
    assert_memory_equal(sum, given.evidence_digest, SHA256_SIZE);
    struct instance by_key;
    assert_ok(instance_store_find_by_link_key(db, given.link_key, &by_key, &err));
    assert_true(uuid_equal(&by_key.id, &row.id));
}

static void the_token_of_a_verdict_is_in_no_json(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row given = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(json_drop) json_t *shown = record_to_json(&verdict_row_record, &given);
    OWNED(mem_drop) char *text = json_print(shown);
    assert_null(strstr(text, "eyJ"));
    assert_null(json_object_get(shown, "token"));
}

static void a_renewal_changes_no_word_and_takes_no_workers_row(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "web"), first, second;
    OWNED(verdict_row_done)
    struct verdict_row a = fixture_verdict(db, &row.id, true, 1, 60, &first);
    size_t before = history_length(&row.id);
    OWNED(verdict_row_done)
    struct verdict_row b = fixture_verdict(db, &row.id, true, 1, 600, &second);
    assert_int_equal(second.epoch, first.epoch);
    assert_int_equal(second.trust_since.us, first.trust_since.us);
    assert_true(second.valid_until.us > first.valid_until.us);
    assert_int_equal(history_length(&row.id), before);
}

static void a_rejection_keeps_the_incumbents_keys(void **state)
{
    (void)state;
    struct instance row = fixture_running(db, "web"), now;
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, NULL);
    OWNED(verdict_row_done)
    struct verdict_row bad = fixture_verdict(db, &row.id, false, 2, 600, &now);
    assert_int_equal(now.trust, TRUST_REJECTED);
    assert_string_equal(now.trust_reason, "policy-measurement");
    assert_int_equal(now.level, 0);
    assert_memory_equal(now.link_key, good.link_key, SHA256_SIZE);
    assert_false(moment_is_none(now.spoiled_at));
}

static void a_verdict_does_not_lift_a_quarantine(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web"), now;
    const struct trust_change apart = {.event = TRUST_SET_APART, .reason = "clone"};
    assert_ok(instance_store_set_trust(db, &row.id, &apart, "token:ops", &now, &err));
    assert_int_equal(now.trust, TRUST_QUARANTINED);
    OWNED(verdict_row_done)
    struct verdict_row good = fixture_verdict(db, &row.id, true, 1, 600, &now);
    assert_int_equal(now.trust, TRUST_QUARANTINED);
    OWNED(verdict_row_done) struct verdict_row none = {0};
    assert_int_equal(verdict_store_current(db, &row.id, &none, &err), ERR_NOT_FOUND);
}

static void nothing_but_a_verdict_can_make_trusted(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    const struct trust_change without = {.event = TRUST_PASSED};
    assert_fails(instance_store_set_trust(db, &row.id, &without, "thief", NULL, &err), ERR_INTERNAL,
                 "no-verdict");
    /* Nor an UPDATE by hand: the table itself refuses. */
    assert_fails(
        db_script(db, "UPDATE instances SET trust = 'trusted' WHERE verdict_id IS NULL", &err),
        ERR_INVALID, "bad-value");
}

static void time_alone_makes_stale(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web"), now;
    OWNED(verdict_row_done)
    struct verdict_row old = fixture_verdict(db, &row.id, true, 1, -1, &now);
    assert_int_equal(now.trust, TRUST_TRUSTED);
    OWNED(verdict_row_done) struct verdict_row none = {0};
    assert_int_equal(verdict_store_current(db, &row.id, &none, &err), ERR_NOT_FOUND);
    int64_t count = 0;
    assert_ok(instance_store_expire(db, 100, "watch", &count, &err));
    assert_int_equal(count, 1);
    assert_ok(instance_store_find(db, &row.id, &now, &err));
    assert_int_equal(now.trust, TRUST_STALE);
    assert_string_equal(now.trust_reason, "verdict-expired");
    assert_ok(instance_store_expire(db, 100, "watch", &count, &err));
    assert_int_equal(count, 0);
}

static void verdicts_are_listed_newest_first(void **state)
{
    (void)state;
    struct error err;
    struct instance row = fixture_running(db, "web");
    for (uint8_t i = 0; i < 5; i++) {
        OWNED(verdict_row_done)
        struct verdict_row given = fixture_verdict(db, &row.id, i % 2 == 0, i + 1, 600, NULL);
    }
    OWNED(verdict_row_list_done) struct verdict_row_list page = {0}, rest = {0};
    assert_ok(verdict_store_list(db, &row.id, NULL, 3, &page, &err));
    assert_int_equal(page.count, 3);
    assert_ok(verdict_store_list(db, &row.id, &page.at[2].id, 3, &rest, &err));
    assert_int_equal(rest.count, 2);
    assert_true(page.at[0].created.us > rest.at[1].created.us);
}

static void two_instances_never_share_a_link_key(void **state)
{
    (void)state;
    struct error err;
    struct instance a = fixture_running(db, "web"), b = fixture_running(db, "web");
    OWNED(verdict_row_done)
    struct verdict_row given = fixture_verdict(db, &a.id, true, 1, 600, NULL);
    given.id = uuid_new();
    given.instance = b.id;
    assert_fails(verdict_store_record(db, &given, SPAN_OF("evidence"), "keeper:test", NULL, &err),
                 ERR_CONFLICT, "exists");
    struct instance now;
    assert_ok(instance_store_find(db, &b.id, &now, &err));
    assert_int_equal(now.trust, TRUST_UNKNOWN);
    OWNED(verdict_row_done) struct verdict_row none = {0};
    assert_int_equal(verdict_store_find(db, &given.id, &none, &err), ERR_NOT_FOUND);
}

static int open_it(void **state)
{
    one_database_open(state);
    struct fleet fleet = fixture_fleet(db, "web", 1);
    fleet_done(&fleet);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_passing_verdict_makes_trusted_and_keeps_everything),
        cmocka_unit_test(the_token_of_a_verdict_is_in_no_json),
        cmocka_unit_test(a_renewal_changes_no_word_and_takes_no_workers_row),
        cmocka_unit_test(a_rejection_keeps_the_incumbents_keys),
        cmocka_unit_test(a_verdict_does_not_lift_a_quarantine),
        cmocka_unit_test(nothing_but_a_verdict_can_make_trusted),
        cmocka_unit_test(time_alone_makes_stale),
        cmocka_unit_test(verdicts_are_listed_newest_first),
        cmocka_unit_test(two_instances_never_share_a_link_key),
    };
    return cmocka_run_group_tests(tests, open_it, one_database_close);
}
