/* Which instances' holders are on this controller's link. Another controller that hears another
 * boot speak for one of them must know, for two machines cannot be one (trust.md section 9). */
#include <string.h>

#include "controller/desk.h"
#include "lib/base/log.h"

/* Who turned about twice is written as it is now. */
static enum outcome write_turned(struct desk *desk, struct error *err)
{
    struct uuid here[HOLDERS_MAX], left[HOLDERS_MAX];
    uint8_t keys[HOLDERS_MAX][SHA256_SIZE];
    size_t here_count = 0, left_count = 0;
    for (size_t i = 0; i < desk->turned_count; i++) {
        const struct guest *guest = map_get(desk->guests, &desk->turned[i]);
        if (guest == NULL) {
            left[left_count++] = desk->turned[i];
            continue;
        }
        memcpy(keys[here_count], link_peer_fingerprint(guest->peer), SHA256_SIZE);
        here[here_count++] = desk->turned[i];
    }
    if (here_count > 0)
        TRY(holder_store_put(desk->db, here, keys[0], here_count, desk->actor, err));
    if (left_count > 0)
        TRY(holder_store_leave(desk->db, left, left_count, desk->actor, err));
    desk->turned_count = 0;
    return OK;
}

/* What cannot be written is kept for the next tick. When there is no room for more, a put is lost
 * until its holder's next verdict, a leave until somebody asks. */
static void flush(struct desk *desk)
{
    struct error err = {0};
    if (desk->turned_count > 0 && write_turned(desk, &err) != OK)
        log_error("holders.not-kept", &err);
}

void holders_note(struct desk *desk, const struct uuid *instance)
{
    if (desk->stopping)
        return;
    if (desk->turned_count == HOLDERS_MAX)
        flush(desk);
    if (desk->turned_count == HOLDERS_MAX)
        desk->turned_count = 0;
    desk->turned[desk->turned_count++] = *instance;
}

/* Those asked for who are not here have left without a word in the database. */
static enum outcome tell_asked(struct desk *desk, struct error *err)
{
    struct uuid told[HOLDERS_MAX];
    size_t count = 0;
    OWNED(asked_holder_list_done) struct asked_holder_list asked = {0};
    TRY(holder_store_asked(desk->db, desk->actor, &asked, err));
    for (size_t i = 0; i < asked.count; i++) {
        struct guest *guest = map_get(desk->guests, &asked.at[i].instance);
        told[count++] = asked.at[i].instance;
        if (guest == NULL)
            holders_note(desk, &asked.at[i].instance);
        else
            error_ignore(guest_demand(guest, asked.at[i].why, NULL));
    }
    return count > 0 ? holder_store_told(desk->db, told, count, desk->actor, err) : OK;
}

void holders_tick(struct desk *desk)
{
    struct error err = {0};
    if (tell_asked(desk, &err) != OK)
        log_error("holders.not-asked", &err);
    flush(desk);
}

void holders_leave(struct desk *desk)
{
    struct error err = {0};
    desk->turned_count = 0;
    if (holder_store_leave_all(desk->db, desk->actor, &err) != OK)
        log_error("holders.not-kept", &err);
}
