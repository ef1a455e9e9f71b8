#include "lib/model/distrust.h"

#include <string.h>
#include <strings.h>

#include "lib/model/charter.h"

static const char *const kind_words[] = {"chip",   "generation", "measurement", "region",
                                         "signer", "image",      "anchor",      "guest-key"};
const struct names distrust_kind_names = NAMES("kind of distrust", kind_words);
_Static_assert(countof(kind_words) == DISTRUST_KIND_COUNT);

/* clang-format off */
static const struct {
    const char *list;      /* of /deny; NULL: it is a reference that retires */
    size_t hex_len;        /* 0: text */
    const char *claims[2]; /* members of a verdict's claims that may show it */
} kinds[] = {
    [DISTRUST_CHIP]        = {"chips",        CHARTER_CHIP_SIZE,        {"chip"}},
    [DISTRUST_GENERATION]  = {"products",     0,                        {"product"}},
    [DISTRUST_MEASUREMENT] = {"measurements", CHARTER_MEASUREMENT_SIZE, {"measurement"}},
    [DISTRUST_REGION]      = {"regions",      0,                        {"region", "csp_id"}},
    [DISTRUST_SIGNER]      = {"signers",      SIGNER_DIGEST_SIZE,       {"id_key", "author_key"}},
    [DISTRUST_IMAGE]       = {NULL,           0,                        {"measurement"}},
    [DISTRUST_ANCHOR]      = {"anchors",      SHA256_SIZE,              {"anchor"}},
    [DISTRUST_GUEST_KEY]   = {"guest_keys",   SHA256_SIZE,              {"link_key"}},
};
/* clang-format on */
_Static_assert(countof(kinds) == DISTRUST_KIND_COUNT);

static json_t *reference_of(const json_t *charter, const char *name)
{
    return json_object_get(json_object_get(charter, "references"), name);
}

static bool is_same(enum distrust_kind kind, const json_t *item, const char *value)
{
    const char *text = json_string_value(item);
    if (text == NULL)
        return false;
    return kinds[kind].hex_len > 0 ? strcasecmp(text, value) == 0 : strcmp(text, value) == 0;
}

bool distrust_stands(const json_t *charter, enum distrust_kind kind, const char *value)
{
    size_t i;
    const json_t *item;
    if (kinds[kind].list == NULL)
        return json_is_true(json_object_get(reference_of(charter, value), "retired"));
    const json_t *list = json_object_get(json_object_get(charter, "deny"), kinds[kind].list);
    json_array_foreach (json_looked_at(list), i, item)
        if (is_same(kind, item, value))
            return true;
    return false;
}

static enum outcome wrong(const char *why, struct error *err)
{
    return fail_at(err, ERR_INVALID, "wrong-value", "/value", "/value: %s", why);
}

static enum outcome check_value(enum distrust_kind kind, const char *value, struct error *err)
{
    uint8_t bytes[CHARTER_CHIP_SIZE];
    int line;
    const size_t len = kinds[kind].hex_len;
    if (value[0] == '\0' || strlen(value) >= CSP_ID_SIZE + 1 || !text_is_clean(span_of_text(value)))
        return wrong("not a value", err);
    if (len > 0 && hex_decode_exact(value, bytes, len, NULL) != OK)
        return wrong("not hex of the right length", err);
    if (len > 0 && span_is_zero(SPAN(bytes, len)))
        return wrong("zeroes mean that evidence names none", err);
    if (kind == DISTRUST_GENERATION && name_parse(&snp_line_names, value, &line, NULL) != OK)
        return wrong("Milan, Genoa or Turin", err);
    return OK;
}

static json_t *made_below(json_t *object, const char *name, json_t *empty)
{
    OWNED(json_drop) json_t *made = empty;
    if (json_object_get(object, name) == NULL)
        json_put_new(object, name, json_incref(made));
    return json_object_get(object, name);
}

enum outcome distrust_add(json_t *charter, enum distrust_kind kind, const char *value,
                          struct error *err)
{
    TRY(check_value(kind, value, err));
    if (distrust_stands(charter, kind, value))
        return fail_at(err, ERR_CONFLICT, "distrusted-already", "/value",
                       "the charter in force says so already");
    if (kinds[kind].list == NULL) {
        json_t *reference = reference_of(charter, value);
        if (reference == NULL)
            return fail_at(err, ERR_NOT_FOUND, "no-such-reference", "/value",
                           "the charter has no reference of that name");
        json_put_bool(reference, "retired", true);
        return OK;
    }
    json_t *deny = made_below(charter, "deny", json_object());
    json_add_new(made_below(deny, kinds[kind].list, json_array()), json_string(value));
    return OK;
}

static void add_claim(json_t *list, const char *name, const char *value)
{
    json_t *claim = json_object();
    json_put_text(claim, name, value);
    json_add_new(list, claim);
}

/* Claims print hex in small letters. */
static void add_hex_claim(json_t *list, const char *name, const char *hex, size_t len)
{
    uint8_t bytes[CHARTER_CHIP_SIZE];
    char small[2 * sizeof bytes + 1];
    if (hex_decode_exact(hex, bytes, len, NULL) != OK)
        return;
    hex_encode(SPAN(bytes, len), small);
    add_claim(list, name, small);
}

json_t *distrust_claims(const json_t *charter, enum distrust_kind kind, const char *value)
{
    json_t *list = json_array();
    size_t i;
    const json_t *item;
    if (kinds[kind].list == NULL) {
        const json_t *all = json_object_get(reference_of(charter, value), "measurement");
        json_array_foreach (json_looked_at(all), i, item)
            if (json_is_string(item))
                add_hex_claim(list, kinds[kind].claims[0], json_string_value(item),
                              CHARTER_MEASUREMENT_SIZE);
        return list;
    }
    for (i = 0; i < countof(kinds[kind].claims) && kinds[kind].claims[i] != NULL; i++)
        if (kinds[kind].hex_len > 0)
            add_hex_claim(list, kinds[kind].claims[i], value, kinds[kind].hex_len);
        else
            add_claim(list, kinds[kind].claims[i], value);
    return list;
}
