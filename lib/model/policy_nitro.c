#include <string.h>

#include "lib/model/policy_inside.h"

static enum outcome read_nonce(const json_t *o, const char *path, struct nitro_policy *out,
                               struct error *err)
{
    OWNED(bytes_done) struct bytes value = {0};
    const char *text;
    if (!policy_has(o, "nonce"))
        return OK;
    TRY(json_get_text(o, path, "nonce", 2 * POLICY_NONCE_MAX, &text, err));
    if (hex_decode(text, &value, NULL) != OK) {
        const struct policy_path where = policy_below(path, "nonce");
        return policy_refuse(&where, err, "not hex");
    }
    out->has_nonce = true;
    out->nonce_len = value.len;
    if (value.len > 0)
        memcpy(out->nonce, value.at, value.len);
    return OK;
}

enum outcome policy_read_nitro(const json_t *o, const char *path, struct nitro_policy *out,
                               struct error *err)
{
    static const char *const members[] = {"allow_debug", "pcrs", "nonce", "max_age_seconds", NULL};
    TRY(json_only(o, path, members, err));
    TRY(policy_read_say(o, path, "allow_debug", &out->allow_debug, err));
    TRY(policy_read_pcrs(o, path, &out->pcrs, err));
    TRY(read_nonce(o, path, out, err));
    if (policy_has(o, "max_age_seconds"))
        TRY(json_get_int(o, path, "max_age_seconds", 1, INT32_MAX, &out->max_age_seconds, err));
    return OK;
}

bool policy_allows_nitro_debug(const struct nitro_policy *p)
{
    return policy_allows(p->mode, p->allow_debug, false);
}
