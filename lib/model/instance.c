#include "lib/model/instance.h"

#include <stdio.h>

static const char *const phase_words[] = {
    "requested", "launching", "booting",     "running",    "draining", "stopping",
    "stopped",   "starting",  "terminating", "terminated", "failed",
};
_Static_assert(countof(phase_words) == PHASE_COUNT);
const struct names phase_names = NAMES("phase", phase_words);

static const char *const phase_event_words[] = {
    "claimed", "launched", "hello", "failed",  "retry",    "drain",     "resume",
    "stop",    "stopped",  "start", "started", "vanished", "terminate", "gone",
};
_Static_assert(countof(phase_event_words) == EVENT_COUNT);
const struct names phase_event_names = NAMES("event", phase_event_words);

static const char *const trust_words[] = {
    "unknown", "pending", "trusted", "stale", "rejected", "quarantined",
};
_Static_assert(countof(trust_words) == TRUST_COUNT);
const struct names trust_names = NAMES("trust", trust_words);

static const char *const trust_event_words[] = {
    "challenged", "passed", "refused", "expired", "rebooted", "set-apart", "let-back",
};
_Static_assert(countof(trust_event_words) == TRUST_EVENT_COUNT);
const struct names trust_event_names = NAMES("trust event", trust_event_words);

static const char *const wanted_words[] = {"run", "stop", "gone"};
_Static_assert(countof(wanted_words) == WANTED_COUNT);
const struct names wanted_names = NAMES("wish", wanted_words);

static const char *const intent_words[] = {"none", "launch", "stop", "start", "terminate"};
_Static_assert(countof(intent_words) == INTENT_COUNT);
const struct names intent_names = NAMES("intent", intent_words);

static const char *const doubt_words[] = {"none", "other-machine", "other-image"};
_Static_assert(countof(doubt_words) == DOUBT_COUNT);
const struct names doubt_names = NAMES("doubt", doubt_words);

/* clang-format off */
static const struct step phase_steps[] = {
    /* from              on               to                 because */
    {PHASE_REQUESTED,   EVENT_CLAIMED,   PHASE_LAUNCHING,   "a worker took it and committed the launch"},
    {PHASE_REQUESTED,   EVENT_FAILED,    PHASE_FAILED,      "its place has no room"},
    {PHASE_REQUESTED,   EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_LAUNCHING,   EVENT_LAUNCHED,  PHASE_BOOTING,     "the cloud gave it an id"},
    {PHASE_LAUNCHING,   EVENT_FAILED,    PHASE_FAILED,      "the cloud refused it"},
    {PHASE_LAUNCHING,   EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_BOOTING,     EVENT_HELLO,     PHASE_RUNNING,     "its agent spoke"},
    {PHASE_BOOTING,     EVENT_FAILED,    PHASE_FAILED,      "its agent never spoke"},
    {PHASE_BOOTING,     EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_BOOTING,     EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_RUNNING,     EVENT_DRAIN,     PHASE_DRAINING,    "it shall stop taking work"},
    {PHASE_RUNNING,     EVENT_STOP,      PHASE_STOPPING,    "it shall stop at once"},
    {PHASE_RUNNING,     EVENT_FAILED,    PHASE_FAILED,      "its agent went silent"},
    {PHASE_RUNNING,     EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_RUNNING,     EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_DRAINING,    EVENT_RESUME,    PHASE_RUNNING,     "the move was called off"},
    {PHASE_DRAINING,    EVENT_STOP,      PHASE_STOPPING,    "it is drained"},
    {PHASE_DRAINING,    EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_DRAINING,    EVENT_TERMINATE, PHASE_TERMINATING, "it is drained and no longer wanted"},

    {PHASE_STOPPING,    EVENT_STOPPED,   PHASE_STOPPED,     "the cloud says it stopped"},
    {PHASE_STOPPING,    EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_STOPPING,    EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_STOPPED,     EVENT_START,     PHASE_STARTING,    "it shall run again"},
    {PHASE_STOPPED,     EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_STOPPED,     EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_STARTING,    EVENT_STARTED,   PHASE_BOOTING,     "the cloud says it runs"},
    {PHASE_STARTING,    EVENT_FAILED,    PHASE_FAILED,      "the cloud would not start it"},
    {PHASE_STARTING,    EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_STARTING,    EVENT_TERMINATE, PHASE_TERMINATING, "no longer wanted"},

    {PHASE_FAILED,      EVENT_RETRY,     PHASE_REQUESTED,   "no machine came of it; once more with a new token"},
    {PHASE_FAILED,      EVENT_HELLO,     PHASE_RUNNING,     "its agent spoke after all"},
    {PHASE_FAILED,      EVENT_VANISHED,  PHASE_TERMINATED,  "the cloud has it no more"},
    {PHASE_FAILED,      EVENT_TERMINATE, PHASE_TERMINATING, "given up"},

    {PHASE_TERMINATING, EVENT_GONE,      PHASE_TERMINATED,  "the cloud says it is gone"},
};

static const struct step trust_steps[] = {
    /* from              on                to                  because */
    {TRUST_UNKNOWN,     TRUST_CHALLENGED, TRUST_PENDING,     "evidence was asked for"},
    {TRUST_UNKNOWN,     TRUST_PASSED,     TRUST_TRUSTED,     "a verdict accepts it"},
    {TRUST_UNKNOWN,     TRUST_REFUSED,    TRUST_REJECTED,    "a verdict rejects it"},
    {TRUST_UNKNOWN,     TRUST_SET_APART,  TRUST_QUARANTINED, "set apart"},

    {TRUST_PENDING,     TRUST_CHALLENGED, TRUST_PENDING,     "evidence was asked for again"},
    {TRUST_PENDING,     TRUST_PASSED,     TRUST_TRUSTED,     "a verdict accepts it"},
    {TRUST_PENDING,     TRUST_REFUSED,    TRUST_REJECTED,    "a verdict rejects it"},
    {TRUST_PENDING,     TRUST_REBOOTED,   TRUST_PENDING,     "it booted anew before it was judged"},
    {TRUST_PENDING,     TRUST_SET_APART,  TRUST_QUARANTINED, "set apart"},

    {TRUST_TRUSTED,     TRUST_CHALLENGED, TRUST_TRUSTED,     "renewal: the old verdict still stands"},
    {TRUST_TRUSTED,     TRUST_PASSED,     TRUST_TRUSTED,     "renewed"},
    {TRUST_TRUSTED,     TRUST_REFUSED,    TRUST_REJECTED,    "a verdict rejects it"},
    {TRUST_TRUSTED,     TRUST_EXPIRED,    TRUST_STALE,       "the verdict ran out"},
    {TRUST_TRUSTED,     TRUST_REBOOTED,   TRUST_PENDING,     "it booted anew"},
    {TRUST_TRUSTED,     TRUST_SET_APART,  TRUST_QUARANTINED, "set apart"},

    {TRUST_STALE,       TRUST_CHALLENGED, TRUST_STALE,       "asking does not make it fresh"},
    {TRUST_STALE,       TRUST_PASSED,     TRUST_TRUSTED,     "a verdict accepts it"},
    {TRUST_STALE,       TRUST_REFUSED,    TRUST_REJECTED,    "a verdict rejects it"},
    {TRUST_STALE,       TRUST_REBOOTED,   TRUST_PENDING,     "it booted anew"},
    {TRUST_STALE,       TRUST_SET_APART,  TRUST_QUARANTINED, "set apart"},

    {TRUST_REJECTED,    TRUST_CHALLENGED, TRUST_REJECTED,    "asking does not lift a rejection"},
    {TRUST_REJECTED,    TRUST_PASSED,     TRUST_TRUSTED,     "a verdict accepts it now"},
    {TRUST_REJECTED,    TRUST_REFUSED,    TRUST_REJECTED,    "rejected again"},
    {TRUST_REJECTED,    TRUST_REBOOTED,   TRUST_REJECTED,    "a boot does not lift a rejection"},
    {TRUST_REJECTED,    TRUST_SET_APART,  TRUST_QUARANTINED, "set apart"},

    {TRUST_QUARANTINED, TRUST_CHALLENGED, TRUST_QUARANTINED, "it may be looked at"},
    {TRUST_QUARANTINED, TRUST_PASSED,     TRUST_QUARANTINED, "a verdict does not lift a quarantine"},
    {TRUST_QUARANTINED, TRUST_REFUSED,    TRUST_QUARANTINED, "nor does it deepen it"},
    {TRUST_QUARANTINED, TRUST_REBOOTED,   TRUST_QUARANTINED, "nor does a boot"},
    {TRUST_QUARANTINED, TRUST_LET_BACK,   TRUST_UNKNOWN,     "a person let it back"},
};
/* clang-format on */

const struct machine phase_machine =
    MACHINE("phase", &phase_names, &phase_event_names, phase_steps, PHASE_REQUESTED);
const struct machine trust_machine =
    MACHINE("trust", &trust_names, &trust_event_names, trust_steps, TRUST_UNKNOWN);

/* clang-format off */
static const struct field fields[] = {
    FIELD(instance, id,                 FIELD_UUID),
    FIELD(instance, project,            FIELD_TEXT),
    FIELD(instance, fleet,              FIELD_TEXT),
    FIELD(instance, account,            FIELD_TEXT),
    FIELD(instance, image,              FIELD_TEXT),
    FIELD(instance, size,               FIELD_TEXT),
    FIELD(instance, policy,             FIELD_TEXT),
    FIELD(instance, region,             FIELD_TEXT),
    FIELD(instance, zone,               FIELD_TEXT),
    FIELD(instance, phase,              FIELD_NAME, .names = &phase_names),
    FIELD(instance, phase_since,        FIELD_MOMENT),
    FIELD(instance, reason,             FIELD_TEXT),
    FIELD(instance, wanted,             FIELD_NAME, .names = &wanted_names),
    FIELD(instance, trust,              FIELD_NAME, .names = &trust_names),
    FIELD(instance, place_reason,       FIELD_TEXT),
    FIELD(instance, trust_reason,       FIELD_TEXT),
    FIELD(instance, trust_since,        FIELD_MOMENT),
    FIELD(instance, verdict_id,         FIELD_UUID),
    FIELD(instance, valid_until,        FIELD_MOMENT),
    FIELD(instance, renew_at,           FIELD_MOMENT),
    FIELD(instance, verified_at,        FIELD_MOMENT, .flags = FIELD_HIDDEN),
    FIELD(instance, level,              FIELD_INT),
    FIELD(instance, simulated,          FIELD_BOOL),
    FIELD(instance, cloud_ref,          FIELD_TEXT),
    FIELD(instance, machine_id,         FIELD_TEXT),
    FIELD(instance, image_ref,          FIELD_TEXT),
    FIELD(instance, doubt,              FIELD_NAME, .names = &doubt_names),
    FIELD(instance, doubt_since,        FIELD_MOMENT),
    FIELD(instance, client_token,       FIELD_TEXT, .flags = FIELD_HIDDEN),
    FIELD(instance, attempt,            FIELD_INT),
    FIELD(instance, intent,             FIELD_NAME, .names = &intent_names),
    FIELD(instance, address,            FIELD_TEXT),
    FIELD(instance, launched_at,        FIELD_MOMENT),
    FIELD(instance, settled_at,         FIELD_MOMENT, .flags = FIELD_HIDDEN),
    FIELD(instance, epoch,              FIELD_INT),
    FIELD(instance, lease_holder,       FIELD_TEXT, .flags = FIELD_HIDDEN),
    FIELD(instance, lease_until,        FIELD_MOMENT, .flags = FIELD_HIDDEN),
    FIELD(instance, next_due,           FIELD_MOMENT),
    FIELD(instance, failures,           FIELD_INT),
    FIELD(instance, launch_ticket_hash, FIELD_HEX, .flags = FIELD_HIDDEN),
    FIELD(instance, ticket_used,        FIELD_MOMENT, .flags = FIELD_HIDDEN),
    FIELD(instance, ticket_key,         FIELD_HEX, .flags = FIELD_HIDDEN),
    FIELD(instance, ticket_until,       FIELD_MOMENT, .flags = FIELD_HIDDEN),
    FIELD(instance, link_key,           FIELD_HEX),
    FIELD(instance, sealing_key,        FIELD_HEX),
    FIELD(instance, anchor,             FIELD_HEX),
    FIELD(instance, report_id,          FIELD_HEX),
    FIELD(instance, created,            FIELD_MOMENT),
    FIELD(instance, updated,            FIELD_MOMENT),
    FIELD(instance, proven_at,          FIELD_MOMENT),
    FIELD(instance, spoiled_at,         FIELD_MOMENT),
    FIELD(instance, terminated_at,      FIELD_MOMENT),
    FIELD(instance, forgotten_at,       FIELD_MOMENT),
};
/* clang-format on */
const struct record instance_record = RECORD(instance, fields);

void instance_client_token(const struct uuid *id, int64_t attempt,
                           char out[static CLIENT_TOKEN_SIZE])
{
    snprintf(out, CLIENT_TOKEN_SIZE, "muster-%s-%lld", uuid_text(id).at, (long long)attempt);
}

bool phase_has_machine(enum phase phase)
{
    return phase != PHASE_REQUESTED && phase != PHASE_TERMINATED;
}

const char *instance_machine(const struct instance *instance)
{
    return instance->machine_id[0] != '\0' ? instance->machine_id : instance->cloud_ref;
}

bool instance_is_over(const struct instance *instance)
{
    return instance->phase == PHASE_TERMINATED;
}

enum trust instance_trust_at(const struct instance *instance, struct moment now)
{
    bool ran_out = instance->trust == TRUST_TRUSTED && instance->valid_until.us <= now.us;
    return ran_out ? TRUST_STALE : instance->trust;
}
