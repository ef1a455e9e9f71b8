#include "controller/tick.h"

static bool has_changed(const struct tick *tick, const struct watch_counts *counts)
{
    return counts->moving > 0 || counts->vanished > 0 || counts->adopted > 0 || counts->ended > 0 ||
           counts->told > 0 || counts->machines != tick->machines;
}

int64_t tick_next_ms(struct tick *tick, const struct watch_counts *counts, int64_t usual_ms)
{
    int64_t wait_ms = tick->wait_ms * 2;
    if (has_changed(tick, counts))
        wait_ms = usual_ms / TICK_QUICKER;
    if (wait_ms == 0 || wait_ms > usual_ms * TICK_SLOWER)
        wait_ms = usual_ms * TICK_SLOWER;
    if (wait_ms < TICK_LEAST_MS)
        wait_ms = usual_ms < TICK_LEAST_MS ? usual_ms : TICK_LEAST_MS;
    *tick = (struct tick){.wait_ms = wait_ms, .machines = counts->machines};
    return wait_ms;
}
