/* What a policy asks of single bits: of the platform, of the guest's own policy, and of the
 * mitigations that firmware says it has. */
#include "lib/model/policy_inside.h"

enum { VECTOR_BITS = 64 };

typedef enum outcome bit_fn(const char *word, uint64_t *out, struct error *err);

static enum outcome read_words(const json_t *object, const char *path, const char *name,
                               bit_fn *bit_of, uint64_t *out, struct error *err)
{
    if (!policy_has(object, name))
        return OK;
    json_t *list = NULL;
    TRY(json_get_array(object, path, name, VECTOR_BITS, &list, err));
    const struct policy_path where = policy_below(path, name);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        uint64_t bit = 0;
        if (!json_is_string(item) || bit_of(json_string_value(item), &bit, NULL) != OK)
            return policy_refuse(&where, err, "not a known bit");
        *out |= bit;
    }
    return OK;
}

/* AMD's bulletins name mitigations by their number alone. */
static enum outcome read_vector(const json_t *object, const char *path, const char *name,
                                uint64_t *out, struct error *err)
{
    if (!policy_has(object, name))
        return OK;
    json_t *list = NULL;
    TRY(json_get_array(object, path, name, VECTOR_BITS, &list, err));
    const struct policy_path where = policy_below(path, name);
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        const json_int_t bit = json_is_integer(item) ? json_integer_value(item) : -1;
        if (bit < 0 || bit >= VECTOR_BITS)
            return policy_refuse(&where, err, "not a bit from 0 to 63");
        *out |= UINT64_C(1) << bit;
    }
    return OK;
}

enum outcome policy_read_bits(const json_t *o, const char *path, struct snp_policy *p,
                              struct error *err)
{
    const struct {
        const char *name;
        bit_fn *bit_of; /* NULL: of a vector, by number */
        uint64_t *out;
    } lists[] = {
        {"forbid_platform_info", snp_platform_bit, &p->forbid_platform_info},
        {"require_platform_info", snp_platform_bit, &p->require_platform_info},
        {"forbid_guest_policy", snp_policy_bit, &p->forbid_guest_policy},
        {"require_guest_policy", snp_policy_bit, &p->require_guest_policy},
        {"require_launch_mit_vector", NULL, &p->require_launch_mit_vector},
        {"require_current_mit_vector", NULL, &p->require_current_mit_vector},
    };
    for (size_t i = 0; i < countof(lists); i++)
        TRY(lists[i].bit_of != NULL
                ? read_words(o, path, lists[i].name, lists[i].bit_of, lists[i].out, err)
                : read_vector(o, path, lists[i].name, lists[i].out, err));
    return OK;
}
