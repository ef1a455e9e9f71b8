/* What was answered to the last requests, so that one that comes twice is answered from memory and
 * done once. One for each party that sends requests with ids; used by one thread at a time. */
#ifndef MUSTER_NET_LINK_REPLIES_H
#define MUSTER_NET_LINK_REPLIES_H

#include "lib/base/bytes.h"

struct link_replies;

/* Remembers `room` requests, and replies of `bytes_most` in all. The oldest answered go first. */
struct link_replies *link_replies_new(size_t room, size_t bytes_most);
void link_replies_free(struct link_replies *replies);
DROP(link_replies_drop, struct link_replies, link_replies_free)

enum link_request {
    REQUEST_NEW,      /* do it, then link_replies_keep() or link_replies_forget() */
    REQUEST_UNDERWAY, /* came before and is being worked on: say nothing */
    REQUEST_ANSWERED, /* send *out_type and *out_body again */
    REQUEST_TOO_MANY, /* `room` requests are under way: refuse it */
};

/* `out_body` is valid until the next call. */
enum link_request link_replies_ask(struct link_replies *replies, uint64_t id, uint8_t *out_type,
                                   struct span *out_body);
/* The answer to a request that was new; takes over `body`. One over bytes_most is not kept, its id
 * is: the request is not done again, and *out_body comes empty with type 0. */
void link_replies_keep(struct link_replies *replies, uint64_t id, uint8_t type, struct bytes body);
/* It was not done after all and may come again. */
void link_replies_forget(struct link_replies *replies, uint64_t id);

#endif
