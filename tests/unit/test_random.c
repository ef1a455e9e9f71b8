/* Names never come twice: in a thread, in another one, in a child. */
#include "lib/crypto/random.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { NAMES_EACH = 100, PARTIES = 4 };

static void *make_names(void *out)
{
    struct uuid *at = out;
    for (size_t i = 0; i < NAMES_EACH; i++)
        at[i] = uuid_new();
    return NULL;
}

/* What is random of it: all but time, version and variant. */
static int by_chance(const void *a, const void *b)
{
    enum { FROM = 9 };
    return memcmp(((const struct uuid *)a)->at + FROM, ((const struct uuid *)b)->at + FROM,
                  sizeof(struct uuid) - FROM);
}

static void all_differ(struct uuid *names, size_t count)
{
    qsort(names, count, sizeof *names, by_chance);
    for (size_t i = 1; i < count; i++)
        assert_int_not_equal(by_chance(&names[i - 1], &names[i]), 0);
}

static void names_of_threads_differ(void **state)
{
    (void)state;
    struct uuid names[PARTIES][NAMES_EACH];
    pthread_t threads[PARTIES];
    for (size_t i = 0; i < PARTIES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_names, names[i]), 0);
    for (size_t i = 0; i < PARTIES; i++)
        pthread_join(threads[i], NULL);
    all_differ(names[0], (size_t)PARTIES * NAMES_EACH);
}

/* The parent has made one, so more wait in its memory when the child gets a copy of that. */
static void a_child_makes_other_names_than_its_parent(void **state)
{
    (void)state;
    struct uuid names[2][NAMES_EACH];
    int ends[2];
    (void)uuid_new();
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    make_names(names[0]);
    if (child == 0)
        _exit(write(ends[1], names[0], sizeof names[0]) == (ssize_t)sizeof names[0] ? 0 : 1);
    int status = -1;
    assert_int_equal(read(ends[0], names[1], sizeof names[1]), (ssize_t)sizeof names[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
    all_differ(names[0], (size_t)2 * NAMES_EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_threads_differ),
        cmocka_unit_test(a_child_makes_other_names_than_its_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
