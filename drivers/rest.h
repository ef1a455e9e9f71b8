/* What every cloud's driver shares: where an endpoint is, forms, and sending with the errors turned
 * into the words of driver.h. */
#ifndef MUSTER_DRIVERS_REST_H
#define MUSTER_DRIVERS_REST_H

#include "drivers/driver.h"
#include "lib/base/text.h"
#include "lib/net/http.h"

struct endpoint {
    char url[256];  /* scheme://host[:port]/ */
    char host[256]; /* as the Host header says it: with the port unless it is the scheme's own */
};

/* Refuses anything but https, or http to loopback; no path, no user. */
enum outcome endpoint_parse(const char *url, struct endpoint *out, struct error *err);

bool endpoint_is_loopback(const struct endpoint *endpoint);

/* The same for an address with a path, to which a proof of who we are is sent: https, or http to
 * this machine or to its metadata server. */
bool rest_url_is_safe(const char *url);

/* A form in the making: application/x-www-form-urlencoded, keys in the order given. */
struct form {
    const char *call; /* as the cloud's documents name it */
    bool makes;       /* after a server's error there may be something that was not there before */
    struct text body;
};
void form_done(struct form *form);
void form_add(struct form *form, const char *key, const char *value);
PRINTF(3, 4) void form_addf(struct form *form, const char *key, const char *format, ...);
/* A key of several parts: form_put(form, value, "Filter.%zu.Name", n). */
PRINTF(3, 4) void form_put(struct form *form, const char *value, const char *key_format, ...);

/* Which page of a list is asked for: by a token or an address, as the cloud has it. */
struct page {
    struct text at;   /* empty: the first */
    struct text mark; /* one that was asked for before */
    int turns, next_mark;
};
void page_done(struct page *page);

/* On to the page that `next` names, which it takes. A list that comes back to a page it was at
 * would go on for ever: it is left, at the latest after three times its circle. */
enum outcome page_turn(struct page *page, const char *call, struct text *next, struct error *err);

/* A list of machines in the making. When the limit of its calls is used up between two pages, what
 * was had is kept, and the next try goes on there: else a list of more pages than a limit has room
 * for would begin anew for ever. What is older than clouds may take to show a machine is no use. */
enum { LISTING_KEPT_MS = 120 * 1000 };
struct listing {
    struct page page;
    struct sighting_list list;
    bool is_whole;
    int64_t since_ms;
};
void listing_done(struct listing *listing);
void listing_begin(struct listing *listing); /* or go on with it */
/* How a try ended: any other trouble than a limit ends the list as well. */
enum outcome listing_tried(struct listing *listing, enum outcome outcome);
/* The whole list is handed over, and the listing is as new. */
void listing_take(struct listing *listing, struct sighting_list *out);

/* http_send, with a call that reached nobody as `server-error` and one that may have been done as
 * `ambiguous`; the text keeps what happened. */
enum outcome rest_send(struct http *http, const struct http_request *request,
                       struct http_answer *out, struct error *err);

#endif
