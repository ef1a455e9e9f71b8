/* The charter: the one signed document that the keeper obeys (trust.md section 5, doc/protocol.md).
 * Pure: bytes in, struct out; and what a grant allows. */
#ifndef MUSTER_MODEL_CHARTER_H
#define MUSTER_MODEL_CHARTER_H

#include "lib/crypto/cert.h"
#include "lib/crypto/rs256.h"
#include "lib/crypto/token.h"
#include "lib/crypto/x509.h"
#include "lib/model/cloud.h"
#include "lib/model/message.h"
#include "lib/model/policy.h"
#include "lib/model/verdict.h"

#define CHARTER_TYP "muster-charter+json"

enum {
    CHARTER_SIZE_MAX = 512 * 1024,
    CHARTER_DAYS_MAX = 30,
    CHARTER_LIST_MAX = 4096,
    CHARTER_MEASUREMENT_SIZE = 48,
    CHARTER_CHIP_SIZE = 64,
    CHARTER_AUDIENCE_SIZE = 256,
    CHARTER_CLOUD_KEYS_MAX = 16,
    PASSPORT_SECONDS_MAX = 300, /* trust.md section 6 */
};

/* Which kinds of secret there are. */
enum secret_kind { SECRET_OPAQUE, SECRET_SSH_HOST_KEY, SECRET_KIND_COUNT };
extern const struct names secret_kind_names; /* "opaque", "ssh-host-key" */
enum secret_scope { SCOPE_FLEET, SCOPE_INSTANCE, SECRET_SCOPE_COUNT };
extern const struct names secret_scope_names; /* "fleet", "instance" */

/* "any", or names; absent is not any. */
struct charter_names {
    bool any;
    size_t count;
    char (*at)[NAME_SIZE];
};

/* Byte strings of one length, for reference values and deny lists. */
struct charter_values {
    bool any;
    size_t len;
    struct bytes at; /* one after the other */
};

struct charter_reference {
    char name[NAME_SIZE];
    struct charter_values measurement;
    struct image_facts facts;
    bool retired;
    struct moment expires; /* from then on as good as retired; none: never */
};

struct charter_policy {
    char name[NAME_SIZE];
    struct policy
        *policy;        /* with the measurements of its references and the charter's TCB floors */
    size_t *references; /* indexes */
    size_t reference_count;
    int64_t valid_seconds;
    uint8_t digest[SHA256_SIZE]; /* of everything above: changes when any of it does */
};

struct charter_grant {
    char name[NAME_SIZE];
    struct charter_names policies;
    enum level least_level;
    struct charter_names accounts;
    struct charter_names regions;
    struct charter_names fleets;
    enum secret_scope scope;
    enum secret_kind kind;
    int64_t max_verdict_age_seconds;
    bool allow_unproven_software;
};

/* Somebody outside who takes passports of our guests. */
struct charter_party {
    char name[NAME_SIZE];
    char audience[CHARTER_AUDIENCE_SIZE]; /* of no other party, so that none takes another's */
    struct charter_names policies;
    enum level least_level;
    int64_t max_verdict_age_seconds;
    int64_t valid_seconds;
    bool allow_unproven_software;
};

/* Whose word on an instance counts, and which accounts are ours; what is not said counts for
 * nothing. */
struct charter_aws_region {
    char name[REGION_SIZE];
    struct x509_list certificates; /* that sign this region's documents */
};
struct charter_clouds {
    bool said[CLOUD_KIND_COUNT];
    struct charter_names accounts[CLOUD_KIND_COUNT];
    size_t aws_count;
    struct charter_aws_region *aws;
    struct x509_list azure_authorities; /* above the certificate that came along */
    size_t azure_name_count;
    char **azure_names; /* one of which, or a name below, that certificate must have */
    size_t gcp_count;
    struct rs256_key *gcp;
};

struct charter {
    uint8_t digest[SHA256_SIZE]; /* of the bytes that were signed, whoever signed them */
    enum realm realm;
    int64_t serial;
    struct moment issued;
    struct moment expires;
    size_t policy_count;
    struct charter_policy *policies;
    size_t reference_count;
    struct charter_reference *references;
    size_t grant_count;
    struct charter_grant *grants;
    size_t party_count;
    struct charter_party *parties;
    struct charter_values denied_chips, denied_measurements, denied_anchors, denied_guest_keys;
    struct charter_values denied_signers;
    bool denied_lines[LINE_COUNT];
    size_t denied_region_count;
    char (*denied_regions)[CSP_ID_SIZE];
    struct charter_values keepers;
    struct charter_values simulator_roots;
    bool custody_outside; /* custody.keeper is "on-premises" */
    struct charter_clouds clouds;
};

/* Strict: unknown members are refused with their path; a policy that names an unknown reference or
 * a grant an unknown policy, a life over 30 days, simulator roots outside the simulation realm, a
 * grant that contradicts itself. ERR_INVALID "bad-charter" or the parser's own code. */
enum outcome charter_parse(struct span json, struct charter **out, struct error *err);
void charter_free(struct charter *charter);
DROP(charter_drop, struct charter, charter_free)

const struct charter_policy *charter_find_policy(const struct charter *charter, const char *name);
const struct charter_grant *charter_find_grant(const struct charter *charter, const char *name);
const struct charter_party *charter_find_party(const struct charter *charter, const char *name);

/* NULL: nothing is said of it. */
const struct charter_aws_region *charter_aws_region(const struct charter_clouds *clouds,
                                                    const char *region);
const struct rs256_key *charter_gcp_key(const struct charter_clouds *clouds, const char *kid);

/* Is it a charter for now, and for this realm? ERR_DENIED "charter-expired",
 * "charter-not-yet-valid", "charter-realm". */
enum outcome charter_check(const struct charter *charter, enum realm realm, struct moment now,
                           struct error *err);

/* The next times after `after`, up to `until`, in their order, at which what a policy takes changes
 * by itself: floors take over, references end. Of one machine only those that concern it, which are
 * never too many. */
enum { CHARTER_DATES_MAX = 16 };
struct charter_dates {
    struct moment after, until;
    enum snp_product product; /* PRODUCT_UNKNOWN: of all */
    struct span measurement;  /* empty: of all */
    size_t count;
    struct moment at[CHARTER_DATES_MAX];
};
void charter_dates(const struct charter_policy *policy, struct charter_dates *dates);

bool charter_values_have(const struct charter_values *values, struct span value);
bool charter_names_have(const struct charter_names *names, const char *name);

/* What the references of a policy say at a time of an image with this measurement: of several, the
 * least.
 * Those whose anchor is a vTPM speak of evidence with one only, and nothing else speaks of that.
 * False when none of them names it. */
bool charter_image_facts(const struct charter *charter, const struct charter_policy *policy,
                         enum evidence_kind kind, struct span measurement, struct moment at,
                         struct image_facts *out);

/* Until when they say it; none: they say nothing, or it has no end. */
struct moment charter_image_until(const struct charter *charter,
                                  const struct charter_policy *policy, enum evidence_kind kind,
                                  struct span measurement, struct moment at);

/* SHA-256 of the DER of every certificate in a PEM file, one after the other: how `simulator_roots`
 * names roots. */
enum outcome charter_root_hashes(struct span pem, struct bytes *out, struct error *err);

/* ---- who signs ---------------------------------------------------------------------------- */

/* The security keys pinned at install: {"threshold": 1, "keys": [PEM, ...]}. */
struct charter_signers {
    size_t threshold;
    size_t count;
    struct key *keys[TOKEN_SIGNATURES_MAX];
};
enum outcome charter_signers_parse(struct span json, struct charter_signers *out,
                                   struct error *err);
void charter_signers_done(struct charter_signers *signers);

/* Signed by enough of them, then parsed. */
enum outcome charter_open(struct span jws, const struct charter_signers *signers,
                          struct charter **out, struct error *err);

/* ---- what a grant allows ------------------------------------------------------------------ */

/* One release: what the verdict proves, from the keeper's own token, and what the stored secret's
 * authenticated label says. Nothing here is the asker's word but `fleet`. */
struct charter_case {
    bool trusted;
    const char *policy;
    uint8_t policy_digest[SHA256_SIZE];
    enum source software;
    enum source identity;
    enum level level;
    int64_t age_seconds;
    const char *region;                        /* proven, or "" */
    const char *account;                       /* proven, or "" */
    bool suspect;                              /* a cloud's document speaks against it */
    uint8_t anchor[SHA256_SIZE];               /* zero: none proven */
    uint8_t named[VERDICT_NAMED][SHA256_SIZE]; /* of the verdict; for the deny lists */
    uint8_t link_key[SHA256_SIZE];
    uint8_t measurement[CHARTER_MEASUREMENT_SIZE];
    uint8_t chip[CHARTER_CHIP_SIZE]; /* zero: not named by the evidence */
    struct provenance made;          /* for the deny lists */
    const char *fleet;

    enum secret_kind kind;
    enum secret_scope scope;
    uint8_t secret_anchor[SHA256_SIZE]; /* zero: of a fleet's secret */
};

/* ERR_DENIED with one code for each rule, in the order of doc/keeper.md. */
enum outcome charter_grant_allows(const struct charter *charter, const char *grant,
                                  const struct charter_case *c, struct error *err);

/* The same of a passport for a relying party; nothing is asked about secrets. */
enum outcome charter_party_allows(const struct charter *charter, const char *party,
                                  const struct charter_case *c, struct error *err);

/* Is any of it on the deny lists? "denied-chip", "denied-measurement", "denied-anchor",
 * "denied-guest-key", "denied-product", "denied-region", "denied-signer". Values of zero are not
 * looked for. */
enum outcome charter_check_denied(const struct charter *charter, const struct charter_case *c,
                                  struct error *err);

#endif
