/* What the providers allow, as data: dated editions of rules, each with its id and its source
 * (doc/catalogue.md). Pure: bytes in, struct out; and which rules a wish breaks. */
#ifndef MUSTER_MODEL_CATALOGUE_H
#define MUSTER_MODEL_CATALOGUE_H

#include "lib/model/account.h"
#include "lib/model/charter.h"

#define CATALOGUE_TYP "muster-catalogue+json"

enum {
    CATALOGUE_SIZE_MAX = 512 * 1024, /* signed, in all */
    CATALOGUE_RULES_MAX = 512,
    CATALOGUE_WORDS_MAX = 2048, /* sizes, families, regions or zones of one rule */
    CATALOGUE_TEXT_MAX = 1000,  /* of a sentence or a source */
};

/* What may be asked for, or not, beside a size and a place. */
enum catalogue_feature {
    FEATURE_SNP,
    FEATURE_ENCLAVES, /* an enclaves' parent */
    FEATURE_HIBERNATION,
    FEATURE_DEDICATED_HOST,
    FEATURE_OUTPOST,
    FEATURE_LOCAL_ZONE,
    FEATURE_WAVELENGTH_ZONE,
    FEATURE_LIVE_MIGRATION,
    FEATURE_SUSPEND,
    FEATURE_EPHEMERAL_DISK,
    FEATURE_HOST_ENCRYPTION,   /* the provider's, on the host */
    FEATURE_CONFIDENTIAL_DISK, /* the provider's, before the guest boots */
    FEATURE_NO_SECURE_BOOT,
    CATALOGUE_FEATURE_COUNT
};
extern const struct names catalogue_feature_names; /* "snp", "enclaves", ... */
#define FEATURE_BIT(feature) (1U << (feature))

/* What a rule speaks of; the words are those of doc/catalogue.md. */
enum catalogue_kind {
    RULE_SIZES,             /* one of these sizes */
    RULE_FAMILIES,          /* of one of these families, and not bare metal */
    RULE_EXCLUDED,          /* none of these sizes, families and prefixes */
    RULE_LEAST_VCPUS,       /* of a processor: so many vCPUs */
    RULE_REGIONS,           /* one of these regions */
    RULE_ZONES,             /* one of these zones, where one is named */
    RULE_BOOT_MODES,        /* of the image */
    RULE_OPERATING_SYSTEMS, /* of the image */
    RULE_ENCLAVE_SYSTEMS,   /* inside the enclave */
    RULE_FORBIDDEN,         /* none of these features */
    RULE_LAUNCH_ONLY,       /* features that cannot be switched on after launch */
    RULE_LIFELONG,          /* features that cannot be switched off */
    RULE_TYPE_CHANGE,       /* only to a size of that other rule */
    RULE_LIMIT,             /* a number */
    RULE_FACT,              /* nothing to check before a call */
    CATALOGUE_KIND_COUNT
};
extern const struct names catalogue_kind_names; /* "sizes", "families", ... */

/* How sure a rule is: seen in the provider's machine-readable model, in its documentation, known
 * and not rechecked, or the whitepaper's own word. */
enum catalogue_certainty {
    SURE_MODEL,
    SURE_DOCUMENTATION,
    SURE_KNOWLEDGE,
    SURE_WHITEPAPER,
    CATALOGUE_CERTAINTY_COUNT
};
extern const struct names catalogue_certainty_names;

/* A rule that only warns is one that a describe call would know better. */
enum catalogue_effect { EFFECT_REFUSE, EFFECT_WARN, CATALOGUE_EFFECT_COUNT };
extern const struct names catalogue_effect_names; /* "refuse", "warn" */

enum catalogue_limit {
    LIMIT_ENCLAVES,           /* of one parent */
    LIMIT_ENCLAVE_VCPUS,      /* of each enclave */
    LIMIT_ENCLAVE_MEMORY_MIB, /* of each enclave */
    LIMIT_PARENT_VCPUS,       /* what its enclaves leave to the parent */
    CATALOGUE_LIMIT_COUNT
};
extern const struct names catalogue_limit_names; /* "enclaves", "enclave-vcpus", ... */

enum catalogue_processor { CPU_AMD, CPU_INTEL, CPU_GRAVITON, CATALOGUE_PROCESSOR_COUNT };
extern const struct names catalogue_processor_names;

struct catalogue_rule {
    char id[NAME_SIZE];
    enum catalogue_kind kind;
    enum account_driver cloud;
    enum catalogue_effect effect;
    enum catalogue_certainty sure;
    char *says;   /* the rule as a sentence; of the seed edition, the whitepaper's own */
    char *source; /* where that stands */
    struct moment valid_from;
    struct moment valid_until; /* none: still */
    json_t *when;              /* features: it speaks of wishes that have them all */

    /* What its kind needs (catalogue.c), else NULL or zero. */
    json_t *sizes;      /* {"m6a.large": {"vcpus": 2, "memory_mib": 8192}}, facts where known */
    json_t *families;   /* [{"processor": "amd", "names": ["m5a"]}] */
    json_t *vcpus;      /* {"hpc7g.4xlarge": 16}: of sizes whose name says another number */
    json_t *names;      /* ["c7i.24xlarge", "t3"]: excluded sizes, and families */
    json_t *prefixes;   /* ["u-"]: and whatever begins so */
    json_t *processors; /* ["amd", "intel"] */
    json_t *regions;    /* {"us-east-2": "US East (Ohio)"} */
    json_t *zones;      /* ["us-central1-a"] */
    json_t *boot_modes; /* ["uefi"] */
    json_t *systems;    /* [{"names": ["ubuntu"], "least": "23.04"}] */
    json_t *features;   /* ["hibernation"] */
    char to[NAME_SIZE]; /* id of a rule of sizes */
    enum catalogue_limit limit;
    int64_t least, most, multiple; /* zero: none */
    json_t *values;                /* of a fact, for people */
};

struct catalogue {
    char edition[NAME_SIZE];
    int64_t version;      /* of one edition it only grows */
    struct moment issued; /* and so does this */
    char *title;
    size_t count;
    struct catalogue_rule *rules;
};

/* Strict: unknown members are refused with their path, as is what a kind does not know; an id
 * twice ("twice"), a rule of a rule that is not there ("no-such-rule"). */
enum outcome catalogue_parse(struct span json, struct catalogue **out, struct error *err);
void catalogue_free(struct catalogue *catalogue);
DROP(catalogue_drop, struct catalogue, catalogue_free)

/* Signed by enough of the pinned keys, under its own typ, then parsed. */
enum outcome catalogue_open(struct span jws, const struct charter_signers *signers,
                            struct catalogue **out, struct error *err);

/* May `next` take the place of `now`? ERR_CONFLICT "edition-not-newer". */
enum outcome catalogue_check_newer(const struct catalogue *now, const struct catalogue *next,
                                   struct error *err);

const struct catalogue_rule *catalogue_find(const struct catalogue *catalogue, const char *id);
bool catalogue_rule_is_valid(const struct catalogue_rule *rule, struct moment at);
json_t *catalogue_rule_to_json(const struct catalogue_rule *rule);
json_t *catalogue_to_json(const struct catalogue *catalogue); /* as catalogue_parse() takes it */

/* What is known of a size: from the rules that list it, else from its family and name. Zeroes and
 * false where nothing is. */
struct catalogue_size {
    int64_t vcpus;
    int64_t memory_mib;
    bool has_processor;
    enum catalogue_processor processor;
};
struct catalogue_size catalogue_size(const struct catalogue *catalogue, enum account_driver cloud,
                                     const char *size);

#endif
