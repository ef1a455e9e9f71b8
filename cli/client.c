#include "cli/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/random.h"
#include "lib/net/http.h"

enum { ANSWER_MAX = 8 * 1024 * 1024, PAGES_MAX = 10000 };

struct client {
    struct http *http;
    struct text base; /* without a slash at the end */
    const char *ca_file;
    char *authorization; /* NULL: none */
};

static enum outcome take_server(const char *server, struct text *base, struct error *err)
{
    if (server == NULL)
        return fail_code(err, ERR_INVALID, "no-server",
                         "say where the controller is: --server URL or MUSTER_SERVER");
    if (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://127.0.0.1:", 17) != 0 &&
        strncmp(server, "http://localhost:", 17) != 0)
        return fail_code(err, ERR_INVALID, "bad-server", "%.100s: not an https:// address", server);
    size_t len = strlen(server);
    while (len > 0 && server[len - 1] == '/')
        len--;
    text_add_span(base, SPAN(server, len));
    return OK;
}

enum outcome client_open(const struct cli_options *options, struct client **out, struct error *err)
{
    OWNED(client_drop) struct client *made = NEW(struct client);
    TRY(take_server(options->server, &made->base, err));
    made->http = http_new();
    made->ca_file = options->ca_file;
    if (options->token.len > 0) {
        size_t size = options->token.len + sizeof "Bearer ";
        made->authorization = mem_new(size, 1);
        snprintf(made->authorization, size, "Bearer %.*s", (int)options->token.len,
                 (const char *)options->token.at);
    }
    *out = TAKE(made);
    return OK;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    http_free(client->http);
    text_done(&client->base);
    if (client->authorization != NULL)
        explicit_bzero(client->authorization, strlen(client->authorization));
    free(client->authorization);
    free(client);
}

/* ---- answers --------------------------------------------------------------------------------- */

static enum outcome outcome_of_status(int status)
{
    static const struct {
        int status;
        enum outcome outcome;
    } meanings[] = {
        {400, ERR_INVALID},   {401, ERR_DENIED},      {403, ERR_DENIED},    {404, ERR_NOT_FOUND},
        {409, ERR_CONFLICT},  {412, ERR_CONFLICT},    {422, ERR_INVALID},   {429, ERR_THROTTLED},
        {502, ERR_AMBIGUOUS}, {503, ERR_UNREACHABLE}, {504, ERR_AMBIGUOUS},
    };
    for (size_t i = 0; i < countof(meanings); i++)
        if (meanings[i].status == status)
            return meanings[i].outcome;
    return status >= 400 && status < 500 ? ERR_INVALID : ERR_INTERNAL;
}

static const char *text_in(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && text_is_clean(span_of_text(text)) ? text : NULL;
}

/* RFC 9457: code (ours), detail, title; anything else is told by its status alone. */
static enum outcome problem_of(const struct http_answer *answer, const char *what,
                               struct error *err)
{
    enum outcome outcome = outcome_of_status(answer->status);
    OWNED(json_drop) json_t *problem = NULL;
    if (json_parse(bytes_span(&answer->body), 65536, &problem, NULL) != OK)
        return fail_code(err, outcome, NULL, "%s: status %d", what, answer->status);
    const char *code = text_in(problem, "code");
    const char *detail = text_in(problem, "detail");
    const char *where = text_in(problem, "where");
    if (detail == NULL)
        detail = text_in(problem, "title");
    if (detail == NULL)
        detail = "refused";
    if (where == NULL)
        where = "";
    if (code != NULL && strcmp(code, "against-the-catalogue") == 0)
        outcome = ERR_DENIED; /* a rule says no, as to `muster fleet check` */
    const bool is_said = strncmp(detail, where, strlen(where)) == 0; /* also when there is none */
    return fail_at(err, outcome, code, where, "%s%s%s", detail, is_said ? "" : " at ",
                   is_said ? "" : where);
}

static enum outcome read_answer(const struct http_answer *answer, const char *what, json_t **out,
                                struct error *err)
{
    *out = NULL;
    if (answer->status < 200 || answer->status > 299)
        return problem_of(answer, what, err);
    if (answer->body.len == 0)
        return OK;
    if (json_parse(bytes_span(&answer->body), ANSWER_MAX, out, err) != OK)
        return fail_code(err, ERR_INTERNAL, "bad-answer", "%s: %s", what, err->text);
    return OK;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static enum outcome send_call(struct client *client, const char *method, const char *path,
                              const json_t *body, struct http_answer *answer, struct error *err)
{
    OWNED(text_done) struct text url = {0};
    OWNED(mem_drop) char *content = body != NULL ? json_print(body) : NULL;
    const struct uuid key = uuid_new();
    const struct uuid_text key_text = uuid_text(&key);
    struct http_header headers[4] = {{"Accept", "application/json"}};
    size_t count = 1;
    if (content != NULL)
        headers[count++] = (struct http_header){"Content-Type", "application/json"};
    if (strcmp(method, "GET") != 0)
        headers[count++] = (struct http_header){"Idempotency-Key", key_text.at};
    if (client->authorization != NULL)
        headers[count++] = (struct http_header){"Authorization", client->authorization};
    text_add(&url, text_str(&client->base));
    text_add(&url, path);
    const struct http_request request = {
        .method = method,
        .url = text_str(&url),
        .headers = headers,
        .header_count = count,
        .body = content != NULL ? span_of_text(content) : (struct span){0},
        .answer_limit = ANSWER_MAX,
        .ca_file = client->ca_file,
    };
    return http_send(client->http, &request, answer, err);
}

enum outcome client_call(struct client *client, const char *method, const char *path,
                         const json_t *body, json_t **out, struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    OWNED(text_done) struct text what = {0};
    TRY(send_call(client, method, path, body, &answer, err));
    text_addf(&what, "%s %.120s", method, path);
    return read_answer(&answer, text_str(&what), out, err);
}

enum outcome client_fetch(struct client *client, const char *path, struct bytes *out,
                          struct error *err)
{
    OWNED(http_answer_done) struct http_answer answer = {0};
    TRY(send_call(client, "GET", path, NULL, &answer, err));
    if (answer.status != 200)
        return problem_of(&answer, path, err);
    bytes_done(out);
    *out = answer.body;
    answer.body = (struct bytes){0};
    return OK;
}

static enum outcome add_page(const json_t *page, json_t *items, int64_t most,
                             const char **out_cursor, struct error *err)
{
    json_t *list = json_object_get(page, "items");
    if (!json_is_array(list))
        return fail_code(err, ERR_INTERNAL, "bad-answer", "the answer is not a list");
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        if (most > 0 && (int64_t)json_array_size(items) == most)
            return OK;
        json_add_new(items, json_incref(item));
    }
    *out_cursor = json_string_value(json_object_get(page, "cursor"));
    return OK;
}

enum outcome client_list(struct client *client, const char *path, int64_t most, json_t **out_items,
                         struct error *err)
{
    OWNED(json_drop) json_t *items = json_array();
    OWNED(text_done) struct text where = {0};
    text_add(&where, path);
    for (int pages = 0; pages < PAGES_MAX; pages++) {
        OWNED(json_drop) json_t *page = NULL;
        const char *cursor = NULL;
        TRY(client_call(client, "GET", text_str(&where), NULL, &page, err));
        TRY(add_page(page, items, most, &cursor, err));
        if (cursor == NULL || cursor[0] == '\0')
            break;
        text_done(&where);
        text_addf(&where, "%s%ccursor=", path, strchr(path, '?') != NULL ? '&' : '?');
        text_add_percent(&where, span_of_text(cursor));
    }
    *out_items = TAKE(items);
    return OK;
}
