/* One case of `muster charter test`: evidence from files, or claims, against a charter; judged as a
 * keeper would judge it. */
#ifndef MUSTER_CLI_CHARTER_CASES_H
#define MUSTER_CLI_CHARTER_CASES_H

#include "lib/base/json.h"
#include "lib/model/charter.h"

enum { CASES_MAX = 1000, CASES_FILE_MAX = 4 * 1024 * 1024, CASE_WORD_SIZE = 64 };

/* What came out, or what should. Evidence is "trusted" or "rejected", a claim "released" (a
 * secret), "issued" (a passport) or "refused"; "" where nothing is said. */
struct case_answer {
    char verdict[CASE_WORD_SIZE];
    char reason[CASE_WORD_SIZE];
    char level[CASE_WORD_SIZE];
};

struct case_result {
    char name[128];
    struct case_answer expected;
    struct case_answer got;
    bool passed;
};

/* `folder`: where the paths in the case start. ERR_INVALID with the place for a case that is none,
 * and for files that cannot be read: a test that cannot run is no failed test. */
enum outcome charter_case_run(const struct charter *charter, const json_t *json, const char *path,
                              const char *folder, struct case_result *out, struct error *err);

#endif
