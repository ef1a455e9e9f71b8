/* `muster account test`: one machine's whole life in a cloud account, from launch to gone, with no
 * controller; whatever happens, nothing is left running, or it is said what and why. */
#ifndef MUSTER_CLI_ACCOUNT_TEST_H
#define MUSTER_CLI_ACCOUNT_TEST_H

#include <stdio.h>

#include "lib/base/json.h"
#include "lib/model/account.h"

struct account_test_options {
    int64_t wait_seconds; /* for each change of state */
    int64_t look_ms;      /* until the second look at one, and then longer and longer; 0: 100 */
    FILE *progress;       /* a line a step as it happens; NULL for none */
    bool (*stop)(void);   /* true: give up, clean up; NULL for never */
};

/* `out_report` is written either way: {"account", "driver", "region", "identity", "steps":
 * [{"step", "result": "pass" | "fail" | "skip", "detail", "took_ms"}], "result",
 * "missing_permissions": [words of the cloud's policies], "left_running": [refs]}. */
enum outcome account_test(const struct account *account, const struct account_test_options *options,
                          json_t **out_report, struct error *err);

#endif
