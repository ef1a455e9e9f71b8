#include "lib/model/audit.h"

#include <string.h>

#include "tests/support/test.h"

static struct audit_entry entry_of(const char *verb, json_t *detail)
{
    struct audit_entry entry = {
        .id = 99,
        .at = {INT64_C(1795392000123456)},
        .project = "default",
        .actor = "token:ops",
        .object = "fleet:web",
        .detail = detail,
    };
    strcpy(entry.verb, verb);
    return entry;
}

static void a_chain_of_entries_checks(void **state)
{
    (void)state;
    struct error err;
    OWNED(audit_entry_done) struct audit_entry a = entry_of("fleet.created", json_object());
    OWNED(audit_entry_done)
    struct audit_entry b = entry_of("fleet.changed", json_pack("{s:i}", "n", 1));
    audit_chain(&a, NULL);
    audit_chain(&b, &a);
    assert_int_equal(a.number, 1);
    assert_int_equal(b.number, 2);
    assert_memory_equal(b.prev_hash, a.hash, SHA256_SIZE);
    assert_ok(audit_check(&a, NULL, &err));
    assert_ok(audit_check(&b, &a, &err));
}

/* Members in another order say the same; the place in the table says nothing. */
static void the_hash_is_of_what_is_said_and_of_nothing_else(void **state)
{
    (void)state;
    OWNED(audit_entry_done)
    struct audit_entry a = entry_of("fleet.changed", json_pack("{s:i,s:s}", "a", 1, "b", "x"));
    OWNED(audit_entry_done)
    struct audit_entry b = entry_of("fleet.changed", json_pack("{s:s,s:i}", "b", "x", "a", 1));
    b.id = 7;
    uint8_t one[SHA256_SIZE], other[SHA256_SIZE];
    audit_hash(&a, one);
    audit_hash(&b, other);
    assert_memory_equal(one, other, SHA256_SIZE);
}

static void every_field_that_is_changed_is_noticed(void **state)
{
    (void)state;
    struct error err;
    OWNED(audit_entry_done) struct audit_entry a = entry_of("fleet.created", json_object());
    audit_chain(&a, NULL);
    struct audit_entry forged = a;
    forged.actor[0] = 'T';
    assert_fails(audit_check(&forged, NULL, &err), ERR_DENIED, "audit-hash");
    forged = a;
    forged.verb[0] = 'F';
    assert_fails(audit_check(&forged, NULL, &err), ERR_DENIED, "audit-hash");
    forged = a;
    forged.at.us++;
    assert_fails(audit_check(&forged, NULL, &err), ERR_DENIED, "audit-hash");
    forged = a;
    OWNED(json_drop) json_t *other = json_pack("{s:b}", "x", 1);
    forged.detail = other;
    assert_fails(audit_check(&forged, NULL, &err), ERR_DENIED, "audit-hash");
    forged = a;
    forged.number = 2;
    assert_fails(audit_check(&forged, NULL, &err), ERR_DENIED, "audit-number");
    forged = a;
    forged.prev_hash[31] = 1;
    assert_fails(audit_check(&forged, NULL, &err), ERR_DENIED, "audit-link");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_of_entries_checks),
        cmocka_unit_test(the_hash_is_of_what_is_said_and_of_nothing_else),
        cmocka_unit_test(every_field_that_is_changed_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
