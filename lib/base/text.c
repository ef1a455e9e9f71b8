#include "lib/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_done(struct text *t)
{
    free(t->at);
    *t = (struct text){0};
}

void text_grow(struct text *t, size_t more)
{
    size_t room = t->room > 0 ? t->room : 64;
    while (room - t->len <= more)
        room *= 2;
    t->at = mem_resize(t->at, room, 1);
    t->room = room;
}

void text_addf(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0) {
        text_reserve(t, (size_t)n);
        vsnprintf(t->at + t->len, (size_t)n + 1, format, again);
        t->len += (size_t)n;
    }
    va_end(again);
}

void text_add_number(struct text *t, int64_t number)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
    do
        *--at = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (number < 0)
        *--at = '-';
    text_add_span(t, SPAN(at, (size_t)(digits + sizeof digits - at)));
}

const char *text_str(const struct text *t)
{
    return t->at != NULL ? t->at : "";
}

struct span text_span(const struct text *t)
{
    return SPAN(t->at, t->len);
}

char *text_take(struct text *t)
{
    char *at = t->at != NULL ? t->at : mem_text("");
    *t = (struct text){0};
    return at;
}

struct bytes text_take_bytes(struct text *t)
{
    struct bytes taken = {.at = (uint8_t *)t->at, .len = t->len, .room = t->room};
    *t = (struct text){0};
    return taken;
}

void hex_encode(struct span in, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = digits[in.at[i] >> 4];
        out[2 * i + 1] = digits[in.at[i] & 15];
    }
    out[2 * in.len] = '\0';
}

void text_add_hex(struct text *t, struct span in)
{
    text_reserve(t, 2 * in.len);
    hex_encode(in, t->at + t->len);
    t->len += 2 * in.len;
}

char *hex_of(struct span in)
{
    char *out = mem_new(2 * in.len + 1, 1);
    hex_encode(in, out);
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

enum outcome hex_decode_exact(const char *in, void *out, size_t len, struct error *err)
{
    if (strlen(in) != 2 * len)
        return fail(err, ERR_INVALID, "expected %zu hex digits, got %zu", 2 * len, strlen(in));
    uint8_t *at = out;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(in[2 * i]);
        int low = hex_value(in[2 * i + 1]);
        if (high < 0 || low < 0)
            return fail(err, ERR_INVALID, "not a hex digit at character %zu", 2 * i);
        at[i] = (uint8_t)(high << 4 | low);
    }
    return OK;
}

enum outcome hex_decode(const char *in, struct bytes *out, struct error *err)
{
    size_t len = strlen(in);
    if (len % 2 != 0)
        return fail(err, ERR_INVALID, "odd number of hex digits");
    OWNED(bytes_done) struct bytes made = {0};
    TRY(hex_decode_exact(in, bytes_add_room(&made, len / 2), len / 2, err));
    bytes_done(out);
    *out = made;
    made = (struct bytes){0};
    return OK;
}

/* clang-format off */
/* What a letter stands for; 0 is none, so all are one more. */
#define BASE64_VALUES(letter_62, letter_63) {                                                           \
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,  \
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, \
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, \
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, \
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, \
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, \
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, \
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62,                         \
    [letter_62] = 63, [letter_63] = 64, \
}
/* clang-format on */

static const struct alphabet {
    char letters[65];
    uint8_t values[256];
    bool padded;
} base64_plain = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                  BASE64_VALUES('+', '/'), true},
  base64_url = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                BASE64_VALUES('-', '_'), false};

static char *add_quad(char *at, uint32_t v, const struct alphabet *alphabet)
{
    const char quad[4] = {alphabet->letters[v >> 18 & 63], alphabet->letters[v >> 12 & 63],
                          alphabet->letters[v >> 6 & 63], alphabet->letters[v & 63]};
    memcpy(at, quad, sizeof quad);
    return at + sizeof quad;
}

static void add_base64(struct text *t, struct span in, const struct alphabet *alphabet)
{
    text_reserve(t, (in.len + 2) / 3 * 4);
    char *at = t->at + t->len;
    size_t i = 0;
    for (; in.len - i >= 3; i += 3)
        at = add_quad(at, (uint32_t)in.at[i] << 16 | (uint32_t)in.at[i + 1] << 8 | in.at[i + 2],
                      alphabet);
    const size_t rest = in.len - i;
    if (rest > 0) {
        const uint32_t second = rest > 1 ? in.at[i + 1] : 0;
        at = add_quad(at, (uint32_t)in.at[i] << 16 | second << 8, alphabet) - (3 - rest);
        for (size_t pad = rest; alphabet->padded && pad < 3; pad++)
            *at++ = '=';
    }
    *at = '\0';
    t->len = (size_t)(at - t->at);
}

/* Four letters to three bytes, as far as all are letters and four are left. Returns how many. */
static size_t decode_quads(struct span in, const uint8_t values[static 256], uint8_t *out)
{
    size_t i = 0;
    for (; in.len - i >= 4; i += 4) {
        const uint32_t a = values[in.at[i]] - 1U, b = values[in.at[i + 1]] - 1U;
        const uint32_t c = values[in.at[i + 2]] - 1U, d = values[in.at[i + 3]] - 1U;
        if ((a | b | c | d) > 63) /* what is none went below 0 */
            break;
        const uint32_t v = a << 18 | b << 12 | c << 6 | d;
        *out++ = (uint8_t)(v >> 16);
        *out++ = (uint8_t)(v >> 8);
        *out++ = (uint8_t)v;
    }
    return i;
}

static enum outcome decode_base64(struct span in, const struct alphabet *alphabet,
                                  struct bytes *out, struct error *err)
{
    size_t len = in.len;
    if (alphabet->padded) {
        if (len % 4 != 0)
            return fail(err, ERR_INVALID, "base64 length %zu is not a multiple of 4", len);
        for (int pad = 0; pad < 2 && len > 0 && in.at[len - 1] == '='; pad++)
            len--;
    }
    if (len % 4 == 1)
        return fail(err, ERR_INVALID, "base64 of impossible length %zu", len);
    OWNED(bytes_wipe) struct bytes made = {0};
    uint8_t *at = bytes_add_room(&made, len * 3 / 4);
    size_t i = decode_quads(SPAN(in.at, len), alphabet->values, at);
    size_t written = i / 4 * 3;
    uint32_t v = 0;
    int bits = 0;
    for (; i < len; i++) {
        int d = alphabet->values[in.at[i]] - 1;
        if (d < 0)
            return fail(err, ERR_INVALID, "not a base64 character at %zu", i);
        v = (v << 6 | (uint32_t)d) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            at[written++] = (uint8_t)(v >> bits);
        }
    }
    /* Two spellings of one value would let a byte-wise replay cache be walked round. */
    if ((v & ((1U << bits) - 1)) != 0)
        return fail(err, ERR_INVALID, "base64 is not canonical");
    bytes_wipe(out);
    *out = made;
    made = (struct bytes){0};
    return OK;
}

void text_add_base64(struct text *t, struct span in)
{
    add_base64(t, in, &base64_plain);
}

void text_add_base64url(struct text *t, struct span in)
{
    add_base64(t, in, &base64_url);
}

char *base64_of(struct span in)
{
    struct text t = {0};
    text_add_base64(&t, in);
    return text_take(&t);
}

char *base64url_of(struct span in)
{
    struct text t = {0};
    text_add_base64url(&t, in);
    return text_take(&t);
}

enum outcome base64_decode(struct span in, struct bytes *out, struct error *err)
{
    return decode_base64(in, &base64_plain, out, err);
}

enum outcome base64url_decode(struct span in, struct bytes *out, struct error *err)
{
    return decode_base64(in, &base64_url, out, err);
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void text_add_percent(struct text *t, struct span in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (is_unreserved(in.at[i]))
            text_add_span(t, SPAN(&in.at[i], 1));
        else
            text_addf(t, "%%%02X", in.at[i]);
    }
}

enum outcome percent_decode(struct span in, struct text *out, struct error *err)
{
    OWNED(text_done) struct text made = {0};
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.at[i];
        if (c == '%') {
            if (in.len - i < 3)
                return fail(err, ERR_INVALID, "escape cut short at %zu", i);
            int high = hex_value((char)in.at[i + 1]);
            int low = hex_value((char)in.at[i + 2]);
            if (high < 0 || low < 0)
                return fail(err, ERR_INVALID, "bad escape at %zu", i);
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (c == 0)
            return fail(err, ERR_INVALID, "NUL at %zu", i);
        text_add_span(&made, SPAN(&c, 1));
    }
    text_done(out);
    *out = made;
    made = (struct text){0};
    return OK;
}

enum outcome number_parse(const char *in, int64_t least, int64_t most, int64_t *out,
                          struct error *err)
{
    const char *digits = in[0] == '-' ? in + 1 : in;
    size_t len = strlen(digits);
    bool fine = len > 0 && len < 20 && strspn(digits, "0123456789") == len &&
                (digits[0] != '0' || (len == 1 && digits == in)); /* one name for each */
    errno = 0;
    long long v = fine ? strtoll(in, NULL, 10) : 0;
    if (!fine || errno != 0)
        return fail(err, ERR_INVALID, "not a number: '%.40s'", in);
    if (v < least || v > most)
        return fail(err, ERR_INVALID, "%lld is not between %lld and %lld", v, (long long)least,
                    (long long)most);
    *out = v;
    return OK;
}

/* Eight bytes at a time: the top bit of each byte of `any` says that it is not plain. */
size_t text_plain_len(struct span s)
{
    const uint64_t ones = UINT64_MAX / 255;
    const uint64_t tops = ones << 7;
    size_t i = 0;
    for (; s.len - i >= 8; i += 8) {
        uint64_t v;
        memcpy(&v, s.at + i, sizeof v);
        const uint64_t quote = v ^ ones * '"';
        const uint64_t slash = v ^ ones * '\\';
        const uint64_t any = (v - ones * ' ') | (v + ones) | v | (quote - ones) | (slash - ones);
        if ((any & tops) != 0)
            break;
    }
    return i;
}

/* Length of the UTF-8 sequence at s, or 0 when it is not one (overlong, surrogate, too high). */
static size_t utf8_length(struct span s)
{
    uint8_t c = s.at[0];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : c >= 0xe0 && c < 0xf0 ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;
    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s.at[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && s.at[1] < 0xa0) || (c == 0xed && s.at[1] > 0x9f) ||
        (c == 0xf0 && s.at[1] < 0x90) || (c == 0xf4 && s.at[1] > 0x8f))
        return 0;
    return n;
}

/* C0 but for tab and line feed, DEL, and C1, which terminals obey in UTF-8 as well. */
static bool is_control(struct span s)
{
    uint8_t c = s.at[0];
    return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f ||
           (c == 0xc2 && s.len > 1 && s.at[1] < 0xa0);
}

bool text_is_clean(struct span s)
{
    for (size_t i = 0; i < s.len;) {
        struct span rest = span_part(s, i, 4);
        size_t n = utf8_length(rest);
        if (n == 0 || is_control(rest))
            return false;
        i += n;
    }
    return true;
}

void text_make_clean(char *text)
{
    const struct span s = span_of_text(text);
    for (size_t i = text_plain_len(s); i < s.len;) {
        const struct span rest = span_part(s, i, 4);
        const size_t n = utf8_length(rest);
        if (n == 0 || is_control(rest))
            memset(text + i, '?', n > 0 ? n : 1);
        i += n > 0 ? n : 1;
    }
}

bool text_is_name(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len &&
           name[0] != '-' && name[len - 1] != '-';
}

bool text_is_word(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || *at == '"' || *at == '\'' || *at == '\\')
            return false;
    return text[0] != '\0';
}

enum outcome text_copy(char *out, size_t size, const char *in, const char *where, struct error *err)
{
    size_t len = strlen(in);
    if (len >= size)
        return fail_at(err, ERR_INVALID, "too-long", where, "%zu characters, at most %zu", len,
                       size - 1);
    memcpy(out, in, len + 1);
    return OK;
}

void text_clip(char *out, size_t size, const char *in)
{
    size_t len = strnlen(in, size);
    if (len == size)
        for (len = size - 1; len > 0 && ((unsigned char)in[len] & 0xc0) == 0x80;)
            len--;
    for (size_t i = 0; i < len; i++) {
        const bool is_bad = is_control(SPAN(in + i, len - i)) || in[i] == '\t' || in[i] == '\n';
        out[i] = is_bad ? ' ' : in[i];
        if (is_bad && (unsigned char)in[i] == 0xc2)
            out[++i] = ' ';
    }
    out[len] = '\0';
}
