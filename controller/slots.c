#include "controller/slots.h"

#include <stdlib.h>
#include <string.h>

#include "controller/desk.h"
#include "db/controller_store.h"
#include "drivers/manners.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum {
    COUNT_TICKS = 10, /* between two looks at how many controllers there are */
    RENEW_LEAST_SECONDS = 30,
    RENEW_MOST_SECONDS = 3600,
};

struct slot *slot_new(struct guest *guest)
{
    struct slot *slot = NEW(struct slot);
    slot->desk = guest->desk;
    slot->guest = guest;
    slot->owners = 1;
    return slot;
}

struct slot *slot_share(struct slot *slot)
{
    slot->owners++;
    return slot;
}

static void forget_request(struct slot *slot)
{
    record_done(&attest_begin_record, &slot->begin);
}

void slot_free(struct slot *slot)
{
    if (--slot->owners > 0)
        return;
    admission_end(slot->desk->admission, &slot->applicant, clock_monotonic_ms());
    forget_request(slot);
    free(slot);
}

/* ---- asking -------------------------------------------------------------------------------- */

/* What is known of it, not what it says. */
static void describe(struct guest *guest)
{
    struct applicant *who = &guest->slot->applicant;
    const struct moment until = guest->good_until;
    who->good_until_ms = clock_monotonic_ms() + (until.us - clock_now().us) / 1000;
    memcpy(who->key, link_peer_fingerprint(guest->peer), sizeof who->key);
    if (guest->claim == CLAIM_OTHER) {
        who->class = APPLICANT_STRANGER;
        memset(who->key, 0, sizeof who->key); /* all claimants of an instance have one place */
        memcpy(who->key, guest->instance.at, sizeof guest->instance.at);
    } else if (guest->demanded) {
        who->class = APPLICANT_DEMANDED;
    } else {
        who->class = guest->claim == CLAIM_FIRST ? APPLICANT_FIRST : APPLICANT_RENEWAL;
    }
}

/* Its turn has come: the time in which it must prove itself begins (trust.md section 4). */
static void begin(struct slot *slot)
{
    struct guest *guest = slot->guest;
    guest->demanded = false;
    link_peer_extend(guest->peer);
    guest_challenge(guest, slot->id, &slot->begin);
    forget_request(slot);
}

static void put_off(struct slot *slot, int64_t after_ms)
{
    struct guest *guest = slot->guest;
    link_peer_extend(guest->peer);
    metric_add(METRIC_SLOTS_PUT_OFF, 1);
    guest->busy = false;
    guest_put_off(guest, slot->id, after_ms);
    forget_request(slot);
}

void slots_ask(struct guest *guest, uint64_t id, struct attest_begin *wish)
{
    struct slot *slot = guest->slot;
    int64_t after_ms = 0;
    describe(guest);
    forget_request(slot);
    slot->id = id;
    slot->begin = *wish;
    *wish = (struct attest_begin){0};
    guest->busy = true;
    guest->challenged = false;
    switch (
        admission_ask(guest->desk->admission, &slot->applicant, clock_monotonic_ms(), &after_ms)) {
    case APPLICANT_ADMITTED:
        begin(slot);
        return;
    case APPLICANT_HELD:
        return;
    case APPLICANT_AWAY:
    case APPLICANT_IDLE:
        put_off(slot, after_ms);
        return;
    }
}

bool slots_has_place(struct guest *guest)
{
    struct applicant *who = &guest->slot->applicant;
    int64_t after_ms;
    if (who->state == APPLICANT_ADMITTED)
        return true;
    describe(guest);
    if (admission_ask(guest->desk->admission, who, clock_monotonic_ms(), &after_ms) ==
        APPLICANT_ADMITTED)
        return true;
    slots_end(guest);
    return false;
}

void slots_end(struct guest *guest)
{
    admission_end(guest->desk->admission, &guest->slot->applicant, clock_monotonic_ms());
}

/* ---- turns --------------------------------------------------------------------------------- */

static struct slot *slot_of(struct applicant *who)
{
    return (struct slot *)who;
}

void slots_run(struct desk *desk)
{
    const int64_t now = clock_monotonic_ms();
    int64_t after_ms;
    for (struct applicant *who; (who = admission_next(desk->admission, now)) != NULL;)
        begin(slot_of(who));
    for (struct applicant *who; (who = admission_overdue(desk->admission, now, &after_ms)) != NULL;)
        put_off(slot_of(who), after_ms);
}

/* Several controllers over one database have the same keepers: each takes its part. One that is new
 * is counted by the others within seconds, one that is gone no more after half a minute. */
static int64_t share_of(const struct desk *desk, int64_t per_keeper)
{
    const int64_t keepers = desk->keepers_connected > 0 ? desk->keepers_connected : 1;
    const int64_t share = per_keeper * keepers / (desk->controllers > 0 ? desk->controllers : 1);
    return share > 0 ? share : 1;
}

struct admission_limits slots_limits(const struct desk *desk)
{
    const int64_t at_once = desk->settings->appraisals_at_once;
    const int64_t per_second = desk->settings->appraisals_per_second;
    return (struct admission_limits){
        .at_once = share_of(desk, at_once > 0 ? at_once : APPRAISALS_AT_ONCE),
        .per_second = share_of(desk, per_second > 0 ? per_second : APPRAISALS_PER_SECOND),
    };
}

static void count_controllers(struct desk *desk)
{
    struct error err = {0};
    if (desk->count_in_ticks-- > 0)
        return;
    desk->count_in_ticks = COUNT_TICKS;
    if (controller_store_seen(desk->db, desk->actor, &desk->controllers, &err) == OK) {
        manners_share(desk->controllers); /* clouds' limits are divided as keepers' slots are */
        return;
    }
    log_error("controllers.not-counted", &err);
    desk->count_in_ticks = 0; /* the others would take us for gone */
}

void slots_tick(struct desk *desk)
{
    count_controllers(desk);
    const struct admission_limits limits = slots_limits(desk);
    admission_limit(desk->admission, &limits);
    admission_tick(desk->admission, clock_monotonic_ms());
    metric_set(METRIC_SLOTS_TAKEN, (int64_t)admission_under_way(desk->admission));
    metric_set(METRIC_SLOTS_WAITING, (int64_t)admission_waiting(desk->admission));
}

int64_t slots_renewal(const struct uuid *instance, int64_t left)
{
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, SPAN_OF(instance->at), hash);
    const int64_t place = hash[0] << 8 | hash[1]; /* of 65536 */
    const int64_t most = RENEW_MOST_SECONDS * 100 / 80;
    const int64_t base = left < most ? left : most;
    const int64_t again = base * 60 / 100 + base * 20 / 100 * place / 65536;
    return again > RENEW_LEAST_SECONDS ? again : RENEW_LEAST_SECONDS;
}
