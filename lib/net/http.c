#include "lib/net/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"

enum { CONNECT_TIMEOUT_MS = 10000 };

struct http {
    CURL *curl;
};

struct exchange {
    struct http_answer answer;
    size_t limit;
    size_t header_bytes;
    bool too_large;
};

DROP(headers_drop, struct curl_slist, curl_slist_free_all)

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

struct http *http_new(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_curl);
    struct http *http = NEW(struct http);
    http->curl = curl_easy_init();
    if (http->curl == NULL)
        abort();
    return http;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    curl_easy_cleanup(http->curl);
    free(http);
}

void http_answer_done(struct http_answer *answer)
{
    bytes_done(&answer->body);
    bytes_done(&answer->headers);
    *answer = (struct http_answer){0};
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
    const char *at = (const char *)answer->headers.at;
    const char *end = at + answer->headers.len;
    while (at < end) {
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

/* Operations that take longer are looked at all the same: a header that says a day, by a mistake or
 * by somebody between, must not stop us for one. */
enum { RETRY_MOST_SECONDS = 3600 };

/* Seconds, or the date when it may be. */
static int64_t retry_after(const char *value)
{
    int64_t seconds;
    if (number_parse(value, 0, INT64_MAX, &seconds, NULL) != OK) {
        time_t until = curl_getdate(value, NULL);
        seconds = until < 0 ? 0 : (int64_t)until - (int64_t)time(NULL);
    }
    return seconds < 0 ? 0 : seconds > RETRY_MOST_SECONDS ? RETRY_MOST_SECONDS : seconds;
}

void http_answer_put_header(struct http_answer *answer, const char *name, const char *value)
{
    bytes_add(&answer->headers, SPAN(name, strlen(name) + 1));
    bytes_add(&answer->headers, SPAN(value, strlen(value) + 1));
    if (strcasecmp(name, "content-type") == 0)
        snprintf(answer->content_type, sizeof answer->content_type, "%.95s", value);
    else if (strcasecmp(name, "retry-after") == 0)
        answer->retry_after_seconds = retry_after(value);
}

static size_t take_body(char *at, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    if (len > exchange->limit - exchange->answer.body.len) {
        exchange->too_large = true;
        return 0;
    }
    bytes_add(&exchange->answer.body, SPAN(at, len));
    return len;
}

static size_t take_header(char *at, size_t size, size_t count, void *context)
{
    struct exchange *exchange = context;
    size_t len = size * count;
    exchange->header_bytes += len;
    if (exchange->header_bytes > HTTP_HEADERS_MAX) {
        exchange->too_large = true;
        return 0;
    }
    OWNED(mem_drop) char *line = strndup(at, len); /* up to a NUL, should one be in it */
    if (line == NULL)
        abort();
    line[strcspn(line, "\r\n")] = '\0';
    char *value = strchr(line, ':');
    if (value == NULL)
        return len;
    *value++ = '\0';
    value += strspn(value, " \t");
    http_answer_put_header(&exchange->answer, line, value);
    return len;
}

/* A value with a line break would be another header. */
static bool header_is_clean(const struct http_header *header)
{
    return header->name[0] != '\0' && strpbrk(header->name, "\r\n: ;") == NULL &&
           strpbrk(header->value, "\r\n") == NULL;
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

static void add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        abort();
    *list = longer;
}

static enum outcome make_headers(const struct http_request *request, struct curl_slist **out,
                                 struct error *err)
{
    OWNED(headers_drop) struct curl_slist *list = NULL;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (!header_is_clean(header))
            return fail(err, ERR_INVALID, "header '%.40s' holds a line break or no name",
                        header->name);
        OWNED(text_done) struct text line = {0};
        if (header->value[0] == '\0')
            text_addf(&line, "%s;", header->name);
        else
            text_addf(&line, "%s: %s", header->name, header->value);
        add_line(&list, text_str(&line));
    }
    add_line(&list, "Expect:"); /* never wait for a 100 */
    if (!has_header(request, "content-type"))
        add_line(&list, "Content-Type:");
    *out = TAKE(list);
    return OK;
}

static void set_up(CURL *curl, const struct http_request *request, struct curl_slist *headers,
                   struct exchange *exchange)
{
    int64_t timeout = request->timeout_ms > 0 ? request->timeout_ms : HTTP_TIMEOUT_MS;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (request->ca_file != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    /* On a connection it used before, curl repeats a request that drew no answer. We may not. */
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(timeout < CONNECT_TIMEOUT_MS ? timeout : CONNECT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout);
    if (strcmp(request->method, "GET") != 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         request->body.len > 0 ? (const char *)request->body.at : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
}

static bool is_tls_refusal(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
}

static enum outcome say_why(CURL *curl, CURLcode code, const char *detail,
                            const struct exchange *exchange, struct error *err)
{
    const char *why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
    long sent = 0;
    curl_easy_getinfo(curl, CURLINFO_REQUEST_SIZE, &sent);
    if (sent == 0 && (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL))
        return fail(err, ERR_INVALID, "%s", why);
    if (exchange->too_large)
        return fail_code(err, ERR_AMBIGUOUS, "answer-too-large",
                         "the answer is longer than %zu bytes", exchange->limit);
    if (sent == 0)
        return fail_code(err, ERR_UNREACHABLE, is_tls_refusal(code) ? "tls-refused" : NULL, "%s",
                         why);
    return fail_code(err, ERR_AMBIGUOUS, code == CURLE_OPERATION_TIMEDOUT ? "timeout" : "cut-off",
                     "%s", why);
}

enum outcome http_send(struct http *http, const struct http_request *request,
                       struct http_answer *out, struct error *err)
{
    OWNED(headers_drop) struct curl_slist *headers = NULL;
    TRY(make_headers(request, &headers, err));
    struct exchange exchange = {
        .limit = request->answer_limit > 0 ? request->answer_limit : HTTP_ANSWER_MAX,
    };
    char detail[CURL_ERROR_SIZE] = "";
    set_up(http->curl, request, headers, &exchange);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, detail);
    CURLcode code = curl_easy_perform(http->curl);
    enum outcome outcome = OK;
    if (code != CURLE_OK)
        outcome = say_why(http->curl, code, detail, &exchange, err);
    long status = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_reset(http->curl); /* it holds pointers into our stack */
    if (outcome != OK) {
        http_answer_done(&exchange.answer);
        return outcome;
    }
    exchange.answer.status = (int)status;
    *out = exchange.answer;
    return OK;
}
