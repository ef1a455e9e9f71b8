/* What the readers of the kinds of a policy share; for lib/model/policy*.c only. */
#ifndef MUSTER_MODEL_POLICY_INSIDE_H
#define MUSTER_MODEL_POLICY_INSIDE_H

#include "lib/model/policy.h"

/* A JSON pointer, cut where an error could not hold more. */
struct policy_path {
    char at[ERROR_WHERE_SIZE];
};

struct policy_path policy_below(const char *path, const char *name);
bool policy_has(const json_t *object, const char *name);
enum outcome policy_refuse(const struct policy_path *where, struct error *err, const char *what);
enum outcome policy_read_say(const json_t *object, const char *path, const char *name,
                             enum say *out, struct error *err);
/* `silent_whole`: what a whole policy means where it says nothing. */
bool policy_allows(enum policy_mode mode, enum say say, bool silent_whole);

/* "any", one value of `len` bytes in hex, or a list of values. An empty list accepts nothing. */
enum outcome policy_read_set(const json_t *object, const char *path, const char *name, size_t len,
                             struct value_set *set, struct error *err);

/* "min_tcb": {"Genoa": {"snp": 23}, "Turin": [{...}, {"ucode": 81, "from":
 * "2026-12-01T00:00:00Z"}]}.
 */
enum outcome policy_read_floors(const json_t *o, const char *path, struct snp_policy *out,
                                struct error *err);

/* "forbid_platform_info": ["smt_en"], "require_guest_policy": ["rapl_dis"],
 * "require_launch_mit_vector": [0, 3]. */
enum outcome policy_read_bits(const json_t *o, const char *path, struct snp_policy *out,
                              struct error *err);

/* "pcrs": "any" or {"0": HEX, "8": [HEX, HEX]}. */
enum outcome policy_read_pcrs(const json_t *o, const char *path, struct pcr_rules *out,
                              struct error *err);
/* One value of 32, 48 or 64 bytes in hex, or a list of them. */
enum outcome policy_read_values(const json_t *value, const struct policy_path *where,
                                struct pcr_rule *out, struct error *err);

#define POLICY_BOOT_MEMBERS "pcrs", "require_secure_boot", "boot_components"
/* Those of an object whose members have been looked at. */
enum outcome policy_read_boot(const json_t *o, const char *path, struct boot_rules *out,
                              struct error *err);
enum outcome policy_read_azure(const json_t *o, const char *path, struct azure_policy *out,
                               struct error *err);
enum outcome policy_read_vtpm(const json_t *o, const char *path, struct vtpm_policy *out,
                              struct error *err);
enum outcome policy_read_nitro(const json_t *o, const char *path, struct nitro_policy *out,
                               struct error *err);

#endif
