#include "lib/model/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"

static const char *const role_words[] = {
    "viewer", "operator", "approver", "security", "auditor", "admin",
};
_Static_assert(countof(role_words) == CALLER_ROLE_COUNT);
const struct names caller_role_names = NAMES("role", role_words);

/* clang-format off */
static const struct field fields[] = {
    FIELD(caller, id,      FIELD_UUID),
    FIELD(caller, project, FIELD_TEXT),
    FIELD(caller, hash,    FIELD_HEX, .flags = FIELD_HIDDEN),
    FIELD(caller, role,    FIELD_NAME, .names = &caller_role_names),
    FIELD(caller, label,   FIELD_TEXT),
    FIELD(caller, created, FIELD_MOMENT),
    FIELD(caller, expires, FIELD_MOMENT),
    FIELD(caller, revoked, FIELD_MOMENT),
};
/* clang-format on */
const struct record caller_record = RECORD(caller, fields);

void caller_hash(const char *token, uint8_t out[static SHA256_SIZE])
{
    digest(DIGEST_SHA256, span_of_text(token), out);
}

enum outcome caller_make(const char *project, enum caller_role role, const char *label,
                         struct caller *out, char out_token[static CALLER_TOKEN_MAX],
                         struct error *err)
{
    struct caller made = {.id = uuid_new(), .role = role};
    if (!text_is_name(label))
        return fail_at(err, ERR_INVALID, "bad-name", "label", "label '%.63s' is not a name", label);
    TRY(text_copy(made.project, sizeof made.project, project, "project", err));
    TRY(text_copy(made.label, sizeof made.label, label, "label", err));
    uint8_t random[32];
    random_fill(random, sizeof random);
    OWNED(mem_drop) char *text = base64url_of(SPAN_OF(random));
    snprintf(out_token, CALLER_TOKEN_MAX, "muster_%s", text);
    caller_hash(out_token, made.hash);
    explicit_bzero(random, sizeof random);
    explicit_bzero(text, strlen(text));
    *out = made;
    return OK;
}
