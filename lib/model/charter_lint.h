/* What is unwise in a charter: findings for the people who are about to sign it. Pure: the document
 * as JSON in, findings out. It looks at what charter_parse would refuse too, so that a whole draft
 * is answered at once; a document that it calls free of errors is one that a keeper takes. */
#ifndef MUSTER_MODEL_CHARTER_LINT_H
#define MUSTER_MODEL_CHARTER_LINT_H

#include "lib/base/json.h"
#include "lib/base/names.h"

enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR, LINT_SEVERITY_COUNT };
extern const struct names lint_severity_names; /* "note", "warning", "error" */

/* An error is what no keeper takes, what opens nothing, or what lets the host read a guest; a
 * warning is what a signer should mean on purpose; a note is what could be tidied. */
enum lint_code {
    LINT_BAD_CHARTER,
    LINT_EXPIRED,
    LINT_EXPIRES_SOON,
    LINT_NO_KEEPERS,
    LINT_THRESHOLD_ONE,
    LINT_DENY_LIST_MISSING,
    LINT_DENIES_ZEROES,
    LINT_DEBUG_ALLOWED,
    LINT_MIGRATION_ALLOWED,
    LINT_NO_TCB_FLOOR,
    LINT_FLOOR_OF_ZERO,
    LINT_FLOOR_LOWERED,
    LINT_FLOOR_PENDING,
    LINT_FLOOR_DATE_PASSED,
    LINT_MILAN_ALLOWED,
    LINT_CRL_NOT_REQUIRED,
    LINT_SVN_UNPINNED,
    LINT_POLICY_ACCEPTS_NOTHING,
    LINT_RETIRED_REFERENCE_NAMED,
    LINT_REFERENCE_EXPIRED,
    LINT_REFERENCE_EXPIRES_SOON,
    LINT_POLICY_UNUSED,
    LINT_REFERENCE_UNUSED,
    LINT_MEASUREMENT_ANY,
    LINT_PROVIDER_EXECUTION,
    LINT_VTPM_UNROOTED,
    LINT_BOOT_UNPINNED,
    LINT_GRANT_WITHOUT_POLICIES,
    LINT_NO_LEAST_LEVEL,
    LINT_LEVEL_OUT_OF_REACH,
    LINT_CUSTODY_INSIDE,
    LINT_UNPROVEN_SOFTWARE,
    LINT_KEY_IMPORTABLE,
    LINT_ACCOUNT_UNPROVEN,
    LINT_INSTANCE_UNPROVEN,
    LINT_PARTY_WITHOUT_POLICIES,
    LINT_PARTY_POLICY_ANY,
    LINT_PARTY_UNPROVEN_SOFTWARE,
    LINT_NEGLIGIBLE_MERIT,
    LINT_CLOUD_ACCOUNTS_ANY,
    LINT_CLOUD_CERT_ENDS,
    LINT_DENIES_UNKNOWN_REGION,
    LINT_CODE_COUNT
};

struct lint_rule {
    const char *code; /* stable: scripts may wait for it, `muster explain` knows it */
    enum lint_severity severity;
    const char *sentence;
    const char *advice;
};
extern const struct lint_rule lint_rules[LINT_CODE_COUNT];

enum { LINT_DETAIL_SIZE = 160, LINT_SOON_DAYS = 7 };

struct lint_finding {
    enum lint_code code;
    char where[ERROR_WHERE_SIZE];  /* JSON pointer */
    char detail[LINT_DETAIL_SIZE]; /* values; may be empty */
};

/* In the order of the document's parts. */
struct lint {
    size_t count;
    size_t room;
    struct lint_finding *at;
};

void lint_done(struct lint *lint); /* also for OWNED; fine on zeroes */

struct lint_frame {
    struct moment now;
    int64_t threshold;     /* how many of the pinned keys must sign; 0: not known */
    const json_t *regions; /* by name, of all clouds; NULL: not known */
};

void charter_lint(const json_t *charter, const struct lint_frame *frame, struct lint *out);

bool lint_has_errors(const struct lint *lint);
bool lint_has(const struct lint *lint, enum lint_code code);
json_t *
lint_to_json(const struct lint *lint); /* [{"code","severity","where","sentence","detail"}] */

#endif
