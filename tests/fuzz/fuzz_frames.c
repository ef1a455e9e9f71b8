/* The link's frame parser: the first two bytes choose the bound and how the rest is cut. */
#include <stdlib.h>
#include <string.h>

#include "lib/net/link_frame.h"
#include "tests/fuzz/fuzz.h"

/* Take whole frames; false when one is refused. Reads every byte, so that a sanitizer sees it. */
static bool take_all(struct frames *frames, size_t most)
{
    for (;;) {
        struct frame frame;
        bool whole = false;
        if (frames_next(frames, most, &frame, &whole, NULL) != OK)
            return false;
        if (!whole)
            return true;
        if (frame.body.len > most)
            abort();
        volatile bool zero = span_is_zero(frame.body);
        (void)zero;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len < 2)
        return 0;
    size_t most = (size_t)at[0] * 64;
    size_t cut = (size_t)at[1] * 8 + 1;
    struct span left = SPAN(at + 2, len - 2);
    struct frames frames = {0};
    bool fine = true;
    while (left.len > 0 && fine) {
        size_t room = 0;
        uint8_t *to = frames_room(&frames, &room);
        size_t n = cut < room ? cut : room;
        n = n < left.len ? n : left.len;
        if (n == 0 || frames.room > 2 * len + FRAMES_IDLE_ROOM)
            abort(); /* no room, or more than came */
        memcpy(to, left.at, n);
        frames_came(&frames, n);
        left = span_part(left, n, left.len);
        fine = take_all(&frames, most);
    }
    frames_done(&frames);
    return 0;
}
