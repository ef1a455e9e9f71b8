/* Text: growing strings, hex, base64 and strict numbers. */
#ifndef MUSTER_BASE_TEXT_H
#define MUSTER_BASE_TEXT_H

#include <stdint.h>
#include <string.h>

#include "lib/base/bytes.h"

/* A growing string: zero-initialise, release with text_done (also for OWNED). `at` is NULL or
 * NUL-terminated; text_str() never gives NULL. */
struct text {
    char *at;
    size_t len;
    size_t room;
};

void text_done(struct text *t);
void text_grow(struct text *t, size_t more); /* what text_reserve() does when there is no room */
void text_add_number(struct text *t, int64_t number);
PRINTF(2, 3) void text_addf(struct text *t, const char *format, ...);

/* These three are called for every word of everything that is printed, so they are here. */

static inline void text_reserve(struct text *t, size_t more) /* adding so much moves it once */
{
    if (more >= t->room - t->len)
        text_grow(t, more);
}

static inline void text_add_span(struct text *t, struct span more)
{
    text_reserve(t, more.len);
    if (more.len > 0)
        memcpy(t->at + t->len, more.at, more.len);
    t->len += more.len;
    t->at[t->len] = '\0';
}

static inline void text_add(struct text *t, const char *more)
{
    text_add_span(t, SPAN(more, strlen(more)));
}

const char *text_str(const struct text *t);
struct span text_span(const struct text *t);
char *text_take(struct text *t); /* the string; the caller frees it */
struct bytes text_take_bytes(struct text *t);

/* Hex is lower case on the way out and either case on the way in. */
void hex_encode(struct span in, char *out); /* out: 2 * in.len + 1 */
void text_add_hex(struct text *t, struct span in);
char *hex_of(struct span in); /* the caller frees it */
enum outcome hex_decode(const char *in, struct bytes *out, struct error *err);
enum outcome hex_decode_exact(const char *in, void *out, size_t len, struct error *err);

/* Standard base64 with padding, and base64url without: strict, no white space, canonical only. */
void text_add_base64(struct text *t, struct span in);
void text_add_base64url(struct text *t, struct span in);
char *base64_of(struct span in);
char *base64url_of(struct span in);
enum outcome base64_decode(struct span in, struct bytes *out, struct error *err);
enum outcome base64url_decode(struct span in, struct bytes *out, struct error *err);

/* Percent-encoding of everything but unreserved characters (RFC 3986), and strict decoding that
 * refuses %00 and bad escapes. */
void text_add_percent(struct text *t, struct span in);
enum outcome percent_decode(struct span in, struct text *out, struct error *err);

/* Whole string, no sign but '-', no spaces, no leading zeroes tolerated beyond "0". */
enum outcome number_parse(const char *in, int64_t least, int64_t most, int64_t *out,
                          struct error *err);

/* How much of it, from its beginning, is printable ASCII without quotes and backslashes: at least
 * all but seven bytes of that. */
size_t text_plain_len(struct span s);

/* Is it UTF-8 without NUL and without control characters but tab and line feed? */
bool text_is_clean(struct span s);
void text_make_clean(char *text); /* with '?' for each byte that is not */

/* Names of secrets, hooks, fleets: `[a-z0-9-]{1,63}`, not starting or ending with '-'. */
bool text_is_name(const char *name);
/* A cloud's word for something: visible ASCII without blanks, quotes or backslashes, not empty. */
bool text_is_word(const char *text);

/* Copy into a fixed field; ERR_INVALID with `where` when it does not fit. */
enum outcome text_copy(char *out, size_t size, const char *in, const char *where,
                       struct error *err);

/* What fits of a text from elsewhere: whole characters, control characters as spaces. */
void text_clip(char *out, size_t size, const char *in);

#endif
