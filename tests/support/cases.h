/* Cases of one test: one that comes out otherwise is told on standard error and the next ones go
 * on, so that the campaign `mutation` can count them. The test fails at its end. */
#ifndef MUSTER_TESTS_CASES_H
#define MUSTER_TESTS_CASES_H

#include <stdbool.h>

void case_tried(const char *test, bool right, const char *expected, const char *have);
#define case_is(have, expected) case_words((have), (expected), __func__)
void case_words(const char *have, const char *expected, const char *test);

/* In the list of tests: one that has cases. */
#define CASES(test) cmocka_unit_test_teardown(test, cases_end)
int cases_end(void **state);

#endif
