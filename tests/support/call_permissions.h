/* Which of a driver's calls take a permission, by the tables that its documents are held to. */
#ifndef MUSTER_TESTS_CALL_PERMISSIONS_H
#define MUSTER_TESTS_CALL_PERMISSIONS_H

#include "lib/model/account.h"

enum { CALLS_MAX = 12 };

struct calls {
    const char *at[CALLS_MAX];
    size_t count;
};
struct calls calls_that_take(enum account_driver cloud, const char *permission);

/* Is it in such a table? Else no document can say what it takes. */
bool call_is_known(enum account_driver cloud, const char *call);

#endif
