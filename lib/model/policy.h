/* An appraisal policy: what evidence must show on top of being authentic. Two ways to read one:
 * `expect` adds just the conditions it names; a whole policy is default deny: debugging, migration
 * agents and VMPLs above 0 are refused unless allowed, and the measurements must be written out
 * (or "any", which caps the level). */
#ifndef MUSTER_MODEL_POLICY_H
#define MUSTER_MODEL_POLICY_H

#include "lib/base/json.h"
#include "lib/model/snp_words.h"

enum policy_mode { POLICY_EXPECT, POLICY_WHOLE };

enum {
    POLICY_JSON_MAX = 256 * 1024,
    POLICY_SET_MAX = 64,
    POLICY_VALUE_MAX = 64,
    POLICY_CSP_MAX = 16,
    POLICY_CSP_SIZE = 128,
};

enum say { SAY_NOTHING, SAY_NO, SAY_YES };

/* The least TCB of a product: what counts from the beginning, and what takes over later, in the
 * order of time. */
enum { TCB_STEPS_MAX = 8 };

struct tcb_floor {
    struct snp_tcb first;
    size_t later_count;
    struct {
        struct moment from;
        struct snp_tcb least; /* whole: parts that the step does not name are those before it */
    } later[TCB_STEPS_MAX];
};

/* Acceptable values of one field, all of one length. */
struct value_set {
    bool said;
    bool any;
    size_t len;
    size_t count;
    uint8_t at[POLICY_SET_MAX][POLICY_VALUE_MAX];
    struct moment until[POLICY_SET_MAX]; /* none: for ever */
};

struct snp_policy {
    enum policy_mode mode;
    enum say allow_debug;
    enum say allow_migration_agent;
    enum say allow_smt;
    int max_vmpl;          /* -1: not said */
    unsigned signing_keys; /* 1 << enum snp_signer; 0: not said */
    size_t csp_count;      /* 0: not said */
    char vlek_csp_id[POLICY_CSP_MAX][POLICY_CSP_SIZE];
    bool has_min_tcb; /* then a product without a floor is refused */
    bool has_floor[PRODUCT_COUNT];
    struct tcb_floor min_tcb[PRODUCT_COUNT];
    uint64_t forbid_platform_info;
    uint64_t require_platform_info;
    uint64_t forbid_guest_policy; /* bits of the guest's own policy, which its launch was held to */
    uint64_t require_guest_policy;
    uint64_t require_launch_mit_vector; /* bits of the mitigation vectors of report version 5 */
    uint64_t require_current_mit_vector;
    bool require_committed_tcb; /* what runs can not be rolled back */
    int64_t min_guest_svn;      /* 0: not said */
    struct value_set measurement;
    struct value_set report_data;
    struct value_set host_data;
    struct value_set id_key_digest;
    struct value_set author_key_digest;
    struct value_set chip_id; /* of VCEKs alone: a VLEK names no chip */
    bool require_crl;
    int64_t max_age_seconds; /* 0: not said */
};

enum { POLICY_PCRS = 32, POLICY_PCR_VALUES = 8, POLICY_NONCE_MAX = 1024 };

/* A platform configuration register and the values it may have. */
struct pcr_rule {
    size_t count; /* 0: not asked for */
    size_t len[POLICY_PCR_VALUES];
    uint8_t at[POLICY_PCR_VALUES][POLICY_VALUE_MAX];
};

struct pcr_rules {
    bool said;
    bool any; /* "any" */
    struct pcr_rule at[POLICY_PCRS];
};

enum { POLICY_COMPONENTS = 32, POLICY_COMPONENT_NAME = 64 };

/* What may start a machine: a name for people, and its digests. */
struct component_rule {
    char name[POLICY_COMPONENT_NAME];
    struct pcr_rule digests;
};

/* What is asked of a boot, as the registers of a TPM and the log behind them tell it. */
struct boot_rules {
    struct pcr_rules pcrs;
    bool require_secure_boot;
    size_t component_count; /* 0: not asked for */
    struct component_rule components[POLICY_COMPONENTS];
};

/* Paravisor reports and quotes of Azure. */
struct azure_policy {
    enum policy_mode mode;
    struct boot_rules boot;
};

/* On what the word of a vTPM stands (trust.md section 2). */
enum vtpm_root { VTPM_SVSM, VTPM_PROVIDER, VTPM_UNROOTED, VTPM_ROOT_COUNT };
extern const struct names vtpm_root_names; /* "svsm", "provider", "unrooted" */

enum { POLICY_CAS = 8, POLICY_CA_SIZE = 2048 };

/* Reports beside a vTPM. */
struct vtpm_policy {
    enum policy_mode mode;
    unsigned roots; /* 1 << enum vtpm_root; 0: not said */
    struct boot_rules boot;
    struct value_set svsm; /* launch digests of measured SVSMs */
    size_t ca_count;       /* authorities that certify attestation keys, themselves */
    struct {
        size_t len;
        uint8_t der[POLICY_CA_SIZE];
    } ca[POLICY_CAS];
};

/* Documents of enclaves. */
struct nitro_policy {
    enum policy_mode mode;
    enum say allow_debug;
    struct pcr_rules pcrs;
    bool has_nonce;
    size_t nonce_len;
    uint8_t nonce[POLICY_NONCE_MAX];
    int64_t max_age_seconds; /* 0: not said */
};

/* Owns nothing, but is large: keep it on the heap. */
struct policy {
    bool has_snp;
    struct snp_policy snp;
    bool has_nitro;
    struct nitro_policy nitro;
    bool has_azure; /* beside "snp", which speaks of the report inside */
    struct azure_policy azure;
    bool has_vtpm; /* likewise */
    struct vtpm_policy vtpm;
};

/* {"snp": {...}, "nitro": {...}, "azure": {...}, "vtpm": {...}}, strict: unknown members and values
 * are refused with their path ("where"). A whole policy may also carry "name" and "description" and
 * needs at least one kind; evidence of a kind that it does not name is refused. */
enum outcome policy_from_json(const json_t *value, const char *path, enum policy_mode mode,
                              struct policy *out, struct error *err);
enum outcome policy_parse(struct span in, enum policy_mode mode, struct policy *out,
                          struct error *err);

/* The floor at a time; and of two floors the higher at every time, part by part. False when the
 * dates of both are more than there is room for. */
struct snp_tcb tcb_floor_at(const struct tcb_floor *floor, struct moment at);
bool tcb_floor_raise(struct tcb_floor *floor, const struct tcb_floor *by);

bool value_set_has(const struct value_set *set, struct span value);
/* Those that are not over at a time; and when the last of them that is this value ends. */
bool value_set_has_at(const struct value_set *set, struct span value, struct moment at);
struct moment value_set_until(const struct value_set *set, struct span value);

/* What a whole policy means where it is silent. */
bool policy_allows_debug(const struct snp_policy *p);
bool policy_allows_migration(const struct snp_policy *p);
bool policy_allows_smt(const struct snp_policy *p);
bool policy_allows_nitro_debug(const struct nitro_policy *p);

enum pcr_answer { PCR_NOT_ASKED, PCR_RIGHT, PCR_WRONG };
/* Does this register have one of its values? An absent one has an empty span. */
enum pcr_answer pcr_rules_check(const struct pcr_rules *rules, size_t pcr, struct span value);
/* The component with this digest; NULL: none. */
const char *boot_rules_component(const struct boot_rules *rules, struct span digest);
int policy_max_vmpl(const struct snp_policy *p);               /* 3 where nothing is said */
bool policy_takes_any_measurement(const struct snp_policy *p); /* said so, or expect is silent */

#endif
