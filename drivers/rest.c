#include "drivers/rest.h"

#include <stdio.h>
#include <string.h>

/* Is it one of the names, with or without a port? */
static bool is_one_of(const char *host, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(names[i]);
        if (strncmp(host, names[i], len) == 0 && strchr(":/", host[len]) != NULL)
            return true; /* the end counts as one of them */
    }
    return false;
}

static bool is_loopback(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    return is_one_of(host, names, countof(names));
}

bool rest_url_is_safe(const char *url)
{
    static const char *const metadata[] = {"169.254.169.254", "metadata.google.internal"};
    const bool tls = strncmp(url, "https://", 8) == 0;
    if (!tls && strncmp(url, "http://", 7) != 0)
        return false;
    const char *host = url + (tls ? 8 : 7);
    size_t len = strcspn(host, "/?");
    if (len == 0 || strcspn(host, "@") < len || strcspn(host, "#\\ \t\r\n") != strlen(host))
        return false;
    return tls || is_loopback(host) || is_one_of(host, metadata, countof(metadata));
}

static bool is_default_port(bool tls, const char *port)
{
    return port != NULL && strcmp(port, tls ? ":443" : ":80") == 0;
}

enum outcome endpoint_parse(const char *url, struct endpoint *out, struct error *err)
{
    bool tls = strncmp(url, "https://", 8) == 0;
    if (!tls && strncmp(url, "http://", 7) != 0)
        return fail_code(err, ERR_INVALID, "bad-endpoint", "'%.100s' is no http address", url);
    const char *host = url + (tls ? 8 : 7);
    size_t len = strcspn(host, "/");
    if (len == 0 || len >= sizeof out->host - 16 || strcspn(host, "@?#\\ ") < len)
        return fail_code(err, ERR_INVALID, "bad-endpoint", "'%.100s' has no plain host", url);
    if (host[len] == '/' && host[len + 1] != '\0')
        return fail_code(err, ERR_INVALID, "bad-endpoint", "'%.100s' has a path", url);
    struct endpoint made;
    snprintf(made.host, sizeof made.host, "%.*s", (int)len, host);
    if (!tls && !is_loopback(made.host))
        return fail_code(err, ERR_INVALID, "bad-endpoint",
                         "'%.100s': without TLS only loopback is spoken to", url);
    snprintf(made.url, sizeof made.url, "%s://%.239s/", tls ? "https" : "http", made.host);
    char *port = strrchr(made.host, ':');
    if (is_default_port(tls, port))
        *port = '\0';
    *out = made;
    return OK;
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
    return is_loopback(endpoint->host);
}

void form_done(struct form *form)
{
    text_done(&form->body);
}

void form_add(struct form *form, const char *key, const char *value)
{
    if (form->body.len > 0)
        text_add(&form->body, "&");
    text_add_percent(&form->body, span_of_text(key));
    text_add(&form->body, "=");
    text_add_percent(&form->body, span_of_text(value));
}

void form_addf(struct form *form, const char *key, const char *format, ...)
{
    char value[512];
    va_list args;
    va_start(args, format);
    vsnprintf(value, sizeof value, format, args);
    va_end(args);
    form_add(form, key, value);
}

void form_put(struct form *form, const char *value, const char *key_format, ...)
{
    char key[128];
    va_list args;
    va_start(args, key_format);
    vsnprintf(key, sizeof key, key_format, args);
    va_end(args);
    form_add(form, key, value);
}

void page_done(struct page *page)
{
    text_done(&page->at);
    text_done(&page->mark);
}

/* The mark moves on after one, two, four, ... pages: so it comes to stand within any circle, and
 * far enough from itself. */
enum outcome page_turn(struct page *page, const char *call, struct text *next, struct error *err)
{
    const char *to = text_str(next);
    if (strcmp(to, text_str(&page->at)) == 0 || strcmp(to, text_str(&page->mark)) == 0)
        return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: the same page again", call);
    if (page->turns++ == page->next_mark) {
        text_done(&page->mark);
        page->mark = (struct text){0};
        text_add(&page->mark, to);
        page->next_mark = 2 * page->turns;
    }
    text_done(&page->at);
    page->at = *next;
    *next = (struct text){0};
    return OK;
}

void listing_done(struct listing *listing)
{
    page_done(&listing->page);
    sighting_list_done(&listing->list);
    *listing = (struct listing){0};
}

void listing_begin(struct listing *listing)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (now_ms - listing->since_ms > LISTING_KEPT_MS)
        listing_done(listing);
    if (listing->since_ms == 0)
        listing->since_ms = now_ms;
}

enum outcome listing_tried(struct listing *listing, enum outcome outcome)
{
    if (outcome != OK && outcome != ERR_THROTTLED)
        listing_done(listing);
    return outcome;
}

void listing_take(struct listing *listing, struct sighting_list *out)
{
    *out = listing->list;
    listing->list = (struct sighting_list){0};
    listing_done(listing);
}

enum outcome rest_send(struct http *http, const struct http_request *request,
                       struct http_answer *out, struct error *err)
{
    struct error why = {0};
    switch (http_send(http, request, out, &why)) {
    case OK:
        return OK;
    case ERR_UNREACHABLE:
        return cloud_fail(err, CLOUD_SERVER_ERROR, "%s: %s", request->url, why.text);
    case ERR_AMBIGUOUS:
        return cloud_fail(err, CLOUD_AMBIGUOUS, "%s: %s: %s", request->url, why.code, why.text);
    case ERR_INVALID:
    case ERR_DENIED:
    case ERR_NOT_FOUND:
    case ERR_CONFLICT:
    case ERR_THROTTLED:
    case ERR_INTERNAL:
    case OUTCOME_COUNT:
        break;
    }
    if (err != NULL)
        *err = why;
    return ERR_INVALID;
}
