#include "lib/net/link_replies.h"

#include <assert.h>
#include <stdlib.h>

/* A few dozen rows: looking through them costs less than a table that is quick. */
struct row {
    uint64_t id;
    uint64_t age; /* the row's turn: smaller is older */
    bool used;
    bool answered;
    uint8_t type;
    struct bytes body;
};

struct link_replies {
    struct row *rows;
    size_t room;
    size_t bytes_most;
    size_t bytes_used;
    uint64_t turn;
};

struct link_replies *link_replies_new(size_t room, size_t bytes_most)
{
    struct link_replies *replies = NEW(struct link_replies);
    replies->rows = mem_new(room, sizeof *replies->rows);
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
    free(replies);
}

static struct row *row_of(struct link_replies *replies, uint64_t id)
{
    for (size_t i = 0; i < replies->room; i++)
        if (replies->rows[i].used && replies->rows[i].id == id)
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
    struct row *oldest = NULL;
    for (size_t i = 0; i < replies->room; i++) {
        struct row *row = &replies->rows[i];
        if (row->used && row->answered && (oldest == NULL || row->age < oldest->age))
            oldest = row;
    }
    return oldest;
}

static struct row *free_row(struct link_replies *replies)
{
    for (size_t i = 0; i < replies->room; i++)
        if (!replies->rows[i].used)
            return &replies->rows[i];
    struct row *row = oldest_answered(replies);
    if (row != NULL)
        row_clear(replies, row);
    return row;
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
    row = free_row(replies);
    if (row == NULL)
        return REQUEST_TOO_MANY;
    *row = (struct row){.id = id, .age = replies->turn++, .used = true};
    return REQUEST_NEW;
}

void link_replies_keep(struct link_replies *replies, uint64_t id, uint8_t type, struct span body)
{
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
    row->body = bytes_copy(body);
    replies->bytes_used += body.len;
}

void link_replies_forget(struct link_replies *replies, uint64_t id)
{
    struct row *row = row_of(replies, id);
    if (row != NULL)
        row_clear(replies, row);
}
