/* A verdict: what an appraisal concluded, every check of it, and what it proves (trust.md sections
 * 2 and 10). Shared by keeper, controller and command line, so that all speak the same words. */
#ifndef MUSTER_MODEL_VERDICT_H
#define MUSTER_MODEL_VERDICT_H

#include "lib/base/clock.h"
#include "lib/base/members.h"
#include "lib/model/cloud.h"
#include "lib/model/snp_words.h"

/* In the order in which the first failure names the reason. */
enum reason {
    REASON_OK,
    REASON_UNSUPPORTED_EVIDENCE,
    REASON_WRONG_REALM,
    REASON_UNSUPPORTED_VERSION,
    REASON_UNSUPPORTED_ALGORITHM,
    REASON_MALFORMED,
    REASON_CERT_MISSING,
    REASON_SIGNING_KEY_MISMATCH,
    REASON_CHAIN_UNTRUSTED,
    REASON_CERT_NOT_YET_VALID,
    REASON_CERT_EXPIRED,
    REASON_CRL_MISSING,
    REASON_CRL_UNTRUSTED,
    REASON_CRL_EXPIRED,
    REASON_REVOKED,
    REASON_PRODUCT_MISMATCH,
    REASON_CHIP_ID_MISMATCH,
    REASON_TCB_MISMATCH,
    REASON_BAD_SIGNATURE,
    REASON_UNSUPPORTED_REPORT_TYPE,
    REASON_RUNTIME_DATA_MISMATCH,
    REASON_AK_UNTRUSTED,
    REASON_QUOTE_BAD_SIGNATURE,
    REASON_NONCE_MISMATCH,
    REASON_PCR_MISMATCH,
    REASON_EVENT_DIGEST_MISMATCH,
    REASON_POLICY_DEBUG,
    REASON_POLICY_MIGRATION,
    REASON_POLICY_SMT,
    REASON_POLICY_VMPL,
    REASON_POLICY_SIGNING_KEY,
    REASON_POLICY_CSP,
    REASON_POLICY_TCB,
    REASON_POLICY_PLATFORM_INFO,
    REASON_POLICY_MEASUREMENT,
    REASON_POLICY_REPORT_DATA,
    REASON_POLICY_HOST_DATA,
    REASON_POLICY_ID_KEY,
    REASON_POLICY_GUEST_POLICY,
    REASON_POLICY_MIT_VECTOR,
    REASON_POLICY_COMMITTED_TCB,
    REASON_POLICY_GUEST_SVN,
    REASON_POLICY_CHIP_ID,
    REASON_POLICY_AGE,
    REASON_POLICY_PCR,
    REASON_POLICY_NONCE,
    REASON_POLICY_VTPM_ROOT,
    REASON_POLICY_SECURE_BOOT,
    REASON_POLICY_BOOT_COMPONENT,
    REASON_IDENTITY_FORMAT, /* of documents, like those that follow: none of them rejects */
    REASON_IDENTITY_SIGNER,
    REASON_IDENTITY_SIGNATURE,
    REASON_IDENTITY_TIME,
    REASON_IDENTITY_NONCE,
    REASON_IDENTITY_CONFIDENTIAL,
    REASON_IDENTITY_ACCOUNT,
    REASON_IDENTITY_INSTANCE,
    REASON_IDENTITY_REGION,
    REASON_COUNT
};
extern const struct names reason_names;         /* "ok", "unsupported-evidence", ... */
const char *reason_meaning(enum reason reason); /* one sentence for people */

enum check_result { CHECK_PASS, CHECK_FAIL, CHECK_SKIP, CHECK_RESULT_COUNT };
extern const struct names check_result_names; /* "pass", "fail", "skip" */

enum { CHECK_DETAIL_SIZE = 192, VERDICT_CHECKS_MAX = 64 };

struct check {
    const char *name; /* static: "chain", "policy-vmpl", ... */
    enum check_result result;
    enum reason reason; /* REASON_OK unless it failed */
    char detail[CHECK_DETAIL_SIZE];
};

/* Where a result comes from. */
enum source { SOURCE_NONE, SOURCE_PROVIDER, SOURCE_HARDWARE, SOURCE_COUNT };
extern const struct names source_names; /* "none", "provider", "hardware" */

/* L0 nothing proven .. L3. */
enum level { LEVEL_0, LEVEL_1, LEVEL_2, LEVEL_3, LEVEL_COUNT };
extern const struct names level_names; /* "L0" .. "L3" */

/* What stands between this verdict and L3. */
enum missing {
    MISSING_HARDWARE,           /* nothing is proven at all */
    MISSING_DEBUG_OFF,          /* the host may read the guest */
    MISSING_SOFTWARE,           /* no proof of what booted */
    MISSING_SOFTWARE_HARDWARE,  /* proof of what booted rests on the provider's word */
    MISSING_IDENTITY,           /* no proof of which instance it is */
    MISSING_CLEAR_IDENTITY,     /* its cloud's documents speak against it: suspect */
    MISSING_PINNED_MEASUREMENT, /* the policy takes any measurement */
    MISSING_PROVIDER_EXECUTION, /* the provider may run code in the image */
    MISSING_FRESHNESS,          /* report data was not compared with a nonce */
    MISSING_DISK_ENCRYPTION,
    MISSING_TRANSIT_ENCRYPTION,
    MISSING_ENDPOINT_KEYS,
    MISSING_OUTSIDE_CUSTODY, /* keeper and key custody are not outside the provider */
    MISSING_COUNT
};
extern const struct names missing_names; /* "hardware", "debug-off", "software", ... */

/* What stays possible although all checks passed. */
enum residual {
    RESIDUAL_PROVIDER_FIRMWARE, /* the launch digest covers only the provider's firmware */
    RESIDUAL_MILAN_ROOT_SEED,   /* Milan's root seed was extracted in software (2026) */
    RESIDUAL_NO_CHIP_IDENTITY,  /* a VLEK serves a region, it names no chip */
    RESIDUAL_NO_TCB_FLOOR,      /* the policy sets no least TCB */
    RESIDUAL_NO_REVOCATION,     /* no current CRL was looked at */
    RESIDUAL_MIGRATION_AGENT,   /* a migration agent may move the guest */
    RESIDUAL_PARAVISOR,         /* the provider's signed paravisor holds the vTPM */
    RESIDUAL_VTPM_UNROOTED,     /* nobody vouches for the vTPM: root can invent one */
    RESIDUAL_COUNT
};
extern const struct names residual_names; /* "provider-firmware", ... */

/* What ties evidence to one instance, and how the keeper remembers it. */
enum anchor_kind {
    ANCHOR_NONE,
    ANCHOR_HOST_DATA,
    ANCHOR_ID_BLOCK,
    ANCHOR_VTPM,
    ANCHOR_ENCLAVE,
    ANCHOR_CLOUD_TOKEN,
    ANCHOR_KIND_COUNT
};
enum { VERDICT_NAMED = 3 };
extern const struct names anchor_kind_names; /* "none", "host-data", "id-block", "vtpm", ... */

enum { ANCHOR_HASH_SIZE = 32 };

/* What the signed image record says; evidence alone cannot. All false: a stock cloud image. */
struct image_facts {
    bool measured_boot;          /* kernel hashes, IGVM or UKI: the digest covers what boots */
    bool provider_execution_off; /* no cloud-init scripts, extensions, SSM, metadata SSH keys */
    enum anchor_kind anchor;     /* where the image's hosts put the instance's identity */
};

/* What the operator's records say of the deployment around the guest. */
struct standing {
    bool disk_encrypted; /* in the guest, key released after a verdict */
    bool transit_encrypted;
    bool endpoint_keys; /* injected after a verdict */
    bool custody_outside;
};

/* Of whose make genuine evidence is: for deny lists too. */
enum { VERDICT_SIGNERS = 2, SIGNER_DIGEST_SIZE = 48 };
struct provenance {
    bool has_line;
    enum snp_line line;
    char csp_id[CSP_ID_SIZE];                             /* of a VLEK, else "" */
    uint8_t signers[VERDICT_SIGNERS][SIGNER_DIGEST_SIZE]; /* ID key and author key, or who signed an
                                                             enclave's image; zero: nobody */
};

/* Where it is and whose, by its cloud's documents; "" unless they agree. */
struct whereabouts {
    enum document_state documents;
    enum reason reason; /* why it is suspect */
    enum cloud_kind cloud;
    char account[NAME_SIZE];
    char region[REGION_SIZE];
};

struct verdict {
    bool trusted;
    enum reason reason;
    enum source hardware;
    enum source software;
    enum source identity;
    enum level level;
    unsigned missing;   /* 1 << enum missing */
    unsigned residuals; /* 1 << enum residual */
    bool simulated;
    bool custom_roots;
    enum anchor_kind anchor;
    uint8_t anchor_hash[ANCHOR_HASH_SIZE]; /* zero without an anchor */
    /* What genuine evidence names as the machine, whether it counts as its identity or not: for
     * deny lists, which no choice of a policy may get around. Zero where it names none. */
    uint8_t named[VERDICT_NAMED][ANCHOR_HASH_SIZE];
    struct provenance made;
    struct whereabouts where;
    struct moment endorsed_until; /* when the first certificate behind it ends; none: not known */
    size_t check_count;
    struct check checks[VERDICT_CHECKS_MAX];
    /* An object, empty when nothing could be read: a tree, or printed where none was needed yet.
     * Owned; for verdict_claims(), verdict_print_claims() and whoever makes the verdict. */
    json_t *claims;
    char *printed;
};

void verdict_done(struct verdict *v); /* also for OWNED; fine on zeroes */

/* Add a check; the first failure in the order added names the verdict's reason. */
PRINTF(5, 6)
void verdict_add(struct verdict *v, const char *name, enum check_result result, enum reason reason,
                 const char *detail, ...);
void verdict_pass(struct verdict *v, const char *name, const char *detail);
void verdict_skip(struct verdict *v, const char *name, const char *detail);
void verdict_refuse(struct verdict *v, const char *name, enum reason reason, const char *detail);
/* Add the checks of another verdict but the one named `without` (may be NULL), in their order. */
void verdict_append(struct verdict *v, const struct verdict *more, const char *without);
json_t *verdict_checks_to_json(const struct verdict *v);
const struct check *verdict_check(const struct verdict *v, const char *name); /* NULL: not listed */

bool verdict_passed(const struct verdict *v, const char *name);

json_t *verdict_claims(struct verdict *v); /* the tree, borrowed; NULL: made without claims */
void verdict_print_claims(const struct verdict *v, struct text *out); /* {} where there are none */

void verdict_miss(struct verdict *v, enum missing what, bool is_missing);
/* Sources to level, and what is missing above it. Fills `level` and adds to `missing`. */
void verdict_grade(struct verdict *v, const struct standing *standing);

/* {"verdict","reason","level","hardware","software","identity","missing","residuals","simulated",
 * "roots","anchor","trust_vector","checks","claims"} */
json_t *verdict_to_json(const struct verdict *v);
void verdict_print_checks(const struct verdict *v, struct text *out);

/* The words of a bit set, for JSON and rows. */
json_t *name_set_to_json(const struct names *names, unsigned set);

#endif
