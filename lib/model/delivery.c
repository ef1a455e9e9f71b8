#include "lib/model/delivery.h"

static const char *const state_words[] = {
    "due", "sealed", "sent", "loaded", "failed", "withdrawn",
};
_Static_assert(countof(state_words) == DELIVERY_STATE_COUNT);
const struct names delivery_state_names = NAMES("delivery state", state_words);

static const char *const event_words[] = {
    "released", "handed", "confirmed", "refused", "renewed", "called-off",
};
_Static_assert(countof(event_words) == DELIVERY_EVENT_COUNT);
const struct names delivery_event_names = NAMES("delivery event", event_words);

/* clang-format off */
static const struct step steps[] = {
    /* from             on                   to                  because */
    {DELIVERY_DUE,     DELIVERY_RELEASED,   DELIVERY_SEALED,    "the keeper sealed it to the guest"},
    {DELIVERY_DUE,     DELIVERY_REFUSED,    DELIVERY_FAILED,    "the keeper refused"},
    {DELIVERY_DUE,     DELIVERY_RENEWED,    DELIVERY_DUE,       "still due"},
    {DELIVERY_DUE,     DELIVERY_CALLED_OFF, DELIVERY_WITHDRAWN, "no longer wanted"},

    {DELIVERY_SEALED,  DELIVERY_HANDED,     DELIVERY_SENT,      "the envelope went out"},
    {DELIVERY_SEALED,  DELIVERY_REFUSED,    DELIVERY_FAILED,    "it could not be sent"},
    {DELIVERY_SEALED,  DELIVERY_RENEWED,    DELIVERY_DUE,       "the guest has another key now"},
    {DELIVERY_SEALED,  DELIVERY_CALLED_OFF, DELIVERY_WITHDRAWN, "no longer wanted"},

    {DELIVERY_SENT,    DELIVERY_CONFIRMED,  DELIVERY_LOADED,    "the guest uses it"},
    {DELIVERY_SENT,    DELIVERY_REFUSED,    DELIVERY_FAILED,    "the guest could not use it"},
    {DELIVERY_SENT,    DELIVERY_RENEWED,    DELIVERY_DUE,       "no answer, or another key"},
    {DELIVERY_SENT,    DELIVERY_CALLED_OFF, DELIVERY_WITHDRAWN, "no longer wanted"},

    {DELIVERY_LOADED,  DELIVERY_RENEWED,    DELIVERY_DUE,       "it booted anew and holds nothing"},
    {DELIVERY_LOADED,  DELIVERY_CALLED_OFF, DELIVERY_WITHDRAWN, "superseded, or the instance is gone"},

    {DELIVERY_FAILED,  DELIVERY_RENEWED,    DELIVERY_DUE,       "once more"},
    {DELIVERY_FAILED,  DELIVERY_CALLED_OFF, DELIVERY_WITHDRAWN, "given up"},
};

static const struct field fields[] = {
    FIELD(delivery, id,             FIELD_UUID),
    FIELD(delivery, project,        FIELD_TEXT),
    FIELD(delivery, instance,       FIELD_UUID),
    FIELD(delivery, secret,         FIELD_UUID),
    FIELD(delivery, name,           FIELD_TEXT),
    FIELD(delivery, version,        FIELD_INT),
    FIELD(delivery, secret_version, FIELD_UUID),
    FIELD(delivery, state,          FIELD_NAME, .names = &delivery_state_names),
    FIELD(delivery, state_since,    FIELD_MOMENT),
    FIELD(delivery, reason,         FIELD_TEXT),
    FIELD(delivery, verdict_id,     FIELD_UUID),
    FIELD(delivery, sealing_key,    FIELD_HEX),
    FIELD(delivery, report_id,      FIELD_HEX),
    FIELD(delivery, envelope,       FIELD_BYTES, .flags = FIELD_HIDDEN),
    FIELD(delivery, sequence,       FIELD_INT),
    FIELD(delivery, loaded_check,   FIELD_HEX),
    FIELD(delivery, failures,       FIELD_INT),
    FIELD(delivery, lease_holder,   FIELD_TEXT, .flags = FIELD_HIDDEN),
    FIELD(delivery, lease_until,    FIELD_MOMENT, .flags = FIELD_HIDDEN),
    FIELD(delivery, next_due,       FIELD_MOMENT),
    FIELD(delivery, epoch,          FIELD_INT),
    FIELD(delivery, created,        FIELD_MOMENT),
    FIELD(delivery, sent_at,        FIELD_MOMENT),
    FIELD(delivery, loaded_at,      FIELD_MOMENT),
};
/* clang-format on */
const struct machine delivery_machine =
    MACHINE("delivery", &delivery_state_names, &delivery_event_names, steps, DELIVERY_DUE);
const struct record delivery_record = RECORD(delivery, fields);

void delivery_done(struct delivery *delivery)
{
    record_done(&delivery_record, delivery);
}
