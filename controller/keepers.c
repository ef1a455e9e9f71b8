#include "controller/keepers.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/metrics.h"

static enum outcome check_signer(const struct hello *hello, struct cert *const *roots,
                                 size_t root_count, struct keeper_seat *seat, struct error *err)
{
    OWNED(cert_drop) struct cert *signer = NULL;
    TRY(cert_from_pem(span_of_text(hello->signer), &signer, err));
    TRY(cert_check_role(signer, ROLE_KEEPER_SIGN, roots, root_count, clock_now(), err));
    cert_spki_sha256(signer, seat->signer);
    hex_encode(SPAN_OF(seat->signer), seat->name);
    return OK;
}

enum outcome keepers_welcome(struct keepers *keepers, struct link_peer *peer,
                             const struct hello *hello, struct cert *const *roots,
                             size_t root_count, struct keeper_seat **out, struct error *err)
{
    int realm;
    struct keeper_seat seat = {.charter_serial = hello->charter_serial};
    if (link_peer_role(peer) != ROLE_KEEPER_LINK)
        return fail_code(err, ERR_DENIED, "wrong-role", "its certificate is not a keeper's");
    if (hello->protocol != KEEPER_PROTOCOL || hello->role != LINK_ROLE_KEEPER)
        return fail_code(err, ERR_INVALID, "wrong-protocol",
                         "protocol %d and role keeper are spoken here", KEEPER_PROTOCOL);
    if (hello->signer == NULL || span_is_zero(SPAN_OF(hello->boot_id)))
        return fail_at(err, ERR_INVALID, "missing-member",
                       hello->signer == NULL ? "/signer" : "/boot_id",
                       "a keeper says its boot id and its signer");
    TRY(name_parse(&realm_names, hello->realm, &realm, err));
    seat.realm = (enum realm)realm;
    memcpy(seat.boot_id, hello->boot_id, sizeof seat.boot_id);
    TRY(check_signer(hello, roots, root_count, &seat, err));
    if (keepers->count == KEEPERS_MOST)
        return fail_code(err, ERR_THROTTLED, "too-many", "%d keepers are here", KEEPERS_MOST);
    snprintf(seat.version, sizeof seat.version, "%s", hello->version);
    seat.peer = link_peer_share(peer);
    seat.heard_ms = clock_monotonic_ms();
    seat.ask_due_ms = seat.heard_ms + keepers->interval_ms;
    keepers->seats[keepers->count] = seat;
    *out = &keepers->seats[keepers->count++];
    metric_set(METRIC_KEEPERS_CONNECTED, (int64_t)keepers->count);
    return OK;
}

void keepers_lost(struct keepers *keepers, const struct link_peer *peer)
{
    for (size_t i = 0; i < keepers->count; i++) {
        if (keepers->seats[i].peer != peer)
            continue;
        link_peer_free(keepers->seats[i].peer);
        keepers->seats[i] = keepers->seats[--keepers->count];
        metric_set(METRIC_KEEPERS_CONNECTED, (int64_t)keepers->count);
        return;
    }
}

void keepers_done(struct keepers *keepers)
{
    while (keepers->count > 0)
        keepers_lost(keepers, keepers->seats[0].peer);
}

bool keepers_is_silent(const struct keepers *keepers, const struct keeper_seat *seat)
{
    return clock_monotonic_ms() - seat->heard_ms >= 2 * keepers->interval_ms;
}

void keepers_let_wait(struct keepers *keepers, const uint8_t boot_id[static 8])
{
    struct keeper_seat *seat = keepers_of_boot(keepers, boot_id);
    if (seat == NULL)
        return;
    seat->stuck_until_ms = clock_monotonic_ms() + KEEPER_STUCK_MS;
    LOG(WARN, "keeper.lets-wait", TEXT("keeper", seat->name));
}

static bool is_stuck(const struct keeper_seat *seat)
{
    return clock_monotonic_ms() < seat->stuck_until_ms;
}

enum outcome keepers_note(const struct keepers *keepers, const struct keeper_seat *seat,
                          struct db *db, const char *actor, struct error *err)
{
    struct keeper_row row = {
        .realm = seat->realm,
        .charter_serial = seat->charter_serial,
        .interval_seconds = keepers->interval_ms / 1000,
        .appraisals = seat->status.appraisals,
        .releases = seat->status.releases,
        .refusals = seat->status.refusals,
    };
    memcpy(row.boot_id, seat->boot_id, sizeof row.boot_id);
    memcpy(row.certificate, seat->signer, sizeof row.certificate);
    snprintf(row.name, sizeof row.name, "%.32s", seat->name);
    snprintf(row.version, sizeof row.version, "%s", seat->version);
    return keeper_store_seen(db, &row, actor, err);
}

struct keeper_seat *keepers_of_peer(struct keepers *keepers, const struct link_peer *peer)
{
    for (size_t i = 0; i < keepers->count; i++)
        if (keepers->seats[i].peer == peer)
            return &keepers->seats[i];
    return NULL;
}

struct keeper_seat *keepers_of_boot(struct keepers *keepers, const uint8_t boot_id[static 8])
{
    for (size_t i = 0; i < keepers->count; i++)
        if (memcmp(keepers->seats[i].boot_id, boot_id, 8) == 0 && !keepers->seats[i].distrusted)
            return &keepers->seats[i];
    return NULL;
}

static bool is_better(const struct keepers *keepers, const struct keeper_seat *seat,
                      const struct keeper_seat *than)
{
    const bool silent = keepers_is_silent(keepers, seat);
    if (silent != keepers_is_silent(keepers, than))
        return !silent;
    if (is_stuck(seat) != is_stuck(than))
        return !is_stuck(seat);
    if (seat->status.halted != than->status.halted)
        return !seat->status.halted;
    return seat->charter_serial > than->charter_serial;
}

enum outcome keepers_pick(struct keepers *keepers, struct keeper_seat **out, struct error *err)
{
    struct keeper_seat *best = NULL;
    for (size_t i = 0; i < keepers->count; i++)
        if (!keepers->seats[i].distrusted &&
            (best == NULL || is_better(keepers, &keepers->seats[i], best)))
            best = &keepers->seats[i];
    if (best == NULL && keepers->count > 0)
        return fail_code(err, ERR_UNREACHABLE, "keeper-distrusted",
                         "every keeper here said yes to what it must refuse");
    if (best == NULL)
        return fail_code(err, ERR_UNREACHABLE, "no-keeper", "no keeper is connected");
    *out = best;
    return OK;
}
