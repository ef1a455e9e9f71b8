#include <string.h>

#include "lib/base/text.h"
#include "lib/crypto/x509_leaf.h"
#include "lib/model/policy_inside.h"

static const char *const root_words[] = {"svsm", "provider", "unrooted"};
_Static_assert(countof(root_words) == VTPM_ROOT_COUNT);
const struct names vtpm_root_names = NAMES("root of a vTPM", root_words);

/* ---- what boots ----------------------------------------------------------------------------- */

/* {"shim-15.8": HEX, "grub-2.12": [HEX, HEX]} */
static enum outcome read_components(const json_t *o, const char *path, struct boot_rules *out,
                                    struct error *err)
{
    json_t *list = NULL;
    const char *name;
    json_t *value;
    if (!policy_has(o, "boot_components"))
        return OK;
    const struct policy_path where = policy_below(path, "boot_components");
    TRY(json_get_object(o, path, "boot_components", &list, err));
    json_object_foreach (list, name, value) {
        const struct policy_path place = policy_below(where.at, name);
        if (out->component_count == POLICY_COMPONENTS)
            return policy_refuse(&where, err, "too many components");
        struct component_rule *rule = &out->components[out->component_count++];
        TRY(text_copy(rule->name, sizeof rule->name, name, place.at, err));
        TRY(policy_read_values(value, &place, &rule->digests, err));
    }
    return out->component_count > 0 ? OK : policy_refuse(&where, err, "names no component");
}

enum outcome policy_read_boot(const json_t *o, const char *path, struct boot_rules *out,
                              struct error *err)
{
    TRY(policy_read_pcrs(o, path, &out->pcrs, err));
    TRY(json_get_bool_or(o, path, "require_secure_boot", false, &out->require_secure_boot, err));
    return read_components(o, path, out, err);
}

const char *boot_rules_component(const struct boot_rules *rules, struct span digest)
{
    for (size_t i = 0; i < rules->component_count; i++) {
        const struct component_rule *rule = &rules->components[i];
        for (size_t at = 0; at < rule->digests.count; at++)
            if (span_equal(SPAN(rule->digests.at[at], rule->digests.len[at]), digest))
                return rule->name;
    }
    return NULL;
}

enum outcome policy_read_azure(const json_t *o, const char *path, struct azure_policy *out,
                               struct error *err)
{
    static const char *const members[] = {POLICY_BOOT_MEMBERS, NULL};
    TRY(json_only(o, path, members, err));
    return policy_read_boot(o, path, &out->boot, err);
}

/* ---- whose vTPM ----------------------------------------------------------------------------- */

static enum outcome read_roots(const json_t *o, const char *path, struct vtpm_policy *out,
                               struct error *err)
{
    json_t *list = NULL;
    size_t i;
    json_t *item;
    if (!policy_has(o, "roots"))
        return OK;
    const struct policy_path where = policy_below(path, "roots");
    TRY(json_get_array(o, path, "roots", VTPM_ROOT_COUNT, &list, err));
    json_array_foreach (list, i, item) {
        int root = 0;
        if (!json_is_string(item) ||
            name_parse(&vtpm_root_names, json_string_value(item), &root, NULL) != OK)
            return policy_refuse(&where, err, "neither svsm, provider nor unrooted");
        out->roots |= 1u << root;
    }
    return out->roots != 0 ? OK : policy_refuse(&where, err, "names no root");
}

static enum outcome add_authority(const json_t *item, const struct policy_path *where,
                                  struct vtpm_policy *out, struct error *err)
{
    OWNED(x509_list_done) struct x509_list list = {0};
    const char *pem = json_string_value(item);
    if (pem == NULL || x509_list_read(&list, span_of_text(pem), NULL) != OK || list.count != 1 ||
        !x509_is_authority(list.at[0]))
        return policy_refuse(where, err, "not the certificate of an authority in PEM");
    const struct span der = x509_der(list.at[0]);
    if (der.len > POLICY_CA_SIZE)
        return policy_refuse(where, err, "a certificate of over 2,048 bytes");
    out->ca[out->ca_count].len = der.len;
    memcpy(out->ca[out->ca_count++].der, der.at, der.len);
    return OK;
}

static enum outcome read_authorities(const json_t *o, const char *path, struct vtpm_policy *out,
                                     struct error *err)
{
    json_t *list = NULL;
    size_t i;
    json_t *item;
    if (!policy_has(o, "ak_ca"))
        return OK;
    const struct policy_path where = policy_below(path, "ak_ca");
    TRY(json_get_array(o, path, "ak_ca", POLICY_CAS, &list, err));
    json_array_foreach (list, i, item)
        TRY(add_authority(item, &where, out, err));
    return out->ca_count > 0 ? OK : policy_refuse(&where, err, "names no authority");
}

static enum outcome read_svsm(const json_t *o, const char *path, struct vtpm_policy *out,
                              struct error *err)
{
    enum { LAUNCH_DIGEST_SIZE = 48 };
    const struct policy_path where = policy_below(path, "svsm_measurements");
    TRY(policy_read_set(o, path, "svsm_measurements", LAUNCH_DIGEST_SIZE, &out->svsm, err));
    return out->svsm.any ? policy_refuse(&where, err, "anything is no SVSM") : OK;
}

enum outcome policy_read_vtpm(const json_t *o, const char *path, struct vtpm_policy *out,
                              struct error *err)
{
    static const char *const members[] = {"roots", "ak_ca", "svsm_measurements",
                                          POLICY_BOOT_MEMBERS, NULL};
    TRY(json_only(o, path, members, err));
    TRY(read_roots(o, path, out, err));
    TRY(read_authorities(o, path, out, err));
    TRY(read_svsm(o, path, out, err));
    return policy_read_boot(o, path, &out->boot, err);
}
