/* `muster account test`: one machine's whole life in a cloud account, from launch to gone, with no
 * controller; whatever happens, nothing is left running. */
#ifndef MUSTER_CLI_ACCOUNT_TEST_H
#define MUSTER_CLI_ACCOUNT_TEST_H

#include <stdio.h>

#include "lib/base/json.h"
#include "lib/model/account.h"

struct account_test_options {
    int64_t wait_seconds; /* for each change of state */
    FILE *progress;       /* a line a step as it happens; NULL for none */
    bool (*stop)(void);   /* true: give up, clean up; NULL for never */
};

/* `out_report` is written either way: {"account", "driver", "region", "identity", "steps":
 * [{"step", "result": "pass" | "fail" | "skip", "detail", "took_ms"}], "result",
 * "missing_permissions": [words of the cloud's policies], "left_running": [refs]}. */
enum outcome account_test(const struct account *account, const struct account_test_options *options,
                          json_t **out_report, struct error *err);

#endif
