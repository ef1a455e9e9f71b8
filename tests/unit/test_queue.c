#include "lib/base/queue.h"

#include <pthread.h>

#include "tests/support/test.h"

static void a_full_queue_says_so_and_keeps_order(void **state)
{
    (void)state;
    struct queue *q = queue_new(2);
    int a, b, c;
    assert_true(queue_push(q, &a));
    assert_true(queue_push(q, &b));
    assert_false(queue_push(q, &c));
    assert_ptr_equal(queue_pop(q, 0), &a);
    assert_true(queue_push(q, &c));
    assert_ptr_equal(queue_pop(q, 0), &b);
    assert_ptr_equal(queue_pop(q, 0), &c);
    assert_null(queue_pop(q, 0));
    queue_free(q);
}

static void a_closed_queue_gives_what_is_left_and_takes_no_more(void **state)
{
    (void)state;
    struct queue *q = queue_new(2);
    int a;
    assert_true(queue_push(q, &a));
    queue_close(q);
    assert_true(queue_is_closed(q));
    assert_false(queue_push(q, &a));
    assert_ptr_equal(queue_pop(q, 1000), &a);
    assert_null(queue_pop(q, 60000)); /* at once: nothing can come any more */
    queue_free(q);
}

enum { ITEMS = 20000 };
static int items[ITEMS];

static void *feed(void *q)
{
    for (int i = 0; i < ITEMS;)
        if (queue_push(q, &items[i]))
            i++;
    return NULL;
}

static void every_item_crosses_threads_once(void **state)
{
    (void)state;
    struct queue *q = queue_new(16);
    pthread_t feeders[2];
    for (size_t i = 0; i < countof(feeders); i++)
        assert_int_equal(pthread_create(&feeders[i], NULL, feed, q), 0);
    for (int i = 0; i < 2 * ITEMS; i++)
        ++*(int *)queue_pop(q, 10000);
    for (size_t i = 0; i < countof(feeders); i++)
        pthread_join(feeders[i], NULL);
    for (int i = 0; i < ITEMS; i++)
        assert_int_equal(items[i], 2);
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_says_so_and_keeps_order),
        cmocka_unit_test(a_closed_queue_gives_what_is_left_and_takes_no_more),
        cmocka_unit_test(every_item_crosses_threads_once),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
