#include "lib/crypto/sigv4.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void sigv4_date(struct moment at, char out[static SIGV4_DATE_SIZE])
{
    time_t seconds = (time_t)moment_seconds(at);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    if (strftime(out, SIGV4_DATE_SIZE, "%Y%m%dT%H%M%SZ", &parts) == 0)
        out[0] = '\0';
}

/* One "/segment" onto `out`, percent-encoded. */
static void add_segment(struct text *out, struct span segment)
{
    text_add(out, "/");
    text_add_percent(out, segment);
}

static void add_path_as_is(struct text *out, const char *path)
{
    while (*path != '\0') {
        size_t len = strcspn(path, "/");
        text_add_percent(out, SPAN(path, len));
        path += len;
        if (*path == '/') {
            text_add(out, "/");
            path++;
        }
    }
}

/* RFC 3986 section 5.2.4, and "//" is one "/": a stack of where each segment begins. */
static void add_path_squashed(struct text *out, const char *path)
{
    size_t base = out->len;
    bool slash_at_end = false;
    while (*path != '\0') {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        slash_at_end = path[len] == '/' || len == 0;
        if (len == 2 && memcmp(path, "..", 2) == 0) {
            while (out->len > base && out->at[--out->len] != '/')
                ;
            out->at[out->len] = '\0';
            slash_at_end = true;
        } else if (len == 1 && path[0] == '.') {
            slash_at_end = true;
        } else if (len > 0) {
            add_segment(out, SPAN(path, len));
        }
        path += len;
    }
    if (out->len == base || slash_at_end)
        text_add(out, "/");
}

struct pair {
    char *name;
    char *value;
};

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : strcmp(x->value, y->value);
}

/* Percent escapes are undone before they are made anew, so that "%7E" and "~" sign alike; what is
 * no valid escape is taken as it stands. */
static char *encode_again(struct span part)
{
    OWNED(text_done) struct text plain = {0};
    struct text out = {0};
    if (percent_decode(part, &plain, NULL) == OK)
        text_add_percent(&out, text_span(&plain));
    else
        text_add_percent(&out, part);
    return out.at != NULL ? text_take(&out) : mem_text("");
}

static void free_pairs(struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(pairs[i].name);
        free(pairs[i].value);
    }
    free(pairs);
}

static void add_query(struct text *out, const char *query)
{
    struct pair *pairs = NULL;
    size_t count = 0;
    for (const char *at = query; *at != '\0';) {
        size_t len = strcspn(at, "&");
        size_t name_len = strcspn(at, "=&");
        if (len > 0) {
            pairs = mem_resize(pairs, count + 1, sizeof *pairs);
            pairs[count].name = encode_again(SPAN(at, name_len));
            pairs[count].value = encode_again(
                name_len < len ? SPAN(at + name_len + 1, len - name_len - 1) : SPAN(at, 0));
            count++;
        }
        at += len + (at[len] == '&');
    }
    if (count > 0)
        qsort(pairs, count, sizeof *pairs, compare_pairs);
    for (size_t i = 0; i < count; i++)
        text_addf(out, "%s%s=%s", i > 0 ? "&" : "", pairs[i].name, pairs[i].value);
    free_pairs(pairs, count);
}

static char *lower_of(const char *name)
{
    char *lower = mem_text(name);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return lower;
}

/* Outer white space goes, each run inside becomes one space. */
static void add_trimmed(struct text *out, const char *value)
{
    const char *space = " \t\r\n";
    for (const char *at = value + strspn(value, space); *at != '\0';) {
        size_t len = strcspn(at, space);
        text_add_span(out, SPAN(at, len));
        at += len;
        at += strspn(at, space);
        if (*at != '\0')
            text_add(out, " ");
    }
}

struct sorted_header {
    char *name;
    size_t order;
    const char *value;
};

static int compare_headers(const void *a, const void *b)
{
    const struct sorted_header *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);
    return by_name != 0 ? by_name : (x->order > y->order) - (x->order < y->order);
}

static struct sorted_header *sort_headers(const struct sigv4_request *request)
{
    struct sorted_header *sorted = mem_new(request->header_count + 1, sizeof *sorted);
    for (size_t i = 0; i < request->header_count; i++)
        sorted[i] = (struct sorted_header){lower_of(request->headers[i].name), i,
                                           request->headers[i].value};
    qsort(sorted, request->header_count, sizeof *sorted, compare_headers);
    return sorted;
}

static void free_sorted(struct sorted_header *sorted)
{
    for (struct sorted_header *at = sorted; at->name != NULL; at++)
        free(at->name);
    free(sorted);
}
DROP(sorted_drop, struct sorted_header, free_sorted)

void sigv4_signed_headers(const struct sigv4_request *request, struct text *out)
{
    OWNED(sorted_drop) struct sorted_header *sorted = sort_headers(request);
    for (struct sorted_header *at = sorted; at->name != NULL; at++)
        if (at == sorted || strcmp(at->name, at[-1].name) != 0)
            text_addf(out, "%s%s", at == sorted ? "" : ";", at->name);
}

static void add_headers(struct text *out, const struct sigv4_request *request)
{
    OWNED(sorted_drop) struct sorted_header *sorted = sort_headers(request);
    for (struct sorted_header *at = sorted; at->name != NULL; at++) {
        if (at != sorted && strcmp(at->name, at[-1].name) == 0)
            text_add(out, ",");
        else
            text_addf(out, "%s%s:", at == sorted ? "" : "\n", at->name);
        add_trimmed(out, at->value);
    }
    text_add(out, "\n");
}

void sigv4_canonical_request(const struct sigv4_request *request, struct text *out)
{
    text_addf(out, "%s\n", request->method);
    if (request->keep_path)
        add_path_as_is(out, request->path);
    else
        add_path_squashed(out, request->path);
    text_add(out, "\n");
    add_query(out, request->query);
    text_add(out, "\n");
    add_headers(out, request);
    text_add(out, "\n");
    sigv4_signed_headers(request, out);
    text_add(out, "\n");
    text_add_hex(out, SPAN(request->body_sha256, SHA256_SIZE));
}

static void add_scope(struct text *out, const struct sigv4_scope *scope)
{
    text_addf(out, "%.8s/%s/%s/aws4_request", scope->date, scope->region, scope->service);
}

void sigv4_string_to_sign(const struct sigv4_scope *scope, struct span canonical_request,
                          struct text *out)
{
    uint8_t hash[SHA256_SIZE];
    digest(DIGEST_SHA256, canonical_request, hash);
    text_addf(out, "AWS4-HMAC-SHA256\n%s\n", scope->date);
    add_scope(out, scope);
    text_add(out, "\n");
    text_add_hex(out, SPAN_OF(hash));
}

void sigv4_signature(const struct sigv4_scope *scope, struct span secret, struct span to_sign,
                     char out[static SIGV4_SIGNATURE_SIZE])
{
    uint8_t key[SHA256_SIZE];
    OWNED(bytes_wipe) struct bytes first = {0};
    bytes_add(&first, span_of_text("AWS4"));
    bytes_add(&first, secret);
    digest_hmac(DIGEST_SHA256, bytes_span(&first), SPAN(scope->date, strnlen(scope->date, 8)), key);
    digest_hmac(DIGEST_SHA256, SPAN_OF(key), span_of_text(scope->region), key);
    digest_hmac(DIGEST_SHA256, SPAN_OF(key), span_of_text(scope->service), key);
    digest_hmac(DIGEST_SHA256, SPAN_OF(key), span_of_text("aws4_request"), key);
    uint8_t signature[SHA256_SIZE];
    digest_hmac(DIGEST_SHA256, SPAN_OF(key), to_sign, signature);
    explicit_bzero(key, sizeof key);
    hex_encode(SPAN_OF(signature), out);
}

void sigv4_authorization(const struct sigv4_request *request, const struct sigv4_scope *scope,
                         const char *access_key_id, struct span secret, struct text *out)
{
    OWNED(text_done) struct text canonical = {0};
    OWNED(text_done) struct text to_sign = {0};
    char signature[SIGV4_SIGNATURE_SIZE];
    sigv4_canonical_request(request, &canonical);
    sigv4_string_to_sign(scope, text_span(&canonical), &to_sign);
    sigv4_signature(scope, secret, text_span(&to_sign), signature);
    text_addf(out, "AWS4-HMAC-SHA256 Credential=%s/", access_key_id);
    add_scope(out, scope);
    text_add(out, ", SignedHeaders=");
    sigv4_signed_headers(request, out);
    text_addf(out, ", Signature=%s", signature);
}
