/* Whoever a charter distrusts is asked for new evidence at once, and not all at once: keepers
 * refuse them already, and the new verdict says so to everybody else. */
#include "controller/desk.h"
#include "db/distrust_store.h"
#include "lib/base/log.h"

enum { RECALLS_A_TICK = 20, REST_TICKS = 5 };

/* Of those who are due the ones that are here; others are on other controllers, or come back. */
static enum outcome recall(struct desk *desk, struct error *err)
{
    struct uuid asked[RECALLS_A_TICK];
    size_t count = 0;
    OWNED(due_instance_list_done) struct due_instance_list due = {0};
    const struct uuid *after = uuid_is_zero(&desk->recalled) ? NULL : &desk->recalled;
    TRY(distrust_store_due(desk->db, after, RECALLS_A_TICK, &due, err));
    for (size_t i = 0; i < due.count; i++) {
        struct guest *guest = map_get(desk->guests, &due.at[i].instance);
        if (guest == NULL)
            continue;
        error_ignore(guest_demand(guest, "distrust", NULL));
        asked[count++] = due.at[i].instance;
    }
    desk->recalled =
        due.count == RECALLS_A_TICK ? due.at[due.count - 1].instance : (struct uuid){0};
    return count > 0 ? distrust_store_asked(desk->db, asked, count, err) : OK;
}

void recall_due(struct desk *desk)
{
    struct error err = {0};
    if (desk->recall_in_ticks-- > 0)
        return;
    desk->recall_in_ticks = 0;
    if (recall(desk, &err) != OK)
        log_error("recall.failed", &err);
    if (uuid_is_zero(&desk->recalled)) /* everybody was looked at */
        desk->recall_in_ticks = REST_TICKS;
}
