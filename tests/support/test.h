/* cmocka and the headers it needs first; what every test includes. */
#ifndef MUSTER_TESTS_TEST_H
#define MUSTER_TESTS_TEST_H

/* Ours and cmocka's differ; a test wants cmocka's. */
#undef fail

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/base/error.h"
#undef fail
#include <cmocka.h>
/* clang-format on */

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        struct error *test_err_ = &err;                                                            \
        if ((call) != OK)                                                                          \
            fail_msg("%s: %s", test_err_->code, test_err_->text);                                  \
    } while (0)

/* assert_fails(x_parse(..., &err), ERR_INVALID, "malformed"); */
#define assert_fails(call, expected_outcome, expected_code)                                        \
    do {                                                                                           \
        assert_int_equal((call), (expected_outcome));                                              \
        assert_string_equal(err.code, (expected_code));                                            \
    } while (0)

#endif
