/* The link's frames as bytes: u32 body length, u8 type, u64 id, body. No I/O, so it fuzzes easily.
 */
#ifndef MUSTER_NET_LINK_FRAME_H
#define MUSTER_NET_LINK_FRAME_H

#include "lib/base/bytes.h"

enum {
    FRAME_HEAD_SIZE = 13,
    FRAMES_IDLE_ROOM = 512,       /* what a connection holds between frames: a heartbeat fits */
    FRAMES_BUSY_ROOM = 16 * 1024, /* at most that, while more than a heartbeat comes at once */
};

struct frame {
    uint8_t type;
    uint64_t id;
    struct span body;
};

void frame_head(uint8_t out[static FRAME_HEAD_SIZE], uint8_t type, uint64_t id, size_t body_len);

/* Bytes as they come, cut into frames. Zero-initialise. It never holds more than twice what has
 * really come, whatever a length field claims. */
struct frames {
    uint8_t *at;
    size_t first, end, room; /* at[first..end) came and was not taken yet */
    size_t need;             /* bytes of the frame that is coming, 0 while its head is not here */
    size_t last;             /* how many came the last time */
};

void frames_done(struct frames *f);
/* Where the next bytes go; at least one fits. Then say how many came. */
uint8_t *frames_room(struct frames *f, size_t *out_room);
void frames_came(struct frames *f, size_t count);

/* The next whole frame, if it is there; its body is valid until the next frames_room(). A length
 * over `body_most` is ERR_INVALID "frame-too-large", before any of the body is waited for. */
enum outcome frames_next(struct frames *f, size_t body_most, struct frame *out, bool *out_whole,
                         struct error *err);

#endif
