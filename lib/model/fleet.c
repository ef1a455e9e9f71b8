#include "lib/model/fleet.h"

#include <stdio.h>
#include <string.h>

#include "lib/model/catalogue_wish.h"

/* clang-format off */
static const struct field fields[] = {
    FIELD(fleet, id,       FIELD_UUID, .flags = FIELD_READ_ONLY),
    FIELD(fleet, project,  FIELD_TEXT, .flags = FIELD_READ_ONLY),
    FIELD(fleet, name,     FIELD_TEXT),
    FIELD(fleet, desired,  FIELD_INT, .least = 0, .most = FLEET_DESIRED_MAX),
    FIELD(fleet, account,  FIELD_TEXT, .flags = FIELD_OPTIONAL),
    FIELD(fleet, places,   FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(fleet, zone_most, FIELD_INT, .least = 0, .most = FLEET_DESIRED_MAX, .flags = FIELD_OPTIONAL),
    FIELD(fleet, image,    FIELD_TEXT),
    FIELD(fleet, size,     FIELD_TEXT),
    FIELD(fleet, policy,   FIELD_TEXT),
    FIELD(fleet, secrets,  FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(fleet, paused,   FIELD_BOOL, .flags = FIELD_OPTIONAL),
    FIELD(fleet, objective, FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(fleet, features, FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(fleet, enclaves, FIELD_JSON, .flags = FIELD_OPTIONAL),
    FIELD(fleet, surge,    FIELD_INT, .least = 0, .most = FLEET_DESIRED_MAX, .flags = FIELD_OPTIONAL),
    FIELD(fleet, rejected_hold_seconds, FIELD_INT, .least = 0, .most = 604800, .flags = FIELD_OPTIONAL),
    FIELD(fleet, epoch,    FIELD_INT, .flags = FIELD_READ_ONLY),
    FIELD(fleet, created,  FIELD_MOMENT, .flags = FIELD_READ_ONLY),
    FIELD(fleet, updated,  FIELD_MOMENT, .flags = FIELD_READ_ONLY),
};
/* clang-format on */
const struct record fleet_record = RECORD(fleet, fields);

void fleet_done(struct fleet *fleet)
{
    record_done(&fleet_record, fleet);
}

static enum outcome check_name(const char *name, const char *where, struct error *err)
{
    if (!text_is_name(name))
        return fail_at(err, ERR_INVALID, "bad-name", where, "%s: '%.63s' is not a name", where,
                       name);
    return OK;
}

static enum outcome check_secrets(const json_t *secrets, struct error *err)
{
    if (!json_is_array(secrets) || json_array_size(secrets) > FLEET_SECRETS_MAX)
        return fail_at(err, ERR_INVALID, "wrong-type", "/secrets",
                       "/secrets: not an array of at most %d names", FLEET_SECRETS_MAX);
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "/secrets/%zu", i);
        const char *name = json_string_value(json_array_get(secrets, i));
        if (name == NULL)
            return fail_at(err, ERR_INVALID, "wrong-type", where, "%s: not a string", where);
        TRY(check_name(name, where, err));
        for (size_t j = 0; j < i; j++)
            if (strcmp(name, json_string_value(json_array_get(secrets, j))) == 0)
                return fail_at(err, ERR_INVALID, "twice", where, "%s: '%s' is there twice", where,
                               name);
    }
    return OK;
}

static enum outcome check_features(const json_t *features, struct error *err)
{
    if (!json_is_array(features) || json_array_size(features) == 0 ||
        json_array_size(features) > CATALOGUE_FEATURE_COUNT)
        return fail_at(err, ERR_INVALID, "wrong-type", "/features",
                       "/features: not an array of features");
    unsigned seen = 0;
    for (size_t i = 0; i < json_array_size(features); i++) {
        char where[ERROR_WHERE_SIZE];
        snprintf(where, sizeof where, "/features/%zu", i);
        const char *word = json_string_value(json_array_get(features, i));
        int feature;
        if (name_parse(&catalogue_feature_names, word != NULL ? word : "", &feature, NULL) != OK)
            return fail_at(err, ERR_INVALID, "unknown-word", where, "%s: no feature that is known",
                           where);
        if ((seen & FEATURE_BIT((unsigned)feature)) != 0)
            return fail_at(err, ERR_INVALID, "twice", where, "%s: '%s' is there twice", where,
                           word);
        seen |= FEATURE_BIT((unsigned)feature);
    }
    return OK;
}

bool fleet_has(const struct fleet *fleet, enum catalogue_feature feature)
{
    const char *wanted = name_of(&catalogue_feature_names, (int)feature);
    for (size_t i = 0; i < json_array_size(fleet->features); i++)
        if (strcmp(json_string_value(json_array_get(fleet->features, i)), wanted) == 0)
            return true;
    return false;
}

/* How many and how large is the catalogue's to judge; here only who may say it. */
static enum outcome check_enclaves(const struct fleet *fleet, struct error *err)
{
    struct catalogue_wish unused = {0};
    TRY(catalogue_wish_read_enclaves(fleet->enclaves, &unused, err));
    if (!fleet_has(fleet, FEATURE_ENCLAVES))
        return fail_at(err, ERR_INVALID, "wrong-value", "/enclaves",
                       "/enclaves: only a fleet with the feature %s has any",
                       name_of(&catalogue_feature_names, FEATURE_ENCLAVES));
    return OK;
}

/* Percent with one decimal at most: what is counted is a fleet, not a sea. */
static enum outcome check_objective(const json_t *objective, struct error *err)
{
    static const char *const members[] = {"verified_percent", "within_seconds", NULL};
    int64_t within;
    if (!json_is_object(objective))
        return fail_at(err, ERR_INVALID, "wrong-type", "/objective", "/objective: not an object");
    TRY(json_only(objective, "/objective", members, err));
    TRY(json_get_int(objective, "/objective", "within_seconds", FLEET_WITHIN_LEAST_SECONDS,
                     FLEET_WITHIN_MOST_SECONDS, &within, err));
    const json_t *percent = json_object_get(objective, "verified_percent");
    if (!json_is_number(percent))
        return fail_at(err, ERR_INVALID, percent == NULL ? "missing-member" : "wrong-type",
                       "/objective/verified_percent",
                       "/objective/verified_percent: not there or not a number");
    const double tenths = json_number_value(percent) * 10;
    if (tenths < 0 || tenths > 1000 || tenths - (double)(int64_t)(tenths + 0.5) > 1e-6 ||
        (double)(int64_t)(tenths + 0.5) - tenths > 1e-6)
        return fail_at(err, ERR_INVALID, "out-of-range", "/objective/verified_percent",
                       "/objective/verified_percent: not 0 to 100 with one decimal");
    return OK;
}

static bool has_places(const struct fleet *fleet)
{
    return fleet->places != NULL &&
           (!json_is_array(fleet->places) || json_array_size(fleet->places) > 0);
}

enum outcome fleet_places(const struct fleet *fleet, struct place_list *out, struct error *err)
{
    if (has_places(fleet))
        return places_from_json(fleet->places, out, err);
    *out = (struct place_list){.at = NEW(struct place), .count = 1};
    out->at[0].weight = 1;
    memcpy(out->at[0].account, fleet->account, sizeof fleet->account);
    return OK;
}

static enum outcome check_places(const struct fleet *fleet, struct error *err)
{
    OWNED(place_list_done) struct place_list places = {0};
    if (has_places(fleet) == (fleet->account[0] != '\0'))
        return fail_at(err, ERR_INVALID, "account-or-places", "/places",
                       "/places: either account or places, not both and not neither");
    if (!has_places(fleet))
        TRY(check_name(fleet->account, "/account", err));
    TRY(fleet_places(fleet, &places, err));
    for (size_t i = 0; i < places.count && fleet->zone_most > 0; i++)
        if (places.at[i].zone_count == 0)
            return fail_at(err, ERR_INVALID, "zones-missing", "/zone_most",
                           "/zone_most: the place of account %s names no zones",
                           places.at[i].account);
    return OK;
}

static enum outcome check(const struct fleet *fleet, struct error *err)
{
    TRY(check_name(fleet->name, "/name", err));
    TRY(check_places(fleet, err));
    TRY(check_name(fleet->image, "/image", err));
    TRY(check_name(fleet->policy, "/policy", err));
    if (!text_is_word(fleet->size))
        return fail_at(err, ERR_INVALID, "bad-name", "/size", "/size: not a cloud's word");
    if (fleet->objective != NULL)
        TRY(check_objective(fleet->objective, err));
    TRY(check_features(fleet->features, err));
    if (fleet->enclaves != NULL)
        TRY(check_enclaves(fleet, err));
    return check_secrets(fleet->secrets, err);
}

enum outcome fleet_from_json(const json_t *value, struct fleet *out, struct error *err)
{
    OWNED(fleet_done)
    struct fleet fleet = {
        .surge = FLEET_SURGE_DEFAULT,
        .rejected_hold_seconds = FLEET_HOLD_DEFAULT_SECONDS,
    };
    TRY(record_from_json(&fleet_record, value, "", &fleet, err));
    if (fleet.secrets == NULL)
        fleet.secrets = json_array();
    if (fleet.features == NULL)
        fleet.features = json_pack("[s]", name_of(&catalogue_feature_names, FEATURE_SNP));
    if (fleet.places == NULL)
        fleet.places = json_array();
    if (json_is_null(fleet.objective)) /* said to be none */
        fleet.objective = NULL;
    if (json_is_null(fleet.enclaves))
        fleet.enclaves = NULL;
    TRY(check(&fleet, err));
    *out = fleet;
    fleet = (struct fleet){0};
    return OK;
}

json_t *fleet_to_json(const struct fleet *fleet)
{
    return record_to_json(&fleet_record, fleet);
}
