#include "drivers/driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"

static const struct driver *const drivers[] = {
    &aws_driver,
    &azure_driver,
    &gcp_driver,
};

/* clang-format off */
static const char *const error_words[] = {
    "throttle", "capacity", "quota", "auth", "not-found", "exists", "invalid", "unsupported",
    "state-conflict", "idempotency-mismatch", "server-error", "ambiguous", "spot-reclaim",
};
_Static_assert(countof(error_words) == CLOUD_ERROR_COUNT);
const struct names cloud_error_names = NAMES("cloud error", error_words);

static const char *const state_words[] = {
    "unknown", "creating", "running", "stopping", "stopped", "stopped-on-host", "repairing",
    "deleting", "gone", "failed",
};
_Static_assert(countof(state_words) == MACHINE_STATE_COUNT);
const struct names machine_state_names = NAMES("machine state", state_words);

static const char *const leftover_words[] = {"disk", "address", "interface"};
_Static_assert(countof(leftover_words) == LEFTOVER_KIND_COUNT);
const struct names leftover_kind_names = NAMES("kind of leftover", leftover_words);

static const struct {
    enum outcome outcome;
    bool repeatable;
} facts[] = {
    [CLOUD_THROTTLE]             = {ERR_THROTTLED,   true},
    [CLOUD_CAPACITY]             = {ERR_CONFLICT,    false},
    [CLOUD_QUOTA]                = {ERR_DENIED,      false},
    [CLOUD_AUTH]                 = {ERR_DENIED,      false},
    [CLOUD_NOT_FOUND]            = {ERR_NOT_FOUND,   false},
    [CLOUD_EXISTS]               = {ERR_CONFLICT,    false},
    [CLOUD_INVALID]              = {ERR_INVALID,     false},
    [CLOUD_UNSUPPORTED]          = {ERR_INVALID,     false},
    [CLOUD_STATE_CONFLICT]       = {ERR_CONFLICT,    false},
    [CLOUD_IDEMPOTENCY_MISMATCH] = {ERR_CONFLICT,    false},
    [CLOUD_SERVER_ERROR]         = {ERR_UNREACHABLE, true},
    [CLOUD_AMBIGUOUS]            = {ERR_AMBIGUOUS,   false},
    [CLOUD_SPOT_RECLAIM]         = {ERR_CONFLICT,    false},
};
_Static_assert(countof(facts) == CLOUD_ERROR_COUNT);

static const struct field sighting_fields[] = {
    FIELD(sighting, ref,             FIELD_TEXT),
    FIELD(sighting, machine_id,      FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, state,           FIELD_NAME, .names = &machine_state_names),
    FIELD(sighting, state_word,      FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, reason,          FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, failure,         FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, instance,        FIELD_UUID,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, generation,      FIELD_INT,    .flags = FIELD_OPTIONAL),
    FIELD(sighting, fleet,           FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, client_token,    FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, image,           FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, size,            FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, zone,            FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, private_address, FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(sighting, launched,        FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(sighting, snp_enabled,     FIELD_BOOL),
};
const struct record sighting_record = RECORD(sighting, sighting_fields);

static const struct field notice_fields[] = {
    FIELD(notice, ref,             FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(notice, event,           FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(notice, kind,            FIELD_TEXT),
    FIELD(notice, status,          FIELD_TEXT,   .flags = FIELD_OPTIONAL),
    FIELD(notice, not_before,      FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice, not_after,       FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice, deadline,        FIELD_MOMENT, .flags = FIELD_OPTIONAL),
    FIELD(notice, is_ours_to_time, FIELD_BOOL),
    FIELD(notice, text,            FIELD_TEXT,   .flags = FIELD_OPTIONAL),
};
const struct record notice_record = RECORD(notice, notice_fields);
/* clang-format on */

enum outcome cloud_error_outcome(enum cloud_error kind)
{
    return kind < CLOUD_ERROR_COUNT ? facts[kind].outcome : ERR_INTERNAL;
}

bool cloud_error_is_repeatable(enum cloud_error kind)
{
    return kind < CLOUD_ERROR_COUNT && facts[kind].repeatable;
}

enum outcome driver_of(const struct account *account, const struct driver **out, struct error *err)
{
    for (size_t i = 0; i < countof(drivers); i++)
        if (drivers[i]->id == account->driver) {
            *out = drivers[i];
            return OK;
        }
    return fail_code(err, ERR_INVALID, "unsupported-driver", "no driver for %s yet",
                     name_of(&account_driver_names, account->driver));
}

enum outcome account_is_not_seen(const struct account *account, struct error *err)
{
    char said[ERROR_TEXT_SIZE];
    if (err == NULL || (err->outcome != ERR_DENIED && err->outcome != ERR_NOT_FOUND))
        return err != NULL ? err->outcome : ERR_UNREACHABLE;
    memcpy(said, err->text, sizeof said);
    return fail_code(err, ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT,
                     "the credentials of account %s do not see %s: %.160s", account->name,
                     account->cloud_account, said);
}

enum outcome account_is_of(const struct account *account, const struct cloud_identity *seen,
                           struct error *err)
{
    if (account->cloud_account[0] == '\0' || strcasecmp(account->cloud_account, seen->account) == 0)
        return OK;
    return fail_code(err, ERR_UNREACHABLE, WRONG_CLOUD_ACCOUNT,
                     "the credentials of account %s are of %s, and it is %s", account->name,
                     seen->account, account->cloud_account);
}

enum outcome order_is_plain(const struct launch_order *order, const char *rule, struct error *err)
{
    if (!order->enclaves && !order->no_snp)
        return OK;
    return fail_at(
        err, cloud_error_outcome(CLOUD_UNSUPPORTED), name_of(&cloud_error_names, CLOUD_UNSUPPORTED),
        rule, "%s: this cloud launches machines with SEV-SNP only, and no enclaves in them", rule);
}

void launch_token(const struct uuid *instance, int64_t generation,
                  char out[static LAUNCH_TOKEN_SIZE])
{
    char hex[33];
    hex_encode(uuid_span(instance), hex);
    snprintf(out, LAUNCH_TOKEN_SIZE, "muster-%s-%lld", hex, (long long)generation);
}

struct sighting *sighting_list_add(struct sighting_list *list)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 16 : list->room * 2;
        list->at = mem_resize(list->at, list->room, sizeof *list->at);
    }
    struct sighting *fresh = &list->at[list->count++];
    *fresh = (struct sighting){0};
    return fresh;
}

void sighting_list_done(struct sighting_list *list)
{
    free(list->at);
    notice_list_done(&list->notices);
    *list = (struct sighting_list){0};
}

struct leftover *leftover_list_add(struct leftover_list *list)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 16 : list->room * 2;
        list->at = mem_resize(list->at, list->room, sizeof *list->at);
    }
    struct leftover *fresh = &list->at[list->count++];
    *fresh = (struct leftover){0};
    return fresh;
}

void leftover_list_done(struct leftover_list *list)
{
    free(list->at);
    *list = (struct leftover_list){0};
}

void leftover_tag(struct leftover *leftover, const char *key, const char *value)
{
    struct uuid id;
    if (strcmp(key, TAG_INSTANCE) == 0 && uuid_parse(value, &id, NULL) == OK)
        leftover->instance = id;
    else if (strcmp(key, TAG_FLEET) == 0 && text_is_name(value))
        text_clip(leftover->fleet, sizeof leftover->fleet, value);
    else if (strcmp(key, TAG_TOKEN) == 0 && text_is_word(value) &&
             strlen(value) < sizeof leftover->client_token)
        text_clip(leftover->client_token, sizeof leftover->client_token, value);
}

struct notice *notice_list_add(struct notice_list *list)
{
    if (list->count == list->room) {
        list->room = list->room == 0 ? 4 : list->room * 2;
        list->at = mem_resize(list->at, list->room, sizeof *list->at);
    }
    struct notice *fresh = &list->at[list->count++];
    *fresh = (struct notice){0};
    return fresh;
}

void notice_list_done(struct notice_list *list)
{
    free(list->at);
    *list = (struct notice_list){0};
}

void reading_done(struct reading *reading)
{
    sighting_list_done(&reading->sightings);
    notice_list_done(&reading->notices);
}

void reading_refuse(struct reading *reading, enum cloud_error kind, const struct error *why)
{
    reading->refused = true;
    reading->kind = kind;
    reading->error = *why;
}

static int by_ref(const void *a, const void *b)
{
    const struct sighting *const *x = a, *const *y = b;
    return strcasecmp((*x)->ref, (*y)->ref);
}

void sighting_list_keep_notices(struct sighting_list *list, const struct notice_list *notices)
{
    OWNED(mem_drop) struct sighting **sorted = mem_new(list->count + 1, sizeof *sorted);
    for (size_t i = 0; i < list->count; i++)
        sorted[i] = &list->at[i];
    qsort(sorted, list->count, sizeof *sorted, by_ref);
    for (size_t n = 0; n < notices->count; n++) {
        struct sighting wanted;
        struct sighting *const key = &wanted;
        memcpy(wanted.ref, notices->at[n].ref, sizeof wanted.ref);
        struct sighting **found = bsearch(&key, sorted, list->count, sizeof *sorted, by_ref);
        if (found == NULL)
            continue;
        struct notice *kept = notice_list_add(&list->notices);
        *kept = notices->at[n];
        memcpy(kept->ref, (*found)->ref, sizeof kept->ref); /* Azure keeps no capitals */
    }
}
