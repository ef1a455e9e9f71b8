#include "lib/attest/thim.h"

#include <string.h>

#include "lib/base/json.h"

enum { TCBM_DIGITS = 16, CACHE_SECONDS_MAX = 10 * 365 * 86400 };

void thim_done(struct thim *thim)
{
    bytes_done(&thim->ek);
    bytes_done(&thim->ca);
    *thim = (struct thim){0};
}

static enum outcome get_pem(const json_t *object, const char *name, struct bytes *out,
                            struct error *err)
{
    const char *text;
    TRY(json_get_text(object, "", name, THIM_ANSWER_MAX, &text, err));
    bytes_add(out, span_of_text(text));
    return OK;
}

/* 16 hex digits, the most significant first. */
static enum outcome get_tcb(const json_t *object, uint64_t *out, struct error *err)
{
    uint8_t raw[TCBM_DIGITS / 2];
    TRY(json_get_hex(object, "", "tcbm", raw, sizeof raw, err));
    struct reader in = reader_of(SPAN_OF(raw));
    *out = read_u64be(&in);
    return reader_end(&in, err);
}

/* A number in text. */
static enum outcome get_cache(const json_t *object, int64_t *out, struct error *err)
{
    const char *text;
    TRY(json_get_text_or(object, "", "cacheControl", 20, "0", &text, err));
    return number_parse(text, 0, CACHE_SECONDS_MAX, out, err);
}

static enum outcome read_members(const json_t *object, struct thim *out, struct error *err)
{
    TRY(get_pem(object, "vcekCert", &out->ek, err));
    TRY(get_pem(object, "certificateChain", &out->ca, err));
    TRY(get_tcb(object, &out->tcb, err));
    return get_cache(object, &out->cache_seconds, err);
}

enum outcome thim_parse(struct span in, struct thim *out, struct error *err)
{
    OWNED(json_drop) json_t *object = NULL;
    TRY(json_parse(in, THIM_ANSWER_MAX, &object, err));
    enum outcome outcome = read_members(object, out, err);
    if (outcome != OK)
        thim_done(out);
    return outcome;
}
