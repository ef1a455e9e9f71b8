/* R46: a nonce is the keeper's own, counts once, and not for long. */
#include "keeper/nonces.h"

#include <string.h>

#include "lib/crypto/random.h"
#include "tests/support/test.h"

enum { MOST = 8 };

static int set_up(void **state)
{
    clock_freeze(clock_at_seconds(1795435200));
    *state = nonces_new(MOST);
    return 0;
}

static int tear_down(void **state)
{
    nonces_free(*state);
    clock_thaw();
    return 0;
}

static struct nonce_entry issue(struct nonces *n)
{
    struct error err = {0};
    struct nonce_entry entry = {.kind = EVIDENCE_SNP, .instance = uuid_new(), .link_key = {9}};
    assert_ok(nonces_issue(n, &entry, &err));
    return entry;
}

static enum outcome redeem(struct nonces *n, const struct nonce_entry *entry, struct error *err)
{
    struct nonce_entry out;
    return nonces_redeem(n, entry->nonce, &entry->instance, &out, err);
}

static void a_nonce_comes_back_with_what_it_was_issued_for(void **state)
{
    struct nonces *n = *state;
    struct error err = {0};
    struct nonce_entry entry = issue(n);
    struct nonce_entry out;
    assert_memory_equal(entry.nonce, nonces_boot_id(n), KEEPER_BOOT_ID_SIZE);
    assert_ok(nonces_redeem(n, entry.nonce, &entry.instance, &out, &err));
    assert_int_equal(out.kind, EVIDENCE_SNP);
    assert_int_equal(out.link_key[0], 9);
    assert_true(out.issued.us == clock_now().us);
}

static void a_nonce_is_gone_on_first_use(void **state)
{
    struct error err = {0};
    struct nonce_entry entry = issue(*state);
    assert_ok(redeem(*state, &entry, &err));
    assert_fails(redeem(*state, &entry, &err), ERR_CONFLICT, "challenge-again");
}

static void a_nonce_of_another_instance_is_refused_and_gone(void **state)
{
    struct error err = {0};
    struct nonce_entry entry = issue(*state);
    struct nonce_entry other = entry;
    other.instance = uuid_new();
    assert_fails(redeem(*state, &other, &err), ERR_DENIED, "challenge-instance");
    assert_fails(redeem(*state, &entry, &err), ERR_CONFLICT, "challenge-again");
}

static void a_nonce_lives_180_seconds(void **state)
{
    struct error err = {0};
    struct nonce_entry early = issue(*state);
    struct nonce_entry late = issue(*state);
    clock_advance_ms(179999);
    assert_ok(redeem(*state, &early, &err));
    clock_advance_ms(1);
    assert_fails(redeem(*state, &late, &err), ERR_CONFLICT, "challenge-again");
}

static void every_changed_bit_makes_it_unknown(void **state)
{
    struct error err = {0};
    struct nonce_entry entry = issue(*state);
    for (size_t bit = 0; bit < 8 * NONCE_SIZE; bit++) {
        struct nonce_entry other = entry;
        other.nonce[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_fails(redeem(*state, &other, &err), ERR_CONFLICT, "challenge-again");
    }
    assert_ok(redeem(*state, &entry, &err));
}

static void another_boot_has_another_id_and_knows_none_of_the_old(void **state)
{
    struct error err = {0};
    struct nonce_entry entry = issue(*state);
    OWNED(nonces_drop) struct nonces *next = nonces_new(MOST);
    assert_memory_not_equal(nonces_boot_id(next), nonces_boot_id(*state), KEEPER_BOOT_ID_SIZE);
    assert_fails(redeem(next, &entry, &err), ERR_CONFLICT, "challenge-again");
}

static void only_so_many_are_open_and_there_is_room_again_later(void **state)
{
    struct error err = {0};
    struct nonce_entry entries[MOST];
    struct nonce_entry more = {.instance = uuid_new()};
    for (size_t i = 0; i < MOST; i++)
        entries[i] = issue(*state);
    assert_fails(nonces_issue(*state, &more, &err), ERR_THROTTLED, "too-many-challenges");
    assert_ok(redeem(*state, &entries[0], &err)); /* the oldest makes room at once */
    (void)issue(*state);
    clock_advance_ms(180000);
    for (size_t i = 0; i < MOST; i++)
        entries[i] = issue(*state);
    for (size_t i = 0; i < MOST; i++)
        assert_ok(redeem(*state, &entries[MOST - 1 - i], &err));
}

static void many_rounds_leave_nothing_behind(void **state)
{
    struct error err = {0};
    for (int round = 0; round < 1000; round++) {
        struct nonce_entry a = issue(*state);
        struct nonce_entry b = issue(*state);
        assert_ok(redeem(*state, &b, &err));
        assert_ok(redeem(*state, &a, &err));
    }
}

#define WITH_NONCES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NONCES(a_nonce_comes_back_with_what_it_was_issued_for),
        WITH_NONCES(a_nonce_is_gone_on_first_use),
        WITH_NONCES(a_nonce_of_another_instance_is_refused_and_gone),
        WITH_NONCES(a_nonce_lives_180_seconds),
        WITH_NONCES(every_changed_bit_makes_it_unknown),
        WITH_NONCES(another_boot_has_another_id_and_knows_none_of_the_old),
        WITH_NONCES(only_so_many_are_open_and_there_is_room_again_later),
        WITH_NONCES(many_rounds_leave_nothing_behind),
    };
    return cmocka_run_group_tests_name("keeper nonces", tests, NULL, NULL);
}
