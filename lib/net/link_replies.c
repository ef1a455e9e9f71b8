#include "lib/net/link_replies.h"

#include <assert.h>
#include <stdlib.h>

/* A ring in the order of coming: the request of turn t stands in row t % room. */
struct row {
    bool used;
    bool answered;
    uint8_t type;
    struct bytes body;
};

struct link_replies {
    struct row *rows;
    uint64_t *ids; /* of the rows, apart: all are looked through for each request */
    size_t room;
    size_t bytes_most;
    size_t bytes_used;
    uint64_t turn;   /* the next one */
    uint64_t oldest; /* no row before it is used */
};

struct link_replies *link_replies_new(size_t room, size_t bytes_most)
{
    struct link_replies *replies = NEW(struct link_replies);
    replies->rows = mem_new(room, sizeof *replies->rows);
    replies->ids = mem_new(room, sizeof *replies->ids);
    replies->room = room;
    replies->bytes_most = bytes_most;
    return replies;
}

void link_replies_free(struct link_replies *replies)
{
    if (replies == NULL)
        return;
    for (size_t i = 0; i < replies->room; i++)
        bytes_done(&replies->rows[i].body);
    free(replies->rows);
    free(replies->ids);
    free(replies);
}

static struct row *row_of(struct link_replies *replies, uint64_t id)
{
    for (size_t i = 0; i < replies->room; i++)
        if (replies->ids[i] == id && replies->rows[i].used)
            return &replies->rows[i];
    return NULL;
}

static void row_clear(struct link_replies *replies, struct row *row)
{
    replies->bytes_used -= row->body.len;
    bytes_done(&row->body);
    *row = (struct row){0};
}

static struct row *oldest_answered(struct link_replies *replies)
{
    for (uint64_t turn = replies->oldest; turn < replies->turn; turn++) {
        struct row *row = &replies->rows[turn % replies->room];
        if (row->used && row->answered)
            return row;
        if (!row->used && turn == replies->oldest)
            replies->oldest++;
    }
    return NULL;
}

/* The row of the next turn that is not under way; what stood in it is the oldest. */
static struct row *next_row(struct link_replies *replies, uint64_t id)
{
    for (size_t i = 0; i < replies->room; i++) {
        const size_t at = replies->turn++ % replies->room;
        struct row *row = &replies->rows[at];
        if (replies->turn - replies->oldest > replies->room)
            replies->oldest = replies->turn - replies->room;
        if (row->used && !row->answered)
            continue;
        row_clear(replies, row);
        row->used = true;
        replies->ids[at] = id;
        return row;
    }
    return NULL;
}

enum link_request link_replies_ask(struct link_replies *replies, uint64_t id, uint8_t *out_type,
                                   struct span *out_body)
{
    struct row *row = row_of(replies, id);
    if (row != NULL && !row->answered)
        return REQUEST_UNDERWAY;
    if (row != NULL) {
        *out_type = row->type;
        *out_body = bytes_span(&row->body);
        return REQUEST_ANSWERED;
    }
    return next_row(replies, id) != NULL ? REQUEST_NEW : REQUEST_TOO_MANY;
}

void link_replies_keep(struct link_replies *replies, uint64_t id, uint8_t type, struct bytes body)
{
    OWNED(bytes_done) struct bytes ours = body;
    struct row *row = row_of(replies, id);
    if (row == NULL || row->answered)
        return;
    bool kept = body.len <= replies->bytes_most;
    while (kept && replies->bytes_used + body.len > replies->bytes_most) {
        struct row *oldest = oldest_answered(replies);
        assert(oldest != NULL); /* only answered rows hold bytes */
        row_clear(replies, oldest);
    }
    row->answered = true;
    if (!kept)
        return;
    row->type = type;
    row->body = bytes_take(&ours);
    replies->bytes_used += body.len;
}

void link_replies_forget(struct link_replies *replies, uint64_t id)
{
    struct row *row = row_of(replies, id);
    if (row != NULL)
        row_clear(replies, row);
}
