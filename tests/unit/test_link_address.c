#include "lib/net/link_address.h"

#include <string.h>

#include "lib/base/base.h"
#include "tests/support/test.h"

DROP(costs_drop, struct address_costs, address_costs_free)

static struct address v4(uint8_t last)
{
    return (struct address){{[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, last}};
}

static struct address v6(uint8_t network, uint8_t host)
{
    return (struct address){{0x20, 0x01, 0x0d, 0xb8, [7] = network, [15] = host}};
}

static void connections_are_counted_by_address(void **state)
{
    (void)state;
    OWNED(costs_drop) struct address_costs *costs = address_costs_new();
    struct address a = v4(1);
    struct address b = v4(2);
    assert_true(address_take(costs, &a, 2));
    assert_true(address_take(costs, &a, 2));
    assert_false(address_take(costs, &a, 2));
    assert_true(address_take(costs, &b, 2));
    address_drop(costs, &a);
    assert_true(address_take(costs, &a, 2));
    assert_int_equal(address_count(costs), 2);
}

static void ipv6_counts_by_its_network(void **state)
{
    (void)state;
    OWNED(costs_drop) struct address_costs *costs = address_costs_new();
    for (int host = 0; host < 5; host++) {
        struct address one = v6(1, (uint8_t)host);
        assert_int_equal(address_take(costs, &one, 3), host < 3);
    }
    struct address elsewhere = v6(2, 0);
    assert_true(address_take(costs, &elsewhere, 3));
    assert_int_equal(address_count(costs), 2);
}

static void bytes_are_counted_by_the_minute(void **state)
{
    (void)state;
    OWNED(costs_drop) struct address_costs *costs = address_costs_new();
    struct address a = v4(1);
    assert_false(address_spend(costs, &a, 1, 100, 0)); /* it has no connection */
    assert_true(address_take(costs, &a, 1));
    assert_true(address_spend(costs, &a, 60, 100, 5000000));
    assert_true(address_spend(costs, &a, 40, 100, 5059999));
    assert_false(address_spend(costs, &a, 1, 100, 5059999));
    assert_true(address_spend(costs, &a, 100, 100, 5060000));
}

/* Coming back does not wipe the slate, and those who left are forgotten in the end. */
static void a_minute_outlives_its_connections(void **state)
{
    (void)state;
    OWNED(costs_drop) struct address_costs *costs = address_costs_new();
    struct address a = v4(1);
    assert_true(address_take(costs, &a, 1));
    assert_true(address_spend(costs, &a, 100, 100, 1000000));
    address_drop(costs, &a);
    address_sweep(costs, 1030000);
    assert_int_equal(address_count(costs), 1);
    assert_true(address_take(costs, &a, 1));
    assert_false(address_spend(costs, &a, 1, 100, 1040000));
    address_sweep(costs, 1090000);
    assert_int_equal(address_count(costs), 1); /* it has a connection */
    address_drop(costs, &a);
    address_sweep(costs, 1090000);
    assert_int_equal(address_count(costs), 0);
}

static void many_addresses_are_told_apart(void **state)
{
    (void)state;
    OWNED(costs_drop) struct address_costs *costs = address_costs_new();
    for (uint32_t i = 0; i < 20000; i++) {
        struct address a = v4(0);
        memcpy(a.at + 12, &i, sizeof i);
        assert_true(address_take(costs, &a, 1));
    }
    assert_int_equal(address_count(costs), 20000);
    address_sweep(costs, 0);
    assert_int_equal(address_count(costs), 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_counted_by_address),
        cmocka_unit_test(ipv6_counts_by_its_network),
        cmocka_unit_test(bytes_are_counted_by_the_minute),
        cmocka_unit_test(a_minute_outlives_its_connections),
        cmocka_unit_test(many_addresses_are_told_apart),
    };
    return cmocka_run_group_tests_name("link_address", tests, NULL, NULL);
}
