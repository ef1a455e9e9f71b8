#include "lib/net/link_frame.h"

#include <stdlib.h>
#include <string.h>

void frame_head(uint8_t out[static FRAME_HEAD_SIZE], uint8_t type, uint64_t id, size_t body_len)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(body_len >> (24 - 8 * i));
    out[4] = type;
    for (int i = 0; i < 8; i++)
        out[5 + i] = (uint8_t)(id >> (56 - 8 * i));
}

void frames_done(struct frames *f)
{
    free(f->at);
    *f = (struct frames){0};
}

static void resize(struct frames *f, size_t room)
{
    size_t held = f->end - f->first;
    uint8_t *at = mem_new(room, 1);
    if (held > 0)
        memcpy(at, f->at + f->first, held);
    free(f->at);
    *f = (struct frames){.at = at, .end = held, .room = room, .need = f->need, .last = f->last};
}

/* Whoever sends large frames one after the other is read in as many turns, and not in five each. */
static size_t room_between(const struct frames *f)
{
    if (f->last <= FRAMES_IDLE_ROOM)
        return FRAMES_IDLE_ROOM;
    return f->room < FRAMES_BUSY_ROOM ? f->room : FRAMES_BUSY_ROOM;
}

uint8_t *frames_room(struct frames *f, size_t *out_room)
{
    size_t held = f->end - f->first;
    if (held == 0 && f->room != room_between(f)) {
        resize(f, room_between(f));
    } else if (held == f->room) {
        size_t room = held * 2;
        if (f->need > held && room > f->need)
            room = f->need;
        resize(f, room);
    } else if (f->first > 0) {
        memmove(f->at, f->at + f->first, held);
        f->first = 0;
        f->end = held;
    }
    *out_room = f->room - f->end;
    return f->at + f->end;
}

void frames_came(struct frames *f, size_t count)
{
    f->end += count;
    f->last = count;
}

enum outcome frames_next(struct frames *f, size_t body_most, struct frame *out, bool *out_whole,
                         struct error *err)
{
    *out_whole = false;
    f->need = 0;
    size_t held = f->end - f->first;
    if (held < FRAME_HEAD_SIZE)
        return OK;
    struct reader in = reader_of(SPAN(f->at + f->first, held));
    size_t len = read_u32be(&in);
    if (len > body_most)
        return fail_code(err, ERR_INVALID, "frame-too-large", "a frame of %zu bytes, %zu allowed",
                         len, body_most);
    f->need = FRAME_HEAD_SIZE + len;
    if (held < f->need)
        return OK;
    out->type = read_u8(&in);
    out->id = read_u64be(&in);
    out->body = read_span(&in, len);
    f->first += f->need;
    f->need = 0;
    *out_whole = true;
    return OK;
}
