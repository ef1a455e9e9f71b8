#include "lib/model/secret.h"

static const char *const origin_words[] = {"generate", "import"};
_Static_assert(countof(origin_words) == ORIGIN_COUNT);
const struct names secret_origin_names = NAMES("origin", origin_words);

static const char *const state_words[] = {
    "generating", "staged", "distributing", "active", "retiring", "retired", "destroyed", "halted",
};
_Static_assert(countof(state_words) == VERSION_STATE_COUNT);
const struct names version_state_names = NAMES("version state", state_words);

static const char *const event_words[] = {
    "stored", "released", "taken-up", "superseded", "fenced", "wiped", "stopped", "resumed",
};
_Static_assert(countof(event_words) == VERSION_EVENT_COUNT);
const struct names version_event_names = NAMES("version event", event_words);

/* clang-format off */
static const struct step steps[] = {
    /* from                 on                   to                    because */
    {VERSION_GENERATING,   VERSION_STORED,      VERSION_STAGED,       "the keeper gave its ciphertext"},
    {VERSION_GENERATING,   VERSION_STOPPED,     VERSION_HALTED,       "halted"},
    {VERSION_STAGED,       VERSION_RELEASED,    VERSION_DISTRIBUTING, "the first delivery is due"},
    {VERSION_STAGED,       VERSION_STOPPED,     VERSION_HALTED,       "halted"},
    {VERSION_STAGED,       VERSION_SUPERSEDED,  VERSION_RETIRING,     "a newer one came before it was used"},
    {VERSION_DISTRIBUTING, VERSION_TAKEN_UP,    VERSION_ACTIVE,       "every consumer confirmed use"},
    {VERSION_DISTRIBUTING, VERSION_STOPPED,     VERSION_HALTED,       "halted"},
    {VERSION_DISTRIBUTING, VERSION_SUPERSEDED,  VERSION_RETIRING,     "a newer one came meanwhile"},
    {VERSION_ACTIVE,       VERSION_SUPERSEDED,  VERSION_RETIRING,     "a newer one is active"},
    {VERSION_RETIRING,     VERSION_FENCED,      VERSION_RETIRED,      "acknowledged, or the deadline passed"},
    {VERSION_RETIRED,      VERSION_WIPED,       VERSION_DESTROYED,    "the keeper refuses it from now on"},
    {VERSION_HALTED,       VERSION_RESUMED,     VERSION_DISTRIBUTING, "a person let it go on"},
    {VERSION_HALTED,       VERSION_FENCED,      VERSION_RETIRED,      "given up"},
};

static const struct field fields[] = {
    FIELD(secret, id,         FIELD_UUID, .flags = FIELD_READ_ONLY),
    FIELD(secret, project,    FIELD_TEXT, .flags = FIELD_READ_ONLY),
    FIELD(secret, name,       FIELD_TEXT),
    FIELD(secret, kind,       FIELD_NAME, .names = &secret_kind_names),
    FIELD(secret, scope,      FIELD_NAME, .names = &secret_scope_names, .flags = FIELD_OPTIONAL),
    FIELD(secret, origin,     FIELD_NAME, .names = &secret_origin_names, .flags = FIELD_OPTIONAL),
    FIELD(secret, grant_name, FIELD_TEXT),
    FIELD(secret, newest,     FIELD_INT, .flags = FIELD_READ_ONLY),
    FIELD(secret, epoch,      FIELD_INT, .flags = FIELD_READ_ONLY),
    FIELD(secret, created,    FIELD_MOMENT, .flags = FIELD_READ_ONLY),
    FIELD(secret, updated,    FIELD_MOMENT, .flags = FIELD_READ_ONLY),
};

static const struct field version_fields[] = {
    FIELD(secret_version, id,          FIELD_UUID),
    FIELD(secret_version, secret,      FIELD_UUID),
    FIELD(secret_version, version,     FIELD_INT),
    FIELD(secret_version, instance,    FIELD_UUID),
    FIELD(secret_version, anchor,      FIELD_HEX),
    FIELD(secret_version, state,       FIELD_NAME, .names = &version_state_names),
    FIELD(secret_version, state_since, FIELD_MOMENT),
    FIELD(secret_version, record,      FIELD_BYTES, .flags = FIELD_HIDDEN),
    FIELD(secret_version, check_digest, FIELD_HEX),
    FIELD(secret_version, public_part, FIELD_STRING),
    FIELD(secret_version, created,     FIELD_MOMENT),
};
/* clang-format on */
const struct machine version_machine =
    MACHINE("version", &version_state_names, &version_event_names, steps, VERSION_GENERATING);
const struct record secret_record = RECORD(secret, fields);
const struct record secret_version_record = RECORD(secret_version, version_fields);

void secret_version_done(struct secret_version *version)
{
    record_done(&secret_version_record, version);
}

enum outcome secret_from_json(const json_t *value, struct secret *out, struct error *err)
{
    struct secret secret = {0};
    TRY(record_from_json(&secret_record, value, "", &secret, err));
    if (!text_is_name(secret.name))
        return fail_at(err, ERR_INVALID, "bad-name", "/name", "/name: '%s' is not a name",
                       secret.name);
    if (!text_is_name(secret.grant_name))
        return fail_at(err, ERR_INVALID, "bad-name", "/grant_name",
                       "/grant_name: '%s' is not a name", secret.grant_name);
    if (secret.kind == SECRET_SSH_HOST_KEY && secret.origin != ORIGIN_GENERATE)
        return fail_at(err, ERR_INVALID, "generate-only", "/origin",
                       "/origin: a %s is only ever generated in the keeper",
                       name_of(&secret_kind_names, secret.kind));
    *out = secret;
    return OK;
}
