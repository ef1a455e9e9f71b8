#include "tests/support/cases.h"

#include <stdio.h>
#include <string.h>

static int tried, wrong;

void case_tried(const char *test, bool right, const char *expected, const char *have)
{
    tried++;
    if (right)
        return;
    wrong++;
    fprintf(stderr, "# %s-%d: expected %s, it is %s\n", test, tried, expected, have);
}

void case_words(const char *have, const char *expected, const char *test)
{
    case_tried(test, strcmp(have, expected) == 0, expected, have);
}

int cases_end(void **state)
{
    (void)state;
    const int last = wrong;
    tried = wrong = 0;
    return last == 0 ? 0 : -1;
}
