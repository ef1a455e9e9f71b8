#include "lib/model/brake.h"

bool vanishing_is_mass(const struct vanishing *seen)
{
    return seen->missing > BRAKE_LEAST && seen->missing * 100 > seen->settled * BRAKE_PERCENT;
}

bool vanishing_is_believed(const struct vanishing *seen)
{
    const int64_t hold = seen->hold_seconds > 0 ? seen->hold_seconds : BRAKE_SECONDS;
    return seen->believed || (seen->looks >= BRAKE_LOOKS && seen->held_seconds >= hold);
}

bool vanishing_is_held(const struct vanishing *seen)
{
    return vanishing_is_mass(seen) && !vanishing_is_believed(seen);
}
